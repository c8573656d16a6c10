/* revoke.h: revoking one certificate.  Inside the store, within a transaction. */
#ifndef STORE_REVOKE_H
#define STORE_REVOKE_H

#include "store/revocation.h"
#include "store/transaction.h"

/*
 * Revoke the certificate of that row, raise its authority's revocations, free its seat where it was the last one, and forget what it was to replace
 * or be replaced by.  On hold it keeps all that.  CONFLICT: it is revoked already; NONE: it is not there.
 */
enum store_rc store_revoke_row(
    struct store *st, int64_t id, int reason, int64_t now, struct errbuf *why);

#endif
