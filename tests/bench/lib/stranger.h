/*
 * stranger.h: pkiMessages by somebody who can sign and has seen another's envelope: each part of the envelope as chosen, the whole
 * rightly signed (RFC 8894 3.2, RFC 5652).  The RSA block is made by hand, so that it can be wrong in every way.
 */
#ifndef BENCH_STRANGER_H
#define BENCH_STRANGER_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "base/octets.h"
#include "pki/certificate.h"

struct stranger {
	EVP_PKEY *key; /* RSA */
	struct buffer der;
	struct certificate certificate; /* self-signed */
};

/* A key of RSA-2048 and a certificate for it with CN=name.  false: OpenSSL fails. */
bool stranger_make(struct stranger *s, const char *name);
void stranger_free(struct stranger *s);

/* The block that is encrypted to the RA (RFC 8017 7.2.1), and what may be wrong with it. */
enum stranger_block {
	BLOCK_RIGHT,
	BLOCK_FIRST_OCTET,  /* 01 02 … */
	BLOCK_SECOND_OCTET, /* 00 01 … */
	BLOCK_NO_ZERO,	    /* no octet 0 behind the padding */
	BLOCK_SHORT_PAD,    /* an octet 0 among the first eight of the padding */
	BLOCK_EARLY_ZERO,   /* an octet 0 in the padding: the key seems longer */
	BLOCK_KEY_SHORT,    /* a key of one octet less than the cipher's */
	BLOCK_KEY_LONG,	    /* one more */
	BLOCK_KEY_NONE,	    /* the octet 0 stands last */
	BLOCK_OTHER_KEY,    /* right, with another key than that of the content */
	BLOCK_RANDOM	    /* any octets below the modulus */
};

/* The padding of the content (RFC 5652 6.3). */
enum stranger_padding {
	PADDING_RIGHT,
	PADDING_ZERO,  /* its last octet is 0 */
	PADDING_LARGE, /* its last octet is more than a block */
	PADDING_INNER  /* its last octet fits, another one does not */
};

struct stranger_envelope {
	const struct certificate *recipient; /* issuer and serial that are named */
	EVP_PKEY *recipient_key;	     /* what the block is encrypted to */
	enum stranger_block block;
	enum stranger_padding padding;
	struct octets content;
};

/* Append a message of this messageType with AES-256-CBC and SHA-256, another key and IV each time.  false: OpenSSL fails. */
bool stranger_message(const struct stranger *s, int message_type, const struct stranger_envelope *e,
    struct buffer *out);

#endif
