/* http_load.c: epoll, non-blocking sockets, Content-Length bodies. */
#include "http_load.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256

struct connection {
	int fd;
	struct http_exchange *at; /* NULL: nothing in flight */
	size_t sent;
	struct buffer in;
	double started;
};

struct load {
	const char *host, *port;
	struct http_exchange *x;
	int count, next, done;
	bool keep;
	int epoll;
	struct connection c[CONNECTIONS_MAX];
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool
http_load_url(const char *url, char host[64], char port[8], char path[512])
{
	path[0] = '\0';
	if (sscanf(url, "http://%63[^:/]:%7[0-9]%511s", host, port, path) < 2)
		return false;
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0;
}

void
http_load_post(struct buffer *out, const char *host, const char *path, struct octets body)
{
	buffer_append_format(out,
	    "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-pki-message\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    path, host, body.len);
	buffer_append(out, body.data, body.len);
}

void
http_load_post_from(
    struct buffer *out, const char *host, const char *path, const char *address, struct octets body)
{
	buffer_append_format(out,
	    "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-pki-message\r\n"
	    "X-Forwarded-For: %s\r\nContent-Length: %zu\r\n\r\n",
	    path, host, address, body.len);
	buffer_append(out, body.data, body.len);
}

void
http_load_get(struct buffer *out, const char *host, const char *path)
{
	buffer_append_format(out, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
}

static bool
open_connection(struct load *l, struct connection *c)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *a;
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
	int one = 1;

	if (getaddrinfo(l->host, l->port, &hints, &a) != 0)
		return false;
	c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && connect(c->fd, a->ai_addr, a->ai_addrlen) != 0) {
		close(c->fd);
		c->fd = -1;
	}
	freeaddrinfo(a);
	if (c->fd < 0)
		return false;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) == 0;
}

static void
send_more(struct connection *c)
{
	while (c->at != NULL && c->sent < c->at->request.len) {
		ssize_t n = send(c->fd, c->at->request.data + c->sent, c->at->request.len - c->sent,
		    MSG_NOSIGNAL);

		if (n <= 0)
			return;
		c->sent += (size_t)n;
	}
}

static void
start_next(struct load *l, struct connection *c)
{
	c->at = NULL;
	c->in.len = 0;
	c->sent = 0;
	if (l->next == l->count)
		return;
	c->at = &l->x[l->next++];
	c->started = now();
	send_more(c);
}

/* One whole response in the buffer?  Gives its status and where its body is. */
static bool
whole_response(struct buffer *in, int *status, size_t *body, size_t *body_len, bool *closing)
{
	char *text = (char *)in->data, *end, *field;

	if (buffer_string(in) == NULL)
		return false;
	text = (char *)in->data;
	if ((end = strstr(text, "\r\n\r\n")) == NULL || sscanf(text, "HTTP/1.%*d %d", status) != 1)
		return false;
	*body = (size_t)(end - text) + 4;
	*body_len = 0;
	if ((field = strcasestr(text, "\r\nContent-Length:")) != NULL && field < end)
		*body_len = strtoul(field + 17, NULL, 10);
	field = strcasestr(text, "\r\nConnection: close");
	*closing = field != NULL && field < end;
	return in->len >= *body + *body_len;
}

static void
finish(struct load *l, struct connection *c, int status, struct octets body)
{
	c->at->status = status;
	c->at->seconds = now() - c->started;
	if (l->keep)
		buffer_append(&c->at->body, body.data, body.len);
	l->done++;
}

/* false: the connection cannot go on. */
static bool
receive(struct load *l, struct connection *c)
{
	char room[65536];
	ssize_t n;

	while ((n = recv(c->fd, room, sizeof(room), 0)) > 0) {
		size_t body, body_len;
		bool closing;
		int status;

		if (c->at == NULL)
			return false;
		buffer_append(&c->in, room, (size_t)n);
		if (!whole_response(&c->in, &status, &body, &body_len, &closing))
			continue;
		finish(l, c, status, octets_of(c->in.data + body, body_len));
		c->at = NULL;
		if (closing)
			return false;
		start_next(l, c);
	}
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

/* An exchange that was cut off counts as one without an answer. */
static bool
reopen(struct load *l, struct connection *c)
{
	close(c->fd);
	if (c->at != NULL)
		finish(l, c, 0, octets_of(NULL, 0));
	if (!open_connection(l, c))
		return false;
	start_next(l, c);
	return true;
}

static bool
loop(struct load *l, int timeout_s)
{
	struct epoll_event ev[64];

	while (l->done < l->count) {
		int n = epoll_wait(l->epoll, ev, 64, timeout_s * 1000);

		if (n <= 0)
			return false;
		for (int i = 0; i < n; i++) {
			struct connection *c = ev[i].data.ptr;

			if (ev[i].events & EPOLLOUT)
				send_more(c);
			if ((ev[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !receive(l, c) &&
			    !reopen(l, c))
				return false;
		}
	}
	return true;
}

bool
http_load_run(const char *host, const char *port, struct http_exchange *x, int count,
    int connections, int timeout_s, bool keep, double *seconds)
{
	struct load *l = calloc(1, sizeof(*l));
	double started;
	bool ok = true;

	if (l == NULL || connections < 1 || connections > CONNECTIONS_MAX) {
		free(l);
		return false;
	}
	l->host = host;
	l->port = port;
	l->x = x;
	l->count = count;
	l->keep = keep;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < connections; i++)
		ok = open_connection(l, &l->c[i]) && ok;
	started = now();
	for (int i = 0; i < connections && ok; i++)
		start_next(l, &l->c[i]);
	ok = ok && loop(l, timeout_s);
	*seconds = now() - started;
	for (int i = 0; i < connections; i++) {
		if (l->c[i].fd > 0)
			close(l->c[i].fd);
		buffer_free(&l->c[i].in);
	}
	close(l->epoll);
	free(l);
	return ok;
}
