#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "scep/client.h"
#include "tests/unit/scep_message.h"
#include "tests/vectors/scep_keys.h"

#define NOW 1795392000 /* 2026-11-23 */

static EVP_PKEY *
key_of(const uint8_t *der, size_t len)
{
	const uint8_t *p = der;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)len);

	assert_non_null(key);
	return key;
}

static void
read_party(struct scep_party *p, struct octets der)
{
	const uint8_t *at = der.data;
	struct errbuf why = {0};

	if (!certificate_parse(der, &p->certificate, &why))
		fail_msg("%s", why.line);
	p->x509 = d2i_X509(NULL, &at, (long)der.len);
	assert_non_null(p->x509);
}

static void
make_name(struct buffer *out)
{
	X509_NAME *n = X509_NAME_new();
	uint8_t *der = NULL;
	int len;

	X509_NAME_add_entry_by_txt(n, "O", MBSTRING_ASC, (const uint8_t *)"Test", -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const uint8_t *)"device", -1, -1, 0);
	len = i2d_X509_NAME(n, &der);
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	X509_NAME_free(n);
}

void
scep_make_csr(EVP_PKEY *key, const char *challenge, struct buffer *out)
{
	struct buffer name = {0};
	struct errbuf why = {0};

	make_name(&name);
	if (!scep_client_csr(key, buffer_octets(&name), octets_of(NULL, 0), challenge, out, &why))
		fail_msg("%s", why.line);
	buffer_free(&name);
}

void
scep_make_party(struct scep_party *p, EVP_PKEY *key, struct octets serial, bool ski)
{
	X509 *x = X509_new();
	const uint8_t *at;
	uint8_t integer[128], id[20] = {1, 2, 3, 4, 5}, *der = NULL;
	ASN1_OCTET_STRING *o = ASN1_OCTET_STRING_new();
	struct buffer name = {0};
	X509_NAME *subject;
	ASN1_INTEGER *n;
	struct der d;
	int len;

	p->key = key;
	make_name(&name);
	at = name.data;
	subject = d2i_X509_NAME(NULL, &at, (long)name.len);
	X509_set_version(x, X509_VERSION_3);
	X509_set_subject_name(x, subject);
	X509_set_issuer_name(x, subject);
	der_start(&d, integer, sizeof(integer));
	der_element(&d, DER_INTEGER, serial);
	at = der_octets(&d).data;
	n = d2i_ASN1_INTEGER(NULL, &at, (long)der_octets(&d).len);
	assert_non_null(n);
	X509_set_serialNumber(x, n);
	ASN1_INTEGER_free(n);
	ASN1_TIME_set(X509_getm_notBefore(x), NOW - 3600);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW + 86400);
	X509_set_pubkey(x, key);
	ASN1_OCTET_STRING_set(o, id, sizeof(id));
	if (ski)
		X509_add1_ext_i2d(x, NID_subject_key_identifier, o, 0, 0);
	assert_true(X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
	len = i2d_X509(x, &der);
	assert_true(len > 0);
	read_party(p, octets_of(der, (size_t)len));
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(o);
	X509_NAME_free(subject);
	X509_free(x);
	buffer_free(&name);
}

void
scep_free_party(struct scep_party *p)
{
	X509_free(p->x509);
	certificate_free(&p->certificate);
	memset(p, 0, sizeof(*p));
}

void
scep_world_open(struct scep_world *w)
{
	static const uint8_t one[] = {1}, two[] = {2}, three[] = {3}, four[] = {4};

	memset(w, 0, sizeof(*w));
	w->ra.key = key_of(scep_key_ra, sizeof(scep_key_ra));
	read_party(&w->ra, octets_of(scep_ra_certificate, sizeof(scep_ra_certificate)));
	scep_make_party(
	    &w->device, key_of(scep_key_device, sizeof(scep_key_device)), octets_of(one, 1), false);
	scep_make_party(
	    &w->other, key_of(scep_key_other, sizeof(scep_key_other)), octets_of(two, 1), true);
	scep_make_party(
	    &w->ec, key_of(scep_key_ec, sizeof(scep_key_ec)), octets_of(three, 1), false);
	scep_make_party(
	    &w->ed, key_of(scep_key_ed, sizeof(scep_key_ed)), octets_of(four, 1), false);
	scep_make_csr(w->device.key, "a challenge", &w->csr);
	w->recipient = (struct scep_recipient){&w->ra.certificate, w->ra.x509, w->ra.key};
	w->responder = (struct scep_responder){&w->ra.certificate, w->ra.key};
}

void
scep_world_close(struct scep_world *w)
{
	struct scep_party *all[] = {&w->ra, &w->device, &w->other, &w->ec, &w->ed};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		EVP_PKEY_free(all[i]->key);
		scep_free_party(all[i]);
	}
	buffer_free(&w->csr);
}

static void
envelope(X509 *recipient, const EVP_CIPHER *cipher, OSSL_LIB_CTX *libctx, struct octets content,
    bool oaep, struct buffer *out)
{
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
	unsigned int flags = CMS_BINARY | CMS_PARTIAL | (oaep ? CMS_KEY_PARAM : 0);
	CMS_ContentInfo *cms = CMS_encrypt_ex(NULL, NULL, cipher, flags, libctx, NULL);
	CMS_RecipientInfo *ri;
	uint8_t *der = NULL;
	int len;

	assert_non_null(cms);
	ri = CMS_add1_recipient_cert(cms, recipient, flags);
	assert_non_null(ri);
	if (oaep)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
				     CMS_RecipientInfo_get0_pkey_ctx(ri), RSA_PKCS1_OAEP_PADDING),
		    1);
	assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_true(len > 0);
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

void
scep_make_envelope(
    X509 *recipient, enum pki_cipher cipher, struct octets content, bool oaep, struct buffer *out)
{
	envelope(recipient, pki_cipher_evp(cipher), cipher == PKI_DES ? pki_legacy_libctx() : NULL,
	    content, oaep, out);
}

void
scep_make_foreign_envelope(
    X509 *recipient, const char *cipher, struct octets content, struct buffer *out)
{
	envelope(recipient, EVP_get_cipherbyname(cipher), NULL, content, false, out);
}
