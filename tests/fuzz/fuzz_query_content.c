/* fuzz_query_content.c: what a CertPoll, GetCert or GetCRL asks for, once decrypted: one of the two, whole, or nothing. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "scep/request_parts.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
parse(int type, struct octets der)
{
	struct scep_query_content c = {0};
	struct errbuf why = {0};
	bool parsed = scep_query_content_parse(type, der, &c, &why);

	MUST(parsed == (why.line[0] == '\0'));
	if (parsed) {
		struct octets second = type == SCEP_CERT_POLL ? c.subject : c.serial;

		MUST(c.issuer.len >= 2 && c.issuer.data[0] == 0x30);
		MUST(c.issuer.len + second.len <= der.len);
		MUST(memmem(der.data, der.len, c.issuer.data, c.issuer.len) != NULL);
		MUST((type == SCEP_CERT_POLL ? c.serial : c.subject).len == 0);
		if (type == SCEP_CERT_POLL)
			MUST(second.len >= 2 && second.data[0] == 0x30);
		else
			MUST(second.len >= 1 && second.len <= SCEP_QUERY_SERIAL_MAX);
	} else {
		MUST(c.issuer.len == 0 && c.subject.len == 0 && c.serial.len == 0);
	}
	scep_query_content_free(&c);
	MUST(ERR_peek_error() == 0);
	return parsed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool poll = parse(SCEP_CERT_POLL, octets_of(data, size));
	bool query = parse(SCEP_GET_CERT, octets_of(data, size));

	MUST(!poll || !query);
	return 0;
}
