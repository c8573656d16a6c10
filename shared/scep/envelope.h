/* envelope.h: EnvelopedData for an RSA key, or under a password: encoding and opening one; for this room alone. */
#ifndef SCEP_ENVELOPE_H
#define SCEP_ENVELOPE_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/algorithm.h"

/*
 * Append ContentInfo { id-envelopedData } with content encrypted under a fresh key, and that key encrypted to key (RSA, PKCS#1
 * v1.5) for the certificate that issuer (Name, DER) and serial (content octets) name: RFC 5652 6.1, RFC 8894 3.1.  false with why.
 */
bool scep_envelope_encode(struct octets content, enum pki_cipher cipher, EVP_PKEY *key,
    struct octets issuer, struct octets serial, struct buffer *out, struct errbuf *why);

/*
 * Append what the EnvelopedData at der (ContentInfo and all) holds, decrypted with key as the recipient that x509 is; cipher is
 * the one that it names.  Nobody is told whether the encrypted key was well-formed: where it was not, a random key decrypts to
 * garbage, most of it of wrong padding.  false where x509 is no recipient or the padding is wrong: out is then freed, and
 * OpenSSL's error queue may say why.  What it holds may be secret: the caller wipes out (buffer_free).
 *
 * x509 NULL: the first recipient that has an RSA block, whoever that is, at the same cost; for one who throws away what comes of it.
 */
bool scep_envelope_open(
    struct octets der, enum pki_cipher cipher, EVP_PKEY *key, X509 *x509, struct buffer *out);

/*
 * The same two under a password (RFC 8894 3.1: for keys that cannot decrypt; RFC 5652 6.2.4): PBKDF2 with HMAC-SHA-1, 8 octets of
 * salt and 100,000 iterations, id-alg-PWRI-KEK with the content's own cipher, by OpenSSL.  Whoever has the envelope can try
 * passwords at that price (25 ms): see password.h.  Opening takes the parameters that the envelope says, and any number of iterations: only
 * from a sender who is trusted.
 */
bool scep_envelope_encode_password(struct octets content, enum pki_cipher cipher,
    struct octets password, struct buffer *out, struct errbuf *why);
bool scep_envelope_open_password(
    struct octets der, enum pki_cipher cipher, struct octets password, struct buffer *out);

#endif
