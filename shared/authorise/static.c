/* static.c: one challenge for every device of a profile. */
#include "authorise/method.h"

static enum authorise_rc
check_static(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	const struct scep_profile_row *p = &q->profile->scep;
	bool right = octets_equal_secret(octets_of(out->challenge_id, sizeof(out->challenge_id)),
	    octets_of(p->challenge_hash, sizeof(p->challenge_hash)));

	(void)a;
	if (!p->challenge_set) {
		errbuf_set(why, "challenge: the profile has no static challenge set");
		return AUTHORISE_DENY;
	}
	if (!q->csr->has_challenge) {
		errbuf_set(why, "challenge: the CSR has none");
		return AUTHORISE_DENY;
	}
	if (!right) {
		errbuf_set(why, "challenge: wrong (static, %zu octets)", q->csr->challenge.len);
		return AUTHORISE_DENY;
	}
	return AUTHORISE_ALLOW;
}

const struct authorise_method authorise_static = {"static", check_static};
