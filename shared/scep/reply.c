#include "scep/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "scep/degenerate.h"
#include "scep/envelope.h"
#include "scep/oid.h"

#define NONCE_SIZE     16
#define ATTRIBUTES_MAX 9
#define ATTRIBUTES_ROOM                                                                            \
	1024 /* all but failInfoText: transactionID 256, nonce 64, digest 64, and frames */
#define FAIL_INFO_TEXT_MAX 1024 /* octets; longer ones are cut */
#define FRAME_ROOM	   512	/* of the SignedData: tags, lengths, versions, algorithms */

/* Attributes are written one by one into room; DER wants them in the order of their encodings. */
struct attributes {
	struct der d;
	struct octets one[ATTRIBUTES_MAX];
	int count;
	uint8_t room[ATTRIBUTES_ROOM + FAIL_INFO_TEXT_MAX];
};

/* X.690 11.6: as octet strings. */
static bool
precedes(struct octets a, struct octets b)
{
	int c = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return c != 0 ? c < 0 : a.len < b.len;
}

/* Attribute { oid, SET { tag value } }, put in its place. */
static void
add(struct attributes *a, struct octets oid, uint8_t tag, struct octets value)
{
	size_t mark = der_mark(&a->d);
	struct octets encoded;
	int i;

	der_element(&a->d, tag, value);
	der_wrap(&a->d, DER_SET, mark);
	der_oid(&a->d, oid);
	der_wrap(&a->d, DER_SEQUENCE, mark);
	if (a->d.failed)
		return;
	encoded = octets_of(a->d.at, der_mark(&a->d) - mark);
	for (i = a->count++; i > 0 && precedes(encoded, a->one[i - 1]); i--)
		a->one[i] = a->one[i - 1];
	a->one[i] = encoded;
}

static void
add_number(struct attributes *a, struct octets oid, int number)
{
	char digits[12];
	int n = snprintf(digits, sizeof(digits), "%d", number);

	add(a, oid, DER_PRINTABLE_STRING, octets_of(digits, (size_t)n));
}

static void
add_fail_info(struct attributes *a, const struct scep_reply *reply)
{
	struct octets text;

	add_number(a, scep_oid_fail_info, (int)reply->fail_info);
	if (reply->fail_info_text == NULL || reply->fail_info_text[0] == '\0')
		return;
	text = octets_of_string(reply->fail_info_text);
	if (text.len > FAIL_INFO_TEXT_MAX) {
		text.len = FAIL_INFO_TEXT_MAX;
		while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80)
			text.len--;
	}
	add(a, scep_oid_fail_info_text, DER_UTF8_STRING, text);
}

/* RFC 8894 3.2.1 and 3.3.2; false when there is no randomness or no room. */
static bool
collect_attributes(struct attributes *a, const struct scep_request *r,
    const struct scep_reply *reply, struct octets digest)
{
	uint8_t nonce[NONCE_SIZE];

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return false;
	a->count = 0;
	der_start(&a->d, a->room, sizeof(a->room));
	add(a, scep_oid_content_type, DER_OID, scep_oid_content_data);
	add(a, scep_oid_message_digest, DER_OCTET_STRING, digest);
	add_number(a, scep_oid_message_type, SCEP_CERT_REP);
	add_number(a, scep_oid_pki_status, (int)reply->status);
	if (reply->status == SCEP_FAILURE)
		add_fail_info(a, reply);
	add(a, scep_oid_transaction_id, (uint8_t)r->transaction_id_tag, r->transaction_id);
	add(a, scep_oid_sender_nonce, DER_OCTET_STRING, octets_of(nonce, sizeof(nonce)));
	if (r->sender_nonce.len > 0)
		add(a, scep_oid_recipient_nonce, DER_OCTET_STRING, r->sender_nonce);
	return !a->d.failed;
}

/* SignedAttributes under tag: SET OF to sign, [0] to send (RFC 5652 5.4). */
static struct octets
write_attributes(struct der *d, const struct attributes *a, uint8_t tag)
{
	size_t mark = der_mark(d);

	for (int i = a->count - 1; i >= 0; i--)
		der_raw(d, a->one[i]);
	der_wrap(d, tag, mark);
	return d->failed ? octets_of(NULL, 0) : octets_of(d->at, der_mark(d) - mark);
}

/* PKCS#1 v1.5 over message; signature has room for the modulus. */
static bool
sign(EVP_PKEY *key, const EVP_MD *md, struct octets message, uint8_t *signature, size_t *len)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len = 0;
	EVP_PKEY_CTX *ctx;
	bool held;

	if (EVP_Digest(message.data, message.len, digest, &digest_len, md, NULL) != 1)
		return false;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	held = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
	       EVP_PKEY_sign(ctx, signature, len, digest, digest_len) == 1;
	EVP_PKEY_CTX_free(ctx);
	return held;
}

/* AlgorithmIdentifier { oid, NULL } */
static void
write_algorithm(struct der *d, struct octets oid)
{
	size_t mark = der_mark(d);

	der_null(d);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
write_signer_info(struct der *d, const struct attributes *a, enum pki_digest digest,
    const struct certificate *responder, struct octets signature)
{
	size_t end = der_mark(d), mark;

	der_element(d, DER_OCTET_STRING, signature);
	write_algorithm(d, scep_oid_rsa_encryption);
	write_attributes(d, a, DER_CONTEXT(0));
	write_algorithm(d, pki_digest_oid(digest));
	mark = der_mark(d);
	der_element(d, DER_INTEGER, responder->serial);
	der_raw(d, responder->issuer);
	der_wrap(d, DER_SEQUENCE, mark);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, end);
}

/*
 * What stands in front of the signerInfos that d has already.  Without a pkcsPKIEnvelope (FAILURE, PENDING) the eContent is there
 * and empty: certmonger verifies by PKCS7_verify(), to which a SignedData with none at all is an error, "no content".
 */
static void
write_signed_data(struct der *d, enum pki_digest digest, const struct certificate *responder,
    struct octets content)
{
	size_t mark;

	der_wrap(d, DER_SET, 0);
	mark = der_mark(d);
	der_raw(d, responder->der);
	der_wrap(d, DER_CONTEXT(0), mark);
	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, content);
	der_wrap(d, DER_CONTEXT(0), mark);
	der_oid(d, scep_oid_content_data);
	der_wrap(d, DER_SEQUENCE, mark);
	mark = der_mark(d);
	write_algorithm(d, pki_digest_oid(digest));
	der_wrap(d, DER_SET, mark);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, 0);
	scep_content_wrap(d, scep_oid_content_signed, 0);
}

/* The pkiMessage around content, signed. */
static bool
encode_signed(const struct scep_request *r, const struct scep_reply *reply,
    const struct scep_responder *responder, struct octets content, struct buffer *out)
{
	const struct certificate *c = responder->certificate;
	const EVP_MD *md = pki_digest_md(reply->digest);
	size_t modulus = (size_t)EVP_PKEY_get_size(responder->key);
	size_t size = content.len + c->der.len + c->issuer.len + c->serial.len + FRAME_ROOM;
	uint8_t digest[EVP_MAX_MD_SIZE], *room = NULL;
	unsigned int digest_len = 0;
	struct octets message, der;
	struct attributes a;
	bool held = false;
	struct der d;

	if (md == NULL ||
	    EVP_Digest(content.data, content.len, digest, &digest_len, md, NULL) != 1 ||
	    !collect_attributes(&a, r, reply, octets_of(digest, digest_len)))
		return false;
	/* One room: the signature, and behind it what is written from the end. */
	size += 2 * sizeof(a.room) + modulus;
	if ((room = malloc(modulus + size)) == NULL)
		return false;
	der_start(&d, room + modulus, size);
	message = write_attributes(&d, &a, DER_SET);
	if (!sign(responder->key, md, message, room, &modulus))
		goto done;
	der_start(&d, d.room, size);
	write_signer_info(&d, &a, reply->digest, c, octets_of(room, modulus));
	write_signed_data(&d, reply->digest, c, content);
	der = der_octets(&d);
	buffer_append(out, der.data, der.len);
	held = !d.failed && !out->failed;
done:
	free(room);
	return held;
}

/* RFC 8894 3.1: for the key that signed the request; under the password where it is one that cannot decrypt. */
static bool
envelope(const struct scep_request *r, const struct scep_reply *reply, struct octets plain,
    struct buffer *out, struct errbuf *why)
{
	const struct public_key *key = &r->signer_key;

	if (key->type == PKI_KEY_RSA)
		return scep_envelope_encode(
		    plain, reply->cipher, key->pkey, r->signer.issuer, r->signer.serial, out, why);
	if (key->type == PKI_KEY_EC && reply->password.len > 0)
		return scep_envelope_encode_password(
		    plain, reply->cipher, reply->password, out, why);
	errbuf_set(why, "CertRep: cannot be enveloped to a key of type %s%s (RFC 8894 3.1)",
	    key->name, key->type == PKI_KEY_EC ? " without a challengePassword" : "");
	return false;
}

/* RFC 8894 3.3.2.1: a degenerate SignedData, enveloped. */
static bool
encode_content(const struct scep_request *r, const struct scep_reply *reply, struct buffer *content,
    struct errbuf *why)
{
	struct buffer plain = {0};
	bool held = false;

	if (scep_degenerate_encode(
		reply->certificates, reply->certificate_count, reply->crl, &plain))
		held = envelope(r, reply, buffer_octets(&plain), content, why);
	else
		errbuf_set(why, "CertRep: out of memory");
	buffer_free(&plain);
	return held;
}

bool
scep_reply_encode(const struct scep_request *r, const struct scep_reply *reply,
    const struct scep_responder *responder, struct buffer *out, struct errbuf *why)
{
	struct buffer content = {0};
	bool held = false;

	if (!EVP_PKEY_is_a(responder->key, "RSA")) {
		errbuf_set(why, "CertRep: the responder's key is not RSA");
		return false;
	}
	if (reply->status == SCEP_SUCCESS && !encode_content(r, reply, &content, why))
		goto done;
	held = encode_signed(r, reply, responder, buffer_octets(&content), out);
	if (!held)
		errbuf_ossl(why, "CertRep: cannot sign");
done:
	buffer_free(&content);
	return held;
}
