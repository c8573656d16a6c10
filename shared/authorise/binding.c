/* binding.c: each thing that a challenge may be bound to. */
#include "authorise/binding.h"

#include <string.h>
#include <strings.h>

#include "pki/fields.h"
#include "pki/name.h"
#include "pki/san.h"

#define SHOWN_MAX 128 /* octets of what the CSR has, in the audit */

static int
shown(const struct buffer *b)
{
	return (int)(b->len > SHOWN_MAX ? SHOWN_MAX : b->len);
}

static const char *
text_of(const struct buffer *b)
{
	return b->len > 0 ? (const char *)b->data : "";
}

/* A commonName other than want into *other; false where there is none.  *count: how many were looked at. */
static bool
find_other_name(struct octets subject, struct octets want, struct buffer *other, int *count)
{
	const struct name_type *common_name = name_type_of_field("subject.commonName");
	struct name_view *v;
	bool found = false;

	*count = 0;
	if (!name_parse(subject, &v, NULL))
		return false;
	for (int i = 0; i < name_count(v) && !found; i++) {
		const struct name_attribute *a = name_get0(v, i);

		if (!octets_equal(a->oid, common_name->oid))
			continue;
		(*count)++;
		buffer_free(other);
		found = !name_value_utf8(a->value, a->tag, other) ||
			!octets_equal(buffer_octets(other), want);
	}
	name_free(v);
	return found;
}

static bool
common_name_fits(const char *cn, const struct csr *csr, struct errbuf *why)
{
	struct buffer other = {0};
	bool fits = true;
	int count;

	if (find_other_name(csr->subject, octets_of_string(cn), &other, &count)) {
		errbuf_set(why, "challenge: bound to CN %s, the CSR has %.*s", cn, shown(&other),
		    text_of(&other));
		fits = false;
	} else if (count == 0) {
		errbuf_set(why, "challenge: bound to CN %s, the CSR has no CN", cn);
		fits = false;
	}
	buffer_free(&other);
	return fits;
}

static bool
same_name(const struct san_name *a, const struct san_name *b)
{
	if (a->kind != b->kind || a->value.len != b->value.len)
		return false;
	if (a->kind == SAN_DNS)
		return a->value.len > 0 && strncasecmp((const char *)a->value.data,
					       (const char *)b->value.data, a->value.len) == 0;
	return octets_equal(a->value, b->value);
}

static bool
has_name(const struct san_view *v, const struct san_name *want)
{
	for (int i = 0; i < san_count(v); i++)
		if (same_name(san_get0(v, i), want))
			return true;
	return false;
}

static bool
has_kind(const struct san_view *v, enum san_kind kind)
{
	for (int i = 0; i < san_count(v); i++)
		if (san_get0(v, i)->kind == kind)
			return true;
	return false;
}

static bool
names_fit(const struct san_view *bound, const struct san_view *asked)
{
	for (int i = 0; i < san_count(bound); i++)
		if (!has_name(asked, san_get0(bound, i)))
			return false;
	for (int i = 0; i < san_count(asked); i++)
		if (has_kind(bound, san_get0(asked, i)->kind) &&
		    !has_name(bound, san_get0(asked, i)))
			return false;
	return true;
}

static bool
san_fits(const char *san, const struct csr *csr, struct errbuf *why)
{
	struct buffer der = {0}, text = {0};
	struct san_view *bound = NULL, *asked = NULL;
	bool fits = san_from_text(san, &der, NULL) &&
		    san_parse(buffer_octets(&der), &bound, NULL) &&
		    san_parse(csr->san, &asked, NULL) && names_fit(bound, asked);

	if (!fits && csr->san.len == 0) {
		errbuf_set(why, "challenge: bound to SAN %.*s, the CSR has none", SHOWN_MAX, san);
	} else if (!fits) {
		if (!san_to_text(csr->san, &text))
			buffer_free(&text);
		errbuf_set(why, "challenge: bound to SAN %.*s, the CSR has %.*s", SHOWN_MAX, san,
		    shown(&text), text_of(&text));
	}
	san_free(bound);
	san_free(asked);
	buffer_free(&der);
	buffer_free(&text);
	return fits;
}

static bool
key_fits(const char *type, const struct csr *csr, struct errbuf *why)
{
	const struct public_key *key = &csr->key;
	char room[PUBLIC_KEY_TEXT];

	if (strcmp(type, key->name) == 0 ||
	    (strcmp(type, "RSA") == 0 && key->type == PKI_KEY_RSA) ||
	    (strcmp(type, "EC") == 0 && key->type == PKI_KEY_EC))
		return true;
	errbuf_set(why, "challenge: bound to a key of type %s, the CSR has %s", type,
	    public_key_text(key, room));
	return false;
}

static bool
subject_names_device(struct octets subject, struct octets device)
{
	const struct name_type *types[] = {name_type_of_field("subject.serialNumber"),
	    name_type_of_field("subject.userId"), name_type_of_field("subject.commonName")};
	struct buffer value = {0};
	struct name_view *v;
	bool found = false;

	if (!name_parse(subject, &v, NULL))
		return false;
	for (int i = 0; i < name_count(v) && !found; i++) {
		const struct name_attribute *a = name_get0(v, i);

		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]) && !found; t++) {
			buffer_free(&value);
			found = octets_equal(a->oid, types[t]->oid) &&
				name_value_utf8(a->value, a->tag, &value) &&
				octets_equal(buffer_octets(&value), device);
		}
	}
	buffer_free(&value);
	name_free(v);
	return found;
}

/* What a name says, without the type that san_name_to_text() puts before it: an address in its usual form. */
static bool
name_is(const struct san_name *name, struct octets device)
{
	struct buffer text = {0};
	struct octets value = name->value;
	const uint8_t *colon;
	bool is;

	if (name->kind == SAN_IP) {
		san_name_to_text(name, &text);
		value = buffer_octets(&text);
		if (value.len > 0 && (colon = memchr(value.data, ':', value.len)) != NULL)
			value = octets_of(colon + 1, value.len - (size_t)(colon + 1 - value.data));
	}
	is = name->kind != SAN_DIRECTORY_NAME && name->kind != SAN_REGISTERED_ID &&
	     name->kind != SAN_UNSUPPORTED && octets_equal(value, device);
	buffer_free(&text);
	return is;
}

static bool
device_fits(const char *device, const struct csr *csr, struct errbuf *why)
{
	struct octets want = octets_of_string(device);
	struct san_view *asked = NULL;
	struct buffer subject = {0};
	bool fits = subject_names_device(csr->subject, want);

	if (!fits && san_parse(csr->san, &asked, NULL))
		for (int i = 0; i < san_count(asked) && !fits; i++)
			fits = name_is(san_get0(asked, i), want);
	if (!fits) {
		if (!name_to_text(csr->subject, &subject))
			buffer_free(&subject);
		errbuf_set(why,
		    "challenge: bound to device %s, which neither serialNumber, UID, CN nor SAN of "
		    "the CSR is: %.*s",
		    device, shown(&subject), text_of(&subject));
	}
	san_free(asked);
	buffer_free(&subject);
	return fits;
}

bool
binding_fits(const struct challenge_binding *b, const struct csr *csr, struct errbuf *why)
{
	return (b->cn[0] == '\0' || common_name_fits(b->cn, csr, why)) &&
	       (b->san[0] == '\0' || san_fits(b->san, csr, why)) &&
	       (b->key_type[0] == '\0' || key_fits(b->key_type, csr, why)) &&
	       (b->device[0] == '\0' || device_fits(b->device, csr, why));
}
