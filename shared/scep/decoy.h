/* decoy.h: the request that takes the place of one that could not be read, so that a failure costs what success costs. */
#ifndef SCEP_DECOY_H
#define SCEP_DECOY_H

#include "base/octets.h"

/* A well-formed PKCS#10 request with an RSA key of 2048 bits and a self-signature that holds. */
extern const struct octets scep_decoy_csr;

/* The content of a poll and of a query, whose names and number are of no CA and no certificate (RFC 8894 3.3.3, 3.3.4). */
extern const struct octets scep_decoy_issuer_and_subject;
extern const struct octets scep_decoy_issuer_and_serial;

#endif
