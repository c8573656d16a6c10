/* profile_fields.c: what may be in the certificates of a profile, and who may have several: checked and applied. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/profile_change.h"
#include "pki/fields.h"
#include "store/replaced_row.h"

#define DAY_S	   86400
#define LENGTH_MAX 2048 /* characters */

void
manage_field_text(const struct field_row *f, struct buffer *out)
{
	buffer_append_format(
	    out, "%s%s%s", f->type, f->required ? ",required" : "", f->multiple ? ",multiple" : "");
	if (strcmp(f->source, "manual") == 0)
		buffer_append_string(out, ",source=manual");
	if (f->min_length > 0)
		buffer_append_format(out, ",min=%" PRId64, f->min_length);
	if (f->max_length > 0)
		buffer_append_format(out, ",max=%" PRId64, f->max_length);
	if (f->pattern[0] != '\0')
		buffer_append_format(out, ",pattern=%s", f->pattern);
	if (strcmp(f->source, "fixed") == 0)
		buffer_append_format(out, ",fixed=%s", f->value);
}

/* ---- checking --------------------------------------------------------------------------------------------------------------- */

static void
check_fixed(const struct field_row *f, struct manage_report *r)
{
	struct errbuf why = {0};
	struct buffer text = {0};

	if (f->value[0] == '\0')
		manage_invalid(r, "field", "%s is fixed and needs a value", f->type);
	else if (!encoding_is_utf8(octets_of_string(f->value)))
		manage_invalid(r, "field", "the value of %s is not UTF-8", f->type);
	else if (!field_value_check(f->type, f->value, &text, &why))
		manage_invalid(r, "field", "the value of %s: %s", f->type, why.line);
	if (f->pattern[0] != '\0' || f->min_length != 0 || f->max_length != 0)
		manage_invalid(
		    r, "field", "%s is fixed: pattern and length are for other values", f->type);
	buffer_free(&text);
}

static void
check_form(const struct field_row *f, struct manage_report *r)
{
	struct pattern *p = NULL;
	struct errbuf why = {0};

	if (f->pattern[0] != '\0' && !pattern_compile(f->pattern, &p, &why))
		manage_invalid(r, "field", "the pattern of %s: %s", f->type, why.line);
	pattern_free(p);
	if (f->min_length < 0 || f->min_length > LENGTH_MAX || f->max_length < 0 ||
	    f->max_length > LENGTH_MAX)
		manage_invalid(r, "field", "%s: a length is 0 to %d", f->type, LENGTH_MAX);
	else if (f->max_length != 0 && f->max_length < f->min_length)
		manage_invalid(r, "field", "%s: max is below min", f->type);
}

static void
check_field(const struct field_row *f, struct manage_report *r)
{
	if (!field_type_is_known(f->type)) {
		manage_invalid(r, "field",
		    "%s is not known: want subject.commonName, san.dns, … "
		    "(scepctl field add --help has them all)",
		    f->type);
		return;
	}
	if (strcmp(f->source, "fixed") == 0) {
		check_fixed(f, r);
		return;
	}
	if (strcmp(f->source, "manual") != 0 && strcmp(f->source, "scepRequest") != 0)
		manage_invalid(
		    r, "field", "%s: the source is fixed, manual or scepRequest", f->type);
	check_form(f, r);
}

static bool
is_same_field(const struct field_row *a, const struct field_row *b)
{
	return strcmp(a->type, b->type) == 0 && strcmp(a->source, b->source) == 0;
}

/* One rule says all of what is asked for, and one of what is given by hand; fixed values may be several. */
static void
check_list(const struct manage_profile_change *c, struct manage_report *r)
{
	if (c->field_count > PROFILE_FIELDS_MAX) {
		manage_invalid(r, "field", "want at most %d", PROFILE_FIELDS_MAX);
		return;
	}
	for (int i = 0; i < c->field_count; i++) {
		check_field(&c->fields[i], r);
		for (int k = 0; k < i && strcmp(c->fields[i].source, "fixed") != 0; k++)
			if (is_same_field(&c->fields[i], &c->fields[k]))
				manage_invalid(r, "field", "%s has two rules for %s",
				    c->fields[i].type,
				    strcmp(c->fields[i].source, "manual") == 0
					? "values by hand"
					: "what is asked for");
	}
}

/* What was promised of each certificate stays so while there are some. */
static enum manage_rc
check_deleted(struct manage *m, const struct manage_profile_change *c,
    const struct manage_profile *p, struct manage_report *r)
{
	for (int i = 0; i < p->ra.field_count; i++) {
		const struct field_row *old = &p->ra.fields[i];
		bool stays = !old->required;

		for (int k = 0; k < c->field_count && !stays; k++)
			stays = is_same_field(old, &c->fields[k]);
		if (stays)
			continue;
		switch (store_profile_in_use(m->store, p->scep.id, &r->why)) {
		case STORE_OK:
			return manage_fail(r, MANAGE_CONFLICT,
			    "%s was saved as required, and profile %s has certificates: it cannot "
			    "be "
			    "deleted; clone the profile (scepctl profile clone) and change the "
			    "copy",
			    old->type, p->scep.name);
		case STORE_NONE:
			return MANAGE_OK;
		default:
			return MANAGE_AWAY;
		}
	}
	return MANAGE_OK;
}

enum manage_rc
profile_fields_check(struct manage *m, const struct manage_profile_change *c,
    const struct manage_profile *p, struct manage_report *r)
{
	if (c->not_after != MANAGE_KEEP && c->not_after != 0 && c->not_after <= clock_now())
		manage_invalid(r, "notAfter", "is past");
	if (c->duplicates != NULL && strcmp(c->duplicates, "allow") != 0 &&
	    strcmp(c->duplicates, "refuse") != 0 && strcmp(c->duplicates, "replace") != 0)
		manage_invalid(
		    r, "duplicates", "want allow, refuse or replace, have \"%s\"", c->duplicates);
	profile_check_number("duplicateGrace", c->duplicate_grace_s, 0, 365 * DAY_S, r);
	if (c->microsoft_sid == 1)
		manage_warn(r, "whoever may enrol has any account's SID put in, and Windows maps "
			       "the certificate to that account: let approval or a webhook look");
	if (c->field_count == MANAGE_KEEP)
		return MANAGE_OK;
	check_list(c, r);
	return p->scep.id[0] != '\0' ? check_deleted(m, c, p, r) : MANAGE_OK;
}

/* ---- applying --------------------------------------------------------------------------------------------------------------- */

static bool
has_rule(const struct field_row *rules, int count, const struct field_row *f)
{
	for (int i = 0; i < count; i++)
		if (memcmp(&rules[i], f, sizeof(*f)) == 0)
			return true;
	return false;
}

/* Each of some that is not among the others, with its sign. */
static void
tell_differing(const struct field_row *some, int count, const struct field_row *others,
    int other_count, char sign, const char **separator, struct buffer *changes)
{
	for (int i = 0; i < count; i++) {
		if (has_rule(others, other_count, &some[i]))
			continue;
		buffer_append_format(changes, "%s%c", *separator, sign);
		manage_field_text(&some[i], changes);
		*separator = "; ";
	}
}

static void
apply_fields(
    const struct manage_profile_change *c, struct ra_profile_row *p, struct buffer *changes)
{
	const char *separator = " (";

	if (c->field_count == MANAGE_KEEP)
		return;
	if (c->field_count == p->field_count &&
	    (c->field_count == 0 ||
		memcmp(c->fields, p->fields, sizeof(p->fields[0]) * (size_t)p->field_count) == 0))
		return;
	manage_changed_number(changes, "fields", p->field_count, c->field_count);
	tell_differing(
	    p->fields, p->field_count, c->fields, c->field_count, '-', &separator, changes);
	tell_differing(
	    c->fields, c->field_count, p->fields, p->field_count, '+', &separator, changes);
	buffer_append_string(changes, strcmp(separator, "; ") == 0 ? ")" : " (another order)");
	memset(p->fields, 0, sizeof(p->fields));
	if (c->field_count > 0)
		memcpy(p->fields, c->fields, sizeof(p->fields[0]) * (size_t)c->field_count);
	p->field_count = c->field_count;
}

static void
time_text(int64_t time, char out[ENCODING_TIME_SIZE])
{
	snprintf(out, ENCODING_TIME_SIZE, "none");
	if (time != 0)
		encoding_time(time, out);
}

static void
apply_not_after(int64_t value, struct ra_profile_row *p, struct buffer *changes)
{
	char before[ENCODING_TIME_SIZE], after[ENCODING_TIME_SIZE];

	if (value == MANAGE_KEEP || value == p->not_after)
		return;
	time_text(p->not_after, before);
	time_text(value, after);
	manage_changed(changes, "notAfter", before, after);
	p->not_after = value;
}

void
profile_fields_apply(const struct manage_profile_change *c, struct manage_profile *p,
    struct buffer *scep, struct buffer *ra)
{
	struct scep_profile_row *s = &p->scep;

	apply_fields(c, &p->ra, ra);
	apply_not_after(c->not_after, &p->ra, ra);
	profile_apply_flag("microsoftSid", c->microsoft_sid, &p->ra.microsoft_sid, ra);
	profile_apply_flag(
	    "microsoftTemplate", c->microsoft_template, &p->ra.microsoft_template, ra);
	profile_apply_text("duplicates", c->duplicates, s->duplicates, sizeof(s->duplicates), scep);
	profile_apply_number("duplicateGrace", c->duplicate_grace_s, &s->duplicate_grace_s, scep);
	profile_apply_flag("uniqueKeys", c->unique_keys, &s->unique_keys, scep);
}
