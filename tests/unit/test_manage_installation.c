/* test_manage_installation.c: init makes what is missing and keeps what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/health.h"
#include "fcgi-admin/manage/installation.h"
#include "tests/unit/manage_fixture.h"

static enum manage_rc
init(struct manage_fixture *f, struct manage_installation *in)
{
	return manage_installation_init(&f->manage, &f->actor, in, manage_fixture_report(f));
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
init_makes_all_of_it_for_the_owner_alone(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_installation in;

	assert_int_equal(init(f, &in), MANAGE_OK);
	assert_true(
	    in.made_state_dir && in.made_key_dir && in.made_master_key && in.made_passphrase);
	assert_int_equal(in.schema_from, 0);
	assert_true(in.schema_to > 0);
	assert_int_equal(mode_of(f->settings.state_dir), 0750);
	assert_int_equal(mode_of(f->settings.key_dir), 0700);
	assert_int_equal(mode_of(f->settings.master_key_file), 0600);
	assert_int_equal(mode_of(f->settings.passphrase_file), 0600);
	assert_non_null(strstr(manage_fixture_event(f), "installation.init: made: master key"));
}

static void
a_second_init_keeps_what_is_there(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_installation in;
	char id[16];

	assert_int_equal(init(f, &in), MANAGE_OK);
	memcpy(id, in.master_key_id, sizeof(id));
	assert_int_equal(init(f, &in), MANAGE_OK);
	assert_false(
	    in.made_state_dir || in.made_key_dir || in.made_master_key || in.made_passphrase);
	assert_string_equal(in.master_key_id, id);
	assert_int_equal(in.schema_from, in.schema_to);
}

static void
a_lost_master_key_is_not_replaced_by_another(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_installation in;

	assert_int_equal(init(f, &in), MANAGE_OK);
	assert_int_equal(unlink(f->settings.master_key_file), 0);
	assert_int_equal(init(f, &in), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "restore that file"));
	assert_int_not_equal(access(f->settings.master_key_file, F_OK), 0);
}

static void
a_lost_passphrase_is_replaced_as_long_as_there_are_no_keys(void **state)
{
	struct manage_fixture *f = *state;
	const struct manage_authority_order o = {
	    .name = "main", .subject = "CN=CA", .key = "ec:P-256", .validity_days = 30};
	struct manage_installation in;
	struct authority_row ca;

	assert_int_equal(init(f, &in), MANAGE_OK);
	assert_int_equal(unlink(f->settings.passphrase_file), 0);
	assert_int_equal(init(f, &in), MANAGE_OK);
	assert_true(in.made_passphrase);
	assert_int_equal(
	    manage_authority_create(&f->manage, &f->actor, &o, &ca, manage_fixture_report(f)),
	    MANAGE_OK);
	authority_row_free(&ca);
	assert_int_equal(unlink(f->settings.passphrase_file), 0);
	assert_int_equal(init(f, &in), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "restore that file"));
	assert_int_not_equal(access(f->settings.passphrase_file, F_OK), 0);
}

static void
a_foreign_master_key_opens_nothing(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_installation in;
	struct errbuf why = {0};

	assert_int_equal(init(f, &in), MANAGE_OK);
	manage_close(&f->manage);
	manage_open(&f->manage, &f->settings);
	assert_int_equal(manage_need_master_key(&f->manage, manage_fixture_report(f)), MANAGE_OK);
	manage_close(&f->manage);
	manage_open(&f->manage, &f->settings);
	assert_int_equal(unlink(f->settings.master_key_file), 0);
	assert_true(master_key_create(f->settings.master_key_file, &why));
	assert_int_equal(
	    manage_need_master_key(&f->manage, manage_fixture_report(f)), MANAGE_FAULT);
	assert_null(f->manage.master_key);
	assert_int_equal(init(f, &in), MANAGE_CONFLICT);
}

static void
without_init_the_store_is_away_and_says_what_to_run(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(manage_need_store(&f->manage, manage_fixture_report(f)), MANAGE_AWAY);
	assert_non_null(strstr(f->report.why.line, "scepctl"));
}

static void
health_fails_while_redis_is_away_and_says_so(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_installation in;
	struct manage_health h;

	assert_int_equal(init(f, &in), MANAGE_OK);
	manage_health_check(&f->manage, &h);
	assert_int_equal(h.status, MANAGE_HEALTH_FAIL);
	assert_string_equal(h.checks[0].name, "store");
	assert_int_equal(h.checks[0].status, MANAGE_HEALTH_OK);
	assert_string_equal(h.checks[1].name, "redis");
	assert_int_equal(h.checks[1].status, MANAGE_HEALTH_FAIL);
	assert_string_equal(h.checks[2].name, "masterKey");
	assert_int_equal(h.checks[2].status, MANAGE_HEALTH_OK);
}

static void
a_name_fits_a_url_and_is_no_word_that_means_something_there(void **state)
{
	char name[66] = "";

	(void)state;
	assert_true(manage_is_name("Demo-1.b_c"));
	assert_true(manage_is_name("..."));
	assert_false(manage_is_name(""));
	assert_false(manage_is_name("."));
	assert_false(manage_is_name(".."));
	assert_false(manage_is_name("a/b"));
	assert_false(manage_is_name("a b"));
	assert_false(manage_is_name("\xc3\xa4"));
	assert_false(manage_is_name("challenge"));
	assert_false(manage_is_name("CRL"));
	assert_false(manage_is_name("pkiclient.exe"));
	memset(name, 'a', 64);
	assert_true(manage_is_name(name));
	name[64] = 'a';
	assert_false(manage_is_name(name));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, manage_fixture_bare, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(init_makes_all_of_it_for_the_owner_alone),
	    CASE(a_second_init_keeps_what_is_there),
	    CASE(a_lost_master_key_is_not_replaced_by_another),
	    CASE(a_lost_passphrase_is_replaced_as_long_as_there_are_no_keys),
	    CASE(a_foreign_master_key_opens_nothing),
	    CASE(without_init_the_store_is_away_and_says_what_to_run),
	    CASE(health_fails_while_redis_is_away_and_says_so),
	    cmocka_unit_test(a_name_fits_a_url_and_is_no_word_that_means_something_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
