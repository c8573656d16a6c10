/* field_rule.c: one rule, one value: what fits, and what goes with an enrolment. */
#include <stdio.h>
#include <string.h>

#include "pki/fields.h"
#include "pki/name.h"
#include "pki/san.h"

bool
field_type_is_known(const char *type)
{
	return name_type_of_field(type) != NULL || san_kind_of_field(type) != SAN_UNSUPPORTED;
}

const struct field_rule *
field_rule_get0(const struct field_rules *r, const char *field, enum field_source source)
{
	for (int i = 0; i < r->count; i++)
		if (r->rules[i].source == source && strcmp(r->rules[i].type, field) == 0)
			return &r->rules[i];
	return NULL;
}

/* Of well-formed UTF-8. */
static int64_t
count_characters(struct octets utf8)
{
	int64_t count = 0;

	for (size_t i = 0; i < utf8.len; i++)
		count += (utf8.data[i] & 0xc0) != 0x80;
	return count;
}

const char *
field_rule_misfit(const struct field_rule *rule, struct octets utf8)
{
	int64_t length = count_characters(utf8);

	if (length < rule->min_length)
		return "too short";
	if (rule->max_length > 0 && length > rule->max_length)
		return "too long";
	if (rule->pattern != NULL && !pattern_matches(rule->pattern, utf8))
		return "not of the form that is wanted here";
	return NULL;
}

/* The one GeneralName at der, as its value's text. */
static bool
name_text(struct octets der, struct buffer *text)
{
	struct buffer san = {0};
	struct san_view *v = NULL;
	bool ok = san_wrap(der, &san) && san_parse(buffer_octets(&san), &v, NULL) &&
		  san_value_to_text(san_get0(v, 0), text);

	san_free(v);
	buffer_free(&san);
	return ok;
}

bool
field_value_check(const char *field, const char *value, struct buffer *text, struct errbuf *why)
{
	const struct name_type *type = name_type_of_field(field);
	enum san_kind kind = san_kind_of_field(field);
	struct buffer der = {0};
	bool ok;

	if (type != NULL) {
		buffer_append_string(text, value);
		return name_type_tag(type, octets_of_string(value), why) >= 0;
	}
	if (kind == SAN_UNSUPPORTED) {
		errbuf_set(why, "not a field");
		return false;
	}
	ok = san_name_from_text(kind, value, &der, why);
	if (ok && !name_text(buffer_octets(&der), text)) {
		errbuf_set(why, "%s: cannot be written", field);
		ok = false;
	}
	buffer_free(&der);
	return ok;
}

/* ---- what goes with an enrolment -------------------------------------------------------------------------------------------- */

static int
count_of_type(const struct field_value *values, int count, const char *type)
{
	int found = 0;

	for (int i = 0; i < count; i++)
		found += strcmp(values[i].type, type) == 0;
	return found;
}

static enum field_rc
refuse(struct errbuf *why, const char *field, const char *wrong)
{
	errbuf_set(why, "%s: %s", field, wrong);
	return FIELD_REFUSED;
}

static enum field_rc
check_value(const struct field_rule *rule, const struct field_value *v, struct errbuf *why)
{
	struct errbuf fault = {0};
	struct buffer text = {0};
	const char *wrong = NULL;

	if (!field_value_check(v->type, v->value, &text, &fault))
		wrong = fault.line;
	else
		wrong = field_rule_misfit(rule, buffer_octets(&text));
	buffer_free(&text);
	return wrong == NULL ? FIELD_OK : refuse(why, v->type, wrong);
}

enum field_rc
fields_check_manual(
    const struct field_rules *r, const struct field_value *manual, int count, struct errbuf *why)
{
	enum field_rc rc;

	for (int i = 0; i < count; i++) {
		const struct field_rule *rule = field_rule_get0(r, manual[i].type, FIELD_MANUAL);

		if (rule == NULL)
			return refuse(why, manual[i].type, "not a field that is given by hand");
		if ((rc = check_value(rule, &manual[i], why)) != FIELD_OK)
			return rc;
		if (!rule->multiple && count_of_type(manual, count, manual[i].type) > 1)
			return refuse(why, manual[i].type, "more than one");
	}
	for (int i = 0; i < r->count; i++) {
		const struct field_rule *rule = &r->rules[i];

		if (rule->source == FIELD_MANUAL && rule->required &&
		    count_of_type(manual, count, rule->type) == 0)
			return refuse(why, rule->type, "required");
	}
	return FIELD_OK;
}

/* One more, unless it is longer than a value by hand can be. */
static void
add_value(const struct field_rules *r, const char *field, struct octets text,
    struct field_value *out, int max, int *count)
{
	struct field_value *v = &out[*count];

	if (*count == max || field_rule_get0(r, field, FIELD_MANUAL) == NULL || text.len == 0 ||
	    text.len >= sizeof(v->value))
		return;
	snprintf(v->type, sizeof(v->type), "%s", field);
	memcpy(v->value, text.data, text.len);
	v->value[text.len] = '\0';
	++*count;
}

bool
fields_have_manual(const struct field_rules *r)
{
	for (int i = 0; i < r->count; i++)
		if (r->rules[i].source == FIELD_MANUAL)
			return true;
	return false;
}

int
fields_manual_of(const struct field_rules *r, struct octets subject, struct octets san,
    struct field_value *out, int max)
{
	struct name_view *name = NULL;
	struct san_view *names = NULL;
	char room[NAME_FIELD_TEXT];
	int count = 0;

	if (!fields_have_manual(r))
		return 0;
	if (name_parse(subject, &name, NULL)) {
		for (int i = 0; i < name_count(name); i++) {
			const struct name_attribute *a = name_get0(name, i);
			struct buffer utf8 = {0};

			if (name_value_utf8(a->value, a->tag, &utf8))
				add_value(r, name_field(a->oid, room), buffer_octets(&utf8), out,
				    max, &count);
			buffer_free(&utf8);
		}
		name_free(name);
	}
	if (san.len > 0 && san_parse(san, &names, NULL)) {
		for (int i = 0; i < san_count(names); i++) {
			const struct san_name *n = san_get0(names, i);
			struct buffer text = {0};

			if (san_value_to_text(n, &text))
				add_value(
				    r, san_field(n->kind), buffer_octets(&text), out, max, &count);
			buffer_free(&text);
		}
		san_free(names);
	}
	return count;
}
