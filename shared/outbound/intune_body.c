#include <openssl/evp.h>

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "outbound/intune_body.h"
#include "outbound/json_text.h"

/* Append name=value of a form: all but RFC 3986's unreserved characters as %XX. */
static void
append_form(struct buffer *out, const char *name, struct octets value)
{
	buffer_append_format(out, "%s%s=", out->len > 0 ? "&" : "", name);
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.data[i];

		if (c < 0x80 && (isalnum(c) || (c != '\0' && strchr("-._~", c) != NULL)))
			buffer_append(out, &c, 1);
		else
			buffer_append_format(out, "%%%02X", c);
	}
}

void
intune_body_token(
    struct buffer *out, const char *client_id, struct octets client_secret, const char *scope)
{
	append_form(out, "grant_type", octets_of_string("client_credentials"));
	append_form(out, "client_id", octets_of_string(client_id));
	append_form(out, "client_secret", client_secret);
	append_form(out, "scope", octets_of_string(scope));
}

static void
append_subject(struct buffer *out, const char *kind, const char *transaction_id, struct octets csr)
{
	buffer_append_format(out, "{\"%s\":{", kind);
	json_text_append_member(out, "transactionId", transaction_id);
	buffer_append_string(out, ",");
	json_text_append_base64(out, "certificateRequest", csr);
	buffer_append_string(out, ",");
}

void
intune_body_validate(
    struct buffer *out, const char *transaction_id, struct octets csr, const char *caller)
{
	append_subject(out, "request", transaction_id, csr);
	json_text_append_member(out, "callerInfo", caller);
	buffer_append_string(out, "}}");
}

static void
append_serial(struct buffer *out, const char *serial)
{
	buffer_append_string(out, ",\"certificateSerialNumber\":\"");
	for (const char *c = serial; *c != '\0'; c++) {
		char upper = (char)toupper((unsigned char)*c);

		if (isxdigit((unsigned char)upper))
			buffer_append(out, &upper, 1);
	}
	buffer_append_string(out, "\",");
}

bool
intune_body_succeeded(
    struct buffer *out, const struct intune_issued *c, const char *caller, struct errbuf *why)
{
	char thumbprint[2 * EVP_MAX_MD_SIZE + 1], time[ENCODING_TIME_SIZE],
	    utc[ENCODING_TIME_SIZE + 4];
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (EVP_Digest(c->certificate.data, c->certificate.len, digest, &len, EVP_sha1(), NULL) !=
	    1) {
		errbuf_ossl(why, "intune: thumbprint");
		return false;
	}
	encoding_hex_upper(octets_of(digest, len), thumbprint);
	encoding_time(c->not_after, time);
	snprintf(utc, sizeof(utc), "%.*s.000Z", (int)strcspn(time, "Z"), time);
	append_subject(out, "notification", c->transaction_id, c->csr);
	json_text_append_member(out, "certificateThumbprint", thumbprint);
	append_serial(out, c->serial);
	json_text_append_member(out, "certificateExpirationDateUtc", utc);
	buffer_append_string(out, ",");
	json_text_append_member(out, "issuingCertificateAuthority", c->issuer);
	buffer_append_string(out, ",");
	json_text_append_member(out, "callerInfo", caller);
	buffer_append_string(out, ",\"caConfiguration\":\"\",\"certificateAuthority\":\"\"}}");
	return true;
}

/* So many octets of text that it has at most INTUNE_DESCRIPTION_MAX UTF-16 units, which is how the other side counts. */
static size_t
cut_description(const char *text)
{
	struct octets rest = octets_of_string(text);
	uint32_t character = 0;
	size_t len = 0, units = 0;

	while (rest.len > 0) {
		size_t n = encoding_utf8_sequence(rest, &character);

		units += n > 0 && character > 0xffff ? 2 : 1;
		if (units > INTUNE_DESCRIPTION_MAX)
			break;
		n = n > 0 ? n : 1;
		rest.data += n;
		rest.len -= n;
		len += n;
	}
	return len;
}

void
intune_body_failed(struct buffer *out, const char *transaction_id, struct octets csr,
    uint32_t h_result, const char *description, const char *caller)
{
	append_subject(out, "notification", transaction_id, csr);
	buffer_append_format(out, "\"hResult\":%" PRIu32 ",\"errorDescription\":", h_result);
	json_text_append(out, octets_of(description, cut_description(description)));
	buffer_append_string(out, ",");
	json_text_append_member(out, "callerInfo", caller);
	buffer_append_string(out, "}}");
}

void
intune_body_download(struct buffer *out, const char *issuer)
{
	buffer_append_format(out,
	    "{\"downloadParameters\":{\"maxRequests\":%d,\"issuerName\":", INTUNE_REVOCATIONS_MAX);
	if (issuer != NULL)
		json_text_append(out, octets_of_string(issuer));
	else
		buffer_append_string(out, "null");
	buffer_append_string(out, "}}");
}

void
intune_body_upload(struct buffer *out, const struct intune_revocation_result *results, int count)
{
	buffer_append_string(out, "{\"results\":[");
	for (int i = 0; i < count; i++) {
		buffer_append_string(out, i > 0 ? ",{" : "{");
		json_text_append_member(out, "requestContext", results[i].context);
		buffer_append_format(out,
		    ",\"succeeded\":%s,\"errorCode\":\"%d\",\"errorMessage\":",
		    results[i].succeeded ? "true" : "false", results[i].error_code);
		if (results[i].message != NULL)
			json_text_append(out, octets_of_string(results[i].message));
		else
			buffer_append_string(out, "null");
		buffer_append_string(out, "}");
	}
	buffer_append_string(out, "]}");
}
