/* crl.h: certificate revocation lists, version 2 (RFC 5280 section 5): writing long ones quickly, and reading one. */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/certificate.h"
#include "pki/signer.h"

#define CRL_SERIAL_MAX	     20 /* octets, without leading zeros: RFC 5280 4.1.2.2 */
/*
 * Octets that are read; of what is written nothing but memory is the limit, which is some 40 octets an entry: about four times that while
 * it is signed.
 */
#define CRL_MAX		     (64 * 1024 * 1024)

/* CRLReason (RFC 5280 5.3.1).  7 is not used, and removeFromCRL is for delta CRLs, which there are none of here. */
#define CRL_UNSPECIFIED	     0
#define CRL_CERTIFICATE_HOLD 6
#define CRL_REMOVE_FROM_CRL  8
#define CRL_REASON_LAST	     10

/* keyCompromise, … in any case; -1 for anything else, and for removeFromCRL, which cannot be set. */
int crl_reason_of_text(const char *text);
/* Whether it is 1 to 10, and neither 7 nor removeFromCRL. */
bool crl_reason_can_be_set(int reason);
/* "?" for a number that has no name. */
const char *crl_reason_text(int reason);

struct crl_builder;

/* The caller frees it by crl_free(); NULL with why: out of memory. */
struct crl_builder *crl_start(struct errbuf *why);

/*
 * One entry more; nothing is sorted, and nothing is looked at twice: a serial that is added twice is in the list twice.  serial: the
 * number's octets, big-endian, without a sign; leading zeros are dropped, and what is left has at most CRL_SERIAL_MAX octets.  revoked_at
 * in seconds since 1970.  reason: 1 to 10 goes in as the reasonCode, 0 or less as none (5.3.1).  What does not fit makes crl_sign() fail.
 */
void crl_add(struct crl_builder *b, struct octets serial, int64_t revoked_at, int reason);
int64_t crl_count(const struct crl_builder *b);

/*
 * Sign the list by s, which has ca's key, and append its DER to out: issuer and authorityKeyIdentifier are ca's (without a
 * subjectKeyIdentifier there the AKI is RFC 5280 4.2.1.2 method 1 over its key), cRLNumber is number (0 or more), next_update lies behind
 * this_update.  The builder keeps its entries.  false with why; out is then as it was.  Not looked at: whether ca is valid now.
 */
bool crl_sign(struct crl_builder *b, const struct certificate *ca, struct signer *s, int64_t number,
    int64_t this_update, int64_t next_update, struct buffer *out, struct errbuf *why);
void crl_free(struct crl_builder *b);

/* One that was read; by OpenSSL, at some hundred octets of memory an entry.  Slices live as long as it. */
struct crl {
	struct octets issuer; /* Name, DER */
	int64_t number;	      /* -1: without, or above 2^63 */
	int64_t this_update;  /* seconds since 1970 */
	int64_t next_update;  /* 0: without */
	int64_t count;
	X509_CRL *owned;
};

/* Exactly one CertificateList of at most CRL_MAX octets; der is not kept.  Form alone; false with why, and *out zeroed. */
bool crl_parse(struct octets der, struct crl *out, struct errbuf *why);
void crl_parsed_free(struct crl *crl); /* zeroes it */
/* Whether ca's key signed it, its issuer is ca's subject, and ca may sign CRLs (its keyUsage, if it has one); no times. */
bool crl_verify(const struct crl *crl, const struct certificate *ca, struct errbuf *why);
/* Whether the serial (as for crl_add) is in it; then *revoked_at and *reason (0: none) say how. */
bool crl_find(const struct crl *crl, struct octets serial, int64_t *revoked_at, int *reason);

#endif
