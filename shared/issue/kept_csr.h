/* kept_csr.h: the CSR of a request that waits for approval, as Redis and the store keep it: sealed, for there is a challenge in it. */
#ifndef ISSUE_KEPT_CSR_H
#define ISSUE_KEPT_CSR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/master_key.h"
#include "base/octets.h"

/* Append what is to be kept of a CSR's DER, for the transaction of this key alone.  false with why. */
bool kept_csr_seal(const struct master_key *k, const uint8_t transaction_key[32], struct octets csr,
    struct buffer *out, struct errbuf *why);
/* The opposite; what versions before 0.3.0 kept is the CSR itself.  false with why: it is neither.  The caller frees out, which wipes it. */
bool kept_csr_open(const struct master_key *k, const uint8_t transaction_key[32],
    struct octets kept, struct buffer *out, struct errbuf *why);

#endif
