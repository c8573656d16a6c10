/* test_scepctl_conformance.c: what RFC 8894 demands of a client before and around its messages, of scepctl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fcgi-admin/cli/cli.h"
#include "tests/unit/scep_fake.h"
#include "tests/unit/scepctl_run.h"

#define ENROL "--subject CN=x --key-out @k --cert-out @c"

static struct scep_fake_parties all;

static int
setup(void **state)
{
	(void)state;
	scepctl_open();
	scep_fake_parties_make(&all);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scep_fake_parties_free(&all);
	scepctl_close();
	return 0;
}

/* Enrol with a server that says this in GetCACaps; how is what comes there. */
static void
assert_enrols(const char *capabilities, const char *type, const char *options, const char *how)
{
	struct scep_fake f = {
	    .ca = &all.ca, .ra = &all.ra, .capabilities = capabilities, .capabilities_type = type};

	scepctl_remove("k");
	scepctl_remove("c");
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("enrol", f.url, options), CLI_DONE);
	scep_fake_assert_how(&f, how);
	scep_fake_stop(&f);
}

/* RFC 8894 4.1 */
static void
messages_go_by_POST_where_that_is_offered_and_otherwise_escaped_by_GET(void **state)
{
	(void)state;
	assert_enrols(
	    "POSTPKIOperation\nAES\nSHA-256\n", NULL, ENROL, "POST SHA-256 AES-128-CBC\n");
	assert_enrols("SCEPStandard\n", NULL, ENROL, "POST SHA-256 AES-128-CBC\n");
	assert_enrols("AES\nSHA-256\n", NULL, ENROL, "GET escaped SHA-256 AES-128-CBC\n");
	assert_enrols("SCEPStandard\n", NULL, ENROL " --get", "GET escaped SHA-256 AES-128-CBC\n");
}

/* RFC 8894 3.5.2 */
static void
the_list_is_read_in_any_case_with_either_line_end_and_of_any_type(void **state)
{
	static const char how[] = "POST SHA-256 AES-128-CBC\n";

	(void)state;
	assert_enrols("scepstandard", NULL, ENROL, how);
	assert_enrols("aes\r\npostpkioperation\r\nsha-256\r\n", NULL, ENROL, how);
	assert_enrols("AES\nPOSTPKIOperation\r\nSHA-256", "application/octet-stream", ENROL, how);
	assert_enrols(
	    "Example.com-Coffee\nAES\nPOSTPKIOperation\n\nSHA-256\nAES256X\n", NULL, ENROL, how);
}

static void
a_server_without_a_list_is_taken_for_one_that_can_nothing_of_it(void **state)
{
	(void)state;
	assert_enrols("", NULL, ENROL, "GET escaped SHA-1 DES-EDE3-CBC\n");
	scepctl_assert_said("warning: the server offers no SHA-256");
	scepctl_assert_said("warning: the server offers no AES");
	assert_enrols("\n", NULL, ENROL, "GET escaped SHA-1 DES-EDE3-CBC\n");
	assert_enrols("Renewal\n", NULL, ENROL, "GET escaped SHA-1 DES-EDE3-CBC\n");
}

static void
sha_256_and_aes_128_are_taken_before_anything_else_that_is_offered(void **state)
{
	(void)state;
	assert_enrols("SHA-1\nSHA-512\nSHA-256\nDES3\nAES\nPOSTPKIOperation\n", NULL, ENROL,
	    "POST SHA-256 AES-128-CBC\n");
	assert_enrols(
	    "SHA-1\nSHA-512\nDES3\nPOSTPKIOperation\n", NULL, ENROL, "POST SHA-512 DES-EDE3-CBC\n");
	assert_enrols("SHA-1\nDES3\nPOSTPKIOperation\n", NULL, ENROL, "POST SHA-1 DES-EDE3-CBC\n");
	assert_enrols("SHA-1\nDES3\nPOSTPKIOperation\n", NULL,
	    ENROL " --digest SHA-256 --cipher AES-128-CBC", "POST SHA-256 AES-128-CBC\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		messages_go_by_POST_where_that_is_offered_and_otherwise_escaped_by_GET),
	    cmocka_unit_test(the_list_is_read_in_any_case_with_either_line_end_and_of_any_type),
	    cmocka_unit_test(a_server_without_a_list_is_taken_for_one_that_can_nothing_of_it),
	    cmocka_unit_test(sha_256_and_aes_128_are_taken_before_anything_else_that_is_offered),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
