/* ocsp.h: the responder's side of OCSP (RFC 6960): a request read, a signed answer written.  Whoever asks is a stranger; no clock is read. */
#ifndef PKI_OCSP_H
#define PKI_OCSP_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/certificate.h"

#define OCSP_REQUEST_MAX 4096 /* octets of DER accepted */
#define OCSP_CERTS_MAX	 16   /* asked for in one request */
#define OCSP_SERIAL_MAX	 64   /* octets of one of their serials; RFC 5280 4.1.2.2 has 20 */
#define OCSP_NONCE_MAX	 64   /* octets; RFC 8954 2.1 has 1 to 32 */

struct ocsp_request;

/*
 * Parse exactly one OCSPRequest, in DER (which is not kept): version 1, 1 to OCSP_CERTS_MAX CertIDs, a nonce of 1 to OCSP_NONCE_MAX octets or none, no
 * critical extension other than that.  A requestorName is not looked at, nor a signature, which RFC 6960 4.1.2 lets a responder ignore.
 * true: the caller frees *out.  false with why, and NULL in *out: the answer is malformedRequest.
 */
bool ocsp_request_parse(struct octets der, struct ocsp_request **out, struct errbuf *why);
void ocsp_request_free(struct ocsp_request *r);

int ocsp_request_count(const struct ocsp_request *r);
bool ocsp_request_has_nonce(const struct ocsp_request *r);
/* Number i's serial: magnitude without leading zeros, borrowed.  Empty for 0, for a negative number, and where there is no i. */
struct octets ocsp_request_serial(const struct ocsp_request *r, int i);
/* Whether number i's issuerNameHash and issuerKeyHash, by SHA-1, SHA-256, SHA-384 or SHA-512, are of this CA. */
bool ocsp_request_names_ca(const struct ocsp_request *r, int i, const struct certificate *ca);

enum ocsp_status { OCSP_STATUS_GOOD, OCSP_STATUS_REVOKED, OCSP_STATUS_UNKNOWN };

struct ocsp_answer {
	enum ocsp_status status;
	int64_t revoked_at; /* with REVOKED; seconds since 1970 */
	int reason;	    /* with REVOKED: CRLReason 1 to 10; 0 or less: none said */
};

/* A delegated responder's, both borrowed: a certificate by the CA with OCSPSigning, or the CA's own. */
struct ocsp_responder {
	X509 *x509;
	EVP_PKEY *key;
};

/*
 * Append an OCSPResponse "successful" with a BasicOCSPResponse (4.2.1): one SingleResponse for each CertID of r, in order, by answers[]
 * (ocsp_request_count() of them); responderID byKey; producedAt and thisUpdate are this_update, nextUpdate lies behind it; the nonce of r, if it
 * has one; signed by SHA-256 (for EC: the digest of its curve), with the responder's certificate inside.  false with why; out is then as
 * it was: the answer is internalError.  Not looked at: whether the responder's certificate is by the right CA, and valid.
 */
bool ocsp_response_encode(const struct ocsp_request *r, const struct ocsp_answer *answers,
    int64_t this_update, int64_t next_update, const struct ocsp_responder *responder,
    struct buffer *out, struct errbuf *why);

/* OCSPResponseStatus (4.2.1) without a response. */
#define OCSP_MALFORMED_REQUEST 1
#define OCSP_INTERNAL_ERROR    2
#define OCSP_TRY_LATER	       3
#define OCSP_SIG_REQUIRED      5
#define OCSP_UNAUTHORIZED      6

/* Append such a response; false for any other status. */
bool ocsp_error_encode(int status, struct buffer *out);

#endif
