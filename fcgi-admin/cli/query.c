/* query.c: scepctl get-cert and get-crl: GetCert and GetCRL (RFC 8894 4.5, 4.6), signed by a certificate that is there. */
#include "fcgi-admin/cli/query.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/credential.h"
#include "fcgi-admin/cli/pki_operation.h"
#include "pki/authority.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "scep/request.h"

#define CRL_ANSWER_MAX	  (16 * 1024 * 1024) /* octets: some 300,000 entries */
#define ISSUER_FILE_CERTS 16

struct query {
	const struct arguments *a;
	bool json;
	struct credential signer;
	struct credential issuer; /* --issuer: without a key */
	struct buffer serial;	  /* content octets of an INTEGER */
	struct octets issuer_name;
	struct scep_server server;
	struct buffer content;
	char transaction_id[33];
	struct scep_client_message message;
	struct scep_client_reply reply;
	bool sent;
};

static void
query_free(struct query *q)
{
	scep_server_close(&q->server);
	credential_free(&q->signer);
	credential_free(&q->issuer);
	scep_client_reply_free(&q->reply);
	buffer_free(&q->serial);
	buffer_free(&q->content);
}

static int
fault(const struct errbuf *why)
{
	cli_error("%s", why->line);
	return CLI_REFUSED;
}

bool
query_serial_of_text(const char *text, struct buffer *out)
{
	char digits[2 * SCEP_QUERY_SERIAL_MAX + 2] = "0";
	uint8_t octets[SCEP_QUERY_SERIAL_MAX + 1] = {0};
	size_t count = 0, len, skip = 0;

	for (; *text != '\0'; text++) {
		if (*text == ':' || *text == ' ')
			continue;
		if (!isxdigit((unsigned char)*text) || count == 2 * SCEP_QUERY_SERIAL_MAX)
			return false;
		digits[1 + count++] = *text;
	}
	len = (count + 1) / 2;
	/* An odd number of digits begins with the 0 that stands there already. */
	if (count == 0 || !encoding_unhex(digits + (count % 2 == 0 ? 1 : 0), octets + 1, len))
		return false;
	while (skip < len && octets[skip] == 0 && (octets[skip + 1] & 0x80) == 0)
		skip++;
	buffer_append(out, octets + skip, len + 1 - skip);
	return !out->failed && out->len <= SCEP_QUERY_SERIAL_MAX;
}

static int
usage(const char *text)
{
	cli_error("%s", text);
	return CLI_USAGE;
}

static int
read_options(struct query *q)
{
	const char *certificate = arguments_text(q->a, "cert"), *key = arguments_text(q->a, "key");
	const char *out = arguments_text(q->a, "out"), *serial = arguments_text(q->a, "serial");
	const char *issuer = arguments_text(q->a, "issuer");
	struct errbuf why = {0};

	if (certificate == NULL || key == NULL || out == NULL)
		return usage("--cert and --key, which sign, and --out are needed");
	if (serial != NULL && !query_serial_of_text(serial, &q->serial))
		return usage("--serial: want 1 to 128 hexadecimal digits");
	if (issuer != NULL && serial == NULL)
		return usage("--issuer goes with --serial");
	if (access(out, F_OK) == 0) {
		cli_error("%s is there already: remove it or name another file", out);
		return CLI_REFUSED;
	}
	if (!credential_load(&q->signer, certificate, key, &why) ||
	    (issuer != NULL && !credential_load_certificate(&q->issuer, issuer, &why)))
		return fault(&why);
	return pki_operation_read_transaction_id(q->a, &q->message.transaction_id);
}

/* Which certificate is meant: the signer's own, or a serial number of the CA's. */
static int
make_content(struct query *q)
{
	const struct certificate *own = &q->signer.certificate;

	if (q->serial.len == 0) {
		buffer_append(&q->serial, own->serial.data, own->serial.len);
		q->issuer_name = own->issuer;
	} else if (q->issuer.der.len > 0) {
		q->issuer_name = q->issuer.certificate.subject;
	} else if (q->server.issuer != NULL) {
		q->issuer_name = q->server.issuer->subject;
	} else {
		q->issuer_name = q->server.recipient->issuer;
	}
	if (scep_client_issuer_and_serial(q->issuer_name, buffer_octets(&q->serial), &q->content))
		return CLI_DONE;
	cli_error("IssuerAndSerialNumber: cannot be made");
	return CLI_REFUSED;
}

static int
name_transaction(struct query *q)
{
	uint8_t random[16];

	if (q->message.transaction_id != NULL)
		return CLI_DONE;
	if (RAND_bytes(random, sizeof(random)) != 1) {
		cli_error("no random octets");
		return CLI_REFUSED;
	}
	encoding_hex(octets_of(random, sizeof(random)), q->transaction_id);
	q->message.transaction_id = q->transaction_id;
	return CLI_DONE;
}

/* Ask, and have the reply. */
static int
ask(struct query *q)
{
	struct scep_client_message *m = &q->message;
	int status;

	q->server.response_max = CRL_ANSWER_MAX;
	if ((status = read_options(q)) != CLI_DONE ||
	    (status = pki_operation_open(&q->server, q->a)) != CLI_DONE ||
	    (status = pki_operation_choose_algorithms(&q->server, q->a, m)) != CLI_DONE ||
	    (status = make_content(q)) != CLI_DONE || (status = name_transaction(q)) != CLI_DONE)
		return status;
	m->content = buffer_octets(&q->content);
	m->signer = &q->signer.certificate;
	m->key = q->signer.key;
	if ((status = pki_operation(&q->server, m, &q->reply, &q->sent)) != CLI_DONE)
		return status;
	if (q->reply.status == SCEP_PENDING) {
		cli_error("PENDING, which is no answer to %s (RFC 8894 4.5.1)",
		    scep_message_type_name(m->message_type));
		return CLI_REFUSED;
	}
	return q->reply.status == SCEP_SUCCESS ? CLI_DONE
					       : pki_operation_tell(m, &q->reply, q->json);
}

static int
write_out(const struct query *q, const char *label, struct octets der)
{
	struct buffer pem = {0};
	struct errbuf why = {0};
	bool good = pem_write(label, der, &pem) &&
		    cli_write_file(arguments_text(q->a, "out"), buffer_octets(&pem), 0644, &why);

	buffer_free(&pem);
	return good ? CLI_DONE : fault(&why);
}

/* --- GetCert --- */

/* The one that was asked for. */
static bool
find_certificate(const struct query *q, struct certificate *out)
{
	for (int i = 0; i < q->reply.certificate_count; i++) {
		if (!certificate_parse(buffer_octets(&q->reply.certificates[i]), out, NULL))
			continue;
		if (octets_equal(pki_operation_magnitude(out->serial),
			pki_operation_magnitude(buffer_octets(&q->serial))) &&
		    octets_equal(out->issuer, q->issuer_name))
			return true;
		certificate_free(out);
	}
	return false;
}

static int
get_certificate(struct query *q)
{
	struct certificate c = {0};
	int status = ask(q);

	if (status != CLI_DONE)
		return status;
	if (!find_certificate(q, &c)) {
		cli_error("SUCCESS, but the certificate that was asked for is not in it");
		return CLI_REFUSED;
	}
	if ((status = write_out(q, "CERTIFICATE", c.der)) == CLI_DONE)
		status = pki_operation_print(&q->message, &c, arguments_text(q->a, "out"), q->json);
	certificate_free(&c);
	return status;
}

/* --- GetCRL --- */

/* One of the CAs that may vouch for it has signed it.  DONE with a warning: its CA is none of them. */
static int
verify_crl(const struct query *q, const struct crl *crl)
{
	const struct certificate *cas[SCEP_SERVER_CERTIFICATES + 1];
	struct errbuf why = {0};
	int count = 0, named = 0;

	if (q->issuer.der.len > 0)
		cas[count++] = &q->issuer.certificate;
	for (int i = 0; i < q->server.count; i++)
		if (scep_server_is_ca(&q->server, &q->server.certificates[i]))
			cas[count++] = &q->server.certificates[i];
	for (int i = 0; i < count; i++) {
		if (!octets_equal(cas[i]->subject, crl->issuer))
			continue;
		if (crl_verify(crl, cas[i], &why))
			return CLI_DONE;
		named++;
	}
	if (named > 0)
		return fault(&why);
	cli_error("warning: the server sent no certificate of the CRL's CA: its signature is not "
		  "checked");
	return CLI_DONE;
}

static int
print_crl(const struct query *q, const struct crl *crl)
{
	const char *path = arguments_text(q->a, "out");
	char next[ENCODING_TIME_SIZE] = "no time";
	struct buffer issuer = {0}, line = {0};
	int status = CLI_DONE;

	name_to_text(crl->issuer, &issuer);
	if (crl->next_update != 0)
		encoding_time(crl->next_update, next);
	if (q->json) {
		status = cli_print_json(json_pack("{s:s,s:o,s:o,s:o,s:o,s:I,s:s,s:s}", "status",
		    "SUCCESS", "issuer", pki_operation_json_text(buffer_string(&issuer)), "number",
		    crl->number < 0 ? json_null() : json_integer(crl->number), "thisUpdate",
		    cli_json_time(crl->this_update), "nextUpdate", cli_json_time(crl->next_update),
		    "revoked", (json_int_t)crl->count, "crl", path, "transactionId",
		    q->message.transaction_id));
	} else {
		buffer_append_format(&line, "%s: CRL of %s, %lld revoked, next update %s", path,
		    buffer_string(&issuer), (long long)crl->count, next);
		cli_print_line(&line);
	}
	buffer_free(&issuer);
	return status;
}

static int
check_crl(const struct query *q, const struct crl *crl)
{
	if (octets_equal(crl->issuer, q->issuer_name))
		return verify_crl(q, crl);
	cli_error("SUCCESS, but the CRL is not of the CA that was asked for");
	return CLI_REFUSED;
}

static int
get_list(struct query *q)
{
	struct errbuf why = {0};
	struct crl crl;
	int status = ask(q);

	if (status != CLI_DONE)
		return status;
	if (q->reply.crl.len == 0) {
		cli_error("SUCCESS, but there is no CRL in it");
		return CLI_REFUSED;
	}
	if (!crl_parse(buffer_octets(&q->reply.crl), &crl, &why))
		return fault(&why);
	if ((status = check_crl(q, &crl)) == CLI_DONE &&
	    (status = write_out(q, "X509 CRL", buffer_octets(&q->reply.crl))) == CLI_DONE)
		status = print_crl(q, &crl);
	crl_parsed_free(&crl);
	return status;
}

/* --- the verbs --- */

int
query_get_cert(struct cli *cli, const struct arguments *a)
{
	struct query q = {.a = a, .json = cli->json, .message.message_type = SCEP_GET_CERT};
	int status = get_certificate(&q);

	query_free(&q);
	return status;
}

int
query_get_crl(struct cli *cli, const struct arguments *a)
{
	struct query q = {.a = a, .json = cli->json, .message.message_type = SCEP_GET_CRL};
	int status = get_list(&q);

	query_free(&q);
	return status;
}

const struct option_spec query_options[] = {
    {"cert", "FILE", "the certificate that signs", false},
    {"key", "FILE", "its key", false},
    {"out", "FILE", "where the answer goes, as PEM", false},
    {"serial", "HEX", "of the certificate that is asked about; by default it is --cert", false},
    {"issuer", "FILE", "its CA's certificate; by default the one in GetCACert", false},
    PKI_OPERATION_OPTIONS,
    {0},
};
