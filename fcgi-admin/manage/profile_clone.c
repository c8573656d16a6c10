/* profile_clone.c: a copy of a profile, of the same lineage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/profile.h"
#include "fcgi-admin/manage/profile_change.h"
#include "fcgi-admin/manage/webhook.h"
#include "store/account_row.h"

static void
fill_copy(struct manage_profile *p, const char *name)
{
	int64_t now = clock_now();

	snprintf(p->ra.name, sizeof(p->ra.name), "%s", name);
	p->ra.created_at = now;
	snprintf(p->scep.name, sizeof(p->scep.name), "%s", name);
	p->scep.enabled = false;
	p->scep.challenge_set = p->scep.challenge_weak = false;
	octets_wipe(p->scep.challenge_hash, sizeof(p->scep.challenge_hash));
	p->scep.created_at = now;
	p->scep.version = 1;
}

struct anchor_copy {
	struct anchor_row *rows;
	int count;
	bool failed;
};

static bool
keep_anchor(void *ctx, const struct anchor_row *a)
{
	struct anchor_copy *all = ctx;
	struct anchor_row *more = realloc(all->rows, sizeof(*more) * (size_t)(all->count + 1));

	if (more == NULL) {
		all->failed = true;
		return false;
	}
	all->rows = more;
	more += all->count++;
	*more = (struct anchor_row){.created_at = clock_now()};
	memcpy(more->fingerprint, a->fingerprint, sizeof(more->fingerprint));
	buffer_append(&more->certificate, a->certificate.data, a->certificate.len);
	all->failed = all->failed || more->certificate.failed;
	return true;
}

static enum manage_rc
copy_anchors(struct manage *m, const struct manage_actor *by, const char *from,
    const struct scep_profile_row *to, struct manage_report *r)
{
	struct anchor_copy all = {.count = 0};
	enum manage_rc rc;

	rc = manage_of_store(
	    store_anchor_each(m->store, from, keep_anchor, &all, &r->why), "anchor", "", r);
	if (rc == MANAGE_OK && all.failed)
		rc = manage_fail(r, MANAGE_FAULT, "out of memory");
	for (int i = 0; i < all.count && rc == MANAGE_OK; i++) {
		struct audit_event e = manage_event(by, "anchor.add", "profile", to->id);

		e.profile = to->name;
		e.reason = all.rows[i].fingerprint;
		rc = manage_of_store(
		    store_anchor_insert(m->store, to->id, &all.rows[i], &e, &r->why), "anchor",
		    all.rows[i].fingerprint, r);
	}
	for (int i = 0; i < all.count; i++)
		buffer_free(&all.rows[i].certificate);
	free(all.rows);
	return rc;
}

/* Their secrets are for one profile alone. */
static void
warn_of_what_stays(
    struct manage *m, const char *from, const char *name, const char *copy, struct manage_report *r)
{
	struct manage_report own = {0};
	int webhooks = 0, accounts = 0;

	if (manage_webhook_count(m, from, NULL, NULL, &webhooks, &own) != MANAGE_OK ||
	    store_account_count(m->store, from, &accounts, &own.why) != STORE_OK)
		return;
	if (webhooks > 0 || accounts > 0)
		manage_warn(r, "%d webhooks and %d accounts of %s are not copied: make them for %s",
		    webhooks, accounts, name, copy);
}

enum manage_rc
manage_profile_clone(struct manage *m, const struct manage_actor *by, const char *name,
    const struct manage_profile_clone *o, struct manage_profile *out, struct manage_report *r)
{
	struct authority_row ca = {0};
	struct buffer changes[2] = {{0}, {0}};
	char from[37];
	bool had_challenge;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = profile_new_check(m, o->name, o->ra_key, r)) != MANAGE_OK ||
	    (rc = manage_profile_get(m, name, out, r)) != MANAGE_OK ||
	    (rc = manage_authority_get(m, out->ra.authority_id, &ca, r)) != MANAGE_OK)
		return rc;
	memcpy(from, out->scep.id, sizeof(from));
	had_challenge = out->scep.challenge_set;
	fill_copy(out, o->name);
	buffer_append_format(&changes[0], "copy of %s", name);
	buffer_append_format(&changes[1], "copy of %s", name);
	if ((rc = profile_new_write(m, by, o->ra_key, o->change, &ca, out, changes, r)) ==
	    MANAGE_OK)
		rc = copy_anchors(m, by, from, &out->scep, r);
	if (rc == MANAGE_OK)
		warn_of_what_stays(m, from, name, o->name, r);
	if (rc == MANAGE_OK && o->enabled)
		rc = manage_profile_enable(m, by, o->name, true, r);
	if (rc == MANAGE_OK && had_challenge && !out->scep.challenge_set &&
	    strcmp(out->scep.challenge_mode, "static") == 0)
		manage_warn(
		    r, "the static challenge of %s is not copied: set one for %s", name, o->name);
	authority_row_free(&ca);
	buffer_free(&changes[0]);
	buffer_free(&changes[1]);
	return rc == MANAGE_OK ? manage_profile_get(m, o->name, out, r) : rc;
}
