#include <arpa/inet.h>
#include <string.h>

#include "base/encoding.h"
#include "outbound/json_text.h"
#include "outbound/webhook_body.h"
#include "pki/san.h"

/* Append ,"name":[…] with each value of this kind; false where one is no text. */
static bool
append_names(struct buffer *out, const char *name, const struct san_view *names, enum san_kind kind)
{
	char address[INET6_ADDRSTRLEN];
	const char *separator = "";

	buffer_append_format(out, ",\"%s\":[", name);
	for (int i = 0; names != NULL && i < san_count(names); i++) {
		const struct san_name *one = san_get0(names, i);
		struct octets text = one->value;

		if (one->kind != kind)
			continue;
		if (kind == SAN_IP) {
			if ((text.len != 4 && text.len != 16) ||
			    inet_ntop(text.len == 4 ? AF_INET : AF_INET6, text.data, address,
				sizeof(address)) == NULL)
				return false;
			text = octets_of_string(address);
		}
		if (!encoding_is_utf8(text))
			return false;
		buffer_append_string(out, separator);
		json_text_append(out, text);
		separator = ",";
	}
	buffer_append_string(out, "]");
	return true;
}

static bool
append_request(struct buffer *out, const struct webhook_subject *s, struct errbuf *why)
{
	struct san_view *names = NULL;
	bool good;

	if (s->subject == NULL) {
		errbuf_set(why, "webhook: a subject that is no text");
		return false;
	}
	if (s->san.len > 0 && !san_parse(s->san, &names, why))
		return false;
	buffer_append_string(out, ",\"x509CertificateRequest\":{");
	json_text_append_member(out, "subject", s->subject);
	good = append_names(out, "dnsNames", names, SAN_DNS) &&
	       append_names(out, "emailAddresses", names, SAN_EMAIL) &&
	       append_names(out, "ipAddresses", names, SAN_IP) &&
	       append_names(out, "uris", names, SAN_URI);
	buffer_append_string(out, ",");
	json_text_append_base64(out, "publicKey", s->spki);
	buffer_append_string(out, ",");
	json_text_append_member(out, "publicKeyAlgorithm", s->key_algorithm);
	buffer_append_string(out, ",");
	json_text_append_base64(out, "raw", s->csr);
	buffer_append_string(out, "}");
	san_free(names);
	if (!good)
		errbuf_set(why, "webhook: a subjectAltName that is no text");
	return good;
}

static void
append_beginning(struct buffer *out, const struct webhook_subject *s)
{
	char time[ENCODING_TIME_SIZE];

	encoding_time(s->now, time);
	buffer_append_string(out, "{");
	json_text_append_member(out, "timestamp", time);
	buffer_append_string(out, ",");
	json_text_append_member(out, "provisionerName", s->provisioner);
}

static bool
append_end(struct buffer *out, const struct webhook_subject *s, struct errbuf *why)
{
	buffer_append_string(out, ",");
	json_text_append_member(out, "scepTransactionID", s->transaction_id);
	buffer_append_string(out, "}");
	if (out->failed)
		errbuf_set(why, "webhook: out of memory");
	return !out->failed;
}

bool
webhook_body_validate(struct buffer *out, const struct webhook_subject *s, struct errbuf *why)
{
	/* Replacement characters would make another challenge of it. */
	if (!encoding_is_utf8(s->challenge)) {
		errbuf_set(why, "webhook: a challenge that is not UTF-8");
		return false;
	}
	append_beginning(out, s);
	if (!append_request(out, s, why))
		return false;
	buffer_append_string(out, ",\"scepChallenge\":");
	json_text_append(out, s->challenge);
	return append_end(out, s, why);
}

static void
append_certificate(struct buffer *out, const struct webhook_outcome *outcome)
{
	char time[ENCODING_TIME_SIZE];

	buffer_append_string(out, ",\"x509Certificate\":{");
	json_text_append_base64(out, "raw", outcome->certificate);
	buffer_append_string(out, ",");
	encoding_time(outcome->not_before, time);
	json_text_append_member(out, "notBefore", time);
	buffer_append_string(out, ",");
	encoding_time(outcome->not_after, time);
	json_text_append_member(out, "notAfter", time);
	buffer_append_string(out, "}");
}

static void
append_error(struct buffer *out, const struct webhook_outcome *outcome)
{
	const char *code = outcome->error_code != NULL ? outcome->error_code : "";
	size_t len = strlen(code);

	buffer_append_string(out, ",\"scepErrorCode\":");
	/* a JSON number has no zero in front */
	if (len > 0 && len <= 9 && strspn(code, "0123456789") == len && (*code != '0' || len == 1))
		buffer_append_string(out, code);
	else
		json_text_append(out, octets_of_string(code));
	buffer_append_string(out, ",");
	json_text_append_member(out, "scepErrorDescription",
	    outcome->error_description != NULL ? outcome->error_description : "");
}

bool
webhook_body_notify(struct buffer *out, const struct webhook_subject *s,
    const struct webhook_outcome *outcome, struct errbuf *why)
{
	append_beginning(out, s);
	if (!append_request(out, s, why))
		return false;
	if (outcome->certificate.len > 0)
		append_certificate(out, outcome);
	else
		append_error(out, outcome);
	return append_end(out, s, why);
}
