/* profile.c: making, changing and removing profiles. */
#include "fcgi-admin/manage/profile.h"

#include <stdio.h>
#include <string.h>

#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/profile_change.h"
#include "fcgi-admin/manage/replaced.h"
#include "pki/algorithm.h"

/* --- names of algorithms --- */

static void
mask_text(uint32_t mask, const char *(*name)(uint32_t bit), char out[128])
{
	size_t len = 0;

	out[0] = '\0';
	for (uint32_t bit = 1; bit != 0 && bit <= mask; bit <<= 1)
		if ((mask & bit) != 0 && len < 128)
			len += (size_t)snprintf(
			    out + len, 128 - len, "%s%s", len > 0 ? "," : "", name(bit));
}

static const char *
digest_name(uint32_t bit)
{
	return pki_digest_name((enum pki_digest)bit);
}

static const char *
cipher_name(uint32_t bit)
{
	return pki_cipher_name((enum pki_cipher)bit);
}

void
manage_digests_text(uint32_t mask, char out[128])
{
	mask_text(mask, digest_name, out);
}

void
manage_ciphers_text(uint32_t mask, char out[128])
{
	mask_text(mask, cipher_name, out);
}

static bool
mask_of_text(const char *text, uint32_t (*of_name)(const char *name), uint32_t *mask)
{
	char name[32];

	*mask = 0;
	for (;;) {
		size_t len = strcspn(text, ",");
		uint32_t bit;

		if (len == 0 || len >= sizeof(name))
			return false;
		memcpy(name, text, len);
		name[len] = '\0';
		if ((bit = of_name(name)) == 0)
			return false;
		*mask |= bit;
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
}

static uint32_t
digest_of_name(const char *name)
{
	return (uint32_t)pki_digest_of_name(name);
}

static uint32_t
cipher_of_name(const char *name)
{
	return (uint32_t)pki_cipher_of_name(name);
}

bool
manage_digests_of_text(const char *text, uint32_t *mask)
{
	return mask_of_text(text, digest_of_name, mask);
}

bool
manage_ciphers_of_text(const char *text, uint32_t *mask)
{
	return mask_of_text(text, cipher_of_name, mask);
}

/* --- reading --- */

enum manage_rc
manage_profile_row(
    struct manage *m, const char *name, struct scep_profile_row *out, struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_scep_profile_get(m->store, name, out, &r->why), "profile", name, r);
}

enum manage_rc
manage_profile_get(
    struct manage *m, const char *name, struct manage_profile *out, struct manage_report *r)
{
	struct ra_certificate_row ra = {0};
	struct authority_row authority = {0};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_profile_row(m, name, &out->scep, r)) != MANAGE_OK ||
	    (rc = manage_of_store(
		 store_ra_profile_get(m->store, out->scep.ra_profile_id, &out->ra, &r->why),
		 "RA profile", out->scep.ra_profile_id, r)) != MANAGE_OK ||
	    (rc = profile_renew_from_read(m, out, r)) != MANAGE_OK ||
	    (rc = profile_intune_read(m, out, r)) != MANAGE_OK)
		return rc;
	rc = manage_authority_get(m, out->ra.authority_id, &authority, r);
	if (rc == MANAGE_OK) {
		snprintf(out->authority, sizeof(out->authority), "%s", authority.name);
		rc = manage_of_store(
		    store_ra_certificate_get(m->store, out->scep.ra_certificate_id, &ra, &r->why),
		    "RA certificate", out->scep.ra_certificate_id, r);
		out->ra_not_after = ra.not_after;
	}
	authority_row_free(&authority);
	ra_certificate_row_free(&ra);
	return rc;
}

enum manage_rc
manage_profile_each(struct manage *m, bool (*row)(void *ctx, const struct scep_profile_row *p),
    void *ctx, struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_scep_profile_each(m->store, row, ctx, &r->why), "profile", "", r);
}

/* --- changing --- */

/* Write the rows that have changed, each with its event. */
static enum manage_rc
write_changes(struct manage *m, const struct manage_actor *by, const struct manage_profile *p,
    struct buffer *scep, struct buffer *ra, struct manage_report *r)
{
	enum manage_rc rc = MANAGE_OK;
	struct audit_event e;

	if (ra->len > 0) {
		e = manage_event(by, "raProfile.update", "raProfile", p->ra.id);
		e.profile = p->ra.name;
		e.reason = buffer_string(ra);
		rc = manage_of_store(store_ra_profile_update(m->store, &p->ra, &e, &r->why),
		    "RA profile", p->ra.name, r);
	}
	if (rc == MANAGE_OK && scep->len > 0) {
		e = manage_event(by, "profile.update", "profile", p->scep.id);
		e.profile = p->scep.name;
		e.reason = buffer_string(scep);
		rc = manage_of_store(store_scep_profile_update(m->store, &p->scep, &e, &r->why),
		    "profile", p->scep.name, r);
	}
	return rc;
}

enum manage_rc
manage_profile_set(struct manage *m, const struct manage_actor *by, const char *name,
    const struct manage_profile_change *c, struct manage_profile *out, struct manage_report *r)
{
	struct buffer scep = {0}, ra = {0};
	enum manage_rc rc;

	if ((rc = manage_profile_get(m, name, out, r)) == MANAGE_OK &&
	    (rc = profile_change_check(m, c, out, r)) == MANAGE_OK &&
	    (rc = profile_change_apply(m, c, out, &scep, &ra, r)) == MANAGE_OK &&
	    (!out->scep.enabled ||
		(rc = profile_change_can_enable(m, &out->scep, r)) == MANAGE_OK) &&
	    (rc = write_changes(m, by, out, &scep, &ra, r)) == MANAGE_OK)
		rc = manage_profile_get(m, name, out, r);
	/* Also where it was on already: what was cut short before is made good. */
	if (rc == MANAGE_OK && (c->duplicates != NULL || c->unique_keys == 1))
		rc = manage_held_fill(m, &out->scep, r);
	buffer_free(&scep);
	buffer_free(&ra);
	return rc;
}

enum manage_rc
manage_profile_enable(struct manage *m, const struct manage_actor *by, const char *name,
    bool enabled, struct manage_report *r)
{
	struct manage_profile p;
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_profile_get(m, name, &p, r)) != MANAGE_OK)
		return rc;
	if (enabled && (rc = profile_change_can_enable(m, &p.scep, r)) != MANAGE_OK)
		return rc;
	if (p.scep.enabled == enabled)
		return MANAGE_OK;
	p.scep.enabled = enabled;
	e = manage_event(by, enabled ? "profile.enable" : "profile.disable", "profile", p.scep.id);
	e.profile = p.scep.name;
	e.reason = enabled ? "enabled: no -> yes" : "enabled: yes -> no";
	return manage_of_store(
	    store_scep_profile_update(m->store, &p.scep, &e, &r->why), "profile", name, r);
}

enum manage_rc
manage_profile_delete(
    struct manage *m, const struct manage_actor *by, const char *name, struct manage_report *r)
{
	struct scep_profile_row row = {0};
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_profile_row(m, name, &row, r)) != MANAGE_OK)
		return rc;
	e = manage_event(by, "profile.delete", "profile", row.id);
	e.profile = row.name;
	switch (store_scep_profile_delete(m->store, row.id, &e, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_CONFLICT:
		return manage_fail(r, MANAGE_CONFLICT,
		    "certificates were issued under profile %s: disable it instead", row.name);
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "there is no profile %s", name);
	default:
		return MANAGE_AWAY;
	}
}
