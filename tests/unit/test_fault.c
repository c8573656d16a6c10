#include <sys/wait.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fault.h"

static char path[] = "/tmp/fault-XXXXXX";

static int
init(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd == -1)
		return -1;
	close(fd);
	unlink(path);
	return setenv("SCEP_TEST_FAULT_FILE", path, 1);
}

static int
clear(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void
tell(const char *text)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void
without_a_file_nothing_happens(void **state)
{
	(void)state;
	assert_false(fault_here("issued"));
	unsetenv("SCEP_TEST_FAULT_FILE");
	assert_false(fault_here("issued"));
	setenv("SCEP_TEST_FAULT_FILE", path, 1);
}

static void
a_step_fails_once(void **state)
{
	(void)state;
	tell("issued fail\n");
	assert_true(fault_here("issued"));
	assert_false(fault_here("issued"));
	assert_int_not_equal(access(path, F_OK), 0);
}

static void
a_step_fails_always_when_told_so(void **state)
{
	(void)state;
	tell("issued fail always");
	assert_true(fault_here("issued"));
	assert_true(fault_here("issued"));
}

static void
other_steps_pass_and_leave_the_file(void **state)
{
	(void)state;
	tell("issued fail");
	assert_false(fault_here("committed"));
	assert_false(fault_here("issue"));
	assert_int_equal(access(path, F_OK), 0);
	tell("");
	assert_false(fault_here("issued"));
	tell("issued");
	assert_false(fault_here("issued"));
}

static void
a_step_kills_the_process(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	tell("issued kill");
	pid = fork();
	if (pid == 0) {
		fault_here("issued");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void
a_step_sleeps(void **state)
{
	int64_t before = clock_monotonic_ms();

	(void)state;
	tell("issued sleep 120");
	assert_false(fault_here("issued"));
	assert_true(clock_monotonic_ms() - before >= 120);
}

#define TEST(name) cmocka_unit_test_teardown(name, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_a_file_nothing_happens),
	    TEST(a_step_fails_once),
	    TEST(a_step_fails_always_when_told_so),
	    TEST(other_steps_pass_and_leave_the_file),
	    TEST(a_step_kills_the_process),
	    TEST(a_step_sleeps),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
