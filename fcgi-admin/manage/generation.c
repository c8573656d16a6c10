/* generation.c: reading where a CA stands among its generations. */
#include "fcgi-admin/manage/generation.h"

#include <stdio.h>
#include <string.h>

#include "fcgi-admin/manage/authority.h"
#include "store/revocation.h"

/* A generation, as little as is needed of it. */
struct member {
	char id[37];
	char name[65];
	char state[16];
	char predecessor_id[37];
};

struct lineage {
	const char *id;
	struct buffer members;
};

static bool
keep_member(void *ctx, const struct authority_row *a)
{
	struct lineage *l = ctx;
	struct member one = {{0}, {0}, {0}, {0}};

	if (strcmp(a->lineage, l->id) != 0)
		return true;
	memcpy(one.id, a->id, sizeof(one.id));
	memcpy(one.name, a->name, sizeof(one.name));
	memcpy(one.state, a->state, sizeof(one.state));
	memcpy(one.predecessor_id, a->predecessor_id, sizeof(one.predecessor_id));
	buffer_append(&l->members, &one, sizeof(one));
	return !l->members.failed;
}

static bool
member_at(const struct lineage *l, size_t i, struct member *out)
{
	if ((i + 1) * sizeof(*out) > l->members.len)
		return false;
	memcpy(out, l->members.data + i * sizeof(*out), sizeof(*out));
	return true;
}

static bool
member_of(const struct lineage *l, const char *id, struct member *out)
{
	for (size_t i = 0; member_at(l, i, out); i++)
		if (strcmp(out->id, id) == 0)
			return true;
	return false;
}

static void
place(const struct lineage *l, const struct authority_row *ca, struct manage_generation *out)
{
	struct member one;
	char before[37];

	if (member_of(l, ca->predecessor_id, &one))
		memcpy(out->predecessor, one.name, sizeof(out->predecessor));
	for (size_t i = 0; member_at(l, i, &one); i++) {
		if (strcmp(one.state, "active") == 0)
			memcpy(out->current, one.name, sizeof(out->current));
		if (strcmp(one.state, "next") == 0 && strcmp(one.predecessor_id, ca->id) == 0)
			memcpy(out->next, one.name, sizeof(out->next));
	}
	memcpy(before, ca->predecessor_id, sizeof(before));
	for (out->number = 1; before[0] != '\0' && member_of(l, before, &one) &&
			      (size_t)out->number <= l->members.len / sizeof(one);
	     out->number++)
		memcpy(before, one.predecessor_id, sizeof(before));
}

static enum manage_rc
read_status(
    struct manage *m, const char *id, struct manage_generation *out, struct manage_report *r)
{
	struct crl_row crl = {0};
	struct ocsp_responder_row responder = {0};
	enum store_rc rc;

	if ((rc = store_crl_get(m->store, id, false, &crl, &r->why)) == STORE_OK) {
		out->crl_number = crl.number;
		out->crl_entries = crl.entries;
		out->crl_this_update = crl.this_update;
		out->crl_next_update = crl.next_update;
	}
	buffer_free(&crl.der);
	if (rc == STORE_AWAY)
		return MANAGE_AWAY;
	if ((rc = store_ocsp_responder_get(m->store, id, &responder, &r->why)) == STORE_OK)
		out->responder_not_after = responder.not_after;
	ocsp_responder_row_free(&responder);
	if (rc == STORE_AWAY)
		return MANAGE_AWAY;
	r->why.line[0] = '\0';
	return MANAGE_OK;
}

enum manage_rc
manage_generation_read(struct manage *m, const struct authority_row *ca,
    struct manage_generation *out, struct manage_report *r)
{
	struct lineage l = {.id = ca->lineage};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	rc = manage_of_store(store_authority_each(m->store, keep_member, &l, &r->why), "CA", "", r);
	if (rc == MANAGE_OK && l.members.failed)
		rc = manage_fail(r, MANAGE_FAULT, "out of memory");
	if (rc == MANAGE_OK) {
		place(&l, ca, out);
		rc = read_status(m, ca->id, out, r);
	}
	buffer_free(&l.members);
	return rc;
}

enum manage_rc
manage_authority_get_active(
    struct manage *m, const char *name, struct authority_row *out, struct manage_report *r)
{
	struct manage_generation g;
	enum manage_rc rc;

	if ((rc = manage_authority_get(m, name, out, r)) != MANAGE_OK ||
	    strcmp(out->state, "active") == 0)
		return rc;
	if (strcmp(out->state, "pending") == 0)
		return manage_fail(r, MANAGE_CONFLICT,
		    "CA %s waits for its certificate: scepctl ca import", out->name);
	if ((rc = manage_generation_read(m, out, &g, r)) != MANAGE_OK)
		return rc;
	return manage_fail(r, MANAGE_CONFLICT, "CA %s is %s and issues nothing: CA %s does",
	    out->name, out->state, g.current);
}
