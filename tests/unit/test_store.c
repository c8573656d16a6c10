#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>

#include "store/db.h"
#include "store_fixture.h"

/* ---- leases ---- */

static enum store_rc
lease(struct store_fixture *f, const char *holder, int64_t now)
{
	return store_lease(f->store, "background", holder, now, 30, &f->why);
}

static void
a_lease_is_its_holders_until_it_ends(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(lease(f, "a", 1000), STORE_OK);
	assert_int_equal(lease(f, "b", 1029), STORE_CONFLICT);
	assert_int_equal(lease(f, "b", 1030), STORE_OK);
	assert_int_equal(lease(f, "a", 1031), STORE_CONFLICT);
}

static void
a_lease_that_its_holder_renews_goes_on(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(lease(f, "a", 1000), STORE_OK);
	assert_int_equal(lease(f, "a", 1020), STORE_OK);
	assert_int_equal(lease(f, "b", 1040), STORE_CONFLICT);
	assert_int_equal(lease(f, "b", 1050), STORE_OK);
}

static void
a_lease_is_released_by_its_holder_alone(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(lease(f, "a", 1000), STORE_OK);
	assert_int_equal(store_lease_release(f->store, "background", "b", &f->why), STORE_NONE);
	assert_int_equal(lease(f, "b", 1001), STORE_CONFLICT);
	assert_int_equal(store_lease_release(f->store, "background", "a", &f->why), STORE_OK);
	assert_int_equal(lease(f, "b", 1001), STORE_OK);
}

static void
leases_of_other_names_are_others(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(lease(f, "a", 1000), STORE_OK);
	assert_int_equal(store_lease(f->store, "purge", "b", 1000, 30, &f->why), STORE_OK);
}

/* ---- values to compare ---- */

static void
a_check_value_is_set_once_and_compared_later(void **state)
{
	const struct octets a = octets_of_string("aaaa"), b = octets_of_string("aaab");
	struct store_fixture *f = *state;

	assert_int_equal(store_check_value(f->store, "key", a, false, &f->why), STORE_NONE);
	assert_int_equal(store_check_value(f->store, "key", a, true, &f->why), STORE_OK);
	assert_int_equal(store_check_value(f->store, "key", a, false, &f->why), STORE_OK);
	assert_int_equal(store_check_value(f->store, "key", b, false, &f->why), STORE_CONFLICT);
	assert_int_equal(store_check_value(f->store, "key", b, true, &f->why), STORE_CONFLICT);
	assert_int_equal(store_check_value(f->store, "key", a, true, &f->why), STORE_OK);
	assert_int_equal(store_check_value(f->store, "other", b, false, &f->why), STORE_NONE);
}

/* ---- health and checkpoints ---- */

static void
a_store_that_works_is_healthy_and_the_check_writes_nothing(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(store_health(f->store, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT checks FROM health"), 0);
	assert_true(store_disk_free(f->store) > 0);
	/* And it leaves neither lock nor transaction behind. */
	assert_int_equal(lease(f, "a", 1000), STORE_OK);
}

static int64_t
size_of(struct store_fixture *f, const char *suffix)
{
	char path[SETTINGS_TEXT + 16];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", f->settings.database, suffix);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static void
commit_many(struct store_fixture *f, unsigned from, unsigned count)
{
	struct fixture_enrolment x;
	enum enrolment_conflict what;
	unsigned i;

	for (i = from; i < from + count; i++) {
		fixture_enrolment(&x, i, true);
		if (store_commit_enrolment(f->store, &x.e, &what, &f->why) != STORE_OK)
			fail_msg("%s", f->why.line);
	}
}

static void
a_log_that_is_checkpointed_does_not_grow(void **state)
{
	struct store_fixture *f = *state;
	int64_t before;
	unsigned i;

	commit_many(f, 0, 100);
	assert_int_equal(store_checkpoint(f->store, &f->why), STORE_OK);
	before = size_of(f, "-wal");
	assert_true(before > 0);
	for (i = 1; i < 5; i++) {
		commit_many(f, 100 + i * 50, 50);
		assert_int_equal(store_checkpoint(f->store, &f->why), STORE_OK);
	}
	assert_int_equal(size_of(f, "-wal"), before);
}

struct during {
	struct store_fixture *f;
	int rows;
};

static bool
checkpoint_and_commit(void *ctx, const struct certificate_row *c)
{
	struct during *d = ctx;

	(void)c;
	assert_int_equal(store_checkpoint(d->f->store, &d->f->why), STORE_OK);
	commit_many(d->f, 100 + (unsigned)d->rows, 1);
	d->rows++;
	return true;
}

/* On a connection of its own, since a connection that reads cannot write what others wrote meanwhile. */
static void
a_reader_is_no_obstacle_to_checkpoints_and_commits(void **state)
{
	struct store_fixture *f = *state;
	struct during d = {.f = f};
	struct store *reader;

	commit_many(f, 0, 5);
	assert_int_equal(store_open(&f->settings, &reader, &f->why), STORE_OK);
	assert_int_equal(
	    store_certificate_list(reader, 0, 100, checkpoint_and_commit, &d, &f->why), STORE_OK);
	assert_int_equal(d.rows, 5);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 10);
	store_close(reader);
}

static void
the_version_of_the_configuration_is_seen_by_other_connections_at_once(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p = fixture_scep_profile();
	int64_t before, after;
	struct store *other;

	assert_int_equal(store_open(&f->settings, &other, &f->why), STORE_OK);
	assert_int_equal(store_config_version(other, &before, &f->why), STORE_OK);
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	assert_int_equal(store_config_version(other, &after, &f->why), STORE_OK);
	assert_int_equal(after, before + 1);
	store_close(other);
}

static void
closing_nothing_is_fine(void **state)
{
	(void)state;
	store_close(NULL);
	db_close(NULL);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_lease_is_its_holders_until_it_ends),
	    ROWS(a_lease_that_its_holder_renews_goes_on),
	    ROWS(a_lease_is_released_by_its_holder_alone),
	    ROWS(leases_of_other_names_are_others),
	    ROWS(a_check_value_is_set_once_and_compared_later),
	    ROWS(a_store_that_works_is_healthy_and_the_check_writes_nothing),
	    ROWS(a_log_that_is_checkpointed_does_not_grow),
	    ROWS(a_reader_is_no_obstacle_to_checkpoints_and_commits),
	    ROWS(the_version_of_the_configuration_is_seen_by_other_connections_at_once),
	    cmocka_unit_test(closing_nothing_is_fine),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
