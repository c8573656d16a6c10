#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "pki/asn1.h"
#include "scep/client_parts.h"
#include "scep/oid.h"

X509 *
scep_client_x509(const struct certificate *c)
{
	const uint8_t *p = c->der.data;

	return d2i_X509(NULL, &p, (long)c->der.len);
}

int
scep_client_copy_certificates(
    const cms_anys *certificates, struct buffer *out, int max, struct errbuf *why)
{
	int total = certificates == NULL ? 0 : sk_ASN1_TYPE_num(certificates), count = 0;

	for (int i = 0; i < total; i++) {
		const ASN1_TYPE *any = sk_ASN1_TYPE_value(certificates, i);
		struct octets der;

		if (any->type != V_ASN1_SEQUENCE)
			continue;
		der = asn1_string_octets(any->value.sequence);
		if (count < max)
			buffer_append(&out[count], der.data, der.len);
		if (count == max || out[count].failed) {
			errbuf_set(why, "SignedData: over %d certificates, or out of memory", max);
			return -1;
		}
		count++;
	}
	return count;
}

bool
scep_client_verify(
    CMS_ContentInfo *cms, const struct certificate *trusted, int trusted_count, BIO *content)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	STACK_OF(X509) *signers = sk_X509_new_null();
	BIO *absent = CMS_is_detached(cms) == 1 ? BIO_new_mem_buf("", 0) : NULL;
	bool held = false;

	for (int i = 0; signers != NULL && i < trusted_count; i++) {
		X509 *x509 = scep_client_x509(&trusted[i]);

		if (x509 == NULL || sk_X509_push(signers, x509) <= 0)
			X509_free(x509);
	}
	/* Only certificates in trusted: those in the message count for nothing, and what they chain to was settled by GetCACert. */
	if (signers != NULL && infos != NULL && sk_CMS_SignerInfo_num(infos) == 1)
		held = CMS_verify(cms, signers, NULL, absent, content,
			   CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1;
	sk_X509_pop_free(signers, X509_free);
	BIO_free(absent);
	return held;
}

/* The certificates of a degenerate SignedData, at least one; -1 with why, which begins with have when der is something else. */
static int
read_degenerate(
    struct octets der, const char *have, struct buffer *out, int max, struct errbuf *why)
{
	cms_signed *degenerate = cms_signed_parse(der);
	int count;

	if (degenerate == NULL ||
	    !octets_equal(asn1_string_octets(&degenerate->type), scep_oid_content_signed)) {
		cms_signed_free(degenerate);
		errbuf_ossl(why, "%s SignedData (RFC 8894 3.4)", have);
		return -1;
	}
	count = scep_client_copy_certificates(degenerate->signed_data->certificates, out, max, why);
	cms_signed_free(degenerate);
	if (count == 0)
		errbuf_set(why, "SignedData: no certificates (RFC 8894 3.4)");
	return count > 0 ? count : -1;
}

int
scep_client_ca_certificates(struct octets body, struct buffer *out, int max, struct errbuf *why)
{
	struct certificate one = {0};

	if (max > 0 && certificate_parse(body, &one, NULL)) {
		certificate_free(&one);
		buffer_append(&out[0], body.data, body.len);
		return out[0].failed ? -1 : 1;
	}
	return read_degenerate(body, "GetCACert: neither a certificate nor a", out, max, why);
}

int
scep_client_next_ca_certificates(struct octets body, const struct certificate *ca,
    struct buffer *out, int max, struct errbuf *why)
{
	const uint8_t *p = body.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)body.len);
	BIO *content = BIO_new(BIO_s_mem());
	char *octets = NULL;
	int count = -1;
	long len;

	if (cms == NULL || content == NULL || p != body.data + body.len) {
		errbuf_ossl(why, "GetNextCACert: want exactly one SignedData (RFC 8894 4.7.1)");
	} else if (!scep_client_verify(cms, ca, 1, content)) {
		errbuf_ossl(why, "GetNextCACert: not signed by the CA (RFC 8894 4.7.1)");
	} else {
		len = BIO_get_mem_data(content, &octets);
		count = read_degenerate(octets_of(octets, len > 0 ? (size_t)len : 0),
		    "GetNextCACert: its content is no", out, max, why);
	}
	ERR_clear_error();
	BIO_free(content);
	CMS_ContentInfo_free(cms);
	return count;
}
