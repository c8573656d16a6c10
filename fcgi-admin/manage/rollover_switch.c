/* rollover_switch.c: switching to the next generation of a CA, or taking it back. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/generation.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/rollover.h"
#include "fcgi-admin/manage/served.h"
#include "pki/certificate.h"
#include "store/revocation.h"

enum manage_rc
manage_overlap_check(int64_t overlap_s, struct manage_report *r)
{
	if (overlap_s < 0 || overlap_s > MANAGE_OVERLAP_MAX_S)
		manage_invalid(r, "overlap", "want 0 to %d days", MANAGE_OVERLAP_MAX_S / 86400);
	return manage_validity(r);
}

/* The prepared generation that name means, itself or the CA that it succeeds. */
static enum manage_rc
find_next(struct manage *m, const char *name, struct authority_row *next, struct manage_report *r)
{
	struct authority_row named = {0};
	enum manage_rc rc;

	memset(next, 0, sizeof(*next));
	if ((rc = manage_authority_get(m, name, &named, r)) != MANAGE_OK)
		return rc;
	if (strcmp(named.state, "next") == 0) {
		*next = named;
		return MANAGE_OK;
	}
	if (strcmp(named.state, "active") != 0) {
		authority_row_free(&named);
		rc = manage_authority_get_active(m, name, &named, r);
		authority_row_free(&named);
		return rc == MANAGE_OK ? manage_fail(r, MANAGE_CONFLICT, "CA %s has changed", name)
				       : rc;
	}
	rc = manage_of_store(
	    store_authority_next(m->store, named.id, next, &r->why), "next CA of", name, r);
	if (rc == MANAGE_NOT_FOUND)
		rc = manage_fail(r, MANAGE_CONFLICT,
		    "CA %s has no next generation: scepctl ca rollover %s", name, name);
	authority_row_free(&named);
	return rc;
}

/* Those of profiles that were made since. */
static enum manage_rc
complete(struct manage *m, const struct manage_actor *by, const struct authority_row *next,
    struct manage_report *r)
{
	struct served served = {.count = 0};
	enum manage_rc rc = served_read(m, next->predecessor_id, &served, r);

	for (int i = 0; rc == MANAGE_OK && i < served.count; i++) {
		const struct served_profile *p = &served.profiles[i];

		if (!p->has_next)
			rc = manage_ra_prepare(m, by, p->id, p->name, p->ra_kind, next, r);
	}
	served_free(&served);
	return rc;
}

static enum manage_rc
check_time(const struct authority_row *next, struct manage_report *r)
{
	struct certificate c = {0};
	int64_t now = clock_now();
	bool in_time;

	if (!certificate_parse(buffer_octets(&next->certificate), &c, &r->why))
		return MANAGE_FAULT;
	in_time = now >= c.not_before && now < c.not_after;
	certificate_free(&c);
	if (!in_time)
		return manage_fail(
		    r, MANAGE_CONFLICT, "the certificate of CA %s is not valid now", next->name);
	return MANAGE_OK;
}

enum manage_rc
manage_rollover_switch(struct manage *m, const struct manage_actor *by, const char *name,
    int64_t overlap_s, struct authority_row *out, struct manage_report *r)
{
	int64_t until = clock_now() + overlap_s;
	char reason[128], time[ENCODING_TIME_SIZE];
	struct audit_event e;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_overlap_check(overlap_s, r)) != MANAGE_OK ||
	    (rc = find_next(m, name, out, r)) != MANAGE_OK)
		return rc;
	if ((rc = check_time(out, r)) == MANAGE_OK && (rc = complete(m, by, out, r)) == MANAGE_OK) {
		encoding_time(until, time);
		snprintf(reason, sizeof(reason),
		    "state: next -> active; old RA certificates decrypt until %s", time);
		e = manage_event(by, "authority.switch", "authority", out->id);
		e.reason = reason;
		rc = manage_of_store(store_rollover_switch(m->store, out->id, until, &e, &r->why),
		    "CA", out->name, r);
	}
	if (rc == MANAGE_OK)
		snprintf(out->state, sizeof(out->state), "active");
	else
		authority_row_free(out);
	return rc;
}

/* --- taking back --- */

enum manage_rc
manage_rollover_cancel(
    struct manage *m, const struct manage_actor *by, const char *name, struct manage_report *r)
{
	struct authority_row next = {0};
	struct ocsp_responder_row responder = {0};
	struct served served = {.count = 0};
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = find_next(m, name, &next, r)) != MANAGE_OK)
		return rc;
	if ((rc = served_read(m, next.predecessor_id, &served, r)) == MANAGE_OK) {
		if (store_ocsp_responder_get(m->store, next.id, &responder, NULL) != STORE_OK)
			responder.key_file[0] = '\0';
		e = manage_event(by, "authority.rolloverCancel", "authority", next.id);
		e.reason = next.name;
		rc = manage_of_store(
		    store_rollover_cancel(m->store, next.id, &e, &r->why), "CA", next.name, r);
	}
	if (rc == MANAGE_OK) {
		for (int i = 0; i < served.count; i++)
			if (strcmp(served.profiles[i].next_authority_id, next.id) == 0)
				manage_key_discard(m, served.profiles[i].next_key_file);
		manage_key_discard(m, responder.key_file);
		manage_key_discard(m, next.key_file);
	}
	ocsp_responder_row_free(&responder);
	served_free(&served);
	authority_row_free(&next);
	return rc;
}
