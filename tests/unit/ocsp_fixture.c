#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pki/authority.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "tests/unit/ocsp_fixture.h"
#include "tests/unit/pki_request.h"

#define DAY 86400

static struct errbuf why;

static X509 *
x509_of(struct octets der)
{
	const unsigned char *p = der.data;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);

	assert_non_null(x);
	return x;
}

static struct certificate
make_ca(struct signer *s, const char *name, int64_t now)
{
	struct buffer subject = {0}, der = {0};
	struct certificate c;

	assert_true(name_from_text(name, &subject, &why));
	assert_true(authority_self_sign(
	    s, buffer_octets(&subject), now - DAY, now + 365 * DAY, -1, &der, &why));
	assert_true(certificate_parse(buffer_octets(&der), &c, &why));
	buffer_free(&subject);
	buffer_free(&der);
	return c;
}

/* Issued by the CA; as a responder or as a device. */
static void
issue(const struct ocsp_fixture *f, struct signer *s, EVP_PKEY *key, bool responder,
    struct buffer *out)
{
	struct buffer subject = {0}, spki = {0}, eku = {0};
	struct certificate_fields fields = {
	    .not_before = f->ca.not_before,
	    .not_after = f->ca.not_after,
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE,
	};

	assert_true(name_from_text(responder ? "CN=Responder" : "CN=device", &subject, &why));
	assert_true(eku_of_text(responder ? "OCSPSigning" : "clientAuth", &eku, &why));
	pki_spki(&spki, key);
	fields.subject = buffer_octets(&subject);
	fields.spki = buffer_octets(&spki);
	fields.eku = buffer_octets(&eku);
	if (responder)
		fields.extra = certificate_ocsp_nocheck;
	assert_true(authority_issue(&f->ca, s, &fields, out, &why));
	buffer_free(&subject);
	buffer_free(&spki);
	buffer_free(&eku);
}

static struct ocsp_responder
make_responder(const struct ocsp_fixture *f, struct signer *s, EVP_PKEY *key)
{
	struct ocsp_responder r = {.key = key};
	struct buffer der = {0};

	issue(f, s, key, true, &der);
	r.x509 = x509_of(buffer_octets(&der));
	buffer_free(&der);
	return r;
}

void
ocsp_fixture_open(struct ocsp_fixture *f, int64_t now)
{
	struct buffer der = {0};
	struct signer *s;

	memset(f, 0, sizeof(*f));
	assert_true(signer_of_key(pki_rsa_key(), &s, &why));
	f->ca = make_ca(s, "O=Example,CN=CA", now);
	f->other_ca = make_ca(s, "O=Example,CN=Other", now);
	f->ca_x509 = x509_of(f->ca.der);
	issue(f, s, pki_ec_key(), false, &der);
	assert_true(certificate_parse(buffer_octets(&der), &f->device, &why));
	f->device_x509 = x509_of(f->device.der);
	f->responder = make_responder(f, s, pki_other_rsa_key());
	f->ec_responder = make_responder(f, s, private_key_generate("ec:P-384", &why));
	buffer_free(&der);
	signer_free(s);
}

void
ocsp_fixture_close(struct ocsp_fixture *f)
{
	X509_free(f->ca_x509);
	X509_free(f->device_x509);
	X509_free(f->responder.x509);
	X509_free(f->ec_responder.x509);
	EVP_PKEY_free(f->ec_responder.key);
	certificate_free(&f->ca);
	certificate_free(&f->other_ca);
	certificate_free(&f->device);
	pki_free_keys();
}

OCSP_CERTID *
ocsp_fixture_id(const struct ocsp_fixture *f, const char *digest)
{
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_get_digestbyname(digest), f->device_x509, f->ca_x509);

	assert_non_null(id);
	return id;
}

void
ocsp_fixture_encode(OCSP_REQUEST *request, struct buffer *out)
{
	unsigned char *der = NULL;
	int len = i2d_OCSP_REQUEST(request, &der);

	assert_true(len > 0);
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
}

void
ocsp_fixture_request(
    const struct ocsp_fixture *f, const char *digest, int count, int nonce_len, struct buffer *out)
{
	static unsigned char nonce[] =
	    "A nonce of 66 octets: 0123456789012345678901234567890123456789012";
	OCSP_REQUEST *request = OCSP_REQUEST_new();

	buffer_free(out);
	assert_true(nonce_len <= (int)sizeof(nonce));
	for (int i = 0; i < count; i++) {
		OCSP_CERTID *id = ocsp_fixture_id(f, digest);
		ASN1_INTEGER *serial;

		OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
		if (i > 0)
			ASN1_INTEGER_set(serial, i);
		assert_non_null(OCSP_request_add0_id(request, id));
	}
	if (nonce_len > 0)
		assert_int_equal(OCSP_request_add1_nonce(request, nonce, nonce_len), 1);
	ocsp_fixture_encode(request, out);
}
