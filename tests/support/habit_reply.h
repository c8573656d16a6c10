/* habit_reply.h: reading a CertRep by OpenSSL's own CMS and PKCS#7 code, as a client would, and seeing that it answers the request. */
#ifndef SUPPORT_HABIT_REPLY_H
#define SUPPORT_HABIT_REPLY_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/algorithm.h"

#define HABIT_CERTIFICATES 8

struct habit_reply {
	int status;	/* pkiStatus */
	int fail_info;	/* -1: none */
	char text[512]; /* failInfoText, "": none */
	/* Dotted: digest and signature algorithm of the SignerInfo, cipher of the envelope ("" without one). */
	char digest[64], signature[64], cipher[64];
	STACK_OF(X509) * certificates; /* of SUCCESS, in the order they came; NULL: none */
	int crls;
};

/*
 * Verify the reply by the certificates of GetCACert in authorities; transactionID, its string type, and the nonces have to fit the
 * request's; a SUCCESS is decrypted by key.  false with why: not to be trusted.  The caller frees *out in either case.
 */
bool habit_reply_read(struct octets request, struct octets reply, STACK_OF(X509) * authorities,
    EVP_PKEY *key, struct habit_reply *out, struct errbuf *why);
void habit_reply_free(struct habit_reply *r);

/* The certificates in an answer to GetCACert, in their order; NULL: it has none.  The caller frees it. */
STACK_OF(X509) * habit_authorities(struct octets body);

#endif
