/* rollover.c: ca rollover, switch, rollover-cancel. */
#include <stdio.h>

#include "fcgi-admin/cli/ca.h"
#include "fcgi-admin/manage/rollover.h"
#include "pki/authority.h"

/* With --certificate and --key-file: a CA that was made elsewhere. */
static int
prepare(struct cli *cli, const struct arguments *a, struct manage_rollover_order *o)
{
	struct authority_row next = {0};
	struct manage_report r = {0};
	int profiles = 0;
	int status = cli_result(
	    manage_rollover_prepare(&cli->manage, &cli->actor, o, &next, &profiles, &r), &r);

	if (status == CLI_DONE && cli->json) {
		json_t *j = ca_json(&next);

		if (j != NULL)
			json_object_set_new(j, "profiles", json_integer(profiles));
		status = cli_print_json(j);
	} else if (status == CLI_DONE) {
		ca_print(&next);
		printf("profiles     %d, each with a next RA certificate\n"
		       "Devices can fetch them now (GetNextCACert).  When they have: scepctl ca "
		       "switch "
		       "%s\n",
		    profiles, a->operands[0]);
	}
	authority_row_free(&next);
	return status;
}

static int
rollover(struct cli *cli, const struct arguments *a)
{
	struct buffer certificates[MANAGE_CHAIN_MAX] = {{0}};
	struct manage_rollover_order o = {
	    .authority = a->operands[0],
	    .name = arguments_text(a, "name"),
	    .subject = arguments_text(a, "subject"),
	    .key = arguments_text(a, "key"),
	    .certificates = certificates,
	};
	const char *path = arguments_text(a, "certificate");
	struct errbuf why = {0};
	int status = CLI_DONE;

	if (!arguments_number(a, "days", 1, 36500, &o.validity_days, &why))
		return cli_usage(&why);
	if ((path == NULL) != !arguments_has(a, "key-file")) {
		cli_error("--certificate and --key-file go together");
		return CLI_USAGE;
	}
	if (path != NULL) {
		o.count = pem_read_certificates(path, certificates, MANAGE_CHAIN_MAX, &why);
		if (o.count < 0 || (o.own_key = ca_load_key(a, &why)) == NULL) {
			cli_error("%s", why.line);
			status = CLI_REFUSED;
		}
	}
	if (status == CLI_DONE)
		status = prepare(cli, a, &o);
	EVP_PKEY_free(o.own_key);
	for (int i = 0; i < MANAGE_CHAIN_MAX; i++)
		buffer_free(&certificates[i]);
	return status;
}

static int
switch_to(struct cli *cli, const struct arguments *a)
{
	struct authority_row now = {0};
	struct manage_report r = {0};
	struct errbuf why = {0};
	int64_t overlap_s = MANAGE_OVERLAP_S;
	int status;

	if (!arguments_duration(a, "overlap", &overlap_s, &why))
		return cli_usage(&why);
	status = cli_result(
	    manage_rollover_switch(&cli->manage, &cli->actor, a->operands[0], overlap_s, &now, &r),
	    &r);
	if (status == CLI_DONE && cli->json)
		status = cli_print_json(ca_json(&now));
	else if (status == CLI_DONE)
		printf("CA %s issues from now on\n", now.name);
	authority_row_free(&now);
	return status;
}

static int
cancel(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_rollover_cancel(&cli->manage, &cli->actor, a->operands[0], &r), &r,
	    a->operands[0]);
}

static const struct option_spec rollover_options[] = {
    {"name", "NEW", "its name (CA-g2, CA-g3, ...)", false},
    {"subject", "NAME", "'CN=Device CA 2,O=Example' (as the one before)", false},
    {"key", "KIND", "ec:P-256, ec:P-384, rsa:3072, ... (as the one before)", false},
    {"days", "N", "validity (as the one before)", false},
    {"certificate", "CHAIN.pem", "one made elsewhere: its certificate, then those above it", false},
    {"key-file", "KEY.pem", "the key of that one", false},
    {"key-passphrase-file", "FILE", "the passphrase of that key", false},
    {0},
};
static const struct option_spec switch_options[] = {
    {"overlap", "TIME", "how long the old RA certificates decrypt: 14d (0s to 400d)", false},
    {0},
};

const struct verb cli_rollover_verbs[] = {
    {"ca", "rollover", "CA", "prepare the next generation of a CA",
	"It makes a key, a certificate and an RA certificate for each profile of the CA.  Devices\n"
	"fetch them by GetNextCACert until \"scepctl ca switch\".  A CA under a root elsewhere "
	"wants\n"
	"--certificate and --key-file.",
	rollover_options, rollover},
    {"ca", "switch", "CA", "let the next generation issue",
	"The old one goes on signing CRLs and OCSP responders.", switch_options, switch_to},
    {"ca", "rollover-cancel", "CA", "take the prepared generation back", NULL, NULL, cancel},
    {0},
};
