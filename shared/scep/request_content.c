#include <openssl/err.h>

#include "pki/asn1.h"
#include "scep/decoy.h"
#include "scep/request_parts.h"

/* Copy the two parts, the second of which becomes *second. */
static bool
keep(struct scep_query_content *out, struct octets issuer, struct octets part,
    struct octets *second, struct errbuf *why)
{
	buffer_append(&out->owned, issuer.data, issuer.len);
	buffer_append(&out->owned, part.data, part.len);
	if (out->owned.failed) {
		errbuf_set(why, "out of memory");
		return false;
	}
	out->issuer = octets_of(out->owned.data, issuer.len);
	*second = octets_of(out->owned.data + issuer.len, part.len);
	return true;
}

/* RFC 8894 3.3.3 */
static bool
parse_issuer_and_subject(struct octets der, struct scep_query_content *out, struct errbuf *why)
{
	cms_issuer_subject *i = cms_issuer_subject_parse(der);
	bool kept = false;

	if (i == NULL)
		errbuf_ossl(why, "want exactly one IssuerAndSubject (RFC 8894 3.3.3)");
	else
		kept = keep(out, asn1_string_octets(&i->issuer), asn1_string_octets(&i->subject),
		    &out->subject, why);
	cms_issuer_subject_free(i);
	return kept;
}

/* RFC 8894 3.3.4, RFC 5652 10.2.4 */
static bool
parse_issuer_and_serial(struct octets der, struct scep_query_content *out, struct errbuf *why)
{
	cms_issuer_serial *i = cms_issuer_serial_parse(der);
	struct octets serial = i == NULL ? octets_of(NULL, 0) : asn1_string_octets(&i->serial);
	bool kept = false;

	if (i == NULL)
		errbuf_ossl(why, "want exactly one IssuerAndSerialNumber (RFC 8894 3.3.4)");
	else if (serial.len == 0 || serial.len > SCEP_QUERY_SERIAL_MAX)
		errbuf_set(why, "serialNumber has %zu octets, want 1 to %d", serial.len,
		    SCEP_QUERY_SERIAL_MAX);
	else
		kept = keep(out, asn1_string_octets(&i->issuer), serial, &out->serial, why);
	cms_issuer_serial_free(i);
	return kept;
}

bool
scep_query_content_parse(
    int message_type, struct octets der, struct scep_query_content *out, struct errbuf *why)
{
	bool parsed;

	if (der.len > SCEP_QUERY_CONTENT_MAX) {
		errbuf_set(why, "%s: content has %zu octets, want <= %d",
		    scep_message_type_name(message_type), der.len, SCEP_QUERY_CONTENT_MAX);
		return false;
	}
	parsed = message_type == SCEP_CERT_POLL ? parse_issuer_and_subject(der, out, why)
						: parse_issuer_and_serial(der, out, why);
	if (!parsed)
		errbuf_prefix(why, "%s", scep_message_type_name(message_type));
	return parsed;
}

/* From the decryption on: where nothing is to be read, the decoy is read. */
static enum scep_rc
open_envelope(const struct scep_request *r, const struct scep_recipient *recipient,
    struct scep_query_content *out, const char **stage, struct errbuf *why)
{
	struct octets decoy = r->message_type == SCEP_CERT_POLL ? scep_decoy_issuer_and_subject
								: scep_decoy_issuer_and_serial;
	struct buffer plaintext = {0};
	bool decrypted, parsed;

	*stage = "decrypt";
	decrypted = scep_request_decrypt(r, recipient, &plaintext, why);
	parsed = decrypted &&
		 scep_query_content_parse(r->message_type, buffer_octets(&plaintext), out, why);
	buffer_free(&plaintext);
	if (decrypted)
		*stage = "parse";
	if (parsed) {
		*stage = NULL;
		return SCEP_OK;
	}
	return scep_query_content_parse(r->message_type, decoy, out, NULL) ? SCEP_REFUSED
									   : SCEP_FAULT;
}

enum scep_rc
scep_request_open_query(struct scep_request *r, const struct scep_recipient *recipient,
    struct scep_query_content *out, const char **stage, struct errbuf *why)
{
	enum scep_rc rc;

	*out = (struct scep_query_content){0};
	*stage = "verify";
	if (r->message_type != SCEP_CERT_POLL && r->message_type != SCEP_GET_CERT &&
	    r->message_type != SCEP_GET_CRL) {
		errbuf_set(
		    why, "pkiMessage: messageType %d has no names to look for", r->message_type);
		return SCEP_FAULT;
	}
	if (scep_request_verify(r, why) != SCEP_OK)
		return SCEP_REFUSED;
	rc = open_envelope(r, recipient, out, stage, why);
	ERR_clear_error();
	return rc;
}

void
scep_query_content_free(struct scep_query_content *c)
{
	buffer_free(&c->owned);
	*c = (struct scep_query_content){0};
}
