/* challenge.c: the plain dialect: a request gives a challenge, and nothing but it. */
#include "fcgi-admin/dialect/dialect.h"
#include "fcgi-admin/dialect/fetch.h"

static void
serve(struct call *c, const char *name)
{
	struct fetch f;

	switch (fetch_challenge(c, name, &f)) {
	case FETCH_MINTED:
		fcgi_respond(c->request, 200, "text/plain", CALL_HEADERS,
		    octets_of_string(f.challenge.value));
		break;
	case FETCH_NOTHING:
		fcgi_respond(c->request, 200, "text/plain", CALL_HEADERS, octets_of(NULL, 0));
		break;
	case FETCH_FORBIDDEN:
		call_refuse(c, 403, "this token is not for this profile", f.report.why.line);
		break;
	case FETCH_NONE_HERE:
		call_failed(c, MANAGE_CONFLICT, &f.report);
		break;
	case FETCH_FULL:
		call_failed(c, MANAGE_FULL, &f.report);
		break;
	case FETCH_ANSWERED:
		break;
	}
	octets_wipe(&f.challenge, sizeof(f.challenge));
}

void
dialect_challenge(struct call *c)
{
	serve(c, c->captures[0]);
}

void
dialect_default_challenge(struct call *c)
{
	serve(c, "");
}
