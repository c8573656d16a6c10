#include <openssl/asn1.h>
#include <openssl/bn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/der.h"
#include "base/encoding.h"

static uint8_t room[70000];

static void
assert_der(const struct der *d, const char *want)
{
	char have[4096];

	assert_false(d->failed);
	assert_true(der_octets(d).len < sizeof(have) / 2);
	encoding_hex(der_octets(d), have);
	assert_string_equal(have, want);
}

static void
a_sequence_is_written_from_its_end(void **state)
{
	static const uint8_t oid[] = {0x2a, 0x86, 0x48};
	struct der d;
	size_t end;

	(void)state;
	der_start(&d, room, sizeof(room));
	end = der_mark(&d);
	der_integer(&d, 1);
	der_oid(&d, octets_of(oid, sizeof(oid)));
	der_wrap(&d, DER_SEQUENCE, end);
	assert_der(&d, "3008"
		       "06032a8648"
		       "020101");
}

static void
elements_before_the_mark_stay_outside(void **state)
{
	struct der d;
	size_t mark;

	(void)state;
	der_start(&d, room, sizeof(room));
	der_null(&d);
	mark = der_mark(&d);
	der_boolean_true(&d);
	der_wrap(&d, DER_CONTEXT(3), mark);
	der_element(&d, DER_CONTEXT_PRIM(1), octets_of_string("ab"));
	assert_der(&d, "81026162"
		       "a3030101ff"
		       "0500");
}

static void
each_integer_takes_the_fewest_octets(void **state)
{
	static const struct {
		uint32_t value;
		const char *want;
	} cases[] = {{0, "020100"}, {1, "020101"}, {127, "02017f"}, {128, "02020080"},
	    {255, "020200ff"}, {256, "02020100"}, {32768, "0203008000"},
	    {UINT32_MAX, "020500ffffffff"}};
	struct der d;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		der_start(&d, room, sizeof(room));
		der_integer(&d, cases[i].value);
		assert_der(&d, cases[i].want);
	}
	der_start(&d, room, sizeof(room));
	der_unsigned(&d, octets_of("\0\0\x80\x01", 4));
	assert_der(&d, "0203008001");
	der_start(&d, room, sizeof(room));
	der_unsigned(&d, octets_of(NULL, 0));
	assert_der(&d, "020100");
}

static void
a_large_integer_is_what_openssl_reads(void **state)
{
	uint8_t magnitude[20] = {
	    0xf0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
	const unsigned char *p;
	ASN1_INTEGER *i;
	BIGNUM *have, *want = BN_bin2bn(magnitude, sizeof(magnitude), NULL);
	struct der d;

	(void)state;
	der_start(&d, room, sizeof(room));
	der_unsigned(&d, octets_of(magnitude, sizeof(magnitude)));
	p = der_octets(&d).data;
	i = d2i_ASN1_INTEGER(NULL, &p, (long)der_octets(&d).len);
	assert_non_null(i);
	have = ASN1_INTEGER_to_BN(i, NULL);
	assert_int_equal(BN_cmp(have, want), 0);
	ASN1_INTEGER_free(i);
	BN_free(have);
	BN_free(want);
}

static void
each_length_takes_the_fewest_octets(void **state)
{
	static const struct {
		size_t len;
		const char *header;
	} cases[] = {{0, "0400"}, {127, "047f"}, {128, "048180"}, {255, "0481ff"},
	    {256, "04820100"}, {65535, "0482ffff"}, {65536, "0483010000"}};
	static const uint8_t zeros[65536];
	struct der d;
	char have[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t header = strlen(cases[i].header) / 2;

		der_start(&d, room, sizeof(room));
		der_element(&d, DER_OCTET_STRING, octets_of(zeros, cases[i].len));
		assert_int_equal(der_octets(&d).len, header + cases[i].len);
		encoding_hex(octets_of(der_octets(&d).data, header), have);
		assert_string_equal(have, cases[i].header);
	}
}

static void
a_bit_string_has_no_unused_bits(void **state)
{
	struct der d;

	(void)state;
	der_start(&d, room, sizeof(room));
	der_bit_string(&d, octets_of("\xab\xcd", 2));
	assert_der(&d, "030300abcd");
}

static void
a_time_is_utctime_to_2049_and_generalizedtime_after(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
		int type;
	} cases[] = {{0, "700101000000Z", V_ASN1_UTCTIME},
	    {1795428000, "261123100000Z", V_ASN1_UTCTIME},
	    {2524607999, "491231235959Z", V_ASN1_UTCTIME},
	    {2524608000, "20500101000000Z", V_ASN1_GENERALIZEDTIME},
	    {-631152000, "500101000000Z", V_ASN1_UTCTIME},
	    {-631152001, "19491231235959Z", V_ASN1_GENERALIZEDTIME},
	    {253402300799, "99991231235959Z", V_ASN1_GENERALIZEDTIME}};
	struct der d;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		der_start(&d, room, sizeof(room));
		der_time(&d, cases[i].seconds);
		assert_false(d.failed);
		assert_int_equal(der_octets(&d).data[0], cases[i].type);
		assert_int_equal(der_octets(&d).data[1], strlen(cases[i].text));
		assert_memory_equal(der_octets(&d).data + 2, cases[i].text, strlen(cases[i].text));
	}
}

static void
a_generalized_time_is_one_in_every_year(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {{0, "19700101000000Z"}, {1795428000, "20261123100000Z"},
	    {2524608000, "20500101000000Z"}, {-62167219200, "00000101000000Z"},
	    {253402300799, "99991231235959Z"}};
	struct der d;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		der_start(&d, room, sizeof(room));
		der_generalized_time(&d, cases[i].seconds);
		assert_int_equal(der_octets(&d).len, 17);
		assert_int_equal(der_octets(&d).data[0], V_ASN1_GENERALIZEDTIME);
		assert_memory_equal(der_octets(&d).data + 2, cases[i].text, 15);
	}
	der_start(&d, room, sizeof(room));
	der_generalized_time(&d, 253402300800);
	assert_true(d.failed);
}

static void
a_time_of_no_four_digit_year_fails(void **state)
{
	struct der d;

	(void)state;
	der_start(&d, room, sizeof(room));
	der_time(&d, 253402300800);
	assert_true(d.failed);
	der_start(&d, room, sizeof(room));
	der_time(&d, INT64_MIN);
	assert_true(d.failed);
}

static void
what_fits_exactly_is_written(void **state)
{
	uint8_t small[5];
	struct der d;

	(void)state;
	der_start(&d, small, sizeof(small));
	der_element(&d, DER_OCTET_STRING, octets_of_string("abc"));
	assert_der(&d, "0403616263");
}

static void
what_does_not_fit_fails_for_good(void **state)
{
	uint8_t small[5];
	struct der d;

	(void)state;
	der_start(&d, small, sizeof(small));
	der_element(&d, DER_OCTET_STRING, octets_of_string("abcd"));
	assert_true(d.failed);
	der_null(&d);
	der_wrap(&d, DER_SEQUENCE, 0);
	assert_true(d.failed);
	assert_int_equal(der_octets(&d).len, 0);
}

static void
a_mark_beyond_what_is_written_fails(void **state)
{
	struct der d;

	(void)state;
	der_start(&d, room, sizeof(room));
	der_null(&d);
	der_wrap(&d, DER_SEQUENCE, 3);
	assert_true(d.failed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sequence_is_written_from_its_end),
	    cmocka_unit_test(elements_before_the_mark_stay_outside),
	    cmocka_unit_test(each_integer_takes_the_fewest_octets),
	    cmocka_unit_test(a_large_integer_is_what_openssl_reads),
	    cmocka_unit_test(each_length_takes_the_fewest_octets),
	    cmocka_unit_test(a_bit_string_has_no_unused_bits),
	    cmocka_unit_test(a_time_is_utctime_to_2049_and_generalizedtime_after),
	    cmocka_unit_test(a_generalized_time_is_one_in_every_year),
	    cmocka_unit_test(a_time_of_no_four_digit_year_fails),
	    cmocka_unit_test(what_fits_exactly_is_written),
	    cmocka_unit_test(what_does_not_fit_fails_for_good),
	    cmocka_unit_test(a_mark_beyond_what_is_written_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
