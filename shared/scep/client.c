#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "scep/client_parts.h"
#include "scep/oid.h"

#define SERIAL_SIZE	 16
#define NAMES_FRAME	 16 /* tags and lengths around two elements */
#define SELF_SIGNED_BACK (60L * 60)
#define SELF_SIGNED_DAYS (7L * 24 * 60 * 60)

static X509_NAME *
name_of(struct octets der)
{
	const uint8_t *p = der.data;
	X509_NAME *n = d2i_X509_NAME(NULL, &p, (long)der.len);

	if (n != NULL && p == der.data + der.len)
		return n;
	X509_NAME_free(n);
	return NULL;
}

/* The extensionRequest with a subjectAltName (RFC 2985 5.4.2). */
static bool
add_san(X509_REQ *req, struct octets san)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	X509_EXTENSION *extension = NULL;
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	bool held = value != NULL && ASN1_OCTET_STRING_set(value, san.data, (int)san.len) == 1 &&
		    (extension = X509_EXTENSION_create_by_NID(
			 NULL, NID_subject_alt_name, 0, value)) != NULL &&
		    X509v3_add_ext(&extensions, extension, -1) != NULL &&
		    X509_REQ_add_extensions(req, extensions) == 1;

	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
	return held;
}

bool
scep_client_csr(EVP_PKEY *key, struct octets subject, struct octets san, const char *challenge,
    struct buffer *out, struct errbuf *why)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = name_of(subject);
	uint8_t *der = NULL;
	int len = -1;

	if (req == NULL || name == NULL || X509_REQ_set_subject_name(req, name) != 1 ||
	    X509_REQ_set_pubkey(req, key) != 1)
		goto done;
	if (challenge != NULL &&
	    X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_UTF8,
		(const uint8_t *)challenge, (int)strlen(challenge)) != 1)
		goto done;
	if (san.len > 0 && !add_san(req, san))
		goto done;
	if (X509_REQ_sign(req, key, pki_digest_md(PKI_SHA256)) > 0)
		len = i2d_X509_REQ(req, &der);
done:
	if (len > 0)
		buffer_append(out, der, (size_t)len);
	else
		errbuf_ossl(why, "CSR: cannot be made");
	OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
	X509_NAME_free(name);
	X509_REQ_free(req);
	return len > 0 && !out->failed;
}

static bool
set_serial(X509 *x509)
{
	uint8_t serial[SERIAL_SIZE];
	BIGNUM *n = NULL;
	bool held;

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return false;
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	n = BN_bin2bn(serial, sizeof(serial), NULL);
	held = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x509)) != NULL;
	BN_free(n);
	return held;
}

/* RFC 8894 2.3: it signs the message, and an RSA key opens the reply.  The bits as in RFC 5280 4.2.1.3. */
static bool
set_key_usage(X509 *x509, EVP_PKEY *key)
{
	ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();
	bool held = usage != NULL && ASN1_BIT_STRING_set_bit(usage, 0, 1) == 1 &&
		    ASN1_BIT_STRING_set_bit(usage, 2, EVP_PKEY_is_a(key, "RSA")) == 1 &&
		    X509_add1_ext_i2d(x509, NID_key_usage, usage, 1, X509V3_ADD_DEFAULT) == 1;

	ASN1_BIT_STRING_free(usage);
	return held;
}

bool
scep_client_self_signed(
    EVP_PKEY *key, struct octets subject, int64_t now, struct buffer *out, struct errbuf *why)
{
	X509 *x509 = X509_new();
	X509_NAME *name = name_of(subject);
	uint8_t *der = NULL;
	int len = -1;

	if (x509 != NULL && name != NULL && X509_set_version(x509, X509_VERSION_3) == 1 &&
	    set_serial(x509) && X509_set_subject_name(x509, name) == 1 &&
	    X509_set_issuer_name(x509, name) == 1 &&
	    ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)(now - SELF_SIGNED_BACK)) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)(now + SELF_SIGNED_DAYS)) != NULL &&
	    X509_set_pubkey(x509, key) == 1 && set_key_usage(x509, key) &&
	    X509_sign(x509, key, pki_digest_md(PKI_SHA256)) > 0)
		len = i2d_X509(x509, &der);
	if (len > 0)
		buffer_append(out, der, (size_t)len);
	else
		errbuf_ossl(why, "self-signed certificate: cannot be made");
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_free(x509);
	return len > 0 && !out->failed;
}

/* SEQUENCE { issuer, part } */
static bool
encode_names(struct octets issuer, uint8_t tag, struct octets part, struct buffer *out)
{
	size_t size = issuer.len + part.len + NAMES_FRAME;
	uint8_t *room = malloc(size);
	struct octets der;
	struct der d;

	if (room == NULL)
		return false;
	der_start(&d, room, size);
	if (tag == DER_INTEGER)
		der_element(&d, tag, part);
	else
		der_raw(&d, part);
	der_raw(&d, issuer);
	der_wrap(&d, DER_SEQUENCE, 0);
	der = der_octets(&d);
	buffer_append(out, der.data, der.len);
	free(room);
	return !d.failed && !out->failed;
}

bool
scep_client_issuer_and_subject(struct octets issuer, struct octets subject, struct buffer *out)
{
	return encode_names(issuer, DER_SEQUENCE, subject, out);
}

bool
scep_client_issuer_and_serial(struct octets issuer, struct octets serial, struct buffer *out)
{
	return encode_names(issuer, DER_INTEGER, serial, out);
}

/* The DER of the EnvelopedData around content (RFC 8894 3.2.2), in a BIO; NULL on failure. */
static BIO *
encode_envelope(const struct scep_client_message *m)
{
	OSSL_LIB_CTX *libctx = m->cipher == PKI_DES ? pki_legacy_libctx() : NULL;
	BIO *in = BIO_new_mem_buf(m->content.data, (int)m->content.len);
	BIO *out = BIO_new(BIO_s_mem());
	STACK_OF(X509) *recipients = sk_X509_new_null();
	X509 *x509 = scep_client_x509(m->recipient);
	CMS_ContentInfo *cms = NULL;
	bool held = false;

	if (in != NULL && out != NULL && recipients != NULL && x509 != NULL &&
	    sk_X509_push(recipients, x509) > 0 && pki_cipher_evp(m->cipher) != NULL)
		cms = CMS_encrypt_ex(
		    recipients, in, pki_cipher_evp(m->cipher), CMS_BINARY, libctx, NULL);
	held = cms != NULL && i2d_CMS_bio(out, cms) == 1;
	CMS_ContentInfo_free(cms);
	sk_X509_free(recipients);
	X509_free(x509);
	BIO_free(in);
	if (held)
		return out;
	BIO_free(out);
	return NULL;
}

static bool
add_attribute(CMS_SignerInfo *si, struct octets oid, int type, struct octets value)
{
	ASN1_OBJECT *o =
	    ASN1_OBJECT_create(NID_undef, (uint8_t *)(uintptr_t)oid.data, (int)oid.len, NULL, NULL);
	bool held =
	    o != NULL && CMS_signed_add1_attr_by_OBJ(si, o, type, value.data, (int)value.len) == 1;

	ASN1_OBJECT_free(o);
	return held;
}

static bool
add_attributes(CMS_SignerInfo *si, const struct scep_client_message *m)
{
	struct octets id = octets_of_string(m->transaction_id);
	char type[12];
	int id_type = ASN1_PRINTABLE_type(id.data, (int)id.len) == V_ASN1_PRINTABLESTRING
			  ? V_ASN1_PRINTABLESTRING
			  : V_ASN1_UTF8STRING;

	BIO_snprintf(type, sizeof(type), "%d", m->message_type);
	return add_attribute(si, scep_oid_transaction_id, id_type, id) &&
	       add_attribute(
		   si, scep_oid_message_type, V_ASN1_PRINTABLESTRING, octets_of_string(type)) &&
	       add_attribute(si, scep_oid_sender_nonce, V_ASN1_OCTET_STRING,
		   octets_of(m->sender_nonce, sizeof(m->sender_nonce)));
}

bool
scep_client_encode(struct scep_client_message *m, struct buffer *out, struct errbuf *why)
{
	bool enveloped = m->content.len > 0;
	unsigned int flags = CMS_BINARY | CMS_PARTIAL | (enveloped ? 0 : CMS_DETACHED);
	BIO *content = enveloped ? encode_envelope(m) : BIO_new(BIO_s_mem());
	X509 *signer = scep_client_x509(m->signer);
	CMS_ContentInfo *cms = NULL;
	CMS_SignerInfo *si = NULL;
	uint8_t *der = NULL;
	int len = -1;

	if (content != NULL && signer != NULL &&
	    RAND_bytes(m->sender_nonce, sizeof(m->sender_nonce)) == 1 &&
	    pki_digest_md(m->digest) != NULL)
		cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	if (cms != NULL)
		si = CMS_add1_signer(
		    cms, signer, m->key, pki_digest_md(m->digest), CMS_PARTIAL | CMS_NOSMIMECAP);
	if (si != NULL && add_attributes(si, m) && CMS_final(cms, content, NULL, flags) == 1)
		len = i2d_CMS_ContentInfo(cms, &der);
	if (len > 0)
		buffer_append(out, der, (size_t)len);
	else
		errbuf_ossl(why, "%s: cannot be made", scep_message_type_name(m->message_type));
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	X509_free(signer);
	BIO_free(content);
	return len > 0 && !out->failed;
}
