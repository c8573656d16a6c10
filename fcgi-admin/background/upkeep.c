/* upkeep.c: checkpoints, the retention of audit rows, the ends of overlaps and of certificates. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"
#include "fcgi-admin/manage/health.h"
#include "store/authority_row.h"

#define CHECKPOINT_EVERY_MS 10000
#define WAL_LARGE	    (8 * 1024 * 1024)
#define PURGE_EVERY_MS	    60000
#define PURGE_BATCH	    500
#define OVERLAP_EVERY_MS    3600000
#define PURGES_MOST	    20 /* in one turn */
#define DAY_S		    86400

static bool
wal_is_large(const struct settings *s)
{
	char path[SETTINGS_TEXT + 8];
	struct stat st;

	snprintf(path, sizeof(path), "%s-wal", s->database);
	return stat(path, &st) == 0 && st.st_size > WAL_LARGE;
}

void
task_checkpoint(struct background *b)
{
	int64_t now = clock_monotonic_ms();
	struct errbuf why = {0};

	if (now < b->next_checkpoint_ms && !wal_is_large(b->settings))
		return;
	b->next_checkpoint_ms = now + CHECKPOINT_EVERY_MS;
	if (store_checkpoint(b->manage.store, &why) != STORE_OK)
		log_event(LOG_LEVEL_WARNING, "checkpoint", "%s", why.line);
}

void
task_purge(struct background *b)
{
	int64_t now = clock_monotonic_ms();
	int64_t before_ms = clock_now_ms() - b->settings->audit_retention_days * DAY_S * 1000;
	struct errbuf why = {0};
	int deleted = PURGE_BATCH, all = 0;

	if (b->settings->audit_retention_days == 0 || now < b->next_purge_ms)
		return;
	b->next_purge_ms = now + PURGE_EVERY_MS;
	for (int i = 0; i < PURGES_MOST && deleted == PURGE_BATCH && !*b->stop; i++) {
		bool ok = store_audit_purge(b->manage.store, before_ms, &deleted, &why) == STORE_OK;

		if (!outage_note(&b->store_away, ok, &why))
			return;
		all += deleted;
	}
	if (deleted == PURGE_BATCH)
		b->next_purge_ms = now; /* more of them in the next turn */
	if (all > 0)
		log_event(LOG_LEVEL_INFO, "audit-purged", "%d rows older than %lld days", all,
		    (long long)b->settings->audit_retention_days);
}

void
task_overlap(struct background *b)
{
	int64_t now = clock_monotonic_ms();
	struct errbuf why = {0};
	int forgotten = 0;
	bool ok;

	if (now < b->next_overlap_ms)
		return;
	b->next_overlap_ms = now + OVERLAP_EVERY_MS;
	ok = store_profile_ra_sweep(b->manage.store, clock_now(), &forgotten, &why) == STORE_OK;
	if (outage_note(&b->store_away, ok, &why) && forgotten > 0)
		log_event(LOG_LEVEL_INFO, "ra-overlap-over",
		    "%d previous RA certificates decrypt no more", forgotten);
}

void
task_expiry(struct background *b)
{
	static const char what[] = "expiry";
	struct manage_health h = {.count = 0};
	int64_t now = clock_now();

	if (now < b->next_expiry_s)
		return;
	b->next_expiry_s = now + DAY_S;
	manage_health_expiry(&b->manage, &h);
	for (int i = 0; i < h.count; i++) {
		const struct manage_health_check *c = &h.checks[i];

		if (c->status != MANAGE_HEALTH_OK)
			log_event(
			    c->status == MANAGE_HEALTH_FAIL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			    what, "%s: %s", c->name, c->detail);
	}
}
