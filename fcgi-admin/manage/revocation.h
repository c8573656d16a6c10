/* revocation.h: revoking certificates, and taking a hold back. */
#ifndef MANAGE_REVOCATION_H
#define MANAGE_REVOCATION_H

#include "fcgi-admin/manage/manage.h"
#include "store/certificate_row.h"

/* "keyCompromise", …; INVALID (reason) where it is none that a certificate can be revoked for, with the names that are. */
enum manage_rc manage_reason_of_text(const char *text, int *reason, struct manage_report *r);

/*
 * id: uuid or serial; authority: whose, where several CAs have the serial (NULL: the newest).  reason: NULL for unspecified.  CRL and OCSP tell it
 * from the next answer on.  CONFLICT: it is revoked already; one on hold may be revoked for good.
 */
enum manage_rc manage_certificate_revoke(struct manage *m, const struct manage_actor *by,
    const char *id, const char *authority, const char *reason, struct certificate_row *out,
    struct manage_report *r);
/* CONFLICT: it is not on hold. */
enum manage_rc manage_certificate_unhold(struct manage *m, const struct manage_actor *by,
    const char *id, const char *authority, struct certificate_row *out, struct manage_report *r);

#endif
