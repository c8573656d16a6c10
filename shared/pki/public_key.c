#include <openssl/asn1t.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/public_key.h"

#define RSA_BITS_MIN 512
#define RSA_BITS_MAX 8192 /* 16384 would cost 6 ms a verification, for any stranger */
#define RSA_E_OCTETS 8
#define BITS_LEFT    0x07 /* of ASN1_STRING flags: unused bits of the last octet */

typedef struct spki_template {
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *key;
} SPKI_TEMPLATE;

typedef struct rsa_template {
	ASN1_INTEGER *n;
	ASN1_INTEGER *e;
} RSA_TEMPLATE;

/* clang-format off */
ASN1_SEQUENCE(SPKI_TEMPLATE) = {
	ASN1_SIMPLE(SPKI_TEMPLATE, algorithm, X509_ALGOR),
	ASN1_SIMPLE(SPKI_TEMPLATE, key, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(SPKI_TEMPLATE)

ASN1_SEQUENCE(RSA_TEMPLATE) = {
	ASN1_SIMPLE(RSA_TEMPLATE, n, ASN1_INTEGER),
	ASN1_SIMPLE(RSA_TEMPLATE, e, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(RSA_TEMPLATE)
    /* clang-format on */

    static const struct curve {
	int nid;
	const char *group;
	int bits;
} curves[] = {
    {NID_X9_62_prime256v1, "P-256", 256},
    {NID_secp384r1, "P-384", 384},
    {NID_secp521r1, "P-521", 521},
};

static const struct edwards {
	int nid;
	const char *name;
	size_t octets;
	int bits;
} edwards_curves[] = {
    {NID_ED25519, "Ed25519", 32, 255},
    {NID_ED448, "Ed448", 57, 448},
};

/* Kept for the life of the process: a new context costs more than the key it makes. */
static EVP_PKEY_CTX *rsa_maker;
static EVP_PKEY_CTX *ec_maker;

static SPKI_TEMPLATE *
decode_spki(struct octets spki, struct errbuf *why)
{
	SPKI_TEMPLATE *t = asn1_decode(ASN1_ITEM_rptr(SPKI_TEMPLATE), spki);

	if (t == NULL) {
		errbuf_ossl(why, "SubjectPublicKeyInfo: want exactly one (RFC 5280 4.1)");
		return NULL;
	}
	if ((t->key->flags & BITS_LEFT) != 0 || asn1_string_octets(t->key).len == 0) {
		errbuf_set(why, "SubjectPublicKeyInfo: the key is not whole octets");
		ASN1_item_free((ASN1_VALUE *)t, ASN1_ITEM_rptr(SPKI_TEMPLATE));
		return NULL;
	}
	return t;
}

static EVP_PKEY *
make_key(EVP_PKEY_CTX **maker, const char *type, OSSL_PARAM *params, struct errbuf *why)
{
	EVP_PKEY *pkey = NULL;

	if (*maker == NULL) {
		*maker = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
		if (*maker == NULL || EVP_PKEY_fromdata_init(*maker) != 1) {
			EVP_PKEY_CTX_free(*maker);
			*maker = NULL;
			errbuf_ossl(why, "public key: %s is not available", type);
			return NULL;
		}
	}
	if (EVP_PKEY_fromdata(*maker, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		errbuf_ossl(why, "public key: not a key of type %s", type);
		EVP_PKEY_free(pkey);
		return NULL;
	}
	return pkey;
}

static int
bit_count(struct octets magnitude)
{
	int bits = (int)magnitude.len * 8;

	if (bits == 0)
		return 0;
	for (uint8_t top = magnitude.data[0]; (top & 0x80) == 0 && bits > 0;
	     top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

/* The modulus and the exponent within their limits; n.data is the big-endian magnitude. */
static bool
read_rsa(const RSA_TEMPLATE *t, struct octets *n, uint64_t *e, int *bits, struct errbuf *why)
{
	struct octets exponent = asn1_string_octets(t->e);

	*n = asn1_string_octets(t->n);
	*bits = bit_count(*n);
	*e = 0;
	if (t->n->type != V_ASN1_INTEGER || *bits < RSA_BITS_MIN || *bits > RSA_BITS_MAX ||
	    (n->data[n->len - 1] & 1) == 0) {
		errbuf_set(why, "RSA modulus: have %s%d bits, want odd, %d to %d bits",
		    t->n->type != V_ASN1_INTEGER ? "a negative of " : "", *bits, RSA_BITS_MIN,
		    RSA_BITS_MAX);
		return false;
	}
	if (exponent.len <= RSA_E_OCTETS)
		for (size_t i = 0; i < exponent.len; i++)
			*e = *e << 8 | exponent.data[i];
	if (t->e->type != V_ASN1_INTEGER || *e < 3 || (*e & 1) == 0) {
		errbuf_set(
		    why, "RSA exponent: have %d bits, want odd, 3 to 2^64", bit_count(exponent));
		return false;
	}
	return true;
}

static bool
parse_rsa(const SPKI_TEMPLATE *spki, struct public_key *out, struct errbuf *why)
{
	struct octets key = asn1_string_octets(spki->key), n;
	uint8_t native[RSA_BITS_MAX / 8];
	OSSL_PARAM params[3];
	RSA_TEMPLATE *t = NULL;
	bool ok = false;
	uint64_t e;
	int param_type;

	X509_ALGOR_get0(NULL, &param_type, NULL, spki->algorithm);
	if (param_type != V_ASN1_UNDEF && param_type != V_ASN1_NULL) {
		errbuf_set(why, "rsaEncryption: parameters of type %d, want NULL (RFC 3279 2.3.1)",
		    param_type);
		return false;
	}
	if (asn1_is_der(key, DER_SEQUENCE))
		t = asn1_decode(ASN1_ITEM_rptr(RSA_TEMPLATE), key);
	if (t == NULL) {
		errbuf_ossl(why, "RSAPublicKey: want the DER of exactly one (RFC 8017 A.1.1)");
		return false;
	}
	if (!read_rsa(t, &n, &e, &out->bits, why))
		goto done;
	/* OSSL_PARAM numbers are in the machine's order: little-endian wherever this runs, and checked by the unit test. */
	for (size_t i = 0; i < n.len; i++)
		native[i] = n.data[n.len - 1 - i];
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native, n.len);
	params[1] = OSSL_PARAM_construct_uint64(OSSL_PKEY_PARAM_RSA_E, &e);
	params[2] = OSSL_PARAM_construct_end();
	if ((out->pkey = make_key(&rsa_maker, "RSA", params, why)) == NULL)
		goto done;
	out->type = PKI_KEY_RSA;
	snprintf(out->name, sizeof(out->name), "RSA-%d", out->bits);
	ok = true;
done:
	ASN1_item_free((ASN1_VALUE *)t, ASN1_ITEM_rptr(RSA_TEMPLATE));
	return ok;
}

static const struct curve *
find_curve(const ASN1_OBJECT *oid)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (OBJ_obj2nid(oid) == curves[i].nid)
			return &curves[i];
	return NULL;
}

/* The key on one of our curves; the point in either form of RFC 5480 2.2. */
static bool
parse_point(const SPKI_TEMPLATE *spki, const struct curve *curve, struct public_key *out,
    struct errbuf *why)
{
	struct octets point = asn1_string_octets(spki->key);
	OSSL_PARAM params[3];
	char group[16];
	size_t field;
	bool fits;

	field = (size_t)(curve->bits + 7) / 8;
	fits = (point.data[0] == 0x04 && point.len == 1 + 2 * field) ||
	       ((point.data[0] == 0x02 || point.data[0] == 0x03) && point.len == 1 + field);
	if (!fits) {
		errbuf_set(why, "EC point on %s: have %zu octets starting %02x (RFC 5480 2.2)",
		    curve->group, point.len, (unsigned)point.data[0]);
		return false;
	}
	snprintf(group, sizeof(group), "%s", curve->group);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] =
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, spki->key->data, point.len);
	params[2] = OSSL_PARAM_construct_end();
	if ((out->pkey = make_key(&ec_maker, "EC", params, why)) == NULL)
		return false;
	out->type = PKI_KEY_EC;
	out->bits = curve->bits;
	snprintf(out->name, sizeof(out->name), "EC %s", curve->group);
	return true;
}

/* RFC 5480 2.1.1: a curve has a name.  One that is not ours is another type. */
static bool
parse_ec(const SPKI_TEMPLATE *spki, struct public_key *out, struct errbuf *why)
{
	const struct curve *curve;
	char oid[sizeof(out->name) - 3];
	const void *parameters;
	int type;

	X509_ALGOR_get0(NULL, &type, &parameters, spki->algorithm);
	if (type != V_ASN1_OBJECT) {
		errbuf_set(why,
		    "EC parameters: have type %d, want the name of a curve (RFC 5480 2.1.1)", type);
		return false;
	}
	if ((curve = find_curve(parameters)) != NULL)
		return parse_point(spki, curve, out, why);
	pki_oid_text(asn1_oid_octets(parameters), oid, sizeof(oid));
	snprintf(out->name, sizeof(out->name), "EC %s", oid);
	return true;
}

/* RFC 8410 sections 3 and 4: the octets alone, and no parameters. */
static bool
parse_eddsa(
    const SPKI_TEMPLATE *spki, const struct edwards *e, struct public_key *out, struct errbuf *why)
{
	struct octets key = asn1_string_octets(spki->key);
	int param_type;

	X509_ALGOR_get0(NULL, &param_type, NULL, spki->algorithm);
	if (param_type != V_ASN1_UNDEF || key.len != e->octets) {
		errbuf_set(why, "%s key: have %zu octets%s, want %zu without (RFC 8410)", e->name,
		    key.len, param_type != V_ASN1_UNDEF ? " and parameters" : "", e->octets);
		return false;
	}
	out->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, e->name, NULL, key.data, key.len);
	if (out->pkey == NULL) {
		errbuf_ossl(why, "public key: not a key of type %s", e->name);
		return false;
	}
	out->type = PKI_KEY_EDDSA;
	out->bits = e->bits;
	out->oid = asn1_oid_octets(OBJ_nid2obj(e->nid));
	snprintf(out->name, sizeof(out->name), "%s", e->name);
	return true;
}

/* A type that is read no further: its name alone. */
static void
name_other(const ASN1_OBJECT *algorithm, struct public_key *out)
{
	const char *name = NULL;

	switch (OBJ_obj2nid(algorithm)) {
	case NID_dsa:
		name = "DSA";
		break;
	case NID_rsassaPss:
		name = "RSASSA-PSS";
		break;
	default:
		pki_oid_text(asn1_oid_octets(algorithm), out->name, sizeof(out->name));
		return;
	}
	snprintf(out->name, sizeof(out->name), "%s", name);
}

bool
public_key_parse(struct octets spki, struct public_key *out, struct errbuf *why)
{
	SPKI_TEMPLATE *t;
	const ASN1_OBJECT *algorithm;
	bool ok = true;

	memset(out, 0, sizeof(*out));
	out->type = PKI_KEY_OTHER;
	if ((t = decode_spki(spki, why)) == NULL)
		return false;
	X509_ALGOR_get0(&algorithm, NULL, NULL, t->algorithm);
	switch (OBJ_obj2nid(algorithm)) {
	case NID_rsaEncryption:
		ok = parse_rsa(t, out, why);
		break;
	case NID_X9_62_id_ecPublicKey:
		ok = parse_ec(t, out, why);
		break;
	case NID_ED25519:
		ok = parse_eddsa(t, &edwards_curves[0], out, why);
		break;
	case NID_ED448:
		ok = parse_eddsa(t, &edwards_curves[1], out, why);
		break;
	default:
		name_other(algorithm, out);
		break;
	}
	ASN1_item_free((ASN1_VALUE *)t, ASN1_ITEM_rptr(SPKI_TEMPLATE));
	if (!ok)
		public_key_free(out);
	return ok;
}

BIGNUM *
public_key_get1_modulus(struct octets spki)
{
	SPKI_TEMPLATE *t = decode_spki(spki, NULL);
	RSA_TEMPLATE *rsa = NULL;
	const ASN1_OBJECT *oid;
	BIGNUM *n = NULL;

	if (t != NULL) {
		X509_ALGOR_get0(&oid, NULL, NULL, t->algorithm);
		if (OBJ_obj2nid(oid) == NID_rsaEncryption)
			rsa = asn1_decode(ASN1_ITEM_rptr(RSA_TEMPLATE), asn1_string_octets(t->key));
	}
	if (rsa != NULL && rsa->n->type == V_ASN1_INTEGER)
		n = ASN1_INTEGER_to_BN(rsa->n, NULL);
	ASN1_item_free((ASN1_VALUE *)rsa, ASN1_ITEM_rptr(RSA_TEMPLATE));
	ASN1_item_free((ASN1_VALUE *)t, ASN1_ITEM_rptr(SPKI_TEMPLATE));
	ERR_clear_error();
	return n;
}

void
public_key_free(struct public_key *k)
{
	EVP_PKEY_free(k->pkey);
	memset(k, 0, sizeof(*k));
}

const char *
public_key_text(const struct public_key *k, char out[PUBLIC_KEY_TEXT])
{
	char oid[PUBLIC_KEY_TEXT - sizeof(k->name) - 3];

	if (k->oid.len > 0)
		snprintf(out, PUBLIC_KEY_TEXT, "%s (%s)", k->name,
		    pki_oid_text(k->oid, oid, sizeof(oid)));
	else
		snprintf(out, PUBLIC_KEY_TEXT, "%s", k->name);
	return out;
}

/* The message itself is signed, not a digest of it (RFC 8032 section 5). */
static bool
verify_eddsa(
    const struct public_key *k, struct octets message, struct octets signature, struct errbuf *why)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx != NULL &&
	     EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, k->pkey, NULL) == 1 &&
	     EVP_DigestVerify(ctx, signature.data, signature.len, message.data, message.len) == 1;
	if (!ok)
		errbuf_ossl(why, "signature: does not verify by the %s key", k->name);
	EVP_MD_CTX_free(ctx);
	return ok;
}

bool
public_key_verify(const struct public_key *k, enum pki_digest digest, struct octets message,
    struct octets signature, struct errbuf *why)
{
	const EVP_MD *md = pki_digest_md(digest);
	uint8_t hash[EVP_MAX_MD_SIZE];
	EVP_PKEY_CTX *ctx = NULL;
	unsigned int len;
	bool ok = false;

	if (k->type == PKI_KEY_EDDSA && digest == PKI_DIGEST_NONE)
		return verify_eddsa(k, message, signature, why);
	if (k->pkey == NULL || md == NULL || k->type == PKI_KEY_EDDSA) {
		errbuf_set(why, "signature: algorithm not accepted here (key %s, digest %s)",
		    k->name, pki_digest_name(digest));
		return false;
	}
	if (EVP_Digest(message.data, message.len, hash, &len, md, NULL) != 1 ||
	    (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL)) == NULL ||
	    EVP_PKEY_verify_init(ctx) != 1)
		goto fault;
	if (k->type == PKI_KEY_RSA && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
		goto fault;
	if (EVP_PKEY_CTX_set_signature_md(ctx, md) != 1)
		goto fault;
	ok = EVP_PKEY_verify(ctx, signature.data, signature.len, hash, len) == 1;
	if (!ok)
		errbuf_ossl(why, "signature: does not verify by the %s key", k->name);
	EVP_PKEY_CTX_free(ctx);
	return ok;

fault:
	errbuf_ossl(why, "signature: cannot verify by the %s key", k->name);
	EVP_PKEY_CTX_free(ctx);
	return false;
}

bool
public_key_hash(struct octets spki, enum pki_digest digest, uint8_t *out)
{
	SPKI_TEMPLATE *t = decode_spki(spki, NULL);
	const EVP_MD *md = pki_digest_md(digest);
	struct octets key;
	bool ok;

	if (t == NULL)
		return false;
	key = asn1_string_octets(t->key);
	ok = md != NULL && EVP_Digest(key.data, key.len, out, NULL, md, NULL) == 1;
	ASN1_item_free((ASN1_VALUE *)t, ASN1_ITEM_rptr(SPKI_TEMPLATE));
	return ok;
}

bool
public_key_identifier(struct octets spki, uint8_t out[20])
{
	return public_key_hash(spki, PKI_SHA1, out);
}

bool
public_key_digest(struct octets spki, uint8_t out[32])
{
	const EVP_MD *md = pki_digest_md(PKI_SHA256);

	return md != NULL && EVP_Digest(spki.data, spki.len, out, NULL, md, NULL) == 1;
}
