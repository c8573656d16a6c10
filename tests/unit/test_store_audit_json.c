#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "store/audit_event.h"
#include "store_fixture.h"

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
an_event_comes_back_from_json_as_it_was(void **state)
{
	struct audit_event e = fixture_full_event(), back;
	char *text = json_of(&e);

	(void)state;
	assert_null(strchr(text, '\n'));
	assert_true(audit_event_of_json(text, &back));
	fixture_same_event(&e, &back);
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
	fixture_same_event(&e, &back);
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
	fixture_same_event(&e, &back);
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

static const char *const good_lines[] = {
    HEAD MUST "}",
    HEAD ",\"action\":\"\\u001f\\\"\\\\\",\"outcome\":\"success\",\"serial\":\"\"}",
};
static const char *const bad_lines[] = {
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

static void
json_that_the_writer_does_not_make_is_refused(void **state)
{
	struct audit_event e;
	char room[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good_lines) / sizeof(good_lines[0]); i++) {
		snprintf(room, sizeof(room), "%s", good_lines[i]);
		if (!audit_event_of_json(room, &e))
			fail_msg("refused: %s", good_lines[i]);
	}
	for (i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		snprintf(room, sizeof(room), "%s", bad_lines[i]);
		if (audit_event_of_json(room, &e))
			fail_msg("accepted: %s", bad_lines[i]);
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
	struct audit_event e = fixture_full_event(), back;
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
	};

	return cmocka_run_group_tests_name("store_audit_json", tests, NULL, NULL);
}
