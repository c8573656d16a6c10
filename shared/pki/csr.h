/* csr.h: a PKCS#10 request (RFC 2986), parsed by a template that leaves subject and key opaque. */
#ifndef PKI_CSR_H
#define PKI_CSR_H

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/public_key.h"

#define CSR_MAX 32768 /* octets of DER accepted */

/* All slices live as long as the csr. */
struct csr {
	struct octets der;     /* exactly the request; our copy */
	struct octets info;    /* CertificationRequestInfo as it was signed */
	struct octets subject; /* Name, DER */
	struct octets spki;
	enum pki_digest digest; /* of its signature; NONE when unknown, and with EdDSA */
	struct octets signature;
	struct octets signature_oid;
	struct public_key key;

	/* challengePassword as attribute, or inside the extensionRequest (some clients). */
	bool has_challenge;
	/* As UTF-8, whatever string type it had; NUL-free; may be empty; wiped with the csr. */
	struct octets challenge;

	struct octets san;	 /* GeneralNames, DER; empty without */
	struct octets key_usage; /* the extension's value as asked, DER; empty without */
	struct octets eku;	 /* likewise */
	/* Microsoft's extensions' values, not looked at; data NULL without: 1.3.6.1.4.1.311.25.2, .20.2, .21.7 */
	struct octets microsoft_sid;
	struct octets microsoft_template_name;
	struct octets microsoft_template;
	bool wants_ca;	/* basicConstraints with CA:TRUE, or keyCertSign or cRLSign in keyUsage */
	int extensions; /* how many were asked for */

	struct csr_template *owned;
};

/*
 * Parse exactly one request of len octets at der (der is not kept).  true with *out filled; false with why and *out zeroed.
 * Checks form only: duplicate attributes or extensions of one type, more than 64 attributes or extensions, a challenge over 16 KiB, and
 * trailing octets are faults of form.  Nothing is verified.
 */
bool csr_parse(const uint8_t *der, size_t len, struct csr *out, struct errbuf *why);
void csr_free(struct csr *csr); /* wipes the challenge; zeroes it */

/*
 * The self-signature: proof of possession (RFC 8894 2.3).  false when it does not hold or its algorithm is not one of ours.  EdDSA is one:
 * that its keys get no certificate may be told only to who has one.
 */
bool csr_verify(const struct csr *csr, struct errbuf *why);

#endif
