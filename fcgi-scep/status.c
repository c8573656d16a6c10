/* status.c: CRLs and OCSP responses, for any CA of this installation, old ones too. */
#include "status.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/log.h"
#include "issue/crl.h"
#include "issue/ocsp_responder.h"
#include "pki/ocsp.h"
#include "scep/query.h"
#include "seen.h"
#include "store/revocation.h"

/* nginx keeps an answer for a second: a revocation is seen that soon. */
#define MICROCACHE     "X-Accel-Expires: 1\r\n"
#define RETRY_AFTER    "Retry-After: 5\r\nCache-Control: no-store\r\n"
#define OCSP_TYPE      "application/ocsp-response"
#define LEASE_S	       30
#define CLIENT_CACHE_S 300 /* what a client or proxy may keep */

static void
refuse(struct transaction *t, int status, const char *headers, const char *line, const char *reason)
{
	fcgi_respond_text(t->http, status, headers, line);
	transaction_refused(t, status >= 500 ? "failed" : "refused", reason);
}

/* The authority of that name or uuid; NULL: answered. */
static struct profile_status_authority *
find_authority(struct transaction *t, const char *name)
{
	struct profile_status_authority *a;
	struct errbuf why = {0};
	enum store_rc rc = profile_cache_follow(t->worker->profiles, &why);

	if (rc == STORE_OK)
		rc = profile_authority_get(t->worker->profiles, name, &a, &why);
	if (rc == STORE_OK)
		return a;
	if (rc == STORE_NONE)
		refuse(t, 404, NULL, "There is no such CA.", "the path names no CA");
	else
		refuse(t, 503, RETRY_AFTER, "Temporarily unavailable.", why.line);
	return NULL;
}

/* What a client may keep: never beyond the end of what it got. */
static void
cache_headers(char *out, size_t size, int64_t until, int64_t now)
{
	int64_t seconds = until - now < CLIENT_CACHE_S ? until - now : CLIENT_CACHE_S;

	snprintf(out, size, MICROCACHE "Cache-Control: public, max-age=%lld\r\n",
	    (long long)(seconds > 0 ? seconds : 0));
}

static void
serve_crl(struct transaction *t, const char *name)
{
	struct profile_status_authority *a;
	int64_t now = clock_now(), next_update = 0;
	struct buffer der = {0};
	struct errbuf why = {0};
	char headers[128];

	t->operation = "CRL";
	if (strcmp(fcgi_request_method(t->http), "POST") == 0) {
		refuse(t, 405, "Allow: GET, HEAD\r\n", "Use GET.", "POST of a CRL");
		return;
	}
	if ((a = find_authority(t, name)) == NULL)
		return;
	if (!profile_authority_open(t->worker->profiles, a, &why) ||
	    issue_crl(t->worker->store, &a->authority, t->worker->settings->crl_validity_hours, now,
		&der, &next_update, &why) != STORE_OK) {
		refuse(t, 503, RETRY_AFTER, "Temporarily unavailable.", why.line);
	} else {
		cache_headers(headers, sizeof(headers), next_update, now);
		fcgi_respond(t->http, 200, "application/pkix-crl", headers, buffer_octets(&der));
		transaction_done(t);
	}
	buffer_free(&der);
}

static void
answer_ocsp_error(struct transaction *t, int status, const char *reason)
{
	struct buffer der = {0};

	if (ocsp_error_encode(status, &der))
		fcgi_respond(
		    t->http, 200, OCSP_TYPE, "Cache-Control: no-store\r\n", buffer_octets(&der));
	else
		fcgi_respond_text(t->http, 503, RETRY_AFTER, "Temporarily unavailable.");
	transaction_refused(t, status == OCSP_TRY_LATER ? "failed" : "refused", reason);
	buffer_free(&der);
}

/* The DER of a request: the body of a POST, or, of a GET, base64 as the rest of the path (RFC 6960 A.1).  false: answered. */
static bool
read_ocsp_request(
    struct transaction *t, const char *encoded, struct buffer *decoded, struct octets *der)
{
	struct errbuf why = {0};
	bool too_long = false;
	int status;

	if (strcmp(fcgi_request_method(t->http), "POST") == 0) {
		status = fcgi_request_body(t->http, OCSP_REQUEST_MAX, der, &why);
		if (status == 0)
			return true;
		refuse(t, status, status == 503 ? RETRY_AFTER : NULL, "The request cannot be read.",
		    why.line);
		return false;
	}
	if (scep_query_message(
		octets_of_string(encoded), OCSP_REQUEST_MAX, decoded, &too_long, &why)) {
		*der = buffer_octets(decoded);
		return true;
	}
	answer_ocsp_error(t, OCSP_MALFORMED_REQUEST, why.line);
	return false;
}

/* What the store says of each certificate asked for.  false with why. */
static bool
look_up(struct transaction *t, const struct profile_authority *a, const struct ocsp_request *r,
    struct ocsp_answer *answers, struct errbuf *why)
{
	struct certificate_status status;

	for (int i = 0; i < ocsp_request_count(r); i++) {
		answers[i] = (struct ocsp_answer){.status = OCSP_STATUS_UNKNOWN};
		if (!ocsp_request_names_ca(r, i, &a->chain[0]))
			continue;
		switch (store_certificate_status(
		    t->worker->store, a->id, ocsp_request_serial(r, i), &status, why)) {
		case STORE_OK:
			answers[i].status = status.revoked ? OCSP_STATUS_REVOKED : OCSP_STATUS_GOOD;
			answers[i].revoked_at = status.revoked_at;
			answers[i].reason = status.reason;
			if (!status.revoked)
				seen_by_ocsp(t, a->id, ocsp_request_serial(r, i));
			break;
		case STORE_NONE:
			break;
		default:
			return false;
		}
	}
	return true;
}

/* One that names another CA alone is not for us to answer (RFC 6960 2.3). */
static bool
names_only_others(const struct ocsp_request *r, const struct profile_authority *a)
{
	for (int i = 0; i < ocsp_request_count(r); i++)
		if (ocsp_request_names_ca(r, i, &a->chain[0]))
			return false;
	return true;
}

/* A new responder certificate, where no other process is making one. */
static void
renew_responder(struct transaction *t, struct profile_status_authority *a, int64_t now)
{
	struct store *st = t->worker->store;
	struct ocsp_responder_row made = {0};
	struct authority_row row = {0};
	struct errbuf why = {0};
	char lease[64], holder[UUID_SIZE];
	enum store_rc rc;

	snprintf(lease, sizeof(lease), "ocsp:%s", a->authority.id);
	if (!encoding_uuid(holder) ||
	    store_lease(st, lease, holder, now, LEASE_S, &why) != STORE_OK)
		return;
	rc = store_authority_get(st, a->authority.id, &row, &why);
	if (rc == STORE_OK && profile_authority_open(t->worker->profiles, a, &why) &&
	    issue_responder(st, t->worker->settings, &row, a->authority.signer, "system", now,
		&made, &why) == STORE_OK) {
		profile_ocsp_close(a);
		(void)store_lease_release(st, lease, holder, NULL);
	} else {
		/* The lease stays: the next try is as far away, however many ask. */
		log_event(LOG_LEVEL_ERROR, "ocsp-responder",
		    "CA %s: no new responder certificate: %s", a->authority.name, why.line);
	}
	ocsp_responder_row_free(&made);
	authority_row_free(&row);
}

/* The responder of the CA, renewed where that is due; false with why. */
static bool
open_responder(
    struct transaction *t, struct profile_status_authority *a, int64_t now, struct errbuf *why)
{
	bool open = profile_ocsp_open(t->worker->profiles, a, why);

	if (issue_responder_due(a->ocsp_not_after, a->authority.chain[0].not_after, now)) {
		renew_responder(t, a, now);
		open = profile_ocsp_open(t->worker->profiles, a, why);
	}
	if (open && now >= a->ocsp_not_after) {
		errbuf_set(why, "CA %s: its OCSP responder has ended", a->authority.name);
		return false;
	}
	return open;
}

static void
answer_ocsp(struct transaction *t, struct profile_status_authority *a, const struct ocsp_request *r)
{
	int64_t now = clock_now();
	int64_t until = now + t->worker->settings->ocsp_validity_minutes * 60;
	struct ocsp_answer answers[OCSP_CERTS_MAX];
	struct ocsp_responder responder;
	struct buffer der = {0};
	struct errbuf why = {0};
	char headers[128];

	if (names_only_others(r, &a->authority)) {
		answer_ocsp_error(t, OCSP_UNAUTHORIZED, "OCSP: of another CA");
		return;
	}
	if (!open_responder(t, a, now, &why) || !look_up(t, &a->authority, r, answers, &why))
		goto away;
	if (until > a->ocsp_not_after)
		until = a->ocsp_not_after;
	responder = (struct ocsp_responder){.x509 = a->ocsp_x509, .key = a->ocsp_key};
	if (!ocsp_response_encode(r, answers, now, until, &responder, &der, &why))
		goto away;
	cache_headers(headers, sizeof(headers), until, now);
	fcgi_respond(t->http, 200, OCSP_TYPE,
	    ocsp_request_has_nonce(r) || strcmp(fcgi_request_method(t->http), "POST") == 0
		? "Cache-Control: no-store\r\n"
		: headers,
	    buffer_octets(&der));
	transaction_done(t);
	buffer_free(&der);
	return;
away:
	answer_ocsp_error(t, OCSP_TRY_LATER, why.line);
	buffer_free(&der);
}

static void
serve_ocsp(struct transaction *t, const char *name, const char *encoded)
{
	struct profile_status_authority *a;
	struct ocsp_request *r = NULL;
	struct buffer decoded = {0};
	struct errbuf why = {0};
	struct octets der;

	t->operation = "OCSP";
	if ((a = find_authority(t, name)) == NULL)
		return;
	if (read_ocsp_request(t, encoded, &decoded, &der)) {
		if (ocsp_request_parse(der, &r, &why))
			answer_ocsp(t, a, r);
		else
			answer_ocsp_error(t, OCSP_MALFORMED_REQUEST, why.line);
		ocsp_request_free(r);
	}
	buffer_free(&decoded);
}

/* What stands behind /ocsp/NAME/ in the URI as it came: nginx makes one slash of two in the decoded path. */
static const char *
encoded_part(struct transaction *t, char *room, size_t size)
{
	const char *uri = fcgi_request_header(t->http, "REQUEST_URI");
	const char *at = strncmp(uri, "/ocsp/", 6) == 0 ? strchr(uri + 6, '/') : NULL;

	if (at == NULL)
		return "";
	/* Where the URL in a certificate ends in a slash, clients have two of them here; no request begins with one. */
	at += strspn(at, "/");
	snprintf(room, size, "%.*s", (int)strcspn(at, "?"), at);
	return room;
}

/* NAME, up to end, of 1 to 64 octets. */
static bool
copy_name(const char *at, size_t len, char out[65])
{
	if (len == 0 || len > 64)
		return false;
	memcpy(out, at, len);
	out[len] = '\0';
	return true;
}

bool
status_serve(struct transaction *t)
{
	const char *path = fcgi_request_path(t->http);
	char name[65], encoded[2 * OCSP_REQUEST_MAX];
	size_t len;

	if (strncmp(path, "/crl/", 5) == 0) {
		len = strlen(path + 5);
		if (len <= 4 || strcmp(path + 5 + len - 4, ".crl") != 0 ||
		    !copy_name(path + 5, len - 4, name))
			return false;
		serve_crl(t, name);
		return true;
	}
	if (strncmp(path, "/ocsp/", 6) == 0) {
		len = strcspn(path + 6, "/");
		if (!copy_name(path + 6, len, name))
			return false;
		serve_ocsp(t, name, encoded_part(t, encoded, sizeof(encoded)));
		return true;
	}
	return false;
}
