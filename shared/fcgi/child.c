#include <sys/prctl.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/child.h"
#include "fcgi/request_fcgx.h"
#include "fcgi/secret.h"

/* Not SIGALRM, with which others interrupt their own waiting. */
#define WATCHDOG_SIGNAL SIGRTMIN

static volatile bool stop;

static void
on_stop(int signal)
{
	(void)signal;
	stop = true;
}

static void
on_watchdog(int signal)
{
	(void)signal;
	_exit(CHILD_REQUEST_TOO_LONG);
}

static void
set_action(int signal, void (*action)(int))
{
	struct sigaction sa = {.sa_handler = action};

	sigemptyset(&sa.sa_mask);
	sigaction(signal, &sa, NULL);
}

/*
 * Leave the master's ways behind.  SIGINT and SIGHUP reach a whole terminal; only the master acts on them.  libfcgi puts its
 * own actions where it finds the default, so that none of its signals may be left there.
 */
static void
set_signals(bool block_stop)
{
	sigset_t mask;

	set_action(SIGTERM, on_stop);
	set_action(WATCHDOG_SIGNAL, on_watchdog);
	set_action(SIGINT, SIG_IGN);
	set_action(SIGHUP, SIG_IGN);
	set_action(SIGUSR1, SIG_IGN);
	set_action(SIGPIPE, SIG_IGN);
	set_action(SIGCHLD, SIG_DFL);
	sigemptyset(&mask);
	if (block_stop)
		sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* To end with the master, and to have a name in ps.  false when the master is gone already. */
static bool
settle(const struct child_place *place, const char *role, bool block_stop)
{
	const char *name = place->program->name;
	char title[64];

	stop = false;
	set_signals(block_stop);
	if (strncmp(name, "fcgi-", 5) == 0)
		name += 5;
	snprintf(title, sizeof(title), "%s-%s", name, role);
	prctl(PR_SET_NAME, title, 0, 0, 0); /* which keeps 15 characters */
	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	log_open(place->program->name, place->settings->log_json, place->settings->log_level);
	return getppid() == place->master;
}

static void
set_watchdog(timer_t timer, int64_t seconds)
{
	struct itimerspec at = {.it_value.tv_sec = (time_t)seconds};

	timer_settime(timer, 0, &at, NULL);
}

/* About worker_requests, so that workers that started together do not end together; 0 for no limit. */
static uint64_t
requests_to_serve(const struct settings *s)
{
	uint64_t most = (uint64_t)s->worker_requests;

	return most == 0 ? 0 : most + (uint64_t)getpid() % (most / 10 + 1);
}

/*
 * After SIGTERM: whether to go on with what has connected already.  With a socket of systemd's the next process does that; when
 * the master died, there is none.  Half the time that the master gives is for this, however much still comes.
 */
static bool
may_drain(const struct child_place *place, int64_t *until_ms)
{
	bool drain = !place->listener->inherited &&
		     (atomic_load(place->draining) || getppid() != place->master);

	if (*until_ms == 0)
		*until_ms = clock_monotonic_ms() + place->settings->drain_timeout_s * 500;
	return drain && clock_monotonic_ms() < *until_ms;
}

static void
answer(const struct child_place *place, void *worker, struct fcgi_request *r, struct octets secret)
{
	struct octets given;

	fcgi_request_begin(r);
	given = octets_of_string(fcgi_request_header(r, "SCEP_FCGI_SECRET"));
	if (place->listener->tcp && !octets_equal_secret(given, secret)) {
		log_event(LOG_LEVEL_WARNING, "peer_refused",
		    "SCEP_FCGI_SECRET: have %s, want the one of SCEP_FCGI_SECRET_FILE",
		    given.len == 0 ? "none" : "another");
		fcgi_respond_text(r, 403, NULL, "forbidden");
	} else {
		place->program->serve(worker, r);
	}
	if (fcgi_request_status(r) == 0) {
		log_event(LOG_LEVEL_ERROR, "no_answer", "%s %s", fcgi_request_method(r),
		    fcgi_request_path(r));
		fcgi_respond_text(r, 500, NULL, "internal error");
	}
	fcgi_request_end(r);
}

/* Wait for a connection or SIGTERM.  When both are there, ppoll() tells of the connection alone. */
static void
wait_for_connection(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	sigset_t open, pending;

	sigemptyset(&open);
	(void)ppoll(&p, 1, NULL, &open);
	if (!stop && sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1)
		stop = true;
}

/*
 * The loop.  SIGTERM is blocked but for ppoll(), so that it is neither missed between a look at stop and the waiting nor
 * interrupts a request; the socket does not block, so that accept() cannot wait where the signal would not reach it.
 */
static enum child_status
accept_loop(const struct child_place *place, void *worker, struct fcgi_request *r, timer_t watchdog,
    struct octets secret)
{
	uint64_t limit = requests_to_serve(place->settings), served = 0;
	int64_t until_ms = 0;

	while (limit == 0 || served < limit) {
		int rc;

		if (!stop)
			wait_for_connection(place->listener->fd);
		if (stop && !may_drain(place, &until_ms))
			break;
		set_watchdog(watchdog, place->settings->request_timeout_s);
		rc = FCGX_Accept_r(&r->fcgx);
		if (rc == 0) {
			answer(place, worker, r, secret);
			if (place->program->served != NULL) {
				set_watchdog(watchdog, place->settings->request_timeout_s);
				place->program->served(worker);
			}
			served++;
		}
		set_watchdog(watchdog, 0);
		if (rc == 0 || rc == -EINTR)
			continue;
		if (rc != -EAGAIN && rc != -EWOULDBLOCK) {
			log_event(LOG_LEVEL_ERROR, "accept_failed", "%s", strerror(-rc));
			return CHILD_ACCEPT_FAILED;
		}
		if (stop)
			break;
	}
	return CHILD_ENDED;
}

static enum child_status
serve_requests(const struct child_place *place, void *worker, struct octets secret)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = WATCHDOG_SIGNAL};
	struct fcgi_request *r = calloc(1, sizeof(*r));
	enum child_status status = CHILD_START_FAILED;
	timer_t watchdog;

	if (r == NULL || timer_create(CLOCK_MONOTONIC, &event, &watchdog) != 0) {
		log_event(LOG_LEVEL_ERROR, "worker_start_failed", "no memory or no timer");
		free(r);
		return status;
	}
	if (FCGX_Init() != 0 ||
	    FCGX_InitRequest(&r->fcgx, place->listener->fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		log_event(LOG_LEVEL_ERROR, "worker_start_failed", "libfcgi does not start");
	} else {
		atomic_fetch_add(place->ready, 1);
		kill(place->master, SIGUSR1);
		status = accept_loop(place, worker, r, watchdog, secret);
		FCGX_Free(&r->fcgx, 1);
	}
	timer_delete(watchdog);
	free(r);
	return status;
}

enum child_status
child_work(const struct child_place *place)
{
	enum child_status status = CHILD_START_FAILED;
	struct buffer secret = {0};
	struct errbuf why = {0};
	void *worker = NULL;

	if (!settle(place, "worker", true))
		return CHILD_ENDED;
	if ((place->listener->tcp &&
		!secret_load(place->settings->fcgi_secret_file, &secret, &why)) ||
	    !place->program->worker_start(place->settings, place->shared, &worker, &why)) {
		log_event(LOG_LEVEL_ERROR, "worker_start_failed", "%s", why.line);
	} else {
		status = serve_requests(place, worker, buffer_octets(&secret));
		place->program->worker_stop(worker);
	}
	buffer_free(&secret);
	return status;
}

int
child_background(const struct child_place *place)
{
	if (!settle(place, "backgr", false))
		return CHILD_ENDED;
	return place->program->background(place->settings, place->shared, &stop);
}
