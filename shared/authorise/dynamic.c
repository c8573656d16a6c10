/* dynamic.c: one-time challenges, made for one device each, and perhaps bound to what it is. */
#include <string.h>

#include "authorise/binding.h"
#include "authorise/method.h"

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
	if (!binding_fits(&r->binding, q->csr, why)) {
		(void)authorise_release(a, out, true, &ignored);
		return AUTHORISE_DENY;
	}
	return AUTHORISE_ALLOW;
}

const struct authorise_method authorise_dynamic = {"dynamic", check_dynamic};
