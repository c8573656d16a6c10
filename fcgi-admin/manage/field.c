/* field.c: adding, changing and deleting one field rule. */
#include "fcgi-admin/manage/field.h"

#include <stdlib.h>
#include <string.h>

/* The list as it is to become; fields has room for one of PROFILE_FIELDS_MAX. */
static enum manage_rc
write_list(struct manage *m, const struct manage_actor *by, const char *profile,
    const struct field_row *fields, int count, struct manage_profile *out, struct manage_report *r)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	c.fields = fields;
	c.field_count = count;
	return manage_profile_set(m, by, profile, &c, out, r);
}

enum manage_rc
manage_field_add(struct manage *m, const struct manage_actor *by, const char *profile,
    const struct field_row *fields, int count, struct manage_profile *out, struct manage_report *r)
{
	struct field_row *all;
	enum manage_rc rc;
	int before;

	if ((rc = manage_profile_get(m, profile, out, r)) != MANAGE_OK)
		return rc;
	before = out->ra.field_count;
	if (count < 1 || count > PROFILE_FIELDS_MAX - before)
		return manage_fail(r, MANAGE_FULL,
		    "a profile has at most %d field rules, and %s has %d", PROFILE_FIELDS_MAX,
		    profile, before);
	if ((all = calloc(PROFILE_FIELDS_MAX, sizeof(*all))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	memcpy(all, out->ra.fields, sizeof(*all) * (size_t)before);
	memcpy(all + before, fields, sizeof(*all) * (size_t)count);
	rc = write_list(m, by, profile, all, before + count, out, r);
	free(all);
	return rc;
}

/* "3", "san.dns" or "san.dns/fixed". */
static bool
is_named(const struct field_row *f, int number, const char *which)
{
	size_t len = strlen(f->type);
	char *end;
	long n = strtol(which, &end, 10);

	if (end != which && *end == '\0')
		return n == number;
	return strncmp(which, f->type, len) == 0 &&
	       (which[len] == '\0' ||
		   (which[len] == '/' && strcmp(which + len + 1, f->source) == 0));
}

static enum manage_rc
find(const struct manage_profile *p, const char *which, int *index, struct manage_report *r)
{
	int found = 0;

	for (int i = 0; i < p->ra.field_count; i++) {
		if (!is_named(&p->ra.fields[i], i + 1, which))
			continue;
		*index = i;
		found++;
	}
	if (found == 0)
		return manage_fail(
		    r, MANAGE_NOT_FOUND, "profile %s has no field rule %s", p->scep.name, which);
	if (found > 1)
		return manage_fail(r, MANAGE_CONFLICT,
		    "profile %s has %d rules for %s: name one by its number (scepctl field list)",
		    p->scep.name, found, which);
	return MANAGE_OK;
}

enum manage_rc
manage_field_set(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *which, const struct field_row *field, struct manage_profile *out,
    struct manage_report *r)
{
	struct field_row *all;
	enum manage_rc rc;
	int index = 0, count;

	if ((rc = manage_profile_get(m, profile, out, r)) != MANAGE_OK ||
	    (rc = find(out, which, &index, r)) != MANAGE_OK)
		return rc;
	if (strcmp(out->ra.fields[index].type, field->type) != 0) {
		manage_invalid(r, "field", "the rule is for %s: delete it, and add one for %s",
		    out->ra.fields[index].type, field->type);
		return manage_validity(r);
	}
	count = out->ra.field_count;
	if ((all = calloc(PROFILE_FIELDS_MAX, sizeof(*all))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	memcpy(all, out->ra.fields, sizeof(*all) * (size_t)count);
	all[index] = *field;
	rc = write_list(m, by, profile, all, count, out, r);
	free(all);
	return rc;
}

enum manage_rc
manage_field_delete(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *which, struct manage_profile *out, struct manage_report *r)
{
	struct field_row *all;
	enum manage_rc rc;
	int index = 0, count;

	if ((rc = manage_profile_get(m, profile, out, r)) != MANAGE_OK ||
	    (rc = find(out, which, &index, r)) != MANAGE_OK)
		return rc;
	count = out->ra.field_count - 1;
	if ((all = calloc(PROFILE_FIELDS_MAX, sizeof(*all))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	memcpy(all, out->ra.fields, sizeof(*all) * (size_t)index);
	memcpy(all + index, out->ra.fields + index + 1, sizeof(*all) * (size_t)(count - index));
	rc = write_list(m, by, profile, all, count, out, r);
	free(all);
	return rc;
}
