/* ocsp_fixture.h: for the tests of shared/pki/ocsp: a CA with a delegated responder and a device, and requests by OpenSSL. */
#ifndef UNIT_OCSP_FIXTURE_H
#define UNIT_OCSP_FIXTURE_H

#include <openssl/ocsp.h>

#include "pki/ocsp.h"

struct ocsp_fixture {
	struct certificate ca;
	struct certificate other_ca; /* the same key under another name */
	struct certificate device;
	X509 *ca_x509;
	X509 *device_x509;
	struct ocsp_responder responder; /* RSA */
	struct ocsp_responder ec_responder;
};

/* Certificates are valid from a day before now on. */
void ocsp_fixture_open(struct ocsp_fixture *f, int64_t now);
void ocsp_fixture_close(struct ocsp_fixture *f);

/* Append a request for the device, by the digest's name, and for count - 1 serials from 1 on. */
void ocsp_fixture_request(
    const struct ocsp_fixture *f, const char *digest, int count, int nonce_len, struct buffer *out);
/* The CertID of the device by OpenSSL; the caller frees it. */
OCSP_CERTID *ocsp_fixture_id(const struct ocsp_fixture *f, const char *digest);
/* Append the DER of a request that is freed. */
void ocsp_fixture_encode(OCSP_REQUEST *request, struct buffer *out);

#endif
