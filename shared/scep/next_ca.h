/* next_ca.h: encoding the answer to GetNextCACert (RFC 8894 4.7.1); reading one is in client.h. */
#ifndef SCEP_NEXT_CA_H
#define SCEP_NEXT_CA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/certificate.h"
#include "pki/signer.h"

/*
 * Append a SignedData by the current CA ca, whose key s is, with the CA's certificate in it, over a degenerate SignedData of count
 * certificates (the next CA's and its RA's, DER, at least one; their order is kept).  eContentType is id-data; signed attributes are
 * contentType, messageDigest and signingTime (now, seconds since 1970); the digest is the signer's.  false with why: an answer of 503, and
 * nothing appended.
 */
bool scep_next_ca_encode(const struct octets *certificates, int count, const struct certificate *ca,
    struct signer *s, int64_t now, struct buffer *out, struct errbuf *why);

#endif
