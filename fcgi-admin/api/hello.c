/* hello.c: that this is fcgi-scep, and to callers with a token which version. */
#include "fcgi-admin/api/api.h"
#include "fcgi-admin/api/problem.h"

void
api_hello(struct call *c)
{
	json_t *j = json_pack("{s:s,s:s}", "name", "fcgi-scep", "message", "hello");

	if (j != NULL && c->caller.known) {
		json_object_set_new(j, "version", json_string(SCEP_VERSION));
		json_object_set_new(j, "role", json_string(c->caller.token.role));
	}
	problem_respond_json(c->request, 200, "application/json", CALL_HEADERS, j);
}
