/* decided.h: transactions that somebody has approved or rejected: their row in the store, and the answer that it leads to. */
#ifndef FCGI_SCEP_DECIDED_H
#define FCGI_SCEP_DECIDED_H

#include "transaction.h"

/*
 * Answer by the decided transaction of this key: issue what is approved, or tell what came of it again.  repeat_key is that of a PKCSReq or
 * RenewalReq: another request's row is not for it; NULL with a CertPoll.  STORE_OK: answered; STORE_NONE: nothing that still answers is decided.
 */
enum store_rc decided_answer(
    struct transaction *t, const uint8_t key[32], const uint8_t *repeat_key, int64_t now_ms);

/*
 * The id of the transaction that this request begins: its own, so that a copy of it is no second one; and another one than the last time, where
 * the same request was decided before and that is forgotten.  false with why: the store is away, or OpenSSL fails.
 */
bool decided_next_id(struct transaction *t, const uint8_t key[32], const uint8_t repeat_key[32],
    int64_t now_ms, char id[37], struct errbuf *why);

#endif
