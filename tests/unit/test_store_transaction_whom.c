#include "seat_fixture.h"
#include "tests/unit/transaction_fixture.h"

/* Number's transaction, which came by enrolment 1. */
static enum store_rc
decide_code(struct store_fixture *f, uint8_t number, enum transaction_status status)
{
	struct transaction_row t = a_transaction(number, status);

	t.enrollment_row = 1;
	return decide(f, t);
}

static const char *
code(struct store_fixture *f, const char *status)
{
	struct enrollment_row n = fixture_enrollment(1, 1, 1), have;

	assert_int_equal(
	    store_enrollment_get(f->store, n.id, FIXTURE_NOW, &have, &f->why), STORE_OK);
	return strcmp(have.status, status) == 0 ? status : "another";
}

static int
setup(void **state)
{
	int rc = store_fixture_setup(state);

	fixture_insert_seat(*state, 1, "");
	fixture_insert_enrollment(*state, 1, 1, 1);
	fixture_insert_account(*state, 1, "");
	return rc;
}

static void
a_transaction_knows_by_what_it_was_authorised(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t = a_transaction(1, TRANSACTION_APPROVED), have;

	t.enrollment_row = 1;
	t.account_row = 1;
	assert_int_equal(decide(f, t), STORE_OK);
	t = a_transaction(2, TRANSACTION_APPROVED);
	/* What was deleted meanwhile is none. */
	t.enrollment_row = 2;
	t.account_row = 2;
	assert_int_equal(decide(f, t), STORE_OK);
	for (int i = 1; i <= 2; i++) {
		memset(t.key, i, sizeof(t.key));
		t.key[3] = 0;
		assert_int_equal(
		    store_transaction_get(f->store, t.key, &have, NULL, &f->why), STORE_OK);
		assert_int_equal(have.enrollment_row, i == 1 ? 1 : 0);
		assert_int_equal(have.account_row, i == 1 ? 1 : 0);
		assert_false(have.undelivered);
		transaction_row_free(&have);
	}
	assert_int_equal(store_seat_delete(f->store, "seat-1", NULL, &f->why), STORE_OK);
	memset(t.key, 1, sizeof(t.key));
	t.key[3] = 0;
	assert_int_equal(store_transaction_get(f->store, t.key, &have, NULL, &f->why), STORE_OK);
	assert_int_equal(have.enrollment_row, 0);
	transaction_row_free(&have);
}

static void
an_enrolment_is_pending_with_its_transaction_and_open_again_without(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t = a_transaction(2, TRANSACTION_APPROVED);

	assert_int_equal(store_enrollment_pending(f->store, 1, true, &f->why), STORE_OK);
	assert_int_equal(decide_code(f, 1, TRANSACTION_REJECTED), STORE_OK);
	assert_string_equal(code(f, "created"), "created");
	assert_int_equal(decide_code(f, 2, TRANSACTION_APPROVED), STORE_OK);
	assert_string_equal(code(f, "pending"), "pending");
	assert_int_equal(
	    store_transaction_fail(f->store, t.key, 2, "why", NULL, &f->why), STORE_OK);
	assert_string_equal(code(f, "created"), "created");
	transaction_row_free(&t);
}

static void
an_approved_transaction_that_expires_opens_its_enrolment(void **state)
{
	struct store_fixture *f = *state;
	int deleted;

	assert_int_equal(decide_code(f, 1, TRANSACTION_APPROVED), STORE_OK);
	assert_int_equal(
	    store_transaction_purge(f->store, FIXTURE_NOW + 3600, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 0);
	assert_string_equal(code(f, "pending"), "pending");
	assert_int_equal(
	    store_transaction_purge(f->store, FIXTURE_NOW + 3601, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 1);
	assert_string_equal(code(f, "created"), "created");
}

static void
an_approved_transaction_that_gives_way_opens_its_enrolment(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t;

	assert_int_equal(decide_code(f, 1, TRANSACTION_APPROVED), STORE_OK);
	t = a_transaction(1, TRANSACTION_APPROVED);
	t.id[0] = 'f';
	t.decided_at = t.expires_at;
	assert_int_equal(decide(f, t), STORE_OK);
	assert_string_equal(code(f, "created"), "created");
	/* And holds it, where it is the same one's. */
	t = a_transaction(1, TRANSACTION_APPROVED);
	t.id[0] = 'e';
	t.id[1] = 'f';
	t.decided_at = t.expires_at;
	t.enrollment_row = 1;
	assert_int_equal(decide(f, t), STORE_OK);
	assert_string_equal(code(f, "pending"), "pending");
}

/* The enrolment of what was approved may have expired or be locked by the time of the poll. */
static void
what_was_approved_is_issued_though_its_code_has_expired(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t = a_transaction(1, TRANSACTION_APPROVED), have;
	struct fixture_enrolment x;
	struct buffer der = {0};

	assert_int_equal(decide_code(f, 1, TRANSACTION_APPROVED), STORE_OK);
	store_fixture_script(f, "UPDATE enrollment SET expires_at = 1, locked_until = 1900000000");
	fixture_enrolment(&x, 1, true);
	x.e.enrollment_row = 1;
	x.e.seat_row = 1;
	fixture_commit(f, &x, ENROLMENT_ENROLLMENT);
	x.e.transaction_key = octets_of(t.key, sizeof(t.key));
	x.e.delivery = "intune";
	x.e.csr = buffer_octets(&t.csr);
	x.e.transaction_id = "t-1";
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
	assert_string_equal(code(f, "redeemed"), "redeemed");
	assert_int_equal(store_transaction_get(f->store, t.key, &have, &der, &f->why), STORE_OK);
	assert_true(have.undelivered);
	transaction_row_free(&have);
	transaction_row_free(&t);
	buffer_free(&der);
}

#define ROWS(name) cmocka_unit_test_setup_teardown(name, setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_transaction_knows_by_what_it_was_authorised),
	    ROWS(an_enrolment_is_pending_with_its_transaction_and_open_again_without),
	    ROWS(an_approved_transaction_that_expires_opens_its_enrolment),
	    ROWS(an_approved_transaction_that_gives_way_opens_its_enrolment),
	    ROWS(what_was_approved_is_issued_though_its_code_has_expired),
	};

	return cmocka_run_group_tests_name("store_transaction_whom", tests, NULL, NULL);
}
