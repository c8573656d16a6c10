/* test_manage_renewal.c: what a profile says of renewal, approval by hand and curves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "tests/unit/manage_fixture.h"

static int
setup(void **state)
{
	if (manage_fixture_setup(state) != 0)
		return -1;
	manage_fixture_authority(*state);
	manage_fixture_profile(*state, "demo", "2987577aaeea1613a03e81a5");
	return 0;
}

static enum manage_rc
set(struct manage_fixture *f, const struct manage_profile_change *c)
{
	struct manage_profile p;

	return manage_profile_set(&f->manage, &f->actor, "demo", c, &p, manage_fixture_report(f));
}

static struct manage_profile
get(struct manage_fixture *f, const char *name)
{
	struct manage_profile p;

	assert_int_equal(
	    manage_profile_get(&f->manage, name, &p, manage_fixture_report(f)), MANAGE_OK);
	return p;
}

static void
a_new_profile_renews_by_certificate_and_approves_by_itself(void **state)
{
	struct manage_profile p = get(*state, "demo");

	assert_string_equal(p.scep.approval, "auto");
	assert_int_equal(p.scep.transaction_expiry_s, 7 * 86400);
	assert_int_equal(p.scep.max_transactions, 1000);
	assert_true(p.scep.certificate_renewal && p.scep.same_key_renewal);
	assert_int_equal(p.scep.renewal_threshold_days, 0);
	assert_int_equal(p.scep.max_successors, 5);
	assert_int_equal(p.scep.renew_from_count, 0);
	assert_string_equal(p.scep.lineage, p.scep.id);
	assert_string_equal(p.ra.curves, "P-256,P-384,P-521");
}

static void
what_is_set_of_renewal_is_there_and_the_audit_has_before_and_after(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_profile p;

	c.approval = "manual";
	c.transaction_expiry_s = 3600;
	c.max_transactions = 7;
	c.certificate_renewal = 0;
	c.same_key_renewal = 0;
	c.renewal_threshold_days = 30;
	c.max_successors = 0;
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_string_equal(manage_fixture_event(f),
	    "profile.update: approval: auto -> manual; transactionTtl: 604800 -> 3600; "
	    "maxTransactions: 1000 -> 7; certificateRenewal: yes -> no; sameKeyRenewal: yes -> no; "
	    "renewalThresholdDays: 0 -> 30; maxSuccessors: 5 -> 0");
	p = get(f, "demo");
	assert_string_equal(p.scep.approval, "manual");
	assert_int_equal(p.scep.transaction_expiry_s, 3600);
	assert_int_equal(p.scep.max_transactions, 7);
	assert_false(p.scep.certificate_renewal || p.scep.same_key_renewal);
	assert_int_equal(p.scep.renewal_threshold_days, 30);
	assert_int_equal(p.scep.max_successors, 0);
}

static void
limits_of_renewal_are_told_all_at_once(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	c.approval = "perhaps";
	c.transaction_expiry_s = 3599;
	c.max_transactions = 0;
	c.renewal_threshold_days = 36501;
	c.max_successors = 1000001;
	c.curves = "P-256,P-192";
	c.renew_from = "nobody";
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	assert_int_equal(f->report.fault_count, 7);
	assert_true(manage_fixture_faults(f, "approval"));
	assert_true(manage_fixture_faults(f, "renewFrom"));
	assert_true(manage_fixture_faults(f, "curves"));
	c = (struct manage_profile_change)MANAGE_PROFILE_KEEP;
	c.transaction_expiry_s = 90 * 86400 + 1;
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	c.transaction_expiry_s = 90 * 86400;
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_int_equal(get(f, "demo").scep.version, 2);
}

static void
a_threshold_that_is_no_threshold_is_warned_of(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	c.renewal_threshold_days = 364;
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 0);
	c.renewal_threshold_days = 365;
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 1);
}

static void
curves_are_kept_in_their_order_and_may_be_none(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	c.curves = "p-521,P-256,P-521";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_string_equal(get(f, "demo").ra.curves, "P-256,P-521");
	c.curves = "none";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_string_equal(get(f, "demo").ra.curves, "");
	assert_string_equal(
	    manage_fixture_event(f), "raProfile.update: curves: P-256,P-521 -> none");
	c.curves = "P-256,";
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	c.curves = "P-384";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_string_equal(get(f, "demo").ra.curves, "P-384");
	c.curves = "";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_string_equal(get(f, "demo").ra.curves, "");
}

static void
profiles_to_renew_from_are_given_by_name_or_uuid_and_told_by_name(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_profile p;
	char list[128];

	manage_fixture_profile(f, "older", NULL);
	manage_fixture_profile(f, "eldest", NULL);
	p = get(f, "eldest");
	snprintf(list, sizeof(list), "older,%s,older,demo", p.scep.id);
	c.renew_from = list;
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_string_equal(
	    manage_fixture_event(f), "profile.update: renewFrom: none -> older,eldest");
	p = get(f, "demo");
	assert_int_equal(p.scep.renew_from_count, 2);
	assert_string_equal(p.renew_from[0], "older");
	assert_string_equal(p.renew_from[1], "eldest");
	assert_string_equal(p.scep.renew_from[0], get(f, "older").scep.id);
	c.renew_from = "older,,eldest";
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	c.renew_from = "older,";
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	c.renew_from = "";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_int_equal(get(f, "demo").scep.renew_from_count, 0);
}

static void
a_deleted_profile_to_renew_from_is_told_by_its_uuid(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_profile p, gone;

	manage_fixture_profile(f, "older", NULL);
	gone = get(f, "older");
	c.renew_from = "older";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_int_equal(
	    manage_profile_delete(&f->manage, &f->actor, "older", manage_fixture_report(f)),
	    MANAGE_OK);
	p = get(f, "demo");
	assert_string_equal(p.renew_from[0], gone.scep.id);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_new_profile_renews_by_certificate_and_approves_by_itself),
	    CASE(what_is_set_of_renewal_is_there_and_the_audit_has_before_and_after),
	    CASE(limits_of_renewal_are_told_all_at_once),
	    CASE(a_threshold_that_is_no_threshold_is_warned_of),
	    CASE(curves_are_kept_in_their_order_and_may_be_none),
	    CASE(profiles_to_renew_from_are_given_by_name_or_uuid_and_told_by_name),
	    CASE(a_deleted_profile_to_renew_from_is_told_by_its_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
