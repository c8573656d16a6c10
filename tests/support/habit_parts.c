/* habit_parts.c: CSR, certificate and envelope of a habit's message. */
#include "tests/support/habit_parts.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/name.h"
#include "pki/public_key.h"
#include "scep/oid.h"

static const uint8_t oid_challenge[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07};
static const uint8_t oid_extensions[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const uint8_t oid_ski[] = {0x55, 0x1d, 0x0e};

void
habit_need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "habit: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

void
habit_random(struct habit_stream *s, uint8_t *out, size_t len)
{
	uint8_t input[256], block[32];

	habit_need(s->seed.len + strlen(s->name) + 4 <= sizeof(input), "seed");
	for (size_t at = 0; at < len; at += sizeof(block)) {
		size_t n = len - at < sizeof(block) ? len - at : sizeof(block), used;

		memcpy(input, s->seed.data, s->seed.len);
		used = s->seed.len;
		memcpy(input + used, s->name, strlen(s->name));
		used += strlen(s->name);
		for (int shift = 24; shift >= 0; shift -= 8)
			input[used++] = (uint8_t)(s->block >> shift);
		s->block++;
		habit_need(
		    EVP_Digest(input, used, block, NULL, EVP_sha256(), NULL) == 1, "SHA-256");
		memcpy(out + at, block, n);
	}
}

enum pki_digest
habit_digest(const struct habit *h)
{
	return h->digest != PKI_DIGEST_NONE ? h->digest : PKI_SHA256;
}

enum pki_digest
habit_csr_digest(const struct habit *h)
{
	return h->csr_digest != PKI_DIGEST_NONE ? h->csr_digest : PKI_SHA256;
}

enum pki_cipher
habit_cipher(const struct habit *h)
{
	return h->cipher != PKI_CIPHER_NONE ? h->cipher : PKI_AES128;
}

void
habit_algorithm(struct der *d, struct octets oid, bool null)
{
	size_t mark = der_mark(d);

	if (null)
		der_null(d);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

size_t
habit_sign(EVP_PKEY *key, enum pki_digest digest, struct octets message, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = 1024;

	habit_need(ctx != NULL &&
		       EVP_DigestSignInit(ctx, NULL, pki_digest_md(digest), NULL, key) == 1 &&
		       EVP_DigestSign(ctx, out, &len, message.data, message.len) == 1,
	    "signature");
	EVP_MD_CTX_free(ctx);
	return len;
}

void
habit_spki(EVP_PKEY *key, struct buffer *out)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	habit_need(len > 0, "SubjectPublicKeyInfo");
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
}

void
habit_append(const struct der *d, struct buffer *out)
{
	struct octets o = der_octets(d);

	buffer_append(out, o.data, o.len);
	habit_need(!d->failed && !out->failed, "room");
}

void
habit_subject(const struct habit *h, struct buffer *out)
{
	const struct name_type *number = name_type_of_keyword("serialNumber", 12);
	const struct name_type *name = name_type_of_keyword("unstructuredName", 16);
	const struct name_attribute ios[] = {
	    {number->oid, octets_of_string("FTX1234A5B6"), DER_PRINTABLE_STRING, 0},
	    {name->oid, octets_of_string("router.example.com"), DER_PRINTABLE_STRING, 0},
	};
	struct errbuf why = {0};
	char text[128];

	snprintf(text, sizeof(text), "O=Habits,CN=%s",
	    h->common_name != NULL ? h->common_name : h->name);
	habit_need(
	    h->ios_subject ? name_encode(ios, 2, out) : name_from_text(text, out, &why), "subject");
}

/* ---- CSR ---------------------------------------------------------------------------------------------------------------------- */

static void
write_challenge(const struct habit_order *o, struct der *d)
{
	struct octets text = octets_of_string(o->challenge);
	uint8_t tag = o->habit->challenge_tag;
	size_t mark = der_mark(d);

	if (tag == V_ASN1_BMPSTRING) {
		for (size_t i = text.len; i > 0; i--) {
			const uint8_t character[2] = {0, text.data[i - 1]};

			der_raw(d, octets_of(character, 2));
		}
		der_wrap(d, tag, mark);
	} else {
		der_element(d, tag != 0 ? tag : DER_PRINTABLE_STRING, text);
	}
}

static void
write_attributes(const struct habit_order *o, struct der *d)
{
	size_t end = der_mark(d);

	write_challenge(o, d);
	if (o->habit->challenge_in_extensions) {
		der_wrap(d, DER_OCTET_STRING, end);
		der_oid(d, octets_of(oid_challenge, sizeof(oid_challenge)));
		der_wrap(d, DER_SEQUENCE, end);
		der_wrap(d, DER_SEQUENCE, end);
	}
	der_wrap(d, DER_SET, end);
	der_oid(d, o->habit->challenge_in_extensions
		       ? octets_of(oid_extensions, sizeof(oid_extensions))
		       : octets_of(oid_challenge, sizeof(oid_challenge)));
	der_wrap(d, DER_SEQUENCE, end);
	der_wrap(d, DER_CONTEXT(0), end);
}

void
habit_csr(const struct habit_order *o, struct octets subject, struct buffer *out)
{
	EVP_PKEY *key = o->habit->small_key ? o->keys->small : o->keys->device;
	enum pki_digest digest = habit_csr_digest(o->habit);
	uint8_t room[HABIT_ROOM], signature[1024];
	struct buffer info = {0}, spki = {0};
	struct der d;
	size_t len;

	habit_spki(key, &spki);
	der_start(&d, room, sizeof(room));
	write_attributes(o, &d);
	der_raw(&d, buffer_octets(&spki));
	der_raw(&d, subject);
	der_integer(&d, 0);
	der_wrap(&d, DER_SEQUENCE, 0);
	habit_append(&d, &info);
	len = habit_sign(key, digest, buffer_octets(&info), signature);

	der_start(&d, room, sizeof(room));
	der_bit_string(&d, octets_of(signature, len));
	der_raw(&d, pki_signature_algorithm(PKI_KEY_RSA, digest));
	der_raw(&d, buffer_octets(&info));
	der_wrap(&d, DER_SEQUENCE, 0);
	habit_append(&d, out);
	buffer_free(&info);
	buffer_free(&spki);
}

/* ---- certificate -------------------------------------------------------------------------------------------------------------- */

/* [3] { SEQUENCE { Extension } } with the subjectKeyIdentifier. */
static void
write_ski(struct octets spki, struct der *d)
{
	size_t end = der_mark(d);
	uint8_t id[20];

	habit_need(public_key_identifier(spki, id), "subjectKeyIdentifier");
	der_element(d, DER_OCTET_STRING, octets_of(id, sizeof(id)));
	der_wrap(d, DER_OCTET_STRING, end);
	der_oid(d, octets_of(oid_ski, sizeof(oid_ski)));
	der_wrap(d, DER_SEQUENCE, end);
	der_wrap(d, DER_SEQUENCE, end);
	der_wrap(d, DER_CONTEXT(3), end);
}

void
habit_certificate(const struct habit_certificate *c, struct buffer *out)
{
	struct octets algorithm = pki_signature_algorithm(PKI_KEY_RSA, c->digest);
	uint8_t room[8192], signature[1024];
	struct buffer tbs = {0}, spki = {0};
	struct der d;
	size_t len, mark;

	habit_spki(c->key, &spki);
	der_start(&d, room, sizeof(room));
	if (c->ski)
		write_ski(buffer_octets(&spki), &d);
	der_raw(&d, buffer_octets(&spki));
	der_raw(&d, c->subject);
	mark = der_mark(&d);
	der_time(&d, c->not_after);
	der_time(&d, c->not_before);
	der_wrap(&d, DER_SEQUENCE, mark);
	der_raw(&d, c->issuer);
	der_raw(&d, algorithm);
	der_element(&d, DER_INTEGER, c->serial);
	mark = der_mark(&d);
	der_integer(&d, 2);
	der_wrap(&d, DER_CONTEXT(0), mark);
	der_wrap(&d, DER_SEQUENCE, 0);
	habit_append(&d, &tbs);
	len = habit_sign(c->issuer_key, c->digest, buffer_octets(&tbs), signature);

	der_start(&d, room, sizeof(room));
	der_bit_string(&d, octets_of(signature, len));
	der_raw(&d, algorithm);
	der_raw(&d, buffer_octets(&tbs));
	der_wrap(&d, DER_SEQUENCE, 0);
	habit_append(&d, out);
	buffer_free(&tbs);
	buffer_free(&spki);
}

/* ---- envelope ----------------------------------------------------------------------------------------------------------------- */

/* RSAES-PKCS1-v1_5 (RFC 8017 7.2.1) with a padding of our own making; out has room for 1,024 octets.  Its length. */
static size_t
encrypt_key(const struct habit_order *o, struct habit_stream *s, struct octets secret, uint8_t *out)
{
	struct public_key key;
	EVP_PKEY_CTX *ctx;
	uint8_t block[1024] = {0, 2};
	size_t len = 1024, size;

	habit_need(public_key_parse(o->recipient->spki, &key, NULL) && key.pkey != NULL,
	    "the recipient's key");
	size = (size_t)EVP_PKEY_get_size(key.pkey);
	for (size_t i = 2; i < size - secret.len - 1; i++) {
		do
			habit_random(s, block + i, 1);
		while (block[i] == 0);
	}
	block[size - secret.len - 1] = 0;
	memcpy(block + size - secret.len, secret.data, secret.len);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key.pkey, NULL);
	habit_need(ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
		       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
		       EVP_PKEY_encrypt(ctx, out, &len, block, size) == 1,
	    "encryption of the key");
	EVP_PKEY_CTX_free(ctx);
	public_key_free(&key);
	return len;
}

static size_t
encrypt_content(const EVP_CIPHER *cipher, const uint8_t *secret, const uint8_t *iv,
    struct octets content, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;

	habit_need(ctx != NULL && EVP_EncryptInit_ex2(ctx, cipher, secret, iv, NULL) == 1 &&
		       EVP_EncryptUpdate(ctx, out, &n, content.data, (int)content.len) == 1 &&
		       EVP_EncryptFinal_ex(ctx, out + n, &last) == 1,
	    "encryption");
	EVP_CIPHER_CTX_free(ctx);
	return (size_t)(n + last);
}

/* RecipientInfos with one KeyTransRecipientInfo. */
static void
write_recipient(const struct habit_order *o, struct octets encrypted_key, struct der *d)
{
	size_t end = der_mark(d), mark;

	der_element(d, DER_OCTET_STRING, encrypted_key);
	habit_algorithm(d, scep_oid_rsa_encryption, true);
	mark = der_mark(d);
	if (o->habit->recipient_by_ski) {
		habit_need(o->recipient->ski.len > 0, "the recipient has no subjectKeyIdentifier");
		der_element(d, DER_CONTEXT_PRIM(0), o->recipient->ski);
		der_integer(d, 2);
	} else {
		der_element(d, DER_INTEGER, o->recipient->serial);
		der_raw(d, o->recipient->issuer);
		der_wrap(d, DER_SEQUENCE, mark);
		der_integer(d, 0);
	}
	der_wrap(d, DER_SEQUENCE, end);
	der_wrap(d, DER_SET, end);
}

void
habit_envelope(
    const struct habit_order *o, struct habit_stream *s, struct octets content, struct buffer *out)
{
	enum pki_cipher cipher = habit_cipher(o->habit);
	const EVP_CIPHER *evp = pki_cipher_evp(cipher);
	uint8_t secret[EVP_MAX_KEY_LENGTH], iv[EVP_MAX_IV_LENGTH], key[1024], room[HABIT_ROOM];
	size_t key_len, len, mark, secret_len = (size_t)EVP_CIPHER_get_key_length(evp);
	size_t iv_len = (size_t)EVP_CIPHER_get_iv_length(evp);
	uint8_t *encrypted = malloc(content.len + EVP_MAX_BLOCK_LENGTH);
	struct der d;

	habit_need(encrypted != NULL, "memory");
	habit_random(s, secret, secret_len);
	habit_random(s, iv, iv_len);
	key_len = encrypt_key(o, s, octets_of(secret, secret_len), key);
	len = encrypt_content(evp, secret, iv, content, encrypted);
	der_start(&d, room, sizeof(room));
	der_element(&d, DER_CONTEXT_PRIM(0), octets_of(encrypted, len));
	mark = der_mark(&d);
	der_element(&d, DER_OCTET_STRING, octets_of(iv, iv_len));
	der_oid(&d, pki_cipher_oid(cipher));
	der_wrap(&d, DER_SEQUENCE, mark);
	der_oid(&d, scep_oid_content_data);
	der_wrap(&d, DER_SEQUENCE, 0);
	write_recipient(o, octets_of(key, key_len), &d);
	der_integer(&d, o->habit->recipient_by_ski ? 2 : 0);
	der_wrap(&d, DER_SEQUENCE, 0);
	der_wrap(&d, DER_CONTEXT(0), 0);
	der_oid(&d, scep_oid_content_enveloped);
	der_wrap(&d, DER_SEQUENCE, 0);
	habit_append(&d, out);
	free(encrypted);
}
