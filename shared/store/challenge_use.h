/* challenge_use.h: uses of one-time challenges and enrolment codes.  Inside the store, within a transaction. */
#ifndef STORE_CHALLENGE_USE_H
#define STORE_CHALLENGE_USE_H

#include "store/certificate_row.h"
#include "store/transaction.h"

/* Count a use of the enrolment's code, the number of it in *use.  NONE: it is redeemed, expired, locked, or not there any more. */
enum store_rc store_code_use(
    struct store *st, const struct enrolment *e, int64_t *use, struct errbuf *why);
/* NONE: that use has a certificate already. */
enum store_rc store_challenge_use(struct store *st, struct octets challenge_id, int64_t use,
    int64_t certificate_id, struct errbuf *why);

/*
 * Give back the use of the challenge that the certificate came from: it may be used once more, by its enrolment too.  The row stays, under a
 * negative number.  OK also where there is none.
 */
enum store_rc store_challenge_give_back(
    struct store *st, struct octets challenge_id, int64_t certificate_id, struct errbuf *why);

#endif
