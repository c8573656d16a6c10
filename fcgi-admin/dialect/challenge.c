/* challenge.c: the plain dialect: a request gives a challenge, and nothing but it. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fcgi-admin/dialect/dialect.h"
#include "fcgi-admin/dialect/webhook.h"
#include "fcgi-admin/manage/challenge.h"

#define BODY_MAX 65536

/* The profile, unless it is not there, not this caller's or not of the kind; NULL: answered. */
static const struct scep_profile_row *
get_profile(struct call *c, const char *name)
{
	struct manage_report r = {0};
	struct profile *p = NULL;

	switch (profile_get(c->admin->profiles, name, &p, &r.why)) {
	case STORE_OK:
		break;
	case STORE_NONE:
		call_error(c, 404, "", "there is no such profile");
		return NULL;
	default:
		call_failed(c, MANAGE_AWAY, &r);
		return NULL;
	}
	if (!manage_token_has_profile(&c->caller.token, p->scep.name)) {
		call_refuse(c, 403, "this token is not for this profile",
		    "the token is not for this profile");
		return NULL;
	}
	return &p->scep;
}

/* What the audit should know of who asked for whom. */
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

static void
mint(struct call *c, const struct scep_profile_row *profile, const char *reason)
{
	struct manage_challenge_order o = {.profile = profile, .reason = reason};
	struct manage_challenge challenge;
	struct manage_report r = {0};
	struct log_line l;
	enum manage_rc rc = manage_challenge_mint(&c->admin->manage, &c->actor, &o, &challenge, &r);

	if (rc != MANAGE_OK) {
		call_failed(c, rc, &r);
		return;
	}
	log_begin(&l, LOG_LEVEL_INFO, "challenge-minted");
	log_text(&l, "profile", profile->name);
	log_text(&l, "actor", c->caller.who);
	log_text(&l, "address", c->actor.address);
	log_end(&l);
	fcgi_respond(
	    c->request, 200, "text/plain", CALL_HEADERS, octets_of_string(challenge.value));
	octets_wipe(&challenge, sizeof(challenge));
}

static void
serve(struct call *c, const char *name)
{
	const struct scep_profile_row *profile = get_profile(c, name);
	struct buffer reason = {0};

	if (profile == NULL)
		return;
	if (strcmp(fcgi_request_method(c->request), "HEAD") == 0)
		fcgi_respond(c->request, 200, "text/plain", CALL_HEADERS, octets_of(NULL, 0));
	else if (describe(c, &reason))
		mint(c, profile, reason.len > 0 ? buffer_string(&reason) : NULL);
	buffer_free(&reason);
}

void
dialect_challenge(struct call *c)
{
	serve(c, c->captures[0]);
}

void
dialect_default_challenge(struct call *c)
{
	const char *name = c->admin->settings->default_profile;

	if (name[0] == '\0')
		call_error(c, 404, "", "there is no default profile here");
	else
		serve(c, name);
}
