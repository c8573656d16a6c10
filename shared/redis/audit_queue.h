/*
 * audit_queue.h: audit rows that wait in Redis until the background process commits them in batches: refusals and minted
 * challenges.  A flood becomes one counted row a minute per address, profile and reason.
 *
 * Keys, one set for each profile ({-} where there is none), so that a script stays in one slot: "{PROFILE-UUID}:audit" the queue,
 * ":audit-rates:MINUTE", ":audit-counts", ":audit-first" for floods, ":audit-lost", ":audit-removed"; "{-}:audit-queues" names the profiles.
 */
#ifndef REDIS_AUDIT_QUEUE_H
#define REDIS_AUDIT_QUEUE_H

#include "redis/redis.h"

#define AUDIT_QUEUE_MAX 100000 /* rows that may wait in one profile's queue */
#define AUDIT_QUEUE_COUNTED_MAX                                                                    \
	10000 /* counted rows that may gather in one profile, and flood keys told apart in one minute */

/*
 * Queue one row (JSON by audit_event_to_json) of a profile (its uuid; NULL: none), one round trip.  flood_key (address, profile, reason; any
 * octets) is counted per minute of now_ms: above per_minute the row itself is not queued but counted, and the JSON of the first such row is kept, so that
 * take() can give that one row, with the count, when the minute is over: its event id is its own, since the rows before it are queued.
 * flood_key empty: always queued.  REFUSED: the queue is full (counted as lost).
 */
enum redis_rc audit_queue_put(struct redis *r, const char *profile_id, const char *json,
    struct octets flood_key, int64_t per_minute, int64_t now_ms, struct errbuf *why);

/*
 * Up to max rows, each profile's from the oldest on, without removing them: each is given to row(), which returns false to end before that row.
 * count is 1, or more for the counted row of a minute that is over.  *taken: how many row() accepted.
 *
 * After the commit call audit_queue_remove() on the same r with the same number.  What is not removed, whoever dies, is given again: event ids make doubles
 * harmless.  REFUSED from remove: another taker removed rows of one of these queues in the meantime; that queue is left as it is.
 */
enum redis_rc audit_queue_take(struct redis *r, int max, int64_t now_ms,
    bool (*row)(void *ctx, const char *json, int64_t count), void *ctx, int *taken,
    struct errbuf *why);
enum redis_rc audit_queue_remove(struct redis *r, int taken, struct errbuf *why);

/* Rows that wait in all queues, without those that are still being counted. */
enum redis_rc audit_queue_length(struct redis *r, int64_t *length, struct errbuf *why);
/* Rows refused by full queues since Redis began with empty memory. */
enum redis_rc audit_queue_lost(struct redis *r, int64_t *lost, struct errbuf *why);

#endif
