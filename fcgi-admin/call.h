/* call.h: one request on its way through the router: who calls, what the path named, and the answers that end it early. */
#ifndef FCGI_ADMIN_CALL_H
#define FCGI_ADMIN_CALL_H

#include "fcgi-admin/access/access.h"
#include "fcgi-admin/admin.h"

#define CALL_CAPTURES	  4
#define CALL_CAPTURE_SIZE 129

struct route;

struct call {
	struct admin *admin;
	struct fcgi_request *request;
	const struct route *route;			 /* NULL: no path fits */
	char captures[CALL_CAPTURES][CALL_CAPTURE_SIZE]; /* what stood for {…}, in its order */
	struct access_caller caller;
	struct manage_actor actor; /* points into caller and request */
	const char *denied; /* ROUTE_OWN_DENIAL: why the caller may not do this, "" where it may */
};

/* Every answer of fcgi-admin has these. */
#define CALL_HEADERS "Cache-Control: no-store\r\n"

/*
 * Answer with an error in the route's own form: problem+json under /api, elsewhere one line of text.  detail is for the caller to read.  headers
 * as fcgi_respond() takes them, behind CALL_HEADERS; "" for none.
 */
void call_error(struct call *c, int status, const char *headers, const char *detail);

/* 401 with what is accepted, or 403; both leave an audit row with why, floods as one counted row a minute. */
void call_refuse(struct call *c, int status, const char *detail, const char *why);

/* The audit row and log line of a refusal that is answered in another way, with that status. */
void call_record_refusal(struct call *c, int status, const char *why);

/* The answer to a verb of manage/ that did not succeed. */
void call_failed(struct call *c, enum manage_rc rc, const struct manage_report *r);

#endif
