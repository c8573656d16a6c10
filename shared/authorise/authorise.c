/* authorise.c: static and one-time challenges, beside a certificate or alone. */
#include "authorise/authorise.h"

#include <string.h>

#include "authorise/anchor.h"
#include "authorise/renewal.h"
#include "pki/name.h"

bool
authorise_challenge_id(const struct master_key *k, const char *profile_id, struct octets challenge,
    uint8_t out[CHALLENGE_ID_SIZE])
{
	const struct octets parts[] = {octets_of_string(profile_id), challenge};

	return master_key_mac(k, MASTER_KEY_CHALLENGE, parts, 2, out);
}

static enum authorise_rc
check_static(const struct profile *p, const struct csr *csr, const uint8_t mac[CHALLENGE_ID_SIZE],
    struct errbuf *why)
{
	bool right = octets_equal_secret(octets_of(mac, CHALLENGE_ID_SIZE),
	    octets_of(p->scep.challenge_hash, sizeof(p->scep.challenge_hash)));

	if (!p->scep.challenge_set) {
		errbuf_set(why, "challenge: the profile has no static challenge set");
		return AUTHORISE_DENY;
	}
	if (!csr->has_challenge) {
		errbuf_set(why, "challenge: the CSR has none");
		return AUTHORISE_DENY;
	}
	if (!right) {
		errbuf_set(why, "challenge: wrong (static, %zu octets)", csr->challenge.len);
		return AUTHORISE_DENY;
	}
	return AUTHORISE_ALLOW;
}

/* A commonName other than want into *other; false where there is none.  *count: how many there are in all. */
static bool
find_other_name(struct octets subject, struct octets want, struct buffer *other, int *count)
{
	const struct name_type *common_name = name_type_of_field("subject.commonName");
	struct name_view *v;
	bool found = false;

	*count = 0;
	if (!name_parse(subject, &v, NULL))
		return false;
	for (int i = 0; i < name_count(v) && !found; i++) {
		const struct name_attribute *a = name_get0(v, i);

		if (!octets_equal(a->oid, common_name->oid))
			continue;
		(*count)++;
		buffer_free(other);
		found = !name_value_utf8(a->value, a->tag, other) ||
			!octets_equal(buffer_octets(other), want);
	}
	name_free(v);
	return found;
}

/*
 * The subject a challenge was bound to when it was minted (--bind-cn).  Every commonName has to be it: readers differ in which
 * of several they go by.
 */
static bool
check_binding(const char *bind_cn, const struct csr *csr, struct errbuf *why)
{
	struct buffer cn = {0};
	bool fits = true;
	int count;

	if (bind_cn[0] == '\0')
		return true;
	if (find_other_name(csr->subject, octets_of_string(bind_cn), &cn, &count)) {
		errbuf_set(why, "challenge: bound to CN %s, the CSR has %.*s", bind_cn,
		    (int)(cn.len > 128 ? 128 : cn.len), cn.len > 0 ? (const char *)cn.data : "");
		fits = false;
	} else if (count == 0) {
		errbuf_set(why, "challenge: bound to CN %s, the CSR has no CN", bind_cn);
		fits = false;
	}
	buffer_free(&cn);
	return fits;
}

static enum authorise_rc
check_dynamic(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	struct challenge_reservation *r = &out->reservation;
	enum challenge_state state;
	struct errbuf ignored = {0};

	r->profile_id = q->profile->scep.id;
	memcpy(r->id, out->challenge_id, sizeof(r->id));
	memcpy(r->repeat_key, q->repeat_key, sizeof(r->repeat_key));
	if (challenge_reserve(a->redis, r, q->now_ms, a->settings->reserve_s * 1000, &state, why) !=
	    REDIS_DONE) {
		errbuf_prefix(why, "challenge");
		return AUTHORISE_AWAY;
	}
	if (!q->csr->has_challenge) {
		errbuf_set(why, "challenge: the CSR has none");
		return AUTHORISE_DENY;
	}
	if (state != CHALLENGE_RESERVED) {
		out->already_used = state == CHALLENGE_USED || state == CHALLENGE_HELD;
		errbuf_set(why, "challenge: %s (one-time)", challenge_state_name(state));
		return AUTHORISE_DENY;
	}
	out->one_time = true;
	if (!check_binding(r->binding.cn, q->csr, why)) {
		(void)authorise_release(a, out, true, &ignored);
		return AUTHORISE_DENY;
	}
	return AUTHORISE_ALLOW;
}

static enum authorise_rc
check_challenge(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	const struct profile *p = q->profile;

	out->fail_info = SCEP_BAD_REQUEST;
	errbuf_set(&out->text, "%s", AUTHORISE_REFUSAL);
	out->challenge_version = p->scep.challenge_version;
	if (!authorise_challenge_id(
		a->master_key, p->scep.id, q->csr->challenge, out->challenge_id)) {
		errbuf_ossl(why, "challenge: HMAC");
		return AUTHORISE_AWAY;
	}
	if (strcmp(p->scep.challenge_mode, "static") == 0) {
		out->method = "static";
		return check_static(p, q->csr, out->challenge_id, why);
	}
	if (strcmp(p->scep.challenge_mode, "dynamic") == 0) {
		out->method = "dynamic";
		return check_dynamic(a, q, out, why);
	}
	errbuf_set(why, "challenge: the profile's mode is \"%s\": nobody may enrol",
	    p->scep.challenge_mode);
	return AUTHORISE_DENY;
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
	if (rc == AUTHORISE_ALLOW && !q->profile->scep.certificate_renewal &&
	    (rc = check_challenge(a, q, out, why)) != AUTHORISE_ALLOW)
		return rc;
	if (rc == AUTHORISE_ALLOW) {
		if (out->method == NULL)
			out->method = "certificate";
		out->predecessor_id = renewal.predecessor_id;
		return rc;
	}
	if (renewal.predecessor_id == 0 &&
	    anchor_trusts(q->profile, q->signer, q->csr, q->now_ms)) {
		out->method = "anchor";
		return AUTHORISE_ALLOW;
	}
	return check_challenge_instead(a, q, &renewal, out, why);
}

enum authorise_rc
authorise_enrolment(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	memset(out, 0, sizeof(*out));
	if (q->signer_self_signed && q->message_type != SCEP_RENEWAL_REQ)
		return check_challenge(a, q, out, why);
	return check_certificate(a, q, out, why);
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
