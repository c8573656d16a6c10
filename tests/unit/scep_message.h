/*
 * scep_message.h: for the tests of shared/scep: a small world of keys and certificates, and a writer of pkiMessages that can get
 * each part wrong on its own.  What scep/client makes by OpenSSL's CMS, this makes by hand.
 */
#ifndef UNIT_SCEP_MESSAGE_H
#define UNIT_SCEP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/octets.h"
#include "pki/certificate.h"
#include "scep/client.h"
#include "scep/reply.h"
#include "scep/request.h"

/* A key and a certificate for it. */
struct scep_party {
	EVP_PKEY *key;
	X509 *x509;
	struct certificate certificate;
};

struct scep_world {
	struct scep_party ra;	  /* issued by another */
	struct scep_party device; /* the rest: self-signed */
	struct scep_party other;
	struct scep_party ec;
	struct scep_party ed; /* Ed25519: a key type that is read no further */
	struct buffer csr;    /* of device, with a challenge */
	struct scep_recipient recipient;
	struct scep_responder responder;
};

void scep_world_open(struct scep_world *w);
void scep_world_close(struct scep_world *w);

/* Append a CSR for key; the caller frees out. */
void scep_make_csr(EVP_PKEY *key, const char *challenge, struct buffer *out);
/* Make p self-signed over key (borrowed by p from now on) with the serial's content octets and, if ski, a subjectKeyIdentifier. */
void scep_make_party(struct scep_party *p, EVP_PKEY *key, struct octets serial, bool ski);
void scep_free_party(struct scep_party *p);

struct scep_spec_attribute {
	struct octets oid;
	uint8_t tag;
	struct octets value;
	int values; /* how many times in the SET */
	int times;  /* how many Attributes */
};

#define SCEP_SPEC_ATTRIBUTES 12

/* What to write; scep_spec() fills in a good PKCSReq. */
struct scep_spec {
	struct scep_world *world;
	const struct scep_party *signer;
	const struct scep_party *recipient;
	enum pki_digest digest;
	enum pki_cipher cipher;
	struct octets csr;
	struct scep_spec_attribute attributes[SCEP_SPEC_ATTRIBUTES];

	struct octets type;	    /* of the outer ContentInfo */
	struct octets content_type; /* eContentType */
	struct octets content;	    /* in place of the envelope */
	bool no_content;
	struct octets digest_oid;	      /* in place of digest's */
	struct octets signature_oid;	      /* in place of rsaEncryption, or ecdsa-with-SHA… */
	struct octets sid_issuer, sid_serial; /* in place of the signer's */
	bool by_ski;
	int signers; /* 1 */
	struct octets certificates[12];
	int certificate_count;	  /* -1: the signer's */
	bool unsorted_attributes; /* sent and signed in the order above */
	bool sorted_signature;	  /* signed as DER all the same */
	bool ber;		  /* indefinite lengths and strings in pieces, inside and outside */
	bool bad_signature;
	bool bad_digest;
	struct octets behind; /* trailing octets */
};

void scep_spec(struct scep_spec *s, struct scep_world *w);
/* The attribute with this OID. */
struct scep_spec_attribute *scep_spec_find(struct scep_spec *s, struct octets oid);
/* Append the message. */
void scep_spec_write(const struct scep_spec *s, struct buffer *out);

/* Append the EnvelopedData for content by OpenSSL; oaep: with RSAES-OAEP. */
void scep_make_envelope(
    X509 *recipient, enum pki_cipher cipher, struct octets content, bool oaep, struct buffer *out);
/* The same with a cipher that is none of ours, by OpenSSL's name. */
void scep_make_foreign_envelope(
    X509 *recipient, const char *cipher, struct octets content, struct buffer *out);

/* Append der with indefinite lengths and strings in pieces; keep_tag0_at: the depth at which an element [0] stays as it is, or -1. */
void scep_to_ber(struct octets der, int keep_tag0_at, struct buffer *out);

/* parse, check against all algorithms and open: what became of it, and where. */
struct scep_outcome {
	enum scep_rc rc;
	enum scep_fail_info fail;
	const char *stage; /* NULL: not from open */
	struct errbuf why;
	struct errbuf text;
	struct scep_request *request; /* of SCEP_OK and SCEP_REFUSED */
	struct csr csr;		      /* of SCEP_OK */
};
void scep_run(struct scep_world *w, struct octets message, struct scep_outcome *o);
void scep_run_spec(const struct scep_spec *s, struct scep_outcome *o);
void scep_outcome_free(struct scep_outcome *o);

/* Parse what s says; the caller frees the request, if there is one. */
struct scep_request *scep_parse_spec(
    const struct scep_spec *s, enum scep_rc *rc, enum scep_fail_info *fail, struct errbuf *why);
void scep_assert_parses(const struct scep_spec *s);
/* Not answerable, and why has these words in it. */
void scep_assert_unanswerable(const struct scep_spec *s, const char *words);
/* Refused on parsing with this failInfo; all that an answer needs is there. */
void scep_assert_refused(const struct scep_spec *s, enum scep_fail_info want, const char *words);

/* Everything holds, and the CSR comes out. */
void scep_assert_opens(const struct scep_spec *s);
/* badMessageCheck at this stage, with these words in why; no CSR comes out. */
void scep_assert_fails(const struct scep_spec *s, const char *stage, const char *words);
/* badAlg, with these words in the text for the client. */
void scep_assert_bad_algorithm(const struct scep_spec *s, const char *words);

/* A PKCSReq from signer by scep/client, parsed; what its reply has to answer is in m.  The caller frees the request. */
struct scep_request *scep_make_request(
    const struct scep_world *w, const struct scep_party *signer, struct scep_client_message *m);
/* A SUCCESS with one certificate. */
struct scep_reply scep_success(const struct scep_world *w);
/* Append the CertRep by the RA. */
void scep_make_reply(const struct scep_world *w, const struct scep_request *r,
    const struct scep_reply *reply, struct buffer *out);

#endif
