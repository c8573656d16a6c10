/* account.c: making, changing and removing the accounts of a profile. */
#include "fcgi-admin/manage/account.h"

#include <stdio.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/organization.h"
#include "fcgi-admin/manage/profile.h"

#define LIFETIME_LEAST_S 60
#define LIFETIME_MOST_S	 (3660LL * 86400)

static enum manage_rc
check(struct manage *m, const struct manage_account_change *c, struct manage_report *r)
{
	manage_check_text(r, "organization", c->organization, 64, false);
	manage_check_text(r, "department", c->department, 64, false);
	if (c->lifetime_s > 0 &&
	    (c->lifetime_s < LIFETIME_LEAST_S || c->lifetime_s > LIFETIME_MOST_S))
		manage_invalid(r, "ttl", "want 1 minute to 3660 days");
	return manage_organization_check(m, c->organization != NULL ? c->organization : "", r);
}

static enum manage_rc
new_secret(
    struct manage *m, struct account_row *a, char secret[MANAGE_CODE_SIZE], struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if (!manage_code_draw(secret, &r->why))
		return MANAGE_FAULT;
	if (authorise_challenge_id(
		m->master_key, a->profile_id, octets_of_string(secret), a->secret_hash))
		return MANAGE_OK;
	errbuf_ossl(&r->why, "account: HMAC");
	return MANAGE_FAULT;
}

/* Write c into a, and what it changes in words. */
static void
apply(const struct manage_account_change *c, struct account_row *a, struct buffer *changes)
{
	char before[ENCODING_TIME_SIZE] = "never", after[ENCODING_TIME_SIZE] = "never";
	int64_t expires_at = c->lifetime_s > 0 ? clock_now() + c->lifetime_s : 0;

	manage_set_text(
	    "organization", c->organization, a->organization, sizeof(a->organization), changes);
	manage_set_text("department", c->department, a->department, sizeof(a->department), changes);
	if (c->enabled != -1 && (c->enabled != 0) != a->enabled) {
		manage_changed(
		    changes, "enabled", a->enabled ? "yes" : "no", c->enabled != 0 ? "yes" : "no");
		a->enabled = c->enabled != 0;
	}
	if (c->lifetime_s == -1 || expires_at == a->expires_at)
		return;
	if (a->expires_at != 0)
		encoding_time(a->expires_at, before);
	if (expires_at != 0)
		encoding_time(expires_at, after);
	manage_changed(changes, "expiresAt", before, after);
	a->expires_at = expires_at;
}

static struct audit_event
event_of(const struct manage_actor *by, const char *action, const struct scep_profile_row *p,
    const struct account_row *a, const char *reason)
{
	struct audit_event e = manage_event(by, action, "account", a->id);

	e.profile = p->name;
	e.organization = manage_or_null(a->organization);
	e.department = manage_or_null(a->department);
	e.reason = reason;
	return e;
}

enum manage_rc
manage_account_create(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *name, const struct manage_account_change *c, char secret[MANAGE_CODE_SIZE],
    struct account_row *out, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct buffer changes = {0};
	struct audit_event e;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	memset(secret, 0, MANAGE_CODE_SIZE);
	if (!manage_is_name(name))
		manage_invalid(r, "name", "want 1 to 64 of A-Z a-z 0-9 . _ -, have \"%s\"", name);
	if ((rc = manage_profile_row(m, profile, &p, r)) != MANAGE_OK ||
	    (rc = check(m, c, r)) != MANAGE_OK)
		return rc;
	memcpy(out->profile_id, p.id, sizeof(out->profile_id));
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->enabled = true;
	out->created_at = clock_now();
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	if ((rc = new_secret(m, out, secret, r)) != MANAGE_OK)
		return rc;
	buffer_append_format(&changes, "name: %s", out->name);
	apply(c, out, &changes);
	e = event_of(by, "account.create", &p, out, buffer_string(&changes));
	rc = manage_of_store(
	    store_account_insert(m->store, out, &e, &r->why), "account", out->name, r);
	buffer_free(&changes);
	if (rc != MANAGE_OK)
		octets_wipe(secret, MANAGE_CODE_SIZE);
	else if (strcmp(p.challenge_mode, "intune") == 0)
		manage_warn(r, "profile %s is of mode intune, which takes no account", p.name);
	return rc;
}

static enum manage_rc
get(struct manage *m, const char *profile, const char *account, struct scep_profile_row *p,
    struct account_row *out, struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_profile_row(m, profile, p, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_account_get(m->store, p->id, account, out, &r->why), "account", account, r);
}

enum manage_rc
manage_account_get(struct manage *m, const char *profile, const char *account,
    struct account_row *out, struct manage_report *r)
{
	struct scep_profile_row p = {0};

	return get(m, profile, account, &p, out, r);
}

enum manage_rc
manage_account_set(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *account, const struct manage_account_change *c, struct account_row *out,
    struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct buffer changes = {0};
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = get(m, profile, account, &p, out, r)) != MANAGE_OK ||
	    (rc = check(m, c, r)) != MANAGE_OK)
		return rc;
	apply(c, out, &changes);
	if (changes.len > 0) {
		e = event_of(by, "account.update", &p, out, buffer_string(&changes));
		rc = manage_of_store(
		    store_account_update(m->store, out, &e, &r->why), "account", account, r);
	}
	buffer_free(&changes);
	return rc;
}

enum manage_rc
manage_account_rotate(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *account, char secret[MANAGE_CODE_SIZE], struct account_row *out,
    struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct audit_event e;
	enum manage_rc rc;

	memset(secret, 0, MANAGE_CODE_SIZE);
	if ((rc = get(m, profile, account, &p, out, r)) != MANAGE_OK ||
	    (rc = new_secret(m, out, secret, r)) != MANAGE_OK)
		return rc;
	e = event_of(by, "account.rotate", &p, out, "secret: set -> set anew");
	rc = manage_of_store(
	    store_account_update(m->store, out, &e, &r->why), "account", account, r);
	if (rc != MANAGE_OK)
		octets_wipe(secret, MANAGE_CODE_SIZE);
	return rc;
}

enum manage_rc
manage_account_delete(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *account, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct account_row row;
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = get(m, profile, account, &p, &row, r)) != MANAGE_OK)
		return rc;
	e = event_of(by, "account.delete", &p, &row, row.name);
	return manage_of_store(
	    store_account_delete(m->store, row.id, &e, &r->why), "account", account, r);
}

enum manage_rc
manage_account_each(struct manage *m, const char *profile,
    bool (*row)(void *ctx, const struct account_row *a), void *ctx, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	enum manage_rc rc;

	if ((rc = manage_profile_row(m, profile, &p, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_account_each(m->store, p.id, row, ctx, &r->why), "account", "", r);
}
