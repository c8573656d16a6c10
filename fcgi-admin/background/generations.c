/* generations.c: what passes with time of CAs and RAs: RA certificates whose overlap is over, OCSP responders that end. */
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"
#include "fcgi-admin/manage/responder.h"

#define EVERY_MS 3600000

/* The units and containers that come with this keep the keys from this process: then fcgi-scep renews, when it is asked. */
static bool
keys_are_readable(const struct settings *s)
{
	return access(s->key_dir, R_OK | W_OK | X_OK) == 0 && access(s->passphrase_file, R_OK) == 0;
}

static void
forget_previous(struct background *b)
{
	struct errbuf why = {0};
	int forgotten = 0;
	bool ok =
	    store_profile_ra_sweep(b->manage.store, clock_now(), &forgotten, &why) == STORE_OK;

	if (outage_note(&b->store_away, ok, &why) && forgotten > 0)
		log_event(LOG_LEVEL_INFO, "ra-overlap-over",
		    "%d previous RA certificates decrypt no more", forgotten);
}

static void
renew_responders(struct background *b)
{
	static const struct manage_actor system = {.who = "system"};
	struct manage_report r = {0};
	int made = 0;
	bool ok = manage_responder_upkeep(&b->manage, &system, &made, &r) == MANAGE_OK;

	if (made > 0)
		log_event(LOG_LEVEL_INFO, "ocsp-responders", "%d are new", made);
	outage_note(&b->responders_failed, ok, &r.why);
}

void
task_generations(struct background *b)
{
	int64_t now = clock_monotonic_ms();

	if (now < b->next_generations_ms)
		return;
	b->next_generations_ms = now + EVERY_MS;
	forget_previous(b);
	if (keys_are_readable(b->settings))
		renew_responders(b);
}
