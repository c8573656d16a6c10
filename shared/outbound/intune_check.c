#include <inttypes.h>
#include <string.h>

#include "outbound/intune_body.h"
#include "outbound/intune_exchange.h"

static void
tell_away(const struct errbuf *what, const char *setting, struct errbuf *text)
{
	errbuf_set(text,
	    "%s: look at %s, at the network and, for its certificate, at SCEP_INTUNE_CA_FILE",
	    what->line, setting);
}

/* What the login service's AADSTS numbers mean for who has set up the connection. */
static void
tell_login(const struct intune *i, struct errbuf *text)
{
	switch (i->login_error.code) {
	case 90002:  /* tenant not found */
	case 900023: /* neither a GUID nor a known domain */
		errbuf_set(text,
		    "tenant %s is not known to %s: give the directory (tenant) ID of Microsoft "
		    "Entra",
		    i->s.tenant, i->s.login_url);
		break;
	case 700016:
		errbuf_set(text,
		    "tenant %s has no application with the client ID %s: give the application "
		    "(client) ID of the app registration, or register it there",
		    i->s.tenant, i->s.client_id);
		break;
	case 7000215:
		errbuf_set(text, "the client secret is wrong: give the value of a client secret, "
				 "not its ID, or make a new one");
		break;
	case 7000222:
		errbuf_set(text, "the client secret has expired: make a new one under Certificates "
				 "& secrets of the app registration, and set it here");
		break;
	case 7000112:
		errbuf_set(text,
		    "the application %s is disabled: enable it for sign-in in "
		    "Microsoft Entra",
		    i->s.client_id);
		break;
	case 500011: /* resource principal not in the tenant */
	case 650052:
		errbuf_set(text,
		    "tenant %s knows no such service as is asked for: it needs an Intune "
		    "subscription, and SCEP_INTUNE_RESOURCE and SCEP_INTUNE_GRAPH_URL of its cloud",
		    i->s.tenant);
		break;
	default:
		errbuf_set(text,
		    "the login service refuses (%s, AADSTS%" PRId64
		    "): look the number up, and check tenant, client ID and secret",
		    i->login_error.error, i->login_error.code);
	}
}

static bool
check_login(struct intune *i, struct errbuf *text)
{
	struct errbuf why = {0};
	enum intune_try rc = intune_exchange_token(i, INTUNE_SCOPE_GRAPH, &why);

	if (rc == INTUNE_TRY_CREDENTIALS)
		tell_login(i, text);
	else if (rc != INTUNE_TRY_DONE)
		tell_away(&why, "SCEP_INTUNE_LOGIN_URL", text);
	else
		errbuf_set(text, "tenant, client ID and client secret are accepted");
	return rc == INTUNE_TRY_DONE;
}

static bool
check_graph(struct intune *i, struct errbuf *text)
{
	struct errbuf why = {0};
	enum intune_try rc = intune_exchange_discover(i, &why);

	if (rc == INTUNE_TRY_UNAUTHORIZED || rc == INTUNE_TRY_FORBIDDEN)
		errbuf_set(text,
		    "Microsoft Graph refuses (%s): grant the application permission "
		    "Application.Read.All of Microsoft Graph, with admin consent",
		    why.line);
	else if (rc != INTUNE_TRY_DONE)
		tell_away(&why, "SCEP_INTUNE_GRAPH_URL", text);
	else
		errbuf_set(text, "Microsoft Graph tells Intune's services");
	return rc == INTUNE_TRY_DONE;
}

static bool
check_service(struct intune *i, struct errbuf *text)
{
	struct errbuf why = {0};
	enum intune_try rc = intune_exchange_service(i, INTUNE_SERVICE_VALIDATION, &why);

	if (rc == INTUNE_TRY_DONE)
		errbuf_set(
		    text, "the service that validates is %s", i->uris[INTUNE_SERVICE_VALIDATION]);
	else if (i->uris[INTUNE_SERVICE_VALIDATION][0] == '\0')
		errbuf_set(text, "%s: the tenant needs an Intune subscription", why.line);
	else
		errbuf_set(
		    text, "%s: if that host is Microsoft's, add it to SCEP_INTUNE_HOSTS", why.line);
	return rc == INTUNE_TRY_DONE;
}

/* Nothing is asked for that could succeed: an answer of any other kind shows that the application may ask. */
static bool
judge_call(const struct intune_exchange *e, struct errbuf *text)
{
	struct octets body = buffer_octets(&e->response.body);
	struct intune_answer answer = {0};
	struct errbuf why = {0};

	if (e->response.status == 400 ||
	    (e->response.status == 200 && intune_answer_result(body, &answer, &why) &&
		strcmp(answer.code, "Success") != 0)) {
		errbuf_set(text, "Intune answers, and refuses an empty request as it should");
		return true;
	}
	if (strcmp(answer.code, "Success") == 0)
		errbuf_set(text, "the service says Success to an empty request: it is not Intune, "
				 "check SCEP_INTUNE_GRAPH_URL and SCEP_INTUNE_HOSTS");
	else
		errbuf_set(text,
		    "the answer is not one of Intune's (HTTP status %d): %s "
		    "(client-request-id %s)",
		    e->response.status, why.line, e->request_id);
	return false;
}

static bool
check_call(struct intune *i, struct errbuf *text)
{
	struct intune_exchange e = {
	    .service = INTUNE_SERVICE_VALIDATION, .path = "ScepActions/validateRequest"};
	enum intune_try rc;
	struct buffer body = {0};
	struct errbuf why = {0};
	bool good = false;

	intune_body_validate(&body, "", octets_of(NULL, 0), i->s.caller);
	e.body = buffer_octets(&body);
	rc = intune_exchange_token(i, INTUNE_SCOPE_API, &why);
	if (rc == INTUNE_TRY_CREDENTIALS)
		tell_login(i, text);
	if (rc == INTUNE_TRY_DONE)
		rc = intune_exchange_post(i, &e, &why);
	if (rc == INTUNE_TRY_UNAUTHORIZED || rc == INTUNE_TRY_FORBIDDEN)
		errbuf_set(text,
		    "Intune refuses (%s): grant the application permission "
		    "scep_challenge_provider of Intune, with admin consent (client-request-id %s)",
		    why.line, e.request_id);
	else if (rc == INTUNE_TRY_DONE)
		good = judge_call(&e, text);
	else if (rc != INTUNE_TRY_CREDENTIALS)
		tell_away(&why, i->uris[INTUNE_SERVICE_VALIDATION], text);
	http_response_free(&e.response);
	buffer_free(&body);
	return good;
}

bool
intune_check(struct intune *i, struct intune_finding findings[INTUNE_STEPS])
{
	static bool (*const steps[INTUNE_STEPS])(struct intune * i, struct errbuf * text) = {
	    [INTUNE_STEP_LOGIN] = check_login,
	    [INTUNE_STEP_GRAPH] = check_graph,
	    [INTUNE_STEP_SERVICE] = check_service,
	    [INTUNE_STEP_CALL] = check_call,
	};
	bool good = true;

	intune_exchange_forget(i);
	for (int n = 0; n < INTUNE_STEPS; n++) {
		findings[n] = (struct intune_finding){0};
		if (!good) {
			errbuf_set(&findings[n].text, "not tried");
			continue;
		}
		intune_exchange_begin(i);
		good = findings[n].ok = steps[n](i, &findings[n].text);
	}
	if (!good) /* what is put right meanwhile is seen by the next call */
		intune_exchange_forget(i);
	return good;
}
