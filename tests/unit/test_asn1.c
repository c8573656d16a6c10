#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>

#include "base/der.h"
#include "pki/asn1.h"

#define IS_DER(tag, ...)                                                                           \
	asn1_is_der(                                                                               \
	    octets_of((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})), tag)

static void
nested_elements_in_the_shortest_form_are_der(void **state)
{
	(void)state;
	assert_true(IS_DER(0x30, 0x30, 0));
	assert_true(IS_DER(0x30, 0x30, 5, 0x31, 0, 0x04, 1, 7));
	assert_true(IS_DER(0x30, 0x30, 6, 0x30, 4, 0x30, 2, 0x30, 0));
	assert_true(IS_DER(0xa0, 0xa0, 3, 0x82, 1, 7));
	assert_true(IS_DER(0x02, 0x02, 1, 7));
}

static void
a_length_of_128_octets_needs_its_long_form(void **state)
{
	uint8_t room[3 + 0x80] = {0x04, 0x81, 0x80};

	(void)state;
	assert_true(asn1_is_der(octets_of(room, sizeof(room)), 0x04));
	room[2] = 0x7f; /* fits one octet */
	assert_false(asn1_is_der(octets_of(room, sizeof(room) - 1), 0x04));
	assert_false(IS_DER(0x04, 0x04, 0x82, 0, 1, 7));
}

static void
another_tag_nothing_and_an_octet_too_many_are_not_der(void **state)
{
	(void)state;
	assert_false(asn1_is_der(octets_of(NULL, 0), 0x30));
	assert_false(IS_DER(0x31, 0x30, 0));
	assert_false(IS_DER(0x30, 0x30, 0, 0));
	assert_false(IS_DER(0x30, 0x30, 0, 0x30, 0));
	assert_false(IS_DER(0x30, 0x30));
	assert_false(IS_DER(0x30, 0x30, 2, 0x04, 1));
	assert_false(IS_DER(0x30, 0x30, 3, 0x04, 2, 1));
	assert_false(IS_DER(0x30, 0x30, 0x84, 0xff, 0xff, 0xff, 0xff));
	assert_false(IS_DER(0x30, 0x30, 0x83, 0xff, 0xff, 0xff));
}

static void
indefinite_lengths_and_strings_in_pieces_are_not_der(void **state)
{
	(void)state;
	assert_false(IS_DER(0x30, 0x30, 0x80, 0, 0));
	assert_false(IS_DER(0x24, 0x24, 3, 0x04, 1, 7));
	assert_false(IS_DER(0x30, 0x30, 5, 0x24, 3, 0x04, 1, 7));
	assert_false(IS_DER(0x10, 0x10, 0));	      /* a SEQUENCE is constructed */
	assert_false(IS_DER(0x30, 0x30, 2, 0, 0));    /* end-of-contents */
	assert_false(IS_DER(0xbf, 0xbf, 0x21, 1, 0)); /* a tag of two octets */
}

static void
nesting_has_a_limit(void **state)
{
	uint8_t room[64];

	(void)state;
	for (size_t i = 0; i < sizeof(room); i += 2) {
		room[i] = 0x30;
		room[i + 1] = (uint8_t)(sizeof(room) - i - 2);
	}
	assert_false(asn1_is_der(octets_of(room, sizeof(room)), 0x30)); /* 32 levels */
	assert_true(asn1_is_der(octets_of(room + 24, sizeof(room) - 24), 0x30));
}

static void
one_object_is_decoded_and_one_with_more_behind_it_is_not(void **state)
{
	static const uint8_t integer[] = {2, 1, 7, 0};
	ASN1_INTEGER *i;

	(void)state;
	i = asn1_decode(ASN1_ITEM_rptr(ASN1_INTEGER), octets_of(integer, 3));
	assert_non_null(i);
	assert_int_equal(ASN1_INTEGER_get(i), 7);
	ASN1_INTEGER_free(i);
	assert_null(asn1_decode(ASN1_ITEM_rptr(ASN1_INTEGER), octets_of(integer, 4)));
	assert_null(asn1_decode(ASN1_ITEM_rptr(ASN1_INTEGER), octets_of(integer, 2)));
	assert_null(asn1_decode(ASN1_ITEM_rptr(ASN1_INTEGER), octets_of(NULL, 0)));
	ERR_clear_error();
}

static void
contents_of_nothing_are_empty(void **state)
{
	(void)state;
	assert_int_equal(asn1_string_octets(NULL).len, 0);
	assert_int_equal(asn1_oid_octets(NULL).len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nested_elements_in_the_shortest_form_are_der),
	    cmocka_unit_test(a_length_of_128_octets_needs_its_long_form),
	    cmocka_unit_test(another_tag_nothing_and_an_octet_too_many_are_not_der),
	    cmocka_unit_test(indefinite_lengths_and_strings_in_pieces_are_not_der),
	    cmocka_unit_test(nesting_has_a_limit),
	    cmocka_unit_test(one_object_is_decoded_and_one_with_more_behind_it_is_not),
	    cmocka_unit_test(contents_of_nothing_are_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
