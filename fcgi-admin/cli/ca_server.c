/* ca_server.c: ca server-certificate. */
#include <stdio.h>
#include <unistd.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/authority.h"
#include "pki/authority.h"
#include "pki/private_key.h"

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

static const struct option_spec server_options[] = {
    {"dns", "NAME[,NAME]", "host names", false},
    {"ip", "ADDRESS[,ADDRESS]", "addresses", false},
    {"days", "N", "validity (397)", false},
    {"out", "CERT.pem", "the certificate and its chain", false},
    {"key-out", "KEY.pem", "its key, mode 0600", false},
    {0},
};

const struct verb cli_ca_server_verbs[] = {
    {"ca", "server-certificate", "NAME", "issue a TLS certificate for the server in front", NULL,
	server_options, server_certificate},
    {0},
};
