/* transactions.c: the ends of transactions that nobody decided in time, and decided ones that are of no use any more. */
#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"
#include "fcgi-admin/manage/transaction.h"

#define SWEEP_EVERY_MS	5000
#define SWEEP_BATCH	100
#define SWEEPS_MOST	10 /* in one turn */
#define FORGET_EVERY_MS 60000
#define FORGET_AFTER_S	(30 * 86400) /* behind the end of a decided one */

static void
sweep(struct background *b)
{
	int ended = SWEEP_BATCH, all = 0;

	for (int i = 0; i < SWEEPS_MOST && ended == SWEEP_BATCH && !*b->stop; i++) {
		struct manage_report r = {0};
		bool ok =
		    manage_transaction_sweep(&b->manage, SWEEP_BATCH, &ended, &r) == MANAGE_OK;

		all += ended;
		if (!outage_note(&b->sweep_failed, ok, &r.why))
			break;
	}
	if (all > 0)
		log_event(
		    LOG_LEVEL_INFO, "transactions-expired", "%d were not decided in time", all);
}

static void
forget(struct background *b)
{
	struct errbuf why = {0};
	int deleted = 0;
	bool ok = store_transaction_purge(
		      b->manage.store, clock_now() - FORGET_AFTER_S, &deleted, &why) == STORE_OK;

	if (outage_note(&b->store_away, ok, &why) && deleted > 0)
		log_event(LOG_LEVEL_INFO, "transactions-purged", "%d decided ones", deleted);
}

void
task_transactions(struct background *b)
{
	int64_t now = clock_monotonic_ms();

	if (now >= b->next_sweep_ms) {
		b->next_sweep_ms = now + SWEEP_EVERY_MS;
		sweep(b);
	}
	if (now >= b->next_forget_ms) {
		b->next_forget_ms = now + FORGET_EVERY_MS;
		forget(b);
	}
}
