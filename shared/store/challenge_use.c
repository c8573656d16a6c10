/*
 * challenge_use.c: UNIQUE(challenge, use) keeps a challenge from being used twice.  A code that may be used n times has uses 0 to n - 1, without
 * a gap, so that the next number is the count of them: a use that is given back leaves its place to the last one.
 */
#include "store/challenge_use.h"

#include <string.h>

#include "store/revoke.h"

enum store_rc
store_code_use(struct store *st, const struct enrolment *e, int64_t *use, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CODE_USE);
	enum store_rc rc;

	/* What was approved holds its enrolment: neither time nor a stranger's tries take it away. */
	db_bind_integer(q, e->transaction_key.len > 0);
	db_bind_integer(q, e->enrollment_row);
	db_bind_octets(q, e->challenge_id);
	db_bind_integer(q, e->now);
	if ((rc = store_first(q, why)) == STORE_OK)
		*use = db_integer(q, 0);
	db_reset(q);
	return rc;
}

enum store_rc
store_challenge_use(struct store *st, struct octets challenge_id, int64_t use,
    int64_t certificate_id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CHALLENGE_USE);

	db_bind_octets(q, challenge_id);
	db_bind_integer(q, use);
	db_bind_integer(q, certificate_id);
	return store_run(q, why);
}

enum store_rc
store_challenge_used(struct store *st, struct octets challenge_id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CHALLENGE_USED);
	enum store_rc rc;

	db_bind_octets(q, challenge_id);
	rc = store_first(q, why);
	db_reset(q);
	return rc;
}

static enum store_rc
move(struct store *st, struct octets challenge_id, int64_t from, int64_t to, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CHALLENGE_USE_MOVE);

	db_bind_integer(q, to);
	db_bind_octets(q, challenge_id);
	db_bind_integer(q, from);
	return store_run(q, why);
}

/* The use's number, and the lowest and the highest of the challenge. */
struct numbers {
	int64_t use, lowest, highest;
};

static enum store_rc
find_numbers(struct store *st, struct octets challenge_id, int64_t certificate_id,
    struct numbers *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CHALLENGE_USE_OF);
	enum store_rc rc;

	db_bind_octets(q, challenge_id);
	db_bind_integer(q, certificate_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		out->use = db_integer(q, 0);
	db_reset(q);
	if (rc != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_CHALLENGE_USES);
	db_bind_octets(q, challenge_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		out->lowest = db_integer(q, 0);
		out->highest = db_integer(q, 1);
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_challenge_give_back(
    struct store *st, struct octets challenge_id, int64_t certificate_id, struct errbuf *why)
{
	struct numbers n = {0};
	struct query *q;
	enum store_rc rc = find_numbers(st, challenge_id, certificate_id, &n, why);

	if (rc != STORE_OK)
		return rc == STORE_NONE ? STORE_OK : rc;
	rc = move(st, challenge_id, n.use, n.lowest < 0 ? n.lowest - 1 : -1, why);
	if (rc == STORE_OK && n.use < n.highest)
		rc = move(st, challenge_id, n.highest, n.use, why);
	if (rc != STORE_OK)
		return rc;
	q = db_query(st->db, STATEMENT_CODE_USE_BACK);
	db_bind_octets(q, challenge_id);
	/* None: it is no code, or the enrolment has another by now. */
	rc = store_run(q, why);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* OK: the certificate of the challenge's last use, and how many successors it has; NONE: it was never used. */
static enum store_rc
last_use(struct store *st, struct octets challenge_id, int64_t *certificate_id, int64_t *successors,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CHALLENGE_LAST_USE);
	enum store_rc rc;

	db_bind_octets(q, challenge_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		*certificate_id = db_integer(q, 0);
		*successors = db_integer(q, 1);
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_challenge_certificate(
    struct store *st, struct octets challenge_id, int64_t *certificate_id, struct errbuf *why)
{
	int64_t successors;

	return last_use(st, challenge_id, certificate_id, &successors, why);
}

enum store_rc
store_challenge_of_certificate(
    struct store *st, int64_t certificate_id, uint8_t challenge_id[32], struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CHALLENGE_OF_CERTIFICATE);
	struct octets id;
	enum store_rc rc;

	db_bind_integer(q, certificate_id);
	if ((rc = store_first(q, why)) == STORE_OK) {
		id = db_octets(q, 0);
		if (id.len == 32)
			memcpy(challenge_id, id.data, 32);
		else
			rc = STORE_NONE;
	}
	db_reset(q);
	return rc;
}

static enum store_rc
reopen(struct store *st, struct octets challenge_id, int64_t certificate_id, int64_t now,
    struct errbuf *why)
{
	int64_t last = 0, successors = 0;
	enum store_rc rc = last_use(st, challenge_id, &last, &successors, why);

	if (rc != STORE_OK)
		return rc;
	if (last != certificate_id || successors > 0) {
		errbuf_set(why, "challenge: %s",
		    last != certificate_id ? "it was used again meanwhile"
					   : "its certificate has been renewed");
		return STORE_CONFLICT;
	}
	/* Conflict: it was revoked before, which is as good. */
	rc = store_revoke_row(st, certificate_id, REVOCATION_SUPERSEDED, now, why);
	if (rc == STORE_OK || rc == STORE_CONFLICT)
		rc = store_challenge_give_back(st, challenge_id, certificate_id, why);
	return rc;
}

enum store_rc
store_challenge_reopen(struct store *st, struct octets challenge_id, int64_t certificate_id,
    int64_t now, const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = reopen(st, challenge_id, certificate_id, now, why);
	return store_event_end(st, rc, e, why);
}
