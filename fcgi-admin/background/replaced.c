/* replaced.c: the ends of certificates that a newer one of the same holder replaces. */
#include "fcgi-admin/manage/replaced.h"
#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"

#define SWEEP_EVERY_MS 5000
#define SWEEPS_MOST    10 /* in one turn */

void
task_replaced(struct background *b)
{
	int64_t now = clock_monotonic_ms();
	int ended = MANAGE_REPLACED_BATCH, all = 0;

	if (now < b->next_replaced_ms)
		return;
	b->next_replaced_ms = now + SWEEP_EVERY_MS;
	for (int i = 0; i < SWEEPS_MOST && ended == MANAGE_REPLACED_BATCH && !*b->stop; i++) {
		struct manage_report r = {0};
		bool ok = manage_replaced_sweep(&b->manage, &ended, &r) == MANAGE_OK;

		all += ended;
		if (!outage_note(&b->replaced_failed, ok, &r.why))
			break;
	}
	if (all > 0)
		log_event(LOG_LEVEL_INFO, "certificates-replaced",
		    "%d older ones of a holder have ended", all);
}
