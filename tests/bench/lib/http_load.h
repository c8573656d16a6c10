/* http_load.h: many prepared HTTP/1.1 requests over a few kept connections, by one thread that only writes, reads and waits. */
#ifndef BENCH_HTTP_LOAD_H
#define BENCH_HTTP_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/octets.h"

struct http_exchange {
	struct octets request; /* head and body, ready to send */
	int status;	       /* 0: no answer */
	struct buffer body;
	double seconds; /* from the first octet sent to the last one read */
};

/* "http://127.0.0.1:8080/path" in parts; loopback addresses only.  false: not of that form. */
bool http_load_url(const char *url, char host[64], char port[8], char path[512]);

/* Append a POST or a GET; each names the host and keeps the connection. */
void http_load_post(struct buffer *out, const char *host, const char *path, struct octets body);
/* The same with an X-Forwarded-For of this address. */
void http_load_post_from(struct buffer *out, const char *host, const char *path,
    const char *address, struct octets body);
void http_load_get(struct buffer *out, const char *host, const char *path);

/*
 * Send count exchanges over connections connections; false when nothing connects or timeout_s passes without an answer.  *seconds is
 * the wall time of all.  Bodies are kept only with keep.
 */
bool http_load_run(const char *host, const char *port, struct http_exchange *x, int count,
    int connections, int timeout_s, bool keep, double *seconds);

#endif
