/* ra_rotation.c: the RA certificates of profiles, and the next one of a profile. */
#include "fcgi-admin/manage/ra_rotation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/profile.h"
#include "fcgi-admin/manage/ra_certificate.h"
#include "fcgi-admin/manage/rollover.h"
#include "pki/certificate.h"
#include "pki/public_key.h"

/* --- listing --- */

struct collected {
	struct manage_ra *all;
	int count;
	const char *profile;
	bool failed;
};

static void
describe(const struct ra_certificate_row *row, const char *profile, struct manage_ra *out)
{
	struct certificate c = {0};
	struct public_key key = {0};

	memset(out, 0, sizeof(*out));
	snprintf(out->profile, sizeof(out->profile), "%s", profile);
	snprintf(out->role, sizeof(out->role), "%s", row->role[0] != '\0' ? row->role : "current");
	memcpy(out->id, row->id, sizeof(out->id));
	memcpy(out->authority, row->authority_id, sizeof(row->authority_id));
	out->not_after = row->not_after;
	out->until = strcmp(out->role, "previous") == 0 ? row->until : 0;
	if (!certificate_parse(buffer_octets(&row->certificate), &c, NULL))
		return;
	manage_serial_text(c.serial, out->serial);
	if (public_key_parse(c.spki, &key, NULL))
		snprintf(out->key, sizeof(out->key), "%s", key.name);
	public_key_free(&key);
	certificate_free(&c);
}

static bool
collect(void *ctx, const struct ra_certificate_row *row)
{
	struct collected *c = ctx;
	struct manage_ra *more = realloc(c->all, sizeof(*more) * (size_t)(c->count + 1));

	if (more == NULL) {
		c->failed = true;
		return false;
	}
	c->all = more;
	describe(row, c->profile, &more[c->count++]);
	return true;
}

/* The current one of a profile, then those beside it; authority has the id of its CA in place of the name. */
static enum manage_rc
collect_profile(struct manage *m, const struct scep_profile_row *p, struct collected *c,
    struct manage_report *r)
{
	struct ra_certificate_row current = {0};
	enum manage_rc rc;

	c->profile = p->name;
	rc = manage_of_store(
	    store_ra_certificate_get(m->store, p->ra_certificate_id, &current, &r->why),
	    "RA certificate", p->ra_certificate_id, r);
	if (rc == MANAGE_OK) {
		collect(c, &current);
		rc = manage_of_store(
		    store_profile_ra_each(m->store, p->id, clock_now(), collect, c, &r->why),
		    "profile", p->name, r);
	}
	ra_certificate_row_free(&current);
	return rc == MANAGE_OK && c->failed ? manage_fail(r, MANAGE_FAULT, "out of memory") : rc;
}

static bool
keep_profile(void *ctx, const struct scep_profile_row *p)
{
	struct buffer *all = ctx;

	buffer_append(all, p, sizeof(*p));
	return !all->failed;
}

static enum manage_rc
read_profiles(struct manage *m, const char *name, struct buffer *all, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	enum manage_rc rc;

	if (name == NULL)
		rc = manage_profile_each(m, keep_profile, all, r);
	else if ((rc = manage_profile_row(m, name, &p, r)) == MANAGE_OK)
		keep_profile(all, &p);
	return rc == MANAGE_OK && all->failed ? manage_fail(r, MANAGE_FAULT, "out of memory") : rc;
}

enum manage_rc
manage_ra_each(struct manage *m, const char *profile,
    bool (*row)(void *ctx, const struct manage_ra *ra), void *ctx, struct manage_report *r)
{
	struct collected c = {.count = 0};
	struct buffer profiles = {0};
	struct authority_row ca = {0};
	enum manage_rc rc = read_profiles(m, profile, &profiles, r);

	for (size_t at = 0; rc == MANAGE_OK && at < profiles.len;
	     at += sizeof(struct scep_profile_row)) {
		struct scep_profile_row p;

		memcpy(&p, profiles.data + at, sizeof(p));
		rc = collect_profile(m, &p, &c, r);
	}
	for (int i = 0; rc == MANAGE_OK && i < c.count; i++) {
		if ((rc = manage_authority_get(m, c.all[i].authority, &ca, r)) == MANAGE_OK)
			memcpy(c.all[i].authority, ca.name, sizeof(c.all[i].authority));
		authority_row_free(&ca);
	}
	for (int i = 0; rc == MANAGE_OK && i < c.count; i++)
		if (!row(ctx, &c.all[i]))
			break;
	buffer_free(&profiles);
	free(c.all);
	return rc;
}

/* --- changing --- */

/* A profile with its CA, and how large its RA key is. */
struct rotation {
	struct manage_profile *profile;
	struct authority_row authority;
	char kind[MANAGE_KEY_KIND];
};

static void
rotation_free(struct rotation *x)
{
	free(x->profile);
	authority_row_free(&x->authority);
}

static enum manage_rc
rotation_read(struct manage *m, const char *profile, struct rotation *x, struct manage_report *r)
{
	struct ra_certificate_row ra = {0};
	enum manage_rc rc;

	memset(x, 0, sizeof(*x));
	if ((x->profile = calloc(1, sizeof(*x->profile))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	if ((rc = manage_profile_get(m, profile, x->profile, r)) == MANAGE_OK &&
	    (rc = manage_authority_get(m, x->profile->ra.authority_id, &x->authority, r)) ==
		MANAGE_OK)
		rc = manage_of_store(store_ra_certificate_get(m->store,
					 x->profile->scep.ra_certificate_id, &ra, &r->why),
		    "RA certificate", x->profile->scep.ra_certificate_id, r);
	if (rc == MANAGE_OK && !manage_key_kind(buffer_octets(&ra.certificate), x->kind))
		rc = manage_fail(r, MANAGE_FAULT, "the RA certificate has no key that is known");
	ra_certificate_row_free(&ra);
	return rc;
}

static struct audit_event
event_of(
    const struct manage_actor *by, const char *action, const struct rotation *x, const char *reason)
{
	struct audit_event e = manage_event(by, action, "profile", x->profile->scep.id);

	e.profile = x->profile->scep.name;
	e.reason = reason;
	return e;
}

/* The next one there is, if it is by the profile's own CA: else the rollover of that decides. */
static enum manage_rc
own_next(struct manage *m, const struct rotation *x, struct ra_certificate_row *next,
    struct manage_report *r)
{
	const char *name = x->profile->scep.name;
	enum manage_rc rc = manage_ra_next(m, x->profile->scep.id, next, r);

	if (rc == MANAGE_NOT_FOUND)
		return manage_fail(r, MANAGE_CONFLICT,
		    "profile %s has no next RA certificate: scepctl ra rotate %s", name, name);
	if (rc == MANAGE_OK && strcmp(next->authority_id, x->authority.id) != 0)
		return manage_fail(r, MANAGE_CONFLICT,
		    "the next RA certificate of profile %s belongs to the rollover of CA %s: "
		    "scepctl ca switch, or ca rollover-cancel",
		    name, x->authority.name);
	return rc;
}

/* May it have a next one now? */
static enum manage_rc
check_none(struct manage *m, const struct rotation *x, struct manage_report *r)
{
	const char *name = x->profile->scep.name;
	struct ra_certificate_row next = {0};
	struct authority_row next_ca = {0};
	enum manage_rc rc = manage_ra_next(m, x->profile->scep.id, &next, r);

	ra_certificate_row_free(&next);
	if (rc == MANAGE_OK)
		return manage_fail(r, MANAGE_CONFLICT,
		    "profile %s has a next RA certificate already: scepctl ra switch %s, or ra "
		    "cancel %s",
		    name, name, name);
	if (rc != MANAGE_NOT_FOUND)
		return rc;
	switch (store_authority_next(m->store, x->authority.id, &next_ca, &r->why)) {
	case STORE_OK:
		rc = manage_fail(r, MANAGE_CONFLICT,
		    "CA %s has a next generation, %s, whose switch renews the RA certificates",
		    x->authority.name, next_ca.name);
		break;
	case STORE_NONE:
		r->why.line[0] = '\0';
		rc = MANAGE_OK;
		break;
	default:
		rc = MANAGE_AWAY;
	}
	authority_row_free(&next_ca);
	return rc;
}

enum manage_rc
manage_ra_rotate(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *key, struct manage_report *r)
{
	struct rotation x;
	enum manage_rc rc = rotation_read(m, profile, &x, r);

	if (rc == MANAGE_OK && key != NULL) {
		manage_ra_check_key(key, r);
		rc = manage_validity(r);
	}
	if (rc == MANAGE_OK && (rc = check_none(m, &x, r)) == MANAGE_OK)
		rc = manage_ra_prepare(m, by, x.profile->scep.id, x.profile->scep.name,
		    key != NULL ? key : x.kind, &x.authority, r);
	rotation_free(&x);
	return rc;
}

enum manage_rc
manage_ra_switch(struct manage *m, const struct manage_actor *by, const char *profile,
    int64_t overlap_s, struct manage_report *r)
{
	int64_t until = clock_now() + overlap_s;
	struct ra_certificate_row next = {0};
	char reason[96], time[ENCODING_TIME_SIZE];
	struct audit_event e;
	struct rotation x;
	enum manage_rc rc;

	if ((rc = manage_overlap_check(overlap_s, r)) != MANAGE_OK)
		return rc;
	if ((rc = rotation_read(m, profile, &x, r)) == MANAGE_OK &&
	    (rc = own_next(m, &x, &next, r)) == MANAGE_OK) {
		encoding_time(until, time);
		snprintf(reason, sizeof(reason), "the old RA certificate decrypts until %s", time);
		e = event_of(by, "ra.switch", &x, reason);
		rc = manage_of_store(
		    store_ra_switch(m->store, x.profile->scep.id, until, &e, &r->why),
		    "next RA certificate of", profile, r);
	}
	ra_certificate_row_free(&next);
	rotation_free(&x);
	return rc;
}

enum manage_rc
manage_ra_cancel(
    struct manage *m, const struct manage_actor *by, const char *profile, struct manage_report *r)
{
	struct ra_certificate_row next = {0};
	struct audit_event e;
	struct rotation x;
	enum manage_rc rc;

	if ((rc = rotation_read(m, profile, &x, r)) == MANAGE_OK &&
	    (rc = own_next(m, &x, &next, r)) == MANAGE_OK) {
		e = event_of(by, "ra.cancel", &x, NULL);
		rc = manage_of_store(store_ra_cancel(m->store, x.profile->scep.id, &e, &r->why),
		    "next RA certificate of", profile, r);
	}
	if (rc == MANAGE_OK)
		manage_key_discard(m, next.key_file);
	ra_certificate_row_free(&next);
	rotation_free(&x);
	return rc;
}
