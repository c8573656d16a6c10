/* seats.c: seats whose certificates have all expired give back their organization's licence. */
#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"
#include "store/seat_row.h"

#define SWEEP_EVERY_MS 600000 /* all of them */
#define PAGE_EVERY_MS  1000   /* while there are more */

void
task_seats(struct background *b)
{
	int64_t now = clock_monotonic_ms();
	struct errbuf why = {0};
	int freed = 0;
	bool ok;

	if (now < b->next_seats_ms)
		return;
	ok = store_seat_sweep(b->manage.store, clock_now(), &b->seats_after, &freed, &why) ==
	     STORE_OK;
	b->next_seats_ms = now + (b->seats_after > 0 ? PAGE_EVERY_MS : SWEEP_EVERY_MS);
	if (outage_note(&b->store_away, ok, &why) && freed > 0)
		log_event(
		    LOG_LEVEL_INFO, "seats-freed", "%d whose certificates have expired", freed);
}
