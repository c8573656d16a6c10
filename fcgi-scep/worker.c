/* worker.c: opening and closing what a worker holds. */
#include "worker.h"

#include <stdlib.h>

#include "base/log.h"
#include "operation.h"
#include "outbound/http.h"
#include "pki/private_key.h"
#include "store/key_check.h"
#include "telling.h"

#define EXCHANGES_MAX 3 /* of one request: Intune asked, webhooks asked, Intune told */

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
	w->authoriser.suspects = &shared->suspects;
	if (!http_open(&w->http, why) ||
	    !profile_cache_outbound(w->profiles, w->master_key, w->http, why)) {
		worker_stop(w);
		return false;
	}
	w->authoriser.http = w->http;
	w->authoriser.gate = &shared->gate;
	w->authoriser.workers = &shared->workers;
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
	telling_free(w->telling);
	profile_cache_close(w->profiles);
	http_close(w->http);
	redis_close(w->redis);
	store_close(w->store);
	master_key_free(w->master_key);
	free(w);
}

/* Who waits for others is not to be ended as one that is stuck. */
static bool
check_times(const struct settings *s, struct errbuf *why)
{
	if (s->request_timeout_s * 1000 > EXCHANGES_MAX * s->outbound_timeout_ms)
		return true;
	errbuf_set(why,
	    "SCEP_REQUEST_TIMEOUT_S: have %lld s, want more than %d times SCEP_OUTBOUND_TIMEOUT_MS "
	    "(%lld ms)",
	    (long long)s->request_timeout_s, EXCHANGES_MAX, (long long)s->outbound_timeout_ms);
	return false;
}

bool
worker_check(const struct settings *s, struct errbuf *why)
{
	struct buffer passphrase = {0};
	struct worker *w;
	bool ok;

	if (!check_times(s, why))
		return false;
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

static void
count_wrong_code(struct worker *w)
{
	struct errbuf why = {0};

	if (w->wrong_code.seat_id[0] == '\0')
		return;
	if (!authorise_count_wrong_code(&w->authoriser, &w->wrong_code, &why))
		log_event(LOG_LEVEL_WARNING, "wrong-code-not-counted", "%s", why.line);
	w->wrong_code.seat_id[0] = '\0';
}

void
worker_served(void *worker)
{
	struct worker *w = worker;

	count_wrong_code(w);
	telling_tell(w);
	outbound_gate_leave(&w->shared->gate);
}
