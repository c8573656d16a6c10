/* fetch.c: from a caller and a profile's name to a challenge. */
#include "fcgi-admin/dialect/fetch.h"

#include <string.h>

#include "base/log.h"
#include "fcgi-admin/dialect/webhook.h"

#define BODY_MAX 65536

static enum fetch_rc
find_profile(struct call *c, const char *name, struct fetch *f)
{
	if (name[0] == '\0')
		name = c->admin->settings->default_profile;
	if (name[0] == '\0') {
		call_error(c, 404, "", "there is no default profile here");
		return FETCH_ANSWERED;
	}
	switch (profile_get(c->admin->profiles, name, &f->profile, &f->report.why)) {
	case STORE_OK:
		break;
	case STORE_NONE:
		call_error(c, 404, "", "there is no such profile");
		return FETCH_ANSWERED;
	default:
		call_failed(c, MANAGE_AWAY, &f->report);
		return FETCH_ANSWERED;
	}
	if (manage_token_has_profile(&c->caller.token, f->profile->scep.name))
		return FETCH_MINTED;
	errbuf_set(&f->report.why, "the token is not for this profile");
	return FETCH_FORBIDDEN;
}

/* What the audit should know of who asked for whom.  false: answered. */
static bool
describe(struct call *c, struct buffer *reason)
{
	struct octets body;
	struct errbuf why = {0};
	int status = fcgi_request_body(c->request, BODY_MAX, &body, &why);

	if (status != 0) {
		log_event(LOG_LEVEL_INFO, "body", "%s", why.line);
		call_error(c, status, "", "the body cannot be read");
		return false;
	}
	webhook_describe(body, reason);
	if (c->caller.user[0] != '\0')
		buffer_append_format(
		    reason, "%suser %s", reason->len > 0 ? "; " : "", c->caller.user);
	return true;
}

static enum fetch_rc
mint(struct call *c, struct fetch *f, const char *reason)
{
	struct manage_challenge_order o = {.profile = &f->profile->scep, .reason = reason};
	struct log_line l;
	enum manage_rc rc =
	    manage_challenge_mint(&c->admin->manage, &c->actor, &o, &f->challenge, &f->report);

	switch (rc) {
	case MANAGE_OK:
		break;
	case MANAGE_FULL:
		return FETCH_FULL;
	case MANAGE_CONFLICT:
		return FETCH_NONE_HERE;
	default:
		call_failed(c, rc, &f->report);
		return FETCH_ANSWERED;
	}
	f->expiry_s = f->profile->scep.challenge_expiry_s;
	log_begin(&l, LOG_LEVEL_INFO, "challenge-minted");
	log_text(&l, "profile", f->profile->scep.name);
	log_text(&l, "actor", c->caller.who);
	log_text(&l, "address", c->actor.address);
	log_end(&l);
	return FETCH_MINTED;
}

enum fetch_rc
fetch_challenge(struct call *c, const char *name, struct fetch *f)
{
	struct buffer reason = {0};
	enum fetch_rc rc;

	memset(f, 0, sizeof(*f));
	if (c->denied[0] != '\0') {
		errbuf_set(&f->report.why, "%s", c->denied);
		return FETCH_FORBIDDEN;
	}
	if ((rc = find_profile(c, name, f)) != FETCH_MINTED)
		return rc;
	if (strcmp(fcgi_request_method(c->request), "HEAD") == 0)
		return FETCH_NOTHING;
	if (!describe(c, &reason))
		rc = FETCH_ANSWERED;
	else
		rc = mint(c, f, reason.len > 0 ? buffer_string(&reason) : NULL);
	buffer_free(&reason);
	return rc;
}
