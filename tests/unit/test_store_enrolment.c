#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store_fixture.h"

static enum enrolment_conflict what;

static enum store_rc
commit(struct store_fixture *f, const struct fixture_enrolment *x)
{
	return store_commit_enrolment(f->store, &x->e, &what, &f->why);
}

#define assert_committed(f, x)                                                                     \
	do {                                                                                       \
		if (commit(f, x) != STORE_OK)                                                      \
			fail_msg("conflict %d: %s", (int)what, (f)->why.line);                     \
		assert_int_equal(what, ENROLMENT_NO_CONFLICT);                                     \
	} while (0)

#define assert_conflict(f, x, which)                                                               \
	do {                                                                                       \
		assert_int_equal(commit(f, x), STORE_CONFLICT);                                    \
		assert_int_equal(what, which);                                                     \
		assert_string_not_equal((f)->why.line, "");                                        \
	} while (0)

/* Each certificate has its event, and a refused commit leaves nothing. */
static void
assert_rows(struct store_fixture *f, int certificates, int uses)
{
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM certificate"), certificates);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM audit_event"), certificates);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM challenge_use"), uses);
}

static void
change_profile(struct store_fixture *f, void (*change)(struct scep_profile_row *p))
{
	struct scep_profile_row p;

	assert_int_equal(store_scep_profile_get(f->store, "demo", &p, &f->why), STORE_OK);
	change(&p);
	if (store_scep_profile_update(f->store, &p, NULL, &f->why) != STORE_OK)
		fail_msg("%s", f->why.line);
}

static void
a_commit_writes_certificate_use_and_event(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, true);
	assert_committed(f, &x);
	assert_rows(f, 1, 1);
	assert_int_equal(
	    store_fixture_integer(f,
		"SELECT count(*) FROM certificate c JOIN scep_profile s ON s.id = "
		"c.scep_profile_id JOIN ra_profile r ON r.id = c.ra_profile_id JOIN authority a "
		"ON a.id = c.authority_id JOIN challenge_use u ON u.certificate_id = c.id "
		"WHERE c.status = 'valid' AND c.purpose = 'device' AND length(c.der) = 1000 "
		"AND c.subject = 'CN=device,O=Example' AND c.san IS NULL AND u.use = 0 "
		"AND c.not_before = 1799999700 AND c.not_after = 1800086400 "
		"AND c.created_at = 1800000000 AND s.name = 'demo' AND a.name = 'ca'"),
	    1);
}

static void
a_commit_leaves_the_version_of_the_configuration_alone(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	int64_t before, after;

	fixture_enrolment(&x, 1, true);
	assert_int_equal(store_config_version(f->store, &before, &f->why), STORE_OK);
	assert_committed(f, &x);
	assert_int_equal(store_config_version(f->store, &after, &f->why), STORE_OK);
	assert_int_equal(before, after);
}

static void
a_certificate_outside_scep_needs_no_profile(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, false);
	x.e.scep_profile_id = x.e.ra_profile_id = NULL;
	x.e.repeat_key = octets_of(NULL, 0);
	x.e.purpose = "server";
	assert_committed(f, &x);
	assert_rows(f, 1, 0);
	/* But it does need its authority. */
	fixture_enrolment(&x, 2, false);
	x.e.scep_profile_id = x.e.ra_profile_id = NULL;
	x.e.authority_id = FIXTURE_RA_PROFILE;
	assert_conflict(f, &x, ENROLMENT_PROFILE);
	assert_rows(f, 1, 0);
}

static void
a_commit_without_event_or_with_another_serial_length_is_refused(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, false);
	x.e.event = NULL;
	assert_int_equal(commit(f, &x), STORE_AWAY);
	fixture_enrolment(&x, 1, false);
	x.e.serial.len = 15;
	assert_int_equal(commit(f, &x), STORE_AWAY);
	assert_rows(f, 0, 0);
}

/* ---- repeats ---- */

static void
the_same_request_again_is_a_repeat_and_gets_its_certificate(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment first, again;
	struct buffer der = {0};
	bool undelivered = true;

	fixture_enrolment(&first, 1, true);
	assert_committed(f, &first);
	/* Its own serial and another certificate, since it was issued anew; the same key and challenge. */
	fixture_enrolment(&again, 2, true);
	again.e.repeat_key = first.e.repeat_key;
	again.e.challenge_id = first.e.challenge_id;
	assert_conflict(f, &again, ENROLMENT_REPEAT);
	assert_rows(f, 1, 1);
	assert_int_equal(store_repeat(f->store, again.e.repeat_key, again.e.repeat_since,
			     again.e.now, &der, &undelivered, &f->why),
	    STORE_OK);
	assert_true(octets_equal(buffer_octets(&der), first.e.certificate));
	buffer_free(&der);
}

static void
another_request_is_no_repeat(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment first, other;
	struct buffer der = {0};
	bool undelivered;

	fixture_enrolment(&first, 1, true);
	fixture_enrolment(&other, 2, true);
	assert_committed(f, &first);
	assert_int_equal(store_repeat(f->store, other.e.repeat_key, other.e.repeat_since,
			     other.e.now, &der, &undelivered, &f->why),
	    STORE_NONE);
	assert_int_equal(der.len, 0);
	assert_committed(f, &other);
	assert_rows(f, 2, 2);
}

static void
requests_without_a_repeat_key_are_never_repeats(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment a, b;

	fixture_enrolment(&a, 1, false);
	fixture_enrolment(&b, 2, false);
	a.e.repeat_key = b.e.repeat_key = octets_of(NULL, 0);
	assert_committed(f, &a);
	assert_committed(f, &b);
	assert_rows(f, 2, 0);
}

static enum store_rc
repeat_at(struct store_fixture *f, const struct fixture_enrolment *x, int64_t since, int64_t now)
{
	struct buffer der = {0};
	bool undelivered = true;
	enum store_rc rc =
	    store_repeat(f->store, x->e.repeat_key, since, now, &der, &undelivered, &f->why);

	assert_true(rc != STORE_OK || !undelivered);
	assert_true((rc == STORE_OK) == (der.len > 0));
	buffer_free(&der);
	return rc;
}

/* Commit number 2 with the repeat key of number 1 at these times. */
static void
commit_again(struct store_fixture *f, const struct fixture_enrolment *first, int64_t since,
    int64_t now, bool taken_over)
{
	struct fixture_enrolment again;

	fixture_enrolment(&again, 2, false);
	again.e.repeat_key = first->e.repeat_key;
	again.e.repeat_since = since;
	again.e.now = now;
	again.e.not_after = now + 1000;
	if (!taken_over) {
		assert_conflict(f, &again, ENROLMENT_REPEAT);
		assert_int_equal(repeat_at(f, first, since, now), STORE_OK);
		return;
	}
	assert_int_equal(repeat_at(f, first, since, now), STORE_NONE);
	assert_committed(f, &again);
	assert_rows(f, 2, 0);
	assert_int_equal(store_fixture_integer(
			     f, "SELECT count(*) FROM certificate WHERE repeat_key IS NOT NULL"),
	    1);
	assert_int_equal(repeat_at(f, first, since, now), STORE_OK);
}

static void
a_repeat_at_the_start_of_its_window_is_one(void **state)
{
	struct fixture_enrolment first;

	fixture_enrolment(&first, 1, false);
	assert_committed((struct store_fixture *)*state, &first);
	commit_again(*state, &first, FIXTURE_NOW, FIXTURE_NOW + 10, false);
}

static void
a_repeat_after_its_window_gets_a_new_certificate(void **state)
{
	struct fixture_enrolment first;

	fixture_enrolment(&first, 1, false);
	assert_committed((struct store_fixture *)*state, &first);
	commit_again(*state, &first, FIXTURE_NOW + 1, FIXTURE_NOW + 10, true);
}

static void
a_repeat_while_the_first_certificate_is_valid_is_one(void **state)
{
	struct fixture_enrolment first;

	fixture_enrolment(&first, 1, false);
	assert_committed((struct store_fixture *)*state, &first);
	commit_again(*state, &first, 0, first.e.not_after, false);
}

static void
a_repeat_after_the_first_certificate_expired_gets_a_new_one(void **state)
{
	struct fixture_enrolment first;

	fixture_enrolment(&first, 1, false);
	assert_committed((struct store_fixture *)*state, &first);
	commit_again(*state, &first, 0, first.e.not_after + 1, true);
}

static void
a_repeat_after_the_first_certificate_was_revoked_gets_a_new_one(void **state)
{
	struct fixture_enrolment first;

	fixture_enrolment(&first, 1, false);
	assert_committed((struct store_fixture *)*state, &first);
	store_fixture_script(*state, "UPDATE certificate SET status = 'revoked'");
	commit_again(*state, &first, 0, FIXTURE_NOW + 10, true);
}

/* Taking over a repeat key is part of the transaction: what fails after it leaves the key where it was. */
static void
a_takeover_that_fails_leaves_the_repeat_key_with_its_holder(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment first, again;

	fixture_enrolment(&first, 1, true);
	assert_committed(f, &first);
	fixture_enrolment(&again, 2, true);
	again.e.repeat_key = first.e.repeat_key;
	again.e.challenge_id = first.e.challenge_id;
	again.e.repeat_since = FIXTURE_NOW + 1;
	assert_conflict(f, &again, ENROLMENT_CHALLENGE);
	assert_rows(f, 1, 1);
	assert_int_equal(repeat_at(f, &first, 0, FIXTURE_NOW), STORE_OK);
}

/* ---- the other conflicts ---- */

static void
a_used_challenge_with_another_csr_issues_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment first, other;

	fixture_enrolment(&first, 1, true);
	assert_int_equal(store_challenge_used(f->store, first.e.challenge_id, &f->why), STORE_NONE);
	assert_committed(f, &first);
	assert_int_equal(store_challenge_used(f->store, first.e.challenge_id, &f->why), STORE_OK);
	fixture_enrolment(&other, 2, true);
	other.e.challenge_id = first.e.challenge_id;
	assert_conflict(f, &other, ENROLMENT_CHALLENGE);
	assert_rows(f, 1, 1);
	/* A second use that was granted is another row. */
	other.e.challenge_use = 1;
	assert_committed(f, &other);
	assert_rows(f, 2, 2);
}

static void
a_serial_that_is_taken_issues_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment first, other;

	fixture_enrolment(&first, 1, false);
	assert_committed(f, &first);
	fixture_enrolment(&other, 2, false);
	other.e.serial = first.e.serial;
	assert_conflict(f, &other, ENROLMENT_SERIAL);
	assert_rows(f, 1, 0);
}

static void
disable(struct scep_profile_row *p)
{
	p->enabled = false;
}

static void
a_profile_disabled_meanwhile_issues_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, true);
	change_profile(f, disable);
	assert_conflict(f, &x, ENROLMENT_PROFILE);
	assert_rows(f, 0, 0);
	/* Nor where no challenge is re-checked. */
	x.e.challenge_version = 0;
	assert_conflict(f, &x, ENROLMENT_PROFILE);
}

static void
a_profile_that_is_gone_issues_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, true);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, NULL, &f->why), STORE_OK);
	assert_conflict(f, &x, ENROLMENT_PROFILE);
	assert_rows(f, 0, 0);
}

static void
change_hash(struct scep_profile_row *p)
{
	p->challenge_hash[31] ^= 1;
}

static void
change_mode(struct scep_profile_row *p)
{
	strcpy(p->challenge_mode, "dynamic");
}

static void
clear_challenge(struct scep_profile_row *p)
{
	p->challenge_set = false;
}

static void
a_challenge_changed_meanwhile_issues_nothing(void **state)
{
	void (*const changes[])(struct scep_profile_row *) = {
	    change_hash, change_mode, clear_challenge};
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	struct scep_profile_row p;
	unsigned i;

	for (i = 0; i < 3; i++) {
		fixture_enrolment(&x, i, false);
		assert_int_equal(store_scep_profile_get(f->store, "demo", &p, &f->why), STORE_OK);
		x.e.challenge_version = p.challenge_version;
		change_profile(f, changes[i]);
		assert_conflict(f, &x, ENROLMENT_PROFILE);
		/* What was authorised without a challenge goes on. */
		x.e.challenge_version = 0;
		assert_committed(f, &x);
		assert_rows(f, (int)i + 1, 0);
	}
}

static void
change_text(struct scep_profile_row *p)
{
	strcpy(p->description, "another");
	p->max_pending++;
}

static void
a_profile_changed_elsewhere_meanwhile_still_issues(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, true);
	change_profile(f, change_text);
	assert_committed(f, &x);
}

static void
another_ra_profile_or_authority_meanwhile_issues_nothing(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, false);
	x.e.ra_profile_id = FIXTURE_AUTHORITY;
	assert_conflict(f, &x, ENROLMENT_PROFILE);
	fixture_enrolment(&x, 1, false);
	x.e.authority_id = FIXTURE_RA_PROFILE;
	assert_conflict(f, &x, ENROLMENT_PROFILE);
	assert_rows(f, 0, 0);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_commit_writes_certificate_use_and_event),
	    ROWS(a_commit_leaves_the_version_of_the_configuration_alone),
	    ROWS(a_certificate_outside_scep_needs_no_profile),
	    ROWS(a_commit_without_event_or_with_another_serial_length_is_refused),
	    ROWS(the_same_request_again_is_a_repeat_and_gets_its_certificate),
	    ROWS(another_request_is_no_repeat),
	    ROWS(requests_without_a_repeat_key_are_never_repeats),
	    ROWS(a_repeat_at_the_start_of_its_window_is_one),
	    ROWS(a_repeat_after_its_window_gets_a_new_certificate),
	    ROWS(a_repeat_while_the_first_certificate_is_valid_is_one),
	    ROWS(a_repeat_after_the_first_certificate_expired_gets_a_new_one),
	    ROWS(a_repeat_after_the_first_certificate_was_revoked_gets_a_new_one),
	    ROWS(a_takeover_that_fails_leaves_the_repeat_key_with_its_holder),
	    ROWS(a_used_challenge_with_another_csr_issues_nothing),
	    ROWS(a_serial_that_is_taken_issues_nothing),
	    ROWS(a_profile_disabled_meanwhile_issues_nothing),
	    ROWS(a_profile_that_is_gone_issues_nothing),
	    ROWS(a_challenge_changed_meanwhile_issues_nothing),
	    ROWS(a_profile_changed_elsewhere_meanwhile_still_issues),
	    ROWS(another_ra_profile_or_authority_meanwhile_issues_nothing),
	};

	return cmocka_run_group_tests_name("store_enrolment", tests, NULL, NULL);
}
