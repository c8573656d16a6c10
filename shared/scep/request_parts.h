/* request_parts.h: what a parsed pkiMessage keeps behind struct scep_request, and the steps of reading it; for request*.c alone. */
#ifndef SCEP_REQUEST_PARTS_H
#define SCEP_REQUEST_PARTS_H

#include "scep/cms.h"
#include "scep/request.h"

struct scep_request_template {
	cms_signed *outer;
	cms_signer_info *signer_info; /* in outer */
	cms_attributes *attributes;
	cms_enveloped *inner;
	cms_key_trans *key_trans[SCEP_RECIPIENTS_MAX];
	int key_trans_count;

	struct octets content;		 /* of the OCTET STRING: the EnvelopedData, as digested */
	struct octets signed_attributes; /* as they came, with the tag of a SET OF */
	struct octets message_digest;	 /* the attribute's value */
	struct octets signature_oid;
	bool verified; /* by scep_request_verify */
};

/* What SignerIdentifier or RecipientIdentifier names: issuer and serial, or ski; the others are empty. */
struct scep_identifier {
	struct octets issuer;
	struct octets serial;
	struct octets ski;
};
struct scep_identifier scep_request_identifier(const cms_identifier *id);

/*
 * Does id name c: by subjectKeyIdentifier, or by issuer and serial both?  Some clients encode an issuer anew, with other string
 * types or in BER, and serials may have more leading octets than DER wants: the same names and numbers are the same.
 */
bool scep_request_names(const struct scep_identifier *id, const struct certificate *c);

/* Read the signed attributes (request_attributes.c); results as scep_request_parse. */
enum scep_rc scep_request_parse_attributes(
    struct scep_request *r, enum scep_fail_info *fail, struct errbuf *why);

/* Read the EnvelopedData, without decrypting it (request_envelope.c).  false: why says what is wrong with it. */
bool scep_request_parse_envelope(struct scep_request *r, struct errbuf *why);

/*
 * Decrypt the envelope.  true: plaintext, which the caller wipes and frees, has the content.  false with why when it is not for
 * recipient or not well-formed under the key; recipient's key was used once all the same.
 */
bool scep_request_decrypt(const struct scep_request *r, const struct scep_recipient *recipient,
    struct buffer *plaintext, struct errbuf *why);

/*
 * Parse what a message of this type asks for, once decrypted (request_content.c): CertPoll, or else GetCert and GetCRL.  out is
 * zeroed before; the caller frees it, also after false, and finds nothing in it then.
 */
bool scep_query_content_parse(
    int message_type, struct octets der, struct scep_query_content *out, struct errbuf *why);

#endif
