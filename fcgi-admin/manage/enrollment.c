/* enrollment.c: registering, changing and removing enrolments. */
#include "fcgi-admin/manage/enrollment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/challenge_strength.h"
#include "fcgi-admin/manage/profile.h"

#define EXPIRY_LEAST_S 60
#define EXPIRY_MOST_S  (3660LL * 86400)
#define USES_MOST      1000000

/* --- the code --- */

static void
check_code(const struct octets *code, struct manage_report *r)
{
	const char *fault;

	if (code == NULL)
		return;
	if (code->len > MANAGE_ENROLLMENT_CODE_OCTETS)
		manage_invalid(
		    r, "code", "want at most %d octets of UTF-8", MANAGE_ENROLLMENT_CODE_OCTETS);
	else if ((fault = challenge_fault(*code)) != NULL)
		manage_invalid(r, "code", "%s", fault);
	if (r->fault_count > 0)
		return;
	if ((fault = challenge_weakness(*code)) != NULL)
		manage_warn(r, "the code %s: whoever guesses it enrols in the seat's name", fault);
	if (!challenge_is_printable(*code))
		manage_warn(r, "the code has characters that are not in PrintableString: Windows "
			       "cannot send it");
}

static void
check_expiry(int64_t expires_at, struct manage_report *r)
{
	int64_t life = expires_at - clock_now();

	if (expires_at != 0 && (life < EXPIRY_LEAST_S || life > EXPIRY_MOST_S))
		manage_invalid(r, "expires", "want 1 minute to 3660 days from now");
}

/* The code that is given, or one drawn into drawn, as its hash under the profile. */
static enum manage_rc
hash_code(struct manage *m, const char *profile_id, const struct octets *given,
    char drawn[MANAGE_CODE_SIZE], struct enrollment_row *row, struct manage_report *r)
{
	struct octets code;
	enum manage_rc rc;

	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if (given == NULL && !manage_code_draw(drawn, &r->why))
		return MANAGE_FAULT;
	code = given != NULL ? *given : octets_of_string(drawn);
	row->code_weak = given != NULL && challenge_weakness(code) != NULL;
	if (authorise_challenge_id(m->master_key, profile_id, code, row->code_hash))
		return MANAGE_OK;
	errbuf_ossl(&r->why, "code: HMAC");
	return MANAGE_FAULT;
}

/* --- create --- */

/* What an order names, looked up; what is not there is a fault like any other. */
struct subject {
	struct scep_profile_row profile;
	struct ra_profile_row ra;
	struct seat_row seat;
};

static enum manage_rc
look_up(struct manage *m, const struct manage_enrollment_order *o, struct subject *s,
    struct manage_report *r)
{
	enum store_rc rc;

	rc = store_seat_get(m->store, o->seat, &s->seat, &r->why);
	if (rc == STORE_AWAY)
		return MANAGE_AWAY;
	if (rc != STORE_OK)
		manage_invalid(r, "seat", "there is no seat %s", o->seat);
	rc = store_scep_profile_get(m->store, o->profile, &s->profile, &r->why);
	if (rc == STORE_OK)
		rc = store_ra_profile_get(m->store, s->profile.ra_profile_id, &s->ra, &r->why);
	if (rc == STORE_AWAY)
		return MANAGE_AWAY;
	r->why.line[0] = '\0';
	if (rc != STORE_OK)
		manage_invalid(r, "profile", "there is no profile %s", o->profile);
	else if (strcmp(s->profile.challenge_mode, "enrollmentCode") != 0)
		manage_invalid(r, "profile", "codes are for mode enrollmentCode, that of %s is %s",
		    s->profile.name,
		    s->profile.challenge_mode[0] != '\0' ? s->profile.challenge_mode : "not set");
	else
		manage_enrollment_check_attributes(&s->ra, o->attributes, o->attribute_count, r);
	return MANAGE_OK;
}

static enum manage_rc
check_order(struct manage *m, const struct manage_enrollment_order *o, struct subject *s,
    struct manage_report *r)
{
	enum manage_rc rc;

	check_code(o->code, r);
	check_expiry(o->expires_at, r);
	if (o->max_uses < 0 || o->max_uses > USES_MOST)
		manage_invalid(r, "uses", "want 1 to %d", USES_MOST);
	manage_check_text(
	    r, "email", o->email, sizeof(((struct enrollment_row *)0)->email) - 1, false);
	if ((rc = look_up(m, o, s, r)) != MANAGE_OK)
		return rc;
	return manage_validity(r);
}

static void
fill(const struct manage_enrollment_order *o, const struct subject *s,
    const struct manage_actor *by, struct enrollment_row *row)
{
	memcpy(row->profile_id, s->profile.id, sizeof(row->profile_id));
	memcpy(row->profile, s->profile.name, sizeof(row->profile));
	memcpy(row->seat_id, s->seat.seat_id, sizeof(row->seat_id));
	memcpy(row->organization, s->seat.organization, sizeof(row->organization));
	memcpy(row->department, s->seat.department, sizeof(row->department));
	snprintf(row->email, sizeof(row->email), "%s", o->email != NULL ? o->email : s->seat.email);
	snprintf(row->status, sizeof(row->status), "created");
	snprintf(row->created_by, sizeof(row->created_by), "%s", by->who);
	row->max_uses = o->max_uses != 0 ? o->max_uses : 1;
	row->created_at = clock_now();
	row->expires_at =
	    o->expires_at != 0 ? o->expires_at : row->created_at + MANAGE_ENROLLMENT_EXPIRY_S;
	row->attribute_count = o->attribute_count;
	if (o->attribute_count > 0)
		memcpy(row->attributes, o->attributes,
		    sizeof(row->attributes[0]) * (size_t)o->attribute_count);
}

static struct audit_event
event_of(const struct manage_actor *by, const char *action, const struct enrollment_row *row)
{
	struct audit_event e = manage_event(by, action, "enrollment", row->id);

	e.profile = row->profile;
	e.organization = manage_or_null(row->organization);
	e.department = manage_or_null(row->department);
	return e;
}

static void
describe(const struct enrollment_row *row, struct buffer *reason)
{
	char expires[ENCODING_TIME_SIZE];

	encoding_time(row->expires_at, expires);
	buffer_append_format(reason, "seatId: %s; expiresAt: %s; uses: %" PRId64 "%s", row->seat_id,
	    expires, row->max_uses, row->code_weak ? "; weak code" : "");
	for (int i = 0; i < row->attribute_count; i++)
		buffer_append_format(
		    reason, "; %s: %s", row->attributes[i].type, row->attributes[i].value);
}

static enum manage_rc
of_store(enum store_rc rc, const char *id, struct manage_report *r)
{
	if (rc == STORE_CONFLICT)
		return manage_fail(r, MANAGE_CONFLICT, "the same code is registered already");
	return manage_of_store(rc, "enrolment", id, r);
}

enum manage_rc
manage_enrollment_check(
    struct manage *m, const struct manage_enrollment_order *o, struct manage_report *r)
{
	struct subject s = {0};
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return check_order(m, o, &s, r);
}

enum manage_rc
manage_enrollment_create(struct manage *m, const struct manage_actor *by,
    const struct manage_enrollment_order *o, char drawn[MANAGE_CODE_SIZE],
    struct enrollment_row *out, struct manage_report *r)
{
	struct buffer reason = {0};
	struct subject s = {0};
	struct audit_event e;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	memset(drawn, 0, MANAGE_CODE_SIZE);
	if ((rc = manage_need_store(m, r)) != MANAGE_OK ||
	    (rc = check_order(m, o, &s, r)) != MANAGE_OK)
		return rc;
	fill(o, &s, by, out);
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	if ((rc = hash_code(m, out->profile_id, o->code, drawn, out, r)) != MANAGE_OK)
		return rc;
	describe(out, &reason);
	e = event_of(by, "enrollment.create", out);
	e.reason = buffer_string(&reason);
	rc = of_store(store_enrollment_insert(m->store, out, &e, &r->why), out->seat_id, r);
	buffer_free(&reason);
	if (rc != MANAGE_OK)
		octets_wipe(drawn, MANAGE_CODE_SIZE);
	return rc;
}

/* --- the others --- */

enum manage_rc
manage_enrollment_get(
    struct manage *m, const char *id, struct enrollment_row *out, struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_enrollment_get(m->store, id, clock_now(), out, &r->why), "enrolment", id, r);
}

enum manage_rc
manage_enrollment_list(struct manage *m, int64_t before_row, int limit, const char *seat,
    const char *profile, bool (*row)(void *ctx, const struct enrollment_row *n), void *ctx,
    struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct seat_row s = {0};
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	if (seat != NULL && (rc = manage_of_store(store_seat_get(m->store, seat, &s, &r->why),
				 "seat", seat, r)) != MANAGE_OK)
		return rc;
	if (profile != NULL && (rc = manage_profile_row(m, profile, &p, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_enrollment_list(m->store, before_row, limit, seat != NULL ? s.seat_id : NULL,
		profile != NULL ? p.id : NULL, clock_now(), row, ctx, &r->why),
	    "enrolment", "", r);
}

enum manage_rc
manage_enrollment_reissue(struct manage *m, const struct manage_actor *by, const char *id,
    const struct octets *code, int64_t expires_at, char drawn[MANAGE_CODE_SIZE],
    struct enrollment_row *out, struct manage_report *r)
{
	char reason[128], expires[ENCODING_TIME_SIZE], before[sizeof(out->status)];
	struct audit_event e;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	memset(drawn, 0, MANAGE_CODE_SIZE);
	check_code(code, r);
	check_expiry(expires_at, r);
	if ((rc = manage_validity(r)) != MANAGE_OK ||
	    (rc = manage_enrollment_get(m, id, out, r)) != MANAGE_OK ||
	    (rc = hash_code(m, out->profile_id, code, drawn, out, r)) != MANAGE_OK)
		return rc;
	memcpy(before, out->status, sizeof(before));
	out->expires_at = expires_at != 0 ? expires_at : clock_now() + MANAGE_ENROLLMENT_EXPIRY_S;
	encoding_time(out->expires_at, expires);
	snprintf(reason, sizeof(reason), "status: %s -> created; expiresAt: %s%s", before, expires,
	    out->code_weak ? "; weak code" : "");
	e = event_of(by, "enrollment.reissue", out);
	e.reason = reason;
	rc = of_store(store_enrollment_reissue(m->store, out->id, out->code_hash, out->code_weak,
			  out->expires_at, &e, &r->why),
	    id, r);
	if (rc != MANAGE_OK)
		octets_wipe(drawn, MANAGE_CODE_SIZE);
	else
		rc = manage_enrollment_get(m, id, out, r);
	return rc;
}

enum manage_rc
manage_enrollment_reject(
    struct manage *m, const struct manage_actor *by, const char *id, struct manage_report *r)
{
	struct enrollment_row row;
	char reason[64];
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_enrollment_get(m, id, &row, r)) != MANAGE_OK)
		return rc;
	snprintf(reason, sizeof(reason), "status: %s -> rejected", row.status);
	e = event_of(by, "enrollment.reject", &row);
	e.reason = reason;
	switch (store_enrollment_reject(m->store, row.id, &e, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_CONFLICT:
		return manage_fail(r, MANAGE_CONFLICT,
		    "enrolment %s is redeemed: revoke its certificate instead", row.id);
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "there is no enrolment %s", id);
	default:
		return MANAGE_AWAY;
	}
}

enum manage_rc
manage_enrollment_delete(
    struct manage *m, const struct manage_actor *by, const char *id, struct manage_report *r)
{
	struct enrollment_row row;
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_enrollment_get(m, id, &row, r)) != MANAGE_OK)
		return rc;
	e = event_of(by, "enrollment.delete", &row);
	e.reason = row.seat_id;
	return manage_of_store(
	    store_enrollment_delete(m->store, row.id, &e, &r->why), "enrolment", id, r);
}
