#include "scep/envelope.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "scep/degenerate.h"
#include "scep/oid.h"

#define FRAME_ROOM 256 /* tags, lengths, versions, OIDs, IV */

/* PKCS#1 v1.5 (RFC 8017 7.2.1) of secret into out, which has room for the modulus. */
static bool
encrypt_key(EVP_PKEY *key, struct octets secret, uint8_t *out, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool held = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
		    EVP_PKEY_encrypt(ctx, out, len, secret.data, secret.len) == 1;

	EVP_PKEY_CTX_free(ctx);
	return held;
}

/* CBC with the padding of RFC 5652 6.3; out has room for one more block than content. */
static bool
encrypt_content(const EVP_CIPHER *cipher, const uint8_t *secret, const uint8_t *iv,
    struct octets content, uint8_t *out, size_t *len)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0, last = 0;
	bool held = ctx != NULL && EVP_EncryptInit_ex2(ctx, cipher, secret, iv, NULL) == 1 &&
		    EVP_EncryptUpdate(ctx, out, &n, content.data, (int)content.len) == 1 &&
		    EVP_EncryptFinal_ex(ctx, out + n, &last) == 1;

	EVP_CIPHER_CTX_free(ctx);
	*len = (size_t)(n + last);
	return held;
}

struct sealed {
	struct octets issuer, serial, encrypted_key, cipher_oid, iv, ciphertext;
};

static void
write_envelope(struct der *d, const struct sealed *s)
{
	size_t end = der_mark(d), mark;

	/* EncryptedContentInfo */
	der_element(d, DER_CONTEXT_PRIM(0), s->ciphertext);
	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, s->iv);
	der_oid(d, s->cipher_oid);
	der_wrap(d, DER_SEQUENCE, mark);
	der_oid(d, scep_oid_content_data);
	der_wrap(d, DER_SEQUENCE, end);

	/* RecipientInfos, one KeyTransRecipientInfo */
	end = der_mark(d);
	der_element(d, DER_OCTET_STRING, s->encrypted_key);
	mark = der_mark(d);
	der_null(d);
	der_oid(d, scep_oid_rsa_encryption);
	der_wrap(d, DER_SEQUENCE, mark);
	mark = der_mark(d);
	der_element(d, DER_INTEGER, s->serial);
	der_raw(d, s->issuer);
	der_wrap(d, DER_SEQUENCE, mark);
	der_integer(d, 0);
	der_wrap(d, DER_SEQUENCE, end);
	der_wrap(d, DER_SET, end);

	der_integer(d, 0);
	der_wrap(d, DER_SEQUENCE, 0);
	scep_content_wrap(d, scep_oid_content_enveloped, 0);
}

bool
scep_envelope_encode(struct octets content, enum pki_cipher cipher, EVP_PKEY *key,
    struct octets issuer, struct octets serial, struct buffer *out, struct errbuf *why)
{
	const EVP_CIPHER *evp = pki_cipher_evp(cipher);
	uint8_t secret[EVP_MAX_KEY_LENGTH], iv[EVP_MAX_IV_LENGTH], *room = NULL;
	size_t modulus = (size_t)EVP_PKEY_get_size(key), secret_len, ciphertext_len, size;
	struct sealed s = {
	    .issuer = issuer, .serial = serial, .cipher_oid = pki_cipher_oid(cipher)};
	struct octets der;
	bool held = false;
	struct der d;

	if (evp == NULL || !EVP_PKEY_is_a(key, "RSA") || content.len > INT_MAX / 2) {
		errbuf_set(why, "envelope: want %s and an RSA key", pki_cipher_name(cipher));
		return false;
	}
	secret_len = (size_t)EVP_CIPHER_get_key_length(evp);
	/* One room: the encrypted key, the ciphertext, and in front of both what is written from the end. */
	size = modulus + content.len + EVP_MAX_BLOCK_LENGTH;
	if ((room = malloc(2 * size + issuer.len + serial.len + FRAME_ROOM)) == NULL) {
		errbuf_set(why, "envelope: out of memory");
		return false;
	}
	if (RAND_priv_bytes(secret, (int)secret_len) != 1 || RAND_bytes(iv, sizeof(iv)) != 1 ||
	    !encrypt_key(key, octets_of(secret, secret_len), room, &modulus) ||
	    !encrypt_content(evp, secret, iv, content, room + modulus, &ciphertext_len)) {
		errbuf_ossl(why, "envelope: cannot encrypt");
		goto done;
	}
	s.encrypted_key = octets_of(room, modulus);
	s.iv = octets_of(iv, (size_t)EVP_CIPHER_get_iv_length(evp));
	s.ciphertext = octets_of(room + modulus, ciphertext_len);
	der_start(&d, room + size, size + issuer.len + serial.len + FRAME_ROOM);
	write_envelope(&d, &s);
	der = der_octets(&d);
	buffer_append(out, der.data, der.len);
	held = !d.failed && !out->failed;
	if (!held)
		errbuf_set(why, "envelope: cannot encode");
done:
	octets_wipe(secret, sizeof(secret));
	free(room);
	return held;
}
