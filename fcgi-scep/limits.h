/*
 * limits.h: how often an address, a profile, an account or a seat may enrol, and what slows down who tries one wrong challenge after another.
 *
 * All end in HTTP 429 with Retry-After, never in a CertRep: a FAILURE is for good, and clients that ask again later would give up by it.  It comes
 * behind the proof of possession, and a repeat, or a poll of what waits, has its answer before.  While Redis is away the limits of a profile are
 * not kept (nginx' are), and wrong challenges are counted by this host alone.
 */
#ifndef FCGI_SCEP_LIMITS_H
#define FCGI_SCEP_LIMITS_H

#include "authorise/authorise.h"
#include "transaction.h"

/*
 * Before anything is authorised: the address's own limit at this profile, and, where the CSR has a challenge, whether wrong ones came from the
 * address too often.  The same whether this one is right, so that the answer tells nothing of it.  false: answered.
 */
bool limits_allow_try(struct transaction *t, const struct csr *csr, int64_t now_ms);

/*
 * Authorised, and nothing issued: the limits of the profile, the account and the seat, where a stranger's tries do not count.  0: go on; otherwise
 * in how many seconds, with the reason in why: the caller gives back what was reserved, and then calls limits_refuse().
 */
int64_t limits_of_grant(
    struct transaction *t, const struct authorisation *grant, int64_t now_ms, struct errbuf *why);

/* Answer 429; the audit gets one row a minute with the count. */
void limits_refuse(struct transaction *t, int64_t retry_after_s, const char *reason);

/* The challenge in the CSR was refused: wrong, unknown, expired, used, bound to another.  Without one nothing was guessed, but a
 * webhook was asked where the mode is that. */
void limits_count_wrong(struct transaction *t, const struct csr *csr, int64_t now_ms);

#endif
