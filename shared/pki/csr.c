#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/encoding.h"
#include "pki/asn1.h"
#include "pki/certificate.h"
#include "pki/csr.h"
#include "pki/name.h"

#define ATTRIBUTES_MAX 64
#define EXTENSIONS_MAX 64
#define CHALLENGE_MAX  16384
#define EXTENSION_SETS 2    /* PKCS#9's extensionRequest and Microsoft's */
#define BITS_LEFT      0x07 /* of ASN1_STRING flags: unused bits of the last octet */

typedef struct csr_attribute {
	ASN1_OBJECT *type;
	STACK_OF(ASN1_TYPE) * values;
} CSR_ATTRIBUTE;
DEFINE_STACK_OF(CSR_ATTRIBUTE)

typedef struct csr_info {
	ASN1_ENCODING enc; /* the octets as they came: they are what is signed */
	ASN1_INTEGER *version;
	ASN1_STRING *subject;
	ASN1_STRING *spki;
	STACK_OF(CSR_ATTRIBUTE) * attributes;
} CSR_INFO;

typedef struct csr_request {
	CSR_INFO *info;
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
} CSR_REQUEST;

/* extnValue is ANY, as some clients put the challengePassword there without an OCTET STRING around it. */
typedef struct csr_extension {
	ASN1_OBJECT *id;
	ASN1_BOOLEAN critical;
	ASN1_TYPE *value;
} CSR_EXTENSION;
DEFINE_STACK_OF(CSR_EXTENSION)

/* clang-format off */
ASN1_SEQUENCE(CSR_ATTRIBUTE) = {
	ASN1_SIMPLE(CSR_ATTRIBUTE, type, ASN1_OBJECT),
	ASN1_SET_OF(CSR_ATTRIBUTE, values, ASN1_ANY),
} static_ASN1_SEQUENCE_END(CSR_ATTRIBUTE)

ASN1_SEQUENCE_enc(CSR_INFO, enc, NULL) = {
	ASN1_SIMPLE(CSR_INFO, version, ASN1_INTEGER),
	ASN1_SIMPLE(CSR_INFO, subject, ASN1_SEQUENCE),
	ASN1_SIMPLE(CSR_INFO, spki, ASN1_SEQUENCE),
	ASN1_IMP_SET_OF_OPT(CSR_INFO, attributes, CSR_ATTRIBUTE, 0),
} static_ASN1_SEQUENCE_END_ref(CSR_INFO, CSR_INFO)

ASN1_SEQUENCE(CSR_REQUEST) = {
	ASN1_SIMPLE(CSR_REQUEST, info, CSR_INFO),
	ASN1_SIMPLE(CSR_REQUEST, algorithm, X509_ALGOR),
	ASN1_SIMPLE(CSR_REQUEST, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(CSR_REQUEST)

ASN1_SEQUENCE(CSR_EXTENSION) = {
	ASN1_SIMPLE(CSR_EXTENSION, id, ASN1_OBJECT),
	ASN1_OPT(CSR_EXTENSION, critical, ASN1_FBOOLEAN),
	ASN1_SIMPLE(CSR_EXTENSION, value, ASN1_ANY),
} static_ASN1_SEQUENCE_END(CSR_EXTENSION)

ASN1_ITEM_TEMPLATE(CSR_EXTENSIONS) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, extensions, CSR_EXTENSION)
static_ASN1_ITEM_TEMPLATE_END(CSR_EXTENSIONS)
    /* clang-format on */

    struct csr_template {
	struct buffer der;
	struct buffer spki; /* only where it did not come as DER */
	struct buffer challenge;
	CSR_REQUEST *request;
	STACK_OF(CSR_EXTENSION) * extensions[EXTENSION_SETS];
	int extension_sets;
};

/* 1.3.6.1.4.1.311.2.1.14 */
static bool
is_extension_request(const ASN1_OBJECT *type)
{
	int nid = OBJ_obj2nid(type);

	return nid == NID_ext_req || nid == NID_ms_ext_req;
}

/* ---- challengePassword -------------------------------------------------------------------------------------------------- */

/* A string of any type; what is in an OCTET STRING is UTF-8, or else Latin-1. */
static bool
string_to_utf8(struct octets value, int tag, struct buffer *out)
{
	if (tag == V_ASN1_OCTET_STRING)
		tag = encoding_is_utf8(value) ? V_ASN1_UTF8STRING : V_ASN1_T61STRING;
	return name_value_utf8(value, tag, out);
}

static void
wipe_type(ASN1_TYPE *any)
{
	if (any->type != V_ASN1_BOOLEAN && any->type != V_ASN1_NULL && any->type != V_ASN1_OBJECT &&
	    any->value.asn1_string != NULL && any->value.asn1_string->length > 0)
		octets_wipe(any->value.asn1_string->data, (size_t)any->value.asn1_string->length);
}

/* The same, and inside an OCTET STRING there may be the DER of a string: an extension's usual form. */
static bool
extension_to_utf8(const ASN1_TYPE *any, struct buffer *out)
{
	struct octets value = asn1_type_octets(any);
	ASN1_TYPE *inner = NULL;
	bool ok;

	if (any->type == V_ASN1_OCTET_STRING)
		inner = asn1_decode(ASN1_ITEM_rptr(ASN1_ANY), value);
	ERR_clear_error();
	ok = (inner != NULL && string_to_utf8(asn1_type_octets(inner), inner->type, out)) ||
	     string_to_utf8(value, any->type, out);
	if (inner != NULL)
		wipe_type(inner);
	ASN1_TYPE_free(inner);
	return ok;
}

/* The same challenge in two places is one; two challenges are a fault. */
static bool
take_challenge(struct csr *csr, const ASN1_TYPE *any, bool in_extension, struct errbuf *why)
{
	struct buffer text = {0};
	bool ok;

	ok = in_extension ? extension_to_utf8(any, &text)
			  : string_to_utf8(asn1_type_octets(any), any->type, &text);
	if (!ok) {
		errbuf_set(
		    why, "challengePassword: malformed, or not a string (type %d)", any->type);
	} else if (text.len > CHALLENGE_MAX) {
		errbuf_set(
		    why, "challengePassword: have %zu octets, want <= %d", text.len, CHALLENGE_MAX);
		ok = false;
	} else if (csr->has_challenge && !octets_equal_secret(buffer_octets(&csr->owned->challenge),
					     buffer_octets(&text))) {
		errbuf_set(why, "challengePassword: two that differ");
		ok = false;
	}
	if (ok && !csr->has_challenge) {
		csr->owned->challenge = text;
		csr->challenge = buffer_octets(&text);
		csr->has_challenge = true;
	} else {
		buffer_free(&text);
	}
	return ok;
}

/* ---- what the extensionRequest asks for -------------------------------------------------------------------------------- */

static bool
read_basic_constraints(struct csr *csr, struct octets value, struct errbuf *why)
{
	BASIC_CONSTRAINTS *b = asn1_decode(ASN1_ITEM_rptr(BASIC_CONSTRAINTS), value);

	if (b == NULL) {
		errbuf_ossl(why, "CSR: basicConstraints malformed (RFC 5280 4.2.1.9)");
		return false;
	}
	if (b->ca != 0)
		csr->wants_ca = true;
	BASIC_CONSTRAINTS_free(b);
	return true;
}

static bool
read_key_usage(struct csr *csr, struct octets value, struct errbuf *why)
{
	int bits;

	if (!key_usage_parse(value, &bits)) {
		errbuf_set(why, "CSR: keyUsage malformed (RFC 5280 4.2.1.3)");
		return false;
	}
	if ((bits & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)) != 0)
		csr->wants_ca = true;
	csr->key_usage = value;
	return true;
}

/* The value of an extension that is a SEQUENCE and may be copied into a certificate. */
static bool
read_sequence(struct octets value, const char *name, struct octets *out, struct errbuf *why)
{
	if (!asn1_is_der(value, DER_SEQUENCE)) {
		errbuf_set(why, "CSR: %s is not the DER of one SEQUENCE", name);
		return false;
	}
	*out = value;
	return true;
}

/* Of Microsoft's arc 1.3.6.1.4.1.311.  The octets of an empty value are not NULL: it is there. */
static void
note_extension(struct csr *csr, struct octets oid, struct octets value)
{
	static const uint8_t arc[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37};

	if (value.data == NULL)
		value.data = arc;
	if (oid.len != sizeof(arc) + 2 || memcmp(oid.data, arc, sizeof(arc)) != 0)
		return;
	if (memcmp(oid.data + sizeof(arc), "\x19\x02", 2) == 0)
		csr->microsoft_sid = value;
	else if (memcmp(oid.data + sizeof(arc), "\x14\x02", 2) == 0)
		csr->microsoft_template_name = value;
	else if (memcmp(oid.data + sizeof(arc), "\x15\x07", 2) == 0)
		csr->microsoft_template = value;
}

static bool
read_extension(struct csr *csr, const CSR_EXTENSION *x, struct errbuf *why)
{
	int nid = OBJ_obj2nid(x->id);
	struct octets value;

	if (nid == NID_pkcs9_challengePassword)
		return take_challenge(csr, x->value, true, why);
	if (x->value->type != V_ASN1_OCTET_STRING) {
		errbuf_set(why, "CSR: extnValue of type %d, want OCTET STRING (RFC 5280 4.1)",
		    x->value->type);
		return false;
	}
	value = asn1_type_octets(x->value);
	switch (nid) {
	case NID_subject_alt_name:
		return read_sequence(value, "subjectAltName", &csr->san, why);
	case NID_ext_key_usage:
		return read_sequence(value, "extKeyUsage", &csr->eku, why);
	case NID_key_usage:
		return read_key_usage(csr, value, why);
	case NID_basic_constraints:
		return read_basic_constraints(csr, value, why);
	default:
		note_extension(csr, asn1_oid_octets(x->id), value);
		return true;
	}
}

/* How many extensions of this type there are in all the sets read so far. */
static int
count_extensions(const struct csr_template *t, const ASN1_OBJECT *id)
{
	int count = 0;

	for (int s = 0; s < t->extension_sets; s++)
		for (int i = 0; i < sk_CSR_EXTENSION_num(t->extensions[s]); i++)
			count += OBJ_cmp(sk_CSR_EXTENSION_value(t->extensions[s], i)->id, id) == 0;
	return count;
}

static bool
read_extensions(struct csr *csr, const ASN1_TYPE *any, struct errbuf *why)
{
	struct csr_template *t = csr->owned;
	STACK_OF(CSR_EXTENSION) *set = NULL;

	if (any->type == V_ASN1_SEQUENCE && t->extension_sets < EXTENSION_SETS)
		set = asn1_decode(ASN1_ITEM_rptr(CSR_EXTENSIONS), asn1_type_octets(any));
	if (set == NULL) {
		errbuf_ossl(
		    why, "CSR: extensionRequest is not a list of extensions (RFC 2985 5.4.2)");
		return false;
	}
	t->extensions[t->extension_sets++] = set;
	csr->extensions += sk_CSR_EXTENSION_num(set);
	if (csr->extensions > EXTENSIONS_MAX) {
		errbuf_set(
		    why, "CSR: have %d extensions, want <= %d", csr->extensions, EXTENSIONS_MAX);
		return false;
	}
	for (int i = 0; i < sk_CSR_EXTENSION_num(set); i++) {
		const CSR_EXTENSION *x = sk_CSR_EXTENSION_value(set, i);
		char oid[PKI_OID_TEXT];

		if (count_extensions(t, x->id) > 1) {
			errbuf_set(why, "CSR: extension %s twice (RFC 5280 4.2)",
			    pki_oid_text(asn1_oid_octets(x->id), oid, sizeof(oid)));
			return false;
		}
		if (!read_extension(csr, x, why))
			return false;
	}
	return true;
}

/* ---- the request --------------------------------------------------------------------------------------------------------- */

static bool
read_attribute(struct csr *csr, const CSR_ATTRIBUTE *a, struct errbuf *why)
{
	bool challenge = OBJ_obj2nid(a->type) == NID_pkcs9_challengePassword;

	if (!challenge && !is_extension_request(a->type))
		return true;
	if (sk_ASN1_TYPE_num(a->values) != 1) {
		errbuf_set(why, "CSR: %s with %d values, want 1 (RFC 2985 5.4)",
		    challenge ? "challengePassword" : "extensionRequest",
		    sk_ASN1_TYPE_num(a->values));
		return false;
	}
	if (challenge)
		return take_challenge(csr, sk_ASN1_TYPE_value(a->values, 0), false, why);
	return read_extensions(csr, sk_ASN1_TYPE_value(a->values, 0), why);
}

static bool
read_attributes(struct csr *csr, STACK_OF(CSR_ATTRIBUTE) * attributes, struct errbuf *why)
{
	int count = attributes == NULL ? 0 : sk_CSR_ATTRIBUTE_num(attributes);

	if (count > ATTRIBUTES_MAX) {
		errbuf_set(why, "CSR: have %d attributes, want <= %d", count, ATTRIBUTES_MAX);
		return false;
	}
	for (int i = 0; i < count; i++) {
		const CSR_ATTRIBUTE *a = sk_CSR_ATTRIBUTE_value(attributes, i);

		for (int k = 0; k < i; k++) {
			char oid[PKI_OID_TEXT];

			if (OBJ_cmp(sk_CSR_ATTRIBUTE_value(attributes, k)->type, a->type) != 0)
				continue;
			errbuf_set(why, "CSR: attribute %s twice",
			    pki_oid_text(asn1_oid_octets(a->type), oid, sizeof(oid)));
			return false;
		}
		if (!read_attribute(csr, a, why))
			return false;
	}
	return true;
}

/*
 * The key goes into a certificate as it came, so it has to be DER: the rare one that came in another form (BER inside of a request all
 * in BER) is encoded anew.
 */
static bool
read_key(struct csr *csr, struct errbuf *why)
{
	struct csr_template *t = csr->owned;
	uint8_t *der = NULL;
	int len;

	csr->spki = asn1_string_octets(t->request->info->spki);
	if (!public_key_parse(csr->spki, &csr->key, why)) {
		errbuf_prefix(why, "CSR");
		return false;
	}
	if (asn1_is_der(csr->spki, DER_SEQUENCE))
		return true;
	if (csr->key.pkey == NULL || (len = i2d_PUBKEY(csr->key.pkey, &der)) <= 0) {
		errbuf_ossl(why, "CSR: SubjectPublicKeyInfo is not DER");
		return false;
	}
	buffer_append(&t->spki, der, (size_t)len);
	OPENSSL_free(der);
	csr->spki = buffer_octets(&t->spki);
	if (t->spki.failed)
		errbuf_set(why, "CSR: out of memory");
	return !t->spki.failed;
}

static bool
read_request(struct csr *csr, struct errbuf *why)
{
	const CSR_REQUEST *r = csr->owned->request;
	const ASN1_OBJECT *algorithm;
	enum pki_key_type type;

	if ((r->signature->flags & BITS_LEFT) != 0) {
		errbuf_set(why, "CSR: the signature is not whole octets");
		return false;
	}
	csr->info = octets_of(r->info->enc.enc, (size_t)r->info->enc.len);
	csr->subject = asn1_string_octets(r->info->subject);
	csr->signature = asn1_string_octets(r->signature);
	X509_ALGOR_get0(&algorithm, NULL, NULL, r->algorithm);
	csr->signature_oid = asn1_oid_octets(algorithm);
	pki_signature_of_oid(csr->signature_oid, &csr->digest, &type);
	return read_key(csr, why) && read_attributes(csr, r->info->attributes, why);
}

bool
csr_parse(const uint8_t *der, size_t len, struct csr *out, struct errbuf *why)
{
	struct csr_template *t;

	memset(out, 0, sizeof(*out));
	if (len > CSR_MAX) {
		errbuf_set(why, "CSR: have %zu octets, want <= %d", len, CSR_MAX);
		return false;
	}
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		errbuf_set(why, "CSR: out of memory");
		return false;
	}
	out->owned = t;
	buffer_append(&t->der, der, len);
	if (t->der.failed) {
		errbuf_set(why, "CSR: out of memory");
		goto fail;
	}
	out->der = buffer_octets(&t->der);
	t->request = asn1_decode(ASN1_ITEM_rptr(CSR_REQUEST), out->der);
	if (t->request == NULL) {
		errbuf_ossl(why, "CSR: want exactly one CertificationRequest (RFC 2986 4)");
		goto fail;
	}
	if (!read_request(out, why))
		goto fail;
	return true;

fail:
	csr_free(out);
	return false;
}

/* Every copy that the templates made of what may hold a challenge. */
static void
wipe_request(CSR_REQUEST *r)
{
	CSR_INFO *info = r->info;

	octets_wipe(info->enc.enc, (size_t)info->enc.len);
	for (int i = 0; i < sk_CSR_ATTRIBUTE_num(info->attributes); i++) {
		const CSR_ATTRIBUTE *a = sk_CSR_ATTRIBUTE_value(info->attributes, i);

		for (int k = 0; k < sk_ASN1_TYPE_num(a->values); k++)
			wipe_type(sk_ASN1_TYPE_value(a->values, k));
	}
}

void
csr_free(struct csr *csr)
{
	struct csr_template *t = csr->owned;

	if (t != NULL) {
		for (int s = 0; s < t->extension_sets; s++) {
			for (int i = 0; i < sk_CSR_EXTENSION_num(t->extensions[s]); i++)
				wipe_type(sk_CSR_EXTENSION_value(t->extensions[s], i)->value);
			ASN1_item_free(
			    (ASN1_VALUE *)t->extensions[s], ASN1_ITEM_rptr(CSR_EXTENSIONS));
		}
		if (t->request != NULL)
			wipe_request(t->request);
		ASN1_item_free((ASN1_VALUE *)t->request, ASN1_ITEM_rptr(CSR_REQUEST));
		buffer_free(&t->der);
		buffer_free(&t->spki);
		buffer_free(&t->challenge);
		free(t);
	}
	public_key_free(&csr->key);
	memset(csr, 0, sizeof(*csr));
}

bool
csr_verify(const struct csr *csr, struct errbuf *why)
{
	enum pki_key_type type;
	enum pki_digest digest;
	char oid[PKI_OID_TEXT];
	bool fits;

	pki_signature_of_oid(csr->signature_oid, &digest, &type);
	if (csr->key.type == PKI_KEY_EDDSA)
		fits = octets_equal(csr->signature_oid, csr->key.oid);
	else
		fits = digest != PKI_DIGEST_NONE && csr->key.pkey != NULL && type == csr->key.type;
	if (!fits) {
		errbuf_set(why, "CSR: signature algorithm %s with a key %s is not accepted here",
		    pki_oid_text(csr->signature_oid, oid, sizeof(oid)), csr->key.name);
		return false;
	}
	if (!public_key_verify(&csr->key, digest, csr->info, csr->signature, why)) {
		errbuf_prefix(why, "CSR");
		return false;
	}
	return true;
}
