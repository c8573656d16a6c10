/* responder.h: the certificates that OCSP answers are signed by: one for each CA, short-lived.  fcgi-scep makes them anew in time. */
#ifndef MANAGE_RESPONDER_H
#define MANAGE_RESPONDER_H

#include "fcgi-admin/manage/manage.h"
#include "store/authority_row.h"

/*
 * Make one for a CA that has none, or whose is near its end; *not_after (may be NULL) gets the end of the one there is then.  CONFLICT: the CA has
 * no certificate, or it has ended.
 */
enum manage_rc manage_responder_ensure(struct manage *m, const struct manage_actor *by,
    const struct authority_row *ca, int64_t *not_after, struct manage_report *r);

/* The same for a CA just made: what fails is a warning, since it can be made later. */
void manage_responder_make(struct manage *m, const struct manage_actor *by,
    const struct authority_row *ca, struct manage_report *r);

#endif
