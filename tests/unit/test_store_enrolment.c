#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store_fixture.h"

static enum enrolment_conflict what;

static enum store_rc
commit(struct store_fixture *f, const struct enrolment *e)
{
	return store_commit_enrolment(f->store, e, &what, &f->why);
}

static void
a_commit_writes_certificate_use_and_event(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, true);
	assert_int_equal(commit(f, &x.e), STORE_OK);
	assert_int_equal(what, ENROLMENT_NO_CONFLICT);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 1);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM challenge_use"), 1);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 1);
	assert_int_equal(store_fixture_integer(f, "SELECT version FROM config_version"), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_commit_writes_certificate_use_and_event,
		store_fixture_setup, store_fixture_teardown),
	};

	return cmocka_run_group_tests_name("store_enrolment", tests, NULL, NULL);
}
