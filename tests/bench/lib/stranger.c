/* stranger.c: written from the end to the beginning, by base/der. */
#include "stranger.h"

#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/der.h"
#include "base/encoding.h"
#include "pki/algorithm.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/client.h"
#include "scep/oid.h"

#define KEY_LEN	  32 /* AES-256 */
#define BLOCK_LEN 16
#define RSA_MAX	  512

bool
stranger_make(struct stranger *s, const char *name)
{
	struct buffer subject = {0};
	char text[128];
	bool made;

	memset(s, 0, sizeof(*s));
	snprintf(text, sizeof(text), "CN=%s", name);
	made =
	    (s->key = private_key_generate("rsa:2048", NULL)) != NULL &&
	    name_from_text(text, &subject, NULL) &&
	    scep_client_self_signed(s->key, buffer_octets(&subject), clock_now(), &s->der, NULL) &&
	    certificate_parse(buffer_octets(&s->der), &s->certificate, NULL);
	buffer_free(&subject);
	return made;
}

void
stranger_free(struct stranger *s)
{
	certificate_free(&s->certificate);
	buffer_free(&s->der);
	EVP_PKEY_free(s->key);
	memset(s, 0, sizeof(*s));
}

static void
random_nonzero(uint8_t *out, size_t len)
{
	RAND_bytes(out, (int)len);
	for (size_t i = 0; i < len; i++)
		if (out[i] == 0)
			out[i] = 0x5a;
}

/* 00 02 padding 00 key, or what is wrong with it; len is the modulus'. */
static void
make_block(enum stranger_block kind, const uint8_t key[KEY_LEN], uint8_t *out, size_t len)
{
	size_t key_len = kind == BLOCK_KEY_SHORT  ? KEY_LEN - 1
			 : kind == BLOCK_KEY_LONG ? KEY_LEN + 1
			 : kind == BLOCK_KEY_NONE ? 0
						  : KEY_LEN;
	size_t zero = len - key_len - 1;

	random_nonzero(out, len);
	out[0] = 0;
	if (kind == BLOCK_RANDOM) {
		RAND_bytes(out, (int)len);
		out[0] &= 0x7f;
		return;
	}
	out[1] = 2;
	out[zero] = 0;
	if (kind != BLOCK_OTHER_KEY)
		memcpy(out + zero + 1, key, key_len < KEY_LEN ? key_len : KEY_LEN);
	if (kind == BLOCK_FIRST_OCTET)
		out[0] = 1;
	else if (kind == BLOCK_SECOND_OCTET)
		out[1] = 1;
	else if (kind == BLOCK_NO_ZERO)
		random_nonzero(out + 2, len - 2);
	else if (kind == BLOCK_SHORT_PAD)
		out[5] = 0;
	else if (kind == BLOCK_EARLY_ZERO)
		out[zero / 2] = 0;
}

/* All blocks are below the modulus, whose first bit is 1. */
static bool
encrypt_block(const struct stranger_envelope *e, const uint8_t key[KEY_LEN], uint8_t out[RSA_MAX],
    size_t *out_len)
{
	size_t len = (size_t)EVP_PKEY_get_size(e->recipient_key);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(e->recipient_key, NULL);
	uint8_t block[RSA_MAX];
	bool held;

	held = ctx != NULL && len <= RSA_MAX && EVP_PKEY_encrypt_init(ctx) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1;
	*out_len = RSA_MAX;
	if (held) {
		make_block(e->block, key, block, len);
		held = EVP_PKEY_encrypt(ctx, out, out_len, block, len) == 1;
	}
	EVP_PKEY_CTX_free(ctx);
	return held;
}

/* Padded here, so that the padding can be wrong; room has a block more than content. */
static bool
encrypt_content(const struct stranger_envelope *e, const uint8_t key[KEY_LEN],
    const uint8_t iv[BLOCK_LEN], uint8_t *room, size_t *out_len)
{
	size_t pad = BLOCK_LEN - e->content.len % BLOCK_LEN, len = e->content.len + pad;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	bool held;

	memcpy(room, e->content.data, e->content.len);
	memset(room + e->content.len, (int)pad, pad);
	if (e->padding == PADDING_ZERO)
		room[len - 1] = 0;
	else if (e->padding == PADDING_LARGE)
		room[len - 1] = BLOCK_LEN + 1;
	else if (e->padding == PADDING_INNER) {
		room[len - 1] = 4;
		room[len - 2] = 5;
	}
	held = ctx != NULL && EVP_EncryptInit_ex2(ctx, EVP_aes_256_cbc(), key, iv, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	       EVP_EncryptUpdate(ctx, room, &n, room, (int)len) == 1 &&
	       EVP_EncryptFinal_ex(ctx, room + n, &last) == 1;
	EVP_CIPHER_CTX_free(ctx);
	*out_len = len;
	return held;
}

/* SEQUENCE { oid, parameters }, the parameters being what was written since mark. */
static void
algorithm(struct der *d, struct octets oid, size_t mark)
{
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
issuer_and_serial(struct der *d, const struct certificate *c)
{
	size_t mark = der_mark(d);

	der_element(d, DER_INTEGER, c->serial);
	der_raw(d, c->issuer);
	der_wrap(d, DER_SEQUENCE, mark);
}

/* ContentInfo { oid, [0] what was written since mark }. */
static void
content_info(struct der *d, struct octets oid, size_t mark)
{
	der_wrap(d, DER_CONTEXT(0), mark);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

static bool
write_envelope(struct der *d, const struct stranger_envelope *e)
{
	uint8_t key[KEY_LEN], iv[BLOCK_LEN], encrypted_key[RSA_MAX];
	uint8_t *room = malloc(e->content.len + BLOCK_LEN);
	size_t room_len = 0, encrypted_len = 0, mark;
	bool held;

	held = room != NULL && RAND_bytes(key, sizeof(key)) == 1 &&
	       RAND_bytes(iv, sizeof(iv)) == 1 && encrypt_content(e, key, iv, room, &room_len) &&
	       encrypt_block(e, key, encrypted_key, &encrypted_len);
	der_element(d, DER_CONTEXT_PRIM(0), octets_of(room, room_len));
	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, octets_of(iv, sizeof(iv)));
	algorithm(d, pki_cipher_oid(PKI_AES256), mark);
	der_oid(d, scep_oid_content_data);
	der_wrap(d, DER_SEQUENCE, 0);
	free(room);

	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, octets_of(encrypted_key, encrypted_len));
	{
		size_t parameters = der_mark(d);

		der_null(d);
		algorithm(d, scep_oid_rsa_encryption, parameters);
	}
	issuer_and_serial(d, e->recipient);
	der_integer(d, 0);
	der_wrap(d, DER_SEQUENCE, mark);
	der_wrap(d, DER_SET, mark);
	der_integer(d, 0);
	der_wrap(d, DER_SEQUENCE, 0);
	content_info(d, scep_oid_content_enveloped, 0);
	return held && !d->failed;
}

static void
attribute(struct der *d, struct octets oid, uint8_t tag, struct octets value)
{
	size_t mark = der_mark(d);

	der_element(d, tag, value);
	der_wrap(d, DER_SET, mark);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

struct named {
	char message_type[4], transaction_id[33];
	uint8_t nonce[16], digest[32];
};

/* In the order of DER's SET OF, the last first. */
static void
attributes(struct der *d, const struct named *n, uint8_t tag)
{
	size_t mark = der_mark(d);

	attribute(
	    d, scep_oid_transaction_id, DER_PRINTABLE_STRING, octets_of_string(n->transaction_id));
	attribute(d, scep_oid_message_digest, DER_OCTET_STRING, octets_of(n->digest, 32));
	attribute(d, scep_oid_sender_nonce, DER_OCTET_STRING, octets_of(n->nonce, 16));
	attribute(d, scep_oid_content_type, DER_OID, scep_oid_content_data);
	attribute(
	    d, scep_oid_message_type, DER_PRINTABLE_STRING, octets_of_string(n->message_type));
	der_wrap(d, tag, mark);
}

static bool
signer_info(struct der *d, const struct stranger *s, const struct named *n)
{
	uint8_t room[1024], signature[RSA_MAX];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(signature), end = der_mark(d), mark;
	struct der a;
	bool held;

	der_start(&a, room, sizeof(room));
	attributes(&a, n, DER_SET);
	held = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, s->key) == 1 &&
	       EVP_DigestSign(ctx, signature, &len, a.at, der_mark(&a)) == 1;
	EVP_MD_CTX_free(ctx);
	der_element(d, DER_OCTET_STRING, octets_of(signature, held ? len : 0));
	mark = der_mark(d);
	der_null(d);
	algorithm(d, scep_oid_rsa_encryption, mark);
	attributes(d, n, DER_CONTEXT(0));
	algorithm(d, pki_digest_oid(PKI_SHA256), der_mark(d));
	issuer_and_serial(d, &s->certificate);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, end);
	der_wrap(d, DER_SET, end);
	return held;
}

static bool
write_signed(struct der *d, const struct stranger *s, const struct named *n, struct octets content)
{
	bool held = signer_info(d, s, n);
	size_t mark = der_mark(d);

	der_raw(d, s->certificate.der);
	der_wrap(d, DER_CONTEXT(0), mark);
	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, content);
	der_wrap(d, DER_CONTEXT(0), mark);
	der_oid(d, scep_oid_content_data);
	der_wrap(d, DER_SEQUENCE, mark);
	mark = der_mark(d);
	algorithm(d, pki_digest_oid(PKI_SHA256), der_mark(d));
	der_wrap(d, DER_SET, mark);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, 0);
	content_info(d, scep_oid_content_signed, 0);
	return held && !d->failed;
}

bool
stranger_message(const struct stranger *s, int message_type, const struct stranger_envelope *e,
    struct buffer *out)
{
	size_t size = e->content.len + 4096;
	uint8_t *inner = malloc(size), *outer = malloc(2 * size), random[16];
	struct named n = {0};
	struct octets content, message;
	struct der d;
	bool held;

	snprintf(n.message_type, sizeof(n.message_type), "%d", message_type);
	held = inner != NULL && outer != NULL && RAND_bytes(random, sizeof(random)) == 1 &&
	       RAND_bytes(n.nonce, sizeof(n.nonce)) == 1;
	encoding_hex(octets_of(random, sizeof(random)), n.transaction_id);
	if (held) {
		der_start(&d, inner, size);
		held = write_envelope(&d, e);
		content = der_octets(&d);
		held = held && EVP_Digest(content.data, content.len, n.digest, NULL, EVP_sha256(),
				   NULL) == 1;
		der_start(&d, outer, 2 * size);
		held = held && write_signed(&d, s, &n, content);
		message = der_octets(&d);
		buffer_append(out, message.data, message.len);
	}
	free(inner);
	free(outer);
	return held && !out->failed;
}
