#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/asn1.h>

#include "base/der.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

/* fields_apply() reads what csr_parse() found, so that a csr of these alone will do. */
static struct csr csr;
static struct buffer asked_subject, asked_san;
static struct buffer subject, san, out;
static struct errbuf why, text;
static struct field_rules rules;
static struct field_value manual[8];
static int manual_count;

static int
reset(void **state)
{
	struct buffer *all[] = {&asked_subject, &asked_san, &subject, &san, &out};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buffer_free(all[i]);
	memset(&csr, 0, sizeof(csr));
	memset(&rules, 0, sizeof(rules));
	manual_count = 0;
	memset(&why, 0, sizeof(why));
	memset(&text, 0, sizeof(text));
	return 0;
}

static void
ask(const char *name, const char *names)
{
	buffer_free(&asked_subject);
	buffer_free(&asked_san);
	assert_true(name_from_text(name, &asked_subject, &why));
	assert_true(san_from_text(names, &asked_san, &why));
	csr.subject = buffer_octets(&asked_subject);
	csr.san = buffer_octets(&asked_san);
}

/* A subject with one attribute of any type, tag and octets. */
static void
ask_raw(const char *oid, int tag, const void *value, size_t len)
{
	struct buffer attribute = {0}, rdn = {0}, rdns = {0};

	buffer_free(&asked_subject);
	pki_oid(&attribute, oid);
	pki_tlv(&attribute, (uint8_t)tag, value, len);
	pki_wrap(&rdn, DER_SEQUENCE, &attribute);
	pki_wrap(&rdns, DER_SET, &rdn);
	pki_wrap(&asked_subject, DER_SEQUENCE, &rdns);
	csr.subject = buffer_octets(&asked_subject);
}

/* A SAN with one name. */
static void
ask_name(int tag, const void *content, size_t len)
{
	struct buffer name = {0};

	buffer_free(&asked_san);
	pki_tlv(&name, (uint8_t)tag, content, len);
	pki_wrap(&asked_san, DER_SEQUENCE, &name);
	csr.san = buffer_octets(&asked_san);
}

static enum field_rc
apply(void)
{
	enum field_rc rc;

	buffer_free(&subject);
	buffer_free(&san);
	memset(&why, 0, sizeof(why));
	memset(&text, 0, sizeof(text));
	rc = fields_apply(&rules, &csr, manual, manual_count, &subject, &san, &why, &text);
	if (rc != FIELD_OK) {
		assert_int_equal(subject.len + san.len, 0);
		assert_true(strlen(why.line) > 0);
	}
	return rc;
}

static void
assert_refused(const char *expected)
{
	assert_int_equal(apply(), FIELD_REFUSED);
	assert_string_equal(text.line, expected);
	assert_non_null(strstr(why.line, expected));
}

static void
assert_given(const char *name, const char *names)
{
	assert_int_equal(apply(), FIELD_OK);
	buffer_free(&out);
	assert_true(name_to_text(buffer_octets(&subject), &out));
	assert_string_equal(buffer_string(&out), name);
	buffer_free(&out);
	if (san.len > 0)
		assert_true(san_to_text(buffer_octets(&san), &out));
	assert_string_equal(buffer_string(&out), names);
}

#define RULES(...)                                                                                 \
	rules.rules = (const struct field_rule[]){__VA_ARGS__},                                    \
	rules.count = sizeof((const struct field_rule[]){__VA_ARGS__}) / sizeof(struct field_rule)

#define ASKED(type, required, multiple)                                                            \
	{                                                                                          \
		type, FIELD_SCEP_REQUEST, required, multiple, "", 0, 0, NULL                       \
	}
#define FIXED(type, value)                                                                         \
	{                                                                                          \
		type, FIELD_FIXED, false, false, value, 0, 0, NULL                                 \
	}

static const char all_names[] = "dns:a.example,ip:192.0.2.1,email:a@b,uri:urn:x,upn:u@x,"
				"directoryName:CN=y,registeredId:1.2.3";

/* ---- without rules ---- */

static void
without_rules_the_octets_pass_as_they_came(void **state)
{
	(void)state;
	ask("C=CH,O=Example,OU=a,OU=b,CN=device,emailAddress=a@b", all_names);
	assert_int_equal(apply(), FIELD_OK);
	assert_true(octets_equal(buffer_octets(&subject), csr.subject));
	assert_true(octets_equal(buffer_octets(&san), csr.san));
	ask_raw("1.2.840.113549.1.9.8", V_ASN1_T61STRING, "\xfc", 1); /* unstructuredAddress */
	csr.san = octets_of(NULL, 0);
	assert_int_equal(apply(), FIELD_OK);
	assert_true(octets_equal(buffer_octets(&subject), csr.subject));
	assert_int_equal(san.len, 0);
}

static void
an_empty_subject_needs_a_san(void **state)
{
	(void)state;
	ask("", "dns:a");
	assert_given("", "DNS:a");
	ask("", "");
	assert_refused("subject: required");
	ask_name(DER_CONTEXT(3), "\x30\0", 2); /* dropped, so nothing is left */
	assert_refused("subject: required");
}

static void
malformed_empty_and_unprintable_values_are_refused(void **state)
{
	static const struct {
		int tag;
		const char *value;
		size_t len;
	} bad[] = {{DER_UTF8_STRING, "\xff", 1}, {DER_UTF8_STRING, "a\0b", 3},
	    {DER_UTF8_STRING, "a\nb", 3}, {DER_UTF8_STRING, "", 0},
	    {DER_PRINTABLE_STRING, "\xe4", 1}, {DER_IA5_STRING, "a\x7f", 2},
	    {V_ASN1_BMPSTRING, "\0a\0", 3}, {V_ASN1_BMPSTRING, "\0\n", 2},
	    {V_ASN1_T61STRING, "\x85", 1}, {V_ASN1_UNIVERSALSTRING, "\0\0a", 3},
	    {V_ASN1_UNIVERSALSTRING, "\0\x11\0\0", 4}, {DER_INTEGER, "\1", 1}, {DER_NULL, "", 0},
	    {DER_BOOLEAN, "\xff", 1}, {DER_OID, "\x2a", 1}, {DER_SEQUENCE, "", 0},
	    {DER_OCTET_STRING, "abc", 3}, {DER_BIT_STRING, "\0a", 2},
	    {DER_CONTEXT_PRIM(1), "abc", 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_raw("2.5.4.3", bad[i].tag, bad[i].value, bad[i].len);
		assert_int_equal(apply(), FIELD_REFUSED);
		assert_int_equal(strncmp(text.line, "subject", 7), 0);
	}
	ask_raw("1.2.3.4", DER_UTF8_STRING, "\n", 1);
	assert_refused("subject.1.2.3.4: a control character in it");
	ask_raw("2.5.4.3", DER_UTF8_STRING, "good", 4);
	assert_given("CN=good", "");
}

static void
a_value_has_at_most_2048_octets(void **state)
{
	char value[2049];

	(void)state;
	memset(value, 'x', sizeof(value));
	ask_raw("2.5.4.3", DER_UTF8_STRING, value, 2048);
	assert_int_equal(apply(), FIELD_OK);
	ask_raw("2.5.4.3", DER_UTF8_STRING, value, 2049);
	assert_refused("subject.commonName: too long");
}

static void
a_printable_string_with_other_characters_becomes_the_utf8string_it_could_be(void **state)
{
	struct name_view *v;

	(void)state;
	ask_raw("2.5.4.3", DER_PRINTABLE_STRING, "a_b@c*", 6);
	assert_given("CN=a_b@c*", "");
	assert_true(name_parse(buffer_octets(&subject), &v, &why));
	assert_int_equal(name_get0(v, 0)->tag, DER_UTF8_STRING);
	name_free(v);
	ask_raw("2.5.4.3", DER_PRINTABLE_STRING, "a-b", 3);
	assert_int_equal(apply(), FIELD_OK);
	assert_true(octets_equal(buffer_octets(&subject), csr.subject));
}

static void
a_subject_that_is_no_name_is_refused(void **state)
{
	(void)state;
	csr.subject = octets_of("\x30\x02\x31\0", 4);
	assert_refused("subject: malformed");
	csr.subject = octets_of("\x31\0", 2);
	assert_refused("subject: malformed");
	csr.subject = octets_of(NULL, 0);
	assert_refused("subject: malformed");
}

static void
a_subject_in_ber_comes_out_in_der(void **state)
{
	struct buffer ber = {0}, rdns = {0}, expected = {0};

	(void)state;
	ask("O=o,CN=c", "");
	buffer_append(&expected, csr.subject.data, csr.subject.len);
	buffer_append(&rdns, csr.subject.data + 2, csr.subject.len - 2);
	pki_wrap_indefinite(&ber, DER_SEQUENCE, &rdns);
	csr.subject = buffer_octets(&ber);
	assert_int_equal(apply(), FIELD_OK);
	assert_true(octets_equal(buffer_octets(&subject), buffer_octets(&expected)));
	buffer_free(&ber);
	buffer_free(&expected);
}

static void
san_values_are_checked(void **state)
{
	static const struct {
		int tag;
		const char *content;
		size_t len;
		const char *field;
	} bad[] = {{DER_CONTEXT_PRIM(2), "a b", 3, "san.dns: "},
	    {DER_CONTEXT_PRIM(2), "", 0, "san.dns: "}, {DER_CONTEXT_PRIM(2), "a\0", 2, "san.dns: "},
	    {DER_CONTEXT_PRIM(1), "a\n", 2, "san.email: "},
	    {DER_CONTEXT_PRIM(6), "x y:", 4, "san.uri: "},
	    {DER_CONTEXT_PRIM(6), "x", 1, "san.uri: "},
	    {DER_CONTEXT_PRIM(7), "12345", 5, "san.ip: "}, {DER_CONTEXT_PRIM(7), "", 0, "san.ip: "},
	    {DER_CONTEXT(4), "\x30\0", 2, "san.directoryName: "},
	    {DER_CONTEXT(4), "\x30\x02\x31\0", 4, "san.directoryName: "},
	    {DER_CONTEXT(0), "\x06\x0a\x2b\6\1\4\1\x82\x37\x14\2\3\xa0\2\x0c\0", 16, "san.upn: "},
	    {DER_CONTEXT(0), "\x06\x0a\x2b\6\1\4\1\x82\x37\x14\2\3\xa0\3\x16\1a", 17, "san.upn: "}};

	(void)state;
	ask("CN=x", "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_name(bad[i].tag, bad[i].content, bad[i].len);
		assert_int_equal(apply(), FIELD_REFUSED);
		assert_int_equal(strncmp(text.line, bad[i].field, strlen(bad[i].field)), 0);
	}
	csr.san = octets_of("\x30\0", 2);
	assert_refused("san: malformed");
	csr.san = octets_of("\x30\2\x89\0", 4);
	assert_refused("san: malformed");
}

static void
san_types_not_supported_are_dropped_or_refused_as_the_profile_says(void **state)
{
	struct buffer names = {0};

	(void)state;
	ask("CN=x", "");
	pki_tlv(&names, DER_CONTEXT_PRIM(2), "a", 1);
	pki_tlv(&names, DER_CONTEXT(3), "\x30\0", 2);
	pki_tlv(&names, DER_CONTEXT(0), "\6\1\x2a\xa0\2\5\0", 7);
	pki_tlv(&names, DER_CONTEXT_PRIM(2), "b", 1);
	buffer_free(&asked_san);
	pki_wrap(&asked_san, DER_SEQUENCE, &names);
	csr.san = buffer_octets(&asked_san);
	assert_given("CN=x", "DNS:a, DNS:b");
	rules.refuse_extra = true;
	assert_refused("san.other: not allowed");
}

/* ---- with rules ---- */

static void
what_no_rule_names_is_dropped_or_refused_as_the_profile_says(void **state)
{
	(void)state;
	RULES(ASKED("subject.commonName", true, false), ASKED("san.dns", false, true));
	ask("O=x,CN=device", "dns:a,ip:1.2.3.4,dns:b");
	assert_given("CN=device", "DNS:a, DNS:b");
	rules.refuse_extra = true;
	assert_refused("subject.organization: not allowed");
	ask("CN=device", "dns:a,ip:1.2.3.4");
	assert_refused("san.ip: not allowed");
	ask("CN=device", "dns:a");
	assert_int_equal(apply(), FIELD_OK);
	assert_true(octets_equal(buffer_octets(&subject), csr.subject));
	ask_raw("1.2.3.4", DER_UTF8_STRING, "x", 1);
	assert_refused("subject.1.2.3.4: not allowed");
}

static void
a_required_field_that_is_missing_is_refused(void **state)
{
	(void)state;
	RULES(ASKED("subject.commonName", true, false), ASKED("san.dns", true, false));
	ask("O=x", "dns:a");
	assert_refused("subject.commonName: required");
	ask("CN=x", "ip:1.2.3.4");
	assert_refused("san.dns: required");
	ask("CN=x", "");
	assert_refused("san.dns: required");
	ask("CN=x", "dns:a");
	assert_given("CN=x", "DNS:a");
}

static void
a_field_asked_for_twice_needs_a_rule_for_several(void **state)
{
	(void)state;
	RULES(ASKED("subject.organizationalUnit", false, false), ASKED("san.dns", false, false));
	ask("OU=a,OU=b", "dns:a");
	assert_refused("subject.organizationalUnit: more than one");
	ask("OU=a", "dns:a,dns:b");
	assert_refused("san.dns: more than one");
	RULES(ASKED("subject.organizationalUnit", false, true), ASKED("san.dns", false, true));
	ask("OU=a,OU=b", "dns:a,dns:b");
	assert_given("OU=b,OU=a", "DNS:a, DNS:b");
}

static void
the_order_asked_for_is_kept_and_fixed_values_stand_behind_in_the_order_of_their_rules(void **state)
{
	(void)state;
	RULES(FIXED("subject.organization", "Example, Inc."),
	    ASKED("subject.commonName", true, false), FIXED("subject.country", "CH"),
	    ASKED("subject.locality", false, false), FIXED("san.uri", "urn:fixed"),
	    ASKED("san.dns", false, false));
	ask("O=other,L=Bern,CN=device", "dns:a,uri:urn:asked");
	assert_given("C=CH,O=Example\\, Inc.,CN=device,L=Bern", "DNS:a, URI:urn:fixed");
	rules.refuse_extra = true; /* a field that is fixed is no extra one */
	assert_given("C=CH,O=Example\\, Inc.,CN=device,L=Bern", "DNS:a, URI:urn:fixed");
	ask("CN=device", "");
	assert_given("C=CH,O=Example\\, Inc.,CN=device", "URI:urn:fixed");
}

static void
a_field_both_asked_for_and_fixed_has_both(void **state)
{
	(void)state;
	RULES(ASKED("subject.organizationalUnit", false, false),
	    FIXED("subject.organizationalUnit", "fixed"));
	ask("OU=asked", "");
	assert_given("OU=fixed,OU=asked", "");
}

static void
a_fixed_value_alone_makes_a_subject(void **state)
{
	(void)state;
	RULES(FIXED("subject.commonName", "kiosk"));
	ask("", "");
	assert_given("CN=kiosk", "");
}

static void
a_fixed_value_that_does_not_fit_its_type_is_our_fault(void **state)
{
	static const struct field_rule bad[] = {FIXED("subject.country", "Switzerland"),
	    FIXED("subject.commonName", ""), FIXED("subject.commonName", "a\nb"),
	    FIXED("subject.serialNumber", "a@b"), FIXED("san.ip", "x"), FIXED("san.uri", "x"),
	    FIXED("san.dns", "")};

	(void)state;
	ask("CN=x", "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rules.rules = &bad[i];
		rules.count = 1;
		assert_int_equal(apply(), FIELD_FAULT);
		assert_non_null(strstr(why.line, bad[i].type));
	}
}

static void
an_rdn_of_two_attributes_loses_one_and_stays(void **state)
{
	struct buffer rdn = {0}, rdns = {0}, attribute = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		pki_oid(&attribute, i == 0 ? "2.5.4.3" : "2.5.4.11");
		pki_tlv_string(&attribute, DER_UTF8_STRING, "x");
		pki_wrap(&rdn, DER_SEQUENCE, &attribute);
	}
	pki_wrap(&rdns, DER_SET, &rdn);
	pki_wrap(&asked_subject, DER_SEQUENCE, &rdns);
	csr.subject = buffer_octets(&asked_subject);
	assert_given("CN=x+OU=x", "");
	RULES(ASKED("subject.commonName", false, false), FIXED("subject.organization", "o"));
	assert_given("O=o,CN=x", "");
	RULES(ASKED("subject.commonName", false, false), ASKED("subject.organizationalUnit", 0, 0),
	    FIXED("subject.organization", "o"));
	assert_given("O=o,CN=x+OU=x", "");
}

static void
the_known_types_of_rules_are_known_and_no_others(void **state)
{
	static const char *const known[] = {"subject.commonName", "subject.organization",
	    "subject.organizationalUnit", "subject.locality", "subject.state", "subject.country",
	    "subject.serialNumber", "subject.email", "subject.userId", "subject.domainComponent",
	    "subject.title", "subject.givenName", "subject.surname", "subject.unstructuredName",
	    "san.dns", "san.ip", "san.email", "san.uri", "san.upn", "san.directoryName",
	    "san.registeredId"};
	static const char *const unknown[] = {"", "subject", "subject.", "subject.CN", "san.",
	    "san.other", "commonName", "subject.commonname", "dns"};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_true(field_type_is_known(known[i]));
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_false(field_type_is_known(unknown[i]));
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, reset, reset)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FRESH(without_rules_the_octets_pass_as_they_came),
	    FRESH(an_empty_subject_needs_a_san),
	    FRESH(malformed_empty_and_unprintable_values_are_refused),
	    FRESH(a_value_has_at_most_2048_octets),
	    FRESH(a_printable_string_with_other_characters_becomes_the_utf8string_it_could_be),
	    FRESH(a_subject_that_is_no_name_is_refused),
	    FRESH(a_subject_in_ber_comes_out_in_der),
	    FRESH(san_values_are_checked),
	    FRESH(san_types_not_supported_are_dropped_or_refused_as_the_profile_says),
	    FRESH(what_no_rule_names_is_dropped_or_refused_as_the_profile_says),
	    FRESH(a_required_field_that_is_missing_is_refused),
	    FRESH(a_field_asked_for_twice_needs_a_rule_for_several),
	    FRESH(
		the_order_asked_for_is_kept_and_fixed_values_stand_behind_in_the_order_of_their_rules),
	    FRESH(a_field_both_asked_for_and_fixed_has_both),
	    FRESH(a_fixed_value_alone_makes_a_subject),
	    FRESH(a_fixed_value_that_does_not_fit_its_type_is_our_fault),
	    FRESH(an_rdn_of_two_attributes_loses_one_and_stays),
	    FRESH(the_known_types_of_rules_are_known_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
