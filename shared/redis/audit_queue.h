/*
 * audit_queue.h: audit rows that wait in Redis until the background process commits them in batches: refusals and minted
 * challenges.  A flood becomes one counted row a minute per address, profile and reason.
 */
#ifndef REDIS_AUDIT_QUEUE_H
#define REDIS_AUDIT_QUEUE_H

#include "redis/redis.h"

#define AUDIT_QUEUE_MAX 100000 /* rows that may wait */

/*
 * Queue one row (JSON by audit_event_to_json), one round trip.  flood_key (address, profile, reason; any octets) is counted per minute of now_ms: above
 * per_minute the row itself is not queued but counted, and the first row's JSON of that minute is kept so that take() can give one row with the count
 * when the minute is over.  flood_key empty: always queued.  REFUSED: the queue is full (counted as lost).
 */
enum redis_rc audit_queue_put(struct redis *r, const char *json, struct octets flood_key, int64_t per_minute, int64_t now_ms,
    struct errbuf *why);

/*
 * Up to max rows from the oldest on, without removing them: each is given to row(); then counted rows of minutes that are over.
 * After the commit call audit_queue_remove() with the same position.  One taker at a time (the lease), and event ids make doubles harmless.
 */
enum redis_rc audit_queue_take(struct redis *r, int max, int64_t now_ms, bool (*row)(void *ctx, const char *json, int64_t count), void *ctx,
    int *taken, struct errbuf *why);
enum redis_rc audit_queue_remove(struct redis *r, int taken, struct errbuf *why);
enum redis_rc audit_queue_length(struct redis *r, int64_t *length, struct errbuf *why);

#endif
