/* profile.c: profile create, set, enable, disable, show, list, delete. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/profile.h"

#define CHALLENGE_FILE_MAX 4096

/* The options of create and set, read; what points into it lives as long. */
struct wanted {
	struct manage_profile_change change;
	struct buffer challenge;
	struct octets challenge_octets;
	struct field_row fields[PROFILE_FIELDS_MAX];
};

static void
wanted_free(struct wanted *w)
{
	if (w != NULL)
		buffer_free(&w->challenge);
	free(w);
}

static bool
read_challenge(const struct arguments *a, struct wanted *w, struct errbuf *why)
{
	const char *value = arguments_text(a, "challenge");
	const char *file = arguments_text(a, "challenge-file");

	if (value != NULL && file != NULL) {
		errbuf_set(why, "--challenge and --challenge-file: one of them");
		return false;
	}
	if (value == NULL && file == NULL)
		return true;
	if (value != NULL)
		buffer_append_string(&w->challenge, value);
	else if (!cli_read_file(file, CHALLENGE_FILE_MAX, &w->challenge, why))
		return false;
	if (file != NULL && w->challenge.len > 0 && w->challenge.data[w->challenge.len - 1] == '\n')
		w->challenge.len--;
	w->challenge_octets = buffer_octets(&w->challenge);
	w->change.challenge = &w->challenge_octets;
	return true;
}

/* TYPE[,required][,multiple][,fixed=VALUE]; the value is all that follows. */
static bool
read_field(const char *text, struct field_row *f, struct errbuf *why)
{
	size_t len = strcspn(text, ",");

	memset(f, 0, sizeof(*f));
	snprintf(f->source, sizeof(f->source), "scepRequest");
	if (len == 0 || len >= sizeof(f->type)) {
		errbuf_set(why, "--field: \"%s\" names no field", text);
		return false;
	}
	memcpy(f->type, text, len);
	for (text += len; *text == ','; text += len) {
		text++;
		len = strcspn(text, ",");
		if (strncmp(text, "fixed=", 6) == 0) {
			if (strlen(text + 6) >= sizeof(f->value)) {
				errbuf_set(why, "--field: the value of %s is too long", f->type);
				return false;
			}
			snprintf(f->source, sizeof(f->source), "fixed");
			snprintf(f->value, sizeof(f->value), "%s", text + 6);
			return true;
		}
		if (len == 8 && strncmp(text, "required", len) == 0) {
			f->required = true;
		} else if (len == 8 && strncmp(text, "multiple", len) == 0) {
			f->multiple = true;
		} else {
			errbuf_set(why,
			    "--field: have \"%.*s\", want required, multiple or fixed=VALUE",
			    (int)len, text);
			return false;
		}
	}
	return true;
}

static bool
read_fields(const struct arguments *a, struct wanted *w, struct errbuf *why)
{
	int count = 0;

	if (arguments_has(a, "no-fields") && arguments_has(a, "field")) {
		errbuf_set(why, "--field and --no-fields: one of them");
		return false;
	}
	for (const char *text; (text = arguments_nth(a, "field", count)) != NULL; count++) {
		if (count == PROFILE_FIELDS_MAX) {
			errbuf_set(why, "--field: at most %d", PROFILE_FIELDS_MAX);
			return false;
		}
		if (!read_field(text, &w->fields[count], why))
			return false;
	}
	if (count > 0 || arguments_has(a, "no-fields")) {
		w->change.fields = w->fields;
		w->change.field_count = count;
	}
	return true;
}

static bool
read_algorithms(const struct arguments *a, struct manage_profile_change *c, struct errbuf *why)
{
	const char *digests = arguments_text(a, "digests"), *ciphers = arguments_text(a, "ciphers");

	c->allow_legacy = arguments_has(a, "allow-legacy");
	if (digests != NULL && !manage_digests_of_text(digests, &c->digests)) {
		errbuf_set(why,
		    "--digests: have \"%s\", want some of SHA-256,SHA-384,SHA-512,SHA-1,MD5",
		    digests);
		return false;
	}
	if (ciphers != NULL && !manage_ciphers_of_text(ciphers, &c->ciphers)) {
		errbuf_set(why,
		    "--ciphers: have \"%s\", want some of AES-128-CBC,AES-256-CBC,DES3,DES",
		    ciphers);
		return false;
	}
	return true;
}

/* NULL with why: the usage is wrong. */
static struct wanted *
read_wanted(const struct arguments *a, struct errbuf *why)
{
	static const struct manage_profile_change keep = MANAGE_PROFILE_KEEP;
	struct wanted *w = calloc(1, sizeof(*w));
	struct manage_profile_change *c;

	if (w == NULL) {
		errbuf_set(why, "out of memory");
		return NULL;
	}
	c = &w->change;
	*c = keep;
	c->description = arguments_text(a, "description");
	c->challenge_mode = arguments_text(a, "challenge-mode");
	c->key_usage = arguments_text(a, "key-usage");
	c->eku = arguments_text(a, "eku");
	c->cert_rep = arguments_text(a, "cert-rep");
	if (!arguments_duration(a, "challenge-ttl", &c->challenge_expiry_s, why) ||
	    !arguments_number(a, "max-pending", 0, INT32_MAX, &c->max_pending, why) ||
	    !arguments_number(a, "validity-days", 0, INT32_MAX, &c->validity_days, why) ||
	    !arguments_number(a, "min-rsa-bits", 0, INT32_MAX, &c->min_rsa_bits, why) ||
	    !arguments_number(a, "max-rsa-bits", 0, INT32_MAX, &c->max_rsa_bits, why) ||
	    !arguments_number(a, "replay-hours", 0, INT32_MAX, &c->replay_hours, why) ||
	    !arguments_choice(a, "extra", "drop", "refuse", &c->refuse_extra, why) ||
	    !arguments_choice(a, "extensions", "drop", "refuse", &c->refuse_extensions, why) ||
	    !arguments_choice(a, "get-ca-cert", "single", "chain", &c->chain_in_get_ca_cert, why) ||
	    !arguments_yes_no(a, "require-signer-key", &c->require_signer_key, why) ||
	    !read_algorithms(a, c, why) || !read_fields(a, w, why) || !read_challenge(a, w, why)) {
		wanted_free(w);
		return NULL;
	}
	return w;
}

/* --- printing --- */

static json_t *
fields_json(const struct ra_profile_row *p)
{
	json_t *all = json_array();

	for (int i = 0; i < p->field_count; i++)
		json_array_append_new(
		    all, json_pack("{s:s,s:b,s:b,s:s,s:o}", "type", p->fields[i].type, "required",
			     p->fields[i].required, "multiple", p->fields[i].multiple, "source",
			     p->fields[i].source, "value", cli_json_text(p->fields[i].value)));
	return all;
}

static json_t *
ra_json(const struct manage_profile *p)
{
	return json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:b,s:b,s:I,s:I,s:o}", "id", p->ra.id, "name",
	    p->ra.name, "ca", p->authority, "validityDays", (json_int_t)p->ra.validity_days,
	    "keyUsage", p->ra.key_usage, "eku", p->ra.eku, "refuseExtra", p->ra.refuse_extra,
	    "refuseExtensions", p->ra.refuse_extensions, "minRsaBits",
	    (json_int_t)p->ra.min_rsa_bits, "maxRsaBits", (json_int_t)p->ra.max_rsa_bits, "fields",
	    fields_json(&p->ra));
}

static const char *
cert_rep(const struct scep_profile_row *p)
{
	return p->include_ca_chain ? "chain" : p->include_ca_certificate ? "issuer" : "leaf";
}

static json_t *
scep_json(const struct scep_profile_row *p)
{
	char digests[128], ciphers[128];

	manage_digests_text(p->digests, digests);
	manage_ciphers_text(p->ciphers, ciphers);
	return json_pack("{s:s,s:s,s:o,s:b,s:o,s:b,s:b,s:I,s:I,s:s,s:s,s:b,s:s,s:s,s:I,s:o,s:I}",
	    "id", p->id, "name", p->name, "description", cli_json_text(p->description), "enabled",
	    p->enabled, "challengeMode", cli_json_text(p->challenge_mode), "challengeSet",
	    p->challenge_set, "challengeWeak", p->challenge_weak, "challengeTtl",
	    (json_int_t)p->challenge_expiry_s, "maxPending", (json_int_t)p->max_pending, "digests",
	    digests, "ciphers", ciphers, "requireSignerKey", p->require_signer_key, "getCaCert",
	    p->include_ca_in_get_ca_cert ? "chain" : "single", "certRep", cert_rep(p),
	    "replayHours", (json_int_t)p->replay_hours, "createdAt", cli_json_time(p->created_at),
	    "version", (json_int_t)p->version);
}

static json_t *
profile_json(const struct cli *cli, const struct manage_profile *p)
{
	json_t *j = scep_json(&p->scep);
	char url[SETTINGS_TEXT + 80];

	snprintf(url, sizeof(url), "%s/scep/%s", cli->settings.public_url, p->scep.name);
	if (j == NULL)
		return NULL;
	json_object_set_new(j, "scepUrl", json_string(url));
	json_object_set_new(j, "raCertExpiresAt", cli_json_time(p->ra_not_after));
	json_object_set_new(j, "raProfile", ra_json(p));
	return j;
}

static void
print_profile(const struct cli *cli, const struct manage_profile *p)
{
	const struct scep_profile_row *s = &p->scep;
	char text[128];

	printf("name              %s%s\n", s->name, s->enabled ? "" : " (disabled)");
	printf("url               %s/scep/%s\n", cli->settings.public_url, s->name);
	if (s->description[0] != '\0')
		printf("description       %s\n", s->description);
	printf("CA                %s\n", p->authority);
	printf("challenge mode    %s%s\n",
	    s->challenge_mode[0] != '\0' ? s->challenge_mode : "none",
	    s->challenge_set && s->challenge_weak ? " (weak challenge)" : "");
	printf("challenge ttl     %" PRId64 " s, %" PRId64 " pending at most\n",
	    s->challenge_expiry_s, s->max_pending);
	manage_digests_text(s->digests, text);
	printf("digests           %s\n", text);
	manage_ciphers_text(s->ciphers, text);
	printf("ciphers           %s\n", text);
	printf("validity          %" PRId64 " days\n", p->ra.validity_days);
	printf("key usage         %s\n", p->ra.key_usage);
	printf("EKU               %s\n", p->ra.eku[0] != '\0' ? p->ra.eku : "none");
	printf("RSA bits          %" PRId64 " to %" PRId64 "\n", p->ra.min_rsa_bits,
	    p->ra.max_rsa_bits);
	for (int i = 0; i < p->ra.field_count; i++)
		printf("field             %s%s%s%s%s\n", p->ra.fields[i].type,
		    p->ra.fields[i].required ? ", required" : "",
		    p->ra.fields[i].multiple ? ", multiple" : "",
		    p->ra.fields[i].value[0] != '\0' ? ", fixed=" : "", p->ra.fields[i].value);
	printf("other fields      %s\n", p->ra.refuse_extra	 ? "refused"
					 : p->ra.field_count > 0 ? "dropped"
								 : "pass");
	printf("other extensions  %s\n", p->ra.refuse_extensions ? "refused" : "dropped");
	printf("signer's key      %s\n", s->require_signer_key ? "must be the CSR's" : "any");
	printf("GetCACert         %s\n", s->include_ca_in_get_ca_cert ? "chain" : "single");
	printf("CertRep           %s\n", cert_rep(s));
	printf("replay            %" PRId64 " hours\n", s->replay_hours);
	encoding_time(p->ra_not_after, text);
	printf("RA certificate    until %s\n", text);
}

/* --- verbs --- */

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
	struct wanted *w;
	int status;

	if (o.authority == NULL) {
		cli_error("--ca is missing: the name of a CA (scepctl ca list)");
		return CLI_USAGE;
	}
	if ((w = read_wanted(a, &why)) == NULL)
		return cli_usage(&why);
	o.change = &w->change;
	status = cli_result(manage_profile_create(&cli->manage, &cli->actor, &o, &p, &r), &r);
	wanted_free(w);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(profile_json(cli, &p));
	print_profile(cli, &p);
	return status;
}

static int
set(struct cli *cli, const struct arguments *a)
{
	struct manage_profile p;
	struct manage_report r = {0};
	struct errbuf why = {0};
	struct wanted *w = read_wanted(a, &why);
	int status;

	if (w == NULL)
		return cli_usage(&why);
	status = cli_result(
	    manage_profile_set(&cli->manage, &cli->actor, a->operands[0], &w->change, &p, &r), &r);
	wanted_free(w);
	if (status == CLI_DONE && cli->json)
		return cli_print_json(profile_json(cli, &p));
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
	print_profile(cli, &p);
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
		return json_array_append_new(ctx, scep_json(p)) == 0;
	printf("%-24s %-8s %-8s %s\n", p->name, p->enabled ? "enabled" : "disabled",
	    p->challenge_mode[0] != '\0' ? p->challenge_mode : "none", p->description);
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
	if (status == CLI_DONE && cli->json)
		return cli_print_json(all);
	json_decref(all);
	return status;
}

#define PROFILE_OPTIONS                                                                            \
	{"description", "TEXT", "for people", false},                                              \
	    {"challenge-mode", "MODE", "static or dynamic (one-time)", false},                     \
	    {"challenge", "VALUE", "the static challenge; --challenge-file keeps it out of ps",    \
		false},                                                                            \
	    {"challenge-file", "FILE", "read it from FILE, or - for stdin", false},                \
	    {"challenge-ttl", "TIME", "life of one-time challenges: 60m (1m to 30d)", false},      \
	    {"max-pending", "N", "one-time challenges pending at once (100)", false},              \
	    {"digests", "LIST", "SHA-256,SHA-384,SHA-512[,SHA-1][,MD5]", false},                   \
	    {"ciphers", "LIST", "AES-128-CBC,AES-256-CBC[,DES3][,DES]", false},                    \
	    {"allow-legacy", NULL, "MD5 and DES may be among them", false},                        \
	    {"validity-days", "N", "of the certificates (365)", false},                            \
	    {"key-usage", "LIST", "digitalSignature,keyEncipherment", false},                      \
	    {"eku", "LIST", "clientAuth[,serverAuth][,1.2.3]", false},                             \
	    {"min-rsa-bits", "N", "smallest RSA key (2048)", false},                               \
	    {"max-rsa-bits", "N", "largest RSA key (8192)", false},                                \
	    {"field", "RULE", "TYPE[,required][,multiple][,fixed=VALUE]; repeatable", true},       \
	    {"no-fields", NULL, "no rules: what is asked for passes", false},                      \
	    {"extra", "WHAT", "fields without a rule: drop or refuse", false},                     \
	    {"extensions", "WHAT", "CA:TRUE or a foreign EKU asked for: drop or refuse", false},   \
	    {"require-signer-key", "yes|no", "the signer must have the CSR's key (yes)", false},   \
	    {"get-ca-cert", "WHAT", "chain, or single: the RA certificate alone", false},          \
	    {"cert-rep", "WHAT", "what a CertRep carries: leaf, issuer or chain", false},          \
	{                                                                                          \
		"replay-hours", "N", "a repeat gets its first certificate (24)", false             \
	}

static const struct option_spec create_options[] = {
    {"ca", "CA", "the CA that issues", false},
    {"disabled", NULL, "do not enable it yet", false},
    {"ra-key", "KIND", "rsa:2048 (default), rsa:3072, rsa:4096", false},
    PROFILE_OPTIONS,
    {0},
};
static const struct option_spec set_options[] = {PROFILE_OPTIONS, {0}};

const struct verb cli_profile_verbs[] = {
    {"profile", "create", "NAME", "make a profile with its RA certificate",
	"A challenge without a mode means static.", create_options, create},
    {"profile", "set", "NAME", "change a profile; what is not given stays", NULL, set_options, set},
    {"profile", "enable", "NAME", "answer requests", NULL, NULL, enable},
    {"profile", "disable", "NAME", "refuse all requests", NULL, NULL, disable},
    {"profile", "show", "NAME", "show a profile", NULL, NULL, show},
    {"profile", "list", "", "list profiles", NULL, NULL, list},
    {"profile", "delete", "NAME", "delete a profile that issued nothing", NULL, NULL, delete},
    {0},
};
