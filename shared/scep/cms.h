/*
 * cms.h: the shape of SignedData and EnvelopedData (RFC 5652) as templates for OpenSSL's ASN.1 decoder; for this room alone.
 *
 * Object identifiers, serial numbers, names and certificates stay raw octets, so that nothing of a stranger's is interpreted
 * before somebody asks, and no public key is decoded on the way (100 us each).  OpenSSL's decoder takes BER: indefinite lengths, and
 * strings in pieces.
 */
#ifndef SCEP_CMS_H
#define SCEP_CMS_H

#include <openssl/asn1.h>
#include <openssl/asn1t.h>

#include "base/octets.h"

typedef STACK_OF(ASN1_TYPE) cms_anys;

typedef struct cms_algorithm {
	ASN1_STRING oid; /* content octets, here and below */
	ASN1_TYPE *parameters;
} cms_algorithm;

typedef struct cms_issuer_serial {
	ASN1_STRING issuer; /* Name, DER */
	ASN1_STRING serial; /* content octets of the INTEGER */
} cms_issuer_serial;

/* What a CertPoll holds (RFC 8894 3.3.3). */
typedef struct cms_issuer_subject {
	ASN1_STRING issuer;
	ASN1_STRING subject;
} cms_issuer_subject;

/* SignerIdentifier and RecipientIdentifier are the same CHOICE. */
typedef struct cms_identifier {
	int type; /* 0: issuer_serial, 1: ski */
	union {
		cms_issuer_serial *issuer_serial;
		ASN1_STRING *ski;
	} value;
} cms_identifier;

typedef struct cms_attribute {
	ASN1_STRING oid;
	cms_anys *values;
} cms_attribute;
DEFINE_STACK_OF(cms_attribute)
typedef STACK_OF(cms_attribute) cms_attributes;

typedef struct cms_signer_info {
	ASN1_STRING version;
	cms_identifier *sid;
	cms_algorithm digest;
	ASN1_STRING signed_attributes; /* the whole element, [0] IMPLICIT */
	cms_algorithm signature_algorithm;
	ASN1_STRING signature;
	ASN1_STRING *unsigned_attributes;
} cms_signer_info;
DEFINE_STACK_OF(cms_signer_info)
typedef STACK_OF(cms_signer_info) cms_signer_infos;

typedef struct cms_signed_content {
	ASN1_STRING type;
	ASN1_STRING *content; /* NULL: absent */
} cms_signed_content;

typedef struct cms_signed_data {
	ASN1_STRING version;
	cms_anys *digests;
	cms_signed_content encap;
	cms_anys *certificates; /* NULL: absent */
	cms_anys *crls;
	cms_signer_infos *signers;
} cms_signed_data;

/* ContentInfo with a SignedData in it. */
typedef struct cms_signed {
	ASN1_STRING type;
	cms_signed_data *signed_data;
} cms_signed;

typedef struct cms_key_trans {
	ASN1_STRING version;
	cms_identifier *rid;
	cms_algorithm key_encryption;
	ASN1_STRING encrypted_key;
} cms_key_trans;

typedef struct cms_encrypted_content {
	ASN1_STRING type;
	cms_algorithm cipher;
	ASN1_STRING *content; /* NULL: absent */
} cms_encrypted_content;

typedef struct cms_enveloped_data {
	ASN1_STRING version;
	ASN1_STRING *originator;
	/* A KeyTransRecipientInfo is the one that is a SEQUENCE. */
	cms_anys *recipients;
	cms_encrypted_content encrypted;
	ASN1_STRING *unprotected;
} cms_enveloped_data;

/* ContentInfo with an EnvelopedData in it. */
typedef struct cms_enveloped {
	ASN1_STRING type;
	cms_enveloped_data *enveloped_data;
} cms_enveloped;

/*
 * Each parses exactly one element with nothing behind it; NULL, with or without a reason in OpenSSL's error queue, for anything
 * else.  What comes back is a copy that the caller frees; freeing NULL is fine.
 */
cms_signed *cms_signed_parse(struct octets der);
void cms_signed_free(cms_signed *s);
cms_enveloped *cms_enveloped_parse(struct octets der);
void cms_enveloped_free(cms_enveloped *e);
cms_key_trans *cms_key_trans_parse(struct octets der);
void cms_key_trans_free(cms_key_trans *k);
cms_issuer_serial *cms_issuer_serial_parse(struct octets der);
void cms_issuer_serial_free(cms_issuer_serial *i);
cms_issuer_subject *cms_issuer_subject_parse(struct octets der);
void cms_issuer_subject_free(cms_issuer_subject *i);

/* A SET OF Attribute. */
cms_attributes *cms_attributes_parse(struct octets der);
void cms_attributes_free(cms_attributes *a);
/* Its DER, elements sorted; the caller frees *out with OPENSSL_free.  The length, or -1. */
int cms_attributes_encode(cms_attributes *a, uint8_t **out);

#endif
