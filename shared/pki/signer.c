#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "pki/private_key.h"
#include "pki/signer.h"

#define SIGNATURE_MAX 1024 /* RSA-8192 */
#define HEADER_ROOM   64   /* of SEQUENCE and BIT STRING, and an AlgorithmIdentifier */

struct signer {
	EVP_PKEY *key;
	EVP_PKEY_CTX
	*ctx; /* ready to sign; kept, as a new one for each signature would cost 10 us */
	enum pki_key_type type;
	enum pki_digest digest;
	struct octets algorithm;
	struct buffer spki;
};

/* SHA-256 for RSA; for EC the digest of the curve's size (RFC 5480 section 4). */
static bool
choose_algorithm(struct signer *s, struct errbuf *why)
{
	s->digest = PKI_SHA256;
	if (EVP_PKEY_is_a(s->key, "RSA")) {
		s->type = PKI_KEY_RSA;
	} else if (EVP_PKEY_is_a(s->key, "EC")) {
		s->type = PKI_KEY_EC;
		if (EVP_PKEY_get_bits(s->key) > 384)
			s->digest = PKI_SHA512;
		else if (EVP_PKEY_get_bits(s->key) > 256)
			s->digest = PKI_SHA384;
	} else {
		errbuf_set(why, "signer: have a key of type %s, want RSA or EC",
		    EVP_PKEY_get0_type_name(s->key));
		return false;
	}
	s->algorithm = pki_signature_algorithm(s->type, s->digest);
	return true;
}

static bool
prepare(struct signer *s, struct errbuf *why)
{
	const EVP_MD *md = pki_digest_md(s->digest);

	s->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, s->key, NULL);
	if (md == NULL || s->ctx == NULL || EVP_PKEY_sign_init(s->ctx) != 1 ||
	    (s->type == PKI_KEY_RSA &&
		EVP_PKEY_CTX_set_rsa_padding(s->ctx, RSA_PKCS1_PADDING) != 1) ||
	    EVP_PKEY_CTX_set_signature_md(s->ctx, md) != 1) {
		errbuf_ossl(why, "signer: cannot sign with this key");
		return false;
	}
	return private_key_spki(s->key, &s->spki, why);
}

bool
signer_of_key(EVP_PKEY *key, struct signer **out, struct errbuf *why)
{
	struct signer *s;

	*out = NULL;
	if ((s = calloc(1, sizeof(*s))) == NULL || EVP_PKEY_up_ref(key) != 1) {
		errbuf_set(why, "signer: out of memory");
		free(s);
		return false;
	}
	s->key = key;
	if (!choose_algorithm(s, why) || !prepare(s, why)) {
		signer_free(s);
		return false;
	}
	*out = s;
	return true;
}

bool
signer_open(const char *path, struct octets passphrase, struct signer **out, struct errbuf *why)
{
	EVP_PKEY *key;
	bool ok;

	*out = NULL;
	if ((key = private_key_load(path, passphrase, why)) == NULL)
		return false;
	ok = signer_of_key(key, out, why);
	EVP_PKEY_free(key);
	return ok;
}

void
signer_free(struct signer *s)
{
	if (s == NULL)
		return;
	EVP_PKEY_CTX_free(s->ctx);
	EVP_PKEY_free(s->key);
	buffer_free(&s->spki);
	free(s);
}

enum pki_key_type
signer_key_type(const struct signer *s)
{
	return s->type;
}

struct octets
signer_algorithm(const struct signer *s)
{
	return s->algorithm;
}

struct octets
signer_spki(const struct signer *s)
{
	return buffer_octets(&s->spki);
}

bool
signer_sign(struct signer *s, struct octets message, struct buffer *signature, struct errbuf *why)
{
	uint8_t hash[EVP_MAX_MD_SIZE], raw[SIGNATURE_MAX];
	size_t len = sizeof(raw);
	unsigned int hash_len;

	if (EVP_Digest(
		message.data, message.len, hash, &hash_len, pki_digest_md(s->digest), NULL) != 1 ||
	    EVP_PKEY_sign(s->ctx, raw, &len, hash, hash_len) != 1) {
		errbuf_ossl(why, "signer: signing failed");
		return false;
	}
	buffer_append(signature, raw, len);
	if (signature->failed)
		errbuf_set(why, "signer: out of memory");
	return !signature->failed;
}

bool
signer_sign_tbs(struct signer *s, struct octets tbs, struct octets behind, struct buffer *out,
    struct errbuf *why)
{
	struct buffer signature = {0};
	uint8_t *room = NULL;
	size_t size, before = out->len;
	struct der d;
	bool ok = false;

	if (!signer_sign(s, tbs, &signature, why))
		goto done;
	size = tbs.len + behind.len + signature.len + HEADER_ROOM;
	if ((room = malloc(size)) != NULL) {
		der_start(&d, room, size);
		der_raw(&d, behind);
		der_bit_string(&d, buffer_octets(&signature));
		der_raw(&d, s->algorithm);
		der_raw(&d, tbs);
		der_wrap(&d, DER_SEQUENCE, 0);
		buffer_append(out, der_octets(&d).data, der_octets(&d).len);
		ok = !d.failed && !out->failed;
	}
	if (!ok) {
		out->len = before;
		errbuf_set(why, "signer: out of memory");
	}
done:
	free(room);
	buffer_free(&signature);
	return ok;
}
