/* envelope.h: encoding an EnvelopedData for one RSA key; for this room alone. */
#ifndef SCEP_ENVELOPE_H
#define SCEP_ENVELOPE_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/algorithm.h"

/*
 * Append ContentInfo { id-envelopedData } with content encrypted under a fresh key, and that key encrypted to key (RSA, PKCS#1
 * v1.5) for the certificate that issuer (Name, DER) and serial (content octets) name: RFC 5652 6.1, RFC 8894 3.1.  false with why.
 */
bool scep_envelope_encode(struct octets content, enum pki_cipher cipher, EVP_PKEY *key,
    struct octets issuer, struct octets serial, struct buffer *out, struct errbuf *why);

#endif
