#include "store/certificate_row.h"
#include "store/challenge_use.h"
#include "store/enrolment_whom.h"
#include "store/serial.h"
#include "store/transaction.h"

/* What the certificate is, the same in both statements. */
static void
bind_certificate(struct query *q, const struct enrolment *e)
{
	db_bind_octets(q, e->serial);
	db_bind_octets(q, e->repeat_key);
	db_bind_text(q, e->purpose);
	db_bind_integer(q, e->not_before);
	db_bind_integer(q, e->not_after);
	db_bind_integer(q, e->now);
	store_bind_bounded(q, e->subject);
	store_bind_bounded(q, e->san);
	db_bind_octets(q, e->certificate);
}

static const char *
text_or_null(const char *text)
{
	return text != NULL && *text != '\0' ? text : NULL;
}

/* OK: it is in, with *id; NONE: the statement wrote nothing. */
static enum store_rc
insert_by(struct store *st, enum statement statement, const struct enrolment *e, int64_t *id,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, statement);
	enum store_rc rc;

	bind_certificate(q, e);
	if (statement != STATEMENT_CERTIFICATE_INSERT) {
		db_bind_integer(q, e->predecessor_id);
		db_bind_integer(q, e->seat_row);
		db_bind_integer(q, e->account_row);
		store_bind_bounded(q, text_or_null(e->organization));
		store_bind_bounded(q, text_or_null(e->department));
		db_bind_text(q, e->scep_profile_id);
		db_bind_integer(q, e->challenge_version);
		db_bind_text(q, e->ra_profile_id);
	}
	db_bind_text(q, e->authority_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		*id = db_integer(q, 0);
	db_reset(q);
	return rc;
}

/*
 * OK: it is in, with *id; NONE: a key is taken, or the profile is not as it was.  The authority that is to succeed the profile's is a second
 * statement, so that the common path pays nothing for it.
 */
static enum store_rc
insert_certificate(struct store *st, const struct enrolment *e, int64_t *id, struct errbuf *why)
{
	enum store_rc rc;

	if (e->scep_profile_id == NULL)
		return insert_by(st, STATEMENT_CERTIFICATE_INSERT, e, id, why);
	if ((rc = insert_by(st, STATEMENT_CERTIFICATE_ENROL, e, id, why)) == STORE_NONE)
		rc = insert_by(st, STATEMENT_CERTIFICATE_ENROL_NEXT, e, id, why);
	return rc;
}

static enum store_rc
conflict(enum enrolment_conflict which, enum enrolment_conflict *what, struct errbuf *why)
{
	static const char *const texts[] = {
	    [ENROLMENT_NO_CONFLICT] = "",
	    [ENROLMENT_REPEAT] = "the same request has committed before",
	    [ENROLMENT_CHALLENGE] = "the challenge has been used",
	    [ENROLMENT_PROFILE] = "the profile has been disabled, changed or deleted meanwhile",
	    [ENROLMENT_SERIAL] = "the serial number is taken",
	    [ENROLMENT_PREDECESSOR] =
		"the certificate to renew is revoked, or has as many successors as it may",
	    [ENROLMENT_TRANSACTION] = "the transaction is no longer approved",
	    [ENROLMENT_LICENSE] = "the organization of the seat has no licence left",
	    [ENROLMENT_ENROLLMENT] = "the enrolment code is redeemed, expired, locked or gone",
	    [ENROLMENT_ACCOUNT] = "the account is disabled, expired or gone",
	    [ENROLMENT_DUPLICATE] = "there is a valid certificate for the same holder",
	    [ENROLMENT_KEY] = "the public key is certified for another subject",
	};

	*what = which;
	errbuf_set(why, "commit: %s", texts[which]);
	return STORE_CONFLICT;
}

/* OK: *holds says whether the holder of the repeat key still answers for it; NONE: nobody has it. */
static enum store_rc
repeat_holder(struct store *st, const struct enrolment *e, bool *holds, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_REPEAT_HOLDER);
	enum store_rc rc;

	db_bind_integer(q, e->repeat_since);
	db_bind_integer(q, e->now);
	db_bind_octets(q, e->repeat_key);
	if ((rc = store_first(q, why)) == STORE_OK)
		*holds = db_integer(q, 0) != 0;
	db_reset(q);
	return rc;
}

static enum store_rc
serial_taken(struct store *st, const struct enrolment *e, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_GET);
	enum store_rc rc;

	db_bind_octets(q, e->serial);
	db_bind_text(q, e->authority_id);
	rc = store_first(q, why);
	db_reset(q);
	return rc;
}

/*
 * The insert wrote nothing.  An older holder of the repeat key gives it up here and nowhere else, so that the common path pays
 * nothing for it.
 */
static enum store_rc
resolve(struct store *st, const struct enrolment *e, int64_t *id, enum enrolment_conflict *what,
    struct errbuf *why)
{
	enum store_rc rc;
	struct query *q;
	bool holds = false;

	rc = e->repeat_key.len > 0 ? repeat_holder(st, e, &holds, why) : STORE_NONE;
	if (rc == STORE_OK && holds)
		return conflict(ENROLMENT_REPEAT, what, why);
	if (rc == STORE_OK) {
		q = db_query(st->db, STATEMENT_CERTIFICATE_REPEAT_CLEAR);
		db_bind_octets(q, e->repeat_key);
		if ((rc = store_run(q, why)) != STORE_OK)
			return rc;
		rc = insert_certificate(st, e, id, why);
	}
	if (rc != STORE_NONE)
		return rc;
	if ((rc = serial_taken(st, e, why)) == STORE_OK)
		return conflict(ENROLMENT_SERIAL, what, why);
	return rc == STORE_NONE ? conflict(ENROLMENT_PROFILE, what, why) : rc;
}

/* OK: the statement, bound, has written its row; CONFLICT: it has not, and this is why. */
static enum store_rc
run_or_conflict(struct query *q, enum enrolment_conflict which, enum enrolment_conflict *what,
    struct errbuf *why)
{
	enum store_rc rc = store_run(q, why);

	return rc == STORE_NONE ? conflict(which, what, why) : rc;
}

/* Before the certificate: another poll of the same transaction has the same repeat key, too. */
static enum store_rc
take_transaction(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_TRANSACTION_ISSUE);

	db_bind_octets(q, e->transaction_key);
	return run_or_conflict(q, ENROLMENT_TRANSACTION, what, why);
}

/* The use of a challenge, or of an enrolment's code, which knows its number itself. */
static enum store_rc
write_use(struct store *st, const struct enrolment *e, int64_t id, enum enrolment_conflict *what,
    struct errbuf *why)
{
	int64_t use = e->challenge_use;
	enum store_rc rc = STORE_OK;

	if (e->enrollment_row > 0 && (rc = store_code_use(st, e, &use, why)) == STORE_NONE)
		return conflict(ENROLMENT_ENROLLMENT, what, why);
	if (rc == STORE_OK &&
	    (rc = store_challenge_use(st, e->challenge_id, use, id, why)) == STORE_NONE)
		rc = conflict(ENROLMENT_CHALLENGE, what, why);
	return rc;
}

/* What hangs on the certificate, which is row id. */
static enum store_rc
write_around(struct store *st, const struct enrolment *e, int64_t id, enum enrolment_conflict *what,
    struct errbuf *why)
{
	enum store_rc rc = STORE_OK;
	struct query *q;

	if (e->predecessor_id > 0) {
		q = db_query(st->db, STATEMENT_CERTIFICATE_SUCCEED);
		db_bind_integer(q, e->predecessor_id);
		db_bind_integer(q, e->max_successors);
		rc = run_or_conflict(q, ENROLMENT_PREDECESSOR, what, why);
	}
	if (rc == STORE_OK && e->challenge_id.len > 0)
		rc = write_use(st, e, id, what, why);
	if (rc == STORE_OK && (rc = enrolment_whom_write(st, e, id, what, why)) == STORE_CONFLICT)
		rc = conflict(*what, what, why);
	if (rc == STORE_OK && e->transaction_key.len > 0) {
		q = db_query(st->db, STATEMENT_TRANSACTION_ISSUED);
		db_bind_integer(q, id);
		db_bind_octets(q, e->transaction_key);
		rc = store_run(q, why);
	}
	return rc;
}

/* All of the transaction between its begin and its end. */
static enum store_rc
write_enrolment(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;
	int64_t id = 0;

	if (e->transaction_key.len > 0)
		rc = take_transaction(st, e, what, why);
	if (rc != STORE_OK)
		return rc;
	if ((rc = insert_certificate(st, e, &id, why)) == STORE_NONE)
		rc = resolve(st, e, &id, what, why);
	/* A key of another table is missing: there is no such predecessor, seat or account. */
	if (rc == STORE_CONFLICT && *what == ENROLMENT_NO_CONFLICT &&
	    (rc = enrolment_whom_missing(st, e, what, why)) == STORE_CONFLICT)
		return conflict(*what, what, why);
	return rc == STORE_OK ? write_around(st, e, id, what, why) : rc;
}

enum store_rc
store_commit_enrolment(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why)
{
	enum store_rc rc;

	*what = ENROLMENT_NO_CONFLICT;
	if (e->serial.len != SERIAL_ISSUED || e->event == NULL) {
		errbuf_set(why, "commit: want a serial of %d octets (have %zu) and an audit event",
		    SERIAL_ISSUED, e->serial.len);
		return STORE_AWAY;
	}
	if (!enrolment_whom_whole(e, why))
		return STORE_AWAY;
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = write_enrolment(st, e, what, why);
	return store_event_end(st, rc, e->event, why);
}

enum store_rc
store_repeat(struct store *st, struct octets repeat_key, int64_t since, int64_t now,
    struct buffer *certificate, bool *undelivered, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_REPEAT);
	enum store_rc rc;

	db_bind_integer(q, since);
	db_bind_integer(q, now);
	db_bind_octets(q, repeat_key);
	if ((rc = store_first(q, why)) == STORE_OK) {
		store_column_octets(q, 0, certificate);
		*undelivered = db_integer(q, 1) != 0;
		if (certificate->failed) {
			errbuf_set(why, "repeat: out of memory");
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
}
