#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

static void
a_signer_with_a_key_of_another_type_is_bad_alg(void **state)
{
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	s.signer = &world.ed;
	scep_assert_bad_algorithm(&s, "key type Ed25519 (1.3.101.112)");
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
	scep_assert_bad_algorithm(&s, "digest 2.16.840.1.101.3.4.2.4");
	scep_spec(&s, &world);
	s.signature_oid = octets_of(pss, sizeof(pss));
	scep_assert_bad_algorithm(&s, "signature algorithm 1.2.840.113549.1.1.10");
	scep_spec(&s, &world);
	scep_make_foreign_envelope(world.ra.x509, "aes-192-cbc", s.csr, &envelope);
	s.content = buffer_octets(&envelope);
	scep_assert_bad_algorithm(&s, "cipher 2.16.840.1.101.3.4.1.22");
	buffer_free(&envelope);
	scep_make_envelope(world.ra.x509, PKI_AES256, s.csr, true, &envelope);
	s.content = buffer_octets(&envelope);
	scep_assert_bad_algorithm(&s, "key encryption 1.2.840.113549.1.1.7");
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
	scep_assert_opens(&s);
	s.signature_oid = octets_of(sha1_rsa, sizeof(sha1_rsa));
	scep_assert_bad_algorithm(&s, "signature algorithm 1.2.840.113549.1.1.5");
	s.signature_oid = octets_of(ecdsa_sha256, sizeof(ecdsa_sha256));
	scep_assert_bad_algorithm(&s, "signature algorithm 1.2.840.10045.4.3.2");
	s.signature_oid = scep_oid_ec_public_key;
	scep_assert_bad_algorithm(&s, "signature algorithm 1.2.840.10045.2.1");
	s.signer = &world.ec;
	s.signature_oid = scep_oid_rsa_encryption;
	scep_assert_bad_algorithm(&s, "signature algorithm 1.2.840.113549.1.1.1");
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
	    cmocka_unit_test(a_signer_with_a_key_of_another_type_is_bad_alg),
	    cmocka_unit_test(algorithms_outside_the_masks_are_bad_alg),
	    cmocka_unit_test(unknown_algorithms_are_bad_alg_by_their_oid),
	    cmocka_unit_test(a_signature_algorithm_agrees_with_digest_and_key),
	    cmocka_unit_test(opening_without_the_check_refuses_unknown_algorithms),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
