#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/rsa.h>

#include "scep/decoy.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

static void
assert_opens(const struct scep_spec *s)
{
	struct scep_outcome o;

	scep_run_spec(s, &o);
	if (o.rc != SCEP_OK)
		fail_msg("%s", o.why.line);
	assert_null(o.stage);
	assert_true(octets_equal(o.csr.der, s->csr));
	scep_outcome_free(&o);
}

/* badMessageCheck at this stage, with these words in why; no CSR comes out. */
static void
assert_fails(const struct scep_spec *s, const char *stage, const char *words)
{
	struct scep_outcome o;

	scep_run_spec(s, &o);
	assert_int_equal(o.rc, SCEP_REFUSED);
	assert_int_equal(o.fail, SCEP_BAD_MESSAGE_CHECK);
	assert_non_null(o.stage);
	assert_string_equal(o.stage, stage);
	if (strstr(o.why.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", o.why.line, words);
	assert_null(o.csr.owned);
	assert_int_equal(o.csr.der.len, 0);
	scep_outcome_free(&o);
}

/* badAlg, with these words in the text for the client. */
static void
assert_bad_algorithm(const struct scep_spec *s, const char *words)
{
	struct scep_outcome o;

	scep_run_spec(s, &o);
	assert_int_equal(o.rc, SCEP_REFUSED);
	assert_int_equal(o.fail, SCEP_BAD_ALG);
	assert_null(o.stage);
	if (strstr(o.text.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", o.text.line, words);
	assert_non_null(strstr(o.why.line, o.text.line));
	scep_outcome_free(&o);
}

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
			assert_opens(&s);
			s.ber = true;
			assert_opens(&s);
			s.bad_signature = true;
			assert_fails(&s, "verify", "SignerInfo: signature");
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
	assert_opens(&s);
	s.bad_signature = true;
	assert_fails(&s, "verify", "SignerInfo: signature");
}

static void
a_digest_that_differs_is_refused(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.bad_digest = true;
	assert_fails(&s, "verify", "messageDigest is not that of the content");
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
	assert_fails(&s, "verify", "SignerInfo: signature");
}

/* RFC 5652 5.4: the signature is over the DER; clients that send and sign another order are taken at their word. */
static void
attributes_in_any_order_verify(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.unsorted_attributes = true;
	assert_opens(&s);
	s.sorted_signature = true;
	assert_opens(&s);
	s.bad_signature = true;
	assert_fails(&s, "verify", "SignerInfo: signature");
}

static void
indefinite_lengths_and_strings_in_pieces_open(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.ber = true;
	assert_opens(&s);
	s.bad_digest = true;
	assert_fails(&s, "verify", "messageDigest");
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
	assert_opens(&s);
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
	assert_fails(&s, "decrypt", "for another recipient");
	s.cipher = PKI_DES;
	assert_fails(&s, "decrypt", "for another recipient");
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
	assert_fails(&s, "decrypt", "for another recipient");
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
		assert_opens(&s);
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
	assert_opens(&s);
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
	assert_fails(&s, "parse", "CSR");
	s.csr = octets_of("", 0);
	assert_fails(&s, "parse", "CSR");
	s.csr = world.device.certificate.der;
	assert_fails(&s, "parse", "CSR");
	memcpy(behind, world.csr.data, world.csr.len);
	behind[world.csr.len] = 0;
	s.csr = octets_of(behind, world.csr.len + 1);
	assert_fails(&s, "parse", "CSR");
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
	assert_fails(&s, "possession", "CSR: signature");
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
	assert_fails(&s, "possession", "not that of the self-signed signer");
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
	assert_opens(&s);
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
		assert_opens(&s);
		s.signature_oid = scep_oid_ec_public_key;
		assert_opens(&s);
		s.bad_signature = true;
		assert_fails(&s, "verify", "SignerInfo: signature");
	}
	buffer_free(&csr);
}

static void
a_signer_with_a_key_of_another_type_is_bad_alg(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.signer = &world.ed;
	assert_bad_algorithm(&s, "key type Ed25519");
}

static void
algorithms_outside_the_masks_are_bad_alg(void **state)
{
	struct buffer message = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	struct scep_spec s;
	struct errbuf why = {0}, text = {0};

	(void)state;
	scep_spec(&s, &world);
	scep_spec_write(&s, &message);
	assert_int_equal(scep_request_parse(buffer_octets(&message), &r, &fail, &why), SCEP_OK);
	assert_int_equal(
	    scep_request_check_algorithms(r, PKI_SHA256, PKI_AES256, &fail, &why, &text), SCEP_OK);
	assert_int_equal(fail, SCEP_NO_FAIL_INFO);
	assert_int_equal(
	    scep_request_check_algorithms(r, PKI_SHA1 | PKI_SHA512, PKI_AES256, &fail, &why, &text),
	    SCEP_REFUSED);
	assert_int_equal(fail, SCEP_BAD_ALG);
	assert_non_null(strstr(text.line, "SHA-256 (2.16.840.1.101.3.4.2.1)"));
	assert_int_equal(
	    scep_request_check_algorithms(r, PKI_SHA256, PKI_AES128 | PKI_DES3, &fail, &why, &text),
	    SCEP_REFUSED);
	assert_int_equal(fail, SCEP_BAD_ALG);
	assert_non_null(strstr(text.line, "AES-256-CBC (2.16.840.1.101.3.4.1.42)"));
	assert_int_equal(
	    scep_request_check_algorithms(r, PKI_SHA256, PKI_AES128, &fail, NULL, NULL),
	    SCEP_REFUSED);
	scep_request_free(r);
	buffer_free(&message);
}

static void
unknown_algorithms_are_bad_alg_by_their_oid(void **state)
{
	static const uint8_t sha224[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04};
	static const uint8_t pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};
	struct buffer envelope = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.digest_oid = octets_of(sha224, sizeof(sha224));
	assert_bad_algorithm(&s, "digest 2.16.840.1.101.3.4.2.4");
	scep_spec(&s, &world);
	s.signature_oid = octets_of(pss, sizeof(pss));
	assert_bad_algorithm(&s, "signature algorithm 1.2.840.113549.1.1.10");
	scep_spec(&s, &world);
	scep_make_foreign_envelope(world.ra.x509, "aes-192-cbc", s.csr, &envelope);
	s.content = buffer_octets(&envelope);
	assert_bad_algorithm(&s, "cipher 2.16.840.1.101.3.4.1.22");
	buffer_free(&envelope);
	scep_make_envelope(world.ra.x509, PKI_AES256, s.csr, true, &envelope);
	s.content = buffer_octets(&envelope);
	assert_bad_algorithm(&s, "key encryption 1.2.840.113549.1.1.7");
	buffer_free(&envelope);
}

static void
a_signature_algorithm_agrees_with_digest_and_key(void **state)
{
	static const uint8_t sha256_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
	static const uint8_t sha1_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05};
	static const uint8_t ecdsa_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.signature_oid = octets_of(sha256_rsa, sizeof(sha256_rsa));
	assert_opens(&s);
	s.signature_oid = octets_of(sha1_rsa, sizeof(sha1_rsa));
	assert_bad_algorithm(&s, "signature algorithm 1.2.840.113549.1.1.5");
	s.signature_oid = octets_of(ecdsa_sha256, sizeof(ecdsa_sha256));
	assert_bad_algorithm(&s, "signature algorithm 1.2.840.10045.4.3.2");
	s.signature_oid = scep_oid_ec_public_key;
	assert_bad_algorithm(&s, "signature algorithm 1.2.840.10045.2.1");
	s.signer = &world.ec;
	s.signature_oid = scep_oid_rsa_encryption;
	assert_bad_algorithm(&s, "signature algorithm 1.2.840.113549.1.1.1");
}

/* A caller that forgets the check does not get a key used on what it should have refused. */
static void
opening_without_the_check_refuses_unknown_algorithms(void **state)
{
	struct buffer envelope = {0}, message = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	struct scep_spec s;
	const char *stage;
	struct errbuf why;
	struct csr csr;

	(void)state;
	scep_spec(&s, &world);
	scep_make_envelope(world.ra.x509, PKI_AES256, s.csr, true, &envelope);
	s.content = buffer_octets(&envelope);
	scep_spec_write(&s, &message);
	assert_int_equal(scep_request_parse(buffer_octets(&message), &r, &fail, &why), SCEP_OK);
	assert_int_equal(
	    scep_request_open_csr(r, &world.recipient, true, &csr, &stage, &why), SCEP_REFUSED);
	assert_string_equal(stage, "verify");
	assert_null(csr.owned);
	scep_request_free(r);
	buffer_free(&message);
	/* Nor with one that was refused on parsing, whose envelope was never looked at. */
	scep_spec_find(&s, scep_oid_message_type)->times = 0;
	scep_spec_write(&s, &message);
	assert_int_equal(
	    scep_request_parse(buffer_octets(&message), &r, &fail, &why), SCEP_REFUSED);
	assert_int_equal(
	    scep_request_open_csr(r, &world.recipient, true, &csr, &stage, &why), SCEP_REFUSED);
	assert_int_equal(
	    scep_request_check_algorithms(r, 0xffff, 0xffff, &fail, &why, NULL), SCEP_REFUSED);
	scep_request_free(r);
	buffer_free(&message);
	buffer_free(&envelope);
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
	assert_opens(&s);
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
	assert_opens(&s);
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

/* One octet altered anywhere: no crash, and what opens is the CSR that was sent. */
static void
mutate(struct buffer *message, size_t step, uint8_t with)
{
	for (size_t at = 0; at < message->len; at += step) {
		struct scep_outcome o;

		message->data[at] ^= with;
		scep_run(&world, buffer_octets(message), &o);
		if (o.rc == SCEP_OK)
			assert_true(octets_equal(o.csr.der, buffer_octets(&world.csr)));
		scep_outcome_free(&o);
		message->data[at] ^= with;
	}
}

static void
no_octet_altered_opens_another_request(void **state)
{
	struct buffer message = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_write(&s, &message);
	mutate(&message, 1, 0x01);
	mutate(&message, 3, 0x80);
	mutate(&message, 3, 0xff);
	buffer_free(&message);
	s.ber = true;
	scep_spec_write(&s, &message);
	mutate(&message, 1, 0x20);
	buffer_free(&message);
}

/* The same inside the signature: who signs anew can alter the envelope at will. */
static void
no_octet_of_the_envelope_altered_opens_another_request(void **state)
{
	struct buffer envelope = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_make_envelope(world.ra.x509, s.cipher, s.csr, false, &envelope);
	for (size_t at = 0; at < envelope.len; at += 4) {
		struct scep_outcome o;

		envelope.data[at] ^= 0x41;
		s.content = buffer_octets(&envelope);
		scep_run_spec(&s, &o);
		if (o.rc == SCEP_OK)
			assert_true(octets_equal(o.csr.der, buffer_octets(&world.csr)));
		scep_outcome_free(&o);
		envelope.data[at] ^= 0x41;
	}
	buffer_free(&envelope);
}

static void
a_message_cut_short_is_unanswerable(void **state)
{
	struct buffer message = {0};
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_write(&s, &message);
	for (size_t len = 0; len < message.len; len += 7) {
		struct scep_outcome o;

		scep_run(&world, octets_of(message.data, len), &o);
		assert_int_equal(o.rc, SCEP_UNANSWERABLE);
		scep_outcome_free(&o);
	}
	buffer_free(&message);
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
	    cmocka_unit_test(a_signer_with_a_key_of_another_type_is_bad_alg),
	    cmocka_unit_test(algorithms_outside_the_masks_are_bad_alg),
	    cmocka_unit_test(unknown_algorithms_are_bad_alg_by_their_oid),
	    cmocka_unit_test(a_signature_algorithm_agrees_with_digest_and_key),
	    cmocka_unit_test(opening_without_the_check_refuses_unknown_algorithms),
	    cmocka_unit_test(one_recipient_of_several_is_enough),
	    cmocka_unit_test(a_recipient_named_by_key_identifier_opens),
	    cmocka_unit_test(the_decoy_is_a_request_that_holds),
	    cmocka_unit_test(no_octet_altered_opens_another_request),
	    cmocka_unit_test(no_octet_of_the_envelope_altered_opens_another_request),
	    cmocka_unit_test(a_message_cut_short_is_unanswerable),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
