/* pki_operation.c: one pkiMessage out and its CertRep in. */
#include "fcgi-admin/cli/pki_operation.h"

#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "pki/name.h"
#include "scep/request.h"

#define TIMEOUT_S     30
#define TIMEOUT_S_MAX 600
#define SERIAL_MAX    64 /* octets of a serial number that are told */

int
pki_operation_open(struct scep_server *s, const struct arguments *a)
{
	int64_t timeout_s = TIMEOUT_S;
	struct errbuf why = {0};
	int status;

	if (!arguments_number(a, "timeout", 1, TIMEOUT_S_MAX, &timeout_s, &why))
		return cli_usage(&why);
	s->url = a->operands[0];
	s->ca_file = arguments_text(a, "ca-file");
	s->timeout_ms = timeout_s * 1000;
	s->by_get = arguments_has(a, "get");
	if ((status = scep_server_open(s)) != CLI_DONE)
		return status;
	return scep_server_check_fingerprint(s, arguments_text(a, "fingerprint"));
}

static int
usage(const char *text)
{
	cli_error("%s", text);
	return CLI_USAGE;
}

int
pki_operation_choose_algorithms(
    const struct scep_server *s, const struct arguments *a, struct scep_client_message *m)
{
	const struct scep_capability_set *c = &s->capabilities;
	const char *digest = arguments_text(a, "digest"), *cipher = arguments_text(a, "cipher");

	m->digest = c->sha256 || c->standard ? PKI_SHA256 : c->sha512 ? PKI_SHA512 : PKI_SHA1;
	m->cipher = c->aes || c->standard ? PKI_AES128 : PKI_DES3;
	if (digest != NULL && (m->digest = pki_digest_of_name(digest)) == PKI_DIGEST_NONE)
		return usage("--digest: want SHA-256, SHA-384, SHA-512, SHA-1 or MD5");
	if (cipher != NULL && (m->cipher = pki_cipher_of_name(cipher)) == PKI_CIPHER_NONE)
		return usage("--cipher: want AES-128-CBC, AES-256-CBC, DES3 or DES");
	/* Nobody signs GetCACaps: whoever is between us and the server may have shortened it. */
	if (digest == NULL && m->digest == PKI_SHA1)
		cli_error("warning: the server offers no SHA-256, so SHA-1 is used; to insist: "
			  "--digest SHA-256");
	if (cipher == NULL && m->cipher == PKI_DES3)
		cli_error("warning: the server offers no AES, so triple DES is used; to insist: "
			  "--cipher AES-128-CBC");
	return CLI_DONE;
}

int
pki_operation_read_transaction_id(const struct arguments *a, const char **out)
{
	const char *id = arguments_text(a, "transaction-id");

	if (id == NULL)
		return CLI_DONE;
	if (id[0] == '\0' || strlen(id) > SCEP_TRANSACTION_ID_MAX ||
	    !encoding_is_utf8(octets_of_string(id)))
		return usage("--transaction-id: want 1 to 256 octets of UTF-8");
	*out = id;
	return CLI_DONE;
}

/* The reply must be signed by one of the certificates that hang below the anchor, and by none that has expired (RFC 8894 2.2). */
static int
read_reply(const struct scep_server *s, const struct scep_client_message *m, struct octets der,
    struct scep_client_reply *reply)
{
	struct certificate trusted[SCEP_SERVER_CERTIFICATES]; /* borrowed from the server's */
	struct errbuf why = {0};
	int count = 0;

	for (int i = 0; i < s->count; i++)
		if (scep_server_trusts(s, &s->certificates[i]) &&
		    clock_now() <= s->certificates[i].not_after)
			trusted[count++] = s->certificates[i];
	if (scep_client_read(m, der, trusted, count, reply, &why))
		return CLI_DONE;
	cli_error("%s", why.line);
	return CLI_REFUSED;
}

int
pki_operation(struct scep_server *s, struct scep_client_message *m, struct scep_client_reply *reply,
    bool *sent)
{
	struct buffer message = {0}, answer = {0};
	struct errbuf why = {0};
	int status = CLI_REFUSED;

	m->recipient = s->recipient;
	if (!scep_client_encode(m, &message, &why)) {
		cli_error("%s", why.line);
	} else {
		*sent = true;
		status = scep_server_operation(s, buffer_octets(&message), &answer);
		if (status == CLI_DONE)
			status = read_reply(s, m, buffer_octets(&answer), reply);
	}
	buffer_free(&message);
	buffer_free(&answer);
	return status;
}

int
pki_operation_tell(
    const struct scep_client_message *m, const struct scep_client_reply *reply, bool json)
{
	bool pending = reply->status == SCEP_PENDING;
	struct buffer line = {0};

	if (json)
		cli_print_json(json_pack("{s:s,s:o,s:o,s:s}", "status",
		    scep_pki_status_name(reply->status), "failInfo",
		    pending ? json_null() : json_string(scep_fail_info_name(reply->fail_info)),
		    "failInfoText", pki_operation_json_text(reply->fail_info_text), "transactionId",
		    m->transaction_id));
	if (pending) {
		cli_error("PENDING: the request waits for approval, as transaction %s",
		    m->transaction_id);
		return CLI_PENDING;
	}
	buffer_append_format(&line, "scepctl: FAILURE: %s%s%s",
	    scep_fail_info_name(reply->fail_info), reply->fail_info_text[0] != '\0' ? ": " : "",
	    reply->fail_info_text);
	cli_error_line(&line);
	return CLI_REFUSED;
}

json_t *
pki_operation_json_text(const char *text)
{
	struct buffer clean = {0};
	json_t *j;

	while (*text != '\0') {
		uint32_t character;
		size_t len = encoding_utf8_sequence(octets_of_string(text), &character);

		buffer_append(&clean, len > 0 ? text : "?", len > 0 ? len : 1);
		text += len > 0 ? len : 1;
	}
	j = clean.len == 0 ? json_null() : json_string(buffer_string(&clean));
	buffer_free(&clean);
	return j;
}

struct octets
pki_operation_magnitude(struct octets serial)
{
	while (serial.len > 1 && serial.data[0] == 0)
		serial = octets_of(serial.data + 1, serial.len - 1);
	return serial;
}

int
pki_operation_print(
    const struct scep_client_message *m, const struct certificate *c, const char *path, bool json)
{
	char serial[2 * SERIAL_MAX + 1] = "", until[ENCODING_TIME_SIZE];
	struct octets magnitude = pki_operation_magnitude(c->serial);
	struct buffer subject = {0}, line = {0};
	int status = CLI_DONE;

	if (magnitude.len <= SERIAL_MAX)
		encoding_hex(magnitude, serial);
	encoding_time(c->not_after, until);
	name_to_text(c->subject, &subject);
	if (json) {
		status = cli_print_json(json_pack("{s:s,s:o,s:o,s:s,s:s,s:s}", "status", "SUCCESS",
		    "subject", pki_operation_json_text(buffer_string(&subject)), "notAfter",
		    cli_json_time(c->not_after), "serialNumber", serial, "certificate", path,
		    "transactionId", m->transaction_id));
	} else {
		buffer_append_format(&line, "%s: %s, serial %s, until %s", path,
		    buffer_string(&subject), serial, until);
		cli_print_line(&line);
	}
	buffer_free(&subject);
	return status;
}
