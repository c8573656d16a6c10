/* pending.c: a transaction's way from PENDING to its end; what is decided is in the store, what waits is in Redis. */
#include "pending.h"

#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "base/log.h"
#include "certrep.h"
#include "issue/issue.h"
#include "redis/transaction.h"
#include "store/transaction_row.h"

#define SECONDS_PER_HOUR 3600

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

/* The id that people use: of this very request, so that the same one again is no second transaction. */
static void
name_request(const uint8_t repeat_key[32], char id[37])
{
	encoding_uuid_of(repeat_key, id);
}

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

static bool
fill(struct transaction *t, const struct csr *csr, const struct authorisation *grant,
    const uint8_t repeat_key[32], int64_t now_ms, struct pending *p, struct buffer *sealed,
    struct errbuf *why)
{
	*p = (struct pending){
	    .profile_id = t->profile->scep.id,
	    .created_ms = now_ms,
	    .expires_ms = now_ms + t->profile->scep.transaction_expiry_s * 1000,
	    .message_type = t->message->message_type,
	    .transaction_id = octets_of_string(t->transaction_id),
	    .subject = buffer_octets(&t->subject),
	    .csr = csr->der,
	    .signer = t->message->signer.der,
	};

	snprintf(p->address, sizeof(p->address), "%s", fcgi_request_address(t->http));
	snprintf(p->method, sizeof(p->method), "%s", grant->method);
	snprintf(p->key_type, sizeof(p->key_type), "%s", csr->key.name);
	memcpy(p->repeat_key, repeat_key, sizeof(p->repeat_key));
	name_request(repeat_key, p->id);
	if (grant->one_time) {
		p->challenge_id = octets_of(grant->challenge_id, sizeof(grant->challenge_id));
		snprintf(
		    p->challenge_token, sizeof(p->challenge_token), "%s", grant->reservation.token);
	}
	if (grant->predecessor_id != 0)
		p->predecessor = t->message->signer.der;
	if (!pending_key(t, p->key)) {
		errbuf_ossl(why, "transaction: key");
		return false;
	}
	if (t->password.len > 0) {
		if (!master_key_seal(t->worker->master_key, octets_of(p->key, sizeof(p->key)),
			t->password, sealed, why))
			return false;
		p->sealed_password = buffer_octets(sealed);
	}
	return true;
}

void
pending_start(struct transaction *t, const struct csr *csr, struct authorisation *grant,
    const uint8_t repeat_key[32], int64_t now_ms)
{
	struct issue_result refusal = {.fail_info = SCEP_NO_FAIL_INFO};
	struct buffer sealed = {0};
	struct errbuf why = {0};
	struct pending p;

	/* What the rules refuse, nobody need look at. */
	switch (issue_check(t->profile, csr, &refusal, &why)) {
	case ISSUE_DONE:
		break;
	case ISSUE_REFUSED:
		give_back(t, grant, true);
		certrep_failure(t, refusal.fail_info, refusal.text.line, why.line);
		return;
	default:
		give_back(t, grant, false);
		certrep_unavailable(t, why.line);
		return;
	}
	if (fill(t, csr, grant, repeat_key, now_ms, &p, &sealed, &why) &&
	    hold_challenge(t, grant, now_ms, p.expires_ms, &why) && put(t, &p, now_ms, &why)) {
		certrep_pending(t, "waits for approval", false);
	} else {
		give_back(t, grant, false);
		certrep_unavailable(t, why.line);
	}
	buffer_free(&sealed);
}

/* ---- what the next message of the same transaction gets ---------------------------------------------------------------------- */

/* The answer that the row of a decided transaction leads to is given up to this time. */
static int64_t
answers_until(const struct transaction *t, const struct transaction_row *row)
{
	int64_t repeat = row->decided_at + t->profile->scep.replay_hours * SECONDS_PER_HOUR;

	return repeat > row->expires_at ? repeat : row->expires_at;
}

/* Approved, and then refused: it ends here, and the challenge is free again. */
static void
fail_approved(struct transaction *t, const struct transaction_row *row,
    enum scep_fail_info fail_info, const char *text, const char *reason, int64_t now_ms)
{
	struct challenge_reservation held = {.profile_id = t->profile->scep.id};
	enum challenge_state state;
	struct audit_event event;
	struct errbuf why = {0};
	enum store_rc rc;

	transaction_event(t, &event);
	event.outcome = "refused";
	event.reason = reason;
	event.fail_info = scep_fail_info_name(fail_info);
	rc = store_transaction_fail(t->worker->store, row->key, fail_info, text, &event, &why);
	if (rc != STORE_OK) {
		certrep_unavailable(t, why.line);
		return;
	}
	if (row->challenge_id.len == sizeof(held.id)) {
		/* The same request enters its own reservation, which gives the token to release it by. */
		memcpy(held.id, row->challenge_id.data, sizeof(held.id));
		memcpy(held.repeat_key, row->repeat_key, sizeof(held.repeat_key));
		if (challenge_reserve(t->worker->redis, &held, now_ms, 1000, &state, &why) ==
			REDIS_DONE &&
		    state == CHALLENGE_RESERVED)
			(void)challenge_release(t->worker->redis, &held, false, 0, &why);
	}
	certrep_failure(t, fail_info, text, reason);
}

/* Is what it renews still to be renewed?  false: answered. */
static bool
find_predecessor(struct transaction *t, const struct transaction_row *row, int64_t now_ms,
    int64_t *predecessor_id)
{
	static const char gone[] = "the certificate that it renews is no longer valid here",
			  renewed[] = "the certificate was renewed meanwhile";
	int64_t most = t->profile->scep.max_successors;
	struct certificate c;
	struct renewable r;
	struct errbuf why = {0};
	enum store_rc rc;

	*predecessor_id = 0;
	if (row->predecessor.len == 0)
		return true;
	if (!certificate_parse(buffer_octets(&row->predecessor), &c, &why)) {
		certrep_unavailable(t, why.line);
		return false;
	}
	rc = store_renewable(t->worker->store, c.serial, c.der, &r, &why);
	certificate_free(&c);
	if (rc == STORE_AWAY)
		certrep_unavailable(t, why.line);
	else if (rc != STORE_OK || r.revoked)
		fail_approved(t, row, SCEP_BAD_CERT_ID, gone, gone, now_ms);
	else if (most > 0 && r.successors >= most)
		fail_approved(t, row, SCEP_BAD_REQUEST, renewed, renewed, now_ms);
	else
		*predecessor_id = r.id;
	return *predecessor_id != 0;
}

static void
mark_used(struct transaction *t, const struct transaction_row *row, int64_t now_ms)
{
	struct authorisation grant = {.one_time = true};
	struct errbuf why = {0};

	if (row->challenge_id.len != sizeof(grant.reservation.id))
		return;
	grant.reservation.profile_id = t->profile->scep.id;
	memcpy(grant.reservation.id, row->challenge_id.data, sizeof(grant.reservation.id));
	if (!authorise_committed(&t->worker->authoriser, &grant, now_ms, &why))
		log_event(LOG_LEVEL_WARNING, "challenge-not-marked",
		    "the store keeps it from a second use: %s", why.line);
}

static void
issue_now(struct transaction *t, const struct transaction_row *row, const struct csr *csr,
    int64_t predecessor_id, int64_t now_ms)
{
	struct issue_order order = {
	    .profile = t->profile,
	    .authority = t->ra->authority,
	    .csr = csr,
	    .repeat_key = octets_of(row->repeat_key, sizeof(row->repeat_key)),
	    .challenge_id = buffer_octets(&row->challenge_id),
	    .predecessor_id = predecessor_id,
	    .transaction_key = octets_of(row->key, sizeof(row->key)),
	    .now = now_ms / 1000,
	};
	struct issue_result result;
	struct errbuf why = {0};

	transaction_note(t, "approved by %s", row->decided_by);
	order.note = t->note;
	transaction_event(t, &order.event);
	order.event.action = row->message_type == SCEP_RENEWAL_REQ || predecessor_id != 0
				 ? "scep.renew"
				 : "scep.enrol";
	switch (issue_certificate(t->worker->store, &order, &result, &why)) {
	case ISSUE_DONE:
		t->stage = "issued";
		memcpy(t->serial, result.serial, sizeof(t->serial));
		mark_used(t, row, now_ms);
		certrep_success(t, buffer_octets(&result.certificate), false);
		break;
	case ISSUE_REPEAT:
		certrep_success(t, buffer_octets(&result.certificate), true);
		break;
	case ISSUE_CHALLENGE_USED:
		fail_approved(t, row, SCEP_BAD_REQUEST, AUTHORISE_REFUSAL,
		    "challenge: used (one-time)", now_ms);
		break;
	case ISSUE_REFUSED:
		fail_approved(t, row, result.fail_info, result.text.line, why.line, now_ms);
		break;
	default:
		/* Issued by another worker a moment ago, say: the next poll gets it. */
		certrep_unavailable(t, why.line);
		break;
	}
	issue_result_free(&result);
}

static void
issue_approved(struct transaction *t, const struct transaction_row *row, int64_t now_ms)
{
	struct errbuf why = {0};
	struct csr csr;
	int64_t predecessor_id;

	if (!csr_parse(row->csr.data, row->csr.len, &csr, &why)) {
		certrep_unavailable(t, why.line);
		return;
	}
	t->stage = "authorised";
	transaction_know_csr(t, &csr);
	if (find_predecessor(t, row, now_ms, &predecessor_id))
		issue_now(t, row, &csr, predecessor_id, now_ms);
	csr_free(&csr);
}

static void
answer_decided(struct transaction *t, const struct transaction_row *row, struct octets certificate,
    int64_t now_ms)
{
	static const char rejected[] = "the request was rejected";
	char reason[sizeof(row->reason) + sizeof(row->decided_by) + 32];

	switch (row->status) {
	case TRANSACTION_APPROVED:
		issue_approved(t, row, now_ms);
		return;
	case TRANSACTION_ISSUED:
		certrep_success(t, certificate, true);
		return;
	case TRANSACTION_REJECTED:
		snprintf(reason, sizeof(reason), "rejected by %s: %s", row->decided_by,
		    row->reason[0] != '\0' ? row->reason : "without a reason");
		certrep_failure(t, (enum scep_fail_info)row->fail_info, rejected, reason);
		return;
	default:
		snprintf(reason, sizeof(reason), "approved by %s, then refused: %s",
		    row->decided_by, row->reason);
		certrep_failure(t, (enum scep_fail_info)row->fail_info, row->reason, reason);
		return;
	}
}

/* What keyed the reply when the request came, for a poll that brings none. */
static bool
unseal_password(struct transaction *t, const uint8_t key[32], const struct buffer *sealed,
    struct buffer *password, struct errbuf *why)
{
	if (t->password.len > 0 || sealed->len == 0)
		return true;
	if (!master_key_unseal(
		t->worker->master_key, octets_of(key, 32), buffer_octets(sealed), password, why))
		return false;
	t->password = buffer_octets(password);
	return true;
}

/* STORE_OK: answered; STORE_NONE: nothing is decided. */
static enum store_rc
continue_decided(
    struct transaction *t, const uint8_t key[32], const uint8_t *repeat_key, int64_t now_ms)
{
	struct buffer certificate = {0}, password = {0};
	struct transaction_row row = {0};
	struct errbuf why = {0};
	enum store_rc rc = store_transaction_get(t->worker->store, key, &row, &certificate, &why);

	if (rc == STORE_OK &&
	    ((repeat_key != NULL && memcmp(repeat_key, row.repeat_key, 32) != 0) ||
		(row.status != TRANSACTION_ISSUED && now_ms / 1000 > answers_until(t, &row))))
		rc = STORE_NONE;
	if (rc == STORE_OK && unseal_password(t, key, &row.sealed_password, &password, &why)) {
		answer_decided(t, &row, buffer_octets(&certificate), now_ms);
	} else if (rc != STORE_NONE) {
		certrep_unavailable(t, why.line);
		rc = STORE_OK;
	}
	transaction_row_free(&row);
	buffer_free(&certificate);
	if (password.len > 0)
		t->password = octets_of(NULL, 0);
	buffer_free(&password);
	return rc;
}

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
	if (!poll)
		(void)transaction_remove(
		    t->worker->redis, t->profile->scep.id, p->key, p->id, &why);
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
	if (continue_decided(t, key, repeat_key, now_ms) == STORE_OK ||
	    continue_waiting(t, key, repeat_key, now_ms, &there))
		return true;
	/* Decided between the two looks: it is in the store before it leaves Redis. */
	if (!there && continue_decided(t, key, repeat_key, now_ms) == STORE_OK)
		return true;
	if (csr == NULL)
		certrep_failure(t, SCEP_BAD_CERT_ID, none, none);
	return csr == NULL;
}
