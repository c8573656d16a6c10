/* intune.c: a CSR is Intune's to judge, with the challenge in it that Intune made; any doubt denies. */
#include "outbound/intune.h"

#include <string.h>

#include "authorise/method.h"

static enum authorise_rc
check_intune(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	struct intune *intune = q->profile->intune;
	struct intune_answer answer = {.code = ""};
	enum intune_rc rc;

	out->method = "intune";
	out->delivery = "intune";
	if (intune == NULL) {
		errbuf_set(why, "intune: the profile has no connection");
		return AUTHORISE_DENY;
	}
	/* Intune knows of no request that waits. */
	if (strcmp(q->profile->scep.approval, "manual") == 0) {
		errbuf_set(why, "intune: not together with approval by hand");
		return AUTHORISE_DENY;
	}
	if (!q->csr->has_challenge) {
		errbuf_set(why, "challenge: the CSR has none");
		return AUTHORISE_DENY;
	}
	if (!authorise_may_call(a, why))
		return AUTHORISE_AWAY;
	rc = intune_validate(intune, q->transaction_id, q->csr->der, &answer, why);
	out->undecided = rc != INTUNE_DONE && rc != INTUNE_REFUSED;
	return rc == INTUNE_DONE ? AUTHORISE_ALLOW : AUTHORISE_DENY;
}

const struct authorise_method authorise_intune = {.mode = "intune", .check = check_intune};
