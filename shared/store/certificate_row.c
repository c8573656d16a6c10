#include <ctype.h>
#include <string.h>

#include "base/encoding.h"
#include "store/certificate_row.h"
#include "store/transaction.h"

#define SERIAL_SIZE 16
#define LIST_MAX    500
#define COLUMN_DER  11

static void
read_certificate(struct query *q, struct certificate_row *c)
{
	struct octets serial = db_octets(q, 1);

	*c = (struct certificate_row){0};
	c->id = db_integer(q, 0);
	if (serial.len * 2 < sizeof(c->serial))
		encoding_hex(serial, c->serial);
	if (serial.len == SERIAL_SIZE)
		encoding_uuid_of(serial.data, c->uuid);
	store_column_text(q, 2, c->authority_id, sizeof(c->authority_id));
	store_column_text(q, 3, c->profile, sizeof(c->profile));
	store_column_text(q, 4, c->status, sizeof(c->status));
	store_column_text(q, 5, c->purpose, sizeof(c->purpose));
	c->not_before = db_integer(q, 6);
	c->not_after = db_integer(q, 7);
	c->created_at = db_integer(q, 8);
	store_column_text(q, 9, c->subject, sizeof(c->subject));
	store_column_text(q, 10, c->san, sizeof(c->san));
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

/* A uuid, or the serial as programs print it: colons between the octets, zeros in front left out. */
static bool
parse_serial(const char *text, uint8_t serial[SERIAL_SIZE])
{
	char digits[2 * SERIAL_SIZE + 1], padded[2 * SERIAL_SIZE + 1];
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == ':')
			continue;
		if (n == 2 * SERIAL_SIZE || !isxdigit((unsigned char)*text))
			return false;
		digits[n++] = *text;
	}
	if (n == 0)
		return false;
	memset(padded, '0', sizeof(padded));
	memcpy(padded + 2 * SERIAL_SIZE - n, digits, n);
	padded[2 * SERIAL_SIZE] = '\0';
	return encoding_unhex(padded, serial, SERIAL_SIZE);
}

enum store_rc
store_certificate_get(struct store *st, const char *uuid, const char *authority,
    struct certificate_row *out, struct buffer *der, struct errbuf *why)
{
	uint8_t serial[SERIAL_SIZE];
	struct query *q;
	enum store_rc rc;

	(void)authority;
	*out = (struct certificate_row){0};
	if (!parse_serial(uuid, serial))
		return STORE_NONE;
	q = db_query(st->db, STATEMENT_CERTIFICATE_GET);
	db_bind_octets(q, octets_of(serial, sizeof(serial)));
	if ((rc = store_first(q, why)) == STORE_OK) {
		read_certificate(q, out);
		if (der != NULL)
			store_column_octets(q, COLUMN_DER, der);
		if (der != NULL && der->failed) {
			errbuf_set(why, "certificate %s: out of memory", uuid);
			rc = STORE_AWAY;
		}
	}
	db_reset(q);
	return rc;
}
