/* challenge_reopen.c: the store first, which decides; then Redis is told. */
#include "fcgi-admin/manage/challenge_reopen.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/challenge.h"
#include "fcgi-admin/manage/records.h"
#include "redis/challenge.h"
#include "store/seat_row.h"

/* What is to be reopened, as it is found. */
struct found {
	uint8_t id[CHALLENGE_ID_SIZE];
	struct scep_profile_row profile;
	struct enrollment_row code;
};

static enum manage_rc
check_order(const struct manage_reopen_order *o, struct found *f, struct manage_report *r)
{
	if ((o->id == NULL) == (o->serial == NULL))
		manage_invalid(r, "id", "want the challenge's id, or a serial: one of them");
	else if (o->id != NULL && !encoding_unhex(o->id, f->id, sizeof(f->id)))
		manage_invalid(r, "id", "want 64 hexadecimal digits");
	if (o->expiry_s != 0 &&
	    (o->expiry_s < MANAGE_CHALLENGE_LEAST_S || o->expiry_s > MANAGE_CHALLENGE_MOST_S))
		manage_invalid(r, "ttl", "want 1 minute to 30 days");
	return manage_validity(r);
}

/* The certificate by its challenge, or the challenge by its certificate. */
static enum manage_rc
find_certificate(struct manage *m, const struct manage_reopen_order *o, struct found *f,
    struct certificate_row *c, struct manage_report *r)
{
	struct octets id = octets_of(f->id, sizeof(f->id));
	enum store_rc rc;
	enum manage_rc found;
	int64_t row = 0;

	if (o->serial != NULL) {
		if ((found = manage_certificate_get(m, o->serial, NULL, c, NULL, r)) != MANAGE_OK)
			return found;
		rc = store_challenge_of_certificate(m->store, c->id, f->id, &r->why);
		return rc == STORE_NONE
			   ? manage_fail(r, MANAGE_NOT_FOUND,
				 "certificate %s came by no one-time challenge or code, or that is "
				 "open again",
				 c->serial)
			   : manage_of_store(rc, "certificate", o->serial, r);
	}
	if ((rc = store_challenge_certificate(m->store, id, &row, &r->why)) == STORE_NONE)
		return manage_fail(r, MANAGE_NOT_FOUND, "no challenge %s was used", o->id);
	if (rc != STORE_OK)
		return MANAGE_AWAY;
	return manage_certificate_get_row(m, row, c, r);
}

static enum manage_rc
find_profile(
    struct manage *m, const struct certificate_row *c, struct found *f, struct manage_report *r)
{
	if (c->profile[0] == '\0')
		return manage_fail(r, MANAGE_CONFLICT, "its profile is deleted");
	return manage_of_store(store_scep_profile_get(m->store, c->profile, &f->profile, &r->why),
	    "profile", c->profile, r);
}

/* A code is in the store alone; what is none is a one-time challenge, whose Redis has to be there before anything is changed. */
static enum manage_rc
find_kind(struct manage *m, int64_t now, struct found *f, bool *code, struct manage_report *r)
{
	int64_t pending;

	switch (store_enrollment_by_hash(m->store, f->id, now, &f->code, &r->why)) {
	case STORE_OK:
		*code = true;
		return MANAGE_OK;
	case STORE_NONE:
		break;
	default:
		return MANAGE_AWAY;
	}
	if (strcmp(f->profile.challenge_mode, "dynamic") != 0)
		return manage_fail(r, MANAGE_CONFLICT,
		    "profile %s does not use one-time challenges any more: its mode is %s",
		    f->profile.name, f->profile.challenge_mode);
	return manage_challenge_count(m, &f->profile, &pending, r);
}

/*
 * What Redis has of it may be gone, or may not know of the use; marking makes both a used one, which then is opened.
 */
static enum manage_rc
open_in_redis(struct manage *m, const struct found *f, int64_t now_ms, int64_t expires_ms,
    struct manage_report *r)
{
	struct challenge_reservation c = {.profile_id = f->profile.id};
	enum redis_rc rc =
	    challenge_reopen(m->redis, f->profile.id, f->id, now_ms, expires_ms, &r->why);

	if (rc == REDIS_REFUSED) {
		if (strstr(r->why.line, "unknown") != NULL)
			manage_warn(r, "Redis had forgotten the challenge: if it was bound, it is "
				       "not any more");
		memcpy(c.id, f->id, sizeof(c.id));
		rc = challenge_mark_used(m->redis, &c, now_ms, &r->why);
		if (rc == REDIS_DONE)
			rc = challenge_reopen(
			    m->redis, f->profile.id, f->id, now_ms, expires_ms, &r->why);
	}
	if (rc == REDIS_DONE)
		return MANAGE_OK;
	errbuf_prefix(&r->why, "the certificate is revoked, but the device needs a new challenge");
	return MANAGE_AWAY;
}

static enum manage_rc
commit(struct manage *m, const struct manage_actor *by, const struct found *f, int64_t now,
    struct manage_reopened *out, struct manage_report *r)
{
	struct audit_event e = manage_event(by, "challenge.reopen", "challenge", out->id);
	char reason[160], expires[ENCODING_TIME_SIZE];
	struct octets id = octets_of(f->id, sizeof(f->id));

	encoding_time(out->expires_at, expires);
	snprintf(reason, sizeof(reason), "%s; its certificate is revoked; expires %s",
	    out->code ? "enrolment code" : "one-time challenge", expires);
	e.profile = out->profile;
	e.serial = out->certificate.serial;
	e.subject = out->certificate.subject;
	e.reason = reason;
	switch (store_challenge_reopen(m->store, id, out->certificate.id, now, &e, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "the challenge is not used any more");
	case STORE_CONFLICT:
		return MANAGE_CONFLICT;
	default:
		return MANAGE_AWAY;
	}
}

static void
warn_of_code(const struct enrollment_row *code, int64_t now, struct manage_report *r)
{
	if (code->expires_at <= now)
		manage_warn(r, "the enrolment has expired: give it a new code by enrollment "
			       "reissue");
	else if (strcmp(code->status, "rejected") == 0 || strcmp(code->status, "locked") == 0)
		manage_warn(r, "the enrolment is %s", code->status);
}

enum manage_rc
manage_challenge_reopen(struct manage *m, const struct manage_actor *by,
    const struct manage_reopen_order *o, struct manage_reopened *out, struct manage_report *r)
{
	int64_t now_ms = clock_now_ms(), now = now_ms / 1000;
	struct found f = {0};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = check_order(o, &f, r)) != MANAGE_OK ||
	    (rc = manage_need_store(m, r)) != MANAGE_OK ||
	    (rc = find_certificate(m, o, &f, &out->certificate, r)) != MANAGE_OK ||
	    (rc = find_profile(m, &out->certificate, &f, r)) != MANAGE_OK ||
	    (rc = find_kind(m, now, &f, &out->code, r)) != MANAGE_OK)
		return rc;
	if (out->code && o->expiry_s != 0) {
		manage_invalid(r, "ttl", "an enrolment code keeps its own expiry");
		return manage_validity(r);
	}
	out->expires_at =
	    out->code ? f.code.expires_at
		      : now + (o->expiry_s != 0 ? o->expiry_s : f.profile.challenge_expiry_s);
	encoding_hex(octets_of(f.id, sizeof(f.id)), out->id);
	snprintf(out->profile, sizeof(out->profile), "%s", f.profile.name);
	if ((rc = commit(m, by, &f, now, out, r)) != MANAGE_OK)
		return rc;
	if (!out->code)
		return open_in_redis(m, &f, now_ms, out->expires_at * 1000, r);
	warn_of_code(&f.code, now, r);
	return MANAGE_OK;
}
