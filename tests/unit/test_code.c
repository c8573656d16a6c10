/* test_code.c: codes that are drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "fcgi-admin/manage/challenge_strength.h"
#include "fcgi-admin/manage/code.h"

static void
a_code_is_four_groups_of_seven_and_easy_to_read(void **state)
{
	char code[MANAGE_CODE_SIZE];
	struct errbuf why = {0};

	(void)state;
	assert_true(manage_code_draw(code, &why));
	assert_int_equal(strlen(code), 31);
	for (size_t i = 0; i < 31; i++)
		if (i % 8 == 7)
			assert_int_equal(code[i], '-');
		else
			assert_non_null(strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", code[i]));
	assert_true(challenge_is_printable(octets_of_string(code)));
	assert_null(challenge_fault(octets_of_string(code)));
	assert_null(challenge_weakness(octets_of_string(code)));
}

static void
every_character_of_the_alphabet_is_drawn_and_no_code_twice(void **state)
{
	static char codes[64][MANAGE_CODE_SIZE];
	bool seen[256] = {false};
	struct errbuf why = {0};
	int different = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		assert_true(manage_code_draw(codes[i], &why));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(codes[i], codes[j]);
		for (const char *c = codes[i]; *c != '\0'; c++)
			seen[(unsigned char)*c] = true;
	}
	for (int c = 0; c < 256; c++)
		different += seen[c];
	/* Of 32 and the hyphen; that one of them is missing in 1,792 draws has a probability below 1e-23. */
	assert_int_equal(different, 33);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_code_is_four_groups_of_seven_and_easy_to_read),
	    cmocka_unit_test(every_character_of_the_alphabet_is_drawn_and_no_code_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
