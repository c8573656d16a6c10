/* pattern_program.h: what an expression is compiled to. */
#ifndef PKI_PATTERN_PROGRAM_H
#define PKI_PATTERN_PROGRAM_H

#include <stdint.h>

#include "pki/pattern.h"

#define RANGES_MAX 256 /* no text of PATTERN_TEXT_MAX octets has more */

enum step_kind {
	STEP_CHARACTER, /* argument is the code point */
	STEP_ANY,
	STEP_SET,   /* argument is the first of count ranges */
	STEP_OTHER, /* a character that is in none of them */
	STEP_JUMP,  /* to here + jump */
	STEP_SPLIT, /* to the next and to here + jump */
	STEP_END
};

struct step {
	uint8_t kind;
	int16_t jump;
	uint16_t count;
	uint32_t argument;
};

struct range {
	uint32_t first, last;
};

struct pattern {
	struct range ranges[RANGES_MAX];
	int range_count;
	int step_count;
	struct step steps[]; /* room for PATTERN_PROGRAM_MAX until it is compiled */
};

/* The next character, up to end; what is there is well-formed. */
uint32_t pattern_next_character(const char **at, const char *end);

#endif
