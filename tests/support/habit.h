/*
 * habit.h: pkiMessages with the habits of real clients, written by hand: what others' encoders do, OpenSSL's mostly cannot be
 * made to.  The same seed gives the same octets, so that a vector can be made again, and a habit played against a running service.
 */
#ifndef SUPPORT_HABIT_H
#define SUPPORT_HABIT_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/octets.h"
#include "pki/algorithm.h"
#include "pki/certificate.h"

enum habit_ber {
	HABIT_DER,
	HABIT_APPLE, /* indefinite lengths down to the content, which comes in pieces */
	HABIT_JSCEP  /* the same, and the set of certificates too: Bouncy Castle's generators */
};

enum habit_content {
	HABIT_CSR,
	HABIT_ISSUER_AND_SERIAL, /* GetCert, GetCRL */
	HABIT_ISSUER_AND_SUBJECT /* CertPoll */
};

enum habit_signer {
	HABIT_SELF_SIGNED,
	HABIT_OLD_CERTIFICATE, /* issued, with a key of its own: a renewal */
	HABIT_OLD_KEY	       /* issued for the CSR's key: a renewal with the same key */
};

/* A zero, NULL or false member is what most clients do; the comment says what that is. */
struct habit {
	const char *name;   /* the vector is NAME.der, and the subject O=Habits,CN=NAME */
	const char *client; /* who does so */
	const char *habit;  /* what, in a few words */
	int message_type;   /* 19 */
	enum habit_content content;
	enum habit_signer signer;
	enum habit_ber ber;
	enum pki_digest digest;	    /* of the SignerInfo: SHA-256 */
	enum pki_digest csr_digest; /* of the CSR and a self-signed certificate: SHA-256 */
	enum pki_cipher cipher;	    /* AES-128-CBC */
	bool small_key;		    /* RSA-1024; RSA-2048 */
	bool named_signature;	    /* shaNNNWithRSAEncryption; rsaEncryption */
	bool recipient_by_ski;	    /* issuer and serial */
	bool signer_by_ski;	    /* likewise */
	size_t nonce_len;	    /* 16 */
	size_t serial_len;	    /* of a self-signed signer: 1 */
	const char *transaction_id; /* 40 random hexadecimal digits */
	bool id_of_key;		    /* the transactionID is a hash of the key */
	uint8_t transaction_id_tag; /* PrintableString */
	uint8_t challenge_tag;	    /* PrintableString */
	size_t challenge_len;	    /* of vectors; that of HABIT_CHALLENGE */
	bool challenge_in_extensions;
	const char *common_name;    /* the habit's name */
	bool ios_subject;	    /* serialNumber and unstructuredName in one RDN, and no CN */
	const char *signer_subject; /* the CSR's */
	int64_t clock_off;	    /* seconds, of signingTime and the signer's validity */
	bool signing_time;	    /* none */
};

/* One row for each vector that is made by hand; the last has no name. */
extern const struct habit habits[];
const struct habit *habit_find(const char *name);

/* The challenge in the vectors: this text, or as much of it, over and over, as challenge_len says; the caller frees out. */
#define HABIT_CHALLENGE "vector-challenge-1"
void habit_vector_challenge(const struct habit *h, struct buffer *out);
/* 2026-11-23T00:00:00Z: when the vectors seem to be made. */
#define HABIT_VECTOR_TIME 1795392000
#define HABIT_VECTOR_SEED "vectors"

/* The keys of tests/vectors, which everybody knows. */
struct habit_keys {
	EVP_PKEY *device;
	EVP_PKEY *old; /* of the certificate that HABIT_OLD_CERTIFICATE replaces */
	EVP_PKEY *small;
};
void habit_keys_open(struct habit_keys *k);
void habit_keys_close(struct habit_keys *k);
/* What h's reply is enveloped to. */
EVP_PKEY *habit_signer_key(const struct habit *h, const struct habit_keys *k);

struct habit_order {
	const struct habit *habit;
	const struct habit_keys *keys;
	const struct certificate *recipient;
	const char *challenge; /* ASCII */
	int64_t now;	       /* seconds since 1970 */
	struct octets seed;    /* all randomness comes from it and the habit's name */
	/* Of a renewal, with the habit's key in it; NULL: one that nobody issued is made. */
	const struct certificate *old;
};

/* A message and what is in it; zeroed by habit_message_free(). */
struct habit_message {
	struct buffer der;
	struct buffer envelope; /* EnvelopedData */
	struct buffer content;	/* the CSR, or another messageData */
	struct buffer subject;	/* Name, of the CSR */
	char transaction_id[128];
	size_t nonce_len;
};

/* Aborts the program when OpenSSL fails: this is a test. */
void habit_make(const struct habit_order *o, struct habit_message *out);
void habit_message_free(struct habit_message *m);

/* Append der, a SignedData or EnvelopedData, in the BER of style; the content in pieces of so many octets. */
void habit_to_ber(struct octets der, enum habit_ber style, size_t piece, struct buffer *out);

#endif
