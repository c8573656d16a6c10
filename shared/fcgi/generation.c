#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "fcgi/generation.h"

#define LONG_LIFE_MS	 10000 /* whoever lived so long did not fail at start */
#define FIRST_DELAY_MS	 100
#define LONGEST_DELAY_MS 10000
#define NEVER_MS	 INT64_MAX

/* The setting, or one a core that we may run on, at least 2. */
static int
worker_count(const struct settings *s, const struct prefork_program *program)
{
	int64_t wanted = *(const int64_t *)(const void *)((const char *)s + program->workers_at);
	cpu_set_t cores;
	int count = 0;

	if (wanted > 0)
		return (int)wanted;
	if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
		count = CPU_COUNT(&cores);
	return count < 2 ? 2 : count;
}

struct generation *
generation_new(const struct settings *s, const struct child_place *place)
{
	struct generation *g = calloc(1, sizeof(*g));
	void *ready;

	if (g == NULL)
		return NULL;
	g->settings = *s;
	g->place = *place;
	g->place.settings = &g->settings;
	g->workers = worker_count(s, place->program);
	g->count = g->workers + (place->program->background != NULL ? 1 : 0);
	g->slots = calloc((size_t)g->count, sizeof(*g->slots));
	ready = mmap(NULL, sizeof(*g->place.ready), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (g->slots == NULL || ready == MAP_FAILED) {
		g->place.ready = NULL;
		generation_free(g);
		return NULL;
	}
	g->place.ready = ready;
	if (g->count > g->workers)
		g->slots[g->workers].background = true;
	return g;
}

void
generation_free(struct generation *g)
{
	if (g == NULL)
		return;
	if (g->place.ready != NULL)
		munmap(g->place.ready, sizeof(*g->place.ready));
	free(g->slots);
	free(g);
}

static void
delay_next_start(struct generation_slot *slot, int64_t now_ms)
{
	slot->start_at_ms = now_ms + slot->delay_ms;
	slot->delay_ms = slot->delay_ms == 0 ? FIRST_DELAY_MS : 2 * slot->delay_ms;
	if (slot->delay_ms > LONGEST_DELAY_MS)
		slot->delay_ms = LONGEST_DELAY_MS;
}

static void
start(struct generation *g, struct generation_slot *slot, int64_t now_ms)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(slot->background ? child_background(&g->place) : (int)child_work(&g->place));
	if (pid == -1) {
		log_event(LOG_LEVEL_ERROR, "fork_failed", "%s", strerror(errno));
		delay_next_start(slot, now_ms);
		return;
	}
	slot->pid = pid;
	slot->started_ms = now_ms;
	if (!slot->background)
		atomic_fetch_add(&g->place.shared->workers, 1);
}

/* Whether the slot is empty and is to be filled, now or later. */
static bool
is_wanted(const struct generation *g, const struct generation_slot *slot)
{
	if (slot->pid != 0 || g->state == GENERATION_RETIRED || g->failed)
		return false;
	return !slot->background || g->state == GENERATION_SERVING;
}

void
generation_fill(struct generation *g, int64_t now_ms)
{
	for (int i = 0; i < g->count; i++)
		if (is_wanted(g, &g->slots[i]) && g->slots[i].start_at_ms <= now_ms)
			start(g, &g->slots[i], now_ms);
}

int64_t
generation_due_ms(const struct generation *g)
{
	int64_t due_ms = NEVER_MS;

	if (g->state == GENERATION_RETIRED)
		return generation_is_empty(g) ? NEVER_MS : g->kill_at_ms;
	for (int i = 0; i < g->count; i++)
		if (is_wanted(g, &g->slots[i]) && g->slots[i].start_at_ms < due_ms)
			due_ms = g->slots[i].start_at_ms;
	return due_ms;
}

static void
log_end_of(
    const struct generation *g, const struct generation_slot *slot, int status, int64_t now_ms)
{
	bool expected = WIFEXITED(status) && WEXITSTATUS(status) == CHILD_ENDED;
	struct log_line l;

	log_begin(&l, expected ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
	    slot->background ? "background_ended" : "worker_ended");
	log_number(&l, "child", slot->pid);
	log_number(&l, "lived_ms", now_ms - slot->started_ms);
	if (WIFSIGNALED(status))
		log_number(&l, "signal", WTERMSIG(status));
	else
		log_number(&l, "status", WEXITSTATUS(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_REQUEST_TOO_LONG)
		log_text(&l, "reason", "a request took longer than SCEP_REQUEST_TIMEOUT_S");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_START_FAILED)
		log_text(&l, "reason", "it could not start");
	if (g->state == GENERATION_SERVING)
		log_number(&l, "restart_in_ms", slot->start_at_ms - now_ms);
	log_end(&l);
}

bool
generation_reap(struct generation *g, pid_t pid, int status, int64_t now_ms)
{
	bool expected = WIFEXITED(status) && WEXITSTATUS(status) == CHILD_ENDED;
	struct generation_slot *slot = NULL;

	for (int i = 0; i < g->count; i++)
		if (g->slots[i].pid == pid)
			slot = &g->slots[i];
	if (slot == NULL)
		return false;

	/* Who was recycled is replaced at once, and so is who fails for the first time in a while. */
	if (now_ms - slot->started_ms > LONG_LIFE_MS)
		slot->delay_ms = 0;
	if (expected && !slot->background)
		slot->start_at_ms = now_ms;
	else
		delay_next_start(slot, now_ms);
	log_end_of(g, slot, status, now_ms);
	outbound_gate_forget(&g->place.shared->gate, pid);
	slot->pid = 0;
	if (!slot->background) {
		atomic_fetch_sub(&g->place.shared->workers, 1);
		if (!expected && g->state == GENERATION_SERVING)
			atomic_fetch_add(&g->place.shared->restarts, 1);
	}
	if (g->state == GENERATION_STARTING)
		g->failed = true;
	return true;
}

bool
generation_is_ready(const struct generation *g)
{
	return !g->failed && atomic_load(g->place.ready) >= (uint32_t)g->workers;
}

bool
generation_is_empty(const struct generation *g)
{
	for (int i = 0; i < g->count; i++)
		if (g->slots[i].pid != 0)
			return false;
	return true;
}

static int
signal_all(struct generation *g, int signal)
{
	int count = 0;

	for (int i = 0; i < g->count; i++)
		if (g->slots[i].pid != 0 && kill(g->slots[i].pid, signal) == 0)
			count++;
	return count;
}

void
generation_retire(struct generation *g, int64_t kill_at_ms)
{
	g->state = GENERATION_RETIRED;
	g->kill_at_ms = kill_at_ms;
	signal_all(g, SIGTERM);
}

int
generation_kill(struct generation *g)
{
	g->kill_at_ms = NEVER_MS;
	return signal_all(g, SIGKILL);
}
