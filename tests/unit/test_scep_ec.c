/* test_scep_ec.c: signers whose key cannot decrypt (RFC 8894 3.1): ECDSA in, an envelope under the challengePassword out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "pki/private_key.h"
#include "scep/cms.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

#define CURVES 3

static struct scep_world world;
static struct scep_party parties[CURVES];

static const char *const kinds[CURVES] = {"ec:P-256", "ec:P-384", "ec:P-521"};
static const enum pki_digest digests[] = {PKI_SHA256, PKI_SHA384, PKI_SHA512};

static struct octets
password(void)
{
	return octets_of_string("5a8f0c1b61d86adb4f3d5ecb5a4d4b5a");
}

/* ---- requests --------------------------------------------------------------------------------------------------------------- */

static void
each_curve_with_each_digest_verifies(void **state)
{
	(void)state;
	for (int c = 0; c < CURVES; c++) {
		struct buffer csr = {0};

		scep_make_csr(parties[c].key, "a challenge", &csr);
		for (int d = 0; d < 3; d++) {
			struct scep_party wrong = parties[c];
			struct scep_spec s;

			scep_spec(&s, &world);
			s.signer = &parties[c];
			s.csr = buffer_octets(&csr);
			s.digest = digests[d];
			scep_assert_opens(&s);
			s.signature_oid = scep_oid_ec_public_key;
			scep_assert_opens(&s);
			s.ber = true;
			scep_assert_opens(&s);
			s.bad_signature = true;
			scep_assert_fails(&s, "verify", "SignerInfo: signature");
			s.bad_signature = false;
			s.bad_digest = true;
			scep_assert_fails(&s, "verify", "messageDigest");
			s.bad_digest = false;
			wrong.key = parties[(c + 1) % CURVES].key;
			s.signer = &wrong;
			scep_assert_fails(&s, "verify", "SignerInfo: signature");
		}
		buffer_free(&csr);
	}
}

static void
a_signature_algorithm_of_another_digest_or_key_is_refused(void **state)
{
	enum pki_digest digest;
	enum pki_key_type type;
	struct scep_spec s;

	(void)state;
	/* ecdsa-with-SHA384 where digestAlgorithm says SHA-256: the AlgorithmIdentifier's OID without its frame. */
	struct octets other = pki_signature_algorithm(PKI_KEY_EC, PKI_SHA384);
	struct octets oid = octets_of(other.data + 4, other.len - 4);

	assert_true(pki_signature_of_oid(oid, &digest, &type));
	assert_int_equal(digest, PKI_SHA384);
	for (int c = 0; c < CURVES; c++) {
		scep_spec(&s, &world);
		s.signer = &parties[c];
		s.signature_oid = oid;
		scep_assert_bad_algorithm(&s, "signature algorithm");
		s.signature_oid = scep_oid_rsa_encryption;
		scep_assert_bad_algorithm(&s, "signature algorithm");
	}
	scep_spec(&s, &world);
	s.signature_oid = scep_oid_ec_public_key; /* with an RSA key */
	scep_assert_bad_algorithm(&s, "signature algorithm");
}

static void
a_self_signed_ec_signer_has_the_csrs_key(void **state)
{
	struct buffer csr = {0};
	struct scep_spec s;

	(void)state;
	scep_make_csr(parties[1].key, NULL, &csr);
	scep_spec(&s, &world);
	s.csr = buffer_octets(&csr);
	s.signer = &parties[1];
	scep_assert_opens(&s);
	s.signer = &parties[0];
	scep_assert_fails(&s, "possession", "not that of the self-signed signer");
	buffer_free(&csr);
}

static void
what_an_ec_client_encodes_opens(void **state)
{
	(void)state;
	for (int c = 0; c < CURVES; c++) {
		for (int d = 0; d < 3; d++) {
			struct buffer csr = {0}, message = {0};
			struct scep_client_message m = {
			    .message_type = SCEP_PKCS_REQ,
			    .transaction_id = "ec",
			    .signer = &parties[c].certificate,
			    .key = parties[c].key,
			    .recipient = &world.ra.certificate,
			    .digest = digests[d],
			    .cipher = PKI_AES128,
			};
			struct errbuf why = {0};
			struct scep_outcome o;

			scep_make_csr(parties[c].key, "a challenge", &csr);
			m.content = buffer_octets(&csr);
			if (!scep_client_encode(&m, &message, &why))
				fail_msg("%s", why.line);
			scep_run(&world, buffer_octets(&message), &o);
			if (o.rc != SCEP_OK)
				fail_msg("%s", o.why.line);
			assert_int_equal(o.request->signer_key.type, PKI_KEY_EC);
			assert_int_equal(o.request->digest, digests[d]);
			scep_outcome_free(&o);
			buffer_free(&csr);
			buffer_free(&message);
		}
	}
}

/* ---- replies ---------------------------------------------------------------------------------------------------------------- */

static bool
read_reply(const struct scep_client_message *m, const struct buffer *reply,
    struct scep_client_reply *read, struct errbuf *why)
{
	return scep_client_read(m, buffer_octets(reply), &world.ra.certificate, 1, read, why);
}

static void
each_curve_reads_its_reply_under_the_password(void **state)
{
	(void)state;
	for (int c = 0; c < CURVES; c++) {
		struct scep_reply reply = scep_success(&world);
		struct scep_client_message m;
		struct scep_request *r = scep_make_request(&world, &parties[c], &m);
		struct scep_client_reply read;
		struct buffer out = {0};
		struct errbuf why = {0};

		reply.password = password();
		scep_make_reply(&world, r, &reply, &out);
		m.password = password();
		if (!read_reply(&m, &out, &read, &why))
			fail_msg("%s", why.line);
		assert_int_equal(read.certificate_count, 1);
		assert_true(octets_equal(
		    buffer_octets(&read.certificates[0]), world.device.certificate.der));
		scep_client_reply_free(&read);
		m.password = octets_of(password().data, password().len - 1);
		assert_false(read_reply(&m, &out, &read, &why));
		assert_non_null(strstr(why.line, "cannot be decrypted"));
		m.password = octets_of(NULL, 0);
		assert_false(read_reply(&m, &out, &read, &why));
		assert_int_equal(ERR_peek_error(), 0);
		scep_request_free(r);
		buffer_free(&out);
	}
}

static void
each_cipher_keys_an_envelope_under_a_password(void **state)
{
	static const enum pki_cipher ciphers[] = {PKI_DES, PKI_DES3, PKI_AES128, PKI_AES256};
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.ec, &m);

	(void)state;
	m.password = password();
	for (int i = 0; i < 4; i++) {
		struct scep_reply reply = scep_success(&world);
		struct scep_client_reply read;
		struct buffer out = {0};
		struct errbuf why = {0};

		reply.cipher = ciphers[i];
		reply.password = password();
		scep_make_reply(&world, r, &reply, &out);
		if (!read_reply(&m, &out, &read, &why))
			fail_msg("%s", why.line);
		scep_client_reply_free(&read);
		buffer_free(&out);
	}
	scep_request_free(r);
}

static cms_signed *
parse_signed(const struct buffer *reply)
{
	cms_signed *s = cms_signed_parse(buffer_octets(reply));

	assert_non_null(s);
	assert_non_null(s->signed_data->encap.content);
	return s;
}

/* What `openssl cms -decrypt -pwri_password` does, and what stands in the envelope. */
static void
openssl_opens_it_by_password(void **state)
{
	struct scep_reply reply = scep_success(&world);
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.ec, &m);
	struct buffer out = {0};
	BIO *plain = BIO_new(BIO_s_mem());
	const ASN1_STRING *content;
	const uint8_t *p;
	CMS_ContentInfo *cms;
	cms_signed *s;
	char *octets;
	long len;

	(void)state;
	reply.password = password();
	scep_make_reply(&world, r, &reply, &out);
	s = parse_signed(&out);
	content = s->signed_data->encap.content;
	/* PBKDF2 with 100,000 iterations; id-alg-PWRI-KEK. */
	assert_non_null(memmem(content->data, (size_t)content->length, "\x02\x03\x01\x86\xa0", 5));
	p = content->data;
	cms = d2i_CMS_ContentInfo(NULL, &p, content->length);
	assert_non_null(cms);
	assert_int_equal(sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms)), 1);
	assert_int_equal(
	    CMS_RecipientInfo_type(sk_CMS_RecipientInfo_value(CMS_get0_RecipientInfos(cms), 0)),
	    CMS_RECIPINFO_PASS);
	assert_int_equal(CMS_decrypt_set1_password(
			     cms, (uint8_t *)(uintptr_t)password().data, (long)password().len),
	    1);
	assert_int_equal(CMS_decrypt(cms, NULL, NULL, NULL, plain, CMS_BINARY), 1);
	len = BIO_get_mem_data(plain, &octets);
	assert_non_null(memmem(octets, (size_t)len, world.device.certificate.der.data,
	    world.device.certificate.der.len));
	CMS_ContentInfo_free(cms);
	cms_signed_free(s);
	BIO_free(plain);
	scep_request_free(r);
	buffer_free(&out);
}

static void
an_rsa_key_is_enveloped_to_whatever_the_password(void **state)
{
	struct scep_reply reply = scep_success(&world);
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);
	struct scep_client_reply read;
	struct buffer out = {0};
	struct errbuf why = {0};

	(void)state;
	reply.password = password();
	scep_make_reply(&world, r, &reply, &out);
	assert_true(read_reply(&m, &out, &read, &why));
	scep_client_reply_free(&read);
	/* And a client with an RSA key does not fall back on its password. */
	m.password = password();
	m.key = world.other.key;
	assert_false(read_reply(&m, &out, &read, &why));
	scep_request_free(r);
	buffer_free(&out);
}

static void
no_password_no_success_but_a_failure(void **state)
{
	struct scep_reply reply = scep_success(&world);
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &parties[1], &m);
	struct scep_client_reply read;
	struct buffer out = {0};
	struct errbuf why = {0};

	(void)state;
	assert_false(scep_reply_encode(r, &reply, &world.responder, &out, &why));
	assert_non_null(strstr(why.line, "EC P-384 without a challengePassword"));
	assert_int_equal(out.len, 0);
	reply = (struct scep_reply){.status = SCEP_FAILURE,
	    .fail_info = SCEP_BAD_REQUEST,
	    .digest = PKI_SHA256,
	    .password = password()};
	scep_make_reply(&world, r, &reply, &out);
	assert_true(read_reply(&m, &out, &read, &why));
	assert_int_equal(read.fail_info, SCEP_BAD_REQUEST);
	scep_client_reply_free(&read);
	scep_request_free(r);
	buffer_free(&out);
}

static void
an_ed25519_key_gets_none_even_with_a_password(void **state)
{
	struct scep_reply reply = scep_success(&world);
	enum scep_fail_info fail;
	struct scep_request *r;
	struct buffer out = {0};
	struct errbuf why = {0};
	struct scep_spec s;
	enum scep_rc rc;

	(void)state;
	scep_spec(&s, &world);
	s.signer = &world.ed;
	r = scep_parse_spec(&s, &rc, &fail, &why);
	assert_non_null(r);
	reply.password = password();
	assert_false(scep_reply_encode(r, &reply, &world.responder, &out, &why));
	assert_non_null(strstr(why.line, "Ed25519 (RFC"));
	scep_request_free(r);
	buffer_free(&out);
}

static int
open_world(void **state)
{
	static const uint8_t serials[CURVES] = {0x11, 0x12, 0x13};

	(void)state;
	scep_world_open(&world);
	for (int c = 0; c < CURVES; c++) {
		EVP_PKEY *key = private_key_generate(kinds[c], NULL);

		if (key == NULL)
			return 1;
		scep_make_party(&parties[c], key, octets_of(&serials[c], 1), false);
	}
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	for (int c = 0; c < CURVES; c++) {
		EVP_PKEY_free(parties[c].key);
		scep_free_party(&parties[c]);
	}
	scep_world_close(&world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_curve_with_each_digest_verifies),
	    cmocka_unit_test(a_signature_algorithm_of_another_digest_or_key_is_refused),
	    cmocka_unit_test(a_self_signed_ec_signer_has_the_csrs_key),
	    cmocka_unit_test(what_an_ec_client_encodes_opens),
	    cmocka_unit_test(each_curve_reads_its_reply_under_the_password),
	    cmocka_unit_test(each_cipher_keys_an_envelope_under_a_password),
	    cmocka_unit_test(openssl_opens_it_by_password),
	    cmocka_unit_test(an_rsa_key_is_enveloped_to_whatever_the_password),
	    cmocka_unit_test(no_password_no_success_but_a_failure),
	    cmocka_unit_test(an_ed25519_key_gets_none_even_with_a_password),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
