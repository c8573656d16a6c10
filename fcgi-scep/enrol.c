/*
 * enrol.c: the way of an enrolment or renewal: open, repeat?, authorise, issue or wait, answer.
 *
 * Every path answers exactly once and records exactly once; every path that neither commits nor waits gives a reserved challenge back.
 */
#include "enrol.h"

#include <openssl/evp.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "certrep.h"
#include "delivery.h"
#include "limits.h"
#include "message.h"
#include "pending.h"
#include "scep/password.h"
#include "seen.h"
#include "telling.h"

bool
enrol_repeat_key(const struct transaction *t, const struct csr *csr, uint8_t *out)
{
	const struct scep_request *m = t->message;
	uint8_t csr_digest[32], signer_digest[32];
	struct octets signer = m->signer_self_signed ? m->signer.spki : m->signer.der;
	const struct octets parts[] = {
	    octets_of_string(t->profile->scep.id),
	    m->transaction_id,
	    octets_of(csr_digest, sizeof(csr_digest)),
	    octets_of(signer_digest, sizeof(signer_digest)),
	};

	return EVP_Digest(csr->der.data, csr->der.len, csr_digest, NULL, pki_digest_md(PKI_SHA256),
		   NULL) == 1 &&
	       EVP_Digest(signer.data, signer.len, signer_digest, NULL, pki_digest_md(PKI_SHA256),
		   NULL) == 1 &&
	       master_key_mac(t->worker->master_key, MASTER_KEY_REPEAT, parts, 4, out);
}

/* The same request again?  true: answered, with its first certificate or with 503. */
static bool
answer_repeat(struct transaction *t, struct octets repeat_key, int64_t now)
{
	struct buffer certificate = {0};
	bool undelivered = false;
	struct errbuf why = {0};
	enum store_rc rc;

	rc = issue_repeat(
	    t->worker->store, t->profile, repeat_key, now, &certificate, &undelivered, &why);
	if (rc == STORE_OK)
		delivery_again(t, repeat_key.data, buffer_octets(&certificate), undelivered);
	else if (rc != STORE_NONE)
		certrep_unavailable(t, why.line);
	buffer_free(&certificate);
	return rc != STORE_NONE;
}

static void
give_back(struct transaction *t, struct authorisation *grant, bool client_fault)
{
	struct errbuf why = {0};

	if (!authorise_release(&t->worker->authoriser, grant, client_fault, &why))
		log_event(LOG_LEVEL_WARNING, "challenge-not-released",
		    "it ends by itself after SCEP_CHALLENGE_RESERVE_S: %s", why.line);
}

static void
mark_used(struct transaction *t, struct authorisation *grant, int64_t now_ms)
{
	struct errbuf why = {0};

	if (fault_here("committed"))
		return;
	if (!authorise_committed(&t->worker->authoriser, grant, now_ms, &why))
		log_event(LOG_LEVEL_WARNING, "challenge-not-marked",
		    "the store keeps it from a second use: %s", why.line);
}

void
enrol_order_for(const struct authorisation *grant, struct issue_order *order)
{
	order->challenge_version = grant->challenge_version;
	order->predecessor_id = grant->predecessor_id;
	order->enrollment_row = grant->enrollment_row;
	order->account_row = grant->account_row;
	order->seat_row = grant->seat_row;
	order->organization = grant->organization;
	order->department = grant->department;
	order->manual = grant->manual;
	order->manual_count = grant->manual_count;
	order->delivery = grant->delivery;
	if (grant->one_time || grant->enrollment_row != 0)
		order->challenge_id = octets_of(grant->challenge_id, sizeof(grant->challenge_id));
}

static void
issue_and_answer(struct transaction *t, const struct csr *csr, struct authorisation *grant,
    const uint8_t repeat_key[32], int64_t now_ms)
{
	struct issue_order order = {
	    .profile = t->profile,
	    .authority = t->ra->authority,
	    .csr = csr,
	    .repeat_key = octets_of(repeat_key, 32),
	    .now = now_ms / 1000,
	    .note = t->note[0] != '\0' ? t->note : NULL,
	};
	struct issue_result result;
	struct errbuf why = {0};
	enum issue_rc rc;

	enrol_order_for(grant, &order);
	transaction_event(t, &order.event);
	rc = issue_certificate(t->worker->store, &order, &result, &why);
	switch (rc) {
	case ISSUE_DONE:
		t->stage = "issued";
		memcpy(t->serial, result.serial, sizeof(t->serial));
		mark_used(t, grant, now_ms);
		if (!fault_here("marked") &&
		    !delivery_begin(t, grant->delivery, repeat_key, &result.certificate))
			rc = ISSUE_REPEAT; /* it stays here: nobody else is told of it */
		break;
	case ISSUE_REPEAT:
		delivery_again(
		    t, repeat_key, buffer_octets(&result.certificate), result.undelivered);
		break;
	case ISSUE_CHALLENGE_USED:
		mark_used(t, grant, now_ms);
		certrep_failure(
		    t, SCEP_BAD_REQUEST, AUTHORISE_REFUSAL, "challenge: used (one-time)");
		break;
	case ISSUE_UNAUTHORISED:
		give_back(t, grant, false);
		certrep_failure(t, SCEP_BAD_REQUEST, AUTHORISE_REFUSAL, why.line);
		break;
	case ISSUE_REFUSED:
		give_back(t, grant, !result.ours);
		certrep_failure(t, result.fail_info, result.text.line, why.line);
		break;
	default:
		give_back(t, grant, false);
		certrep_unavailable(t, why.line);
		break;
	}
	telling_about(t, csr, rc, &result);
	issue_result_free(&result);
}

/* The CSR's own digest: broken ones are for profiles that say so.  Asked behind the proof of possession, like all that is in it. */
static bool
accepts_digest_of(struct transaction *t, const struct csr *csr)
{
	struct errbuf text = {0};

	if ((csr->digest & PKI_DIGESTS_LEGACY) == 0)
		return true;
	if ((csr->digest & t->profile->scep.digests) != 0) {
		transaction_note(t, "warning: broken algorithm in use: %s (of the CSR)",
		    pki_digest_name(csr->digest));
		return true;
	}
	errbuf_set(&text, "CSR: digest %s is not accepted here", pki_digest_name(csr->digest));
	certrep_failure(t, SCEP_BAD_ALG, text.line, text.line);
	return false;
}

/* A key on a curve cannot decrypt: the reply is keyed by the challengePassword (RFC 8894 3.1), which whoever sees the reply may guess at. */
static bool
can_be_answered(struct transaction *t, const struct csr *csr)
{
	if (t->message->signer_key.type != PKI_KEY_EC)
		return true;
	if (!csr->has_challenge || !scep_password_is_strong(csr->challenge))
		return false;
	t->password = csr->challenge;
	return true;
}

static void
refuse_password(struct transaction *t, const struct csr *csr)
{
	static const char none[] = "a reply to an EC key is encrypted under the challengePassword, "
				   "and the CSR has none",
			  weak[] = "a reply to an EC key is encrypted under the challengePassword, "
				   "which must have 128 bits: 32 hexadecimal digits, say";
	const char *text = csr->has_challenge && csr->challenge.len > 0 ? weak : none;

	certrep_failure(t, SCEP_BAD_REQUEST, text, text);
}

/* Authorised, but too often: nothing is issued, and the challenge is as good as before.  false: answered. */
static bool
within_limits(struct transaction *t, struct authorisation *grant, int64_t now_ms)
{
	struct errbuf why = {0};
	int64_t wait_s = limits_of_grant(t, grant, now_ms, &why);

	if (wait_s == 0)
		return true;
	give_back(t, grant, false);
	limits_refuse(t, wait_s, why.line);
	return false;
}

/* A copy of this request may have used the challenge, or renewed, a moment ago: looked for always, as the time it takes would tell used from unknown. */
static void
refuse(struct transaction *t, const struct authorise_request *request,
    const struct authorisation *denial, const char *reason)
{
	if (answer_repeat(t, octets_of(request->repeat_key, 32), request->now_ms / 1000))
		return;
	if (denial->retry_after_s > 0) {
		limits_refuse(t, denial->retry_after_s, reason);
		return;
	}
	certrep_failure(t, denial->fail_info, denial->text.line, reason);
	if (!denial->undecided)
		limits_count_wrong(t, request->csr, request->now_ms);
	if (denial->wrong_code)
		authorise_note_wrong_code(request, denial, &t->worker->wrong_code);
}

/* Authorised: a certificate, or, where somebody approves by hand, its place among those that wait. */
static void
issue_or_wait(struct transaction *t, const struct csr *csr, struct authorisation *grant,
    const uint8_t repeat_key[32], int64_t now_ms)
{
	t->stage = "authorised";
	if (fault_here("reserved")) {
		give_back(t, grant, false);
		certrep_unavailable(t, "a fault of the test build");
	} else if (!can_be_answered(t, csr)) {
		give_back(t, grant, false);
		refuse_password(t, csr);
	} else if (strcmp(t->profile->scep.approval, "manual") == 0) {
		pending_start(t, csr, grant, repeat_key, now_ms);
	} else {
		issue_and_answer(t, csr, grant, repeat_key, now_ms);
	}
}

static void
decide(struct transaction *t, const struct authorise_request *request)
{
	struct authorisation grant;
	struct errbuf why = {0};

	switch (authorise_enrolment(&t->worker->authoriser, request, &grant, &why)) {
	case AUTHORISE_ALLOW:
		if (within_limits(t, &grant, request->now_ms))
			issue_or_wait(
			    t, request->csr, &grant, request->repeat_key, request->now_ms);
		return;
	case AUTHORISE_AWAY:
		certrep_unavailable(t, why.line);
		return;
	default:
		refuse(t, request, &grant, why.line);
		return;
	}
}

static void
authorise_and_issue(
    struct transaction *t, const struct csr *csr, const uint8_t repeat_key[32], int64_t now_ms)
{
	struct authorise_request request = {
	    .profile = t->profile,
	    .message_type = t->message->message_type,
	    .signer = &t->message->signer,
	    .signer_self_signed = t->message->signer_self_signed,
	    .csr = csr,
	    .repeat_key = repeat_key,
	    .transaction_id = t->transaction_id,
	    .now_ms = now_ms,
	};
	char network[NETWORK_SIZE];

	network_of(fcgi_request_address(t->http), network);
	request.network = network;
	if (limits_allow_try(t, csr, now_ms))
		decide(t, &request);
}

/* A CSR whose proof of possession held: a stranger's still. */
static void
enrol(struct transaction *t, const struct csr *csr)
{
	int64_t now_ms = clock_now_ms();
	struct errbuf why = {0};
	uint8_t repeat_key[32];

	t->stage = "decrypted";
	transaction_know_csr(t, csr);
	if (!accepts_digest_of(t, csr))
		return;
	/*
	 * Whose key the CSR has is told what is wrong with its password before anybody looks whether that is right; others, who may have wrapped
	 * somebody else's envelope anew, when they are authorised.
	 */
	if (!can_be_answered(t, csr) && octets_equal(csr->spki, t->message->signer.spki)) {
		refuse_password(t, csr);
		return;
	}
	if (!enrol_repeat_key(t, csr, repeat_key)) {
		errbuf_ossl(&why, "repeat key");
		certrep_unavailable(t, why.line);
		return;
	}
	if (answer_repeat(t, octets_of(repeat_key, 32), now_ms / 1000))
		return;
	if (strcmp(t->profile->scep.approval, "manual") == 0 &&
	    pending_continue(t, csr, repeat_key, now_ms))
		return;
	authorise_and_issue(t, csr, repeat_key, now_ms);
}

void
enrol_serve(struct transaction *t)
{
	struct scep_recipient recipient = profile_recipient(t->ra);
	struct errbuf why = {0};
	const char *failed = "";
	struct csr csr = {0};

	switch (scep_request_open_csr(
	    t->message, &recipient, t->profile->scep.require_signer_key, &csr, &failed, &why)) {
	case SCEP_OK:
		seen_signer(t);
		enrol(t, &csr);
		break;
	case SCEP_FAULT:
		certrep_unavailable(t, why.line);
		break;
	default:
		/* One answer for all of them: which check failed would tell about the envelope. */
		t->stage = message_stage_before(failed);
		certrep_failure(t, SCEP_BAD_MESSAGE_CHECK, NULL, why.line);
		break;
	}
	t->password = octets_of(NULL, 0);
	csr_free(&csr);
}
