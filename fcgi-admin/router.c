/* router.c: matching, and the checks before a route's function. */
#include "fcgi-admin/router.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* ASCII alone: a path's other octets have no case. */
static bool
same_octet(char a, char b, bool any_case)
{
	if (any_case && a >= 'A' && a <= 'Z')
		a = (char)(a - 'A' + 'a');
	if (any_case && b >= 'A' && b <= 'Z')
		b = (char)(b - 'A' + 'a');
	return a == b;
}

bool
router_match(
    const struct route *r, const char *path, char captures[CALL_CAPTURES][CALL_CAPTURE_SIZE])
{
	const char *pattern = r->pattern;
	int count = 0;

	while (*pattern != '\0') {
		size_t len;

		if (*pattern != '{') {
			if (!same_octet(*pattern++, *path++, (r->flags & ROUTE_ANY_CASE) != 0))
				return false;
			continue;
		}
		len = strcspn(path, "/");
		if (len == 0 || len >= CALL_CAPTURE_SIZE || count == CALL_CAPTURES)
			return false;
		memcpy(captures[count], path, len);
		captures[count++][len] = '\0';
		path += len;
		pattern += strcspn(pattern, "}");
		pattern += *pattern == '}';
	}
	return *path == '\0';
}

bool
router_has_method(const char *methods, const char *method)
{
	const char *want = strcmp(method, "HEAD") == 0 ? "GET" : method;
	size_t len = strlen(want);

	while (*methods != '\0') {
		size_t word = strcspn(methods, " ");

		if (word == len && memcmp(methods, want, len) == 0)
			return true;
		methods += word;
		methods += strspn(methods, " ");
	}
	return false;
}

/* "GET POST" as the Allow header has it, behind what is there. */
static void
add_allowed(const char *methods, char allow[128])
{
	while (*methods != '\0') {
		size_t word = strcspn(methods, " "), at = strlen(allow);

		if (at < 96 && word < 16)
			snprintf(allow + at, 128 - at, "%s%.*s%s", at > 0 ? ", " : "", (int)word,
			    methods, strncmp(methods, "GET", word) == 0 ? ", HEAD" : "");
		methods += word;
		methods += strspn(methods, " ");
	}
}

const struct route *
router_find(const struct route *routes, const char *method, const char *path,
    char captures[CALL_CAPTURES][CALL_CAPTURE_SIZE], char allow[128])
{
	allow[0] = '\0';
	for (const struct route *r = routes; r->pattern != NULL; r++) {
		if (!router_match(r, path, captures))
			continue;
		if (router_has_method(r->methods, method))
			return r;
		add_allowed(r->methods, allow);
	}
	return NULL;
}

/* Who calls, where that counts: on the plain port nobody is anybody.  false: answered. */
static bool
identify(struct call *c)
{
	bool https = fcgi_request_is_https(c->request);
	const char *header = https ? fcgi_request_header(c->request, "HTTP_AUTHORIZATION") : "";
	const char *certificate =
	    https ? fcgi_request_header(c->request, "TLS_CLIENT_CERTIFICATE") : "";
	struct manage_report r = {0};

	switch (access_identify(&c->admin->manage, header, certificate, &c->caller, &r)) {
	case ACCESS_AWAY:
		call_failed(c, MANAGE_AWAY, &r);
		return false;
	case ACCESS_REFUSED:
		call_refuse(c, 401, "these credentials are not valid here", r.why.line);
		return false;
	case ACCESS_ANYONE:
		if (c->route->roles == 0)
			return true;
		call_refuse(c, 401, "credentials are needed", "no credentials");
		return false;
	case ACCESS_KNOWN:
		break;
	}
	if (c->route->roles != 0 && (c->caller.role & c->route->roles) == 0) {
		if ((c->route->flags & ROUTE_OWN_DENIAL) != 0) {
			c->denied = "the role does not allow it";
			return true;
		}
		call_refuse(c, 403, "the role of this token does not allow it",
		    "the role does not allow it");
		return false;
	}
	return true;
}

void
router_serve(struct admin *a, struct fcgi_request *r)
{
	struct call c = {.admin = a, .request = r, .denied = ""};
	char allow[128], header[160];

	c.actor = (struct manage_actor){.who = c.caller.who,
	    .address = fcgi_request_address(r),
	    .request_id = fcgi_request_id(r)};
	snprintf(c.caller.who, sizeof(c.caller.who), "unknown");
	c.route = router_find(
	    router_routes, fcgi_request_method(r), fcgi_request_path(r), c.captures, allow);
	if (c.route == NULL && allow[0] != '\0') {
		snprintf(header, sizeof(header), "Allow: %s\r\n", allow);
		call_error(&c, 405, header, "this method is not allowed here");
		return;
	}
	if (c.route == NULL) {
		call_error(&c, 404, "", "there is nothing at this path");
		return;
	}
	if ((c.route->flags & ROUTE_HTTPS) != 0 && !fcgi_request_is_https(r)) {
		call_refuse(&c, 403, "only over HTTPS", "not over HTTPS");
		return;
	}
	if (identify(&c))
		c.route->serve(&c);
	octets_wipe(&c.caller.token, sizeof(c.caller.token));
}
