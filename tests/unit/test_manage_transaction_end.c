/* test_manage_transaction_end.c: the end of what nobody decides in time. */
#include "tests/unit/pending_manage.h"

#include "fcgi-admin/manage/records.h"

static int
sweep(struct manage_fixture *f)
{
	int ended = -1;

	assert_int_equal(
	    manage_transaction_sweep(&f->manage, 10, &ended, manage_fixture_report(f)), MANAGE_OK);
	return ended;
}

struct end {
	int rows;
	char reason[128];
};

static bool
note_end(void *ctx, int64_t id, const struct audit_event *e)
{
	struct end *end = ctx;

	(void)id;
	if (strcmp(e->action, "scep.enrol") != 0)
		return true;
	end->rows++;
	assert_string_equal(e->outcome, "refused");
	assert_string_equal(e->transaction_id, "CAFE");
	assert_string_equal(e->address, "192.0.2.7");
	snprintf(end->reason, sizeof(end->reason), "%s", e->reason);
	return true;
}

static struct end
ends(struct manage_fixture *f)
{
	const struct audit_filter filter = {.limit = 100};
	struct end end = {.rows = 0};

	assert_int_equal(
	    manage_audit_each(&f->manage, &filter, note_end, &end, manage_fixture_report(f)),
	    MANAGE_OK);
	return end;
}

static void
what_expired_cannot_be_approved(void **state)
{
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	put(0, 1, -1000);
	assert_int_equal(listed(f, NULL, true), 0);
	assert_int_equal(decide(f, id_of(1), true, NULL), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "has expired"));
}

static void
the_end_of_what_expired_is_recorded_once_and_its_challenge_is_free(void **state)
{
	struct manage_fixture *f = *state;
	uint8_t key[TRANSACTION_KEY_OCTETS];
	struct pending p;
	bool there = false;

	NEEDS_SERVER();
	put(0, 1, -1000);
	put(1, 2, -1000);
	put(0, 3, HOUR_MS);
	memset(key, 1, sizeof(key));
	assert_int_equal(transaction_get(redis, profile_ids[0], key, clock_now_ms() - 2 * HOUR_MS,
			     true, &there, &p, &why),
	    REDIS_DONE);
	assert_true(there);
	pending_free(&p);
	assert_int_equal(challenge_of(0, 1), CHALLENGE_HELD);
	assert_int_equal(sweep(f), 2);
	assert_int_equal(ends(f).rows, 2);
	assert_int_equal(challenge_of(0, 1), CHALLENGE_RESERVED);
	assert_int_equal(challenge_of(1, 2), CHALLENGE_RESERVED);
	assert_int_equal(challenge_of(0, 3), CHALLENGE_HELD);
	assert_int_equal(sweep(f), 0);
	assert_int_equal(ends(f).rows, 2);
	assert_int_equal(listed(f, NULL, false), 1);
	/* Polls are still told. */
	assert_int_equal(
	    transaction_get(redis, profile_ids[0], key, clock_now_ms(), false, &there, &p, &why),
	    REDIS_DONE);
	assert_true(there);
	assert_int_equal(p.state, PENDING_EXPIRED);
	pending_free(&p);
}

static void
polls_are_counted_in_the_end(void **state)
{
	struct manage_fixture *f = *state;
	uint8_t key[TRANSACTION_KEY_OCTETS];
	struct pending p;
	bool there = false;

	NEEDS_SERVER();
	put(0, 1, -1000);
	memset(key, 1, sizeof(key));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(transaction_get(redis, profile_ids[0], key,
				     clock_now_ms() - 2 * HOUR_MS, true, &there, &p, &why),
		    REDIS_DONE);
		pending_free(&p);
	}
	assert_int_equal(sweep(f), 1);
	assert_string_equal(ends(f).reason, "not approved in time, 3 polls");
}

static void
a_sweep_that_dies_half_way_leaves_one_row_after_the_next(void **state)
{
	struct manage_fixture *f = *state;
	int ended = -1;

	NEEDS_SERVER();
	put(0, 1, -1000);
	assert_true(redis_server_command(redis, "CONFIG SET min-replicas-to-write 1", NULL));
	assert_int_equal(manage_transaction_sweep(&f->manage, 10, &ended, manage_fixture_report(f)),
	    MANAGE_AWAY);
	assert_int_equal(ended, 0);
	assert_int_equal(ends(f).rows, 1);
	assert_true(redis_server_command(redis, "CONFIG SET min-replicas-to-write 0", NULL));
	assert_int_equal(sweep(f), 1);
	assert_int_equal(ends(f).rows, 1);
}

static void
what_was_decided_in_time_has_no_end_though_redis_missed_it(void **state)
{
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	assert_int_equal(decide(f, id_of(1), true, NULL), MANAGE_OK);
	put(0, 1, -1000);
	assert_int_equal(sweep(f), 1);
	assert_int_equal(ends(f).rows, 0);
	assert_int_equal(sweep(f), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_expired_cannot_be_approved),
	    CASE(the_end_of_what_expired_is_recorded_once_and_its_challenge_is_free),
	    CASE(polls_are_counted_in_the_end),
	    CASE(a_sweep_that_dies_half_way_leaves_one_row_after_the_next),
	    CASE(what_was_decided_in_time_has_no_end_though_redis_missed_it),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	pki_free_keys();
	return failed;
}
