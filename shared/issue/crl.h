/* crl.h: the CRL of an authority: kept in the store, made anew when it has to be. */
#ifndef ISSUE_CRL_H
#define ISSUE_CRL_H

#include "profile/profile.h"

/*
 * Append the DER of the authority's CRL.  A new one is made, with the next number, where something was revoked since, or where less than a quarter
 * of its validity is left; one process makes it, under a lease, while the others go on with the one that is there as long as it is in time.
 * The authority's key is open.  STORE_AWAY with why.
 */
enum store_rc issue_crl(struct store *st, const struct profile_authority *a, int64_t validity_hours,
    int64_t now, struct buffer *der, int64_t *next_update, struct errbuf *why);

#endif
