/* health.c: 200 or 503, and to callers with a token why. */
#include "fcgi-admin/manage/health.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/api/api.h"
#include "fcgi-admin/api/problem.h"

#define KEPT_MS 1000 /* a look at the state of things serves all who ask within this */

static json_t *
checks(const struct manage_health *h)
{
	json_t *all = json_array();

	for (int i = 0; i < h->count; i++) {
		const struct manage_health_check *c = &h->checks[i];

		json_array_append_new(all, json_pack("{s:s,s:s,s:s}", "name", c->name, "status",
					       manage_health_name(c->status), "detail", c->detail));
	}
	return all;
}

void
api_health(struct call *c)
{
	struct admin *a = c->admin;
	int64_t now = clock_monotonic_ms();
	json_t *j;

	if (a->health_ms == 0 || now - a->health_ms >= KEPT_MS) {
		manage_health_check(&a->manage, &a->health);
		a->health_ms = now;
	}
	j = json_pack("{s:s}", "status", manage_health_name(a->health.status));
	if (j != NULL && c->caller.known)
		json_object_set_new(j, "checks", checks(&a->health));
	problem_respond_json(c->request, a->health.status == MANAGE_HEALTH_FAIL ? 503 : 200,
	    "application/json", CALL_HEADERS, j);
}
