/* worker.h: what one worker of fcgi-scep holds between requests: connections, keys, caches that carry a version. */
#ifndef FCGI_SCEP_WORKER_H
#define FCGI_SCEP_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "authorise/authorise.h"
#include "base/master_key.h"
#include "base/settings.h"
#include "fcgi/prefork.h"
#include "profile/profile.h"
#include "redis/redis.h"
#include "store/store.h"

struct worker {
	const struct settings *settings;
	struct prefork_shared *shared;
	struct master_key *master_key;
	struct store *store;
	struct redis *redis;
	struct profile_cache *profiles;
	struct http *http; /* for calls of Intune and webhooks */
	struct authoriser authoriser;

	struct telling *telling; /* what is told to others when the answer is sent; NULL: nothing */

	/* What is counted when the answer is sent; its seat_id is "" where there is nothing. */
	struct authorise_wrong_code wrong_code;

	/* Refusals written straight to the store while Redis is away: so many left in this second. */
	int64_t direct_second;
	int direct_left;
};

/* As prefork.h wants them. */
bool worker_start(
    const struct settings *s, struct prefork_shared *shared, void **worker, struct errbuf *why);
void worker_serve(void *worker, struct fcgi_request *r);
void worker_served(void *worker);
void worker_stop(void *worker);

/* In the master, before the socket opens: store, master key and passphrase are there and fit each other. */
bool worker_check(const struct settings *s, struct errbuf *why);

#endif
