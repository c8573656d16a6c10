/* none.c: a profile where nobody enrols by a challenge: by hand, or by the certificate that is renewed. */
#include <string.h>

#include "authorise/method.h"

static enum authorise_rc
check_none(const struct authoriser *a, const struct authorise_request *q, struct authorisation *out,
    struct errbuf *why)
{
	(void)a;
	(void)out;
	if (strcmp(q->profile->scep.approval, "manual") == 0)
		return AUTHORISE_ALLOW; /* to wait: somebody decides */
	errbuf_set(
	    why, "challenge: the profile's mode is \"none\": a certificate can only be renewed");
	return AUTHORISE_DENY;
}

const struct authorise_method authorise_none = {"none", check_none};
