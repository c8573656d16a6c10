/* test_public_key_verify.c: signatures by the keys of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ec.h>

#include "pki/public_key.h"
#include "tests/unit/pki_request.h"

static struct errbuf why;

static void
sign(EVP_PKEY *key, const EVP_MD *md, const char *message, struct buffer *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[1024];
	size_t len = sizeof(signature);

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, md, NULL, key), 1);
	assert_int_equal(
	    EVP_DigestSign(ctx, signature, &len, (const uint8_t *)message, strlen(message)), 1);
	buffer_append(out, signature, len);
	EVP_MD_CTX_free(ctx);
}

static void
verify_with(EVP_PKEY *key)
{
	static const struct {
		enum pki_digest digest;
		const char *name;
	} digests[] = {{PKI_SHA1, "SHA1"}, {PKI_SHA256, "SHA256"}, {PKI_SHA384, "SHA384"},
	    {PKI_SHA512, "SHA512"}};
	struct buffer spki = {0};
	struct public_key k;

	pki_spki(&spki, key);
	assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
	for (int i = 0; i < 4; i++) {
		struct octets message = octets_of_string("message");
		struct buffer signature = {0};

		sign(key, EVP_get_digestbyname(digests[i].name), "message", &signature);
		assert_true(public_key_verify(
		    &k, digests[i].digest, message, buffer_octets(&signature), &why));
		assert_false(public_key_verify(&k, digests[i].digest, octets_of_string("massage"),
		    buffer_octets(&signature), &why));
		assert_non_null(strstr(why.line, "verify"));
		assert_false(public_key_verify(
		    &k, digests[(i + 1) % 4].digest, message, buffer_octets(&signature), &why));
		assert_false(public_key_verify(
		    &k, PKI_DIGEST_NONE, message, buffer_octets(&signature), &why));
		assert_non_null(strstr(why.line, "algorithm"));
		assert_false(public_key_verify(&k, digests[i].digest, message,
		    octets_of(signature.data, signature.len - 1), &why));
		assert_false(
		    public_key_verify(&k, digests[i].digest, message, octets_of(NULL, 0), &why));
		signature.data[signature.len - 1] ^= 1;
		assert_false(public_key_verify(
		    &k, digests[i].digest, message, buffer_octets(&signature), &why));
		buffer_free(&signature);
	}
	public_key_free(&k);
	buffer_free(&spki);
}

static void
signatures_of_the_key_verify_and_altered_ones_do_not(void **state)
{
	(void)state;
	verify_with(pki_rsa_key());
	verify_with(pki_ec_key());
}

static void
eddsa_signatures_verify_without_a_digest_and_altered_ones_do_not(void **state)
{
	EVP_PKEY *const keys[] = {pki_ed_key(), pki_ed448_key()};
	struct octets message = octets_of_string("message");

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer spki = {0}, signature = {0}, other = {0};
		struct public_key k;

		pki_spki(&spki, keys[i]);
		assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
		sign(keys[i], NULL, "message", &signature);
		sign(keys[1 - i], NULL, "message", &other);
		assert_true(public_key_verify(
		    &k, PKI_DIGEST_NONE, message, buffer_octets(&signature), &why));
		assert_false(public_key_verify(&k, PKI_DIGEST_NONE, octets_of_string("massage"),
		    buffer_octets(&signature), &why));
		assert_non_null(strstr(why.line, "verify"));
		assert_false(
		    public_key_verify(&k, PKI_SHA512, message, buffer_octets(&signature), &why));
		assert_non_null(strstr(why.line, "algorithm"));
		assert_false(
		    public_key_verify(&k, PKI_DIGEST_NONE, message, buffer_octets(&other), &why));
		assert_false(public_key_verify(&k, PKI_DIGEST_NONE, message,
		    octets_of(signature.data, signature.len - 1), &why));
		assert_false(
		    public_key_verify(&k, PKI_DIGEST_NONE, message, octets_of(NULL, 0), &why));
		signature.data[0] ^= 1;
		assert_false(public_key_verify(
		    &k, PKI_DIGEST_NONE, message, buffer_octets(&signature), &why));
		public_key_free(&k);
		buffer_free(&spki);
		buffer_free(&signature);
		buffer_free(&other);
	}
}

static void
a_key_of_another_type_verifies_nothing(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("secp256k1");
	struct buffer spki = {0}, signature = {0};
	struct public_key k;

	(void)state;
	pki_spki(&spki, key);
	sign(key, EVP_sha256(), "message", &signature);
	assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
	assert_false(public_key_verify(
	    &k, PKI_SHA256, octets_of_string("message"), buffer_octets(&signature), &why));
	assert_non_null(strstr(why.line, "EC 1.3.132.0.10"));
	assert_false(public_key_verify(
	    &k, PKI_DIGEST_NONE, octets_of_string("message"), buffer_octets(&signature), &why));
	public_key_free(&k);
	buffer_free(&spki);
	buffer_free(&signature);
	EVP_PKEY_free(key);
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
	    cmocka_unit_test(signatures_of_the_key_verify_and_altered_ones_do_not),
	    cmocka_unit_test(eddsa_signatures_verify_without_a_digest_and_altered_ones_do_not),
	    cmocka_unit_test(a_key_of_another_type_verifies_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
