#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "redis/challenge.h"
#include "redis/connection.h"
#include "tests/unit/redis_server.h"

#define PROFILE	   "0a1b2c3d-0000-4000-8000-000000000001"
#define NOW	   ((int64_t)1795000000000)
#define TIMEOUT_MS 500
#define LATE_MS	   2000 /* far above what a fast failure takes on a busy machine */
#define PAUSE_US   210000

static struct redis_server server;
static struct redis *redis;
static struct errbuf why;
static pid_t fake;

static int
set_up(const char *password, bool append_only)
{
	why = (struct errbuf){0};
	if (!redis_server_installed())
		return 0;
	if (!redis_server_start(&server, password, append_only))
		return -1;
	return (redis = redis_server_client(&server, 5000)) != NULL ? 0 : -1;
}

static int
start(void **state)
{
	(void)state;
	return set_up(NULL, false);
}

static int
start_keeping(void **state)
{
	(void)state;
	return set_up(NULL, true);
}

static int
start_with_password(void **state)
{
	(void)state;
	return set_up("correct-horse", false);
}

static int
end(void **state)
{
	(void)state;
	redis_close(redis);
	redis = NULL;
	if (server.pid > 0)
		kill(server.pid, SIGCONT);
	redis_server_end(&server);
	if (fake > 0) {
		kill(fake, SIGKILL);
		waitpid(fake, NULL, 0);
	}
	fake = 0;
	return 0;
}

#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		if (!redis_server_installed())                                                     \
			skip();                                                                    \
	} while (0)

static enum redis_rc
mint(uint8_t n)
{
	struct challenge_mint m = {.profile_id = PROFILE,
	    .id = {n},
	    .now_ms = NOW,
	    .expires_ms = NOW + 3600000,
	    .max_pending = 10};

	return challenge_mint(redis, &m, NULL, &why);
}

static enum redis_rc
reserve(uint8_t n, enum challenge_state *state)
{
	struct challenge_reservation c = {.profile_id = PROFILE, .id = {n}};

	return challenge_reserve(redis, &c, NOW, 30000, state, &why);
}

static void
client_with_timeout(int64_t timeout_ms)
{
	redis_close(redis);
	redis = redis_server_client(&server, timeout_ms);
	assert_non_null(redis);
}

static void
test_addresses(void **state)
{
	static const char *const bad[] = {"", "redis", "unix:", "unix:redis.sock",
	    "tcp:", "tcp:localhost", "tcp::6379", "tcp:host:", "tcp:host:0", "tcp:host:65536",
	    "tcp:host:63x", "tcp:host:-1", "tcp:::1:6379", "tcp:host: 1"};
	struct settings s = {.redis_timeout_ms = 100};
	struct connection_address a;

	(void)state;
	assert_true(connection_address_parse("unix:/run/redis.sock", &a, &why));
	assert_string_equal(a.path, "/run/redis.sock");
	assert_true(connection_address_parse("tcp:localhost:6379", &a, &why));
	assert_string_equal(a.host, "localhost");
	assert_string_equal(a.port, "6379");
	assert_true(connection_address_parse("tcp:[::1]:6379", &a, &why));
	assert_string_equal(a.host, "::1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(s.redis, sizeof(s.redis), "%s", bad[i]);
		assert_false(redis_open(&s, &redis, &why));
		assert_null(redis);
	}
	snprintf(s.redis, sizeof(s.redis), "unix:/%0120d", 0);
	assert_false(redis_open(&s, &redis, &why));
}

static void
test_health(void **state)
{
	(void)state;
	NEEDS_SERVER();
	assert_int_equal(redis_health(redis, &why), REDIS_DONE);
	assert_true(redis_server_command(redis, "CONFIG SET maxmemory-policy allkeys-lru", NULL));
	assert_int_equal(redis_health(redis, &why), REDIS_AWAY);
	assert_non_null(strstr(why.line, "have allkeys-lru, want noeviction"));
}

static void
test_stopped(void **state)
{
	enum challenge_state s;
	int64_t began;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(mint(1), REDIS_DONE);
	redis_server_kill(&server);
	began = clock_monotonic_ms();
	assert_int_equal(mint(2), REDIS_AWAY);
	assert_non_null(strstr(why.line, server.socket));
	for (int i = 0; i < 100; i++)
		assert_int_equal(reserve(1, &s), REDIS_AWAY);
	assert_true(clock_monotonic_ms() - began < LATE_MS);
	usleep(PAUSE_US);
	assert_int_equal(mint(2), REDIS_AWAY);
	assert_null(strstr(why.line, "a moment ago"));
	for (int i = 0; i < 20 && strstr(why.line, "a moment ago") == NULL; i++)
		assert_int_equal(mint(2), REDIS_AWAY);
	assert_non_null(strstr(why.line, "a moment ago"));
	assert_true(redis_server_again(&server));
	usleep(PAUSE_US);
	assert_int_equal(mint(2), REDIS_DONE);
}

static void
test_restarted_keeping(void **state)
{
	enum challenge_state s;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(mint(1), REDIS_DONE);
	redis_server_kill(&server);
	assert_true(redis_server_again(&server));
	assert_int_equal(reserve(1, &s), REDIS_DONE);
	assert_int_equal(s, CHALLENGE_RESERVED);
}

static void
test_restarted_empty(void **state)
{
	enum challenge_state s;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(mint(1), REDIS_DONE);
	assert_int_equal(reserve(1, &s), REDIS_DONE);
	assert_int_equal(s, CHALLENGE_RESERVED);
	redis_server_kill(&server);
	assert_true(redis_server_again(&server));
	assert_int_equal(reserve(1, &s), REDIS_DONE);
	assert_int_equal(s, CHALLENGE_UNKNOWN);
	assert_int_equal(mint(1), REDIS_DONE);
	assert_int_equal(reserve(1, &s), REDIS_DONE);
	assert_int_equal(s, CHALLENGE_RESERVED);
}

static void
test_scripts_forgotten(void **state)
{
	enum challenge_state s;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(mint(1), REDIS_DONE);
	assert_true(redis_server_command(redis, "SCRIPT FLUSH", NULL));
	assert_int_equal(mint(2), REDIS_DONE);
	assert_int_equal(reserve(1, &s), REDIS_DONE);
	assert_int_equal(s, CHALLENGE_RESERVED);
}

static void
test_hung(void **state)
{
	enum challenge_state s;
	int64_t began, took;

	(void)state;
	NEEDS_SERVER();
	client_with_timeout(TIMEOUT_MS);
	assert_int_equal(mint(1), REDIS_DONE);
	assert_int_equal(kill(server.pid, SIGSTOP), 0);
	for (unsigned i = 0; i < 2; i++) { /* on a connection that was there, and on a new one */
		usleep(i * PAUSE_US);
		began = clock_monotonic_ms();
		assert_int_equal(reserve(1, &s), REDIS_AWAY);
		took = clock_monotonic_ms() - began;
		assert_in_range(took, TIMEOUT_MS - 1, TIMEOUT_MS + LATE_MS / 2);
		assert_non_null(strstr(why.line, "timed out"));
	}
	/* Each wait holds a worker that others need: it is not waited for again and again. */
	began = clock_monotonic_ms();
	for (int i = 0; i < 20; i++)
		assert_int_equal(reserve(1, &s), REDIS_AWAY);
	assert_true(clock_monotonic_ms() - began < LATE_MS);
	assert_int_equal(kill(server.pid, SIGCONT), 0);
	redis_close(redis);
	redis = redis_server_client(&server, 5000);
	assert_int_equal(mint(2), REDIS_DONE);
}

static void
test_stale_connection_dropped(void **state)
{
	enum challenge_state s;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(mint(1), REDIS_DONE);
	assert_true(redis_server_command(redis, "CLIENT KILL TYPE normal SKIPME no", NULL));
	assert_int_equal(reserve(1, &s), REDIS_DONE);
	assert_int_equal(s, CHALLENGE_RESERVED);
}

static void
start_fake(const char *reply, unsigned pause_us, struct settings *s)
{
	assert_true((fake = redis_server_fake(reply, pause_us, s)) > 0);
	s->redis_timeout_ms = TIMEOUT_MS;
}

static void
test_tcp(void **state)
{
	struct settings s = {0};

	(void)state;
	start_fake("+PONG\r\n$28\r\n\nmaxmemory_policy:noeviction", 0, &s);
	assert_true(redis_open(&s, &redis, &why));
	assert_int_equal(redis_health(redis, &why), REDIS_AWAY); /* two octets are missing */
	redis_close(redis);
	redis = NULL;
	end(NULL);
	start_fake("+PONG\r\n$28\r\n\nmaxmemory_policy:noeviction\r\n", 0, &s);
	assert_true(redis_open(&s, &redis, &why));
	assert_int_equal(redis_health(redis, &why), REDIS_DONE);
}

static void
test_trickle(void **state)
{
	struct settings s = {0};
	int64_t began, took;

	(void)state;
	start_fake(
	    "+PONGPONGPONGPONGPONGPONGPONGPONGPONGPONGPONGPONGPONGPONGPONGPONGPONG", 30000, &s);
	assert_true(redis_open(&s, &redis, &why));
	began = clock_monotonic_ms();
	assert_int_equal(redis_health(redis, &why), REDIS_AWAY);
	took = clock_monotonic_ms() - began;
	assert_in_range(took, TIMEOUT_MS - 1, TIMEOUT_MS + LATE_MS / 2);
}

static void
test_not_redis(void **state)
{
	struct settings s = {0};

	(void)state;
	start_fake("HTTP/1.1 400 Bad Request\r\n\r\n", 0, &s);
	assert_true(redis_open(&s, &redis, &why));
	assert_int_equal(redis_health(redis, &why), REDIS_AWAY);
	assert_int_equal(mint(1), REDIS_AWAY);
}

static void
test_tcp_refused(void **state)
{
	struct settings s = {0};
	int64_t began = clock_monotonic_ms();

	(void)state;
	start_fake("", 0, &s);
	kill(fake, SIGKILL);
	waitpid(fake, NULL, 0);
	fake = 0;
	assert_true(redis_open(&s, &redis, &why));
	assert_int_equal(redis_health(redis, &why), REDIS_AWAY);
	assert_non_null(strstr(why.line, "refused"));
	assert_true(clock_monotonic_ms() - began < LATE_MS);
}

static void
write_password(const char *dir, const char *text, struct settings *s)
{
	FILE *f;

	snprintf(s->redis_password_file, sizeof(s->redis_password_file), "%s/password", dir);
	assert_non_null(f = fopen(s->redis_password_file, "w"));
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static enum redis_rc
health_with_password(const char *text)
{
	struct settings s = {.redis_timeout_ms = 5000};
	enum redis_rc rc;

	snprintf(s.redis, sizeof(s.redis), "unix:%s", server.socket);
	if (text != NULL)
		write_password(server.dir, text, &s);
	redis_close(redis);
	assert_true(redis_open(&s, &redis, &why));
	rc = redis_health(redis, &why);
	if (text != NULL)
		unlink(s.redis_password_file);
	return rc;
}

static void
test_password(void **state)
{
	struct settings s = {.redis_timeout_ms = 5000};

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(health_with_password("correct-horse\n"), REDIS_DONE);
	assert_int_equal(health_with_password("correct-horse"), REDIS_DONE);
	assert_int_equal(health_with_password("correct-horse2\n"), REDIS_AWAY);
	assert_non_null(strstr(why.line, "WRONGPASS"));
	assert_null(strstr(why.line, "correct"));
	assert_int_equal(health_with_password(NULL), REDIS_AWAY);
	assert_non_null(strstr(why.line, "NOAUTH"));
	assert_int_equal(health_with_password("\n"), REDIS_AWAY);
	assert_non_null(strstr(why.line, "empty"));
	redis_close(redis);
	snprintf(s.redis, sizeof(s.redis), "unix:%s", server.socket);
	snprintf(s.redis_password_file, sizeof(s.redis_password_file), "%s/none", server.dir);
	assert_true(redis_open(&s, &redis, &why));
	assert_int_equal(redis_health(redis, &why), REDIS_AWAY);
	assert_non_null(strstr(why.line, "No such file"));
}

static void
test_password_in_no_text(void **state)
{
	char dir[] = "/tmp/test-redis-XXXXXX";
	struct settings s = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	start_fake("-ERR unknown command 'AUTH', with args beginning with: 'secret'\r\n", 0, &s);
	write_password(dir, "secret", &s);
	assert_true(redis_open(&s, &redis, &why));
	assert_int_equal(redis_health(redis, &why), REDIS_AWAY);
	unlink(s.redis_password_file);
	rmdir(dir);
	assert_non_null(strstr(why.line, "refused: ERR"));
	assert_null(strstr(why.line, "secret"));
}

static void
test_fork(void **state)
{
	enum challenge_state s = CHALLENGE_UNKNOWN;
	int64_t mine = -1, childs = -1;
	int status, out[2];
	pid_t pid;

	(void)state;
	NEEDS_SERVER();
	assert_int_equal(mint(1), REDIS_DONE);
	assert_true(redis_server_command(redis, "CLIENT ID", &mine));
	assert_int_equal(pipe(out), 0);
	assert_true((pid = fork()) != -1);
	if (pid == 0) {
		bool good = redis_server_command(redis, "CLIENT ID", &childs) &&
			    write(out[1], &childs, sizeof(childs)) == sizeof(childs);

		redis_close(redis);
		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(out[0], &childs, sizeof(childs)), sizeof(childs));
	close(out[0]);
	close(out[1]);
	assert_true(childs != mine);
	assert_int_equal(reserve(1, &s), REDIS_DONE);
	assert_int_equal(s, CHALLENGE_RESERVED);
	assert_true(redis_server_command(redis, "CLIENT ID", &childs));
	assert_int_equal(childs, mine);
}

static void
test_profile_too_long(void **state)
{
	struct challenge_mint m = {.now_ms = NOW, .expires_ms = NOW + 1000, .max_pending = 10};
	char longest[2000];

	(void)state;
	NEEDS_SERVER();
	memset(longest, 'p', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	m.profile_id = longest;
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_AWAY);
	assert_int_equal(mint(1), REDIS_DONE);
}

#define CASE(name, f, set)                                                                         \
	{                                                                                          \
		name, f, set, end, NULL                                                            \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE("addresses that make no sense are refused at once", test_addresses, NULL),
	    CASE("health wants noeviction", test_health, start),
	    CASE("a stopped Redis is away at once, and back by itself", test_stopped, start),
	    CASE("after a restart the first call works and finds what was kept",
		test_restarted_keeping, start_keeping),
	    CASE(
		"after a restart with empty memory scripts are loaded again and challenges unknown",
		test_restarted_empty, start),
	    CASE("forgotten scripts are loaded again", test_scripts_forgotten, start),
	    CASE("a hung Redis is away after the time-out, not later and not again at once",
		test_hung, start),
	    CASE("a connection that Redis dropped is made again within the call",
		test_stale_connection_dropped, start),
	    CASE("over TCP a whole answer is taken and a short one is not", test_tcp, NULL),
	    CASE("a server that trickles does not outlast the time-out", test_trickle, NULL),
	    CASE("what is not Redis is away", test_not_redis, NULL),
	    CASE("a TCP port where nobody listens is away at once", test_tcp_refused, NULL),
	    CASE("the right password is taken and others are not", test_password,
		start_with_password),
	    CASE("a password is in no error text", test_password_in_no_text, NULL),
	    CASE("after a fork the child has a connection of its own", test_fork, start),
	    CASE("a key that does not fit is an error and harms nothing", test_profile_too_long,
		start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
