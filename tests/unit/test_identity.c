#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/asn1.h>

#include "base/der.h"
#include "pki/certificate.h"
#include "pki/identity.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

#define CN "2.5.4.3"
#define OU "2.5.4.11"

static struct errbuf why;
static struct buffer a, b;

static int
reset(void **state)
{
	(void)state;
	buffer_free(&a);
	buffer_free(&b);
	memset(&why, 0, sizeof(why));
	return 0;
}

/* One of the two sides comes out with a reason, the other without. */
static bool
told(bool same)
{
	assert_int_equal(same, why.line[0] == '\0');
	return same;
}

static bool
same_subject_by(const char *x, const char *y, const struct field_rules *rules)
{
	reset(NULL);
	assert_true(name_from_text(x, &a, &why));
	assert_true(name_from_text(y, &b, &why));
	return told(identity_same_subject(buffer_octets(&a), buffer_octets(&b), rules, &why));
}

static bool
same_subject(const char *x, const char *y)
{
	return same_subject_by(x, y, NULL);
}

static bool
same_san_by(const char *x, const char *y, const struct field_rules *rules)
{
	reset(NULL);
	assert_true(san_from_text(x, &a, &why));
	assert_true(san_from_text(y, &b, &why));
	return told(identity_same_san(buffer_octets(&a), buffer_octets(&b), rules, &why));
}

static bool
same_san(const char *x, const char *y)
{
	return same_san_by(x, y, NULL);
}

/* Append an AttributeTypeAndValue. */
static void
attribute(struct buffer *out, const char *oid, int tag, const void *value, size_t len)
{
	struct buffer content = {0};

	pki_oid(&content, oid);
	pki_tlv(&content, (uint8_t)tag, value, len);
	pki_wrap(out, DER_SEQUENCE, &content);
}

/* A Name of one attribute of any string type. */
static void
name_of(struct buffer *out, const char *oid, int tag, const void *value, size_t len)
{
	struct buffer rdn = {0}, rdns = {0};

	buffer_free(out);
	attribute(&rdn, oid, tag, value, len);
	pki_wrap(&rdns, DER_SET, &rdn);
	pki_wrap(out, DER_SEQUENCE, &rdns);
}

static bool
same_octets(void)
{
	memset(&why, 0, sizeof(why));
	return told(identity_same_subject(buffer_octets(&a), buffer_octets(&b), NULL, &why));
}

/* ---- subject */

static void
the_same_subject_is_the_same_and_each_change_of_it_is_not(void **state)
{
	(void)state;
	assert_true(same_subject("O=Example,CN=device", "O=Example,CN=device"));
	assert_true(same_subject("", ""));
	assert_false(same_subject("O=Example,CN=device", "O=Example,CN=devicf"));
	assert_string_equal(
	    why.line, "subject.commonName: the certificate has \"device\", the CSR \"devicf\"");
	assert_false(same_subject("O=Example,CN=device", "O=Example"));
	assert_string_equal(
	    why.line, "subject.commonName: the certificate has \"device\", the CSR none");
	assert_false(same_subject("CN=device", "O=Example,CN=device"));
	assert_string_equal(
	    why.line, "subject.organization: the certificate has none, the CSR \"Example\"");
	assert_false(same_subject("CN=device", ""));
	assert_false(same_subject("", "CN=device"));
	assert_false(same_subject("CN=device", "O=device"));
}

static void
case_and_spaces_count(void **state)
{
	(void)state;
	assert_false(same_subject("CN=device", "CN=Device"));
	assert_false(same_subject("CN=a b", "CN=a  b"));
	assert_true(same_subject("CN=a b", "CN=a b"));
}

static void
the_order_of_rdns_counts(void **state)
{
	(void)state;
	assert_true(same_subject("OU=a,OU=b,CN=x", "OU=a,OU=b,CN=x"));
	assert_false(same_subject("OU=a,OU=b,CN=x", "OU=b,OU=a,CN=x"));
	assert_non_null(strstr(why.line, "subject.organizationalUnit: the certificate has \"a\""));
	assert_false(same_subject("O=a,CN=x", "CN=x,O=a"));
	assert_non_null(strstr(why.line, "another order"));
	assert_false(same_subject("OU=a,CN=x", "OU=a,OU=a,CN=x"));
	assert_non_null(strstr(why.line, "the certificate has none, the CSR \"a\""));
}

static void
the_string_type_of_a_value_does_not_count(void **state)
{
	(void)state;
	name_of(&a, CN, V_ASN1_PRINTABLESTRING, "ab", 2);
	name_of(&b, CN, V_ASN1_UTF8STRING, "ab", 2);
	assert_true(same_octets());
	name_of(&b, CN, V_ASN1_BMPSTRING, "\0a\0b", 4);
	assert_true(same_octets());
	name_of(&b, CN, V_ASN1_UNIVERSALSTRING, "\0\0\0a\0\0\0b", 8);
	assert_true(same_octets());
	name_of(&b, CN, V_ASN1_BMPSTRING, "\0a\0c", 4);
	assert_false(same_octets());
	name_of(&a, CN, V_ASN1_T61STRING, "\xfc", 1);
	name_of(&b, CN, V_ASN1_UTF8STRING, "\xc3\xbc", 2);
	assert_true(same_octets());
	name_of(&b, CN, V_ASN1_UTF8STRING, "u\xcc\x88", 3); /* looks the same */
	assert_false(same_octets());
}

static void
a_type_without_a_field_is_named_by_its_oid(void **state)
{
	(void)state;
	name_of(&a, "1.2.3.4", V_ASN1_UTF8STRING, "x", 1);
	name_of(&b, "1.2.3.4", V_ASN1_UTF8STRING, "y", 1);
	assert_false(same_octets());
	assert_string_equal(why.line, "subject.1.2.3.4: the certificate has \"x\", the CSR \"y\"");
	name_of(&b, "1.2.3.4", V_ASN1_PRINTABLESTRING, "x", 1);
	assert_true(same_octets());
}

static void
values_that_are_no_strings_are_the_same_as_their_own_octets_alone(void **state)
{
	(void)state;
	name_of(&a, CN, V_ASN1_INTEGER, "\x01", 1);
	name_of(&b, CN, V_ASN1_INTEGER, "\x01", 1);
	assert_true(same_octets());
	name_of(&b, CN, V_ASN1_INTEGER, "\x02", 1);
	assert_false(same_octets());
	assert_non_null(strstr(why.line, "the certificate's subject: subject.commonName"));
	name_of(&a, CN, V_ASN1_UTF8STRING, "x", 1);
	name_of(&b, CN, V_ASN1_UTF8STRING, "\xff", 1);
	assert_false(same_octets());
	assert_non_null(strstr(why.line, "the CSR's subject: subject.commonName"));
	name_of(&b, CN, V_ASN1_UTF8STRING, "x\0", 2);
	assert_false(same_octets());
}

/* Names with CN and OU in one RDN, in the order given or in two RDNs. */
static void
two_attributes(struct buffer *out, bool reversed, bool apart)
{
	struct buffer attributes[2] = {{0}, {0}}, rdns = {0}, first = {0};

	attribute(&attributes[reversed], CN, V_ASN1_UTF8STRING, "x", 1);
	attribute(&attributes[!reversed], OU, V_ASN1_UTF8STRING, "y", 1);
	if (apart) {
		pki_wrap(&rdns, DER_SET, &attributes[0]);
	} else {
		buffer_append(&first, attributes[0].data, attributes[0].len);
		buffer_append(&first, attributes[1].data, attributes[1].len);
		buffer_free(&attributes[0]);
		buffer_free(&attributes[1]);
	}
	pki_wrap(&rdns, DER_SET, apart ? &attributes[1] : &first);
	pki_wrap(out, DER_SEQUENCE, &rdns);
}

static void
the_order_within_an_rdn_does_not_count_and_its_bounds_do(void **state)
{
	(void)state;
	two_attributes(&a, false, false);
	two_attributes(&b, true, false);
	assert_false(octets_equal(buffer_octets(&a), buffer_octets(&b)));
	assert_true(same_octets());
	buffer_free(&b);
	two_attributes(&b, false, true);
	assert_false(same_octets());
	assert_non_null(strstr(why.line, "another order"));
	buffer_free(&a);
	two_attributes(&a, false, true);
	assert_true(same_octets());
}

static void
a_malformed_name_is_the_same_as_nothing(void **state)
{
	(void)state;
	assert_true(name_from_text("CN=x", &a, &why));
	buffer_append(&b, a.data, a.len - 1);
	assert_false(same_octets());
	assert_non_null(strstr(why.line, "the CSR's subject"));
	assert_false(identity_same_subject(buffer_octets(&b), buffer_octets(&a), NULL, &why));
	assert_non_null(strstr(why.line, "the certificate's subject"));
	assert_false(identity_same_subject(buffer_octets(&a), octets_of(NULL, 0), NULL, NULL));
}

static void
what_why_repeats_is_cut_at_128_octets_between_two_characters(void **state)
{
	char text[400] = "CN=", expected[300];

	(void)state;
	for (int i = 0; i < 127; i++)
		strcat(text, "x");
	strcat(text, "\xc3\xbc"); /* octets 128 and 129 */
	assert_false(same_subject(text, "CN=a"));
	snprintf(expected, sizeof(expected),
	    "subject.commonName: the certificate has \"%.127s\", the CSR \"a\"", text + 3);
	assert_string_equal(why.line, expected);
	assert_false(same_subject("CN=a", text));
	assert_true(same_subject(text, text));
}

/* ---- fixed fields */

static const struct field_rule rules_of_subject[] = {
    {"subject.commonName", FIELD_SCEP_REQUEST, true, false, "", 0, 0, NULL},
    {"subject.organization", FIELD_FIXED, false, false, "New", 0, 0, NULL},
    {"subject.organizationalUnit", FIELD_SCEP_REQUEST, false, true, "", 0, 0, NULL},
    {"subject.organizationalUnit", FIELD_FIXED, false, false, "Devices", 0, 0, NULL},
};
static const struct field_rules of_subject = {.rules = rules_of_subject, .count = 4};

static void
a_field_that_is_fixed_alone_is_left_out(void **state)
{
	(void)state;
	assert_true(same_subject_by("CN=x,O=Old", "CN=x,O=New", &of_subject));
	assert_true(same_subject_by("O=Old,CN=x", "CN=x", &of_subject));
	assert_true(same_subject_by("CN=x", "CN=x,O=a,O=b", &of_subject));
	assert_false(same_subject_by("CN=x,O=Old", "CN=y,O=New", &of_subject));
	assert_false(same_subject_by("CN=x,O=Old,L=here", "CN=x,O=New,L=there", &of_subject));
	assert_false(same_subject("CN=x,O=Old", "CN=x,O=New"));
}

static void
a_field_that_is_asked_for_too_is_left_out_only_with_its_fixed_value(void **state)
{
	(void)state;
	assert_true(same_subject_by(
	    "CN=x,OU=mine,OU=Devices", "CN=x,OU=mine,OU=Devices,OU=Devices", &of_subject));
	assert_true(same_subject_by("CN=x,OU=mine,OU=Devices", "CN=x,OU=mine", &of_subject));
	assert_false(same_subject_by("CN=x,OU=mine,OU=Devices", "CN=x,OU=other", &of_subject));
	assert_non_null(strstr(why.line, "\"mine\", the CSR \"other\""));
	assert_false(same_subject_by("CN=x,OU=Devices", "CN=x,OU=admins", &of_subject));
}

/* ---- subjectAltName */

static void
san_names_are_a_set(void **state)
{
	(void)state;
	assert_true(same_san("", ""));
	assert_true(same_san("dns:a,ip:192.0.2.1", "ip:192.0.2.1,dns:a"));
	assert_true(same_san("dns:a,dns:a", "dns:a"));
	assert_false(same_san("dns:a,dns:b", "dns:a"));
	assert_string_equal(why.line, "san.dns: the certificate has \"DNS:b\", the CSR none");
	assert_false(same_san("dns:a", "dns:a,ip:192.0.2.1"));
	assert_string_equal(why.line, "san.ip: the certificate has none, the CSR \"IP:192.0.2.1\"");
	assert_false(same_san("dns:a", "dns:b"));
	assert_string_equal(why.line, "san.dns: the certificate has \"DNS:a\", the CSR \"DNS:b\"");
	assert_false(same_san("", "dns:a"));
	assert_false(same_san("dns:a", ""));
}

static void
every_kind_of_name_is_compared(void **state)
{
	static const char *const pairs[][2] = {
	    {"dns:a.example", "dns:b.example"},
	    {"ip:192.0.2.1", "ip:192.0.2.2"},
	    {"ip:2001:db8::1", "ip:2001:db8::2"},
	    {"email:a@b.example", "email:A@b.example"},
	    {"uri:urn:a", "uri:urn:A"},
	    {"upn:u@example", "upn:v@example"},
	    {"directoryName:CN=x", "directoryName:CN=y"},
	    {"registeredId:1.2.3", "registeredId:1.2.4"},
	    {"dns:a", "email:a"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char both[64], again[64];

		assert_true(same_san(pairs[i][0], pairs[i][0]));
		assert_false(same_san(pairs[i][0], pairs[i][1]));
		snprintf(both, sizeof(both), "%s,%s", pairs[i][0], pairs[i][1]);
		snprintf(again, sizeof(again), "%s,%s", pairs[i][1], pairs[i][0]);
		assert_true(same_san(both, again));
		assert_false(same_san(both, pairs[i][0]));
	}
}

static void
dns_names_are_compared_without_case(void **state)
{
	(void)state;
	assert_true(same_san("dns:A.Example", "dns:a.eXAMPLE"));
	assert_false(same_san("dns:A.Example", "dns:a.examples"));
	assert_false(same_san("uri:urn:Example", "uri:urn:example"));
}

/* GeneralNames of one directoryName. */
static void
directory_name(struct buffer *out, int tag, const char *value, size_t len)
{
	struct buffer name = {0}, choice = {0};

	buffer_free(out);
	name_of(&name, CN, tag, value, len);
	pki_wrap(&choice, DER_CONTEXT(4), &name);
	pki_wrap(out, DER_SEQUENCE, &choice);
}

static void
the_string_type_inside_of_a_directory_name_does_not_count(void **state)
{
	(void)state;
	directory_name(&a, V_ASN1_PRINTABLESTRING, "x", 1);
	directory_name(&b, V_ASN1_UTF8STRING, "x", 1);
	assert_true(identity_same_san(buffer_octets(&a), buffer_octets(&b), NULL, &why));
	directory_name(&b, V_ASN1_UTF8STRING, "y", 1);
	assert_false(identity_same_san(buffer_octets(&a), buffer_octets(&b), NULL, &why));
	/* What is no string is compared by its octets. */
	directory_name(&a, V_ASN1_INTEGER, "\x01", 1);
	directory_name(&b, V_ASN1_INTEGER, "\x02", 1);
	assert_false(identity_same_san(buffer_octets(&a), buffer_octets(&b), NULL, &why));
}

static void
a_name_of_a_kind_that_is_not_supported_is_compared_by_its_octets(void **state)
{
	struct buffer name = {0};

	(void)state;
	pki_tlv(&name, DER_CONTEXT(3), "\x30\x00", 2); /* x400Address */
	pki_wrap(&a, DER_SEQUENCE, &name);
	pki_tlv(&name, DER_CONTEXT(5), "\x30\x00", 2); /* ediPartyName */
	pki_wrap(&b, DER_SEQUENCE, &name);
	assert_false(identity_same_san(buffer_octets(&a), buffer_octets(&b), NULL, &why));
	assert_non_null(strstr(why.line, "san.other"));
	assert_true(identity_same_san(buffer_octets(&a), buffer_octets(&a), NULL, &why));
}

static void
malformed_general_names_are_the_same_as_nothing(void **state)
{
	(void)state;
	assert_true(san_from_text("dns:a", &a, &why));
	buffer_append(&b, a.data, a.len - 1);
	assert_false(identity_same_san(buffer_octets(&a), buffer_octets(&b), NULL, &why));
	assert_non_null(strstr(why.line, "the CSR's subjectAltName"));
	assert_false(identity_same_san(buffer_octets(&b), buffer_octets(&a), NULL, &why));
	assert_non_null(strstr(why.line, "the certificate's subjectAltName"));
	assert_false(identity_same_san(octets_of("\x30\x00", 2), octets_of(NULL, 0), NULL, &why));
}

static void
names_of_a_kind_that_is_fixed_are_left_out(void **state)
{
	static const struct field_rule rules[] = {
	    {"san.uri", FIELD_FIXED, false, false, "urn:new", 0, 0, NULL},
	    {"san.dns", FIELD_FIXED, false, false, "fixed.example", 0, 0, NULL},
	    {"san.dns", FIELD_SCEP_REQUEST, false, true, "", 0, 0, NULL},
	};
	const struct field_rules r = {.rules = rules, .count = 3};

	(void)state;
	assert_true(same_san_by("dns:a,uri:urn:old", "dns:a,uri:urn:new", &r));
	assert_true(same_san_by("dns:a,uri:urn:old", "dns:a", &r));
	assert_true(same_san_by("uri:urn:old", "", &r));
	assert_true(same_san_by("dns:a,dns:Fixed.example", "dns:a", &r));
	assert_true(same_san_by("dns:a", "dns:a,dns:fixed.example", &r));
	assert_false(same_san_by("dns:a,dns:fixed.example", "dns:b,dns:fixed.example", &r));
	assert_false(same_san_by("dns:a,email:a@b", "dns:a", &r));
	assert_false(same_san("dns:a,uri:urn:old", "dns:a,uri:urn:new"));
}

static void
most_names_and_attributes_that_there_can_be_are_compared(void **state)
{
	char names[2048], subject[1024], other[1024], *n = names, *s = subject;

	(void)state;
	for (int i = 0; i < 128; i++)
		n += sprintf(n, "%sdns:n%d", i > 0 ? "," : "", i);
	for (int i = 0; i < 64; i++)
		s += sprintf(s, "%sOU=n%d", i > 0 ? "," : "", i);
	assert_true(san_from_text(names, &a, &why));
	names[4] = 'N';
	assert_true(san_from_text(names, &b, &why));
	assert_true(identity_same_san(buffer_octets(&a), buffer_octets(&b), NULL, &why));
	strcpy(other, subject);
	strcpy(strstr(other, "n63"), "x63");
	assert_false(same_subject(subject, other));
	assert_string_equal(
	    why.line, "subject.organizationalUnit: the certificate has \"n63\", the CSR \"x63\"");
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, reset, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FRESH(the_same_subject_is_the_same_and_each_change_of_it_is_not),
	    FRESH(case_and_spaces_count),
	    FRESH(the_order_of_rdns_counts),
	    FRESH(the_string_type_of_a_value_does_not_count),
	    FRESH(a_type_without_a_field_is_named_by_its_oid),
	    FRESH(values_that_are_no_strings_are_the_same_as_their_own_octets_alone),
	    FRESH(the_order_within_an_rdn_does_not_count_and_its_bounds_do),
	    FRESH(a_malformed_name_is_the_same_as_nothing),
	    FRESH(what_why_repeats_is_cut_at_128_octets_between_two_characters),
	    FRESH(a_field_that_is_fixed_alone_is_left_out),
	    FRESH(a_field_that_is_asked_for_too_is_left_out_only_with_its_fixed_value),
	    FRESH(san_names_are_a_set),
	    FRESH(every_kind_of_name_is_compared),
	    FRESH(dns_names_are_compared_without_case),
	    FRESH(the_string_type_inside_of_a_directory_name_does_not_count),
	    FRESH(a_name_of_a_kind_that_is_not_supported_is_compared_by_its_octets),
	    FRESH(malformed_general_names_are_the_same_as_nothing),
	    FRESH(names_of_a_kind_that_is_fixed_are_left_out),
	    FRESH(most_names_and_attributes_that_there_can_be_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
