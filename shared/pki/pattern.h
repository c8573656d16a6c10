/*
 * pattern.h: POSIX extended regular expressions (XBD 9.4), matched against whole values of UTF-8.
 *
 * Of our own, as libc's keeps what it learnt of strangers' values for as long as the expression lives, matches octets or characters by the
 * locale, and takes exponential time or memory for some expressions.  This one's time is at most the program's length times the value's, and
 * matching allocates nothing.
 */
#ifndef PKI_PATTERN_H
#define PKI_PATTERN_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"

#define PATTERN_TEXT_MAX    255	 /* octets of an expression */
#define PATTERN_PROGRAM_MAX 2048 /* steps, with what {m,n} repeats written out */
#define PATTERN_REPEAT_MAX  255	 /* in {m,n} */

struct pattern;

/*
 * Literals, ".", brackets with ranges of code points and classes ([:alpha:] and the others, of ASCII), groups, "|", "*", "+", "?", "{m}", "{m,}", "{m,n}"
 * and a backslash before what has a meaning.  The whole value has to match, so "^" may stand at the start alone and "$" at the end, and change
 * nothing.  Refused, with why: back-references and other letters or digits behind a backslash, what POSIX leaves undefined (an empty
 * alternative, two repetitions in a row), equivalence classes, and a program too long.  The caller frees *out.
 */
bool pattern_compile(const char *text, struct pattern **out, struct errbuf *why);
void pattern_free(struct pattern *p);

/* false also for what is not well-formed UTF-8. */
bool pattern_matches(const struct pattern *p, struct octets utf8);

#endif
