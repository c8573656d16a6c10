#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fcgi/listener.h"

#define SYSTEMD_FD   3
#define TCP_IDLE_S   5 /* an idle peer holds a worker no longer; nginx sends at once */
#define LOCK_TRIES   100
#define LOCK_WAIT_MS 10

/*
 * Lock the directory that path is in, so that one process does not remove the name that another has just put there.  Best
 * effort, within a second: -1 where it cannot be had.
 */
static int
lock_directory(const char *path)
{
	static const struct timespec wait = {.tv_nsec = LOCK_WAIT_MS * 1000000L};
	char copy[SETTINGS_TEXT];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	if ((fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		nanosleep(&wait, NULL);
	}
	close(fd);
	return -1;
}

static void
unlock_directory(int fd)
{
	if (fd != -1)
		close(fd);
}

static bool
is_ours(const struct listener *l)
{
	struct stat st;

	return lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode;
}

/* Only a socket may be replaced: a path set wrongly must not cost a file. */
static bool
may_replace(const char *path, struct errbuf *why)
{
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		errbuf_set(why, "listen unix:%s: have a file that is no socket", path);
		return false;
	}
	return true;
}

/* Bind and listen under the name fresh, and rename that to path. */
static bool
publish_unix(struct listener *l, const char *fresh, const char *path, const struct settings *s)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct stat st;
	int lock, rc;

	memcpy(sun.sun_path, fresh, strlen(fresh) + 1);
	unlink(fresh);
	if (bind(l->fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 ||
	    chmod(fresh, (mode_t)s->socket_mode) != 0 || listen(l->fd, (int)s->backlog) != 0 ||
	    lstat(fresh, &st) != 0)
		return false;
	l->device = st.st_dev;
	l->inode = st.st_ino;
	lock = lock_directory(path);
	rc = rename(fresh, path);
	unlock_directory(lock);
	if (rc != 0)
		return false;
	snprintf(l->path, sizeof(l->path), "%s", path);
	return true;
}

static bool
open_unix(struct listener *l, const char *path, const struct settings *s, struct errbuf *why)
{
	char fresh[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int n = snprintf(fresh, sizeof(fresh), "%s.%ld", path, (long)getpid());

	if (n >= (int)sizeof(fresh)) {
		errbuf_set(why, "listen unix:%s: have a path of %zu characters, want <= 95", path,
		    strlen(path));
		return false;
	}
	if (!may_replace(path, why))
		return false;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd == -1 || !publish_unix(l, fresh, path, s)) {
		errbuf_errno(why, "listen unix:%s", path);
		unlink(fresh);
		return false;
	}
	return true;
}

/* Options that accepted connections inherit from the listener, as TCP's do. */
static bool
set_tcp_options(int fd, const struct settings *s)
{
	time_t seconds =
	    s->request_timeout_s < TCP_IDLE_S ? (time_t)s->request_timeout_s : TCP_IDLE_S;
	struct timeval idle = {.tv_sec = seconds};
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof(idle)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;
}

static bool
try_tcp(struct listener *l, const struct addrinfo *ai, const struct settings *s)
{
	int on = 1;

	l->fd =
	    socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, ai->ai_protocol);
	if (l->fd != -1 && setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    set_tcp_options(l->fd, s) && bind(l->fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(l->fd, (int)s->backlog) == 0)
		return true;
	if (l->fd != -1) {
		int saved = errno;

		close(l->fd);
		l->fd = -1;
		errno = saved;
	}
	return false;
}

/* address is host:port or [host]:port, as settings.c has checked. */
static bool
open_tcp(struct listener *l, const char *address, const struct settings *s, struct errbuf *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *list = NULL;
	char host[SETTINGS_TEXT];
	char *name = host, *port;
	int rc;

	snprintf(host, sizeof(host), "%s", address);
	if ((port = strrchr(host, ':')) == NULL) {
		errbuf_set(why, "listen tcp:%s: want host:port", address);
		return false;
	}
	*port++ = '\0';
	if (*name == '[') {
		name++;
		name[strcspn(name, "]")] = '\0';
	}
	if ((rc = getaddrinfo(name, port, &hints, &list)) != 0) {
		errbuf_set(why, "listen tcp:%s: %s", address, gai_strerror(rc));
		return false;
	}
	l->tcp = true;
	for (const struct addrinfo *ai = list; ai != NULL && l->fd == -1; ai = ai->ai_next)
		if (!try_tcp(l, ai, s))
			errbuf_errno(why, "listen tcp:%s", address);
	freeaddrinfo(list);
	return l->fd != -1;
}

/* What systemd passed to this very process (sd_listen_fds(3)): true with l->fd set, or -1 where there is nothing of it. */
static bool
take_systemd(struct listener *l, const struct settings *s, struct errbuf *why)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	int listening = 0;
	socklen_t size = sizeof(listening);

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid())
		return true;
	if (strcmp(count, "1") != 0) {
		errbuf_set(why, "LISTEN_FDS: have %s, want 1", count);
		return false;
	}
	if (getsockopt(SYSTEMD_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 ||
	    listening == 0 || getsockname(SYSTEMD_FD, (struct sockaddr *)&name, &len) != 0 ||
	    fcntl(SYSTEMD_FD, F_SETFL, fcntl(SYSTEMD_FD, F_GETFL) | O_NONBLOCK) != 0 ||
	    fcntl(SYSTEMD_FD, F_SETFD, FD_CLOEXEC) != 0) {
		errbuf_set(why, "LISTEN_FDS: want descriptor 3 to be a listening socket");
		return false;
	}
	l->tcp = name.ss_family != AF_UNIX;
	if (l->tcp && !set_tcp_options(SYSTEMD_FD, s)) {
		errbuf_errno(why, "LISTEN_FDS: cannot set time-outs");
		return false;
	}
	l->inherited = true;
	l->fd = SYSTEMD_FD;
	return true;
}

bool
listener_open(struct listener *l, const char *address, const struct settings *s, struct errbuf *why)
{
	bool ok;

	*l = (struct listener){.fd = -1};
	if (!take_systemd(l, s, why))
		return false;
	if (l->fd != -1)
		return true;
	if (strncmp(address, "unix:", 5) == 0) {
		ok = open_unix(l, address + 5, s, why);
	} else if (strncmp(address, "tcp:", 4) == 0) {
		ok = open_tcp(l, address + 4, s, why);
	} else {
		errbuf_set(why, "listen: have \"%s\", want unix:/path or tcp:host:port", address);
		ok = false;
	}
	if (!ok)
		listener_close(l);
	return ok;
}

void
listener_unlink(struct listener *l)
{
	int lock;

	if (l->path[0] == '\0')
		return;
	lock = lock_directory(l->path);
	if (is_ours(l))
		unlink(l->path);
	unlock_directory(lock);
	l->path[0] = '\0';
}

void
listener_close(struct listener *l)
{
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
}
