#include <openssl/err.h>

#include "pki/asn1.h"
#include "scep/envelope.h"
#include "scep/oid.h"
#include "scep/request_parts.h"

/* Keep the KeyTransRecipientInfos; other kinds of RecipientInfo cannot be for us. */
static bool
parse_recipients(struct scep_request_template *t, const cms_anys *recipients, struct errbuf *why)
{
	int count = sk_ASN1_TYPE_num(recipients);

	if (count < 1 || count > SCEP_RECIPIENTS_MAX) {
		errbuf_set(why, "pkiMessage: have %d recipients, want 1 to %d", count,
		    SCEP_RECIPIENTS_MAX);
		return false;
	}
	for (int i = 0; i < count; i++) {
		const ASN1_TYPE *any = sk_ASN1_TYPE_value(recipients, i);
		cms_key_trans *k;

		if (any->type != V_ASN1_SEQUENCE)
			continue;
		if ((k = cms_key_trans_parse(asn1_string_octets(any->value.sequence))) == NULL) {
			errbuf_ossl(
			    why, "pkiMessage: recipient %d cannot be read (RFC 5652 6.2.1)", i + 1);
			return false;
		}
		t->key_trans[t->key_trans_count++] = k;
	}
	if (t->key_trans_count == 0) {
		errbuf_set(why, "pkiMessage: no KeyTransRecipientInfo (RFC 8894 3.1)");
		return false;
	}
	return true;
}

bool
scep_request_parse_envelope(struct scep_request *r, struct errbuf *why)
{
	struct scep_request_template *t = r->owned;
	cms_signed_content *encap = &t->outer->signed_data->encap;
	struct scep_identifier id;
	cms_enveloped_data *e;

	if (!octets_equal(asn1_string_octets(&encap->type), scep_oid_content_data)) {
		errbuf_set(why, "pkiMessage: eContentType is not id-data (RFC 8894 3.1)");
		return false;
	}
	if ((t->inner = cms_enveloped_parse(t->content)) == NULL) {
		errbuf_ossl(why, "pkiMessage: want one EnvelopedData as content (RFC 8894 3.2.2)");
		return false;
	}
	if (!octets_equal(asn1_string_octets(&t->inner->type), scep_oid_content_enveloped)) {
		errbuf_set(why, "pkiMessage: content is not id-envelopedData (RFC 8894 3.2.2)");
		return false;
	}
	e = t->inner->enveloped_data;
	/* For key agreement alone; its certificates would be decoded, keys and all, on decryption. */
	if (e->originator != NULL) {
		errbuf_set(why, "pkiMessage: EnvelopedData with an originatorInfo");
		return false;
	}
	if (!octets_equal(asn1_string_octets(&e->encrypted.type), scep_oid_content_data)) {
		errbuf_set(why,
		    "pkiMessage: contentType in encryptedContentInfo is not id-data (RFC 8894 "
		    "3.2.2)");
		return false;
	}
	if (e->encrypted.content == NULL) {
		errbuf_set(why, "pkiMessage: EnvelopedData without encryptedContent");
		return false;
	}
	if (!parse_recipients(t, e->recipients, why))
		return false;
	id = scep_request_identifier(t->key_trans[0]->rid);
	r->recipient_issuer = id.issuer;
	r->recipient_serial = id.serial;
	r->recipient_ski = id.ski;
	r->cipher_oid = asn1_string_octets(&e->encrypted.cipher.oid);
	r->cipher = pki_cipher_of_oid(r->cipher_oid);
	return true;
}

bool
scep_request_is_for(const struct scep_request *r, const struct scep_recipient *recipient)
{
	const struct scep_request_template *t = r->owned;

	for (int i = 0; i < t->key_trans_count; i++) {
		struct scep_identifier id = scep_request_identifier(t->key_trans[i]->rid);

		if (scep_request_names(&id, recipient->certificate))
			return true;
	}
	return false;
}

bool
scep_request_decrypt(const struct scep_request *r, const struct scep_recipient *recipient,
    struct buffer *plaintext, struct errbuf *why)
{
	const struct scep_request_template *t = r->owned;
	bool is_for = scep_request_is_for(r, recipient), held;

	/*
	 * A message for none of ours is opened all the same, so that it takes as long: by the first of its blocks alone, however many
	 * there are.  Whether anything came of it, nobody is told.
	 */
	held = scep_envelope_open(
	    t->content, r->cipher, recipient->key, is_for ? recipient->x509 : NULL, plaintext);
	if (!is_for) {
		buffer_free(plaintext);
		ERR_clear_error();
		errbuf_set(why, "pkiMessage: the envelope is for another recipient");
		return false;
	}
	if (!held)
		errbuf_ossl(why, "pkiMessage: the envelope cannot be decrypted");
	ERR_clear_error();
	return held;
}
