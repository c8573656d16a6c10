/* notify.h: tell systemd of our state (sd_notify(3)), without its library. */
#ifndef FCGI_NOTIFY_H
#define FCGI_NOTIFY_H

/* Send state, e.g. "READY=1", to NOTIFY_SOCKET; nothing where that is not set or nobody listens. */
void notify_systemd(const char *state);

#endif
