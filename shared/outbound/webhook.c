#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "outbound/webhook.h"
#include "outbound/webhook_answer.h"
#include "outbound/webhook_body.h"

#define ANSWER_MAX     65536
#define RETRY_AFTER_MS 1000
#define CREDENTIAL_MAX 16384
#define SIGNATURE_SIZE (2 * EVP_MAX_MD_SIZE + 1)

/* What a call needs besides its body. */
struct call {
	struct buffer authorization; /* the header's line; empty: none */
	char id[128];
	char signature[64 + SIGNATURE_SIZE];
	const char *headers[5];
};

static void
call_free(struct call *c)
{
	buffer_free(&c->authorization);
}

static bool
make_authorization(const struct webhook *w, struct call *c, struct errbuf *why)
{
	bool given = w->credential.len > 0 && w->credential.len <= CREDENTIAL_MAX;

	if (w->authentication != WEBHOOK_NONE && !given) {
		errbuf_set(why, "webhook: no credential for its authentication");
		return false;
	}
	if (w->authentication == WEBHOOK_BEARER) {
		buffer_append_string(&c->authorization, "Authorization: Bearer ");
		buffer_append(&c->authorization, w->credential.data, w->credential.len);
	} else if (w->authentication == WEBHOOK_BASIC) {
		buffer_append_string(&c->authorization, "Authorization: Basic ");
		encoding_base64(w->credential, &c->authorization);
	}
	if (c->authorization.failed) {
		errbuf_set(why, "webhook: out of memory");
		return false;
	}
	/* A NUL would end the line before its time. */
	if (c->authorization.len > 0 &&
	    memchr(c->authorization.data, '\0', c->authorization.len) != NULL) {
		errbuf_set(why, "webhook: a credential with a NUL in it");
		return false;
	}
	return true;
}

static bool
make_signature(const struct webhook *w, struct octets body, struct call *c, struct errbuf *why)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	char hex[SIGNATURE_SIZE];
	unsigned int len = 0;

	if (w->secret.len == 0 || w->secret.len > CREDENTIAL_MAX) {
		errbuf_set(why, "webhook: no secret to sign with");
		return false;
	}
	if (HMAC(EVP_sha256(), w->secret.data, (int)w->secret.len, body.data, body.len, mac,
		&len) == NULL) {
		errbuf_ossl(why, "webhook: HMAC");
		return false;
	}
	encoding_hex(octets_of(mac, len), hex);
	snprintf(c->signature, sizeof(c->signature), "X-Smallstep-Signature: %s", hex);
	return true;
}

static bool
make_headers(const struct webhook *w, struct octets body, struct call *c, struct errbuf *why)
{
	int n = 0;

	if (!make_authorization(w, c, why) || !make_signature(w, body, c, why))
		return false;
	snprintf(c->id, sizeof(c->id), "X-Smallstep-Webhook-ID: %s", w->id);
	c->headers[n++] = c->signature;
	c->headers[n++] = c->id;
	c->headers[n++] = "Accept: application/json";
	if (c->authorization.len > 0 &&
	    (c->headers[n++] = buffer_string(&c->authorization)) == NULL) {
		errbuf_set(why, "webhook: out of memory");
		return false;
	}
	c->headers[n] = NULL;
	return true;
}

static void
pause_ms(int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		continue;
}

/* DENIED where trying again cannot help; AWAY on a transport error; ALLOWED with an answer of whatever status. */
static enum webhook_rc
send_once(struct http *h, const struct http_request *request, struct http_response *response,
    struct errbuf *why)
{
	struct errbuf said = {0};
	enum http_rc rc = http_call(h, request, response, &said);

	if (rc != HTTP_DONE)
		errbuf_set(why, "%s%s", said.line,
		    rc == HTTP_INWARD ? " (--allow-private yes lets it be called)" : "");
	switch (rc) {
	case HTTP_DONE:
		return WEBHOOK_ALLOWED;
	case HTTP_UNREACHABLE:
	case HTTP_TIMED_OUT:
	case HTTP_BROKEN:
		return WEBHOOK_AWAY;
	case HTTP_MALFORMED:
	case HTTP_TOO_LARGE:
	case HTTP_INWARD:
		break;
	}
	return WEBHOOK_DENIED;
}

/* ALLOWED: an answer that is no 5xx is in *response. */
static enum webhook_rc
send_twice(struct http *h, struct http_request *request, int64_t timeout_ms,
    struct http_response *response, struct errbuf *why)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	enum webhook_rc rc;

	for (bool again = false;; again = true) {
		request->timeout_ms = request->connect_timeout_ms =
		    deadline_ms - clock_monotonic_ms();
		rc = send_once(h, request, response, why);
		if (rc == WEBHOOK_ALLOWED && response->status >= 500) {
			errbuf_set(why, "HTTP status %d", response->status);
			http_response_free(response);
			rc = WEBHOOK_AWAY;
		}
		if (rc != WEBHOOK_AWAY || again ||
		    deadline_ms - clock_monotonic_ms() <= RETRY_AFTER_MS)
			return rc;
		pause_ms(RETRY_AFTER_MS);
	}
}

static enum webhook_rc
exchange(struct http *h, const struct webhook *w, struct octets body,
    struct http_response *response, struct errbuf *why)
{
	struct http_request request = {.method = "POST",
	    .url = w->url,
	    .content_type = "application/json",
	    .body = body,
	    .public_only = !w->allow_private,
	    .response_max = ANSWER_MAX};
	enum webhook_rc rc = WEBHOOK_DENIED;
	char host[HTTP_NAME_SIZE];
	struct call c = {0};

	*response = (struct http_response){0};
	request.ca_file = w->ca_file != NULL && w->ca_file[0] != '\0' ? w->ca_file : NULL;
	if (w->authentication == WEBHOOK_MTLS)
		request.client_pem = w->credential;
	if (!http_url_is_https(w->url, host)) {
		errbuf_set(why, "webhook: want an https:// URL");
	} else if (make_headers(w, body, &c, why)) {
		request.headers = c.headers;
		rc = send_twice(h, &request, w->timeout_ms, response, why);
		if (rc != WEBHOOK_ALLOWED)
			errbuf_prefix(why, "webhook");
	}
	call_free(&c);
	return rc;
}

enum webhook_rc
webhook_validate(struct http *h, const struct webhook *w, const struct webhook_subject *s,
    char message[256], struct errbuf *why)
{
	struct http_response response = {0};
	enum webhook_rc rc = WEBHOOK_DENIED;
	struct buffer body = {0};

	message[0] = '\0';
	if (webhook_body_validate(&body, s, why))
		rc = exchange(h, w, buffer_octets(&body), &response, why);
	else if (body.failed)
		rc = WEBHOOK_AWAY;
	if (rc == WEBHOOK_ALLOWED && response.status != 200) {
		errbuf_set(why, "webhook: HTTP status %d", response.status);
		rc = WEBHOOK_DENIED;
	} else if (rc == WEBHOOK_ALLOWED) {
		rc = webhook_answer_read(buffer_octets(&response.body), message, why);
	}
	http_response_free(&response);
	buffer_free(&body);
	return rc;
}

bool
webhook_notify(struct http *h, const struct webhook *w, const struct webhook_subject *s,
    struct octets certificate, int64_t not_before, int64_t not_after, const char *error_code,
    const char *error_description, struct errbuf *why)
{
	struct webhook_outcome outcome = {.certificate = certificate,
	    .not_before = not_before,
	    .not_after = not_after,
	    .error_code = error_code,
	    .error_description = error_description};
	struct http_response response = {0};
	struct buffer body = {0};
	bool good = false;

	if (webhook_body_notify(&body, s, &outcome, why) &&
	    exchange(h, w, buffer_octets(&body), &response, why) == WEBHOOK_ALLOWED) {
		good = response.status >= 200 && response.status <= 299;
		if (!good)
			errbuf_set(why, "webhook: HTTP status %d", response.status);
	}
	http_response_free(&response);
	buffer_free(&body);
	return good;
}
