/* organization.c: making, changing and removing organizations. */
#include "fcgi-admin/manage/organization.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"

#define NAME_OCTETS 64

static enum manage_rc
check(const struct manage_organization_change *c, struct manage_report *r)
{
	manage_check_text(r, "name", c->name, NAME_OCTETS, true);
	/* A uuid is how an organization is named otherwise. */
	if (c->name != NULL && encoding_is_uuid(c->name))
		manage_invalid(r, "name", "must not look like a uuid");
	if (c->license_count < -1 || c->license_count > MANAGE_LICENSES_MOST)
		manage_invalid(
		    r, "licenseCount", "want 0 (any number) to %d", MANAGE_LICENSES_MOST);
	return manage_validity(r);
}

enum manage_rc
manage_organization_create(struct manage *m, const struct manage_actor *by,
    const struct manage_organization_change *c, struct organization_row *out,
    struct manage_report *r)
{
	struct audit_event e;
	char reason[64];
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = check(c, r)) != MANAGE_OK || (rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	snprintf(out->name, sizeof(out->name), "%s", c->name);
	out->license_count = c->license_count > 0 ? c->license_count : 0;
	out->created_at = clock_now();
	snprintf(reason, sizeof(reason), "licenseCount: %" PRId64, out->license_count);
	e = manage_event(by, "organization.create", "organization", out->id);
	e.organization = out->name;
	e.reason = reason;
	return manage_of_store(
	    store_organization_insert(m->store, out, &e, &r->why), "organization", out->name, r);
}

enum manage_rc
manage_organization_get(struct manage *m, const char *organization, struct organization_row *out,
    struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(store_organization_get(m->store, organization, out, &r->why),
	    "organization", organization, r);
}

enum manage_rc
manage_organization_check(struct manage *m, const char *name, struct manage_report *r)
{
	struct organization_row o;

	if (name[0] == '\0')
		return manage_validity(r);
	switch (store_organization_get(m->store, name, &o, &r->why)) {
	case STORE_OK:
		if (strcmp(o.name, name) != 0)
			manage_invalid(r, "organization", "give its name, which is %s", o.name);
		break;
	case STORE_AWAY:
		return MANAGE_AWAY;
	default:
		manage_invalid(r, "organization", "there is no organization %s", name);
	}
	r->why.line[0] = '\0';
	return manage_validity(r);
}

enum manage_rc
manage_organization_set(struct manage *m, const struct manage_actor *by, const char *organization,
    const struct manage_organization_change *c, struct organization_row *out,
    struct manage_report *r)
{
	struct buffer changes = {0};
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = check(c, r)) != MANAGE_OK ||
	    (rc = manage_organization_get(m, organization, out, r)) != MANAGE_OK)
		return rc;
	manage_set_text("name", c->name, out->name, sizeof(out->name), &changes);
	if (c->license_count >= 0 && c->license_count != out->license_count) {
		manage_changed_number(
		    &changes, "licenseCount", out->license_count, c->license_count);
		out->license_count = c->license_count;
	}
	if (changes.len > 0) {
		e = manage_event(by, "organization.update", "organization", out->id);
		e.organization = out->name;
		e.reason = buffer_string(&changes);
		rc = manage_of_store(store_organization_update(m->store, out, &e, &r->why),
		    "organization", out->name, r);
	}
	buffer_free(&changes);
	if (rc == MANAGE_OK && out->license_count > 0 && out->seats_in_use > out->license_count)
		manage_warn(r,
		    "%" PRId64 " seats are in use, more than %" PRId64
		    ": they stay, and no other comes into use",
		    out->seats_in_use, out->license_count);
	return rc;
}

enum manage_rc
manage_organization_delete(struct manage *m, const struct manage_actor *by,
    const char *organization, struct manage_report *r)
{
	struct organization_row row;
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_organization_get(m, organization, &row, r)) != MANAGE_OK)
		return rc;
	e = manage_event(by, "organization.delete", "organization", row.id);
	e.organization = row.name;
	switch (store_organization_delete(m->store, row.id, &e, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_CONFLICT:
		return manage_fail(r, MANAGE_CONFLICT,
		    "organization %s has seats or accounts: move or delete them first", row.name);
	case STORE_NONE:
		return manage_fail(
		    r, MANAGE_NOT_FOUND, "there is no organization %s", organization);
	default:
		return MANAGE_AWAY;
	}
}

enum manage_rc
manage_organization_each(struct manage *m, bool (*row)(void *ctx, const struct organization_row *o),
    void *ctx, struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_organization_each(m->store, row, ctx, &r->why), "organization", "", r);
}
