/* test_manage_transaction.c: approving and rejecting what waits. */
#include "tests/unit/pending_manage.h"

static enum manage_rc
get(struct manage_fixture *f, const char *id, char found[37])
{
	struct manage_transaction t;
	enum manage_rc rc = manage_transaction_get(&f->manage, id, &t, manage_fixture_report(f));

	if (rc == MANAGE_OK) {
		memcpy(found, t.row.id, sizeof(t.row.id));
		manage_transaction_free(&t);
	}
	return rc;
}

static void
what_waits_is_listed_for_every_profile_or_for_one(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_profile p;
	int64_t waiting = -1;

	NEEDS_SERVER();
	assert_int_equal(listed(f, NULL, true), 0);
	put(0, 1, HOUR_MS);
	put(0, 2, HOUR_MS);
	put(1, 3, HOUR_MS);
	assert_int_equal(listed(f, NULL, false), 3);
	assert_int_equal(listed(f, "manual", false), 2);
	assert_int_equal(listed(f, profile_ids[1], false), 1);
	assert_int_equal(decide(f, id_of(2), true, NULL), MANAGE_OK);
	assert_int_equal(listed(f, "manual", false), 1);
	assert_int_equal(listed(f, "manual", true), 2);
	assert_int_equal(listed(f, "other", true), 1);
	/* Health counts those of profiles that approve by hand. */
	assert_int_equal(
	    manage_transaction_count(&f->manage, &waiting, manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(waiting, 0);
	c.approval = "manual";
	assert_int_equal(
	    manage_profile_set(&f->manage, &f->actor, "manual", &c, &p, manage_fixture_report(f)),
	    MANAGE_OK);
	put(0, 4, -1000);
	assert_int_equal(
	    manage_transaction_count(&f->manage, &waiting, manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(waiting, 1);
	assert_int_equal(manage_transaction_each(&f->manage, "nobody", false, count_row, NULL,
			     manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
}

static void
one_is_found_by_its_id_the_beginning_of_it_or_its_transaction_id(void **state)
{
	struct manage_fixture *f = *state;
	char found[37];

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	assert_int_equal(get(f, id_of(1), found), MANAGE_OK);
	assert_string_equal(found, id_of(1));
	assert_int_equal(get(f, "010e0e0e", found), MANAGE_OK);
	assert_int_equal(get(f, "CAFE", found), MANAGE_OK);
	assert_string_equal(found, id_of(1));
	assert_int_equal(get(f, "010e0e0", found), MANAGE_NOT_FOUND);
	assert_int_equal(get(f, "020e0e0e", found), MANAGE_NOT_FOUND);
	assert_int_equal(get(f, id_of(2), found), MANAGE_NOT_FOUND);
	put(1, 2, HOUR_MS);
	assert_int_equal(get(f, "CAFE", found), MANAGE_CONFLICT);
	assert_int_equal(get(f, "020e0e0e-", found), MANAGE_OK);
	/* Decided, it is found by its id alone. */
	assert_int_equal(decide(f, "020e0e0e", false, NULL), MANAGE_OK);
	assert_int_equal(get(f, "020e0e0e", found), MANAGE_OK);
	assert_int_equal(get(f, "CAFE", found), MANAGE_OK);
	assert_string_equal(found, id_of(1));
}

static void
what_is_shown_is_what_the_csr_says(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_transaction t;
	struct manage_transaction_content c;

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	assert_int_equal(
	    manage_transaction_get(&f->manage, id_of(1), &t, manage_fixture_report(f)), MANAGE_OK);
	assert_string_equal(manage_transaction_state_name(&t), "pending");
	assert_int_equal(manage_transaction_read(&f->manage, &t, &c, &f->report), MANAGE_OK);
	assert_string_equal(c.subject, "CN=device-1");
	assert_string_equal(c.key, "EC P-256");
	assert_int_equal(strlen(c.fingerprint), 64);
	assert_string_equal(c.san, "");
	assert_string_equal(c.renews_serial, "");
	manage_transaction_free(&t);
}

static void
approving_copies_all_of_it_into_the_store(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_transaction t;

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	assert_int_equal(decide(f, id_of(1), true, NULL), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 0);
	assert_string_equal(manage_fixture_event(f), "transaction.approve: ");
	assert_int_equal(listed(f, NULL, false), 0);
	redis_server_kill(&server); /* it is needed no more */
	assert_int_equal(
	    manage_transaction_get(&f->manage, id_of(1), &t, manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(t.row.status, TRANSACTION_APPROVED);
	assert_string_equal(t.row.profile, "manual");
	assert_string_equal(t.row.decided_by, "scepctl:test");
	assert_string_equal(t.row.transaction_id, "CAFE");
	assert_string_equal(t.row.address, "192.0.2.7");
	assert_string_equal(t.row.method, "dynamic");
	assert_int_equal(t.row.message_type, SCEP_PKCS_REQ);
	assert_true(octets_equal(buffer_octets(&t.row.csr), buffer_octets(&csr)));
	assert_true(octets_equal(buffer_octets(&t.row.signer), octets_of_string("signer")));
	assert_int_equal(t.row.challenge_id.len, 32);
	assert_int_equal(t.row.key[31], 1);
	assert_true(
	    octets_equal(buffer_octets(&t.row.sealed_password), octets_of_string("sealed")));
	/* Its poll may come a day later. */
	assert_true(t.row.expires_at >= clock_now() + 86400 - 5);
	manage_transaction_free(&t);
}

static void
approving_keeps_the_challenge_and_rejecting_frees_it(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_transaction t;

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	put(0, 2, HOUR_MS);
	assert_int_equal(challenge_of(0, 1), CHALLENGE_HELD);
	assert_int_equal(decide(f, id_of(1), true, NULL), MANAGE_OK);
	assert_int_equal(challenge_of(0, 1), CHALLENGE_HELD);
	assert_int_equal(decide(f, id_of(2), false, "not one of ours"), MANAGE_OK);
	assert_string_equal(manage_fixture_event(f), "transaction.reject: not one of ours");
	assert_int_equal(challenge_of(0, 2), CHALLENGE_RESERVED);
	assert_int_equal(
	    manage_transaction_get(&f->manage, id_of(2), &t, manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(t.row.status, TRANSACTION_REJECTED);
	assert_int_equal(t.row.fail_info, SCEP_BAD_REQUEST);
	assert_string_equal(t.row.reason, "not one of ours");
	assert_string_equal(manage_transaction_state_name(&t), "rejected");
	manage_transaction_free(&t);
}

static void
the_first_word_counts(void **state)
{
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	assert_int_equal(decide(f, id_of(1), true, NULL), MANAGE_OK);
	assert_int_equal(decide(f, id_of(1), false, NULL), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "is approved already, by scepctl:test"));
	/* Even where Redis still has it. */
	put(0, 1, HOUR_MS);
	assert_int_equal(listed(f, NULL, false), 0);
	assert_int_equal(decide(f, id_of(1), true, NULL), MANAGE_CONFLICT);
}

static void
another_request_of_a_device_waits_for_the_poll_of_the_first(void **state)
{
	struct manage_fixture *f = *state;
	struct pending p;
	bool there = false;

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	assert_int_equal(
	    transaction_find(redis, profile_ids[0], id_of(1), clock_now_ms(), &there, &p, &why),
	    REDIS_DONE);
	assert_true(there);
	assert_int_equal(decide(f, id_of(1), true, NULL), MANAGE_OK);
	/* The same key, another CSR. */
	memset(p.repeat_key, 9, sizeof(p.repeat_key));
	memcpy(p.id, id_of(9), sizeof(p.id));
	assert_int_equal(transaction_put(redis, &p, clock_now_ms(), 100, NULL, &why), REDIS_DONE);
	pending_free(&p);
	assert_int_equal(decide(f, id_of(9), true, NULL), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "an earlier request"));
}

static void
a_reason_has_a_limit(void **state)
{
	struct manage_fixture *f = *state;
	char reason[600];

	NEEDS_SERVER();
	memset(reason, 'x', sizeof(reason));
	reason[512] = '\0';
	put(0, 1, HOUR_MS);
	assert_int_equal(decide(f, id_of(1), false, reason), MANAGE_INVALID);
	assert_int_equal(decide(f, id_of(1), false, "\xff"), MANAGE_INVALID);
	reason[511] = '\0';
	assert_int_equal(decide(f, id_of(1), false, reason), MANAGE_OK);
}

static void
redis_that_cannot_be_told_changes_nothing_of_the_decision(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_transaction t;

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	assert_true(redis_server_command(redis, "CONFIG SET min-replicas-to-write 1", NULL));
	assert_int_equal(decide(f, id_of(1), false, NULL), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 2);
	assert_true(redis_server_command(redis, "CONFIG SET min-replicas-to-write 0", NULL));
	assert_int_equal(
	    manage_transaction_get(&f->manage, id_of(1), &t, manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(t.row.status, TRANSACTION_REJECTED);
	manage_transaction_free(&t);
	assert_int_equal(listed(f, NULL, false), 0);
}

static void
with_redis_away_nothing_is_decided(void **state)
{
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	put(0, 1, HOUR_MS);
	redis_server_kill(&server);
	assert_int_equal(decide(f, id_of(1), true, NULL), MANAGE_AWAY);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(what_waits_is_listed_for_every_profile_or_for_one),
	    CASE(one_is_found_by_its_id_the_beginning_of_it_or_its_transaction_id),
	    CASE(what_is_shown_is_what_the_csr_says),
	    CASE(approving_copies_all_of_it_into_the_store),
	    CASE(approving_keeps_the_challenge_and_rejecting_frees_it),
	    CASE(the_first_word_counts),
	    CASE(another_request_of_a_device_waits_for_the_poll_of_the_first),
	    CASE(a_reason_has_a_limit),
	    CASE(redis_that_cannot_be_told_changes_nothing_of_the_decision),
	    CASE(with_redis_away_nothing_is_decided),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	pki_free_keys();
	return failed;
}
