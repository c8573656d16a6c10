/* admin.c: opening and closing what a worker holds. */
#include "fcgi-admin/admin.h"

#include <stdlib.h>

#include "fcgi-admin/router.h"

bool
admin_start(
    const struct settings *s, struct prefork_shared *shared, void **worker, struct errbuf *why)
{
	struct manage_report r = {0};
	struct admin *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		errbuf_set(why, "worker: out of memory");
		return false;
	}
	a->settings = s;
	a->shared = shared;
	manage_open(&a->manage, s);
	if (manage_need_master_key(&a->manage, &r) != MANAGE_OK ||
	    manage_need_redis(&a->manage, &r) != MANAGE_OK ||
	    !profile_cache_open(s, a->manage.store, &a->profiles, &r.why)) {
		errbuf_set(why, "%s", r.why.line);
		admin_stop(a);
		return false;
	}
	*worker = a;
	return true;
}

void
admin_stop(void *worker)
{
	struct admin *a = worker;

	if (a == NULL)
		return;
	profile_cache_close(a->profiles);
	manage_close(&a->manage);
	free(a);
}

bool
admin_check(const struct settings *s, struct errbuf *why)
{
	struct manage_report r = {0};
	struct manage m;
	bool ok;

	manage_open(&m, s);
	ok = manage_need_master_key(&m, &r) == MANAGE_OK;
	manage_close(&m);
	if (!ok)
		errbuf_set(why, "%s", r.why.line);
	return ok;
}

void
admin_serve(void *worker, struct fcgi_request *r)
{
	router_serve(worker, r);
}
