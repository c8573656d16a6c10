#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "tests/support/tls_listener.h"

#define HEAD_MAX     65536
#define BODY_MAX     1048576
#define IDLE_SECONDS 60

int
tls_listener_bind(const char *address, int *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	const char *colon = strrchr(address, ':');
	char host[64];
	int fd, on = 1;

	if (colon == NULL)
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
	sin.sin_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1 ||
	    (fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 || listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1) {
		close(fd);
		return -1;
	}
	*port = ntohs(sin.sin_port);
	return fd;
}

bool
tls_request_header(const struct tls_request *request, const char *name, char *out, size_t size)
{
	size_t wanted = strlen(name), len;

	out[0] = '\0';
	for (const char *line = (const char *)request->head.data; *line != '\0'; line += len) {
		len = strcspn(line, "\n");
		len += line[len] == '\n';
		if (len <= wanted || line[wanted] != ':' || strncasecmp(line, name, wanted) != 0)
			continue;
		line += wanted + 1;
		line += strspn(line, " \t");
		snprintf(out, size, "%.*s", (int)strcspn(line, "\r\n"), line);
		return true;
	}
	return false;
}

/* One request into *r; false at the connection's end. */
static bool
read_request(SSL *ssl, struct tls_request *r)
{
	char chunk[4096], told[32];
	const char *end = NULL;
	size_t want;
	int n;

	while (end == NULL) {
		if (r->head.len > HEAD_MAX || (n = SSL_read(ssl, chunk, sizeof(chunk))) <= 0)
			return false;
		buffer_append(&r->head, chunk, (size_t)n);
		if (buffer_string(&r->head) == NULL)
			return false;
		end = strstr((const char *)r->head.data, "\r\n\r\n");
	}
	end += 4;
	want = (size_t)(end - (const char *)r->head.data);
	buffer_append(&r->body, end, r->head.len - want);
	r->head.len = want;
	if (buffer_string(&r->head) == NULL ||
	    sscanf((const char *)r->head.data, "%7s %511s", r->method, r->path) != 2)
		return false;
	tls_request_header(r, "Content-Length", told, sizeof(told));
	want = (size_t)strtoul(told, NULL, 10);
	while (want <= BODY_MAX && r->body.len < want) {
		if ((n = SSL_read(ssl, chunk, sizeof(chunk))) <= 0)
			return false;
		buffer_append(&r->body, chunk, (size_t)n);
	}
	return buffer_string(&r->body) != NULL && r->body.len == want;
}

static bool
say(SSL *ssl, const struct buffer *b, size_t len)
{
	return len == 0 || SSL_write(ssl, b->data, (int)len) == (int)len;
}

/* Whether the connection goes on. */
static bool
say_answer(SSL *ssl, const struct tls_answer *a)
{
	struct buffer head = {0};
	bool good;

	if (a->ending == TLS_ENDING_NOTHING)
		return false;
	buffer_append_format(&head, "HTTP/1.1 %d Answer\r\nContent-Type: %s\r\n", a->status,
	    a->type != NULL ? a->type : "application/json");
	if (a->location != NULL)
		buffer_append_format(&head, "Location: %s\r\n", a->location);
	if (a->ending != TLS_ENDING_ENDLESS)
		buffer_append_format(&head, "Content-Length: %zu\r\n", a->body.len);
	buffer_append_string(&head, "\r\n");
	good = say(ssl, &head, head.len);
	buffer_free(&head);
	if (a->ending == TLS_ENDING_CUT) {
		say(ssl, &a->body, a->body.len / 2);
		return false;
	}
	while (good && a->ending == TLS_ENDING_ENDLESS)
		good = say(ssl, &a->body, a->body.len);
	return good && say(ssl, &a->body, a->body.len);
}

static void
read_client(SSL *ssl, char *out, size_t size)
{
	X509 *shown = SSL_get1_peer_certificate(ssl);

	if (shown != NULL && SSL_get_verify_result(ssl) == X509_V_OK)
		X509_NAME_oneline(X509_get_subject_name(shown), out, (int)size);
	X509_free(shown);
}

static void
serve(SSL_CTX *ctx, int fd, const struct tls_listener *l)
{
	struct timeval idle = {.tv_sec = IDLE_SECONDS};
	SSL *ssl = SSL_new(ctx);
	int at_once = 1;
	bool on;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	on = ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1;
	while (on) {
		struct tls_request request = {0};
		struct tls_answer answer = {.status = 404};

		read_client(ssl, request.client, sizeof(request.client));
		on = read_request(ssl, &request);
		if (on) {
			l->answer(l->ctx, &request, &answer);
			on = say_answer(ssl, &answer);
		}
		buffer_free(&request.head);
		buffer_free(&request.body);
		buffer_free(&answer.body);
	}
	SSL_free(ssl);
}

static SSL_CTX *
open_context(const struct tls_listener *l)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, l->certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, l->key, SSL_FILETYPE_PEM) != 1 ||
	    (l->client_ca != NULL && SSL_CTX_load_verify_locations(ctx, l->client_ca, NULL) != 1)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	if (l->client_ca != NULL)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"tests", 5);
	return ctx;
}

bool
tls_listener_run(int fd, const struct tls_listener *l)
{
	SSL_CTX *ctx = open_context(l);
	pid_t parent = getpid();
	int one;

	if (ctx == NULL)
		return false;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if ((one = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) == -1)
			continue;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fd);
			if (getppid() == parent)
				serve(ctx, one, l);
			_exit(0);
		}
		close(one);
	}
}
