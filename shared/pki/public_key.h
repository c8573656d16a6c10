/* public_key.h: a SubjectPublicKeyInfo read without OpenSSL's slow decoder where it is RSA. */
#ifndef PKI_PUBLIC_KEY_H
#define PKI_PUBLIC_KEY_H

#include <openssl/evp.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/algorithm.h"

struct public_key {
	enum pki_key_type type;
	int bits; /* RSA modulus, EC and EdDSA field */
	char name
	    [32]; /* "RSA-2048", "EC P-256", "Ed25519", or the OID in dotted form: for logs and the audit */
	struct octets oid; /* EdDSA: of key and signature alike (RFC 8410 section 3); else empty */
	EVP_PKEY *pkey;	   /* owned; NULL for a type we do not use */
};

/*
 * Parse the DER of a SubjectPublicKeyInfo (RFC 5280 4.1).  true with *out filled, also for a type we do not know (pkey NULL, type
 * OTHER); false with why when it is malformed.  A curve other than P-256, P-384 and P-521 is OTHER, and its name says which
 * ("EC 1.3.132.0.10"); parameters that do not name one are malformed.  RSA goes by d2i_PublicKey on the bare key (1 us, against 100 us for
 * d2i_PUBKEY in OpenSSL 3.0).  Does not judge size or strength.  Limits: modulus 512 to 8192 bits, exponent odd, 3 to 2^64.
 */
bool public_key_parse(struct octets spki, struct public_key *out, struct errbuf *why);
void public_key_free(struct public_key *k); /* zeroes it */

/* What a refusal calls the type: the name, and with EdDSA its OID behind: "Ed25519 (1.3.101.112)".  Returns out. */
#define PUBLIC_KEY_TEXT 64
const char *public_key_text(const struct public_key *k, char out[PUBLIC_KEY_TEXT]);

/*
 * Verify a PKCS#1 v1.5 or ECDSA signature over message, or one of EdDSA, whose digest is NONE.  false: it does not hold, or the digest
 * does not go with the key.
 */
bool public_key_verify(const struct public_key *k, enum pki_digest digest, struct octets message,
    struct octets signature, struct errbuf *why);

/* The modulus of an RSA key's SPKI, in 2 us (EVP_PKEY_get_bn_param takes 9); the caller frees it.  NULL: not of RSA, or out of memory. */
BIGNUM *public_key_get1_modulus(struct octets spki);

/* SHA-1 over the key's BIT STRING (RFC 5280 4.2.1.2 method 1) of the SPKI. */
bool public_key_identifier(struct octets spki, uint8_t out[20]);
/* The same by any digest; out has room for EVP_MAX_MD_SIZE octets, or for as many as the digest has. */
bool public_key_hash(struct octets spki, enum pki_digest digest, uint8_t *out);
/* SHA-256 over the whole SPKI. */
bool public_key_digest(struct octets spki, uint8_t out[32]);

#endif
