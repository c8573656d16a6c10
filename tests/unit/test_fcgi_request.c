/* Requests and responses as they go over the wire, through a running prefork server. */
#include <sys/socket.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgi_client.h"
#include "prefork_server.h"

static struct prefork_server server;

static int
start(void **state)
{
	(void)state;
	prefork_server_init(&server);
	prefork_server_configure(&server, "SCEP_WORKERS=1\n");
	return prefork_server_start(&server) ? 0 : -1;
}

static int
stop(void **state)
{
	int status = prefork_server_stop(&server);

	(void)state;
	prefork_server_clear(&server);
	return status;
}

static int
ask(const struct fcgi_query *q, struct fcgi_reply *reply)
{
	assert_true(fcgi_client_ask(server.address, q, reply));
	return reply->status;
}

static void
a_response_has_status_type_length_headers_and_body(void **state)
{
	struct fcgi_query q = {.method = "POST", .path = "/body", .body = "hello"};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 200);
	assert_string_equal(reply.head,
	    "Status: 200 OK\r\nContent-Type: application/octet-stream\r\n"
	    "Content-Length: 5\r\nX-Test: yes\r\n");
	assert_string_equal(reply.body, "hello");
}

static void
a_response_without_type_has_none(void **state)
{
	struct fcgi_query q = {.path = "/env"};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 200);
	assert_null(strstr(reply.head, "Content-Type"));
}

static void
a_head_request_gets_the_headers_alone(void **state)
{
	struct fcgi_query q = {.method = "HEAD", .path = "/env"};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 200);
	assert_non_null(strstr(reply.head, "Content-Length: 6\r\n"));
	assert_string_equal(reply.body, "");
}

static void
a_line_of_text_ends_in_a_newline(void **state)
{
	struct fcgi_query q = {.path = "/nowhere"};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 404);
	assert_non_null(
	    strstr(reply.head, "Status: 404 Not Found\r\nContent-Type: text/plain\r\n"));
	assert_string_equal(reply.body, "no such path\n");
}

/* The server's limit is 1000 octets. */
static void
a_body_as_large_as_allowed_is_read(void **state)
{
	char body[1001];
	struct fcgi_query q = {.method = "POST", .path = "/body", .body = body};
	struct fcgi_reply reply;

	(void)state;
	memset(body, 'x', 1000);
	body[1000] = '\0';
	assert_int_equal(ask(&q, &reply), 200);
	assert_string_equal(reply.body, body);
	q.content_length = ""; /* not announced */
	assert_int_equal(ask(&q, &reply), 200);
	assert_string_equal(reply.body, body);
}

static void
a_body_larger_than_allowed_gets_413(void **state)
{
	char body[1002];
	struct fcgi_query q = {.method = "POST", .path = "/body", .body = body};
	struct fcgi_reply reply;

	(void)state;
	memset(body, 'x', 1001);
	body[1001] = '\0';
	assert_int_equal(ask(&q, &reply), 413);
	q.content_length = ""; /* not announced */
	assert_int_equal(ask(&q, &reply), 413);
	q.body = "x"; /* announced only */
	q.content_length = "99999999999999999999999";
	assert_int_equal(ask(&q, &reply), 413);
}

static void
a_body_of_another_length_than_announced_gets_400(void **state)
{
	struct fcgi_query q = {.method = "POST", .path = "/body", .body = "four"};
	struct fcgi_reply reply;

	(void)state;
	q.content_length = "5";
	assert_int_equal(ask(&q, &reply), 400);
	q.content_length = "3";
	assert_int_equal(ask(&q, &reply), 400);
	q.content_length = "4";
	assert_int_equal(ask(&q, &reply), 200);
}

static void
a_length_that_is_no_number_gets_400(void **state)
{
	static const char *const lengths[] = {"four", "-4", "4 ", "+4", "0x4", "4.0"};
	struct fcgi_query q = {.method = "POST", .path = "/body", .body = "four"};
	struct fcgi_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		q.content_length = lengths[i];
		assert_int_equal(ask(&q, &reply), 400);
	}
}

static void
an_empty_body_is_a_body(void **state)
{
	struct fcgi_query q = {.method = "POST", .path = "/body", .body = ""};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 200);
	assert_string_equal(reply.body, "");
}

static void
a_request_without_answer_gets_500(void **state)
{
	struct fcgi_query q = {.path = "/silent"};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 500);
	assert_true(prefork_server_logs(&server, "event=no_answer", 1));
}

static void
the_first_of_two_answers_counts(void **state)
{
	struct fcgi_query q = {.path = "/twice"};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 200);
	assert_string_equal(reply.body, "first\n");
	assert_true(prefork_server_logs(&server, "event=second_answer", 1));
}

static void
the_id_of_the_front_is_taken(void **state)
{
	static const char *const params[] = {"REQUEST_ID", "a1B2-c3_d4", NULL};
	struct fcgi_query q = {.path = "/id", .params = params};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 200);
	assert_string_equal(reply.body, "a1B2-c3_d4");
}

static void
an_id_that_is_none_is_replaced(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const blank[] = {"REQUEST_ID", "a b", NULL};
	static const char *const line[] = {"REQUEST_ID", "a\nlevel=error", NULL};
	static const char *const longer[] = {
	    "REQUEST_ID", "0123456789012345678901234567890123456789012345678901234567890123", NULL};
	const char *const *const all[] = {none, blank, line, longer};
	struct fcgi_query q = {.path = "/id"};
	struct fcgi_reply reply, before = {.body = ""};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		q.params = all[i];
		assert_int_equal(ask(&q, &reply), 200);
		assert_int_equal(strlen(reply.body), 32);
		assert_int_equal(strspn(reply.body, "0123456789abcdef"), 32);
		assert_string_not_equal(reply.body, before.body);
		before = reply;
	}
}

static void
the_environment_reaches_the_worker(void **state)
{
	struct fcgi_query q = {.path = "/env"};
	struct fcgi_reply reply;

	(void)state;
	assert_int_equal(ask(&q, &reply), 200);
	assert_string_equal(reply.body, "intact");
}

static void
a_client_that_goes_away_harms_nobody(void **state)
{
	struct fcgi_query q = {.method = "POST", .path = "/slow", .query = "50"};
	struct fcgi_reply first, second;
	int fd;

	(void)state;
	assert_true(fcgi_client_get(server.address, "/pid", &first));
	fd = fcgi_client_connect(server.address);
	assert_true(fcgi_client_send(fd, &q));
	shutdown(fd, SHUT_RDWR);
	close(fd);
	assert_true(fcgi_client_get(server.address, "/pid", &second));
	assert_string_equal(first.body, second.body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_response_has_status_type_length_headers_and_body),
	    cmocka_unit_test(a_response_without_type_has_none),
	    cmocka_unit_test(a_head_request_gets_the_headers_alone),
	    cmocka_unit_test(a_line_of_text_ends_in_a_newline),
	    cmocka_unit_test(a_body_as_large_as_allowed_is_read),
	    cmocka_unit_test(a_body_larger_than_allowed_gets_413),
	    cmocka_unit_test(a_body_of_another_length_than_announced_gets_400),
	    cmocka_unit_test(a_length_that_is_no_number_gets_400),
	    cmocka_unit_test(an_empty_body_is_a_body),
	    cmocka_unit_test(a_request_without_answer_gets_500),
	    cmocka_unit_test(the_first_of_two_answers_counts),
	    cmocka_unit_test(the_id_of_the_front_is_taken),
	    cmocka_unit_test(an_id_that_is_none_is_replaced),
	    cmocka_unit_test(the_environment_reaches_the_worker),
	    cmocka_unit_test(a_client_that_goes_away_harms_nobody),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
