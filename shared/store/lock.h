/*
 * lock.h: the writers' lock: a flock(2) on a file beside the database.  Inside the store only.
 *
 * SQLite's own busy time-out lets one writer starve for seconds; in this queue they wait their turn.  A process that dies
 * frees it by itself.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Take the lock on fd, waiting at most timeout_ms.  false with errno: ETIMEDOUT when another holds it, or what flock says.
 * Uses ITIMER_REAL and SIGALRM while it waits and leaves both as they were, less the time that has passed.
 */
bool lock_take(int fd, int64_t timeout_ms);
void lock_release(int fd);

#endif
