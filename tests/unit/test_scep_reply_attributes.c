#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/asn1.h"
#include "scep/client.h"
#include "scep/cms.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

/* The value of an attribute in a reply's one SignerInfo; NULL: none. */
static const ASN1_TYPE *
attribute(const cms_attributes *attributes, struct octets oid)
{
	for (int i = 0; i < sk_cms_attribute_num(attributes); i++) {
		const cms_attribute *a = sk_cms_attribute_value(attributes, i);

		if (octets_equal(asn1_string_octets(&a->oid), oid))
			return sk_ASN1_TYPE_value(a->values, 0);
	}
	return NULL;
}

/* The reply's attributes, which are DER, to the last of their order. */
static cms_attributes *
attributes_of(const struct buffer *reply)
{
	cms_signed *s = cms_signed_parse(buffer_octets(reply));
	cms_attributes *attributes;
	cms_signer_info *si;
	uint8_t *der;
	int len;

	assert_non_null(s);
	si = sk_cms_signer_info_value(s->signed_data->signers, 0);
	assert_true(octets_equal(
	    asn1_string_octets(&si->signature_algorithm.oid), scep_oid_rsa_encryption));
	si->signed_attributes.data[0] = DER_SET;
	attributes = cms_attributes_parse(asn1_string_octets(&si->signed_attributes));
	assert_non_null(attributes);
	len = cms_attributes_encode(attributes, &der);
	assert_true(
	    octets_equal(octets_of(der, (size_t)len), asn1_string_octets(&si->signed_attributes)));
	OPENSSL_free(der);
	cms_signed_free(s);
	return attributes;
}

static void
a_reply_is_der_and_its_attributes_are_sorted(void **state)
{
	struct scep_reply replies[] = {scep_success(&world),
	    {.status = SCEP_FAILURE,
		.fail_info = SCEP_BAD_TIME,
		.fail_info_text = "t",
		.digest = PKI_SHA1},
	    {.status = SCEP_PENDING, .digest = PKI_SHA384}};
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct buffer out = {0};

		scep_make_reply(&world, r, &replies[i], &out);
		assert_true(asn1_is_der(buffer_octets(&out), DER_SEQUENCE));
		cms_attributes_free(attributes_of(&out));
		buffer_free(&out);
	}
	scep_request_free(r);
}

static void
a_reply_echoes_the_transaction_id_in_its_type_and_the_nonce(void **state)
{
	static const uint8_t tags[] = {
	    DER_OCTET_STRING, DER_UTF8_STRING, DER_IA5_STRING, 0x14, 0x1e};
	uint8_t id[256], nonce[64];
	struct buffer message = {0}, out = {0};

	(void)state;
	memset(id, 'i', sizeof(id));
	memset(nonce, 'n', sizeof(nonce));
	for (size_t i = 0; i < sizeof(tags); i++) {
		struct scep_reply reply = {.status = SCEP_FAILURE,
		    .fail_info = SCEP_BAD_REQUEST,
		    .fail_info_text = "the longest of each",
		    .digest = PKI_SHA512};
		cms_attributes *attributes;
		enum scep_fail_info fail;
		const ASN1_TYPE *value;
		struct scep_request *r;
		struct scep_spec s;

		scep_spec(&s, &world);
		scep_spec_find(&s, scep_oid_transaction_id)->tag = tags[i];
		scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(id, 256);
		scep_spec_find(&s, scep_oid_sender_nonce)->value = octets_of(nonce, 64);
		scep_spec_write(&s, &message);
		assert_int_equal(
		    scep_request_parse(buffer_octets(&message), &r, &fail, NULL), SCEP_OK);
		scep_make_reply(&world, r, &reply, &out);
		attributes = attributes_of(&out);
		value = attribute(attributes, scep_oid_transaction_id);
		assert_int_equal(value->type, tags[i]);
		assert_true(
		    octets_equal(asn1_string_octets(value->value.asn1_string), octets_of(id, 256)));
		value = attribute(attributes, scep_oid_recipient_nonce);
		assert_true(octets_equal(
		    asn1_string_octets(value->value.asn1_string), octets_of(nonce, 64)));
		cms_attributes_free(attributes);
		scep_request_free(r);
		buffer_free(&message);
		buffer_free(&out);
	}
}

static void
a_sender_nonce_is_fresh_and_no_echo(void **state)
{
	struct scep_reply reply = {.status = SCEP_PENDING, .digest = PKI_SHA256};
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);
	uint8_t seen[2][16];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer out = {0};
		cms_attributes *attributes;
		struct octets nonce;

		scep_make_reply(&world, r, &reply, &out);
		attributes = attributes_of(&out);
		nonce = asn1_string_octets(
		    attribute(attributes, scep_oid_sender_nonce)->value.asn1_string);
		assert_int_equal(nonce.len, 16);
		assert_false(octets_equal(nonce, r->sender_nonce));
		memcpy(seen[i], nonce.data, 16);
		cms_attributes_free(attributes);
		buffer_free(&out);
	}
	assert_memory_not_equal(seen[0], seen[1], 16);
	scep_request_free(r);
}

static void
a_request_without_a_nonce_gets_none_back(void **state)
{
	struct scep_reply reply = {
	    .status = SCEP_FAILURE, .fail_info = SCEP_BAD_REQUEST, .digest = PKI_SHA256};
	struct buffer message = {0}, out = {0};
	cms_attributes *attributes;
	enum scep_fail_info fail;
	struct scep_request *r;
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_find(&s, scep_oid_sender_nonce)->times = 0;
	scep_spec_write(&s, &message);
	assert_int_equal(
	    scep_request_parse(buffer_octets(&message), &r, &fail, NULL), SCEP_REFUSED);
	scep_make_reply(&world, r, &reply, &out);
	attributes = attributes_of(&out);
	assert_null(attribute(attributes, scep_oid_recipient_nonce));
	assert_non_null(attribute(attributes, scep_oid_sender_nonce));
	cms_attributes_free(attributes);
	scep_request_free(r);
	buffer_free(&message);
	buffer_free(&out);
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
	    cmocka_unit_test(a_reply_is_der_and_its_attributes_are_sorted),
	    cmocka_unit_test(a_reply_echoes_the_transaction_id_in_its_type_and_the_nonce),
	    cmocka_unit_test(a_sender_nonce_is_fresh_and_no_echo),
	    cmocka_unit_test(a_request_without_a_nonce_gets_none_back),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
