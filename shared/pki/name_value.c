#include <openssl/asn1.h>

#include "base/encoding.h"
#include "pki/name.h"

#define SURROGATE_FIRST 0xd800
#define SURROGATE_LAST	0xdfff
#define CODE_POINT_LAST 0x10ffff

static bool
append_code_point(struct buffer *out, uint32_t c)
{
	uint8_t utf8[4];
	size_t len;

	if (c == 0 || c > CODE_POINT_LAST || (c >= SURROGATE_FIRST && c <= SURROGATE_LAST))
		return false;
	if (c < 0x80) {
		utf8[0] = (uint8_t)c;
		len = 1;
	} else if (c < 0x800) {
		utf8[0] = (uint8_t)(0xc0 | c >> 6);
		utf8[1] = (uint8_t)(0x80 | (c & 0x3f));
		len = 2;
	} else if (c < 0x10000) {
		utf8[0] = (uint8_t)(0xe0 | c >> 12);
		utf8[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		utf8[2] = (uint8_t)(0x80 | (c & 0x3f));
		len = 3;
	} else {
		utf8[0] = (uint8_t)(0xf0 | c >> 18);
		utf8[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		utf8[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		utf8[3] = (uint8_t)(0x80 | (c & 0x3f));
		len = 4;
	}
	buffer_append(out, utf8, len);
	return true;
}

/* Big-endian numbers of width octets each, none above last. */
static bool
append_fixed_width(struct octets value, size_t width, uint32_t last, struct buffer *out)
{
	if (value.len % width != 0)
		return false;
	for (size_t i = 0; i < value.len; i += width) {
		uint32_t c = 0;

		for (size_t k = 0; k < width; k++)
			c = c << 8 | value.data[i + k];
		if (c > last || !append_code_point(out, c))
			return false;
	}
	return true;
}

bool
name_value_utf8(struct octets value, int tag, struct buffer *out)
{
	size_t before = out->len;
	bool ok;

	switch (tag) {
	case V_ASN1_UTF8STRING:
		if ((ok = encoding_is_utf8(value)))
			buffer_append(out, value.data, value.len);
		break;
	case V_ASN1_NUMERICSTRING:
	case V_ASN1_PRINTABLESTRING:
	case V_ASN1_IA5STRING:
	case V_ASN1_VISIBLESTRING:
		ok = append_fixed_width(value, 1, 0x7f, out);
		break;
	case V_ASN1_T61STRING: /* as Latin-1, which is what writers mean by it */
		ok = append_fixed_width(value, 1, 0xff, out);
		break;
	case V_ASN1_BMPSTRING:
		ok = append_fixed_width(value, 2, 0xffff, out);
		break;
	case V_ASN1_UNIVERSALSTRING:
		ok = append_fixed_width(value, 4, CODE_POINT_LAST, out);
		break;
	default:
		ok = false;
		break;
	}
	if (!ok)
		out->len = before;
	return ok && !out->failed;
}

/* C0, DEL, and C1 (U+0080 to U+009F are C2 80 to C2 9F). */
static bool
has_control_character(struct octets utf8)
{
	for (size_t i = 0; i < utf8.len; i++) {
		uint8_t c = utf8.data[i];

		if (c < 0x20 || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < utf8.len && utf8.data[i + 1] < 0xa0)
			return true;
	}
	return false;
}

const char *
name_check_utf8(struct octets utf8)
{
	if (utf8.len == 0)
		return "empty, or of a wrong type";
	if (utf8.len > NAME_VALUE_MAX)
		return "too long";
	if (!encoding_is_utf8(utf8))
		return "malformed";
	if (has_control_character(utf8))
		return "a control character in it";
	return NULL;
}

const char *
name_check(struct octets name)
{
	const char *wrong = NULL;
	struct name_view *v;

	if (!name_parse(name, &v, NULL))
		return "malformed";
	if (name_count(v) == 0)
		wrong = "empty";
	for (int i = 0; wrong == NULL && i < name_count(v); i++) {
		const struct name_attribute *a = name_get0(v, i);
		struct buffer utf8 = {0};

		if (!name_value_utf8(a->value, a->tag, &utf8))
			wrong = "malformed";
		else
			wrong = name_check_utf8(buffer_octets(&utf8));
		buffer_free(&utf8);
	}
	name_free(v);
	return wrong;
}
