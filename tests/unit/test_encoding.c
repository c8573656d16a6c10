#include <openssl/evp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/encoding.h"

static void
hexadecimal_is_written_and_read(void **state)
{
	const uint8_t octets[] = {0x00, 0x9f, 0xAb, 0xff};
	uint8_t back[4];
	char text[9];

	(void)state;
	encoding_hex(octets_of(octets, 4), text);
	assert_string_equal(text, "009fabff");
	assert_true(encoding_unhex(text, back, 4));
	assert_memory_equal(back, octets, 4);
	encoding_hex_upper(octets_of(octets, 4), text);
	assert_string_equal(text, "009FABFF");
	assert_true(encoding_unhex(text, back, 4));
	assert_memory_equal(back, octets, 4);
	assert_true(encoding_unhex("", back, 0));
}

static void
other_text_is_no_hexadecimal(void **state)
{
	static const char *const bad[] = {
	    "", "0", "00", "001", "00112", "001122", "00g1", "0x11", " 011", "00 1"};
	uint8_t out[2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(encoding_unhex(bad[i], out, 2));
}

static void
base64_agrees_with_openssl_at_every_length(void **state)
{
	uint8_t octets[600];
	unsigned char want[900];

	(void)state;
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i * 37 + 11);
	for (size_t len = 0; len <= sizeof(octets); len++) {
		struct buffer text = {0}, back = {0};

		EVP_EncodeBlock(want, octets, (int)len);
		encoding_base64(octets_of(octets, len), &text);
		assert_string_equal(buffer_string(&text), (char *)want);
		assert_true(encoding_unbase64(buffer_octets(&text), &back));
		assert_true(octets_equal(buffer_octets(&back), octets_of(octets, len)));
		buffer_free(&text);
		buffer_free(&back);
	}
}

static void
base64_is_read_in_all_its_forms(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {{"", ""}, {"Zg==", "f"}, {"Zg", "f"}, {"Zm8=", "fo"}, {"Zm8", "fo"},
	    {"Zm9v", "foo"}, {"+/-_", "\xfb\xff\xbf"}, {" Z g\t=\r\n=\n", "f"},
	    {"\nZm9v\nYmFy\n", "foobar"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer out = {0};

		buffer_append_string(&out, ">");
		assert_true(encoding_unbase64(octets_of_string(cases[i].text), &out));
		assert_string_equal(buffer_string(&out) + 1, cases[i].want);
		buffer_free(&out);
	}
}

static void
what_is_no_base64_leaves_nothing_behind(void **state)
{
	static const char *const bad[] = {"Z", "Zm9vY", "=",
	    "==", "Zg===", "Zg=", "Zm8==", "Zm9v=", "Zg==Zg==", "Zm=v", "Zm9v!", "Zm%3D",
	    "Z\xc3\xa9==", "Zm9v,"};
	struct buffer out = {0};

	(void)state;
	buffer_append_string(&out, "kept");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(encoding_unbase64(octets_of_string(bad[i]), &out));
		assert_string_equal(buffer_string(&out), "kept");
	}
	assert_false(encoding_unbase64(octets_of("Zm9v\0", 5), &out));
	assert_int_equal(out.len, 4);
	buffer_free(&out);
}

static void
a_uuid_is_random_version_4_and_recognised(void **state)
{
	char one[UUID_SIZE], two[UUID_SIZE];

	(void)state;
	assert_true(encoding_uuid(one));
	assert_true(encoding_uuid(two));
	assert_string_not_equal(one, two);
	assert_true(encoding_is_uuid(one));
	assert_int_equal(one[14], '4');
	assert_non_null(strchr("89ab", one[19]));
}

static void
sixteen_octets_have_the_form_of_a_uuid(void **state)
{
	char text[UUID_SIZE];

	(void)state;
	encoding_uuid_of(
	    (const uint8_t *)"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\xff",
	    text);
	assert_string_equal(text, "00010203-0405-0607-0809-0a0b0c0d0eff");
	assert_true(encoding_is_uuid(text));
}

static void
other_text_is_no_uuid(void **state)
{
	static const char *const bad[] = {"", "0", "00010203-0405-0607-0809-0a0b0c0d0ef",
	    "00010203-0405-0607-0809-0a0b0c0d0eff0", "00010203-0405-0607-0809-0A0b0c0d0eff",
	    "00010203-0405-0607-08090-a0b0c0d0eff", "00010203-0405-0607-0809-0a0b0c0d0efg",
	    "{0010203-0405-0607-0809-0a0b0c0d0ef}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(encoding_is_uuid(bad[i]));
}

static void
well_formed_utf8_is_accepted(void **state)
{
	static const char *const good[] = {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
	    "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
	    "Z\xc3\xbcrich"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(encoding_is_utf8(octets_of_string(good[i])));
}

static void
nul_surrogates_overlong_and_cut_forms_are_not(void **state)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2",
	    "\xc2\x41", "\xe0\x9f\xbf", "\xe1\x80", "\xed\xa0\x80", "\xed\xbf\xbf",
	    "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x90\x80", "\xfe",
	    "\xff", "ok\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(encoding_is_utf8(octets_of_string(bad[i])));
	assert_false(encoding_is_utf8(octets_of("a\0b", 3)));
}

static void
a_time_is_written_in_utc(void **state)
{
	char text[ENCODING_TIME_SIZE];

	(void)state;
	encoding_time(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	encoding_time(1795428000, text);
	assert_string_equal(text, "2026-11-23T10:00:00Z");
	encoding_time(INT64_MAX, text);
	assert_string_equal(text, "-");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hexadecimal_is_written_and_read),
	    cmocka_unit_test(other_text_is_no_hexadecimal),
	    cmocka_unit_test(base64_agrees_with_openssl_at_every_length),
	    cmocka_unit_test(base64_is_read_in_all_its_forms),
	    cmocka_unit_test(what_is_no_base64_leaves_nothing_behind),
	    cmocka_unit_test(a_uuid_is_random_version_4_and_recognised),
	    cmocka_unit_test(sixteen_octets_have_the_form_of_a_uuid),
	    cmocka_unit_test(other_text_is_no_uuid),
	    cmocka_unit_test(well_formed_utf8_is_accepted),
	    cmocka_unit_test(nul_surrogates_overlong_and_cut_forms_are_not),
	    cmocka_unit_test(a_time_is_written_in_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
