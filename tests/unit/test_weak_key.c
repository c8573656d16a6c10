/* test_weak_key.c: RSA keys that were made badly are told from sound ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "pki/public_key.h"
#include "pki/weak_key.h"
#include "tests/unit/pki_request.h"

static const char *
reason_of_key(EVP_PKEY *key)
{
	struct buffer spki = {0};
	const char *reason;

	pki_spki(&spki, key);
	reason = weak_key_reason(buffer_octets(&spki));
	buffer_free(&spki);
	return reason;
}

/* Of a key with this modulus. */
static const char *
reason_of_modulus(const BIGNUM *n)
{
	struct buffer spki = {0}, algorithm = {0}, key = {0}, bits = {0};
	uint8_t magnitude[1024] = {0};
	int len = BN_bn2bin(n, magnitude + 1), sign = (magnitude[1] & 0x80) != 0;
	const char *reason;

	pki_oid(&algorithm, "1.2.840.113549.1.1.1");
	pki_tlv(&algorithm, DER_NULL, "", 0);
	pki_wrap(&spki, DER_SEQUENCE, &algorithm);
	pki_tlv(&key, DER_INTEGER, magnitude + 1 - sign, (size_t)(len + sign));
	pki_tlv(&key, DER_INTEGER, "\x01\x00\x01", 3);
	buffer_append(&bits, "", 1);
	pki_wrap(&bits, DER_SEQUENCE, &key);
	pki_wrap(&spki, DER_BIT_STRING, &bits);
	pki_wrap(&key, DER_SEQUENCE, &spki);
	reason = weak_key_reason(buffer_octets(&key));
	buffer_free(&key);
	return reason;
}

static void
says(const char *reason, const char *words)
{
	if (reason == NULL || strstr(reason, words) == NULL)
		fail_msg("have \"%s\", want something of \"%s\"",
		    reason != NULL ? reason : "nothing", words);
}

static void
keys_of_bad_generators_are_told_by_what_is_wrong(void **state)
{
	static const char *const keys[][2] = {
	    {"tests/vectors/weak-roca.key.pem", "CVE-2017-15361"},
	    {"tests/vectors/weak-close.key.pem", "CVE-2022-26320"},
	    {"tests/vectors/weak-factor.key.pem", "small prime factor"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		FILE *in = fopen(keys[i][0], "r");
		EVP_PKEY *key;

		assert_non_null(in);
		assert_non_null(key = PEM_read_PrivateKey(in, NULL, NULL, NULL));
		says(reason_of_key(key), keys[i][1]);
		EVP_PKEY_free(key);
		fclose(in);
	}
}

static void
sound_keys_of_any_size_are_passed(void **state)
{
	static const unsigned sizes[] = {512, 1024, 1536, 2048, 2049, 3072};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		EVP_PKEY *key = EVP_RSA_gen(sizes[i]);

		assert_non_null(key);
		assert_null(reason_of_key(key));
		EVP_PKEY_free(key);
	}
}

static void
what_is_no_rsa_key_is_not_looked_at(void **state)
{
	(void)state;
	assert_null(reason_of_key(pki_ec_key()));
	assert_null(reason_of_key(pki_ed_key()));
	assert_null(weak_key_reason(octets_of(NULL, 0)));
	assert_null(weak_key_reason(octets_of("\x30\x00", 2)));
}

/* n times each prime up to 167 in turn; n itself is a sound modulus. */
static void
each_small_factor_is_found(void **state)
{
	static const unsigned factors[] = {3, 5, 7, 11, 163, 167};
	EVP_PKEY *key = pki_rsa_key();
	struct buffer spki = {0};
	BIGNUM *n, *product = BN_new();

	(void)state;
	pki_spki(&spki, key);
	assert_non_null(n = public_key_get1_modulus(buffer_octets(&spki)));
	assert_null(reason_of_modulus(n));
	for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		assert_non_null(BN_copy(product, n));
		assert_true(BN_mul_word(product, factors[i]));
		says(reason_of_modulus(product), "small prime factor");
	}
	/* 173 is the next one. */
	assert_non_null(BN_copy(product, n));
	assert_true(BN_mul_word(product, 173));
	assert_null(reason_of_modulus(product));
	buffer_free(&spki);
	BN_free(n);
	BN_free(product);
}

/* n = a^2 - b^2, odd and without a small factor, whose square root is steps below a, and not steps - 1. */
static void
make_product(BIGNUM *n, BN_ULONG steps, BN_CTX *ctx)
{
	BIGNUM *a = BN_CTX_get(ctx), *b = BN_CTX_get(ctx), *low = BN_CTX_get(ctx);
	const char *reason = "small";
	bool fits = false;

	while (!fits || (reason != NULL && strstr(reason, "small") != NULL)) {
		/* b^2 is about 2 * a * steps. */
		assert_true(BN_rand(a, 1024, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY));
		assert_true(BN_sqr(n, a, ctx) && BN_copy(low, a) != NULL &&
			    BN_mul_word(low, 2 * steps - 1));
		for (int bit = 520; bit >= 0; bit--) {
			/* The root of low, a bit at a time. */
			if (bit == 520)
				BN_zero(b);
			assert_true(BN_set_bit(b, bit) && BN_sqr(n, b, ctx));
			if (BN_cmp(n, low) > 0)
				assert_true(BN_clear_bit(b, bit));
		}
		if (BN_is_odd(a) == BN_is_odd(b))
			assert_true(BN_add_word(b, 1));
		assert_true(BN_sqr(n, a, ctx) && BN_sqr(low, b, ctx) && BN_sub(n, n, low));
		assert_true(BN_sub_word(a, steps) && BN_sqr(low, a, ctx));
		fits = BN_cmp(low, n) <= 0;
		assert_true(BN_add_word(a, 1) && BN_sqr(low, a, ctx));
		fits = fits && BN_cmp(low, n) > 0;
		reason = fits ? reason_of_modulus(n) : NULL;
	}
}

static void
primes_are_close_up_to_the_last_round_and_not_beyond(void **state)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new(), *p = BN_new();

	(void)state;
	BN_CTX_start(ctx);
	for (BN_ULONG steps = 1; steps <= WEAK_KEY_ROUNDS; steps += 33) {
		make_product(n, steps, ctx);
		says(reason_of_modulus(n), "close");
	}
	make_product(n, WEAK_KEY_ROUNDS + 1, ctx);
	assert_null(reason_of_modulus(n));
	/* The same prime twice. */
	assert_true(BN_generate_prime_ex2(p, 512, 0, NULL, NULL, NULL, ctx) && BN_sqr(n, p, ctx));
	says(reason_of_modulus(n), "close");
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	BN_free(n);
	BN_free(p);
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
	    cmocka_unit_test(keys_of_bad_generators_are_told_by_what_is_wrong),
	    cmocka_unit_test(sound_keys_of_any_size_are_passed),
	    cmocka_unit_test(what_is_no_rsa_key_is_not_looked_at),
	    cmocka_unit_test(each_small_factor_is_found),
	    cmocka_unit_test(primes_are_close_up_to_the_last_round_and_not_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
