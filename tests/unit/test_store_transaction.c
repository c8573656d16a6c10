#include "tests/unit/transaction_fixture.h"

static int64_t
events(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT count(*) FROM audit_event");
}

static void
assert_same_listed(const struct transaction_row *a, const struct transaction_row *b)
{
	assert_memory_equal(a->key, b->key, sizeof(a->key));
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->profile_id, b->profile_id);
	assert_string_equal(a->profile, b->profile);
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->created_at, b->created_at);
	assert_int_equal(a->expires_at, b->expires_at);
	assert_int_equal(a->decided_at, b->decided_at);
	assert_string_equal(a->decided_by, b->decided_by);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->fail_info, b->fail_info);
	assert_string_equal(a->address, b->address);
	assert_string_equal(a->transaction_id, b->transaction_id);
	assert_int_equal(a->message_type, b->message_type);
	assert_string_equal(a->method, b->method);
	assert_string_equal(a->subject, b->subject);
	assert_string_equal(a->key_type, b->key_type);
	assert_string_equal(a->certificate_serial, b->certificate_serial);
}

static void
assert_same(const struct transaction_row *a, const struct transaction_row *b)
{
	assert_same_listed(a, b);
	assert_memory_equal(a->repeat_key, b->repeat_key, sizeof(a->repeat_key));
	assert_true(octets_equal(buffer_octets(&a->csr), buffer_octets(&b->csr)));
	assert_true(octets_equal(buffer_octets(&a->signer), buffer_octets(&b->signer)));
	assert_true(octets_equal(buffer_octets(&a->challenge_id), buffer_octets(&b->challenge_id)));
	assert_true(octets_equal(buffer_octets(&a->predecessor), buffer_octets(&b->predecessor)));
	assert_true(
	    octets_equal(buffer_octets(&a->sealed_password), buffer_octets(&b->sealed_password)));
}

static enum transaction_status
status_of(struct store_fixture *f, uint8_t number)
{
	struct transaction_row want = a_transaction(number, TRANSACTION_APPROVED), have;
	enum transaction_status status;

	assert_int_equal(store_transaction_get(f->store, want.key, &have, NULL, &f->why), STORE_OK);
	status = have.status;
	transaction_row_free(&have);
	transaction_row_free(&want);
	return status;
}

/* ---- decisions ---- */

static void
an_approved_transaction_comes_back_whole_by_key_and_by_id(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row want = a_transaction(1, TRANSACTION_APPROVED), have;
	struct buffer der = {0};

	assert_int_equal(
	    store_transaction_decide(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(events(f), 1);
	assert_int_equal(store_transaction_get(f->store, want.key, &have, &der, &f->why), STORE_OK);
	assert_same(&want, &have);
	assert_int_equal(der.len, 0);
	transaction_row_free(&have);
	assert_int_equal(store_transaction_get_id(f->store, want.id, &have, &f->why), STORE_OK);
	assert_same(&want, &have);
	transaction_row_free(&have);
	want.key[0] ^= 1;
	assert_int_equal(
	    store_transaction_get(f->store, want.key, &have, NULL, &f->why), STORE_NONE);
	assert_int_equal(
	    store_transaction_get_id(f->store, FIXTURE_SCEP_PROFILE, &have, &f->why), STORE_NONE);
	transaction_row_free(&want);
}

static void
what_is_optional_may_be_empty(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row want = a_transaction(1, TRANSACTION_APPROVED), have;

	buffer_free(&want.challenge_id);
	buffer_free(&want.predecessor);
	buffer_free(&want.sealed_password);
	strcpy(want.reason, "");
	strcpy(want.address, "");
	assert_int_equal(store_transaction_decide(f->store, &want, NULL, &f->why), STORE_OK);
	assert_int_equal(store_transaction_get(f->store, want.key, &have, NULL, &f->why), STORE_OK);
	assert_same(&want, &have);
	transaction_row_free(&have);
	/* But not what there is of every request. */
	buffer_free(&want.csr);
	want.key[0] ^= 1;
	want.id[0] = 'f';
	assert_int_equal(store_transaction_decide(f->store, &want, NULL, &f->why), STORE_AWAY);
	transaction_row_free(&want);
}

static void
a_rejected_transaction_keeps_its_reason_and_no_password(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row have;

	assert_int_equal(decide(f, a_transaction(1, TRANSACTION_REJECTED)), STORE_OK);
	assert_int_equal(store_transaction_get_id(
			     f->store, "0e0e0e0e-0000-4000-8000-000000000001", &have, &f->why),
	    STORE_OK);
	assert_int_equal(have.status, TRANSACTION_REJECTED);
	assert_string_equal(have.reason, "because");
	assert_int_equal(have.fail_info, 2);
	assert_int_equal(have.sealed_password.len, 0);
	transaction_row_free(&have);
}

static void
a_decision_needs_its_profile_and_goes_with_it(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t = a_transaction(1, TRANSACTION_APPROVED);

	strcpy(t.profile_id, FIXTURE_RA_PROFILE);
	assert_int_equal(decide(f, t), STORE_NONE);
	assert_non_null(strstr(f->why.line, FIXTURE_RA_PROFILE));
	assert_int_equal(events(f), 0);
	assert_int_equal(decide(f, a_transaction(1, TRANSACTION_APPROVED)), STORE_OK);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, NULL, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM scep_transaction"), 0);
}

static void
of_two_decisions_about_one_request_the_first_stands(void **state)
{
	static const enum transaction_status first[] = {TRANSACTION_APPROVED, TRANSACTION_REJECTED};
	struct store_fixture *f = *state;

	for (uint8_t i = 0; i < 2; i++) {
		assert_int_equal(decide(f, a_transaction(i, first[i])), STORE_OK);
		assert_int_equal(decide(f, a_transaction(i, TRANSACTION_APPROVED)), STORE_CONFLICT);
		assert_int_equal(decide(f, a_transaction(i, TRANSACTION_REJECTED)), STORE_CONFLICT);
		assert_non_null(strstr(f->why.line, "decided already"));
		assert_int_equal(status_of(f, i), first[i]);
		assert_int_equal(events(f), i + 1);
	}
}

static struct transaction_row
another_of(uint8_t number)
{
	struct transaction_row t = a_transaction(number, TRANSACTION_APPROVED);

	t.id[0] = 'f';
	return t;
}

static void
an_older_transaction_of_the_key_gives_way_once_it_is_over_and_not_before(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t;

	assert_int_equal(decide(f, a_transaction(1, TRANSACTION_APPROVED)), STORE_OK);
	assert_int_equal(decide(f, another_of(1)), STORE_CONFLICT);
	/* Another key is another's. */
	assert_int_equal(decide(f, a_transaction(2, TRANSACTION_REJECTED)), STORE_OK);
	/* Nobody can poll for it any more. */
	t = another_of(1);
	t.decided_at = FIXTURE_NOW + 3599;
	assert_int_equal(decide(f, t), STORE_CONFLICT);
	t = another_of(1);
	t.decided_at = FIXTURE_NOW + 3600;
	assert_int_equal(decide(f, t), STORE_OK);
	assert_int_equal(decide(f, another_of(2)), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM scep_transaction"), 2);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM scep_transaction "
						  "WHERE uuid LIKE 'f%' AND status = 'approved'"),
	    2);
}

/* ---- issuing ---- */

static enum enrolment_conflict what;

static enum store_rc
issue(struct store_fixture *f, unsigned enrolment, uint8_t number)
{
	struct transaction_row t = a_transaction(number, TRANSACTION_APPROVED);
	struct fixture_enrolment x;
	enum store_rc rc;

	fixture_enrolment(&x, enrolment, false);
	x.e.transaction_key = octets_of(t.key, sizeof(t.key));
	rc = store_commit_enrolment(f->store, &x.e, &what, &f->why);
	transaction_row_free(&t);
	return rc;
}

static void
an_approved_transaction_issues_once_and_keeps_its_certificate(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row want = a_transaction(1, TRANSACTION_ISSUED), have;
	struct fixture_enrolment x;
	struct buffer der = {0};

	assert_int_equal(decide(f, a_transaction(1, TRANSACTION_APPROVED)), STORE_OK);
	assert_int_equal(decide(f, a_transaction(2, TRANSACTION_APPROVED)), STORE_OK);
	assert_int_equal(issue(f, 7, 1), STORE_OK);
	assert_int_equal(issue(f, 8, 1), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_TRANSACTION);
	assert_string_not_equal(f->why.line, "");
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 1);
	assert_int_equal(store_transaction_get(f->store, want.key, &have, &der, &f->why), STORE_OK);
	strcpy(want.certificate_serial, "07000000111111111111111111111111");
	assert_same(&want, &have);
	fixture_enrolment(&x, 7, false);
	assert_true(octets_equal(buffer_octets(&der), x.e.certificate));
	buffer_free(&der);
	transaction_row_free(&have);
	transaction_row_free(&want);
	assert_int_equal(status_of(f, 2), TRANSACTION_APPROVED);
}

static void
what_is_rejected_failed_or_unknown_issues_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t = a_transaction(2, TRANSACTION_APPROVED);

	assert_int_equal(decide(f, a_transaction(1, TRANSACTION_REJECTED)), STORE_OK);
	assert_int_equal(decide(f, a_transaction(2, TRANSACTION_APPROVED)), STORE_OK);
	assert_int_equal(
	    store_transaction_fail(f->store, t.key, 2, "too long a name", &fixture_event, &f->why),
	    STORE_OK);
	transaction_row_free(&t);
	for (uint8_t number = 1; number <= 3; number++) {
		assert_int_equal(issue(f, number, number), STORE_CONFLICT);
		assert_int_equal(what, ENROLMENT_TRANSACTION);
	}
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 0);
}

/* The commit is one: what fails in it leaves the transaction as it was. */
static void
a_commit_that_fails_leaves_the_transaction_approved(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(decide(f, a_transaction(1, TRANSACTION_APPROVED)), STORE_OK);
	assert_int_equal(decide(f, a_transaction(2, TRANSACTION_APPROVED)), STORE_OK);
	assert_int_equal(issue(f, 7, 1), STORE_OK);
	assert_int_equal(issue(f, 7, 2), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_REPEAT);
	assert_int_equal(status_of(f, 2), TRANSACTION_APPROVED);
	assert_int_equal(issue(f, 8, 2), STORE_OK);
	assert_int_equal(status_of(f, 2), TRANSACTION_ISSUED);
}

static void
an_approved_transaction_that_the_rules_refuse_has_failed(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t = a_transaction(1, TRANSACTION_APPROVED), have;

	assert_int_equal(store_transaction_fail(f->store, t.key, 2, "x", &fixture_event, &f->why),
	    STORE_CONFLICT);
	assert_int_equal(events(f), 0);
	assert_int_equal(store_transaction_decide(f->store, &t, NULL, &f->why), STORE_OK);
	assert_int_equal(
	    store_transaction_fail(f->store, t.key, 2, "too long a name", &fixture_event, &f->why),
	    STORE_OK);
	assert_int_equal(events(f), 1);
	assert_int_equal(store_transaction_get(f->store, t.key, &have, NULL, &f->why), STORE_OK);
	assert_int_equal(have.status, TRANSACTION_FAILED);
	assert_int_equal(have.fail_info, 2);
	assert_string_equal(have.reason, "too long a name");
	assert_int_equal(have.sealed_password.len, 0);
	assert_true(have.csr.len > 0);
	transaction_row_free(&have);
	assert_int_equal(store_transaction_fail(f->store, t.key, 2, "x", &fixture_event, &f->why),
	    STORE_CONFLICT);
	transaction_row_free(&t);
	/* Nor what has been issued meanwhile. */
	t = a_transaction(2, TRANSACTION_APPROVED);
	assert_int_equal(store_transaction_decide(f->store, &t, NULL, &f->why), STORE_OK);
	assert_int_equal(issue(f, 1, 2), STORE_OK);
	assert_int_equal(store_transaction_fail(f->store, t.key, 2, "x", &fixture_event, &f->why),
	    STORE_CONFLICT);
	assert_int_equal(status_of(f, 2), TRANSACTION_ISSUED);
	transaction_row_free(&t);
}

/* ---- many ---- */

struct seen {
	int count, stop_at;
	uint8_t numbers[8];
};

static bool
see(void *ctx, const struct transaction_row *t)
{
	struct transaction_row want = a_transaction(t->key[0], t->status);
	struct seen *s = ctx;

	assert_same_listed(&want, t);
	assert_int_equal(t->csr.len, 0);
	transaction_row_free(&want);
	assert_true(s->count < 8);
	s->numbers[s->count++] = t->key[0];
	return s->count != s->stop_at;
}

static void
transactions_are_listed_newest_first(void **state)
{
	struct store_fixture *f = *state;
	struct seen s = {0};

	for (uint8_t i = 1; i <= 5; i++)
		assert_int_equal(decide(f, a_transaction(i, i % 2 ? TRANSACTION_APPROVED
								  : TRANSACTION_REJECTED)),
		    STORE_OK);
	assert_int_equal(store_transaction_list(f->store, 3, see, &s, &f->why), STORE_OK);
	assert_int_equal(s.count, 3);
	assert_memory_equal(s.numbers, "\5\4\3", 3);
	s = (struct seen){.stop_at = 1};
	assert_int_equal(store_transaction_list(f->store, 0, see, &s, &f->why), STORE_OK);
	assert_int_equal(s.count, 1);
}

static void
only_what_is_decided_and_expired_is_forgotten(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t;
	int deleted = -1;

	assert_int_equal(decide(f, a_transaction(1, TRANSACTION_APPROVED)), STORE_OK);
	assert_int_equal(decide(f, a_transaction(2, TRANSACTION_REJECTED)), STORE_OK);
	t = a_transaction(3, TRANSACTION_REJECTED);
	t.expires_at = FIXTURE_NOW - 1;
	assert_int_equal(decide(f, t), STORE_OK);
	assert_int_equal(issue(f, 1, 1), STORE_OK);
	assert_int_equal(
	    store_transaction_purge(f->store, FIXTURE_NOW, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 0);
	assert_int_equal(
	    store_transaction_purge(f->store, FIXTURE_NOW + 1, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 1);
	assert_int_equal(
	    store_transaction_purge(f->store, FIXTURE_NOW + 3600, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 0);
	assert_int_equal(
	    store_transaction_purge(f->store, FIXTURE_NOW + 3601, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 2);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 1);
}

static void
at_most_500_are_forgotten_at_once(void **state)
{
	struct store_fixture *f = *state;
	int deleted = -1;

	assert_int_equal(decide(f, a_transaction(1, TRANSACTION_REJECTED)), STORE_OK);
	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 501) "
	    "INSERT INTO scep_transaction (key, uuid, scep_profile_id, status, created_at, "
	    "expires_at, decided_at, decided_by, fail_info, transaction_id, message_type, method, "
	    "subject, key_type, csr, signer, repeat_key) SELECT CAST('k' || i AS BLOB), 'u' || i, "
	    "t.scep_profile_id, t.status, t.created_at, t.expires_at, t.decided_at, t.decided_by, "
	    "t.fail_info, t.transaction_id, t.message_type, t.method, t.subject, t.key_type, "
	    "t.csr, t.signer, t.repeat_key FROM n, scep_transaction t WHERE t.id = 1");
	assert_int_equal(
	    store_transaction_purge(f->store, FIXTURE_NOW + 3601, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 500);
	assert_int_equal(
	    store_transaction_purge(f->store, FIXTURE_NOW + 3601, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 1);
}

static void
each_status_has_its_name(void **state)
{
	(void)state;
	assert_string_equal(transaction_status_name(TRANSACTION_APPROVED), "approved");
	assert_string_equal(transaction_status_name(TRANSACTION_ISSUED), "issued");
	assert_string_equal(transaction_status_name(TRANSACTION_REJECTED), "rejected");
	assert_string_equal(transaction_status_name(TRANSACTION_FAILED), "failed");
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_approved_transaction_comes_back_whole_by_key_and_by_id),
	    ROWS(what_is_optional_may_be_empty),
	    ROWS(a_rejected_transaction_keeps_its_reason_and_no_password),
	    ROWS(a_decision_needs_its_profile_and_goes_with_it),
	    ROWS(of_two_decisions_about_one_request_the_first_stands),
	    ROWS(an_older_transaction_of_the_key_gives_way_once_it_is_over_and_not_before),
	    ROWS(an_approved_transaction_issues_once_and_keeps_its_certificate),
	    ROWS(what_is_rejected_failed_or_unknown_issues_nothing),
	    ROWS(a_commit_that_fails_leaves_the_transaction_approved),
	    ROWS(an_approved_transaction_that_the_rules_refuse_has_failed),
	    ROWS(transactions_are_listed_newest_first),
	    ROWS(only_what_is_decided_and_expired_is_forgotten),
	    ROWS(at_most_500_are_forgotten_at_once),
	    cmocka_unit_test(each_status_has_its_name),
	};

	return cmocka_run_group_tests_name("store_transaction", tests, NULL, NULL);
}
