/* profile_renewal.c: the profiles whose certificates may renew under another, and the curves of its keys, as text and as rows have them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fcgi-admin/manage/profile_change.h"

static const char *const curves[] = {"P-256", "P-384", "P-521"};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

bool
profile_curves_of_text(const char *text, char out[PROFILE_CURVES])
{
	bool wanted[CURVES] = {false};
	size_t at = 0;

	out[0] = '\0';
	if (text[0] == '\0' || strcasecmp(text, "none") == 0)
		return true;
	for (;;) {
		size_t len = strcspn(text, ","), i = 0;

		while (i < CURVES &&
		       (len != strlen(curves[i]) || strncasecmp(text, curves[i], len) != 0))
			i++;
		if (i == CURVES)
			return false;
		wanted[i] = true;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	for (size_t i = 0; i < CURVES; i++)
		if (wanted[i])
			at += (size_t)snprintf(
			    out + at, PROFILE_CURVES - at, "%s%s", at > 0 ? "," : "", curves[i]);
	return true;
}

/* One name or uuid; NONE where there is no such profile. */
static enum store_rc
look_up(struct manage *m, const char *name, char id[37], char found[65], struct manage_report *r)
{
	struct scep_profile_row row = {0};
	enum store_rc rc = store_scep_profile_get(m->store, name, &row, &r->why);

	if (rc != STORE_OK)
		return rc;
	memcpy(id, row.id, sizeof(row.id));
	memcpy(found, row.name, sizeof(row.name));
	return STORE_OK;
}

enum manage_rc
profile_renew_from_read(struct manage *m, struct manage_profile *p, struct manage_report *r)
{
	for (int i = 0; i < p->scep.renew_from_count; i++) {
		const char *uuid = p->scep.renew_from[i];
		char id[37];

		switch (look_up(m, uuid, id, p->renew_from[i], r)) {
		case STORE_OK:
			break;
		case STORE_NONE:
			memcpy(p->renew_from[i], uuid, sizeof(p->scep.renew_from[i]));
			break;
		default:
			return MANAGE_AWAY;
		}
	}
	r->why.line[0] = '\0';
	return MANAGE_OK;
}

/* One more, unless it is there already or is p itself. */
static enum manage_rc
add(struct manage *m, const char *name, struct manage_profile *p, struct manage_report *r)
{
	int count = p->scep.renew_from_count;
	char id[37], found[65];

	switch (look_up(m, name, id, found, r)) {
	case STORE_OK:
		break;
	case STORE_NONE:
		r->why.line[0] = '\0';
		return manage_invalid(r, "renewFrom", "there is no profile %s", name);
	default:
		return MANAGE_AWAY;
	}
	if (strcmp(id, p->scep.id) == 0)
		return MANAGE_OK;
	for (int i = 0; i < count; i++)
		if (strcmp(id, p->scep.renew_from[i]) == 0)
			return MANAGE_OK;
	if (count == PROFILE_RENEW_FROM_MAX)
		return manage_invalid(
		    r, "renewFrom", "want at most %d profiles", PROFILE_RENEW_FROM_MAX);
	memcpy(p->scep.renew_from[count], id, sizeof(id));
	memcpy(p->renew_from[count], found, sizeof(found));
	p->scep.renew_from_count++;
	return MANAGE_OK;
}

enum manage_rc
profile_renew_from_set(
    struct manage *m, const char *text, struct manage_profile *p, struct manage_report *r)
{
	char name[65];
	enum manage_rc rc = MANAGE_OK, one;

	p->scep.renew_from_count = 0;
	memset(p->scep.renew_from, 0, sizeof(p->scep.renew_from));
	memset(p->renew_from, 0, sizeof(p->renew_from));
	while (*text != '\0') {
		size_t len = strcspn(text, ",");

		if (len == 0 || len >= sizeof(name) || strcmp(text + len, ",") == 0)
			return manage_invalid(
			    r, "renewFrom", "want names of profiles, separated by commas");
		memcpy(name, text, len);
		name[len] = '\0';
		if ((one = add(m, name, p, r)) == MANAGE_AWAY)
			return one;
		if (one != MANAGE_OK)
			rc = one;
		text += len + (text[len] == ',');
	}
	return rc;
}

void
profile_renew_from_text(const struct manage_profile *p, char out[PROFILE_RENEW_FROM_TEXT])
{
	size_t at = 0;

	out[0] = '\0';
	for (int i = 0; i < p->scep.renew_from_count; i++)
		at += (size_t)snprintf(out + at, PROFILE_RENEW_FROM_TEXT - at, "%s%s",
		    i > 0 ? "," : "", p->renew_from[i]);
}
