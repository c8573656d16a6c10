/* pending.h: requests that wait for somebody's approval: beginning to wait, and what the next one of the same device gets. */
#ifndef FCGI_SCEP_PENDING_H
#define FCGI_SCEP_PENDING_H

#include "authorise/authorise.h"
#include "pki/csr.h"
#include "transaction.h"

/* What names a transaction: profile, transactionID and the signer's key.  false when OpenSSL fails. */
bool pending_key(const struct transaction *t, uint8_t out[32]);

/*
 * Let an authorised request wait: all of it goes to Redis with its audit row, and the answer is PENDING; a one-time challenge stays reserved for
 * as long.  Answers, whatever comes out.
 */
void pending_start(struct transaction *t, const struct csr *csr, struct authorisation *grant,
    const uint8_t repeat_key[32], int64_t now_ms);

/*
 * Does t's message go on with a transaction that waits, or was decided?  true: answered.  csr is that of a PKCSReq or RenewalReq (another one
 * is no repeat, and begins anew); NULL with a CertPoll, which is answered in any case: badCertId where there is nothing.
 */
bool pending_continue(
    struct transaction *t, const struct csr *csr, const uint8_t *repeat_key, int64_t now_ms);

#endif
