/* records.c: listings, a page of the store at a time so that no read is long. */
#include "fcgi-admin/manage/records.h"

#include <stdio.h>
#include <string.h>

#define PAGE 500

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

enum manage_rc
manage_certificate_get(struct manage *m, const char *id, const char *authority,
    struct certificate_row *out, struct buffer *der, struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(store_certificate_get(m->store, id, authority, out, der, &r->why),
	    "certificate", id, r);
}

enum manage_rc
manage_certificate_get_row(
    struct manage *m, int64_t row, struct certificate_row *out, struct manage_report *r)
{
	char id[24];
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	snprintf(id, sizeof(id), "%lld", (long long)row);
	return manage_of_store(
	    store_certificate_get_id(m->store, row, out, NULL, &r->why), "certificate row", id, r);
}
