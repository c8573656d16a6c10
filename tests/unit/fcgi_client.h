/* fcgi_client.h: a FastCGI client for tests, which writes its records by hand so that it can also write bad ones. */
#ifndef TEST_FCGI_CLIENT_H
#define TEST_FCGI_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* What to ask; NULL and 0 where nothing is said.  params: name, value, name, value, …, NULL, beyond those of the rest. */
struct fcgi_query {
	const char *method; /* NULL: GET */
	const char *path;
	const char *query;
	const char *body;
	const char *content_length; /* NULL: the length of the body, where there is one */
	const char *const *params;
};

struct fcgi_reply {
	bool complete; /* END_REQUEST came */
	int status;    /* of the Status line, 0 without one */
	char head[4096];
	char body[8192];
};

/* Connect to unix:/path or tcp:127.0.0.1:port; -1 on failure.  No wait on it is longer than 20 s. */
int fcgi_client_connect(const char *address);

/* The beginning of a request and no more: BEGIN_REQUEST without parameters. */
bool fcgi_client_send_begin(int fd);
bool fcgi_client_send(int fd, const struct fcgi_query *q);

/* Read to the end of the request or of the connection, and close fd.  The result is reply->complete. */
bool fcgi_client_receive(int fd, struct fcgi_reply *reply);

/* All of it. */
bool fcgi_client_ask(const char *address, const struct fcgi_query *q, struct fcgi_reply *reply);

/* A GET; the result is whether a complete answer with status 200 came. */
bool fcgi_client_get(const char *address, const char *path, struct fcgi_reply *reply);

#endif
