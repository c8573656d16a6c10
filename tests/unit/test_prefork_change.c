/* Nothing is lost when a server stops, when another takes its place, and when its settings change. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

static struct prefork_server server, beside;

static int
init(void **state)
{
	(void)state;
	prefork_server_init(&server);
	prefork_server_init_beside(&beside, &server);
	return 0;
}

static int
init_tcp(void **state)
{
	(void)state;
	prefork_server_init_tcp(&server);
	prefork_server_init_beside(&beside, &server);
	return 0;
}

static int
clear(void **state)
{
	(void)state;
	prefork_server_clear(&beside);
	prefork_server_clear(&server);
	return 0;
}

static void
start(const char *lines)
{
	prefork_server_configure(&server, lines);
	assert_true(prefork_server_start(&server));
}

static long
number_at(const char *path)
{
	struct fcgi_reply reply;

	assert_true(fcgi_client_get(server.address, path, &reply));
	return strtol(reply.body, NULL, 10);
}

/* Send and leave the answer for later. */
static int
send_query(const char *path, const char *query)
{
	struct fcgi_query q = {.path = path, .query = query};
	int fd = fcgi_client_connect(server.address);

	assert_int_not_equal(fd, -1);
	assert_true(fcgi_client_send(fd, &q));
	return fd;
}

static long
number_from(int fd)
{
	struct fcgi_reply reply;

	assert_true(fcgi_client_receive(fd, &reply));
	assert_int_equal(reply.status, 200);
	return strtol(reply.body, NULL, 10);
}

/* ---- stopping ---- */

static void
a_request_in_flight_is_answered_before_the_end(void **state)
{
	int slow;

	(void)state;
	start("SCEP_WORKERS=2\n");
	slow = send_query("/slow", "500");
	assert_true(prefork_server_logs(&server, "event=slow_begun", 1));
	kill(server.pid, SIGTERM);
	assert_true(number_from(slow) > 0);
	assert_int_equal(prefork_server_wait(&server), 0);
}

static void
who_had_connected_is_answered_and_nobody_connects_any_more(void **state)
{
	int slow, waiting[8];

	(void)state;
	start("SCEP_WORKERS=1\n");
	slow = send_query("/slow", "500");
	assert_true(prefork_server_logs(&server, "event=slow_begun", 1));
	for (int i = 0; i < 8; i++)
		waiting[i] = send_query("/pid", NULL);
	kill(server.pid, SIGTERM);
	assert_true(number_from(slow) > 0);
	for (int i = 0; i < 8; i++)
		assert_true(number_from(waiting[i]) > 0);
	assert_int_equal(prefork_server_wait(&server), 0);
	assert_int_equal(fcgi_client_connect(server.address), -1);
}

static void
what_takes_longer_than_the_drain_timeout_is_killed(void **state)
{
	struct fcgi_reply reply;
	int slow;

	(void)state;
	start("SCEP_WORKERS=1\nSCEP_DRAIN_TIMEOUT_S=1\n");
	slow = send_query("/slow", "60000");
	assert_true(prefork_server_logs(&server, "event=slow_begun", 1));
	assert_int_equal(prefork_server_stop(&server), 0);
	assert_false(fcgi_client_receive(slow, &reply));
	assert_true(prefork_server_logs(&server, "event=drain_timeout", 1));
}

/* ---- another in its place ---- */

static void
a_new_server_takes_the_path_over_and_no_request_fails(void **state)
{
	int slow, waiting[4];
	struct stat st;
	long old;

	(void)state;
	start("SCEP_WORKERS=1\n");
	old = number_at("/pid");
	slow = send_query("/slow", "500");
	assert_true(prefork_server_logs(&server, "event=slow_begun", 1));
	for (int i = 0; i < 4; i++)
		waiting[i] = send_query("/pid", NULL);

	assert_true(prefork_server_start(&beside));
	assert_int_not_equal(number_at("/pid"), old);
	kill(server.pid, SIGTERM);
	assert_int_not_equal(number_at("/pid"), old);
	assert_int_equal(number_from(slow), old);
	for (int i = 0; i < 4; i++)
		assert_int_equal(number_from(waiting[i]), old);
	assert_int_equal(prefork_server_wait(&server), 0);

	assert_int_equal(stat(server.address + 5, &st), 0);
	assert_int_not_equal(number_at("/pid"), old);
	assert_int_equal(prefork_server_stop(&beside), 0);
	assert_int_not_equal(stat(server.address + 5, &st), 0);
}

static void
with_a_passed_socket_those_who_wait_are_left_to_the_next_server(void **state)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int slow, waiting;
	long old;

	(void)state;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", server.address + 5);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 16), 0);
	server.listen_fd = beside.listen_fd = fd;
	start("SCEP_WORKERS=1\n");
	old = number_at("/pid");
	slow = send_query("/slow", "300");
	assert_true(prefork_server_logs(&server, "event=slow_begun", 1));
	kill(server.pid, SIGTERM);
	assert_true(prefork_server_logs(&server, "event=stop ", 1));
	waiting = send_query("/pid", NULL);
	assert_int_equal(number_from(slow), old);
	assert_int_equal(prefork_server_wait(&server), 0);

	assert_true(prefork_server_start(&beside));
	assert_int_not_equal(number_from(waiting), old);
	assert_int_equal(prefork_server_stop(&beside), 0);
	close(fd);
}

/* ---- SIGHUP ---- */

/* Ask with width requests at once until a reload is through and pid has ended; none may fail. */
static void
ask_through_reload(int width, int reloads, pid_t pid)
{
	int64_t until = clock_monotonic_ms() + LONGEST_MS;
	int fds[16], rounds = 0;

	while (!prefork_server_logs_now(&server, "event=reloaded", reloads) ||
	       prefork_server_runs(pid) || rounds < 5) {
		assert_true(clock_monotonic_ms() < until);
		for (int i = 0; i < width; i++)
			fds[i] = send_query("/pid", NULL);
		for (int i = 0; i < width; i++)
			assert_true(number_from(fds[i]) > 0);
		rounds++;
	}
}

static void
sighup_replaces_the_workers_and_no_request_fails(void **state)
{
	(void)state;
	start("SCEP_WORKERS=2\n");
	for (int reload = 1; reload <= 3; reload++) {
		pid_t old = (pid_t)number_at("/pid");

		kill(server.pid, SIGHUP);
		ask_through_reload(12, reload, old);
	}
	assert_int_equal(number_at("/restarts"), 0);
	assert_int_equal(prefork_server_stop(&server), 0);
}

/* One connection or more always waits, so that ppoll() has a reason other than the signal to return. */
static void
a_worker_under_constant_load_still_ends(void **state)
{
	struct fcgi_query q = {.path = "/slow", .query = "1"};
	int64_t until = clock_monotonic_ms() + LONGEST_MS;
	int fds[64], next = 0;
	pid_t old;

	(void)state;
	start("SCEP_WORKERS=1\n");
	old = (pid_t)number_at("/pid");
	for (int i = 0; i < 64; i++) {
		fds[i] = fcgi_client_connect(server.address);
		assert_true(fcgi_client_send(fds[i], &q));
	}
	kill(server.pid, SIGHUP);
	while (prefork_server_runs(old)) {
		assert_true(clock_monotonic_ms() < until);
		assert_true(number_from(fds[next]) > 0);
		fds[next] = fcgi_client_connect(server.address);
		assert_true(fcgi_client_send(fds[next], &q));
		next = (next + 1) % 64;
	}
	/* In their order: libfcgi waits up to 2 s for each client to close. */
	for (int i = 0; i < 64; i++)
		assert_true(number_from(fds[(next + i) % 64]) > 0);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
sighup_honours_a_changed_number_of_workers_and_other_settings(void **state)
{
	int64_t until = clock_monotonic_ms() + LONGEST_MS;

	(void)state;
	start("SCEP_WORKERS=1\nSCEP_CHALLENGE_TRIES=3\n");
	assert_int_equal(number_at("/generation"), 3);
	prefork_server_configure(&server, "SCEP_WORKERS=3\nSCEP_CHALLENGE_TRIES=4\n");
	kill(server.pid, SIGHUP);
	assert_true(prefork_server_logs(&server, "event=reloaded", 1));
	while (number_at("/alive") != 3 || number_at("/generation") != 4)
		assert_true(clock_monotonic_ms() < until);
	assert_int_equal(prefork_server_stop(&server), 0);
}

/* Write settings that do not serve, and see that the old ones go on. */
static void
see_reload_refused(const char *lines, const char *why)
{
	long pid;

	start("SCEP_WORKERS=1\nSCEP_CHALLENGE_TRIES=3\n");
	pid = number_at("/pid");
	prefork_server_configure(&server, lines);
	kill(server.pid, SIGHUP);
	assert_true(prefork_server_logs(&server, "event=reload_refused", 1));
	assert_true(prefork_server_logs(&server, why, 1));
	assert_int_equal(number_at("/pid"), pid);
	assert_int_equal(number_at("/generation"), 3);

	/* The next good ones are taken. */
	prefork_server_configure(&server, "SCEP_WORKERS=1\nSCEP_CHALLENGE_TRIES=9\n");
	kill(server.pid, SIGHUP);
	assert_true(prefork_server_logs(&server, "event=reloaded", 1));
	assert_int_equal(number_at("/generation"), 9);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
settings_that_cannot_be_read_leave_the_old_workers(void **state)
{
	(void)state;
	see_reload_refused("SCEP_WORKERS=many\n", "SCEP_WORKERS: have");
}

static void
settings_that_the_check_refuses_leave_the_old_workers(void **state)
{
	(void)state;
	see_reload_refused("SCEP_DEFAULT_PROFILE=unfit\n", "told to refuse");
}

static void
new_workers_that_do_not_start_leave_the_old_ones(void **state)
{
	(void)state;
	see_reload_refused(
	    "SCEP_WORKERS=2\nSCEP_DEFAULT_PROFILE=unstartable\n", "a new worker ended");
}

/* ---- TCP ---- */

#define SECRET "correct-horse-battery"

static int
status_with_secret(const char *secret)
{
	const char *params[] = {"SCEP_FCGI_SECRET", secret, NULL};
	struct fcgi_query q = {.path = "/pid", .params = params};
	struct fcgi_reply reply;

	assert_true(fcgi_client_ask(server.address, &q, &reply));
	return reply.status;
}

static void
configure_secret(const char *secret)
{
	char path[128], lines[256];
	FILE *out;

	snprintf(path, sizeof(path), "%s/secret", server.dir);
	assert_non_null(out = fopen(path, "we"));
	fputs(secret, out);
	fclose(out);
	snprintf(lines, sizeof(lines), "SCEP_WORKERS=1\nSCEP_FCGI_SECRET_FILE=%s\n", path);
	prefork_server_configure(&server, lines);
}

static void
on_tcp_only_the_right_secret_is_served(void **state)
{
	(void)state;
	configure_secret(SECRET "\n");
	assert_true(prefork_server_start(&server));
	assert_int_equal(status_with_secret(SECRET), 200);
	assert_int_equal(status_with_secret("correct-horse-batters"), 403);
	assert_int_equal(status_with_secret("correct-horse-batter"), 403);
	assert_int_equal(status_with_secret(SECRET "2"), 403);
	assert_int_equal(status_with_secret(""), 403);
	assert_int_equal(prefork_server_stop(&server), 0);
	assert_false(prefork_server_logs_now(&server, SECRET, 1));
}

static void
sighup_takes_a_new_secret(void **state)
{
	(void)state;
	configure_secret(SECRET "\n");
	assert_true(prefork_server_start(&server));
	configure_secret("another-secret-of-ours\n");
	kill(server.pid, SIGHUP);
	assert_true(prefork_server_logs(&server, "event=reloaded", 1));
	assert_true(prefork_server_logs(&server, "event=worker_ended", 1));
	assert_int_equal(status_with_secret("another-secret-of-ours"), 200);
	assert_int_equal(status_with_secret(SECRET), 403);
	assert_int_equal(prefork_server_stop(&server), 0);
}

static void
on_tcp_a_missing_or_short_secret_does_not_start(void **state)
{
	(void)state;
	prefork_server_configure(&server, "SCEP_WORKERS=1\n");
	prefork_server_spawn(&server);
	assert_int_equal(prefork_server_wait(&server), 1);
	assert_true(prefork_server_logs(&server, "SCEP_FCGI_SECRET_FILE", 1));
	configure_secret("fifteen-letters\n");
	prefork_server_spawn(&server);
	assert_int_equal(prefork_server_wait(&server), 1);
	assert_true(prefork_server_logs(&server, "have 15 characters", 1));
}

#define TEST(name)     cmocka_unit_test_setup_teardown(name, init, clear)
#define TEST_TCP(name) cmocka_unit_test_setup_teardown(name, init_tcp, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_request_in_flight_is_answered_before_the_end),
	    TEST(who_had_connected_is_answered_and_nobody_connects_any_more),
	    TEST(what_takes_longer_than_the_drain_timeout_is_killed),
	    TEST(a_new_server_takes_the_path_over_and_no_request_fails),
	    TEST(with_a_passed_socket_those_who_wait_are_left_to_the_next_server),
	    TEST(sighup_replaces_the_workers_and_no_request_fails),
	    TEST(a_worker_under_constant_load_still_ends),
	    TEST(sighup_honours_a_changed_number_of_workers_and_other_settings),
	    TEST(settings_that_cannot_be_read_leave_the_old_workers),
	    TEST(settings_that_the_check_refuses_leave_the_old_workers),
	    TEST(new_workers_that_do_not_start_leave_the_old_ones),
	    TEST_TCP(on_tcp_only_the_right_secret_is_served),
	    TEST_TCP(sighup_takes_a_new_secret),
	    TEST_TCP(on_tcp_a_missing_or_short_secret_does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
