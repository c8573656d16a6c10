/* test_field_rules.c: each source of a field; values given with the enrolment, and their renewal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/asn1.h>

#include "pki/identity.h"
#include "pki/san.h"
#include "tests/unit/field_fixture.h"

static const char *const subject_fields[] = {"subject.commonName", "subject.organization",
    "subject.organizationalUnit", "subject.locality", "subject.state", "subject.country",
    "subject.serialNumber", "subject.email", "subject.userId", "subject.domainComponent",
    "subject.title", "subject.givenName", "subject.surname", "subject.unstructuredName"};
static const char *const san_fields[][2] = {{"san.dns", "a.example"}, {"san.ip", "192.0.2.1"},
    {"san.ip", "2001:db8::1"}, {"san.email", "a@b.example"}, {"san.uri", "urn:x"},
    {"san.upn", "u@x.example"}, {"san.directoryName", "O=o,CN=n"}, {"san.registeredId", "1.2.3"}};
#define SUBJECT_FIELDS (sizeof(subject_fields) / sizeof(subject_fields[0]))
#define SAN_FIELDS     (sizeof(san_fields) / sizeof(san_fields[0]))

/* ---- every field, from each source ------------------------------------------------------------------------------------------ */

static int
tag_of(struct octets name)
{
	struct name_view *v;
	int tag;

	assert_true(name_parse(name, &v, &why));
	assert_int_equal(name_count(v), 1);
	tag = name_get0(v, 0)->tag;
	name_free(v);
	return tag;
}

static void
every_subject_field_comes_from_each_source_in_its_string_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < SUBJECT_FIELDS; i++) {
		const char *field = subject_fields[i];
		bool printable = strcmp(field, "subject.country") == 0 ||
				 strcmp(field, "subject.serialNumber") == 0;
		bool ia5 = strcmp(field, "subject.email") == 0 ||
			   strcmp(field, "subject.domainComponent") == 0;
		int want = printable ? V_ASN1_PRINTABLESTRING
			   : ia5     ? V_ASN1_IA5STRING
				     : V_ASN1_UTF8STRING;

		assert_true(field_type_is_known(field));
		for (int source = FIELD_SCEP_REQUEST; source <= FIELD_MANUAL; source++) {
			struct buffer asked = {0};

			reset(NULL);
			buffer_append_format(&asked, "%s=CH", name_type_of_field(field)->keyword);
			ask(source == FIELD_SCEP_REQUEST ? buffer_string(&asked) : "", "");
			snprintf(add(field, (enum field_source)source)->value, 8, "CH");
			if (source == FIELD_MANUAL)
				give(field, "CH");
			assert_given(buffer_string(&asked), "");
			assert_int_equal(tag_of(buffer_octets(&subject)), want);
			buffer_free(&asked);
		}
	}
	assert_false(field_type_is_known("subject.dnQualifierX"));
	assert_false(field_type_is_known("san.other"));
}

static void
every_san_field_comes_from_each_source(void **state)
{
	struct buffer first = {0};

	(void)state;
	for (size_t i = 0; i < SAN_FIELDS; i++) {
		for (int source = FIELD_SCEP_REQUEST; source <= FIELD_MANUAL; source++) {
			struct buffer asked = {0};

			reset(NULL);
			ask("CN=x", "");
			assert_true(san_name_from_text(
			    san_kind_of_field(san_fields[i][0]), san_fields[i][1], &asked, &why));
			assert_true(san_wrap(buffer_octets(&asked), &asked_san));
			if (source == FIELD_SCEP_REQUEST)
				csr.san = buffer_octets(&asked_san);
			add("subject.commonName", FIELD_SCEP_REQUEST);
			snprintf(add(san_fields[i][0], (enum field_source)source)->value, 64, "%s",
			    san_fields[i][1]);
			if (source == FIELD_MANUAL)
				give(san_fields[i][0], san_fields[i][1]);
			assert_int_equal(apply(), FIELD_OK);
			if (source == FIELD_SCEP_REQUEST) {
				buffer_free(&first);
				buffer_append(&first, san.data, san.len);
			}
			assert_true(octets_equal(buffer_octets(&san), buffer_octets(&first)));
			buffer_free(&asked);
		}
	}
	buffer_free(&first);
}

static void
a_field_may_have_a_rule_of_each_source(void **state)
{
	(void)state;
	add("subject.commonName", FIELD_SCEP_REQUEST);
	add("subject.organizationalUnit", FIELD_SCEP_REQUEST);
	add("subject.organizationalUnit", FIELD_MANUAL);
	snprintf(add("subject.organizationalUnit", FIELD_FIXED)->value, 8, "fixed");
	ask("OU=asked,CN=x", "");
	give("subject.organizationalUnit", "given");
	assert_given("OU=fixed,OU=given,CN=x,OU=asked", "");
	given_count = 0;
	assert_given("OU=fixed,CN=x,OU=asked", "");
	ask("CN=x", "");
	assert_given("OU=fixed,CN=x", "");
}

/* So that a certificate's names, asked for again, are the same again. */
static void
what_is_asked_for_and_set_too_is_there_once(void **state)
{
	(void)state;
	add("subject.commonName", FIELD_SCEP_REQUEST);
	add("subject.organizationalUnit", FIELD_SCEP_REQUEST);
	snprintf(add("subject.organizationalUnit", FIELD_FIXED)->value, 8, "fixed");
	add("san.dns", FIELD_SCEP_REQUEST);
	snprintf(add("san.dns", FIELD_FIXED)->value, 8, "f.test");
	add("san.dns", FIELD_MANUAL)->multiple = true;
	ask("CN=x,OU=asked,OU=fixed", "dns:g.test,dns:a.test,dns:f.test");
	give("san.dns", "g.test");
	give("san.dns", "h.test");
	assert_given("OU=fixed,OU=asked,CN=x", "DNS:g.test, DNS:a.test, DNS:f.test, DNS:h.test");
	/* One of its own is allowed, two are not. */
	ask("CN=x,OU=asked,OU=fixed,OU=more", "");
	assert_refused("subject.organizationalUnit: more than one");
	ask("CN=x", "dns:a.test,dns:b.test,dns:f.test");
	assert_refused("san.dns: more than one");
}

/* ---- values given with the enrolment ---------------------------------------------------------------------------------------- */

static void
a_value_by_hand_has_to_be_there_where_it_is_required(void **state)
{
	(void)state;
	add("subject.commonName", FIELD_SCEP_REQUEST);
	add("subject.title", FIELD_MANUAL)->required = true;
	ask("CN=x", "");
	assert_refused("subject.title: required");
	ask("CN=x,title=asked", "");
	assert_refused("subject.title: required");
	give("subject.title", "given");
	assert_given("title=given,CN=x", "");
	rules.refuse_extra = true; /* what the enrolment says is no extra field */
	assert_given("title=given,CN=x", "");
}

static void
a_value_by_hand_without_a_rule_is_left_out(void **state)
{
	(void)state;
	add("subject.commonName", FIELD_SCEP_REQUEST);
	ask("CN=x", "");
	give("subject.title", "given");
	assert_given("CN=x", "");
	rules.count = 0;
	assert_given("CN=x", "");
}

static void
a_value_by_hand_that_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *field, *value, *wrong;
	} bad[] = {
	    {"subject.country", "Switzerland", "not a country code"},
	    {"subject.serialNumber", "a_b", "PrintableString"},
	    {"subject.email", "\xc3\xa4@b", "ASCII"},
	    {"subject.title", "a\nb", "control character"},
	    {"subject.title", "", "empty"},
	    {"san.ip", "1.2.3", "4 or 16"},
	    {"san.uri", "x", "no scheme"},
	    {"san.dns", "a b", "visible ASCII"},
	    {"san.directoryName", "XX=y", "want CN="},
	    {"san.directoryName", "", "empty"},
	    {"san.registeredId", "1.x", "empty"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct errbuf line = {0};

		reset(NULL);
		ask("CN=x", "");
		add(bad[i].field, FIELD_MANUAL);
		give(bad[i].field, bad[i].value);
		assert_int_equal(apply(), FIELD_REFUSED);
		assert_int_equal(strncmp(text.line, bad[i].field, strlen(bad[i].field)), 0);
		if (strstr(text.line, bad[i].wrong) == NULL)
			fail_msg("%s", text.line);
		assert_int_equal(
		    fields_check_manual(&rules, given, given_count, &line), FIELD_REFUSED);
		assert_string_equal(line.line, text.line);
	}
}

static void
what_goes_with_an_enrolment_is_checked_when_it_is_made(void **state)
{
	(void)state;
	add("subject.title", FIELD_MANUAL)->required = true;
	add("san.dns", FIELD_MANUAL);
	add("subject.commonName", FIELD_SCEP_REQUEST)->required = true;
	assert_int_equal(fields_check_manual(&rules, given, 0, &why), FIELD_REFUSED);
	assert_string_equal(why.line, "subject.title: required");
	give("subject.title", "t");
	assert_int_equal(fields_check_manual(&rules, given, 1, &why), FIELD_OK);
	give("san.dns", "a");
	assert_int_equal(fields_check_manual(&rules, given, 2, &why), FIELD_OK);
	give("san.dns", "b");
	assert_int_equal(fields_check_manual(&rules, given, 3, &why), FIELD_REFUSED);
	assert_string_equal(why.line, "san.dns: more than one");
	given_count = 1;
	give("subject.commonName", "x");
	assert_int_equal(fields_check_manual(&rules, given, 2, &why), FIELD_REFUSED);
	assert_string_equal(why.line, "subject.commonName: not a field that is given by hand");
}

/* Nobody gives them again: the certificate that is renewed says them. */
static void
a_renewal_has_the_values_by_hand_of_its_predecessor(void **state)
{
	struct buffer first = {0}, first_san = {0};

	(void)state;
	add("subject.commonName", FIELD_SCEP_REQUEST);
	add("subject.title", FIELD_MANUAL)->required = true;
	add("subject.organizationalUnit", FIELD_SCEP_REQUEST);
	add("subject.organizationalUnit", FIELD_MANUAL);
	add("san.ip", FIELD_MANUAL);
	add("san.directoryName", FIELD_MANUAL);
	ask("OU=asked,CN=x", "dns:a");
	give("subject.title", "T\xc3\xa4ter, 1st");
	give("subject.organizationalUnit", "given");
	give("san.ip", "2001:db8:0::1");
	give("san.directoryName", "O=Example\\, Inc.,CN=n");
	assert_int_equal(apply(), FIELD_OK);
	buffer_append(&first, subject.data, subject.len);
	buffer_append(&first_san, san.data, san.len);

	given_count =
	    fields_manual_of(&rules, buffer_octets(&first), buffer_octets(&first_san), given, 8);
	assert_int_equal(given_count, 5);
	assert_int_equal(apply(), FIELD_REFUSED); /* the OU asked for is among them: two */
	rule[3].multiple = true;
	assert_int_equal(apply(), FIELD_OK);
	assert_true(
	    identity_same_subject(buffer_octets(&first), buffer_octets(&subject), &rules, &why));
	csr.subject = buffer_octets(&first);
	csr.san = buffer_octets(&first_san);
	assert_int_equal(apply(), FIELD_OK);
	assert_true(octets_equal(buffer_octets(&first_san), buffer_octets(&san)));

	assert_int_equal(
	    fields_manual_of(&rules, buffer_octets(&first), octets_of("x", 1), given, 2), 2);
	assert_int_equal(
	    fields_manual_of(&rules, octets_of("x", 1), octets_of(NULL, 0), given, 8), 0);
	rules.count = 1;
	assert_int_equal(
	    fields_manual_of(&rules, buffer_octets(&first), octets_of(NULL, 0), given, 8), 0);
	buffer_free(&first);
	buffer_free(&first_san);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		every_subject_field_comes_from_each_source_in_its_string_type, reset, reset),
	    cmocka_unit_test_setup_teardown(every_san_field_comes_from_each_source, reset, reset),
	    cmocka_unit_test_setup_teardown(a_field_may_have_a_rule_of_each_source, reset, reset),
	    cmocka_unit_test_setup_teardown(
		what_is_asked_for_and_set_too_is_there_once, reset, reset),
	    cmocka_unit_test_setup_teardown(
		a_value_by_hand_has_to_be_there_where_it_is_required, reset, reset),
	    cmocka_unit_test_setup_teardown(
		a_value_by_hand_without_a_rule_is_left_out, reset, reset),
	    cmocka_unit_test_setup_teardown(
		a_value_by_hand_that_does_not_fit_is_refused, reset, reset),
	    cmocka_unit_test_setup_teardown(
		what_goes_with_an_enrolment_is_checked_when_it_is_made, reset, reset),
	    cmocka_unit_test_setup_teardown(
		a_renewal_has_the_values_by_hand_of_its_predecessor, reset, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
