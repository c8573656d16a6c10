/* challenge_strength.h: is a static challenge one that a stranger, or a thief of the database, would guess? */
#ifndef MANAGE_CHALLENGE_STRENGTH_H
#define MANAGE_CHALLENGE_STRENGTH_H

#include <stdbool.h>

#include "base/octets.h"

#define CHALLENGE_LEAST 8   /* characters */
#define CHALLENGE_MOST	255 /* octets: RFC 2985 pkcs-9-ub-challengePassword */

/* NULL, or what keeps it from being a challenge at all: too short, too long, no UTF-8, control characters. */
const char *challenge_fault(struct octets challenge);

/* NULL, or why it is weak: short, few different characters, digits alone, a word with a few digits. */
const char *challenge_weakness(struct octets challenge);

/* All in X.680's PrintableString, which is what Windows can send. */
bool challenge_is_printable(struct octets challenge);

#endif
