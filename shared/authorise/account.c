/* account.c: the generated secret of an account, which is a challenge for any number of devices. */
#include <stdio.h>
#include <string.h>

#include "authorise/method.h"
#include "store/account_row.h"

void
authorise_know_account(const struct account_row *account, struct authorisation *out)
{
	out->account_row = account->row;
	snprintf(out->organization, sizeof(out->organization), "%s", account->organization);
	snprintf(out->department, sizeof(out->department), "%s", account->department);
}

enum authorise_rc
authorise_account(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	struct account_row account;
	enum authorise_rc decision = AUTHORISE_DENY;
	enum store_rc rc;

	rc = store_account_by_hash(a->store, out->challenge_id, &account, why);
	if (rc == STORE_AWAY)
		return AUTHORISE_AWAY;
	if (rc != STORE_OK)
		return AUTHORISE_DENY;
	if (strcmp(account.profile_id, q->profile->scep.id) != 0) {
		errbuf_set(why, "account %s: of another profile", account.name);
	} else if (!account.enabled) {
		errbuf_set(why, "account %s: disabled", account.name);
	} else if (account.expires_at != 0 && account.expires_at <= q->now_ms / 1000) {
		errbuf_set(why, "account %s: expired", account.name);
	} else {
		out->method = AUTHORISE_BY_ACCOUNT;
		authorise_know_account(&account, out);
		decision = AUTHORISE_ALLOW;
	}
	octets_wipe(&account, sizeof(account));
	return decision;
}
