/*
 * outbound_gate.h: how many processes of one program are in a call of others, in memory that they share: at most half of them, so that a slow
 * other side does not stop the rest.  Who dies inside is counted out by its pid.
 */
#ifndef BASE_OUTBOUND_GATE_H
#define BASE_OUTBOUND_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define OUTBOUND_GATE_MAX 512

struct outbound_gate {
	_Atomic int32_t inside[OUTBOUND_GATE_MAX]; /* pids; 0: free */
};

/*
 * May this process go out, where workers of them are alive?  At least one always may.  true: outbound_gate_leave() must follow.  Who is inside may
 * enter again: it stays one place, which one call of leave() frees.
 */
bool outbound_gate_enter(struct outbound_gate *g, uint32_t workers);
/* Nothing where this process is not inside. */
void outbound_gate_leave(struct outbound_gate *g);
/* By the master, when it has reaped pid. */
void outbound_gate_forget(struct outbound_gate *g, pid_t pid);

#endif
