/* seen.h: a certificate that is seen in use ends what it replaces. */
#ifndef SCEP_SEEN_H
#define SCEP_SEEN_H

#include "transaction.h"

/* Behind the verified signature of a message: it is in use if it is one of ours.  A store that is away is no reason to fail: the end comes at its time. */
void seen_signer(struct transaction *t);

/* An OCSP request asks for it. */
void seen_by_ocsp(struct transaction *t, const char *authority_id, struct octets serial);

#endif
