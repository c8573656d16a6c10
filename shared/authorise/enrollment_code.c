/*
 * enrollment_code.c: a code that was registered against a seat, whose id the CSR has in the field that the profile names.
 *
 * Wrong codes slow down who sends them: an address at a seat, and at a seat that others try codes for too, both by Redis and told by 429 before the
 * code is looked at, whether or not there is such a seat.  Who sends no wrong ones is not slowed by those of others, so that a stranger
 * keeps no device out.  Besides, the store counts the wrong ones of a seat, at most so many in a window, and a weak code, which may be
 * guessed, is then taken from clean addresses only; that goes on without Redis, and looks like a wrong code, or it would tell of the seat.
 */
#include <stdio.h>
#include <string.h>

#include "authorise/method.h"
#include "authorise/seat_field.h"
#include "base/encoding.h"
#include "base/suspects.h"
#include "redis/limit.h"

#define COUNT_ALL 1000000000 /* a window that is only counted in */

/* The two windows of Redis, of tries at one seat: from one address, and from all. */
struct seat_limits {
	char here[NETWORK_SIZE + 1 + SEAT_ID_MAX + 1];
	struct limit limits[2];
};

static void
name_limits(struct seat_limits *l, const char *network, const char *seat_id, int64_t per_minute,
    bool look_only)
{
	snprintf(l->here, sizeof(l->here), "%s %s", network, seat_id);
	l->limits[0] = (struct limit){"code", l->here, per_minute, look_only};
	l->limits[1] = (struct limit){"code-seat", seat_id, per_minute, look_only};
}

static struct enrollment_throttle
throttle_of(const struct settings *s)
{
	return (struct enrollment_throttle){
	    .window_s = s->code_window_s,
	    .per_window = s->code_tries_per_window,
	    .lock_after = s->code_lock_after,
	    .lock_s = s->code_lock_s,
	};
}

/* Wrong secrets came from there a moment ago; where nobody counts them by address, everybody may be one who guesses. */
static bool
is_suspect(const struct authoriser *a, const struct authorise_request *q)
{
	int64_t here, before;

	return a->suspects == NULL || q->network == NULL || a->settings->wrong_per_minute == 0 ||
	       suspects_find(a->suspects, q->network, q->now_ms, &here, &before);
}

/* In how many seconds this address may try a code for the seat again; 0: now, or Redis cannot tell. */
static int64_t
wait_s(const struct authoriser *a, const struct authorise_request *q, const char *seat_id,
    struct errbuf *why)
{
	const char *network = q->network != NULL ? q->network : "";
	struct errbuf away = {0};
	struct seat_limits l;
	int64_t retry_after_s;
	int exceeded;

	if (seat_id[0] == '\0')
		return 0;
	name_limits(&l, network, seat_id, a->settings->code_tries_per_window, true);
	if (limit_take(a->redis, q->profile->scep.id, l.limits, 2, q->now_ms, &exceeded,
		&retry_after_s, &away) != REDIS_DONE ||
	    exceeded < 0)
		return 0;
	errbuf_set(why, "enrolment code: too many wrong ones for seat %s%s%s", seat_id,
	    exceeded == 0 ? " from " : "", exceeded == 0 ? network : "");
	return retry_after_s;
}

/* NULL: it is open.  One that a request waits for approval with is so too: whichever is issued first redeems it. */
static const char *
why_closed(const struct enrollment_row *n, int64_t now)
{
	if (strcmp(n->status, "created") != 0 && strcmp(n->status, "pending") != 0)
		return n->status;
	if (n->expires_at <= now)
		return "expired";
	if (n->locked_until > now)
		return "locked";
	return n->uses >= n->max_uses ? "redeemed" : NULL;
}

/* Is it this seat's code, and still one?  false with why. */
static bool
code_fits(const struct authorise_request *q, const struct enrollment_row *n, const char *seat_id,
    struct authorisation *out, struct errbuf *why)
{
	const char *field = q->profile->scep.seat_field;
	const char *closed = why_closed(n, q->now_ms / 1000);

	if (strcmp(n->profile_id, q->profile->scep.id) != 0) {
		errbuf_set(why, "enrolment code: of another profile");
	} else if (seat_id[0] == '\0') {
		errbuf_set(
		    why, "enrolment code: of seat %s, the CSR names none in %s", n->seat_id, field);
	} else if (strcmp(n->seat_id, seat_id) != 0) {
		errbuf_set(why, "enrolment code: of seat %s, the CSR has %s in %s", n->seat_id,
		    seat_id, field);
	} else if (closed != NULL) {
		out->already_used = strcmp(closed, "redeemed") == 0;
		errbuf_set(why, "enrolment code: %s (seat %s)", closed, seat_id);
	} else {
		return true;
	}
	return false;
}

void
authorise_know_enrollment(const struct enrollment_row *n, struct authorisation *out)
{
	out->enrollment_row = n->row;
	out->seat_row = n->seat_row;
	snprintf(out->organization, sizeof(out->organization), "%s", n->organization);
	snprintf(out->department, sizeof(out->department), "%s", n->department);
	for (int i = 0; i < n->attribute_count; i++) {
		struct field_value *v = &out->manual[out->manual_count++];

		snprintf(v->type, sizeof(v->type), "%s", n->attributes[i].type);
		snprintf(v->value, sizeof(v->value), "%s", n->attributes[i].value);
	}
}

static enum authorise_rc
judge(const struct authorise_request *q, const struct enrollment_row *n, bool known, bool guarded,
    struct authorisation *out, struct errbuf *why)
{
	if (!known) {
		errbuf_set(why, "enrolment code: unknown (for seat %s)",
		    out->seat_id[0] != '\0' ? out->seat_id : "none");
	} else if (code_fits(q, n, out->seat_id, out, why)) {
		if (!guarded || !n->code_weak) {
			authorise_know_enrollment(n, out);
			return AUTHORISE_ALLOW;
		}
		errbuf_set(why,
		    "enrolment code: weak, and seat %s is slowed down by wrong ones: not from here",
		    out->seat_id);
		return AUTHORISE_DENY;
	}
	out->wrong_code =
	    out->seat_id[0] != '\0' && (!known || strcmp(n->seat_id, out->seat_id) != 0);
	return AUTHORISE_DENY;
}

/* The store is read for whatever comes: how long that takes tells nothing. */
static enum authorise_rc
check_code(const struct authoriser *a, const struct authorise_request *q, struct authorisation *out,
    struct errbuf *why)
{
	const char *profile_id = q->profile->scep.id;
	struct enrollment_throttle throttle = throttle_of(a->settings);
	int64_t now = q->now_ms / 1000;
	bool suspect = is_suspect(a, q);
	struct enrollment_standing standing;
	struct enrollment_row n;
	enum authorise_rc decision;
	enum store_rc rc;

	(void)seat_field_read(q->profile->scep.seat_field, q->csr, out->seat_id);
	if (store_enrollment_standing(
		a->store, profile_id, out->seat_id, &throttle, now, &standing, why) != STORE_OK ||
	    (rc = store_enrollment_by_hash(a->store, out->challenge_id, now, &n, why)) ==
		STORE_AWAY)
		return AUTHORISE_AWAY;
	if (!q->csr->has_challenge) {
		errbuf_set(why, "enrolment code: the CSR has none");
		return AUTHORISE_DENY;
	}
	if (suspect && (out->retry_after_s = wait_s(a, q, out->seat_id, why)) > 0)
		return AUTHORISE_DENY;
	decision = judge(q, &n, rc == STORE_OK, suspect && standing.slowed, out, why);
	octets_wipe(&n, sizeof(n));
	return decision;
}

const struct authorise_method authorise_enrollment_code = {"enrollmentCode", check_code};

void
authorise_note_wrong_code(const struct authorise_request *q, const struct authorisation *denial,
    struct authorise_wrong_code *out)
{
	const struct scep_profile_row *p = &q->profile->scep;

	*out = (struct authorise_wrong_code){.now_ms = q->now_ms};
	snprintf(out->profile_id, sizeof(out->profile_id), "%s", p->id);
	snprintf(out->profile, sizeof(out->profile), "%s", p->name);
	snprintf(out->seat_id, sizeof(out->seat_id), "%s", denial->seat_id);
	snprintf(out->network, sizeof(out->network), "%s", q->network != NULL ? q->network : "");
}

static bool
record_lock(const struct authoriser *a, const struct authorise_wrong_code *w, struct errbuf *why)
{
	char reason[96];
	const struct audit_event e = {
	    .time_ms = w->now_ms,
	    .actor = "system",
	    .action = "enrollment.lock",
	    .resource_type = "seat",
	    .resource_id = w->seat_id,
	    .profile = w->profile,
	    .outcome = "success",
	    .reason = reason,
	    .count = 1,
	};

	snprintf(reason, sizeof(reason), "%lld wrong codes: locked for %lld s",
	    (long long)a->settings->code_lock_after, (long long)a->settings->code_lock_s);
	return store_audit_write(a->store, &e, 1, why) == STORE_OK;
}

bool
authorise_count_wrong_code(
    const struct authoriser *a, const struct authorise_wrong_code *w, struct errbuf *why)
{
	struct enrollment_throttle throttle = throttle_of(a->settings);
	struct seat_limits l;
	int64_t retry_after_s;
	bool locked, counted;
	int exceeded;

	name_limits(&l, w->network, w->seat_id, COUNT_ALL, false);
	counted = limit_take(a->redis, w->profile_id, l.limits, 2, w->now_ms, &exceeded,
		      &retry_after_s, why) == REDIS_DONE;
	if (store_enrollment_wrong(a->store, w->profile_id, w->seat_id, &throttle, w->now_ms / 1000,
		&locked, why) != STORE_OK)
		return false;
	return (!locked || record_lock(a, w, why)) && counted;
}
