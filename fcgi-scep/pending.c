/* pending.c: beginning to wait in Redis for somebody's approval, and what the next message of the same transaction gets. */
#include "pending.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "certrep.h"
#include "decided.h"
#include "issue/issue.h"
#include "issue/kept_csr.h"
#include "redis/transaction.h"

bool
pending_key(const struct transaction *t, uint8_t out[32])
{
	const struct octets parts[] = {
	    octets_of_string(t->profile->scep.id),
	    t->message->transaction_id,
	    t->message->signer.spki,
	};

	return master_key_mac(t->worker->master_key, MASTER_KEY_TRANSACTION, parts, 3, out);
}

/* ---- beginning to wait -------------------------------------------------------------------------------------------------------- */

static void
give_back(struct transaction *t, struct authorisation *grant, bool client_fault)
{
	struct errbuf why = {0};

	if (!authorise_release(&t->worker->authoriser, grant, client_fault, &why))
		log_event(LOG_LEVEL_WARNING, "challenge-not-released",
		    "it ends by itself after SCEP_CHALLENGE_RESERVE_S: %s", why.line);
}

/* The challenge is ours for as long as the transaction may wait. */
static bool
hold_challenge(struct transaction *t, struct authorisation *grant, int64_t now_ms,
    int64_t expires_ms, struct errbuf *why)
{
	enum challenge_state state;

	if (!grant->one_time)
		return true;
	if (challenge_reserve(t->worker->redis, &grant->reservation, now_ms, expires_ms - now_ms,
		&state, why) != REDIS_DONE)
		return false;
	if (state == CHALLENGE_RESERVED)
		return true;
	errbuf_set(why, "challenge: %s meanwhile", challenge_state_name(state));
	return false;
}

static bool
put(struct transaction *t, struct pending *p, int64_t now_ms, struct errbuf *why)
{
	struct buffer json = {0};
	enum redis_rc rc = REDIS_AWAY;

	if (transaction_event_json(t, "pending", "waits for approval", &json) &&
	    buffer_string(&json) != NULL)
		rc = transaction_put(t->worker->redis, p, now_ms, t->profile->scep.max_transactions,
		    buffer_string(&json), why);
	else
		errbuf_set(why, "transaction: out of memory");
	buffer_free(&json);
	return rc == REDIS_DONE;
}

/* What is kept that has a challenge in it. */
struct sealed {
	struct buffer csr;
	struct buffer password;
};

static bool
seal(struct transaction *t, const struct csr *csr, struct pending *p, struct sealed *sealed,
    struct errbuf *why)
{
	const struct master_key *k = t->worker->master_key;

	if (!kept_csr_seal(k, p->key, csr->der, &sealed->csr, why))
		return false;
	p->csr = buffer_octets(&sealed->csr);
	if (t->password.len == 0)
		return true;
	if (!master_key_seal(
		k, octets_of(p->key, sizeof(p->key)), t->password, &sealed->password, why))
		return false;
	p->sealed_password = buffer_octets(&sealed->password);
	return true;
}

static bool
fill(struct transaction *t, const struct csr *csr, const struct authorisation *grant,
    const uint8_t repeat_key[32], int64_t now_ms, struct pending *p, struct sealed *sealed,
    struct errbuf *why)
{
	*p = (struct pending){
	    .profile_id = t->profile->scep.id,
	    .created_ms = now_ms,
	    .expires_ms = now_ms + t->profile->scep.transaction_expiry_s * 1000,
	    .message_type = t->message->message_type,
	    .transaction_id = octets_of_string(t->transaction_id),
	    .subject = buffer_octets(&t->subject),
	    .signer = t->message->signer.der,
	};

	snprintf(p->address, sizeof(p->address), "%s", fcgi_request_address(t->http));
	snprintf(p->method, sizeof(p->method), "%s", grant->method);
	snprintf(p->key_type, sizeof(p->key_type), "%s", csr->key.name);
	memcpy(p->repeat_key, repeat_key, sizeof(p->repeat_key));
	p->enrollment_row = grant->enrollment_row;
	p->account_row = grant->account_row;
	if (grant->one_time || grant->enrollment_row != 0)
		p->challenge_id = octets_of(grant->challenge_id, sizeof(grant->challenge_id));
	if (grant->one_time) {
		snprintf(
		    p->challenge_token, sizeof(p->challenge_token), "%s", grant->reservation.token);
	}
	if (grant->predecessor_id != 0)
		p->predecessor = t->message->signer.der;
	if (!pending_key(t, p->key)) {
		errbuf_ossl(why, "transaction: key");
		return false;
	}
	if (!decided_next_id(t, p->key, repeat_key, now_ms, p->id, why))
		return false;
	return seal(t, csr, p, sealed, why);
}

/*
 * Another request of this transactionID and key waits: it ends by this one's coming, whose row says so.  *there: it is in old, which the caller
 * frees.
 */
static bool
find_replaced(struct transaction *t, const struct pending *p, int64_t now_ms, bool *there,
    struct pending *old, struct errbuf *why)
{
	if (transaction_get(t->worker->redis, p->profile_id, p->key, now_ms, false, there, old,
		why) != REDIS_DONE)
		return false;
	if (*there && (old->state != PENDING_WAITS ||
			  memcmp(old->repeat_key, p->repeat_key, sizeof(p->repeat_key)) == 0)) {
		pending_free(old);
		*there = false;
	}
	if (*there)
		transaction_note(
		    t, "replaces transaction %s, %lld polls", old->id, (long long)old->polls);
	return true;
}

static void
release_replaced(struct transaction *t, const struct pending *old)
{
	struct challenge_reservation held = {.profile_id = old->profile_id};
	struct errbuf why = {0};

	if (old->challenge_id.len != sizeof(held.id) || old->challenge_token[0] == '\0')
		return;
	memcpy(held.id, old->challenge_id.data, sizeof(held.id));
	memcpy(held.token, old->challenge_token, sizeof(held.token));
	/* REFUSED: another holds it, or it is used: not ours to give back. */
	if (challenge_release(t->worker->redis, &held, false, 0, &why) == REDIS_AWAY)
		log_event(LOG_LEVEL_WARNING, "challenge-not-released",
		    "it ends by itself with its transaction: %s", why.line);
}

/* What the enrolment is shown as; who may use its code is decided when it is issued. */
static void
show_enrollment(struct transaction *t, int64_t row, bool pending)
{
	struct errbuf why = {0};

	if (row != 0 &&
	    store_enrollment_pending(t->worker->store, row, pending, &why) == STORE_AWAY)
		log_event(LOG_LEVEL_WARNING, "enrollment-not-marked", "%s", why.line);
}

/* All of it into Redis, in the place of another one. */
static bool
keep(struct transaction *t, struct pending *p, struct authorisation *grant, int64_t now_ms,
    struct errbuf *why)
{
	struct pending old = {0};
	bool there = false, kept;

	kept = hold_challenge(t, grant, now_ms, p->expires_ms, why) &&
	       find_replaced(t, p, now_ms, &there, &old, why) && put(t, p, now_ms, why);
	if (kept && there) {
		release_replaced(t, &old);
		show_enrollment(t, old.enrollment_row, false);
	}
	if (kept)
		show_enrollment(t, p->enrollment_row, true);
	if (there)
		pending_free(&old);
	return kept;
}

void
pending_start(struct transaction *t, const struct csr *csr, struct authorisation *grant,
    const uint8_t repeat_key[32], int64_t now_ms)
{
	struct issue_order order = {
	    .profile = t->profile,
	    .csr = csr,
	    .manual = grant->manual,
	    .manual_count = grant->manual_count,
	    .now = now_ms / 1000,
	};
	struct issue_result refusal = {.fail_info = SCEP_NO_FAIL_INFO};
	struct sealed sealed = {{0}, {0}};
	struct errbuf why = {0};
	struct pending p;

	/* What the rules refuse, nobody need look at. */
	switch (issue_check(&order, &refusal, &why)) {
	case ISSUE_DONE:
		break;
	case ISSUE_REFUSED:
		give_back(t, grant, !refusal.ours);
		certrep_failure(t, refusal.fail_info, refusal.text.line, why.line);
		return;
	default:
		give_back(t, grant, false);
		certrep_unavailable(t, why.line);
		return;
	}
	if (fill(t, csr, grant, repeat_key, now_ms, &p, &sealed, &why) &&
	    keep(t, &p, grant, now_ms, &why)) {
		certrep_pending(t, "waits for approval", false);
	} else {
		give_back(t, grant, false);
		certrep_unavailable(t, why.line);
	}
	buffer_free(&sealed.csr);
	buffer_free(&sealed.password);
}

/* ---- what the next message of the same transaction gets ---------------------------------------------------------------------- */

/* The first poll has its row; of the others there is a count in the row of the end. */
static void
answer_waiting(struct transaction *t, const struct pending *p)
{
	if (p->polls == 1)
		certrep_pending(t, "first poll: waits for approval", true);
	else
		certrep_pending(t, "waits for approval", false);
}

static void
answer_expired(struct transaction *t, const struct pending *p, bool poll)
{
	static const char text[] = "the request was not approved in time";
	struct errbuf why = {0};

	/* A device that asks anew is told once, and begins anew the next time. */
	if (!poll) {
		(void)transaction_remove(
		    t->worker->redis, t->profile->scep.id, p->key, p->id, &why);
		show_enrollment(t, p->enrollment_row, false);
	}
	certrep_failure(t, SCEP_BAD_REQUEST, text, text);
}

/* true: answered. */
static bool
continue_waiting(struct transaction *t, const uint8_t key[32], const uint8_t *repeat_key,
    int64_t now_ms, bool *there)
{
	struct pending p = {0};
	struct errbuf why = {0};
	bool answered = true;

	*there = false;
	if (transaction_get(t->worker->redis, t->profile->scep.id, key, now_ms, true, there, &p,
		&why) != REDIS_DONE)
		certrep_unavailable(t, why.line);
	else if (!*there || (repeat_key != NULL &&
				memcmp(repeat_key, p.repeat_key, sizeof(p.repeat_key)) != 0))
		answered = false;
	else if (p.state == PENDING_EXPIRED)
		answer_expired(t, &p, repeat_key == NULL);
	else
		answer_waiting(t, &p);
	pending_free(&p);
	return answered;
}

bool
pending_continue(
    struct transaction *t, const struct csr *csr, const uint8_t *repeat_key, int64_t now_ms)
{
	static const char none[] = "no transaction of this transactionID and key waits here";
	uint8_t key[32];
	bool there;

	if (!pending_key(t, key)) {
		certrep_unavailable(t, "transaction: key");
		return true;
	}
	if (decided_answer(t, key, repeat_key, now_ms) == STORE_OK ||
	    continue_waiting(t, key, repeat_key, now_ms, &there))
		return true;
	/* Decided between the two looks: it is in the store before it leaves Redis. */
	if (!there && decided_answer(t, key, repeat_key, now_ms) == STORE_OK)
		return true;
	if (csr == NULL)
		certrep_failure(t, SCEP_BAD_CERT_ID, none, none);
	return csr == NULL;
}
