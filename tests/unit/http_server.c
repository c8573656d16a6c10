#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/http_server.h"

static const struct {
	const char *path;
	const char *answer;
} answers[] = {
    {"/ok", "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=x\r\nContent-Length: "
	    "5\r\n\r\nhello"},
    {"/missing", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"},
    {"/busy", "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"},
    {"/redirect", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 3\r\n\r\nsee"},
    {"/file", "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n"},
    {"/loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n"},
    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"},
    {"/chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe"},
    {"/chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
    {"/empty", ""},
    {"/garbage", "what do you want?\r\n"},
};

static void
say(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/* count octets of body, and whether their number is said before them. */
static void
say_octets(int fd, int count, bool told)
{
	char line[128];

	if (told)
		snprintf(
		    line, sizeof(line), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", count);
	else
		snprintf(line, sizeof(line), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	say(fd, line, strlen(line));
	for (int i = 0; i < count; i++)
		say(fd, "\0", 1);
}

static void
say_slowly(int fd)
{
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", 40);
	for (int i = 0; i < 900; i++) {
		if (send(fd, "x", 1, MSG_NOSIGNAL) != 1)
			return;
		usleep(20000);
	}
}

static void
say_headers(int fd, int lines)
{
	char line[1024];

	memset(line, 'x', sizeof(line));
	memcpy(line, "X-Long: ", 8);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	say(fd, "HTTP/1.1 200 OK\r\n", 17);
	for (int i = 0; i < lines; i++)
		say(fd, line, sizeof(line));
	say(fd, "Content-Length: 0\r\n\r\n", 21);
}

static void
answer(int fd, const char *path, const char *request, size_t len)
{
	char head[128];

	if (strcmp(path, "/echo") == 0) {
		snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
		say(fd, head, strlen(head));
		say(fd, request, len);
	} else if (strcmp(path, "/limit") == 0) {
		say_octets(fd, HTTP_SERVER_LIMIT, true);
	} else if (strcmp(path, "/above") == 0) {
		say_octets(fd, HTTP_SERVER_LIMIT + 1, true);
	} else if (strcmp(path, "/untold") == 0) {
		say_octets(fd, HTTP_SERVER_LIMIT, false);
	} else if (strcmp(path, "/untold-above") == 0) {
		say_octets(fd, HTTP_SERVER_LIMIT + 1, false);
	} else if (strcmp(path, "/slow") == 0) {
		say_slowly(fd);
	} else if (strcmp(path, "/silent") == 0) {
		sleep(10);
	} else if (strcmp(path, "/headers") == 0) {
		say_headers(fd, 60);
	} else if (strcmp(path, "/headers-above") == 0) {
		say_headers(fd, 70);
	} else {
		for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
			if (strcmp(path, answers[i].path) == 0)
				say(fd, answers[i].answer, strlen(answers[i].answer));
	}
}

/* One request, then the connection is closed. */
static void
serve(int fd)
{
	char request[8192] = "", path[64] = "";
	size_t len = 0, want = 0;
	char *end;
	ssize_t n;

	do {
		if ((n = recv(fd, request + len, sizeof(request) - 1 - len, 0)) <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
		if (want == 0 && (end = strstr(request, "\r\n\r\n")) != NULL) {
			const char *told = strcasestr(request, "\r\nContent-Length: ");

			want = (size_t)(end + 4 - request) +
			       (told != NULL ? (size_t)strtoul(told + 18, NULL, 10) : 0);
		}
	} while (want == 0 || len < want);
	if (sscanf(request, "%*s %63s", path) == 1)
		answer(fd, path, request, len);
}

int
http_server_listen(int *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 || listen(fd, 16) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		return -1;
	*port = ntohs(sin.sin_port);
	return fd;
}

pid_t
http_server_start(int *port)
{
	int fd, one;
	pid_t pid;

	if ((fd = http_server_listen(port)) == -1)
		return -1;
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while ((one = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) != -1) {
			serve(one);
			shutdown(one, SHUT_RDWR);
			close(one);
		}
		_exit(0);
	}
	close(fd);
	return pid;
}

void
http_server_stop(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
	}
	*pid = 0;
}
