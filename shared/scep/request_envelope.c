#include <stdlib.h>
#include <string.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "pki/asn1.h"
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

/* Some clients encode the issuer's name anew, with other string types: as RFC 5280 7.1 compares names, then. */
static bool
issuer_is_like(struct octets name, const X509 *x509)
{
	const uint8_t *p = name.data;
	X509_NAME *n = d2i_X509_NAME(NULL, &p, (long)name.len);
	bool same = n != NULL && X509_NAME_cmp(n, X509_get_issuer_name(x509)) == 0;

	X509_NAME_free(n);
	ERR_clear_error();
	return same;
}

static bool
names(const struct scep_identifier *id, const struct scep_recipient *recipient)
{
	const struct certificate *c = recipient->certificate;

	if (id->ski.len > 0)
		return octets_equal(id->ski, c->ski);
	if (id->serial.len == 0 || !scep_request_serial_equal(id->serial, c->serial))
		return false;
	return octets_equal(id->issuer, c->issuer) || issuer_is_like(id->issuer, recipient->x509);
}

bool
scep_request_is_for(const struct scep_request *r, const struct scep_recipient *recipient)
{
	const struct scep_request_template *t = r->owned;

	for (int i = 0; i < t->key_trans_count; i++) {
		struct scep_identifier id = scep_request_identifier(t->key_trans[i]->rid);

		if (names(&id, recipient))
			return true;
	}
	return false;
}

/* The same EnvelopedData as OpenSSL's; single DES lives in a library context of its own. */
static CMS_ContentInfo *
envelope(const struct scep_request *r)
{
	struct octets der = r->owned->content;
	CMS_ContentInfo *cms = NULL;
	const uint8_t *p = der.data;

	if (r->cipher == PKI_DES) {
		OSSL_LIB_CTX *libctx = pki_legacy_libctx();

		if (libctx == NULL || (cms = CMS_ContentInfo_new_ex(libctx, NULL)) == NULL)
			return NULL;
	}
	/* On failure the decoder frees what it was given. */
	return d2i_CMS_ContentInfo(cms == NULL ? NULL : &cms, &p, (long)der.len);
}

/* All that the cipher gives; false when its padding is wrong. */
static bool
read_all(BIO *content, size_t most, struct buffer *out)
{
	uint8_t chunk[2048];
	size_t total = 0;
	int n;

	while (total <= most && (n = BIO_read(content, chunk, sizeof(chunk))) > 0) {
		buffer_append(out, chunk, (size_t)n);
		total += (size_t)n;
	}
	octets_wipe(chunk, sizeof(chunk));
	return !out->failed && total <= most && BIO_get_cipher_status(content) == 1;
}

/*
 * With the recipient's certificate CMS_decrypt_set1_pkey() tells nobody whether the encrypted key was well-formed: where it was
 * not, a random key decrypts to garbage.  With no certificate it tries the key on each recipient, which is what stands in for a missing one.
 */
bool
scep_request_decrypt(const struct scep_request *r, const struct scep_recipient *recipient,
    struct buffer *plaintext, struct errbuf *why)
{
	bool addressed = scep_request_is_for(r, recipient);
	CMS_ContentInfo *cms = envelope(r);
	BIO *content = NULL;
	bool held = false;

	if (cms != NULL &&
	    CMS_decrypt_set1_pkey(cms, recipient->key, addressed ? recipient->x509 : NULL) == 1 &&
	    (content = CMS_dataInit(cms, NULL)) != NULL)
		held = read_all(content, r->owned->content.len, plaintext);
	if (!addressed)
		errbuf_set(why, "pkiMessage: the envelope is for another recipient");
	else if (!held)
		errbuf_ossl(why, "pkiMessage: the envelope cannot be decrypted");
	ERR_clear_error();
	if (!addressed || !held) {
		buffer_free(plaintext);
		held = false;
	}
	BIO_free_all(content);
	CMS_ContentInfo_free(cms);
	return held;
}
