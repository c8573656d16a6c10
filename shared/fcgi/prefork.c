#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/generation.h"
#include "fcgi/listener.h"
#include "fcgi/notify.h"
#include "fcgi/prefork.h"
#include "fcgi/secret.h"

/* What master and children share; the program sees the first part. */
struct common {
	struct prefork_shared program;
	_Atomic bool draining;
};

struct master {
	const struct prefork_program *program;
	struct settings *settings; /* those that serve now */
	const char *settings_file;
	struct common *common;
	struct listener listener;
	struct generation *generations; /* the newest first */
	bool announced;			/* systemd knows that we are ready */
	bool reload;			/* SIGHUP came */
	bool stopping;
};

/* Keys will be in memory: no core files, and nobody else's debugger.  Tests want both. */
static void
forbid_core_files(void)
{
#ifndef SCEP_TEST_BUILD
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

static void
read_stdin_from_null(void)
{
	int fd = open("/dev/null", O_RDONLY);

	if (fd > STDIN_FILENO) {
		dup2(fd, STDIN_FILENO);
		close(fd);
	}
}

/*
 * The signals that the master waits for; they are blocked everywhere else in it.  Whoever started us may have left SIGCHLD
 * ignored, which would hide how children end, and a closed stderr must not end the service.
 */
static void
master_signals(sigset_t *set)
{
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGCHLD);
	sigaddset(set, SIGUSR1);
}

static struct generation *
find(const struct master *m, enum generation_state state)
{
	struct generation *g = m->generations;

	while (g != NULL && g->state != state)
		g = g->next;
	return g;
}

/* The program's own check of settings. */
static bool
check(const struct master *m, const struct settings *s, struct errbuf *why)
{
	return m->program->check == NULL || m->program->check(s, why);
}

/* On TCP there must be a secret; the workers load it again. */
static bool
check_secret(const struct master *m, const struct settings *s, struct errbuf *why)
{
	struct buffer secret = {0};
	bool ok = !m->listener.tcp || secret_load(s->fcgi_secret_file, &secret, why);

	buffer_free(&secret);
	return ok;
}

static struct generation *
add_generation(struct master *m, const struct settings *s)
{
	struct child_place place = {
	    .program = m->program,
	    .listener = &m->listener,
	    .shared = &m->common->program,
	    .draining = &m->common->draining,
	    .master = getpid(),
	};
	struct generation *g = generation_new(s, &place);

	if (g != NULL) {
		g->next = m->generations;
		m->generations = g;
	}
	return g;
}

static int64_t
kill_time_ms(const struct master *m)
{
	return clock_monotonic_ms() + m->settings->drain_timeout_s * 1000;
}

/* SIGHUP: start another generation; the one that serves stays until that is up. */
static void
begin_reload(struct master *m)
{
	struct errbuf why = {0};
	struct settings fresh;

	if (find(m, GENERATION_STARTING) != NULL)
		return; /* m->reload stays: once more when this one is decided */
	m->reload = false;
	if (!settings_load(&fresh, m->settings_file, &why) || !check_secret(m, &fresh, &why) ||
	    !check(m, &fresh, &why)) {
		log_event(LOG_LEVEL_ERROR, "reload_refused", "%s", why.line);
		return;
	}
	if (add_generation(m, &fresh) == NULL)
		log_event(LOG_LEVEL_ERROR, "reload_refused", "out of memory");
}

/* The new workers are up, or one of them ended before. */
static void
end_reload(struct master *m)
{
	struct generation *fresh = find(m, GENERATION_STARTING);
	struct generation *old = find(m, GENERATION_SERVING);

	if (fresh == NULL)
		return;
	if (fresh->failed) {
		log_event(
		    LOG_LEVEL_ERROR, "reload_refused", "a new worker ended; the old ones stay");
		generation_retire(fresh, kill_time_ms(m));
	} else if (generation_is_ready(fresh)) {
		*m->settings = fresh->settings;
		log_open(m->program->name, m->settings->log_json, m->settings->log_level);
		fresh->state = GENERATION_SERVING;
		generation_retire(old, kill_time_ms(m));
		log_event(LOG_LEVEL_INFO, "reloaded", "%d workers", fresh->workers);
	}
}

/* Let nothing new arrive, and all children end what they have. */
static void
begin_stop(struct master *m)
{
	int64_t kill_at_ms = kill_time_ms(m);

	m->stopping = true;
	notify_systemd("STOPPING=1");
	listener_unlink(&m->listener);
	atomic_store(&m->common->draining, true);
	for (struct generation *g = m->generations; g != NULL; g = g->next)
		generation_retire(g, kill_at_ms);
	log_event(LOG_LEVEL_INFO, "stop", "up to %lld s for requests in flight",
	    (long long)m->settings->drain_timeout_s);
}

static void
reap(struct master *m)
{
	int64_t now_ms = clock_monotonic_ms();
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct generation *g = m->generations;

		while (g != NULL && !generation_reap(g, pid, status, now_ms))
			g = g->next;
	}
}

/* Kill whose time is over, and forget generations that have nobody left. */
static void
clear_retired(struct master *m)
{
	int64_t now_ms = clock_monotonic_ms();
	struct generation **at = &m->generations;

	while (*at != NULL) {
		struct generation *g = *at;

		if (g->state == GENERATION_RETIRED && now_ms >= g->kill_at_ms)
			log_event(
			    LOG_LEVEL_WARNING, "drain_timeout", "%d killed", generation_kill(g));
		if (g->state == GENERATION_RETIRED && generation_is_empty(g)) {
			*at = g->next;
			generation_free(g);
		} else {
			at = &g->next;
		}
	}
}

static void
announce(struct master *m)
{
	const struct generation *g = find(m, GENERATION_SERVING);

	if (m->announced || g == NULL || !generation_is_ready(g))
		return;
	m->announced = true;
	notify_systemd("READY=1");
	log_event(LOG_LEVEL_INFO, "ready", "%d workers", g->workers);
}

/* The next signal, or 0 when something of the generations is due before one comes. */
static int
wait_for_signal(const struct master *m, const sigset_t *set)
{
	int64_t due_ms = INT64_MAX, wait_ms;
	struct timespec ts;
	int signal;

	for (const struct generation *g = m->generations; g != NULL; g = g->next)
		if (generation_due_ms(g) < due_ms)
			due_ms = generation_due_ms(g);
	wait_ms = due_ms == INT64_MAX ? INT64_MAX : due_ms - clock_monotonic_ms();
	if (wait_ms < 0)
		wait_ms = 0;
	ts = (struct timespec){.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000};
	signal = due_ms == INT64_MAX ? sigwaitinfo(set, NULL) : sigtimedwait(set, NULL, &ts);
	return signal < 0 ? 0 : signal;
}

static void
take_signal(struct master *m, int signal)
{
	if (signal == SIGHUP)
		m->reload = true;
	if ((signal == SIGTERM || signal == SIGINT) && !m->stopping) {
		begin_stop(m);
	} else if (signal == SIGINT) {
		/* A person who asks again does not want to wait. */
		for (struct generation *g = m->generations; g != NULL; g = g->next)
			g->kill_at_ms = 0;
	}
}

static void
run(struct master *m, const sigset_t *set)
{
	while (m->generations != NULL) {
		for (struct generation *g = m->generations; g != NULL; g = g->next)
			generation_fill(g, clock_monotonic_ms());
		take_signal(m, wait_for_signal(m, set));
		reap(m);
		end_reload(m);
		if (m->reload && !m->stopping)
			begin_reload(m);
		announce(m);
		clear_retired(m);
	}
}

/* Check, open the socket, and make the first generation; false when that is not to be had, which is logged. */
static bool
start(struct master *m)
{
	const char *address = (const char *)m->settings + m->program->listen_at;
	struct errbuf why = {0};
	struct generation *g;

	if (!check(m, m->settings, &why) ||
	    !listener_open(&m->listener, address, m->settings, &why) ||
	    !check_secret(m, m->settings, &why)) {
		log_event(LOG_LEVEL_ERROR, "start_refused", "%s", why.line);
		return false;
	}
	if ((g = add_generation(m, m->settings)) == NULL) {
		log_event(LOG_LEVEL_ERROR, "start_refused", "out of memory");
		return false;
	}
	g->state = GENERATION_SERVING;
	log_event(LOG_LEVEL_INFO, "start", "%d workers on %s", g->workers,
	    m->listener.inherited ? "the socket of systemd" : address);
	return true;
}

int
prefork_run(const struct prefork_program *program, struct settings *s, const char *settings_file)
{
	struct master m = {.program = program, .settings = s, .settings_file = settings_file};
	sigset_t set, before;
	bool started;

	m.listener.fd = -1;
	log_open(program->name, s->log_json, s->log_level);
	forbid_core_files();
	read_stdin_from_null();
	m.common = mmap(
	    NULL, sizeof(*m.common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m.common == MAP_FAILED) {
		log_event(LOG_LEVEL_ERROR, "start_refused", "no shared memory");
		return 1;
	}
	master_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &before);

	started = start(&m);
	if (started)
		run(&m, &set);
	listener_unlink(&m.listener);
	listener_close(&m.listener);
	munmap(m.common, sizeof(*m.common));
	if (started)
		log_event(LOG_LEVEL_INFO, "stopped", "no process is left");
	sigprocmask(SIG_SETMASK, &before, NULL);
	return started ? 0 : 1;
}
