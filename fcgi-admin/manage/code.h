/*
 * code.h: secrets that are drawn here and that people and devices enter as a challengePassword: enrolment codes, accounts' secrets.
 *
 * 28 characters of 0-9 and A-Z without I, L, O and U, which are taken for others: 140 random bits, in four groups of seven with hyphens
 * between them, which belong to it.  All of it is in PrintableString, and it fits where an MDM has room for 32.
 */
#ifndef MANAGE_CODE_H
#define MANAGE_CODE_H

#include <stdbool.h>

#include "base/errbuf.h"

#define MANAGE_CODE_GROUPS 4
#define MANAGE_CODE_GROUP  7
#define MANAGE_CODE_SIZE   (MANAGE_CODE_GROUPS * (MANAGE_CODE_GROUP + 1)) /* with its NUL */

/* false with why: no random octets; code is then "".  The caller wipes it after use. */
bool manage_code_draw(char code[MANAGE_CODE_SIZE], struct errbuf *why);

#endif
