/* client.h: the client's side: making a pkiMessage and reading its CertRep; for scepctl enrol, doctor and the tests. */
#ifndef SCEP_CLIENT_H
#define SCEP_CLIENT_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/certificate.h"
#include "scep/scep.h"

/*
 * Append a PKCS#10 request: subject (Name DER), SAN (GeneralNames DER or empty), challenge (NULL: none), self-signed by key (RSA or
 * EC) with SHA-256.
 */
bool scep_client_csr(EVP_PKEY *key, struct octets subject, struct octets san, const char *challenge,
    struct buffer *out, struct errbuf *why);

/*
 * Append a self-signed certificate for key and subject, 1 hour back to 7 days ahead of now, with keyUsage digitalSignature and, of an
 * RSA key, keyEncipherment: the signer of a first enrolment (RFC 8894 2.3).
 */
bool scep_client_self_signed(
    EVP_PKEY *key, struct octets subject, int64_t now, struct buffer *out, struct errbuf *why);

/* Append what a CertPoll asks for: an IssuerAndSubject of two Names in DER (RFC 8894 3.3.3); and with a serial number (content octets
 * of an INTEGER) what GetCert and GetCRL do (3.3.4). */
bool scep_client_issuer_and_subject(
    struct octets issuer, struct octets subject, struct buffer *out);
bool scep_client_issuer_and_serial(struct octets issuer, struct octets serial, struct buffer *out);

struct scep_client_message {
	int message_type;
	const char *transaction_id;
	uint8_t sender_nonce[16]; /* filled by scep_client_encode */
	struct octets
	    content; /* the CSR, or another messageData, DER; empty: no EnvelopedData content is made */
	/*
	 * Self-signed, or for a renewal and the queries one that the CA issued; and its key (RSA or EC), which signs the message and
	 * opens the reply.  The CSR in content may have another.
	 */
	const struct certificate *signer;
	EVP_PKEY *key;
	struct octets password; /* with an EC key: the challengePassword, which opens the reply */
	const struct certificate *recipient; /* the RA's (or CA's) certificate: RSA */
	enum pki_digest digest;
	enum pki_cipher cipher;
};
bool scep_client_encode(struct scep_client_message *m, struct buffer *out, struct errbuf *why);

struct scep_client_reply {
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	char fail_info_text[512];
	struct buffer certificates[8]; /* SUCCESS: in the order they came */
	int certificate_count;
	struct buffer crl;
};

/*
 * Read the CertRep that answers m: signature by one of the certificates in trusted (what GetCACert gave), transactionID and
 * recipientNonce as sent, decrypted with m->key or, where that is an EC key, m->password.  false with why: it cannot be trusted or read; *out is then zeroed.
 */
bool scep_client_read(const struct scep_client_message *m, struct octets reply,
    const struct certificate *trusted, int trusted_count, struct scep_client_reply *out,
    struct errbuf *why);
void scep_client_reply_free(struct scep_client_reply *r);

/*
 * The certificates in a GetCACert answer, one DER certificate or a degenerate SignedData, each appended to a buffer of out, which has
 * max zeroed ones; the caller frees all of them, also after a failure.  The count, or -1 with why.  Nothing is verified.
 */
int scep_client_ca_certificates(
    struct octets body, struct buffer *out, int max, struct errbuf *why);

/*
 * The same for a GetNextCACert answer (RFC 8894 4.7.1): its signature is verified under the current CA's certificate first, which is
 * all that vouches for what is in it.
 */
int scep_client_next_ca_certificates(struct octets body, const struct certificate *ca,
    struct buffer *out, int max, struct errbuf *why);

#endif
