#include "tests/support/habit_reply.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTRIBUTE(n)	"2.16.840.1.113733.1.9." n
#define MESSAGE_TYPE	ATTRIBUTE("2")
#define PKI_STATUS	ATTRIBUTE("3")
#define FAIL_INFO	ATTRIBUTE("4")
#define SENDER_NONCE	ATTRIBUTE("5")
#define RECIPIENT_NONCE ATTRIBUTE("6")
#define TRANSACTION_ID	ATTRIBUTE("7")
#define FAIL_INFO_TEXT	"1.3.6.1.5.5.7.24.1"

static int
count_crls(struct octets degenerate)
{
	const uint8_t *at = degenerate.data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)degenerate.len);
	int count = 0;

	if (p7 != NULL && PKCS7_type_is_signed(p7) && p7->d.sign->crl != NULL)
		count = sk_X509_CRL_num(p7->d.sign->crl);
	PKCS7_free(p7);
	return count;
}

STACK_OF(X509) * habit_authorities(struct octets body)
{
	const uint8_t *at = body.data;
	STACK_OF(X509) *all = NULL;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)body.len);
	X509 *one;

	if (p7 != NULL && PKCS7_type_is_signed(p7) && p7->d.sign->cert != NULL)
		all = X509_chain_up_ref(p7->d.sign->cert);
	PKCS7_free(p7);
	at = body.data;
	if (all == NULL && (one = d2i_X509(NULL, &at, (long)body.len)) != NULL) {
		all = sk_X509_new_null();
		sk_X509_push(all, one);
	}
	ERR_clear_error();
	return all;
}

static CMS_ContentInfo *
parse(struct octets der)
{
	const uint8_t *at = der.data;

	return d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
}

/* The one value of a signed attribute of the only signer; NULL: it is not there once. */
static ASN1_STRING *
attribute(CMS_ContentInfo *cms, const char *oid, int type)
{
	STACK_OF(CMS_SignerInfo) *all = CMS_get0_SignerInfos(cms);
	ASN1_OBJECT *o = OBJ_txt2obj(oid, 1);
	ASN1_STRING *value = NULL;

	if (sk_CMS_SignerInfo_num(all) == 1)
		value = CMS_signed_get0_data_by_OBJ(sk_CMS_SignerInfo_value(all, 0), o, -3, type);
	ASN1_OBJECT_free(o);
	return value;
}

/* In whatever string type. */
static ASN1_STRING *
any_attribute(CMS_ContentInfo *cms, const char *oid)
{
	static const int types[] = {V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING, V_ASN1_IA5STRING,
	    V_ASN1_T61STRING, V_ASN1_OCTET_STRING};
	ASN1_STRING *value = NULL;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && value == NULL; i++)
		value = attribute(cms, oid, types[i]);
	return value;
}

/* A decimal PrintableString; -1: not there. */
static int
number(CMS_ContentInfo *cms, const char *oid)
{
	ASN1_STRING *value = attribute(cms, oid, V_ASN1_PRINTABLESTRING);
	char digits[4] = "";

	if (value == NULL || ASN1_STRING_length(value) > 3)
		return -1;
	memcpy(digits, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	return atoi(digits);
}

/* ASN1_STRING_cmp() compares the type too. */
static bool
same(const ASN1_STRING *a, const ASN1_STRING *b)
{
	return a != NULL && b != NULL && ASN1_STRING_cmp(a, b) == 0;
}

/* RFC 8894 3.2.1: what a reply repeats of its request, and what it must not. */
static bool
answers(CMS_ContentInfo *request, CMS_ContentInfo *reply, struct errbuf *why)
{
	ASN1_STRING *sent = attribute(request, SENDER_NONCE, V_ASN1_OCTET_STRING);
	ASN1_STRING *own = attribute(reply, SENDER_NONCE, V_ASN1_OCTET_STRING);
	ASN1_STRING *back = attribute(reply, RECIPIENT_NONCE, V_ASN1_OCTET_STRING);

	if (number(reply, MESSAGE_TYPE) != 3)
		errbuf_set(why, "messageType is not 3");
	else if (!same(
		     any_attribute(request, TRANSACTION_ID), any_attribute(reply, TRANSACTION_ID)))
		errbuf_set(why, "transactionID has not the octets and the type it was sent with");
	else if (!same(sent, back))
		errbuf_set(why, "recipientNonce is not the senderNonce that was sent");
	else if (own == NULL || ASN1_STRING_length(own) != 16 || same(own, sent))
		errbuf_set(why, "senderNonce is not 16 octets of the server's own");
	else
		return true;
	return false;
}

static void
read_facts(CMS_ContentInfo *cms, struct habit_reply *out)
{
	CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	ASN1_STRING *text = attribute(cms, FAIL_INFO_TEXT, V_ASN1_UTF8STRING);
	X509_ALGOR *digest, *signature;

	out->status = number(cms, PKI_STATUS);
	out->fail_info = number(cms, FAIL_INFO);
	if (text != NULL)
		snprintf(out->text, sizeof(out->text), "%.*s", ASN1_STRING_length(text),
		    (const char *)ASN1_STRING_get0_data(text));
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &signature);
	OBJ_obj2txt(out->digest, sizeof(out->digest), digest->algorithm, 1);
	OBJ_obj2txt(out->signature, sizeof(out->signature), signature->algorithm, 1);
}

static bool
decrypt(struct octets envelope, EVP_PKEY *key, struct habit_reply *out, BIO *plain)
{
	const uint8_t *at = envelope.data;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)envelope.len);
	CMS_ContentInfo *cms = NULL;
	struct octets des = pki_cipher_oid(PKI_DES);
	ASN1_OBJECT *cipher;
	bool ok;

	if (p7 == NULL || !PKCS7_type_is_enveloped(p7)) {
		PKCS7_free(p7);
		return false;
	}
	cipher = p7->d.enveloped->enc_data->algorithm->algorithm;
	OBJ_obj2txt(out->cipher, sizeof(out->cipher), cipher, 1);
	if (octets_equal(octets_of(OBJ_get0_data(cipher), OBJ_length(cipher)), des))
		cms = CMS_ContentInfo_new_ex(pki_legacy_libctx(), NULL);
	at = envelope.data;
	cms = d2i_CMS_ContentInfo(cms == NULL ? NULL : &cms, &at, (long)envelope.len);
	ok = cms != NULL && CMS_decrypt(cms, key, NULL, NULL, plain, 0) == 1;
	CMS_ContentInfo_free(cms);
	PKCS7_free(p7);
	return ok;
}

static bool
read_certificates(CMS_ContentInfo *cms, EVP_PKEY *key, struct habit_reply *out, struct errbuf *why)
{
	ASN1_OCTET_STRING **content = CMS_get0_content(cms);
	BIO *plain = BIO_new(BIO_s_mem());
	struct octets inner;
	char *data = NULL;
	long len;
	bool ok = false;

	if (content == NULL || *content == NULL ||
	    !decrypt(
		octets_of(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content)),
		key, out, plain))
		errbuf_set(why, "the envelope cannot be opened by the signer's key");
	else if ((len = BIO_get_mem_data(plain, &data)) > 0) {
		inner = octets_of(data, (size_t)len);
		out->certificates = habit_authorities(inner);
		out->crls = count_crls(inner);
		ok = out->certificates != NULL || out->crls > 0;
		if (!ok)
			errbuf_set(why, "neither certificates nor a CRL are in the envelope");
	}
	BIO_free(plain);
	return ok;
}

bool
habit_reply_read(struct octets request, struct octets reply, STACK_OF(X509) * authorities,
    EVP_PKEY *key, struct habit_reply *out, struct errbuf *why)
{
	CMS_ContentInfo *asked = parse(request), *cms = parse(reply);
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (asked == NULL || cms == NULL || sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)) != 1)
		errbuf_set(why, "want a SignedData with one signer");
	else if (CMS_verify(cms, authorities, NULL, NULL, NULL,
		     CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY) != 1)
		errbuf_ossl(why, "no certificate of GetCACert verifies it");
	else if (answers(asked, cms, why)) {
		read_facts(cms, out);
		ok = out->status != 0 || read_certificates(cms, key, out, why);
	}
	CMS_ContentInfo_free(asked);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return ok;
}

void
habit_reply_free(struct habit_reply *r)
{
	sk_X509_pop_free(r->certificates, X509_free);
	memset(r, 0, sizeof(*r));
}
