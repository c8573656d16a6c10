/*
 * enrol.c: how much processor time a running stack spends on an enrolment, beside what its bare cryptography costs here and now.
 *
 * Messages are made before the timed phase and replies checked after it: each must be a SUCCESS that verifies, for its own
 * key, with a serial number of its own.
 */
#include <getopt.h>
#include <math.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "pki/public_key.h"
#include "scep/client.h"
#include "tests/bench/lib/floor.h"
#include "tests/bench/lib/http_load.h"
#include "tests/bench/lib/server_cpu.h"

#define KEYS 8

static struct options {
	const char *url, *challenge, *pids;
	FILE *challenges; /* one a line, each used once */
	int requests, connections, runs;
	double floor_seconds;
	bool caps;
} options = {.requests = 2000, .connections = 8, .runs = 1, .floor_seconds = 1};

struct device {
	EVP_PKEY *key;
	struct buffer signer_der;
	struct certificate signer;
};

struct bench {
	char host[64], port[8], path[512];
	struct device devices[KEYS];
	struct buffer ca_der[9];
	struct certificate ca[9];
	int ca_count;
	const struct certificate *recipient; /* the RA's */
	struct scep_client_message *messages;
	char (*transaction_ids)[40];
	struct buffer *requests;
	struct http_exchange *exchanges;
};

static void
die(const char *what, const struct errbuf *why)
{
	fprintf(
	    stderr, "enrol: %s%s%s\n", what, why != NULL ? ": " : "", why != NULL ? why->line : "");
	exit(2);
}

static void
get_ca(struct bench *b)
{
	struct http_exchange x = {0};
	struct buffer request = {0};
	struct errbuf why = {0};
	char path[560];
	double seconds;

	snprintf(path, sizeof(path), "%s?operation=GetCACert", b->path);
	http_load_get(&request, b->host, path);
	x.request = buffer_octets(&request);
	if (!http_load_run(b->host, b->port, &x, 1, 1, 10, true, &seconds) || x.status != 200)
		die("GetCACert gets no answer", NULL);
	b->ca_count = scep_client_ca_certificates(buffer_octets(&x.body), b->ca_der, 9, &why);
	if (b->ca_count < 1)
		die("GetCACert", &why);
	for (int i = 0; i < b->ca_count; i++)
		if (!certificate_parse(buffer_octets(&b->ca_der[i]), &b->ca[i], &why))
			die("GetCACert", &why);
	b->recipient = &b->ca[0];
	buffer_free(&x.body);
	buffer_free(&request);
}

static void
make_devices(struct bench *b)
{
	struct buffer name = {0};
	struct errbuf why = {0};

	for (int i = 0; i < KEYS; i++) {
		struct device *d = &b->devices[i];

		name.len = 0;
		if ((d->key = private_key_generate("rsa:2048", &why)) == NULL ||
		    !name_from_text("CN=bench", &name, &why) ||
		    !scep_client_self_signed(
			d->key, buffer_octets(&name), clock_now(), &d->signer_der, &why) ||
		    !certificate_parse(buffer_octets(&d->signer_der), &d->signer, &why))
			die("device", &why);
	}
	buffer_free(&name);
}

static const char *
next_challenge(char room[256])
{
	if (options.challenges == NULL)
		return options.challenge;
	if (fgets(room, 256, options.challenges) == NULL)
		die("not enough challenges in the file", NULL);
	room[strcspn(room, "\n")] = '\0';
	return room;
}

static void
make_message(struct bench *b, int i)
{
	struct device *d = &b->devices[i % KEYS];
	struct scep_client_message *m = &b->messages[i];
	struct buffer name = {0}, csr = {0}, der = {0};
	char text[64], challenge[256];
	struct errbuf why = {0};
	uint8_t random[8];

	RAND_bytes(random, sizeof(random));
	encoding_hex(octets_of(random, sizeof(random)), b->transaction_ids[i]);
	snprintf(text, sizeof(text), "CN=bench-%s,O=Bench", b->transaction_ids[i]);
	*m = (struct scep_client_message){
	    .message_type = SCEP_PKCS_REQ,
	    .transaction_id = b->transaction_ids[i],
	    .signer = &d->signer,
	    .key = d->key,
	    .recipient = b->recipient,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES256,
	};
	if (!name_from_text(text, &name, &why) ||
	    !scep_client_csr(d->key, buffer_octets(&name), octets_of(NULL, 0),
		next_challenge(challenge), &csr, &why))
		die("CSR", &why);
	m->content = buffer_octets(&csr); /* for the encoding alone */
	if (!scep_client_encode(m, &der, &why))
		die("pkiMessage", &why);
	m->content = octets_of(NULL, 0);
	http_load_post(&b->requests[i], b->host, b->path, buffer_octets(&der));
	b->exchanges[i].request = buffer_octets(&b->requests[i]);
	buffer_free(&name);
	buffer_free(&csr);
	buffer_free(&der);
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int
compare_serials(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Every reply: SUCCESS, verified, for its key, serial of its own.  Returns how many are not. */
static int
check_replies(struct bench *b)
{
	char(*serials)[72] = calloc((size_t)options.requests, sizeof(*serials));
	int bad = 0, doubles = 0;

	for (int i = 0; i < options.requests; i++) {
		struct scep_client_reply r = {0};
		struct certificate c = {0};
		struct errbuf why = {0};
		bool ok = b->exchanges[i].status == 200 &&
			  scep_client_read(&b->messages[i], buffer_octets(&b->exchanges[i].body),
			      b->ca, b->ca_count, &r, &why) &&
			  r.status == SCEP_SUCCESS && r.certificate_count > 0 &&
			  certificate_parse(buffer_octets(&r.certificates[0]), &c, &why) &&
			  octets_equal(c.spki, b->messages[i].signer->spki) && c.serial.len < 36;

		if (ok)
			encoding_hex(c.serial, serials[i]);
		else
			snprintf(serials[i], sizeof(serials[i]), "bad %d", i);
		if (!ok && bad++ < 3)
			fprintf(stderr, "enrol: reply %d: HTTP %d, pkiStatus %d, failInfo %d, %s\n",
			    i, b->exchanges[i].status, (int)r.status, (int)r.fail_info, why.line);
		certificate_free(&c);
		scep_client_reply_free(&r);
	}
	qsort(serials, (size_t)options.requests, sizeof(*serials), compare_serials);
	for (int i = 1; i < options.requests; i++)
		doubles += strcmp(serials[i - 1], serials[i]) == 0;
	free(serials);
	if (doubles > 0)
		fprintf(stderr, "enrol: %d serial numbers came twice\n", doubles);
	return bad + doubles;
}

static int
check_statuses(struct bench *b)
{
	int bad = 0;

	for (int i = 0; i < options.requests; i++)
		bad += b->exchanges[i].status != 200;
	return bad;
}

static double
percentile(const struct bench *b, double *sorted, double p)
{
	for (int i = 0; i < options.requests; i++)
		sorted[i] = b->exchanges[i].seconds;
	qsort(sorted, (size_t)options.requests, sizeof(*sorted), compare_doubles);
	return sorted[(int)(p * (options.requests - 1))];
}

static double
floor_now(const struct bench *b)
{
	static EVP_PKEY *ra, *ca;
	struct public_key key;
	struct errbuf why = {0};
	const char *kind = "rsa:2048";

	if (ra == NULL) {
		const struct certificate *issuer = &b->ca[b->ca_count > 1 ? 1 : 0];

		if (!public_key_parse(issuer->spki, &key, &why))
			die("CA", &why);
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
	return floor_measure(ra, ca, b->devices[0].key, options.floor_seconds / 2);
}

/* One run: a line of the table; the ratio floor ÷ server, or a negative number when a reply was wrong. */
static double
run(struct bench *b)
{
	double *sorted = calloc((size_t)options.requests, sizeof(*sorted));
	double seconds = 0, p50, p99, cpu = 0, before_floor = 0, after_floor = 0, bare = 0;
	struct server_cpu before = {0}, after = {0};
	int bad;

	if (!options.caps)
		before_floor = floor_now(b);
	if (options.pids != NULL)
		before = server_cpu_read(options.pids, 0);
	if (!http_load_run(b->host, b->port, b->exchanges, options.requests, options.connections,
		30, !options.caps, &seconds))
		die("the server does not answer", NULL);
	if (options.pids != NULL) {
		after = server_cpu_read(options.pids, 1);
		cpu = (after.seconds - before.seconds) / options.requests;
	}
	if (!options.caps) {
		after_floor = floor_now(b);
		bare = (before_floor + after_floor) / 2;
	}
	bad = options.caps ? check_statuses(b) : check_replies(b);
	p50 = percentile(b, sorted, 0.50);
	p99 = percentile(b, sorted, 0.99);
	free(sorted);
	printf("%s connections=%d requests=%d wrong=%d per_second=%.0f cpu_us=%.0f floor_us=%.0f "
	       "ratio=%.3f p50_ms=%.2f p99_ms=%.2f p99_p50=%.2f largest_pss_mb=%.1f\n",
	    options.caps ? "GetCACaps" : "enrol", options.connections, options.requests, bad,
	    options.requests / seconds, cpu * 1e6, bare * 1e6, cpu > 0 ? bare / cpu : 0, p50 * 1e3,
	    p99 * 1e3, p99 / p50, after.largest_pss);
	fflush(stdout);
	return bad > 0 ? -1 : cpu > 0 ? bare / cpu : 0;
}

static void
prepare(struct bench *b)
{
	char path[560];

	snprintf(path, sizeof(path), "%s?operation=GetCACaps", b->path);
	for (int i = 0; i < options.requests; i++) {
		buffer_free(&b->requests[i]);
		buffer_free(&b->exchanges[i].body);
		b->exchanges[i] = (struct http_exchange){0};
		if (options.caps) {
			http_load_get(&b->requests[i], b->host, path);
			b->exchanges[i].request = buffer_octets(&b->requests[i]);
		} else {
			make_message(b, i);
		}
	}
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
			die("cannot read the challenges", NULL);
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
			die(usage, NULL);
	}
	if (options.url == NULL || options.requests < 1 || options.runs < 1 || options.runs > 99)
		die(usage, NULL);
}

int
main(int argc, char **argv)
{
	static struct bench b;
	double ratios[99];
	int wrong = 0;
	size_t n;

	read_options(argc, argv);
	if (!http_load_url(options.url, b.host, b.port, b.path))
		die("--url must be http://127.…:PORT/…", NULL);
	n = (size_t)options.requests;
	b.messages = calloc(n, sizeof(*b.messages));
	b.transaction_ids = calloc(n, sizeof(*b.transaction_ids));
	b.requests = calloc(n, sizeof(*b.requests));
	b.exchanges = calloc(n, sizeof(*b.exchanges));
	if (!options.caps) {
		get_ca(&b);
		make_devices(&b);
	}
	for (int i = 0; i < options.runs; i++) {
		prepare(&b);
		ratios[i] = run(&b);
		wrong += ratios[i] < 0;
	}
	qsort(ratios, (size_t)options.runs, sizeof(*ratios), compare_doubles);
	if (!options.caps && options.pids != NULL)
		printf(
		    "floor/server over %d runs at %d connections: median %.3f min %.3f max %.3f\n",
		    options.runs, options.connections, ratios[options.runs / 2], ratios[0],
		    ratios[options.runs - 1]);
	return wrong > 0;
}
