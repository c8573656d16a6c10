/* transaction_decide.c: approving and rejecting what waits, and recording the end of what nobody decided in time. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/transaction_pending.h"
#include "redis/challenge.h"
#include "scep/scep.h"
#include "store/seat_row.h"

#define POLL_S 86400 /* an approved one waits at least as long for its poll */

static struct audit_event
event_of(const struct manage_actor *by, const char *action, const struct transaction_row *row)
{
	struct audit_event e = manage_event(by, action, "transaction", row->id);

	e.profile = row->profile;
	e.transaction_id = row->transaction_id;
	e.message_type = scep_message_type_name(row->message_type);
	e.subject = row->subject;
	e.key_type = row->key_type;
	return e;
}

/* Give a one-time challenge back.  false with why: Redis could not be told, and it is free when its reservation ends. */
static bool
release_challenge(struct manage *m, const struct manage_transaction *t, struct errbuf *why)
{
	struct challenge_reservation c = {.profile_id = t->row.profile_id};

	if (t->row.challenge_id.len != sizeof(c.id) || t->challenge_token[0] == '\0')
		return true;
	memcpy(c.id, t->row.challenge_id.data, sizeof(c.id));
	memcpy(c.repeat_key, t->row.repeat_key, sizeof(c.repeat_key));
	memcpy(c.token, t->challenge_token, sizeof(c.token));
	/* REFUSED: another holds it, or it is used: not ours to give back. */
	return challenge_release(m->redis, &c, false, 0, why) != REDIS_AWAY;
}

/* CONFLICT, with who has decided it and how. */
static enum manage_rc
decided_already(const struct manage_transaction *t, struct manage_report *r)
{
	char time[ENCODING_TIME_SIZE];

	encoding_time(t->row.decided_at, time);
	return manage_fail(r, MANAGE_CONFLICT, "transaction %s is %s already, by %s at %s",
	    t->row.id, manage_transaction_state_name(t), t->row.decided_by, time);
}

static enum manage_rc
check(const struct manage_transaction *t, const char *reason, struct manage_report *r)
{
	char time[ENCODING_TIME_SIZE];

	if (reason != NULL && (strlen(reason) >= sizeof(t->row.reason) ||
				  !encoding_is_utf8(octets_of_string(reason)))) {
		manage_invalid(
		    r, "reason", "want UTF-8 of at most %zu octets", sizeof(t->row.reason) - 1);
		return manage_validity(r);
	}
	if (t->state == MANAGE_TRANSACTION_DECIDED)
		return decided_already(t, r);
	if (t->state == MANAGE_TRANSACTION_EXPIRED) {
		encoding_time(t->row.expires_at, time);
		return manage_fail(
		    r, MANAGE_CONFLICT, "transaction %s has expired: %s", t->row.id, time);
	}
	return MANAGE_OK;
}

static enum manage_rc
commit(struct manage *m, const struct manage_actor *by, bool approve, const char *reason,
    struct manage_transaction *t, struct manage_report *r)
{
	struct audit_event e;
	struct manage_transaction now = {.polls = -1};
	struct transaction_row *row = &t->row;
	enum manage_rc rc;

	row->status = approve ? TRANSACTION_APPROVED : TRANSACTION_REJECTED;
	row->decided_at = clock_now();
	if (approve && row->expires_at < row->decided_at + POLL_S)
		row->expires_at = row->decided_at + POLL_S;
	snprintf(row->decided_by, sizeof(row->decided_by), "%s", by->who);
	snprintf(row->reason, sizeof(row->reason), "%s", reason != NULL ? reason : "");
	row->fail_info = approve ? SCEP_NO_FAIL_INFO : SCEP_BAD_REQUEST;
	e = event_of(by, approve ? "transaction.approve" : "transaction.reject", row);
	e.reason = reason;
	switch (store_transaction_decide(m->store, row, &e, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_CONFLICT:
		/* Someone else was quicker, or this device has another request that is approved. */
		if (store_transaction_get_id(m->store, row->id, &now.row, NULL) == STORE_OK) {
			now.state = MANAGE_TRANSACTION_DECIDED;
			rc = decided_already(&now, r);
		} else {
			rc = manage_fail(r, MANAGE_CONFLICT,
			    "an earlier request of the same device is approved and waits for its "
			    "poll");
		}
		manage_transaction_free(&now);
		return rc;
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "profile %s is gone", row->profile);
	default:
		return MANAGE_AWAY;
	}
}

enum manage_rc
manage_transaction_decide(struct manage *m, const struct manage_actor *by, const char *id,
    bool approve, const char *reason, struct manage_transaction *out, struct manage_report *r)
{
	struct errbuf why = {0};
	enum manage_rc rc;

	if ((rc = manage_transaction_get(m, id, out, r)) != MANAGE_OK)
		return rc;
	if ((rc = check(out, reason, r)) != MANAGE_OK ||
	    (rc = commit(m, by, approve, reason, out, r)) != MANAGE_OK) {
		manage_transaction_free(out);
		return rc;
	}
	/* From here on it is decided, whatever Redis says: polls look in the store first. */
	out->state = MANAGE_TRANSACTION_DECIDED;
	if (!approve && !release_challenge(m, out, &why))
		manage_warn(r,
		    "it is rejected, but its challenge is free only when its reservation ends: %s",
		    why.line);
	if (transaction_remove(m->redis, out->row.profile_id, out->row.key, out->row.id, &why) !=
	    REDIS_DONE)
		manage_warn(r,
		    "it is decided, but Redis keeps its copy until that expires, which does no "
		    "harm: %s",
		    why.line);
	return MANAGE_OK;
}

/* --- those that nobody decided in time --- */

struct ended {
	struct manage_transaction *all;
	const char *profile;
	int count;
	int room;
	bool failed;
};

static bool
keep_ended(void *ctx, const struct pending *p)
{
	struct ended *e = ctx;

	if (e->count == e->room)
		return false;
	e->failed = !transaction_of_pending(p, e->profile, &e->all[e->count++]);
	return !e->failed;
}

/* A uuid that is the same whenever this end is recorded, so that it lands once; the same request may come again, and expire again. */
static bool
event_id_of(const struct transaction_row *row, char out[UUID_SIZE])
{
	uint8_t digest[32];
	char text[96];
	int n = snprintf(text, sizeof(text), "expired %s %" PRId64, row->id, row->expires_at);

	if (EVP_Digest(text, (size_t)n, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	encoding_uuid_of(digest, out);
	return true;
}

static enum manage_rc
record_end(struct manage *m, const struct manage_transaction *t, struct manage_report *r)
{
	static const struct manage_actor system = {.who = "system"};
	struct audit_event e = event_of(&system, "scep.enrol", &t->row);
	char reason[64], event_id[UUID_SIZE];

	snprintf(reason, sizeof(reason), "not approved in time, %" PRId64 " polls", t->polls);
	if (!event_id_of(&t->row, event_id))
		return manage_fail(r, MANAGE_FAULT, "no SHA-256");
	e.event_id = event_id;
	e.address = t->row.address;
	e.outcome = "refused";
	e.reason = reason;
	return manage_of_store(store_audit_write(m->store, &e, 1, &r->why), "audit", "row", r);
}

static enum manage_rc
end_one(struct manage *m, const struct manage_transaction *t, struct manage_report *r)
{
	struct transaction_row decided = {0};
	enum store_rc there = store_transaction_get_id(m->store, t->row.id, &decided, &r->why);
	enum manage_rc rc;

	transaction_row_free(&decided);
	if (there == STORE_AWAY)
		return MANAGE_AWAY;
	if (there == STORE_OK) /* Redis missed it: it was decided in time */
		return transaction_remove(m->redis, t->row.profile_id, t->row.key, t->row.id,
			   &r->why) == REDIS_DONE
			   ? MANAGE_OK
			   : MANAGE_AWAY;
	if ((rc = record_end(m, t, r)) != MANAGE_OK)
		return rc;
	if (t->row.enrollment_row != 0 &&
	    store_enrollment_pending(m->store, t->row.enrollment_row, false, &r->why) == STORE_AWAY)
		return MANAGE_AWAY;
	if (!release_challenge(m, t, &r->why) ||
	    transaction_ended(m->redis, t->row.profile_id, t->row.key, t->row.id, clock_now_ms(),
		&r->why) != REDIS_DONE)
		return MANAGE_AWAY;
	return MANAGE_OK;
}

/* Those of one profile. */
static enum manage_rc
sweep(struct manage *m, const struct transaction_profile *p, struct ended *e, int *ended,
    struct manage_report *r)
{
	enum manage_rc rc = MANAGE_OK;

	e->profile = p->name;
	e->count = 0;
	if (transaction_expired_each(
		m->redis, p->id, clock_now_ms(), e->room, keep_ended, e, &r->why) != REDIS_DONE)
		rc = MANAGE_AWAY;
	else if (e->failed)
		rc = manage_fail(r, MANAGE_FAULT, "out of memory");
	for (int i = 0; i < e->count; i++) {
		if (rc == MANAGE_OK && (rc = end_one(m, &e->all[i], r)) == MANAGE_OK)
			(*ended)++;
		manage_transaction_free(&e->all[i]);
	}
	return rc;
}

enum manage_rc
manage_transaction_sweep(struct manage *m, int limit, int *ended, struct manage_report *r)
{
	struct buffer all = {0};
	struct ended e = {.room = limit};
	enum manage_rc rc;

	*ended = 0;
	if ((e.all = calloc((size_t)limit, sizeof(*e.all))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	if ((rc = transaction_profiles(m, NULL, &all, r)) == MANAGE_OK)
		rc = manage_need_redis(m, r);
	for (size_t i = 0;
	     rc == MANAGE_OK && *ended < limit && i < all.len / sizeof(struct transaction_profile);
	     i++) {
		struct transaction_profile p = transaction_profile_at(&all, i);

		rc = sweep(m, &p, &e, ended, r);
	}
	buffer_free(&all);
	free(e.all);
	return rc;
}
