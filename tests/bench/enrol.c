/*
 * enrol.c: how much processor time a running stack spends on an enrolment, beside what its bare cryptography costs here and now.
 *
 * Messages are made before the timed phase and replies checked after it: each must be a SUCCESS that verifies, for its own
 * key, with a serial number of its own.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/private_key.h"
#include "pki/public_key.h"
#include "tests/bench/lib/floor.h"
#include "tests/bench/lib/ranks.h"
#include "tests/bench/lib/scep_load.h"
#include "tests/bench/lib/server_cpu.h"

static struct options {
	const char *url, *challenge, *pids;
	FILE *challenges; /* one a line, each used once */
	int requests, connections, runs;
	double floor_seconds;
	bool caps;
} options = {.requests = 2000, .connections = 8, .runs = 1, .floor_seconds = 1};

static int
check_statuses(const struct scep_load *l)
{
	int bad = 0;

	for (int i = 0; i < l->count; i++)
		bad += l->exchanges[i].status != 200;
	return bad;
}

static double
floor_now(const struct scep_load *l)
{
	static EVP_PKEY *ra, *ca;
	struct public_key key;
	struct errbuf why = {0};
	const char *kind = "rsa:2048";

	if (ra == NULL) {
		const struct certificate *issuer = &l->ca[l->ca_count > 1 ? 1 : 0];

		if (!public_key_parse(issuer->spki, &key, &why))
			load_die("CA", &why);
		if (key.type == PKI_KEY_EC)
			kind = key.bits > 384	? "ec:P-521"
			       : key.bits > 256 ? "ec:P-384"
						: "ec:P-256";
		else if (key.bits > 3072)
			kind = "rsa:4096";
		else if (key.bits > 2048)
			kind = "rsa:3072";
		public_key_free(&key);
		ra = private_key_generate("rsa:2048", &why);
		ca = private_key_generate(kind, &why);
	}
	return floor_measure(ra, ca, l->devices[0].key, options.floor_seconds / 2);
}

/* One run: a line of the table; the ratio floor ÷ server, or a negative number when a reply was wrong. */
static double
run(struct scep_load *l)
{
	double *sorted = calloc((size_t)l->count, sizeof(*sorted));
	double seconds, p50, p99, cpu = 0, before_floor = 0, bare = 0;
	struct server_cpu before = {0}, after = {0};
	int bad;

	if (!options.caps)
		before_floor = floor_now(l);
	if (options.pids != NULL)
		before = server_cpu_read(options.pids, 0);
	seconds = load_send(l, options.connections, !options.caps);
	if (options.pids != NULL) {
		after = server_cpu_read(options.pids, 1);
		cpu = (after.seconds - before.seconds) / l->count;
	}
	if (!options.caps)
		bare = (before_floor + floor_now(l)) / 2;
	bad = options.caps ? check_statuses(l) : load_check(l, LOAD_ENROL);
	for (int i = 0; i < l->count; i++)
		sorted[i] = l->exchanges[i].seconds;
	ranks_sort(sorted, (size_t)l->count);
	p50 = sorted[(l->count - 1) / 2];
	p99 = sorted[(int)(0.99 * (l->count - 1))];
	free(sorted);
	printf("%s connections=%d requests=%d wrong=%d per_second=%.0f cpu_us=%.0f floor_us=%.0f "
	       "ratio=%.3f p50_ms=%.2f p99_ms=%.2f p99_p50=%.2f largest_pss_mb=%.1f\n",
	    options.caps ? "GetCACaps" : "enrol", options.connections, l->count, bad,
	    l->count / seconds, cpu * 1e6, bare * 1e6, cpu > 0 ? bare / cpu : 0, p50 * 1e3,
	    p99 * 1e3, p99 / p50, after.largest_pss);
	fflush(stdout);
	return bad > 0 ? -1 : cpu > 0 ? bare / cpu : 0;
}

static const char usage[] = "usage: enrol --url http://127.0.0.1:PORT/scep/PROFILE [--challenge "
			    "TEXT | --challenge-file FILE]\n"
			    "             [--pids A,B] [--requests 2000] [--connections 8] [--runs "
			    "1] [--floor-seconds 1] [--caps]\n"
			    "Enrols (or, with --caps, asks GetCACaps), checks every reply, prints "
			    "a line a run and the median ratio.\n";

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {{"url", 1, NULL, 'u'}, {"challenge", 1, NULL, 'p'},
	    {"challenge-file", 1, NULL, 'f'}, {"pids", 1, NULL, 's'}, {"requests", 1, NULL, 'n'},
	    {"connections", 1, NULL, 'c'}, {"runs", 1, NULL, 'r'}, {"floor-seconds", 1, NULL, 'l'},
	    {"caps", 0, NULL, 'k'}, {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'u')
			options.url = optarg;
		else if (c == 'p')
			options.challenge = optarg;
		else if (c == 'f' && (options.challenges = fopen(optarg, "r")) == NULL)
			load_die("cannot read the challenges", NULL);
		else if (c == 's')
			options.pids = optarg;
		else if (c == 'n')
			options.requests = atoi(optarg);
		else if (c == 'c')
			options.connections = atoi(optarg);
		else if (c == 'r')
			options.runs = atoi(optarg);
		else if (c == 'l')
			options.floor_seconds = atof(optarg);
		else if (c == 'k')
			options.caps = true;
		else if (c == '?')
			load_die(usage, NULL);
	}
	if (options.url == NULL || options.requests < 1 || options.runs < 1 || options.runs > 99)
		load_die(usage, NULL);
}

int
main(int argc, char **argv)
{
	static struct scep_load load;
	double ratios[99];
	int wrong = 0;

	read_options(argc, argv);
	load.challenge = options.challenge;
	load.challenges = options.challenges;
	load_open(&load, options.url, options.requests);
	for (int i = 0; i < options.runs; i++) {
		if (options.caps)
			load_prepare_get(&load, "operation=GetCACaps");
		else
			load_prepare(&load, LOAD_ENROL);
		ratios[i] = run(&load);
		wrong += ratios[i] < 0;
	}
	ranks_sort(ratios, (size_t)options.runs);
	if (!options.caps && options.pids != NULL)
		printf(
		    "floor/server over %d runs at %d connections: median %.3f min %.3f max %.3f\n",
		    options.runs, options.connections, ratios[options.runs / 2], ratios[0],
		    ratios[options.runs - 1]);
	return wrong > 0;
}
