#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/certificate.h"
#include "pki/public_key.h"

#define SERIAL_MAX     64 /* RFC 5280 says 20; a client's own certificate may have 32 */
#define EXTENSIONS_MAX 64
#define BITS_LEFT      0x07 /* of ASN1_STRING flags: unused bits of the last octet */

typedef struct certificate_validity {
	ASN1_TIME *not_before;
	ASN1_TIME *not_after;
} CERTIFICATE_VALIDITY;

typedef struct certificate_tbs {
	ASN1_ENCODING enc; /* the octets as they came: they are what is signed */
	ASN1_INTEGER *version;
	ASN1_OCTET_STRING *serial; /* an INTEGER whose octets are kept as they are */
	X509_ALGOR *algorithm;
	ASN1_STRING *issuer;
	CERTIFICATE_VALIDITY *validity;
	ASN1_STRING *subject;
	ASN1_STRING *spki;
	ASN1_BIT_STRING *issuer_id;
	ASN1_BIT_STRING *subject_id;
	STACK_OF(X509_EXTENSION) * extensions;
} CERTIFICATE_TBS;

typedef struct certificate_signed {
	CERTIFICATE_TBS *tbs;
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
} CERTIFICATE_SIGNED;

/* AuthorityKeyIdentifier with the names in it left alone: they are GeneralNames of any size. */
typedef struct certificate_aki {
	ASN1_OCTET_STRING *key_id;
	ASN1_STRING *issuer;
	ASN1_INTEGER *serial;
} CERTIFICATE_AKI;

/* clang-format off */
ASN1_SEQUENCE(CERTIFICATE_VALIDITY) = {
	ASN1_SIMPLE(CERTIFICATE_VALIDITY, not_before, ASN1_TIME),
	ASN1_SIMPLE(CERTIFICATE_VALIDITY, not_after, ASN1_TIME),
} static_ASN1_SEQUENCE_END(CERTIFICATE_VALIDITY)

ASN1_SEQUENCE_enc(CERTIFICATE_TBS, enc, NULL) = {
	ASN1_EXP_OPT(CERTIFICATE_TBS, version, ASN1_INTEGER, 0),
	ASN1_EX_TYPE(ASN1_TFLG_IMPTAG | ASN1_TFLG_UNIVERSAL, V_ASN1_INTEGER, CERTIFICATE_TBS, serial,
	    ASN1_OCTET_STRING),
	ASN1_SIMPLE(CERTIFICATE_TBS, algorithm, X509_ALGOR),
	ASN1_SIMPLE(CERTIFICATE_TBS, issuer, ASN1_SEQUENCE),
	ASN1_SIMPLE(CERTIFICATE_TBS, validity, CERTIFICATE_VALIDITY),
	ASN1_SIMPLE(CERTIFICATE_TBS, subject, ASN1_SEQUENCE),
	ASN1_SIMPLE(CERTIFICATE_TBS, spki, ASN1_SEQUENCE),
	ASN1_IMP_OPT(CERTIFICATE_TBS, issuer_id, ASN1_BIT_STRING, 1),
	ASN1_IMP_OPT(CERTIFICATE_TBS, subject_id, ASN1_BIT_STRING, 2),
	ASN1_EXP_SEQUENCE_OF_OPT(CERTIFICATE_TBS, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END_ref(CERTIFICATE_TBS, CERTIFICATE_TBS)

ASN1_SEQUENCE(CERTIFICATE_SIGNED) = {
	ASN1_SIMPLE(CERTIFICATE_SIGNED, tbs, CERTIFICATE_TBS),
	ASN1_SIMPLE(CERTIFICATE_SIGNED, algorithm, X509_ALGOR),
	ASN1_SIMPLE(CERTIFICATE_SIGNED, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CERTIFICATE_SIGNED)

ASN1_SEQUENCE(CERTIFICATE_AKI) = {
	ASN1_IMP_OPT(CERTIFICATE_AKI, key_id, ASN1_OCTET_STRING, 0),
	ASN1_IMP_OPT(CERTIFICATE_AKI, issuer, ASN1_SEQUENCE, 1),
	ASN1_IMP_OPT(CERTIFICATE_AKI, serial, ASN1_INTEGER, 2),
} static_ASN1_SEQUENCE_END(CERTIFICATE_AKI)
    /* clang-format on */

    struct certificate_template {
	struct buffer der;
	CERTIFICATE_SIGNED *parsed;
	ASN1_OCTET_STRING *ski;
	CERTIFICATE_AKI *aki;
};

static bool
read_ca(struct octets value, bool *out)
{
	BASIC_CONSTRAINTS *b = asn1_decode(ASN1_ITEM_rptr(BASIC_CONSTRAINTS), value);

	if (b == NULL)
		return false;
	*out = b->ca != 0;
	BASIC_CONSTRAINTS_free(b);
	return true;
}

/* 1.3.6.1.4.1.311.25.2, which OpenSSL has no number for. */
static bool
is_microsoft_sid(const ASN1_OBJECT *oid)
{
	static const uint8_t id[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 25, 2};

	return octets_equal(asn1_oid_octets(oid), octets_of(id, sizeof(id)));
}

/* One of the five extensions that are read; anything else passes unread. */
static bool
read_extension(struct certificate *c, int nid, struct octets value)
{
	struct certificate_template *t = c->owned;

	switch (nid) {
	case NID_key_usage:
		return key_usage_parse(value, &c->key_usage);
	case NID_basic_constraints:
		return read_ca(value, &c->ca);
	case NID_subject_alt_name:
		c->san = value;
		return true;
	case NID_subject_key_identifier:
		t->ski = asn1_decode(ASN1_ITEM_rptr(ASN1_OCTET_STRING), value);
		c->ski = asn1_string_octets(t->ski);
		return t->ski != NULL;
	case NID_authority_key_identifier:
		if ((t->aki = asn1_decode(ASN1_ITEM_rptr(CERTIFICATE_AKI), value)) == NULL)
			return false;
		c->aki = asn1_string_octets(t->aki->key_id);
		return true;
	default:
		return true;
	}
}

static bool
read_extensions(struct certificate *c, const STACK_OF(X509_EXTENSION) * list, struct errbuf *why)
{
	int count = list == NULL ? 0 : sk_X509_EXTENSION_num(list);
	int seen[EXTENSIONS_MAX] = {NID_undef};

	if (count > EXTENSIONS_MAX) {
		errbuf_set(
		    why, "certificate: have %d extensions, want <= %d", count, EXTENSIONS_MAX);
		return false;
	}
	for (int i = 0; i < count; i++) {
		X509_EXTENSION *x = sk_X509_EXTENSION_value(list, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(x));

		for (int k = 0; k < i; k++) {
			if (nid == NID_undef || seen[k] != nid)
				continue;
			errbuf_set(why, "certificate: %s twice (RFC 5280 4.2)", OBJ_nid2sn(nid));
			return false;
		}
		seen[i] = nid;
		if (is_microsoft_sid(X509_EXTENSION_get_object(x)))
			c->microsoft_sid = asn1_string_octets(X509_EXTENSION_get_data(x));
		if (!read_extension(c, nid, asn1_string_octets(X509_EXTENSION_get_data(x)))) {
			errbuf_ossl(why, "certificate: %s malformed", OBJ_nid2sn(nid));
			return false;
		}
	}
	return true;
}

static bool
read_certificate(struct certificate *c, struct errbuf *why)
{
	const CERTIFICATE_SIGNED *parsed = c->owned->parsed;
	const CERTIFICATE_TBS *tbs = parsed->tbs;
	const ASN1_OBJECT *algorithm;
	enum pki_key_type type;

	c->tbs = octets_of(tbs->enc.enc, (size_t)tbs->enc.len);
	c->serial = asn1_string_octets(tbs->serial);
	c->issuer = asn1_string_octets(tbs->issuer);
	c->subject = asn1_string_octets(tbs->subject);
	c->spki = asn1_string_octets(tbs->spki);
	c->signature = asn1_string_octets(parsed->signature);
	c->key_usage = -1;
	X509_ALGOR_get0(&algorithm, NULL, NULL, parsed->algorithm);
	pki_signature_of_oid(asn1_oid_octets(algorithm), &c->digest, &type);
	if (c->serial.len == 0 || c->serial.len > SERIAL_MAX) {
		errbuf_set(why, "certificate: serial of %zu octets, want 1 to %d", c->serial.len,
		    SERIAL_MAX);
		return false;
	}
	if (X509_ALGOR_cmp(tbs->algorithm, parsed->algorithm) != 0 ||
	    (parsed->signature->flags & BITS_LEFT) != 0) {
		errbuf_set(why, "certificate: its two signature algorithms differ, or the "
				"signature is not whole octets (RFC 5280 4.1.1)");
		return false;
	}
	if (!asn1_time_seconds(tbs->validity->not_before, &c->not_before) ||
	    !asn1_time_seconds(tbs->validity->not_after, &c->not_after)) {
		errbuf_ossl(why, "certificate: validity malformed (RFC 5280 4.1.2.5)");
		return false;
	}
	return read_extensions(c, tbs->extensions, why);
}

bool
certificate_parse(struct octets der, struct certificate *out, struct errbuf *why)
{
	struct certificate_template *t;

	memset(out, 0, sizeof(*out));
	if (der.len > CERTIFICATE_MAX) {
		errbuf_set(
		    why, "certificate: have %zu octets, want <= %d", der.len, CERTIFICATE_MAX);
		return false;
	}
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		errbuf_set(why, "certificate: out of memory");
		return false;
	}
	out->owned = t;
	buffer_append(&t->der, der.data, der.len);
	if (t->der.failed) {
		errbuf_set(why, "certificate: out of memory");
		goto fail;
	}
	out->der = buffer_octets(&t->der);
	t->parsed = asn1_decode(ASN1_ITEM_rptr(CERTIFICATE_SIGNED), out->der);
	if (t->parsed == NULL) {
		errbuf_ossl(why, "certificate: want exactly one (RFC 5280 4.1)");
		goto fail;
	}
	if (!read_certificate(out, why))
		goto fail;
	return true;

fail:
	certificate_free(out);
	return false;
}

void
certificate_free(struct certificate *c)
{
	struct certificate_template *t = c->owned;

	if (t != NULL) {
		ASN1_item_free((ASN1_VALUE *)t->parsed, ASN1_ITEM_rptr(CERTIFICATE_SIGNED));
		ASN1_item_free((ASN1_VALUE *)t->aki, ASN1_ITEM_rptr(CERTIFICATE_AKI));
		ASN1_OCTET_STRING_free(t->ski);
		buffer_free(&t->der);
		free(t);
	}
	memset(c, 0, sizeof(*c));
}

bool
certificate_is_self_issued(const struct certificate *c)
{
	return octets_equal(c->issuer, c->subject);
}

/* Octet for octet, or else as RFC 5280 7.1 compares: some CAs write their own name in another string type than their superior. */
static bool
names_match(struct octets a, struct octets b)
{
	X509_NAME *x, *y;
	bool match;

	if (octets_equal(a, b))
		return true;
	x = asn1_decode(ASN1_ITEM_rptr(X509_NAME), a);
	y = asn1_decode(ASN1_ITEM_rptr(X509_NAME), b);
	match = x != NULL && y != NULL && X509_NAME_cmp(x, y) == 0;
	X509_NAME_free(x);
	X509_NAME_free(y);
	ERR_clear_error();
	return match;
}

bool
certificate_verify(
    const struct certificate *c, const struct certificate *issuer, struct errbuf *why)
{
	const ASN1_OBJECT *algorithm;
	enum pki_digest digest;
	enum pki_key_type type;
	struct public_key key;
	bool ok;

	if (!names_match(c->issuer, issuer->subject)) {
		errbuf_set(why, "certificate: its issuer is not the subject of the CA's");
		return false;
	}
	if (!public_key_parse(issuer->spki, &key, why))
		return false;
	X509_ALGOR_get0(&algorithm, NULL, NULL, c->owned->parsed->algorithm);
	pki_signature_of_oid(asn1_oid_octets(algorithm), &digest, &type);
	if (digest == PKI_DIGEST_NONE || type != key.type) {
		errbuf_set(why, "certificate: signature algorithm not accepted here with a key %s",
		    key.name);
		ok = false;
	} else {
		ok = public_key_verify(&key, digest, c->tbs, c->signature, why);
	}
	public_key_free(&key);
	return ok;
}
