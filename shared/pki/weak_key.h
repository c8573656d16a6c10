/* weak_key.h: RSA keys whose private half follows from the public one, as some devices' generators made them. */
#ifndef PKI_WEAK_KEY_H
#define PKI_WEAK_KEY_H

#include "base/octets.h"

#define WEAK_KEY_ROUNDS 100

/*
 * NULL, or in a few words what is wrong with the key of an SPKI (for logs and failInfoText): a modulus with a prime factor up to 167; one of the form
 * that CVE-2017-15361 (ROCA) is about, which one sound key in 200 million has by chance; one of two primes so close that Fermat's
 * method finds them in WEAK_KEY_ROUNDS steps (CVE-2022-26320).  A key of another type is not looked at; size and exponent are others'
 * business.  About 15 us for RSA-2048.
 */
const char *weak_key_reason(struct octets spki);

#endif
