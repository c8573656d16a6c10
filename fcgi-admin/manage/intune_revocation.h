/* intune_revocation.h: the revocations that a tenant of Intune asks for: fetched, carried out, reported. */
#ifndef MANAGE_INTUNE_REVOCATION_H
#define MANAGE_INTUNE_REVOCATION_H

#include "fcgi-admin/manage/manage.h"
#include "store/outbound_row.h"

struct http;

struct manage_intune_round {
	int asked;   /* requests that came */
	int revoked; /* certificates that are revoked, now or before */
};

/*
 * One round with the tenant.  A certificate is revoked (cessationOfOperation) where its serial and issuer are those named, and it was issued
 * through a profile of this tenant: others are "not found" to it.  What is done is reported in the end; what dies between is asked for again,
 * and found revoked.  AWAY with why where Intune or the store cannot be reached: the connection's time of the last round stays.
 */
enum manage_rc manage_intune_revocations(struct manage *m, struct http *h,
    const struct intune_row *connection, struct manage_intune_round *round,
    struct manage_report *r);

#endif
