/* hostile.h: pkiMessages made by OpenSSL's own CMS code, proper or wrong in one chosen way: for tests that play a stranger. */
#ifndef SUPPORT_HOSTILE_H
#define SUPPORT_HOSTILE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/octets.h"

enum hostile_fault {
	HOSTILE_NONE = 0,
	HOSTILE_NO_TRANSACTION_ID = 1 << 0,
	HOSTILE_NO_NONCE = 1 << 1,
	HOSTILE_TWO_SIGNERS = 1 << 2,
	HOSTILE_SIGNATURE = 1 << 3,	/* its last octet flipped */
	HOSTILE_CONTENT = 1 << 4,	/* changed after the messageDigest was made */
	HOSTILE_CIPHERTEXT = 1 << 5,	/* changed before the message was signed */
	HOSTILE_CSR_GARBAGE = 1 << 6,	/* enveloped octets that are no CSR */
	HOSTILE_CSR_SIGNATURE = 1 << 7, /* the CSR's self-signature broken */
	HOSTILE_OTHER_SIGNER = 1 << 8,	/* a self-signed signer with another key than the CSR's */
	HOSTILE_OTHER_RECIPIENT = 1 << 9,
	HOSTILE_TRAILING = 1 << 10,	 /* one octet behind the message */
	HOSTILE_WANTS_CA = 1 << 11,	 /* basicConstraints CA:TRUE and keyCertSign asked for */
	HOSTILE_WANTS_EKU = 1 << 12,	 /* serverAuth and codeSigning asked for */
	HOSTILE_NO_SUBJECT = 1 << 13,	 /* an empty Name */
	HOSTILE_FOREIGN_ISSUER = 1 << 14 /* a signer that somebody else seems to have issued */
};

struct hostile {
	const char *transaction_id;
	uint8_t nonce[16]; /* senderNonce */
	int message_type;  /* 0: 19 */
	const char *cn;
	const char *challenge; /* NULL: none */
	int challenge_type;    /* ASN.1 type of challenge_octets, which then stand in its place */
	struct octets challenge_octets;
	EVP_PKEY *key;	  /* signer's and CSR's */
	EVP_PKEY *signer; /* the signer's alone; NULL: key */
	X509 *recipient;
	const EVP_MD *md;	  /* NULL: SHA-256 */
	const EVP_MD *csr_md;	  /* of the CSR's own signature; NULL: SHA-256 */
	const EVP_CIPHER *cipher; /* NULL: AES-256-CBC */
	unsigned faults;	  /* of enum hostile_fault */
};

/* The signer of such a message, made anew, with key instead of its own; the caller frees. */
X509 *hostile_self_signed(const struct hostile *h, EVP_PKEY *key);

/* Append the message's DER.  Aborts the program when OpenSSL fails: this is a test. */
void hostile_encode(const struct hostile *h, struct buffer *out);

#endif
