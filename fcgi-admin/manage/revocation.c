/* revocation.c: revoking certificates, and taking a hold back. */
#include "fcgi-admin/manage/revocation.h"

#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/records.h"
#include "pki/crl.h"
#include "store/revocation.h"

enum manage_rc
manage_reason_of_text(const char *text, int *reason, struct manage_report *r)
{
	int found = crl_reason_of_text(text);

	if (found < 0)
		return manage_invalid(r, "reason",
		    "want unspecified, keyCompromise, affiliationChanged, superseded, "
		    "cessationOfOperation, certificateHold or privilegeWithdrawn, have \"%s\"",
		    text);
	*reason = found;
	return MANAGE_OK;
}

static struct audit_event
event_of(const struct manage_actor *by, const char *action, const struct certificate_row *c)
{
	struct audit_event e =
	    manage_event(by, action, "certificate", c->uuid[0] != '\0' ? c->uuid : c->serial);

	e.profile = c->profile;
	e.serial = c->serial;
	e.subject = c->subject;
	return e;
}

/* The row as it is now, when a change could not be made, or after it was. */
static enum manage_rc
read_again(struct manage *m, struct certificate_row *c, struct manage_report *r)
{
	int64_t id = c->id;

	return manage_certificate_get_row(m, id, c, r);
}

enum manage_rc
manage_certificate_revoke(struct manage *m, const struct manage_actor *by, const char *id,
    const char *authority, const char *reason, struct certificate_row *out, struct manage_report *r)
{
	char since[ENCODING_TIME_SIZE];
	int64_t now = clock_now();
	struct audit_event e;
	int number = CRL_UNSPECIFIED;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if (reason != NULL)
		manage_reason_of_text(reason, &number, r);
	if ((rc = manage_validity(r)) != MANAGE_OK ||
	    (rc = manage_certificate_get(m, id, authority, out, NULL, r)) != MANAGE_OK)
		return rc;
	e = event_of(by, "certificate.revoke", out);
	e.reason = crl_reason_text(number);
	switch (store_revoke(m->store, out->id, number, now, &e, &r->why)) {
	case STORE_OK:
		break;
	case STORE_CONFLICT:
		if ((rc = read_again(m, out, r)) != MANAGE_OK)
			return rc;
		encoding_time(out->revoked_at, since);
		return manage_fail(r, MANAGE_CONFLICT,
		    "certificate %s is revoked already: since %s, %s", out->serial, since,
		    crl_reason_text(out->revocation_reason));
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "there is no certificate %s", id);
	default:
		return MANAGE_AWAY;
	}
	if (out->not_after <= now)
		manage_warn(r, "the certificate has expired: nobody needs to be told any more");
	return read_again(m, out, r);
}

enum manage_rc
manage_certificate_unhold(struct manage *m, const struct manage_actor *by, const char *id,
    const char *authority, struct certificate_row *out, struct manage_report *r)
{
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_certificate_get(m, id, authority, out, NULL, r)) != MANAGE_OK)
		return rc;
	e = event_of(by, "certificate.unhold", out);
	switch (store_unhold(m->store, out->id, &e, &r->why)) {
	case STORE_OK:
		return read_again(m, out, r);
	case STORE_CONFLICT:
		if ((rc = read_again(m, out, r)) != MANAGE_OK)
			return rc;
		return manage_fail(r, MANAGE_CONFLICT,
		    "certificate %s is not on hold: it is %s%s%s", out->serial, out->status,
		    out->revoked_at != 0 ? ", " : "",
		    out->revoked_at != 0 ? crl_reason_text(out->revocation_reason) : "");
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "there is no certificate %s", id);
	default:
		return MANAGE_AWAY;
	}
}
