/* probe.h: sending one request to a running stack, and asking its audit what became of it; for tests in C, which it may fail. */
#ifndef SUPPORT_PROBE_H
#define SUPPORT_PROBE_H

#include <stdbool.h>

#include "base/octets.h"

struct probe {
	char host[64], port[8], path[512];
};

/* url: http://127.…:PORT/PATH.  false: it is not of that form. */
bool probe_open(struct probe *p, const char *url);

/* A GET of the probe's path with tail behind it, or a POST to path; the HTTP status.  body, if not NULL, is the caller's. */
int probe_get(const struct probe *p, const char *tail, struct buffer *body);
int probe_post(const struct probe *p, const char *path, struct octets message, struct buffer *body);

/*
 * The newest audit row of a transaction, waited for up to ten seconds (rows of refusals land in batches), has this outcome,
 * and reason_has, if not NULL, in its reason.  SCEPCTL in the environment is the command line that asks.
 */
void probe_audit_says(const char *transaction_id, const char *outcome, const char *reason_has);

#endif
