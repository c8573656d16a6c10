#include "store/enrolment_whom.h"

#include "store/seat_use.h"

bool
enrolment_whom_whole(const struct enrolment *e, struct errbuf *why)
{
	if (e->enrollment_row > 0 && e->challenge_id.len == 0) {
		errbuf_set(why, "commit: an enrolment needs its code's hash as challenge_id");
		return false;
	}
	if (e->delivery != NULL && (e->csr.len == 0 || e->transaction_id == NULL)) {
		errbuf_set(why, "commit: what is to be delivered needs its CSR and transactionID");
		return false;
	}
	return true;
}

/* Step a statement that asks, and reset it. */
static enum store_rc
ask(struct query *q, struct errbuf *why)
{
	enum store_rc rc = store_first(q, why);

	db_reset(q);
	return rc;
}

static enum store_rc
check_account(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_ACCOUNT_VALID);
	enum store_rc rc;

	db_bind_integer(q, e->account_row);
	db_bind_integer(q, e->now);
	if ((rc = ask(q, why)) == STORE_NONE) {
		*what = ENROLMENT_ACCOUNT;
		rc = STORE_CONFLICT;
	}
	return rc;
}

static enum store_rc
insert_holder(struct store *st, const struct enrolment *e, int64_t id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_HELD_HOLDER_PUT);

	db_bind_octets(q, e->holder);
	db_bind_integer(q, id);
	return store_run(q, why);
}

/* A renewal is no duplicate: its predecessor has been counted. */
static enum store_rc
check_duplicates(struct store *st, const struct enrolment *e, int64_t id,
    enum enrolment_conflict *what, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;
	struct query *q;

	if (e->predecessor_id > 0 || e->duplicates == ENROLMENT_DUPLICATES_ALLOW)
		return STORE_OK;
	if (e->duplicates == ENROLMENT_DUPLICATES_REFUSE) {
		q = db_query(st->db, STATEMENT_HOLDER_VALID);
		db_bind_octets(q, e->holder);
		db_bind_integer(q, e->now);
		if ((rc = ask(q, why)) == STORE_OK) {
			*what = ENROLMENT_DUPLICATE;
			rc = STORE_CONFLICT;
		}
	} else {
		q = db_query(st->db, STATEMENT_REPLACED_INSERT);
		db_bind_integer(q, id);
		db_bind_integer(q, e->replaced_at);
		db_bind_octets(q, e->holder);
		db_bind_integer(q, e->now);
		rc = store_run(q, why);
	}
	return rc == STORE_NONE ? STORE_OK : rc;
}

static enum store_rc
take_key(struct store *st, const struct enrolment *e, int64_t id, enum enrolment_conflict *what,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_KEY_TAKEN);
	enum store_rc rc;

	db_bind_octets(q, e->key_digest);
	db_bind_integer(q, id);
	db_bind_integer(q, e->now);
	if ((rc = ask(q, why)) == STORE_OK) {
		*what = ENROLMENT_KEY;
		return STORE_CONFLICT;
	}
	if (rc != STORE_NONE)
		return rc;
	q = db_query(st->db, STATEMENT_HELD_KEY_PUT);
	db_bind_octets(q, e->key_digest);
	db_bind_integer(q, id);
	return store_run(q, why);
}

static enum store_rc
insert_delivery(struct store *st, const struct enrolment *e, int64_t id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_DELIVERY_INSERT);

	db_bind_integer(q, id);
	db_bind_text(q, e->delivery);
	store_bind_bounded(q, e->transaction_id);
	db_bind_octets(q, e->csr);
	db_bind_octets(q, e->challenge_id);
	db_bind_integer(q, e->now);
	return store_run(q, why);
}

enum store_rc
enrolment_whom_write(struct store *st, const struct enrolment *e, int64_t id,
    enum enrolment_conflict *what, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;

	/* A renewal is authorised by its predecessor: the account says whose it is. */
	if (e->account_row > 0 && e->predecessor_id == 0)
		rc = check_account(st, e, what, why);
	if (rc == STORE_OK && e->holder.len > 0 &&
	    (rc = check_duplicates(st, e, id, what, why)) == STORE_OK)
		rc = insert_holder(st, e, id, why);
	if (rc == STORE_OK && e->key_digest.len > 0)
		rc = take_key(st, e, id, what, why);
	if (rc == STORE_OK && e->seat_row > 0 &&
	    (rc = store_seat_take(st, e->seat_row, why)) == STORE_CONFLICT)
		*what = ENROLMENT_LICENSE;
	if (rc == STORE_OK && e->delivery != NULL)
		rc = insert_delivery(st, e, id, why);
	return rc;
}

/* OK: the row is there. */
static enum store_rc
there(struct store *st, enum statement s, int64_t row, struct errbuf *why)
{
	struct query *q;

	if (row == 0)
		return STORE_OK;
	q = db_query(st->db, s);
	db_bind_integer(q, row);
	return ask(q, why);
}

enum store_rc
enrolment_whom_missing(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why)
{
	enum store_rc rc;

	*what = ENROLMENT_PREDECESSOR;
	if ((rc = there(st, STATEMENT_SEAT_THERE, e->seat_row, why)) == STORE_NONE)
		*what = ENROLMENT_ENROLLMENT;
	else if (rc == STORE_OK &&
		 (rc = there(st, STATEMENT_ACCOUNT_THERE, e->account_row, why)) == STORE_NONE)
		*what = ENROLMENT_ACCOUNT;
	return rc == STORE_AWAY ? rc : STORE_CONFLICT;
}
