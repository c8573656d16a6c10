#include <openssl/rand.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/log.h"
#include "fcgi/request_fcgx.h"

#define HEAD_MAX 1024 /* of the lines that are written here */

const char *
fcgi_request_header(const struct fcgi_request *r, const char *name)
{
	const char *value = FCGX_GetParam(name, r->fcgx.envp);

	return value == NULL ? "" : value;
}

const char *
fcgi_request_method(const struct fcgi_request *r)
{
	return fcgi_request_header(r, "REQUEST_METHOD");
}

const char *
fcgi_request_path(const struct fcgi_request *r)
{
	return fcgi_request_header(r, "DOCUMENT_URI");
}

const char *
fcgi_request_query(const struct fcgi_request *r)
{
	return fcgi_request_header(r, "QUERY_STRING");
}

const char *
fcgi_request_address(const struct fcgi_request *r)
{
	return fcgi_request_header(r, "REMOTE_ADDR");
}

const char *
fcgi_request_id(const struct fcgi_request *r)
{
	return r->id;
}

bool
fcgi_request_is_https(const struct fcgi_request *r)
{
	return strcmp(fcgi_request_header(r, "HTTPS"), "on") == 0;
}

int
fcgi_request_status(const struct fcgi_request *r)
{
	return r->status;
}

/* nginx's id where it is one: letters, digits, '-' and '_', as many as fit; else one of our own. */
static void
choose_id(struct fcgi_request *r)
{
	const char *given = fcgi_request_header(r, "REQUEST_ID");
	size_t len = strlen(given);
	uint8_t random[16] = {0};

	if (len > 0 && len < sizeof(r->id) &&
	    strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
		len) {
		memcpy(r->id, given, len + 1);
		return;
	}
	/* Without random octets the id is not unique, which no decision depends on. */
	(void)RAND_bytes(random, sizeof(random));
	encoding_hex(octets_of(random, sizeof(random)), r->id);
}

void
fcgi_request_begin(struct fcgi_request *r)
{
	r->status = 0;
	r->body_read = false;
	choose_id(r);
	log_set_request(r->id);
}

void
fcgi_request_end(struct fcgi_request *r)
{
	FCGX_Finish_r(&r->fcgx);
	buffer_free(&r->body);
	log_set_request("");
}

/* CONTENT_LENGTH, or -1 where there is none, or -2 where it is no number. */
static int64_t
announced_length(const struct fcgi_request *r)
{
	const char *text = fcgi_request_header(r, "CONTENT_LENGTH");
	char *end;
	long long n;

	if (*text == '\0')
		return -1;
	if (strspn(text, "0123456789") != strlen(text))
		return -2;
	errno = 0;
	n = strtoll(text, &end, 10);
	return errno == ERANGE ? INT64_MAX : n;
}

/* Up to limit octets, or all there are, into the body; false when out of memory. */
static bool
read_octets(struct fcgi_request *r, size_t limit)
{
	char chunk[8192];
	int n = 1;

	while (n > 0 && r->body.len < limit) {
		size_t left = limit - r->body.len;

		n = FCGX_GetStr(
		    chunk, (int)(left < sizeof(chunk) ? left : sizeof(chunk)), r->fcgx.in);
		if (n > 0)
			buffer_append(&r->body, chunk, (size_t)n);
	}
	octets_wipe(chunk, sizeof(chunk));
	return !r->body.failed;
}

static int
read_body(struct fcgi_request *r, size_t max, struct errbuf *why)
{
	int64_t announced = announced_length(r);
	size_t limit;

	if (announced == -2) {
		errbuf_set(why, "body: have a CONTENT_LENGTH that is no number");
		return 400;
	}
	if (announced > (int64_t)max) {
		errbuf_set(
		    why, "body: have %" PRId64 " octets announced, want <= %zu", announced, max);
		return 413;
	}
	/* One octet more than there may be, to see that there is none. */
	limit = (announced >= 0 ? (size_t)announced : max) + 1;
	if (!read_octets(r, limit)) {
		errbuf_set(why, "body: out of memory");
		return 503;
	}
	if (announced < 0 && r->body.len > max) {
		errbuf_set(why, "body: have more octets, want <= %zu", max);
		return 413;
	}
	if (announced >= 0 && r->body.len != (size_t)announced) {
		errbuf_set(why, "body: have %s octets than the %" PRId64 " announced",
		    r->body.len < (size_t)announced ? "fewer" : "more", announced);
		return 400;
	}
	return 0;
}

int
fcgi_request_body(struct fcgi_request *r, size_t max, struct octets *body, struct errbuf *why)
{
	*body = octets_of(NULL, 0);
	if (!r->body_read) {
		r->body_read = true;
		r->body_rc = read_body(r, max, why);
	} else if (r->body_rc != 0) {
		errbuf_set(why, "body: refused before");
	} else if (r->body.len > max) {
		errbuf_set(why, "body: have %zu octets, want <= %zu", r->body.len, max);
		return 413;
	}
	if (r->body_rc == 0)
		*body = buffer_octets(&r->body);
	return r->body_rc;
}

static const char *
reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
	    {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"},
	    {307, "Temporary Redirect"}, {308, "Permanent Redirect"}, {400, "Bad Request"},
	    {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
	    {405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"},
	    {409, "Conflict"}, {410, "Gone"}, {411, "Length Required"},
	    {412, "Precondition Failed"}, {413, "Content Too Large"}, {414, "URI Too Long"},
	    {415, "Unsupported Media Type"}, {422, "Unprocessable Content"}, {423, "Locked"},
	    {429, "Too Many Requests"}, {500, "Internal Server Error"}, {501, "Not Implemented"},
	    {502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
	    {507, "Insufficient Storage"}};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Other";
}

static void
put(struct fcgi_request *r, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		int part = len > INT_MAX ? INT_MAX : (int)len;

		if (FCGX_PutStr(at, part, r->fcgx.out) != part)
			return; /* nobody is there any more */
		at += part;
		len -= (size_t)part;
	}
}

void
fcgi_respond(
    struct fcgi_request *r, int status, const char *type, const char *headers, struct octets body)
{
	bool bodiless = status == 204 || status == 304;
	char head[HEAD_MAX];
	int n;

	if (r->status != 0) {
		log_event(
		    LOG_LEVEL_ERROR, "second_answer", "have %d, dropped %d", r->status, status);
		return;
	}
	r->status = status;
	n = snprintf(head, sizeof(head), "Status: %d %s\r\n", status, reason_phrase(status));
	if (type != NULL)
		n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Type: %.256s\r\n", type);
	if (!bodiless)
		n += snprintf(
		    head + n, sizeof(head) - (size_t)n, "Content-Length: %zu\r\n", body.len);
	put(r, head, (size_t)n);
	if (headers != NULL)
		put(r, headers, strlen(headers));
	put(r, "\r\n", 2);
	if (!bodiless && strcmp(fcgi_request_method(r), "HEAD") != 0)
		put(r, body.data, body.len);
}

void
fcgi_respond_text(struct fcgi_request *r, int status, const char *headers, const char *line)
{
	struct buffer text = {0};

	buffer_append_string(&text, line);
	buffer_append_string(&text, "\n");
	fcgi_respond(r, status, "text/plain", headers, buffer_octets(&text));
	buffer_free(&text);
}
