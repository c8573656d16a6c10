#include "scep/password.h"

#include <string.h>

#define DIFFERENT 7 /* so many different octets at least: 32 random hexadecimal digits have 14 */
#define COPY	  8 /* so many octets that stood there before are a copy */
#define RUN	  8 /* so many at the same distance of -1, 0 or 1 are a run */
#define CHANGES	  3 /* from digits to letters and back at least: a word with a number behind has 1 */
#define LOOKED_AT 256 /* octets; what follows adds nothing */

/* Of one character, in hundredths of a bit, rounded down; a word's as in running text. */
enum centibits {
	BITS_WORD = 200,
	BITS_DECIMAL = 332,
	BITS_HEXADECIMAL = 400,
	BITS_BASE32 = 500,
	BITS_BASE64 = 595
};

enum kind { DIGIT = 1, LOWER = 2, UPPER = 4, SIGN = 8, SPACE = 16 };

static enum kind
kind_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return DIGIT;
	if (c >= 'a' && c <= 'z')
		return LOWER;
	if (c >= 'A' && c <= 'Z')
		return UPPER;
	return c == ' ' ? SPACE : SIGN;
}

/* Signs may stand between the digits. */
static bool
is_hexadecimal(struct octets text)
{
	for (size_t i = 0; i < text.len; i++)
		if (kind_of(text.data[i]) != SIGN &&
		    memchr("0123456789abcdefABCDEF", text.data[i], 22) == NULL)
			return false;
	return true;
}

/* What a character is worth, going by the kinds that there are and how often one gives way to another. */
static enum centibits
worth(struct octets text)
{
	size_t changes = 0;
	int kinds = 0;

	for (size_t i = 0; i < text.len; i++) {
		kinds |= (int)kind_of(text.data[i]);
		if (i > 0 && kind_of(text.data[i]) != kind_of(text.data[i - 1]))
			changes++;
	}
	if ((kinds & SPACE) != 0)
		return BITS_WORD;
	if ((kinds & (LOWER | UPPER)) == 0)
		return BITS_DECIMAL;
	if ((kinds & DIGIT) != 0 && changes >= CHANGES && is_hexadecimal(text))
		return BITS_HEXADECIMAL;
	/* Both cases at random change more often than not. */
	if ((kinds & LOWER) != 0 && (kinds & UPPER) != 0)
		return changes * 4 > text.len ? BITS_BASE64 : BITS_WORD;
	return (kinds & DIGIT) != 0 && changes >= CHANGES ? BITS_BASE32 : BITS_WORD;
}

static int
different(struct octets text)
{
	bool seen[256] = {false};
	int count = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (!seen[text.data[i]])
			count++;
		seen[text.data[i]] = true;
	}
	return count;
}

static bool
is_run(const uint8_t *at)
{
	int step = at[1] - at[0];

	for (int i = 2; i < RUN; i++)
		if (at[i] - at[i - 1] != step)
			return false;
	return step >= -1 && step <= 1;
}

/* Mark what follows from what stands before it. */
static void
mark_patterns(struct octets text, bool follows[LOOKED_AT])
{
	memset(follows, 0, LOOKED_AT * sizeof(follows[0]));
	for (size_t i = 0; i + COPY <= text.len; i++)
		if (memmem(text.data, i, text.data + i, COPY) != NULL)
			memset(follows + i, 1, COPY);
	for (size_t i = 0; i + RUN <= text.len; i++)
		if (is_run(text.data + i))
			memset(follows + i + 1, 1, RUN - 1);
}

bool
scep_password_is_strong(struct octets password)
{
	struct octets text =
	    octets_of(password.data, password.len < LOOKED_AT ? password.len : LOOKED_AT);
	enum centibits each = worth(text);
	bool follows[LOOKED_AT];
	int sum = 0;

	mark_patterns(text, follows);
	for (size_t i = 0; i < text.len; i++) {
		/* Where letters of one case and digits are grouped, the signs are always the same ones. */
		bool separates = each != BITS_BASE64 && kind_of(text.data[i]) == SIGN;

		if (!follows[i] && !separates)
			sum += (int)each;
	}
	return different(text) >= DIFFERENT && sum >= SCEP_PASSWORD_BITS * 100;
}
