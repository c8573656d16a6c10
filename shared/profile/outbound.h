/* outbound.h: whom profiles call, with clients that keep their tokens from one snapshot to the next; for this room alone. */
#ifndef PROFILE_OUTBOUND_H
#define PROFILE_OUTBOUND_H

#include "profile/profile.h"

struct profile_outbound;

/* Borrows all three; NULL out of memory. */
struct profile_outbound *profile_outbound_new(
    const struct settings *s, const struct master_key *k, struct http *h);
void profile_outbound_free(struct profile_outbound *o);

/*
 * Fill the snapshot's connection to Intune and its enabled webhooks, unsealed.  A client of the same connection is used again, while its row is the
 * same.  AWAY with why: the store is away, a secret does not unseal, or a connection or webhook makes no sense: rather no profile than one
 * that asks fewer than it should.
 */
enum store_rc profile_outbound_read(
    struct profile_outbound *o, struct store *st, struct profile *p, struct errbuf *why);

/* No snapshot is left: clients that none of them had since the last call are closed. */
void profile_outbound_drop(struct profile_outbound *o);

#endif
