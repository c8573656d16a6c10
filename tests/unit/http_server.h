/*
 * http_server.h: a tiny HTTP server on loopback for tests of our client: what it answers depends on the path alone.
 *
 * /ok, /chunks, /missing, /busy, /redirect, /file, /loop, /short, /chunk, /empty, /garbage: see the table; /echo: the request as it came; /limit, /above: so many
 * octets and one more, /untold and /untold-above without a Content-Length; /headers, /headers-above: 60 and 70 KiB of header lines; /slow, /silent.
 */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include <sys/types.h>

#define HTTP_SERVER_LIMIT 1000 /* octets of /limit */

/* A listening socket and its port; -1 on failure. */
int http_server_listen(int *port);
/* The server's pid, -1 on failure; it ends with its parent, or by http_server_stop(). */
pid_t http_server_start(int *port);
void http_server_stop(pid_t *pid);

#endif
