/* seat_row.c: seats: made, changed, deleted, read, and imported many at once. */
#include "store/seat_row.h"

#include "store/seat_use.h"
#include "store/transaction.h"

#define LIST_MAX   500
#define IMPORT_MAX 500

static enum store_rc
insert_seat(struct store *st, const struct seat_row *s, struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SEAT_INSERT);
	enum store_rc rc;

	db_bind_text(q, s->id);
	db_bind_text(q, s->seat_id);
	db_bind_text(q, s->type);
	db_bind_text(q, s->name);
	db_bind_text(q, s->email);
	db_bind_text(q, s->department);
	db_bind_integer(q, s->created_at);
	db_bind_text(q, s->organization);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "seat %s: the seatId is taken", s->seat_id);
	else if (rc == STORE_NONE)
		errbuf_set(why, "seat %s: no organization %s", s->seat_id, s->organization);
	return rc;
}

/* Where a seat is, and where it is to go. */
struct place {
	int64_t row;
	bool in_use;
	int64_t from; /* rows of organizations; 0: none */
	int64_t to;
};

/* By its uuid or its seatId, as the statement says.  NONE, without a why: there is no such seat. */
static enum store_rc
find_place(struct store *st, enum statement statement, const char *key, const struct seat_row *s,
    struct place *out, struct errbuf *why)
{
	struct query *q = db_query(st->db, statement);
	enum store_rc rc;

	db_bind_text(q, s->organization);
	db_bind_text(q, key);
	if ((rc = store_first(q, why)) == STORE_OK)
		*out = (struct place){.row = db_integer(q, 0),
		    .in_use = db_integer(q, 1) != 0,
		    .from = db_integer(q, 2),
		    .to = db_integer(q, 3)};
	db_reset(q);
	return rc;
}

/* All but its uuid, and when it was made. */
static enum store_rc
update_seat(struct store *st, const struct place *at, const struct seat_row *s, struct errbuf *why)
{
	enum store_rc rc = STORE_OK;
	struct query *q;

	if (s->organization[0] != '\0' && at->to == 0) {
		errbuf_set(why, "seat %s: no organization %s", s->seat_id, s->organization);
		return STORE_NONE;
	}
	if (at->in_use && at->from != at->to) {
		if ((rc = store_license_take(st, at->to, why)) == STORE_OK)
			rc = store_license_give_back(st, at->from, why);
		if (rc != STORE_OK)
			return rc;
	}
	q = db_query(st->db, STATEMENT_SEAT_UPDATE);
	db_bind_text(q, s->seat_id);
	db_bind_text(q, s->type);
	db_bind_text(q, s->name);
	db_bind_text(q, s->email);
	db_bind_text(q, s->department);
	db_bind_integer(q, at->to);
	db_bind_integer(q, at->row);
	if ((rc = store_run(q, why)) == STORE_CONFLICT)
		errbuf_set(why, "seat %s: the seatId is taken", s->seat_id);
	return rc;
}

enum store_rc
store_seat_insert(
    struct store *st, const struct seat_row *s, const struct audit_event *e, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = insert_seat(st, s, why);
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_seat_update(
    struct store *st, const struct seat_row *s, const struct audit_event *e, struct errbuf *why)
{
	struct place at;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = find_place(st, STATEMENT_SEAT_PLACE, s->id, s, &at, why);
	if (rc == STORE_OK)
		rc = update_seat(st, &at, s, why);
	else if (rc == STORE_NONE)
		errbuf_set(why, "seat %s: it is not there", s->seat_id);
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_seat_import(struct store *st, const struct seat_row *seats, int count,
    const struct audit_event *e, int *made, int *changed, struct errbuf *why)
{
	struct place at;
	enum store_rc rc;

	*made = *changed = 0;
	if (count > IMPORT_MAX) {
		errbuf_set(why, "seats: have %d to import, want <= %d", count, IMPORT_MAX);
		return STORE_AWAY;
	}
	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	for (int i = 0; rc == STORE_OK && i < count; i++) {
		rc = find_place(
		    st, STATEMENT_SEAT_PLACE_BY_SEAT_ID, seats[i].seat_id, &seats[i], &at, why);
		if (rc == STORE_OK) {
			rc = update_seat(st, &at, &seats[i], why);
			++*changed;
		} else if (rc == STORE_NONE) {
			rc = insert_seat(st, &seats[i], why);
			++*made;
		}
	}
	if ((rc = store_event_end(st, rc, e, why)) != STORE_OK)
		*made = *changed = 0;
	return rc;
}

static void
read_seat(struct query *q, struct seat_row *s)
{
	*s = (struct seat_row){0};
	s->row = db_integer(q, 0);
	store_column_text(q, 1, s->id, sizeof(s->id));
	store_column_text(q, 2, s->seat_id, sizeof(s->seat_id));
	store_column_text(q, 3, s->type, sizeof(s->type));
	store_column_text(q, 4, s->name, sizeof(s->name));
	store_column_text(q, 5, s->email, sizeof(s->email));
	store_column_text(q, 6, s->organization, sizeof(s->organization));
	store_column_text(q, 7, s->department, sizeof(s->department));
	s->in_use = db_integer(q, 8) != 0;
	s->created_at = db_integer(q, 9);
}

/* *organization: the row of its organization; 0: none. */
static enum store_rc
get_seat(struct store *st, const char *key, struct seat_row *out, int64_t *organization,
    struct errbuf *why)
{
	struct query *q = db_query(st->db, STATEMENT_SEAT_GET);
	enum store_rc rc;

	*out = (struct seat_row){0};
	db_bind_text(q, key);
	if ((rc = store_first(q, why)) == STORE_OK) {
		read_seat(q, out);
		*organization = db_integer(q, 10);
	}
	db_reset(q);
	return rc;
}

enum store_rc
store_seat_get(
    struct store *st, const char *seat_id_or_id, struct seat_row *out, struct errbuf *why)
{
	int64_t organization;

	return get_seat(st, seat_id_or_id, out, &organization, why);
}

enum store_rc
store_seat_delete(
    struct store *st, const char *seat_id_or_id, const struct audit_event *e, struct errbuf *why)
{
	int64_t organization = 0;
	struct seat_row s;
	struct query *q;
	enum store_rc rc;

	if ((rc = store_write_begin(st, why)) != STORE_OK)
		return rc;
	rc = get_seat(st, seat_id_or_id, &s, &organization, why);
	if (rc == STORE_NONE)
		errbuf_set(why, "seat %s: it is not there", seat_id_or_id);
	if (rc == STORE_OK && s.in_use)
		rc = store_license_give_back(st, organization, why);
	if (rc == STORE_OK) {
		q = db_query(st->db, STATEMENT_SEAT_DELETE);
		db_bind_integer(q, s.row);
		rc = store_run(q, why);
	}
	return store_event_end(st, rc, e, why);
}

enum store_rc
store_seat_list(struct store *st, int64_t after_row, int limit, const char *organization,
    bool (*row)(void *ctx, const struct seat_row *s), void *ctx, struct errbuf *why)
{
	struct query *q =
	    db_query(st->db, organization != NULL ? STATEMENT_SEAT_LIST_OF : STATEMENT_SEAT_LIST);
	enum store_rc rc = STORE_NONE;
	struct seat_row s;
	bool more = true;

	db_bind_integer(q, after_row);
	if (organization != NULL)
		db_bind_text(q, organization);
	db_bind_integer(q, limit > 0 && limit < LIST_MAX ? limit : LIST_MAX);
	while (more && (rc = store_first(q, why)) == STORE_OK) {
		read_seat(q, &s);
		more = row(ctx, &s);
	}
	db_reset(q);
	return rc == STORE_NONE ? STORE_OK : rc;
}
