#include <sys/wait.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/encoding.h"
#include "redis/audit_queue.h"
#include "tests/unit/challenge_fixture.h"

static void
test_max_pending(void **state)
{
	struct challenge_reservation c = a_request(1, 1);
	struct challenge_mint m;
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	for (uint8_t i = 1; i <= 10; i++) {
		m = a_challenge(i);
		assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
		assert_int_equal(n, i);
	}
	m = a_challenge(11);
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_REFUSED);
	assert_int_equal(n, 10);
	m.profile_id = OTHER;
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
	assert_int_equal(n, 1);
	/* one that is there already is no new one */
	m = a_challenge(1);
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
	assert_int_equal(n, 10);
	/* a used one makes room, a reserved one does not */
	m = a_challenge(11);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_REFUSED);
	assert_int_equal(challenge_mark_used(redis, &c, NOW, &why), REDIS_DONE);
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
	assert_int_equal(n, 10);
}

static void
test_pending_by_the_callers_clock(void **state)
{
	struct challenge_mint m;
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	for (uint8_t i = 1; i <= 10; i++) {
		m = a_challenge(i);
		m.expires_ms = NOW + i * 1000;
		assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	}
	assert_int_equal(pending_at(NOW), 10);
	assert_int_equal(pending_at(NOW + 3999), 7);
	assert_int_equal(pending_at(NOW + 4000), 6);
	assert_int_equal(pending_at(NOW + 86400000), 0);
	/* a clock that jumped makes room at once */
	m = a_challenge(11);
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_REFUSED);
	m.now_ms = NOW + 86400000;
	m.expires_ms = m.now_ms + LIFE;
	assert_int_equal(challenge_mint(redis, &m, &n, &why), REDIS_DONE);
	assert_int_equal(n, 1);
	assert_true(redis_server_command(redis, "ZCARD {" PROFILE "}:pending", &n));
	assert_int_equal(n, 1);
}

static void
record_key(uint8_t n, const char *command, char *out, size_t size)
{
	struct challenge_mint m = a_challenge(n);
	char hex[65];

	encoding_hex(octets_of(m.id, sizeof(m.id)), hex);
	snprintf(out, size, "%s {" PROFILE "}:c:%s", command, hex);
}

static void
test_used_though_vanished(void **state)
{
	struct challenge_reservation c = a_request(1, 1), other = a_request(1, 2);
	char line[200];
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	mint(1);
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_true(redis_server_command(redis, "FLUSHALL", NULL));
	assert_int_equal(reserve_at(&other, NOW), CHALLENGE_UNKNOWN);
	assert_int_equal(challenge_mark_used(redis, &c, NOW, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&other, NOW), CHALLENGE_USED);
	record_key(1, "PTTL", line, sizeof(line));
	assert_true(redis_server_command(redis, line, &n));
	assert_in_range(n, CHALLENGE_SWEEP_MS - 60000, CHALLENGE_SWEEP_MS);
}

static void
test_swept_after_its_life(void **state)
{
	struct challenge_reservation c = a_request(1, 1);
	enum challenge_state s;
	char line[200];
	int64_t n = -1;

	(void)state;
	NEEDS_SERVER();
	mint(1);
	record_key(1, "PTTL", line, sizeof(line));
	assert_true(redis_server_command(redis, line, &n));
	assert_in_range(n, LIFE + CHALLENGE_SWEEP_MS - 60000, LIFE + CHALLENGE_SWEEP_MS);
	assert_true(redis_server_command(redis, "PTTL {" PROFILE "}:pending", &n));
	assert_in_range(n, LIFE + CHALLENGE_SWEEP_MS - 60000, LIFE + CHALLENGE_SWEEP_MS);
	/* a reservation longer than the life keeps the record */
	assert_int_equal(challenge_reserve(redis, &c, NOW, 10 * LIFE, &s, &why), REDIS_DONE);
	assert_true(redis_server_command(redis, line, &n));
	assert_in_range(n, 10 * LIFE, 10 * LIFE + CHALLENGE_SWEEP_MS);
}

static bool
count_rows(void *ctx, const char *json, int64_t count)
{
	assert_string_equal(json, "{\"event_id\":\"1\"}");
	*(int64_t *)ctx += count;
	return true;
}

static void
test_mint_queues_its_row(void **state)
{
	struct challenge_mint m = a_challenge(1);
	int64_t count = 0;
	int taken = 0;

	(void)state;
	NEEDS_SERVER();
	m.audit_json = "{\"event_id\":\"1\"}";
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	mint(2);
	m = a_challenge(3);
	m.max_pending = 2;
	m.audit_json = "{\"event_id\":\"3\"}";
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_REFUSED);
	assert_int_equal(
	    audit_queue_take(redis, 10, NOW, count_rows, &count, &taken, &why), REDIS_DONE);
	assert_int_equal(taken, 1);
	assert_int_equal(count, 1);
}

static void
test_full_memory(void **state)
{
	struct challenge_reservation c = a_request(1, 1), back = a_request(2, 1);
	struct challenge_mint m = a_challenge(3);

	(void)state;
	NEEDS_SERVER();
	mint(1);
	mint(2);
	assert_true(redis_server_command(redis, "CONFIG SET maxmemory 1", NULL));
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_AWAY);
	assert_non_null(strstr(why.line, "OOM"));
	assert_int_equal(reserve_at(&c, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_mark_used(redis, &c, NOW, &why), REDIS_DONE);
	assert_int_equal(reserve_at(&back, NOW), CHALLENGE_RESERVED);
	assert_int_equal(challenge_release(redis, &back, true, TRIES, &why), REDIS_DONE);
	assert_true(redis_server_command(redis, "CONFIG SET maxmemory 0", NULL));
	assert_int_equal(pending_at(NOW), 1);
	assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
}

#define RACERS 8
#define ROUNDS 200

/* One racer: reserves challenge after challenge with requests of its own; its wins go to the pipe, one octet a round. */
static void
race(int go, int out, uint8_t racer)
{
	struct redis *r = redis_server_client(&server, 20000);
	uint8_t won[ROUNDS] = {0};
	enum challenge_state state;
	char start_line;

	if (r == NULL || read(go, &start_line, 1) != 0)
		_exit(1);
	for (int i = 0; i < ROUNDS; i++) {
		struct challenge_reservation c = a_request(0, racer);

		c.id[0] = (uint8_t)i;
		if (challenge_reserve(r, &c, NOW, RESERVE, &state, NULL) != REDIS_DONE ||
		    (state != CHALLENGE_RESERVED && state != CHALLENGE_HELD))
			_exit(2);
		won[i] = state == CHALLENGE_RESERVED;
	}
	redis_close(r);
	_exit(write(out, won, sizeof(won)) == sizeof(won) ? 0 : 3);
}

static void
test_race(void **state)
{
	int go[2], out[2], status;
	int wins[ROUNDS] = {0};
	uint8_t won[ROUNDS];
	pid_t pid[RACERS];

	(void)state;
	NEEDS_SERVER();
	for (int i = 0; i < ROUNDS; i++) {
		struct challenge_mint m = a_challenge(0);

		m.id[0] = (uint8_t)i;
		m.max_pending = ROUNDS;
		assert_int_equal(challenge_mint(redis, &m, NULL, &why), REDIS_DONE);
	}
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(out), 0);
	for (uint8_t i = 0; i < RACERS; i++) {
		if ((pid[i] = fork()) == 0) {
			close(go[1]);
			race(go[0], out[1], i);
		}
		assert_true(pid[i] > 0);
	}
	close(go[0]);
	close(go[1]); /* off */
	for (int i = 0; i < RACERS; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
		assert_int_equal(read(out[0], won, sizeof(won)), sizeof(won));
		for (int j = 0; j < ROUNDS; j++)
			wins[j] += won[j];
	}
	close(out[0]);
	close(out[1]);
	for (int j = 0; j < ROUNDS; j++)
		assert_int_equal(wins[j], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE("no more than max_pending are pending", test_max_pending),
	    CASE("pending counts follow the caller's clock", test_pending_by_the_callers_clock),
	    CASE("marking a vanished challenge leaves a short-lived used record",
		test_used_though_vanished),
	    CASE("Redis sweeps a record ten minutes after its life", test_swept_after_its_life),
	    CASE("minting queues its audit row in the same step", test_mint_queues_its_row),
	    CASE("with full memory minting stops and enrolments go on", test_full_memory),
	    CASE("of 8 processes one reserves each of 200 challenges", test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
