/* scep_server.c: GetCACaps, GetCACert, GetNextCACert, PKIOperation as a client calls them. */
#include "fcgi-admin/cli/scep_server.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"

#define RESPONSE_MAX	   (256 * 1024) /* octets: some hundred certificates */
#define CONNECT_TIMEOUT_MS 10000

/* What the server said beside its status: the first line of its body, made fit for a terminal. */
static void
first_line(const struct http_response *response, char out[128])
{
	size_t len = 0;

	while (len < response->body.len && len < 127 && response->body.data[len] >= ' ' &&
	       response->body.data[len] < 0x7f) {
		out[len] = (char)response->body.data[len];
		len++;
	}
	out[len] = '\0';
}

static int
call(struct scep_server *s, const char *operation, const char *more, struct octets body,
    struct http_response *response)
{
	struct buffer url = {0};
	struct errbuf why = {0};
	struct http_request request = {
	    .method = body.len > 0 ? "POST" : "GET",
	    .content_type = body.len > 0 ? "application/x-pki-message" : NULL,
	    .body = body,
	    .ca_file = s->ca_file,
	    .environment_proxy = true,
	    .connect_timeout_ms =
		s->timeout_ms < CONNECT_TIMEOUT_MS ? s->timeout_ms : CONNECT_TIMEOUT_MS,
	    .timeout_ms = s->timeout_ms,
	    .response_max = s->response_max > 0 ? s->response_max : RESPONSE_MAX,
	};
	enum http_rc rc = HTTP_MALFORMED;

	buffer_append_format(&url, "%s?operation=%s%s", s->url, operation, more);
	if ((request.url = buffer_string(&url)) != NULL)
		rc = http_call(s->http, &request, response, &why);
	buffer_free(&url);
	if (rc == HTTP_DONE)
		return CLI_DONE;
	cli_error("%s: %s", operation, why.line);
	return rc == HTTP_MALFORMED ? CLI_USAGE : CLI_AWAY;
}

/* A status other than 200 ends the enrolment. */
static int
check_status(const char *operation, const struct http_response *response)
{
	char line[128];

	if (response->status == 200)
		return CLI_DONE;
	first_line(response, line);
	cli_error("%s: the server answers %d %s", operation, response->status, line);
	if (response->retry_after_s > 0)
		cli_error(
		    "it asks to try again in %lld seconds", (long long)response->retry_after_s);
	return response->status == 429 || response->status >= 500 ? CLI_AWAY : CLI_REFUSED;
}

/* RFC 8894 3.5: a server without GetCACaps offers nothing beyond the oldest. */
static int
get_capabilities(struct scep_server *s)
{
	struct http_response response;
	int status = call(s, "GetCACaps", "", octets_of(NULL, 0), &response);

	if (status != CLI_DONE)
		return status;
	if (response.status == 200)
		scep_capabilities_parse(buffer_octets(&response.body), &s->capabilities);
	http_response_free(&response);
	return CLI_DONE;
}

/* The body of an operation without a message, whose status was 200. */
static int
get(struct scep_server *s, const char *operation, struct buffer *body)
{
	struct http_response response;
	int status = call(s, operation, "", octets_of(NULL, 0), &response);

	if (status != CLI_DONE)
		return status;
	if ((status = check_status(operation, &response)) == CLI_DONE)
		buffer_append(body, response.body.data, response.body.len);
	http_response_free(&response);
	return status;
}

static int
get_certificates(struct scep_server *s)
{
	struct buffer body = {0};
	int status = get(s, "GetCACert", &body);

	if (status == CLI_DONE)
		status = scep_server_take(s, buffer_octets(&body));
	buffer_free(&body);
	return status == CLI_DONE ? scep_server_choose(s, clock_now()) : status;
}

int
scep_server_next(struct scep_server *s)
{
	struct buffer body = {0};
	int status = get(s, "GetNextCACert", &body);

	if (status == CLI_DONE)
		status = scep_server_take_next(s, buffer_octets(&body));
	buffer_free(&body);
	return status;
}

int
scep_server_open(struct scep_server *s)
{
	struct errbuf why = {0};
	int status;

	if (!http_open(&s->http, &why)) {
		cli_error("%s", why.line);
		return CLI_REFUSED;
	}
	if ((status = get_capabilities(s)) != CLI_DONE)
		return status;
	return get_certificates(s);
}

void
scep_server_close(struct scep_server *s)
{
	for (int i = 0; i < SCEP_SERVER_CERTIFICATES; i++) {
		certificate_free(&s->certificates[i]);
		buffer_free(&s->der[i]);
	}
	http_close(s->http);
	s->http = NULL;
}

/* Base64 whose '+', '/' and '=' are escaped. */
static void
append_escaped(struct octets message, struct buffer *out)
{
	struct buffer text = {0};

	encoding_base64(message, &text);
	buffer_append_string(out, "&message=");
	for (size_t i = 0; i < text.len; i++) {
		if (isalnum(text.data[i]))
			buffer_append(out, &text.data[i], 1);
		else
			buffer_append_format(out, "%%%02X", text.data[i]);
	}
	if (text.failed)
		out->failed = true;
	buffer_free(&text);
}

int
scep_server_operation(struct scep_server *s, struct octets message, struct buffer *reply)
{
	bool post = (s->capabilities.post || s->capabilities.standard) && !s->by_get;
	struct http_response response;
	struct buffer more = {0};
	int status;

	if (!post)
		append_escaped(message, &more);
	status = call(s, "PKIOperation", post ? "" : buffer_string(&more),
	    post ? message : octets_of(NULL, 0), &response);
	buffer_free(&more);
	if (status != CLI_DONE)
		return status;
	status = check_status("PKIOperation", &response);
	if (status == CLI_DONE && !http_content_type_is(&response, "application/x-pki-message")) {
		cli_error("PKIOperation: the answer is %s, want application/x-pki-message",
		    response.content_type[0] != '\0' ? response.content_type : "of no type");
		status = CLI_REFUSED;
	}
	if (status == CLI_DONE)
		buffer_append(reply, response.body.data, response.body.len);
	http_response_free(&response);
	return status;
}
