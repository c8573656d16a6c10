#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/identity.h"
#include "pki/name.h"
#include "pki/san.h"

#define QUOTED_MAX (IDENTITY_TEXT_MAX + 3) /* with the quotes and a NUL */

/*
 * An attribute or a GeneralName as octets that are equal for two of them exactly when they are the same.  The slices are the view's
 * that it was made from.
 */
struct entry {
	struct buffer key;
	int rdn;
	bool first; /* of its RDN */
	const struct name_attribute *attribute;
	const struct san_name *name;
};

/* One side of a comparison; NAME_ATTRIBUTES_MAX is less. */
struct side {
	struct entry entries[SAN_NAMES_MAX];
	int count;
	struct name_view *names;
	struct san_view *san;
};

static void
side_free(struct side *s)
{
	for (int i = 0; i < s->count; i++)
		buffer_free(&s->entries[i].key);
	name_free(s->names);
	san_free(s->san);
}

/* With its length before it, so that what follows cannot be taken for more of it. */
static void
append_counted(struct buffer *out, struct octets part)
{
	uint8_t len[4] = {(uint8_t)(part.len >> 24), (uint8_t)(part.len >> 16),
	    (uint8_t)(part.len >> 8), (uint8_t)part.len};

	buffer_append(out, len, sizeof(len));
	buffer_append(out, part.data, part.len);
}

static bool
same_key(const struct entry *a, const struct entry *b)
{
	return octets_equal(buffer_octets(&a->key), buffer_octets(&b->key));
}

/* ---- what a difference looks like ------------------------------------------------------------------------------------------ */

/* "text", cut between two characters; none without text. */
static void
quote(const struct buffer *text, char out[QUOTED_MAX])
{
	size_t len = text->len;

	if (len > IDENTITY_TEXT_MAX) {
		len = IDENTITY_TEXT_MAX;
		while (len > 0 && (text->data[len] & 0xc0) == 0x80)
			len--;
	}
	snprintf(out, QUOTED_MAX, "\"%.*s\"", (int)len, len > 0 ? (const char *)text->data : "");
}

static void
text_of(const struct entry *e, char out[QUOTED_MAX])
{
	struct buffer text = {0};

	if (e == NULL) {
		snprintf(out, QUOTED_MAX, "none");
		return;
	}
	if (e->attribute != NULL)
		name_value_utf8(e->attribute->value, e->attribute->tag, &text);
	else
		san_name_to_text(e->name, &text);
	quote(&text, out);
	buffer_free(&text);
}

/* Either may be NULL: that side has none. */
static void
tell(const struct entry *a, const struct entry *b, struct errbuf *why)
{
	const struct entry *any = a != NULL ? a : b;
	char of_a[QUOTED_MAX], of_b[QUOTED_MAX], room[NAME_FIELD_TEXT];

	text_of(a, of_a);
	text_of(b, of_b);
	errbuf_set(why, "%.128s: the certificate has %s, the CSR %s",
	    any->attribute != NULL ? name_field(any->attribute->oid, room)
				   : san_field(any->name->kind),
	    of_a, of_b);
}

/* ---- subject --------------------------------------------------------------------------------------------------------------- */

/* By the profile, or by who made the enrolment: what the device asks for does not say all. */
static bool
is_set_by_profile(const struct field_rules *except, const char *field)
{
	return field_rule_get0(except, field, FIELD_FIXED) != NULL ||
	       field_rule_get0(except, field, FIELD_MANUAL) != NULL;
}

static bool
is_fixed_value(const struct field_rules *except, const char *field, struct octets utf8)
{
	for (int i = 0; i < except->count; i++) {
		const struct field_rule *r = &except->rules[i];

		if (r->source == FIELD_FIXED && strcmp(r->type, field) == 0 &&
		    octets_equal(octets_of_string(r->value), utf8))
			return true;
	}
	return false;
}

static bool
is_left_out(const struct field_rules *except, struct octets oid, struct octets utf8)
{
	char room[NAME_FIELD_TEXT];
	const char *field = name_field(oid, room);

	if (except == NULL || !is_set_by_profile(except, field))
		return false;
	return field_rule_get0(except, field, FIELD_SCEP_REQUEST) == NULL ||
	       is_fixed_value(except, field, utf8);
}

static bool
add_attribute(struct side *s, const struct name_attribute *a, const struct field_rules *except,
    struct errbuf *why)
{
	struct entry *e = &s->entries[s->count];
	struct buffer utf8 = {0};
	char room[NAME_FIELD_TEXT];
	bool ok = name_value_utf8(a->value, a->tag, &utf8);

	if (!ok) {
		errbuf_set(why, "%.128s: not a string, or malformed", name_field(a->oid, room));
	} else if (!is_left_out(except, a->oid, buffer_octets(&utf8))) {
		*e = (struct entry){.rdn = a->rdn, .attribute = a};
		append_counted(&e->key, a->oid);
		append_counted(&e->key, buffer_octets(&utf8));
		s->count++;
		if ((ok = !e->key.failed) == false)
			errbuf_set(why, "identity: out of memory");
	}
	buffer_free(&utf8);
	return ok;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t least = x->key.len < y->key.len ? x->key.len : y->key.len;
	int order;

	if (x->rdn != y->rdn)
		return x->rdn < y->rdn ? -1 : 1;
	if ((order = memcmp(x->key.data, y->key.data, least)) != 0)
		return order;
	return x->key.len < y->key.len ? -1 : x->key.len > y->key.len;
}

/* The attributes that count, in the order of the Name; those of one RDN, which is a set, sorted. */
static bool
read_name(struct side *s, struct octets name, const struct field_rules *except, struct errbuf *why)
{
	int rdn = -1;

	if (!name_parse(name, &s->names, why))
		return false;
	for (int i = 0; i < name_count(s->names); i++)
		if (!add_attribute(s, name_get0(s->names, i), except, why))
			return false;
	qsort(s->entries, (size_t)s->count, sizeof(s->entries[0]), compare_entries);
	for (int i = 0; i < s->count; i++) {
		s->entries[i].first = s->entries[i].rdn != rdn;
		rdn = s->entries[i].rdn;
	}
	return true;
}

/* The n-th attribute of a type, from 0; NULL where there are fewer. */
static const struct entry *
nth_of_type(const struct side *s, struct octets oid, int n)
{
	for (int i = 0; i < s->count; i++)
		if (octets_equal(s->entries[i].attribute->oid, oid) && n-- == 0)
			return &s->entries[i];
	return NULL;
}

/* The first attribute of one that has no like in the other at its place among those of its type: true when why says it. */
static bool
tell_attribute(const struct side *s, const struct side *other, bool reverse, struct errbuf *why)
{
	for (int i = 0; i < s->count; i++) {
		const struct entry *e = &s->entries[i], *like;
		int n = 0;

		for (int k = 0; k < i; k++)
			n += octets_equal(s->entries[k].attribute->oid, e->attribute->oid);
		like = nth_of_type(other, e->attribute->oid, n);
		if (like != NULL && same_key(e, like))
			continue;
		tell(reverse ? like : e, reverse ? e : like, why);
		return true;
	}
	return false;
}

static bool
same_names(const struct side *a, const struct side *b)
{
	if (a->count != b->count)
		return false;
	for (int i = 0; i < a->count; i++)
		if (a->entries[i].first != b->entries[i].first ||
		    !same_key(&a->entries[i], &b->entries[i]))
			return false;
	return true;
}

bool
identity_same_subject(
    struct octets a, struct octets b, const struct field_rules *except, struct errbuf *why)
{
	struct side x = {0}, y = {0};
	bool same = false;

	if (octets_equal(a, b))
		return true;
	if (!read_name(&x, a, except, why))
		errbuf_prefix(why, "the certificate's subject");
	else if (!read_name(&y, b, except, why))
		errbuf_prefix(why, "the CSR's subject");
	else if (!(same = same_names(&x, &y)) && !tell_attribute(&x, &y, false, why) &&
		 !tell_attribute(&y, &x, true, why))
		errbuf_set(why, "subject: the CSR has the certificate's attributes in another "
				"order, or other RDNs of them");
	side_free(&x);
	side_free(&y);
	return same;
}

/* ---- subjectAltName --------------------------------------------------------------------------------------------------------- */

/* A directoryName that is no Name of strings is its octets, and so the same as nothing but itself. */
static void
append_directory_name(struct octets name, struct octets der, struct buffer *key)
{
	struct side s = {0};

	if (read_name(&s, name, NULL, NULL)) {
		for (int i = 0; i < s.count; i++) {
			buffer_append(key, s.entries[i].first ? "," : "+", 1);
			append_counted(key, buffer_octets(&s.entries[i].key));
		}
	} else {
		buffer_append(key, "#", 1);
		append_counted(key, der);
	}
	side_free(&s);
}

static void
append_key(const struct san_name *n, struct buffer *key)
{
	uint8_t kind = (uint8_t)n->kind;

	buffer_append(key, &kind, 1);
	switch (n->kind) {
	case SAN_DNS:
		buffer_append(key, n->value.data, n->value.len);
		for (size_t i = 1; i < key->len; i++)
			key->data[i] = (uint8_t)tolower(key->data[i]);
		break;
	case SAN_DIRECTORY_NAME:
		append_directory_name(n->value, n->der, key);
		break;
	default:
		buffer_append(key, n->der.data, n->der.len);
		break;
	}
}

/* Whether a name is what a FIXED rule for its kind writes. */
static bool
is_fixed_name(const struct field_rules *except, const struct entry *e)
{
	const char *field = san_field(e->name->kind);
	bool is = false;

	for (int i = 0; !is && i < except->count; i++) {
		const struct field_rule *r = &except->rules[i];
		struct buffer name = {0}, san = {0};
		struct san_view *v = NULL;
		struct entry fixed = {0};

		if (r->source != FIELD_FIXED || strcmp(r->type, field) != 0)
			continue;
		if (san_name_from_text(e->name->kind, r->value, &name, NULL) &&
		    san_wrap(buffer_octets(&name), &san) &&
		    san_parse(buffer_octets(&san), &v, NULL)) {
			append_key(san_get0(v, 0), &fixed.key);
			is = same_key(&fixed, e);
		}
		san_free(v);
		buffer_free(&fixed.key);
		buffer_free(&name);
		buffer_free(&san);
	}
	return is;
}

static bool
is_left_out_name(const struct field_rules *except, const struct entry *e)
{
	const char *field = san_field(e->name->kind);

	if (except == NULL || !is_set_by_profile(except, field))
		return false;
	return field_rule_get0(except, field, FIELD_SCEP_REQUEST) == NULL ||
	       is_fixed_name(except, e);
}

static bool
read_san(struct side *s, struct octets san, const struct field_rules *except, struct errbuf *why)
{
	if (san.len == 0)
		return true;
	if (!san_parse(san, &s->san, why))
		return false;
	for (int i = 0; i < san_count(s->san); i++) {
		struct entry *e = &s->entries[s->count];

		*e = (struct entry){.name = san_get0(s->san, i)};
		append_key(e->name, &e->key);
		s->count++;
		if (e->key.failed) {
			errbuf_set(why, "identity: out of memory");
			return false;
		}
		if (is_left_out_name(except, e)) {
			buffer_free(&e->key);
			s->count--;
		}
	}
	return true;
}

static bool
has_name(const struct side *s, const struct entry *e)
{
	for (int i = 0; i < s->count; i++)
		if (same_key(&s->entries[i], e))
			return true;
	return false;
}

/* The first name that the other has not, of a kind where one is given (-1: any); NULL: it has all. */
static const struct entry *
missing_name(const struct side *s, const struct side *other, int kind)
{
	for (int i = 0; i < s->count; i++) {
		const struct entry *e = &s->entries[i];

		if ((kind < 0 || (int)e->name->kind == kind) && !has_name(other, e))
			return e;
	}
	return NULL;
}

bool
identity_same_san(
    struct octets a, struct octets b, const struct field_rules *except, struct errbuf *why)
{
	const struct entry *gone, *added;
	struct side x = {0}, y = {0};
	bool same = false;

	if (octets_equal(a, b))
		return true;
	if (!read_san(&x, a, except, why)) {
		errbuf_prefix(why, "the certificate's subjectAltName");
	} else if (!read_san(&y, b, except, why)) {
		errbuf_prefix(why, "the CSR's subjectAltName");
	} else {
		gone = missing_name(&x, &y, -1);
		added = missing_name(&y, &x, gone != NULL ? (int)gone->name->kind : -1);
		same = gone == NULL && added == NULL;
		if (!same)
			tell(gone, added, why);
	}
	side_free(&x);
	side_free(&y);
	return same;
}
