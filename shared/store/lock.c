#include <sys/file.h>
#include <sys/time.h>

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "base/clock.h"
#include "store/lock.h"

#define AGAIN_US                                                                                   \
	5000 /* the alarm comes again: the first may fall between the look at the clock and flock */

static void
interrupt_only(int signal_number)
{
	(void)signal_number;
}

static struct timeval
timeval_of(int64_t us)
{
	struct timeval tv = {
	    .tv_sec = (time_t)(us / 1000000), .tv_usec = (suseconds_t)(us % 1000000)};

	return tv;
}

/* Start the timer that was there again with what is left of it; one that ran out meanwhile goes off at once. */
static void
timer_restore(struct itimerval *old, int64_t passed_us)
{
	int64_t left = (int64_t)old->it_value.tv_sec * 1000000 + old->it_value.tv_usec;

	if (left == 0)
		return;
	left = left > passed_us ? left - passed_us : 1;
	old->it_value = timeval_of(left);
	setitimer(ITIMER_REAL, old, NULL);
}

static bool
wait_for(int fd, int64_t timeout_ms)
{
	struct sigaction action = {.sa_handler = interrupt_only}, old_action;
	struct itimerval timer = {.it_interval = {0, AGAIN_US}}, old_timer, off = {0};
	int64_t start = clock_monotonic_us(), deadline = start + timeout_ms * 1000;
	sigset_t alarm_set, old_set;
	int rc, error;

	sigemptyset(&action.sa_mask);
	sigemptyset(&alarm_set);
	sigaddset(&alarm_set, SIGALRM);
	timer.it_value = timeval_of(timeout_ms * 1000);

	setitimer(ITIMER_REAL, &off, &old_timer);
	sigaction(SIGALRM, &action, &old_action);
	sigprocmask(SIG_UNBLOCK, &alarm_set, &old_set);
	setitimer(ITIMER_REAL, &timer, NULL);

	do {
		rc = flock(fd, LOCK_EX);
		error = errno;
	} while (rc != 0 && error == EINTR && clock_monotonic_us() < deadline);

	setitimer(ITIMER_REAL, &off, NULL);
	sigprocmask(SIG_SETMASK, &old_set, NULL);
	sigaction(SIGALRM, &old_action, NULL);
	timer_restore(&old_timer, clock_monotonic_us() - start);
	errno = error == EINTR ? ETIMEDOUT : error;
	return rc == 0;
}

bool
lock_take(int fd, int64_t timeout_ms)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno != EWOULDBLOCK && errno != EINTR)
		return false;
	if (timeout_ms <= 0) {
		errno = ETIMEDOUT;
		return false;
	}
	return wait_for(fd, timeout_ms);
}

void
lock_release(int fd)
{
	flock(fd, LOCK_UN);
}
