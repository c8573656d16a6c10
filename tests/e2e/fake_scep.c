/*
 * fake_scep.c: a server on loopback that answers SCEP operations with files, whatever is in them.
 *
 *	fake_scep DIR		writes its port to DIR/port and serves until it is killed
 *
 * The answer is the first of these files in DIR, sent as it is, and the connection is closed: OPERATION.program (the path ends in
 * /pkiclient.exe), OPERATION.1.0 (HTTP/1.0), OPERATION.MESSAGE (what message= says: a short word, or "empty", "plus" or "breaks", for what
 * is in it), OPERATION.METHOD, OPERATION, any.  None: 404.  From an empty file nothing comes, until the client goes.  DIR/requests
 * gets a line for each request.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 65536
#define WORD_MAX    64

static const char *dir;

/* What of a request chooses the file. */
struct request {
	char method[WORD_MAX];
	char operation[WORD_MAX];
	char message[WORD_MAX];
	bool program, old;
};

/* The value of name= in a query, letters and digits alone, so that it names a file; "" for a long one.  false: it is not there. */
static bool
parameter(const char *query, const char *name, char out[WORD_MAX])
{
	size_t wanted = strlen(name), len = 0;

	out[0] = '\0';
	while (query != NULL && *query != '\0') {
		query++;
		if (strncmp(query, name, wanted) == 0 && query[wanted] == '=') {
			const char *value = query + wanted + 1;

			while (isalnum((unsigned char)value[len]))
				len++;
			if (len < WORD_MAX)
				snprintf(out, WORD_MAX, "%.*s", (int)len, value);
			return true;
		}
		query = strchr(query, '&');
	}
	return false;
}

static void
name_message(const char *query, char out[WORD_MAX])
{
	if (!parameter(query, "message", out))
		return;
	if (strstr(query, "%0A") != NULL)
		strcpy(out, "breaks");
	else if (strchr(query, '+') != NULL)
		strcpy(out, "plus");
	else if (strstr(query, "message=&") != NULL ||
		 strstr(query, "message=") + 8 == strchr(query, '\0'))
		strcpy(out, "empty");
}

static bool
parse(char *head, struct request *r)
{
	char *target = strchr(head, ' '), *version, *query, *end;

	if (target == NULL || (version = strchr(target + 1, ' ')) == NULL ||
	    (end = strpbrk(version, "\r\n")) == NULL)
		return false;
	*target++ = *version++ = *end = '\0';
	snprintf(r->method, WORD_MAX, "%.*s", WORD_MAX - 1, head);
	r->old = strcmp(version, "HTTP/1.0") == 0;
	query = strchr(target, '?');
	parameter(query, "operation", r->operation);
	name_message(query, r->message);
	if (query != NULL)
		*query = '\0';
	end = strrchr(target, '/');
	r->program = end != NULL && strcmp(end, "/pkiclient.exe") == 0;
	return true;
}

static FILE *
open_file(const char *operation, const char *suffix)
{
	char path[512];

	if (suffix == NULL || *suffix == '\0')
		return NULL;
	snprintf(path, sizeof(path), "%s/%s.%s", dir, operation, suffix);
	return fopen(path, "r");
}

static FILE *
choose(const struct request *r)
{
	char path[512];
	FILE *f;

	if ((f = open_file(r->operation, r->program ? "program" : NULL)) != NULL ||
	    (f = open_file(r->operation, r->old ? "1.0" : NULL)) != NULL ||
	    (f = open_file(r->operation, r->message)) != NULL ||
	    (f = open_file(r->operation, r->method)) != NULL)
		return f;
	snprintf(path, sizeof(path), "%s/%s", dir, r->operation[0] != '\0' ? r->operation : "any");
	if ((f = fopen(path, "r")) != NULL)
		return f;
	snprintf(path, sizeof(path), "%s/any", dir);
	return fopen(path, "r");
}

static void
send_all(int fd, const char *octets, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, octets, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		octets += n;
		len -= (size_t)n;
	}
}

static void
answer(int fd, const struct request *r)
{
	static const char none[] =
	    "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnone";
	FILE *f = choose(r);
	char octets[4096];
	size_t n, sent = 0;

	if (f == NULL) {
		send_all(fd, none, sizeof(none) - 1);
		return;
	}
	for (; (n = fread(octets, 1, sizeof(octets), f)) > 0; sent += n)
		send_all(fd, octets, n);
	fclose(f);
	while (sent == 0 && recv(fd, octets, sizeof(octets), 0) > 0)
		;
}

/* Head and body, so that closing does not reset the connection. */
static bool
receive(int fd, char *octets)
{
	size_t len = 0, want = 0;
	const char *end, *told;
	ssize_t n;

	do {
		if (len == REQUEST_MAX - 1 ||
		    (n = recv(fd, octets + len, REQUEST_MAX - 1 - len, 0)) <= 0)
			return false;
		len += (size_t)n;
		octets[len] = '\0';
		if (want == 0 && (end = strstr(octets, "\r\n\r\n")) != NULL) {
			told = strcasestr(octets, "\r\nContent-Length: ");
			want = (size_t)(end + 4 - octets) +
			       (told != NULL ? (size_t)strtoul(told + 18, NULL, 10) : 0);
		}
	} while (want == 0 || len < want);
	return true;
}

static void
note(const struct request *r)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/requests", dir);
	if ((f = fopen(path, "a")) == NULL)
		return;
	fprintf(f, "%s %s\n", r->method, r->operation);
	fclose(f);
}

static int
listen_on_loopback(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char path[512], part[520];
	FILE *f;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 16) == -1 || getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		return -1;
	snprintf(path, sizeof(path), "%s/port", dir);
	snprintf(part, sizeof(part), "%s.part", path);
	if ((f = fopen(part, "w")) == NULL)
		return -1;
	fprintf(f, "%d\n", ntohs(sin.sin_port));
	return fclose(f) == 0 && rename(part, path) == 0 ? fd : -1;
}

int
main(int argc, char **argv)
{
	static char octets[REQUEST_MAX];
	int fd, one;

	if (argc != 2) {
		fputs("usage: fake_scep DIR\n", stderr);
		return 2;
	}
	dir = argv[1];
	if ((fd = listen_on_loopback()) == -1) {
		perror("fake_scep");
		return 1;
	}
	while ((one = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) != -1) {
		struct request r = {0};

		if (receive(one, octets) && parse(octets, &r)) {
			note(&r);
			answer(one, &r);
		}
		shutdown(one, SHUT_RDWR);
		close(one);
	}
	return 1;
}
