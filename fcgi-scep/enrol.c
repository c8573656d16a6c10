/*
 * enrol.c: the way of an enrolment: parse, open, repeat?, authorise, issue, answer.
 *
 * Every path answers exactly once and records exactly once; every path that does not commit gives a reserved challenge back.
 */
#include "enrol.h"

#include <openssl/evp.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "certrep.h"
#include "issue/issue.h"
#include "scep/reply.h"

#define SIGNING_TIME_SLACK_S 86400

/* What names this request, so that a repeat of it gets its first answer: profile, transactionID, CSR, and who signed. */
static bool
make_repeat_key(const struct transaction *t, const struct csr *csr, uint8_t out[32])
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
	struct errbuf why = {0};
	enum store_rc rc;

	rc = issue_repeat(t->worker->store, t->profile, repeat_key, now, &certificate, &why);
	if (rc == STORE_OK)
		certrep_success(t, buffer_octets(&certificate), true);
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

static void
issue_and_answer(struct transaction *t, const struct csr *csr, struct authorisation *grant,
    const uint8_t repeat_key[32], int64_t now_ms)
{
	struct issue_order order = {
	    .profile = t->profile,
	    .csr = csr,
	    .repeat_key = octets_of(repeat_key, 32),
	    .now = now_ms / 1000,
	    .legacy = t->legacy[0] != '\0' ? t->legacy : NULL,
	};
	struct issue_result result;
	struct errbuf why = {0};
	enum issue_rc rc;

	if (grant->one_time)
		order.challenge_id = octets_of(grant->challenge_id, sizeof(grant->challenge_id));
	transaction_event(t, &order.event);
	rc = issue_certificate(t->worker->store, &order, &result, &why);
	switch (rc) {
	case ISSUE_DONE:
		t->stage = "issued";
		memcpy(t->serial, result.serial, sizeof(t->serial));
		mark_used(t, grant, now_ms);
		if (!fault_here("marked"))
			certrep_success(t, buffer_octets(&result.certificate), false);
		break;
	case ISSUE_REPEAT:
		certrep_success(t, buffer_octets(&result.certificate), true);
		break;
	case ISSUE_CHALLENGE_USED:
		mark_used(t, grant, now_ms);
		certrep_failure(t, SCEP_BAD_REQUEST, NULL, "challenge: used (one-time)");
		break;
	case ISSUE_REFUSED:
		give_back(t, grant, true);
		certrep_failure(t, result.fail_info, result.text.line, why.line);
		break;
	default:
		give_back(t, grant, false);
		certrep_unavailable(t, why.line);
		break;
	}
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
		transaction_warn(t, pki_digest_name(csr->digest), "of the CSR");
		return true;
	}
	errbuf_set(&text, "CSR: digest %s is not accepted here", pki_digest_name(csr->digest));
	certrep_failure(t, SCEP_BAD_ALG, text.line, text.line);
	return false;
}

/* A CSR whose proof of possession held: a stranger's still. */
static void
enrol(struct transaction *t, const struct csr *csr)
{
	int64_t now_ms = clock_now_ms();
	struct authorisation grant;
	struct errbuf why = {0};
	uint8_t repeat_key[32];

	t->stage = "decrypted";
	transaction_know_csr(t, csr);
	if (!accepts_digest_of(t, csr))
		return;
	if (!make_repeat_key(t, csr, repeat_key)) {
		errbuf_ossl(&why, "repeat key");
		certrep_unavailable(t, why.line);
		return;
	}
	if (answer_repeat(t, octets_of(repeat_key, 32), now_ms / 1000))
		return;
	switch (authorise_enrolment(
	    &t->worker->authoriser, t->profile, csr, repeat_key, now_ms, &grant, &why)) {
	case AUTHORISE_ALLOW:
		break;
	case AUTHORISE_AWAY:
		certrep_unavailable(t, why.line);
		return;
	default:
		/* A copy of this request may have used the challenge a moment ago. */
		if (!grant.already_used ||
		    !answer_repeat(t, octets_of(repeat_key, 32), now_ms / 1000))
			certrep_failure(t, SCEP_BAD_REQUEST, NULL, why.line);
		return;
	}
	t->stage = "authorised";
	if (fault_here("reserved")) {
		give_back(t, &grant, false);
		certrep_unavailable(t, "a fault of the test build");
		return;
	}
	issue_and_answer(t, csr, &grant, repeat_key, now_ms);
}

/* Clients without a clock are common: noted, not refused. */
static void
note_signing_time(const struct transaction *t)
{
	const struct scep_request *m = t->message;
	int64_t off;

	if (!m->has_signing_time)
		return;
	off = m->signing_time - clock_now();
	if (off > SIGNING_TIME_SLACK_S || off < -SIGNING_TIME_SLACK_S)
		log_event(LOG_LEVEL_INFO, "signing-time", "the client's clock is off by %lld s",
		    (long long)off);
}

static const char *
stage_before(const char *failed)
{
	if (strcmp(failed, "verify") == 0)
		return "parsed";
	return strcmp(failed, "decrypt") == 0 ? "verified" : "decrypted";
}

static void
open_and_enrol(struct transaction *t)
{
	const struct profile *p = t->profile;
	struct scep_recipient recipient = profile_recipient(p);
	struct errbuf why = {0};
	const char *failed = "";
	struct csr csr = {0};

	switch (scep_request_open_csr(
	    t->message, &recipient, p->scep.require_signer_key, &csr, &failed, &why)) {
	case SCEP_OK:
		note_signing_time(t);
		enrol(t, &csr);
		break;
	case SCEP_FAULT:
		certrep_unavailable(t, why.line);
		break;
	default:
		/* One answer for all of them: which check failed would tell about the envelope. */
		t->stage = stage_before(failed);
		certrep_failure(t, SCEP_BAD_MESSAGE_CHECK, NULL, why.line);
		break;
	}
	csr_free(&csr);
}

/*
 * The reply is enveloped to the signer's key (RFC 8894 3.1), so that one which cannot receive it ends here: later a certificate would
 * be committed that nobody can be given.  And a larger key than devices may have only costs time to verify by.
 */
static enum scep_rc
check_signer_key(
    const struct transaction *t, enum scep_fail_info *fail, struct errbuf *why, struct errbuf *text)
{
	const struct public_key *key = &t->message->signer_key;
	int64_t most = t->profile->ra.max_rsa_bits;

	if (key->type != PKI_KEY_RSA) {
		*fail = SCEP_BAD_ALG;
		errbuf_set(text, "signer's key type %s is not accepted here, want RSA", key->name);
	} else if (key->bits > most) {
		*fail = SCEP_BAD_REQUEST;
		errbuf_set(text, "signer's key too large: have %s, want at most %lld bits",
		    key->name, (long long)most);
	} else {
		return SCEP_OK;
	}
	errbuf_set(why, "pkiMessage: %s", text->line);
	return SCEP_REFUSED;
}

void
enrol_serve(struct transaction *t, struct octets der)
{
	enum scep_fail_info fail = SCEP_NO_FAIL_INFO;
	struct errbuf why = {0}, text = {0};
	struct scep_request *message = NULL;
	enum scep_rc rc;

	if (!profile_open_keys(t->worker->profiles, t->profile, &why)) {
		certrep_unavailable(t, why.line);
		return;
	}
	rc = scep_request_parse(der, &message, &fail, &why);
	if (message != NULL)
		transaction_know_message(t, message);
	if (rc == SCEP_OK)
		rc = scep_request_check_algorithms(message, t->profile->scep.digests,
		    t->profile->scep.ciphers, &fail, &why, &text);
	if (rc == SCEP_OK)
		rc = check_signer_key(t, &fail, &why, &text);
	if (rc == SCEP_REFUSED) {
		certrep_failure(t, fail, text.line, why.line);
	} else if (rc == SCEP_UNANSWERABLE) {
		fcgi_respond_text(
		    t->http, 400, NULL, "This is no pkiMessage that can be answered.");
		transaction_refused(t, "refused", why.line);
	} else if (rc == SCEP_FAULT) {
		certrep_unavailable(t, why.line);
	} else if (message->message_type != SCEP_PKCS_REQ) {
		errbuf_set(&why, "messageType %d (%s) is not supported here", message->message_type,
		    scep_message_type_name(message->message_type));
		certrep_failure(t, SCEP_BAD_REQUEST, why.line, why.line);
	} else {
		open_and_enrol(t);
	}
}
