/*
 * suspects.h: from which networks wrong secrets came in this minute and the one before, in memory that processes share: to ask costs a few loads,
 * and there is nothing to open, to lock or to clean up.
 *
 * A slot is one word: what the network's hash is told by, the minute, and both counts.  Where more come than there is room for, those with the
 * fewest tries are forgotten: this is no record, only what tells the many clean addresses from the few that need a closer look.
 */
#ifndef BASE_SUSPECTS_H
#define BASE_SUSPECTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SUSPECTS_SLOTS 4096
#define SUSPECTS_MOST  4095 /* a count goes no further */

/* All zero: nobody is suspect. */
struct suspects {
	_Atomic uint64_t slots[SUSPECTS_SLOTS];
};

/* A wrong secret came from this network (network.h). */
void suspects_add(struct suspects *s, const char *network, int64_t now_ms);

/* How many in this minute and in the last; false: none that is known. */
bool suspects_find(const struct suspects *s, const char *network, int64_t now_ms,
    int64_t *this_minute, int64_t *last_minute);

#endif
