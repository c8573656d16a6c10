/* certrep.h: the ways an answered pkiMessage can end: SUCCESS, PENDING, FAILURE, or 503. */
#ifndef FCGI_SCEP_CERTREP_H
#define FCGI_SCEP_CERTREP_H

#include <stdbool.h>

#include "base/octets.h"
#include "scep/scep.h"
#include "transaction.h"

/* Each answers the HTTP request and records it; keys of t->profile are open. */

/* SUCCESS with a certificate that is committed: just now, or at the first of several equal requests (repeat). */
void certrep_success(struct transaction *t, struct octets certificate, bool repeat);
/* A repeat; 503 where the certificate is undelivered: it must be told to somebody before it may leave. */
void certrep_again(struct transaction *t, struct octets certificate, bool undelivered);

/* SUCCESS with what GetCert or GetCRL asked for: a certificate alone, or a CRL. */
void certrep_found(struct transaction *t, struct octets certificate, struct octets crl);

/* PENDING.  record: with an audit row of its own; otherwise the caller wrote one, or counts. */
void certrep_pending(struct transaction *t, const char *reason, bool record);

/* FAILURE.  text goes out as failInfoText (NULL or "": none); reason goes to log and audit alone. */
void certrep_failure(
    struct transaction *t, enum scep_fail_info fail_info, const char *text, const char *reason);

/* HTTP 503 with Retry-After: a fault of ours, nothing was issued, no challenge was burned. */
void certrep_unavailable(struct transaction *t, const char *reason);

#endif
