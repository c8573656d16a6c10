#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>

#include "scep/decoy.h"
#include "scep/oid.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

static void
each_digest_with_each_cipher_opens(void **state)
{
	static const enum pki_digest digests[] = {
	    PKI_MD5, PKI_SHA1, PKI_SHA256, PKI_SHA384, PKI_SHA512};
	static const enum pki_cipher ciphers[] = {PKI_DES, PKI_DES3, PKI_AES128, PKI_AES256};

	(void)state;
	for (size_t d = 0; d < sizeof(digests) / sizeof(digests[0]); d++) {
		for (size_t c = 0; c < sizeof(ciphers) / sizeof(ciphers[0]); c++) {
			struct scep_spec s;

			scep_spec(&s, &world);
			s.digest = digests[d];
			s.cipher = ciphers[c];
			scep_assert_opens(&s);
			s.ber = true;
			scep_assert_opens(&s);
			s.bad_signature = true;
			scep_assert_fails(&s, "verify", "SignerInfo: signature");
		}
	}
}

static void
an_opened_request_has_its_challenge(void **state)
{
	struct scep_outcome o;
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_run_spec(&s, &o);
	assert_int_equal(o.rc, SCEP_OK);
	assert_true(o.csr.has_challenge);
	assert_true(octets_equal(o.csr.challenge, octets_of_string("a challenge")));
	scep_outcome_free(&o);
}

static void
a_signature_altered_is_refused(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_assert_opens(&s);
	s.bad_signature = true;
	scep_assert_fails(&s, "verify", "SignerInfo: signature");
}

static void
a_digest_that_differs_is_refused(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.bad_digest = true;
	scep_assert_fails(&s, "verify", "messageDigest is not that of the content");
}

static void
a_signature_by_another_key_is_refused(void **state)
{
	struct scep_party p = world.device;
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	p.key = world.other.key; /* with the device's certificate */
	s.signer = &p;
	scep_assert_fails(&s, "verify", "SignerInfo: signature");
}

/* RFC 5652 5.4: the signature is over the DER; clients that send and sign another order are taken at their word. */
static void
attributes_in_any_order_verify(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.unsorted_attributes = true;
	scep_assert_opens(&s);
	s.sorted_signature = true;
	scep_assert_opens(&s);
	s.bad_signature = true;
	scep_assert_fails(&s, "verify", "SignerInfo: signature");
}

static void
indefinite_lengths_and_strings_in_pieces_open(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.ber = true;
	scep_assert_opens(&s);
	s.bad_digest = true;
	scep_assert_fails(&s, "verify", "messageDigest");
}

/* As OpenSSL writes it while it does not know how long the content will be. */
static void
a_streamed_message_opens(void **state)
{
	BIO *in = BIO_new_mem_buf(world.csr.data, (int)world.csr.len), *mem = BIO_new(BIO_s_mem());
	STACK_OF(X509) *recipients = sk_X509_new_null();
	struct buffer content = {0};
	CMS_ContentInfo *cms;
	struct scep_spec s;
	char *octets;
	long len;

	(void)state;
	sk_X509_push(recipients, world.ra.x509);
	cms = CMS_encrypt(recipients, NULL, EVP_aes_128_cbc(), CMS_STREAM | CMS_BINARY);
	assert_non_null(cms);
	assert_int_equal(i2d_CMS_bio_stream(mem, cms, in, CMS_STREAM | CMS_BINARY), 1);
	len = BIO_get_mem_data(mem, &octets);
	buffer_append(&content, octets, (size_t)len);
	assert_int_equal(content.data[1], 0x80);
	scep_spec(&s, &world);
	s.content = buffer_octets(&content);
	scep_assert_opens(&s);
	s.csr = octets_of("", 0);
	content.data[content.len / 2] ^= 1; /* signed anew: the garbage is inside */
	{
		struct scep_outcome o;

		scep_run_spec(&s, &o);
		assert_int_equal(o.rc, SCEP_REFUSED);
		scep_outcome_free(&o);
	}
	CMS_ContentInfo_free(cms);
	sk_X509_free(recipients);
	BIO_free(in);
	BIO_free(mem);
	buffer_free(&content);
}

static void
an_envelope_for_another_recipient_is_refused(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.recipient = &world.other;
	scep_assert_fails(&s, "decrypt", "for another recipient");
	s.cipher = PKI_DES;
	scep_assert_fails(&s, "decrypt", "for another recipient");
}

/* The same key under another certificate: what the envelope says counts, not what could be decrypted. */
static void
our_key_under_a_certificate_not_ours_is_refused(void **state)
{
	static const uint8_t serial[1] = {9};
	struct scep_party old;
	struct scep_spec s;

	(void)state;
	scep_make_party(&old, world.ra.key, octets_of(serial, 1), false);
	scep_spec(&s, &world);
	s.recipient = &old;
	scep_assert_fails(&s, "decrypt", "for another recipient");
	scep_free_party(&old);
}

/* Find the ciphertext of an envelope by OpenSSL: it stands at the end. */
static void
a_broken_ciphertext_is_refused(void **state)
{
	static const enum pki_cipher ciphers[] = {PKI_DES, PKI_AES128};
	struct buffer envelope = {0};
	struct scep_spec s;

	(void)state;
	for (int i = 0; i < 2; i++) {
		scep_spec(&s, &world);
		s.cipher = ciphers[i];
		scep_make_envelope(world.ra.x509, s.cipher, s.csr, false, &envelope);
		s.content = buffer_octets(&envelope);
		scep_assert_opens(&s);
		/* The padding is all wrong: the last octet is 128 and more. */
		for (int bit = 1; bit < 256; bit <<= 1) {
			struct scep_outcome o;

			envelope.data[envelope.len - 17] ^= (uint8_t)bit;
			scep_run_spec(&s, &o);
			assert_int_equal(o.rc, SCEP_REFUSED);
			assert_int_equal(o.fail, SCEP_BAD_MESSAGE_CHECK);
			assert_string_not_equal(o.stage, "verify");
			scep_outcome_free(&o);
			envelope.data[envelope.len - 17] ^= (uint8_t)bit;
		}
		buffer_free(&envelope);
	}
}

/* What RSA decryption gives is garbage, or the wrong length: OpenSSL goes on with a random key, and nobody learns which. */
static void
a_broken_encrypted_key_is_refused(void **state)
{
	struct buffer envelope = {0};
	struct scep_spec s;
	int stages[2] = {0};

	(void)state;
	scep_spec(&s, &world);
	scep_make_envelope(world.ra.x509, s.cipher, s.csr, false, &envelope);
	s.content = buffer_octets(&envelope);
	for (size_t at = 0; at < 240; at += 5) {
		/* The encrypted key ends where the EncryptedContentInfo begins: 50 octets of frame before the ciphertext. */
		size_t where = envelope.len - (s.csr.len / 16 + 1) * 16 - 60 - at;
		struct scep_outcome o;

		envelope.data[where] ^= 0x10;
		scep_run_spec(&s, &o);
		assert_int_equal(o.rc, SCEP_REFUSED);
		assert_int_equal(o.fail, SCEP_BAD_MESSAGE_CHECK);
		assert_non_null(o.stage);
		assert_string_not_equal(o.stage, "verify");
		stages[strcmp(o.stage, "decrypt") == 0]++;
		scep_outcome_free(&o);
		envelope.data[where] ^= 0x10;
	}
	assert_true(stages[1] > stages[0]);
	scep_assert_opens(&s);
	buffer_free(&envelope);
}

static void
content_that_is_no_csr_is_refused(void **state)
{
	uint8_t behind[4096];
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.csr = octets_of_string("this is no CSR");
	scep_assert_fails(&s, "parse", "CSR");
	s.csr = octets_of("", 0);
	scep_assert_fails(&s, "parse", "CSR");
	s.csr = world.device.certificate.der;
	scep_assert_fails(&s, "parse", "CSR");
	memcpy(behind, world.csr.data, world.csr.len);
	behind[world.csr.len] = 0;
	s.csr = octets_of(behind, world.csr.len + 1);
	scep_assert_fails(&s, "parse", "CSR");
}

static void
a_csr_whose_signature_is_wrong_is_refused(void **state)
{
	uint8_t altered[4096];
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	memcpy(altered, world.csr.data, world.csr.len);
	altered[world.csr.len - 1] ^= 1;
	s.csr = octets_of(altered, world.csr.len);
	scep_assert_fails(&s, "possession", "CSR: signature");
}

static void
a_self_signed_signer_has_the_csrs_key(void **state)
{
	struct scep_request *r;
	enum scep_fail_info fail;
	struct buffer message = {0};
	struct scep_spec s;
	const char *stage;
	struct errbuf why;
	struct csr csr;

	(void)state;
	scep_spec(&s, &world);
	s.signer = &world.other;
	scep_assert_fails(&s, "possession", "not that of the self-signed signer");
	/* The switch that drops the demand. */
	scep_spec_write(&s, &message);
	assert_int_equal(scep_request_parse(buffer_octets(&message), &r, &fail, &why), SCEP_OK);
	assert_int_equal(
	    scep_request_open_csr(r, &world.recipient, false, &csr, &stage, &why), SCEP_OK);
	csr_free(&csr);
	/* Another key's CSR signature still has to hold. */
	scep_request_free(r);
	buffer_free(&message);
}

static void
a_signer_that_another_issued_may_have_another_key(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.signer = &world.ra; /* stands for the certificate to be renewed */
	scep_assert_opens(&s);
}

static void
a_signer_with_an_ec_key_verifies(void **state)
{
	static const enum pki_digest digests[] = {PKI_SHA1, PKI_SHA256, PKI_SHA384, PKI_SHA512};
	struct buffer csr = {0};
	struct scep_spec s;

	(void)state;
	scep_make_csr(world.ec.key, NULL, &csr);
	for (int i = 0; i < 4; i++) {
		scep_spec(&s, &world);
		s.signer = &world.ec;
		s.csr = buffer_octets(&csr);
		s.digest = digests[i];
		scep_assert_opens(&s);
		s.signature_oid = scep_oid_ec_public_key;
		scep_assert_opens(&s);
		s.bad_signature = true;
		scep_assert_fails(&s, "verify", "SignerInfo: signature");
	}
	buffer_free(&csr);
}

static void
an_ed25519_csr_opens_where_its_own_signature_holds_and_only_there(void **state)
{
	struct buffer csr = {0};
	struct scep_spec s;

	(void)state;
	pki_csr(&csr, world.ed.key, "CN=device", NULL);
	scep_spec(&s, &world);
	s.signer = &world.ra; /* stands for the certificate to be renewed */
	s.csr = buffer_octets(&csr);
	scep_assert_opens(&s);
	csr.data[csr.len - 40] ^= 1; /* in the signature */
	s.csr = buffer_octets(&csr);
	scep_assert_fails(&s, "possession", "signature");
	buffer_free(&csr);
}

static void
one_recipient_of_several_is_enough(void **state)
{
	STACK_OF(X509) *recipients = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(world.csr.data, (int)world.csr.len);
	CMS_ContentInfo *cms;
	struct scep_spec s;
	uint8_t *der = NULL;
	int len;

	(void)state;
	sk_X509_push(recipients, world.other.x509);
	sk_X509_push(recipients, world.ra.x509);
	cms = CMS_encrypt(recipients, in, EVP_aes_256_cbc(), CMS_BINARY);
	len = i2d_CMS_ContentInfo(cms, &der);
	scep_spec(&s, &world);
	s.content = octets_of(der, (size_t)len);
	scep_assert_opens(&s);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	sk_X509_free(recipients);
}

static void
none_of_several_recipients_is_refused(void **state)
{
	STACK_OF(X509) *recipients = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(world.csr.data, (int)world.csr.len);
	CMS_ContentInfo *cms;
	struct scep_spec s;
	uint8_t *der = NULL;
	int len;

	(void)state;
	for (int i = 0; i < SCEP_RECIPIENTS_MAX; i++)
		sk_X509_push(recipients, world.other.x509);
	cms = CMS_encrypt(recipients, in, EVP_aes_256_cbc(), CMS_BINARY);
	len = i2d_CMS_ContentInfo(cms, &der);
	scep_spec(&s, &world);
	s.content = octets_of(der, (size_t)len);
	scep_assert_fails(&s, "decrypt", "another recipient");
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	sk_X509_free(recipients);
}

static void
a_recipient_named_by_key_identifier_opens(void **state)
{
	BIO *in = BIO_new_mem_buf(world.csr.data, (int)world.csr.len);
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, EVP_aes_256_cbc(), CMS_BINARY | CMS_PARTIAL);
	struct scep_spec s;
	uint8_t *der = NULL;
	int len;

	(void)state;
	assert_non_null(CMS_add1_recipient_cert(cms, world.ra.x509, CMS_USE_KEYID));
	assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	len = i2d_CMS_ContentInfo(cms, &der);
	scep_spec(&s, &world);
	s.content = octets_of(der, (size_t)len);
	scep_assert_opens(&s);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

static void
the_decoy_is_a_request_that_holds(void **state)
{
	struct errbuf why = {0};
	struct csr csr;

	(void)state;
	if (!csr_parse(scep_decoy_csr.data, scep_decoy_csr.len, &csr, &why))
		fail_msg("%s", why.line);
	assert_true(csr_verify(&csr, &why));
	assert_int_equal(csr.key.bits, 2048);
	assert_true(csr.has_challenge);
	csr_free(&csr);
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
	    cmocka_unit_test(each_digest_with_each_cipher_opens),
	    cmocka_unit_test(an_opened_request_has_its_challenge),
	    cmocka_unit_test(a_signature_altered_is_refused),
	    cmocka_unit_test(a_digest_that_differs_is_refused),
	    cmocka_unit_test(a_signature_by_another_key_is_refused),
	    cmocka_unit_test(attributes_in_any_order_verify),
	    cmocka_unit_test(indefinite_lengths_and_strings_in_pieces_open),
	    cmocka_unit_test(a_streamed_message_opens),
	    cmocka_unit_test(an_envelope_for_another_recipient_is_refused),
	    cmocka_unit_test(our_key_under_a_certificate_not_ours_is_refused),
	    cmocka_unit_test(a_broken_ciphertext_is_refused),
	    cmocka_unit_test(a_broken_encrypted_key_is_refused),
	    cmocka_unit_test(content_that_is_no_csr_is_refused),
	    cmocka_unit_test(a_csr_whose_signature_is_wrong_is_refused),
	    cmocka_unit_test(a_self_signed_signer_has_the_csrs_key),
	    cmocka_unit_test(a_signer_that_another_issued_may_have_another_key),
	    cmocka_unit_test(a_signer_with_an_ec_key_verifies),
	    cmocka_unit_test(an_ed25519_csr_opens_where_its_own_signature_holds_and_only_there),
	    cmocka_unit_test(one_recipient_of_several_is_enough),
	    cmocka_unit_test(none_of_several_recipients_is_refused),
	    cmocka_unit_test(a_recipient_named_by_key_identifier_opens),
	    cmocka_unit_test(the_decoy_is_a_request_that_holds),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
