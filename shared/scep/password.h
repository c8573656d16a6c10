/* password.h: may a reply be enveloped under this challengePassword (RFC 8894 3.1)? */
#ifndef SCEP_PASSWORD_H
#define SCEP_PASSWORD_H

#include <stdbool.h>

#include "base/octets.h"

#define SCEP_PASSWORD_BITS 128

/*
 * Whoever records a reply to an EC key can try passwords on it for as long as he likes.  So only what looks like 128 random bits
 * will do: 32 hexadecimal digits, 22 letters of both cases with digits (base64), 26 letters of one case with digits (base32), 39 decimal
 * digits.  The estimate is made from the length and the kinds of characters; what is repeated or runs on (abcdefgh, 98765432, aaaaaaaa)
 * counts for nothing, and what looks like words in one case for little.  No word is looked up: ManyShortOnes in mixed case pass.
 */
bool scep_password_is_strong(struct octets password);

#endif
