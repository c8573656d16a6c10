#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/octets.h"

static void
equal_octets_are_equal(void **state)
{
	(void)state;
	assert_true(octets_equal(octets_of("a\0b", 3), octets_of("a\0b", 3)));
	assert_true(octets_equal(octets_of(NULL, 0), octets_of_string("")));
	assert_true(octets_equal_secret(octets_of("a\0b", 3), octets_of("a\0b", 3)));
	assert_true(octets_equal_secret(octets_of(NULL, 0), octets_of_string("")));
}

static void
other_octets_are_not(void **state)
{
	(void)state;
	assert_false(octets_equal(octets_of("a\0b", 3), octets_of("a\0c", 3)));
	assert_false(octets_equal(octets_of_string("ab"), octets_of_string("abc")));
	assert_false(octets_equal_secret(octets_of("a\0b", 3), octets_of("a\0c", 3)));
	assert_false(octets_equal_secret(octets_of_string("ab"), octets_of_string("abc")));
	assert_false(octets_equal_secret(octets_of_string("ab"), octets_of(NULL, 0)));
}

static void
wiping_leaves_zeros(void **state)
{
	char secret[16] = "0123456789abcde";
	static const char zeros[16];

	(void)state;
	octets_wipe(secret, sizeof(secret));
	assert_memory_equal(secret, zeros, sizeof(zeros));
	octets_wipe(NULL, 0);
}

static void
a_buffer_grows_and_keeps_its_octets(void **state)
{
	struct buffer b = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		buffer_append_format(&b, "%04d", i);
	assert_false(b.failed);
	assert_int_equal(b.len, 4000);
	assert_memory_equal(b.data, "000000010002", 12);
	assert_memory_equal(b.data + 3996, "0999", 4);
	buffer_append(&b, NULL, 0);
	assert_int_equal(buffer_octets(&b).len, 4000);
	buffer_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buffer_free(&b);
	buffer_free(NULL);
}

static void
a_string_ends_in_nul_which_does_not_count(void **state)
{
	struct buffer b = {0};

	(void)state;
	assert_string_equal(buffer_string(&b), "");
	buffer_append_string(&b, "one");
	assert_string_equal(buffer_string(&b), "one");
	assert_int_equal(b.len, 3);
	while (b.len < b.cap)
		buffer_append(&b, "x", 1);
	assert_int_equal(strlen(buffer_string(&b)), b.len);
	buffer_free(&b);
}

static void
an_append_that_cannot_be_done_is_remembered(void **state)
{
	struct buffer b = {0};

	(void)state;
	buffer_append_string(&b, "one");
	buffer_append(&b, "x", SIZE_MAX / 2);
	assert_true(b.failed);
	buffer_append_string(&b, "two");
	buffer_append_format(&b, "%d", 3);
	assert_int_equal(b.len, 3);
	assert_null(buffer_string(&b));
	buffer_free(&b);
	assert_false(b.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_octets_are_equal),
	    cmocka_unit_test(other_octets_are_not),
	    cmocka_unit_test(wiping_leaves_zeros),
	    cmocka_unit_test(a_buffer_grows_and_keeps_its_octets),
	    cmocka_unit_test(a_string_ends_in_nul_which_does_not_count),
	    cmocka_unit_test(an_append_that_cannot_be_done_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
