#include <curl/curl.h>
#include <sys/socket.h>

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbound/address.h"
#include "outbound/http.h"

#define HOST_SIZE 300

struct http {
	CURL *curl;
};

/* One call under way. */
struct call {
	const struct http_request *request;
	struct http_response *response;
	struct curl_slist *headers;
	size_t header_octets;
	bool too_large;
	bool connecting;	   /* to some address that may be called */
	char inward[ADDRESS_TEXT]; /* the last one that may not; "": none */
	char host[HOST_SIZE];	   /* "https://host:port", for error texts */
	char error[CURL_ERROR_SIZE];
};

bool
http_open(struct http **out, struct errbuf *why)
{
	struct http *h = NULL;

	*out = NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		errbuf_set(why, "http: libcurl does not start");
		return false;
	}
	if ((h = calloc(1, sizeof(*h))) == NULL || (h->curl = curl_easy_init()) == NULL) {
		errbuf_set(why, "http: out of memory");
		free(h);
		curl_global_cleanup();
		return false;
	}
	*out = h;
	return true;
}

/* A peer that has gone must not end the process, and with CURLOPT_NOSIGNAL libcurl leaves SIGPIPE to its caller. */
static void
ignore_sigpipe(struct sigaction *before)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGPIPE, &ignore, before);
}

void
http_close(struct http *h)
{
	struct sigaction before;

	if (h == NULL)
		return;
	ignore_sigpipe(&before);
	curl_easy_cleanup(h->curl);
	curl_global_cleanup();
	sigaction(SIGPIPE, &before, NULL);
	free(h);
}

static bool
is_one_line(const char *text)
{
	return text[strcspn(text, "\r\n")] == '\0';
}

static bool
check_method(const struct http_request *request, struct errbuf *why)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
	const char *method = request->method != NULL ? request->method : "";

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(method, methods[i]) != 0)
			continue;
		if (i >= 2 || request->body.len == 0)
			return true;
		errbuf_set(why, "http: %s with a body", method);
		return false;
	}
	errbuf_set(
	    why, "http: method: have \"%s\", want GET, HEAD, POST, PUT, PATCH or DELETE", method);
	return false;
}

static bool
check_request(const struct http_request *request, struct errbuf *why)
{
	if (!check_method(request, why))
		return false;
	if (request->connect_timeout_ms <= 0 || request->timeout_ms <= 0 ||
	    request->response_max == 0) {
		errbuf_set(why, "http: a call needs time-outs and a limit of octets");
		return false;
	}
	if (request->public_only && request->environment_proxy) {
		errbuf_set(why, "http: whom a proxy calls cannot be judged");
		return false;
	}
	if (request->content_type != NULL && !is_one_line(request->content_type)) {
		errbuf_set(why, "http: a content type of more than one line");
		return false;
	}
	for (const char *const *h = request->headers; h != NULL && *h != NULL; h++) {
		if (is_one_line(*h) && strcspn(*h, ": \t;") > 0 &&
		    (*h)[strcspn(*h, ": \t;")] == ':')
			continue;
		errbuf_set(why, "http: a header that is not \"Name: value\"");
		return false;
	}
	return true;
}

/* "scheme://host:port" of the URL into host; false for one that is not http or https, or names a user. */
static bool
read_url(const char *text, char host[HOST_SIZE], struct errbuf *why)
{
	char *scheme = NULL, *name = NULL, *port = NULL, *user = NULL;
	CURLU *url = curl_url();
	bool good = false;

	if (url == NULL || text == NULL || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &name, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		errbuf_set(why, "http: the URL is not one of http:// or https://");
	else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		errbuf_set(why, "http: URL: have %.16s://, want http:// or https://", scheme);
	else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		errbuf_set(why, "http: a URL with a user in it");
	else
		good = snprintf(host, HOST_SIZE, "%s://%s:%s", scheme, name, port) > 0;
	curl_free(scheme);
	curl_free(name);
	curl_free(port);
	curl_free(user);
	curl_url_cleanup(url);
	return good;
}

bool
http_url_is_https(const char *text, char host[HTTP_NAME_SIZE])
{
	char *scheme = NULL, *name = NULL, *user = NULL;
	CURLU *url = curl_url();
	bool good;
	size_t len = 0;

	host[0] = '\0';
	good = url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
	       curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	       curl_url_get(url, CURLUPART_HOST, &name, 0) == CURLUE_OK &&
	       strcmp(scheme, "https") == 0 &&
	       curl_url_get(url, CURLUPART_USER, &user, 0) != CURLUE_OK &&
	       strlen(name) < HTTP_NAME_SIZE;
	for (const char *c = name; good && *c != '\0'; c++)
		if (*c != '[' && *c != ']')
			host[len++] = (char)tolower((unsigned char)*c);
	host[len] = '\0';
	curl_free(scheme);
	curl_free(name);
	curl_free(user);
	curl_url_cleanup(url);
	return good;
}

/* Before each connection is made, with the address that it goes to: what DNS says at another time does not matter. */
static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *peer)
{
	struct call *call = ctx;

	(void)purpose;
	if (!address_is_public(&peer->addr, peer->addrlen)) {
		address_text(&peer->addr, peer->addrlen, call->inward);
		return CURL_SOCKET_BAD;
	}
	call->connecting = true;
	return socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

/* Before the request is sent, on a connection that may be one kept open by a call that was allowed more. */
static int
judge_peer(void *ctx, char *peer, char *local, int peer_port, int local_port)
{
	struct call *call = ctx;

	(void)local;
	(void)peer_port;
	(void)local_port;
	if (peer != NULL && address_text_is_public(peer))
		return CURL_PREREQFUNC_OK;
	call->connecting = false;
	snprintf(call->inward, sizeof(call->inward), "%s", peer != NULL ? peer : "?");
	return CURL_PREREQFUNC_ABORT;
}

static size_t
take_header(char *data, size_t size, size_t count, void *ctx)
{
	struct call *call = ctx;
	struct buffer *kept = &call->response->headers;

	call->header_octets += size * count;
	if (call->header_octets > HTTP_HEADERS_MAX) {
		call->too_large = true;
		return 0;
	}
	if (!call->request->keep_headers)
		return size * count;
	/* A status line begins another answer: what was before it was a 100 or a redirect. */
	if (size * count >= 5 && memcmp(data, "HTTP/", 5) == 0)
		kept->len = 0;
	buffer_append(kept, data, size * count);
	return kept->failed ? 0 : size * count;
}

/* libcurl gives the bodies of redirects that it follows to nobody, so that what comes here is one answer's. */
static size_t
take_body(char *data, size_t size, size_t count, void *ctx)
{
	struct call *call = ctx;
	struct buffer *body = &call->response->body;

	if (size * count > call->request->response_max - body->len) {
		call->too_large = true;
		return 0;
	}
	buffer_append(body, data, size * count);
	return body->failed ? 0 : size * count;
}

static bool
add_header(struct call *call, const char *line)
{
	struct curl_slist *grown = curl_slist_append(call->headers, line);

	if (grown != NULL)
		call->headers = grown;
	return grown != NULL;
}

/* Tokens and passwords are among them. */
static void
free_headers(struct curl_slist *headers)
{
	for (struct curl_slist *line = headers; line != NULL; line = line->next)
		octets_wipe(line->data, strlen(line->data));
	curl_slist_free_all(headers);
}

static bool
make_headers(struct call *call)
{
	const struct http_request *request = call->request;
	struct buffer line = {0};
	const char *text;
	bool good;

	buffer_append_format(&line, "Content-Type:%s%s", request->content_type != NULL ? " " : "",
	    request->content_type != NULL ? request->content_type : "");
	text = buffer_string(&line);
	good = text != NULL && add_header(call, text);
	buffer_free(&line);
	good = good && add_header(call, "Expect:"); /* nobody waits for a 100 */
	good = good && (!request->http_1_0 || add_header(call, "Host:"));
	for (const char *const *h = request->headers; good && h != NULL && *h != NULL; h++)
		good = add_header(call, *h);
	return good;
}

/* curl_easy_setopt() is a macro with checks of its own; a failure is remembered and looked at once. */
#define SET(option, value) (e = e != CURLE_OK ? e : curl_easy_setopt(curl, option, value))

static CURLcode
set_limits(CURL *curl, struct call *call)
{
	const struct http_request *request = call->request;
	const char *redirect_to = strncmp(call->host, "https:", 6) == 0 ? "https" : "http,https";
	CURLcode e = CURLE_OK;

	SET(CURLOPT_NOSIGNAL, 1L);
	/* The thread that looks a name up is left to end by itself: waiting for it takes as long as the name server. */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_timeout_ms);
	SET(CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, redirect_to);
	SET(CURLOPT_FOLLOWLOCATION, request->follow_redirects ? 1L : 0L);
	SET(CURLOPT_MAXREDIRS, (long)HTTP_REDIRECTS_MAX);
	if (!request->environment_proxy)
		SET(CURLOPT_PROXY, "");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (request->ca_file != NULL) {
		SET(CURLOPT_CAINFO, request->ca_file);
		SET(CURLOPT_CAPATH, (char *)NULL);
	}
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_ERRORBUFFER, call->error);
	return e;
}

/* A connection that shows a certificate is no other request's, and what it was opened with is not kept. */
static CURLcode
set_peer(CURL *curl, struct call *call)
{
	const struct http_request *request = call->request;
	/* libcurl's structure is for octets that it may take over; with NOCOPY it only reads. */
	struct curl_blob pem = {.len = request->client_pem.len, .flags = CURL_BLOB_NOCOPY};
	CURLcode e = CURLE_OK;

	if (request->public_only) {
		SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
		SET(CURLOPT_OPENSOCKETDATA, call);
		SET(CURLOPT_PREREQFUNCTION, judge_peer);
		SET(CURLOPT_PREREQDATA, call);
	}
	if (request->client_pem.len > 0) {
		memcpy(&pem.data, &request->client_pem.data, sizeof(pem.data));
		SET(CURLOPT_SSLCERT_BLOB, &pem);
		SET(CURLOPT_SSLKEY_BLOB, &pem);
		SET(CURLOPT_SSLCERTTYPE, "PEM");
		SET(CURLOPT_SSLKEYTYPE, "PEM");
		SET(CURLOPT_KEYPASSWD, ""); /* nobody is there to be asked for one */
		SET(CURLOPT_FRESH_CONNECT, 1L);
		SET(CURLOPT_FORBID_REUSE, 1L);
		SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	}
	return e;
}

static CURLcode
set_request(CURL *curl, struct call *call)
{
	const struct http_request *request = call->request;
	bool post = strcmp(request->method, "POST") == 0;
	CURLcode e = CURLE_OK;

	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_USERAGENT, "fcgi-scep/" SCEP_VERSION);
	SET(CURLOPT_HTTP_VERSION,
	    request->http_1_0 ? (long)CURL_HTTP_VERSION_1_0 : (long)CURL_HTTP_VERSION_1_1);
	/* A connection that was open already has no handshake to show certificates in. */
	if (request->keep_certificates) {
		SET(CURLOPT_CERTINFO, 1L);
		SET(CURLOPT_FRESH_CONNECT, 1L);
	}
	SET(CURLOPT_HTTPHEADER, call->headers);
	if (strcmp(request->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
	} else if (post || request->body.len > 0) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
		SET(CURLOPT_POSTFIELDS,
		    request->body.len > 0 ? (const char *)request->body.data : "");
		if (!post)
			SET(CURLOPT_CUSTOMREQUEST, request->method);
	} else if (strcmp(request->method, "GET") != 0) {
		SET(CURLOPT_CUSTOMREQUEST, request->method);
	}
	return e;
}

static enum http_rc
failure(const struct call *call, CURLcode e, struct errbuf *why)
{
	if (call->too_large) {
		errbuf_set(why, "http: %s: more than %zu octets of body, or %d of header lines",
		    call->host, call->request->response_max, HTTP_HEADERS_MAX);
		return HTTP_TOO_LARGE;
	}
	if (call->inward[0] != '\0' && !call->connecting) {
		errbuf_set(why, "http: %s: %s is no public address", call->host, call->inward);
		return HTTP_INWARD;
	}
	errbuf_set(why, "http: %s: %s", call->host,
	    call->error[0] != '\0' ? call->error : curl_easy_strerror(e));
	switch (e) {
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TIMED_OUT;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PROXY:
		return HTTP_UNREACHABLE;
	default:
		return HTTP_BROKEN;
	}
}

static void
read_certificates(CURL *curl, struct buffer *out)
{
	struct curl_certinfo *shown = NULL;

	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &shown) != CURLE_OK || shown == NULL)
		return;
	for (int i = 0; i < shown->num_of_certs; i++)
		for (const struct curl_slist *line = shown->certinfo[i]; line != NULL;
		     line = line->next)
			if (strncmp(line->data, "Cert:", 5) == 0 &&
			    out->len + strlen(line->data) < HTTP_CERTIFICATES_MAX)
				buffer_append_format(out, "%s\n", line->data + 5);
}

static void
read_answer(CURL *curl, struct http_response *response)
{
	const char *type = NULL;
	curl_off_t retry_after = 0, took_us = 0;
	long status = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
	curl_easy_getinfo(curl, CURLINFO_TOTAL_TIME_T, &took_us);
	response->status = (int)status;
	response->took_ms = took_us / 1000;
	response->retry_after_s = retry_after > 0 ? retry_after : 0;
	snprintf(response->content_type, sizeof(response->content_type), "%.*s",
	    HTTP_CONTENT_TYPE_MAX, type != NULL ? type : "");
}

enum http_rc
http_call(struct http *h, const struct http_request *request, struct http_response *response,
    struct errbuf *why)
{
	struct call call = {.request = request, .response = response};
	struct sigaction before;
	CURLcode e = CURLE_OUT_OF_MEMORY;

	*response = (struct http_response){0};
	if (!check_request(request, why) || !read_url(request->url, call.host, why))
		return HTTP_MALFORMED;
	curl_easy_reset(h->curl);
	if (make_headers(&call) && (e = set_limits(h->curl, &call)) == CURLE_OK &&
	    (e = set_peer(h->curl, &call)) == CURLE_OK &&
	    (e = set_request(h->curl, &call)) == CURLE_OK) {
		ignore_sigpipe(&before);
		e = curl_easy_perform(h->curl);
		sigaction(SIGPIPE, &before, NULL);
	}
	if (e == CURLE_OK)
		read_answer(h->curl, response);
	if (e == CURLE_OK && request->keep_certificates)
		read_certificates(h->curl, &response->certificates);
	curl_easy_reset(h->curl); /* it points to what is the caller's */
	free_headers(call.headers);
	if (e == CURLE_OK)
		return HTTP_DONE;
	http_response_free(response);
	return failure(&call, e, why);
}
