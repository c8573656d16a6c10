#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/octets.h"
#include "fcgi_client.h"

#define BEGIN_REQUEST 1
#define END_REQUEST   3
#define PARAMS	      4
#define STDIN	      5
#define STDOUT	      6

static int
connect_unix(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd != -1 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int
connect_tcp(const char *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)strtol(port, NULL, 10));
	if (fd != -1 && connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int
fcgi_client_connect(const char *address)
{
	struct timeval longest = {.tv_sec = 20};
	int fd;

	if (strncmp(address, "unix:", 5) == 0)
		fd = connect_unix(address + 5);
	else
		fd = connect_tcp(strrchr(address, ':') + 1);
	if (fd != -1) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof(longest));
	}
	return fd;
}

/* A record of request 1 (FastCGI 1.0, section 3.3). */
static void
put_record(struct buffer *b, uint8_t type, const void *content, size_t len)
{
	uint8_t header[8] = {1, type, 0, 1, (uint8_t)(len >> 8), (uint8_t)len, 0, 0};

	buffer_append(b, header, sizeof(header));
	buffer_append(b, content, len);
}

static void
put_begin(struct buffer *b)
{
	static const uint8_t responder[8] = {0, 1, 0, 0, 0, 0, 0, 0};

	put_record(b, BEGIN_REQUEST, responder, sizeof(responder));
}

static void
put_param(struct buffer *b, const char *name, const char *value)
{
	size_t lengths[2] = {strlen(name), strlen(value)};

	if (value[0] == '\0')
		return;
	for (int i = 0; i < 2; i++) {
		uint8_t l[4] = {(uint8_t)(0x80 | lengths[i] >> 24), (uint8_t)(lengths[i] >> 16),
		    (uint8_t)(lengths[i] >> 8), (uint8_t)lengths[i]};

		if (lengths[i] < 0x80)
			buffer_append(b, &l[3], 1);
		else
			buffer_append(b, l, sizeof(l));
	}
	buffer_append(b, name, lengths[0]);
	buffer_append(b, value, lengths[1]);
}

static bool
send_all(int fd, struct buffer *b)
{
	bool ok = !b->failed && send(fd, b->data, b->len, MSG_NOSIGNAL) == (ssize_t)b->len;

	buffer_free(b);
	return ok;
}

bool
fcgi_client_send_begin(int fd)
{
	struct buffer b = {0};

	put_begin(&b);
	return send_all(fd, &b);
}

bool
fcgi_client_send(int fd, const struct fcgi_query *q)
{
	struct buffer b = {0}, params = {0};
	size_t len = q->body == NULL ? 0 : strlen(q->body);
	char length[32] = "";

	if (q->body != NULL)
		snprintf(length, sizeof(length), "%zu", len);
	put_param(&params, "REQUEST_METHOD", q->method == NULL ? "GET" : q->method);
	put_param(&params, "DOCUMENT_URI", q->path);
	put_param(&params, "QUERY_STRING", q->query == NULL ? "" : q->query);
	put_param(
	    &params, "CONTENT_LENGTH", q->content_length == NULL ? length : q->content_length);
	for (const char *const *p = q->params; p != NULL && p[0] != NULL; p += 2)
		put_param(&params, p[0], p[1]);

	put_begin(&b);
	put_record(&b, PARAMS, params.data, params.len);
	put_record(&b, PARAMS, NULL, 0);
	if (len > 0)
		put_record(&b, STDIN, q->body, len);
	put_record(&b, STDIN, NULL, 0);
	buffer_free(&params);
	return send_all(fd, &b);
}

static bool
receive_exactly(int fd, uint8_t *out, size_t len)
{
	while (len > 0) {
		ssize_t n = recv(fd, out, len, 0);

		if (n <= 0)
			return false;
		out += n;
		len -= (size_t)n;
	}
	return true;
}

/* One record; what belongs to STDOUT is appended to out. */
static bool
receive_record(int fd, struct buffer *out, uint8_t *type)
{
	uint8_t header[8], content[65535 + 255];
	size_t len;

	if (!receive_exactly(fd, header, sizeof(header)))
		return false;
	len = (size_t)header[4] << 8 | header[5];
	if (!receive_exactly(fd, content, len + header[6]))
		return false;
	*type = header[1];
	if (*type == STDOUT)
		buffer_append(out, content, len);
	return true;
}

static void
split_reply(const char *text, struct fcgi_reply *reply)
{
	const char *end = strstr(text, "\r\n\r\n");

	if (end == NULL)
		return;
	snprintf(reply->head, sizeof(reply->head), "%.*s\r\n", (int)(end - text), text);
	snprintf(reply->body, sizeof(reply->body), "%s", end + 4);
	if (strncmp(text, "Status: ", 8) == 0)
		reply->status = (int)strtol(text + 8, NULL, 10);
}

bool
fcgi_client_receive(int fd, struct fcgi_reply *reply)
{
	struct buffer out = {0};
	uint8_t type = 0;

	memset(reply, 0, sizeof(*reply));
	while (type != END_REQUEST && receive_record(fd, &out, &type))
		continue;
	reply->complete = type == END_REQUEST;
	if (out.len > 0 && buffer_string(&out) != NULL)
		split_reply(buffer_string(&out), reply);
	buffer_free(&out);
	close(fd);
	return reply->complete;
}

bool
fcgi_client_ask(const char *address, const struct fcgi_query *q, struct fcgi_reply *reply)
{
	int fd = fcgi_client_connect(address);

	memset(reply, 0, sizeof(*reply));
	if (fd == -1)
		return false;
	if (!fcgi_client_send(fd, q)) {
		close(fd);
		return false;
	}
	return fcgi_client_receive(fd, reply);
}

bool
fcgi_client_get(const char *address, const char *path, struct fcgi_reply *reply)
{
	struct fcgi_query q = {.path = path};

	return fcgi_client_ask(address, &q, reply) && reply->status == 200;
}
