#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store_fixture.h"

static int64_t
version(struct store_fixture *f)
{
	int64_t v = -1;

	assert_int_equal(store_config_version(f->store, &v, &f->why), STORE_OK);
	return v;
}

static int64_t
events(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT count(*) FROM audit_event");
}

/* The fingerprint is a digit, 64 times; the certificate is that text. */
static struct anchor_row
an_anchor(char digit)
{
	struct anchor_row a = {.created_at = FIXTURE_NOW + digit};

	memset(a.fingerprint, digit, 64);
	buffer_append_string(&a.certificate, a.fingerprint);
	return a;
}

static enum store_rc
insert(struct store_fixture *f, const char *profile, char digit)
{
	struct anchor_row a = an_anchor(digit);
	enum store_rc rc = store_anchor_insert(f->store, profile, &a, &fixture_event, &f->why);

	buffer_free(&a.certificate);
	return rc;
}

static enum store_rc
remove_anchor(struct store_fixture *f, const char *profile, char digit)
{
	struct anchor_row a = an_anchor(digit);
	enum store_rc rc =
	    store_anchor_delete(f->store, profile, a.fingerprint, &fixture_event, &f->why);

	buffer_free(&a.certificate);
	return rc;
}

static bool
write_digit(void *ctx, const struct anchor_row *a)
{
	struct anchor_row want = an_anchor(a->fingerprint[0]);
	char *text = ctx;

	assert_string_equal(a->fingerprint, want.fingerprint);
	assert_true(octets_equal(buffer_octets(&a->certificate), buffer_octets(&want.certificate)));
	assert_int_equal(a->created_at, want.created_at);
	buffer_free(&want.certificate);
	text[strlen(text)] = a->fingerprint[0];
	return strlen(text) < 2;
}

static void
assert_anchors(struct store_fixture *f, const char *profile, const char *want)
{
	char text[8] = "";

	assert_int_equal(
	    store_anchor_each(f->store, profile, write_digit, text, &f->why), STORE_OK);
	assert_string_equal(text, want);
}

static void
anchors_are_listed_by_profile_until_they_are_deleted(void **state)
{
	struct store_fixture *f = *state;
	int64_t before = version(f);

	assert_anchors(f, FIXTURE_SCEP_PROFILE, "");
	assert_int_equal(insert(f, FIXTURE_SCEP_PROFILE, 'b'), STORE_OK);
	assert_int_equal(insert(f, FIXTURE_SCEP_PROFILE, 'a'), STORE_OK);
	assert_anchors(f, FIXTURE_SCEP_PROFILE, "ab");
	assert_anchors(f, FIXTURE_RA_PROFILE, "");
	assert_int_equal(remove_anchor(f, FIXTURE_SCEP_PROFILE, 'a'), STORE_OK);
	assert_anchors(f, FIXTURE_SCEP_PROFILE, "b");
	assert_int_equal(version(f), before + 3);
	assert_int_equal(events(f), 3);
}

static void
an_anchor_is_there_once_and_its_profile_must_be_there(void **state)
{
	struct store_fixture *f = *state;
	int64_t before = version(f);

	assert_int_equal(insert(f, FIXTURE_RA_PROFILE, 'a'), STORE_NONE);
	assert_int_equal(insert(f, FIXTURE_SCEP_PROFILE, 'g'), STORE_AWAY);
	assert_int_equal(remove_anchor(f, FIXTURE_SCEP_PROFILE, 'a'), STORE_NONE);
	assert_int_equal(remove_anchor(f, FIXTURE_SCEP_PROFILE, 'g'), STORE_NONE);
	assert_int_equal(version(f), before);
	assert_int_equal(insert(f, FIXTURE_SCEP_PROFILE, 'a'), STORE_OK);
	assert_int_equal(insert(f, FIXTURE_SCEP_PROFILE, 'a'), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "has it already"));
	assert_int_equal(remove_anchor(f, FIXTURE_RA_PROFILE, 'a'), STORE_NONE);
	assert_anchors(f, FIXTURE_SCEP_PROFILE, "a");
	assert_int_equal(events(f), 1);
}

static void
anchors_go_with_their_profile(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(insert(f, FIXTURE_SCEP_PROFILE, 'a'), STORE_OK);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, NULL, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM scep_profile_anchor"), 0);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(anchors_are_listed_by_profile_until_they_are_deleted),
	    ROWS(an_anchor_is_there_once_and_its_profile_must_be_there),
	    ROWS(anchors_go_with_their_profile),
	};

	return cmocka_run_group_tests_name("store_anchor", tests, NULL, NULL);
}
