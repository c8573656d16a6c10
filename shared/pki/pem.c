#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string.h>

#include "base/encoding.h"
#include "pki/authority.h"

#define LINE_OCTETS 64
#define OBJECTS_MAX 256 /* of any kind in one file */

/* Only certificates count; keys and other objects in the same file are passed over. */
static bool
is_certificate(const char *label)
{
	return strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0;
}

static int
read_objects(BIO *in, const char *path, struct buffer *out, int max, struct errbuf *why)
{
	char *label, *header;
	unsigned char *der;
	long len;
	int count = 0;

	for (int i = 0; i < OBJECTS_MAX; i++) {
		if (PEM_read_bio(in, &label, &header, &der, &len) != 1) {
			unsigned long error = ERR_peek_last_error();

			if (ERR_GET_LIB(error) == ERR_LIB_PEM &&
			    ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
				break; /* the end */
			errbuf_ossl(why, "%s: PEM malformed", path);
			return -1;
		}
		if (is_certificate(label)) {
			if (count == max)
				errbuf_set(why, "%s: more than %d certificates", path, max);
			else
				buffer_append(&out[count], der, (size_t)len);
			count++;
		}
		OPENSSL_free(label);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len);
		if (count > max)
			return -1;
	}
	ERR_clear_error();
	if (count == 0) {
		errbuf_set(why, "%s: no certificate in it", path);
		return -1;
	}
	return count;
}

int
pem_read_certificates(const char *path, struct buffer *out, int max, struct errbuf *why)
{
	BIO *in = BIO_new_file(path, "r");
	int count;

	if (in == NULL) {
		errbuf_ossl(why, "%s: cannot open", path);
		return -1;
	}
	count = read_objects(in, path, out, max, why);
	BIO_free(in);
	for (int i = 0; i < count; i++) {
		if (!out[i].failed)
			continue;
		errbuf_set(why, "%s: out of memory", path);
		return -1;
	}
	return count;
}

bool
pem_write(const char *label, struct octets der, struct buffer *out)
{
	struct buffer text = {0};

	encoding_base64(der, &text);
	buffer_append_format(out, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < text.len; at += LINE_OCTETS) {
		size_t left = text.len - at;

		buffer_append(out, text.data + at, left < LINE_OCTETS ? left : LINE_OCTETS);
		buffer_append(out, "\n", 1);
	}
	buffer_append_format(out, "-----END %s-----\n", label);
	if (text.failed)
		out->failed = true;
	buffer_free(&text);
	return !out->failed;
}
