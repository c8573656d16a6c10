/*
 * telling.h: what others are told once the device has its answer, so that nobody waits for it: webhooks of kind notify, and Intune where a
 * fault of ours ended what it had validated.  Errors are logged and change nothing.
 */
#ifndef FCGI_SCEP_TELLING_H
#define FCGI_SCEP_TELLING_H

#include "issue/issue.h"
#include "transaction.h"

struct telling;

/*
 * An authorised request has ended so: remember what is to be told, where anybody is.  Those that were not authorised are told to nobody, or
 * strangers could have us call others as often as they like.
 */
void telling_about(
    struct transaction *t, const struct csr *csr, enum issue_rc rc, const struct issue_result *r);

/* Tell it, within the time of one exchange, and forget it.  The profile's snapshot is the request's still. */
void telling_tell(struct worker *w);
void telling_free(struct telling *told);

#endif
