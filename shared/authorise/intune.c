/* intune.c: a CSR is Intune's to judge, with the challenge in it that Intune made; any doubt denies. */
#include "outbound/intune.h"

#include <string.h>

#include "authorise/method.h"

static void
describe(const char *what, const struct intune_answer *answer, const struct errbuf *reason,
    struct errbuf *why)
{
	bool told = answer->code[0] != '\0';

	errbuf_set(why, "Intune %s: %s%s%s%s%s", what, told ? answer->code : reason->line,
	    told && answer->description[0] != '\0' ? ": " : "", told ? answer->description : "",
	    answer->request_id[0] != '\0' ? "; client-request-id " : "", answer->request_id);
}

/* It asked Intune, and did not get its consent. */
static enum authorise_rc
deny(enum intune_rc rc, const struct intune_answer *answer, const struct errbuf *reason,
    struct authorisation *out, struct errbuf *why)
{
	static const char *const texts[] = {
	    [INTUNE_REFUSED] = "refused",
	    [INTUNE_CREDENTIALS] = "cannot be asked: tenant or client secret",
	    [INTUNE_PERMISSION] = "cannot be asked: permission",
	    [INTUNE_AWAY] = "cannot be asked",
	};

	out->undecided = rc != INTUNE_REFUSED;
	describe(texts[rc], answer, reason, why);
	return AUTHORISE_DENY;
}

static enum authorise_rc
check_intune(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	struct intune *intune = q->profile->intune;
	struct intune_answer answer = {.code = ""};
	struct errbuf reason = {0};
	enum intune_rc rc;

	out->method = "intune";
	out->delivery = "intune";
	if (intune == NULL) {
		errbuf_set(why, "Intune: the profile has no connection");
		return AUTHORISE_DENY;
	}
	/* Intune knows of no request that waits. */
	if (strcmp(q->profile->scep.approval, "manual") == 0) {
		errbuf_set(why, "Intune: not together with approval by hand");
		return AUTHORISE_DENY;
	}
	if (!q->csr->has_challenge) {
		errbuf_set(why, "challenge: the CSR has none");
		return AUTHORISE_DENY;
	}
	if (!authorise_may_call(a, why))
		return AUTHORISE_AWAY;
	rc = intune_validate(intune, q->transaction_id, q->csr->der, &answer, &reason);
	return rc == INTUNE_DONE ? AUTHORISE_ALLOW : deny(rc, &answer, &reason, out, why);
}

const struct authorise_method authorise_intune = {.mode = "intune", .check = check_intune};
