#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "store/audit_event.h"
#include "store/text.h"
#include "store_fixture.h"

/* ---- JSON ---- */

static char *
json_of(const struct audit_event *e)
{
	struct buffer b = {0};
	char *text;

	assert_true(audit_event_to_json(e, &b));
	text = strdup(buffer_string(&b));
	assert_non_null(text);
	buffer_free(&b);
	return text;
}

static void
assert_same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_true(a == NULL && b == NULL);
	else
		assert_string_equal(a, b);
}

static void
assert_same_event(const struct audit_event *a, const struct audit_event *b)
{
	assert_int_equal(a->time_ms, b->time_ms);
	assert_int_equal(a->count, b->count);
	assert_same_text(a->event_id, b->event_id);
	assert_same_text(a->actor, b->actor);
	assert_same_text(a->address, b->address);
	assert_same_text(a->action, b->action);
	assert_same_text(a->resource_type, b->resource_type);
	assert_same_text(a->resource_id, b->resource_id);
	assert_same_text(a->profile, b->profile);
	assert_same_text(a->outcome, b->outcome);
	assert_same_text(a->transaction_id, b->transaction_id);
	assert_same_text(a->message_type, b->message_type);
	assert_same_text(a->fail_info, b->fail_info);
	assert_same_text(a->reason, b->reason);
	assert_same_text(a->stage, b->stage);
	assert_same_text(a->serial, b->serial);
	assert_same_text(a->subject, b->subject);
	assert_same_text(a->digest, b->digest);
	assert_same_text(a->cipher, b->cipher);
	assert_same_text(a->key_type, b->key_type);
	assert_same_text(a->transport, b->transport);
	assert_same_text(a->request_id, b->request_id);
}

/* Every text set, each to something else, with all that must be escaped. */
static struct audit_event
full_event(void)
{
	struct audit_event e = {
	    .event_id = "0e0e0e0e-0000-4000-8000-000000000001",
	    .time_ms = INT64_C(1800000000123),
	    .actor = "device",
	    .address = "2001:db8::1",
	    .action = "scep.enrol",
	    .resource_type = "certificate",
	    .resource_id = "",
	    .profile = "demo",
	    .outcome = "refused",
	    .transaction_id = "\"quoted\" \\ back",
	    .message_type = "PKCSReq",
	    .fail_info = "badRequest",
	    .reason = "tab\there, line\nthere, \x01\x1f\x7f",
	    .stage = "authorised",
	    .serial = "00ff",
	    .subject = "CN=Zürich 株式会社 \xf0\x9f\x94\x91",
	    .digest = "SHA-256",
	    .cipher = "AES-256-CBC",
	    .key_type = "RSA-2048",
	    .transport = "https-post",
	    .request_id = "r-1",
	    .count = 1234,
	};

	return e;
}

static void
an_event_comes_back_from_json_as_it_was(void **state)
{
	struct audit_event e = full_event(), back;
	char *text = json_of(&e);

	(void)state;
	assert_null(strchr(text, '\n'));
	assert_true(audit_event_of_json(text, &back));
	assert_same_event(&e, &back);
	free(text);
}

static void
absent_texts_stay_absent_in_json(void **state)
{
	struct audit_event e = {.action = "a", .outcome = "failed", .time_ms = -5, .count = 1};
	struct audit_event back;
	char *text = json_of(&e);

	(void)state;
	assert_string_equal(
	    text, "{\"time_ms\":-5,\"count\":1,\"action\":\"a\",\"outcome\":\"failed\"}");
	assert_true(audit_event_of_json(text, &back));
	assert_same_event(&e, &back);
	free(text);
}

static void
the_largest_numbers_come_back_from_json(void **state)
{
	struct audit_event e = {
	    .action = "a", .outcome = "success", .time_ms = INT64_MIN, .count = INT64_MAX};
	struct audit_event back;
	char *text = json_of(&e);

	(void)state;
	assert_true(audit_event_of_json(text, &back));
	assert_same_event(&e, &back);
	free(text);
}

static void
a_long_text_is_cut_in_json_at_a_character(void **state)
{
	struct audit_event e = {.action = "a", .outcome = "success", .count = 1}, back;
	char reason[3000], *text;

	(void)state;
	/* One octet, then three for each character: 1 + 341 * 3 = 1,024. */
	strcpy(reason, "x");
	while (strlen(reason) < 2900)
		strcat(reason, "株");
	e.reason = reason;
	text = json_of(&e);
	assert_true(audit_event_of_json(text, &back));
	assert_int_equal(strlen(back.reason), 1024);
	assert_memory_equal(back.reason, reason, 1024);
	free(text);

	memmove(reason, reason + 1, 2900);
	text = json_of(&e);
	assert_true(audit_event_of_json(text, &back));
	assert_int_equal(strlen(back.reason), 1023);
	free(text);
}

static void
what_is_not_utf8_becomes_u_fffd_in_json(void **state)
{
	struct audit_event e = {.action = "a", .outcome = "success", .count = 1}, back;
	char *text;

	(void)state;
	e.reason = "a\xff\xc0\xaf\xe6\xa0z\xed\xa0\x80";
	text = json_of(&e);
	assert_true(audit_event_of_json(text, &back));
	assert_true(encoding_is_utf8(octets_of_string(back.reason)));
	assert_true(strncmp(back.reason, "a\xef\xbf\xbd", 4) == 0);
	assert_non_null(strchr(back.reason, 'z'));
	free(text);
}

#define HEAD "{\"time_ms\":1,\"count\":1"
#define MUST ",\"action\":\"a\",\"outcome\":\"failed\""

static void
json_that_the_writer_does_not_make_is_refused(void **state)
{
	static const char *const good[] = {
	    HEAD MUST "}",
	    HEAD ",\"action\":\"\\u001f\\\"\\\\\",\"outcome\":\"success\",\"serial\":\"\"}",
	};
	static const char *const bad[] = {
	    "",
	    "{}",
	    "null",
	    "[1]",
	    HEAD MUST,
	    HEAD MUST "} ",
	    HEAD MUST "}}",
	    " " HEAD MUST "}",
	    HEAD "}",
	    HEAD ",\"action\":\"a\"}",
	    HEAD ",\"outcome\":\"failed\"}",
	    HEAD ",\"outcome\":\"failed\",\"action\":\"a\"}",
	    HEAD ",\"action\":\"a\",\"action\":\"b\",\"outcome\":\"failed\"}",
	    HEAD ",\"action\":\"a\",\"outcome\":\"splendid\"}",
	    HEAD MUST ",\"unknown\":\"x\"}",
	    HEAD MUST ",\"serial\":1}",
	    HEAD MUST ",\"serial\":null}",
	    HEAD MUST ",\"serial\":\"}",
	    HEAD MUST ",\"serial\":\"\\\"}",
	    HEAD MUST ",\"serial\":\"\\n\"}",
	    HEAD MUST ",\"serial\":\"\\/\"}",
	    HEAD MUST ",\"serial\":\"\\u\"}",
	    HEAD MUST ",\"serial\":\"\\u00\"}",
	    HEAD MUST ",\"serial\":\"\\u001\"}",
	    HEAD MUST ",\"serial\":\"\\u0000\"}",
	    HEAD MUST ",\"serial\":\"\\u0041\"}",
	    HEAD MUST ",\"serial\":\"\\u20ac\"}",
	    HEAD MUST ",\"serial\":\"\\u00zz\"}",
	    HEAD MUST ",\"serial\":\"\n\"}",
	    HEAD MUST ",\"serial\":\"\xff\"}",
	    HEAD MUST ",\"serial\" :\"x\"}",
	    HEAD MUST ",\"Serial\":\"x\"}",
	    "{\"time_ms\":1,\"count\":0" MUST "}",
	    "{\"time_ms\":1,\"count\":-1" MUST "}",
	    "{\"time_ms\":1" MUST "}",
	    "{\"count\":1,\"time_ms\":1" MUST "}",
	    "{\"time_ms\":01,\"count\":1" MUST "}",
	    "{\"time_ms\":-0,\"count\":1" MUST "}",
	    "{\"time_ms\":+1,\"count\":1" MUST "}",
	    "{\"time_ms\":1.5,\"count\":1" MUST "}",
	    "{\"time_ms\":1e3,\"count\":1" MUST "}",
	    "{\"time_ms\":,\"count\":1" MUST "}",
	    "{\"time_ms\":-,\"count\":1" MUST "}",
	    "{\"time_ms\":\"1\",\"count\":1" MUST "}",
	    "{\"time_ms\":9223372036854775808,\"count\":1" MUST "}",
	};
	struct audit_event e;
	char room[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(room, sizeof(room), "%s", good[i]);
		if (!audit_event_of_json(room, &e))
			fail_msg("refused: %s", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(room, sizeof(room), "%s", bad[i]);
		if (audit_event_of_json(room, &e))
			fail_msg("accepted: %s", bad[i]);
	}
}

static void
a_text_in_json_of_more_than_1024_octets_is_refused(void **state)
{
	char text[1200], room[1300];
	struct audit_event e;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[1024] = '\0';
	snprintf(room, sizeof(room), HEAD MUST ",\"serial\":\"%s\"}", text);
	assert_true(audit_event_of_json(room, &e));
	text[1024] = 'x';
	text[1025] = '\0';
	snprintf(room, sizeof(room), HEAD MUST ",\"serial\":\"%s\"}", text);
	assert_false(audit_event_of_json(room, &e));
}

/* Nothing is read or written outside the room (ASan watches), and what is accepted is what the writer makes of it. */
static void
altered_json_is_refused_or_read_as_the_writer_would_write_it(void **state)
{
	struct audit_event e = full_event(), back;
	char *good = json_of(&e), *room, *again, *copy;
	size_t len = strlen(good);
	unsigned seed = 7;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		size_t keep = rand_r(&seed) % 4 == 0 ? (size_t)rand_r(&seed) % len : len;

		room = malloc(keep + 1);
		assert_non_null(room);
		memcpy(room, good, keep);
		room[keep] = '\0';
		if (keep > 0)
			room[(size_t)rand_r(&seed) % keep] = (char)(1 + rand_r(&seed) % 255);
		copy = strdup(room);
		if (audit_event_of_json(room, &back)) {
			again = json_of(&back);
			assert_string_equal(again, copy);
			free(again);
		}
		free(copy);
		free(room);
	}
	free(good);
}

/* ---- rows ---- */

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
		assert_same_event(s->want, e);
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
	struct audit_event e = full_event();
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
	struct audit_event twice[2] = {full_event(), full_event()};

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
	struct audit_event e = full_event();
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
	    cmocka_unit_test(an_event_comes_back_from_json_as_it_was),
	    cmocka_unit_test(absent_texts_stay_absent_in_json),
	    cmocka_unit_test(the_largest_numbers_come_back_from_json),
	    cmocka_unit_test(a_long_text_is_cut_in_json_at_a_character),
	    cmocka_unit_test(what_is_not_utf8_becomes_u_fffd_in_json),
	    cmocka_unit_test(json_that_the_writer_does_not_make_is_refused),
	    cmocka_unit_test(a_text_in_json_of_more_than_1024_octets_is_refused),
	    cmocka_unit_test(altered_json_is_refused_or_read_as_the_writer_would_write_it),
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
