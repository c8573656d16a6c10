/* client_certificate.c: from %XX and PEM to DER. */
#include "fcgi-admin/access/client_certificate.h"

#include <string.h>

#include "base/encoding.h"

static const char begin[] = "-----BEGIN CERTIFICATE-----";
static const char end[] = "-----END CERTIFICATE-----";

static bool
unescape(const char *text, struct buffer *out)
{
	for (; *text != '\0'; text++) {
		uint8_t octet = (uint8_t)*text;

		if (*text == '%') {
			char digits[3] = {text[1], text[1] != '\0' ? text[2] : '\0', '\0'};

			if (!encoding_unhex(digits, &octet, 1))
				return false;
			text += 2;
		}
		buffer_append(out, &octet, 1);
	}
	return true;
}

bool
client_certificate_read(const char *escaped, struct buffer *der, struct errbuf *why)
{
	struct buffer pem = {0};
	const char *text, *from, *to;
	bool ok = false;

	if (strlen(escaped) > CLIENT_CERTIFICATE_MAX || !unescape(escaped, &pem) ||
	    (text = buffer_string(&pem)) == NULL || (from = strstr(text, begin)) == NULL ||
	    (to = strstr(from, end)) == NULL)
		goto out;
	from += sizeof(begin) - 1;
	ok = encoding_unbase64(octets_of(from, (size_t)(to - from)), der) && der->len > 0 &&
	     !der->failed;
out:
	if (!ok)
		errbuf_set(why, "client certificate: not the PEM of one");
	buffer_free(&pem);
	return ok;
}
