/* certificate_import.c: certificates that another program issued under a CA that is here. */
#include "store/certificate_row.h"
#include "store/serial.h"
#include "store/transaction.h"

static enum store_rc
insert_certificate(struct store *st, const struct certificate_import *c,
    const struct serial *serial, int64_t *id, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_IMPORT);
	enum store_rc rc;

	db_bind_octets(q, serial_octets(serial));
	db_bind_text(q, c->revoked_at != 0 ? "revoked" : "valid");
	db_bind_integer(q, c->not_before);
	db_bind_integer(q, c->not_after);
	db_bind_integer(q, c->now);
	db_bind_integer(q, c->revoked_at);
	db_bind_integer(q, c->revocation_reason);
	store_bind_bounded(q, c->subject);
	store_bind_bounded(q, c->san);
	db_bind_octets(q, c->certificate);
	db_bind_text(q, c->scep_profile_id);
	db_bind_text(q, c->authority_id);
	rc = store_first(q, why);
	if (rc == STORE_OK)
		*id = db_integer(q, 0);
	else if (rc == STORE_NONE)
		errbuf_set(why, "certificate: no such authority or profile");
	else if (rc == STORE_CONFLICT)
		errbuf_set(why, "certificate: its authority has one of this serial already");
	db_reset(q);
	return rc;
}

enum store_rc
store_certificate_import(struct store *st, const struct certificate_import *c,
    const struct audit_event *e, struct errbuf *why)
{
	struct serial serial;
	struct query *q;
	enum store_rc rc;
	int64_t id;

	if (!serial_of(c->serial, &serial)) {
		errbuf_set(why, "certificate: its serial has %zu octets, want 1 to %d",
		    c->serial.len, SERIAL_MAX);
		return STORE_AWAY;
	}
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = insert_certificate(st, c, &serial, &id, why);
	if (rc == STORE_OK && c->revoked_at != 0) {
		q = db_query(st->db, STATEMENT_REVOCATIONS_RAISE);
		db_bind_integer(q, id);
		rc = store_run(q, why);
	}
	return store_event_end(st, rc, e, why);
}
