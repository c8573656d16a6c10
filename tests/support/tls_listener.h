/*
 * tls_listener.h: a small HTTPS server on loopback for tests: a process for each connection, one request after the other on it.  What it answers is the caller's.
 */
#ifndef TESTS_TLS_LISTENER_H
#define TESTS_TLS_LISTENER_H

#include <sys/types.h>

#include "base/octets.h"

struct tls_request {
	char method[8];
	char path[512]; /* with its query */
	struct buffer head;
	struct buffer body;
	char client[256]; /* subject of the client's certificate, where it showed one that holds */
};

enum tls_ending {
	TLS_ENDING_WHOLE,
	TLS_ENDING_NOTHING, /* the connection is closed instead of an answer */
	TLS_ENDING_CUT,	    /* in the midst of the body */
	TLS_ENDING_ENDLESS  /* the body is repeated until the client goes */
};

struct tls_answer {
	int status;
	const char *type;     /* NULL: application/json */
	const char *location; /* NULL: none */
	struct buffer body;
	enum tls_ending ending;
};

struct tls_listener {
	const char *certificate; /* files, PEM */
	const char *key;
	const char *
	    client_ca; /* NULL: clients are not asked for certificates; otherwise they may show one */
	void (*answer)(void *ctx, const struct tls_request *request, struct tls_answer *answer);
	void *ctx;
};

/* A listening socket on "127.0.0.1:PORT"; PORT 0 takes a free one, told in *port.  -1 on failure. */
int tls_listener_bind(const char *address, int *port);
/* Serves until it is killed; false when the certificate or the key cannot be read. */
bool tls_listener_run(int fd, const struct tls_listener *l);

/* The value of a header line, without blanks around; false and "" where there is none. */
bool tls_request_header(
    const struct tls_request *request, const char *name, char *out, size_t size);

#endif
