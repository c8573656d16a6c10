/* authorise.c: static and one-time challenges. */
#include "authorise/authorise.h"

#include <string.h>

#include "base/log.h"
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
check_dynamic(const struct authoriser *a, const struct profile *p, const struct csr *csr,
    const uint8_t repeat_key[32], int64_t now_ms, struct authorisation *out, struct errbuf *why)
{
	struct challenge_reservation *r = &out->reservation;
	enum challenge_state state;
	struct errbuf ignored = {0};

	r->profile_id = p->scep.id;
	memcpy(r->id, out->challenge_id, sizeof(r->id));
	memcpy(r->repeat_key, repeat_key, sizeof(r->repeat_key));
	if (challenge_reserve(a->redis, r, now_ms, a->settings->reserve_s * 1000, &state, why) !=
	    REDIS_DONE) {
		errbuf_prefix(why, "challenge");
		return AUTHORISE_AWAY;
	}
	if (!csr->has_challenge) {
		errbuf_set(why, "challenge: the CSR has none");
		return AUTHORISE_DENY;
	}
	if (state != CHALLENGE_RESERVED) {
		out->already_used = state == CHALLENGE_USED || state == CHALLENGE_HELD;
		errbuf_set(why, "challenge: %s (one-time)", challenge_state_name(state));
		return AUTHORISE_DENY;
	}
	out->one_time = true;
	if (!check_binding(r->bind_cn, csr, why)) {
		(void)authorise_release(a, out, true, &ignored);
		return AUTHORISE_DENY;
	}
	return AUTHORISE_ALLOW;
}

enum authorise_rc
authorise_enrolment(const struct authoriser *a, const struct profile *p, const struct csr *csr,
    const uint8_t repeat_key[32], int64_t now_ms, struct authorisation *out, struct errbuf *why)
{
	memset(out, 0, sizeof(*out));
	if (!authorise_challenge_id(a->master_key, p->scep.id, csr->challenge, out->challenge_id)) {
		errbuf_ossl(why, "challenge: HMAC");
		return AUTHORISE_AWAY;
	}
	if (strcmp(p->scep.challenge_mode, "static") == 0) {
		out->method = "static";
		return check_static(p, csr, out->challenge_id, why);
	}
	if (strcmp(p->scep.challenge_mode, "dynamic") == 0) {
		out->method = "dynamic";
		return check_dynamic(a, p, csr, repeat_key, now_ms, out, why);
	}
	errbuf_set(why, "challenge: the profile's mode is \"%s\": nobody may enrol",
	    p->scep.challenge_mode);
	return AUTHORISE_DENY;
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
