#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static char path[] = "/tmp/clock-XXXXXX";

static int
init(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd == -1)
		return -1;
	close(fd);
	return setenv("SCEP_TEST_CLOCK", path, 1);
}

static int
clear(void **state)
{
	(void)state;
	return unlink(path);
}

/* In place, as tests/stack does. */
static void
move_to(const char *offset)
{
	FILE *out = fopen(path, "r+e");

	assert_non_null(out);
	assert_int_equal(ftruncate(fileno(out), 0), 0);
	fputs(offset, out);
	fclose(out);
}

static void
assert_offset(int64_t want_s)
{
	int64_t real = (int64_t)time(NULL);

	assert_in_range(clock_now() - real - want_s + 2, 0, 4);
	assert_in_range(clock_now_ms() / 1000 - real - want_s + 2, 0, 4);
}

static void
an_empty_file_moves_nothing(void **state)
{
	(void)state;
	assert_offset(0);
}

static void
time_moves_with_the_file_at_once_and_back(void **state)
{
	(void)state;
	move_to("+3600\n");
	assert_offset(3600);
	move_to("-86400\n");
	assert_offset(-86400);
	move_to("315360000");
	assert_offset(315360000);
	move_to("");
	assert_offset(0);
}

static void
durations_do_not_move(void **state)
{
	int64_t before = clock_monotonic_ms(), before_us = clock_monotonic_us();

	(void)state;
	move_to("+3600\n");
	assert_in_range(clock_monotonic_ms() - before, 0, 60000);
	assert_in_range(clock_monotonic_us() - before_us, 0, 60000000);
	assert_in_range(before_us / 1000 - before, 0, 60000);
	move_to("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_file_moves_nothing),
	    cmocka_unit_test(time_moves_with_the_file_at_once_and_back),
	    cmocka_unit_test(durations_do_not_move),
	};

	return cmocka_run_group_tests(tests, init, clear);
}
