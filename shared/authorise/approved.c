/* approved.c: what was authorised when a request came, looked up again when it is issued. */
#include <string.h>

#include "authorise/method.h"
#include "store/account_row.h"
#include "store/transaction_row.h"

/* Its code is named by its hash: a reissued one is another. */
static enum authorise_rc
find_enrollment(const struct authoriser *a, const struct transaction_row *row, int64_t now,
    struct authorisation *out, struct errbuf *why)
{
	struct enrollment_row n;
	enum authorise_rc decision = AUTHORISE_DENY;
	enum store_rc rc;

	rc = store_enrollment_by_hash(a->store, out->challenge_id, now, &n, why);
	if (rc == STORE_AWAY)
		return AUTHORISE_AWAY;
	if (rc != STORE_OK || n.row != row->enrollment_row) {
		errbuf_set(why, "enrolment code: deleted or made anew since");
	} else if (strcmp(n.status, "rejected") == 0 || strcmp(n.status, "redeemed") == 0) {
		errbuf_set(why, "enrolment code: %s (seat %s)", n.status, n.seat_id);
	} else {
		authorise_know_enrollment(&n, out);
		memcpy(out->seat_id, n.seat_id, sizeof(out->seat_id));
		decision = AUTHORISE_ALLOW;
	}
	octets_wipe(&n, sizeof(n));
	return decision;
}

static enum authorise_rc
find_account(const struct authoriser *a, const struct transaction_row *row,
    struct authorisation *out, struct errbuf *why)
{
	struct account_row account;
	enum store_rc rc = store_account_get_row(a->store, row->account_row, &account, why);

	if (rc == STORE_AWAY)
		return AUTHORISE_AWAY;
	if (rc != STORE_OK) {
		errbuf_set(why, "account: deleted since");
		return AUTHORISE_DENY;
	}
	authorise_know_account(&account, out);
	octets_wipe(&account, sizeof(account));
	return AUTHORISE_ALLOW;
}

enum authorise_rc
authorise_approved(const struct authoriser *a, const struct transaction_row *row, int64_t now,
    struct authorisation *out, struct errbuf *why)
{
	bool has_challenge = row->challenge_id.len == sizeof(out->challenge_id);

	memset(out, 0, sizeof(*out));
	out->method = row->method;
	if (has_challenge)
		memcpy(out->challenge_id, row->challenge_id.data, sizeof(out->challenge_id));
	if (strcmp(row->method, authorise_enrollment_code.mode) == 0)
		return find_enrollment(a, row, now, out, why);
	if (strcmp(row->method, AUTHORISE_BY_ACCOUNT) == 0)
		return find_account(a, row, out, why);
	if (has_challenge) {
		out->one_time = true;
		out->reservation.profile_id = row->profile_id;
		memcpy(out->reservation.id, out->challenge_id, sizeof(out->reservation.id));
		memcpy(out->reservation.repeat_key, row->repeat_key,
		    sizeof(out->reservation.repeat_key));
	}
	return AUTHORISE_ALLOW;
}
