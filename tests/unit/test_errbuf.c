#include <openssl/err.h>
#include <openssl/x509.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/errbuf.h"

static void
set_replaces_the_line(void **state)
{
	struct errbuf why = {.line = "before"};

	(void)state;
	errbuf_set(&why, "have %d, want %s", 3, "four");
	assert_string_equal(why.line, "have 3, want four");
}

static void
control_characters_become_question_marks_and_others_stay(void **state)
{
	struct errbuf why = {0};

	(void)state;
	errbuf_set(&why, "a\nb\rc\td\033e\177f g\"h\\i \xc3\xa9");
	assert_string_equal(why.line, "a?b?c?d?e?f g\"h\\i \xc3\xa9");
}

static void
a_long_line_is_cut(void **state)
{
	struct errbuf why = {0};
	char text[2 * ERRBUF_SIZE];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errbuf_set(&why, "%s", text);
	assert_int_equal(strlen(why.line), ERRBUF_SIZE - 1);
	errbuf_prefix(&why, "%s", text);
	assert_int_equal(strlen(why.line), ERRBUF_SIZE - 1);
	errno = ENOENT;
	errbuf_errno(&why, "%s", text);
	assert_int_equal(strlen(why.line), ERRBUF_SIZE - 1);
}

static void
the_old_line_may_be_an_argument(void **state)
{
	struct errbuf why = {0};

	(void)state;
	errbuf_set(&why, "inner");
	errbuf_set(&why, "outer: %s", why.line);
	assert_string_equal(why.line, "outer: inner");
}

static void
prefix_goes_before_what_is_there(void **state)
{
	struct errbuf why = {0};

	(void)state;
	errbuf_set(&why, "no such file");
	errbuf_prefix(&why, "profile %s", "demo");
	assert_string_equal(why.line, "profile demo: no such file");
}

static void
errno_is_told_and_kept(void **state)
{
	struct errbuf why = {0};

	(void)state;
	errno = ENOENT;
	errbuf_errno(&why, "open %s", "x");
	assert_string_equal(why.line, "open x: No such file or directory");
	assert_int_equal(errno, ENOENT);
}

static void
the_newest_reason_of_openssl_is_told_and_the_queue_emptied(void **state)
{
	struct errbuf why = {0};

	(void)state;
	ERR_raise(ERR_LIB_X509, X509_R_INVALID_TRUST);
	ERR_raise(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH);
	errbuf_ossl(&why, "certificate");
	assert_string_equal(why.line, "certificate: key values mismatch");
	assert_int_equal(ERR_peek_error(), 0);
}

static void
without_a_reason_of_openssl_the_line_stands_alone(void **state)
{
	struct errbuf why = {0};

	(void)state;
	ERR_clear_error();
	errbuf_ossl(&why, "certificate");
	assert_string_equal(why.line, "certificate");
}

static void
null_keeps_nothing_but_still_empties_the_queue(void **state)
{
	(void)state;
	errbuf_set(NULL, "%d", 1);
	errbuf_prefix(NULL, "%d", 1);
	errbuf_errno(NULL, "%d", 1);
	ERR_raise(ERR_LIB_X509, X509_R_INVALID_TRUST);
	errbuf_ossl(NULL, "%d", 1);
	assert_int_equal(ERR_peek_error(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set_replaces_the_line),
	    cmocka_unit_test(control_characters_become_question_marks_and_others_stay),
	    cmocka_unit_test(a_long_line_is_cut),
	    cmocka_unit_test(the_old_line_may_be_an_argument),
	    cmocka_unit_test(prefix_goes_before_what_is_there),
	    cmocka_unit_test(errno_is_told_and_kept),
	    cmocka_unit_test(the_newest_reason_of_openssl_is_told_and_the_queue_emptied),
	    cmocka_unit_test(without_a_reason_of_openssl_the_line_stands_alone),
	    cmocka_unit_test(null_keeps_nothing_but_still_empties_the_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
