/* hostile.c: building with CMS_* and X509_REQ_*, and breaking what was built. */
#include "tests/support/hostile.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OID_MESSAGE_TYPE   "2.16.840.1.113733.1.9.2"
#define OID_SENDER_NONCE   "2.16.840.1.113733.1.9.5"
#define OID_TRANSACTION_ID "2.16.840.1.113733.1.9.7"

static void
need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "hostile: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

static bool
has(const struct hostile *h, enum hostile_fault fault)
{
	return (h->faults & (unsigned)fault) != 0;
}

static X509_NAME *
make_name(const struct hostile *h)
{
	X509_NAME *name = X509_NAME_new();

	need(name != NULL, "name");
	if (!has(h, HOSTILE_NO_SUBJECT))
		need(X509_NAME_add_entry_by_txt(
			 name, "CN", MBSTRING_UTF8, (const unsigned char *)h->cn, -1, -1, 0) == 1,
		    "CN");
	return name;
}

static void
add_extension(STACK_OF(X509_EXTENSION) * list, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	need(e != NULL && sk_X509_EXTENSION_push(list, e) > 0, "extension");
}

static void
add_extensions(const struct hostile *h, X509_REQ *req)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();

	need(list != NULL, "extensions");
	if (has(h, HOSTILE_WANTS_CA)) {
		add_extension(list, NID_basic_constraints, "critical,CA:TRUE");
		add_extension(list, NID_key_usage, "critical,keyCertSign,cRLSign");
	}
	if (has(h, HOSTILE_WANTS_EKU))
		add_extension(list, NID_ext_key_usage, "serverAuth,codeSigning");
	if (sk_X509_EXTENSION_num(list) > 0)
		need(X509_REQ_add_extensions(req, list) == 1, "extensions");
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

static void
make_csr(const struct hostile *h, struct buffer *out)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = make_name(h);
	unsigned char *der = NULL;
	const EVP_MD *md = h->csr_md != NULL ? h->csr_md : EVP_sha256();
	int len = 0;

	if (EVP_PKEY_base_id(h->key) == EVP_PKEY_ED25519)
		md = NULL;

	need(req != NULL && X509_REQ_set_subject_name(req, name) == 1 &&
		 X509_REQ_set_pubkey(req, h->key) == 1,
	    "CSR");
	if (h->challenge_type != 0)
		need(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, h->challenge_type,
			 h->challenge_octets.data, (int)h->challenge_octets.len) == 1,
		    "challengePassword");
	else if (h->challenge != NULL)
		need(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_UTF8,
			 (const unsigned char *)h->challenge, -1) == 1,
		    "challengePassword");
	add_extensions(h, req);
	need(X509_REQ_sign(req, h->key, md) > 0, "CSR's signature");
	need((len = i2d_X509_REQ(req, &der)) > 0, "CSR");
	if (has(h, HOSTILE_CSR_SIGNATURE))
		der[len - 1] ^= 1;
	if (has(h, HOSTILE_CSR_GARBAGE))
		der[0] ^= 0xff;
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	X509_NAME_free(name);
	X509_REQ_free(req);
}

X509 *
hostile_self_signed(const struct hostile *h, EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_NAME_new(), *issuer = X509_NAME_new();
	const char *by = has(h, HOSTILE_FOREIGN_ISSUER) ? "somebody else" : h->cn;

	need(x != NULL && name != NULL && issuer != NULL, "signer");
	need(X509_NAME_add_entry_by_txt(
		 name, "CN", MBSTRING_UTF8, (const unsigned char *)h->cn, -1, -1, 0) == 1,
	    "signer's name");
	need(X509_NAME_add_entry_by_txt(
		 issuer, "CN", MBSTRING_UTF8, (const unsigned char *)by, -1, -1, 0) == 1,
	    "issuer's name");
	need(X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
		 X509_set_subject_name(x, name) == 1 && X509_set_issuer_name(x, issuer) == 1 &&
		 X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL &&
		 X509_gmtime_adj(X509_getm_notAfter(x), 86400) != NULL &&
		 X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0,
	    "signer");
	X509_NAME_free(name);
	X509_NAME_free(issuer);
	return x;
}

/* A recipient that the server is not: its own name, another serial number. */
static X509 *
stranger(const struct hostile *h)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *x;

	need(key != NULL, "stranger");
	x = hostile_self_signed(h, key);
	EVP_PKEY_free(key);
	return x;
}

static void
envelope(const struct hostile *h, const struct buffer *csr, struct buffer *out)
{
	STACK_OF(X509) *to = sk_X509_new_null();
	X509 *other = has(h, HOSTILE_OTHER_RECIPIENT) ? stranger(h) : NULL;
	BIO *in = BIO_new_mem_buf(csr->data, (int)csr->len);
	unsigned char *der = NULL;
	CMS_ContentInfo *cms;
	int len = 0;

	need(to != NULL && sk_X509_push(to, other != NULL ? other : h->recipient) > 0, "recipient");
	cms = CMS_encrypt(to, in, h->cipher != NULL ? h->cipher : EVP_aes_256_cbc(), CMS_BINARY);
	need(cms != NULL && (len = i2d_CMS_ContentInfo(cms, &der)) > 0, "envelope");
	if (has(h, HOSTILE_CIPHERTEXT))
		der[len - 1] ^= 1;
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	X509_free(other);
	sk_X509_free(to);
}

static void
add_signer(const struct hostile *h, CMS_ContentInfo *cms, EVP_PKEY *key, const EVP_MD *md)
{
	X509 *x = hostile_self_signed(h, key);
	char type[8];
	CMS_SignerInfo *si;

	snprintf(type, sizeof(type), "%d", h->message_type == 0 ? 19 : h->message_type);
	si = CMS_add1_signer(cms, x, key, md, CMS_PARTIAL | CMS_NOSMIMECAP | CMS_BINARY);
	need(si != NULL, "signer");
	need(CMS_signed_add1_attr_by_txt(
		 si, OID_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING, type, (int)strlen(type)) == 1,
	    "messageType");
	if (!has(h, HOSTILE_NO_NONCE))
		need(CMS_signed_add1_attr_by_txt(si, OID_SENDER_NONCE, V_ASN1_OCTET_STRING,
			 h->nonce, (int)sizeof(h->nonce)) == 1,
		    "senderNonce");
	if (!has(h, HOSTILE_NO_TRANSACTION_ID))
		need(CMS_signed_add1_attr_by_txt(si, OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING,
			 h->transaction_id, (int)strlen(h->transaction_id)) == 1,
		    "transactionID");
	X509_free(x);
}

static void
sign(const struct hostile *h, const struct buffer *content, struct buffer *out)
{
	BIO *in = BIO_new_mem_buf(content->data, (int)content->len);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY);
	EVP_PKEY *other = has(h, HOSTILE_OTHER_SIGNER) ? EVP_RSA_gen(2048) : NULL;
	EVP_PKEY *own = h->signer != NULL ? h->signer : h->key;
	const EVP_MD *md = h->md != NULL ? h->md : EVP_sha256();
	unsigned char *der = NULL, *inner;
	int len = 0;

	need(cms != NULL && in != NULL, "SignedData");
	add_signer(h, cms, other != NULL ? other : own, md);
	if (has(h, HOSTILE_TWO_SIGNERS)) {
		struct hostile second = *h;

		second.cn = "second signer";
		add_signer(&second, cms, h->key, EVP_sha512());
	}
	need(CMS_final(cms, in, NULL, CMS_BINARY) == 1, "signature");
	need((len = i2d_CMS_ContentInfo(cms, &der)) > 0, "SignedData");
	if (has(h, HOSTILE_SIGNATURE))
		der[len - 1] ^= 1;
	if (has(h, HOSTILE_CONTENT)) {
		inner = memmem(der, (size_t)len, content->data, content->len);
		need(inner != NULL, "content");
		inner[content->len - 1] ^= 1;
	}
	buffer_append(out, der, (size_t)len);
	if (has(h, HOSTILE_TRAILING))
		buffer_append(out, "", 1);
	OPENSSL_free(der);
	EVP_PKEY_free(other);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

void
hostile_encode(const struct hostile *h, struct buffer *out)
{
	struct buffer csr = {0}, content = {0};

	make_csr(h, &csr);
	envelope(h, &csr, &content);
	sign(h, &content, out);
	buffer_free(&csr);
	buffer_free(&content);
}
