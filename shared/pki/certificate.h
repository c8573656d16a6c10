/* certificate.h: reading what is needed of an X.509 certificate by a template that leaves names and key opaque; encoding and signing one. */
#ifndef PKI_CERTIFICATE_H
#define PKI_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/der.h"
#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/algorithm.h"
#include "pki/signer.h"

/* Slices live as long as the certificate. */
struct certificate {
	struct octets der;
	struct octets tbs; /* as signed */
	/* Content octets of the INTEGER as they came (may start with 00, or be negative). */
	struct octets serial;
	struct octets issuer; /* Name, DER */
	struct octets subject;
	struct octets spki;
	int64_t not_before; /* seconds since 1970 */
	int64_t not_after;
	struct octets ski;	     /* subjectKeyIdentifier, empty without */
	struct octets aki;	     /* keyIdentifier of the AKI, empty without */
	bool ca;		     /* basicConstraints CA:TRUE */
	int key_usage;		     /* bit n of KeyUsage is 1 << n; -1 without the extension */
	struct octets san;	     /* subjectAltName's value, not looked at; empty without */
	struct octets microsoft_sid; /* likewise: 1.3.6.1.4.1.311.25.2 */
	enum pki_digest digest;	     /* of the signature, NONE if unknown */
	struct octets signature;

	struct certificate_template *owned;
};

#define CERTIFICATE_MAX 32768

/* Parse exactly one certificate; der is not kept.  Form only; nothing is verified. */
bool certificate_parse(struct octets der, struct certificate *out, struct errbuf *why);
void certificate_free(struct certificate *c);

/* issuer equals subject, octet for octet. */
bool certificate_is_self_issued(const struct certificate *c);
/* Signed by the key of issuer, and its names fit; not time, not constraints. */
bool certificate_verify(
    const struct certificate *c, const struct certificate *issuer, struct errbuf *why);

/* KeyUsage bits as RFC 5280 4.2.1.3 numbers them. */
#define KEY_USAGE_DIGITAL_SIGNATURE (1 << 0)
#define KEY_USAGE_NON_REPUDIATION   (1 << 1)
#define KEY_USAGE_KEY_ENCIPHERMENT  (1 << 2)
#define KEY_USAGE_DATA_ENCIPHERMENT (1 << 3)
#define KEY_USAGE_KEY_AGREEMENT	    (1 << 4)
#define KEY_USAGE_KEY_CERT_SIGN	    (1 << 5)
#define KEY_USAGE_CRL_SIGN	    (1 << 6)
/* The value of the extension (a BIT STRING in DER) to bits; false when it is none. */
bool key_usage_parse(struct octets value, int *bits);
/* Comma-separated RFC names (digitalSignature, …) to bits and back. */
bool key_usage_of_text(const char *text, int *bits, struct errbuf *why);
/* Nothing for -1, a certificate without the extension. */
void key_usage_to_text(int bits, struct buffer *out);
/*
 * Comma-separated clientAuth, serverAuth, emailProtection, codeSigning, ipsecEndSystem, smartcardLogon, OCSPSigning, anyEKU or dotted OIDs
 * to the DER of ExtKeyUsageSyntax; "" gives nothing.  Who gets OCSPSigning speaks for the CA (RFC 6960 4.2.2.2).
 */
bool eku_of_text(const char *text, struct buffer *out, struct errbuf *why);

/* What goes into a certificate; every slice is borrowed for the call. */
struct certificate_fields {
	uint8_t serial[16];   /* random; encoded as a positive INTEGER */
	struct octets issuer; /* Name, DER */
	int64_t not_before;
	int64_t not_after;
	struct octets subject;	  /* Name, DER */
	struct octets spki;	  /* DER, spliced in as it is */
	struct octets issuer_ski; /* becomes the AKI; empty: none */
	bool ca; /* basicConstraints CA:TRUE; otherwise the extension says CA:FALSE (critical) */
	int path_length;   /* with ca; -1: none */
	int key_usage;	   /* bits; 0: no extension.  Critical */
	struct octets eku; /* ExtKeyUsageSyntax DER; empty: none */
	struct octets san; /* GeneralNames DER; empty: none.  Critical where the subject is empty */
	const char *crl_url;  /* NULL or "": no distribution point */
	const char *ocsp_url; /* NULL or "": no AIA */
	struct octets extra; /* further Extension elements, DER, one after the other; empty: none */
};

/*
 * For extra: the Extension id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1), by which nobody asks whether the OCSP responder's own certificate
 * is revoked.
 */
extern const struct octets certificate_ocsp_nocheck;

/*
 * Encode the TBSCertificate (version 3, SKI by RFC 5280 4.2.1.2 method 1), sign it and append the certificate's DER to out.
 * false with why when a field does not fit or signing fails.
 */
bool certificate_issue(
    const struct certificate_fields *f, struct signer *s, struct buffer *out, struct errbuf *why);

#endif
