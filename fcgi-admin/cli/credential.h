/* credential.h: a certificate and its private key: what a client's message is signed with, and the reply opened. */
#ifndef CLI_CREDENTIAL_H
#define CLI_CREDENTIAL_H

#include <openssl/evp.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/certificate.h"
#include "pki/public_key.h"

struct credential {
	struct buffer der;
	struct certificate certificate;
	EVP_PKEY *key;
	enum pki_key_type type; /* RSA or EC: others are not taken */
};

/*
 * The first certificate in a PEM file and the key in another, which have to fit.  Nothing is checked beyond that.  All: false with why;
 * credential_free() is due in either case.
 */
bool credential_load(
    struct credential *c, const char *certificate, const char *key, struct errbuf *why);
/* The certificate alone. */
bool credential_load_certificate(struct credential *c, const char *path, struct errbuf *why);
/* A self-signed certificate for key, of which *c has a reference of its own. */
bool credential_self_sign(
    struct credential *c, EVP_PKEY *key, struct octets subject, int64_t now, struct errbuf *why);
void credential_free(struct credential *c); /* zeroes it */

/* The key's type and, for private_key_generate(), its kind ("rsa:2048", "ec:P-256").  false with why: one of those that are not taken. */
bool credential_key_type(
    struct octets spki, enum pki_key_type *type, char kind[16], struct errbuf *why);

#endif
