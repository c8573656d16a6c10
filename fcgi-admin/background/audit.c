/* audit.c: audit rows from the queue in Redis to the store, in batches. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"
#include "redis/audit_queue.h"

#define BATCH	     500
#define BATCHES_MOST 20 /* in one turn: the other tasks are due too */
#define MIB	     (1024 * 1024)

struct audit_batch {
	struct audit_event events[BATCH];
	char *rooms[BATCH]; /* where the events' texts live */
	int count;
};

bool
task_audit_open(struct background *b)
{
	return (b->batch = calloc(1, sizeof(*b->batch))) != NULL;
}

static void
empty(struct audit_batch *batch)
{
	for (int i = 0; i < batch->count; i++) {
		free(batch->rooms[i]);
		batch->rooms[i] = NULL;
	}
	batch->count = 0;
}

void
task_audit_close(struct background *b)
{
	if (b->batch != NULL)
		empty(b->batch);
	free(b->batch);
	b->batch = NULL;
}

/* One row of the queue.  What is no audit event is dropped with a line in the log, or it would stand there for ever. */
static bool
take_row(void *ctx, const char *json, int64_t count)
{
	struct audit_batch *batch = ctx;
	char *room;

	if (batch->count == BATCH || (room = strdup(json)) == NULL)
		return false;
	if (!audit_event_of_json(room, &batch->events[batch->count])) {
		free(room);
		log_event(LOG_LEVEL_ERROR, "audit-row-dropped",
		    "a row in Redis is no audit event (%zu octets)", strlen(json));
		return true;
	}
	if (count > 1)
		batch->events[batch->count].count = count;
	batch->rooms[batch->count++] = room;
	return true;
}

/* One batch; false: nothing more to do now. */
static bool
move_batch(struct background *b)
{
	struct audit_batch *batch = b->batch;
	struct errbuf why = {0};
	int taken = 0;
	bool ok;

	ok = audit_queue_take(b->manage.redis, BATCH, clock_now_ms(), take_row, batch, &taken,
		 &why) == REDIS_DONE;
	if (!outage_note(&b->redis_away, ok, &why) || taken == 0)
		return false;
	ok = batch->count == 0 ||
	     store_audit_write(b->manage.store, batch->events, batch->count, &why) == STORE_OK;
	if (!outage_note(&b->store_away, ok, &why))
		return false;
	/* Another taker, or a Redis that just went away: the rows come again, and their ids make that harmless. */
	ok = audit_queue_remove(b->manage.redis, taken, &why) == REDIS_DONE;
	return ok && taken == BATCH;
}

/* What could be written nowhere but in the log: a row with the count follows. */
static void
tell_lost(struct background *b)
{
	struct manage_actor system = {.who = "system"};
	struct audit_event e = manage_event(&system, "audit.lost", "audit", NULL);
	struct errbuf why = {0};
	uint64_t lost;

	if (b->shared == NULL || (lost = atomic_exchange(&b->shared->audit_lost, 0)) == 0)
		return;
	e.outcome = "failed";
	e.reason = "rows of refusals that are in the log alone: see audit-lost there";
	e.count = (int64_t)lost;
	if (!outage_note(
		&b->store_away, store_audit_write(b->manage.store, &e, 1, &why) == STORE_OK, &why))
		atomic_fetch_add(&b->shared->audit_lost, lost);
}

void
task_audit(struct background *b)
{
	struct manage_report r = {0};
	int64_t free_octets = store_disk_free(b->manage.store);
	bool room = free_octets < 0 || free_octets >= b->settings->disk_reserve_mb * MIB;

	if (!room)
		errbuf_set(&r.why,
		    "%lld MiB are free: audit rows of refusals wait, so that issuing goes on",
		    (long long)(free_octets / MIB));
	if (!outage_note(&b->disk_full, room, &r.why))
		return;
	tell_lost(b);
	if (manage_need_redis(&b->manage, &r) != MANAGE_OK) {
		outage_note(&b->redis_away, false, &r.why);
		return;
	}
	for (int i = 0; i < BATCHES_MOST && !*b->stop; i++) {
		bool more = move_batch(b);

		empty(b->batch);
		if (!more)
			break;
	}
}
