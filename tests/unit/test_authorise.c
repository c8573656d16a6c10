/* test_authorise.c: static challenges, profiles without one, and modes that nobody serves. */
#include "tests/unit/authorise_fixture.h"

static void
the_right_static_challenge_is_allowed(void **state)
{
	struct authorisation a;

	(void)state;
	set_mode("static");
	assert_int_equal(decide("CN=a", ROOMS_CHALLENGE, 1, &a), AUTHORISE_ALLOW);
	assert_false(a.one_time);
	assert_string_equal(a.method, "static");
	assert_true(authorise_release(&rooms.authoriser, &a, true, &rooms.why));
	assert_true(authorise_committed(&rooms.authoriser, &a, clock_now_ms(), &rooms.why));
}

static void
a_wrong_static_challenge_is_denied_and_not_told(void **state)
{
	static const char *const wrong[] = {
	    "a wrong challenge", "a right challeng", "a right challenge ", "A right challenge", ""};
	struct authorisation a;

	(void)state;
	set_mode("static");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(decide("CN=a", wrong[i], 1, &a), AUTHORISE_DENY);
		is_told("wrong");
		assert_null(strstr(rooms.why.line, ROOMS_CHALLENGE));
		if (wrong[i][0] != '\0')
			assert_null(strstr(rooms.why.line, wrong[i]));
		assert_false(a.already_used);
	}
}

static void
a_missing_challenge_is_denied(void **state)
{
	struct authorisation a;

	(void)state;
	set_mode("static");
	assert_int_equal(decide("CN=a", NULL, 1, &a), AUTHORISE_DENY);
	is_told("has none");
}

static void
a_profile_without_a_challenge_denies_every_one(void **state)
{
	struct csr with = rooms_csr(pki_rsa_key(), "CN=a", ROOMS_CHALLENGE);
	struct csr without = rooms_csr(pki_rsa_key(), "CN=a", NULL);
	const uint8_t repeat_key[32] = {1};
	struct authorisation a;
	struct profile p;

	(void)state;
	set_mode("static");
	p = *rooms_profile(&rooms);
	p.scep.challenge_set = false;
	assert_int_equal(ask(&p, &with, repeat_key, 1, &a), AUTHORISE_DENY);
	memset(p.scep.challenge_hash, 0, sizeof(p.scep.challenge_hash));
	assert_int_equal(ask(&p, &without, repeat_key, 1, &a), AUTHORISE_DENY);
	p.scep.challenge_set = true;
	p.scep.challenge_mode[0] = '\0';
	assert_int_equal(ask(&p, &with, repeat_key, 1, &a), AUTHORISE_DENY);
	csr_free(&with);
	csr_free(&without);
}

static void
the_same_challenge_under_another_profile_is_another(void **state)
{
	uint8_t here[CHALLENGE_ID_SIZE], there[CHALLENGE_ID_SIZE];
	const struct octets challenge = octets_of_string(ROOMS_CHALLENGE);

	(void)state;
	assert_true(authorise_challenge_id(
	    rooms.manage.master_key, rooms_profile(&rooms)->scep.id, challenge, here));
	assert_true(
	    authorise_challenge_id(rooms.manage.master_key, "another profile", challenge, there));
	assert_memory_not_equal(here, there, sizeof(here));
	assert_memory_equal(here, rooms_profile(&rooms)->scep.challenge_hash, sizeof(here));
}

/* ---- none */

static void
nobody_enrols_by_challenge_where_the_mode_is_none(void **state)
{
	struct csr with = rooms_csr(pki_rsa_key(), "CN=a", ROOMS_CHALLENGE);
	struct csr without = rooms_csr(pki_rsa_key(), "CN=a", NULL);
	const uint8_t repeat_key[32] = {1};
	struct authorisation a;
	struct profile p;

	(void)state;
	set_mode("static");
	p = *rooms_profile(&rooms);
	snprintf(p.scep.challenge_mode, sizeof(p.scep.challenge_mode), "none");
	assert_int_equal(ask(&p, &with, repeat_key, 1, &a), AUTHORISE_DENY);
	assert_string_equal(a.method, "none");
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	is_told("\"none\"");
	assert_int_equal(ask(&p, &without, repeat_key, 1, &a), AUTHORISE_DENY);
	/* Somebody decides: then it may wait, whatever its challenge. */
	snprintf(p.scep.approval, sizeof(p.scep.approval), "manual");
	assert_int_equal(ask(&p, &with, repeat_key, 1, &a), AUTHORISE_ALLOW);
	assert_int_equal(ask(&p, &without, repeat_key, 1, &a), AUTHORISE_ALLOW);
	assert_string_equal(a.method, "none");
	assert_false(a.one_time);
	csr_free(&with);
	csr_free(&without);
}

static void
a_mode_that_nobody_serves_denies(void **state)
{
	static const char *const modes[] = {"", "Static", "statics", "certificate", "account"};
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", ROOMS_CHALLENGE);
	const uint8_t repeat_key[32] = {1};
	struct authorisation a;
	struct profile p;

	(void)state;
	set_mode("static");
	p = *rooms_profile(&rooms);
	assert_int_equal(ask(&p, &csr, repeat_key, 1, &a), AUTHORISE_ALLOW);
	snprintf(p.scep.approval, sizeof(p.scep.approval), "manual");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(p.scep.challenge_mode, sizeof(p.scep.challenge_mode), "%s", modes[i]);
		assert_int_equal(ask(&p, &csr, repeat_key, 1, &a), AUTHORISE_DENY);
		assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	}
	csr_free(&csr);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_right_static_challenge_is_allowed),
	    cmocka_unit_test(a_wrong_static_challenge_is_denied_and_not_told),
	    cmocka_unit_test(a_missing_challenge_is_denied),
	    cmocka_unit_test(a_profile_without_a_challenge_denies_every_one),
	    cmocka_unit_test(the_same_challenge_under_another_profile_is_another),
	    cmocka_unit_test(nobody_enrols_by_challenge_where_the_mode_is_none),
	    cmocka_unit_test(a_mode_that_nobody_serves_denies),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
