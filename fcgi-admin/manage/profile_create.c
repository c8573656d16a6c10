/* profile_create.c: a new profile with its RA profile, RA key and RA certificate. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/profile.h"
#include "fcgi-admin/manage/profile_change.h"
#include "pki/algorithm.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"

#define RA_VALIDITY_DAYS 3650

static const uint8_t oid_organization[] = {0x55, 0x04, 0x0a}; /* 2.5.4.10 */

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
	p->ra.created_at = now;

	snprintf(p->scep.name, sizeof(p->scep.name), "%s", name);
	p->scep.challenge_expiry_s = 3600;
	p->scep.max_pending = 100;
	p->scep.digests = PKI_DIGESTS_DEFAULT;
	p->scep.ciphers = PKI_CIPHERS_DEFAULT;
	p->scep.require_signer_key = true;
	p->scep.include_ca_in_get_ca_cert = true;
	p->scep.replay_hours = 24;
	p->scep.created_at = now;
	p->scep.version = 1;
}

static enum manage_rc
check_order(const struct manage_profile_order *o, struct manage_report *r)
{
	if (!manage_is_name(o->name))
		manage_invalid(r, "name",
		    "want 1 to 64 of A-Z a-z 0-9 . _ - and none of challenge, "
		    "mscep_admin, crl, ocsp, pkiclient.exe; have \"%s\"",
		    o->name);
	if (strcmp(o->ra_key, "rsa:2048") != 0 && strcmp(o->ra_key, "rsa:3072") != 0 &&
	    strcmp(o->ra_key, "rsa:4096") != 0)
		manage_invalid(
		    r, "raKey", "want rsa:2048, rsa:3072 or rsa:4096, have \"%s\"", o->ra_key);
	return manage_validity(r);
}

/* The first organization in the CA's subject, with what name_from_text() would read otherwise escaped. */
static bool
append_organization(struct octets ca_subject, struct buffer *out, struct errbuf *why)
{
	struct name_view *view = NULL;
	struct buffer value = {0};
	bool ok = true;

	if (!name_parse(ca_subject, &view, why))
		return false;
	for (int i = 0; i < name_count(view); i++) {
		const struct name_attribute *a = name_get0(view, i);

		if (!octets_equal(a->oid, octets_of(oid_organization, sizeof(oid_organization))))
			continue;
		if (!name_value_utf8(a->value, a->tag, &value))
			break;
		buffer_append_string(out, "O=");
		for (size_t n = 0; n < value.len; n++) {
			if (strchr("\\,+=\"<>;# ", value.data[n]) != NULL)
				buffer_append_string(out, "\\");
			buffer_append(out, &value.data[n], 1);
		}
		buffer_append_string(out, ",");
		break;
	}
	if (out->failed || value.failed) {
		errbuf_set(why, "out of memory");
		ok = false;
	}
	buffer_free(&value);
	name_free(view);
	return ok;
}

static enum manage_rc
make_subject(const struct authority_row *ca, const char *name, struct buffer *subject,
    struct manage_report *r)
{
	struct certificate c = {0};
	struct buffer text = {0};
	bool ok;

	ok = certificate_parse(buffer_octets(&ca->certificate), &c, &r->why) &&
	     append_organization(c.subject, &text, &r->why);
	/* A common name holds 64 characters. */
	buffer_append_format(&text, strlen(name) <= 56 ? "CN=%s SCEP RA" : "CN=%s", name);
	ok = ok && name_from_text(buffer_string(&text), subject, &r->why);
	buffer_free(&text);
	certificate_free(&c);
	return ok ? MANAGE_OK : MANAGE_FAULT;
}

/* Key, certificate and row of the RA; the key file is there when this returns OK. */
static enum manage_rc
make_ra(struct manage *m, const struct manage_profile_order *o, const struct authority_row *ca,
    struct ra_certificate_row *ra, struct manage_report *r)
{
	struct buffer subject = {0}, spki = {0};
	struct manage_certificate certificate = {0};
	struct manage_certificate_order order = {
	    .authority = ca,
	    .eku = "",
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT,
	    .validity_days = RA_VALIDITY_DAYS,
	};
	EVP_PKEY *key = NULL;
	enum manage_rc rc;

	if ((rc = make_subject(ca, o->name, &subject, r)) != MANAGE_OK)
		goto out;
	rc = MANAGE_FAULT;
	if (!encoding_uuid(ra->id) || (key = private_key_generate(o->ra_key, &r->why)) == NULL ||
	    !private_key_spki(key, &spki, &r->why))
		goto out;
	order.subject = buffer_octets(&subject);
	order.spki = buffer_octets(&spki);
	if ((rc = manage_certificate_sign(m, &order, &certificate, r)) != MANAGE_OK)
		goto out;
	ra->certificate = certificate.der;
	ra->not_after = certificate.not_after;
	ra->created_at = clock_now();
	snprintf(ra->authority_id, sizeof(ra->authority_id), "%s", ca->id);
	rc = manage_key_save(m, key, "ra", ra->id, ra->key_file, r);

out:
	EVP_PKEY_free(key);
	buffer_free(&subject);
	buffer_free(&spki);
	return rc;
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
write_profile(struct manage *m, const struct manage_actor *by, const struct manage_profile_order *o,
    const struct authority_row *ca, struct manage_profile *p, struct buffer changes[2],
    struct manage_report *r)
{
	struct ra_certificate_row ra = {0};
	struct audit_event e;
	enum manage_rc rc;

	buffer_append_format(&changes[1], "%sCA: %s", changes[1].len > 0 ? "; " : "", ca->name);
	if ((rc = make_ra(m, o, ca, &ra, r)) == MANAGE_OK &&
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
manage_profile_create(struct manage *m, const struct manage_actor *by,
    const struct manage_profile_order *o, struct manage_profile *out, struct manage_report *r)
{
	struct authority_row ca = {0};
	struct buffer changes[2] = {{0}, {0}};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = check_order(o, r)) != MANAGE_OK || (rc = manage_need_store(m, r)) != MANAGE_OK ||
	    (rc = check_name_is_free(m, o->name, r)) != MANAGE_OK ||
	    (rc = manage_authority_get(m, o->authority, &ca, r)) != MANAGE_OK)
		goto out;
	fill_defaults(out, o->name, &ca);
	out->scep.enabled = o->enabled;
	if (!encoding_uuid(out->scep.id)) {
		rc = manage_fail(r, MANAGE_FAULT, "no random octets for an id");
		goto out;
	}
	if ((rc = profile_change_check(o->change, out, r)) == MANAGE_OK &&
	    (rc = profile_change_apply(m, o->change, out, &changes[0], &changes[1], r)) ==
		MANAGE_OK &&
	    (!o->enabled || (rc = profile_change_can_enable(&out->scep, r)) == MANAGE_OK))
		rc = write_profile(m, by, o, &ca, out, changes, r);

out:
	authority_row_free(&ca);
	buffer_free(&changes[0]);
	buffer_free(&changes[1]);
	return rc;
}
