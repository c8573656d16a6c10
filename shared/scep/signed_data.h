/*
 * signed_data.h: writing a SignedData with one signer, whose certificate is in it (RFC 5652 section 5); for this room alone.
 *
 *	scep_signed_data_start(&s, &certificate, PKI_SHA256, content);
 *	scep_signed_data_add(&s, oid, tag, value);         further signed attributes
 *	... sign scep_signed_data_message(&s) ...
 *	scep_signed_data_finish(&s, PKI_KEY_RSA, signature, &out);
 */
#ifndef SCEP_SIGNED_DATA_H
#define SCEP_SIGNED_DATA_H

#include <stdbool.h>

#include "base/der.h"
#include "base/octets.h"
#include "pki/algorithm.h"
#include "pki/certificate.h"

#define SCEP_ATTRIBUTES_MAX  9
#define SCEP_ATTRIBUTES_ROOM 2304 /* octets of them all, frames and all */

/* Attributes are written one by one into room; DER wants them in the order of their encodings. */
struct scep_signed_data {
	const struct certificate *signer;
	enum pki_digest digest;
	struct octets content;
	struct der d;
	struct octets one[SCEP_ATTRIBUTES_MAX];
	int count;
	uint8_t room[SCEP_ATTRIBUTES_ROOM];
	uint8_t message[SCEP_ATTRIBUTES_ROOM + 8]; /* and its tag and length */
};

/*
 * Begin with contentType (id-data) and messageDigest.  signer and content are borrowed to the end.  false: there is no such digest.
 * There is nothing to free.
 */
bool scep_signed_data_start(struct scep_signed_data *s, const struct certificate *signer,
    enum pki_digest digest, struct octets content);

/* A signed attribute with one value; what does not fit makes the rest fail. */
void scep_signed_data_add(
    struct scep_signed_data *s, struct octets oid, uint8_t tag, struct octets value);

/* What is to be signed: the attributes as a SET OF (RFC 5652 5.4), in s; empty when something did not fit. */
struct octets scep_signed_data_message(struct scep_signed_data *s);

/*
 * Append ContentInfo { id-signedData }.  signatureAlgorithm is rsaEncryption (strongSwan demands it in a CertRep), or with an EC key
 * ecdsa-with-SHA….  false: out of memory, or something did not fit.
 */
bool scep_signed_data_finish(const struct scep_signed_data *s, enum pki_key_type type,
    struct octets signature, struct buffer *out);

#endif
