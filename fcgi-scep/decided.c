/* decided.c: from somebody's decision, which is in the store, to the device's answer. */
#include "decided.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/encoding.h"
#include "base/log.h"
#include "certrep.h"
#include "enrol.h"
#include "issue/issue.h"
#include "issue/kept_csr.h"
#include "redis/transaction.h"
#include "store/certificate_row.h"
#include "store/transaction_row.h"
#include "telling.h"

#define SECONDS_PER_HOUR 3600

/* The answer that the row of a decided transaction leads to is given up to this time. */
static int64_t
answers_until(const struct transaction *t, const struct transaction_row *row)
{
	int64_t repeat = row->decided_at + t->profile->scep.replay_hours * SECONDS_PER_HOUR;

	return repeat > row->expires_at ? repeat : row->expires_at;
}

/* Otherwise what its challenge_id names is an enrolment code, which the store alone keeps. */
static bool
is_one_time(const struct transaction_row *row)
{
	return row->challenge_id.len == CHALLENGE_ID_SIZE && strcmp(row->method, "dynamic") == 0;
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
	if (is_one_time(row)) {
		/* The same request enters its own reservation, which gives the token to release it by. */
		memcpy(held.id, row->challenge_id.data, sizeof(held.id));
		memcpy(held.repeat_key, row->repeat_key, sizeof(held.repeat_key));
		if (challenge_reserve(t->worker->redis, &held, now_ms, 1000, &state, &why) ==
			REDIS_DONE &&
		    state == CHALLENGE_RESERVED)
			(void)challenge_release(t->worker->redis, &held, false, 0, &why);
	}
	/* The row of this request was in that commit. */
	t->recorded = true;
	certrep_failure(t, fail_info, text, reason);
}

/* Is what it renews still to be renewed?  false: answered. */
static bool
find_predecessor(
    struct transaction *t, const struct transaction_row *row, int64_t now_ms, struct renewable *r)
{
	static const char gone[] = "the certificate that it renews is no longer valid here",
			  renewed[] = "the certificate was renewed meanwhile";
	int64_t most = t->profile->scep.max_successors;
	struct certificate c;
	struct errbuf why = {0};
	enum store_rc rc;

	*r = (struct renewable){0};
	if (row->predecessor.len == 0)
		return true;
	if (!certificate_parse(buffer_octets(&row->predecessor), &c, &why)) {
		certrep_unavailable(t, why.line);
		return false;
	}
	rc = store_renewable(t->worker->store, c.serial, c.der, r, &why);
	certificate_free(&c);
	if (rc == STORE_AWAY)
		certrep_unavailable(t, why.line);
	else if (rc != STORE_OK || r->revoked)
		fail_approved(t, row, SCEP_BAD_CERT_ID, gone, gone, now_ms);
	else if (most > 0 && r->successors >= most)
		fail_approved(t, row, SCEP_BAD_REQUEST, renewed, renewed, now_ms);
	else
		return true;
	return false;
}

static void
mark_used(struct transaction *t, struct authorisation *grant, int64_t now_ms)
{
	struct errbuf why = {0};

	if (!authorise_committed(&t->worker->authoriser, grant, now_ms, &why))
		log_event(LOG_LEVEL_WARNING, "challenge-not-marked",
		    "the store keeps it from a second use: %s", why.line);
}

/* Another poll of the same moment may have issued it: then it has its answer too. */
static bool
answer_issued(struct transaction *t, const struct transaction_row *row)
{
	struct transaction_row now = {0};
	struct buffer certificate = {0};
	bool issued = store_transaction_get(t->worker->store, row->key, &now, &certificate, NULL) ==
			  STORE_OK &&
		      now.status == TRANSACTION_ISSUED;

	if (issued)
		certrep_again(t, buffer_octets(&certificate), now.undelivered);
	transaction_row_free(&now);
	buffer_free(&certificate);
	return issued;
}

static void
issue_now(struct transaction *t, const struct transaction_row *row, const struct csr *csr,
    struct authorisation *grant, int64_t now_ms)
{
	struct issue_order order = {
	    .profile = t->profile,
	    .authority = t->ra->authority,
	    .csr = csr,
	    .repeat_key = octets_of(row->repeat_key, sizeof(row->repeat_key)),
	    .transaction_key = octets_of(row->key, sizeof(row->key)),
	    .now = now_ms / 1000,
	};
	struct issue_result result;
	struct errbuf why = {0};
	enum issue_rc rc;

	enrol_order_for(grant, &order);
	transaction_note(t, "approved by %s", row->decided_by);
	order.note = t->note;
	transaction_event(t, &order.event);
	order.event.action = row->message_type == SCEP_RENEWAL_REQ || grant->predecessor_id != 0
				 ? "scep.renew"
				 : "scep.enrol";
	rc = issue_certificate(t->worker->store, &order, &result, &why);
	switch (rc) {
	case ISSUE_DONE:
		t->stage = "issued";
		memcpy(t->serial, result.serial, sizeof(t->serial));
		mark_used(t, grant, now_ms);
		certrep_success(t, buffer_octets(&result.certificate), false);
		break;
	case ISSUE_REPEAT:
		certrep_again(t, buffer_octets(&result.certificate), result.undelivered);
		break;
	case ISSUE_CHALLENGE_USED:
		fail_approved(t, row, SCEP_BAD_REQUEST, AUTHORISE_REFUSAL,
		    "challenge: used (one-time)", now_ms);
		break;
	case ISSUE_UNAUTHORISED:
		fail_approved(t, row, SCEP_BAD_REQUEST, AUTHORISE_REFUSAL, why.line, now_ms);
		break;
	case ISSUE_REFUSED:
		fail_approved(t, row, result.fail_info, result.text.line, why.line, now_ms);
		break;
	case ISSUE_CHANGED:
		if (!answer_issued(t, row))
			certrep_unavailable(t, why.line);
		break;
	default:
		certrep_unavailable(t, why.line);
		break;
	}
	telling_about(t, csr, rc, &result);
	issue_result_free(&result);
}

static bool
read_csr(
    struct transaction *t, const struct transaction_row *row, struct csr *csr, struct errbuf *why)
{
	struct buffer der = {0};
	bool ok =
	    kept_csr_open(t->worker->master_key, row->key, buffer_octets(&row->csr), &der, why) &&
	    csr_parse(der.data, der.len, csr, why);

	buffer_free(&der);
	return ok;
}

static void
issue_approved(struct transaction *t, const struct transaction_row *row, int64_t now_ms)
{
	struct authorisation grant;
	struct renewable predecessor;
	struct errbuf why = {0};
	struct csr csr;

	if (!read_csr(t, row, &csr, &why)) {
		certrep_unavailable(t, why.line);
		return;
	}
	t->stage = "authorised";
	transaction_know_csr(t, &csr);
	/* The profile was given to Intune meanwhile, which was not asked about this. */
	if (strcmp(t->profile->scep.challenge_mode, "intune") == 0) {
		fail_approved(t, row, SCEP_BAD_REQUEST, AUTHORISE_REFUSAL,
		    "intune: not together with approval by hand", now_ms);
		goto done;
	}
	if (!find_predecessor(t, row, now_ms, &predecessor))
		goto done;
	switch (authorise_approved(&t->worker->authoriser, row, now_ms / 1000, &grant, &why)) {
	case AUTHORISE_ALLOW:
		authorise_inherit(&predecessor, &grant);
		issue_now(t, row, &csr, &grant, now_ms);
		break;
	case AUTHORISE_AWAY:
		certrep_unavailable(t, why.line);
		break;
	default:
		fail_approved(t, row, SCEP_BAD_REQUEST, AUTHORISE_REFUSAL, why.line, now_ms);
		break;
	}
done:
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
		certrep_again(t, certificate, row->undelivered);
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

/* Is the certificate still good?  NONE: revoked, or its time is over. */
static enum store_rc
check_certificate(struct transaction *t, struct octets certificate, int64_t now, struct errbuf *why)
{
	struct certificate c;
	struct renewable r;
	enum store_rc rc;

	if (!certificate_parse(certificate, &c, why))
		return STORE_AWAY;
	rc = store_renewable(t->worker->store, c.serial, c.der, &r, why);
	if (rc == STORE_OK && (r.revoked || now > r.not_after))
		rc = STORE_NONE;
	certificate_free(&c);
	return rc;
}

/* OK: the row still answers; NONE: it is over, or what it led to is. */
static enum store_rc
check_row(struct transaction *t, const struct transaction_row *row, struct octets certificate,
    int64_t now, struct errbuf *why)
{
	if (now > answers_until(t, row))
		return STORE_NONE;
	return row->status == TRANSACTION_ISSUED ? check_certificate(t, certificate, now, why)
						 : STORE_OK;
}

/*
 * A client whose transactionID is made of its key asks anew under the same one, and a poll does not say which request it means: the last.
 * One that is approved is issued first, whatever waits behind it; and without Redis the store tells what it knows.
 */
static bool
newer_waits(struct transaction *t, const struct transaction_row *row, int64_t now_ms)
{
	struct pending p = {0};
	struct errbuf why = {0};
	bool there = false, newer;

	if (row->status == TRANSACTION_APPROVED)
		return false;
	newer = transaction_get(t->worker->redis, t->profile->scep.id, row->key, now_ms, false,
		    &there, &p, &why) == REDIS_DONE &&
		there && strcmp(p.id, row->id) != 0;
	pending_free(&p);
	return newer;
}

enum store_rc
decided_answer(
    struct transaction *t, const uint8_t key[32], const uint8_t *repeat_key, int64_t now_ms)
{
	struct buffer certificate = {0}, password = {0};
	struct transaction_row row = {0};
	struct errbuf why = {0};
	enum store_rc rc = store_transaction_get(t->worker->store, key, &row, &certificate, &why);

	if (rc == STORE_OK && (repeat_key != NULL ? memcmp(repeat_key, row.repeat_key, 32) != 0
						  : newer_waits(t, &row, now_ms)))
		rc = STORE_NONE;
	if (rc == STORE_OK)
		rc = check_row(t, &row, buffer_octets(&certificate), now_ms / 1000, &why);
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

/* Of the request and of when it was decided the last time. */
static bool
id_after(const uint8_t repeat_key[32], int64_t decided_at, char id[37], struct errbuf *why)
{
	uint8_t in[32 + sizeof(decided_at)], digest[32];

	memcpy(in, repeat_key, 32);
	memcpy(in + 32, &decided_at, sizeof(decided_at));
	if (EVP_Digest(in, sizeof(in), digest, NULL, EVP_sha256(), NULL) != 1) {
		errbuf_ossl(why, "transaction: id");
		return false;
	}
	encoding_uuid_of(digest, id);
	return true;
}

bool
decided_next_id(struct transaction *t, const uint8_t key[32], const uint8_t repeat_key[32],
    int64_t now_ms, char id[37], struct errbuf *why)
{
	struct buffer certificate = {0};
	struct transaction_row row = {0};
	enum store_rc rc = store_transaction_get(t->worker->store, key, &row, &certificate, why);
	bool ok = true, again = false;

	if (rc == STORE_OK && memcmp(repeat_key, row.repeat_key, 32) == 0) {
		rc = check_row(t, &row, buffer_octets(&certificate), now_ms / 1000, why);
		again = rc == STORE_NONE;
	}
	if (rc == STORE_AWAY)
		ok = false;
	else if (again)
		ok = id_after(repeat_key, row.decided_at, id, why);
	else
		encoding_uuid_of(repeat_key, id);
	transaction_row_free(&row);
	buffer_free(&certificate);
	return ok;
}
