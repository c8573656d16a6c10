#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include <pthread.h>
#include <unistd.h>

#include "store_fixture.h"

#define ROUNDS 200

struct race {
	pthread_barrier_t barrier;
	enum store_rc rc[2][ROUNDS];
	enum enrolment_conflict what[2][ROUNDS];
};

static struct race *
race_open(void)
{
	struct race *r =
	    mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t a;

	assert_ptr_not_equal(r, MAP_FAILED);
	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	assert_int_equal(pthread_barrier_init(&r->barrier, &a, 2), 0);
	return r;
}

/* Both commit at the same moment, ROUNDS times: with one challenge and two CSRs, or the same request twice. */
static void
race_run(struct store_fixture *f, struct race *r, int me, bool same_request)
{
	struct fixture_enrolment x, shared;
	struct store *st;
	unsigned i;

	if (store_open(&f->settings, &st, &f->why) != STORE_OK)
		_exit(2);
	for (i = 0; i < ROUNDS; i++) {
		fixture_enrolment(&x, 2 * i + (unsigned)me, true);
		fixture_enrolment(&shared, 2 * i, true);
		x.e.challenge_id = shared.e.challenge_id;
		if (same_request)
			x.e.repeat_key = shared.e.repeat_key;
		pthread_barrier_wait(&r->barrier);
		r->rc[me][i] = store_commit_enrolment(st, &x.e, &r->what[me][i], &f->why);
	}
	store_close(st);
	_exit(0);
}

static void
race(struct store_fixture *f, bool same_request, enum enrolment_conflict loser)
{
	struct race *r = race_open();
	int i, status, wins[2] = {0};
	pid_t pids[2];

	/* SQLite must not be carried over a fork. */
	store_close(f->store);
	f->store = NULL;
	for (i = 0; i < 2; i++)
		if ((pids[i] = fork()) == 0)
			race_run(f, r, i, same_request);
	for (i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	for (i = 0; i < ROUNDS; i++) {
		int winner = r->rc[0][i] == STORE_OK ? 0 : 1;

		assert_int_equal(r->rc[winner][i], STORE_OK);
		assert_int_equal(r->rc[!winner][i], STORE_CONFLICT);
		assert_int_equal(r->what[!winner][i], loser);
		wins[winner]++;
	}
	print_message("wins: %d and %d\n", wins[0], wins[1]);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), ROUNDS);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM challenge_use"), ROUNDS);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), ROUNDS);
	munmap(r, sizeof(*r));
}

static void
of_two_processes_with_one_challenge_exactly_one_wins(void **state)
{
	race(*state, false, ENROLMENT_CHALLENGE);
}

static void
of_two_copies_of_a_request_one_is_issued_and_one_is_a_repeat(void **state)
{
	race(*state, true, ENROLMENT_REPEAT);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(of_two_processes_with_one_challenge_exactly_one_wins),
	    ROWS(of_two_copies_of_a_request_one_is_issued_and_one_is_a_repeat),
	};

	return cmocka_run_group_tests_name("store_race", tests, NULL, NULL);
}
