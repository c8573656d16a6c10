/* admin.h: what one worker of fcgi-admin holds between requests.  No CA key is among it: nothing a stranger sends here can sign. */
#ifndef FCGI_ADMIN_ADMIN_H
#define FCGI_ADMIN_ADMIN_H

#include "fcgi-admin/manage/health.h"
#include "fcgi-admin/manage/manage.h"
#include "fcgi/prefork.h"
#include "profile/profile.h"

struct admin {
	const struct settings *settings;
	struct prefork_shared *shared;
	struct manage manage;
	struct profile_cache *profiles;

	/* The last look at the state of things: it takes the writers' lock, and strangers may ask. */
	struct manage_health health;
	int64_t health_ms; /* when, by clock_monotonic_ms(); 0: never */
};

/* As prefork.h wants them. */
bool admin_start(
    const struct settings *s, struct prefork_shared *shared, void **worker, struct errbuf *why);
void admin_serve(void *worker, struct fcgi_request *r);
void admin_stop(void *worker);

/* In the master, before the socket opens: the store is there and the master key is its. */
bool admin_check(const struct settings *s, struct errbuf *why);

#endif
