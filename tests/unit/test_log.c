#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log.h"

static char text[8192];
static int file = -1, real_stderr = -1;

/* Between capture() and captured() what is written to stderr goes to a file. */
static void
capture(void)
{
	char path[] = "/tmp/log-XXXXXX";

	file = mkstemp(path);
	assert_int_not_equal(file, -1);
	unlink(path);
	real_stderr = dup(STDERR_FILENO);
	dup2(file, STDERR_FILENO);
}

static const char *
captured(void)
{
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(file);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static int
reset(void **state)
{
	(void)state;
	log_open("test", false, LOG_LEVEL_INFO);
	log_set_request("");
	return 0;
}

/* One line with one value, as it stands behind "v=" or as JSON. */
static const char *
line_with(struct octets value)
{
	struct log_line l;

	capture();
	log_begin(&l, LOG_LEVEL_INFO, "e");
	log_octets(&l, "v", value);
	log_end(&l);
	return captured();
}

static void
assert_value(struct octets value, const char *want)
{
	const char *line = line_with(value);
	const char *at = strstr(line, " v=");

	assert_non_null(at);
	assert_int_equal(strlen(at + 3), strlen(want) + 1);
	assert_memory_equal(at + 3, want, strlen(want));
	assert_string_equal(line + strlen(line) - 1, "\n");
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void
a_line_has_time_level_program_pid_and_event(void **state)
{
	char want[128];
	struct log_line l;
	const char *line;

	(void)state;
	capture();
	log_begin(&l, LOG_LEVEL_WARNING, "enrolled");
	log_text(&l, "profile", "demo");
	log_number(&l, "count", -3);
	log_text(&l, "absent", NULL);
	log_end(&l);
	line = captured();
	assert_memory_equal(line, "time=20", 7);
	assert_int_equal(strcspn(line, " "), strlen("time=2026-11-23T10:00:00.000Z"));
	snprintf(want, sizeof(want),
	    " level=warning program=test pid=%ld event=enrolled profile=demo count=-3\n",
	    (long)getpid());
	assert_string_equal(line + strcspn(line, " "), want);
}

static void
a_line_below_the_least_level_is_not_written(void **state)
{
	(void)state;
	capture();
	log_event(LOG_LEVEL_DEBUG, "quiet", "x");
	log_open("test", false, LOG_LEVEL_ERROR);
	log_event(LOG_LEVEL_WARNING, "quiet", "x");
	assert_string_equal(captured(), "");
	capture();
	log_event(LOG_LEVEL_ERROR, "loud", "%d of %d", 1, 2);
	assert_non_null(strstr(captured(), "event=loud msg=\"1 of 2\"\n"));
}

static void
each_line_carries_the_request(void **state)
{
	(void)state;
	capture();
	log_set_request("abc-1");
	log_event(LOG_LEVEL_INFO, "e", "x");
	assert_non_null(strstr(captured(), " request=abc-1 event=e "));
	capture();
	log_set_request("");
	log_event(LOG_LEVEL_INFO, "e", "x");
	assert_null(strstr(captured(), "request="));
}

static void
plain_values_stand_without_quotes(void **state)
{
	static const char *const plain[] = {"demo", "10.0.0.1", "::1", "/scep/demo", "a-b_c.d",
	    "2026-11-23T10:00:00Z", "user@example"};

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		assert_value(octets_of_string(plain[i]), plain[i]);
}

static void
what_could_forge_a_field_or_a_line_is_escaped(void **state)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
	    {"", "\"\""},
	    {"a b", "\"a b\""},
	    {"x level=error", "\"x level=error\""},
	    {"a=b", "\"a=b\""},
	    {"a\"b", "\"a\\\"b\""},
	    {"a\\b", "\"a\\\\b\""},
	    {"a\nb", "\"a\\nb\""},
	    {"a\r\tb", "\"a\\r\\tb\""},
	    {"\033[31m", "\"\\u001b[31m\""},
	    {"\177", "\"\\u007f\""},
	    {"\xc2\x9b", "\"\\u009b\""},
	    {"\xe2\x80\xa8", "\"\\u2028\""},
	    {"\xe2\x80\xae", "\"\\u202e\""},
	    {"Z\xc3\xbcrich", "\"Z\xc3\xbcrich\""},
	    {"a\xff\xc3", "\"a\\xff\\xc3\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_value(octets_of_string(cases[i].value), cases[i].want);
	assert_value(octets_of("a\0b", 3), "\"a\\u0000b\"");
}

static void
json_lines_are_valid_whatever_the_octets(void **state)
{
	uint8_t octets[3];

	(void)state;
	log_open("test", true, LOG_LEVEL_INFO);
	for (int i = 0; i < 256; i++) {
		json_t *root;

		octets[0] = (uint8_t)i;
		octets[1] = (uint8_t)(255 - i);
		octets[2] = (uint8_t)(i * 7);
		root = json_loads(line_with(octets_of(octets, 3)), 0, NULL);
		assert_non_null(root);
		assert_string_equal(json_string_value(json_object_get(root, "event")), "e");
		assert_true(json_is_string(json_object_get(root, "v")));
		assert_true(json_is_integer(json_object_get(root, "pid")));
		json_decref(root);
	}
}

static void
json_gives_a_text_back_as_it_was(void **state)
{
	static const char value[] = "a\"b\\c\nd\te\x01 Z\xc3\xbcrich \xf0\x9f\x98\x80";
	json_t *root;

	(void)state;
	log_open("test", true, LOG_LEVEL_INFO);
	root = json_loads(line_with(octets_of_string(value)), 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "v")), value);
	json_decref(root);
}

/* Fill a line to every length near its end: it stays one line, and in JSON valid. */
static void
a_long_line_is_cut_and_stays_whole(void **state)
{
	static char value[5000];

	(void)state;
	for (int json = 0; json <= 1; json++) {
		log_open("test", json == 1, LOG_LEVEL_INFO);
		for (size_t len = 3900; len < 4100; len++) {
			struct log_line l;
			const char *line;

			memset(value, 'x', len);
			memcpy(value + len - 4, "\xf0\x9f\x98\x80", 4);
			value[len] = '\0';
			capture();
			log_begin(&l, LOG_LEVEL_INFO, "e");
			log_text(&l, "v", value);
			log_text(&l, "w", "\n\n");
			log_number(&l, "n", INT64_MIN);
			log_end(&l);
			line = captured();
			assert_true(strlen(line) <= 4096);
			assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
			if (json == 1) {
				json_t *root = json_loads(line, 0, NULL);

				assert_non_null(root);
				json_decref(root);
			}
		}
	}
}

static void
errno_survives_a_line(void **state)
{
	(void)state;
	capture();
	errno = ENOTTY;
	log_event(LOG_LEVEL_INFO, "e", "x");
	assert_int_equal(errno, ENOTTY);
	captured();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_line_has_time_level_program_pid_and_event, reset),
	    cmocka_unit_test_setup(a_line_below_the_least_level_is_not_written, reset),
	    cmocka_unit_test_setup(each_line_carries_the_request, reset),
	    cmocka_unit_test_setup(plain_values_stand_without_quotes, reset),
	    cmocka_unit_test_setup(what_could_forge_a_field_or_a_line_is_escaped, reset),
	    cmocka_unit_test_setup(json_lines_are_valid_whatever_the_octets, reset),
	    cmocka_unit_test_setup(json_gives_a_text_back_as_it_was, reset),
	    cmocka_unit_test_setup(a_long_line_is_cut_and_stays_whole, reset),
	    cmocka_unit_test_setup(errno_survives_a_line, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
