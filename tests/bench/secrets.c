/*
 * secrets.c: can the time of an answer tell what was wrong with a challenge?  For each pair of kinds of wrong challenges the probability that one
 * is answered in less time than the other: 0.5 tells nothing.
 *
 * Against a running stack, as a stranger sees it: one request after the other over one connection, the kinds in an order that is shuffled each
 * time, from the first octet sent to the last one read.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/lib/ranks.h"
#include "tests/bench/lib/scep_load.h"

#define LOW	  0.45
#define HIGH	  0.55
#define KINDS_MAX 12

struct kind {
	const char *name;
	struct scep_load load;
	double *seconds; /* of requests, in the end sorted */
	int taken;
};

static const char *url;
static int requests = 3000, variants = 50;
static struct kind kinds[KINDS_MAX];
static int count;

/* Each kind's messages, and a look at what they get before anything is measured. */
static void
open_kind(struct kind *k)
{
	int wrong;

	load_open(&k->load, url, variants);
	k->load.reuse = true;
	k->seconds = calloc((size_t)requests, sizeof(*k->seconds));
	if (k->seconds == NULL)
		load_die("out of memory", NULL);
	load_prepare(&k->load, LOAD_ENROL);
	load_send(&k->load, 1, true);
	if ((wrong = load_check(&k->load, LOAD_WRONG)) > 0) {
		fprintf(stderr, "secrets: %s: %d replies are no badRequest\n", k->name, wrong);
		exit(2);
	}
}

/* Every kind once in each round. */
static void
shuffle_round(int *order)
{
	for (int i = 0; i < count; i++)
		order[i] = i;
	for (int i = count - 1; i > 0; i--) {
		int j = rand() % (i + 1), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

static void
take_times(void)
{
	int total = requests * count;
	int *order = calloc((size_t)total, sizeof(*order));
	struct http_exchange *x = calloc((size_t)total, sizeof(*x));
	const struct scep_load *l = &kinds[0].load;
	double seconds;

	if (order == NULL || x == NULL)
		load_die("out of memory", NULL);
	for (int i = 0; i < total; i++) {
		if (i % count == 0)
			shuffle_round(order + i);
		x[i].request =
		    buffer_octets(&kinds[order[i]].load.slots[rand() % variants].request);
	}
	if (!http_load_run(l->host, l->port, x, total, 1, 60, false, &seconds))
		load_die("the server does not answer", NULL);
	for (int i = 0; i < total; i++) {
		struct kind *k = &kinds[order[i]];

		if (x[i].status != 200)
			load_die("a status that is not 200: limits have to be off", NULL);
		k->seconds[k->taken++] = x[i].seconds;
	}
	free(order);
	free(x);
}

static void
print_table(void)
{
	double lowest = 1, highest = 0;
	size_t n = (size_t)requests;
	int outside = 0;

	for (int i = 0; i < count; i++)
		ranks_sort(kinds[i].seconds, n);
	printf("# number, kind, median; then P(it takes less time than kind 1, 2, …)\n");
	for (int i = 0; i < count; i++) {
		printf("%2d %-28s median_us=%.1f |", i + 1, kinds[i].name,
		    ranks_median(kinds[i].seconds, n) * 1e6);
		for (int j = 0; j < i; j++) {
			double p = ranks_below(kinds[i].seconds, n, kinds[j].seconds, n);
			bool out = p < LOW || p > HIGH;

			printf(" %.3f%s", p, out ? "!" : "");
			lowest = p < lowest ? p : lowest;
			highest = p > highest ? p : highest;
			outside += out;
		}
		printf("\n");
	}
	printf("%d requests a kind; P from %.3f to %.3f, error %.3f; outside of %.2f to %.2f: %d "
	       "of %d pairs\n",
	    requests, lowest, highest, ranks_error(n, n), LOW, HIGH, outside,
	    count * (count - 1) / 2);
}

static const char usage[] =
    "usage: secrets --url http://127.0.0.1:PORT/scep/PROFILE [--requests 3000] NAME=FILE…\n"
    "FILE has challenges that are wrong in one way, one a line, with the CN behind a tab where it\n"
    "matters; NAME= has none at all.  Prints for each pair how often one is answered first.\n";

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {
	    {"url", 1, NULL, 'u'}, {"requests", 1, NULL, 'n'}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'u')
			url = optarg;
		else if (c == 'n')
			requests = atoi(optarg);
		else
			load_die(usage, NULL);
	}
	for (; optind < argc && count < KINDS_MAX; optind++, count++) {
		char *file = strchr(argv[optind], '=');

		if (file == NULL)
			load_die(usage, NULL);
		*file++ = '\0';
		kinds[count].name = argv[optind];
		if (*file != '\0' && (kinds[count].load.challenges = fopen(file, "r")) == NULL)
			load_die("cannot read the challenges", NULL);
	}
	if (url == NULL || requests < 1 || count < 2)
		load_die(usage, NULL);
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	srand((unsigned)time(NULL));
	for (int i = 0; i < count; i++)
		open_kind(&kinds[i]);
	take_times();
	print_table();
	return 0;
}
