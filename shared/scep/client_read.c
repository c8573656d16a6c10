#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "pki/asn1.h"
#include "scep/client_parts.h"
#include "scep/envelope.h"
#include "scep/oid.h"

#define CERTIFICATES_MAX                                                                           \
	((int)(sizeof(((struct scep_client_reply *)0)->certificates) / sizeof(struct buffer)))

/* The one value of an attribute that is there once; NULL with why. */
static const ASN1_TYPE *
attribute(const CMS_SignerInfo *si, struct octets oid, const char *name, struct errbuf *why)
{
	ASN1_OBJECT *o =
	    ASN1_OBJECT_create(NID_undef, (uint8_t *)(uintptr_t)oid.data, (int)oid.len, NULL, NULL);
	const ASN1_TYPE *value = NULL;
	int at = o == NULL ? -1 : CMS_signed_get_attr_by_OBJ(si, o, -1);

	if (at >= 0 && CMS_signed_get_attr_by_OBJ(si, o, at) < 0) {
		X509_ATTRIBUTE *a = CMS_signed_get_attr(si, at);

		if (X509_ATTRIBUTE_count(a) == 1)
			value = X509_ATTRIBUTE_get0_type(a, 0);
	}
	ASN1_OBJECT_free(o);
	if (value == NULL)
		errbuf_set(why, "CertRep: want one %s (RFC 8894 3.3.2)", name);
	return value;
}

static struct octets
value_octets(const ASN1_TYPE *value)
{
	return asn1_string_octets(value->value.asn1_string);
}

/* A decimal PrintableString; -1 with why. */
static int
number(const CMS_SignerInfo *si, struct octets oid, const char *name, struct errbuf *why)
{
	const ASN1_TYPE *value = attribute(si, oid, name, why);
	struct octets digits;
	int n = 0;

	if (value == NULL)
		return -1;
	digits = value->type == V_ASN1_PRINTABLESTRING ? value_octets(value) : octets_of(NULL, 0);
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.len > 3 || digits.data[i] < '0' || digits.data[i] > '9') {
			digits.len = 0;
			break;
		}
		n = n * 10 + (digits.data[i] - '0');
	}
	if (digits.len == 0) {
		errbuf_set(
		    why, "CertRep: %s is not a decimal PrintableString (RFC 8894 3.2.1)", name);
		return -1;
	}
	return n;
}

static bool
is_answer_to(const CMS_SignerInfo *si, const struct scep_client_message *m, struct errbuf *why)
{
	struct octets nonce = octets_of(m->sender_nonce, sizeof(m->sender_nonce));
	const ASN1_TYPE *value;
	int type = number(si, scep_oid_message_type, "messageType", why);

	if (type < 0)
		return false;
	if (type != SCEP_CERT_REP) {
		errbuf_set(why, "CertRep: messageType is %d, want %d", type, SCEP_CERT_REP);
		return false;
	}
	if ((value = attribute(si, scep_oid_transaction_id, "transactionID", why)) == NULL)
		return false;
	if ((value->type != V_ASN1_PRINTABLESTRING && value->type != V_ASN1_UTF8STRING) ||
	    !octets_equal(value_octets(value), octets_of_string(m->transaction_id))) {
		errbuf_set(
		    why, "CertRep: transactionID is not that of the request (RFC 8894 3.2.1.1)");
		return false;
	}
	if ((value = attribute(si, scep_oid_recipient_nonce, "recipientNonce", why)) == NULL)
		return false;
	if (value->type != V_ASN1_OCTET_STRING || !octets_equal(value_octets(value), nonce)) {
		errbuf_set(why,
		    "CertRep: recipientNonce is not the request's senderNonce (RFC 8894 3.2.1.5)");
		return false;
	}
	return true;
}

static bool
read_status(const CMS_SignerInfo *si, struct scep_client_reply *out, struct errbuf *why)
{
	int status = number(si, scep_oid_pki_status, "pkiStatus", why), fail_info;
	const ASN1_TYPE *text;

	if (status < 0)
		return false;
	if (status != SCEP_SUCCESS && status != SCEP_FAILURE && status != SCEP_PENDING) {
		errbuf_set(
		    why, "CertRep: pkiStatus is %d, want 0, 2 or 3 (RFC 8894 3.2.1.3)", status);
		return false;
	}
	out->status = (enum scep_pki_status)status;
	out->fail_info = SCEP_NO_FAIL_INFO;
	if (status != SCEP_FAILURE)
		return true;
	if ((fail_info = number(si, scep_oid_fail_info, "failInfo", why)) < 0)
		return false;
	if (fail_info > SCEP_BAD_CERT_ID) {
		errbuf_set(
		    why, "CertRep: failInfo is %d, want 0 to 4 (RFC 8894 3.2.1.4)", fail_info);
		return false;
	}
	out->fail_info = (enum scep_fail_info)fail_info;
	text = attribute(si, scep_oid_fail_info_text, "failInfoText", NULL);
	if (text != NULL && text->type == V_ASN1_UTF8STRING) {
		struct octets t = value_octets(text);
		size_t len =
		    t.len < sizeof(out->fail_info_text) ? t.len : sizeof(out->fail_info_text) - 1;

		memcpy(out->fail_info_text, t.data, len);
		out->fail_info_text[len] = '\0';
	}
	return true;
}

/* What the EnvelopedData holds: for the signer's RSA key, or under the password where it has another. */
static bool
open_envelope(const struct scep_client_message *m, struct octets content, struct buffer *out)
{
	cms_enveloped *e = cms_enveloped_parse(content);
	enum pki_cipher cipher = PKI_CIPHER_NONE;
	X509 *x509 = scep_client_x509(m->signer);
	bool held = false;

	if (e != NULL)
		cipher =
		    pki_cipher_of_oid(asn1_string_octets(&e->enveloped_data->encrypted.cipher.oid));
	if (cipher == PKI_CIPHER_NONE || x509 == NULL)
		held = false;
	else if (EVP_PKEY_is_a(m->key, "RSA"))
		held = scep_envelope_open(content, cipher, m->key, x509, out);
	else if (m->password.len > 0)
		held = scep_envelope_open_password(content, cipher, m->password, out);
	cms_enveloped_free(e);
	X509_free(x509);
	return held;
}

/* The degenerate SignedData that a SUCCESS holds, decrypted. */
static bool
read_certificates(const struct scep_client_message *m, struct octets content,
    struct scep_client_reply *out, struct errbuf *why)
{
	struct buffer plain = {0};
	cms_signed *degenerate = NULL;
	cms_anys *crls;

	if (open_envelope(m, content, &plain))
		degenerate = cms_signed_parse(buffer_octets(&plain));
	buffer_free(&plain);
	if (degenerate == NULL) {
		errbuf_ossl(
		    why, "CertRep: cannot be decrypted, or holds no SignedData (RFC 8894 3.3.2.1)");
		return false;
	}
	out->certificate_count = scep_client_copy_certificates(
	    degenerate->signed_data->certificates, out->certificates, CERTIFICATES_MAX, why);
	crls = degenerate->signed_data->crls;
	if (crls != NULL && sk_ASN1_TYPE_num(crls) > 0 &&
	    sk_ASN1_TYPE_value(crls, 0)->type == V_ASN1_SEQUENCE) {
		struct octets der = asn1_string_octets(sk_ASN1_TYPE_value(crls, 0)->value.sequence);

		buffer_append(&out->crl, der.data, der.len);
	}
	cms_signed_free(degenerate);
	if (out->certificate_count == 0 && out->crl.len == 0)
		errbuf_set(
		    why, "CertRep: SUCCESS without a certificate or a CRL (RFC 8894 3.3.2.1)");
	return out->certificate_count > 0 || (out->certificate_count == 0 && out->crl.len > 0);
}

static bool
read_reply(const struct scep_client_message *m, CMS_ContentInfo *cms, BIO *content,
    const struct certificate *trusted, int trusted_count, struct scep_client_reply *out,
    struct errbuf *why)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
	const CMS_SignerInfo *si;
	char *octets = NULL;
	long len;

	if (signers == NULL || sk_CMS_SignerInfo_num(signers) != 1) {
		errbuf_set(why, "CertRep: want a SignedData with one signer (RFC 8894 3.1)");
		return false;
	}
	if (!scep_client_verify(cms, trusted, trusted_count, content)) {
		errbuf_ossl(why, "CertRep: not signed by the CA or RA (RFC 8894 3.3)");
		return false;
	}
	si = sk_CMS_SignerInfo_value(signers, 0);
	if (!is_answer_to(si, m, why) || !read_status(si, out, why))
		return false;
	if (out->status != SCEP_SUCCESS)
		return true;
	len = BIO_get_mem_data(content, &octets);
	return read_certificates(m, octets_of(octets, len > 0 ? (size_t)len : 0), out, why);
}

bool
scep_client_read(const struct scep_client_message *m, struct octets reply,
    const struct certificate *trusted, int trusted_count, struct scep_client_reply *out,
    struct errbuf *why)
{
	const uint8_t *p = reply.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)reply.len);
	BIO *content = BIO_new(BIO_s_mem());
	bool held = false;

	*out = (struct scep_client_reply){0};
	if (cms == NULL || content == NULL || p != reply.data + reply.len)
		errbuf_ossl(why, "CertRep: want exactly one SignedData (RFC 8894 3.1)");
	else
		held = read_reply(m, cms, content, trusted, trusted_count, out, why);
	ERR_clear_error();
	BIO_free(content);
	CMS_ContentInfo_free(cms);
	if (!held)
		scep_client_reply_free(out);
	return held;
}

void
scep_client_reply_free(struct scep_client_reply *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < CERTIFICATES_MAX; i++)
		buffer_free(&r->certificates[i]);
	buffer_free(&r->crl);
	*r = (struct scep_client_reply){0};
}
