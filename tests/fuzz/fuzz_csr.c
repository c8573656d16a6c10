/* fuzz_csr.c: a stranger's PKCS#10 request through all that reads it: parser, names, field rules, comparison, proof of possession, key. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "pki/asn1.h"
#include "pki/certificate.h"
#include "pki/csr.h"
#include "pki/fields.h"
#include "pki/identity.h"
#include "pki/name.h"
#include "pki/public_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

#define ASKED(t, must, many)                                                                       \
	{                                                                                          \
		.type = t, .source = FIELD_SCEP_REQUEST, .required = must, .multiple = many        \
	}
#define SET(t, from, text)                                                                         \
	{                                                                                          \
		.type = t, .source = from, .value = text                                           \
	}

static const struct field_rule rules[] = {
    ASKED("subject.commonName", true, false),
    ASKED("subject.organizationalUnit", false, true),
    SET("subject.organization", FIELD_FIXED, "Example"),
    SET("subject.organizationalUnit", FIELD_MANUAL, ""),
    ASKED("san.dns", false, true),
    ASKED("san.directoryName", false, true),
    SET("san.uri", FIELD_FIXED, "urn:x"),
    SET("san.dns", FIELD_FIXED, "fixed.example"),
};
static const struct field_value manual[] = {{"subject.organizationalUnit", "given"}};

/* What passes the rules goes into a certificate: so it has to be DER there. */
static void
apply(const struct csr *csr, const struct field_rules *r)
{
	struct buffer subject = {0}, san = {0}, text = {0}, extra = {0};
	struct errbuf why = {0}, reason = {0};

	if (fields_apply(r, csr, manual, 1, &subject, &san, &why, &reason) == FIELD_OK) {
		if (!asn1_is_der(buffer_octets(&subject), 0x30) ||
		    (san.len > 0 && !asn1_is_der(buffer_octets(&san), 0x30)) ||
		    !name_to_text(buffer_octets(&subject), &text) ||
		    (san.len > 0 && !san_to_text(buffer_octets(&san), &text)))
			abort();
	} else if (subject.len + san.len > 0 || why.line[0] == '\0') {
		abort();
	}
	if (fields_extensions(r, csr, &extra, &why, &reason) == FIELD_OK && extra.len > 0 &&
	    extra.data[0] != 0x30)
		abort();
	buffer_free(&subject);
	buffer_free(&san);
	buffer_free(&text);
	buffer_free(&extra);
}

/* What the rules made of a CSR without changing it, or with a fixed field more, is still what was asked for. */
static void
compare(const struct csr *csr)
{
	const struct field_rules all = {.count = 0},
				 some = {.rules = rules, .count = sizeof(rules) / sizeof(rules[0])};
	struct buffer subject = {0}, san = {0};
	struct errbuf why = {0};

	if (fields_apply(&all, csr, NULL, 0, &subject, &san, NULL, NULL) == FIELD_OK &&
	    !identity_same_subject(csr->subject, buffer_octets(&subject), NULL, &why))
		abort();
	if (identity_same_san(csr->san, buffer_octets(&san), &some, &why) !=
	    identity_same_san(buffer_octets(&san), csr->san, &some, NULL))
		abort();
	if (!identity_same_subject(csr->subject, csr->spki, &some, &why) && why.line[0] == '\0')
		abort();
	buffer_free(&subject);
	buffer_free(&san);
}

static void
read_csr(const struct csr *csr)
{
	struct buffer text = {0};
	struct errbuf why = {0};
	uint8_t identifier[20];
	int bits;

	name_to_text(csr->subject, &text);
	name_common_name(csr->subject, &text);
	san_to_text(csr->san, &text);
	buffer_free(&text);
	key_usage_parse(csr->key_usage, &bits);
	if (!asn1_is_der(csr->spki, 0x30) || !public_key_identifier(csr->spki, identifier))
		abort();
	apply(csr, &(struct field_rules){.refuse_extra = false});
	apply(csr, &(struct field_rules){.refuse_extra = true, .refuse_extensions = true});
	apply(csr, &(struct field_rules){.microsoft_sid = true, .microsoft_template = true});
	apply(
	    csr, &(struct field_rules){.rules = rules, .count = sizeof(rules) / sizeof(rules[0])});
	compare(csr);
	if (!csr_verify(csr, &why) && why.line[0] == '\0')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct octets input = octets_of(octets, size);
	struct errbuf why = {0};
	struct buffer text = {0};
	struct public_key key;
	struct csr csr;

	if (csr_parse(octets, size, &csr, &why))
		read_csr(&csr);
	else if (why.line[0] == '\0')
		abort();
	csr_free(&csr);

	/* The parts, too, by themselves: so that they need no request around them. */
	if (public_key_parse(input, &key, &why))
		public_key_free(&key);
	name_to_text(input, &text);
	san_to_text(input, &text);
	buffer_free(&text);
	if (ERR_peek_error() != 0)
		abort(); /* what is left in the queue is read as the reason of the next failure */
	return 0;
}
