#include "fcgi-admin/manage/replaced.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/manage/records.h"
#include "issue/issue.h"
#include "pki/certificate.h"
#include "pki/public_key.h"
#include "store/replaced_row.h"
#include "store/revocation.h"

#define FILL_BATCH	  500
#define REASON_SUPERSEDED 4 /* RFC 5280 5.3.1 */

/* ---- older certificates that count ------------------------------------------------------------------------------------------ */

struct filled {
	const struct scep_profile_row *profile;
	bool holders;
	bool keys;
	struct held_row rows[FILL_BATCH];
	uint8_t digests[FILL_BATCH][2][32];
	int count;
	bool failed;
};

static bool
add_certificate(void *ctx, int64_t id, int64_t seat_row, struct octets der)
{
	struct filled *all = ctx;
	struct held_row *row = &all->rows[all->count];
	uint8_t *holder = all->digests[all->count][0], *key = all->digests[all->count][1];
	struct certificate c;

	*row = (struct held_row){.certificate_id = id};
	if (!certificate_parse(der, &c, NULL))
		return true;
	if (all->holders) {
		all->failed |= !issue_holder(all->profile->lineage, seat_row, c.subject, holder);
		row->holder = octets_of(holder, 32);
	}
	if (all->keys) {
		all->failed |= !public_key_digest(c.spki, key);
		row->key_digest = octets_of(key, 32);
	}
	certificate_free(&c);
	all->count++;
	return !all->failed && all->count < FILL_BATCH;
}

enum manage_rc
manage_held_fill(struct manage *m, const struct scep_profile_row *p, struct manage_report *r)
{
	struct filled *all;
	enum store_rc rc = STORE_OK;
	int64_t after = 0, before;

	if (strcmp(p->duplicates, "allow") == 0 && !p->unique_keys)
		return MANAGE_OK;
	if ((all = calloc(1, sizeof(*all))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	all->profile = p;
	all->holders = strcmp(p->duplicates, "allow") != 0;
	all->keys = p->unique_keys;
	do {
		before = after;
		all->count = 0;
		rc = store_held_each(m->store, p->lineage, before, clock_now(), FILL_BATCH,
		    add_certificate, all, &after, &r->why);
		if (rc == STORE_OK && all->failed)
			break;
		if (rc == STORE_OK && all->count > 0)
			rc = store_held_put(m->store, all->rows, all->count, &r->why);
	} while (rc == STORE_OK && after != before);
	if (all->failed) {
		free(all);
		return manage_fail(r, MANAGE_FAULT, "SHA-256 of holders and keys");
	}
	free(all);
	return manage_of_store(rc, "holders of", p->name, r);
}

/* ---- what a newer one replaces ---------------------------------------------------------------------------------------------- */

static enum manage_rc
revoke(struct manage *m, const struct replaced_row *row, struct manage_report *r)
{
	static const struct manage_actor by = {.who = "system"};
	struct certificate_row *old = calloc(2, sizeof(*old)), *newer;
	enum manage_rc rc = MANAGE_OK;
	struct audit_event e;
	char reason[128];

	if (old == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	newer = old + 1;
	if ((rc = manage_certificate_get_row(m, row->certificate_id, old, r)) == MANAGE_OK &&
	    (rc = manage_certificate_get_row(m, row->by_id, newer, r)) == MANAGE_OK) {
		snprintf(reason, sizeof(reason), "superseded: replaced by %s", newer->serial);
		e = manage_event(&by, "certificate.revoke", "certificate",
		    old->uuid[0] != '\0' ? old->uuid : old->serial);
		e.profile = old->profile;
		e.serial = old->serial;
		e.subject = old->subject;
		e.reason = reason;
		if (store_revoke(m->store, old->id, REASON_SUPERSEDED, clock_now(), &e, &r->why) ==
		    STORE_AWAY)
			rc = MANAGE_AWAY;
	}
	free(old);
	return rc;
}

enum manage_rc
manage_replaced_sweep(struct manage *m, int *ended, struct manage_report *r)
{
	struct replaced_row due[MANAGE_REPLACED_BATCH];
	enum manage_rc rc;
	int count = 0;

	*ended = 0;
	if ((rc = manage_need_store(m, r)) != MANAGE_OK ||
	    (rc = manage_of_store(store_replaced_due(m->store, clock_now(), due,
				      MANAGE_REPLACED_BATCH, &count, &r->why),
		 "replaced certificates", "", r)) != MANAGE_OK)
		return rc;
	for (int i = 0; i < count && rc == MANAGE_OK; i++) {
		if (!due[i].by_revoked)
			rc = revoke(m, &due[i], r);
		/* One that is revoked already is done with, too: a crash between the two steps does no harm. */
		if (rc == MANAGE_OK &&
		    store_replaced_forget(m->store, &due[i], &r->why) != STORE_OK)
			rc = MANAGE_AWAY;
		*ended += rc == MANAGE_OK;
	}
	return rc;
}
