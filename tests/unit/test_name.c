#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

static struct errbuf why;
static struct buffer name;
static struct buffer text;

static int
clear(void **state)
{
	(void)state;
	buffer_free(&name);
	buffer_free(&text);
	return 0;
}

/* Append an RDN with the AttributeTypeAndValues in it (freed). */
static void
add_rdn(struct buffer *rdns, struct buffer *attributes)
{
	pki_wrap(rdns, DER_SET, attributes);
}

static void
add_attribute(struct buffer *out, const char *oid, int tag, const void *value, size_t len)
{
	struct buffer attribute = {0};

	pki_oid(&attribute, oid);
	pki_tlv(&attribute, (uint8_t)tag, value, len);
	pki_wrap(out, DER_SEQUENCE, &attribute);
}

/* A Name with one attribute. */
static void
make_name(const char *oid, int tag, const void *value, size_t len)
{
	struct buffer rdns = {0}, rdn = {0};

	buffer_free(&name);
	add_attribute(&rdn, oid, tag, value, len);
	add_rdn(&rdns, &rdn);
	pki_wrap(&name, DER_SEQUENCE, &rdns);
}

static const char *
to_text(void)
{
	buffer_free(&text);
	assert_true(name_to_text(buffer_octets(&name), &text));
	return buffer_string(&text);
}

static bool
from_text(const char *in)
{
	bool ok;

	buffer_free(&name);
	ok = name_from_text(in, &name, &why);
	if (!ok) {
		assert_int_equal(name.len, 0);
		assert_true(strlen(why.line) > 0);
	}
	return ok;
}

#define CN	 "2.5.4.3"
#define OU	 "2.5.4.11"
#define O	 "2.5.4.10"
#define NO_KNOWN "1.2.3.4"

static void
text_becomes_the_name_that_openssl_makes_of_it(void **state)
{
	static const struct {
		const char *type, *value;
	} parts[] = {{"C", "CH"}, {"ST", "Bern"}, {"L", "K\xc3\xb6niz"}, {"O", "Example AG"},
	    {"OU", "Devices"}, {"CN", "device 1"}, {"serialNumber", "A-1"}, {"UID", "u1"},
	    {"title", "Dr"}, {"GN", "Ann"}, {"SN", "Lee"}, {"emailAddress", "a@b.ch"},
	    {"DC", "example"}};
	X509_NAME *expected = X509_NAME_new();
	unsigned char *der = NULL;
	struct buffer in = {0};
	int len;

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int type = V_ASN1_UTF8STRING;

		if (i == 0 || i == 6)
			type = V_ASN1_PRINTABLESTRING;
		else if (i >= 11)
			type = V_ASN1_IA5STRING;
		assert_int_equal(X509_NAME_add_entry_by_txt(expected, parts[i].type, type,
				     (const unsigned char *)parts[i].value, -1, -1, 0),
		    1);
		buffer_append_format(
		    &in, "%s%s=%s", i == 0 ? "" : ",", parts[i].type, parts[i].value);
	}
	assert_true(from_text(buffer_string(&in)));
	len = i2d_X509_NAME(expected, &der);
	assert_true(octets_equal(buffer_octets(&name), octets_of(der, (size_t)len)));
	OPENSSL_free(der);
	X509_NAME_free(expected);
	buffer_free(&in);
}

static void
text_of_a_name_is_what_openssl_writes_for_rfc_2253(void **state)
{
	static const char *const names[] = {"CN=a", "O=Example,CN=a b", "CN=a\\,b\\+c\\=\\\"\\\\",
	    "OU=\\#x,CN=\\ lead\\ ", "CN=\\<a\\>\\;", "C=CH,O=x,OU=y,OU=z,CN=w", "DC=a,UID=b"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		const unsigned char *p;
		X509_NAME *n;
		char *theirs;
		long len;

		assert_true(from_text(names[i]));
		p = name.data;
		n = d2i_X509_NAME(NULL, &p, (long)name.len);
		assert_non_null(n);
		X509_NAME_print_ex(
		    bio, n, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
		len = BIO_get_mem_data(bio, &theirs);
		assert_int_equal(strlen(to_text()), len);
		assert_memory_equal(to_text(), theirs, (size_t)len);
		X509_NAME_free(n);
		BIO_free(bio);
	}
}

static void
an_empty_text_is_the_empty_name_and_back(void **state)
{
	(void)state;
	assert_true(from_text(""));
	assert_true(octets_equal(buffer_octets(&name), octets_of("\x30\0", 2)));
	assert_string_equal(to_text(), "");
	assert_true(from_text("  "));
	assert_int_equal(name.len, 2);
}

static void
spaces_around_and_escapes_within_a_value_are_read(void **state)
{
	(void)state;
	assert_true(from_text(" cn = a b  , o=\\ x\\ , OU=\\41\\c3\\bc\\,"));
	assert_string_equal(to_text(), "OU=A\xc3\xbc\\,,O=\\ x\\ ,CN=a b");
	assert_true(from_text("CN=a+OU=b")); /* a plus sign is a character like others */
	assert_string_equal(to_text(), "CN=a\\+OU=b");
}

static void
text_that_is_no_name_is_refused(void **state)
{
	static const char *const bad[] = {"x", "CN", "=x", "CN=", "CN= ", "CN=a,", "CN=a,,O=b",
	    ",CN=a", "XX=a", "2.5.4.3=a", "CN=a\\", "CN=a\\00b", "CN=\\ff", "CN=a\\0ab", "CN=a\x01",
	    "C=CHE", "C=", "C=\xc3\xbc", "serialNumber=a@b", "DC=\xc3\xbc",
	    "emailAddress=\xc3\xbc@b", "CN=\xc2\x85", "CN=\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(from_text(bad[i]));
}

static void
a_name_has_at_most_64_attributes(void **state)
{
	struct buffer in = {0};

	(void)state;
	for (int i = 0; i < 64; i++)
		buffer_append_format(&in, "%sOU=%d", i == 0 ? "" : ",", i);
	assert_true(from_text(buffer_string(&in)));
	assert_true(strncmp(to_text(), "OU=63,OU=62", 11) == 0);
	buffer_append_string(&in, ",OU=x");
	assert_false(from_text(buffer_string(&in)));
	buffer_free(&in);
	{
		struct buffer rdns = {0}, rdn = {0};
		struct name_view *v;

		for (int i = 0; i < 65; i++)
			add_attribute(&rdn, CN, DER_UTF8_STRING, "x", 1);
		add_rdn(&rdns, &rdn);
		pki_wrap(&name, DER_SEQUENCE, &rdns);
		assert_false(name_parse(buffer_octets(&name), &v, &why));
		assert_null(v);
	}
}

/* A stranger chooses how long a value is; what is written by the piece has no seams. */
static void
long_values_come_out_whole(void **state)
{
	static const size_t sizes[] = {252, 253, 508, 509, 1000, 30000};
	char *value = malloc(30000), *want = malloc(100000);

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t header = sizes[s] < 128 ? 2 : sizes[s] < 256 ? 3 : 4, len = 0;
		const char *got;

		for (size_t i = 0; i < sizes[s]; i++)
			value[i] = "a\x01,b\x7f\"c"[i % 7];
		make_name(NO_KNOWN, DER_UTF8_STRING, value, sizes[s]);
		got = to_text();
		assert_int_equal(strlen(got), strlen("1.2.3.4=#") + 2 * (header + sizes[s]));
		for (size_t i = 0; i < sizes[s]; i++)
			len += (size_t)snprintf(want + len, 100000 - len, "%02x", value[i]);
		assert_string_equal(got + strlen("1.2.3.4=#") + 2 * header, want);

		make_name(CN, DER_UTF8_STRING, value, sizes[s]);
		len = 0;
		for (size_t i = 0; i < sizes[s]; i++)
			len += (size_t)snprintf(want + len, 100000 - len, "%s",
			    ((const char *[]){
				"a", "\\01", "\\,", "b", "\\7F", "\\\"", "c"})[i % 7]);
		got = to_text();
		assert_string_equal(got + strlen("CN="), want);
	}
	free(value);
	free(want);
}

static void
unknown_types_and_values_that_are_no_strings_come_out_in_hexadecimal(void **state)
{
	(void)state;
	make_name(NO_KNOWN, DER_UTF8_STRING, "x", 1);
	assert_string_equal(to_text(), "1.2.3.4=#0c0178");
	make_name(CN, DER_INTEGER, "\x05", 1);
	assert_string_equal(to_text(), "CN=#020105");
	make_name(CN, DER_UTF8_STRING, "\xff", 1);
	assert_string_equal(to_text(), "CN=#0c01ff");
	make_name(CN, DER_UTF8_STRING, "a\0b", 3);
	assert_string_equal(to_text(), "CN=#0c03610062");
	make_name(CN, DER_NULL, NULL, 0);
	assert_string_equal(to_text(), "CN=#0500");
	make_name(CN, DER_BOOLEAN, "\xff", 1);
	assert_string_equal(to_text(), "CN=#0101ff");
	make_name(CN, DER_OID, "\x2a", 1);
	assert_string_equal(to_text(), "CN=#06012a");
	make_name(CN, DER_SEQUENCE, "\x05\0", 2);
	assert_string_equal(to_text(), "CN=#30020500");
	make_name(CN, DER_CONTEXT_PRIM(5), "x", 1);
	assert_string_equal(to_text(), "CN=#850178");
}

static void
control_characters_are_escaped_in_text(void **state)
{
	(void)state;
	make_name(CN, DER_UTF8_STRING, "a\nb\x7f", 4);
	assert_string_equal(to_text(), "CN=a\\0Ab\\7F");
}

static void
an_rdn_with_two_attributes_is_joined_by_a_plus_sign(void **state)
{
	struct buffer rdns = {0}, rdn = {0};
	struct name_view *v;

	(void)state;
	add_attribute(&rdn, O, DER_UTF8_STRING, "o", 1);
	add_rdn(&rdns, &rdn);
	add_attribute(&rdn, CN, DER_UTF8_STRING, "c", 1);
	add_attribute(&rdn, OU, DER_PRINTABLE_STRING, "u", 1);
	add_rdn(&rdns, &rdn);
	pki_wrap(&name, DER_SEQUENCE, &rdns);
	assert_string_equal(to_text(), "CN=c+OU=u,O=o");
	assert_true(name_parse(buffer_octets(&name), &v, &why));
	assert_int_equal(name_count(v), 3);
	assert_int_equal(name_get0(v, 0)->rdn, 0);
	assert_int_equal(name_get0(v, 1)->rdn, 1);
	assert_int_equal(name_get0(v, 2)->rdn, 1);
	assert_int_equal(name_get0(v, 2)->tag, DER_PRINTABLE_STRING);
	assert_true(octets_equal(name_get0(v, 2)->value, octets_of("u", 1)));
	assert_true(octets_equal(name_get0(v, 2)->oid, octets_of("\x55\x04\x0b", 3)));
	assert_null(name_get0(v, 3));
	assert_null(name_get0(v, -1));
	name_free(v);
	name_free(NULL);
}

static void
what_is_no_name_is_refused(void **state)
{
	static const struct {
		uint8_t der[16];
		size_t len;
	} bad[] = {{{0}, 0}, {{0x31, 0}, 2}, {{0x30, 1}, 2}, {{0x30, 0, 0}, 3},
	    {{0x30, 2, 0x31, 0}, 4},		       /* an empty RDN */
	    {{0x30, 4, 0x31, 2, 0x30, 0}, 6},	       /* an attribute without anything */
	    {{0x30, 7, 0x31, 5, 0x30, 3, 6, 1, 1}, 9}, /* without value */
	    {{0x30, 2, 0x30, 0}, 4}, {{0x30, 9, 0x31, 7, 0x30, 5, 6, 1, 0x80, 5, 0}, 11},
	    {{0x30, 9, 0x31, 7, 0x30, 5, 6, 0, 0x0c, 1, 'x'}, 11}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct octets der = octets_of(bad[i].der, bad[i].len);
		struct name_view *v;

		assert_false(name_parse(der, &v, &why));
		assert_null(v);
		assert_false(name_to_text(der, &text));
		assert_false(name_common_name(der, &text));
		assert_int_equal(text.len, 0);
	}
}

static void
the_first_common_name_comes_out_whatever_its_string_type(void **state)
{
	struct buffer rdns = {0}, rdn = {0};

	(void)state;
	add_attribute(&rdn, O, DER_UTF8_STRING, "o", 1);
	add_rdn(&rdns, &rdn);
	add_attribute(&rdn, CN, V_ASN1_BMPSTRING, "\0f\0\xfc", 4);
	add_rdn(&rdns, &rdn);
	add_attribute(&rdn, CN, DER_UTF8_STRING, "second", 6);
	add_rdn(&rdns, &rdn);
	pki_wrap(&name, DER_SEQUENCE, &rdns);
	assert_true(name_common_name(buffer_octets(&name), &text));
	assert_string_equal(buffer_string(&text), "f\xc3\xbc");
	assert_true(from_text("O=no common name"));
	text.len = 0;
	assert_false(name_common_name(buffer_octets(&name), &text));
	assert_int_equal(text.len, 0);
}

static void
encoding_what_was_parsed_gives_the_same_octets(void **state)
{
	struct name_attribute attributes[NAME_ATTRIBUTES_MAX];
	struct buffer rdns = {0}, rdn = {0}, again = {0};
	struct name_view *v;

	(void)state;
	add_attribute(&rdn, O, V_ASN1_T61STRING, "\xfc", 1);
	add_rdn(&rdns, &rdn);
	add_attribute(&rdn, CN, DER_UTF8_STRING, "c", 1);
	add_attribute(&rdn, OU, DER_UTF8_STRING, "u", 1);
	add_rdn(&rdns, &rdn);
	pki_wrap(&name, DER_SEQUENCE, &rdns);
	assert_true(name_parse(buffer_octets(&name), &v, &why));
	for (int i = 0; i < name_count(v); i++)
		attributes[i] = *name_get0(v, i);
	assert_true(name_encode(attributes, name_count(v), &again));
	assert_true(octets_equal(buffer_octets(&again), buffer_octets(&name)));
	/* The elements of a SET are sorted, in whatever order they are given. */
	{
		struct name_attribute swap = attributes[1];

		attributes[1] = attributes[2];
		attributes[2] = swap;
	}
	again.len = 0;
	assert_true(name_encode(attributes, name_count(v), &again));
	assert_true(octets_equal(buffer_octets(&again), buffer_octets(&name)));
	attributes[0].tag = V_ASN1_INTEGER;
	assert_false(name_encode(attributes, name_count(v), &again));
	again.len = 0;
	assert_true(name_encode(NULL, 0, &again));
	assert_int_equal(again.len, 2);
	name_free(v);
	buffer_free(&again);
}

static void
values_are_checked_for_what_a_certificate_may_get(void **state)
{
	static char longest[NAME_VALUE_MAX + 1];

	(void)state;
	assert_null(name_check_utf8(octets_of_string("G\xc3\xbcnther \xf0\x9f\x98\x80")));
	assert_null(name_check_utf8(octets_of_string("\xc2\xa0"))); /* a no-break space is no C1 */
	assert_non_null(name_check_utf8(octets_of("", 0)));
	assert_non_null(name_check_utf8(octets_of("a\0b", 3)));
	assert_non_null(name_check_utf8(octets_of_string("a\tb")));
	assert_non_null(name_check_utf8(octets_of_string("a\x7f")));
	assert_non_null(name_check_utf8(octets_of_string("a\xc2\x9f")));
	assert_non_null(name_check_utf8(octets_of_string("a\xc3")));
	memset(longest, 'x', sizeof(longest));
	assert_null(name_check_utf8(octets_of(longest, NAME_VALUE_MAX)));
	assert_non_null(name_check_utf8(octets_of(longest, NAME_VALUE_MAX + 1)));
	assert_true(from_text("O=a,CN=b"));
	assert_null(name_check(buffer_octets(&name)));
	make_name(CN, DER_UTF8_STRING, "a\n", 2);
	assert_non_null(name_check(buffer_octets(&name)));
	make_name(CN, DER_INTEGER, "\1", 1);
	assert_non_null(name_check(buffer_octets(&name)));
	assert_non_null(name_check(octets_of("\x30\0", 2)));
	assert_non_null(name_check(octets_of("\x31\0", 2)));
}

static void
types_are_found_by_oid_keyword_and_field(void **state)
{
	const struct name_type *type = name_type_of_field("subject.userId");

	(void)state;
	assert_non_null(type);
	assert_ptr_equal(name_type_of_keyword("uid", 3), type);
	assert_ptr_equal(name_type_of_oid(type->oid), type);
	assert_null(name_type_of_field("subject.userid"));
	assert_null(name_type_of_field("commonName"));
	assert_null(name_type_of_keyword("CNx", 3));
	assert_null(name_type_of_keyword("", 0));
	assert_null(name_type_of_oid(octets_of(NULL, 0)));
	assert_true(name_is_printable(octets_of_string("Az 09'()+,-./:=?")));
	assert_false(name_is_printable(octets_of_string("a@b")));
	assert_false(name_is_printable(octets_of("a\0", 2)));
}

#define CLEARED(test) cmocka_unit_test_teardown(test, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CLEARED(text_becomes_the_name_that_openssl_makes_of_it),
	    CLEARED(text_of_a_name_is_what_openssl_writes_for_rfc_2253),
	    CLEARED(an_empty_text_is_the_empty_name_and_back),
	    CLEARED(spaces_around_and_escapes_within_a_value_are_read),
	    CLEARED(text_that_is_no_name_is_refused),
	    CLEARED(a_name_has_at_most_64_attributes),
	    CLEARED(long_values_come_out_whole),
	    CLEARED(unknown_types_and_values_that_are_no_strings_come_out_in_hexadecimal),
	    CLEARED(control_characters_are_escaped_in_text),
	    CLEARED(an_rdn_with_two_attributes_is_joined_by_a_plus_sign),
	    CLEARED(what_is_no_name_is_refused),
	    CLEARED(the_first_common_name_comes_out_whatever_its_string_type),
	    CLEARED(encoding_what_was_parsed_gives_the_same_octets),
	    CLEARED(values_are_checked_for_what_a_certificate_may_get),
	    CLEARED(types_are_found_by_oid_keyword_and_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
