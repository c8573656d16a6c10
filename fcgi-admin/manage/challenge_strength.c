/* challenge_strength.c: plain rules, no dictionary. */
#include "fcgi-admin/manage/challenge_strength.h"

#include <ctype.h>
#include <string.h>

#include "base/encoding.h"

#define SHORT	    12 /* characters under which any challenge is weak */
#define DIFFERENT   6  /* so many different octets at least */
#define WORD_DIGITS 4  /* a word with up to so many digits or signs around it is still a word */
#define LONG_ENOUGH 20 /* words and digits of this length pass */

static size_t
characters(struct octets text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		if ((text.data[i] & 0xc0) != 0x80)
			count++;
	return count;
}

const char *
challenge_fault(struct octets challenge)
{
	if (challenge.len > CHALLENGE_MOST)
		return "is too long: want at most 255 octets";
	if (!encoding_is_utf8(challenge))
		return "is not UTF-8";
	for (size_t i = 0; i < challenge.len; i++)
		if (challenge.data[i] < ' ' || challenge.data[i] == 0x7f)
			return "has a control character";
	if (characters(challenge) < CHALLENGE_LEAST)
		return "is too short: want at least 8 characters";
	return NULL;
}

static int
different_octets(struct octets text)
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

/* One run of letters that is all but a few of the octets, in one case or with a capital in front. */
static bool
is_word(struct octets text)
{
	size_t start = 0, end = text.len;
	bool one_case = true;

	while (start < end && !isalpha(text.data[start]))
		start++;
	while (end > start && !isalpha(text.data[end - 1]))
		end--;
	if (start == end || text.len - (end - start) > WORD_DIGITS)
		return false;
	for (size_t i = start; i < end; i++) {
		if (!isalpha(text.data[i]))
			return false;
		if (i > start + 1 &&
		    (isupper(text.data[i]) != 0) != (isupper(text.data[i - 1]) != 0))
			one_case = false;
	}
	return one_case;
}

static bool
is_digits(struct octets text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit(text.data[i]))
			return false;
	return true;
}

const char *
challenge_weakness(struct octets challenge)
{
	if (characters(challenge) < SHORT)
		return "is shorter than 12 characters";
	if (different_octets(challenge) < DIFFERENT)
		return "has fewer than 6 different characters";
	if (challenge.len < LONG_ENOUGH && is_digits(challenge))
		return "is made of digits alone";
	if (challenge.len < LONG_ENOUGH && is_word(challenge))
		return "looks like a word";
	return NULL;
}

bool
challenge_is_printable(struct octets challenge)
{
	for (size_t i = 0; i < challenge.len; i++)
		if (challenge.data[i] >= 0x80 || challenge.data[i] == '\0' ||
		    (!isalnum(challenge.data[i]) &&
			strchr(" '()+,-./:=?", challenge.data[i]) == NULL))
			return false;
	return true;
}
