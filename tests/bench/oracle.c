/*
 * oracle.c: can the time of an answer tell what was wrong with an envelope?  For each pair of faults up to the CSR's proof of possession,
 * the probability that one takes less time than the other: 0.5 tells nothing.
 *
 * In process: from the octets of a pkiMessage to those of the FAILURE that answers it.  The faults take turns in an order that is
 * shuffled each time, each request in memory of its own; the time is this thread's processor time, which other programs disturb
 * less than that of the clock on the wall (--wall), so that a difference would show sooner.
 */
#include <getopt.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scep/reply.h"
#include "scep/request.h"
#include "tests/bench/lib/oracle_fault.h"
#include "tests/bench/lib/ranks.h"

#define LOW  0.45
#define HIGH 0.55

static struct options {
	int requests, variants;
	bool wall, no_reply;
} options = {.requests = 6000, .variants = 100};

static struct oracle_world world;
static struct scep_recipient recipient;
static struct scep_responder responder;

struct kind {
	struct oracle_fault fault;
	struct buffer *messages; /* variants */
	double *seconds;	 /* requests, in the end sorted */
	char stage[16];		 /* where it was refused the last time */
};

static void
die(const char *what)
{
	fprintf(stderr, "oracle: %s\n", what);
	exit(2);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(options.wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* What a server answers to all of them: a query that did not open is answered as one that matches nothing. */
static void
encode_failure(const struct scep_request *r)
{
	struct scep_reply reply = {
	    .status = SCEP_FAILURE,
	    .fail_info =
		r->message_type == SCEP_PKCS_REQ ? SCEP_BAD_MESSAGE_CHECK : SCEP_BAD_CERT_ID,
	    .digest = r->digest,
	    .cipher = r->cipher,
	};
	struct buffer out = {0};

	if (!scep_reply_encode(r, &reply, &responder, &out, NULL))
		die("a reply cannot be encoded");
	buffer_free(&out);
}

/* false: it opened. */
static bool
refuse(struct scep_request *r, struct csr *csr, struct scep_query_content *query, struct kind *k)
{
	const char *stage = NULL;
	struct errbuf why = {0};
	enum scep_rc rc;

	if (r->message_type == SCEP_PKCS_REQ)
		rc = scep_request_open_csr(r, &recipient, true, csr, &stage, &why);
	else
		rc = scep_request_open_query(r, &recipient, query, &stage, &why);
	snprintf(k->stage, sizeof(k->stage), "%s", stage == NULL ? "opens" : stage);
	return rc == SCEP_REFUSED || r->message_type != SCEP_PKCS_REQ;
}

/* The time of one request, octets in to octets out; freeing what it used is behind the answer. */
static double
serve(struct kind *k, struct octets der)
{
	struct scep_request *r = NULL;
	struct scep_query_content query = {0};
	struct errbuf why = {0}, text = {0};
	enum scep_fail_info fail;
	struct csr csr = {0};
	double started = now(), seconds;

	if (scep_request_parse(der, &r, &fail, &why) != SCEP_OK ||
	    scep_request_check_algorithms(
		r, PKI_DIGESTS_DEFAULT, PKI_CIPHERS_DEFAULT, &fail, &why, &text) != SCEP_OK)
		die(why.line);
	if (!refuse(r, &csr, &query, k))
		die("a CSR opened that must not");
	if (!options.no_reply)
		encode_failure(r);
	seconds = now() - started;
	if (strcmp(k->stage, "verify") == 0)
		die("a signature does not hold");
	csr_free(&csr);
	scep_query_content_free(&query);
	scep_request_free(r);
	return seconds;
}

/* In memory of its own, which is not where the one before was. */
static double
serve_copy(struct kind *k)
{
	const struct buffer *m = &k->messages[rand() % options.variants];
	uint8_t *copy = malloc(m->len);
	double seconds;

	if (copy == NULL)
		die("out of memory");
	memcpy(copy, m->data, m->len);
	seconds = serve(k, octets_of(copy, m->len));
	free(copy);
	return seconds;
}

static void
shuffle(int *order, int count)
{
	for (int i = count - 1; i > 0; i--) {
		int j = rand() % (i + 1), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

static void
take_times(struct kind *kinds, int count)
{
	int order[ORACLE_FAULTS_MAX];

	for (int i = 0; i < count; i++)
		order[i] = i;
	for (int round = -100; round < options.requests; round++) {
		shuffle(order, count);
		for (int i = 0; i < count; i++) {
			struct kind *k = &kinds[order[i]];
			double seconds = serve_copy(k);

			if (round >= 0)
				k->seconds[round] = seconds;
		}
	}
	for (int i = 0; i < count; i++)
		ranks_sort(kinds[i].seconds, (size_t)options.requests);
}

static double
below(const struct kind *a, const struct kind *b)
{
	size_t n = (size_t)options.requests;

	return ranks_below(a->seconds, n, b->seconds, n);
}

static int
print_table(const struct kind *kinds, int count)
{
	double lowest = 1, highest = 0;
	int outside = 0, pairs = 0;

	for (int i = 0; i < count; i++) {
		printf("%2d %-36s %-10s median_us=%.1f |", i + 1, kinds[i].fault.name,
		    kinds[i].stage, ranks_median(kinds[i].seconds, (size_t)options.requests) * 1e6);
		for (int j = 0; j < i; j++) {
			double p = below(&kinds[i], &kinds[j]);
			bool out = p < LOW || p > HIGH;

			printf(" %.3f%s", p, out ? "!" : "");
			lowest = p < lowest ? p : lowest;
			highest = p > highest ? p : highest;
			outside += out;
			pairs++;
		}
		printf("\n");
	}
	printf("P from %.3f to %.3f, error %.3f; outside of %.2f to %.2f: %d of %d pairs\n", lowest,
	    highest, ranks_error((size_t)options.requests, (size_t)options.requests), LOW, HIGH,
	    outside, pairs);
	return outside;
}

static int
measure(int message_type)
{
	struct oracle_fault faults[ORACLE_FAULTS_MAX];
	int count = oracle_faults(message_type != SCEP_PKCS_REQ, faults), outside;
	struct kind *kinds = calloc((size_t)count, sizeof(*kinds));

	for (int i = 0; i < count; i++) {
		struct kind *k = &kinds[i];

		k->fault = faults[i];
		k->messages = calloc((size_t)options.variants, sizeof(*k->messages));
		k->seconds = calloc((size_t)options.requests, sizeof(*k->seconds));
		for (int v = 0; v < options.variants; v++)
			if (!oracle_message(&world, &k->fault, message_type, &k->messages[v]))
				die("a message cannot be made");
	}
	take_times(kinds, count);
	printf("# %s, %d requests a fault, %s\n", scep_message_type_name(message_type),
	    options.requests, options.wall ? "time on the wall" : "processor time");
	printf("# number, fault, stage, median; then P(it takes less time than fault 1, 2, …)\n");
	outside = print_table(kinds, count);
	fflush(stdout);
	for (int i = 0; i < count; i++) {
		for (int v = 0; v < options.variants; v++)
			buffer_free(&kinds[i].messages[v]);
		free(kinds[i].messages);
		free(kinds[i].seconds);
	}
	free(kinds);
	return outside;
}

static const char usage[] =
    "usage: oracle [--requests 6000] [--variants 100] [--only 19|20|21|22] [--wall] [--no-reply]\n"
    "Prints for each pair of faults in an envelope how often one is answered before the other.\n"
    "--no-reply leaves the encoding of the FAILURE out of the time.\n";

static int
read_options(int argc, char **argv)
{
	static const struct option names[] = {{"requests", 1, NULL, 'n'},
	    {"variants", 1, NULL, 'v'}, {"only", 1, NULL, 'o'}, {"wall", 0, NULL, 'w'},
	    {"no-reply", 0, NULL, 'r'}, {NULL, 0, NULL, 0}};
	int c, only = 0;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'n')
			options.requests = atoi(optarg);
		else if (c == 'v')
			options.variants = atoi(optarg);
		else if (c == 'o')
			only = atoi(optarg);
		else if (c == 'w')
			options.wall = true;
		else if (c == 'r')
			options.no_reply = true;
		else
			die(usage);
	}
	if (options.requests < 1 || options.variants < 1 || optind != argc)
		die(usage);
	return only;
}

int
main(int argc, char **argv)
{
	static const int types[] = {SCEP_PKCS_REQ, SCEP_CERT_POLL, SCEP_GET_CERT};
	int only = read_options(argc, argv);
	const uint8_t *p;
	X509 *x509;

	if (!oracle_world_make(&world))
		die("keys cannot be made");
	p = world.ra.der.data;
	if ((x509 = d2i_X509(NULL, &p, (long)world.ra.der.len)) == NULL)
		die("the RA's certificate");
	recipient = (struct scep_recipient){&world.ra.certificate, x509, world.ra.key};
	responder = (struct scep_responder){&world.ra.certificate, world.ra.key};
	srand((unsigned)time(NULL));
	if (only != 0)
		measure(only);
	else
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			measure(types[i]);
	X509_free(x509);
	oracle_world_free(&world);
	return 0;
}
