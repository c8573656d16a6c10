/*
 * mint.c: how many one-time challenges a second a running stack gives out over TLS, and the processor time of one, its audit row included.
 *
 * Each client is a process with one connection that it keeps, as an MDM's is.  Every answer must be a challenge, and no two the same.
 */
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/lib/server_cpu.h"

#define DIGITS	    32
#define CLIENTS_MAX 64

static struct options {
	const char *url, *token, *ca, *pids;
	int requests, clients, settle_ms;
	bool any; /* any answer of status 200 will do */
} options = {.requests = 20000, .clients = 8, .settle_ms = 2500};

static char host[64], port[8], path[256], request[1024];

/* What the clients have got, shared with them; "" where the answer was no challenge. */
static char (*got)[DIGITS + 1];

static void
die(const char *what)
{
	fprintf(stderr, "mint: %s\n", what);
	exit(1);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
make_request(void)
{
	char authorization[256] = "";

	if (sscanf(options.url, "https://%63[0-9.]:%7[0-9]%255s", host, port, path) != 3 ||
	    strncmp(host, "127.", 4) != 0)
		die("want --url https://127.0.0.1:PORT/PATH");
	if (options.token != NULL)
		snprintf(authorization, sizeof(authorization), "Authorization: Bearer %.200s\r\n",
		    options.token);
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, host,
	    authorization);
}

static SSL *
open_connection(SSL_CTX *ctx)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	SSL *ssl = SSL_new(ctx);

	inet_pton(AF_INET, host, &to.sin_addr);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 || ssl == NULL)
		die("cannot connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		die("no TLS, or the server's certificate does not hold");
	return ssl;
}

/* The body of one whole answer of status 200; NULL: another one. */
static const char *
exchange(SSL *ssl, char *room, size_t size)
{
	size_t len = 0, want = 0;
	char *end = NULL, *field;

	if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
		die("cannot send");
	while (end == NULL || len < want) {
		int n = SSL_read(ssl, room + len, (int)(size - 1 - len));

		if (n <= 0)
			die("the connection ended");
		len += (size_t)n;
		room[len] = '\0';
		if (end != NULL || (end = strstr(room, "\r\n\r\n")) == NULL)
			continue;
		field = strcasestr(room, "\r\nContent-Length:");
		want = (size_t)(end + 4 - room);
		if (field != NULL && field < end)
			want += strtoul(field + 17, NULL, 10);
		if (want >= size)
			die("too long an answer");
	}
	return strncmp(room, "HTTP/1.1 200 ", 13) == 0 ? end + 4 : NULL;
}

static bool
is_challenge(const char *text)
{
	return strlen(text) == DIGITS && strspn(text, "0123456789ABCDEF") == DIGITS;
}

/* A process: waits for the go, does its part of the requests. */
static void
client(SSL_CTX *ctx, int number, int ready, int go)
{
	SSL *ssl = open_connection(ctx);
	char room[8192], octet = 'r';

	if (write(ready, &octet, 1) != 1 || read(go, &octet, 1) != 0)
		die("pipe");
	for (int i = number; i < options.requests; i += options.clients) {
		const char *body = exchange(ssl, room, sizeof(room));

		if (body != NULL && (options.any || is_challenge(body)))
			snprintf(got[i], sizeof(got[i]), "%.32s", options.any ? "any" : body);
	}
	_exit(0);
}

/* Wall time of all requests. */
static double
run_clients(SSL_CTX *ctx, struct server_cpu *before)
{
	int ready[2], go[2], status, bad = 0;
	double started;
	char octet;

	if (pipe(ready) != 0 || pipe(go) != 0)
		die("pipe");
	for (int i = 0; i < options.clients; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid > 0)
			continue;
		close(go[1]);
		client(ctx, i, ready[1], go[0]);
	}
	for (int i = 0; i < options.clients; i++)
		if (read(ready[0], &octet, 1) != 1)
			die("a client did not come up");
	if (options.pids != NULL)
		*before = server_cpu_read(options.pids, 0);
	started = now();
	close(go[1]);
	while (wait(&status) > 0)
		bad += status != 0;
	if (bad > 0)
		die("a client failed");
	return now() - started;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Answers that are none, or another's. */
static int
count_wrong(void)
{
	int wrong = 0;

	qsort(got, (size_t)options.requests, sizeof(got[0]), compare);
	for (int i = 0; i < options.requests; i++)
		wrong +=
		    got[i][0] == '\0' || (!options.any && i > 0 && strcmp(got[i], got[i - 1]) == 0);
	return wrong;
}

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {{"url", 1, NULL, 'u'}, {"token", 1, NULL, 't'},
	    {"ca", 1, NULL, 'a'}, {"pids", 1, NULL, 's'}, {"requests", 1, NULL, 'n'},
	    {"clients", 1, NULL, 'c'}, {"settle-ms", 1, NULL, 'w'}, {"any", 0, NULL, 'y'},
	    {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'u')
			options.url = optarg;
		else if (c == 't')
			options.token = optarg;
		else if (c == 'a')
			options.ca = optarg;
		else if (c == 's')
			options.pids = optarg;
		else if (c == 'n')
			options.requests = atoi(optarg);
		else if (c == 'c')
			options.clients = atoi(optarg);
		else if (c == 'w')
			options.settle_ms = atoi(optarg);
		else if (c == 'y')
			options.any = true;
		else
			options.url = NULL;
	}
	if (options.url == NULL || options.ca == NULL || options.requests < 1 ||
	    options.clients < 1 || options.clients > CLIENTS_MAX)
		die("usage: mint --url https://127.0.0.1:PORT/scep/PROFILE/challenge --ca FILE "
		    "[--token T] [--pids A,B] [--requests 20000] [--clients 8] [--settle-ms 2500] "
		    "[--any]");
}

int
main(int argc, char **argv)
{
	struct server_cpu before = {0}, after = {0};
	SSL_CTX *ctx;
	double seconds, cpu;
	int wrong;

	read_options(argc, argv);
	make_request();
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL || SSL_CTX_load_verify_locations(ctx, options.ca, NULL) != 1)
		die("cannot read the CA");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	got = mmap(NULL, (size_t)options.requests * sizeof(got[0]), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (got == MAP_FAILED)
		die("out of memory");
	seconds = run_clients(ctx, &before);
	/* What is queued is committed within a second or so, and belongs to it. */
	usleep((useconds_t)options.settle_ms * 1000);
	if (options.pids != NULL)
		after = server_cpu_read(options.pids, 0);
	cpu = (after.seconds - before.seconds) / options.requests;
	wrong = count_wrong();
	printf("%s clients=%d requests=%d wrong=%d per_second=%.0f cpu_us=%.1f\n", path,
	    options.clients, options.requests, wrong, options.requests / seconds, cpu * 1e6);
	SSL_CTX_free(ctx);
	return wrong > 0;
}
