/* intune.c: revocation requests of Intune, in a process of their own, so that a slow Intune keeps nothing else of the background waiting. */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi-admin/background/task.h"
#include "fcgi-admin/manage/intune_revocation.h"
#include "outbound/http.h"

#define LOOK_EVERY_MS	5000
#define RETRY_MS	600000 /* after a round that failed */
#define CONNECTIONS_MAX 64     /* in one run; the rest are due in the next */

/* Those whose time has come. */
struct due {
	const struct settings *settings;
	int64_t now;
	struct intune_row *rows; /* NULL: they are only counted */
	int count;
};

static bool
is_due(const struct due *d, const struct intune_row *i)
{
	int64_t every_s = d->settings->intune_revocation_minutes * 60;

	/* A time that lies ahead was written by a clock that was wrong. */
	return i->revocations &&
	       (d->now >= i->revocations_at + every_s || i->revocations_at > d->now + every_s);
}

static bool
take_due(void *ctx, const struct intune_row *i)
{
	struct due *d = ctx;

	if (is_due(d, i)) {
		if (d->rows != NULL)
			d->rows[d->count] = *i;
		d->count++;
	}
	return d->count < CONNECTIONS_MAX;
}

static bool
go_round(struct manage *m, struct http *h, const struct intune_row *connection)
{
	struct manage_intune_round round;
	struct manage_report r = {0};
	bool ok = manage_intune_revocations(m, h, connection, &round, &r) == MANAGE_OK;

	if (!ok)
		log_event(LOG_LEVEL_WARNING, "intune-revocations", "%s: %s", connection->name,
		    r.why.line);
	else if (round.asked > 0)
		log_event(LOG_LEVEL_INFO, "intune-revocations", "%s: %d asked for, %d revoked",
		    connection->name, round.asked, round.revoked);
	return ok;
}

/* The process: everything it uses is opened here. */
static int
work(const struct settings *s)
{
	struct due due = {.settings = s, .now = clock_now()};
	struct http *h = NULL;
	struct manage_report r = {0};
	struct manage m;
	bool ok = false;

	manage_open(&m, s);
	if ((due.rows = calloc(CONNECTIONS_MAX, sizeof(*due.rows))) != NULL &&
	    http_open(&h, &r.why) && manage_need_store(&m, &r) == MANAGE_OK)
		ok = store_intune_each(m.store, take_due, &due, &r.why) == STORE_OK;
	if (!ok)
		log_event(LOG_LEVEL_WARNING, "intune-revocations", "%s", r.why.line);
	for (int i = 0; i < due.count; i++)
		ok = go_round(&m, h, &due.rows[i]) && ok;
	free(due.rows);
	http_close(h);
	manage_close(&m);
	return ok ? 0 : 1;
}

static void
start(struct background *b)
{
	pid_t parent = getpid();

	/* SQLite's connections do not survive a fork; what is closed here is opened again when it is needed. */
	manage_close(&b->manage);
	manage_open(&b->manage, b->settings);
	b->intune_pid = fork();
	if (b->intune_pid == 0) {
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_NAME, "admin-intune", 0, 0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		_exit(getppid() == parent ? work(b->settings) : 1);
	}
	if (b->intune_pid < 0)
		b->intune_pid = 0;
}

/* Whether one still works; how it ended says when the next may start. */
static bool
runs(struct background *b, int64_t now_ms)
{
	int status = 0;

	if (b->intune_pid == 0)
		return false;
	if (waitpid(b->intune_pid, &status, WNOHANG) == 0)
		return true;
	b->intune_pid = 0;
	b->next_intune_ms = now_ms + (status == 0 ? LOOK_EVERY_MS : RETRY_MS);
	return false;
}

void
task_intune(struct background *b)
{
	struct due due = {.settings = b->settings, .now = clock_now()};
	int64_t now_ms = clock_monotonic_ms();
	struct errbuf why = {0};
	bool ok;

	if (runs(b, now_ms) || now_ms < b->next_intune_ms)
		return;
	b->next_intune_ms = now_ms + LOOK_EVERY_MS;
	ok = store_intune_each(b->manage.store, take_due, &due, &why) == STORE_OK;
	if (outage_note(&b->store_away, ok, &why) && due.count > 0)
		start(b);
}

void
task_intune_close(struct background *b)
{
	if (b->intune_pid == 0)
		return;
	kill(b->intune_pid, SIGTERM);
	(void)waitpid(b->intune_pid, NULL, 0);
	b->intune_pid = 0;
}
