#include "store/certificate_row.h"
#include "base/encoding.h"
#include "store/serial.h"
#include "store/transaction.h"

#define LIST_MAX   500
#define COLUMN_DER 21

static void
read_certificate(struct query *q, struct certificate_row *c)
{
	struct octets serial = db_octets(q, 1);

	*c = (struct certificate_row){0};
	c->id = db_integer(q, 0);
	if (serial.len * 2 < sizeof(c->serial))
		encoding_hex(serial, c->serial);
	if (serial.len == SERIAL_ISSUED)
		encoding_uuid_of(serial.data, c->uuid);
	store_column_text(q, 2, c->authority_id, sizeof(c->authority_id));
	store_column_text(q, 3, c->authority, sizeof(c->authority));
	store_column_text(q, 4, c->profile, sizeof(c->profile));
	store_column_text(q, 5, c->status, sizeof(c->status));
	store_column_text(q, 6, c->purpose, sizeof(c->purpose));
	c->not_before = db_integer(q, 7);
	c->not_after = db_integer(q, 8);
	c->created_at = db_integer(q, 9);
	store_column_text(q, 10, c->subject, sizeof(c->subject));
	store_column_text(q, 11, c->san, sizeof(c->san));
	c->revoked_at = db_integer(q, 12);
	c->revocation_reason = (int)db_integer(q, 13);
	c->predecessor_id = db_integer(q, 14);
	c->successors = db_integer(q, 15);
	store_column_text(q, 16, c->seat_id, sizeof(c->seat_id));
	store_column_text(q, 17, c->account, sizeof(c->account));
	store_column_text(q, 18, c->organization, sizeof(c->organization));
	store_column_text(q, 19, c->department, sizeof(c->department));
	store_column_text(q, 20, c->delivery, sizeof(c->delivery));
}

enum store_rc
store_certificate_list(struct store *st, int64_t before_id, int limit,
    bool (*row)(void *ctx, const struct certificate_row *c), void *ctx, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_LIST);
	enum store_rc rc = STORE_NONE;
	struct certificate_row c;
	bool more = true;

	db_bind_integer(q, before_id > 0 ? before_id : INT64_MAX);
	db_bind_integer(q, limit > 0 && limit < LIST_MAX ? limit : LIST_MAX);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_certificate(q, &c);
		more = row(ctx, &c);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}

/* Step a statement that gives one row at most, and reset it. */
static enum store_rc
read_one(struct query *q, struct certificate_row *out, struct buffer *der, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_first(q, why)) == STORE_OK) {
		read_certificate(q, out);
		if (der != NULL)
			store_column_octets(q, COLUMN_DER, der);
		if (der != NULL && der->failed) {
			errbuf_set(why, "certificate %s: out of memory", out->serial);
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_certificate_get(struct store *st, const char *uuid, const char *authority,
    struct certificate_row *out, struct buffer *der, struct errbuf *why)
{
	struct serial serial;
	bool good = serial_of_text(uuid, &serial);
	struct query *q;

	*out = (struct certificate_row){0};
	if (!good)
		return STORE_NONE;
	q = db_query(st->db, STATEMENT_CERTIFICATE_GET);
	db_bind_octets(q, serial_octets(&serial));
	db_bind_text(q, authority);
	return read_one(q, out, der, why);
}

enum store_rc
store_certificate_get_id(struct store *st, int64_t id, struct certificate_row *out,
    struct buffer *der, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_CERTIFICATE_GET_ID);

	*out = (struct certificate_row){0};
	db_bind_integer(q, id);
	return read_one(q, out, der, why);
}
