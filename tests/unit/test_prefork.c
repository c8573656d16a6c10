/* The life of workers: they are replaced, recycled, and let nobody wait for ever. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fcgi_client.h"
#include "prefork_server.h"

#define LONGEST_MS 20000

static struct prefork_server server;

static int
init(void **state)
{
	(void)state;
	prefork_server_init(&server);
	return 0;
}

static int
init_tcp(void **state)
{
	(void)state;
	prefork_server_init_tcp(&server);
	return 0;
}

static int
clear(void **state)
{
	(void)state;
	prefork_server_clear(&server);
	return 0;
}

static void
start(const char *lines)
{
	prefork_server_configure(&server, lines);
	assert_true(prefork_server_start(&server));
}

/* The number that path answers; the request must not fail. */
static long
number_at(const char *path)
{
	struct fcgi_reply reply;

	assert_true(fcgi_client_get(server.address, path, &reply));
	return strtol(reply.body, NULL, 10);
}

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", server.dir, name);
	out = fopen(path, "we");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void
a_killed_worker_is_replaced_and_no_request_fails(void **state)
{
	int64_t until = clock_monotonic_ms() + LONGEST_MS;
	long killed;

	(void)state;
	start("SCEP_WORKERS=2\n");
	killed = number_at("/pid");
	assert_int_equal(kill((pid_t)killed, SIGKILL), 0);
	while (number_at("/restarts") < 1 || number_at("/alive") < 2)
		assert_true(clock_monotonic_ms() < until);
	for (int i = 0; i < 20; i++)
		assert_int_not_equal(number_at("/pid"), killed);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
a_worker_that_dies_in_a_request_fails_only_that_one(void **state)
{
	struct fcgi_reply reply;

	(void)state;
	start("SCEP_WORKERS=1\n");
	assert_false(fcgi_client_get(server.address, "/die", &reply));
	assert_false(reply.complete);
	assert_true(number_at("/pid") > 0);
	assert_int_equal(number_at("/restarts"), 1);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
a_worker_that_dies_in_a_call_of_others_leaves_its_place(void **state)
{
	struct fcgi_reply reply;

	(void)state;
	start("SCEP_WORKERS=1\n");
	assert_false(fcgi_client_get(server.address, "/die-inside", &reply));
	assert_true(prefork_server_logs(&server, "event=inside msg=1", 1));
	assert_int_equal(number_at("/inside"), 0);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
what_follows_an_answer_delays_it_not_and_takes_no_longer_than_a_request(void **state)
{
	struct fcgi_reply reply;

	(void)state;
	start("SCEP_WORKERS=1\nSCEP_REQUEST_TIMEOUT_S=1\n");
	assert_true(fcgi_client_get(server.address, "/hang-after", &reply));
	assert_true(reply.complete);
	assert_int_equal(reply.status, 200);
	assert_true(prefork_server_logs(&server, "took longer", 1));
	assert_true(number_at("/pid") > 0);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
a_worker_that_cannot_start_is_tried_again_later_and_later(void **state)
{
	(void)state;
	prefork_server_configure(&server, "SCEP_WORKERS=1\nSCEP_DEFAULT_PROFILE=unstartable\n");
	prefork_server_spawn(&server);
	assert_true(prefork_server_logs(&server, "restart_in_ms=0", 1));
	assert_true(prefork_server_logs(&server, "restart_in_ms=100", 1));
	assert_true(prefork_server_logs(&server, "restart_in_ms=200", 1));
	assert_true(prefork_server_logs(&server, "restart_in_ms=400", 1));
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
a_worker_is_recycled_after_its_number_of_requests(void **state)
{
	long before = 0;
	int changes = 0;

	(void)state;
	start("SCEP_WORKERS=1\nSCEP_WORKER_REQUESTS=3\n");
	for (int i = 0; i < 12; i++) {
		long pid = number_at("/pid");

		changes += pid != before;
		before = pid;
	}
	assert_int_equal(changes, 4);
	assert_int_equal(number_at("/restarts"), 0);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
without_that_setting_a_worker_stays(void **state)
{
	long pid;

	(void)state;
	start("SCEP_WORKERS=1\n");
	pid = number_at("/pid");
	for (int i = 0; i < 50; i++)
		assert_int_equal(number_at("/pid"), pid);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
a_request_that_takes_too_long_ends_its_worker_alone(void **state)
{
	struct fcgi_reply reply;

	(void)state;
	start("SCEP_WORKERS=1\nSCEP_REQUEST_TIMEOUT_S=1\n");
	assert_false(fcgi_client_get(server.address, "/hang", &reply));
	assert_true(prefork_server_logs(&server, "SCEP_REQUEST_TIMEOUT_S", 1));
	assert_true(number_at("/pid") > 0);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
the_time_of_a_request_does_not_count_for_the_next(void **state)
{
	struct fcgi_query q = {.path = "/slow", .query = "400"};
	struct fcgi_reply reply;
	long pid;

	(void)state;
	start("SCEP_WORKERS=1\nSCEP_REQUEST_TIMEOUT_S=1\n");
	pid = number_at("/pid");
	for (int i = 0; i < 4; i++) {
		assert_true(fcgi_client_ask(server.address, &q, &reply));
		assert_int_equal(strtol(reply.body, NULL, 10), pid);
	}
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
a_peer_that_falls_silent_holds_a_worker_no_longer_than_a_request(void **state)
{
	int silent;

	(void)state;
	start("SCEP_WORKERS=1\nSCEP_REQUEST_TIMEOUT_S=1\n");
	silent = fcgi_client_connect(server.address);
	assert_true(fcgi_client_send_begin(silent));
	assert_true(number_at("/pid") > 0);
	assert_int_equal(number_at("/restarts"), 1);
	close(silent);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
a_peer_that_never_speaks_is_dropped(void **state)
{
	int silent;
	long pid;

	(void)state;
	start("SCEP_WORKERS=1\n");
	pid = number_at("/pid");
	silent = fcgi_client_connect(server.address);
	assert_int_equal(number_at("/pid"), pid);
	close(silent);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
a_peer_that_never_speaks_is_dropped_on_tcp_too(void **state)
{
	static const char *const secret[] = {"SCEP_FCGI_SECRET", "0123456789abcdef", NULL};
	struct fcgi_query q = {.path = "/restarts", .params = secret};
	struct fcgi_reply reply;
	char lines[256];
	int silent;

	(void)state;
	write_file("secret", "0123456789abcdef\n");
	snprintf(lines, sizeof(lines),
	    "SCEP_WORKERS=1\nSCEP_REQUEST_TIMEOUT_S=3\nSCEP_FCGI_SECRET_FILE=%s/secret\n",
	    server.dir);
	start(lines);
	silent = fcgi_client_connect(server.address);
	assert_true(fcgi_client_ask(server.address, &q, &reply));
	assert_int_equal(reply.status, 200);
	close(silent);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
workers_end_with_their_master(void **state)
{
	long pid;

	(void)state;
	start("SCEP_WORKERS=1\n");
	pid = number_at("/pid");
	assert_true(prefork_server_runs((pid_t)pid));
	kill(server.pid, SIGKILL);
	assert_int_equal(prefork_server_wait(&server), -1);
	assert_true(prefork_server_gone((pid_t)pid));
}

static void
the_background_process_is_started_replaced_and_told_to_end(void **state)
{
	char path[128], line[1024];
	long child = 0;
	FILE *in;

	(void)state;
	start("SCEP_WORKERS=1\n");
	assert_true(prefork_server_logs(&server, "event=background_up", 1));
	snprintf(path, sizeof(path), "%s/log", server.dir);
	in = fopen(path, "re");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in) != NULL)
		if (strstr(line, "event=background_up") != NULL)
			child = strtol(strstr(line, "pid=") + 4, NULL, 10);
	fclose(in);
	assert_int_equal(kill((pid_t)child, SIGKILL), 0);
	assert_true(prefork_server_logs(&server, "event=background_up", 2));
	assert_int_equal(prefork_server_stop(&server), 0);
	assert_true(prefork_server_logs(&server, "event=background_down", 1));
}

static void
the_socket_has_the_mode_that_is_set(void **state)
{
	struct stat st;

	(void)state;
	start("SCEP_WORKERS=1\nSCEP_SOCKET_MODE=0604\n");
	assert_int_equal(stat(server.address + 5, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_int_equal(prefork_server_stop(&server), 0);
	assert_int_not_equal(stat(server.address + 5, &st), 0);
}

static void
a_file_that_is_no_socket_is_not_replaced(void **state)
{
	struct stat st;

	(void)state;
	write_file("sock", "precious");
	prefork_server_configure(&server, "SCEP_WORKERS=1\n");
	prefork_server_spawn(&server);
	assert_int_equal(prefork_server_wait(&server), 1);
	assert_int_equal(stat(server.address + 5, &st), 0);
	assert_int_equal(st.st_size, 8);
}

static void
a_socket_that_a_dead_process_left_is_replaced(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", server.address + 5);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	start("SCEP_WORKERS=1\n");
	assert_true(number_at("/pid") > 0);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
what_the_check_refuses_does_not_start(void **state)
{
	struct stat st;

	(void)state;
	prefork_server_configure(&server, "SCEP_DEFAULT_PROFILE=unfit\n");
	prefork_server_spawn(&server);
	assert_int_equal(prefork_server_wait(&server), 1);
	assert_true(prefork_server_logs(&server, "told to refuse", 1));
	assert_int_not_equal(stat(server.address + 5, &st), 0);
}

static void
assert_notified(int fd, const char *want)
{
	char text[64];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void
systemd_is_told_of_readiness_and_stop(void **state)
{
	struct timeval longest = {.tv_sec = 20};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/notify", server.dir);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	start("SCEP_WORKERS=2\n");
	unsetenv("NOTIFY_SOCKET");
	assert_notified(fd, "READY=1");
	kill(server.pid, SIGTERM);
	assert_notified(fd, "STOPPING=1");
	assert_int_equal(prefork_server_wait(&server), 0);
	unlink(sun.sun_path);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, init, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_killed_worker_is_replaced_and_no_request_fails),
	    TEST(a_worker_that_dies_in_a_request_fails_only_that_one),
	    TEST(a_worker_that_dies_in_a_call_of_others_leaves_its_place),
	    TEST(what_follows_an_answer_delays_it_not_and_takes_no_longer_than_a_request),
	    TEST(a_worker_that_cannot_start_is_tried_again_later_and_later),
	    TEST(a_worker_is_recycled_after_its_number_of_requests),
	    TEST(without_that_setting_a_worker_stays),
	    TEST(a_request_that_takes_too_long_ends_its_worker_alone),
	    TEST(the_time_of_a_request_does_not_count_for_the_next),
	    TEST(a_peer_that_falls_silent_holds_a_worker_no_longer_than_a_request),
	    TEST(a_peer_that_never_speaks_is_dropped),
	    cmocka_unit_test_setup_teardown(
		a_peer_that_never_speaks_is_dropped_on_tcp_too, init_tcp, clear),
	    TEST(workers_end_with_their_master),
	    TEST(the_background_process_is_started_replaced_and_told_to_end),
	    TEST(the_socket_has_the_mode_that_is_set),
	    TEST(a_file_that_is_no_socket_is_not_replaced),
	    TEST(a_socket_that_a_dead_process_left_is_replaced),
	    TEST(what_the_check_refuses_does_not_start),
	    TEST(systemd_is_told_of_readiness_and_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
