#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "redis/exchange.h"
#include "tests/unit/redis_server.h"

#define START_MS 20000

bool
redis_server_installed(void)
{
	return access(REDIS_SERVER_PROGRAM, X_OK) == 0;
}

static void
run_server(const struct redis_server *s)
{
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	if (chdir(s->dir) == 0)
		execl(REDIS_SERVER_PROGRAM, "redis-server", "--port", "0", "--unixsocket",
		    s->socket, "--dir", s->dir, "--save", "", "--appendonly",
		    s->append_only ? "yes" : "no", "--appendfsync", "always", "--requirepass",
		    s->password, "--maxmemory-policy", "noeviction", "--daemonize", "no", NULL);
	_exit(127);
}

/* +PONG, or -NOAUTH from one with a password; not -LOADING. */
static bool
answers(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval second = {.tv_sec = 1};
	char reply[8] = "";
	bool good = false;
	int fd;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 &&
	    send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 && recv(fd, reply, 7, 0) > 0)
		good = strncmp(reply, "+PONG", 5) == 0 || strncmp(reply, "-NOAUTH", 7) == 0;
	close(fd);
	return good;
}

bool
redis_server_again(struct redis_server *s)
{
	int64_t until = clock_monotonic_ms() + START_MS;

	unlink(s->socket);
	if ((s->pid = fork()) == 0)
		run_server(s);
	if (s->pid == -1) {
		s->pid = 0;
		return false;
	}
	while (!answers(s->socket)) {
		if (clock_monotonic_ms() > until || waitpid(s->pid, NULL, WNOHANG) != 0) {
			fprintf(stderr, "redis-server did not start in %s\n", s->dir);
			return false;
		}
		usleep(2000);
	}
	return true;
}

bool
redis_server_start(struct redis_server *s, const char *password, bool append_only)
{
	*s = (struct redis_server){.append_only = append_only};
	snprintf(s->dir, sizeof(s->dir), "/tmp/test-redis-XXXXXX");
	snprintf(s->password, sizeof(s->password), "%s", password != NULL ? password : "");
	if (mkdtemp(s->dir) == NULL) {
		s->dir[0] = '\0';
		return false;
	}
	snprintf(s->socket, sizeof(s->socket), "%s/redis.sock", s->dir);
	return redis_server_again(s);
}

void
redis_server_kill(struct redis_server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	s->pid = 0;
}

static void
remove_tree(const char *path)
{
	char child[600];
	struct dirent *e;
	DIR *d;

	if ((d = opendir(path)) != NULL) {
		while ((e = readdir(d)) != NULL) {
			if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
				continue;
			snprintf(child, sizeof(child), "%s/%s", path, e->d_name);
			if (e->d_type == DT_DIR)
				remove_tree(child);
			else
				unlink(child);
		}
		closedir(d);
	}
	rmdir(path);
}

void
redis_server_end(struct redis_server *s)
{
	redis_server_kill(s);
	if (s->dir[0] != '\0')
		remove_tree(s->dir);
	s->dir[0] = '\0';
}

struct redis *
redis_server_client(const struct redis_server *s, int64_t timeout_ms)
{
	struct settings settings = {.redis_timeout_ms = timeout_ms};
	struct redis *r;

	snprintf(settings.redis, sizeof(settings.redis), "unix:%s", s->socket);
	return redis_open(&settings, &r, NULL) ? r : NULL;
}

bool
redis_server_command(struct redis *r, const char *words, int64_t *integer)
{
	struct command c;
	const struct command *one = &c;
	struct errbuf why = {0};
	char copy[512], *word, *rest;
	redisReply *reply;

	snprintf(copy, sizeof(copy), "%s", words);
	if ((word = strtok_r(copy, " ", &rest)) == NULL)
		return false;
	command_start(&c, word);
	while ((word = strtok_r(NULL, " ", &rest)) != NULL)
		command_text(&c, word);
	if (exchange(r, &one, 1, false, &reply, &why) != REDIS_DONE) {
		fprintf(stderr, "%s: %s\n", words, why.line);
		return false;
	}
	if (integer != NULL)
		*integer = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
	exchange_free(&reply, 1);
	return true;
}

static void
run_fake(int fd, const char *reply, unsigned pause_us)
{
	char room[512];
	int one;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((one = accept(fd, NULL, NULL)) != -1) {
		if (read(one, room, sizeof(room)) <= 0)
			continue;
		for (const char *p = reply; *p != '\0' && send(one, p, 1, MSG_NOSIGNAL) == 1; p++)
			usleep(pause_us);
	}
	_exit(0);
}

pid_t
redis_server_fake(const char *reply, unsigned pause_us, struct settings *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	pid_t pid = -1;
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 && listen(fd, 8) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sin, &len) == 0 && (pid = fork()) == 0)
		run_fake(fd, reply, pause_us);
	close(fd);
	snprintf(s->redis, sizeof(s->redis), "tcp:127.0.0.1:%d", ntohs(sin.sin_port));
	return pid;
}
