/*
 * request.h: a pkiMessage that a client sent (RFC 8894 section 3): parsed, its signature verified, its envelope opened.
 *
 * Steps, in this order, so that an algorithm is refused before anything is decrypted, and each fault up to the proof of possession
 * is the same badMessageCheck on the wire:
 *
 *	scep_request_parse      form; enough to answer FAILURE, not to act on
 *	scep_request_check_algorithms
 *	scep_request_open_csr   PKCSReq, RenewalReq: signature, envelope, CSR, its self-signature, signer's key = CSR's key
 *	scep_request_open_query CertPoll, GetCert, GetCRL: signature, envelope, what is asked for
 */
#ifndef SCEP_REQUEST_H
#define SCEP_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/algorithm.h"
#include "pki/certificate.h"
#include "pki/csr.h"
#include "pki/public_key.h"
#include "scep/scep.h"

#define SCEP_MESSAGE_MAX	(256 * 1024) /* octets of DER accepted */
#define SCEP_TRANSACTION_ID_MAX 256
#define SCEP_NONCE_MAX		64
#define SCEP_CERTIFICATES_MAX	8     /* in the SignedData */
#define SCEP_RECIPIENTS_MAX	8     /* in the EnvelopedData */
#define SCEP_QUERY_CONTENT_MAX	32768 /* octets in the envelope of a CertPoll, GetCert or GetCRL */
#define SCEP_QUERY_SERIAL_MAX	64    /* of its serialNumber; RFC 5280 4.1.2.2 has 20 at most */

/* All slices live as long as the request. */
struct scep_request {
	int message_type;	      /* as read; may be none of ours */
	struct octets transaction_id; /* 1 to 256 octets as they came */
	int transaction_id_tag;	      /* its string type: echoed */
	struct octets sender_nonce;   /* 1 to 64 octets */
	bool has_signing_time;
	int64_t signing_time;

	struct certificate signer; /* the certificate that SignerInfo names */
	/* Self-issued.  Its own signature is not looked at: that its key signed the message is what counts (RFC 8894 2.3). */
	bool signer_self_signed;
	struct public_key signer_key; /* replies are enveloped to it */

	enum pki_digest digest; /* of the SignerInfo; NONE: unknown, see digest_oid */
	struct octets digest_oid;
	enum pki_cipher cipher; /* of the envelope, likewise; readable before decryption */
	struct octets cipher_oid;

	/* The recipient that the first KeyTransRecipientInfo names: issuer and serial, or SKI. */
	struct octets recipient_issuer;
	struct octets recipient_serial;
	struct octets recipient_ski;

	struct scep_request_template *owned;
};

/*
 * Parse exactly one pkiMessage (DER, or BER as Apple and jscep send it); der is not kept.  SCEP_OK, and the caller frees *out;
 * SCEP_UNANSWERABLE (no SignedData, not exactly one signer, not exactly one transactionID of 1 to 256 octets, signer's certificate
 * missing or unreadable) or SCEP_FAULT with why and *out NULL.
 * A message that can be answered but is wrong otherwise (missing senderNonce or messageType, a duplicate attribute, content that
 * is no EnvelopedData) is SCEP_REFUSED with why, *fail set to badMessageCheck or badRequest, and *out owned by the caller: enough
 * to encode the FAILURE.  A signingTime that cannot be read counts as none.
 */
enum scep_rc scep_request_parse(
    struct octets der, struct scep_request **out, enum scep_fail_info *fail, struct errbuf *why);
void scep_request_free(struct scep_request *r);

/*
 * Are digest and cipher (masks of PKI_…) accepted, the signer's key RSA or EC, its signature algorithm in keeping with both, and the
 * key encryption PKCS#1 v1.5?  SCEP_REFUSED: *fail is badAlg, text (for failInfoText, may be NULL) names the algorithm and its OID.
 */
enum scep_rc scep_request_check_algorithms(const struct scep_request *r, uint32_t digests,
    uint32_t ciphers, enum scep_fail_info *fail, struct errbuf *why, struct errbuf *text);

/* A key that may decrypt: an RA certificate with its key.  x509 is what OpenSSL matches by. */
struct scep_recipient {
	const struct certificate *certificate;
	X509 *x509;
	EVP_PKEY *key;
};

/* Does one of the message's KeyTransRecipientInfos name this recipient (by issuer and serial, or SKI)? */
bool scep_request_is_for(const struct scep_request *r, const struct scep_recipient *recipient);

/*
 * Verify the SignerInfo: messageDigest over the content, signature over the attributes.  SCEP_OK, or SCEP_REFUSED with why:
 * badMessageCheck.  Whose key it is, is told by r->signer, and what that key may do by nobody yet.  Those below do this first;
 * what held once is not verified again, so that a caller may come here before to look at the signer between the two.
 */
enum scep_rc scep_request_verify(struct scep_request *r, struct errbuf *why);

/*
 * Verify the SignerInfo (messageDigest over the content, signature over the attributes), decrypt the envelope, parse the CSR,
 * verify its self-signature and, where the signer is self-signed and require_signer_key is set, that it has the CSR's key.
 * Whether r's algorithms are accepted here, the caller has checked; whether they are ones of ours at all is checked again.
 *
 * SCEP_OK: the caller frees csr, and *stage is NULL.  Every fault is SCEP_REFUSED with csr zeroed; which one is told by why alone,
 * *stage ("verify", "decrypt", "parse", "possession") and nothing that reaches the wire.  From the decryption on every failing path
 * does the same work: where there is no CSR to go on with, a built-in one takes its place to the end.
 *
 * recipient is the one that scep_request_is_for() found, or, where there was none, any of ours: its key is then used once as a
 * stand-in, after the signature held, and the message refused.
 */
enum scep_rc scep_request_open_csr(struct scep_request *r, const struct scep_recipient *recipient,
    bool require_signer_key, struct csr *csr, const char **stage, struct errbuf *why);

/* What a CertPoll, GetCert or GetCRL asks for.  Slices live as long as owned. */
struct scep_query_content {
	struct octets issuer;  /* Name as it came: a SEQUENCE, in which nothing was looked at */
	struct octets subject; /* Name, likewise, with CertPoll; else empty */
	struct octets
	    serial; /* with GetCert and GetCRL: content octets of the INTEGER; else empty */
	struct buffer owned;
};

/*
 * Verify the SignerInfo, decrypt the envelope and parse what r's messageType has in it: an IssuerAndSubject (CertPoll, RFC 8894
 * 3.3.3) or an IssuerAndSerialNumber (GetCert, GetCRL, 3.3.4; 1 to SCEP_QUERY_SERIAL_MAX octets), and nothing behind it.  Form alone: clients write what they like
 * into issuer and subject.  recipient as for scep_request_open_csr().
 *
 * SCEP_OK: *stage is NULL.  Every fault is SCEP_REFUSED, told by why and *stage ("verify", "decrypt", "parse") and nothing that
 * reaches the wire.  SCEP_FAULT: a messageType that has no such content, which is the caller's mistake, or no memory.  In every
 * case the caller frees out.
 *
 * Unlike a CSR this content has no signature of its own.  Somebody who may sign can so send blocks of another's envelope with
 * octets of his own before them, and any answer by which "opened, but matches nothing" differs from "did not open" tells him, padding
 * by padding, what that envelope holds (its challenge).  So look at the signer first (scep_request_verify), and answer stages
 * "decrypt" and "parse" exactly as what matches nothing: *out then has a decoy that matches nothing, to go on with at equal cost.
 */
enum scep_rc scep_request_open_query(struct scep_request *r, const struct scep_recipient *recipient,
    struct scep_query_content *out, const char **stage, struct errbuf *why);
void scep_query_content_free(struct scep_query_content *c); /* zeroes it */

#endif
