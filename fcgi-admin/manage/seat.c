/* seat.c: making, changing, listing and removing seats. */
#include "fcgi-admin/manage/seat.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/organization.h"

static bool
is_type(const char *type)
{
	return strcmp(type, "user") == 0 || strcmp(type, "device") == 0 ||
	       strcmp(type, "server") == 0;
}

/* Something on both sides of one '@': whether it can be reached nobody knows. */
static bool
is_email(const char *text)
{
	const char *at = strchr(text, '@');

	return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL &&
	       strchr(text, ' ') == NULL;
}

void
manage_seat_check(const struct seat_row *s, struct manage_report *r)
{
	manage_check_text(r, "seatId", s->seat_id, SEAT_ID_MAX, true);
	if (encoding_is_uuid(s->seat_id))
		manage_warn(
		    r, "seat %s looks like a uuid, by which seats are named too", s->seat_id);
	if (!is_type(s->type))
		manage_invalid(r, "type", "want user, device or server, have \"%s\"", s->type);
	manage_check_text(r, "name", s->name, sizeof(s->name) - 1, false);
	manage_check_text(r, "email", s->email, sizeof(s->email) - 1, false);
	if (s->email[0] != '\0' && !is_email(s->email))
		manage_invalid(r, "email", "want NAME@DOMAIN, have \"%s\"", s->email);
	manage_check_text(r, "organization", s->organization, sizeof(s->organization) - 1, false);
	manage_check_text(r, "department", s->department, sizeof(s->department) - 1, false);
}

static void
fill(const char *name, const char *value, char *target, size_t size, struct manage_report *r)
{
	if (value == NULL)
		return;
	if (strlen(value) >= size) {
		manage_invalid(r, name, "want UTF-8 of at most %zu octets", size - 1);
		return;
	}
	snprintf(target, size, "%s", value);
}

void
manage_seat_fill(const struct manage_seat_change *c, struct seat_row *s, struct manage_report *r)
{
	fill("type", c->type, s->type, sizeof(s->type), r);
	fill("name", c->name, s->name, sizeof(s->name), r);
	fill("email", c->email, s->email, sizeof(s->email), r);
	fill("organization", c->organization, s->organization, sizeof(s->organization), r);
	fill("department", c->department, s->department, sizeof(s->department), r);
}

enum manage_rc
manage_seat_create(struct manage *m, const struct manage_actor *by, const char *seat_id,
    const struct manage_seat_change *c, struct seat_row *out, struct manage_report *r)
{
	struct buffer reason = {0};
	struct audit_event e;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	fill("seatId", seat_id, out->seat_id, sizeof(out->seat_id), r);
	manage_seat_fill(c, out, r);
	if (r->fault_count == 0)
		manage_seat_check(out, r);
	if ((rc = manage_organization_check(m, out->organization, r)) != MANAGE_OK)
		return rc;
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	out->created_at = clock_now();
	buffer_append_format(&reason, "seatId: %s; type: %s", out->seat_id, out->type);
	if (out->name[0] != '\0')
		buffer_append_format(&reason, "; name: %s", out->name);
	if (out->email[0] != '\0')
		buffer_append_format(&reason, "; email: %s", out->email);
	e = manage_event(by, "seat.create", "seat", out->id);
	e.organization = manage_or_null(out->organization);
	e.department = manage_or_null(out->department);
	e.reason = buffer_string(&reason);
	rc =
	    manage_of_store(store_seat_insert(m->store, out, &e, &r->why), "seat", out->seat_id, r);
	buffer_free(&reason);
	return rc;
}

enum manage_rc
manage_seat_get(struct manage *m, const char *seat, struct seat_row *out, struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(store_seat_get(m->store, seat, out, &r->why), "seat", seat, r);
}

static enum manage_rc
write_change(struct manage *m, const struct manage_actor *by, const struct seat_row *s,
    struct buffer *changes, struct manage_report *r)
{
	struct audit_event e = manage_event(by, "seat.update", "seat", s->id);

	e.organization = manage_or_null(s->organization);
	e.department = manage_or_null(s->department);
	e.reason = buffer_string(changes);
	switch (store_seat_update(m->store, s, &e, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_CONFLICT:
		return manage_fail(r, MANAGE_FULL,
		    "organization %s has all its licences in use: seat %s cannot move there while "
		    "it has a certificate",
		    s->organization, s->seat_id);
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND,
		    "there is no seat %s, or no organization %s", s->seat_id, s->organization);
	default:
		return MANAGE_AWAY;
	}
}

enum manage_rc
manage_seat_set(struct manage *m, const struct manage_actor *by, const char *seat,
    const struct manage_seat_change *c, struct seat_row *out, struct manage_report *r)
{
	struct buffer changes = {0};
	struct seat_row before;
	enum manage_rc rc;

	if ((rc = manage_seat_get(m, seat, out, r)) != MANAGE_OK)
		return rc;
	before = *out;
	manage_seat_fill(c, out, r);
	if (r->fault_count == 0)
		manage_seat_check(out, r);
	if ((rc = manage_organization_check(m, out->organization, r)) != MANAGE_OK)
		return rc;
	manage_set_text("type", out->type, before.type, sizeof(before.type), &changes);
	manage_set_text("name", out->name, before.name, sizeof(before.name), &changes);
	manage_set_text("email", out->email, before.email, sizeof(before.email), &changes);
	manage_set_text("organization", out->organization, before.organization,
	    sizeof(before.organization), &changes);
	manage_set_text(
	    "department", out->department, before.department, sizeof(before.department), &changes);
	if (changes.len > 0)
		rc = write_change(m, by, out, &changes, r);
	buffer_free(&changes);
	return rc;
}

enum manage_rc
manage_seat_delete(
    struct manage *m, const struct manage_actor *by, const char *seat, struct manage_report *r)
{
	struct seat_row row;
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_seat_get(m, seat, &row, r)) != MANAGE_OK)
		return rc;
	e = manage_event(by, "seat.delete", "seat", row.id);
	e.organization = manage_or_null(row.organization);
	e.department = manage_or_null(row.department);
	e.reason = row.seat_id;
	rc = manage_of_store(store_seat_delete(m->store, row.id, &e, &r->why), "seat", seat, r);
	if (rc == MANAGE_OK && row.in_use)
		manage_warn(r,
		    "seat %s was in use: its certificates stay valid until they are revoked or "
		    "end",
		    row.seat_id);
	return rc;
}

enum manage_rc
manage_seat_list(struct manage *m, int64_t after_row, int limit, const char *organization,
    bool (*row)(void *ctx, const struct seat_row *s), void *ctx, struct manage_report *r)
{
	struct organization_row o = {.name = ""};
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	if (organization != NULL &&
	    (rc = manage_of_store(store_organization_get(m->store, organization, &o, &r->why),
		 "organization", organization, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(store_seat_list(m->store, after_row, limit,
				   organization != NULL ? o.name : NULL, row, ctx, &r->why),
	    "seat", "", r);
}
