/* reply.h: encoding a CertRep (RFC 8894 3.3.2), and the degenerate SignedData of GetCACert. */
#ifndef SCEP_REPLY_H
#define SCEP_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "scep/request.h"
#include "scep/scep.h"

/* With what a reply is signed: the RA key that the request was addressed to (or the profile's current one). */
struct scep_responder {
	const struct certificate *certificate;
	EVP_PKEY *key; /* RSA */
};

struct scep_reply {
	enum scep_pki_status status;
	enum scep_fail_info fail_info; /* with FAILURE */
	const char *fail_info_text;    /* UTF-8, NULL or "": none */
	struct octets certificates[8]; /* with SUCCESS: the leaf first; DER; their order is kept */
	int certificate_count;
	struct octets crl;	/* with SUCCESS for GetCRL; DER */
	enum pki_digest digest; /* of our SignerInfo */
	enum pki_cipher cipher; /* of the envelope */
	/* With SUCCESS to a signer whose key is EC: the challengePassword, under which the envelope is; borrowed, empty: none. */
	struct octets password;
};

/*
 * Append the DER of the CertRep that answers r.  SUCCESS is enveloped to r's signer key: RSA by PKCS#1 v1.5; EC under the password
 * (RFC 8894 3.1; PBKDF2, some 25 ms; see password.h for what it has to be), and without one false; any other key false.
 * FAILURE and PENDING have no pkcsPKIEnvelope: an eContent of no octets.  transactionID and its string type, and recipientNonce
 * (if there was a senderNonce), come from r; senderNonce is 16 fresh random octets; failInfoText is cut at 1,024 octets.
 * The SignerInfo's signatureAlgorithm is rsaEncryption (strongSwan demands it).  The responder's certificate is included.
 * false with why: an answer of 503, and nothing appended.
 */
bool scep_reply_encode(const struct scep_request *r, const struct scep_reply *reply,
    const struct scep_responder *responder, struct buffer *out, struct errbuf *why);

/* Append a SignedData without signers that carries certificates (and a CRL if not empty), in the order given. */
bool scep_degenerate_encode(
    const struct octets *certificates, int count, struct octets crl, struct buffer *out);

#endif
