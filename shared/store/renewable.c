/* renewable.c: what renewals and GetCert ask of the certificates that there are. */
#include <string.h>

#include "store/certificate_row.h"
#include "store/serial.h"
#include "store/transaction.h"

enum store_rc
store_renewable(struct store *st, struct octets serial, struct octets der, struct renewable *out,
    struct errbuf *why)
{
	struct serial s;
	struct query *q;
	enum store_rc rc;

	*out = (struct renewable){0};
	if (!serial_of(serial, &s))
		return STORE_NONE;
	q = db_query(st->db, STATEMENT_CERTIFICATE_RENEWABLE);
	db_bind_octets(q, serial_octets(&s));
	db_bind_octets(q, der);
	if ((rc = store_first(q, why)) == STORE_OK) {
		out->id = db_integer(q, 0);
		out->revoked = strcmp(db_text(q, 1), "valid") != 0;
		out->successors = db_integer(q, 2);
		out->not_before = db_integer(q, 3);
		out->not_after = db_integer(q, 4);
		store_column_text(q, 5, out->profile_id, sizeof(out->profile_id));
		store_column_text(q, 6, out->profile_lineage, sizeof(out->profile_lineage));
		store_column_text(q, 7, out->authority_id, sizeof(out->authority_id));
		store_column_text(q, 8, out->authority_lineage, sizeof(out->authority_lineage));
		out->authority_not_after = db_integer(q, 9);
		out->seat_row = db_integer(q, 10);
		store_column_text(q, 11, out->seat_id, sizeof(out->seat_id));
		out->account_row = db_integer(q, 12);
		store_column_text(q, 13, out->organization, sizeof(out->organization));
		store_column_text(q, 14, out->department, sizeof(out->department));
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_certificate_by_serial(struct store *st, struct octets serial, const char *authority_lineage,
    int64_t *id, struct buffer *der, struct errbuf *why)
{
	struct serial s;
	struct query *q;
	enum store_rc rc;

	if (!serial_of(serial, &s))
		return STORE_NONE;
	q = db_query(st->db, STATEMENT_CERTIFICATE_BY_SERIAL);
	db_bind_octets(q, serial_octets(&s));
	db_bind_text(q, authority_lineage);
	if ((rc = store_first(q, why)) == STORE_OK) {
		*id = db_integer(q, 0);
		if (der != NULL)
			store_column_octets(q, 1, der);
		if (der != NULL && der->failed) {
			errbuf_set(why, "certificate: out of memory");
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_certificate_descends(struct store *st, int64_t id, int64_t ancestor, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_DESCENDS);
	enum store_rc rc;

	db_bind_integer(q, id);
	db_bind_integer(q, ancestor);
	rc = store_first(q, why);
	db_reset(q);
	return rc;
}
