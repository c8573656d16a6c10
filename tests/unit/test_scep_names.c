#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scep/scep.h"

static void
names_are_the_rfcs(void **state)
{
	(void)state;
	assert_string_equal(scep_message_type_name(17), "RenewalReq");
	assert_string_equal(scep_message_type_name(19), "PKCSReq");
	assert_string_equal(scep_message_type_name(20), "CertPoll");
	assert_string_equal(scep_message_type_name(21), "GetCert");
	assert_string_equal(scep_message_type_name(22), "GetCRL");
	assert_string_equal(scep_message_type_name(3), "CertRep");
	assert_string_equal(scep_message_type_name(18), "unknown");
	assert_string_equal(scep_pki_status_name(SCEP_PENDING), "PENDING");
	assert_string_equal(scep_pki_status_name((enum scep_pki_status)1), "unknown");
	assert_string_equal(scep_fail_info_name(SCEP_BAD_CERT_ID), "badCertId");
	assert_string_equal(scep_fail_info_name((enum scep_fail_info)9), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
