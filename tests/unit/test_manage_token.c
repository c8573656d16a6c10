/* test_manage_token.c: API tokens, from their making to their end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "fcgi-admin/access/access.h"
#include "fcgi-admin/manage/token.h"
#include "tests/unit/manage_fixture.h"

static char token[MANAGE_TOKEN_SIZE];
static struct token_row row;

static enum manage_rc
create(struct manage_fixture *f, const char *name, const char *role, const char *profiles,
    int64_t lifetime_s)
{
	const struct manage_token_order o = {
	    .name = name, .role = role, .profiles = profiles, .lifetime_s = lifetime_s};

	return manage_token_create(
	    &f->manage, &f->actor, &o, token, &row, manage_fixture_report(f));
}

static enum manage_rc
find(struct manage_fixture *f, const char *text)
{
	return manage_token_find(
	    &f->manage, octets_of_string(text), &row, manage_fixture_report(f));
}

static void
a_token_has_its_form_and_is_found_again(void **state)
{
	struct manage_fixture *f = *state;
	char first[MANAGE_TOKEN_SIZE];

	assert_int_equal(create(f, "one", "admin", NULL, 0), MANAGE_OK);
	assert_int_equal(strlen(token), 49);
	assert_true(manage_token_is_token(octets_of_string(token)));
	memcpy(first, token, sizeof(first));
	assert_int_equal(create(f, "two", "auditor", "", 0), MANAGE_OK);
	assert_string_not_equal(first, token);
	assert_int_equal(find(f, first), MANAGE_OK);
	assert_string_equal(row.name, "one");
	assert_string_equal(row.role, "admin");
}

static void
a_token_that_is_off_by_one_character_is_nobodys(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(create(f, "one", "admin", NULL, 0), MANAGE_OK);
	token[48] = token[48] == 'a' ? 'b' : 'a';
	assert_int_equal(find(f, token), MANAGE_NOT_FOUND);
	token[48] = '\0';
	assert_int_equal(find(f, token), MANAGE_NOT_FOUND);
	assert_int_equal(find(f, ""), MANAGE_NOT_FOUND);
}

static void
what_has_not_the_form_of_a_token_is_none(void **state)
{
	char text[] = "fscep_0123456789012345678901234567890123456789012";

	(void)state;
	assert_true(manage_token_is_token(octets_of_string(text)));
	text[48] = '-';
	assert_false(manage_token_is_token(octets_of_string(text)));
	text[48] = '1';
	text[0] = 'F';
	assert_false(manage_token_is_token(octets_of_string(text)));
}

static void
a_revoked_token_opens_nothing(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(create(f, "one", "admin", NULL, 0), MANAGE_OK);
	assert_int_equal(
	    manage_token_revoke(&f->manage, &f->actor, "one", manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(find(f, token), MANAGE_NOT_FOUND);
	assert_non_null(strstr(f->report.why.line, "revoked"));
	assert_int_equal(
	    manage_token_revoke(&f->manage, &f->actor, "two", manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
}

static void
an_order_that_makes_no_sense_is_refused(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(create(f, "a b", "root", NULL, 59), MANAGE_INVALID);
	assert_int_equal(f->report.fault_count, 3);
	assert_int_equal(create(f, "one", "challenge", NULL, 0), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "profiles"));
	assert_int_equal(create(f, "one", "challenge", "nope", 0), MANAGE_INVALID);
	assert_int_equal(create(f, "one", "admin", NULL, 60), MANAGE_OK);
	assert_int_equal(create(f, "one", "admin", NULL, 0), MANAGE_CONFLICT);
	assert_string_equal(token, "");
}

static void
a_token_for_named_profiles_has_those_alone(void **state)
{
	struct token_row t = {.profiles = "mdm,demo"};

	(void)state;
	assert_true(manage_token_has_profile(&t, "mdm"));
	assert_true(manage_token_has_profile(&t, "demo"));
	assert_false(manage_token_has_profile(&t, "dem"));
	assert_false(manage_token_has_profile(&t, "mdm,demo"));
	t.profiles[0] = '\0';
	assert_true(manage_token_has_profile(&t, "anything"));
	snprintf(t.role, sizeof(t.role), "challenge");
	assert_false(manage_token_has_profile(&t, "anything"));
}

static void
a_caller_is_known_by_bearer_and_refused_otherwise(void **state)
{
	struct manage_fixture *f = *state;
	struct access_caller caller;
	char header[128];

	assert_int_equal(create(f, "one", "operator", NULL, 0), MANAGE_OK);
	snprintf(header, sizeof(header), "Bearer %s", token);
	assert_int_equal(access_identify(&f->manage, header, "", &caller, manage_fixture_report(f)),
	    ACCESS_KNOWN);
	assert_string_equal(caller.who, "token:one");
	assert_int_equal(caller.role, MANAGE_ROLE_OPERATOR);
	header[12] ^= 1;
	assert_int_equal(access_identify(&f->manage, header, "", &caller, manage_fixture_report(f)),
	    ACCESS_REFUSED);
	assert_false(caller.known);
	assert_string_equal(caller.who, "unknown");
	assert_int_equal(
	    access_identify(&f->manage, "", "", &caller, manage_fixture_report(f)), ACCESS_ANYONE);
	assert_int_equal(
	    access_identify(&f->manage, "NTLM x", "", &caller, manage_fixture_report(f)),
	    ACCESS_REFUSED);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, manage_fixture_setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_token_has_its_form_and_is_found_again),
	    CASE(a_token_that_is_off_by_one_character_is_nobodys),
	    cmocka_unit_test(what_has_not_the_form_of_a_token_is_none),
	    CASE(a_revoked_token_opens_nothing),
	    CASE(an_order_that_makes_no_sense_is_refused),
	    cmocka_unit_test(a_token_for_named_profiles_has_those_alone),
	    CASE(a_caller_is_known_by_bearer_and_refused_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
