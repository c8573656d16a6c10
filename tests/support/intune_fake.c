#include <openssl/evp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/encoding.h"
#include "pki/csr.h"
#include "tests/support/fake_state.h"
#include "tests/support/intune_fake.h"

#define DISCOVERY  "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints"
#define VALIDATION "/StatelessScepRequestValidationFEService"
#define REVOCATION "/PkiConnectorFEService"

/* ---- behaviours ------------------------------------------------------------------------------------------------------------- */

static void
say_large(struct tls_answer *a)
{
	buffer_append_string(&a->body, "{\"padding\":\"");
	for (int i = 0; i < 65536; i++)
		buffer_append_string(&a->body, "x");
	a->ending = TLS_ENDING_ENDLESS;
}

static void
say_deep(struct tls_answer *a)
{
	for (int i = 0; i < 10000; i++)
		buffer_append_string(&a->body, "{\"code\":");
}

bool
intune_fake_behaves(
    const struct intune_fake *f, const char *action, struct tls_answer *a, struct fake_behaviour *b)
{
	static const char *const garbage = "<html>not what you expect</html>";

	fake_state_behaviour(f->dir, action, b);
	a->status = 200;
	if (strcmp(b->name, "slow") == 0) {
		usleep((useconds_t)atoi(b->argument) * 1000);
		return false;
	}
	if (strlen(b->name) == 3 && strspn(b->name, "0123456789") == 3) {
		a->status = atoi(b->name);
		if (a->status != 204) /* which has no body */
			buffer_append_string(&a->body,
			    "{\"error\":{\"code\":\"Switched\",\"message\":\"by DIR/control\"}}");
	} else if (strcmp(b->name, "garbage") == 0) {
		buffer_append_string(&a->body, garbage);
	} else if (strcmp(b->name, "wrong-content") == 0) {
		a->type = "text/html";
		buffer_append_string(&a->body, garbage);
	} else if (strcmp(b->name, "json") == 0) {
		buffer_append_string(&a->body, b->argument);
	} else if (strcmp(b->name, "empty") == 0) {
		a->ending = TLS_ENDING_WHOLE;
	} else if (strcmp(b->name, "large") == 0) {
		say_large(a);
	} else if (strcmp(b->name, "deep") == 0) {
		say_deep(a);
	} else if (strcmp(b->name, "close") == 0) {
		a->ending = TLS_ENDING_NOTHING;
	} else if (strcmp(b->name, "cut") == 0) {
		buffer_append_string(&a->body, "{\"code\":\"Success\",\"errorDescription\":\"\"}");
		a->ending = TLS_ENDING_CUT;
	} else if (strcmp(b->name, "redirect") == 0) {
		a->status = 302;
		a->location = "/redirected";
	} else {
		return false;
	}
	return true;
}

void
intune_fake_log(const struct intune_fake *f, const char *action, const struct tls_request *request,
    const struct tls_answer *answer, const char *code, json_t *body)
{
	char id[64], authorization[32768];
	json_t *line = json_object();
	char *text;

	tls_request_header(request, "client-request-id", id, sizeof(id));
	tls_request_header(request, "Authorization", authorization, sizeof(authorization));
	json_object_set_new(line, "action", json_string(action));
	json_object_set_new(line, "status",
	    json_integer(answer->ending == TLS_ENDING_NOTHING ? 0 : answer->status));
	json_object_set_new(line, "code", json_string(code));
	json_object_set_new(line, "requestId", json_string(id));
	json_object_set_new(line, "authorization", json_string(authorization));
	if (request->client[0] != '\0')
		json_object_set_new(line, "client", json_string(request->client));
	json_object_set_new(line, "body", body != NULL ? body : json_null());
	if ((text = json_dumps(line, JSON_COMPACT)) != NULL)
		fake_state_append(f->dir, "log", text);
	free(text);
	json_decref(line);
}

/* ---- login ------------------------------------------------------------------------------------------------------------------ */

/* A field of a form, decoded. */
static void
form_field(const char *form, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), n = 0;

	while (*form != '\0' && (strncmp(form, name, len) != 0 || form[len] != '=')) {
		form += strcspn(form, "&");
		form += *form == '&';
	}
	if (*form != '\0')
		form += len + 1;
	for (; *form != '\0' && *form != '&' && n + 1 < size; form++) {
		uint8_t c = *form == '+' ? ' ' : (uint8_t)*form;

		if (c == '%' && form[1] != '\0' && form[2] != '\0') {
			char hex[3] = {form[1], form[2], '\0'};

			encoding_unhex(hex, &c, 1);
			form += 2;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
}

static void
login_error(struct tls_answer *a, int status, const char *error, long code)
{
	a->status = status;
	buffer_append_format(&a->body,
	    "{\"error\":\"%s\",\"error_description\":\"AADSTS%ld: as the login service would say. "
	    "Trace ID: 0\",\"error_codes\":[%ld],\"timestamp\":\"2026-01-01 00:00:00Z\"}",
	    error, code, code);
}

/* A token tells by itself what it is for; each is another one. */
static void
give_token(struct tls_answer *a, const char *scope, const char *expires_in)
{
	size_t len = strlen(scope);
	bool api = len > 10 && strcmp(scope + len - 10, "//.default") == 0;
	char id[UUID_SIZE];

	encoding_uuid(id);
	buffer_append_format(&a->body,
	    "{\"token_type\":\"Bearer\",\"expires_in\":%s,\"ext_expires_in\":3599,"
	    "\"access_token\":\"%s.%s\"}",
	    *expires_in != '\0' ? expires_in : "3599", api ? "api" : "graph", id);
}

static void
answer_login(const struct intune_fake *f, const struct tls_request *r, const char *tenant,
    struct tls_answer *a)
{
	const char *form = (const char *)r->body.data;
	char type[64], client_id[128], secret[512], scope[512], content[128];
	struct fake_behaviour b;
	json_t *seen;

	form_field(form, "grant_type", type, sizeof(type));
	form_field(form, "client_id", client_id, sizeof(client_id));
	form_field(form, "client_secret", secret, sizeof(secret));
	form_field(form, "scope", scope, sizeof(scope));
	tls_request_header(r, "Content-Type", content, sizeof(content));
	if (intune_fake_behaves(f, "token", a, &b))
		goto log;
	if (strcmp(b.name, "aadsts") == 0)
		login_error(a, 401, "invalid_client", atol(b.argument));
	else if (strcmp(r->method, "POST") != 0 ||
		 strcmp(content, "application/x-www-form-urlencoded") != 0)
		login_error(a, 400, "invalid_request", 900144);
	else if (strcasecmp(tenant, f->tenant) != 0)
		login_error(a, 400, "invalid_request", 90002);
	else if (strcmp(type, "client_credentials") != 0)
		login_error(a, 400, "unsupported_grant_type", 70003);
	else if (strcmp(client_id, f->client_id) != 0)
		login_error(a, 400, "unauthorized_client", 700016);
	else if (strcmp(secret, f->client_secret) != 0)
		login_error(a, 401, "invalid_client", 7000215);
	else if (strlen(scope) < 10 || strcmp(scope + strlen(scope) - 9, "/.default") != 0)
		login_error(a, 400, "invalid_scope", 70011);
	else
		give_token(a, scope, strcmp(b.name, "expires") == 0 ? b.argument : "");
log:
	seen = json_object();
	json_object_set_new(seen, "tenant", json_string(tenant));
	json_object_set_new(seen, "scope", json_string(scope));
	intune_fake_log(f, "token", r, a, "", seen);
}

/* ---- who calls -------------------------------------------------------------------------------------------------------------- */

/* OData's error, as Graph and Intune give it. */
static void
say_error(struct tls_answer *a, int status, const char *code, const char *message)
{
	a->status = status;
	buffer_append_format(
	    &a->body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, message);
}

/* Bearer of this scope and a client-request-id; otherwise the answer is made. */
static bool
is_authorized(const struct tls_request *r, const char *scope, struct tls_answer *a)
{
	char authorization[256], id[64], want[32];

	tls_request_header(r, "Authorization", authorization, sizeof(authorization));
	tls_request_header(r, "client-request-id", id, sizeof(id));
	snprintf(want, sizeof(want), "Bearer %s.", scope);
	if (strncmp(authorization, want, strlen(want)) != 0)
		say_error(a, 401, "InvalidAuthenticationToken", "not a token for this");
	else if (!encoding_is_uuid(id))
		say_error(a, 400, "BadRequest", "no client-request-id");
	else
		return true;
	return false;
}

/* ---- Graph ------------------------------------------------------------------------------------------------------------------ */

static void
answer_discovery(const struct intune_fake *f, const struct tls_request *r, struct tls_answer *a)
{
	struct fake_behaviour b;
	char host[256], base[600];

	if (!intune_fake_behaves(f, "discovery", a, &b) && is_authorized(r, "graph", a)) {
		tls_request_header(r, "Host", host, sizeof(host));
		snprintf(base, sizeof(base), "https://%s", host);
		if (strcmp(b.name, "elsewhere") == 0)
			snprintf(base, sizeof(base), "%s", b.argument);
		buffer_append_string(&a->body, "{\"value\":[{\"providerName\":\"OtherFEService\","
					       "\"uri\":\"https://other.invalid/x\"}");
		if (strcmp(b.name, "missing") != 0)
			buffer_append_format(&a->body,
			    ",{\"providerName\":\"scepRequestValidationFEService\",\"uri\":\"%"
			    "s" VALIDATION "\"},{\"providerName\":\"PkiConnectorFEService\","
			    "\"uri\":\"%s" REVOCATION "/\"}",
			    base, base);
		buffer_append_string(&a->body, "]}");
	}
	intune_fake_log(f, "discovery", r, a, b.name, NULL);
}

/* ---- ScepActions ------------------------------------------------------------------------------------------------------------ */

/* The code that the challenge in this request has. */
static void
judge_request(const struct intune_fake *f, const char *request, char *code, size_t size)
{
	struct csr csr = {0};
	struct buffer der = {0};
	char challenge[256];

	if (request[strcspn(request, "\r\n \t-_")] != '\0' ||
	    !encoding_unbase64(octets_of_string(request), &der) ||
	    !csr_parse(der.data, der.len, &csr, NULL)) {
		snprintf(code, size, "CertificateRequestDecodingFailed");
	} else if (!csr.has_challenge || csr.challenge.len == 0) {
		snprintf(code, size, "ChallengePasswordMissing");
	} else {
		snprintf(challenge, sizeof(challenge), "%.*s", (int)csr.challenge.len,
		    (const char *)csr.challenge.data);
		if (fake_state_challenge(f->dir, challenge, code, size))
			;
		else if (strncmp(challenge, "intune-ok-", 10) == 0)
			snprintf(code, size, "Success");
		else if (strncmp(challenge, "intune-", 7) == 0)
			snprintf(code, size, "%.63s", challenge + 7);
		else
			snprintf(code, size, "ChallengeDecryptionError");
	}
	csr_free(&csr);
	buffer_free(&der);
}

/* "X" for upper-case hex, "T" for a time with .000Z, "s" for any text, "+" for some text, "n" for a number. */
static bool
is_of_form(const json_t *value, char form)
{
	const char *text = json_string_value(value);
	int end = 0;

	if (form == 'n')
		return json_is_integer(value);
	if (text == NULL || form == 's')
		return text != NULL;
	if (form == 'X')
		return *text != '\0' && strspn(text, "0123456789ABCDEF") == strlen(text);
	if (form == 'T')
		return sscanf(text, "%*4d-%*2d-%*2dT%*2d:%*2d:%*2d.000Z%n", &end) != EOF &&
		       end == 24 && text[end] == '\0';
	return *text != '\0';
}

static const struct action {
	const char *name;
	const char *member;
	const char *fields[12][2];
} actions[] = {
    {"validateRequest", "request",
	{{"transactionId", "s"}, {"certificateRequest", "s"}, {"callerInfo", "+"}}},
    {"successNotification", "notification",
	{{"transactionId", "+"}, {"certificateRequest", "+"}, {"certificateThumbprint", "X"},
	    {"certificateSerialNumber", "X"}, {"certificateExpirationDateUtc", "T"},
	    {"issuingCertificateAuthority", "+"}, {"callerInfo", "+"}, {"caConfiguration", "s"},
	    {"certificateAuthority", "s"}}},
    {"failureNotification", "notification",
	{{"transactionId", "+"}, {"certificateRequest", "+"}, {"hResult", "n"},
	    {"errorDescription", "s"}, {"callerInfo", "+"}}},
};

/* Whether the body has these members, each of its form, and no others. */
static bool
is_well_formed(const struct action *action, const json_t *body)
{
	const json_t *inner = json_object_get(body, action->member);
	size_t n = 0;

	for (; action->fields[n][0] != NULL; n++)
		if (!is_of_form(
			json_object_get(inner, action->fields[n][0]), action->fields[n][1][0]))
			return false;
	return json_object_size(body) == 1 && json_object_size(inner) == n;
}

static bool
has_headers(const struct tls_request *r, const char *version)
{
	char api[64], type[64];

	tls_request_header(r, "api-version", api, sizeof(api));
	tls_request_header(r, "Content-Type", type, sizeof(type));
	return strcmp(r->method, "POST") == 0 && strcmp(api, version) == 0 &&
	       strcmp(type, "application/json") == 0;
}

static void
answer_action(const struct intune_fake *f, const struct action *action, const struct tls_request *r,
    struct tls_answer *a)
{
	json_t *body = json_loadb((const char *)r->body.data, r->body.len, 0, NULL);
	const json_t *inner = json_object_get(body, action->member);
	const char *request = json_string_value(json_object_get(inner, "certificateRequest"));
	struct fake_behaviour b;
	char code[128] = "";

	if (intune_fake_behaves(f, action->name, a, &b) || !is_authorized(r, "api", a))
		goto log;
	if (!has_headers(r, "2018-02-20") || !is_well_formed(action, body)) {
		say_error(
		    a, 400, "BadRequest", "header lines or members are not as they should be");
		goto log;
	}
	judge_request(f, request, code, sizeof(code));
	/* What was validated once is told about whatever has become of its challenge since. */
	if (strcmp(action->member, "notification") == 0 &&
	    strcmp(code, "CertificateRequestDecodingFailed") != 0)
		snprintf(code, sizeof(code), "Success");
	if (strcmp(b.name, "code") == 0)
		snprintf(code, sizeof(code), "%.127s", b.argument);
	buffer_append_format(&a->body, "{\"code\":\"%s\",\"errorDescription\":\"%s\"}", code,
	    strcmp(code, "Success") == 0 ? "" : "as Intune would say");
log:
	intune_fake_log(f, action->name, r, a, code, body);
}

/* ---- revocation ------------------------------------------------------------------------------------------------------------- */

static bool
add_revocation(void *ctx, const char *text)
{
	char context[1200], serial[256] = "";
	json_t *list = ctx;
	int end = 0;

	if (sscanf(text, "%1199s %255s %n", context, serial, &end) < 1)
		return true;
	json_array_append_new(
	    list, json_pack("{s:s,s:s,s:s,s:n}", "requestContext", context, "serialNumber", serial,
		      "issuerName", end > 0 ? text + end : "", "caConfiguration"));
	return json_array_size(list) < 100;
}

static void
answer_download(const struct intune_fake *f, const struct tls_request *r, struct tls_answer *a)
{
	json_t *body = json_loadb((const char *)r->body.data, r->body.len, 0, NULL);
	const json_t *wanted = json_object_get(body, "downloadParameters");
	struct fake_behaviour b;
	json_t *answer;
	char *text;

	if (intune_fake_behaves(f, "download", a, &b) || !is_authorized(r, "api", a))
		goto log;
	if (!has_headers(r, "5019-05-05") ||
	    !json_is_integer(json_object_get(wanted, "maxRequests")) ||
	    json_integer_value(json_object_get(wanted, "maxRequests")) > 100) {
		say_error(a, 400, "BadRequest", "want at most 100");
		goto log;
	}
	answer = json_pack("{s:[]}", "value");
	fake_state_each(f->dir, "revocations", add_revocation, json_object_get(answer, "value"));
	if ((text = json_dumps(answer, JSON_COMPACT)) != NULL)
		buffer_append_string(&a->body, text);
	free(text);
	json_decref(answer);
log:
	intune_fake_log(f, "download", r, a, b.name, body);
}

/* Takes the results; false where one is not of the form. */
static bool
take_results(const struct intune_fake *f, const json_t *results)
{
	const char *context, *code;
	struct buffer line = {0};
	const json_t *one;
	int succeeded;
	size_t i;

	if (!json_is_array(results) || json_array_size(results) > 100)
		return false;
	json_array_foreach(results, i, one)
	{
		if (json_unpack((json_t *)(uintptr_t)one, "{s:s,s:b,s:s}", "requestContext",
			&context, "succeeded", &succeeded, "errorCode", &code) != 0)
			return false;
		buffer_free(&line);
		buffer_append_format(
		    &line, "%s %s %s", context, succeeded ? "true" : "false", code);
		fake_state_append(f->dir, "results", buffer_string(&line));
		fake_state_remove(f->dir, "revocations", context);
	}
	buffer_free(&line);
	return true;
}

static void
answer_upload(const struct intune_fake *f, const struct tls_request *r, struct tls_answer *a)
{
	json_t *body = json_loadb((const char *)r->body.data, r->body.len, 0, NULL);
	struct fake_behaviour b;

	if (intune_fake_behaves(f, "upload", a, &b) || !is_authorized(r, "api", a))
		;
	else if (!has_headers(r, "5019-05-05") ||
		 !take_results(f, json_object_get(body, "results")))
		say_error(a, 400, "BadRequest", "want results");
	else
		buffer_append_string(&a->body, "{\"value\":true}");
	intune_fake_log(f, "upload", r, a, b.name, body);
}

/* ---- the whole -------------------------------------------------------------------------------------------------------------- */

void
intune_fake_answer(void *ctx, const struct tls_request *r, struct tls_answer *a)
{
	const struct intune_fake *f = ctx;
	char tenant[256], path[512];
	int end = 0;

	if (sscanf(r->path, "/%255[^/]/oauth2/v2.0/token%n", tenant, &end) == 1 && end > 0 &&
	    r->path[end] == '\0') {
		answer_login(f, r, tenant, a);
		return;
	}
	if (strcmp(r->path, DISCOVERY) == 0 && strcmp(r->method, "GET") == 0) {
		answer_discovery(f, r, a);
		return;
	}
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		snprintf(path, sizeof(path), VALIDATION "/ScepActions/%s", actions[i].name);
		if (strcmp(r->path, path) == 0) {
			answer_action(f, &actions[i], r, a);
			return;
		}
	}
	if (strcmp(r->path,
		REVOCATION "/CertificateAuthorityRequests/downloadRevocationRequests") == 0)
		answer_download(f, r, a);
	else if (strcmp(r->path,
		     REVOCATION "/CertificateAuthorityRequests/uploadRevocationResults") == 0)
		answer_upload(f, r, a);
	else if (strncmp(r->path, "/webhook/", 9) == 0)
		webhook_fake_answer(f, r, a);
	else
		intune_fake_log(f, "unknown", r, a, r->path, NULL);
}
