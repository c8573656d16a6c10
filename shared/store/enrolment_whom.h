/* enrolment_whom.h: the part of an enrolment's commit that knows whom the certificate is for.  Inside the store, within its transaction. */
#ifndef STORE_ENROLMENT_WHOM_H
#define STORE_ENROLMENT_WHOM_H

#include "store/certificate_row.h"
#include "store/transaction.h"

/* What an enrolment uses none of costs no statement. */

/* Before the transaction: is what is asked for whole?  false with why. */
bool enrolment_whom_whole(const struct enrolment *e, struct errbuf *why);
/*
 * Account, seat, holder, key and delivery of the certificate, which is row id.  CONFLICT: *what says which of them forbids it.
 */
enum store_rc enrolment_whom_write(struct store *st, const struct enrolment *e, int64_t id,
    enum enrolment_conflict *what, struct errbuf *why);
/* A key of another table is missing: which? */
enum store_rc enrolment_whom_missing(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why);

#endif
