#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "outbound/http.h"

#define OPENSSL	   "/usr/bin/openssl"
#define TIMEOUT_MS 500
#define LATE_MS	   2000
#define LIMIT	   1000

static pid_t server; /* the plain one, or openssl */
static int port;
static char dir[64];
static struct http *http;
static struct http_response response;
static struct errbuf why;

/* ---- a tiny server: what it answers depends on the path alone ---- */

static const struct {
	const char *path;
	const char *answer;
} answers[] = {
    {"/ok", "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=x\r\nContent-Length: "
	    "5\r\n\r\nhello"},
    {"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"},
    {"/busy", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 3\r\n\r\nsee"},
    {"/file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n"},
    {"/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"},
    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"},
    {"/chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe"},
    {"/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"/empty", ""},
    {"/garbage", "what do you want?\r\n"},
};

static void
say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* count octets of body, and whether their number is said before them. */
static void
say_octets(int fd, int count, bool told)
{
	char line[128];

	if (told)
		snprintf(
		    line, sizeof(line), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", count);
	else
		snprintf(line, sizeof(line), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	say(fd, line, strlen(line));
	for (int i = 0; i < count; i++)
		say(fd, "\0", 1);
}

static void
say_slowly(int fd)
{
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", 40);
	for (int i = 0; i < 900; i++) {
		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
			return;
		usleep(20000);
	}
}

static void
say_headers(int fd, int lines)
{
	char line[1024];

	memset(line, 'x', sizeof(line));
	memcpy(line, "X-Long: ", 8);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	say(fd, "HTTP/1.1 200 OK\r\n", 17);
	for (int i = 0; i < lines; i++)
		say(fd, line, sizeof(line));
	say(fd, "Content-Length: 0\r\n\r\n", 21);
}

static void
answer(int fd, const char *path, const char *request, size_t len)
{
	char head[128];

	if (strcmp(path, "/echo") == 0) {
		snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
		say(fd, head, strlen(head));
		say(fd, request, len);
	} else if (strcmp(path, "/limit") == 0) {
		say_octets(fd, LIMIT, true);
	} else if (strcmp(path, "/above") == 0) {
		say_octets(fd, LIMIT + 1, true);
	} else if (strcmp(path, "/untold") == 0) {
		say_octets(fd, LIMIT, false);
	} else if (strcmp(path, "/untold-above") == 0) {
		say_octets(fd, LIMIT + 1, false);
	} else if (strcmp(path, "/slow") == 0) {
		say_slowly(fd);
	} else if (strcmp(path, "/silent") == 0) {
		sleep(10);
	} else if (strcmp(path, "/headers") == 0) {
		say_headers(fd, 60);
	} else if (strcmp(path, "/headers-above") == 0) {
		say_headers(fd, 70);
	} else {
		for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
			if (strcmp(path, answers[i].path) == 0)
				say(fd, answers[i].answer, strlen(answers[i].answer));
	}
}

/* One request, then the connection is closed. */
static void
serve(int fd)
{
	char request[8192] = "", path[64] = "";
	size_t len = 0, want = 0;
	char *end;
	ssize_t n;

	do {
		if ((n = recv(fd, request + len, sizeof(request) - 1 - len, 0)) <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
		if (want == 0 && (end = strstr(request, "\r\n\r\n")) != NULL) {
			const char *told = strcasestr(request, "\r\nContent-Length: ");

			want = (size_t)(end + 4 - request) +
			       (told != NULL ? (size_t)strtoul(told + 18, NULL, 10) : 0);
		}
	} while (want == 0 || len < want);
	if (sscanf(request, "%*s %63s", path) == 1)
		answer(fd, path, request, len);
}

static int
listen_on_loopback(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 || listen(fd, 16) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		return -1;
	port = ntohs(sin.sin_port);
	return fd;
}

static int
start(void **state)
{
	int fd, one;

	(void)state;
	why = (struct errbuf){0};
	if ((fd = listen_on_loopback()) == -1 || (server = fork()) == -1)
		return -1;
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while ((one = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) != -1) {
			serve(one);
			shutdown(one, SHUT_RDWR);
			close(one);
		}
		_exit(0);
	}
	close(fd);
	return http_open(&http, &why) ? 0 : -1;
}

static void
stop_server(void)
{
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
	}
	server = 0;
}

static int
end(void **state)
{
	(void)state;
	http_response_free(&response);
	http_close(http);
	http = NULL;
	stop_server();
	return 0;
}

/* ---- calls ---- */

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
	assert_true((fd = listen_on_loopback()) != -1);
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
	stop_server();
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

/* ---- TLS: openssl is the server ---- */

static pid_t
run_openssl(char *const argv[], int out)
{
	pid_t pid = fork();
	int null;

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(out != -1 ? out : null, 1);
	dup2(null, 2);
	if (chdir(dir) == 0)
		execv(OPENSSL, argv);
	_exit(127);
}

static bool
make_certificate(const char *name, const char *san)
{
	char key[64], cert[64], alt[80];
	char *argv[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
	    "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test", "-days", "2", "-addext", alt,
	    "-keyout", key, "-out", cert, NULL};
	int status = -1;
	pid_t pid;

	snprintf(key, sizeof(key), "%s.key", name);
	snprintf(cert, sizeof(cert), "%s.pem", name);
	snprintf(alt, sizeof(alt), "subjectAltName=%s", san);
	pid = run_openssl(argv, -1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A TLS server with this certificate; -www: it answers 200, -HTTP: with the file of that name.  It says its port. */
static bool
start_tls(const char *name, char *version, char *mode)
{
	char key[64], cert[64], line[256] = "";
	char *argv[] = {"openssl", "s_server", "-accept", "127.0.0.1:0", mode, "-key", key, "-cert",
	    cert, "-cipher", "DEFAULT:@SECLEVEL=0", version, NULL};
	int out[2];
	FILE *f;

	stop_server();
	snprintf(key, sizeof(key), "%s.key", name);
	snprintf(cert, sizeof(cert), "%s.pem", name);
	if (pipe2(out, O_CLOEXEC) == -1)
		return false;
	server = run_openssl(argv, out[1]);
	close(out[1]);
	port = 0;
	if ((f = fdopen(out[0], "r")) == NULL)
		return false;
	while (port == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "ACCEPT 127.0.0.1:%d", &port) != 1)
			port = 0;
	fclose(f);
	return port != 0;
}

static int
start_with_certificates(void **state)
{
	(void)state;
	if (access(OPENSSL, X_OK) != 0)
		return 0;
	snprintf(dir, sizeof(dir), "/tmp/test-http-XXXXXX");
	if (mkdtemp(dir) == NULL || !make_certificate("good", "IP:127.0.0.1") ||
	    !make_certificate("other", "DNS:other.example"))
		return -1;
	return http_open(&http, &why) ? 0 : -1;
}

static int
end_with_certificates(void **state)
{
	static const char *const names[] = {
	    "good.key", "good.pem", "other.key", "other.pem", "ok", "here", "plain"};
	char path[128];

	end(state);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
	return 0;
}

static enum http_rc
get_tls_path(const char *ca, const char *path)
{
	struct http_request request = request_to("https", path);
	char ca_file[128];

	request.follow_redirects = true;
	request.response_max = 100000;
	if (ca != NULL) {
		snprintf(ca_file, sizeof(ca_file), "%s/%s", dir, ca);
		request.ca_file = ca_file;
	}
	return call(&request);
}

static enum http_rc
get_tls(const char *ca)
{
	return get_tls_path(ca, "/");
}

static void
write_answer(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_non_null(f = fopen(path, "w"));
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void
test_tls_redirects(void **state)
{
	(void)state;
	if (access(OPENSSL, X_OK) != 0)
		skip();
	write_answer("ok", "HTTP/1.0 200 OK\r\n\r\nhello");
	write_answer("here", "HTTP/1.0 302 Found\r\nLocation: /ok\r\n\r\n");
	write_answer("plain", "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n");
	assert_true(start_tls("good", "-tls1_2", "-HTTP"));
	assert_int_equal(get_tls_path("good.pem", "/here"), HTTP_DONE);
	assert_body("hello");
	/* had it been followed, nobody would have been there: UNREACHABLE */
	assert_int_equal(get_tls_path("good.pem", "/plain"), HTTP_BROKEN);
}

static void
test_tls(void **state)
{
	(void)state;
	if (access(OPENSSL, X_OK) != 0)
		skip();
	assert_true(start_tls("good", "-tls1_2", "-www"));
	assert_int_equal(get_tls("good.pem"), HTTP_DONE);
	assert_int_equal(response.status, 200);
	assert_int_equal(get_tls("other.pem"), HTTP_UNREACHABLE);
	assert_int_equal(get_tls(NULL), HTTP_UNREACHABLE);
	assert_int_equal(get_tls("none.pem"), HTTP_UNREACHABLE);
	assert_nothing_came();
	assert_true(start_tls("good", "-tls1_3", "-www"));
	assert_int_equal(get_tls("good.pem"), HTTP_DONE);
}

static void
test_tls_name(void **state)
{
	(void)state;
	if (access(OPENSSL, X_OK) != 0)
		skip();
	assert_true(start_tls("other", "-tls1_2", "-www"));
	assert_int_equal(get_tls("other.pem"), HTTP_UNREACHABLE);
	assert_nothing_came();
}

static void
test_tls_version(void **state)
{
	(void)state;
	if (access(OPENSSL, X_OK) != 0)
		skip();
	assert_true(start_tls("good", "-tls1_1", "-www"));
	assert_int_equal(get_tls("good.pem"), HTTP_UNREACHABLE);
	assert_nothing_came();
}

#define CASE(name, f)                                                                              \
	{                                                                                          \
		name, f, start, end, NULL                                                          \
	}
#define TLS_CASE(name, f)                                                                          \
	{                                                                                          \
		name, f, start_with_certificates, end_with_certificates, NULL                      \
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
	    CASE("requests that make no sense are not sent", test_malformed_requests),
	    CASE("proxies of the environment count when asked for", test_proxy_of_the_environment),
	    TLS_CASE("over TLS the given CA alone is trusted", test_tls),
	    TLS_CASE("over TLS the name must be the certificate's", test_tls_name),
	    TLS_CASE("redirects from https to http are not followed", test_tls_redirects),
	    TLS_CASE("TLS older than 1.2 is refused", test_tls_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
