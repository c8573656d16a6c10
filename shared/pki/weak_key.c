#include "pki/weak_key.h"

#include <openssl/bn.h>

#include "pki/public_key.h"

/* The primes of the fingerprint of ROCA (Nemec and others, CCS 2017). */
static const uint8_t primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61,
    67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163,
    167};
#define PRIMES (sizeof(primes) / sizeof(primes[0]))

/* n modulo each prime, by way of n modulo their product, which is short.  false: out of memory. */
static bool
take_residues(const BIGNUM *n, uint8_t out[PRIMES], BN_CTX *ctx)
{
	BIGNUM *product = BN_CTX_get(ctx), *rest = BN_CTX_get(ctx);
	bool ok = rest != NULL && BN_one(product) == 1;

	for (size_t i = 0; i < PRIMES && ok; i++)
		ok = BN_mul_word(product, primes[i]) == 1;
	ok = ok && BN_mod(rest, n, product, ctx) == 1;
	for (size_t i = 0; i < PRIMES && ok; i++)
		out[i] = (uint8_t)BN_mod_word(rest, primes[i]);
	return ok;
}

static bool
has_small_factor(const uint8_t residues[PRIMES])
{
	for (size_t i = 0; i < PRIMES; i++)
		if (residues[i] == 0)
			return true;
	return false;
}

/* Is residue a power of 65537 modulo prime? */
static bool
is_power(uint32_t residue, uint32_t prime)
{
	uint32_t power = 1;

	do {
		if (power == residue)
			return true;
		power = power * (65537 % prime) % prime;
	} while (power != 1);
	return false;
}

/* Its primes are k * M + 65537^a mod M: modulo each prime in M they are powers of 65537, and so is their product. */
static bool
has_form_of_roca(const uint8_t residues[PRIMES])
{
	for (size_t i = 0; i < PRIMES; i++)
		if (!is_power(residues[i], primes[i]))
			return false;
	return true;
}

/*
 * root: the largest number whose square is at most n, which is over 0.  Each step doubles the bits of it that are known: with d of
 * them, root is at most one off the square root of n's first 2d + 1 or 2d + 2 bits.
 */
static bool
square_root(BIGNUM *root, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *part = BN_CTX_get(ctx);
	int all = (BN_num_bits(n) - 1) / 2, steps = 0, known = 0, before;

	while (all >> steps != 0)
		steps++;
	if (part == NULL || BN_one(root) != 1)
		return false;
	while (steps-- > 0) {
		before = known;
		known = all >> steps;
		if (BN_rshift(part, n, 2 * all - before - known + 1) != 1 ||
		    BN_div(part, NULL, part, root, ctx) != 1 ||
		    BN_lshift(root, root, known - before - 1) != 1 || BN_add(root, root, part) != 1)
			return false;
	}
	return BN_sqr(part, root, ctx) == 1 && (BN_cmp(part, n) <= 0 || BN_sub_word(root, 1) == 1);
}

#define SQUARES_MODULO 255255 /* 3 * 5 * 7 * 11 * 13 * 17 */

/* false: a number of these remainders modulo 64 and SQUARES_MODULO is no square; 98 of 100 that are none show it here. */
static bool
may_be_square(uint64_t modulo_64, uint64_t modulo)
{
	/* Bit n: n is the remainder of a square. */
	static const struct {
		unsigned factor;
		uint32_t squares;
	} small[] = {{3, 0x3}, {5, 0x13}, {7, 0x17}, {11, 0x23b}, {13, 0x161b}, {17, 0x1a317}};

	if ((UINT64_C(0x0202021202030213) >> modulo_64 & 1) == 0)
		return false;
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++)
		if ((small[i].squares >> modulo % small[i].factor & 1) == 0)
			return false;
	return true;
}

/* Is a^2 - n the square of a number? */
static bool
splits(const BIGNUM *n, const BIGNUM *a, BN_CTX *ctx)
{
	BIGNUM *rest, *root, *square;
	bool is = false;

	BN_CTX_start(ctx);
	rest = BN_CTX_get(ctx);
	root = BN_CTX_get(ctx);
	square = BN_CTX_get(ctx);
	if (square != NULL && BN_sqr(rest, a, ctx) == 1 && BN_sub(rest, rest, n) == 1)
		is = BN_is_zero(rest) ||
		     (square_root(root, rest, ctx) && BN_sqr(square, root, ctx) == 1 &&
			 BN_cmp(square, rest) == 0);
	BN_CTX_end(ctx);
	return is;
}

static uint64_t
modulo_64(const BIGNUM *n)
{
	uint64_t low = 0;

	for (int bit = 5; bit >= 0; bit--)
		low = low << 1 | (uint64_t)BN_is_bit_set(n, bit);
	return low;
}

/* Fermat: n = a^2 - b^2 with a at n's square root or just above.  Of a^2 - n mostly the remainders are enough. */
static bool
has_close_primes(const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *a = BN_CTX_get(ctx);
	uint64_t a_64, n_64, a_rest, n_rest;

	if (a == NULL || !square_root(a, n, ctx))
		return false;
	a_64 = modulo_64(a);
	n_64 = modulo_64(n);
	a_rest = BN_mod_word(a, SQUARES_MODULO);
	n_rest = BN_mod_word(n, SQUARES_MODULO);
	for (int i = 0; i <= WEAK_KEY_ROUNDS; i++) {
		uint64_t rest_64 = (a_64 * a_64 - n_64) & 63;
		uint64_t rest = (a_rest * a_rest + SQUARES_MODULO - n_rest) % SQUARES_MODULO;

		if (may_be_square(rest_64, rest) && splits(n, a, ctx))
			return true;
		if (BN_add_word(a, 1) != 1)
			return false;
		a_64++;
		a_rest = (a_rest + 1) % SQUARES_MODULO;
	}
	return false;
}

/* What cannot be worked out for want of memory is no reason. */
const char *
weak_key_reason(struct octets spki)
{
	uint8_t residues[PRIMES];
	const char *reason = NULL;
	BIGNUM *n = public_key_get1_modulus(spki);
	BN_CTX *ctx;

	if (n == NULL)
		return NULL;
	if ((ctx = BN_CTX_new()) != NULL) {
		BN_CTX_start(ctx);
		if (!take_residues(n, residues, ctx))
			reason = NULL;
		else if (has_small_factor(residues))
			reason = "its modulus has a small prime factor";
		else if (has_form_of_roca(residues))
			reason = "its modulus is of the form of CVE-2017-15361 (ROCA)";
		else if (has_close_primes(n, ctx))
			reason = "its two primes are close to each other (CVE-2022-26320)";
		BN_CTX_end(ctx);
	}
	BN_CTX_free(ctx);
	BN_free(n);
	return reason;
}
