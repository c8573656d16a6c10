#include "scep/request.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "pki/asn1.h"
#include "scep/oid.h"
#include "scep/request_parts.h"

struct scep_identifier
scep_request_identifier(const cms_identifier *id)
{
	struct scep_identifier out = {0};

	if (id->type == 0) {
		out.issuer = asn1_string_octets(&id->value.issuer_serial->issuer);
		out.serial = asn1_string_octets(&id->value.issuer_serial->serial);
	} else {
		out.ski = asn1_string_octets(id->value.ski);
	}
	return out;
}

/* X.690 8.3.2: without leading octets that only repeat the sign. */
static struct octets
shortest(struct octets n)
{
	while (n.len > 1 && ((n.data[0] == 0x00 && (n.data[1] & 0x80) == 0) ||
				(n.data[0] == 0xff && (n.data[1] & 0x80) != 0)))
		n = octets_of(n.data + 1, n.len - 1);
	return n;
}

/* As X509_NAME_cmp has it: types and values, but not string types, case or surplus spaces (RFC 5280 7.1). */
static bool
is_like(struct octets a, struct octets b)
{
	const uint8_t *p = a.data, *q = b.data;
	X509_NAME *x = d2i_X509_NAME(NULL, &p, (long)a.len);
	X509_NAME *y = d2i_X509_NAME(NULL, &q, (long)b.len);
	bool same = x != NULL && y != NULL && X509_NAME_cmp(x, y) == 0;

	X509_NAME_free(x);
	X509_NAME_free(y);
	ERR_clear_error();
	return same;
}

bool
scep_request_names(const struct scep_identifier *id, const struct certificate *c)
{
	if (id->ski.len > 0)
		return octets_equal(c->ski, id->ski);
	if (id->serial.len == 0 || !octets_equal(shortest(c->serial), shortest(id->serial)))
		return false;
	return octets_equal(c->issuer, id->issuer) || is_like(c->issuer, id->issuer);
}

/* The outside: one SignedData, one SignerInfo. */
static enum scep_rc
parse_signed_data(struct scep_request *r, struct octets der, struct errbuf *why)
{
	struct scep_request_template *t = r->owned;
	cms_signed_data *sd;
	int signers;

	if ((t->outer = cms_signed_parse(der)) == NULL) {
		errbuf_ossl(why, "pkiMessage: want exactly one SignedData (RFC 8894 3.1)");
		return SCEP_UNANSWERABLE;
	}
	if (!octets_equal(asn1_string_octets(&t->outer->type), scep_oid_content_signed)) {
		errbuf_set(why, "pkiMessage: contentType is not id-signedData (RFC 8894 3.1)");
		return SCEP_UNANSWERABLE;
	}
	sd = t->outer->signed_data;
	if ((signers = sk_cms_signer_info_num(sd->signers)) != 1) {
		errbuf_set(why, "pkiMessage: have %d signers, want 1 (RFC 8894 3.1)", signers);
		return SCEP_UNANSWERABLE;
	}
	t->signer_info = sk_cms_signer_info_value(sd->signers, 0);
	t->content = asn1_string_octets(sd->encap.content);
	t->signature_oid = asn1_string_octets(&t->signer_info->signature_algorithm.oid);
	r->digest_oid = asn1_string_octets(&t->signer_info->digest.oid);
	r->digest = pki_digest_of_oid(r->digest_oid);
	return SCEP_OK;
}

/* Put the certificate that the SignerInfo names into r->signer. */
static enum scep_rc
find_signer(struct scep_request *r, struct errbuf *why)
{
	cms_anys *certificates = r->owned->outer->signed_data->certificates;
	struct scep_identifier id = scep_request_identifier(r->owned->signer_info->sid);
	int count = certificates == NULL ? 0 : sk_ASN1_TYPE_num(certificates);

	if (count > SCEP_CERTIFICATES_MAX) {
		errbuf_set(why, "pkiMessage: have %d certificates, want <= %d", count,
		    SCEP_CERTIFICATES_MAX);
		return SCEP_UNANSWERABLE;
	}
	for (int i = 0; i < count; i++) {
		const ASN1_TYPE *any = sk_ASN1_TYPE_value(certificates, i);
		struct errbuf reason = {0};

		if (any->type != V_ASN1_SEQUENCE)
			continue;
		if (!certificate_parse(
			asn1_string_octets(any->value.sequence), &r->signer, &reason)) {
			errbuf_set(why, "pkiMessage: certificate %d: %s", i + 1, reason.line);
			return SCEP_UNANSWERABLE;
		}
		if (scep_request_names(&id, &r->signer))
			return SCEP_OK;
		certificate_free(&r->signer);
	}
	errbuf_set(
	    why, "pkiMessage: none of %d certificates is the signer's (RFC 8894 3.1)", count);
	return SCEP_UNANSWERABLE;
}

static enum scep_rc
parse_signer_key(struct scep_request *r, struct errbuf *why)
{
	if (!public_key_parse(r->signer.spki, &r->signer_key, why)) {
		errbuf_prefix(why, "pkiMessage: signer's key");
		return SCEP_UNANSWERABLE;
	}
	r->signer_self_signed = certificate_is_self_issued(&r->signer);
	return SCEP_OK;
}

enum scep_rc
scep_request_parse(
    struct octets der, struct scep_request **out, enum scep_fail_info *fail, struct errbuf *why)
{
	struct scep_request *r;
	enum scep_rc rc;

	*out = NULL;
	*fail = SCEP_NO_FAIL_INFO;
	if (der.len > SCEP_MESSAGE_MAX) {
		errbuf_set(
		    why, "pkiMessage: have %zu octets, want <= %d", der.len, SCEP_MESSAGE_MAX);
		return SCEP_UNANSWERABLE;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL ||
	    (r->owned = calloc(1, sizeof(*r->owned))) == NULL) {
		errbuf_set(why, "pkiMessage: out of memory");
		free(r);
		return SCEP_FAULT;
	}
	if ((rc = parse_signed_data(r, der, why)) == SCEP_OK &&
	    (rc = find_signer(r, why)) == SCEP_OK && (rc = parse_signer_key(r, why)) == SCEP_OK)
		rc = scep_request_parse_attributes(r, fail, why);
	if (rc == SCEP_OK && !scep_request_parse_envelope(r, why)) {
		*fail = SCEP_BAD_MESSAGE_CHECK;
		rc = SCEP_REFUSED;
	}
	ERR_clear_error();
	if (rc != SCEP_OK && rc != SCEP_REFUSED) {
		scep_request_free(r);
		return rc;
	}
	*out = r;
	return rc;
}

void
scep_request_free(struct scep_request *r)
{
	struct scep_request_template *t;

	if (r == NULL)
		return;
	t = r->owned;
	for (int i = 0; i < t->key_trans_count; i++)
		cms_key_trans_free(t->key_trans[i]);
	cms_enveloped_free(t->inner);
	cms_attributes_free(t->attributes);
	cms_signed_free(t->outer);
	free(t);
	public_key_free(&r->signer_key);
	certificate_free(&r->signer);
	free(r);
}
