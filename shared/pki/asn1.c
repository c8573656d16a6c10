#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <string.h>
#include <time.h>

#include "base/der.h"
#include "pki/asn1.h"

#define DEPTH_MAX	24
#define LENGTH_MAX	0xffffff
#define OID_TEXT_MAX	256

#define TAG_CONSTRUCTED 0x20
#define TAG_NUMBER	0x1f
#define TAG_CLASS	0xc0

void *
asn1_decode(const ASN1_ITEM *it, struct octets der)
{
	const uint8_t *p = der.data;
	ASN1_VALUE *value;

	if (der.len == 0 || der.len > LENGTH_MAX)
		return NULL;
	value = ASN1_item_d2i(NULL, &p, (long)der.len, it);
	if (value != NULL && p != der.data + der.len) {
		ASN1_item_free(value, it);
		return NULL;
	}
	return value;
}

/* Whether a tag of one octet is one that DER can have: only SEQUENCE and SET are constructed among the universal types. */
static bool
tag_fits(uint8_t tag)
{
	bool constructed = (tag & TAG_CONSTRUCTED) != 0;
	int number = tag & TAG_NUMBER;

	if (number == TAG_NUMBER) /* a number in further octets: nothing here has one */
		return false;
	if ((tag & TAG_CLASS) != 0)
		return true;
	if (number == V_ASN1_SEQUENCE || number == V_ASN1_SET || number == V_ASN1_EXTERNAL)
		return constructed;
	return number != V_ASN1_EOC && !constructed;
}

/* Step *p over a tag and a length; false unless the content, too, ends before end. */
static bool
header(const uint8_t **p, const uint8_t *end, uint8_t *tag, size_t *len)
{
	size_t count, n = 0;

	if (end - *p < 2 || !tag_fits(**p))
		return false;
	*tag = *(*p)++;
	count = *(*p)++;
	if (count < 0x80) {
		n = count;
	} else {
		count -= 0x80;
		if (count == 0 || count > 3 || (size_t)(end - *p) < count || **p == 0)
			return false;
		while (count-- > 0)
			n = n << 8 | *(*p)++;
		if (n < 0x80)
			return false;
	}
	*len = n;
	return n <= (size_t)(end - *p);
}

bool
asn1_is_der(struct octets der, uint8_t tag)
{
	const uint8_t *p = der.data, *ends[DEPTH_MAX];
	uint8_t found;
	size_t len;
	int depth = 0;

	if (der.len == 0 || der.data[0] != tag)
		return false;
	ends[0] = der.data + der.len;
	do {
		if (!header(&p, ends[depth], &found, &len))
			return false;
		if ((found & TAG_CONSTRUCTED) == 0) {
			p += len;
		} else {
			if (++depth == DEPTH_MAX)
				return false;
			ends[depth] = p + len;
		}
		while (depth > 0 && p == ends[depth])
			depth--;
	} while (depth > 0);
	return p == ends[0];
}

ASN1_OBJECT *
asn1_oid_from_text(const char *text)
{
	char back[OID_TEXT_MAX];
	ASN1_OBJECT *o = NULL;

	/* OpenSSL takes some that are no OIDs ("1.", "1.2."), but does not write them so. */
	if (text[strspn(text, "0123456789.")] == '\0')
		o = OBJ_txt2obj(text, 1);
	if (o != NULL &&
	    (OBJ_length(o) == 0 || OBJ_obj2txt(back, sizeof(back), o, 1) >= (int)sizeof(back) ||
		strcmp(back, text) != 0)) {
		ASN1_OBJECT_free(o);
		o = NULL;
	}
	ERR_clear_error();
	return o;
}

bool
asn1_time_seconds(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = (int64_t)timegm(&tm);
	return true;
}

struct octets
asn1_string_octets(const ASN1_STRING *s)
{
	if (s == NULL || ASN1_STRING_length(s) <= 0)
		return octets_of(NULL, 0);
	return octets_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

struct octets
asn1_oid_octets(const ASN1_OBJECT *o)
{
	if (o == NULL)
		return octets_of(NULL, 0);
	return octets_of(OBJ_get0_data(o), OBJ_length(o));
}

struct octets
asn1_type_octets(const ASN1_TYPE *any)
{
	if (any->type == V_ASN1_BOOLEAN || any->type == V_ASN1_NULL || any->type == V_ASN1_OBJECT)
		return octets_of(NULL, 0);
	return asn1_string_octets(any->value.asn1_string);
}
