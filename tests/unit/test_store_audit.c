#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit_event.h"
#include "store_fixture.h"

#define ROWS_MAX 600

struct seen {
	int64_t ids[ROWS_MAX];
	char reasons[ROWS_MAX][32];
	int count;
	int stop_at;
	const struct audit_event *want;
};

static bool
see(void *ctx, int64_t id, const struct audit_event *e)
{
	struct seen *s = ctx;

	assert_true(s->count < ROWS_MAX);
	s->ids[s->count] = id;
	snprintf(
	    s->reasons[s->count], sizeof(s->reasons[0]), "%s", e->reason != NULL ? e->reason : "");
	if (s->want != NULL)
		fixture_same_event(s->want, e);
	s->count++;
	return s->count != s->stop_at;
}

static void
list(struct store_fixture *f, const struct audit_filter *filter, struct seen *s)
{
	s->count = 0;
	assert_int_equal(store_audit_list(f->store, filter, see, s, &f->why), STORE_OK);
}

static void
write_one(struct store_fixture *f, const struct audit_event *e)
{
	if (store_audit_write(f->store, e, 1, &f->why) != STORE_OK)
		fail_msg("%s", f->why.line);
}

/* Rows with reasons "1" to "count", times of a minute each. */
static void
write_many(struct store_fixture *f, int count)
{
	struct audit_event *events = calloc((size_t)count, sizeof(*events));
	char(*reasons)[12] = calloc((size_t)count, sizeof(*reasons));
	int i;

	assert_non_null(events);
	assert_non_null(reasons);
	for (i = 0; i < count; i++) {
		snprintf(reasons[i], sizeof(reasons[i]), "%d", i + 1);
		events[i] = (struct audit_event){.time_ms = (i + 1) * INT64_C(60000),
		    .count = 1,
		    .action = "scep.enrol",
		    .outcome = i % 3 == 0   ? "success"
			       : i % 3 == 1 ? "refused"
					    : "failed",
		    .profile = i % 2 == 0 ? "even" : "odd",
		    .transaction_id = i == 6 ? "seven" : NULL,
		    .reason = reasons[i]};
	}
	assert_int_equal(store_audit_write(f->store, events, count, &f->why), STORE_OK);
	free(events);
	free(reasons);
}

static void
an_event_comes_back_from_the_store_as_it_was(void **state)
{
	struct store_fixture *f = *state;
	struct audit_event e = fixture_full_event();
	struct audit_filter filter = {.limit = 10};
	struct seen s = {.want = &e};

	write_one(f, &e);
	list(f, &filter, &s);
	assert_int_equal(s.count, 1);
}

static void
a_row_with_an_event_id_lands_once(void **state)
{
	struct store_fixture *f = *state;
	struct audit_event twice[2] = {fixture_full_event(), fixture_full_event()};

	assert_int_equal(store_audit_write(f->store, twice, 2, &f->why), STORE_OK);
	assert_int_equal(store_audit_write(f->store, twice, 2, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 1);
	/* Without one, every row is a row. */
	twice[0].event_id = twice[1].event_id = NULL;
	assert_int_equal(store_audit_write(f->store, twice, 2, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event"), 3);
}

static void
texts_are_stored_as_utf8_of_at_most_1024_octets(void **state)
{
	struct store_fixture *f = *state;
	struct audit_event e = fixture_full_event();
	char reason[2000];

	memset(reason, 'r', sizeof(reason));
	reason[sizeof(reason) - 1] = '\0';
	e.reason = reason;
	e.subject = "CN=\xff";
	write_one(f, &e);
	assert_int_equal(store_fixture_integer(f, "SELECT length(reason) FROM audit_event"), 1024);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT hex(subject) = '434E3DEFBFBD' FROM audit_event"), 1);
}

static void
a_list_is_newest_first_and_goes_on_below_an_id(void **state)
{
	struct store_fixture *f = *state;
	struct audit_filter filter = {.limit = 4};
	struct seen s = {0};

	write_many(f, 10);
	list(f, &filter, &s);
	assert_int_equal(s.count, 4);
	assert_string_equal(s.reasons[0], "10");
	assert_string_equal(s.reasons[3], "7");
	filter.before_id = s.ids[3];
	list(f, &filter, &s);
	assert_int_equal(s.count, 4);
	assert_string_equal(s.reasons[0], "6");
	filter.before_id = s.ids[3];
	list(f, &filter, &s);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.reasons[1], "1");
	filter.before_id = s.ids[1];
	list(f, &filter, &s);
	assert_int_equal(s.count, 0);
}

static void
a_list_above_an_id_is_oldest_first(void **state)
{
	struct store_fixture *f = *state;
	struct audit_filter filter = {.limit = 3, .after_id = 5};
	struct seen s = {0};

	write_many(f, 10);
	list(f, &filter, &s);
	assert_int_equal(s.count, 3);
	assert_string_equal(s.reasons[0], "6");
	assert_string_equal(s.reasons[2], "8");
	filter.after_id = 10;
	list(f, &filter, &s);
	assert_int_equal(s.count, 0);
}

static void
filters_pass_what_they_name_and_nothing_else(void **state)
{
	struct store_fixture *f = *state;
	struct audit_filter failed = {.limit = 100, .failed = true};
	struct audit_filter profile = {.limit = 100, .profile = "odd"};
	struct audit_filter transaction = {.limit = 100, .transaction_id = "seven"};
	struct audit_filter nothing = {.limit = 100, .profile = "od"};
	struct seen s = {0};

	write_many(f, 30);
	list(f, &failed, &s);
	assert_int_equal(s.count, 20);
	list(f, &profile, &s);
	assert_int_equal(s.count, 15);
	assert_string_equal(s.reasons[0], "30");
	failed.profile = "even";
	list(f, &failed, &s);
	assert_int_equal(s.count, 10);
	list(f, &transaction, &s);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.reasons[0], "7");
	list(f, &nothing, &s);
	assert_int_equal(s.count, 0);
}

static void
a_list_ends_where_the_caller_says(void **state)
{
	struct store_fixture *f = *state;
	struct audit_filter filter = {.limit = 100};
	struct seen s = {.stop_at = 2};

	write_many(f, 10);
	list(f, &filter, &s);
	assert_int_equal(s.count, 2);
	/* And the statement is free again. */
	s.stop_at = 0;
	list(f, &filter, &s);
	assert_int_equal(s.count, 10);
}

static void
a_list_of_an_empty_audit_is_empty(void **state)
{
	struct store_fixture *f = *state;
	struct audit_filter filter = {.limit = 10};
	struct seen s = {0};

	list(f, &filter, &s);
	assert_int_equal(s.count, 0);
	filter.after_id = 5;
	list(f, &filter, &s);
	assert_int_equal(s.count, 0);
}

static void
a_limit_is_at_most_500(void **state)
{
	struct store_fixture *f = *state;
	struct audit_filter filter = {.limit = 100000};
	struct seen s = {0};

	write_many(f, 550);
	list(f, &filter, &s);
	assert_int_equal(s.count, 500);
}

/* Rows far apart stand in different windows of the walk. */
static void
a_filter_finds_rows_behind_many_others(void **state)
{
	struct store_fixture *f = *state;
	struct audit_filter filter = {.limit = 10, .profile = "far"};
	struct seen s = {0};

	store_fixture_script(f,
	    "INSERT INTO audit_event (id, time_ms, count, action, outcome, profile, reason) VALUES "
	    "(1, 1, 1, 'a', 'success', 'far', 'low'), (2, 1, 1, 'a', 'success', 'near', 'x'), "
	    "(180000, 1, 1, 'a', 'success', 'near', 'y'), "
	    "(180001, 1, 1, 'a', 'success', 'far', 'high')");
	list(f, &filter, &s);
	assert_int_equal(s.count, 2);
	assert_string_equal(s.reasons[0], "high");
	assert_string_equal(s.reasons[1], "low");
	filter.after_id = 1;
	list(f, &filter, &s);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.reasons[0], "high");
}

static void
purging_deletes_what_is_older_and_nothing_else(void **state)
{
	struct store_fixture *f = *state;
	int deleted = -1;

	write_many(f, 10);
	/* Row 4 is exactly as old as asked for: it stays. */
	assert_int_equal(
	    store_audit_purge(f->store, 4 * INT64_C(60000), &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 3);
	assert_int_equal(store_fixture_integer(f, "SELECT min(id) FROM audit_event"), 4);
	assert_int_equal(
	    store_audit_purge(f->store, 4 * INT64_C(60000), &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 0);
}

static void
purging_deletes_500_rows_at_a_time(void **state)
{
	struct store_fixture *f = *state;
	int deleted;

	write_many(f, 1100);
	assert_int_equal(store_audit_purge(f->store, INT64_MAX, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 500);
	assert_int_equal(store_audit_purge(f->store, INT64_MAX, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 500);
	assert_int_equal(store_audit_purge(f->store, INT64_MAX, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 99);
}

static void
purging_all_keeps_the_newest_row_so_that_no_id_comes_twice(void **state)
{
	struct store_fixture *f = *state;
	int deleted;

	write_many(f, 3);
	assert_int_equal(store_audit_purge(f->store, INT64_MAX, &deleted, &f->why), STORE_OK);
	assert_int_equal(deleted, 2);
	write_many(f, 1);
	assert_int_equal(store_fixture_integer(f, "SELECT max(id) FROM audit_event"), 4);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_event_comes_back_from_the_store_as_it_was),
	    ROWS(a_row_with_an_event_id_lands_once),
	    ROWS(texts_are_stored_as_utf8_of_at_most_1024_octets),
	    ROWS(a_list_is_newest_first_and_goes_on_below_an_id),
	    ROWS(a_list_above_an_id_is_oldest_first),
	    ROWS(filters_pass_what_they_name_and_nothing_else),
	    ROWS(a_list_ends_where_the_caller_says),
	    ROWS(a_list_of_an_empty_audit_is_empty),
	    ROWS(a_limit_is_at_most_500),
	    ROWS(a_filter_finds_rows_behind_many_others),
	    ROWS(purging_deletes_what_is_older_and_nothing_else),
	    ROWS(purging_deletes_500_rows_at_a_time),
	    ROWS(purging_all_keeps_the_newest_row_so_that_no_id_comes_twice),
	};

	return cmocka_run_group_tests_name("store_audit", tests, NULL, NULL);
}
