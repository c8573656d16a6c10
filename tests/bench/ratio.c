/*
 * ratio.c: what one kind of request costs a server beside another, in processor time of all its processes: both take turns, and what
 * counts is the median of the ratios of their pairs.  Or the same kind at two servers, or while somebody guesses challenges at one of them.
 *
 * Messages are made before each timed phase and replies checked after it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/lib/flood.h"
#include "tests/bench/lib/ranks.h"
#include "tests/bench/lib/scep_load.h"
#include "tests/bench/lib/server_cpu.h"

#define PAIRS_MAX 200

static const struct kind {
	const char *name;
	enum load_kind kind;
	enum load_kind before; /* what has to be sent first */
	bool each_time;	       /* before every run, not only before the first */
} kinds[] = {
    {"enrol", LOAD_ENROL, LOAD_ENROL, false},
    {"renew", LOAD_RENEW, LOAD_ENROL, true},
    {"renew-same-key", LOAD_RENEW_KEY, LOAD_ENROL, true},
    {"wait", LOAD_ENROL_WAIT, LOAD_ENROL_WAIT, false},
    {"poll", LOAD_POLL, LOAD_ENROL_WAIT, false},
    {"getcert", LOAD_GET_CERT, LOAD_ENROL, false},
};

struct side {
	const char *url, *challenge, *pids;
	const struct kind *kind;
	FILE *challenges; /* in place of challenge: one a line, each used once */
	struct scep_load load;
	int wrong;
	double cpu[PAIRS_MAX], wall[PAIRS_MAX]; /* seconds a request */
};

static struct side sides[2]; /* a, b */
static int requests = 500, connections = 8, pairs = 10;

/* Wrong tries at b before each of its runs, and whether each comes from another address. */
static int tries;
static bool from_everywhere;
static struct flood flood;

static void
send_unmeasured(struct side *s, enum load_kind kind)
{
	load_prepare(&s->load, kind);
	load_send(&s->load, connections, true);
	s->wrong += load_check(&s->load, kind);
}

static void
measure(struct side *s, int pair)
{
	struct server_cpu before, after;
	double seconds;

	if (s == &sides[1] && tries > 0)
		flood_send(&flood, connections, from_everywhere);
	if (s->kind->each_time)
		send_unmeasured(s, s->kind->before);
	load_prepare(&s->load, s->kind->kind);
	before = server_cpu_read(s->pids, 0);
	seconds = load_send(&s->load, connections, true);
	after = server_cpu_read(s->pids, 0);
	s->wrong += load_check(&s->load, s->kind->kind);
	s->cpu[pair] = (after.seconds - before.seconds) / requests;
	s->wall[pair] = seconds / requests;
}

/* Which of the two goes first changes from pair to pair. */
static void
measure_pairs(void)
{
	for (int i = 0; i < pairs; i++) {
		measure(&sides[i % 2], i);
		measure(&sides[1 - i % 2], i);
		printf("pair %d: a=%s cpu_us=%.0f wall_us=%.0f, b=%s cpu_us=%.0f wall_us=%.0f, "
		       "b/a=%.3f\n",
		    i + 1, sides[0].kind->name, sides[0].cpu[i] * 1e6, sides[0].wall[i] * 1e6,
		    sides[1].kind->name, sides[1].cpu[i] * 1e6, sides[1].wall[i] * 1e6,
		    sides[1].cpu[i] / sides[0].cpu[i]);
		fflush(stdout);
	}
}

static double
median_us(const double *seconds)
{
	double sorted[PAIRS_MAX];

	memcpy(sorted, seconds, sizeof(sorted));
	ranks_sort(sorted, (size_t)pairs);
	return ranks_median(sorted, (size_t)pairs) * 1e6;
}

static void
print_ratio(void)
{
	double ratios[PAIRS_MAX], more[PAIRS_MAX];
	size_t n = (size_t)pairs;

	for (int i = 0; i < pairs; i++) {
		ratios[i] = sides[1].cpu[i] / sides[0].cpu[i];
		more[i] = sides[1].cpu[i] - sides[0].cpu[i];
	}
	ranks_sort(ratios, n);
	ranks_sort(more, n);
	printf(
	    "%s/%s at %d connections, %d pairs of %d requests: median %.3f, quartiles %.3f to "
	    "%.3f, lowest %.3f, highest %.3f; cpu_us %.0f and %.0f, median difference %.0f; wrong "
	    "%d\n",
	    sides[1].kind->name, sides[0].kind->name, connections, pairs, requests,
	    ranks_median(ratios, n), ratios[n / 4], ratios[n - 1 - n / 4], ratios[0], ratios[n - 1],
	    median_us(sides[1].cpu), median_us(sides[0].cpu), ranks_median(more, n) * 1e6,
	    sides[0].wrong + sides[1].wrong);
	if (tries > 0)
		printf("wrong tries: %d, of which %d got 429 and %d what they should not\n",
		    flood.sent, flood.limited, flood.odd);
}

static const char usage[] =
    "usage: ratio --a KIND --b KIND --url http://127.0.0.1:PORT/scep/PROFILE --challenge TEXT "
    "--pids A,B\n"
    "             [--b-url URL] [--b-challenge TEXT] [--b-pids A,B] [--b-challenge-file FILE]\n"
    "             [--b-wrong TRIES [--b-wrong-from-everywhere]]\n"
    "             [--requests 500] [--connections 8] [--pairs 10]\n"
    "KIND: enrol, renew, renew-same-key, wait (an enrolment that waits for approval), poll,\n"
    "getcert.  --b-wrong: so many wrong tries at b before each of its runs, over X-Forwarded-For "
    "each\n"
    "from another address.  Prints the processor time of both for each pair and the median of "
    "b/a.\n";

static const struct kind *
find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	load_die(usage, NULL);
	return NULL;
}

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {{"a", 1, NULL, 'a'}, {"b", 1, NULL, 'b'},
	    {"url", 1, NULL, 'u'}, {"challenge", 1, NULL, 'p'}, {"pids", 1, NULL, 's'},
	    {"b-url", 1, NULL, 'U'}, {"b-challenge", 1, NULL, 'P'}, {"b-pids", 1, NULL, 'S'},
	    {"requests", 1, NULL, 'n'}, {"connections", 1, NULL, 'c'}, {"pairs", 1, NULL, 'r'},
	    {"b-challenge-file", 1, NULL, 'F'}, {"b-wrong", 1, NULL, 'W'},
	    {"b-wrong-from-everywhere", 0, NULL, 'E'}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'a' || c == 'b')
			sides[c - 'a'].kind = find_kind(optarg);
		else if (c == 'u' || c == 'U')
			sides[c == 'U'].url = optarg;
		else if (c == 'p' || c == 'P')
			sides[c == 'P'].challenge = optarg;
		else if (c == 's' || c == 'S')
			sides[c == 'S'].pids = optarg;
		else if (c == 'n')
			requests = atoi(optarg);
		else if (c == 'c')
			connections = atoi(optarg);
		else if (c == 'r')
			pairs = atoi(optarg);
		else if (c == 'F' && (sides[1].challenges = fopen(optarg, "r")) == NULL)
			load_die("cannot read the challenges", NULL);
		else if (c == 'W')
			tries = atoi(optarg);
		else if (c == 'E')
			from_everywhere = true;
		else if (c == '?')
			load_die(usage, NULL);
	}
	if (sides[0].kind == NULL || sides[1].kind == NULL || sides[0].url == NULL ||
	    sides[0].pids == NULL || requests < 1 || pairs < 1 || pairs > PAIRS_MAX)
		load_die(usage, NULL);
	if (sides[1].url == NULL)
		sides[1].url = sides[0].url;
	if (sides[1].challenge == NULL)
		sides[1].challenge = sides[0].challenge;
	if (sides[1].pids == NULL)
		sides[1].pids = sides[0].pids;
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	for (int i = 0; i < 2; i++) {
		sides[i].load.challenge = sides[i].challenge;
		sides[i].load.challenges = sides[i].challenges;
		load_open(&sides[i].load, sides[i].url, requests);
		send_unmeasured(&sides[i], sides[i].kind->before);
	}
	if (tries > 0)
		flood_open(&flood, sides[1].url, tries);
	measure_pairs();
	print_ratio();
	return sides[0].wrong + sides[1].wrong + flood.odd > 0;
}
