/* test_manage_field.c: field rules of a profile one by one, and what else says what may be in its certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/cli/profile.h"
#include "fcgi-admin/manage/field.h"
#include "tests/unit/manage_fixture.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

static struct rooms rooms;
static struct manage_profile profile;
static struct manage_report report;
static const struct manage_actor actor = {.who = "scepctl:test"};

static struct field_row
rule(const char *text)
{
	struct field_row f;
	struct errbuf why = {0};

	if (!field_rule_read(text, &f, &why))
		fail_msg("%s: %s", text, why.line);
	return f;
}

static enum manage_rc
add(const char *text)
{
	struct field_row f = rule(text);

	memset(&report, 0, sizeof(report));
	return manage_field_add(&rooms.manage, &actor, ROOMS_PROFILE, &f, 1, &profile, &report);
}

static enum manage_rc
change(const char *which, const char *text)
{
	struct field_row f = rule(text);

	memset(&report, 0, sizeof(report));
	return manage_field_set(&rooms.manage, &actor, ROOMS_PROFILE, which, &f, &profile, &report);
}

static enum manage_rc
delete_rule(const char *which)
{
	memset(&report, 0, sizeof(report));
	return manage_field_delete(&rooms.manage, &actor, ROOMS_PROFILE, which, &profile, &report);
}

static enum manage_rc
set(const struct manage_profile_change *c)
{
	memset(&report, 0, sizeof(report));
	return manage_profile_set(&rooms.manage, &actor, ROOMS_PROFILE, c, &profile, &report);
}

static void
assert_rules(const char *expected)
{
	struct buffer text = {0};

	for (int i = 0; i < profile.ra.field_count; i++) {
		buffer_append_string(&text, i > 0 ? " | " : "");
		manage_field_text(&profile.ra.fields[i], &text);
	}
	assert_string_equal(buffer_string(&text), expected);
	buffer_free(&text);
}

/* The newest audit row of an action has this reason. */
static void
assert_event(const char *action, const char *reason)
{
	char where[512];

	snprintf(where, sizeof(where),
	    "audit_event WHERE action = '%s' AND reason = '%s' AND id = (SELECT max(id) FROM "
	    "audit_event WHERE action = '%s')",
	    action, reason, action);
	if (rooms_count(&rooms, where) != 1)
		fail_msg("want %s: %s", action, reason);
}

static int
setup(void **state)
{
	(void)state;
	rooms_open(&rooms, false);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rooms_close(&rooms);
	return 0;
}

static void
issue_one(void)
{
	struct csr csr = rooms_csr(pki_ec_key(), "CN=x,O=y,title=t", ROOMS_CHALLENGE);
	uint8_t repeat_key[32];
	struct issue_order order = rooms_order(&rooms, &csr, 1, repeat_key, clock_now());
	struct issue_result result;

	if (issue_certificate(rooms.manage.store, &order, &result, &rooms.why) != ISSUE_DONE)
		fail_msg("%s", rooms.why.line);
	issue_result_free(&result);
	csr_free(&csr);
}

/* ---- rules as text ---------------------------------------------------------------------------------------------------------- */

static void
a_rule_reads_as_it_is_written(void **state)
{
	static const char *const rules[] = {"subject.commonName", "san.dns,required,multiple",
	    "subject.title,source=manual", "subject.title,required,source=manual,min=1,max=20",
	    "san.dns,min=2,pattern=[a-z]{1,3},x=[0-9]+",
	    "subject.organization,fixed=A, b=c,required",
	    "subject.serialNumber,max=64,pattern=a,b"};

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct field_row f = rule(rules[i]);
		struct buffer text = {0};

		manage_field_text(&f, &text);
		assert_string_equal(buffer_string(&text), rules[i]);
		buffer_free(&text);
	}
	assert_string_equal(rule("san.dns,pattern=a,{2},min=3,required").pattern, "a,{2}");
	assert_int_equal(rule("san.dns,pattern=a,{2},min=3,required").min_length, 3);
	assert_true(rule("san.dns,pattern=a,{2},min=3,required").required);
}

static void
what_is_no_rule_is_refused(void **state)
{
	static const char *const bad[] = {"", ",required", "san.dns,requird",
	    "san.dns,min=", "san.dns,min=x", "san.dns,max=-1", "san.dns,source=fixed",
	    "san.dns,fixed=", "san.dns,pattern=", "san.dns,source=manual,fixed=x", "san.dns,",
	    "a.type.that.is.much.too.long.for.a.field"};
	char longest[400];
	struct errbuf why;
	struct field_row f;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why.line[0] = '\0';
		if (field_rule_read(bad[i], &f, &why) || why.line[0] == '\0')
			fail_msg("%s is read", bad[i]);
	}
	snprintf(longest, sizeof(longest), "san.dns,pattern=%0300d", 0);
	assert_false(field_rule_read(longest, &f, &why));
	snprintf(longest, sizeof(longest), "san.dns,fixed=%0300d", 0);
	assert_false(field_rule_read(longest, &f, &why));
}

/* ---- one by one ------------------------------------------------------------------------------------------------------------- */

static void
rules_are_added_changed_and_deleted(void **state)
{
	struct field_row two[] = {rule("subject.commonName,required"), rule("san.dns")};

	(void)state;
	assert_int_equal(
	    manage_field_add(&rooms.manage, &actor, ROOMS_PROFILE, two, 2, &profile, &report),
	    MANAGE_OK);
	assert_rules("subject.commonName,required | san.dns");
	assert_event("raProfile.update", "fields: 0 -> 2 (+subject.commonName,required; +san.dns)");
	assert_int_equal(add("san.dns,fixed=a.example"), MANAGE_OK);
	assert_int_equal(change("2", "san.dns,multiple,pattern=[a-z.]+"), MANAGE_OK);
	assert_event(
	    "raProfile.update", "fields: 3 -> 3 (-san.dns; +san.dns,multiple,pattern=[a-z.]+)");
	assert_int_equal(change("san.dns/fixed", "san.dns,fixed=b.example"), MANAGE_OK);
	assert_rules("subject.commonName,required | san.dns,multiple,pattern=[a-z.]+ | "
		     "san.dns,fixed=b.example");
	assert_int_equal(delete_rule("san.dns"), MANAGE_CONFLICT); /* which of the two? */
	assert_int_equal(delete_rule("san.dns/scepRequest"), MANAGE_OK);
	assert_event("raProfile.update", "fields: 3 -> 2 (-san.dns,multiple,pattern=[a-z.]+)");
	assert_int_equal(
	    delete_rule("subject.commonName"), MANAGE_OK); /* required, but nothing was issued */
	assert_int_equal(delete_rule("1"), MANAGE_OK);
	assert_rules("");
	assert_int_equal(delete_rule("1"), MANAGE_NOT_FOUND);
	assert_int_equal(delete_rule("san.dns"), MANAGE_NOT_FOUND);
	assert_int_equal(change("1", "san.dns"), MANAGE_NOT_FOUND);
}

static void
a_rule_stays_for_its_field(void **state)
{
	(void)state;
	assert_int_equal(add("san.dns"), MANAGE_OK);
	assert_int_equal(change("1", "san.ip"), MANAGE_INVALID);
	assert_int_equal(change("1", "san.dns,source=manual"), MANAGE_OK);
	assert_rules("san.dns,source=manual");
}

static void
rules_that_cannot_be_kept_are_refused(void **state)
{
	static const char *const bad[] = {"subject.x", "san.other",
	    "subject.country,fixed=Switzerland", "subject.serialNumber,fixed=a_b",
	    "subject.email,fixed=\xc3\xa4@b", "san.ip,fixed=1.2.3", "san.uri,fixed=x",
	    "san.directoryName,fixed=XX=y", "san.registeredId,fixed=1.x", "san.dns,pattern=(",
	    "san.dns,pattern=(a)\\1", "san.dns,pattern=((a{200}){200}){200}", "san.dns,max=3000",
	    "san.dns,min=3,max=2", "san.dns,min=1,fixed=a.example"};
	static const char *const good[] = {"subject.country,fixed=CH",
	    "subject.serialNumber,fixed=a-b", "san.ip,fixed=2001:db8::1", "san.uri,fixed=urn:x",
	    "san.directoryName,fixed=O=x,CN=y", "san.registeredId,fixed=1.2.3", "san.upn,fixed=a@b",
	    "subject.domainComponent,fixed=org", "subject.domainComponent,fixed=example",
	    "san.dns,max=2048,min=3"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (add(bad[i]) != MANAGE_INVALID)
			fail_msg("%s is kept", bad[i]);
	assert_int_equal(rooms_count(&rooms, "ra_profile_field"), 0);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (add(good[i]) != MANAGE_OK)
			fail_msg("%s: %s", good[i], report.why.line);
	/* One rule for what is asked for, one for what is given. */
	assert_int_equal(add("san.dns,required"), MANAGE_INVALID);
	assert_int_equal(add("san.dns,source=manual"), MANAGE_OK);
	assert_int_equal(add("san.dns,source=manual"), MANAGE_INVALID);
}

static void
a_required_field_of_a_profile_in_use_stays(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct field_row title = rule("subject.title");

	(void)state;
	assert_int_equal(add("subject.commonName,required"), MANAGE_OK);
	assert_int_equal(add("subject.title"), MANAGE_OK);
	issue_one();
	assert_int_equal(delete_rule("subject.commonName"), MANAGE_CONFLICT);
	assert_non_null(strstr(report.why.line, "clone"));
	c.field_count = 0;
	assert_int_equal(set(&c), MANAGE_CONFLICT);
	c.fields = &title;
	c.field_count = 1;
	assert_int_equal(set(&c), MANAGE_CONFLICT);
	assert_int_equal(delete_rule("subject.title"), MANAGE_OK);
	assert_int_equal(change("1", "subject.commonName,required,max=10"), MANAGE_OK);
	assert_rules("subject.commonName,required,max=10");
	assert_int_equal(change("1", "subject.commonName"), MANAGE_OK);
	assert_int_equal(delete_rule("1"), MANAGE_OK);
}

/* ---- the other options ------------------------------------------------------------------------------------------------------ */

static void
what_else_is_set_is_kept_and_audited(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	(void)state;
	c.not_after = 2000000000;
	c.microsoft_sid = c.microsoft_template = c.unique_keys = 1;
	c.duplicates = "replace";
	c.duplicate_grace_s = 3600;
	assert_int_equal(set(&c), MANAGE_OK);
	assert_int_equal(report.warning_count, 1); /* of the SID */
	assert_int_equal(profile.ra.not_after, 2000000000);
	assert_true(profile.ra.microsoft_sid && profile.ra.microsoft_template);
	assert_true(profile.scep.unique_keys);
	assert_string_equal(profile.scep.duplicates, "replace");
	assert_int_equal(profile.scep.duplicate_grace_s, 3600);
	assert_event("raProfile.update", "notAfter: none -> 2033-05-18T03:33:20Z; microsoftSid: no "
					 "-> yes; microsoftTemplate: no -> yes");
	assert_event("profile.update",
	    "duplicates: allow -> replace; duplicateGrace: 604800 -> 3600; uniqueKeys: no -> yes");
	c = (struct manage_profile_change)MANAGE_PROFILE_KEEP;
	c.not_after = 0;
	assert_int_equal(set(&c), MANAGE_OK);
	assert_event("raProfile.update", "notAfter: 2033-05-18T03:33:20Z -> none");
}

static void
what_makes_no_sense_is_refused(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	(void)state;
	c.not_after = clock_now() - 1;
	assert_int_equal(set(&c), MANAGE_INVALID);
	c = (struct manage_profile_change)MANAGE_PROFILE_KEEP;
	c.duplicates = "maybe";
	assert_int_equal(set(&c), MANAGE_INVALID);
	c = (struct manage_profile_change)MANAGE_PROFILE_KEEP;
	c.duplicate_grace_s = 366 * 86400;
	assert_int_equal(set(&c), MANAGE_INVALID);
}

static void
a_copy_has_the_rules(void **state)
{
	const struct manage_profile_change keep = MANAGE_PROFILE_KEEP;
	const struct manage_profile_clone o = {
	    .name = "copy", .ra_key = "rsa:2048", .change = &keep};
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	(void)state;
	assert_int_equal(add("subject.title,source=manual,pattern=[A-Z]+"), MANAGE_OK);
	c.not_after = 2000000000;
	c.microsoft_sid = 1;
	c.duplicates = "refuse";
	assert_int_equal(set(&c), MANAGE_OK);
	memset(&report, 0, sizeof(report));
	assert_int_equal(
	    manage_profile_clone(&rooms.manage, &actor, ROOMS_PROFILE, &o, &profile, &report),
	    MANAGE_OK);
	assert_rules("subject.title,source=manual,pattern=[A-Z]+");
	assert_int_equal(profile.ra.not_after, 2000000000);
	assert_true(profile.ra.microsoft_sid);
	assert_string_equal(profile.scep.duplicates, "refuse");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rule_reads_as_it_is_written),
	    cmocka_unit_test(what_is_no_rule_is_refused),
	    cmocka_unit_test_setup_teardown(rules_are_added_changed_and_deleted, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_rule_stays_for_its_field, setup, teardown),
	    cmocka_unit_test_setup_teardown(rules_that_cannot_be_kept_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_required_field_of_a_profile_in_use_stays, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_else_is_set_is_kept_and_audited, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_copy_has_the_rules, setup, teardown),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	pki_free_keys();
	return failed;
}
