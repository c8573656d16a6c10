#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "outbound/intune_body.h"
#include "outbound/intune_exchange.h"

#define TOKEN_MARGIN_MS	 60000 /* a token is not used in its last minute */
#define SMALL_ANSWER_MAX 65536
#define LARGE_ANSWER_MAX 1048576 /* discovery, revocation requests */
#define DISCOVERY_PATH                                                                             \
	"/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints"

static const struct {
	const char *provider;
	const char *api_version;
	size_t answer_max;
} services[] = {
    [INTUNE_SERVICE_VALIDATION] = {"ScepRequestValidationFEService", "2018-02-20",
	SMALL_ANSWER_MAX},
    [INTUNE_SERVICE_REVOCATION] = {"PkiConnectorFEService", "5019-05-05", LARGE_ANSWER_MAX},
};

void
intune_exchange_begin(struct intune *i)
{
	i->deadline_ms = clock_monotonic_ms() + i->s.timeout_ms;
}

static void
forget_token(struct intune_token *token)
{
	buffer_free(&token->text);
	token->until_ms = 0;
}

void
intune_exchange_forget(struct intune *i)
{
	for (int scope = 0; scope < INTUNE_SCOPES; scope++)
		forget_token(&i->tokens[scope]);
	i->discovered = false;
}

/* DONE with an answer that has some status; NETWORK without one. */
static enum intune_try
send_request(struct intune *i, struct http_request *request, struct http_response *response,
    struct errbuf *why)
{
	int64_t left_ms = i->deadline_ms - clock_monotonic_ms();

	if (left_ms <= 0) {
		errbuf_set(why, "no answer within %" PRId64 " ms", i->s.timeout_ms);
		return INTUNE_TRY_NETWORK;
	}
	request->timeout_ms = request->connect_timeout_ms = left_ms;
	request->ca_file = i->s.ca_file != NULL && i->s.ca_file[0] != '\0' ? i->s.ca_file : NULL;
	switch (http_call(i->http, request, response, why)) {
	case HTTP_DONE:
		return INTUNE_TRY_DONE;
	case HTTP_UNREACHABLE:
	case HTTP_TIMED_OUT:
	case HTTP_BROKEN:
		return INTUNE_TRY_NETWORK;
	case HTTP_MALFORMED:
	case HTTP_TOO_LARGE:
	case HTTP_INWARD:
		break;
	}
	return INTUNE_TRY_AWAY;
}

/* ---- tokens ----------------------------------------------------------------------------------------------------------------- */

static enum intune_try
read_token(struct intune *i, enum intune_scope scope, const struct http_response *response,
    struct errbuf *why)
{
	struct intune_token *token = &i->tokens[scope];
	struct octets body = buffer_octets(&response->body);
	int64_t expires_in_s = 0;

	if (response->status == 200 &&
	    intune_answer_token(body, &token->text, &expires_in_s, why)) {
		token->until_ms = clock_monotonic_ms() + expires_in_s * 1000 - TOKEN_MARGIN_MS;
		return token->text.failed ? INTUNE_TRY_FAULT : INTUNE_TRY_DONE;
	}
	if ((response->status == 400 || response->status == 401 || response->status == 403) &&
	    intune_answer_login_error(body, &i->login_error, why)) {
		errbuf_set(why, "login: refused: %s, AADSTS%" PRId64, i->login_error.error,
		    i->login_error.code);
		return strcmp(i->login_error.error, "temporarily_unavailable") == 0
			   ? INTUNE_TRY_AWAY
			   : INTUNE_TRY_CREDENTIALS;
	}
	if (response->status == 200)
		errbuf_prefix(why, "login");
	else
		errbuf_set(why, "login: HTTP status %d", response->status);
	return response->status >= 500 ? INTUNE_TRY_NETWORK : INTUNE_TRY_AWAY;
}

/* The scope is the resource's name and "/.default"; the API's name itself ends with a slash. */
static void
write_scope(const struct intune *i, enum intune_scope scope, struct buffer *out)
{
	const char *name = scope == INTUNE_SCOPE_GRAPH ? i->s.graph_url : i->s.resource;
	size_t len = strlen(name);

	while (len > 0 && name[len - 1] == '/')
		len--;
	buffer_append_format(
	    out, "%.*s%s/.default", (int)len, name, scope == INTUNE_SCOPE_API ? "/" : "");
}

enum intune_try
intune_exchange_token(struct intune *i, enum intune_scope scope, struct errbuf *why)
{
	static const char *const headers[] = {"Accept: application/json", NULL};
	struct http_request request = {.method = "POST",
	    .headers = headers,
	    .content_type = "application/x-www-form-urlencoded",
	    .response_max = SMALL_ANSWER_MAX};
	enum intune_try rc = INTUNE_TRY_FAULT;
	struct buffer url = {0}, body = {0}, text = {0};
	struct http_response response = {0};
	const char *name;

	if (i->tokens[scope].text.len > 0 && clock_monotonic_ms() < i->tokens[scope].until_ms)
		return INTUNE_TRY_DONE;
	forget_token(&i->tokens[scope]);
	i->login_error = (struct intune_login_error){0};
	write_scope(i, scope, &text);
	buffer_append_format(&url, "%s/%s/oauth2/v2.0/token", i->s.login_url, i->s.tenant);
	request.url = buffer_string(&url);
	if ((name = buffer_string(&text)) != NULL)
		intune_body_token(&body, i->s.client_id, buffer_octets(&i->secret), name);
	request.body = buffer_octets(&body);
	if (request.url == NULL || name == NULL || body.failed)
		errbuf_set(why, "login: out of memory");
	else if ((rc = send_request(i, &request, &response, why)) != INTUNE_TRY_DONE)
		errbuf_prefix(why, "login");
	else
		rc = read_token(i, scope, &response, why);
	if (rc != INTUNE_TRY_DONE)
		forget_token(&i->tokens[scope]);
	http_response_free(&response);
	buffer_free(&url);
	buffer_free(&body);
	buffer_free(&text);
	return rc;
}

/* ---- calls with a token ----------------------------------------------------------------------------------------------------- */

/* A request under this scope's token, with a client-request-id of its own; DONE with any status but 401, 403 and 5xx. */
static enum intune_try
send_authorized(struct intune *i, enum intune_scope scope, struct http_request *request,
    const char *api_version, char request_id[37], struct http_response *response,
    struct errbuf *why)
{
	const char *headers[] = {NULL, NULL, "Accept: application/json", NULL, NULL};
	struct buffer bearer = {0};
	enum intune_try rc = INTUNE_TRY_FAULT;
	char id[64], version[64];

	if (!encoding_uuid(request_id)) {
		request_id[0] = '\0';
		errbuf_set(why, "no random numbers");
		return INTUNE_TRY_FAULT;
	}
	snprintf(id, sizeof(id), "client-request-id: %s", request_id);
	if (api_version != NULL) {
		snprintf(version, sizeof(version), "api-version: %s", api_version);
		headers[3] = version;
	}
	buffer_append_string(&bearer, "Authorization: Bearer ");
	buffer_append(&bearer, i->tokens[scope].text.data, i->tokens[scope].text.len);
	headers[0] = buffer_string(&bearer);
	headers[1] = id;
	request->headers = headers;
	if (headers[0] == NULL)
		errbuf_set(why, "out of memory");
	else
		rc = send_request(i, request, response, why);
	request->headers = NULL;
	buffer_free(&bearer);
	if (rc != INTUNE_TRY_DONE)
		return rc;
	errbuf_set(why, "HTTP status %d", response->status);
	if (response->status == 401) {
		forget_token(&i->tokens[scope]);
		return INTUNE_TRY_UNAUTHORIZED;
	}
	if (response->status == 403)
		return INTUNE_TRY_FORBIDDEN;
	return response->status >= 500 ? INTUNE_TRY_NETWORK : INTUNE_TRY_DONE;
}

static bool
read_discovery(struct intune *i, struct octets body, struct errbuf *why)
{
	for (int service = 0; service < INTUNE_SERVICES; service++)
		if (!intune_answer_discovery(
			body, services[service].provider, i->uris[service], why))
			return false;
	return true;
}

enum intune_try
intune_exchange_discover(struct intune *i, struct errbuf *why)
{
	struct http_request request = {.method = "GET", .response_max = LARGE_ANSWER_MAX};
	enum intune_try rc = INTUNE_TRY_FAULT;
	struct http_response response = {0};
	struct buffer url = {0};
	char request_id[37];

	if (i->discovered)
		return INTUNE_TRY_DONE;
	buffer_append_format(&url, "%s" DISCOVERY_PATH, i->s.graph_url);
	if ((request.url = buffer_string(&url)) == NULL)
		errbuf_set(why, "out of memory");
	else
		rc = send_authorized(
		    i, INTUNE_SCOPE_GRAPH, &request, NULL, request_id, &response, why);
	if (rc == INTUNE_TRY_DONE &&
	    (response.status != 200 || !read_discovery(i, buffer_octets(&response.body), why)))
		rc = INTUNE_TRY_AWAY;
	if (rc == INTUNE_TRY_DONE)
		i->discovered = true;
	else
		errbuf_prefix(why, "discovery");
	http_response_free(&response);
	buffer_free(&url);
	return rc;
}

/* Whether a suffix in the list is the host, or all behind one of its dots. */
static bool
is_listed(const char *hosts, const char *host)
{
	size_t host_len = strlen(host), len;

	for (const char *at = hosts; *at != '\0'; at += len) {
		at += strspn(at, ", \t.");
		len = strcspn(at, ", \t");
		if (len == 0 || len > host_len || strncasecmp(host + host_len - len, at, len) != 0)
			continue;
		if (len == host_len || host[host_len - len - 1] == '.')
			return true;
	}
	return false;
}

enum intune_try
intune_exchange_service(struct intune *i, enum intune_service service, struct errbuf *why)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-.:";
	const char *uri = i->uris[service];
	char host[HTTP_NAME_SIZE];

	if (uri[0] == '\0') {
		errbuf_set(
		    why, "discovery: %s is not among the services", services[service].provider);
		return INTUNE_TRY_FORBIDDEN;
	}
	if (!http_url_is_https(uri, host) || uri[strcspn(uri, "?#")] != '\0' ||
	    strspn(host, characters) != strlen(host)) {
		errbuf_set(
		    why, "discovery: %s is at no https:// address", services[service].provider);
		return INTUNE_TRY_FORBIDDEN;
	}
	if (!is_listed(i->s.hosts, host)) {
		errbuf_set(why, "discovery: %s is at %s, which is under none of %s",
		    services[service].provider, host, i->s.hosts);
		return INTUNE_TRY_FORBIDDEN;
	}
	return INTUNE_TRY_DONE;
}

enum intune_try
intune_exchange_post(struct intune *i, struct intune_exchange *e, struct errbuf *why)
{
	struct http_request request = {.method = "POST",
	    .content_type = "application/json",
	    .body = e->body,
	    .response_max = services[e->service].answer_max};
	const char *uri = i->uris[e->service];
	enum intune_try rc = INTUNE_TRY_FAULT;
	struct buffer url = {0};
	size_t len = strlen(uri);

	while (len > 0 && uri[len - 1] == '/')
		len--;
	buffer_append_format(&url, "%.*s/%s", (int)len, uri, e->path);
	http_response_free(&e->response);
	if ((request.url = buffer_string(&url)) == NULL)
		errbuf_set(why, "out of memory");
	else
		rc = send_authorized(i, INTUNE_SCOPE_API, &request,
		    services[e->service].api_version, e->request_id, &e->response, why);
	if (rc == INTUNE_TRY_NETWORK || (rc == INTUNE_TRY_DONE && e->response.status != 200))
		i->discovered = false;
	if (rc != INTUNE_TRY_DONE)
		errbuf_prefix(why, "%s", strrchr(e->path, '/') + 1);
	buffer_free(&url);
	return rc;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

static enum intune_try
try_call(struct intune *i, struct intune_exchange *e, struct errbuf *why)
{
	enum intune_try rc = INTUNE_TRY_DONE;

	if (!i->discovered)
		rc = intune_exchange_token(i, INTUNE_SCOPE_GRAPH, why);
	if (rc == INTUNE_TRY_DONE)
		rc = intune_exchange_discover(i, why);
	if (rc == INTUNE_TRY_DONE)
		rc = intune_exchange_service(i, e->service, why);
	/* What is not right today is looked up again next time. */
	if (rc == INTUNE_TRY_FORBIDDEN)
		i->discovered = false;
	if (rc == INTUNE_TRY_DONE)
		rc = intune_exchange_token(i, INTUNE_SCOPE_API, why);
	if (rc == INTUNE_TRY_DONE)
		rc = intune_exchange_post(i, e, why);
	return rc;
}

enum intune_rc
intune_exchange_call(struct intune *i, struct intune_exchange *e, struct errbuf *why)
{
	enum intune_try rc;

	intune_exchange_begin(i);
	rc = try_call(i, e, why);
	if ((rc == INTUNE_TRY_UNAUTHORIZED || rc == INTUNE_TRY_NETWORK) &&
	    clock_monotonic_ms() < i->deadline_ms)
		rc = try_call(i, e, why);
	if (rc != INTUNE_TRY_DONE)
		errbuf_prefix(why, "intune");
	switch (rc) {
	case INTUNE_TRY_DONE:
		return INTUNE_DONE;
	case INTUNE_TRY_CREDENTIALS:
		return INTUNE_CREDENTIALS;
	case INTUNE_TRY_UNAUTHORIZED:
	case INTUNE_TRY_FORBIDDEN:
		return INTUNE_PERMISSION;
	case INTUNE_TRY_NETWORK:
	case INTUNE_TRY_AWAY:
	case INTUNE_TRY_FAULT:
		break;
	}
	return INTUNE_AWAY;
}
