/* enrol_result.c: the certificate that came back: is it the one, and where it goes. */
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/enrol.h"
#include "pki/authority.h"

/* Has c our key, and is it a new one? */
static bool
is_ours(const struct enrol *e, const struct certificate *c)
{
	return octets_equal(c->spki, buffer_octets(&e->spki)) &&
	       !(e->renews && octets_equal(c->der, e->signer.certificate.der));
}

int
enrol_take_certificate(struct enrol *e)
{
	const struct scep_server *s = &e->server;
	struct errbuf why = {0};

	for (int i = 0; i < e->reply.certificate_count; i++) {
		certificate_free(&e->issued);
		if (!certificate_parse(
			buffer_octets(&e->reply.certificates[i]), &e->issued, &why)) {
			cli_error("%s", why.line);
			return CLI_REFUSED;
		}
		if (is_ours(e, &e->issued))
			break;
		certificate_free(&e->issued);
	}
	if (e->issued.der.len == 0) {
		cli_error(
		    "SUCCESS, but no %scertificate in it has our key", e->renews ? "new " : "");
		return CLI_REFUSED;
	}
	if (s->issuer == NULL) {
		cli_error("warning: the server sent no CA certificate: the new certificate's "
			  "signature is not checked");
		return CLI_DONE;
	}
	if (scep_server_trusts(s, &e->issued))
		return CLI_DONE;
	cli_error("the certificate is not signed by the CA");
	return CLI_REFUSED;
}

int
enrol_write_files(const struct enrol *e)
{
	const char *ca_out = arguments_text(e->a, "ca-out");
	struct buffer leaf = {0}, cas = {0};
	struct errbuf why = {0};
	bool ok;

	pem_write("CERTIFICATE", e->issued.der, &leaf);
	for (int i = 0; i < e->server.count; i++)
		if (scep_server_is_ca(&e->server, &e->server.certificates[i]))
			pem_write("CERTIFICATE", e->server.certificates[i].der, &cas);
	ok = cli_write_file(arguments_text(e->a, "cert-out"), buffer_octets(&leaf), 0644, &why) &&
	     (ca_out == NULL || cli_write_file(ca_out, buffer_octets(&cas), 0644, &why));
	buffer_free(&leaf);
	buffer_free(&cas);
	if (ok)
		return CLI_DONE;
	cli_error("%s", why.line);
	return CLI_REFUSED;
}
