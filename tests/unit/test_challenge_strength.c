/* test_challenge_strength.c: which static challenges are refused, and which are warned of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "fcgi-admin/manage/challenge_strength.h"

static bool
fits(const char *text)
{
	return challenge_fault(octets_of_string(text)) == NULL;
}

static bool
is_weak(const char *text)
{
	return challenge_weakness(octets_of_string(text)) != NULL;
}

static void
eight_characters_are_enough_and_seven_are_not(void **state)
{
	(void)state;
	assert_true(fits("abcd1234"));
	assert_false(fits("abcd123"));
	assert_false(fits(""));
	/* Characters, not octets. */
	assert_true(fits("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"));
	assert_false(fits("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"));
}

static void
octets_have_their_limit(void **state)
{
	char text[CHALLENGE_MOST + 2] = "";

	(void)state;
	memset(text, 'a', CHALLENGE_MOST);
	assert_true(fits(text));
	text[CHALLENGE_MOST] = 'a';
	assert_false(fits(text));
}

static void
what_is_no_utf8_or_has_control_characters_is_refused(void **state)
{
	(void)state;
	assert_false(fits("abcdefgh\xff"));
	assert_false(fits("abcd\nefgh"));
	assert_false(fits("abcd\x7f"
			  "efgh"));
	assert_true(fits("abcd efgh"));
}

static void
short_ones_and_repeated_characters_are_weak(void **state)
{
	(void)state;
	assert_true(is_weak("x7Kq9Zt2vB4"));
	assert_false(is_weak("x7Kq9Zt2vB4m"));
	assert_true(is_weak("aaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_true(is_weak("abcabcabcabcabcabcabcabc"));
}

static void
digits_and_words_are_weak(void **state)
{
	(void)state;
	assert_true(is_weak("0123456789012"));
	assert_false(is_weak("01234567890123456789"));
	assert_true(is_weak("passwordpassword"));
	assert_true(is_weak("Enrollment2026"));
	assert_true(is_weak("ENROLLMENT1!"));
	assert_false(is_weak("correct horse battery staple"));
	assert_false(is_weak("2987577aaeea1613a03e81a5"));
}

static void
printable_string_is_what_windows_can_send(void **state)
{
	(void)state;
	assert_true(challenge_is_printable(octets_of_string("AZaz09 '()+,-./:=?")));
	assert_false(challenge_is_printable(octets_of_string("a*b")));
	assert_false(challenge_is_printable(octets_of_string("a@b")));
	assert_false(challenge_is_printable(octets_of_string("a_b")));
	assert_false(challenge_is_printable(octets_of_string("\xc3\xa4")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(eight_characters_are_enough_and_seven_are_not),
	    cmocka_unit_test(octets_have_their_limit),
	    cmocka_unit_test(what_is_no_utf8_or_has_control_characters_is_refused),
	    cmocka_unit_test(short_ones_and_repeated_characters_are_weak),
	    cmocka_unit_test(digits_and_words_are_weak),
	    cmocka_unit_test(printable_string_is_what_windows_can_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
