#include "store/certificate_row.h"
#include "store/transaction.h"

#define SERIAL_SIZE 16

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

/* OK: it is in, with *id; NONE: a key is taken, or the profile is not as it was. */
static enum store_rc
insert_certificate(struct store *st, const struct enrolment *e, int64_t *id, struct errbuf *why)
{
	enum store_rc rc;
	struct query *q;

	if (e->scep_profile_id != NULL) {
		q = db_query(st->db, STATEMENT_CERTIFICATE_ENROL);
		bind_certificate(q, e);
		db_bind_text(q, e->scep_profile_id);
		db_bind_integer(q, e->challenge_version);
		db_bind_text(q, e->ra_profile_id);
	} else {
		q = db_query(st->db, STATEMENT_CERTIFICATE_INSERT);
		bind_certificate(q, e);
	}
	db_bind_text(q, e->authority_id);
	if ((rc = store_first(q, why)) == STORE_OK)
		*id = db_integer(q, 0);
	db_reset(q);
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

/* All of the transaction between its begin and its end. */
static enum store_rc
write_enrolment(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why)
{
	struct query *q;
	enum store_rc rc;
	int64_t id = 0;

	if ((rc = insert_certificate(st, e, &id, why)) == STORE_NONE)
		rc = resolve(st, e, &id, what, why);
	if (rc == STORE_OK && e->challenge_id.len > 0) {
		q = db_query(st->db, STATEMENT_CHALLENGE_USE);
		db_bind_octets(q, e->challenge_id);
		db_bind_integer(q, e->challenge_use);
		db_bind_integer(q, id);
		if ((rc = store_run(q, why)) == STORE_NONE)
			rc = conflict(ENROLMENT_CHALLENGE, what, why);
	}
	return rc;
}

enum store_rc
store_commit_enrolment(
    struct store *st, const struct enrolment *e, enum enrolment_conflict *what, struct errbuf *why)
{
	enum store_rc rc;

	*what = ENROLMENT_NO_CONFLICT;
	if (e->serial.len != SERIAL_SIZE || e->event == NULL) {
		errbuf_set(why, "commit: want a serial of %d octets (have %zu) and an audit event",
		    SERIAL_SIZE, e->serial.len);
		return STORE_AWAY;
	}
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = write_enrolment(st, e, what, why);
	return store_event_end(st, rc, e->event, why);
}

enum store_rc
store_repeat(struct store *st, struct octets repeat_key, int64_t since, int64_t now,
    struct buffer *certificate, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_REPEAT);
	enum store_rc rc;

	db_bind_integer(q, since);
	db_bind_integer(q, now);
	db_bind_octets(q, repeat_key);
	if ((rc = store_first(q, why)) == STORE_OK) {
		store_column_octets(q, 0, certificate);
		if (certificate->failed) {
			errbuf_set(why, "repeat: out of memory");
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
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
