/* enrollment_attributes.c: what is given with an enrolment against the profile's fields whose source is manual. */
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/manage/enrollment.h"
#include "pki/fields.h"
#include "pki/pattern.h"

static const struct field_row *
manual_field(const struct ra_profile_row *ra, const char *type)
{
	for (int i = 0; i < ra->field_count; i++)
		if (strcmp(ra->fields[i].source, "manual") == 0 &&
		    strcmp(ra->fields[i].type, type) == 0)
			return &ra->fields[i];
	return NULL;
}

static int
count_of(const struct enrollment_attribute *attributes, int count, const char *type)
{
	int n = 0;

	for (int i = 0; i < count; i++)
		n += strcmp(attributes[i].type, type) == 0;
	return n;
}

/* Its length and pattern, and whether it can be a value of the field at all. */
static void
check_value(
    const struct field_row *f, const struct enrollment_attribute *a, struct manage_report *r)
{
	struct field_rule rule = {.min_length = f->min_length, .max_length = f->max_length};
	struct pattern *pattern = NULL;
	struct buffer text = {0};
	struct errbuf why = {0};
	const char *wrong = NULL;

	if (!field_value_check(a->type, a->value, &text, &why) ||
	    (f->pattern[0] != '\0' && !pattern_compile(f->pattern, &pattern, &why))) {
		manage_invalid(r, "attribute", "%s: %s", a->type, why.line);
	} else {
		rule.pattern = pattern;
		wrong = field_rule_misfit(&rule, buffer_octets(&text));
	}
	if (wrong != NULL)
		manage_invalid(r, "attribute", "the value of %s: %s", a->type, wrong);
	pattern_free(pattern);
	buffer_free(&text);
}

void
manage_enrollment_check_attributes(const struct ra_profile_row *ra,
    const struct enrollment_attribute *attributes, int count, struct manage_report *r)
{
	if (count > ENROLLMENT_ATTRIBUTES_MAX) {
		manage_invalid(r, "attribute", "want at most %d", ENROLLMENT_ATTRIBUTES_MAX);
		return;
	}
	for (int i = 0; i < count; i++) {
		const struct enrollment_attribute *a = &attributes[i];
		const struct field_row *f = manual_field(ra, a->type);

		if (!field_type_is_known(a->type))
			manage_invalid(r, "attribute", "%s is no field", a->type);
		else if (f == NULL)
			manage_invalid(r, "attribute",
			    "%s is no field of the profile whose source is manual", a->type);
		else if (a->value[0] == '\0' || !encoding_is_utf8(octets_of_string(a->value)))
			manage_invalid(r, "attribute", "the value of %s has to be UTF-8", a->type);
		else if (!f->multiple && count_of(attributes, i, a->type) == 1)
			manage_invalid(r, "attribute", "%s is given more than once", a->type);
		else
			check_value(f, a, r);
	}
	for (int i = 0; i < ra->field_count; i++) {
		const struct field_row *f = &ra->fields[i];

		if (f->required && strcmp(f->source, "manual") == 0 &&
		    count_of(attributes, count, f->type) == 0)
			manage_invalid(r, "attribute", "%s is required", f->type);
	}
}
