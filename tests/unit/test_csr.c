#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/asn1.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "pki/csr.h"
#include "tests/unit/pki_request.h"

#define RSA_SHA256   "1.2.840.113549.1.1.11"
#define ECDSA_SHA256 "1.2.840.10045.4.3.2"

static struct errbuf why;
static struct csr csr;

/* Make a CSR by the RSA key with these attributes (freed), and parse it. */
static bool
parse_with(struct buffer *attributes)
{
	struct buffer der = {0};
	bool ok;

	pki_csr(&der, pki_rsa_key(), "O=Example,CN=device", attributes);
	ok = csr_parse(der.data, der.len, &csr, &why);
	buffer_free(&der);
	if (!ok) {
		static const struct csr zeroed;

		assert_memory_equal(&csr, &zeroed, sizeof(csr));
		assert_true(strlen(why.line) > 0);
	}
	return ok;
}

static void
assert_challenge(const char *expected)
{
	assert_true(csr.has_challenge);
	assert_int_equal(csr.challenge.len, strlen(expected));
	assert_memory_equal(csr.challenge.data, expected, strlen(expected));
	csr_free(&csr);
}

static void
a_request_is_read_as_openssl_reads_it(void **state)
{
	struct buffer attributes = {0}, string = {0}, der = {0};
	const unsigned char *p;
	unsigned char *name = NULL;
	const ASN1_BIT_STRING *signature;
	X509_REQ *req;
	int len;

	(void)state;
	pki_tlv_string(&string, DER_PRINTABLE_STRING, "secret");
	pki_attribute(&attributes, PKI_CHALLENGE, &string);
	pki_csr(&der, pki_rsa_key(), "O=Example,CN=device", &attributes);
	p = der.data;
	req = d2i_X509_REQ(NULL, &p, (long)der.len);
	assert_non_null(req);
	assert_int_equal(X509_REQ_verify(req, X509_REQ_get0_pubkey(req)), 1);
	assert_true(csr_parse(der.data, der.len, &csr, &why));
	assert_true(octets_equal(csr.der, buffer_octets(&der)));
	assert_ptr_not_equal(csr.der.data, der.data);
	len = i2d_X509_NAME(X509_REQ_get_subject_name(req), &name);
	assert_true(octets_equal(csr.subject, octets_of(name, (size_t)len)));
	OPENSSL_free(name);
	name = NULL;
	len = i2d_re_X509_REQ_tbs(req, &name);
	assert_true(octets_equal(csr.info, octets_of(name, (size_t)len)));
	OPENSSL_free(name);
	X509_REQ_get0_signature(req, &signature, NULL);
	assert_int_equal(csr.signature.len, ASN1_STRING_length(signature));
	assert_memory_equal(
	    csr.signature.data, ASN1_STRING_get0_data(signature), csr.signature.len);
	assert_int_equal(csr.digest, PKI_SHA256);
	assert_string_equal(csr.key.name, "RSA-2048");
	assert_int_equal(EVP_PKEY_eq(csr.key.pkey, pki_rsa_key()), 1);
	assert_int_equal(csr.san.len + csr.eku.len + csr.key_usage.len, 0);
	assert_false(csr.wants_ca);
	assert_int_equal(csr.extensions, 0);
	assert_true(csr_verify(&csr, &why));
	assert_challenge("secret");
	X509_REQ_free(req);
	buffer_free(&der);
}

static void
a_request_without_attributes_has_no_challenge(void **state)
{
	struct buffer none = {0};

	(void)state;
	assert_true(parse_with(&none)); /* [0] {} */
	assert_false(csr.has_challenge);
	csr_free(&csr);
	assert_true(parse_with(NULL)); /* no [0] */
	assert_false(csr.has_challenge);
	assert_true(csr_verify(&csr, &why));
	csr_free(&csr);
	csr_free(&csr); /* twice is fine */
}

static void
octets_cut_off_or_added_are_refused(void **state)
{
	struct buffer der = {0};

	(void)state;
	pki_csr(&der, pki_rsa_key(), "CN=x", NULL);
	for (size_t len = 0; len < der.len; len++)
		assert_false(csr_parse(der.data, len, &csr, &why));
	buffer_append(&der, "\0", 1);
	assert_false(csr_parse(der.data, der.len, &csr, &why));
	assert_true(csr_parse(der.data, der.len - 1, &csr, &why));
	csr_free(&csr);
	buffer_free(&der);
}

static void
more_than_32_kib_is_refused(void **state)
{
	uint8_t *big = calloc(1, CSR_MAX + 1);

	(void)state;
	assert_non_null(big);
	assert_false(csr_parse(big, CSR_MAX + 1, &csr, &why));
	assert_non_null(strstr(why.line, "32769"));
	free(big);
}

static void
pem_is_refused(void **state)
{
	static const char pem[] = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n";

	(void)state;
	assert_false(csr_parse((const uint8_t *)pem, strlen(pem), &csr, &why));
}

static void
an_altered_request_does_not_verify(void **state)
{
	struct buffer der = {0};

	(void)state;
	pki_csr(&der, pki_rsa_key(), "CN=x", NULL);
	der.data[der.len - 1] ^= 1; /* the signature's last octet */
	assert_true(csr_parse(der.data, der.len, &csr, &why));
	assert_false(csr_verify(&csr, &why));
	csr_free(&csr);
	der.data[der.len - 1] ^= 1;
	assert_true(csr_parse(der.data, der.len, &csr, &why));
	assert_true(csr_verify(&csr, &why));
	csr_free(&csr);
	buffer_free(&der);
}

static void
a_signature_by_another_key_does_not_verify(void **state)
{
	struct buffer spki = {0}, info = {0}, der = {0};
	static const uint8_t empty[] = {0x30, 0};

	(void)state;
	pki_spki(&spki, pki_rsa_key());
	pki_csr_info(&info, octets_of(empty, 2), buffer_octets(&spki), NULL);
	pki_csr_sign(&der, pki_other_rsa_key(), RSA_SHA256, buffer_octets(&info));
	assert_true(csr_parse(der.data, der.len, &csr, &why));
	assert_false(csr_verify(&csr, &why));
	csr_free(&csr);
	buffer_free(&spki);
	buffer_free(&info);
	buffer_free(&der);
}

static void
ec_requests_on_the_three_curves_verify_and_altered_ones_do_not(void **state)
{
	static const char *const groups[] = {"P-256", "P-384", "P-521"};
	static const char *const names[] = {"EC P-256", "EC P-384", "EC P-521"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[i]);
		struct buffer der = {0};

		pki_csr(&der, key, "CN=x", NULL);
		assert_true(csr_parse(der.data, der.len, &csr, &why));
		assert_int_equal(csr.key.type, PKI_KEY_EC);
		assert_string_equal(csr.key.name, names[i]);
		assert_true(csr_verify(&csr, &why));
		csr_free(&csr);
		der.data[der.len - 1] ^= 1; /* of the signature's s */
		assert_true(csr_parse(der.data, der.len, &csr, &why));
		assert_false(csr_verify(&csr, &why));
		csr_free(&csr);
		buffer_free(&der);
		EVP_PKEY_free(key);
	}
}

static void
an_eddsa_request_verifies_and_an_altered_one_does_not(void **state)
{
	EVP_PKEY *const keys[] = {pki_ed_key(), pki_ed448_key()};
	static const char *const names[] = {"Ed25519", "Ed448"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer der = {0};

		pki_csr(&der, keys[i], "CN=x", NULL);
		assert_true(csr_parse(der.data, der.len, &csr, &why));
		assert_int_equal(csr.key.type, PKI_KEY_EDDSA);
		assert_string_equal(csr.key.name, names[i]);
		assert_int_equal(csr.digest, PKI_DIGEST_NONE);
		assert_true(csr_verify(&csr, &why));
		csr_free(&csr);
		der.data[der.len - 40] ^= 1; /* in the signature */
		assert_true(csr_parse(der.data, der.len, &csr, &why));
		assert_false(csr_verify(&csr, &why));
		csr_free(&csr);
		buffer_free(&der);
	}
}

/* A request for the key of one, signed by another under an algorithm's OID. */
static bool
verifies(EVP_PKEY *key, EVP_PKEY *signer, const char *algorithm)
{
	static const uint8_t empty[] = {0x30, 0};
	struct buffer spki = {0}, info = {0}, der = {0};
	bool ok;

	pki_spki(&spki, key);
	pki_csr_info(&info, octets_of(empty, 2), buffer_octets(&spki), NULL);
	pki_csr_sign(&der, signer, algorithm, buffer_octets(&info));
	assert_true(csr_parse(der.data, der.len, &csr, &why));
	ok = csr_verify(&csr, &why);
	csr_free(&csr);
	buffer_free(&spki);
	buffer_free(&info);
	buffer_free(&der);
	return ok;
}

static void
an_ec_request_signed_by_another_key_or_under_another_oid_does_not_verify(void **state)
{
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	(void)state;
	assert_true(verifies(pki_ec_key(), pki_ec_key(), ECDSA_SHA256));
	assert_false(verifies(pki_ec_key(), other, ECDSA_SHA256));
	assert_false(verifies(pki_ec_key(), pki_rsa_key(), RSA_SHA256));
	assert_false(verifies(pki_ec_key(), pki_ec_key(), "1.2.840.10045.4.3.3")); /* SHA-384 */
	assert_false(verifies(pki_ec_key(), pki_ec_key(), "1.2.840.10045.2.1"));
	assert_non_null(strstr(why.line, "algorithm"));
	EVP_PKEY_free(other);
}

static void
a_request_with_explicit_curve_parameters_is_malformed(void **state)
{
	EVP_PKEY *key = EVP_PKEY_dup(pki_ec_key());
	struct buffer der = {0};

	(void)state;
	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"), 1);
	pki_csr(&der, key, "CN=x", NULL);
	assert_false(csr_parse(der.data, der.len, &csr, &why));
	assert_non_null(strstr(why.line, "EC parameters"));
	buffer_free(&der);
	EVP_PKEY_free(key);
}

static void
an_eddsa_request_signed_by_another_key_or_under_another_oid_does_not_verify(void **state)
{
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	(void)state;
	assert_true(verifies(pki_ed_key(), pki_ed_key(), "1.3.101.112"));
	assert_false(verifies(pki_ed_key(), other, "1.3.101.112"));
	assert_false(verifies(pki_ed_key(), pki_ed448_key(), "1.3.101.112"));
	assert_false(verifies(pki_ed_key(), pki_ed_key(), "1.3.101.113"));
	assert_non_null(strstr(why.line, "algorithm"));
	assert_false(verifies(pki_ed_key(), pki_ed_key(), RSA_SHA256));
	assert_false(verifies(pki_rsa_key(), pki_rsa_key(), "1.3.101.112"));
	assert_non_null(strstr(why.line, "algorithm"));
	EVP_PKEY_free(other);
}

static void
a_request_with_a_key_that_is_read_no_further_never_verifies(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");

	(void)state;
	assert_false(verifies(key, key, ECDSA_SHA256));
	assert_non_null(strstr(why.line, "algorithm"));
	EVP_PKEY_free(key);
}

static void
a_signature_algorithm_of_another_key_type_or_unknown_does_not_verify(void **state)
{
	static const char *const wrong[] = {
	    ECDSA_SHA256, "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.14", "1.2.3"};
	static const uint8_t empty[] = {0x30, 0};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct buffer spki = {0}, info = {0}, der = {0};

		pki_spki(&spki, pki_rsa_key());
		pki_csr_info(&info, octets_of(empty, 2), buffer_octets(&spki), NULL);
		pki_csr_sign(&der, pki_rsa_key(), wrong[i], buffer_octets(&info));
		assert_true(csr_parse(der.data, der.len, &csr, &why));
		assert_false(csr_verify(&csr, &why));
		assert_non_null(strstr(why.line, "algorithm"));
		csr_free(&csr);
		buffer_free(&spki);
		buffer_free(&info);
		buffer_free(&der);
	}
}

/* ---- BER ---- */

/* A request whose every SEQUENCE outside of the key's and the name's has an indefinite length. */
static void
a_request_in_indefinite_lengths_is_read_and_verified_over_its_octets_as_they_came(void **state)
{
	struct buffer der = {0}, outer = {0}, name = {0}, spki = {0}, info = {0}, sealed = {0};

	(void)state;
	pki_spki(&spki, pki_rsa_key());
	pki_tlv(&info, DER_INTEGER, "", 1);
	pki_tlv(&name, DER_SEQUENCE, "", 0);
	buffer_append(&info, name.data, name.len);
	buffer_append(&info, spki.data, spki.len);
	pki_wrap_indefinite(&sealed, DER_SEQUENCE, &info);
	pki_csr_sign(&der, pki_rsa_key(), RSA_SHA256, buffer_octets(&sealed));
	buffer_append(&info, der.data + 4, der.len - 4); /* 30 82 xx xx off */
	pki_wrap_indefinite(&outer, DER_SEQUENCE, &info);
	assert_true(csr_parse(outer.data, outer.len, &csr, &why));
	assert_true(octets_equal(csr.der, buffer_octets(&outer)));
	assert_true(octets_equal(csr.info, buffer_octets(&sealed)));
	assert_true(csr_verify(&csr, &why));
	csr_free(&csr);
	assert_false(csr_parse(outer.data, outer.len - 1, &csr, &why));
	assert_false(csr_parse(outer.data, outer.len - 2, &csr, &why));
	buffer_free(&der);
	buffer_free(&outer);
	buffer_free(&name);
	buffer_free(&spki);
	buffer_free(&sealed);
}

static void
a_key_that_came_in_ber_is_encoded_anew_in_der(void **state)
{
	struct buffer der = {0}, spki = {0}, inner = {0}, ber = {0}, info = {0};
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
	static const uint8_t empty[] = {0x30, 0};

	(void)state;
	pki_spki(&spki, pki_rsa_key());
	buffer_append(&inner, spki.data + 4, spki.len - 4);
	pki_wrap_indefinite(&ber, DER_SEQUENCE, &inner);
	pki_csr_info(&info, octets_of(empty, 2), buffer_octets(&ber), NULL);
	pki_csr_sign(&der, pki_rsa_key(), RSA_SHA256, buffer_octets(&info));
	assert_true(csr_parse(der.data, der.len, &csr, &why));
	assert_true(octets_equal(csr.spki, buffer_octets(&spki)));
	assert_true(csr_verify(&csr, &why));
	csr_free(&csr);
	buffer_free(&der);
	buffer_free(&info);
	buffer_free(&ber);
	/* Of a type that is read no further it cannot be. */
	buffer_free(&spki);
	pki_spki(&spki, other);
	buffer_append(&inner, spki.data + 2, spki.len - 2);
	pki_wrap_indefinite(&ber, DER_SEQUENCE, &inner);
	pki_csr_info(&info, octets_of(empty, 2), buffer_octets(&ber), NULL);
	pki_csr_sign(&der, other, ECDSA_SHA256, buffer_octets(&info));
	assert_false(csr_parse(der.data, der.len, &csr, &why));
	EVP_PKEY_free(other);
	buffer_free(&der);
	buffer_free(&info);
	buffer_free(&ber);
	buffer_free(&spki);
}

static int
free_keys(void **state)
{
	(void)state;
	pki_free_keys();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_is_read_as_openssl_reads_it),
	    cmocka_unit_test(a_request_without_attributes_has_no_challenge),
	    cmocka_unit_test(octets_cut_off_or_added_are_refused),
	    cmocka_unit_test(more_than_32_kib_is_refused),
	    cmocka_unit_test(pem_is_refused),
	    cmocka_unit_test(an_altered_request_does_not_verify),
	    cmocka_unit_test(a_signature_by_another_key_does_not_verify),
	    cmocka_unit_test(ec_requests_on_the_three_curves_verify_and_altered_ones_do_not),
	    cmocka_unit_test(
		an_ec_request_signed_by_another_key_or_under_another_oid_does_not_verify),
	    cmocka_unit_test(a_request_with_explicit_curve_parameters_is_malformed),
	    cmocka_unit_test(an_eddsa_request_verifies_and_an_altered_one_does_not),
	    cmocka_unit_test(
		an_eddsa_request_signed_by_another_key_or_under_another_oid_does_not_verify),
	    cmocka_unit_test(a_request_with_a_key_that_is_read_no_further_never_verifies),
	    cmocka_unit_test(a_signature_algorithm_of_another_key_type_or_unknown_does_not_verify),
	    cmocka_unit_test(
		a_request_in_indefinite_lengths_is_read_and_verified_over_its_octets_as_they_came),
	    cmocka_unit_test(a_key_that_came_in_ber_is_encoded_anew_in_der),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
