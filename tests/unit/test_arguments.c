/* test_arguments.c: reading a command line by a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "fcgi-admin/cli/arguments.h"

static const struct option_spec specs[] = {
    {"name", "TEXT", "a text", false},
    {"field", "RULE", "may come again", true},
    {"flag", NULL, "a flag", false},
    {0},
};

static struct arguments arguments;
static struct errbuf why;

#define PARSE(max, ...)                                                                            \
	parse(max, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                  \
	    (const char *[]){__VA_ARGS__})

static bool
parse(int max, int count, const char *const *words)
{
	char *argv[16];

	memset(&why, 0, sizeof(why));
	for (int i = 0; i < count; i++)
		memcpy(&argv[i], &words[i], sizeof(argv[i]));
	return arguments_parse(specs, max, count, argv, &arguments, &why);
}

static void
a_value_comes_as_the_next_word_or_behind_an_equals_sign(void **state)
{
	(void)state;
	assert_true(PARSE(1, "--name", "a", "op"));
	assert_string_equal(arguments_text(&arguments, "name"), "a");
	assert_string_equal(arguments.operands[0], "op");
	assert_true(PARSE(0, "--name=b=c"));
	assert_string_equal(arguments_text(&arguments, "name"), "b=c");
	assert_true(PARSE(0, "--name", "--flag"));
	assert_string_equal(arguments_text(&arguments, "name"), "--flag");
}

static void
a_missing_value_and_a_value_for_a_flag_are_refused(void **state)
{
	(void)state;
	assert_false(PARSE(0, "--name"));
	assert_non_null(strstr(why.line, "--name wants a value"));
	assert_false(PARSE(0, "--flag=1"));
}

static void
an_unknown_option_is_refused_by_its_name(void **state)
{
	(void)state;
	assert_false(PARSE(1, "--nam", "a"));
	assert_non_null(strstr(why.line, "--nam is not an option"));
	assert_false(PARSE(1, "-n"));
	assert_false(PARSE(1, "--"
			      "namex=1"));
}

static void
only_a_repeatable_option_may_come_twice(void **state)
{
	(void)state;
	assert_true(PARSE(0, "--field", "a", "--field=b", "--flag", "--flag"));
	assert_string_equal(arguments_nth(&arguments, "field", 0), "a");
	assert_string_equal(arguments_nth(&arguments, "field", 1), "b");
	assert_null(arguments_nth(&arguments, "field", 2));
	assert_false(PARSE(0, "--name", "a", "--name", "b"));
}

static void
operands_have_their_limit_and_two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_true(PARSE(2, "a", "--", "--name"));
	assert_int_equal(arguments.operand_count, 2);
	assert_string_equal(arguments.operands[1], "--name");
	assert_true(PARSE(1, "-"));
	assert_false(PARSE(1, "a", "b"));
	assert_false(PARSE(0, "a"));
}

static void
a_number_is_whole_and_within_its_limits(void **state)
{
	static const char *const bad[] = {
	    "", "x", "5x", "-5", "+5", " 5", "0", "101", "99999999999999999999"};
	int64_t n = 7;

	(void)state;
	assert_true(PARSE(0, "--flag"));
	assert_true(arguments_number(&arguments, "name", 1, 100, &n, &why));
	assert_int_equal(n, 7);
	assert_true(PARSE(0, "--name", "100"));
	assert_true(arguments_number(&arguments, "name", 1, 100, &n, &why));
	assert_int_equal(n, 100);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(PARSE(0, "--name", bad[i]));
		assert_false(arguments_number(&arguments, "name", 1, 100, &n, &why));
	}
	assert_int_equal(n, 100);
}

static void
a_duration_is_a_number_with_one_unit(void **state)
{
	static const char *const bad[] = {
	    "", "60", "m", "60mm", "1h30m", "-1d", "1y", "99999999999999d"};
	int64_t n = 0;

	(void)state;
	assert_true(PARSE(0, "--name", "90m"));
	assert_true(arguments_duration(&arguments, "name", &n, &why));
	assert_int_equal(n, 5400);
	assert_true(PARSE(0, "--name", "30d"));
	assert_true(arguments_duration(&arguments, "name", &n, &why));
	assert_int_equal(n, 30 * 86400);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(PARSE(0, "--name", bad[i]));
		assert_false(arguments_duration(&arguments, "name", &n, &why));
	}
}

static void
a_choice_is_one_of_two_words(void **state)
{
	int choice = -1;

	(void)state;
	assert_true(PARSE(0, "--flag"));
	assert_true(arguments_yes_no(&arguments, "name", &choice, &why));
	assert_int_equal(choice, -1);
	assert_true(PARSE(0, "--name", "yes"));
	assert_true(arguments_yes_no(&arguments, "name", &choice, &why));
	assert_int_equal(choice, 1);
	assert_true(PARSE(0, "--name", "no"));
	assert_true(arguments_yes_no(&arguments, "name", &choice, &why));
	assert_int_equal(choice, 0);
	assert_true(PARSE(0, "--name", "maybe"));
	assert_false(arguments_yes_no(&arguments, "name", &choice, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_comes_as_the_next_word_or_behind_an_equals_sign),
	    cmocka_unit_test(a_missing_value_and_a_value_for_a_flag_are_refused),
	    cmocka_unit_test(an_unknown_option_is_refused_by_its_name),
	    cmocka_unit_test(only_a_repeatable_option_may_come_twice),
	    cmocka_unit_test(operands_have_their_limit_and_two_dashes_end_the_options),
	    cmocka_unit_test(a_number_is_whole_and_within_its_limits),
	    cmocka_unit_test(a_duration_is_a_number_with_one_unit),
	    cmocka_unit_test(a_choice_is_one_of_two_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
