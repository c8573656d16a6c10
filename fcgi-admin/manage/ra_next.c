/* ra_next.c: the RA certificate that a profile is to have next. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/ra_certificate.h"
#include "pki/certificate.h"
#include "pki/public_key.h"

bool
manage_key_kind(struct octets der, char kind[MANAGE_KEY_KIND])
{
	struct certificate c = {0};
	struct public_key key = {0};
	bool ok = certificate_parse(der, &c, NULL) && public_key_parse(c.spki, &key, NULL);

	if (ok && key.type == PKI_KEY_RSA)
		snprintf(kind, MANAGE_KEY_KIND, "rsa:%d", key.bits);
	else if (ok && key.type == PKI_KEY_EC && strncmp(key.name, "EC ", 3) == 0)
		snprintf(kind, MANAGE_KEY_KIND, "ec:%.16s", key.name + 3);
	else
		ok = false;
	public_key_free(&key);
	certificate_free(&c);
	return ok;
}

struct next {
	struct ra_certificate_row *out;
	bool found;
};

static bool
keep_next(void *ctx, const struct ra_certificate_row *ra)
{
	struct next *n = ctx;

	if (strcmp(ra->role, "next") != 0)
		return true;
	n->found = true;
	*n->out = *ra;
	n->out->certificate = (struct buffer){0};
	buffer_append(&n->out->certificate, ra->certificate.data, ra->certificate.len);
	return false;
}

enum manage_rc
manage_ra_next(struct manage *m, const char *profile_id, struct ra_certificate_row *out,
    struct manage_report *r)
{
	struct next n = {.out = out};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	rc = manage_of_store(
	    store_profile_ra_each(m->store, profile_id, clock_now(), keep_next, &n, &r->why),
	    "profile", profile_id, r);
	if (rc == MANAGE_OK && !n.found)
		return manage_fail(r, MANAGE_NOT_FOUND, "there is no next RA certificate");
	if (rc == MANAGE_OK && out->certificate.failed)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	return rc;
}

enum manage_rc
manage_ra_prepare(struct manage *m, const struct manage_actor *by, const char *profile_id,
    const char *profile, const char *kind, const struct authority_row *ca, struct manage_report *r)
{
	struct ra_certificate_row ra = {0};
	struct audit_event e = manage_event(by, "ra.prepare", "profile", profile_id);
	char reason[128];
	enum manage_rc rc;

	snprintf(reason, sizeof(reason), "next RA certificate by CA %s", ca->name);
	e.profile = profile;
	e.reason = reason;
	if ((rc = manage_ra_make(m, profile, kind, ca, &ra, r)) == MANAGE_OK)
		rc = manage_of_store(store_ra_prepare(m->store, profile_id, &ra, &e, &r->why),
		    "next RA certificate of", profile, r);
	if (rc != MANAGE_OK)
		manage_key_discard(m, ra.key_file);
	ra_certificate_row_free(&ra);
	return rc;
}
