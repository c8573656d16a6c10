/* test_issue_rules.c: what a profile's rules make of a certificate: its end, extensions, values by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/der.h"
#include "pki/certificate.h"
#include "tests/unit/issue_fixture.h"

/* ---- the end ---------------------------------------------------------------------------------------------------------------- */

static void
certificates_end_at_the_profiles_date_and_none_is_issued_behind_it(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	int64_t end = clock_now() + 10 * DAY;
	struct certificate made;

	(void)state;
	c.not_after = end;
	rooms_set(&rooms, &c);
	must_issue(pki_ec_key(), "CN=a");
	assert_true(certificate_parse(buffer_octets(&result.certificate), &made, &rooms.why));
	assert_int_equal(made.not_after, end);
	certificate_free(&made);
	clock_move(10 * DAY);
	assert_int_equal(issue_for(pki_ec_key(), "CN=b"), ISSUE_REFUSED);
	assert_non_null(strstr(result.text.line, "the certificates of this profile ended at"));
	assert_true(result.ours);
	assert_int_equal(rooms_count(&rooms, "certificate WHERE subject = 'CN=b'"), 0);
	clock_move(0);
}

static void
the_ca_ends_them_earlier(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct certificate made;

	(void)state;
	c.not_after = clock_now() + 36500LL * DAY;
	rooms_set(&rooms, &c);
	must_issue(pki_ec_key(), "CN=a");
	assert_true(certificate_parse(buffer_octets(&result.certificate), &made, &rooms.why));
	assert_int_equal(made.not_after, rooms_profile(&rooms)->authorities[0].chain[0].not_after);
	certificate_free(&made);
}

/* ---- Microsoft's extensions ------------------------------------------------------------------------------------------------- */

#define SID "S-1-5-21-1004336348-1177238915-682003330-512"

static struct csr
csr_with_sid(void)
{
	struct buffer attributes = {0}, extensions = {0}, value = {0}, octets = {0}, name = {0};
	struct buffer der = {0};
	struct csr csr;

	pki_tlv_string(&octets, DER_OCTET_STRING, SID);
	pki_oid(&name, "1.3.6.1.4.1.311.25.2.1");
	pki_wrap(&name, DER_CONTEXT(0), &octets);
	pki_wrap(&octets, DER_CONTEXT(0), &name);
	pki_wrap(&value, DER_SEQUENCE, &octets);
	pki_extension(&extensions, "1.3.6.1.4.1.311.25.2", &value);
	pki_wrap(&value, DER_SEQUENCE, &extensions);
	pki_attribute(&attributes, PKI_EXTENSION_REQUEST, &value);
	pki_csr(&der, pki_ec_key(), "CN=x", &attributes);
	if (!csr_parse(der.data, der.len, &csr, &rooms.why))
		fail_msg("%s", rooms.why.line);
	buffer_free(&der);
	return csr;
}

static bool
has_sid(void)
{
	return memmem(result.certificate.data, result.certificate.len, SID, strlen(SID)) != NULL;
}

static void
the_sid_is_in_the_certificate_where_the_profile_says_so(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	(void)state;
	assert_int_equal(issue_csr(csr_with_sid()), ISSUE_DONE);
	assert_false(has_sid());
	c.microsoft_sid = 1;
	rooms_set(&rooms, &c);
	assert_int_equal(issue_csr(csr_with_sid()), ISSUE_DONE);
	assert_true(has_sid());
	c.microsoft_sid = 0;
	c.refuse_extensions = 1;
	rooms_set(&rooms, &c);
	assert_int_equal(issue_csr(csr_with_sid()), ISSUE_REFUSED);
	assert_string_equal(result.text.line, "microsoftSid: not allowed");
}

/* ---- values by hand --------------------------------------------------------------------------------------------------------- */

static void
values_by_hand_are_in_the_certificate_and_in_its_renewal(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	const struct field_row fields[] = {
	    {.type = "subject.commonName", .source = "scepRequest", .required = true},
	    {.type = "subject.title", .source = "manual", .required = true, .pattern = "[A-Z]+"}};

	(void)state;
	c.fields = fields;
	c.field_count = 2;
	rooms_set(&rooms, &c);
	must_refuse(pki_ec_key(), "CN=x,title=ASKED", "subject.title: required");
	snprintf(manual[0].type, sizeof(manual[0].type), "subject.title");
	snprintf(manual[0].value, sizeof(manual[0].value), "lower");
	manual_count = 1;
	must_refuse(pki_ec_key(), "CN=x", "subject.title: not of the form that is wanted here");
	snprintf(manual[0].value, sizeof(manual[0].value), "GIVEN");
	must_issue(pki_ec_key(), "CN=x");
	assert_string_equal(buffer_string(&result.subject), "title=GIVEN,CN=x");
	predecessor_id = row_of(result.serial, NULL);
	manual_count = 0;
	must_issue(pki_ec_key(), "CN=x");
	assert_string_equal(buffer_string(&result.subject), "title=GIVEN,CN=x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		certificates_end_at_the_profiles_date_and_none_is_issued_behind_it, setup,
		teardown),
	    cmocka_unit_test_setup_teardown(the_ca_ends_them_earlier, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_sid_is_in_the_certificate_where_the_profile_says_so, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		values_by_hand_are_in_the_certificate_and_in_its_renewal, setup, teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(getenv("SCEP_TEST_CLOCK"));
	pki_free_keys();
	return failed;
}
