#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/lock.h"

static char path[64];
static volatile sig_atomic_t alarms;

static int
setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/store-lock-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	alarms = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

/* A description of its own, which excludes others in the same process too. */
static int
open_lock(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
on_alarm(int number)
{
	(void)number;
	alarms++;
}

static void
a_free_lock_is_taken_and_a_released_one_again(void **state)
{
	int a = open_lock(), b = open_lock();

	(void)state;
	assert_true(lock_take(a, 0));
	assert_false(lock_take(b, 0));
	assert_int_equal(errno, ETIMEDOUT);
	lock_release(a);
	assert_true(lock_take(b, 0));
	close(a);
	close(b);
}

static void
waiting_ends_after_about_the_time_out(void **state)
{
	int a = open_lock(), b = open_lock();
	int64_t start, passed;

	(void)state;
	assert_true(lock_take(a, 0));
	start = clock_monotonic_ms();
	assert_false(lock_take(b, 200));
	assert_int_equal(errno, ETIMEDOUT);
	passed = clock_monotonic_ms() - start;
	assert_in_range(passed, 199, 1200);
	close(a);
	close(b);
}

/* Die after some milliseconds with the lock, without a release. */
static pid_t
hold_and_die(int64_t ms, int how)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	if ((pid = fork()) == 0) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (!lock_take(fd, 1000) || write(ready[1], "x", 1) != 1)
			_exit(1);
		usleep((useconds_t)ms * 1000);
		raise(how);
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void
the_lock_of_a_killed_process_is_free_at_once(void **state)
{
	int fd = open_lock(), status;
	int64_t start = clock_monotonic_ms();
	pid_t pid = hold_and_die(100, SIGKILL);

	(void)state;
	assert_true(lock_take(fd, 5000));
	assert_in_range(clock_monotonic_ms() - start, 50, 3000);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(fd);
}

static void
waiting_leaves_handler_and_mask_as_they_were(void **state)
{
	struct sigaction mine = {.sa_handler = on_alarm}, now;
	int a = open_lock(), b = open_lock();
	sigset_t blocked, old;

	(void)state;
	sigaction(SIGALRM, &mine, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, &old);
	assert_true(lock_take(a, 0));
	assert_false(lock_take(b, 50));
	sigaction(SIGALRM, NULL, &now);
	assert_ptr_equal(now.sa_handler, on_alarm);
	sigprocmask(SIG_SETMASK, &old, &blocked);
	assert_true(sigismember(&blocked, SIGALRM));
	assert_int_equal(alarms, 0);
	close(a);
	close(b);
	signal(SIGALRM, SIG_DFL);
}

static void
a_timer_that_runs_goes_on_less_the_time_waited(void **state)
{
	struct itimerval timer = {.it_value = {.tv_sec = 60}}, left = {0}, off = {0};
	int a = open_lock(), b = open_lock();
	int64_t left_ms;

	(void)state;
	setitimer(ITIMER_REAL, &timer, NULL);
	assert_true(lock_take(a, 0));
	assert_false(lock_take(b, 300));
	getitimer(ITIMER_REAL, &left);
	setitimer(ITIMER_REAL, &off, NULL);
	left_ms = left.it_value.tv_sec * INT64_C(1000) + left.it_value.tv_usec / 1000;
	assert_in_range(left_ms, 50000, 59701);
	assert_int_equal(left.it_interval.tv_sec, 0);
	assert_int_equal(left.it_interval.tv_usec, 0);
	close(a);
	close(b);
}

static void
a_timer_that_ran_out_meanwhile_goes_off_right_after(void **state)
{
	struct itimerval timer = {.it_value = {.tv_usec = 50000}};
	struct sigaction mine = {.sa_handler = on_alarm};
	int a = open_lock(), b = open_lock();

	(void)state;
	sigaction(SIGALRM, &mine, NULL);
	assert_true(lock_take(a, 0));
	setitimer(ITIMER_REAL, &timer, NULL);
	assert_false(lock_take(b, 200));
	if (alarms == 0)
		usleep(500000);
	assert_int_equal(alarms, 1);
	close(a);
	close(b);
	signal(SIGALRM, SIG_DFL);
}

static void
no_timer_stays_no_timer(void **state)
{
	struct itimerval left = {0};
	int a = open_lock(), b = open_lock();

	(void)state;
	assert_true(lock_take(a, 0));
	assert_false(lock_take(b, 50));
	getitimer(ITIMER_REAL, &left);
	assert_int_equal(left.it_value.tv_sec, 0);
	assert_int_equal(left.it_value.tv_usec, 0);
	close(a);
	close(b);
}

static void
a_descriptor_that_cannot_be_locked_says_so(void **state)
{
	(void)state;
	assert_false(lock_take(-1, 1000));
	assert_int_equal(errno, EBADF);
}

#define LOCK(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LOCK(a_free_lock_is_taken_and_a_released_one_again),
	    LOCK(waiting_ends_after_about_the_time_out),
	    LOCK(the_lock_of_a_killed_process_is_free_at_once),
	    LOCK(waiting_leaves_handler_and_mask_as_they_were),
	    LOCK(a_timer_that_runs_goes_on_less_the_time_waited),
	    LOCK(a_timer_that_ran_out_meanwhile_goes_off_right_after),
	    LOCK(no_timer_stays_no_timer),
	    LOCK(a_descriptor_that_cannot_be_locked_says_so),
	};

	return cmocka_run_group_tests_name("store_lock", tests, NULL, NULL);
}
