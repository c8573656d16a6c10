#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

static void
a_good_message_is_read(void **state)
{
	enum scep_fail_info fail;
	struct scep_spec s;
	struct scep_request *r;
	struct errbuf why;
	enum scep_rc rc;

	(void)state;
	scep_spec(&s, &world);
	r = scep_parse_spec(&s, &rc, &fail, &why);
	assert_int_equal(rc, SCEP_OK);
	assert_int_equal(r->message_type, SCEP_PKCS_REQ);
	assert_true(octets_equal(r->transaction_id, octets_of_string("transaction one")));
	assert_int_equal(r->transaction_id_tag, DER_PRINTABLE_STRING);
	assert_int_equal(r->sender_nonce.len, 16);
	assert_true(r->has_signing_time);
	assert_int_equal(r->signing_time, 1795392000);
	assert_true(octets_equal(r->signer.der, world.device.certificate.der));
	assert_true(r->signer_self_signed);
	assert_int_equal(r->signer_key.type, PKI_KEY_RSA);
	assert_int_equal(r->digest, PKI_SHA256);
	assert_int_equal(r->cipher, PKI_AES256);
	assert_true(octets_equal(r->recipient_issuer, world.ra.certificate.issuer));
	assert_true(octets_equal(r->recipient_serial, world.ra.certificate.serial));
	assert_int_equal(r->recipient_ski.len, 0);
	assert_true(scep_request_is_for(r, &world.recipient));
	scep_request_free(r);
	scep_request_free(NULL);
}

static void
another_recipient_is_not_taken_for_ours(void **state)
{
	struct scep_recipient other = {&world.other.certificate, world.other.x509, world.other.key};
	enum scep_fail_info fail;
	struct scep_spec s;
	struct scep_request *r;
	struct errbuf why;
	enum scep_rc rc;

	(void)state;
	scep_spec(&s, &world);
	s.recipient = &world.other;
	r = scep_parse_spec(&s, &rc, &fail, &why);
	assert_int_equal(rc, SCEP_OK);
	assert_false(scep_request_is_for(r, &world.recipient));
	assert_true(scep_request_is_for(r, &other));
	scep_request_free(r);
}

static void
octets_behind_the_message_are_refused(void **state)
{
	static const uint8_t nul[1] = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.behind = octets_of(nul, 1);
	scep_assert_unanswerable(&s, "exactly one SignedData");
}

static void
octets_that_are_no_signed_data_are_unanswerable(void **state)
{
	static const char *const texts[] = {"", "0", "hello", "\x30\x03\x02\x01\x01",
	    "\x30\x80\x30\x80\x30\x80\x30\x80\x30\x80", "\x30\x84\xff\xff\xff\xff"};
	enum scep_fail_info fail;
	struct scep_request *r;
	struct scep_spec s;
	struct errbuf why;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(scep_request_parse(octets_of_string(texts[i]), &r, &fail, &why),
		    SCEP_UNANSWERABLE);
		assert_null(r);
	}
	assert_int_equal(
	    scep_request_parse(world.device.certificate.der, &r, &fail, &why), SCEP_UNANSWERABLE);
	scep_spec(&s, &world);
	s.type = scep_oid_content_enveloped;
	scep_assert_unanswerable(&s, "not id-signedData");
}

static void
a_message_over_the_limit_is_unanswerable(void **state)
{
	uint8_t *big = calloc(1, SCEP_MESSAGE_MAX + 1);
	enum scep_fail_info fail;
	struct scep_request *r;
	struct errbuf why;

	(void)state;
	assert_int_equal(scep_request_parse(octets_of(big, SCEP_MESSAGE_MAX + 1), &r, &fail, &why),
	    SCEP_UNANSWERABLE);
	assert_non_null(strstr(why.line, "want <= 262144"));
	free(big);
}

static void
not_exactly_one_signer_is_unanswerable(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_assert_parses(&s);
	s.signers = 0;
	scep_assert_unanswerable(&s, "have 0 signers, want 1");
	s.signers = 2;
	scep_assert_unanswerable(&s, "have 2 signers, want 1");
}

static void
the_signer_is_found_among_other_certificates(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.certificates[0] = world.ra.certificate.der;
	s.certificates[1] = world.other.certificate.der; /* the same issuer, another serial */
	s.certificates[2] = world.device.certificate.der;
	s.certificate_count = 3;
	scep_assert_parses(&s);
	s.certificate_count = 2;
	scep_assert_unanswerable(&s, "none of 2 certificates is the signer's");
	s.certificate_count = 0;
	scep_assert_unanswerable(&s, "none of 0 certificates is the signer's");
	for (int i = 0; i < 9; i++)
		s.certificates[i] = world.device.certificate.der;
	s.certificate_count = 8;
	scep_assert_parses(&s);
	s.certificate_count = 9;
	scep_assert_unanswerable(&s, "have 9 certificates, want <= 8");
}

static void
the_signer_is_matched_by_issuer_and_serial_both(void **state)
{
	static const uint8_t serial[1] = {1}, padded[3] = {0, 0, 1}, negative[1] = {0xff};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.sid_serial = octets_of(serial, 1);
	scep_assert_parses(&s);
	s.sid_serial = octets_of(padded, 3); /* the same number, not in DER's form */
	scep_assert_parses(&s);
	s.sid_serial = octets_of(negative, 1);
	scep_assert_unanswerable(&s, "none of 1 certificates");
	s.sid_serial = octets_of(serial, 1);
	s.sid_issuer = world.ra.certificate.issuer;
	scep_assert_unanswerable(&s, "none of 1 certificates");
}

/* Test/device as UTF8String, where the certificate has PrintableString or the other way round. */
static void
an_issuer_in_other_string_types_is_the_same(void **state)
{
	X509_NAME *n = X509_NAME_new();
	uint8_t *der = NULL;
	struct scep_spec s;
	int len;

	(void)state;
	scep_spec(&s, &world);
	X509_NAME_add_entry_by_txt(n, "O", V_ASN1_UTF8STRING, (const uint8_t *)"Test", -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", V_ASN1_T61STRING, (const uint8_t *)"DEVICE", -1, -1, 0);
	len = i2d_X509_NAME(n, &der);
	s.sid_issuer = octets_of(der, (size_t)len);
	assert_false(octets_equal(s.sid_issuer, world.device.certificate.issuer));
	scep_assert_parses(&s);
	der[len - 1] ^= 1;
	scep_assert_unanswerable(&s, "none of 1 certificates");
	OPENSSL_free(der);
	X509_NAME_free(n);
}

static void
the_signer_is_matched_by_its_subject_key_identifier(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.by_ski = true;
	s.signer = &world.other; /* has one */
	scep_assert_parses(&s);
	s.certificates[0] = world.ra.certificate.der; /* has another */
	s.certificate_count = 1;
	scep_assert_unanswerable(&s, "none of 1 certificates");
	/* An empty one names nobody, not even who has none. */
	s.signer = &world.device;
	s.certificate_count = -1;
	scep_assert_unanswerable(&s, "none of 1 certificates");
}

static void
serials_of_any_length_and_sign_are_matched(void **state)
{
	uint8_t ascii[32] = "0123456789abcdef0123456789abcdef";
	static const uint8_t negative[3] = {0x80, 0x01, 0x02}, high[3] = {0x00, 0x80, 0x01};
	struct octets serials[3] = {
	    octets_of(ascii, 32), octets_of(negative, 3), octets_of(high, 3)};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct scep_party p;
		struct scep_spec s;

		scep_make_party(&p, world.device.key, serials[i], false);
		scep_spec(&s, &world);
		s.signer = &p;
		scep_assert_parses(&s);
		s.sid_serial = serials[(i + 1) % 3];
		scep_assert_unanswerable(&s, "none of 1 certificates");
		scep_free_party(&p);
	}
}

static void
a_certificate_that_cannot_be_read_is_unanswerable(void **state)
{
	static const uint8_t empty[2] = {0x30, 0x00};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.certificates[0] = octets_of(empty, 2);
	s.certificate_count = 1;
	scep_assert_unanswerable(&s, "certificate 1");
}

static void
other_kinds_of_certificate_are_passed_over(void **state)
{
	static const uint8_t other_format[4] = {0xa3, 0x02, 0x05, 0x00};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.certificates[0] = octets_of(other_format, 4);
	s.certificates[1] = world.device.certificate.der;
	s.certificate_count = 2;
	scep_assert_parses(&s);
	s.certificate_count = 1;
	scep_assert_unanswerable(&s, "none of 1 certificates");
}

static void
content_that_is_no_enveloped_data_is_refused(void **state)
{
	static const uint8_t null[2] = {0x05, 0x00};
	struct buffer envelope = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.content = octets_of(null, 2);
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "want one EnvelopedData");
	s.content = octets_of(null, 0);
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "want one EnvelopedData");
	s.content = octets_of(NULL, 0);
	s.no_content = true;
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "want one EnvelopedData");
	s.no_content = false;
	s.content_type = scep_oid_content_enveloped;
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "eContentType is not id-data");
	s.content_type = scep_oid_content_data;
	scep_make_envelope(world.ra.x509, PKI_AES128, s.csr, false, &envelope);
	s.content = buffer_octets(&envelope);
	scep_assert_parses(&s);
	buffer_append(&envelope, "", 1);
	s.content = buffer_octets(&envelope);
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "want one EnvelopedData");
	envelope.len--;
	envelope.data[envelope.data[1] == 0x82 ? 14 : 13] = 0x04; /* the type's last arc */
	s.content = buffer_octets(&envelope);
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "not id-envelopedData");
	buffer_free(&envelope);
}

/* ContentInfo { envelopedData, { 0, SET OF count times recipient, { data, { aes256-CBC, IV }, [0] 16 octets } } } */
static void
make_bare_envelope(const uint8_t *before, size_t before_len, const struct octets recipient,
    int count, bool content, struct buffer *out)
{
	static uint8_t room[8192];
	static const uint8_t block[16] = {0};
	size_t mark;
	struct der d;

	der_start(&d, room, sizeof(room));
	if (content)
		der_element(&d, DER_CONTEXT_PRIM(0), octets_of(block, 16));
	mark = der_mark(&d);
	der_element(&d, DER_OCTET_STRING, octets_of(block, 16));
	der_oid(&d, pki_cipher_oid(PKI_AES256));
	der_wrap(&d, DER_SEQUENCE, mark);
	der_oid(&d, scep_oid_content_data);
	der_wrap(&d, DER_SEQUENCE, 0);
	mark = der_mark(&d);
	for (int i = 0; i < count; i++)
		der_raw(&d, recipient);
	der_wrap(&d, DER_SET, mark);
	der_raw(&d, octets_of(before, before_len));
	der_integer(&d, 0);
	der_wrap(&d, DER_SEQUENCE, 0);
	der_wrap(&d, DER_CONTEXT(0), 0);
	der_oid(&d, scep_oid_content_enveloped);
	der_wrap(&d, DER_SEQUENCE, 0);
	assert_false(d.failed);
	buffer_append(out, d.at, der_mark(&d));
}

static struct octets
make_key_trans(uint8_t room[256])
{
	size_t mark;
	struct der d;

	der_start(&d, room, 256);
	der_element(&d, DER_OCTET_STRING, octets_of_string("encrypted"));
	mark = der_mark(&d);
	der_null(&d);
	der_oid(&d, scep_oid_rsa_encryption);
	der_wrap(&d, DER_SEQUENCE, mark);
	der_element(&d, DER_CONTEXT_PRIM(0), octets_of_string("a key identifier"));
	der_integer(&d, 2);
	der_wrap(&d, DER_SEQUENCE, 0);
	assert_false(d.failed);
	return der_octets(&d);
}

static void
recipients_are_bounded_and_one_is_by_key_transport(void **state)
{
	static const uint8_t password[] = {0xa3, 0x03, 0x02, 0x01, 0x00}, empty[] = {0x30, 0x00},
			     originator[] = {0xa0, 0x00};
	static const struct {
		int count, kind; /* kind 0: by key transport, 1: by password, 2: unreadable */
		bool originator, content;
		const char *words; /* NULL: fine */
	} cases[] = {{1, 0, false, true, NULL}, {8, 0, false, true, NULL},
	    {9, 0, false, true, "have 9 recipients, want 1 to 8"},
	    {0, 0, false, true, "have 0 recipients, want 1 to 8"},
	    {2, 1, false, true, "no KeyTransRecipientInfo"},
	    {1, 2, false, true, "recipient 1 cannot be read"}, {1, 0, true, true, "originatorInfo"},
	    {1, 0, false, false, "without encryptedContent"}};
	uint8_t room[256];
	struct octets kinds[3] = {make_key_trans(room), octets_of(password, sizeof(password)),
	    octets_of(empty, sizeof(empty))};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer envelope = {0};
		struct scep_spec s;

		make_bare_envelope(originator, cases[i].originator ? sizeof(originator) : 0,
		    kinds[cases[i].kind], cases[i].count, cases[i].content, &envelope);
		scep_spec(&s, &world);
		s.content = buffer_octets(&envelope);
		if (cases[i].words == NULL)
			scep_assert_parses(&s);
		else
			scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, cases[i].words);
		buffer_free(&envelope);
	}
}

static void
a_recipient_is_told_by_its_subject_key_identifier(void **state)
{
	uint8_t room[256];
	struct octets ours = world.ra.certificate.ski;
	struct buffer envelope = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	struct scep_spec s;
	struct errbuf why;
	enum scep_rc rc;

	(void)state;
	make_bare_envelope(NULL, 0, make_key_trans(room), 1, true, &envelope);
	scep_spec(&s, &world);
	s.content = buffer_octets(&envelope);
	r = scep_parse_spec(&s, &rc, &fail, &why);
	assert_int_equal(rc, SCEP_OK);
	assert_true(octets_equal(r->recipient_ski, octets_of_string("a key identifier")));
	assert_int_equal(r->recipient_issuer.len, 0);
	assert_false(scep_request_is_for(r, &world.recipient));
	scep_request_free(r);
	buffer_free(&envelope);
	assert_int_equal(ours.len, 20);
}

static void
a_message_in_ber_is_read_like_one_in_der(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.ber = true;
	scep_assert_parses(&s);
	s.signers = 2;
	scep_assert_unanswerable(&s, "have 2 signers");
}

static void
a_signer_by_another_is_not_self_signed(void **state)
{
	enum scep_fail_info fail;
	struct scep_request *r;
	struct scep_spec s;
	struct errbuf why;
	enum scep_rc rc;

	(void)state;
	scep_spec(&s, &world);
	s.signer = &world.ra;
	r = scep_parse_spec(&s, &rc, &fail, &why);
	assert_int_equal(rc, SCEP_OK);
	assert_false(r->signer_self_signed);
	scep_request_free(r);
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
	    cmocka_unit_test(a_good_message_is_read),
	    cmocka_unit_test(another_recipient_is_not_taken_for_ours),
	    cmocka_unit_test(octets_behind_the_message_are_refused),
	    cmocka_unit_test(octets_that_are_no_signed_data_are_unanswerable),
	    cmocka_unit_test(a_message_over_the_limit_is_unanswerable),
	    cmocka_unit_test(not_exactly_one_signer_is_unanswerable),
	    cmocka_unit_test(the_signer_is_found_among_other_certificates),
	    cmocka_unit_test(the_signer_is_matched_by_issuer_and_serial_both),
	    cmocka_unit_test(an_issuer_in_other_string_types_is_the_same),
	    cmocka_unit_test(the_signer_is_matched_by_its_subject_key_identifier),
	    cmocka_unit_test(serials_of_any_length_and_sign_are_matched),
	    cmocka_unit_test(a_certificate_that_cannot_be_read_is_unanswerable),
	    cmocka_unit_test(other_kinds_of_certificate_are_passed_over),
	    cmocka_unit_test(content_that_is_no_enveloped_data_is_refused),
	    cmocka_unit_test(recipients_are_bounded_and_one_is_by_key_transport),
	    cmocka_unit_test(a_recipient_is_told_by_its_subject_key_identifier),
	    cmocka_unit_test(a_message_in_ber_is_read_like_one_in_der),
	    cmocka_unit_test(a_signer_by_another_is_not_self_signed),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
