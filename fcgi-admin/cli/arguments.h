/* arguments.h: a command line read by a table: operands, --option VALUE, --option=VALUE, flags, --help. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"

#define ARGUMENTS_OPERANDS_MAX 4
#define ARGUMENTS_GIVEN_MAX    128

struct option_spec {
	const char *name;    /* without "--" */
	const char *metavar; /* NULL: a flag */
	const char *help;
	bool repeatable;
};

/* Options of one verb end at a NULL name. */
struct arguments {
	const char *operands[ARGUMENTS_OPERANDS_MAX];
	int operand_count;
	struct {
		const char *name;  /* the spec's */
		const char *value; /* "" for a flag */
	} given[ARGUMENTS_GIVEN_MAX];
	int given_count;
};

/*
 * Read argv, which begins behind the verb.  "--" ends the options.  Texts are borrowed from argv.  false with why: an unknown
 * or ambiguous-looking option, a value missing or where none belongs, one given twice, or more than max operands.
 */
bool arguments_parse(const struct option_spec *specs, int max_operands, int argc, char *const *argv,
    struct arguments *out, struct errbuf *why);

/* NULL where it was not given. */
const char *arguments_text(const struct arguments *a, const char *name);
bool arguments_has(const struct arguments *a, const char *name);
/* The nth value (from 0) of a repeatable option; NULL behind the last. */
const char *arguments_nth(const struct arguments *a, const char *name, int n);

/* Where the option was not given these leave *out as it is.  false with why: it is not what is wanted. */
bool arguments_number(const struct arguments *a, const char *name, int64_t least, int64_t most,
    int64_t *out, struct errbuf *why);
/* A number with a unit, s m h d or w; in seconds. */
bool arguments_duration(
    const struct arguments *a, const char *name, int64_t *out, struct errbuf *why);
/* yes or no, for 1 or 0. */
bool arguments_yes_no(const struct arguments *a, const char *name, int *out, struct errbuf *why);
/* One of two words, for 0 and 1. */
bool arguments_choice(const struct arguments *a, const char *name, const char *word0,
    const char *word1, int *out, struct errbuf *why);

#endif
