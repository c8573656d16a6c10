#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "fcgi/prefork.h"
#include "prefork_server.h"

#define LONGEST_MS 20000
#define BODY_MAX   1000

struct worker {
	const struct settings *settings;
	struct prefork_shared *shared;
	bool hang_after;
};

static struct worker the_worker;

static void
pause_ms(long ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&ts, &ts) != 0 && errno == EINTR)
		continue;
}

/* ---- the program ---- */

static bool
start_worker(
    const struct settings *s, struct prefork_shared *shared, void **worker, struct errbuf *why)
{
	if (strcmp(s->default_profile, "unstartable") == 0) {
		errbuf_set(why, "told not to start");
		return false;
	}
	the_worker = (struct worker){.settings = s, .shared = shared};
	*worker = &the_worker;
	return true;
}

static void
stop_worker(void *worker)
{
	(void)worker;
}

static void
respond_number(struct fcgi_request *r, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	fcgi_respond(r, 200, "text/plain", NULL, octets_of_string(text));
}

static void
respond_body(struct fcgi_request *r)
{
	struct errbuf why = {0}, again = {0};
	struct octets body, same;
	int rc = fcgi_request_body(r, BODY_MAX, &body, &why);

	/* A second reading gives the same. */
	if (fcgi_request_body(r, BODY_MAX, &same, &again) != rc || !octets_equal(body, same))
		fcgi_respond_text(r, 500, NULL, "the second reading differs");
	else if (rc != 0)
		fcgi_respond_text(r, rc, NULL, why.line);
	else
		fcgi_respond(r, 200, "application/octet-stream", "X-Test: yes\r\n", body);
}

static int
places_taken(struct prefork_shared *shared)
{
	int count = 0;

	for (int i = 0; i < OUTBOUND_GATE_MAX; i++)
		count += atomic_load(&shared->gate.inside[i]) != 0;
	return count;
}

static void
serve_other(struct worker *w, struct fcgi_request *r, const char *path)
{
	if (strcmp(path, "/alive") == 0) {
		respond_number(r, (long long)atomic_load(&w->shared->workers));
	} else if (strcmp(path, "/restarts") == 0) {
		respond_number(r, (long long)atomic_load(&w->shared->restarts));
	} else if (strcmp(path, "/hang") == 0) {
		for (;;)
			pause_ms(1000);
	} else if (strcmp(path, "/die") == 0) {
		kill(getpid(), SIGKILL);
	} else if (strcmp(path, "/inside") == 0) {
		respond_number(r, (long long)places_taken(w->shared));
	} else if (strcmp(path, "/die-inside") == 0) {
		outbound_gate_enter(&w->shared->gate, atomic_load(&w->shared->workers));
		log_event(LOG_LEVEL_INFO, "inside", "%d", places_taken(w->shared));
		kill(getpid(), SIGKILL);
	} else if (strcmp(path, "/hang-after") == 0) {
		w->hang_after = true;
		fcgi_respond_text(r, 200, NULL, "answered");
	} else if (strcmp(path, "/twice") == 0) {
		fcgi_respond_text(r, 200, NULL, "first");
		fcgi_respond_text(r, 404, NULL, "second");
	} else if (strcmp(path, "/silent") != 0) {
		fcgi_respond_text(r, 404, NULL, "no such path");
	}
}

static void
serve(void *worker, struct fcgi_request *r)
{
	const char *path = fcgi_request_path(r);
	struct worker *w = worker;
	const char *text;

	if (strcmp(path, "/pid") == 0) {
		respond_number(r, getpid());
	} else if (strcmp(path, "/generation") == 0) {
		respond_number(r, w->settings->challenge_tries);
	} else if (strcmp(path, "/body") == 0) {
		respond_body(r);
	} else if (strcmp(path, "/id") == 0) {
		fcgi_respond(r, 200, "text/plain", NULL, octets_of_string(fcgi_request_id(r)));
	} else if (strcmp(path, "/env") == 0) {
		text = getenv("PREFORK_TEST");
		fcgi_respond(r, 200, NULL, NULL, octets_of_string(text == NULL ? "" : text));
	} else if (strcmp(path, "/slow") == 0) {
		log_event(LOG_LEVEL_INFO, "slow_begun", "now");
		pause_ms(strtol(fcgi_request_query(r), NULL, 10));
		respond_number(r, getpid());
	} else {
		serve_other(w, r, path);
	}
}

static void
served(void *worker)
{
	struct worker *w = worker;

	while (w->hang_after)
		pause_ms(1000);
}

static int
run_background(const struct settings *s, struct prefork_shared *shared, const volatile bool *stop)
{
	(void)s;
	(void)shared;
	log_event(LOG_LEVEL_INFO, "background_up", "now");
	while (!*stop)
		pause_ms(20);
	log_event(LOG_LEVEL_INFO, "background_down", "now");
	return 0;
}

static bool
check(const struct settings *s, struct errbuf *why)
{
	if (strcmp(s->default_profile, "unfit") != 0)
		return true;
	errbuf_set(why, "told to refuse");
	return false;
}

static const struct prefork_program program = {
    .name = "fcgi-test",
    .listen_at = offsetof(struct settings, listen),
    .workers_at = offsetof(struct settings, workers),
    .worker_start = start_worker,
    .serve = serve,
    .served = served,
    .worker_stop = stop_worker,
    .background = run_background,
    .check = check,
};

/* ---- its process ---- */

static void
path_in(const struct prefork_server *s, const char *name, char out[128])
{
	snprintf(out, 128, "%s/%s", s->dir, name);
}

void
prefork_server_init(struct prefork_server *s)
{
	memset(s, 0, sizeof(*s));
	s->listen_fd = -1;
	snprintf(s->dir, sizeof(s->dir), "/tmp/prefork-XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		abort();
	snprintf(s->address, sizeof(s->address), "unix:%s/sock", s->dir);
}

void
prefork_server_init_tcp(struct prefork_server *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	prefork_server_init(s);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) != 0)
		abort();
	close(fd);
	snprintf(s->address, sizeof(s->address), "tcp:127.0.0.1:%d", ntohs(sin.sin_port));
}

void
prefork_server_init_beside(struct prefork_server *s, const struct prefork_server *other)
{
	*s = *other;
	s->pid = 0;
}

void
prefork_server_configure(const struct prefork_server *s, const char *lines)
{
	char path[128];
	FILE *out;

	path_in(s, "settings", path);
	if ((out = fopen(path, "we")) == NULL)
		abort();
	fprintf(out, "SCEP_STATE_DIR=%s\nSCEP_LISTEN=%s\n%s", s->dir, s->address, lines);
	fclose(out);
}

/*
 * Close what the test has open: a server that held the other end of its own clients' connections would never see them closed.
 */
static void
close_inherited(int listen_fd)
{
	if (listen_fd != -1)
		dup2(listen_fd, 3);
	close_range(listen_fd == -1 ? 3 : 4, ~0U, 0);
}

static void
pass_socket(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
}

static int
run_server(const struct prefork_server *s)
{
	struct settings settings;
	struct errbuf why = {0};
	char path[128];
	int log;

	close_inherited(s->listen_fd);
	path_in(s, "log", path);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(log, STDERR_FILENO);
	close(log);
	if (s->listen_fd != -1)
		pass_socket();
	setenv("PREFORK_TEST", "intact", 1);
	path_in(s, "settings", path);
	if (!settings_load(&settings, path, &why)) {
		fprintf(stderr, "%s\n", why.line);
		return 2;
	}
	return prefork_run(&program, &settings, path);
}

void
prefork_server_spawn(struct prefork_server *s)
{
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0)
		exit(run_server(s));
	if (s->pid == -1)
		abort();
}

static int
count_in_log(const struct prefork_server *s, const char *text)
{
	char path[128], line[8192];
	int count = 0;
	FILE *in;

	path_in(s, "log", path);
	if ((in = fopen(path, "re")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), in) != NULL)
		if (strstr(line, text) != NULL)
			count++;
	fclose(in);
	return count;
}

bool
prefork_server_logs_now(const struct prefork_server *s, const char *text, int count)
{
	return count_in_log(s, text) >= count;
}

bool
prefork_server_logs(const struct prefork_server *s, const char *text, int count)
{
	int64_t until = clock_monotonic_ms() + LONGEST_MS;

	while (!prefork_server_logs_now(s, text, count)) {
		if (clock_monotonic_ms() > until)
			return false;
		pause_ms(5);
	}
	return true;
}

bool
prefork_server_start(struct prefork_server *s)
{
	int64_t until = clock_monotonic_ms() + LONGEST_MS;
	int before = count_in_log(s, "event=ready");

	prefork_server_spawn(s);
	while (count_in_log(s, "event=ready") == before) {
		if (clock_monotonic_ms() > until || waitpid(s->pid, NULL, WNOHANG) == s->pid)
			return false;
		pause_ms(5);
	}
	return true;
}

int
prefork_server_wait(struct prefork_server *s)
{
	int64_t until = clock_monotonic_ms() + LONGEST_MS;
	pid_t pid;
	int status = 0;

	while ((pid = waitpid(s->pid, &status, WNOHANG)) == 0 && clock_monotonic_ms() < until)
		pause_ms(5);
	if (pid != s->pid)
		return -1;
	s->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
prefork_server_stop(struct prefork_server *s)
{
	kill(s->pid, SIGTERM);
	return prefork_server_wait(s);
}

void
prefork_server_clear(struct prefork_server *s)
{
	static const char *const names[] = {"sock", "settings", "log", "secret"};
	char path[128];

	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
		s->pid = 0;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_in(s, names[i], path);
		unlink(path);
	}
	rmdir(s->dir);
}

bool
prefork_server_runs(pid_t pid)
{
	char path[64], line[512] = "";
	const char *after;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	if ((in = fopen(path, "re")) == NULL)
		return false;
	if (fgets(line, sizeof(line), in) == NULL)
		line[0] = '\0';
	fclose(in);
	after = strrchr(line, ')');
	return after != NULL && after[1] == ' ' && after[2] != 'Z' && after[2] != 'X';
}

bool
prefork_server_gone(pid_t pid)
{
	int64_t until = clock_monotonic_ms() + LONGEST_MS;

	while (prefork_server_runs(pid)) {
		if (clock_monotonic_ms() > until)
			return false;
		pause_ms(5);
	}
	return true;
}
