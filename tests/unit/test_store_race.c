#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "seat_fixture.h"

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

enum rivalry {
	ONE_CHALLENGE,	 /* with two CSRs */
	ONE_REQUEST,	 /* in two copies */
	ONE_TRANSACTION, /* polled twice */
	ONE_PREDECESSOR, /* of which one successor more is allowed */
	ONE_LICENSE,	 /* of an organization, two seats of which want it */
	ONE_CODE	 /* with one use left */
};

/* Both commit at the same moment, ROUNDS times. */
static void
race_run(struct store_fixture *f, struct race *r, int me, enum rivalry over)
{
	struct fixture_enrolment x, shared;
	struct store *st;
	char key[16];
	unsigned i;

	if (store_open(&f->settings, &st, &f->why) != STORE_OK)
		_exit(2);
	for (i = 0; i < ROUNDS; i++) {
		fixture_enrolment(&x, 2 * i + (unsigned)me, true);
		fixture_enrolment(&shared, 2 * i, true);
		if (over <= ONE_TRANSACTION || over == ONE_CODE)
			x.e.challenge_id = shared.e.challenge_id;
		if (over == ONE_REQUEST || over == ONE_TRANSACTION)
			x.e.repeat_key = shared.e.repeat_key;
		snprintf(key, sizeof(key), "%u", i);
		if (over == ONE_TRANSACTION)
			x.e.transaction_key = octets_of_string(key);
		if (over == ONE_PREDECESSOR) {
			x.e.predecessor_id = i + 1;
			x.e.max_successors = 1;
		}
		if (over == ONE_LICENSE)
			x.e.seat_row = 2 * (int64_t)i + me + 1;
		if (over == ONE_CODE)
			x.e.enrollment_row = i + 1;
		pthread_barrier_wait(&r->barrier);
		r->rc[me][i] = store_commit_enrolment(st, &x.e, &r->what[me][i], &f->why);
	}
	store_close(st);
	_exit(0);
}

static void
race(struct store_fixture *f, enum rivalry over, enum enrolment_conflict loser, int before)
{
	struct race *r = race_open();
	int i, status, wins[2] = {0};
	pid_t pids[2];

	/* SQLite must not be carried over a fork. */
	store_close(f->store);
	f->store = NULL;
	for (i = 0; i < 2; i++)
		if ((pids[i] = fork()) == 0)
			race_run(f, r, i, over);
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
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM certificate"), before + ROUNDS);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM challenge_use"), ROUNDS);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), ROUNDS);
	munmap(r, sizeof(*r));
}

static void
of_two_processes_with_one_challenge_exactly_one_wins(void **state)
{
	race(*state, ONE_CHALLENGE, ENROLMENT_CHALLENGE, 0);
}

static void
of_two_copies_of_a_request_one_is_issued_and_one_is_a_repeat(void **state)
{
	race(*state, ONE_REQUEST, ENROLMENT_REPEAT, 0);
}

static void
of_two_polls_of_an_approved_transaction_one_issues(void **state)
{
	struct store_fixture *f = *state;

	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199) "
	    "INSERT INTO scep_transaction (key, uuid, scep_profile_id, status, created_at, "
	    "expires_at, decided_at, decided_by, fail_info, transaction_id, message_type, method, "
	    "subject, key_type, csr, signer, repeat_key) SELECT CAST(i AS BLOB), 'u' || i, 1, "
	    "'approved', 1, 2000000000, 1, 'x', 0, 't', 19, 'static', 'CN=x', 'RSA-2048', x'30', "
	    "x'30', x'30' FROM n");
	race(f, ONE_TRANSACTION, ENROLMENT_TRANSACTION, 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM scep_transaction t "
						  "JOIN certificate c ON c.id = t.certificate_id "
						  "WHERE t.status = 'issued'"),
	    ROUNDS);
}

static void
of_two_renewals_the_last_successor_is_ones(void **state)
{
	struct store_fixture *f = *state;

	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
	    "INSERT INTO certificate (id, serial, authority_id, purpose, status, not_before, "
	    "not_after, created_at, subject, der) SELECT i, CAST(i AS BLOB), 1, 'device', 'valid', "
	    "1, 2000000000, 1, 'CN=x', x'30' FROM n");
	race(f, ONE_PREDECESSOR, ENROLMENT_PREDECESSOR, ROUNDS);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM certificate WHERE successors = 1"),
	    ROUNDS);
}

static void
of_two_seats_one_gets_the_last_licence(void **state)
{
	struct store_fixture *f = *state;

	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199) "
	    "INSERT INTO organization (id, uuid, name, license_count, created_at) "
	    "SELECT i + 1, 'o' || i, 'o' || i, 1, 1 FROM n;"
	    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 399) "
	    "INSERT INTO seat (id, uuid, seat_id, type, name, email, organization_id, created_at) "
	    "SELECT i + 1, 'u' || i, 's' || i, 'device', '', '', i / 2 + 1, 1 FROM n;");
	race(f, ONE_LICENSE, ENROLMENT_LICENSE, 0);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM organization WHERE seats_in_use = 1"),
	    ROUNDS);
	assert_int_equal(store_fixture_integer(f, "SELECT sum(in_use) FROM seat"), ROUNDS);
}

static void
of_two_requests_with_one_code_exactly_one_redeems_it(void **state)
{
	struct store_fixture *f = *state;

	fixture_insert_seat(f, 1, "");
	for (unsigned i = 0; i < ROUNDS; i++)
		fixture_insert_enrollment(f, 2 * i, 1, 1);
	race(f, ONE_CODE, ENROLMENT_ENROLLMENT, 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM enrollment WHERE uses = 1 "
						  "AND status = 'redeemed'"),
	    ROUNDS);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(of_two_processes_with_one_challenge_exactly_one_wins),
	    ROWS(of_two_copies_of_a_request_one_is_issued_and_one_is_a_repeat),
	    ROWS(of_two_polls_of_an_approved_transaction_one_issues),
	    ROWS(of_two_renewals_the_last_successor_is_ones),
	    ROWS(of_two_seats_one_gets_the_last_licence),
	    ROWS(of_two_requests_with_one_code_exactly_one_redeems_it),
	};

	return cmocka_run_group_tests_name("store_race", tests, NULL, NULL);
}
