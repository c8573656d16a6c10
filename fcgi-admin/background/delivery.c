/*
 * delivery.c: certificates that a worker left between the commit and its notification, and whose device did not ask again: revoked after an hour.
 * Intune is told nothing: it may know the certificate or not, and what it asks about it from then on, CRL and OCSP answer.
 */
#include "store/delivery_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"
#include "pki/certificate.h"

#define LOOK_EVERY_MS 10000
#define AFTER_S	      3600
#define BATCH	      50 /* in one turn */

struct left {
	int64_t certificate_id;
	char profile[65];
	char transaction_id[521];
	char serial[MANAGE_SERIAL];
};

struct left_batch {
	struct left rows[BATCH];
	int count;
};

static bool
take(void *ctx, const struct delivery_row *d)
{
	struct left_batch *all = ctx;
	struct left *l = &all->rows[all->count++];
	struct certificate c;

	l->certificate_id = d->certificate_id;
	memcpy(l->profile, d->profile, sizeof(l->profile));
	memcpy(l->transaction_id, d->transaction_id, sizeof(l->transaction_id));
	if (certificate_parse(buffer_octets(&d->certificate), &c, NULL)) {
		manage_serial_text(c.serial, l->serial);
		certificate_free(&c);
	}
	return all->count < BATCH;
}

static enum store_rc
end(struct background *b, const struct left *l, int64_t now, struct errbuf *why)
{
	struct manage_actor system = {.who = "system"};
	struct audit_event e = manage_event(&system, "scep.deliver", "certificate", l->serial);

	e.profile = l->profile;
	e.transaction_id = l->transaction_id;
	e.serial = l->serial;
	e.outcome = "failed";
	e.reason = "intune: not told within an hour, and the device did not ask again: revoked, "
		   "never delivered";
	return store_delivery_failed(b->manage.store, l->certificate_id, now, &e, why);
}

void
task_delivery(struct background *b)
{
	int64_t now_ms = clock_monotonic_ms(), now = clock_now();
	struct left_batch *all;
	struct errbuf why = {0};
	bool ok;
	int ended = 0;

	if (now_ms < b->next_delivery_ms || (all = calloc(1, sizeof(*all))) == NULL)
		return;
	b->next_delivery_ms = now_ms + LOOK_EVERY_MS;
	ok =
	    store_delivery_each(b->manage.store, now - AFTER_S, BATCH, take, all, &why) == STORE_OK;
	for (int i = 0; i < all->count && ok; i++) {
		enum store_rc rc = end(b, &all->rows[i], now, &why);

		ok = rc != STORE_AWAY;
		ended += rc == STORE_OK; /* NONE: a device has just come back for it */
	}
	if (all->count == BATCH)
		b->next_delivery_ms = now_ms;
	free(all);
	if (outage_note(&b->store_away, ok, &why) && ended > 0)
		log_event(LOG_LEVEL_WARNING, "not-delivered",
		    "%d certificates that Intune was not told of are revoked", ended);
}
