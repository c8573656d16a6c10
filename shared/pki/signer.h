/* signer.h: the only code that touches a CA's private key: narrow, so that it can become a process of its own. */
#ifndef PKI_SIGNER_H
#define PKI_SIGNER_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/algorithm.h"

struct signer; /* one opened key; for one process */

/*
 * Open the encrypted PKCS#8 file at path under passphrase.  The digest of its signatures: SHA-256 for RSA and P-256, SHA-384 for P-384,
 * SHA-512 for P-521.  false with why, and NULL in *out.
 */
bool signer_open(
    const char *path, struct octets passphrase, struct signer **out, struct errbuf *why);
/* The same for a key that is in memory already (a new CA's, a client's); takes a reference of its own. */
bool signer_of_key(EVP_PKEY *key, struct signer **out, struct errbuf *why);
void signer_free(struct signer *s);

enum pki_key_type signer_key_type(const struct signer *s);
struct octets signer_algorithm(const struct signer *s); /* AlgorithmIdentifier, DER; static */
struct octets signer_spki(const struct signer *s);	/* its public key; borrowed */
/* Append the signature over message: PKCS#1 v1.5, or the DER of Ecdsa-Sig-Value. */
bool signer_sign(
    struct signer *s, struct octets message, struct buffer *signature, struct errbuf *why);

/*
 * Append SEQUENCE { tbs, AlgorithmIdentifier, signature over tbs, behind }: a certificate, a request, a CRL, or with the certificates behind
 * (empty: none) a basic OCSP response.  false with why; out is then as it was.
 */
bool signer_sign_tbs(struct signer *s, struct octets tbs, struct octets behind, struct buffer *out,
    struct errbuf *why);

#endif
