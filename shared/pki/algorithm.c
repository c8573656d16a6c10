#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/provider.h>

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "pki/algorithm.h"

/* Content octets of the OIDs; the comment has the dotted form. */
#define OID(...)                                                                                   \
	{                                                                                          \
		.data = (const uint8_t[]){__VA_ARGS__}, .len = sizeof((uint8_t[]){__VA_ARGS__})    \
	}
#define PKCS1(n)      OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n) /* 1.2.840.113549.1.1.n */
#define DIGEST_ALG(n) OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, n) /* 1.2.840.113549.2.n */
#define NIST_HASH(n)                                                                               \
	OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, n) /* 2.16.840.1.101.3.4.2.n */
#define NIST_AES(n)                                                                                \
	OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, n)	       /* 2.16.840.1.101.3.4.1.n */
#define ECDSA_SHA2(n) OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n) /* 1.2.840.10045.4.3.n */

/* AlgorithmIdentifier: RSA has NULL parameters (RFC 4055 section 5), ECDSA none (RFC 5758 section 3.2). */
#define RSA_ALG(n)                                                                                 \
	OID(0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n, 0x05, 0x00)
#define ECDSA_ALG(n)	OID(0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n)

#define NAME_MAX_OCTETS 32

static const struct digest {
	enum pki_digest digest;
	const char *name;
	const char *fetch;
	const char *spellings; /* for settings: letters and digits alone */
	struct octets oid;
	struct octets rsa; /* …WithRSAEncryption */
	struct octets ecdsa;
	struct octets rsa_algorithm;
	struct octets ecdsa_algorithm;
} digests[] = {
    {PKI_MD5, "MD5", "MD5", " md5 ", DIGEST_ALG(5), PKCS1(4), {0}, RSA_ALG(4), {0}},
    {PKI_SHA1, "SHA-1", "SHA1", " sha1 sha ", OID(0x2b, 0x0e, 0x03, 0x02, 0x1a), PKCS1(5),
	OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01), RSA_ALG(5),
	OID(0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01)},
    {PKI_SHA256, "SHA-256", "SHA2-256", " sha256 ", NIST_HASH(1), PKCS1(11), ECDSA_SHA2(2),
	RSA_ALG(11), ECDSA_ALG(2)},
    {PKI_SHA384, "SHA-384", "SHA2-384", " sha384 ", NIST_HASH(2), PKCS1(12), ECDSA_SHA2(3),
	RSA_ALG(12), ECDSA_ALG(3)},
    {PKI_SHA512, "SHA-512", "SHA2-512", " sha512 ", NIST_HASH(3), PKCS1(13), ECDSA_SHA2(4),
	RSA_ALG(13), ECDSA_ALG(4)},
};
#define DIGESTS (sizeof(digests) / sizeof(digests[0]))

static const struct cipher {
	enum pki_cipher cipher;
	const char *name;
	const char *fetch;
	const char *spellings;
	struct octets oid;
} ciphers[] = {
    {PKI_DES, "DES-CBC", "DES-CBC", " des descbc ", OID(0x2b, 0x0e, 0x03, 0x02, 0x07)},
    {PKI_DES3, "DES-EDE3-CBC", "DES-EDE3-CBC", " des3 3des tripledes desede3 desede3cbc des3cbc ",
	OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07)},
    {PKI_AES128, "AES-128-CBC", "AES-128-CBC", " aes aes128 aes128cbc ", NIST_AES(2)},
    {PKI_AES256, "AES-256-CBC", "AES-256-CBC", " aes256 aes256cbc ", NIST_AES(42)},
};
#define CIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

static const struct octets rsa_encryption = PKCS1(1);

/* What is fetched stays for the life of the process. */
static EVP_MD *fetched_digests[DIGESTS];
static EVP_CIPHER *fetched_ciphers[CIPHERS];
static OSSL_LIB_CTX *legacy_libctx;

static bool
same(struct octets oid, struct octets known)
{
	return known.len > 0 && octets_equal(oid, known);
}

static const struct digest *
find_digest(enum pki_digest d)
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (digests[i].digest == d)
			return &digests[i];
	return NULL;
}

static const struct cipher *
find_cipher(enum pki_cipher c)
{
	for (size_t i = 0; i < CIPHERS; i++)
		if (ciphers[i].cipher == c)
			return &ciphers[i];
	return NULL;
}

enum pki_digest
pki_digest_of_oid(struct octets oid)
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (same(oid, digests[i].oid))
			return digests[i].digest;
	return PKI_DIGEST_NONE;
}

enum pki_cipher
pki_cipher_of_oid(struct octets oid)
{
	for (size_t i = 0; i < CIPHERS; i++)
		if (same(oid, ciphers[i].oid))
			return ciphers[i].cipher;
	return PKI_CIPHER_NONE;
}

bool
pki_signature_of_oid(struct octets oid, enum pki_digest *digest, enum pki_key_type *type)
{
	*digest = PKI_DIGEST_NONE;
	*type = PKI_KEY_RSA;
	if (same(oid, rsa_encryption))
		return true;
	for (size_t i = 0; i < DIGESTS; i++) {
		if (same(oid, digests[i].rsa)) {
			*digest = digests[i].digest;
			return true;
		}
		if (same(oid, digests[i].ecdsa)) {
			*digest = digests[i].digest;
			*type = PKI_KEY_EC;
			return true;
		}
	}
	*type = PKI_KEY_OTHER;
	return false;
}

struct octets
pki_digest_oid(enum pki_digest d)
{
	const struct digest *known = find_digest(d);

	return known != NULL ? known->oid : octets_of(NULL, 0);
}

struct octets
pki_cipher_oid(enum pki_cipher c)
{
	const struct cipher *known = find_cipher(c);

	return known != NULL ? known->oid : octets_of(NULL, 0);
}

struct octets
pki_signature_algorithm(enum pki_key_type type, enum pki_digest d)
{
	const struct digest *known = find_digest(d);

	if (known != NULL && type == PKI_KEY_RSA)
		return known->rsa_algorithm;
	if (known != NULL && type == PKI_KEY_EC)
		return known->ecdsa_algorithm;
	return octets_of(NULL, 0);
}

const char *
pki_digest_name(enum pki_digest d)
{
	const struct digest *known = find_digest(d);

	return known != NULL ? known->name : "?";
}

const char *
pki_cipher_name(enum pki_cipher c)
{
	const struct cipher *known = find_cipher(c);

	return known != NULL ? known->name : "?";
}

/* " sha256 " from "SHA-256": the letters and digits in lower case, between two spaces.  false where it is too long or empty. */
static bool
plain_name(const char *name, char out[NAME_MAX_OCTETS])
{
	size_t len = 0;

	out[len++] = ' ';
	for (; *name != '\0'; name++) {
		if (!isalnum((unsigned char)*name))
			continue;
		if (len + 2 >= NAME_MAX_OCTETS)
			return false;
		out[len++] = (char)tolower((unsigned char)*name);
	}
	out[len++] = ' ';
	out[len] = '\0';
	return len > 2;
}

enum pki_digest
pki_digest_of_name(const char *name)
{
	char plain[NAME_MAX_OCTETS];

	if (!plain_name(name, plain))
		return PKI_DIGEST_NONE;
	for (size_t i = 0; i < DIGESTS; i++)
		if (strstr(digests[i].spellings, plain) != NULL)
			return digests[i].digest;
	return PKI_DIGEST_NONE;
}

enum pki_cipher
pki_cipher_of_name(const char *name)
{
	char plain[NAME_MAX_OCTETS];

	if (!plain_name(name, plain))
		return PKI_CIPHER_NONE;
	for (size_t i = 0; i < CIPHERS; i++)
		if (strstr(ciphers[i].spellings, plain) != NULL)
			return ciphers[i].cipher;
	return PKI_CIPHER_NONE;
}

/* X.690 8.19: at least one octet, each arc in the fewest octets, the last arc complete. */
static bool
oid_is_well_formed(struct octets oid)
{
	bool start = true;

	for (size_t i = 0; i < oid.len; i++) {
		if (start && oid.data[i] == 0x80)
			return false;
		start = (oid.data[i] & 0x80) == 0;
	}
	return oid.len > 0 && start;
}

const char *
pki_oid_text(struct octets oid, char *out, size_t size)
{
	ASN1_OBJECT *o = NULL;
	int len = -1;

	if (size == 0)
		return out;
	if (oid.len <= PKI_OID_MAX && size <= INT_MAX && oid_is_well_formed(oid)) {
		uint8_t copy[PKI_OID_MAX];

		memcpy(copy, oid.data, oid.len);
		o = ASN1_OBJECT_create(NID_undef, copy, (int)oid.len, NULL, NULL);
		if (o != NULL)
			len = OBJ_obj2txt(out, (int)size, o, 1);
		ASN1_OBJECT_free(o);
		ERR_clear_error();
	}
	if (len <= 0 || (size_t)len >= size)
		snprintf(out, size, "?");
	return out;
}

const EVP_MD *
pki_digest_md(enum pki_digest d)
{
	for (size_t i = 0; i < DIGESTS; i++) {
		if (digests[i].digest != d)
			continue;
		if (fetched_digests[i] == NULL)
			fetched_digests[i] = EVP_MD_fetch(NULL, digests[i].fetch, NULL);
		return fetched_digests[i];
	}
	return NULL;
}

const EVP_CIPHER *
pki_cipher_evp(enum pki_cipher c)
{
	for (size_t i = 0; i < CIPHERS; i++) {
		if (ciphers[i].cipher != c)
			continue;
		if (fetched_ciphers[i] == NULL) {
			OSSL_LIB_CTX *libctx = c == PKI_DES ? pki_legacy_libctx() : NULL;

			if (c == PKI_DES && libctx == NULL)
				return NULL;
			fetched_ciphers[i] = EVP_CIPHER_fetch(libctx, ciphers[i].fetch, NULL);
		}
		return fetched_ciphers[i];
	}
	return NULL;
}

OSSL_LIB_CTX *
pki_legacy_libctx(void)
{
	OSSL_LIB_CTX *libctx;

	if (legacy_libctx != NULL)
		return legacy_libctx;
	if ((libctx = OSSL_LIB_CTX_new()) == NULL)
		return NULL;
	if (OSSL_PROVIDER_load(libctx, "legacy") == NULL ||
	    OSSL_PROVIDER_load(libctx, "default") == NULL) {
		OSSL_LIB_CTX_free(libctx);
		ERR_clear_error();
		return NULL;
	}
	legacy_libctx = libctx;
	return legacy_libctx;
}
