#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/encoding.h"
#include "store/serial.h"

/* The form in the column as hexadecimal digits; NULL: it can be no row's. */
static const char *
kept(const struct serial *s)
{
	static char hex[2 * SERIAL_MAX + 1];

	encoding_hex(serial_octets(s), hex);
	return hex;
}

static void
assert_serial(const char *hex, const char *want)
{
	uint8_t octets[64];
	size_t len = strlen(hex) / 2;
	struct serial s;

	assert_true(encoding_unhex(hex, octets, len));
	assert_true(serial_of(octets_of(octets, len), &s) == (want != NULL));
	if (want != NULL)
		assert_string_equal(kept(&s), want);
}

static void
zeros_in_front_make_no_difference(void **state)
{
	(void)state;
	assert_serial("01", "00000000000000000000000000000001");
	assert_serial("0001", "00000000000000000000000000000001");
	assert_serial("00", "00000000000000000000000000000000");
	assert_serial("80000000000000000000000000000001", "80000000000000000000000000000001");
	assert_serial("0080000000000000000000000000000001", "80000000000000000000000000000001");
	assert_serial("00800000000000000000000000000000000000000001", NULL);
}

static void
what_is_longer_than_ours_is_kept_without_zeros_in_front(void **state)
{
	(void)state;
	assert_serial("0100000000000000000000000000000001", "0100000000000000000000000000000001");
	assert_serial("000100000000000000000000000000000001", "0100000000000000000000000000000001");
	assert_serial("00ffffffffffffffffffffffffffffffffffffffff",
	    "ffffffffffffffffffffffffffffffffffffffff");
	assert_serial("01ffffffffffffffffffffffffffffffffffffffff", NULL);
	assert_serial("", NULL);
}

static void
a_text_is_digits_with_colons_and_hyphens(void **state)
{
	static const char *const good[] = {"05000000-1111-1111-1111-111111111111",
	    "5000000111111111111111111111111", "05:00:00:00:11:11:11:11:11:11:11:11:11:11:11:11",
	    "00000000000005000000111111111111111111111111"};
	static const char *const bad[] = {
	    "", "-", "g", "0x05", " 5", "100000000000000000000000000000000000000000"};
	char zeros[130] = "";
	struct serial s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(serial_of_text(good[i], &s));
		assert_string_equal(kept(&s), "05000000111111111111111111111111");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (serial_of_text(bad[i], &s))
			fail_msg("%s", bad[i]);
	memset(zeros, '0', sizeof(zeros) - 1);
	assert_false(serial_of_text(zeros, &s));
	zeros[128] = '\0';
	assert_true(serial_of_text(zeros, &s));
	assert_true(serial_of_text("ffffffffffffffffffffffffffffffffffffffff", &s));
	assert_int_equal(s.len, SERIAL_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zeros_in_front_make_no_difference),
	    cmocka_unit_test(what_is_longer_than_ours_is_kept_without_zeros_in_front),
	    cmocka_unit_test(a_text_is_digits_with_colons_and_hyphens),
	};

	return cmocka_run_group_tests_name("store_serial", tests, NULL, NULL);
}
