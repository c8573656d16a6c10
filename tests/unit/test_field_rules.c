/* test_field_rules.c: each source of a field, with its pattern and length; values given with the enrolment, and their renewal. */
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
#include "pki/identity.h"
#include "pki/name.h"
#include "pki/san.h"

static struct csr csr;
static struct buffer asked_subject, asked_san, subject, san, out;
static struct errbuf why, text;
static struct field_rule rule[8];
static struct field_rules rules = {.rules = rule};
static struct field_value given[8];
static int given_count;
static struct pattern *patterns[8];
static int pattern_count;

static int
reset(void **state)
{
	struct buffer *all[] = {&asked_subject, &asked_san, &subject, &san, &out};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buffer_free(all[i]);
	while (pattern_count > 0)
		pattern_free(patterns[--pattern_count]);
	memset(&csr, 0, sizeof(csr));
	rules = (struct field_rules){.rules = rule};
	given_count = 0;
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

static void
give(const char *type, const char *value)
{
	snprintf(given[given_count].type, sizeof(given[0].type), "%s", type);
	snprintf(given[given_count++].value, sizeof(given[0].value), "%s", value);
}

static struct field_rule *
add(const char *type, enum field_source source)
{
	struct field_rule *r = &rule[rules.count++];

	*r = (struct field_rule){.source = source};
	snprintf(r->type, sizeof(r->type), "%s", type);
	return r;
}

static struct pattern *
compile(const char *expression)
{
	assert_true(pattern_compile(expression, &patterns[pattern_count], &why));
	return patterns[pattern_count++];
}

static enum field_rc
apply(void)
{
	buffer_free(&subject);
	buffer_free(&san);
	memset(&why, 0, sizeof(why));
	memset(&text, 0, sizeof(text));
	return fields_apply(&rules, &csr, given, given_count, &subject, &san, &why, &text);
}

static void
assert_refused(const char *expected)
{
	assert_int_equal(apply(), FIELD_REFUSED);
	assert_string_equal(text.line, expected);
	assert_non_null(strstr(why.line, expected));
	assert_int_equal(subject.len + san.len, 0);
}

static void
assert_given(const char *name, const char *names)
{
	if (apply() != FIELD_OK)
		fail_msg("%s", why.line);
	buffer_free(&out);
	assert_true(name_to_text(buffer_octets(&subject), &out));
	assert_string_equal(buffer_string(&out), name);
	buffer_free(&out);
	if (san.len > 0)
		assert_true(san_to_text(buffer_octets(&san), &out));
	assert_string_equal(buffer_string(&out), names);
}

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
