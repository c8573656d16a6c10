/* ca.c: ca create, request, import, set, responder, list, show. */
#include <stdio.h>
#include <unistd.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/ca.h"
#include "fcgi-admin/manage/responder.h"
#include "pki/authority.h"
#include "pki/private_key.h"

static bool
read_order(const struct arguments *a, struct manage_authority_order *o, struct errbuf *why)
{
	int64_t path_length = 0;

	*o = (struct manage_authority_order){
	    .name = a->operands[0],
	    .subject = arguments_text(a, "subject"),
	    .key = arguments_has(a, "key") ? arguments_text(a, "key") : "ec:P-256",
	    .crl_url = arguments_text(a, "crl-url"),
	    .ocsp_url = arguments_text(a, "ocsp-url"),
	    .validity_days = 3650,
	};
	if (o->subject == NULL) {
		errbuf_set(why, "--subject is missing: --subject 'CN=Device CA,O=Example'");
		return false;
	}
	if (!arguments_number(a, "days", 1, 36500, &o->validity_days, why) ||
	    !arguments_number(a, "path-length", 0, 16, &path_length, why))
		return false;
	o->path_length = (int)path_length;
	return true;
}

static int
create(struct cli *cli, const struct arguments *a)
{
	struct manage_authority_order o;
	struct authority_row ca = {0};
	struct manage_report r = {0};
	struct errbuf why = {0};
	int status;

	if (!read_order(a, &o, &why))
		return cli_usage(&why);
	status = cli_result(manage_authority_create(&cli->manage, &cli->actor, &o, &ca, &r), &r);
	if (status == CLI_DONE) {
		if (cli->json)
			status = cli_print_json(ca_json(&ca));
		else
			ca_print(&ca);
	}
	authority_row_free(&ca);
	return status;
}

static int
request(struct cli *cli, const struct arguments *a)
{
	struct manage_authority_order o;
	struct authority_row ca = {0};
	struct buffer pem = {0};
	struct manage_report r = {0};
	struct errbuf why = {0};
	const char *path = arguments_text(a, "out");
	int status;

	if (!read_order(a, &o, &why))
		return cli_usage(&why);
	if (path != NULL && access(path, F_OK) == 0) {
		cli_error("%s is there already: remove it or name another file", path);
		return CLI_REFUSED;
	}
	status = cli_result(manage_authority_request(&cli->manage, &cli->actor, &o, &ca, &r), &r);
	if (status == CLI_DONE) {
		pem_write("CERTIFICATE REQUEST", buffer_octets(&ca.request), &pem);
		if (path != NULL && !cli_write_file(path, buffer_octets(&pem), 0644, &why)) {
			cli_error("%s", why.line);
			status = CLI_REFUSED;
		}
		if (cli->json)
			cli_print_json(ca_json(&ca));
		else if (path == NULL)
			fputs(buffer_string(&pem), stdout);
		else
			printf("CA %s waits for its certificate; have %s signed, then: scepctl ca "
			       "import %s --certificate CHAIN.pem\n",
			    ca.name, path, ca.name);
	}
	buffer_free(&pem);
	authority_row_free(&ca);
	return status;
}

EVP_PKEY *
ca_load_key(const struct arguments *a, struct errbuf *why)
{
	const char *file = arguments_text(a, "key-passphrase-file");
	struct buffer passphrase = {0};
	EVP_PKEY *key = NULL;

	if (file == NULL || passphrase_read(file, &passphrase, why))
		key = private_key_load(
		    arguments_text(a, "key-file"), buffer_octets(&passphrase), why);
	buffer_free(&passphrase);
	return key;
}

static int
import(struct cli *cli, const struct arguments *a)
{
	struct buffer certificates[MANAGE_CHAIN_MAX] = {{0}};
	struct authority_row ca = {0};
	struct manage_report r = {0};
	struct errbuf why = {0};
	EVP_PKEY *key = NULL;
	const char *path = arguments_text(a, "certificate");
	int count, status = CLI_REFUSED;

	if (path == NULL) {
		cli_error("--certificate is missing: a PEM file, the CA's certificate first");
		return CLI_USAGE;
	}
	count = pem_read_certificates(path, certificates, MANAGE_CHAIN_MAX, &why);
	if (count < 0 || (arguments_has(a, "key-file") && (key = ca_load_key(a, &why)) == NULL)) {
		cli_error("%s", why.line);
	} else {
		status = cli_result(manage_authority_import(&cli->manage, &cli->actor,
					a->operands[0], key, certificates, count, &ca, &r),
		    &r);
		if (status == CLI_DONE && cli->json)
			status = cli_print_json(ca_json(&ca));
		else if (status == CLI_DONE)
			ca_print(&ca);
	}
	EVP_PKEY_free(key);
	for (int i = 0; i < MANAGE_CHAIN_MAX; i++)
		buffer_free(&certificates[i]);
	authority_row_free(&ca);
	return status;
}

static int
set(struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};
	const char *crl = arguments_text(a, "crl-url"), *ocsp = arguments_text(a, "ocsp-url");

	if (crl == NULL && ocsp == NULL) {
		cli_error("nothing to set: --crl-url URL or --ocsp-url URL (\"\" for none)");
		return CLI_USAGE;
	}
	return cli_changed(cli,
	    manage_authority_set_urls(&cli->manage, &cli->actor, a->operands[0], crl, ocsp, &r), &r,
	    a->operands[0]);
}

/* Make an OCSP responder where none is there in time. */
static int
responder(struct cli *cli, const struct arguments *a)
{
	struct authority_row ca = {0};
	struct manage_report r = {0};
	char time[ENCODING_TIME_SIZE];
	int64_t not_after = 0;
	enum manage_rc rc = manage_authority_get(&cli->manage, a->operands[0], &ca, &r);
	int status;

	if (rc == MANAGE_OK)
		rc = manage_responder_ensure(&cli->manage, &cli->actor, &ca, &not_after, &r);
	status = cli_result(rc, &r);
	authority_row_free(&ca);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(json_pack("{s:s,s:o}", "name", a->operands[0],
		    "ocspResponderNotAfter", cli_json_time(not_after)));
	encoding_time(not_after, time);
	printf("responder until %s\n", time);
	return CLI_DONE;
}

static bool
list_row(void *ctx, const struct authority_row *ca)
{
	char time[ENCODING_TIME_SIZE] = "-";

	if (ctx != NULL)
		return json_array_append_new(ctx, ca_json(ca)) == 0;
	if (ca->not_after != 0)
		encoding_time(ca->not_after, time);
	printf("%-24s %-8s %-22s %s\n", ca->name, ca->state, time, ca->id);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status;

	(void)a;
	status = cli_result(manage_authority_each(&cli->manage, list_row, all, &r), &r);
	return cli_listed(cli, status, all);
}

/* All of it, with its generations. */
static int
show_whole(struct cli *cli, const struct authority_row *ca)
{
	struct manage_generation g;
	struct manage_report r = {0};
	int status = cli_result(manage_generation_read(&cli->manage, ca, &g, &r), &r);
	json_t *j;

	if (status != CLI_DONE)
		return status;
	if (cli->json) {
		if ((j = ca_json(ca)) != NULL)
			ca_json_generation(j, &g);
		return cli_print_json(j);
	}
	ca_print(ca);
	ca_print_generation(&g);
	return CLI_DONE;
}

static int
show(struct cli *cli, const struct arguments *a)
{
	struct authority_row ca = {0};
	struct buffer pem = {0};
	struct manage_report r = {0};
	char print[65];
	int status = cli_result(manage_authority_get(&cli->manage, a->operands[0], &ca, &r), &r);
	bool certificate = arguments_has(a, "pem") || arguments_has(a, "chain");

	if (status != CLI_DONE)
		return status;
	if ((certificate || arguments_has(a, "fingerprint")) && ca.certificate.len == 0) {
		cli_error("CA %s is %s: it has no certificate yet", ca.name, ca.state);
		status = CLI_REFUSED;
	} else if (cli->json || (!certificate && !arguments_has(a, "fingerprint"))) {
		status = show_whole(cli, &ca);
	} else if (arguments_has(a, "fingerprint")) {
		if (ca_fingerprint(buffer_octets(&ca.certificate), print))
			puts(print);
	} else {
		ca_append_pem(&ca, arguments_has(a, "chain"), &pem);
		fputs(buffer_string(&pem), stdout);
	}
	buffer_free(&pem);
	authority_row_free(&ca);
	return status;
}

#define SUBJECT_OPTION                                                                             \
	{                                                                                          \
		"subject", "NAME", "'CN=Device CA,O=Example'", false                               \
	}
#define KEY_OPTION                                                                                 \
	{                                                                                          \
		"key", "KIND", "ec:P-256 (default), ec:P-384, rsa:2048, rsa:3072, rsa:4096", false \
	}
#define URL_OPTIONS                                                                                \
	{"crl-url", "URL", "where what it issues says the CRL is; auto: this service", false},     \
	{                                                                                          \
		"ocsp-url", "URL", "where it says OCSP is; auto: this service", false              \
	}

static const struct option_spec create_options[] = {
    SUBJECT_OPTION,
    KEY_OPTION,
    {"days", "N", "validity (3650)", false},
    {"path-length", "N", "CAs that may stand below it (0)", false},
    URL_OPTIONS,
    {0},
};
static const struct option_spec request_options[] = {
    SUBJECT_OPTION,
    KEY_OPTION,
    URL_OPTIONS,
    {"out", "FILE", "write the PEM there instead of to stdout", false},
    {0},
};
static const struct option_spec import_options[] = {
    {"certificate", "CHAIN.pem", "the CA's certificate first, then those above it", false},
    {"key-file", "KEY.pem", "the key of a CA that was made elsewhere", false},
    {"key-passphrase-file", "FILE", "the passphrase of that key", false},
    {0},
};
static const struct option_spec set_options[] = {URL_OPTIONS, {0}};
static const struct option_spec show_options[] = {
    {"pem", NULL, "the certificate alone", false},
    {"chain", NULL, "the certificate and those above it", false},
    {"fingerprint", NULL, "SHA-256 in hexadecimal", false},
    {0},
};
const struct verb cli_ca_verbs[] = {
    {"ca", "create", "NAME", "make a self-signed CA", NULL, create_options, create},
    {"ca", "request", "NAME", "make a key and a request for a root elsewhere to sign",
	"The signed chain comes back by \"scepctl ca import\".", request_options, request},
    {"ca", "import", "NAME", "import a signed chain, or a key and its chain", NULL, import_options,
	import},
    {"ca", "set", "NAME", "change a CA", "What it issues from now on says so.", set_options, set},
    {"ca", "responder", "NAME", "see to its OCSP responder",
	"It is made with the CA, and again in time; this makes one where there is none.", NULL,
	responder},
    {"ca", "list", "", "list CAs", NULL, NULL, list},
    {"ca", "show", "NAME", "show a CA, its certificate or its fingerprint", NULL, show_options,
	show},
    {0},
};
