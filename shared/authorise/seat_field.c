/* seat_field.c: a field's values, and whether they are one. */
#include "authorise/seat_field.h"

#include <string.h>

#include "pki/name.h"
#include "pki/san.h"

/* The first value is kept, any other must be the same. */
static bool
keep(struct octets value, char seat_id[SEAT_ID_MAX + 1])
{
	if (value.len == 0 || value.len > SEAT_ID_MAX || memchr(value.data, 0, value.len) != NULL)
		return false;
	if (seat_id[0] != '\0')
		return octets_equal(octets_of_string(seat_id), value);
	memcpy(seat_id, value.data, value.len);
	seat_id[value.len] = '\0';
	return true;
}

static bool
read_subject(const struct name_type *type, struct octets subject, char seat_id[SEAT_ID_MAX + 1])
{
	struct buffer value = {0};
	struct name_view *v;
	bool one = true;

	if (!name_parse(subject, &v, NULL))
		return false;
	for (int i = 0; i < name_count(v) && one; i++) {
		const struct name_attribute *a = name_get0(v, i);

		if (!octets_equal(a->oid, type->oid))
			continue;
		buffer_free(&value);
		one = name_value_utf8(a->value, a->tag, &value) &&
		      keep(buffer_octets(&value), seat_id);
	}
	buffer_free(&value);
	name_free(v);
	return one;
}

static bool
read_san(enum san_kind kind, struct octets san, char seat_id[SEAT_ID_MAX + 1])
{
	struct san_view *v;
	bool one = true;

	if (!san_parse(san, &v, NULL))
		return false;
	for (int i = 0; i < san_count(v) && one; i++)
		if (san_get0(v, i)->kind == kind)
			one = keep(san_get0(v, i)->value, seat_id);
	san_free(v);
	return one;
}

bool
seat_field_read(const char *field, const struct csr *csr, char seat_id[SEAT_ID_MAX + 1])
{
	const struct name_type *type = name_type_of_field(field);
	enum san_kind kind = san_kind_of_field(field);
	bool one = false;

	seat_id[0] = '\0';
	if (type != NULL)
		one = read_subject(type, csr->subject, seat_id);
	else if (kind == SAN_DNS || kind == SAN_EMAIL || kind == SAN_URI || kind == SAN_UPN)
		one = read_san(kind, csr->san, seat_id);
	if (!one)
		seat_id[0] = '\0';
	return seat_id[0] != '\0';
}
