/* filesystem.h: where the database lies: its file system, its free space, its files.  Inside the store only. */
#ifndef STORE_FILESYSTEM_H
#define STORE_FILESYSTEM_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"

/*
 * The name of a network file system by statfs(2)'s f_type and, for FUSE, the type that mountinfo has ("fuse.sshfs"; NULL:
 * unknown); NULL: one of this machine.
 */
const char *filesystem_network_name(uint32_t magic, const char *fuse_type);

/* Locks and shared memory do not hold across machines: false, with why, where path (of a file that may not exist yet) is on one. */
bool filesystem_is_local(const char *path, struct errbuf *why);

/* Octets free for us; -1 when that cannot be known. */
int64_t filesystem_free(const char *path);

/*
 * Open, or create with at most this mode, a regular file, never through a symbolic link at its end.  One that root creates
 * gets the owner and group of its directory, so that the service can use it.  Returns the descriptor, or -1 with why.
 */
int filesystem_open(const char *path, int flags, mode_t mode, struct errbuf *why);

#endif
