/* fuzz_certificate.c: a stranger's certificate, as a signer's: parsed, verified by itself, its names and key read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/public_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct buffer text = {0};
	struct errbuf why = {0};
	struct certificate c;
	struct public_key key;

	if (!certificate_parse(octets_of(octets, size), &c, &why)) {
		if (why.line[0] == '\0' || c.owned != NULL)
			abort();
	} else {
		if (c.serial.len == 0 || c.tbs.len == 0 || c.tbs.len > size)
			abort();
		name_to_text(c.issuer, &text);
		name_to_text(c.subject, &text);
		key_usage_to_text(c.key_usage, &text);
		buffer_free(&text);
		if (public_key_parse(c.spki, &key, &why))
			public_key_free(&key);
		if (!certificate_verify(&c, &c, &why) && why.line[0] == '\0')
			abort();
		certificate_free(&c);
	}
	if (ERR_peek_error() != 0)
		abort(); /* what is left in the queue is read as the reason of the next failure */
	return 0;
}
