/* pki_request.h: for the tests of shared/pki: keys, pieces of DER and CSRs that can be wrong in one place. */
#ifndef UNIT_PKI_REQUEST_H
#define UNIT_PKI_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "base/octets.h"

/* Keys of the process, made at first use, never freed by a caller. */
EVP_PKEY *pki_rsa_key(void);
EVP_PKEY *pki_other_rsa_key(void);
EVP_PKEY *pki_ec_key(void);
EVP_PKEY *pki_ed_key(void); /* Ed25519 */
EVP_PKEY *pki_ed448_key(void);
void pki_free_keys(void);

/* Append a TLV. */
void pki_tlv(struct buffer *out, uint8_t tag, const void *content, size_t len);
void pki_tlv_string(struct buffer *out, uint8_t tag, const char *content);
/* The same around content, which is freed. */
void pki_wrap(struct buffer *out, uint8_t tag, struct buffer *content);
/* The same in BER of indefinite length. */
void pki_wrap_indefinite(struct buffer *out, uint8_t tag, struct buffer *content);
void pki_oid(struct buffer *out, const char *dotted);

/* Append an Attribute with one value, which is freed. */
void pki_attribute(struct buffer *out, const char *oid, struct buffer *value);
/* Append an Extension, not critical, with the content of its OCTET STRING, which is freed. */
void pki_extension(struct buffer *out, const char *oid, struct buffer *value);

/*
 * Append a CSR by key for a subject ("CN=x") with these Attribute elements (freed; NULL: no [0] at all).  Signed by SHA-256, or as
 * EdDSA does.
 */
void pki_csr(struct buffer *out, EVP_PKEY *key, const char *subject, struct buffer *attributes);
/* The parts alone: CertificationRequestInfo with a subject and SPKI as they are, and the request around an info. */
void pki_csr_info(
    struct buffer *out, struct octets subject, struct octets spki, struct buffer *attributes);
void pki_csr_sign(struct buffer *out, EVP_PKEY *key, const char *algorithm, struct octets info);

/* Append the SPKI of a key, by OpenSSL. */
void pki_spki(struct buffer *out, EVP_PKEY *key);

/* Write DIR/NAME; PEM where there is a label. */
void pki_write_file(const char *dir, const char *name, const char *label, struct octets content);

#define PKI_CHALLENGE	      "1.2.840.113549.1.9.7"
#define PKI_EXTENSION_REQUEST "1.2.840.113549.1.9.14"
#define PKI_MS_EXTENSIONS     "1.3.6.1.4.1.311.2.1.14"
#define PKI_SAN		      "2.5.29.17"
#define PKI_KEY_USAGE	      "2.5.29.15"
#define PKI_EKU		      "2.5.29.37"
#define PKI_BASIC_CONSTRAINTS "2.5.29.19"

#endif
