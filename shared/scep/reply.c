#include "scep/reply.h"

#include <stdio.h>

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "scep/envelope.h"
#include "scep/oid.h"
#include "scep/signed_data.h"

#define NONCE_SIZE	   16
#define SIGNATURE_MAX	   1024 /* octets: RSA-8192 */
#define FAIL_INFO_TEXT_MAX 1024 /* octets; longer ones are cut */

static void
add_number(struct scep_signed_data *s, struct octets oid, int number)
{
	char digits[12];
	int n = snprintf(digits, sizeof(digits), "%d", number);

	scep_signed_data_add(s, oid, DER_PRINTABLE_STRING, octets_of(digits, (size_t)n));
}

static void
add_fail_info(struct scep_signed_data *s, const struct scep_reply *reply)
{
	struct octets text;

	add_number(s, scep_oid_fail_info, (int)reply->fail_info);
	if (reply->fail_info_text == NULL || reply->fail_info_text[0] == '\0')
		return;
	text = octets_of_string(reply->fail_info_text);
	if (text.len > FAIL_INFO_TEXT_MAX) {
		text.len = FAIL_INFO_TEXT_MAX;
		while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80)
			text.len--;
	}
	scep_signed_data_add(s, scep_oid_fail_info_text, DER_UTF8_STRING, text);
}

/* RFC 8894 3.2.1 and 3.3.2; false when there is no randomness. */
static bool
add_attributes(
    struct scep_signed_data *s, const struct scep_request *r, const struct scep_reply *reply)
{
	uint8_t nonce[NONCE_SIZE];

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return false;
	add_number(s, scep_oid_message_type, SCEP_CERT_REP);
	add_number(s, scep_oid_pki_status, (int)reply->status);
	if (reply->status == SCEP_FAILURE)
		add_fail_info(s, reply);
	scep_signed_data_add(
	    s, scep_oid_transaction_id, (uint8_t)r->transaction_id_tag, r->transaction_id);
	scep_signed_data_add(
	    s, scep_oid_sender_nonce, DER_OCTET_STRING, octets_of(nonce, sizeof(nonce)));
	if (r->sender_nonce.len > 0)
		scep_signed_data_add(
		    s, scep_oid_recipient_nonce, DER_OCTET_STRING, r->sender_nonce);
	return true;
}

/* PKCS#1 v1.5 over message; signature has room for *len octets. */
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

/* The pkiMessage around content, signed. */
static bool
encode_signed(const struct scep_request *r, const struct scep_reply *reply,
    const struct scep_responder *responder, struct octets content, struct buffer *out)
{
	uint8_t signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	struct scep_signed_data s;

	return scep_signed_data_start(&s, responder->certificate, reply->digest, content) &&
	       add_attributes(&s, r, reply) &&
	       sign(responder->key, pki_digest_md(reply->digest), scep_signed_data_message(&s),
		   signature, &len) &&
	       scep_signed_data_finish(&s, PKI_KEY_RSA, octets_of(signature, len), out);
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
