/* algorithm.h: the digests, ciphers and signature algorithms that this service knows by OID; the list decides before OpenSSL does. */
#ifndef PKI_ALGORITHM_H
#define PKI_ALGORITHM_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/octets.h"

/* One bit each, so that a profile's choice is a mask. */
enum pki_digest {
	PKI_DIGEST_NONE = 0,
	PKI_MD5 = 1 << 0,
	PKI_SHA1 = 1 << 1,
	PKI_SHA256 = 1 << 2,
	PKI_SHA384 = 1 << 3,
	PKI_SHA512 = 1 << 4
};
enum pki_cipher {
	PKI_CIPHER_NONE = 0,
	PKI_DES = 1 << 0,
	PKI_DES3 = 1 << 1,
	PKI_AES128 = 1 << 2,
	PKI_AES256 = 1 << 3
};
#define PKI_DIGESTS_DEFAULT (PKI_SHA256 | PKI_SHA384 | PKI_SHA512)
#define PKI_CIPHERS_DEFAULT (PKI_AES128 | PKI_AES256)
#define PKI_DIGESTS_LEGACY  (PKI_MD5) /* need an explicit opt-in; each use is warned of */
#define PKI_CIPHERS_LEGACY  (PKI_DES)

enum pki_key_type { PKI_KEY_OTHER, PKI_KEY_RSA, PKI_KEY_EC, PKI_KEY_EDDSA };

/* By the content octets of an OID; NONE where it is not in the list. */
enum pki_digest pki_digest_of_oid(struct octets oid);
enum pki_cipher pki_cipher_of_oid(struct octets oid);
/*
 * rsaEncryption, shaNNNWithRSAEncryption, ecdsa-with-SHANNN: the digest it names (NONE for plain rsaEncryption) and the key type.  Not
 * EdDSA: nothing but a CSR may be signed so.
 */
bool pki_signature_of_oid(struct octets oid, enum pki_digest *digest, enum pki_key_type *type);

struct octets pki_digest_oid(enum pki_digest d); /* content octets */
struct octets pki_cipher_oid(enum pki_cipher c);
/* The whole AlgorithmIdentifier of a signature with this key type and digest: RSA with NULL parameters, ECDSA without. */
struct octets pki_signature_algorithm(enum pki_key_type type, enum pki_digest d);

/* "SHA-256", "AES-128-CBC", …; names for people and for settings (parsing ignores case and punctuation). */
const char *pki_digest_name(enum pki_digest d);
const char *pki_cipher_name(enum pki_cipher c);
enum pki_digest pki_digest_of_name(const char *name);
enum pki_cipher pki_cipher_of_name(const char *name);
/* Dotted form of any OID's content octets; "?" when it is malformed, over PKI_OID_MAX octets, or does not fit.  Returns out. */
#define PKI_OID_MAX  128 /* content octets */
#define PKI_OID_TEXT 528 /* room that is always enough for what has at most PKI_OID_MAX octets */
const char *pki_oid_text(struct octets oid, char *out, size_t size);

/*
 * Fetched once per process and kept.  DES comes from OpenSSL's legacy provider in an OSSL_LIB_CTX of its own, loaded at its
 * first use, so that nothing else in the process can use it.  NULL when the provider is missing.
 */
const EVP_MD *pki_digest_md(enum pki_digest d);
const EVP_CIPHER *pki_cipher_evp(enum pki_cipher c);
OSSL_LIB_CTX *pki_legacy_libctx(void);

#endif
