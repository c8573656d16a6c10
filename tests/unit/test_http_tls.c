#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "outbound/http.h"
#include "tests/unit/http_server.h"

#define OPENSSL "/usr/bin/openssl" /* is the server */

static pid_t server;
static int port;
static char dir[64];
static struct http *http;
static struct http_response response;
static struct errbuf why;

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

	http_server_stop(&server);
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
start(void **state)
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
end(void **state)
{
	static const char *const names[] = {
	    "good.key", "good.pem", "other.key", "other.pem", "ok", "here", "plain"};
	char path[128];

	(void)state;
	http_response_free(&response);
	http_close(http);
	http = NULL;
	http_server_stop(&server);
	if (dir[0] == '\0')
		return 0;
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
	struct http_request request = {.method = "GET",
	    .follow_redirects = true,
	    .connect_timeout_ms = 20000,
	    .timeout_ms = 20000,
	    .response_max = 100000};
	char ca_file[128], url[128];

	snprintf(url, sizeof(url), "https://127.0.0.1:%d%s", port, path);
	request.url = url;
	if (ca != NULL) {
		snprintf(ca_file, sizeof(ca_file), "%s/%s", dir, ca);
		request.ca_file = ca_file;
	}
	http_response_free(&response);
	return http_call(http, &request, &response, &why);
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
assert_nothing_came(void)
{
	assert_int_equal(response.status, 0);
	assert_null(response.body.data);
	assert_true(why.line[0] != '\0');
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
	assert_memory_equal(response.body.data, "hello", 5);
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
test_tls_certificates(void **state)
{
	char url[64], ca_file[128];
	struct http_request request = {.method = "GET",
	    .url = url,
	    .ca_file = ca_file,
	    .connect_timeout_ms = 20000,
	    .timeout_ms = 20000,
	    .response_max = 100000};

	(void)state;
	if (access(OPENSSL, X_OK) != 0)
		skip();
	assert_true(start_tls("good", "-tls1_2", "-www"));
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
	snprintf(ca_file, sizeof(ca_file), "%s/good.pem", dir);
	for (int i = 0; i < 4; i++) {
		request.keep_certificates = i % 2 == 1;
		http_response_free(&response);
		assert_int_equal(http_call(http, &request, &response, &why), HTTP_DONE);
		if (i % 2 == 1)
			assert_memory_equal(
			    response.certificates.data, "-----BEGIN CERTIFICATE-----\n", 28);
		else
			assert_int_equal(response.certificates.len, 0);
	}
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE("over TLS the given CA alone is trusted", test_tls),
	    CASE("over TLS the name must be the certificate's", test_tls_name),
	    CASE("redirects from https to http are not followed", test_tls_redirects),
	    CASE("the certificates that a server shows are kept when asked for",
		test_tls_certificates),
	    CASE("TLS older than 1.2 is refused", test_tls_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
