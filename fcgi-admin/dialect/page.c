/* page.c: the words of NDES' page. */
#include "fcgi-admin/dialect/page.h"

#include <openssl/evp.h>

#include <inttypes.h>
#include <string.h>

#include "base/encoding.h"

static const char head[] =
    "<HTML><HEAD><TITLE>Network Device Enrollment</TITLE></HEAD><BODY><P>SCEP challenges of this "
    "service, for devices and the programs that look after them.</P><P> ";
static const char tail[] = " </P></BODY></HTML>";

static void
write_challenge(const struct page_facts *f, struct buffer *out)
{
	int64_t minutes = f->expiry_s / 60;

	buffer_append_format(out,
	    "The thumbprint (hash value) for the CA certificate is: <B> %s </B> <P> "
	    "The enrollment challenge password is: <B> %s </B> <P> "
	    "This password can be used only once and will expire within %" PRId64 " minutes.",
	    f->thumbprint, f->challenge, minutes > 0 ? minutes : 1);
}

void
page_write(enum page_kind kind, const struct page_facts *f, struct buffer *out)
{
	buffer_append_string(out, head);
	switch (kind) {
	case PAGE_CHALLENGE:
		write_challenge(f, out);
		break;
	case PAGE_FULL:
		buffer_append_string(out, "The password cache is full.");
		break;
	case PAGE_DENIED:
		buffer_append_string(out,
		    "You do not have sufficient permission to enroll with SCEP.  Please contact "
		    "your system administrator.");
		break;
	}
	buffer_append_string(out, tail);
}

void
page_utf16(struct octets ascii, struct buffer *out)
{
	char pair[2] = {0};

	for (size_t i = 0; i < ascii.len; i++) {
		pair[0] = (char)ascii.data[i];
		buffer_append(out, pair, sizeof(pair));
	}
	octets_wipe(pair, sizeof(pair));
}

bool
page_thumbprint(struct octets der, char out[PAGE_THUMBPRINT_SIZE])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned int len = 0;

	memset(out, 0, PAGE_THUMBPRINT_SIZE);
	if (EVP_Digest(der.data, der.len, digest, &len, EVP_md5(), NULL) != 1 || len != 16)
		return false;
	encoding_hex_upper(octets_of(digest, len), hex);
	for (size_t i = 0; i < 4; i++) {
		memcpy(out + 9 * i, hex + 8 * i, 8);
		out[9 * i + 8] = i < 3 ? ' ' : '\0';
	}
	return true;
}
