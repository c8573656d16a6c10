/* ca.c: ca create, request, import, set, list, show, server-certificate. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/authority.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"

static bool
fingerprint(struct octets der, char out[65])
{
	uint8_t digest[32];
	unsigned len = sizeof(digest);

	if (der.len == 0 || EVP_Digest(der.data, der.len, digest, &len, EVP_sha256(), NULL) != 1)
		return false;
	encoding_hex(octets_of(digest, sizeof(digest)), out);
	return true;
}

/* The certificate and those above it, one PEM block each. */
static void
append_pem(const struct authority_row *ca, bool chain, struct buffer *out)
{
	struct octets rest = buffer_octets(&ca->chain), der;

	pem_write("CERTIFICATE", buffer_octets(&ca->certificate), out);
	while (chain && manage_authority_next(&rest, &der))
		pem_write("CERTIFICATE", der, out);
}

static json_t *
ca_json(const struct authority_row *ca)
{
	struct buffer subject = {0}, pem = {0};
	struct certificate c = {0};
	char print[65] = "";
	json_t *j;

	if (ca->certificate.len > 0) {
		fingerprint(buffer_octets(&ca->certificate), print);
		append_pem(ca, true, &pem);
		if (certificate_parse(buffer_octets(&ca->certificate), &c, NULL))
			name_to_text(c.subject, &subject);
	} else {
		pem_write("CERTIFICATE REQUEST", buffer_octets(&ca->request), &pem);
	}
	j = json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "id", ca->id, "name", ca->name,
	    "state", ca->state, "subject", cli_json_text(buffer_string(&subject)), "fingerprint",
	    cli_json_text(print), "notAfter", cli_json_time(ca->not_after), "createdAt",
	    cli_json_time(ca->created_at), "crlUrl", cli_json_text(ca->crl_url), "pem",
	    cli_json_text(buffer_string(&pem)));
	certificate_free(&c);
	buffer_free(&subject);
	buffer_free(&pem);
	return j;
}

static void
print_ca(const struct authority_row *ca)
{
	struct buffer subject = {0};
	struct certificate c = {0};
	char print[65], time[ENCODING_TIME_SIZE];

	printf("name         %s\nid           %s\nstate        %s\n", ca->name, ca->id, ca->state);
	if (certificate_parse(buffer_octets(&ca->certificate), &c, NULL)) {
		if (name_to_text(c.subject, &subject))
			printf("subject      %s\n", buffer_string(&subject));
		if (fingerprint(c.der, print))
			printf("fingerprint  %s\n", print);
		encoding_time(c.not_after, time);
		printf("notAfter     %s\n", time);
	}
	if (ca->crl_url[0] != '\0')
		printf("crlUrl       %s\n", ca->crl_url);
	certificate_free(&c);
	buffer_free(&subject);
}

static bool
read_order(const struct arguments *a, struct manage_authority_order *o, struct errbuf *why)
{
	int64_t path_length = 0;

	*o = (struct manage_authority_order){
	    .name = a->operands[0],
	    .subject = arguments_text(a, "subject"),
	    .key = arguments_has(a, "key") ? arguments_text(a, "key") : "ec:P-256",
	    .crl_url = arguments_text(a, "crl-url"),
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
			print_ca(&ca);
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

static EVP_PKEY *
load_key(const struct arguments *a, struct errbuf *why)
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
	if (count < 0 || (arguments_has(a, "key-file") && (key = load_key(a, &why)) == NULL)) {
		cli_error("%s", why.line);
	} else {
		status = cli_result(manage_authority_import(&cli->manage, &cli->actor,
					a->operands[0], key, certificates, count, &ca, &r),
		    &r);
		if (status == CLI_DONE && cli->json)
			status = cli_print_json(ca_json(&ca));
		else if (status == CLI_DONE)
			print_ca(&ca);
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
	const char *url = arguments_text(a, "crl-url");

	if (url == NULL) {
		cli_error("nothing to set: --crl-url URL (\"\" for none)");
		return CLI_USAGE;
	}
	return cli_changed(cli,
	    manage_authority_set_crl_url(&cli->manage, &cli->actor, a->operands[0], url, &r), &r,
	    a->operands[0]);
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
	if (status == CLI_DONE && cli->json)
		return cli_print_json(all);
	json_decref(all);
	return status;
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
	} else if (cli->json) {
		status = cli_print_json(ca_json(&ca));
	} else if (arguments_has(a, "fingerprint")) {
		if (fingerprint(buffer_octets(&ca.certificate), print))
			puts(print);
	} else if (certificate) {
		append_pem(&ca, arguments_has(a, "chain"), &pem);
		fputs(buffer_string(&pem), stdout);
	} else {
		print_ca(&ca);
	}
	buffer_free(&pem);
	authority_row_free(&ca);
	return status;
}

/* Both files, the key first; what cannot be finished leaves neither. */
static bool
write_server_files(const struct manage_server_certificate *c, const char *out, const char *key_out,
    struct errbuf *why)
{
	struct octets rest = buffer_octets(&c->chain), der;
	struct buffer pem = {0};
	bool ok;

	pem_write("CERTIFICATE", buffer_octets(&c->certificate), &pem);
	while (manage_authority_next(&rest, &der))
		pem_write("CERTIFICATE", der, &pem);
	ok = private_key_save(c->key, key_out, octets_of(NULL, 0), why);
	if (ok && !(ok = cli_write_file(out, buffer_octets(&pem), 0644, why)))
		unlink(key_out);
	buffer_free(&pem);
	return ok;
}

static int
server_certificate(struct cli *cli, const struct arguments *a)
{
	const char *out = arguments_text(a, "out"), *key_out = arguments_text(a, "key-out");
	struct manage_server_certificate c;
	struct manage_report r = {0};
	struct errbuf why = {0};
	int64_t days = 397;
	int status;

	if (out == NULL || key_out == NULL) {
		cli_error("--out and --key-out are both needed");
		return CLI_USAGE;
	}
	if (!arguments_number(a, "days", 1, 825, &days, &why))
		return cli_usage(&why);
	if (access(out, F_OK) == 0 || access(key_out, F_OK) == 0) {
		cli_error("%s is there already: remove it or name another file",
		    access(out, F_OK) == 0 ? out : key_out);
		return CLI_REFUSED;
	}
	status = cli_result(
	    manage_authority_server_certificate(&cli->manage, &cli->actor, a->operands[0],
		arguments_text(a, "dns"), arguments_text(a, "ip"), days, &c, &r),
	    &r);
	if (status != CLI_DONE)
		return status;
	if (!write_server_files(&c, out, key_out, &why)) {
		cli_error("%s; the certificate %s is issued but of no use", why.line, c.serial);
		status = CLI_REFUSED;
	} else if (cli->json) {
		status = cli_print_json(json_pack("{s:s,s:o,s:s,s:s}", "serial", c.serial,
		    "notAfter", cli_json_time(c.not_after), "certificate", out, "key", key_out));
	} else {
		printf("%s\n%s\n", out, key_out);
	}
	manage_server_certificate_free(&c);
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
#define CRL_OPTION                                                                                 \
	{                                                                                          \
		"crl-url", "URL", "the distribution point in what it issues", false                \
	}

static const struct option_spec create_options[] = {
    SUBJECT_OPTION,
    KEY_OPTION,
    {"days", "N", "validity (3650)", false},
    {"path-length", "N", "CAs that may stand below it (0)", false},
    CRL_OPTION,
    {0},
};
static const struct option_spec request_options[] = {
    SUBJECT_OPTION,
    KEY_OPTION,
    CRL_OPTION,
    {"out", "FILE", "write the PEM there instead of to stdout", false},
    {0},
};
static const struct option_spec import_options[] = {
    {"certificate", "CHAIN.pem", "the CA's certificate first, then those above it", false},
    {"key-file", "KEY.pem", "the key of a CA that was made elsewhere", false},
    {"key-passphrase-file", "FILE", "the passphrase of that key", false},
    {0},
};
static const struct option_spec set_options[] = {CRL_OPTION, {0}};
static const struct option_spec show_options[] = {
    {"pem", NULL, "the certificate alone", false},
    {"chain", NULL, "the certificate and those above it", false},
    {"fingerprint", NULL, "SHA-256 in hexadecimal", false},
    {0},
};
static const struct option_spec server_options[] = {
    {"dns", "NAME[,NAME]", "host names", false},
    {"ip", "ADDRESS[,ADDRESS]", "addresses", false},
    {"days", "N", "validity (397)", false},
    {"out", "CERT.pem", "the certificate and its chain", false},
    {"key-out", "KEY.pem", "its key, mode 0600", false},
    {0},
};

const struct verb cli_ca_verbs[] = {
    {"ca", "create", "NAME", "make a self-signed CA", NULL, create_options, create},
    {"ca", "request", "NAME", "make a key and a request for a root elsewhere to sign",
	"The signed chain comes back by \"scepctl ca import\".", request_options, request},
    {"ca", "import", "NAME", "import a signed chain, or a key and its chain", NULL, import_options,
	import},
    {"ca", "set", "NAME", "change a CA", NULL, set_options, set},
    {"ca", "list", "", "list CAs", NULL, NULL, list},
    {"ca", "show", "NAME", "show a CA, its certificate or its fingerprint", NULL, show_options,
	show},
    {"ca", "server-certificate", "NAME", "issue a TLS certificate for the server in front", NULL,
	server_options, server_certificate},
    {0},
};
