/* test_scep_password.c: which challengePasswords may key an envelope. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scep/password.h"

static void
assert_strength(const char *password, bool strong)
{
	if (scep_password_is_strong(octets_of_string(password)) != strong)
		fail_msg("\"%s\": want %s", password, strong ? "strong" : "weak");
}

/* The same numbers in each run (xorshift64*). */
static void
fill(uint64_t *state, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		*state ^= *state >> 12;
		*state ^= *state << 25;
		*state ^= *state >> 27;
		out[i] = (uint8_t)((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 56);
	}
}

/* Strong as it is, weak without its last character. */
static void
assert_just_enough(const char *password)
{
	size_t len = strlen(password);

	assert_strength(password, true);
	if (scep_password_is_strong(octets_of(password, len - 1)))
		fail_msg("\"%.*s\": want weak", (int)len - 1, password);
}

static void
random_characters_of_128_bits_are_strong_and_one_less_is_not(void **state)
{
	(void)state;
	assert_just_enough("1b61d86adb4f3d5ecb5a4d4b5a6f3f0c");
	assert_just_enough("5A8F0C1B61D86ADB4F3D5ECB5A4D4B5A");
	assert_just_enough("5DBd8wLYe1fJmbEyPV2tQz");
	assert_just_enough("k7PzL/bO+3QYxcK1mAe9Tw");
	assert_just_enough("k3q9zj4m7w2x8v5n6h1p0r4t9y");
	assert_just_enough("MFRGG2DFNZ4WK3TLON2HE5LWPA");
	assert_just_enough("731940285561927304819265530748162093751");
	assert_just_enough("HgTrWqAzXsEdCvFrBgNhYj");
}

static void
groups_count_without_their_signs(void **state)
{
	(void)state;
	assert_just_enough("5a8f0c1b-61d8-6adb-4f3d-5ecb5a4d4b5a");
	assert_strength("73194-02855-61927-30481", false);
}

static void
short_ones_are_weak(void **state)
{
	(void)state;
	assert_strength("", false);
	assert_strength("a", false);
	assert_strength("secret", false);
	assert_strength("Tr0ub4dor&3", false);
	assert_strength("0123456789abcdef", false);
	assert_strength("9f86d081884c7d65", false);
}

static void
what_is_repeated_counts_once(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_strength(text, false);
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = "ab12"[i % 4];
	assert_strength(text, false);
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = "1b61d86adb4f3d5ecb5a4d4b5a6f"[i % 28];
	assert_strength(text, false);
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = "1b61d86adb4f3d5ecb5a4d4b5a6f3f0c"[i % 32];
	assert_strength(text, true);
	assert_strength("9f86d081884c7d659f86d081884c7d65", false);
}

static void
what_runs_on_counts_for_nothing(void **state)
{
	(void)state;
	assert_strength("0123456789abcdefghijklmnopqrstuvwxyz", false);
	assert_strength("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", false);
	assert_strength("fedcba98765432100123456789abcdef", false);
	assert_strength("1b61d86adb4f3d5ecb5a4d4b00000000", false);
}

static void
words_are_worth_little(void **state)
{
	(void)state;
	assert_strength("correct horse battery staple", false);
	assert_strength("Correcthorsebatterystaple1", false);
	assert_strength("correcthorsebatterystaple1234", false);
	assert_strength("Enrolmentsecret of Headquarters 2026", false);
	assert_strength("deadbeefcafebabedeadbeeffacefeed", false);
}

static void
any_octets_can_be_asked_for(void **state)
{
	uint64_t random = 1;
	uint8_t octets[1024];

	(void)state;
	for (size_t len = 0; len < sizeof(octets); len++) {
		fill(&random, octets, len);
		(void)scep_password_is_strong(octets_of(octets, len));
	}
	assert_false(scep_password_is_strong(octets_of(NULL, 0)));
}

/* One in a hundred thousand of the first, one in three thousand of the second may look like a pattern or like words. */
static void
hardly_any_random_one_is_refused(void **state)
{
	static const char alphabet[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/";
	uint64_t numbers = 2;
	int hexadecimal = 0, base64 = 0;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		char a[32], b[24];
		uint8_t random[32];

		fill(&numbers, random, sizeof(random));
		for (int i = 0; i < 32; i++)
			a[i] = alphabet[random[i] % 16];
		for (int i = 0; i < 24; i++)
			b[i] = alphabet[random[i] % 64];
		hexadecimal += !scep_password_is_strong(octets_of(a, sizeof(a)));
		base64 += !scep_password_is_strong(octets_of(b, sizeof(b)));
	}
	assert_true(hexadecimal == 0);
	assert_true(base64 <= 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_characters_of_128_bits_are_strong_and_one_less_is_not),
	    cmocka_unit_test(groups_count_without_their_signs),
	    cmocka_unit_test(short_ones_are_weak),
	    cmocka_unit_test(what_is_repeated_counts_once),
	    cmocka_unit_test(what_runs_on_counts_for_nothing),
	    cmocka_unit_test(words_are_worth_little),
	    cmocka_unit_test(any_octets_can_be_asked_for),
	    cmocka_unit_test(hardly_any_random_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
