/* profile_create.c: a new profile with its RA profile, RA key and RA certificate. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/generation.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/profile.h"
#include "fcgi-admin/manage/profile_change.h"
#include "fcgi-admin/manage/ra_certificate.h"
#include "fcgi-admin/manage/replaced.h"
#include "pki/algorithm.h"

static void
fill_defaults(struct manage_profile *p, const char *name, const struct authority_row *ca)
{
	int64_t now = clock_now();

	snprintf(p->authority, sizeof(p->authority), "%s", ca->name);
	snprintf(p->ra.name, sizeof(p->ra.name), "%s", name);
	snprintf(p->ra.authority_id, sizeof(p->ra.authority_id), "%s", ca->id);
	p->ra.validity_days = 365;
	snprintf(p->ra.key_usage, sizeof(p->ra.key_usage), "digitalSignature,keyEncipherment");
	snprintf(p->ra.eku, sizeof(p->ra.eku), "clientAuth");
	p->ra.min_rsa_bits = 2048;
	p->ra.max_rsa_bits = 8192;
	snprintf(p->ra.curves, sizeof(p->ra.curves), "P-256,P-384,P-521");
	p->ra.created_at = now;

	snprintf(p->scep.name, sizeof(p->scep.name), "%s", name);
	p->scep.challenge_expiry_s = 3600;
	p->scep.max_pending = 100;
	p->scep.digests = PKI_DIGESTS_DEFAULT;
	p->scep.ciphers = PKI_CIPHERS_DEFAULT;
	p->scep.require_signer_key = true;
	p->scep.include_ca_in_get_ca_cert = true;
	p->scep.replay_hours = 24;
	snprintf(p->scep.approval, sizeof(p->scep.approval), "auto");
	p->scep.transaction_expiry_s = 7 * 86400;
	p->scep.max_transactions = 1000;
	p->scep.certificate_renewal = true;
	p->scep.same_key_renewal = true;
	p->scep.max_successors = 5;
	p->scep.challenge_length = 32;
	snprintf(p->scep.seat_field, sizeof(p->scep.seat_field), "subject.commonName");
	snprintf(p->scep.duplicates, sizeof(p->scep.duplicates), "allow");
	p->scep.duplicate_grace_s = 7 * 86400;
	p->scep.created_at = now;
	p->scep.version = 1;
}

static enum manage_rc
check_order(const char *name, const char *ra_key, struct manage_report *r)
{
	if (!manage_is_name(name))
		manage_invalid(r, "name",
		    "want 1 to 64 of A-Z a-z 0-9 . _ - and none of challenge, "
		    "mscep_admin, crl, ocsp, pkiclient.exe; have \"%s\"",
		    name);
	manage_ra_check_key(ra_key, r);
	return manage_validity(r);
}

/* Insert the RA profile, or take over one of the name that no SCEP profile uses. */
static enum manage_rc
write_ra_profile(struct manage *m, const struct manage_actor *by, struct manage_profile *p,
    const char *reason, struct manage_report *r)
{
	struct ra_profile_row old = {0};
	struct audit_event e;
	enum store_rc rc;

	rc = store_ra_profile_get(m->store, p->ra.name, &old, &r->why);
	if (rc == STORE_AWAY)
		return MANAGE_AWAY;
	r->why.line[0] = '\0';
	if (rc == STORE_OK)
		memcpy(p->ra.id, old.id, sizeof(p->ra.id));
	else if (!encoding_uuid(p->ra.id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	e = manage_event(
	    by, rc == STORE_OK ? "raProfile.update" : "raProfile.create", "raProfile", p->ra.id);
	e.profile = p->ra.name;
	e.reason = reason;
	rc = rc == STORE_OK ? store_ra_profile_update(m->store, &p->ra, &e, &r->why)
			    : store_ra_profile_insert(m->store, &p->ra, &e, &r->why);
	memcpy(p->scep.ra_profile_id, p->ra.id, sizeof(p->scep.ra_profile_id));
	return manage_of_store(rc, "RA profile", p->ra.name, r);
}

/* Make the RA and write all rows; what fails leaves no key file. */
static enum manage_rc
write_profile(struct manage *m, const struct manage_actor *by, const char *ra_key,
    const struct authority_row *ca, struct manage_profile *p, struct buffer changes[2],
    struct manage_report *r)
{
	struct ra_certificate_row ra = {0};
	struct audit_event e;
	enum manage_rc rc;

	buffer_append_format(&changes[1], "%sCA: %s", changes[1].len > 0 ? "; " : "", ca->name);
	if ((rc = manage_ra_make(m, p->scep.name, ra_key, ca, &ra, r)) == MANAGE_OK &&
	    (rc = write_ra_profile(m, by, p, buffer_string(&changes[1]), r)) == MANAGE_OK) {
		memcpy(p->scep.ra_certificate_id, ra.id, sizeof(p->scep.ra_certificate_id));
		p->ra_not_after = ra.not_after;
		buffer_append_format(&changes[0], "%sCA: %s; enabled: %s",
		    changes[0].len > 0 ? "; " : "", ca->name, p->scep.enabled ? "yes" : "no");
		e = manage_event(by, "profile.create", "profile", p->scep.id);
		e.profile = p->scep.name;
		e.reason = buffer_string(&changes[0]);
		rc =
		    manage_of_store(store_scep_profile_insert(m->store, &p->scep, &ra, &e, &r->why),
			"profile", p->scep.name, r);
	}
	if (rc != MANAGE_OK)
		manage_key_discard(m, ra.key_file);
	ra_certificate_row_free(&ra);
	return rc;
}

static enum manage_rc
check_name_is_free(struct manage *m, const char *name, struct manage_report *r)
{
	struct scep_profile_row row = {0};
	enum store_rc rc = store_scep_profile_get(m->store, name, &row, &r->why);

	if (rc == STORE_OK)
		return manage_fail(r, MANAGE_CONFLICT, "there is a profile %s already", name);
	if (rc != STORE_NONE)
		return MANAGE_AWAY;
	r->why.line[0] = '\0';
	return MANAGE_OK;
}

enum manage_rc
profile_new_check(struct manage *m, const char *name, const char *ra_key, struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = check_order(name, ra_key, r)) != MANAGE_OK ||
	    (rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return check_name_is_free(m, name, r);
}

/* Where the CA is to be succeeded, devices of this profile should know by whom too; what is missing the switch makes up for. */
static void
prepare_next(struct manage *m, const struct manage_actor *by, const struct manage_profile *p,
    const char *ra_key, const struct authority_row *ca, struct manage_report *r)
{
	struct authority_row next = {0};
	struct manage_report own = {0};

	if (store_authority_next(m->store, ca->id, &next, NULL) == STORE_OK &&
	    manage_ra_prepare(m, by, p->scep.id, p->scep.name, ra_key, &next, &own) != MANAGE_OK)
		manage_warn(r, "no next RA certificate by CA %s yet: %s", next.name, own.why.line);
	authority_row_free(&next);
}

enum manage_rc
profile_new_write(struct manage *m, const struct manage_actor *by, const char *ra_key,
    const struct manage_profile_change *c, const struct authority_row *ca, struct manage_profile *p,
    struct buffer changes[2], struct manage_report *r)
{
	enum manage_rc rc;

	if (!encoding_uuid(p->scep.id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	if ((rc = profile_change_check(m, c, p, r)) != MANAGE_OK ||
	    (rc = profile_change_apply(m, c, p, &changes[0], &changes[1], r)) != MANAGE_OK ||
	    (p->scep.enabled && (rc = profile_change_can_enable(m, &p->scep, r)) != MANAGE_OK))
		return rc;
	if ((rc = write_profile(m, by, ra_key, ca, p, changes, r)) == MANAGE_OK)
		prepare_next(m, by, p, ra_key, ca, r);
	/* Of a copy: what others of its lineage issued counts, too. */
	if (rc == MANAGE_OK && p->scep.lineage[0] != '\0')
		rc = manage_held_fill(m, &p->scep, r);
	return rc;
}

enum manage_rc
manage_profile_create(struct manage *m, const struct manage_actor *by,
    const struct manage_profile_order *o, struct manage_profile *out, struct manage_report *r)
{
	struct authority_row ca = {0};
	struct buffer changes[2] = {{0}, {0}};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = profile_new_check(m, o->name, o->ra_key, r)) == MANAGE_OK &&
	    (rc = manage_authority_get_active(m, o->authority, &ca, r)) == MANAGE_OK) {
		fill_defaults(out, o->name, &ca);
		out->scep.enabled = o->enabled;
		rc = profile_new_write(m, by, o->ra_key, o->change, &ca, out, changes, r);
	}
	authority_row_free(&ca);
	buffer_free(&changes[0]);
	buffer_free(&changes[1]);
	return rc;
}
