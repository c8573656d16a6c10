#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbound/intune.h"
#include "outbound/intune_body.h"
#include "outbound/intune_exchange.h"

static bool
is_guid(const char *text)
{
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (text[i] == '\0' ||
		    (dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL))
			return false;
	}
	return text[36] == '\0';
}

bool
intune_tenant_is_valid(const char *tenant)
{
	static const char characters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	int labels = 0;

	if (is_guid(tenant))
		return true;
	if (strlen(tenant) > 253)
		return false;
	for (const char *at = tenant;; at++) {
		size_t len = strspn(at, characters);

		if (len == 0 || len > 63 || at[0] == '-' || at[len - 1] == '-')
			return false;
		labels++;
		at += len;
		if (*at != '.')
			return *at == '\0' && labels >= 2;
	}
}

static bool
check_settings(const struct intune_settings *s, struct errbuf *why)
{
	char host[HTTP_NAME_SIZE];

	if (!intune_tenant_is_valid(s->tenant))
		errbuf_set(why, "intune: tenant: want a GUID or the name of a domain");
	else if (s->client_id[0] == '\0' || s->client_secret.len == 0)
		errbuf_set(why, "intune: want the application's client ID and a client secret");
	else if (!http_url_is_https(s->login_url, host) || !http_url_is_https(s->graph_url, host))
		errbuf_set(why, "intune: want https:// for the login service and Microsoft Graph");
	else if (s->timeout_ms <= 0)
		errbuf_set(why, "intune: want a time-out");
	else
		return true;
	return false;
}

bool
intune_open(
    const struct intune_settings *s, struct http *h, struct intune **out, struct errbuf *why)
{
	struct intune *i = NULL;

	*out = NULL;
	if (!check_settings(s, why))
		return false;
	if ((i = calloc(1, sizeof(*i))) == NULL)
		goto fail;
	i->http = h;
	i->s = *s;
	i->s.client_secret = octets_of(NULL, 0);
	buffer_append(&i->secret, s->client_secret.data, s->client_secret.len);
	if (i->secret.failed)
		goto fail;
	*out = i;
	return true;

fail:
	errbuf_set(why, "intune: out of memory");
	intune_close(i);
	return false;
}

void
intune_close(struct intune *i)
{
	if (i == NULL)
		return;
	intune_exchange_forget(i);
	buffer_free(&i->secret);
	free(i);
}

/* An answer to a call that went through: 200 and Success, or else it is a refusal, or nothing that can be understood. */
static enum intune_rc
judge(const char *path, const struct intune_exchange *e, struct intune_answer *answer,
    struct errbuf *why)
{
	struct octets body = buffer_octets(&e->response.body);
	const char *name = strrchr(path, '/') + 1;
	int status = e->response.status;

	if (status == 200 && intune_answer_result(body, answer, why)) {
		if (strcmp(answer->code, "Success") == 0)
			return INTUNE_DONE;
		errbuf_set(why, "intune: %s: %s: %s (client-request-id %s)", name, answer->code,
		    answer->description, answer->request_id);
		return INTUNE_REFUSED;
	}
	if (status == 400 && intune_answer_error(body, answer, why)) {
		errbuf_set(why, "intune: %s: HTTP status 400: %s: %s (client-request-id %s)", name,
		    answer->code, answer->description, answer->request_id);
		return INTUNE_REFUSED;
	}
	if (status != 200)
		errbuf_set(why, "HTTP status %d", status);
	errbuf_prefix(why, "intune: %s (client-request-id %s)", name, answer->request_id);
	return INTUNE_AWAY;
}

static enum intune_rc
scep_action(struct intune *i, const char *path, struct buffer *body, struct intune_answer *answer,
    struct errbuf *why)
{
	struct intune_exchange e = {
	    .service = INTUNE_SERVICE_VALIDATION, .path = path, .body = buffer_octets(body)};
	enum intune_rc rc = INTUNE_AWAY;

	*answer = (struct intune_answer){0};
	if (body->failed) {
		errbuf_set(why, "intune: out of memory");
	} else {
		rc = intune_exchange_call(i, &e, why);
		snprintf(answer->request_id, sizeof(answer->request_id), "%s", e.request_id);
		if (rc == INTUNE_DONE)
			rc = judge(path, &e, answer, why);
	}
	http_response_free(&e.response);
	buffer_free(body);
	return rc;
}

enum intune_rc
intune_validate(struct intune *i, const char *transaction_id, struct octets csr,
    struct intune_answer *answer, struct errbuf *why)
{
	struct buffer body = {0};

	intune_body_validate(&body, transaction_id, csr, i->s.caller);
	return scep_action(i, "ScepActions/validateRequest", &body, answer, why);
}

enum intune_rc
intune_succeeded(struct intune *i, const struct intune_issued *c, struct intune_answer *answer,
    struct errbuf *why)
{
	struct buffer body = {0};

	if (!intune_body_succeeded(&body, c, i->s.caller, why)) {
		*answer = (struct intune_answer){0};
		buffer_free(&body);
		return INTUNE_AWAY;
	}
	return scep_action(i, "ScepActions/successNotification", &body, answer, why);
}

enum intune_rc
intune_failed(struct intune *i, const char *transaction_id, struct octets csr, uint32_t h_result,
    const char *description, struct intune_answer *answer, struct errbuf *why)
{
	struct buffer body = {0};

	intune_body_failed(&body, transaction_id, csr, h_result, description, i->s.caller);
	return scep_action(i, "ScepActions/failureNotification", &body, answer, why);
}

/* One call of the revocation service; DONE with 200 alone. */
static enum intune_rc
revocation_action(
    struct intune *i, struct intune_exchange *e, struct buffer *body, struct errbuf *why)
{
	enum intune_rc rc = INTUNE_AWAY;

	e->service = INTUNE_SERVICE_REVOCATION;
	e->body = buffer_octets(body);
	if (body->failed)
		errbuf_set(why, "intune: out of memory");
	else
		rc = intune_exchange_call(i, e, why);
	if (rc == INTUNE_DONE && e->response.status != 200) {
		errbuf_set(why, "intune: %s: HTTP status %d (client-request-id %s)",
		    strrchr(e->path, '/') + 1, e->response.status, e->request_id);
		rc = e->response.status == 400 ? INTUNE_REFUSED : INTUNE_AWAY;
	}
	buffer_free(body);
	return rc;
}

enum intune_rc
intune_download(struct intune *i, const char *issuer, struct intune_revocation *out, int *count,
    struct errbuf *why)
{
	struct intune_exchange e = {
	    .path = "CertificateAuthorityRequests/downloadRevocationRequests"};
	struct buffer body = {0};
	enum intune_rc rc;

	*count = 0;
	intune_body_download(&body, issuer);
	rc = revocation_action(i, &e, &body, why);
	if (rc == INTUNE_DONE &&
	    !intune_answer_revocations(buffer_octets(&e.response.body), out, count, why)) {
		errbuf_prefix(why, "intune: downloadRevocationRequests");
		rc = INTUNE_AWAY;
	}
	http_response_free(&e.response);
	return rc;
}

enum intune_rc
intune_upload(
    struct intune *i, const struct intune_revocation_result *results, int count, struct errbuf *why)
{
	struct intune_exchange e = {.path = "CertificateAuthorityRequests/uploadRevocationResults"};
	struct buffer body = {0};
	bool taken = false;
	enum intune_rc rc;

	if (count < 0 || count > INTUNE_REVOCATIONS_MAX) {
		errbuf_set(why, "intune: uploadRevocationResults: have %d results, want at most %d",
		    count, INTUNE_REVOCATIONS_MAX);
		return INTUNE_REFUSED;
	}
	intune_body_upload(&body, results, count);
	rc = revocation_action(i, &e, &body, why);
	if (rc == INTUNE_DONE &&
	    !intune_answer_uploaded(buffer_octets(&e.response.body), &taken, why)) {
		errbuf_prefix(why, "intune: uploadRevocationResults");
		rc = INTUNE_AWAY;
	} else if (rc == INTUNE_DONE && !taken) {
		errbuf_set(why, "intune: uploadRevocationResults: the results are not taken");
		rc = INTUNE_REFUSED;
	}
	http_response_free(&e.response);
	return rc;
}
