/* authority.h: making CA and RA certificates and the requests for them: not the hot path. */
#ifndef PKI_AUTHORITY_H
#define PKI_AUTHORITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "pki/certificate.h"
#include "pki/signer.h"

/* A self-signed CA certificate: keyCertSign, cRLSign, digitalSignature; path length as given (-1: none).  Appends DER. */
bool authority_self_sign(struct signer *s, struct octets subject, int64_t not_before,
    int64_t not_after, int path_length, struct buffer *out, struct errbuf *why);

/* A PKCS#10 request for a subordinate CA (basicConstraints CA:TRUE and keyUsage asked for).  Appends DER. */
bool authority_request(
    struct signer *s, struct octets subject, struct buffer *out, struct errbuf *why);

/*
 * Any certificate that a CA of ours signs outside enrolment (RA, TLS server): fields as given, but for what is the CA's to say: a fresh
 * serial, the issuer, the AKI, and times cut to the CA's own.  Appends DER; f then has what was written.
 */
bool authority_issue(const struct certificate *ca, struct signer *s, struct certificate_fields *f,
    struct buffer *out, struct errbuf *why);

/* 128 random bits. */
bool authority_serial(uint8_t serial[16], struct errbuf *why);

/*
 * Check a chain for import: certs[0] is the CA's, has the key's public key, is a CA with keyCertSign, each is signed by the next,
 * the last is self-signed (or the chain ends at a subordinate with `partial`), all in time at now.  false with why naming which and what.
 */
bool authority_check_chain(const struct certificate *certs, int count, struct octets spki,
    int64_t now, bool partial, struct errbuf *why);

/* Append the DER of each CERTIFICATE in a PEM file to out[], at most max; count or -1 with why.  Each buffer is the caller's. */
int pem_read_certificates(const char *path, struct buffer *out, int max, struct errbuf *why);
/* Append PEM of one DER object under label ("CERTIFICATE", "CERTIFICATE REQUEST"). */
bool pem_write(const char *label, struct octets der, struct buffer *out);

#endif
