/* crl.c: which CRL answers, and making it. */
#include "issue/crl.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/fault.h"
#include "base/log.h"
#include "pki/crl.h"
#include "store/revocation.h"

#define SECONDS_PER_HOUR 3600
#define BACKDATE_S	 300 /* thisUpdate lies so far back: devices' clocks are late */
#define KEEP_EXPIRED_S                                                                             \
	604800 /* an entry stays so long after its certificate's end (RFC 5280 3.3) */
#define LEASE_S	     30
#define WAIT_MS	     5000 /* for another process to make the first one */
#define WAIT_STEP_MS 50

static bool
is_fresh(const struct crl_row *crl, int64_t revocations, int64_t now)
{
	int64_t validity = crl->next_update - crl->this_update;

	return crl->revocations == revocations && now >= crl->this_update &&
	       now < crl->next_update - validity / 4;
}

static bool
add_entry(void *ctx, struct octets serial, int64_t revoked_at, int reason)
{
	crl_add(ctx, serial, revoked_at, reason);
	return true;
}

/* The octets of one that is in the store. */
static enum store_rc
read_stored(struct store *st, const struct profile_authority *a, struct buffer *der,
    int64_t *next_update, struct errbuf *why)
{
	struct crl_row crl = {0};
	enum store_rc rc = store_crl_get(st, a->id, true, &crl, why);

	if (rc == STORE_OK) {
		buffer_append(der, crl.der.data, crl.der.len);
		*next_update = crl.next_update;
		if (der->failed) {
			errbuf_set(why, "CRL: out of memory");
			rc = STORE_AWAY;
		}
	}
	buffer_free(&crl.der);
	return rc;
}

/* What was revoked is read after the number it is kept under: at worst the next request makes one more. */
static enum store_rc
make(struct store *st, const struct profile_authority *a, int64_t number, int64_t revocations,
    int64_t validity_hours, int64_t now, struct crl_row *crl, struct errbuf *why)
{
	struct crl_builder *b = crl_start(why);
	enum store_rc rc = STORE_AWAY;

	*crl = (struct crl_row){
	    .number = number,
	    .revocations = revocations,
	    .this_update = now - BACKDATE_S,
	    .next_update = now + validity_hours * SECONDS_PER_HOUR,
	};
	if (b == NULL)
		return rc;
	rc = store_revoked_each(st, a->id, now - KEEP_EXPIRED_S, add_entry, b, why);
	if (rc == STORE_OK) {
		crl->entries = crl_count(b);
		if (!crl_sign(b, &a->chain[0], a->signer, number, crl->this_update,
			crl->next_update, &crl->der, why))
			rc = STORE_AWAY;
	}
	crl_free(b);
	return rc;
}

static enum store_rc
make_and_keep(struct store *st, const struct profile_authority *a, int64_t number,
    int64_t revocations, int64_t validity_hours, int64_t now, struct errbuf *why)
{
	int64_t start_us = clock_monotonic_us();
	struct audit_event event = {
	    .time_ms = now * 1000,
	    .actor = "system",
	    .action = "crl.make",
	    .resource_type = "authority",
	    .resource_id = a->id,
	    .outcome = "success",
	    .count = 1,
	};
	struct crl_row crl;
	char reason[160];
	enum store_rc rc;

	rc = make(st, a, number, revocations, validity_hours, now, &crl, why);
	if (rc == STORE_OK && fault_here("crl")) {
		errbuf_set(why, "a fault of the test build");
		rc = STORE_AWAY;
	}
	if (rc == STORE_OK) {
		snprintf(reason, sizeof(reason), "%s: number %lld, %lld entries", a->name,
		    (long long)number, (long long)crl.entries);
		event.reason = reason;
		rc = store_crl_put(st, a->id, &crl, &event, why);
		log_event(LOG_LEVEL_INFO, "crl", "%s, %zu octets, %lld us", reason, crl.der.len,
		    (long long)(clock_monotonic_us() - start_us));
	}
	buffer_free(&crl.der);
	return rc == STORE_CONFLICT ? STORE_OK : rc;
}

static void
sleep_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

/* Without room in the store, say, no new one can be made: better the one that is there, while its time lasts, than none. */
static enum store_rc
fall_back(const struct profile_authority *a, bool in_time, struct errbuf *why)
{
	if (!in_time)
		return STORE_AWAY;
	log_event(LOG_LEVEL_ERROR, "crl", "CA %s: no new CRL, the one before is served: %s",
	    a->name, why->line);
	return STORE_OK;
}

/* OK: one that answers is in the store; NONE: look again. */
static enum store_rc
ensure(struct store *st, const struct profile_authority *a, const char *lease, const char *holder,
    int64_t validity_hours, int64_t now, struct errbuf *why)
{
	struct crl_row crl = {0};
	int64_t revocations;
	enum store_rc found, rc;
	bool in_time;

	if ((rc = store_crl_wanted(st, a->id, &revocations, why)) != STORE_OK)
		return STORE_AWAY;
	found = store_crl_get(st, a->id, false, &crl, why);
	if (found == STORE_AWAY || (found == STORE_OK && is_fresh(&crl, revocations, now)))
		return found;
	in_time = found == STORE_OK && now >= crl.this_update && now < crl.next_update;
	switch (store_lease(st, lease, holder, now, LEASE_S, why)) {
	case STORE_OK:
		rc = make_and_keep(st, a, found == STORE_OK ? crl.number + 1 : 1, revocations,
		    validity_hours, now, why);
		(void)store_lease_release(st, lease, holder, NULL);
		return rc == STORE_OK ? STORE_OK : fall_back(a, in_time, why);
	case STORE_CONFLICT:
		return in_time ? STORE_OK : STORE_NONE;
	default:
		return fall_back(a, in_time, why);
	}
}

enum store_rc
issue_crl(struct store *st, const struct profile_authority *a, int64_t validity_hours, int64_t now,
    struct buffer *der, int64_t *next_update, struct errbuf *why)
{
	char lease[64], holder[UUID_SIZE];
	enum store_rc rc = STORE_NONE;

	snprintf(lease, sizeof(lease), "crl:%s", a->id);
	if (!encoding_uuid(holder)) {
		errbuf_set(why, "CRL: no random octets");
		return STORE_AWAY;
	}
	for (int waited = 0; waited <= WAIT_MS; waited += WAIT_STEP_MS) {
		rc = ensure(st, a, lease, holder, validity_hours, now, why);
		if (rc != STORE_NONE)
			break;
		sleep_ms(WAIT_STEP_MS);
	}
	if (rc == STORE_NONE)
		errbuf_set(why, "CRL of %s: another process has been making it for %d ms", a->name,
		    WAIT_MS);
	return rc == STORE_OK ? read_stored(st, a, der, next_update, why) : STORE_AWAY;
}
