/* enrol.h: PKCSReq and RenewalReq: authorise, issue, answer; or let it wait for approval. */
#ifndef FCGI_SCEP_ENROL_H
#define FCGI_SCEP_ENROL_H

#include "authorise/authorise.h"
#include "issue/issue.h"
#include "transaction.h"

/* Answer t's message, whose form and algorithms are checked. */
void enrol_serve(struct transaction *t);

/*
 * What names a request, so that a repeat of it gets its first answer: profile, transactionID, CSR, and who signed.  out has 32 octets; false
 * when OpenSSL fails.
 */
bool enrol_repeat_key(const struct transaction *t, const struct csr *csr, uint8_t *out);

/* What the grant says of whom the certificate is for and by what it was authorised, borrowed from it. */
void enrol_order_for(const struct authorisation *grant, struct issue_order *order);

#endif
