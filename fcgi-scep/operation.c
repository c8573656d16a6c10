/* operation.c: GetCACaps, GetCACert, and the way to PKIOperation. */
#include "operation.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "message.h"
#include "scep/capabilities.h"
#include "scep/query.h"
#include "status.h"
#include "transaction.h"

/* Kept for two seconds by nginx: a profile's change is seen that soon. */
#define CACHEABLE   "Cache-Control: public, max-age=2\r\n"
#define RETRY_AFTER "Retry-After: 5\r\nCache-Control: no-store\r\n"

static bool
is_default_path(const char *path)
{
	static const char *const paths[] = {"/scep", "/scep/", "/scep/pkiclient.exe",
	    "/scep/mscep.dll", "/cgi-bin/pkiclient.exe", "/certsrv/mscep", "/certsrv/mscep/",
	    "/certsrv/mscep/mscep.dll", "/certsrv/mscep/mscep.dll/"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strcasecmp(path, paths[i]) == 0)
			return true;
	return false;
}

/* operation_profile_name() of a path to which nothing was appended. */
static bool
plain_profile_name(const char *path, const char *default_profile, char out[65])
{
	const char *name, *end;
	size_t len;

	if (is_default_path(path)) {
		snprintf(out, 65, "%s", default_profile);
		return true;
	}
	if (strncmp(path, "/scep/", 6) != 0)
		return false;
	name = path + 6;
	len = strcspn(name, "/");
	end = name + len;
	if (*end == '/' && strchr(end + 1, '/') != NULL)
		return false;
	if (len == 0 || len > 64 || strspn(name, ".") == len ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") < len)
		return false;
	memcpy(out, name, len);
	out[len] = '\0';
	return true;
}

bool
operation_profile_name(const char *path, const char *default_profile, char out[65])
{
	static const char appended[] = "/pkiclient.exe";
	size_t len = strlen(path), plain_len = len - (sizeof(appended) - 1);
	char plain[128];

	if (plain_profile_name(path, default_profile, out))
		return true;
	/* Windows appends it to the URL it was given, one that ends in a program's name too. */
	if (len < sizeof(appended) || plain_len >= sizeof(plain) || path[plain_len - 1] == '/' ||
	    strcasecmp(path + plain_len, appended) != 0)
		return false;
	memcpy(plain, path, plain_len);
	plain[plain_len] = '\0';
	return plain_profile_name(plain, default_profile, out);
}

/* Refuse over HTTP, with a row and a log line. */
static void
refuse_http(
    struct transaction *t, int status, const char *headers, const char *line, const char *reason)
{
	fcgi_respond_text(t->http, status, headers, line);
	transaction_refused(t, status >= 500 ? "failed" : "refused", reason);
}

/* The profile, there and enabled; otherwise answered already. */
static bool
find_profile(struct transaction *t)
{
	struct errbuf why = {0};
	char reason[ERRBUF_SIZE + 64];

	if (t->profile_name[0] == '\0') {
		refuse_http(t, 404, NULL,
		    "No profile is named in this path, and none is the default.",
		    "no profile in the path, SCEP_DEFAULT_PROFILE is not set");
		return false;
	}
	switch (profile_get(t->worker->profiles, t->profile_name, &t->profile, &why)) {
	case STORE_OK:
		break;
	case STORE_NONE:
		snprintf(reason, sizeof(reason), "unknown profile, path %.256s",
		    fcgi_request_path(t->http));
		refuse_http(t, 404, NULL, "There is no such SCEP profile.", reason);
		return false;
	default:
		refuse_http(t, 503, RETRY_AFTER, "Temporarily unavailable.", why.line);
		return false;
	}
	if (!t->profile->scep.enabled) {
		snprintf(reason, sizeof(reason), "disabled profile, path %.256s",
		    fcgi_request_path(t->http));
		refuse_http(t, 403, NULL, "This SCEP profile is disabled.", reason);
		return false;
	}
	snprintf(t->profile_name, sizeof(t->profile_name), "%s", t->profile->scep.name);
	return true;
}

/* Without a profile there is still something to say: what any profile of ours can do. */
static void
answer_generic_capabilities(struct transaction *t)
{
	struct buffer text = {0};

	scep_capabilities(PKI_DIGESTS_DEFAULT, PKI_CIPHERS_DEFAULT, true, false, &text);
	fcgi_respond(t->http, 200, "text/plain", CACHEABLE, buffer_octets(&text));
	buffer_free(&text);
	transaction_done(t);
}

static void
answer_constant(struct transaction *t, const char *type, const struct buffer *body)
{
	fcgi_respond(t->http, 200, type, CACHEABLE, buffer_octets(body));
	transaction_done(t);
}

/* What a client will need when the present CA or RA ends, signed by the present CA (RFC 8894 4.7). */
static void
answer_next_ca(struct transaction *t)
{
	struct errbuf why = {0};
	struct octets body;

	if (!profile_has_next(t->profile)) {
		refuse_http(t, 404, NULL, "GetNextCACert: there is no next CA.",
		    "GetNextCACert without a next CA");
	} else if (!profile_open_keys(t->worker->profiles, t->profile, &why) ||
		   !profile_next_ca(t->profile, clock_now(), &body, &why)) {
		refuse_http(t, 503, RETRY_AFTER, "Temporarily unavailable.", why.line);
	} else {
		fcgi_respond(t->http, 200, "application/x-x509-next-ca-cert", CACHEABLE, body);
		transaction_done(t);
	}
}

/* The octets of a pkiMessage: the body of a POST, or message of a GET.  false: answered already. */
static bool
read_message(struct transaction *t, const struct scep_query *q, bool post, struct buffer *decoded,
    struct octets *message)
{
	size_t max = (size_t)t->worker->settings->message_max;
	struct errbuf why = {0};
	bool too_long = false;
	int status;

	if (post) {
		if ((status = fcgi_request_body(t->http, max, message, &why)) != 0) {
			refuse_http(t, status, status == 503 ? RETRY_AFTER : NULL,
			    status == 413 ? "The message is too large."
					  : "The message cannot be read.",
			    why.line);
			return false;
		}
	} else {
		if (!q->has_message) {
			refuse_http(t, 400, NULL,
			    "PKIOperation by GET needs the parameter message.",
			    "GET without message");
			return false;
		}
		if (!scep_query_message(q->message, max, decoded, &too_long, &why)) {
			refuse_http(t, too_long ? 413 : 400, NULL,
			    too_long ? "The message is too large."
				     : "The parameter message is not base64.",
			    why.line);
			return false;
		}
		*message = buffer_octets(decoded);
	}
	if (message->len == 0) {
		refuse_http(t, 400, NULL, "The message is empty.", "empty PKIOperation");
		return false;
	}
	return true;
}

static void
serve_pki_operation(struct transaction *t, const struct scep_query *q, bool post)
{
	struct buffer decoded = {0};
	struct octets message;

	if (read_message(t, q, post, &decoded, &message))
		message_serve(t, message);
	buffer_free(&decoded);
}

static void
dispatch(struct transaction *t, const struct scep_query *q, bool post)
{
	char line[160];
	enum scep_operation operation = q->operation;

	if (operation == SCEP_OP_NONE && post)
		operation = SCEP_OP_PKI_OPERATION;
	switch (operation) {
	case SCEP_OP_GET_CA_CAPS:
		t->operation = "GetCACaps";
		if (t->profile_name[0] == '\0')
			answer_generic_capabilities(t);
		else if (find_profile(t))
			answer_constant(t, "text/plain", &t->profile->capabilities);
		return;
	case SCEP_OP_GET_CA_CERT:
		t->operation = "GetCACert";
		if (find_profile(t))
			answer_constant(
			    t, t->profile->ca_certificates_type, &t->profile->ca_certificates);
		return;
	case SCEP_OP_PKI_OPERATION:
		t->operation = "PKIOperation";
		if (strcmp(fcgi_request_method(t->http), "HEAD") == 0)
			refuse_http(t, 405, "Allow: GET, POST\r\n", "Use GET or POST.",
			    "HEAD of a PKIOperation");
		else if (find_profile(t))
			serve_pki_operation(t, q, post);
		return;
	case SCEP_OP_GET_NEXT_CA_CERT:
		t->operation = "GetNextCACert";
		if (find_profile(t))
			answer_next_ca(t);
		return;
	case SCEP_OP_NONE:
		refuse_http(t, 400, NULL, "The parameter operation is missing.", "no operation");
		return;
	default:
		snprintf(line, sizeof(line), "Unknown operation: %s", q->operation_text);
		refuse_http(t, 400, NULL, line, line);
		return;
	}
}

void
operation_serve(struct worker *w, struct fcgi_request *r)
{
	const char *method = fcgi_request_method(r);
	bool post = strcmp(method, "POST") == 0;
	struct transaction t;
	struct scep_query q;
	struct errbuf why = {0};

	log_set_request(fcgi_request_id(r));
	transaction_start(&t, w, r);
	if (!post && strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		refuse_http(&t, 405, "Allow: GET, HEAD, POST\r\n", "Use GET or POST.",
		    "method is not GET, HEAD or POST");
	else if (status_serve(&t))
		;
	else if (!operation_profile_name(
		     fcgi_request_path(r), w->settings->default_profile, t.profile_name))
		refuse_http(
		    &t, 404, NULL, "There is no such SCEP profile.", "the path is none of ours");
	else if (!scep_query_parse(fcgi_request_query(r), &q, &why))
		refuse_http(&t, 400, NULL, "The query cannot be read.", why.line);
	else
		dispatch(&t, &q, post);
	transaction_free(&t);
}
