/* test_doctor_caps.c: what scepctl doctor finds in a list of capabilities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/doctor_world.h"

static struct doctor d;

static int
heal(void **state)
{
	(void)state;
	doctor_healthy(&d);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	doctor_free(&d);
	return 0;
}

static void
set_caps(const char *text)
{
	doctor_set_text(&d, DOCTOR_ASK_CAPS, 200, "text/plain", text);
	scep_capabilities_parse(octets_of_string(text), &d.capabilities);
}

static void
no_list_is_one_failure(void **state)
{
	static const char *const others[] = {"caps-content-type", "caps-spelling",
	    "caps-empty-line", "caps-post", "caps-sha256", "caps-aes", "caps-sha384-strongswan",
	    "caps-standard", "renewal-advertised", "legacy-clients"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			doctor_set_text(&d, DOCTOR_ASK_CAPS, 404, "text/html", "<p>");
		else
			set_caps("");
		doctor_assert(
		    &d, "caps-answer", DOCTOR_FAILURE, i == 0 ? "404" : "the list is empty");
		for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++)
			doctor_assert(&d, others[j], DOCTOR_SKIPPED, "");
	}
}

static void
the_type_of_the_list_is_text(void **state)
{
	(void)state;
	d.answers[DOCTOR_ASK_CAPS].http.content_type[0] = '\0';
	doctor_assert(&d, "caps-content-type", DOCTOR_WARNING, "of no type");
	doctor_set_text(&d, DOCTOR_ASK_CAPS, 200, "application/x-pki-message", "AES\n");
	doctor_assert(&d, "caps-content-type", DOCTOR_WARNING, "application/x-pki-message");
	doctor_set_text(&d, DOCTOR_ASK_CAPS, 200, "Text/Plain; charset=utf-8", "AES\n");
	doctor_assert(&d, "caps-content-type", DOCTOR_OK, "");
}

static void
keywords_have_their_case(void **state)
{
	(void)state;
	set_caps("AES\r\nSomething-New\r\nSHA-256\r\n");
	doctor_assert(&d, "caps-spelling", DOCTOR_OK, "");
	set_caps("AES\nSha-256\n");
	doctor_assert(&d, "caps-spelling", DOCTOR_WARNING, "\"Sha-256\" is written SHA-256");
	set_caps("POSTPKIOPERATION");
	doctor_assert(&d, "caps-spelling", DOCTOR_WARNING, "written POSTPKIOperation");
}

static void
an_empty_line_is_found_wherever_it_is(void **state)
{
	(void)state;
	set_caps("AES\r\nSHA-256");
	doctor_assert(&d, "caps-empty-line", DOCTOR_OK, "");
	set_caps("\nAES\n");
	doctor_assert(&d, "caps-empty-line", DOCTOR_WARNING, "");
	set_caps("AES\r\n\r\nSHA-256\r\n");
	doctor_assert(&d, "caps-empty-line", DOCTOR_WARNING, "");
	set_caps("AES\n\n");
	doctor_assert(&d, "caps-empty-line", DOCTOR_WARNING, "");
	doctor_assert_clients(&d, "caps-empty-line", DOCTOR_STRONGSWAN);
}

static void
each_keyword_that_is_missing_has_its_check(void **state)
{
	static const struct {
		const char *check, *without;
		enum doctor_result result;
	} cases[] = {
	    {"caps-post", "AES\nSHA-256\n", DOCTOR_FAILURE},
	    {"caps-sha256", "AES\nPOSTPKIOperation\nSHA-1\n", DOCTOR_FAILURE},
	    {"caps-aes", "DES3\nPOSTPKIOperation\nSHA-256\n", DOCTOR_FAILURE},
	    {"caps-sha384-strongswan", "SCEPStandard\nSHA-512\n", DOCTOR_WARNING},
	    {"caps-standard", "AES\nPOSTPKIOperation\nSHA-256\n", DOCTOR_WARNING},
	    {"renewal-advertised", "SCEPStandard\n", DOCTOR_WARNING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_caps("AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSCEPStandard\n");
		doctor_assert(&d, cases[i].check, DOCTOR_OK, "");
		set_caps(cases[i].without);
		doctor_assert(&d, cases[i].check, cases[i].result, "");
	}
	/* What SCEPStandard implies needs no line of its own. */
	set_caps("SCEPStandard\n");
	doctor_assert(&d, "caps-post", DOCTOR_OK, "");
	doctor_assert(&d, "caps-sha256", DOCTOR_OK, "");
	doctor_assert(&d, "caps-aes", DOCTOR_OK, "");
}

static void
little_for_old_devices_is_told_and_broken_algorithms_are_warned_of(void **state)
{
	(void)state;
	set_caps("SCEPStandard\n");
	doctor_assert(&d, "legacy-clients", DOCTOR_OK, "SHA-1 and DES3 are not offered");
	set_caps("SCEPStandard\nSHA-1\n");
	doctor_assert(&d, "legacy-clients", DOCTOR_OK, "DES3 is not offered");
	set_caps("SCEPStandard\nDES3\n");
	doctor_assert(&d, "legacy-clients", DOCTOR_OK, "SHA-1 is not offered");
	set_caps("SCEPStandard\nDES3\nSHA-1\n");
	doctor_assert(&d, "legacy-clients", DOCTOR_OK, "for old devices");
	set_caps("SCEPStandard\nMD5\nDES\n");
	doctor_assert(&d, "legacy-clients", DOCTOR_WARNING, "MD5 DES are offered");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, heal, forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(no_list_is_one_failure),
	    CASE(the_type_of_the_list_is_text),
	    CASE(keywords_have_their_case),
	    CASE(an_empty_line_is_found_wherever_it_is),
	    CASE(each_keyword_that_is_missing_has_its_check),
	    CASE(little_for_old_devices_is_told_and_broken_algorithms_are_warned_of),
	};

	return cmocka_run_group_tests(tests, doctor_world_open, doctor_world_close);
}
