#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/encoding.h"
#include "pki/asn1.h"
#include "pki/name.h"
#include "pki/san.h"

#define DNS_MAX	    253
#define TEXT_MAX    2048 /* of any other value */
#define HEADER_ROOM 64	 /* tags and lengths, and the OID of a UPN */

typedef struct san_other {
	ASN1_OBJECT *type;
	ASN1_TYPE *value;
} SAN_OTHER;

/* GeneralName: type is the number of its tag. */
typedef struct san_choice {
	int type;
	union {
		SAN_OTHER *other;
		ASN1_OCTET_STRING *octets;
		ASN1_STRING *opaque;
		ASN1_OBJECT *oid;
	} d;
} SAN_CHOICE;
DEFINE_STACK_OF(SAN_CHOICE)

/* clang-format off */
ASN1_SEQUENCE(SAN_OTHER) = {
	ASN1_SIMPLE(SAN_OTHER, type, ASN1_OBJECT),
	ASN1_EXP(SAN_OTHER, value, ASN1_ANY, 0),
} static_ASN1_SEQUENCE_END(SAN_OTHER)

ASN1_CHOICE(SAN_CHOICE) = {
	ASN1_IMP(SAN_CHOICE, d.other, SAN_OTHER, 0),
	ASN1_IMP(SAN_CHOICE, d.octets, ASN1_OCTET_STRING, 1), /* rfc822Name */
	ASN1_IMP(SAN_CHOICE, d.octets, ASN1_OCTET_STRING, 2), /* dNSName */
	ASN1_IMP(SAN_CHOICE, d.opaque, ASN1_SEQUENCE, 3),     /* x400Address */
	ASN1_EXP(SAN_CHOICE, d.opaque, ASN1_SEQUENCE, 4),     /* directoryName */
	ASN1_IMP(SAN_CHOICE, d.opaque, ASN1_SEQUENCE, 5),     /* ediPartyName */
	ASN1_IMP(SAN_CHOICE, d.octets, ASN1_OCTET_STRING, 6), /* uniformResourceIdentifier */
	ASN1_IMP(SAN_CHOICE, d.octets, ASN1_OCTET_STRING, 7), /* iPAddress */
	ASN1_IMP(SAN_CHOICE, d.oid, ASN1_OBJECT, 8),	      /* registeredID */
} static_ASN1_CHOICE_END(SAN_CHOICE)

ASN1_ITEM_TEMPLATE(SAN_CHOICES) =
	ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF, 0, names, SAN_CHOICE)
static_ASN1_ITEM_TEMPLATE_END(SAN_CHOICES)
    /* clang-format on */

    struct san_view {
	STACK_OF(SAN_CHOICE) * choices;
	struct buffer der; /* of all the names, one behind the other */
	struct san_name names[SAN_NAMES_MAX];
	int count;
};

/* In the order of enum san_kind. */
static const struct {
	const char *field;
	int tag; /* the number of GeneralName's context tag */
} kinds[] = {
    {"san.dns", 2},
    {"san.ip", 7},
    {"san.email", 1},
    {"san.uri", 6},
    {"san.upn", 0},
    {"san.directoryName", 4},
    {"san.registeredId", 8},
    {"san.other", -1},
};

const char *
san_field(enum san_kind kind)
{
	return kinds[kind].field;
}

enum san_kind
san_kind_of_field(const char *field)
{
	int kind = SAN_DNS;

	while (kind < SAN_UNSUPPORTED && strcmp(kinds[kind].field, field) != 0)
		kind++;
	return (enum san_kind)kind;
}

static void
read_choice(const SAN_CHOICE *c, struct san_name *out)
{
	int kind = SAN_DNS;

	while (kind < SAN_UNSUPPORTED && kinds[kind].tag != c->type)
		kind++;
	out->kind = (enum san_kind)kind;
	switch (out->kind) {
	case SAN_UPN:
		if (OBJ_obj2nid(c->d.other->type) != NID_ms_upn)
			out->kind = SAN_UNSUPPORTED;
		else if (c->d.other->value->type == V_ASN1_UTF8STRING)
			out->value = asn1_string_octets(c->d.other->value->value.asn1_string);
		break;
	case SAN_DIRECTORY_NAME:
		out->value = asn1_string_octets(c->d.opaque);
		break;
	case SAN_REGISTERED_ID:
		out->value = asn1_oid_octets(c->d.oid);
		break;
	case SAN_UNSUPPORTED:
		break;
	default:
		out->value = asn1_string_octets(c->d.octets);
		break;
	}
}

/* Encode each name; the slices are set at the end, when the buffer moves no more. */
static bool
encode_choices(struct san_view *v, struct errbuf *why)
{
	size_t offset = 0;

	for (int i = 0; i < v->count; i++) {
		const SAN_CHOICE *c = sk_SAN_CHOICE_value(v->choices, i);
		uint8_t *der = NULL;
		int len = ASN1_item_i2d((const ASN1_VALUE *)c, &der, ASN1_ITEM_rptr(SAN_CHOICE));

		if (len <= 0) {
			errbuf_ossl(why, "GeneralNames: cannot encode");
			return false;
		}
		buffer_append(&v->der, der, (size_t)len);
		OPENSSL_free(der);
		v->names[i].der.len = (size_t)len;
	}
	if (v->der.failed) {
		errbuf_set(why, "GeneralNames: out of memory");
		return false;
	}
	for (int i = 0; i < v->count; i++) {
		v->names[i].der.data = v->der.data + offset;
		offset += v->names[i].der.len;
	}
	return true;
}

bool
san_parse(struct octets san, struct san_view **out, struct errbuf *why)
{
	struct san_view *v;

	*out = NULL;
	if ((v = calloc(1, sizeof(*v))) == NULL) {
		errbuf_set(why, "GeneralNames: out of memory");
		return false;
	}
	v->choices = asn1_decode(ASN1_ITEM_rptr(SAN_CHOICES), san);
	if (v->choices == NULL) {
		errbuf_ossl(why, "GeneralNames: want exactly one (RFC 5280 4.2.1.6)");
		goto fail;
	}
	v->count = sk_SAN_CHOICE_num(v->choices);
	if (v->count < 1 || v->count > SAN_NAMES_MAX) {
		errbuf_set(
		    why, "GeneralNames: have %d names, want 1 to %d", v->count, SAN_NAMES_MAX);
		goto fail;
	}
	for (int i = 0; i < v->count; i++)
		read_choice(sk_SAN_CHOICE_value(v->choices, i), &v->names[i]);
	if (!encode_choices(v, why))
		goto fail;
	*out = v;
	return true;

fail:
	san_free(v);
	return false;
}

int
san_count(const struct san_view *v)
{
	return v->count;
}

const struct san_name *
san_get0(const struct san_view *v, int i)
{
	return i >= 0 && i < v->count ? &v->names[i] : NULL;
}

void
san_free(struct san_view *v)
{
	if (v == NULL)
		return;
	ASN1_item_free((ASN1_VALUE *)v->choices, ASN1_ITEM_rptr(SAN_CHOICES));
	buffer_free(&v->der);
	free(v);
}

static bool
is_visible_ascii(struct octets value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] <= ' ' || value.data[i] > '~')
			return false;
	return true;
}

/* RFC 3986: a URI, which unlike a reference has a scheme. */
static bool
has_scheme(struct octets uri)
{
	if (!isalpha(uri.data[0]))
		return false;
	for (size_t i = 1; i < uri.len; i++) {
		if (uri.data[i] == ':')
			return true;
		if (!isalnum(uri.data[i]) && strchr("+-.", uri.data[i]) == NULL)
			return false;
	}
	return false;
}

const char *
san_check(enum san_kind kind, struct octets value)
{
	if (kind == SAN_UNSUPPORTED)
		return "not a supported type";
	if (kind == SAN_IP)
		return value.len == 4 || value.len == 16 ? NULL : "not 4 or 16 octets";
	if (value.len == 0)
		return "empty, or of a wrong type";
	if (value.len > (kind == SAN_DNS ? DNS_MAX : TEXT_MAX))
		return "too long";
	switch (kind) {
	case SAN_DNS:
	case SAN_EMAIL:
		return is_visible_ascii(value) ? NULL : "not visible ASCII characters alone";
	case SAN_URI:
		if (!is_visible_ascii(value))
			return "not visible ASCII characters alone";
		return has_scheme(value) ? NULL : "no scheme";
	case SAN_UPN:
		return name_check_utf8(value);
	case SAN_DIRECTORY_NAME:
		return name_check(value);
	default:
		return NULL;
	}
}

bool
san_wrap(struct octets content, struct buffer *out)
{
	uint8_t header[8];
	struct der d;
	size_t size = content.len + sizeof(header);
	uint8_t *room = malloc(size);

	if (room == NULL)
		return false;
	der_start(&d, room, size);
	der_raw(&d, content);
	der_wrap(&d, DER_SEQUENCE, 0);
	if (!d.failed)
		buffer_append(out, der_octets(&d).data, der_octets(&d).len);
	free(room);
	return !d.failed && !out->failed;
}

/* The value as it is in a GeneralName of this kind, from its text. */
static bool
value_from_text(enum san_kind kind, const char *text, struct buffer *value, struct errbuf *why)
{
	uint8_t address[16];
	ASN1_OBJECT *oid;

	switch (kind) {
	case SAN_IP:
		if (inet_pton(AF_INET, text, address) == 1)
			buffer_append(value, address, 4);
		else if (inet_pton(AF_INET6, text, address) == 1)
			buffer_append(value, address, 16);
		return true;
	case SAN_DIRECTORY_NAME:
		return name_from_text(text, value, why);
	case SAN_REGISTERED_ID:
		if ((oid = asn1_oid_from_text(text)) != NULL)
			buffer_append(value, asn1_oid_octets(oid).data, asn1_oid_octets(oid).len);
		ASN1_OBJECT_free(oid);
		return true;
	default:
		buffer_append_string(value, text);
		return true;
	}
}

bool
san_name_from_text(enum san_kind kind, const char *text, struct buffer *out, struct errbuf *why)
{
	/* 1.3.6.1.4.1.311.20.2.3 */
	static const uint8_t upn[] = {0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3};
	uint8_t room[TEXT_MAX + HEADER_ROOM];
	struct buffer value = {0};
	const char *wrong;
	struct der d;

	if (!value_from_text(kind, text, &value, why)) {
		buffer_free(&value);
		return false;
	}
	if ((wrong = san_check(kind, buffer_octets(&value))) != NULL) {
		errbuf_set(why, "%s: '%.64s' is %s", san_field(kind), text, wrong);
		buffer_free(&value);
		return false;
	}
	der_start(&d, room, sizeof(room));
	if (kind == SAN_UPN) {
		der_element(&d, DER_UTF8_STRING, buffer_octets(&value));
		der_wrap(&d, DER_CONTEXT(0), 0);
		der_oid(&d, octets_of(upn, sizeof(upn)));
		der_wrap(&d, DER_CONTEXT(0), 0);
	} else if (kind == SAN_DIRECTORY_NAME) {
		der_raw(&d, buffer_octets(&value));
		der_wrap(&d, DER_CONTEXT(4), 0);
	} else {
		der_element(&d, (uint8_t)DER_CONTEXT_PRIM(kinds[kind].tag), buffer_octets(&value));
	}
	if (!d.failed)
		buffer_append(out, der_octets(&d).data, der_octets(&d).len);
	if (d.failed || value.failed || out->failed)
		errbuf_set(why, "%s: does not fit", san_field(kind));
	buffer_free(&value);
	return !d.failed && !out->failed;
}
