/* listener.h: the socket that workers accept from: opened at an address, taken over by rename, or passed by systemd. */
#ifndef FCGI_LISTENER_H
#define FCGI_LISTENER_H

#include <sys/types.h>

#include <stdbool.h>

#include "base/errbuf.h"
#include "base/settings.h"

struct listener {
	int fd; /* non-blocking; -1 when there is none */
	bool tcp;
	bool inherited;		  /* from systemd: it stays open behind us */
	char path[SETTINGS_TEXT]; /* of a unix socket of our own, else "" */
	dev_t device;		  /* of path, to know it again */
	ino_t inode;
};

/*
 * Open address, unix:/path or tcp:host:port, with the mode, backlog and time-outs of s; or take the descriptor that systemd
 * passed (LISTEN_FDS).  A unix socket is bound and listening under a name of its own before it is renamed to path, so that a
 * client finds either the process before or this one.  false with why, and l->fd is -1.
 */
bool listener_open(
    struct listener *l, const char *address, const struct settings *s, struct errbuf *why);

/* Remove the path where it is still ours, so that nothing new arrives; what has connected already can still be accepted. */
void listener_unlink(struct listener *l);

void listener_close(struct listener *l);

#endif
