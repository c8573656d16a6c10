#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "pki/algorithm.h"
#include "pki/asn1.h"

static const struct {
	enum pki_digest digest;
	int nid, rsa, ecdsa;
} digests[] = {
    {PKI_MD5, NID_md5, NID_md5WithRSAEncryption, NID_undef},
    {PKI_SHA1, NID_sha1, NID_sha1WithRSAEncryption, NID_ecdsa_with_SHA1},
    {PKI_SHA256, NID_sha256, NID_sha256WithRSAEncryption, NID_ecdsa_with_SHA256},
    {PKI_SHA384, NID_sha384, NID_sha384WithRSAEncryption, NID_ecdsa_with_SHA384},
    {PKI_SHA512, NID_sha512, NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA512},
};
static const struct {
	enum pki_cipher cipher;
	int nid;
} ciphers[] = {
    {PKI_DES, NID_des_cbc},
    {PKI_DES3, NID_des_ede3_cbc},
    {PKI_AES128, NID_aes_128_cbc},
    {PKI_AES256, NID_aes_256_cbc},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct octets
oid_of(int nid)
{
	return asn1_oid_octets(OBJ_nid2obj(nid));
}

static void
every_digest_and_cipher_has_the_oid_that_openssl_gives_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(digests); i++) {
		assert_int_equal(pki_digest_of_oid(oid_of(digests[i].nid)), digests[i].digest);
		assert_true(
		    octets_equal(pki_digest_oid(digests[i].digest), oid_of(digests[i].nid)));
	}
	for (size_t i = 0; i < COUNT(ciphers); i++) {
		assert_int_equal(pki_cipher_of_oid(oid_of(ciphers[i].nid)), ciphers[i].cipher);
		assert_true(
		    octets_equal(pki_cipher_oid(ciphers[i].cipher), oid_of(ciphers[i].nid)));
	}
}

static void
what_is_not_in_the_list_is_none(void **state)
{
	static const int others[] = {
	    NID_sha224, NID_md4, NID_rc2_cbc, NID_aes_192_cbc, NID_aes_128_gcm, NID_sha3_256};

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(pki_digest_of_oid(oid_of(others[i])), PKI_DIGEST_NONE);
		assert_int_equal(pki_cipher_of_oid(oid_of(others[i])), PKI_CIPHER_NONE);
	}
	assert_int_equal(pki_digest_of_oid(octets_of(NULL, 0)), PKI_DIGEST_NONE);
	assert_int_equal(pki_cipher_of_oid(octets_of(NULL, 0)), PKI_CIPHER_NONE);
	assert_int_equal(pki_digest_oid(PKI_DIGEST_NONE).len, 0);
	assert_int_equal(pki_cipher_oid(PKI_CIPHER_NONE).len, 0);
	assert_null(pki_digest_md(PKI_DIGEST_NONE));
	assert_null(pki_cipher_evp(PKI_CIPHER_NONE));
}

static void
signature_oids_name_a_digest_and_a_key_type(void **state)
{
	enum pki_digest digest;
	enum pki_key_type type;

	(void)state;
	for (size_t i = 0; i < COUNT(digests); i++) {
		assert_true(pki_signature_of_oid(oid_of(digests[i].rsa), &digest, &type));
		assert_int_equal(digest, digests[i].digest);
		assert_int_equal(type, PKI_KEY_RSA);
		if (digests[i].ecdsa == NID_undef)
			continue;
		assert_true(pki_signature_of_oid(oid_of(digests[i].ecdsa), &digest, &type));
		assert_int_equal(digest, digests[i].digest);
		assert_int_equal(type, PKI_KEY_EC);
	}
	assert_true(pki_signature_of_oid(oid_of(NID_rsaEncryption), &digest, &type));
	assert_int_equal(digest, PKI_DIGEST_NONE);
	assert_int_equal(type, PKI_KEY_RSA);
}

static void
a_signature_oid_not_in_the_list_is_no_signature(void **state)
{
	static const int others[] = {NID_ED25519, NID_rsassaPss, NID_sha224WithRSAEncryption,
	    NID_ecdsa_with_SHA224, NID_dsa_with_SHA256, NID_sha256};
	enum pki_digest digest;
	enum pki_key_type type;

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_false(pki_signature_of_oid(oid_of(others[i]), &digest, &type));
		assert_int_equal(digest, PKI_DIGEST_NONE);
		assert_int_equal(type, PKI_KEY_OTHER);
	}
	assert_false(pki_signature_of_oid(octets_of(NULL, 0), &digest, &type));
}

/* RSA with NULL parameters, ECDSA without: as OpenSSL reads them. */
static void
signature_algorithms_are_what_openssl_reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(digests); i++) {
		struct octets der = pki_signature_algorithm(PKI_KEY_RSA, digests[i].digest);
		const ASN1_OBJECT *o;
		X509_ALGOR *a;
		int type;

		a = asn1_decode(ASN1_ITEM_rptr(X509_ALGOR), der);
		assert_non_null(a);
		X509_ALGOR_get0(&o, &type, NULL, a);
		assert_int_equal(OBJ_obj2nid(o), digests[i].rsa);
		assert_int_equal(type, V_ASN1_NULL);
		X509_ALGOR_free(a);
		der = pki_signature_algorithm(PKI_KEY_EC, digests[i].digest);
		if (digests[i].ecdsa == NID_undef) {
			assert_int_equal(der.len, 0);
			continue;
		}
		a = asn1_decode(ASN1_ITEM_rptr(X509_ALGOR), der);
		assert_non_null(a);
		X509_ALGOR_get0(&o, &type, NULL, a);
		assert_int_equal(OBJ_obj2nid(o), digests[i].ecdsa);
		assert_int_equal(type, V_ASN1_UNDEF);
		X509_ALGOR_free(a);
	}
	assert_int_equal(pki_signature_algorithm(PKI_KEY_OTHER, PKI_SHA256).len, 0);
	assert_int_equal(pki_signature_algorithm(PKI_KEY_RSA, PKI_DIGEST_NONE).len, 0);
}

static void
names_are_read_whatever_their_case_and_punctuation(void **state)
{
	(void)state;
	assert_int_equal(pki_digest_of_name("SHA-256"), PKI_SHA256);
	assert_int_equal(pki_digest_of_name("sha256"), PKI_SHA256);
	assert_int_equal(pki_digest_of_name("Sha_512"), PKI_SHA512);
	assert_int_equal(pki_digest_of_name("sha1"), PKI_SHA1);
	assert_int_equal(pki_cipher_of_name("AES-128-CBC"), PKI_AES128);
	assert_int_equal(pki_cipher_of_name("aes256"), PKI_AES256);
	assert_int_equal(pki_cipher_of_name("3DES"), PKI_DES3);
	assert_int_equal(pki_cipher_of_name("des"), PKI_DES);
	for (size_t i = 0; i < COUNT(digests); i++)
		assert_int_equal(
		    pki_digest_of_name(pki_digest_name(digests[i].digest)), digests[i].digest);
	for (size_t i = 0; i < COUNT(ciphers); i++)
		assert_int_equal(
		    pki_cipher_of_name(pki_cipher_name(ciphers[i].cipher)), ciphers[i].cipher);
}

static void
unknown_empty_and_partial_names_are_none(void **state)
{
	static const char *const names[] = {"", "-", " ", "sha", "sha2", "a", "56", "sha256 sha1",
	    "md", "aes-512", "rc4", "0123456789012345678901234567890123456789"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(names[i], "sha") != 0) /* an old name of SHA-1 */
			assert_int_equal(pki_digest_of_name(names[i]), PKI_DIGEST_NONE);
		assert_int_equal(pki_cipher_of_name(names[i]), PKI_CIPHER_NONE);
	}
	assert_string_equal(pki_digest_name(PKI_DIGEST_NONE), "?");
	assert_string_equal(pki_cipher_name(PKI_CIPHER_NONE), "?");
}

static const char *
text(struct octets oid)
{
	static char out[PKI_OID_TEXT];

	return pki_oid_text(oid, out, sizeof(out));
}
#define TEXT(...) text(octets_of((const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})))

static void
oids_come_out_in_dotted_form(void **state)
{
	uint8_t many[PKI_OID_MAX];

	(void)state;
	assert_string_equal(
	    TEXT(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 7), "1.2.840.113549.1.9.7");
	assert_string_equal(TEXT(0x55, 4, 3), "2.5.4.3");
	assert_string_equal(TEXT(0), "0.0");
	/* An arc of 70 bits. */
	assert_string_equal(TEXT(0x69, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
	    "2.25.1180591620717411303423");
	memset(many, 127, sizeof(many));
	assert_true(strlen(text(octets_of(many, sizeof(many)))) > 500);
}

static void
malformed_huge_or_too_long_oids_come_out_as_a_question_mark(void **state)
{
	uint8_t huge[PKI_OID_MAX + 1];
	char little[8];

	(void)state;
	memset(huge, 1, sizeof(huge));
	assert_string_equal(text(octets_of(huge, sizeof(huge))), "?");
	assert_string_equal(text(octets_of(NULL, 0)), "?");
	assert_string_equal(TEXT(0x2a, 0x86), "?");	  /* an arc cut short */
	assert_string_equal(TEXT(0x2a, 0x80, 0x01), "?"); /* an arc padded */
	assert_string_equal(pki_oid_text(oid_of(NID_sha256), little, sizeof(little)), "?");
}

static void
digests_and_ciphers_are_fetched_once(void **state)
{
	(void)state;
	assert_non_null(pki_digest_md(PKI_SHA256));
	assert_ptr_equal(pki_digest_md(PKI_SHA256), pki_digest_md(PKI_SHA256));
	for (size_t i = 0; i < COUNT(digests); i++)
		assert_true(
		    EVP_MD_is_a(pki_digest_md(digests[i].digest), OBJ_nid2sn(digests[i].nid)));
	assert_non_null(pki_cipher_evp(PKI_AES128));
	assert_ptr_equal(pki_cipher_evp(PKI_AES128), pki_cipher_evp(PKI_AES128));
	assert_int_equal(EVP_CIPHER_get_key_length(pki_cipher_evp(PKI_AES256)), 32);
	assert_int_equal(EVP_CIPHER_get_key_length(pki_cipher_evp(PKI_DES3)), 24);
}

static void
des_is_there_for_who_asks_here_and_for_nothing_else_in_the_process(void **state)
{
	(void)state;
	assert_non_null(pki_cipher_evp(PKI_DES));
	assert_int_equal(EVP_CIPHER_get_key_length(pki_cipher_evp(PKI_DES)), 8);
	assert_non_null(pki_legacy_libctx());
	assert_ptr_equal(pki_legacy_libctx(), pki_legacy_libctx());
	assert_null(EVP_CIPHER_fetch(NULL, "DES-CBC", NULL));
	ERR_clear_error();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_digest_and_cipher_has_the_oid_that_openssl_gives_it),
	    cmocka_unit_test(what_is_not_in_the_list_is_none),
	    cmocka_unit_test(signature_oids_name_a_digest_and_a_key_type),
	    cmocka_unit_test(a_signature_oid_not_in_the_list_is_no_signature),
	    cmocka_unit_test(signature_algorithms_are_what_openssl_reads),
	    cmocka_unit_test(names_are_read_whatever_their_case_and_punctuation),
	    cmocka_unit_test(unknown_empty_and_partial_names_are_none),
	    cmocka_unit_test(oids_come_out_in_dotted_form),
	    cmocka_unit_test(malformed_huge_or_too_long_oids_come_out_as_a_question_mark),
	    cmocka_unit_test(digests_and_ciphers_are_fetched_once),
	    cmocka_unit_test(des_is_there_for_who_asks_here_and_for_nothing_else_in_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
