#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "outbound/http.h"
#include "tests/unit/http_server.h"

#define TIMEOUT_MS 500
#define LATE_MS	   2000
#define LIMIT	   HTTP_SERVER_LIMIT

static pid_t server;
static int port;
static struct http *http;
static struct http_response response;
static struct errbuf why;

static int
start(void **state)
{
	(void)state;
	why = (struct errbuf){0};
	if ((server = http_server_start(&port)) == -1)
		return -1;
	return http_open(&http, &why) ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	http_response_free(&response);
	http_close(http);
	http = NULL;
	http_server_stop(&server);
	return 0;
}

static struct http_request
request_to(const char *scheme, const char *path)
{
	static char url[256];

	snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", scheme, port, path);
	return (struct http_request){.method = "GET",
	    .url = url,
	    .connect_timeout_ms = 20000,
	    .timeout_ms = 20000,
	    .response_max = LIMIT};
}

static enum http_rc
call(const struct http_request *request)
{
	http_response_free(&response);
	return http_call(http, request, &response, &why);
}

static enum http_rc
get(const char *path)
{
	struct http_request request = request_to("http", path);

	return call(&request);
}

static void
assert_body(const char *text)
{
	assert_true(octets_equal(buffer_octets(&response.body), octets_of_string(text)));
}

static void
assert_nothing_came(void)
{
	assert_int_equal(response.status, 0);
	assert_null(response.body.data);
	assert_true(why.line[0] != '\0');
}

static void
test_ok(void **state)
{
	(void)state;
	assert_int_equal(get("/ok"), HTTP_DONE);
	assert_int_equal(response.status, 200);
	assert_body("hello");
	assert_string_equal(response.content_type, "Text/Plain; charset=x");
	assert_true(http_content_type_is(&response, "text/plain"));
	assert_false(http_content_type_is(&response, "text/plai"));
	assert_false(http_content_type_is(&response, "text/plain2"));
	assert_int_equal(response.retry_after_s, 0);
	assert_int_equal(get("/chunks"), HTTP_DONE);
	assert_body("hello");
	assert_string_equal(response.content_type, "");
}

static void
test_error_statuses(void **state)
{
	(void)state;
	assert_int_equal(get("/missing"), HTTP_DONE);
	assert_int_equal(response.status, 404);
	assert_body("none");
	assert_int_equal(get("/busy"), HTTP_DONE);
	assert_int_equal(response.status, 503);
	assert_int_equal(response.retry_after_s, 7);
	assert_int_equal(response.body.len, 0);
}

static void
test_too_large(void **state)
{
	(void)state;
	assert_int_equal(get("/limit"), HTTP_DONE);
	assert_int_equal(response.body.len, LIMIT);
	assert_int_equal(get("/above"), HTTP_TOO_LARGE);
	assert_nothing_came();
	assert_int_equal(get("/untold"), HTTP_DONE);
	assert_int_equal(response.body.len, LIMIT);
	assert_int_equal(get("/untold-above"), HTTP_TOO_LARGE);
	assert_nothing_came();
}

static void
test_headers_too_large(void **state)
{
	(void)state;
	assert_int_equal(get("/headers"), HTTP_DONE);
	assert_int_equal(get("/headers-above"), HTTP_TOO_LARGE);
	assert_nothing_came();
}

static void
test_times_out(void **state)
{
	static const char *const paths[] = {"/slow", "/silent"};
	int64_t began, took;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct http_request request = request_to("http", paths[i]);

		request.timeout_ms = TIMEOUT_MS;
		began = clock_monotonic_ms();
		assert_int_equal(call(&request), HTTP_TIMED_OUT);
		took = clock_monotonic_ms() - began;
		assert_in_range(took, TIMEOUT_MS - 1, TIMEOUT_MS + LATE_MS);
		assert_nothing_came();
	}
}

/* A listener whose queue is full takes no connection. */
static void
test_connect_times_out(void **state)
{
	struct http_request request;
	int fd, held[32];
	int64_t began;

	(void)state;
	assert_true((fd = http_server_listen(&port)) != -1);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 32; i++) {
		struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

		sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(held[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	request = request_to("http", "/ok");
	request.connect_timeout_ms = TIMEOUT_MS;
	began = clock_monotonic_ms();
	assert_int_equal(call(&request), HTTP_TIMED_OUT);
	assert_in_range(clock_monotonic_ms() - began, TIMEOUT_MS - 1, TIMEOUT_MS + LATE_MS);
	for (int i = 0; i < 32; i++)
		close(held[i]);
	close(fd);
}

static void
test_redirects(void **state)
{
	struct http_request request;

	(void)state;
	assert_int_equal(get("/redirect"), HTTP_DONE);
	assert_int_equal(response.status, 302);
	assert_body("see");
	request = request_to("http", "/redirect");
	request.follow_redirects = true;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_int_equal(response.status, 200);
	assert_body("hello");
	request = request_to("http", "/file");
	request.follow_redirects = true;
	assert_int_equal(call(&request), HTTP_BROKEN);
	assert_nothing_came();
	request = request_to("http", "/loop");
	request.follow_redirects = true;
	assert_int_equal(call(&request), HTTP_BROKEN);
	assert_nothing_came();
}

static void
test_refused_connection(void **state)
{
	int64_t began = clock_monotonic_ms();

	(void)state;
	http_server_stop(&server);
	assert_int_equal(get("/ok?secret"), HTTP_UNREACHABLE);
	assert_nothing_came();
	assert_non_null(strstr(why.line, "http://127.0.0.1:"));
	assert_null(strstr(why.line, "secret"));
	assert_true(clock_monotonic_ms() - began < LATE_MS);
}

static void
test_truncated(void **state)
{
	static const char *const paths[] = {"/short", "/chunk", "/empty", "/garbage"};

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(get(paths[i]), HTTP_BROKEN);
		assert_nothing_came();
	}
	assert_int_equal(get("/ok"), HTTP_DONE);
}

static bool
came(const char *text)
{
	return memmem(response.body.data, response.body.len, text, strlen(text)) != NULL;
}

static void
test_what_is_sent(void **state)
{
	static const char *const headers[] = {"X-One: 1", "Accept: a/b", NULL};
	struct http_request request = request_to("http", "/echo");

	(void)state;
	request.method = "POST";
	request.content_type = "application/x-pki-message";
	request.body = octets_of("a\0b", 3);
	request.headers = headers;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_true(came("POST /echo HTTP/1.1\r\n"));
	assert_true(came("\r\nContent-Type: application/x-pki-message\r\n"));
	assert_true(came("\r\nContent-Length: 3\r\n"));
	assert_true(came("\r\nX-One: 1\r\n"));
	assert_true(came("\r\nAccept: a/b\r\n"));
	assert_true(came("\r\nUser-Agent: fcgi-scep/"));
	assert_false(came("Expect"));
	assert_memory_equal(response.body.data + response.body.len - 7, "\r\n\r\na\0b", 7);
	/* nothing of it stays for the next call */
	assert_int_equal(get("/echo"), HTTP_DONE);
	assert_true(came("GET /echo HTTP/1.1\r\n"));
	assert_false(came("Content-"));
	assert_false(came("X-One"));
	request.method = "DELETE";
	request.body = octets_of(NULL, 0);
	assert_int_equal(call(&request), HTTP_DONE);
	assert_true(came("DELETE /echo HTTP/1.1\r\n"));
	assert_false(came("Content-Length"));
	request.method = "POST";
	assert_int_equal(call(&request), HTTP_DONE);
	assert_true(came("\r\nContent-Length: 0\r\n"));
	request.method = "HEAD";
	request.url = request_to("http", "/ok").url;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_int_equal(response.status, 200);
	assert_int_equal(response.body.len, 0);
}

static void
test_http_1_0(void **state)
{
	struct http_request request = request_to("http", "/echo");

	(void)state;
	request.http_1_0 = true;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_true(came("GET /echo HTTP/1.0\r\n"));
	assert_false(came("Host:"));
	request.http_1_0 = false;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_true(came("GET /echo HTTP/1.1\r\n"));
	assert_true(came("\r\nHost: 127.0.0.1:"));
}

static void
test_headers(void **state)
{
	struct http_request request = request_to("http", "/ok");
	char value[64], cut[5];

	(void)state;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_false(http_response_header(&response, "Content-Type", value, sizeof(value)));
	request.keep_headers = true;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_true(http_response_header(&response, "content-type", value, sizeof(value)));
	assert_string_equal(value, "Text/Plain; charset=x");
	assert_true(http_response_header(&response, "Content-Length", cut, sizeof(cut)));
	assert_string_equal(cut, "5");
	assert_true(http_response_header(&response, "Content-Type", cut, sizeof(cut)));
	assert_string_equal(cut, "Text");
	assert_false(http_response_header(&response, "Content", value, sizeof(value)));
	assert_false(http_response_header(&response, "Location", value, sizeof(value)));
	assert_string_equal(value, "");
	/* those of the last answer alone */
	request = request_to("http", "/redirect");
	request.keep_headers = true;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_true(http_response_header(&response, "Location", value, sizeof(value)));
	assert_string_equal(value, "/ok");
	request.follow_redirects = true;
	assert_int_equal(call(&request), HTTP_DONE);
	assert_false(http_response_header(&response, "Location", value, sizeof(value)));
	assert_int_equal(response.certificates.len, 0);
}

static void
test_malformed_requests(void **state)
{
	static const char *const urls[] = {"", "127.0.0.1/ok", "file:///etc/hostname",
	    "ftp://127.0.0.1/ok", "http://", "http://user:password@127.0.0.1/ok",
	    "http://127.0.0.1:70000/ok", "http://127.0.0.1/ok\r\nX: y"};
	static const char *const bad_headers[] = {"no colon", ": x", "X: 1\r\nY: 2", "X Y: 1"};
	const char *headers[2] = {NULL, NULL};
	struct http_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		request = request_to("http", "/ok");
		request.url = urls[i];
		assert_int_equal(call(&request), HTTP_MALFORMED);
		assert_null(strstr(why.line, "password"));
	}
	for (size_t i = 0; i < sizeof(bad_headers) / sizeof(bad_headers[0]); i++) {
		request = request_to("http", "/ok");
		headers[0] = bad_headers[i];
		request.headers = headers;
		assert_int_equal(call(&request), HTTP_MALFORMED);
	}
	request = request_to("http", "/ok");
	request.content_type = "a/b\r\nX: y";
	assert_int_equal(call(&request), HTTP_MALFORMED);
	request = request_to("http", "/ok");
	request.method = "TRACE";
	assert_int_equal(call(&request), HTTP_MALFORMED);
	request = request_to("http", "/ok");
	request.body = octets_of("x", 1);
	assert_int_equal(call(&request), HTTP_MALFORMED);
	request = request_to("http", "/ok");
	request.timeout_ms = 0;
	assert_int_equal(call(&request), HTTP_MALFORMED);
	request = request_to("http", "/ok");
	request.response_max = 0;
	assert_int_equal(call(&request), HTTP_MALFORMED);
	assert_nothing_came();
}

static void
test_proxy_of_the_environment(void **state)
{
	struct http_request request = request_to("http", "/ok");

	(void)state;
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	assert_int_equal(call(&request), HTTP_DONE);
	request.environment_proxy = true;
	assert_int_equal(call(&request), HTTP_UNREACHABLE);
	unsetenv("http_proxy");
	assert_int_equal(call(&request), HTTP_DONE);
}

#define CASE(name, f)                                                                              \
	{                                                                                          \
		name, f, start, end, NULL                                                          \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE("a whole answer comes with status, type and body", test_ok),
	    CASE("an error status is an answer, with its Retry-After", test_error_statuses),
	    CASE("a body at the limit is taken and one above is not", test_too_large),
	    CASE("header lines have a limit too", test_headers_too_large),
	    CASE("a slow and a silent server time out", test_times_out),
	    CASE("a connection that is not taken times out", test_connect_times_out),
	    CASE("redirects are followed when asked for, and only to http", test_redirects),
	    CASE("a refused connection is told at once, without path and query",
		test_refused_connection),
	    CASE("a truncated answer is no answer", test_truncated),
	    CASE("what the request says is sent, and nothing of the one before", test_what_is_sent),
	    CASE("HTTP/1.0 is spoken without a Host line when asked for", test_http_1_0),
	    CASE("header lines are kept when asked for", test_headers),
	    CASE("requests that make no sense are not sent", test_malformed_requests),
	    CASE("proxies of the environment count when asked for", test_proxy_of_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
