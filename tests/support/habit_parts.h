/* habit_parts.h: the parts that a habit's message is made of; for habit*.c alone. */
#ifndef SUPPORT_HABIT_PARTS_H
#define SUPPORT_HABIT_PARTS_H

#include "base/der.h"
#include "tests/support/habit.h"

#define HABIT_ROOM 65536

/* Aborts the program, with what OpenSSL has to say. */
void habit_need(bool ok, const char *what);

/* The next octets of the seed's stream. */
struct habit_stream {
	struct octets seed;
	const char *name;
	uint32_t block;
};
void habit_random(struct habit_stream *s, uint8_t *out, size_t len);

enum pki_digest habit_digest(const struct habit *h);
enum pki_digest habit_csr_digest(const struct habit *h);
enum pki_cipher habit_cipher(const struct habit *h);

/* AlgorithmIdentifier { oid, NULL }, or without parameters. */
void habit_algorithm(struct der *d, struct octets oid, bool null);
/* A PKCS#1 v1.5 signature; out has room for 1,024 octets.  Its length. */
size_t habit_sign(EVP_PKEY *key, enum pki_digest digest, struct octets message, uint8_t *out);
/* The SubjectPublicKeyInfo of an RSA key; the caller frees out. */
void habit_spki(EVP_PKEY *key, struct buffer *out);
/* What is written in d since der_start(), appended; fails where d does. */
void habit_append(const struct der *d, struct buffer *out);

/* Each appends: the Name of the CSR, the CSR, a certificate, and the EnvelopedData around content. */
void habit_subject(const struct habit *h, struct buffer *out);
void habit_csr(const struct habit_order *o, struct octets subject, struct buffer *out);
struct habit_certificate {
	struct octets serial, issuer, subject; /* serial: content octets of an INTEGER */
	int64_t not_before, not_after;
	EVP_PKEY *key, *issuer_key;
	enum pki_digest digest;
	bool ski;
};
void habit_certificate(const struct habit_certificate *c, struct buffer *out);
void habit_envelope(
    const struct habit_order *o, struct habit_stream *s, struct octets content, struct buffer *out);

#endif
