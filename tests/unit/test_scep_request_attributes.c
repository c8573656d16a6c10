#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

static void
a_transaction_id_may_be_any_string_of_1_to_256_octets(void **state)
{
	static const uint8_t tags[] = {DER_OCTET_STRING, DER_UTF8_STRING, DER_PRINTABLE_STRING,
	    0x12, 0x14, DER_IA5_STRING, 0x1a, 0x1b, 0x1e};
	uint8_t id[258];
	struct scep_spec s;

	(void)state;
	memset(id, '7', sizeof(id));
	for (size_t i = 0; i < sizeof(tags); i++) {
		enum scep_fail_info fail;
		struct scep_request *r;
		struct errbuf why;
		enum scep_rc rc;

		scep_spec(&s, &world);
		scep_spec_find(&s, scep_oid_transaction_id)->tag = tags[i];
		scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(id, 256);
		r = scep_parse_spec(&s, &rc, &fail, &why);
		assert_int_equal(rc, SCEP_OK);
		assert_int_equal(r->transaction_id_tag, tags[i]);
		assert_true(octets_equal(r->transaction_id, octets_of(id, 256)));
		scep_request_free(r);
		scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(id, 258);
		scep_assert_unanswerable(&s, "transactionID has 258 octets, want 1 to 256");
	}
	scep_spec_find(&s, scep_oid_transaction_id)->tag = DER_UTF8_STRING;
	scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(id, 257);
	scep_assert_unanswerable(&s, "transactionID has 257 octets, want 1 to 256");
	scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(id, 1);
	scep_assert_parses(&s);
	scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(id, 0);
	scep_assert_unanswerable(&s, "transactionID has 0 octets, want 1 to 256");
}

static void
a_transaction_id_that_is_no_string_is_unanswerable(void **state)
{
	static const uint8_t one[1] = {1};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(one, 1);
	scep_spec_find(&s, scep_oid_transaction_id)->tag = DER_INTEGER;
	scep_assert_unanswerable(&s, "want a string");
	scep_spec_find(&s, scep_oid_transaction_id)->tag = DER_BOOLEAN;
	scep_assert_unanswerable(&s, "want a string");
	scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(NULL, 0);
	scep_spec_find(&s, scep_oid_transaction_id)->tag = DER_NULL;
	scep_assert_unanswerable(&s, "want a string");
}

static void
no_single_transaction_id_is_unanswerable(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_find(&s, scep_oid_transaction_id)->times = 0;
	scep_assert_unanswerable(&s, "no transactionID");
	s.attributes[3].times = 2;
	scep_assert_unanswerable(&s, "transactionID: have 2 attributes");
	s.attributes[3].times = 1;
	s.attributes[3].values = 2;
	scep_assert_unanswerable(&s, "the first of 2 values");
	s.attributes[3].values = 0;
	scep_assert_unanswerable(&s, "the first of 0 values");
}

static void
a_sender_nonce_has_1_to_64_octets(void **state)
{
	uint8_t nonce[65] = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	for (size_t len = 1; len <= 64; len += 7) {
		scep_spec_find(&s, scep_oid_sender_nonce)->value = octets_of(nonce, len);
		scep_assert_parses(&s);
	}
	scep_spec_find(&s, scep_oid_sender_nonce)->value = octets_of(nonce, 65);
	scep_assert_refused(&s, SCEP_BAD_REQUEST, "senderNonce has 65 octets, want 1 to 64");
	scep_spec_find(&s, scep_oid_sender_nonce)->value = octets_of(nonce, 0);
	scep_assert_refused(&s, SCEP_BAD_REQUEST, "senderNonce has 0 octets, want 1 to 64");
	scep_spec_find(&s, scep_oid_sender_nonce)->value = octets_of_string("text");
	scep_spec_find(&s, scep_oid_sender_nonce)->tag = DER_PRINTABLE_STRING;
	scep_assert_refused(&s, SCEP_BAD_REQUEST, "want an OCTET STRING");
}

static void
a_message_without_a_nonce_is_refused(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_find(&s, scep_oid_sender_nonce)->times = 0;
	scep_assert_refused(&s, SCEP_BAD_REQUEST, "no senderNonce");
	s.attributes[4].times = 2;
	scep_assert_refused(&s, SCEP_BAD_REQUEST, "senderNonce: have 2");
}

static void
a_message_type_is_one_to_three_digits(void **state)
{
	static const char *const good[] = {"0", "19", "17", "022", "999"};
	static const int numbers[] = {0, 19, 17, 22, 999};
	static const char *const bad[] = {"", "1000", "-1", "+9", "1 ", "x", "0x1"};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		enum scep_fail_info fail;
		struct scep_request *r;
		struct errbuf why;
		enum scep_rc rc;

		scep_spec_find(&s, scep_oid_message_type)->value = octets_of_string(good[i]);
		scep_spec_find(&s, scep_oid_message_type)->tag =
		    i == 0 ? DER_UTF8_STRING : DER_PRINTABLE_STRING;
		r = scep_parse_spec(&s, &rc, &fail, &why);
		assert_int_equal(rc, SCEP_OK);
		assert_int_equal(r->message_type, numbers[i]);
		scep_request_free(r);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scep_spec_find(&s, scep_oid_message_type)->value = octets_of_string(bad[i]);
		scep_assert_refused(&s, SCEP_BAD_REQUEST, "messageType");
	}
	scep_spec_find(&s, scep_oid_message_type)->value = octets_of_string("\x13");
	scep_spec_find(&s, scep_oid_message_type)->tag = DER_INTEGER;
	scep_assert_refused(&s, SCEP_BAD_REQUEST, "messageType");
	scep_spec_find(&s, scep_oid_message_type)->times = 0;
	scep_assert_refused(&s, SCEP_BAD_REQUEST, "no messageType");
}

static void
a_refused_message_still_has_its_nonce(void **state)
{
	enum scep_fail_info fail;
	struct scep_request *r;
	struct scep_spec s;
	struct errbuf why;
	enum scep_rc rc;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_find(&s, scep_oid_message_type)->times = 0;
	scep_spec_find(&s, scep_oid_content_type)->times = 0;
	r = scep_parse_spec(&s, &rc, &fail, &why);
	assert_int_equal(rc, SCEP_REFUSED);
	assert_int_equal(r->sender_nonce.len, 16);
	scep_request_free(r);
}

static void
content_type_and_message_digest_are_there_once(void **state)
{
	const struct octets oids[2] = {scep_oid_content_type, scep_oid_message_digest};
	struct scep_spec s;

	(void)state;
	for (int i = 0; i < 2; i++) {
		scep_spec(&s, &world);
		s.attributes[i].times = 0;
		scep_assert_refused(
		    &s, SCEP_BAD_MESSAGE_CHECK, i == 0 ? "no contentType" : "no messageDigest");
		s.attributes[i].times = 2;
		scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "have 2 attributes");
		s.attributes[i].times = 1;
		s.attributes[i].values = 2;
		scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "the first of 2 values");
		s.attributes[i].values = 1;
		assert_true(octets_equal(s.attributes[i].oid, oids[i]));
		s.attributes[i].tag = DER_UTF8_STRING;
		scep_assert_refused(
		    &s, SCEP_BAD_MESSAGE_CHECK, i == 0 ? "id-data" : "want an OCTET STRING");
	}
	scep_spec(&s, &world);
	scep_spec_find(&s, scep_oid_content_type)->value = scep_oid_content_enveloped;
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "contentType attribute is not id-data");
}

static void
a_signing_time_may_be_missing_or_unreadable_but_not_twice(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	for (int i = 0; i < 2; i++) {
		enum scep_fail_info fail;
		struct scep_request *r;
		struct errbuf why;
		enum scep_rc rc;

		s.attributes[5].times = i;
		s.attributes[5].value = octets_of_string("269999000000Z");
		r = scep_parse_spec(&s, &rc, &fail, &why);
		assert_int_equal(rc, SCEP_OK);
		assert_false(r->has_signing_time);
		scep_request_free(r);
	}
	s.attributes[5].value = octets_of_string("20261123000000Z");
	s.attributes[5].tag = DER_GENERALIZED_TIME;
	scep_assert_parses(&s);
	s.attributes[5].times = 2;
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "signingTime: have 2 attributes");
}

static void
unknown_attributes_are_passed_over_even_twice(void **state)
{
	static const uint8_t oid[] = {0x2a, 0x03, 0x04};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.attributes[6] = (struct scep_spec_attribute){
	    octets_of(oid, 3), DER_UTF8_STRING, octets_of_string("x"), 3, 2};
	scep_assert_parses(&s);
}

static int
open_world(void **state)
{
	(void)state;
	scep_world_open(&world);
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	scep_world_close(&world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_transaction_id_may_be_any_string_of_1_to_256_octets),
	    cmocka_unit_test(a_transaction_id_that_is_no_string_is_unanswerable),
	    cmocka_unit_test(no_single_transaction_id_is_unanswerable),
	    cmocka_unit_test(a_sender_nonce_has_1_to_64_octets),
	    cmocka_unit_test(a_message_without_a_nonce_is_refused),
	    cmocka_unit_test(a_message_type_is_one_to_three_digits),
	    cmocka_unit_test(a_refused_message_still_has_its_nonce),
	    cmocka_unit_test(content_type_and_message_digest_are_there_once),
	    cmocka_unit_test(a_signing_time_may_be_missing_or_unreadable_but_not_twice),
	    cmocka_unit_test(unknown_attributes_are_passed_over_even_twice),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
