/* test_field_patterns.c: values of fields against patterns and lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/asn1.h>

#include "tests/unit/field_fixture.h"

/* ---- pattern and length ----------------------------------------------------------------------------------------------------- */

static void
a_pattern_is_matched_by_whole_values_of_any_string_type(void **state)
{
	static const struct {
		int tag;
		const char *value;
		size_t len;
	} good[] = {{V_ASN1_UTF8STRING,
			"d-\xc3\xa4"
			"1",
			5},
	    {V_ASN1_T61STRING,
		"d-\xe4"
		"1",
		4},
	    {V_ASN1_BMPSTRING, "\0d\0-\0\xe4\0001", 8},
	    {V_ASN1_UNIVERSALSTRING, "\0\0\0d\0\0\0-\0\0\0\xe4\0\0\0001", 16}};
	const struct name_type *type = name_type_of_field("subject.commonName");

	(void)state;
	add("subject.commonName", FIELD_SCEP_REQUEST)->pattern = compile("d-.[0-9]");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct name_attribute a = {.oid = type->oid,
		    .value = octets_of(good[i].value, good[i].len),
		    .tag = good[i].tag};

		buffer_free(&asked_subject);
		assert_true(name_encode(&a, 1, &asked_subject));
		csr.subject = buffer_octets(&asked_subject);
		assert_int_equal(apply(), FIELD_OK);
		assert_true(octets_equal(csr.subject, buffer_octets(&subject)));
	}
	ask("CN=d-12", "");
	assert_given("CN=d-12", "");
	ask("CN=d-123", "");
	assert_refused("subject.commonName: not of the form that is wanted here");
	ask("CN=xd-12", "");
	assert_refused("subject.commonName: not of the form that is wanted here");
}

static void
each_of_several_values_has_to_match(void **state)
{
	struct field_rule *r = add("san.dns", FIELD_SCEP_REQUEST);

	(void)state;
	r->multiple = true;
	r->pattern = compile("[a-z0-9-]+\\.example\\.org");
	ask("", "dns:a.example.org,dns:b-2.example.org");
	assert_given("", "DNS:a.example.org, DNS:b-2.example.org");
	ask("", "dns:a.example.org,dns:b.example.com");
	assert_refused("san.dns: not of the form that is wanted here");
}

static void
a_pattern_sees_the_usual_form_of_an_address_a_name_and_an_oid(void **state)
{
	static const struct {
		const char *field, *pattern, *good, *bad;
	} cases[] = {
	    {"san.ip", "10\\..*|2001:db8:.*", "ip:10.1.2.3", "ip:11.1.2.3"},
	    {"san.ip", "2001:db8::[0-9]+", "ip:2001:0db8:0::7", "ip:2001:db9::7"},
	    {"san.registeredId", "1\\.2\\..*", "registeredId:1.2.3", "registeredId:1.3.2"},
	    {"san.directoryName", "O=Example,CN=.+", "directoryName:O=Example\\,CN=x",
		"directoryName:CN=x\\,O=Example"},
	    {"san.upn", ".+@x\\.test", "upn:a@x.test", "upn:a@y.test"},
	    {"san.email", ".+@x\\.test", "email:a@x.test", "email:a@y.test"},
	    {"san.uri", "urn:x:.*", "uri:urn:x:1", "uri:urn:y:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset(NULL);
		add(cases[i].field, FIELD_SCEP_REQUEST)->pattern = compile(cases[i].pattern);
		ask("", cases[i].good);
		if (apply() != FIELD_OK)
			fail_msg("%s: %s", cases[i].good, why.line);
		ask("", cases[i].bad);
		assert_int_equal(apply(), FIELD_REFUSED);
	}
}

static void
length_is_in_characters(void **state)
{
	struct field_rule *r = add("subject.commonName", FIELD_SCEP_REQUEST);

	(void)state;
	r->min_length = 2;
	r->max_length = 3;
	ask("CN=\xc3\xa4\xc3\xb6\xc3\xbc", "");
	assert_int_equal(apply(), FIELD_OK);
	ask("CN=\xc3\xa4\xc3\xb6", "");
	assert_int_equal(apply(), FIELD_OK);
	ask("CN=\xc3\xa4", "");
	assert_refused("subject.commonName: too short");
	ask("CN=abcd", "");
	assert_refused("subject.commonName: too long");
}

static void
length_and_pattern_are_of_values_by_hand_too(void **state)
{
	struct field_rule *r = add("subject.title", FIELD_MANUAL);

	(void)state;
	ask("CN=x", "");
	add("subject.commonName", FIELD_SCEP_REQUEST);
	r->pattern = compile("[A-Z]+");
	r->max_length = 3;
	give("subject.title", "ABC");
	assert_given("title=ABC,CN=x", "");
	given_count = 0;
	give("subject.title", "abc");
	assert_refused("subject.title: not of the form that is wanted here");
	given_count = 0;
	give("subject.title", "ABCD");
	assert_refused("subject.title: too long");
}

static void
a_fixed_value_needs_no_match(void **state)
{
	struct field_rule *r = add("subject.organization", FIELD_SCEP_REQUEST);

	(void)state;
	r->pattern = compile("[a-z]+");
	snprintf(add("subject.organization", FIELD_FIXED)->value, 8, "FIXED");
	ask("O=asked", "");
	assert_given("O=FIXED,O=asked", "");
	ask("O=FIXED", "");
	assert_given("O=FIXED", "");
	ask("O=OTHER", "");
	assert_refused("subject.organization: not of the form that is wanted here");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_pattern_is_matched_by_whole_values_of_any_string_type, reset, reset),
	    cmocka_unit_test_setup_teardown(each_of_several_values_has_to_match, reset, reset),
	    cmocka_unit_test_setup_teardown(
		a_pattern_sees_the_usual_form_of_an_address_a_name_and_an_oid, reset, reset),
	    cmocka_unit_test_setup_teardown(length_is_in_characters, reset, reset),
	    cmocka_unit_test_setup_teardown(
		length_and_pattern_are_of_values_by_hand_too, reset, reset),
	    cmocka_unit_test_setup_teardown(a_fixed_value_needs_no_match, reset, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
