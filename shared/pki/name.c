#include <openssl/asn1t.h>
#include <openssl/err.h>

#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "pki/algorithm.h"
#include "pki/asn1.h"
#include "pki/name.h"

#define PIECE 256 /* octets of text put together before they are appended */

typedef struct name_atav {
	ASN1_OBJECT *type;
	ASN1_TYPE *value;
} NAME_ATAV;
DEFINE_STACK_OF(NAME_ATAV)

typedef STACK_OF(NAME_ATAV) NAME_RDN;
DEFINE_STACK_OF(NAME_RDN)

/* clang-format off */
ASN1_SEQUENCE(NAME_ATAV) = {
	ASN1_SIMPLE(NAME_ATAV, type, ASN1_OBJECT),
	ASN1_SIMPLE(NAME_ATAV, value, ASN1_ANY),
} static_ASN1_SEQUENCE_END(NAME_ATAV)

ASN1_ITEM_TEMPLATE(NAME_RDN) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SET_OF, 0, rdn, NAME_ATAV)
static_ASN1_ITEM_TEMPLATE_END(NAME_RDN)

ASN1_ITEM_TEMPLATE(NAME_RDNS) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, name, NAME_RDN)
static_ASN1_ITEM_TEMPLATE_END(NAME_RDNS)
    /* clang-format on */

    struct name_view {
	STACK_OF(NAME_RDN) * rdns;
	struct name_attribute attributes[NAME_ATTRIBUTES_MAX];
	const ASN1_TYPE *values[NAME_ATTRIBUTES_MAX];
	int count;
};

static bool
read_rdn(struct name_view *v, const NAME_RDN *rdn, int number, struct errbuf *why)
{
	int size = sk_NAME_ATAV_num(rdn);

	if (size < 1 || size > NAME_ATTRIBUTES_MAX - v->count) {
		errbuf_set(why,
		    "Name: an RDN is empty, or more than %d attributes (RFC 5280 4.1.2.4)",
		    NAME_ATTRIBUTES_MAX);
		return false;
	}
	for (int i = 0; i < size; i++) {
		const NAME_ATAV *a = sk_NAME_ATAV_value(rdn, i);

		v->values[v->count] = a->value;
		v->attributes[v->count++] = (struct name_attribute){
		    .oid = asn1_oid_octets(a->type),
		    .value = asn1_type_octets(a->value),
		    .tag = a->value->type,
		    .rdn = number,
		};
	}
	return true;
}

bool
name_parse(struct octets name, struct name_view **out, struct errbuf *why)
{
	struct name_view *v;

	*out = NULL;
	if ((v = calloc(1, sizeof(*v))) == NULL) {
		errbuf_set(why, "Name: out of memory");
		return false;
	}
	v->rdns = asn1_decode(ASN1_ITEM_rptr(NAME_RDNS), name);
	if (v->rdns == NULL) {
		errbuf_ossl(why, "Name: want exactly one (RFC 5280 4.1.2.4)");
		name_free(v);
		return false;
	}
	for (int i = 0; i < sk_NAME_RDN_num(v->rdns); i++) {
		if (!read_rdn(v, sk_NAME_RDN_value(v->rdns, i), i, why)) {
			name_free(v);
			return false;
		}
	}
	*out = v;
	return true;
}

int
name_count(const struct name_view *v)
{
	return v->count;
}

const struct name_attribute *
name_get0(const struct name_view *v, int i)
{
	return i >= 0 && i < v->count ? &v->attributes[i] : NULL;
}

void
name_free(struct name_view *v)
{
	if (v == NULL)
		return;
	ASN1_item_free((ASN1_VALUE *)v->rdns, ASN1_ITEM_rptr(NAME_RDNS));
	free(v);
}

/*
 * RFC 4514 section 2.4: what has a meaning in the text gets a backslash; control characters become \XX.  By the piece, as a
 * stranger chooses how long it is.
 */
static void
append_escaped(struct octets utf8, struct buffer *out)
{
	char piece[PIECE + 4];
	size_t n = 0;

	for (size_t i = 0; i < utf8.len; i++) {
		uint8_t c = utf8.data[i];
		bool edge_space = c == ' ' && (i == 0 || i == utf8.len - 1);

		if (n > PIECE - 3) {
			buffer_append(out, piece, n);
			n = 0;
		}
		if (c < 0x20 || c == 0x7f) {
			piece[n] = '\\';
			encoding_hex_upper(octets_of(&c, 1), piece + n + 1);
			n += 3;
			continue;
		}
		if (edge_space || (c == '#' && i == 0) || strchr("\"+,;<>\\", c) != NULL)
			piece[n++] = '\\';
		piece[n++] = (char)c;
	}
	buffer_append(out, piece, n);
}

/* '#' and the value's whole encoding in hexadecimal; by the piece likewise. */
static void
append_hex(const ASN1_TYPE *value, struct buffer *out)
{
	uint8_t *der = NULL;
	int len = i2d_ASN1_TYPE((ASN1_TYPE *)(uintptr_t)value, &der);
	char digits[2 * PIECE + 1];

	if (len < 0)
		ERR_clear_error();
	buffer_append(out, "#", 1);
	for (int at = 0; at < len; at += PIECE) {
		encoding_hex(
		    octets_of(der + at, (size_t)(len - at < PIECE ? len - at : PIECE)), digits);
		buffer_append_string(out, digits);
	}
	OPENSSL_free(der);
}

static void
append_attribute(const struct name_view *v, int i, struct buffer *out)
{
	const struct name_attribute *a = &v->attributes[i];
	const struct name_type *type = name_type_of_oid(a->oid);
	struct buffer utf8 = {0};
	char oid[PKI_OID_TEXT];

	buffer_append_string(
	    out, type != NULL ? type->keyword : pki_oid_text(a->oid, oid, sizeof(oid)));
	buffer_append(out, "=", 1);
	if (type != NULL && name_value_utf8(a->value, a->tag, &utf8))
		append_escaped(buffer_octets(&utf8), out);
	else
		append_hex(v->values[i], out);
	buffer_free(&utf8);
}

bool
name_to_text(struct octets name, struct buffer *out)
{
	struct name_view *v;
	int end, start;

	if (!name_parse(name, &v, NULL))
		return false;
	for (end = v->count; end > 0; end = start) {
		start = end - 1;
		while (start > 0 && v->attributes[start - 1].rdn == v->attributes[end - 1].rdn)
			start--;
		for (int i = start; i < end; i++) {
			append_attribute(v, i, out);
			if (i < end - 1)
				buffer_append(out, "+", 1);
		}
		if (start > 0)
			buffer_append(out, ",", 1);
	}
	name_free(v);
	return !out->failed;
}

bool
name_to_typed(struct octets name, struct buffer *out)
{
	struct name_view *v;
	bool ok = true;

	if (!name_parse(name, &v, NULL))
		return false;
	for (int i = 0; ok && i < v->count; i++) {
		struct buffer utf8 = {0};

		ok = v->attributes[i].rdn == i && name_type_of_oid(v->attributes[i].oid) != NULL &&
		     name_value_utf8(v->attributes[i].value, v->attributes[i].tag, &utf8);
		buffer_free(&utf8);
	}
	for (int i = 0; ok && i < v->count; i++) {
		buffer_append(out, ",", i > 0);
		append_attribute(v, i, out);
	}
	name_free(v);
	return ok && !out->failed;
}

bool
name_common_name(struct octets name, struct buffer *out)
{
	const struct name_type *common_name = name_type_of_field("subject.commonName");
	struct name_view *v;
	bool found = false;

	if (!name_parse(name, &v, NULL))
		return false;
	for (int i = 0; i < v->count && !found; i++) {
		const struct name_attribute *a = &v->attributes[i];

		found = octets_equal(a->oid, common_name->oid) &&
			name_value_utf8(a->value, a->tag, out);
	}
	name_free(v);
	return found;
}
