#include <string.h>
#include <time.h>

#include "pki/asn1.h"
#include "scep/oid.h"
#include "scep/request_parts.h"

/* The attributes that are read; others are passed over. */
enum {
	CONTENT_TYPE,
	MESSAGE_DIGEST,
	SIGNING_TIME,
	MESSAGE_TYPE,
	TRANSACTION_ID,
	SENDER_NONCE,
	KNOWN
};

static const struct {
	const struct octets *oid;
	const char *name;
} known[KNOWN] = {
    [CONTENT_TYPE] = {&scep_oid_content_type, "contentType"},
    [MESSAGE_DIGEST] = {&scep_oid_message_digest, "messageDigest"},
    [SIGNING_TIME] = {&scep_oid_signing_time, "signingTime"},
    [MESSAGE_TYPE] = {&scep_oid_message_type, "messageType"},
    [TRANSACTION_ID] = {&scep_oid_transaction_id, "transactionID"},
    [SENDER_NONCE] = {&scep_oid_sender_nonce, "senderNonce"},
};

struct found {
	int times;
	int values;
	const ASN1_TYPE *value; /* the first */
};

static int
index_of(struct octets oid)
{
	for (int i = 0; i < KNOWN; i++)
		if (octets_equal(oid, *known[i].oid))
			return i;
	return -1;
}

/* Put each known attribute into found. */
static void
collect(const cms_attributes *attributes, struct found found[KNOWN])
{
	for (int i = 0; i < sk_cms_attribute_num(attributes); i++) {
		const cms_attribute *a = sk_cms_attribute_value(attributes, i);
		int k = index_of(asn1_string_octets(&a->oid));

		if (k < 0 || found[k].times++ > 0)
			continue;
		found[k].values = sk_ASN1_TYPE_num(a->values);
		if (found[k].values > 0)
			found[k].value = sk_ASN1_TYPE_value(a->values, 0);
	}
}

/* RFC 5652 11, RFC 8894 3.2.1: once, with one value. */
static bool
is_single(const struct found found[KNOWN], int k, struct errbuf *why)
{
	if (found[k].times == 1 && found[k].values == 1)
		return true;
	if (found[k].times == 0)
		errbuf_set(why, "pkiMessage: no %s attribute", known[k].name);
	else
		errbuf_set(why,
		    "pkiMessage: %s: have %d attributes, the first of %d values, want one of one",
		    known[k].name, found[k].times, found[k].values);
	return false;
}

/* The octets of a string of any type, and of an OCTET STRING. */
static bool
string_octets(const ASN1_TYPE *any, struct octets *out)
{
	switch (any->type) {
	case V_ASN1_OCTET_STRING:
	case V_ASN1_UTF8STRING:
	case V_ASN1_NUMERICSTRING:
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_T61STRING:
	case V_ASN1_IA5STRING:
	case V_ASN1_VISIBLESTRING:
	case V_ASN1_GENERALSTRING:
	case V_ASN1_UNIVERSALSTRING:
	case V_ASN1_BMPSTRING:
		*out = asn1_string_octets(any->value.asn1_string);
		return true;
	default:
		return false;
	}
}

static bool
parse_transaction_id(struct scep_request *r, const struct found found[KNOWN], struct errbuf *why)
{
	const ASN1_TYPE *any;
	struct octets id;

	if (!is_single(found, TRANSACTION_ID, why))
		return false;
	any = found[TRANSACTION_ID].value;
	if (!string_octets(any, &id)) {
		errbuf_set(why, "pkiMessage: transactionID has tag %d, want a string", any->type);
		return false;
	}
	if (id.len == 0 || id.len > SCEP_TRANSACTION_ID_MAX) {
		errbuf_set(why, "pkiMessage: transactionID has %zu octets, want 1 to %d", id.len,
		    SCEP_TRANSACTION_ID_MAX);
		return false;
	}
	r->transaction_id = id;
	r->transaction_id_tag = any->type;
	return true;
}

/* One to three decimal digits (RFC 8894 3.2.1.2 has two at most). */
static bool
parse_message_type(struct scep_request *r, const struct found found[KNOWN], struct errbuf *why)
{
	struct octets digits;
	int type = 0;

	if (!is_single(found, MESSAGE_TYPE, why))
		return false;
	if (!string_octets(found[MESSAGE_TYPE].value, &digits) || digits.len < 1 || digits.len > 3)
		goto fail;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			goto fail;
		type = type * 10 + (digits.data[i] - '0');
	}
	r->message_type = type;
	return true;

fail:
	errbuf_set(why, "pkiMessage: messageType is not 1 to 3 decimal digits (RFC 8894 3.2.1.2)");
	return false;
}

static bool
parse_sender_nonce(struct scep_request *r, const struct found found[KNOWN], struct errbuf *why)
{
	const ASN1_TYPE *any;
	struct octets nonce;

	if (!is_single(found, SENDER_NONCE, why))
		return false;
	any = found[SENDER_NONCE].value;
	if (any->type != V_ASN1_OCTET_STRING) {
		errbuf_set(
		    why, "pkiMessage: senderNonce has tag %d, want an OCTET STRING", any->type);
		return false;
	}
	nonce = asn1_string_octets(any->value.octet_string);
	if (nonce.len == 0 || nonce.len > SCEP_NONCE_MAX) {
		errbuf_set(why, "pkiMessage: senderNonce has %zu octets, want 1 to %d", nonce.len,
		    SCEP_NONCE_MAX);
		return false;
	}
	r->sender_nonce = nonce;
	return true;
}

/* RFC 5652 11.1 and 11.2: what the signature is over. */
static bool
parse_content_attributes(
    struct scep_request *r, const struct found found[KNOWN], struct errbuf *why)
{
	const ASN1_TYPE *type, *digest;

	if (!is_single(found, CONTENT_TYPE, why) || !is_single(found, MESSAGE_DIGEST, why))
		return false;
	type = found[CONTENT_TYPE].value;
	digest = found[MESSAGE_DIGEST].value;
	if (type->type != V_ASN1_OBJECT ||
	    !octets_equal(asn1_oid_octets(type->value.object), scep_oid_content_data)) {
		errbuf_set(why, "pkiMessage: contentType attribute is not id-data (RFC 8894 3.1)");
		return false;
	}
	if (digest->type != V_ASN1_OCTET_STRING) {
		errbuf_set(why, "pkiMessage: messageDigest has tag %d, want an OCTET STRING",
		    digest->type);
		return false;
	}
	r->owned->message_digest = asn1_string_octets(digest->value.octet_string);
	return true;
}

/* RFC 5652 11.3: optional, and one that cannot be read is as good as none: nothing rests on it but a warning. */
static bool
parse_signing_time(struct scep_request *r, const struct found found[KNOWN], struct errbuf *why)
{
	const ASN1_TYPE *any;
	struct tm tm;

	if (found[SIGNING_TIME].times == 0)
		return true;
	if (!is_single(found, SIGNING_TIME, why))
		return false;
	any = found[SIGNING_TIME].value;
	if (any->type != V_ASN1_UTCTIME && any->type != V_ASN1_GENERALIZEDTIME)
		return true;
	if (ASN1_TIME_to_tm(any->value.asn1_string, &tm) != 1)
		return true;
	r->signing_time = timegm(&tm);
	r->has_signing_time = true;
	return true;
}

enum scep_rc
scep_request_parse_attributes(struct scep_request *r, enum scep_fail_info *fail, struct errbuf *why)
{
	struct scep_request_template *t = r->owned;
	ASN1_STRING *raw = &t->signer_info->signed_attributes;
	struct found found[KNOWN] = {0};

	/* RFC 5652 5.4: signed with the tag of a SET OF in place of [0]. */
	raw->data[0] = V_ASN1_SET | V_ASN1_CONSTRUCTED;
	t->signed_attributes = asn1_string_octets(raw);
	if ((t->attributes = cms_attributes_parse(t->signed_attributes)) == NULL) {
		errbuf_ossl(why, "pkiMessage: signedAttrs cannot be read (RFC 5652 5.3)");
		return SCEP_UNANSWERABLE;
	}
	collect(t->attributes, found);
	if (!parse_transaction_id(r, found, why))
		return SCEP_UNANSWERABLE;
	*fail = SCEP_BAD_REQUEST;
	/* The nonce first, so that a refusal carries it. */
	if (!parse_sender_nonce(r, found, why) || !parse_message_type(r, found, why))
		return SCEP_REFUSED;
	*fail = SCEP_BAD_MESSAGE_CHECK;
	if (!parse_content_attributes(r, found, why) || !parse_signing_time(r, found, why))
		return SCEP_REFUSED;
	*fail = SCEP_NO_FAIL_INFO;
	return SCEP_OK;
}
