#include <openssl/asn1.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/der.h"
#include "base/encoding.h"
#include "pki/name.h"

#define HEADER_ROOM 16 /* tags and lengths of an attribute: SET, SEQUENCE, OID, value */

#define OID(...)                                                                                   \
	{                                                                                          \
		.data = (const uint8_t[]){__VA_ARGS__}, .len = sizeof((uint8_t[]){__VA_ARGS__})    \
	}
#define AT(n)	 OID(0x55, 0x04, n) /* 2.5.4.n */
#define PKCS9(n) OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, n)
#define UCL(n)                                                                                     \
	OID(0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, n) /* 0.9.2342.19200300.100.1.n */

static const struct name_type types[] = {
    {"CN", "subject.commonName", AT(3), V_ASN1_UTF8STRING},
    {"O", "subject.organization", AT(10), V_ASN1_UTF8STRING},
    {"OU", "subject.organizationalUnit", AT(11), V_ASN1_UTF8STRING},
    {"L", "subject.locality", AT(7), V_ASN1_UTF8STRING},
    {"ST", "subject.state", AT(8), V_ASN1_UTF8STRING},
    {"C", "subject.country", AT(6), V_ASN1_PRINTABLESTRING},
    {"serialNumber", "subject.serialNumber", AT(5), V_ASN1_PRINTABLESTRING},
    {"emailAddress", "subject.email", PKCS9(1), V_ASN1_IA5STRING},
    {"UID", "subject.userId", UCL(1), V_ASN1_UTF8STRING},
    {"DC", "subject.domainComponent", UCL(25), V_ASN1_IA5STRING},
    {"title", "subject.title", AT(12), V_ASN1_UTF8STRING},
    {"GN", "subject.givenName", AT(42), V_ASN1_UTF8STRING},
    {"SN", "subject.surname", AT(4), V_ASN1_UTF8STRING},
    {"unstructuredName", "subject.unstructuredName", PKCS9(2), V_ASN1_UTF8STRING},
};
#define TYPES (sizeof(types) / sizeof(types[0]))

const struct name_type *
name_type_of_oid(struct octets oid)
{
	for (size_t i = 0; i < TYPES; i++)
		if (octets_equal(types[i].oid, oid))
			return &types[i];
	return NULL;
}

const struct name_type *
name_type_of_keyword(const char *keyword, size_t len)
{
	for (size_t i = 0; i < TYPES; i++)
		if (strlen(types[i].keyword) == len &&
		    strncasecmp(types[i].keyword, keyword, len) == 0)
			return &types[i];
	return NULL;
}

const struct name_type *
name_type_of_field(const char *field)
{
	for (size_t i = 0; i < TYPES; i++)
		if (strcmp(types[i].field, field) == 0)
			return &types[i];
	return NULL;
}

const char *
name_field(struct octets oid, char room[NAME_FIELD_TEXT])
{
	const struct name_type *type = name_type_of_oid(oid);

	if (type != NULL)
		return type->field;
	memcpy(room, "subject.", 8);
	pki_oid_text(oid, room + 8, PKI_OID_TEXT);
	return room;
}

bool
name_is_printable(struct octets value)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789 '()+,-./:=?";

	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == 0 || strchr(letters, value.data[i]) == NULL)
			return false;
	return true;
}

static bool
is_ascii(struct octets value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] > 0x7f)
			return false;
	return true;
}

int
name_type_tag(const struct name_type *type, struct octets utf8, struct errbuf *why)
{
	const char *wrong = name_check_utf8(utf8);

	if (wrong == NULL && type->tag == V_ASN1_PRINTABLESTRING && !name_is_printable(utf8))
		wrong = "characters that PrintableString has not";
	if (wrong == NULL && type->tag == V_ASN1_IA5STRING && !is_ascii(utf8))
		wrong = "other than ASCII characters";
	if (wrong == NULL && strcmp(type->keyword, "C") == 0 && utf8.len != 2)
		wrong = "not a country code of two letters";
	if (wrong != NULL) {
		errbuf_set(why, "%s: %s", type->keyword, wrong);
		return -1;
	}
	return type->tag;
}

static bool
is_string_tag(int tag)
{
	switch (tag) {
	case V_ASN1_UTF8STRING:
	case V_ASN1_NUMERICSTRING:
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_T61STRING:
	case V_ASN1_IA5STRING:
	case V_ASN1_VISIBLESTRING:
	case V_ASN1_UNIVERSALSTRING:
	case V_ASN1_BMPSTRING:
		return true;
	default:
		return false;
	}
}

/* As X.690 11.6 orders the elements of a SET OF. */
static int
compare_octets(const void *a, const void *b)
{
	const struct octets *x = a, *y = b;
	size_t least = x->len < y->len ? x->len : y->len;
	int order = memcmp(x->data, y->data, least);

	if (order != 0)
		return order;
	return x->len < y->len ? -1 : x->len > y->len;
}

/* The attributes, each written alone into room, as slices of it in pieces[]. */
static bool
write_pieces(
    const struct name_attribute *attributes, int count, struct der *d, struct octets *pieces)
{
	for (int i = 0; i < count; i++) {
		size_t mark = der_mark(d);

		if (!is_string_tag(attributes[i].tag))
			return false;
		der_element(d, (uint8_t)attributes[i].tag, attributes[i].value);
		der_oid(d, attributes[i].oid);
		der_wrap(d, DER_SEQUENCE, mark);
		if (d->failed)
			return false;
		pieces[i] = octets_of(d->at, der_mark(d) - mark);
	}
	return true;
}

bool
name_encode(const struct name_attribute *attributes, int count, struct buffer *out)
{
	struct octets *pieces = NULL;
	uint8_t *room = NULL, *whole = NULL;
	size_t size = HEADER_ROOM;
	struct der d;
	bool ok = false;

	for (int i = 0; i < count; i++)
		size += HEADER_ROOM + attributes[i].oid.len + attributes[i].value.len;
	pieces = calloc((size_t)count + 1, sizeof(*pieces));
	room = malloc(size);
	whole = malloc(size);
	if (pieces == NULL || room == NULL || whole == NULL)
		goto done;
	der_start(&d, room, size);
	if (!write_pieces(attributes, count, &d, pieces))
		goto done;
	der_start(&d, whole, size);
	for (int end = count, start; end > 0; end = start) {
		size_t mark = der_mark(&d);

		start = end - 1;
		while (start > 0 && attributes[start - 1].rdn == attributes[end - 1].rdn)
			start--;
		qsort(pieces + start, (size_t)(end - start), sizeof(*pieces), compare_octets);
		for (int i = end - 1; i >= start; i--)
			der_raw(&d, pieces[i]);
		der_wrap(&d, DER_SET, mark);
	}
	der_wrap(&d, DER_SEQUENCE, 0);
	if (!d.failed)
		buffer_append(out, der_octets(&d).data, der_octets(&d).len);
	ok = !d.failed && !out->failed;
done:
	free(pieces);
	free(room);
	free(whole);
	return ok;
}

/* Two hexadecimal digits as an octet, or -1. */
static int
hex_pair(const char *at)
{
	char digits[3] = {0};
	uint8_t octet;

	if (at[0] == '\0' || at[1] == '\0')
		return -1;
	memcpy(digits, at, 2);
	return encoding_unhex(digits, &octet, 1) ? octet : -1;
}

/*
 * Append the value that starts at *at, up to an unescaped comma or the end, without the unescaped spaces around it; *at then points behind
 * it.  false at a lone backslash at the end.
 */
static bool
read_value(const char **at, struct buffer *out)
{
	const char *p = *at + strspn(*at, " ");
	size_t keep = out->len;

	for (; *p != '\0' && *p != ','; p++) {
		char c = *p;
		bool escaped = c == '\\';
		int pair;

		if (escaped) {
			if (p[1] == '\0')
				return false;
			if ((pair = hex_pair(p + 1)) >= 0) {
				c = (char)pair;
				p += 2;
			} else {
				c = *++p;
			}
		}
		buffer_append(out, &c, 1);
		if (escaped || c != ' ')
			keep = out->len;
	}
	if (!out->failed)
		out->len = keep;
	*at = p;
	return true;
}

/* One TYPE=value; its octets stay in values, whose memory may move: so the slice has an offset for now. */
static bool
read_item(const char **at, struct name_attribute *a, struct buffer *values, struct errbuf *why)
{
	const struct name_type *type;
	size_t len, keyword_len, before = values->len;

	*at += strspn(*at, " ");
	len = keyword_len = strcspn(*at, "=,");
	while (keyword_len > 0 && (*at)[keyword_len - 1] == ' ')
		keyword_len--;
	if ((*at)[len] != '=' || (type = name_type_of_keyword(*at, keyword_len)) == NULL) {
		errbuf_set(why,
		    "name: have '%.*s', want CN=, O=, OU=, L=, ST=, C=, serialNumber=, "
		    "emailAddress=, UID=, DC=, title=, GN=, SN= or unstructuredName=",
		    (int)(len < 64 ? len : 64), *at);
		return false;
	}
	*at += len + 1;
	if (!read_value(at, values) || values->failed) {
		errbuf_set(why, "name: the value of %s is cut short", type->keyword);
		return false;
	}
	a->oid = type->oid;
	a->value =
	    octets_of(values->data == NULL ? NULL : values->data + before, values->len - before);
	a->tag = name_type_tag(type, a->value, why);
	return a->tag >= 0;
}

bool
name_from_text(const char *text, struct buffer *out, struct errbuf *why)
{
	struct name_attribute attributes[NAME_ATTRIBUTES_MAX] = {0};
	struct buffer values = {0};
	const char *at = text + strspn(text, " ");
	size_t offset = 0;
	int count = 0;
	bool ok = true;

	while (ok && *at != '\0') {
		if (count == NAME_ATTRIBUTES_MAX) {
			errbuf_set(why, "name: more than %d attributes", NAME_ATTRIBUTES_MAX);
			ok = false;
			break;
		}
		attributes[count].rdn = count;
		ok = read_item(&at, &attributes[count], &values, why);
		count++;
		if (ok && *at == ',' && *++at == '\0') {
			errbuf_set(why, "name: nothing behind the last comma");
			ok = false;
		}
	}
	for (int i = 0; ok && i < count; i++) {
		attributes[i].value.data = values.data + offset;
		offset += attributes[i].value.len;
	}
	if (ok && !name_encode(attributes, count, out)) {
		errbuf_set(why, "name: out of memory");
		ok = false;
	}
	buffer_free(&values);
	return ok;
}
