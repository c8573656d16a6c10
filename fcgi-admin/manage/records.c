/* records.c: listings, a page of the store at a time so that no read is long. */
#include "fcgi-admin/manage/records.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PAGE	      500
#define SERIAL_DIGITS 32

struct audit_page {
	bool (*row)(void *ctx, int64_t id, const struct audit_event *e);
	void *ctx;
	int64_t last;
	int count;
	bool stopped;
};

static bool
audit_row(void *ctx, int64_t id, const struct audit_event *e)
{
	struct audit_page *p = ctx;

	p->last = id;
	p->count++;
	p->stopped = !p->row(p->ctx, id, e);
	return !p->stopped;
}

enum manage_rc
manage_audit_each(struct manage *m, const struct audit_filter *f,
    bool (*row)(void *ctx, int64_t id, const struct audit_event *e), void *ctx,
    struct manage_report *r)
{
	struct audit_filter page = *f;
	int left = f->limit;
	enum manage_rc rc;

	if (f->limit < 1 || f->limit > MANAGE_RECORDS_MAX) {
		manage_invalid(r, "limit", "want 1 to %d", MANAGE_RECORDS_MAX);
		return manage_validity(r);
	}
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	while (left > 0) {
		struct audit_page p = {.row = row, .ctx = ctx};

		page.limit = left < PAGE ? left : PAGE;
		rc = manage_of_store(
		    store_audit_list(m->store, &page, audit_row, &p, &r->why), "audit", "row", r);
		if (rc != MANAGE_OK || p.stopped || p.count < page.limit)
			break;
		left -= p.count;
		page.before_id = p.last;
	}
	return rc;
}

struct certificate_page {
	bool (*row)(void *ctx, const struct certificate_row *c);
	void *ctx;
	int64_t last;
	int count;
	bool stopped;
};

static bool
certificate_row(void *ctx, const struct certificate_row *c)
{
	struct certificate_page *p = ctx;

	p->last = c->id;
	p->count++;
	p->stopped = !p->row(p->ctx, c);
	return !p->stopped;
}

enum manage_rc
manage_certificate_each(struct manage *m, int limit,
    bool (*row)(void *ctx, const struct certificate_row *c), void *ctx, struct manage_report *r)
{
	int64_t before = 0;
	int left = limit;
	enum manage_rc rc;

	if (limit < 1 || limit > MANAGE_RECORDS_MAX) {
		manage_invalid(r, "limit", "want 1 to %d", MANAGE_RECORDS_MAX);
		return manage_validity(r);
	}
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	while (left > 0) {
		struct certificate_page p = {.row = row, .ctx = ctx};
		int want = left < PAGE ? left : PAGE;

		rc = manage_of_store(
		    store_certificate_list(m->store, before, want, certificate_row, &p, &r->why),
		    "certificate", "", r);
		if (rc != MANAGE_OK || p.stopped || p.count < want)
			break;
		left -= p.count;
		before = p.last;
	}
	return rc;
}

/* A serial number as the store has it: 32 digits in lower case, from what people copy out of other tools.  Anything else stays as it is. */
static void
plain_id(const char *id, char out[SERIAL_DIGITS + 1 + 5])
{
	char digits[SERIAL_DIGITS + 1];
	size_t len = 0;

	snprintf(out, SERIAL_DIGITS + 1 + 5, "%s", id);
	for (; *id != '\0'; id++) {
		if (*id == ':')
			continue;
		if (!isxdigit((unsigned char)*id) || len == SERIAL_DIGITS)
			return;
		digits[len++] = (char)tolower((unsigned char)*id);
	}
	digits[len] = '\0';
	memset(out, '0', SERIAL_DIGITS - len);
	memcpy(out + SERIAL_DIGITS - len, digits, len + 1);
}

enum manage_rc
manage_certificate_get(struct manage *m, const char *id, struct certificate_row *out,
    struct buffer *der, struct manage_report *r)
{
	char plain[SERIAL_DIGITS + 1 + 5]; /* or a uuid, which is longer */
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	plain_id(id, plain);
	return manage_of_store(
	    store_certificate_get(m->store, plain, NULL, out, der, &r->why), "certificate", id, r);
}
