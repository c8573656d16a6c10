/* next_ca.c: scepctl next-ca: the certificates of the CA that comes next, by GetNextCACert (RFC 8894 4.7). */
#include <string.h>
#include <unistd.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/pki_operation.h"
#include "fcgi-admin/cli/query.h"
#include "pki/authority.h"
#include "pki/name.h"

static int
write_all(const struct scep_server *s, const char *path)
{
	struct buffer pem = {0};
	struct errbuf why = {0};
	bool good = true;

	for (int i = 0; i < s->count && good; i++)
		good = pem_write("CERTIFICATE", s->certificates[i].der, &pem);
	if (!good)
		errbuf_set(&why, "out of memory");
	good = good && cli_write_file(path, buffer_octets(&pem), 0644, &why);
	buffer_free(&pem);
	if (good)
		return CLI_DONE;
	cli_error("%s", why.line);
	return CLI_REFUSED;
}

static json_t *
certificate_json(const struct certificate *c)
{
	struct buffer subject = {0};
	char fingerprint[65] = "";
	json_t *j;

	name_to_text(c->subject, &subject);
	scep_server_fingerprint(c, fingerprint);
	j = json_pack("{s:o,s:b,s:o,s:o,s:s}", "subject",
	    pki_operation_json_text(buffer_string(&subject)), "ca", c->ca, "notBefore",
	    cli_json_time(c->not_before), "notAfter", cli_json_time(c->not_after), "fingerprint",
	    fingerprint);
	buffer_free(&subject);
	return j;
}

static void
print_certificate(const struct certificate *c, const char *path)
{
	char from[ENCODING_TIME_SIZE], until[ENCODING_TIME_SIZE], fingerprint[65] = "";
	struct buffer subject = {0}, line = {0};

	name_to_text(c->subject, &subject);
	scep_server_fingerprint(c, fingerprint);
	encoding_time(c->not_before, from);
	encoding_time(c->not_after, until);
	buffer_append_format(&line, "%s: %s %s, %s to %s, fingerprint %s", path,
	    c->ca ? "CA" : "RA", buffer_string(&subject), from, until, fingerprint);
	cli_print_line(&line);
	buffer_free(&subject);
}

static int
print_all(const struct scep_server *s, const char *path, bool json)
{
	json_t *all = json ? json_array() : NULL;

	for (int i = 0; i < s->count; i++) {
		if (json)
			json_array_append_new(all, certificate_json(&s->certificates[i]));
		else
			print_certificate(&s->certificates[i], path);
	}
	if (!json)
		return CLI_DONE;
	return cli_print_json(json_pack("{s:s,s:o}", "file", path, "certificates", all));
}

static int
fetch(struct scep_server *s, const struct arguments *a)
{
	const char *path = arguments_text(a, "out");
	int status;

	if (path == NULL) {
		cli_error("--out is missing: where the certificates go");
		return CLI_USAGE;
	}
	if (access(path, F_OK) == 0) {
		cli_error("%s is there already: remove it or name another file", path);
		return CLI_REFUSED;
	}
	if ((status = pki_operation_open(s, a)) != CLI_DONE ||
	    (status = scep_server_next(s)) != CLI_DONE)
		return status;
	return write_all(s, path);
}

int
next_ca(struct cli *cli, const struct arguments *a)
{
	struct scep_server s = {0};
	int status = fetch(&s, a);

	if (status == CLI_DONE)
		status = print_all(&s, arguments_text(a, "out"), cli->json);
	scep_server_close(&s);
	return status;
}

const struct option_spec next_ca_options[] = {
    {"out", "FILE", "where the certificates go, as PEM: the RA's and the CA's", false},
    SCEP_SERVER_OPTIONS,
    {0},
};
