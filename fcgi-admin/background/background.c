/* background.c: the lease, and the turns of the tasks. */
#include "fcgi-admin/background/background.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"

#define TURN_MS	       500
#define LEASE	       "background"
#define LEASE_S	       15
#define LEASE_RENEW_MS 4000
#define LEASE_ASK_MS   1000 /* while it is another's */

bool
outage_note(struct outage *o, bool ok, const struct errbuf *why)
{
	if (!ok && !o->now)
		log_event(LOG_LEVEL_WARNING, "outage", "%s: %s", o->what, why->line);
	if (ok && o->now)
		log_event(LOG_LEVEL_INFO, "outage-over", "%s is back", o->what);
	o->now = !ok;
	return ok;
}

struct lease {
	char holder[96];
	bool ours;
	int64_t next_ms; /* when to ask again */
};

/* Whose turn it is: ours once the lease is taken, until it cannot be renewed. */
static bool
have_lease(struct background *b, struct lease *lease)
{
	int64_t now = clock_monotonic_ms();
	struct errbuf why = {0};
	enum store_rc rc;
	bool had = lease->ours;

	if (now < lease->next_ms)
		return lease->ours;
	rc = store_lease(b->manage.store, LEASE, lease->holder, clock_now(), LEASE_S, &why);
	lease->ours = rc == STORE_OK;
	lease->next_ms = now + (lease->ours ? LEASE_RENEW_MS : LEASE_ASK_MS);
	outage_note(&b->store_away, rc != STORE_AWAY, &why);
	if (had != lease->ours)
		log_event(LOG_LEVEL_INFO, "lease", "background work is %s",
		    lease->ours ? "ours" : "another's, or of nobody while the store is away");
	return lease->ours;
}

static void
turn(struct background *b, struct lease *lease)
{
	struct manage_report r = {0};

	/* An open store is no proof that it is back: what is asked of it next is. */
	if (manage_need_store(&b->manage, &r) != MANAGE_OK) {
		outage_note(&b->store_away, false, &r.why);
		return;
	}
	if (!have_lease(b, lease))
		return;
	task_audit(b);
	task_transactions(b);
	task_overlap(b);
	task_replaced(b);
	task_seats(b);
	task_delivery(b);
	task_checkpoint(b);
	task_purge(b);
	task_expiry(b);
	task_intune(b); /* last: it may close the store */
}

int
background_run(const struct settings *s, struct prefork_shared *shared, const volatile bool *stop)
{
	const struct timespec pause = {.tv_nsec = TURN_MS * 1000000L};
	struct background b = {.settings = s,
	    .shared = shared,
	    .stop = stop,
	    .store_away = {.what = "store"},
	    .redis_away = {.what = "redis"},
	    .disk_full = {.what = "disk"},
	    .sweep_failed = {.what = "the sweep of transactions"},
	    .replaced_failed = {.what = "the end of replaced certificates"}};
	struct lease lease = {.ours = false};
	char host[64] = "";

	(void)gethostname(host, sizeof(host) - 1);
	snprintf(lease.holder, sizeof(lease.holder), "%s:%ld", host, (long)getpid());
	manage_open(&b.manage, s);
	if (!task_audit_open(&b)) {
		manage_close(&b.manage);
		return 1;
	}
	while (!*stop) {
		turn(&b, &lease);
		nanosleep(&pause, NULL);
	}
	task_intune_close(&b);
	if (lease.ours && b.manage.store != NULL)
		(void)store_lease_release(b.manage.store, LEASE, lease.holder, NULL);
	task_audit_close(&b);
	manage_close(&b.manage);
	return 0;
}
