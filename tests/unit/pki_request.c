#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/errbuf.h"
#include "pki/asn1.h"
#include "pki/authority.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

#define KEYS 5

static EVP_PKEY *keys[KEYS];

static EVP_PKEY *
kept(int slot, EVP_PKEY *(*make)(void))
{
	if (keys[slot] == NULL && (keys[slot] = make()) == NULL)
		abort();
	return keys[slot];
}

static EVP_PKEY *
make_rsa(void)
{
	return EVP_RSA_gen(2048);
}

static EVP_PKEY *
make_ec(void)
{
	return EVP_EC_gen("P-256");
}

static EVP_PKEY *
make_ed(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static EVP_PKEY *
make_ed448(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
}

EVP_PKEY *
pki_rsa_key(void)
{
	return kept(0, make_rsa);
}

EVP_PKEY *
pki_other_rsa_key(void)
{
	return kept(1, make_rsa);
}

EVP_PKEY *
pki_ec_key(void)
{
	return kept(2, make_ec);
}

EVP_PKEY *
pki_ed_key(void)
{
	return kept(3, make_ed);
}

EVP_PKEY *
pki_ed448_key(void)
{
	return kept(4, make_ed448);
}

void
pki_free_keys(void)
{
	for (int i = 0; i < KEYS; i++) {
		EVP_PKEY_free(keys[i]);
		keys[i] = NULL;
	}
}

void
pki_tlv(struct buffer *out, uint8_t tag, const void *content, size_t len)
{
	size_t size = len + 8;
	uint8_t *room = malloc(size);
	struct der d;

	if (room == NULL)
		abort();
	der_start(&d, room, size);
	der_element(&d, tag, octets_of(content, len));
	buffer_append(out, der_octets(&d).data, der_octets(&d).len);
	free(room);
}

void
pki_tlv_string(struct buffer *out, uint8_t tag, const char *content)
{
	pki_tlv(out, tag, content, strlen(content));
}

void
pki_wrap(struct buffer *out, uint8_t tag, struct buffer *content)
{
	pki_tlv(out, tag, content->data, content->len);
	buffer_free(content);
}

void
pki_wrap_indefinite(struct buffer *out, uint8_t tag, struct buffer *content)
{
	buffer_append(out, (const uint8_t[]){tag, 0x80}, 2);
	buffer_append(out, content->data, content->len);
	buffer_append(out, (const uint8_t[]){0, 0}, 2);
	buffer_free(content);
}

void
pki_oid(struct buffer *out, const char *dotted)
{
	ASN1_OBJECT *o = OBJ_txt2obj(dotted, 1);
	struct octets content = asn1_oid_octets(o);

	if (o == NULL)
		abort();
	pki_tlv(out, DER_OID, content.data, content.len);
	ASN1_OBJECT_free(o);
}

void
pki_attribute(struct buffer *out, const char *oid, struct buffer *value)
{
	struct buffer attribute = {0};

	pki_oid(&attribute, oid);
	pki_wrap(&attribute, DER_SET, value);
	pki_wrap(out, DER_SEQUENCE, &attribute);
}

void
pki_extension(struct buffer *out, const char *oid, struct buffer *value)
{
	struct buffer extension = {0};

	pki_oid(&extension, oid);
	pki_wrap(&extension, DER_OCTET_STRING, value);
	pki_wrap(out, DER_SEQUENCE, &extension);
}

void
pki_spki(struct buffer *out, EVP_PKEY *key)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len <= 0)
		abort();
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
}

void
pki_csr_info(
    struct buffer *out, struct octets subject, struct octets spki, struct buffer *attributes)
{
	struct buffer info = {0};

	pki_tlv(&info, DER_INTEGER, "", 1);
	buffer_append(&info, subject.data, subject.len);
	buffer_append(&info, spki.data, spki.len);
	if (attributes != NULL)
		pki_wrap(&info, DER_CONTEXT(0), attributes);
	pki_wrap(out, DER_SEQUENCE, &info);
}

void
pki_csr_sign(struct buffer *out, EVP_PKEY *key, const char *algorithm, struct octets info)
{
	struct buffer request = {0}, identifier = {0};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[1 + 1024] = {0};
	size_t len = sizeof(signature) - 1;
	bool eddsa = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
	const EVP_MD *md = eddsa ? NULL : EVP_sha256();

	if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, md, NULL, key) != 1 ||
	    EVP_DigestSign(ctx, signature + 1, &len, info.data, info.len) != 1)
		abort();
	EVP_MD_CTX_free(ctx);
	buffer_append(&request, info.data, info.len);
	pki_oid(&identifier, algorithm);
	pki_wrap(&request, DER_SEQUENCE, &identifier);
	pki_tlv(&request, DER_BIT_STRING, signature, len + 1);
	pki_wrap(out, DER_SEQUENCE, &request);
}

static const char *
algorithm_of(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return "1.2.840.113549.1.1.11";
	if (EVP_PKEY_is_a(key, "EC"))
		return "1.2.840.10045.4.3.2";
	return EVP_PKEY_is_a(key, "ED448") ? "1.3.101.113" : "1.3.101.112";
}

void
pki_csr(struct buffer *out, EVP_PKEY *key, const char *subject, struct buffer *attributes)
{
	struct buffer name = {0}, spki = {0}, info = {0};
	struct errbuf why;

	if (!name_from_text(subject, &name, &why))
		abort();
	pki_spki(&spki, key);
	pki_csr_info(&info, buffer_octets(&name), buffer_octets(&spki), attributes);
	pki_csr_sign(out, key, algorithm_of(key), buffer_octets(&info));
	buffer_free(&name);
	buffer_free(&spki);
	buffer_free(&info);
}

void
pki_write_file(const char *dir, const char *name, const char *label, struct octets content)
{
	struct buffer pem = {0};
	char path[256];
	FILE *f;

	if (label != NULL) {
		if (!pem_write(label, content, &pem))
			abort();
		content = buffer_octets(&pem);
	}
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "w")) == NULL ||
	    fwrite(content.data, 1, content.len, f) != content.len || fclose(f) != 0)
		abort();
	buffer_free(&pem);
}
