/* profile.c: profile create, set, clone, enable, disable, show, list, delete. */
#include <stdio.h>

#include "fcgi-admin/cli/profile.h"

static int
create(struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};
	struct errbuf why = {0};
	struct manage_profile_order o = {
	    .name = a->operands[0],
	    .authority = arguments_text(a, "ca"),
	    .ra_key = arguments_has(a, "ra-key") ? arguments_text(a, "ra-key") : "rsa:2048",
	    .enabled = !arguments_has(a, "disabled"),
	};
	struct profile_wanted *w;
	int status;

	if (o.authority == NULL) {
		cli_error("--ca is missing: the name of a CA (scepctl ca list)");
		return CLI_USAGE;
	}
	if ((w = profile_wanted_read(a, &why)) == NULL)
		return cli_usage(&why);
	o.change = &w->change;
	status = cli_result(manage_profile_create(&cli->manage, &cli->actor, &o, &p, &r), &r);
	profile_wanted_free(w);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(profile_json(cli, &p));
	profile_print(cli, &p);
	return status;
}

static int
set(struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};
	struct errbuf why = {0};
	struct profile_wanted *w = profile_wanted_read(a, &why);
	int status;

	if (w == NULL)
		return cli_usage(&why);
	status = cli_result(
	    manage_profile_set(&cli->manage, &cli->actor, a->operands[0], &w->change, &p, &r), &r);
	profile_wanted_free(w);
	if (status == CLI_DONE && cli->json)
		return cli_print_json(profile_json(cli, &p));
	return status;
}

static int
clone_profile(struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};
	struct errbuf why = {0};
	struct manage_profile_clone o = {
	    .name = a->operands[1],
	    .ra_key = arguments_has(a, "ra-key") ? arguments_text(a, "ra-key") : "rsa:2048",
	    .enabled = arguments_has(a, "enabled"),
	};
	struct profile_wanted *w;
	int status;

	if ((w = profile_wanted_read(a, &why)) == NULL)
		return cli_usage(&why);
	o.change = &w->change;
	status = cli_result(
	    manage_profile_clone(&cli->manage, &cli->actor, a->operands[0], &o, &p, &r), &r);
	profile_wanted_free(w);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(profile_json(cli, &p));
	profile_print(cli, &p);
	return status;
}

static int
show(struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};
	int status = cli_result(manage_profile_get(&cli->manage, a->operands[0], &p, &r), &r);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(profile_json(cli, &p));
	profile_print(cli, &p);
	return status;
}

static int
enable(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_profile_enable(&cli->manage, &cli->actor, a->operands[0], true, &r), &r,
	    a->operands[0]);
}

static int
disable(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_profile_enable(&cli->manage, &cli->actor, a->operands[0], false, &r), &r,
	    a->operands[0]);
}

static int delete (struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_profile_delete(&cli->manage, &cli->actor, a->operands[0], &r), &r,
	    a->operands[0]);
}

static bool
list_row(void *ctx, const struct scep_profile_row *p)
{
	if (ctx != NULL)
		return json_array_append_new(ctx, profile_row_json(p)) == 0;
	printf("%-24s %-8s %-14s %s\n", p->name, p->enabled ? "enabled" : "disabled",
	    p->challenge_mode[0] != '\0' ? p->challenge_mode : "-", p->description);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status;

	(void)a;
	status = cli_result(manage_profile_each(&cli->manage, list_row, all, &r), &r);
	return cli_listed(cli, status, all);
}

#define PROFILE_OPTIONS                                                                            \
	{"description", "TEXT", "for people", false},                                              \
	    {"challenge-mode", "MODE",                                                             \
		"static, dynamic (one-time), enrollmentCode, intune, webhook, none", false},       \
	    {"challenge", "VALUE", "the static challenge; --challenge-file keeps it out of ps",    \
		false},                                                                            \
	    {"challenge-file", "FILE", "read it from FILE, or - for stdin", false},                \
	    {"challenge-ttl", "TIME", "life of one-time challenges: 60m (1m to 30d)", false},      \
	    {"max-pending", "N", "one-time challenges pending at once (100)", false},              \
	    {"challenge-length", "N", "characters of a one-time challenge: 32 or 16 (32)", false}, \
	    {"seat-field", "TYPE", "where a CSR has its seat id (subject.commonName)", false},     \
	    {"intune", "NAME", "the connection that mode intune asks; \"\" for none", false},      \
	    {"limit-address", "N", "enrolments a minute from one address; 0: any number (0)",      \
		false},                                                                            \
	    {"limit-profile", "N", "the same of the whole profile", false},                        \
	    {"limit-account", "N", "the same by one account", false},                              \
	    {"limit-seat", "N", "the same for one seat", false},                                   \
	    {"digests", "LIST", "SHA-256,SHA-384,SHA-512[,SHA-1][,MD5]", false},                   \
	    {"ciphers", "LIST", "AES-128-CBC,AES-256-CBC[,DES3][,DES]", false},                    \
	    {"allow-legacy", NULL, "MD5 and DES may be among them", false},                        \
	    {"validity-days", "N", "of the certificates (365)", false},                            \
	    {"key-usage", "LIST", "digitalSignature,keyEncipherment", false},                      \
	    {"eku", "LIST", "clientAuth[,serverAuth][,1.2.3]", false},                             \
	    {"min-rsa-bits", "N", "smallest RSA key (2048)", false},                               \
	    {"max-rsa-bits", "N", "largest RSA key (8192)", false},                                \
	    {"field", "RULE", "what of a request goes in: see field add; repeatable", true},       \
	    {"no-fields", NULL, "no rules: what is asked for passes", false},                      \
	    {"not-after", "DATE", "certificates end then; none: after validity-days", false},      \
	    {"microsoft-sid", "yes|no", "copy Microsoft's SID extension (no)", false},             \
	    {"microsoft-template", "yes|no", "copy Microsoft's template extensions (no)", false},  \
	    {"duplicates", "HOW", "allow, refuse or replace a seat's or subject's older one",      \
		false},                                                                            \
	    {"duplicate-grace", "TIME", "a replaced one is revoked in: 7d (0s to 365d)", false},   \
	    {"unique-keys", "yes|no", "a public key for one subject only (no)", false},            \
	    {"extra", "WHAT", "fields without a rule: drop or refuse", false},                     \
	    {"extensions", "WHAT", "CA:TRUE or a foreign EKU asked for: drop or refuse", false},   \
	    {"require-signer-key", "yes|no", "the signer must have the CSR's key (yes)", false},   \
	    {"get-ca-cert", "WHAT", "chain, or single: the RA certificate alone", false},          \
	    {"cert-rep", "WHAT", "what a CertRep carries: leaf, issuer or chain", false},          \
	    {"replay-hours", "N", "a repeat gets its first certificate (24)", false},              \
	    {"approval", "HOW", "auto, or manual: each request waits for one (auto)", false},      \
	    {"transaction-ttl", "TIME", "how long it waits: 7d (1h to 90d)", false},               \
	    {"max-transactions", "N", "how many may wait at once (1000)", false},                  \
	    {"certificate-renewal", "yes|no", "a valid certificate renews by itself (yes)",        \
		false},                                                                            \
	    {"same-key-renewal", "yes|no", "with the key it has, too (yes)", false},               \
	    {"renewal-threshold-days", "N", "not earlier before its end; 0: half its life (0)",    \
		false},                                                                            \
	    {"max-successors", "N", "renewals of one certificate; 0: any number (5)", false},      \
	    {"renew-from", "LIST", "profiles whose certificates renew here too; \"\" for none",    \
		false},                                                                            \
	{                                                                                          \
		"curves", "LIST", "of EC keys: P-256,P-384,P-521; \"\" for none: RSA alone", false \
	}

static const struct option_spec create_options[] = {
    {"ca", "CA", "the CA that issues", false},
    {"disabled", NULL, "do not enable it yet", false},
    {"ra-key", "KIND", "rsa:2048 (default), rsa:3072, rsa:4096", false},
    PROFILE_OPTIONS,
    {0},
};
static const struct option_spec set_options[] = {PROFILE_OPTIONS, {0}};
static const struct option_spec clone_options[] = {
    {"enabled", NULL, "enable it at once", false},
    {"ra-key", "KIND", "rsa:2048 (default), rsa:3072, rsa:4096", false},
    PROFILE_OPTIONS,
    {0},
};

const struct verb cli_profile_verbs[] = {
    {"profile", "create", "NAME", "make a profile with its RA certificate",
	"A challenge without a mode means static.", create_options, create},
    {"profile", "set", "NAME", "change a profile; what is not given stays", NULL, set_options, set},
    {"profile", "clone", "NAME NEW", "copy a profile, with an RA certificate of its own",
	"The copy is disabled unless --enabled, and its certificates and the original's renew "
	"under\n"
	"both.  Options change it.  A static challenge is not copied.",
	clone_options, clone_profile},
    {"profile", "enable", "NAME", "answer requests", NULL, NULL, enable},
    {"profile", "disable", "NAME", "refuse all requests", NULL, NULL, disable},
    {"profile", "show", "NAME", "show a profile", NULL, NULL, show},
    {"profile", "list", "", "list profiles", NULL, NULL, list},
    {"profile", "delete", "NAME", "delete a profile that issued nothing", NULL, NULL, delete},
    {0},
};
