/* intune_exchange.h: one call of Intune, from token over discovery to its answer, with the retry.  Inside of outbound alone. */
#ifndef OUTBOUND_INTUNE_EXCHANGE_H
#define OUTBOUND_INTUNE_EXCHANGE_H

#include "outbound/intune_answer.h"

enum intune_scope { INTUNE_SCOPE_GRAPH, INTUNE_SCOPE_API, INTUNE_SCOPES };
enum intune_service { INTUNE_SERVICE_VALIDATION, INTUNE_SERVICE_REVOCATION, INTUNE_SERVICES };

struct intune_token {
	struct buffer text; /* empty: none */
	int64_t until_ms;   /* on clock_monotonic_ms() */
};

struct intune {
	struct http *http;
	struct intune_settings s; /* client_secret is empty here */
	struct buffer secret;
	struct intune_token tokens[INTUNE_SCOPES];
	bool discovered;
	char uris[INTUNE_SERVICES][INTUNE_URI_SIZE]; /* "": not in the discovery */
	struct intune_login_error login_error; /* the last one; 0 in it where there was none */
	int64_t deadline_ms;		       /* of what is under way */
};

/* How one step went. */
enum intune_try {
	INTUNE_TRY_DONE = 0,
	INTUNE_TRY_UNAUTHORIZED, /* 401: the token is forgotten; another one may help */
	INTUNE_TRY_NETWORK, /* network or 5xx: the discovery is forgotten; another one may help */
	INTUNE_TRY_AWAY,    /* garbage, too busy: trying again does not help */
	INTUNE_TRY_CREDENTIALS,
	INTUNE_TRY_FORBIDDEN, /* 403, or a service that is not there or not to be trusted */
	INTUNE_TRY_FAULT      /* ours */
};

/* A token for this scope, from the cache or new. */
enum intune_try intune_exchange_token(
    struct intune *i, enum intune_scope scope, struct errbuf *why);
/* The services' addresses, likewise; tokens[INTUNE_SCOPE_GRAPH] must be there. */
enum intune_try intune_exchange_discover(struct intune *i, struct errbuf *why);
/* Whether this service was discovered at an address that may get a token: FORBIDDEN where not. */
enum intune_try intune_exchange_service(
    struct intune *i, enum intune_service service, struct errbuf *why);

struct intune_exchange {
	enum intune_service service;
	const char *path; /* behind the service's address */
	struct octets body;
	char request_id[37]; /* out */
	struct http_response
	    response; /* out, with DONE: whatever its status but 401, 403 and 5xx */
};
/* One POST to a service; the token for INTUNE_SCOPE_API must be there.  The caller frees e->response. */
enum intune_try intune_exchange_post(
    struct intune *i, struct intune_exchange *e, struct errbuf *why);

/* All of it, within the time-out, and once more where a step says that it may help. */
enum intune_rc intune_exchange_call(
    struct intune *i, struct intune_exchange *e, struct errbuf *why);

void intune_exchange_begin(struct intune *i);  /* the time-out runs from here */
void intune_exchange_forget(struct intune *i); /* tokens and discovery */

#endif
