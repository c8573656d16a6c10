/* authorise.c: the ways to prove it in their order: a certificate, an account's secret, what the profile's mode asks for. */
#include "authorise/authorise.h"

#include <string.h>

#include "authorise/anchor.h"
#include "authorise/method.h"
#include "authorise/renewal.h"

/* A mode that is not here lets nobody in. */
static const struct authorise_method *const methods[] = {
    &authorise_none,
    &authorise_static,
    &authorise_dynamic,
    &authorise_enrollment_code,
    &authorise_intune,
    &authorise_webhook,
};

bool
authorise_challenge_id(const struct master_key *k, const char *profile_id, struct octets challenge,
    uint8_t out[CHALLENGE_ID_SIZE])
{
	const struct octets parts[] = {octets_of_string(profile_id), challenge};

	return master_key_mac(k, MASTER_KEY_CHALLENGE, parts, 2, out);
}

static const struct authorise_method *
method_of(const char *mode)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(mode, methods[i]->mode) == 0)
			return methods[i];
	return NULL;
}

/* An account's secret is accepted besides what the mode asks for; Intune's challenges are made by Intune alone. */
static bool
may_be_account(const struct authorise_request *q)
{
	return q->profile->account_count > 0 && q->csr->has_challenge &&
	       strcmp(q->profile->scep.challenge_mode, "intune") != 0;
}

/* Behind the account's, which is told only where there is one. */
static enum authorise_rc
check_mode(const struct authoriser *a, const struct authorise_request *q,
    const struct authorise_method *method, struct authorisation *out, struct errbuf *why)
{
	struct errbuf account_why = {0};
	enum authorise_rc rc;

	if (may_be_account(q) &&
	    (rc = authorise_account(a, q, out, &account_why)) != AUTHORISE_DENY) {
		*why = account_why;
		return rc;
	}
	out->method = method->mode;
	rc = method->check(a, q, out, why);
	if (rc == AUTHORISE_DENY && account_why.line[0] != '\0')
		errbuf_prefix(why, "%s; %s", account_why.line, method->mode);
	return rc;
}

static enum authorise_rc
check_challenge(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	const struct profile *p = q->profile;
	const struct authorise_method *method = method_of(p->scep.challenge_mode);

	out->fail_info = SCEP_BAD_REQUEST;
	errbuf_set(&out->text, "%s", AUTHORISE_REFUSAL);
	out->challenge_version = p->scep.challenge_version;
	if (!authorise_challenge_id(
		a->master_key, p->scep.id, q->csr->challenge, out->challenge_id)) {
		errbuf_ossl(why, "challenge: HMAC");
		return AUTHORISE_AWAY;
	}
	if (method == NULL) {
		errbuf_set(why, "challenge: the profile's mode is \"%s\": nobody may enrol",
		    p->scep.challenge_mode);
		return AUTHORISE_DENY;
	}
	return check_mode(a, q, method, out, why);
}

/*
 * Is the challenge the signer's to spend?  Whoever sees a message may wrap its envelope anew under a certificate of his own: so the signer has the
 * CSR's key, or is ours and for the same names.
 */
static bool
may_spend_challenge(const struct authorise_request *q, const struct renewal *renewal)
{
	struct errbuf ignored = {0};

	return q->csr->has_challenge &&
	       (!q->profile->scep.require_signer_key ||
		   octets_equal(q->signer->spki, q->csr->spki) ||
		   (renewal->predecessor_id != 0 && renewal_same_identity(q, &ignored)));
}

/* The certificate did not authorise: a challenge still may, and if it does not, the answer is the certificate's. */
static enum authorise_rc
check_challenge_instead(const struct authoriser *a, const struct authorise_request *q,
    const struct renewal *renewal, struct authorisation *out, struct errbuf *why)
{
	bool may_try = may_spend_challenge(q, renewal);
	struct errbuf challenge_why = {0};
	enum authorise_rc rc = AUTHORISE_DENY;

	if (may_try)
		rc = check_challenge(a, q, out, &challenge_why);
	if (rc == AUTHORISE_AWAY)
		errbuf_set(why, "%s", challenge_why.line);
	else if (rc == AUTHORISE_DENY && may_try)
		errbuf_set(why, "%s; %s", renewal->why.line, challenge_why.line);
	else if (rc == AUTHORISE_DENY)
		errbuf_set(why, "%s", renewal->why.line);
	if (rc == AUTHORISE_DENY) {
		out->fail_info = renewal->fail_info;
		out->text = renewal->text;
	}
	return rc;
}

/* Intune is asked each time: a device that is no longer targeted would go round it with its certificate. */
static bool
asks_intune(const struct profile *p)
{
	return strcmp(p->scep.challenge_mode, authorise_intune.mode) == 0;
}

/* Who signs with a certificate of its own, or says that it renews. */
static enum authorise_rc
check_certificate(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	struct renewal renewal;
	enum authorise_rc rc;

	if ((rc = renewal_check(a->store, q, &renewal)) == AUTHORISE_AWAY) {
		errbuf_set(why, "%s", renewal.why.line);
		return rc;
	}
	if (rc == AUTHORISE_ALLOW &&
	    (!q->profile->scep.certificate_renewal || asks_intune(q->profile)) &&
	    (rc = check_challenge(a, q, out, why)) != AUTHORISE_ALLOW)
		return rc;
	if (rc == AUTHORISE_ALLOW) {
		if (out->method == NULL)
			out->method = "certificate";
		authorise_inherit(&renewal.predecessor, out);
		out->manual_count = fields_manual_of(&q->profile->rules, q->signer->subject,
		    q->signer->san, out->manual, ENROLLMENT_ATTRIBUTES_MAX);
		return rc;
	}
	if (renewal.predecessor_id == 0 && !asks_intune(q->profile) &&
	    anchor_trusts(q->profile, q->signer, q->csr, q->now_ms)) {
		out->method = "anchor";
		return AUTHORISE_ALLOW;
	}
	return check_challenge_instead(a, q, &renewal, out, why);
}

/* Others than the profile's mode may have a say too; what they deny is no wrong try at a challenge. */
static enum authorise_rc
ask_others(const struct authoriser *a, const struct authorise_request *q, struct authorisation *out,
    struct errbuf *why)
{
	struct errbuf ignored = {0};
	enum authorise_rc rc = AUTHORISE_ALLOW;

	if (strcmp(out->method, authorise_webhook.mode) != 0)
		rc = authorise_ask_webhooks(a, q, out, why);
	if (rc != AUTHORISE_ALLOW)
		(void)authorise_release(a, out, false, &ignored);
	return rc;
}

enum authorise_rc
authorise_enrolment(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	enum authorise_rc rc;

	memset(out, 0, sizeof(*out));
	if (q->signer_self_signed && q->message_type != SCEP_RENEWAL_REQ)
		rc = check_challenge(a, q, out, why);
	else
		rc = check_certificate(a, q, out, why);
	return rc == AUTHORISE_ALLOW ? ask_others(a, q, out, why) : rc;
}

bool
authorise_release(
    const struct authoriser *a, struct authorisation *g, bool client_fault, struct errbuf *why)
{
	enum redis_rc rc;

	if (!g->one_time)
		return true;
	g->one_time = false;
	rc = challenge_release(
	    a->redis, &g->reservation, client_fault, (int)a->settings->challenge_tries, why);
	return rc != REDIS_AWAY;
}

bool
authorise_committed(
    const struct authoriser *a, struct authorisation *g, int64_t now_ms, struct errbuf *why)
{
	if (!g->one_time)
		return true;
	return challenge_mark_used(a->redis, &g->reservation, now_ms, why) == REDIS_DONE;
}
