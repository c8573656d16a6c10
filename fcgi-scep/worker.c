/* worker.c: opening and closing what a worker holds. */
#include "worker.h"

#include <stdlib.h>

#include "operation.h"
#include "pki/private_key.h"
#include "store/key_check.h"

static struct worker *
open_all(const struct settings *s, struct errbuf *why)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		errbuf_set(why, "worker: out of memory");
		return NULL;
	}
	w->settings = s;
	if (!master_key_load(s->master_key_file, &w->master_key, why) ||
	    store_open(s, &w->store, why) != STORE_OK ||
	    store_key_check(w->store, w->master_key, false, why) != STORE_OK ||
	    !redis_open(s, &w->redis, why) || !profile_cache_open(s, w->store, &w->profiles, why)) {
		worker_stop(w);
		return NULL;
	}
	w->authoriser = (struct authoriser){
	    .settings = s, .master_key = w->master_key, .redis = w->redis, .store = w->store};
	return w;
}

bool
worker_start(
    const struct settings *s, struct prefork_shared *shared, void **worker, struct errbuf *why)
{
	struct worker *w = open_all(s, why);

	if (w == NULL)
		return false;
	w->shared = shared;
	profile_cache_warm(w->profiles);
	*worker = w;
	return true;
}

void
worker_stop(void *worker)
{
	struct worker *w = worker;

	if (w == NULL)
		return;
	profile_cache_close(w->profiles);
	redis_close(w->redis);
	store_close(w->store);
	master_key_free(w->master_key);
	free(w);
}

bool
worker_check(const struct settings *s, struct errbuf *why)
{
	struct buffer passphrase = {0};
	struct worker *w;
	bool ok;

	if ((w = open_all(s, why)) == NULL)
		return false;
	worker_stop(w);
	ok = passphrase_read(s->passphrase_file, &passphrase, why);
	buffer_free(&passphrase);
	return ok;
}

void
worker_serve(void *worker, struct fcgi_request *r)
{
	operation_serve(worker, r);
}
