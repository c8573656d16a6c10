#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "pki/csr.h"
#include "tests/unit/pki_request.h"

#define RSA_SHA256 "1.2.840.113549.1.1.11"

static struct errbuf why;
static struct csr csr;

/* Make a CSR by the RSA key with these attributes (freed), and parse it. */
static bool
parse_with(struct buffer *attributes)
{
	struct buffer der = {0};
	bool ok;

	pki_csr(&der, pki_rsa_key(), "O=Example,CN=device", attributes);
	ok = csr_parse(der.data, der.len, &csr, &why);
	buffer_free(&der);
	if (!ok) {
		static const struct csr zeroed;

		assert_memory_equal(&csr, &zeroed, sizeof(csr));
		assert_true(strlen(why.line) > 0);
	}
	return ok;
}

/* The same with one challengePassword of this type. */
static bool
parse_challenge(int tag, const void *value, size_t len)
{
	struct buffer attributes = {0}, string = {0};

	pki_tlv(&string, (uint8_t)tag, value, len);
	pki_attribute(&attributes, PKI_CHALLENGE, &string);
	return parse_with(&attributes);
}

/* The same with one extensionRequest of these Extension elements (freed). */
static bool
parse_extensions(const char *oid, struct buffer *extensions)
{
	struct buffer attributes = {0}, list = {0};

	pki_wrap(&list, DER_SEQUENCE, extensions);
	pki_attribute(&attributes, oid, &list);
	return parse_with(&attributes);
}

static void
assert_challenge(const char *expected)
{
	assert_true(csr.has_challenge);
	assert_int_equal(csr.challenge.len, strlen(expected));
	assert_memory_equal(csr.challenge.data, expected, strlen(expected));
	csr_free(&csr);
}

/* ---- challengePassword ---- */

static void
a_challenge_of_any_string_type_becomes_utf8(void **state)
{
	(void)state;
	assert_true(parse_challenge(V_ASN1_PRINTABLESTRING, "Pass word", 9));
	assert_challenge("Pass word");
	assert_true(parse_challenge(V_ASN1_PRINTABLESTRING, "p@ss_w*rd", 9));
	assert_challenge("p@ss_w*rd");
	assert_true(parse_challenge(V_ASN1_UTF8STRING, "gr\xc3\xbc\xc3\x9f", 6));
	assert_challenge("gr\xc3\xbc\xc3\x9f");
	assert_true(parse_challenge(V_ASN1_T61STRING, "gr\xfc\xdf", 4));
	assert_challenge("gr\xc3\xbc\xc3\x9f");
	assert_true(parse_challenge(V_ASN1_IA5STRING, "a@b", 3));
	assert_challenge("a@b");
	assert_true(parse_challenge(V_ASN1_VISIBLESTRING, "a@b", 3));
	assert_challenge("a@b");
	assert_true(parse_challenge(V_ASN1_BMPSTRING, "\0g\0r\0\xfc\x20\xac", 8));
	assert_challenge("gr\xc3\xbc\xe2\x82\xac");
	assert_true(parse_challenge(V_ASN1_UNIVERSALSTRING, "\0\0\0g\0\1\xf6\0", 8));
	assert_challenge("g\xf0\x9f\x98\x80");
	assert_true(parse_challenge(V_ASN1_OCTET_STRING, "raw", 3));
	assert_challenge("raw");
	assert_true(parse_challenge(V_ASN1_OCTET_STRING, "\xfc", 1));
	assert_challenge("\xc3\xbc");
}

static void
an_empty_challenge_is_one(void **state)
{
	(void)state;
	assert_true(parse_challenge(V_ASN1_UTF8STRING, "", 0));
	assert_challenge("");
}

static void
a_challenge_malformed_for_its_type_with_a_nul_or_no_string_is_refused(void **state)
{
	(void)state;
	assert_false(parse_challenge(V_ASN1_UTF8STRING, "a\xff", 2));
	assert_false(parse_challenge(V_ASN1_UTF8STRING, "a\0b", 3));
	assert_false(parse_challenge(V_ASN1_PRINTABLESTRING, "a\0", 2));
	assert_false(parse_challenge(V_ASN1_PRINTABLESTRING, "\xe4", 1));
	assert_false(parse_challenge(V_ASN1_IA5STRING, "\xe4", 1));
	assert_false(parse_challenge(V_ASN1_T61STRING, "\0", 1));
	assert_false(parse_challenge(V_ASN1_BMPSTRING, "\0ab", 3));
	assert_false(parse_challenge(V_ASN1_BMPSTRING, "\xd8\x00", 2));
	assert_false(parse_challenge(V_ASN1_BMPSTRING, "\0\0", 2));
	assert_false(parse_challenge(V_ASN1_UNIVERSALSTRING, "\0\0a", 3));
	assert_false(parse_challenge(V_ASN1_UNIVERSALSTRING, "\0\x11\0\0", 4));
	assert_false(parse_challenge(V_ASN1_OCTET_STRING, "a\0", 2));
	assert_false(parse_challenge(V_ASN1_INTEGER, "\1", 1));
	assert_false(parse_challenge(V_ASN1_BOOLEAN, "\xff", 1));
	assert_false(parse_challenge(V_ASN1_NULL, "", 0));
	assert_false(parse_challenge(V_ASN1_OBJECT, "\x2a", 1));
	assert_false(parse_challenge(DER_SEQUENCE, "", 0));
	assert_false(parse_challenge(DER_CONTEXT_PRIM(0), "a", 1));
}

static void
a_challenge_has_at_most_16_kib(void **state)
{
	char *text = malloc(16385);

	(void)state;
	memset(text, 'x', 16385);
	assert_true(parse_challenge(V_ASN1_PRINTABLESTRING, text, 16384));
	assert_int_equal(csr.challenge.len, 16384);
	csr_free(&csr);
	assert_false(parse_challenge(V_ASN1_PRINTABLESTRING, text, 16385));
	assert_false(parse_challenge(V_ASN1_T61STRING, memset(text, 0xfc, 10000), 10000));
	free(text);
}

static void
a_challenge_with_no_or_two_values_or_given_twice_is_refused(void **state)
{
	struct buffer attributes = {0}, values = {0};

	(void)state;
	pki_attribute(&attributes, PKI_CHALLENGE, &values);
	assert_false(parse_with(&attributes));
	pki_tlv_string(&values, DER_UTF8_STRING, "a");
	pki_tlv_string(&values, DER_UTF8_STRING, "b");
	pki_attribute(&attributes, PKI_CHALLENGE, &values);
	assert_false(parse_with(&attributes));
	for (int i = 0; i < 2; i++) {
		pki_tlv_string(&values, DER_UTF8_STRING, "a");
		pki_attribute(&attributes, PKI_CHALLENGE, &values);
	}
	assert_false(parse_with(&attributes));
	assert_non_null(strstr(why.line, "twice"));
}

static void
a_challenge_in_the_extension_request_is_found_in_each_of_its_forms(void **state)
{
	struct buffer extensions = {0}, value = {0}, extension = {0};

	(void)state;
	/* A string in the OCTET STRING. */
	pki_tlv_string(&value, DER_UTF8_STRING, "inside");
	pki_extension(&extensions, PKI_CHALLENGE, &value);
	assert_true(parse_extensions(PKI_EXTENSION_REQUEST, &extensions));
	assert_int_equal(csr.extensions, 1);
	assert_challenge("inside");
	/* Its characters alone. */
	buffer_append_string(&value, "characters");
	pki_extension(&extensions, PKI_CHALLENGE, &value);
	assert_true(parse_extensions(PKI_EXTENSION_REQUEST, &extensions));
	assert_challenge("characters");
	/* A string instead of the OCTET STRING. */
	pki_oid(&extension, PKI_CHALLENGE);
	pki_tlv_string(&extension, DER_PRINTABLE_STRING, "bare");
	pki_wrap(&extensions, DER_SEQUENCE, &extension);
	assert_true(parse_extensions(PKI_MS_EXTENSIONS, &extensions));
	assert_challenge("bare");
}

static void
a_malformed_challenge_in_the_extension_request_is_refused(void **state)
{
	struct buffer extensions = {0}, value = {0}, extension = {0};

	(void)state;
	buffer_append(&value, "a\0b", 3);
	pki_extension(&extensions, PKI_CHALLENGE, &value);
	assert_false(parse_extensions(PKI_EXTENSION_REQUEST, &extensions));
	pki_oid(&extension, PKI_CHALLENGE);
	pki_tlv(&extension, DER_INTEGER, "\1", 1);
	pki_wrap(&extensions, DER_SEQUENCE, &extension);
	assert_false(parse_extensions(PKI_EXTENSION_REQUEST, &extensions));
}

static void
the_same_challenge_in_both_places_is_one_and_two_that_differ_are_refused(void **state)
{
	(void)state;
	for (int same = 0; same < 2; same++) {
		struct buffer attributes = {0}, value = {0}, list = {0}, extensions = {0};

		pki_tlv_string(&value, DER_UTF8_STRING, "one");
		pki_attribute(&attributes, PKI_CHALLENGE, &value);
		buffer_append_string(&value, same ? "one" : "two");
		pki_extension(&extensions, PKI_CHALLENGE, &value);
		pki_wrap(&list, DER_SEQUENCE, &extensions);
		pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &list);
		assert_int_equal(parse_with(&attributes), same);
		if (same)
			assert_challenge("one");
	}
}

/* ---- extensions ---- */

static const uint8_t san[] = {0x30, 3, 0x82, 1, 'a'};

static void
add_extension(struct buffer *extensions, const char *oid, const void *value, size_t len)
{
	struct buffer content = {0};

	buffer_append(&content, value, len);
	pki_extension(extensions, oid, &content);
}

static void
extensions_are_found_under_both_oids_of_the_extension_request(void **state)
{
	static const char *const oids[] = {PKI_EXTENSION_REQUEST, PKI_MS_EXTENSIONS};
	static const uint8_t eku[] = {0x30, 4, 6, 2, 0x2a, 3}, usage[] = {3, 2, 5, 0xa0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer extensions = {0};

		add_extension(&extensions, PKI_SAN, san, sizeof(san));
		add_extension(&extensions, PKI_EKU, eku, sizeof(eku));
		add_extension(&extensions, PKI_KEY_USAGE, usage, sizeof(usage));
		add_extension(&extensions, "1.2.3.4", "any", 3);
		assert_true(parse_extensions(oids[i], &extensions));
		assert_true(octets_equal(csr.san, octets_of(san, sizeof(san))));
		assert_true(octets_equal(csr.eku, octets_of(eku, sizeof(eku))));
		assert_true(octets_equal(csr.key_usage, octets_of(usage, sizeof(usage))));
		assert_int_equal(csr.extensions, 4);
		assert_false(csr.wants_ca);
		assert_false(csr.has_challenge);
		csr_free(&csr);
	}
}

static void
wishes_to_be_a_ca_are_seen(void **state)
{
	static const struct {
		const char *oid;
		uint8_t value[8];
		size_t len;
		bool ca;
	} cases[] = {
	    {PKI_BASIC_CONSTRAINTS, {0x30, 3, 1, 1, 0xff}, 5, true},
	    {PKI_BASIC_CONSTRAINTS, {0x30, 0}, 2, false},
	    {PKI_BASIC_CONSTRAINTS, {0x30, 3, 1, 1, 0}, 5, false},
	    {PKI_KEY_USAGE, {3, 2, 2, 0x04}, 4, true}, /* keyCertSign */
	    {PKI_KEY_USAGE, {3, 2, 1, 0x02}, 4, true}, /* cRLSign */
	    {PKI_KEY_USAGE, {3, 2, 5, 0xa0}, 4, false},
	    {PKI_KEY_USAGE, {3, 1, 0}, 3, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer extensions = {0};

		add_extension(&extensions, cases[i].oid, cases[i].value, cases[i].len);
		assert_true(parse_extensions(PKI_EXTENSION_REQUEST, &extensions));
		assert_int_equal(csr.wants_ca, cases[i].ca);
		csr_free(&csr);
	}
}

static void
malformed_extensions_are_refused(void **state)
{
	static const struct {
		const char *oid;
		uint8_t value[8];
		size_t len;
	} cases[] = {
	    {PKI_SAN, {0}, 0},
	    {PKI_SAN, {0x30, 3, 0x82, 1}, 4},
	    {PKI_SAN, {0x30, 0, 0}, 3},
	    {PKI_SAN, {0x04, 0}, 2},
	    {PKI_SAN, {0x30, 0x80, 0, 0}, 4},
	    {PKI_EKU, {0x31, 0}, 2},
	    {PKI_KEY_USAGE, {3, 0}, 2},
	    {PKI_KEY_USAGE, {3, 2, 9, 0}, 4},
	    {PKI_KEY_USAGE, {4, 1, 0}, 3},
	    {PKI_BASIC_CONSTRAINTS, {0x30, 1}, 2},
	    {PKI_BASIC_CONSTRAINTS, {1, 1, 0xff}, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer extensions = {0};

		add_extension(&extensions, cases[i].oid, cases[i].value, cases[i].len);
		assert_false(parse_extensions(PKI_EXTENSION_REQUEST, &extensions));
	}
}

static void
an_extension_twice_is_refused_also_across_two_extension_requests(void **state)
{
	struct buffer extensions = {0}, attributes = {0}, list = {0};

	(void)state;
	add_extension(&extensions, PKI_SAN, san, sizeof(san));
	add_extension(&extensions, PKI_SAN, san, sizeof(san));
	assert_false(parse_extensions(PKI_EXTENSION_REQUEST, &extensions));
	assert_non_null(strstr(why.line, "twice"));
	for (int i = 0; i < 2; i++) {
		add_extension(&extensions, PKI_SAN, san, sizeof(san));
		pki_wrap(&list, DER_SEQUENCE, &extensions);
		pki_attribute(
		    &attributes, i == 0 ? PKI_EXTENSION_REQUEST : PKI_MS_EXTENSIONS, &list);
	}
	assert_false(parse_with(&attributes));
	for (int i = 0; i < 2; i++) {
		add_extension(&extensions, i == 0 ? PKI_SAN : "1.2.3", san, sizeof(san));
		pki_wrap(&list, DER_SEQUENCE, &extensions);
		pki_attribute(
		    &attributes, i == 0 ? PKI_EXTENSION_REQUEST : PKI_MS_EXTENSIONS, &list);
	}
	assert_true(parse_with(&attributes));
	assert_int_equal(csr.extensions, 2);
	csr_free(&csr);
}

static bool
parse_many(int attribute_count, int extension_count)
{
	struct buffer attributes = {0}, extensions = {0}, value = {0};
	char oid[32];

	for (int i = 0; i < attribute_count; i++) {
		snprintf(oid, sizeof(oid), "1.2.3.%d", i);
		pki_tlv(&value, DER_NULL, NULL, 0);
		pki_attribute(&attributes, oid, &value);
	}
	for (int i = 0; i < extension_count; i++) {
		snprintf(oid, sizeof(oid), "1.2.4.%d", i);
		add_extension(&extensions, oid, "x", 1);
	}
	if (extension_count > 0) {
		pki_wrap(&value, DER_SEQUENCE, &extensions);
		pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &value);
	}
	return parse_with(&attributes);
}

static void
there_are_at_most_64_attributes_and_64_extensions(void **state)
{
	(void)state;
	assert_true(parse_many(64, 0));
	csr_free(&csr);
	assert_false(parse_many(65, 0));
	assert_true(parse_many(0, 64));
	assert_int_equal(csr.extensions, 64);
	csr_free(&csr);
	assert_false(parse_many(0, 65));
}

static void
an_extension_request_of_a_wrong_form_is_refused(void **state)
{
	struct buffer attributes = {0}, value = {0}, extension = {0}, list = {0};

	(void)state;
	pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &value); /* SET {} */
	assert_false(parse_with(&attributes));
	pki_tlv_string(&value, DER_UTF8_STRING, "x");
	pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &value);
	assert_false(parse_with(&attributes));
	pki_tlv(&value, DER_SEQUENCE, "", 0);
	pki_tlv(&value, DER_SEQUENCE, "", 0);
	pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &value);
	assert_false(parse_with(&attributes));
	pki_tlv(&value, DER_SEQUENCE, "", 0); /* an empty list asks for nothing */
	pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &value);
	assert_true(parse_with(&attributes));
	csr_free(&csr);
	pki_oid(&extension, PKI_SAN); /* extnValue is no OCTET STRING */
	pki_tlv(&extension, DER_SEQUENCE, "", 0);
	pki_wrap(&list, DER_SEQUENCE, &extension);
	assert_false(parse_extensions(PKI_EXTENSION_REQUEST, &list));
	pki_oid(&extension, PKI_SAN); /* none */
	pki_wrap(&list, DER_SEQUENCE, &extension);
	assert_false(parse_extensions(PKI_EXTENSION_REQUEST, &list));
}

static void
unknown_attributes_pass_with_whatever_they_hold(void **state)
{
	struct buffer attributes = {0}, none = {0}, value = {0};

	(void)state;
	pki_attribute(&attributes, "1.3.6.1.4.1.311.13.2.3", &none);
	pki_tlv(&value, DER_CONTEXT_PRIM(30), "x", 1);
	pki_tlv(&value, DER_INTEGER, "\xff", 1);
	pki_attribute(&attributes, "1.3.6.1.4.1.311.21.20", &value);
	assert_true(parse_with(&attributes));
	csr_free(&csr);
}

static void
a_challenge_in_pieces_is_put_together(void **state)
{
	struct buffer attributes = {0}, pieces = {0}, string = {0};

	(void)state;
	pki_tlv_string(&pieces, DER_PRINTABLE_STRING, "sec");
	pki_tlv_string(&pieces, DER_PRINTABLE_STRING, "ret");
	pki_wrap_indefinite(&string, DER_PRINTABLE_STRING | 0x20, &pieces);
	pki_attribute(&attributes, PKI_CHALLENGE, &string);
	assert_true(parse_with(&attributes));
	assert_challenge("secret");
	/* Pieces within pieces, without end. */
	for (int i = 0; i < 200; i++) {
		pki_wrap(&string, DER_PRINTABLE_STRING | 0x20, &pieces);
		pieces = string;
		string = (struct buffer){0};
	}
	pki_attribute(&attributes, PKI_CHALLENGE, &pieces);
	assert_false(parse_with(&attributes));
}

static int
free_keys(void **state)
{
	(void)state;
	pki_free_keys();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_challenge_of_any_string_type_becomes_utf8),
	    cmocka_unit_test(an_empty_challenge_is_one),
	    cmocka_unit_test(a_challenge_malformed_for_its_type_with_a_nul_or_no_string_is_refused),
	    cmocka_unit_test(a_challenge_has_at_most_16_kib),
	    cmocka_unit_test(a_challenge_with_no_or_two_values_or_given_twice_is_refused),
	    cmocka_unit_test(a_challenge_in_the_extension_request_is_found_in_each_of_its_forms),
	    cmocka_unit_test(a_malformed_challenge_in_the_extension_request_is_refused),
	    cmocka_unit_test(
		the_same_challenge_in_both_places_is_one_and_two_that_differ_are_refused),
	    cmocka_unit_test(extensions_are_found_under_both_oids_of_the_extension_request),
	    cmocka_unit_test(wishes_to_be_a_ca_are_seen),
	    cmocka_unit_test(malformed_extensions_are_refused),
	    cmocka_unit_test(an_extension_twice_is_refused_also_across_two_extension_requests),
	    cmocka_unit_test(there_are_at_most_64_attributes_and_64_extensions),
	    cmocka_unit_test(an_extension_request_of_a_wrong_form_is_refused),
	    cmocka_unit_test(unknown_attributes_pass_with_whatever_they_hold),
	    cmocka_unit_test(a_challenge_in_pieces_is_put_together),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
