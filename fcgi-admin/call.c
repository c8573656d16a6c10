/* call.c: answers that end a request early, and the audit rows of refusals. */
#include "fcgi-admin/call.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/network.h"
#include "fcgi-admin/api/problem.h"
#include "fcgi-admin/router.h"
#include "redis/audit_queue.h"

/* Both, so that a client that knows one of them goes on. */
#define WWW_AUTHENTICATE                                                                           \
	"WWW-Authenticate: Basic realm=\"fcgi-scep\", charset=\"UTF-8\"\r\n"                       \
	"WWW-Authenticate: Bearer realm=\"fcgi-scep\"\r\n"

static bool
is_api(const struct call *c)
{
	const char *path = fcgi_request_path(c->request);

	return strncmp(path, "/api/", 5) == 0 || strcmp(path, "/api") == 0;
}

static void
answer(struct call *c, int status, const char *headers, const char *detail,
    const struct manage_report *r)
{
	char all[512];

	snprintf(all, sizeof(all), CALL_HEADERS "%s", headers);
	if (is_api(c))
		problem_respond(c->request, status, all, detail, r);
	else
		fcgi_respond_text(c->request, status, all, detail);
}

void
call_error(struct call *c, int status, const char *headers, const char *detail)
{
	answer(c, status, headers, detail, NULL);
}

/* Where no row can be written, the log has it, and a row with the count follows from the background process. */
static void
count_lost(struct call *c, const char *why)
{
	struct log_line l;

	if (c->admin->shared != NULL)
		atomic_fetch_add(&c->admin->shared->audit_lost, 1);
	log_begin(&l, LOG_LEVEL_ERROR, "audit-lost");
	log_text(&l, "msg", "the row of this refusal is only in this log");
	log_text(&l, "why", why);
	log_end(&l);
}

static void
record(struct call *c, const struct audit_event *e)
{
	struct buffer json = {0}, flood = {0};
	char network[NETWORK_SIZE];
	struct errbuf why = {0};
	struct manage_report r = {0};
	const char *text = NULL;

	/* No text of a stranger is in the key: it must not make more rows than networks and reasons allow. */
	network_of(e->address, network);
	buffer_append_format(
	    &flood, "%s|%s|%s", network, c->route != NULL ? c->route->pattern : "-", e->reason);
	if (audit_event_to_json(e, &json))
		text = buffer_string(&json);
	if (text == NULL || flood.failed)
		errbuf_set(&why, "out of memory");
	else if (manage_need_redis(&c->admin->manage, &r) != MANAGE_OK)
		why = r.why;
	else if (audit_queue_put(c->admin->manage.redis, NULL, text, buffer_octets(&flood),
		     c->admin->settings->refusals_per_minute, e->time_ms, &why) == REDIS_DONE)
		why.line[0] = '\0';
	if (why.line[0] != '\0')
		count_lost(c, why.line);
	buffer_free(&json);
	buffer_free(&flood);
}

void
call_record_refusal(struct call *c, int status, const char *why)
{
	struct audit_event e =
	    manage_event(&c->actor, "api.call", "request", fcgi_request_path(c->request));
	char event_id[UUID_SIZE], reason[ERRBUF_SIZE + 16];
	struct log_line l;

	snprintf(reason, sizeof(reason), "%d: %s", status, why);
	e.event_id = encoding_uuid(event_id) ? event_id : NULL;
	e.outcome = "refused";
	e.reason = reason;
	e.transport = fcgi_request_is_https(c->request) ? "https" : "http";
	log_begin(&l, LOG_LEVEL_INFO, "refused");
	log_number(&l, "status", status);
	log_text(&l, "actor", c->caller.who);
	log_text(&l, "address", e.address);
	log_text(&l, "path", e.resource_id);
	log_text(&l, "why", why);
	log_end(&l);
	record(c, &e);
}

void
call_refuse(struct call *c, int status, const char *detail, const char *why)
{
	call_record_refusal(c, status, why);
	answer(c, status, status == 401 ? WWW_AUTHENTICATE : "", detail, NULL);
}

void
call_failed(struct call *c, enum manage_rc rc, const struct manage_report *r)
{
	static const struct {
		int status;
		const char *headers;
		const char *detail; /* NULL: why is fit for the caller */
	} answers[] = {
	    [MANAGE_OK] = {500, "", "the request was not answered"},
	    [MANAGE_INVALID] = {422, "", NULL},
	    [MANAGE_NOT_FOUND] = {404, "", NULL},
	    [MANAGE_CONFLICT] = {409, "", NULL},
	    [MANAGE_FORBIDDEN] = {403, "", NULL},
	    [MANAGE_FULL] = {429, "Retry-After: 60\r\n", NULL},
	    [MANAGE_AWAY] = {503, "Retry-After: 5\r\n", "the service cannot do this now"},
	    [MANAGE_FAULT] = {500, "", "the service failed"},
	};
	struct log_line l;

	if (answers[rc].detail != NULL) {
		log_begin(&l, LOG_LEVEL_ERROR, "failed");
		log_number(&l, "status", answers[rc].status);
		log_text(&l, "why", r->why.line);
		log_end(&l);
	}
	answer(c, answers[rc].status, answers[rc].headers,
	    answers[rc].detail != NULL ? answers[rc].detail : r->why.line, r);
}
