/*
 * replaced_row.h: certificates that another one of the same holder replaces, from the commit that said so to their revocation; and what
 * makes older certificates count where a profile begins to ask for holders or keys.
 */
#ifndef STORE_REPLACED_ROW_H
#define STORE_REPLACED_ROW_H

#include "store/store.h"

/*
 * The certificate with this serial is in use: whatever it replaces is due at now.  Either der is given, and it has to be these very octets, or
 * authority_id, by which alone it was asked about.  Costs one read where it replaces nothing.  OK: it does; NONE: it replaces nothing that
 * is not due anyway.
 */
enum store_rc store_replaced_seen(struct store *st, struct octets serial, struct octets der,
    const char *authority_id, int64_t now, struct errbuf *why);

struct replaced_row {
	int64_t certificate_id;
	int64_t by_id;
	bool by_revoked; /* the newer one has ended before it was used: the older is not replaced */
};
/* Those due at now, at most max of them in out. */
enum store_rc store_replaced_due(struct store *st, int64_t now, struct replaced_row *out, int max,
    int *count, struct errbuf *why);
/* The one does not replace the other any more.  store_revoke() of either does that, too. */
enum store_rc store_replaced_forget(
    struct store *st, const struct replaced_row *row, struct errbuf *why);

/*
 * The valid certificates of a lineage of SCEP profiles, in the order of their rows above after, at most limit.  row() must not call the store.
 * *last: the last row there was; after where there was none.
 */
enum store_rc store_held_each(struct store *st, const char *lineage, int64_t after, int64_t now,
    int limit, bool (*row)(void *ctx, int64_t id, int64_t seat_row, struct octets der), void *ctx,
    int64_t *last, struct errbuf *why);

/* By whom a certificate is held and what key it has; 32 octets each, either may be empty. */
struct held_row {
	int64_t certificate_id;
	struct octets holder;
	struct octets key_digest;
};
/* All of them in one transaction; what is there already stays. */
enum store_rc store_held_put(
    struct store *st, const struct held_row *rows, int count, struct errbuf *why);

/* OK: certificates were issued through the SCEP profile; NONE: none were.  Looks through the whole table where none were. */
enum store_rc store_profile_in_use(
    struct store *st, const char *scep_profile_id, struct errbuf *why);

#endif
