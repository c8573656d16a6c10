/* outbound_gate.c: the first half of the places is all there is, so that two that come at once cannot both be one too many. */
#include "base/outbound_gate.h"

#include <unistd.h>

static uint32_t
places(uint32_t workers)
{
	uint32_t half = workers / 2;

	if (half == 0)
		return 1;
	return half < OUTBOUND_GATE_MAX ? half : OUTBOUND_GATE_MAX;
}

bool
outbound_gate_enter(struct outbound_gate *g, uint32_t workers)
{
	int32_t me = (int32_t)getpid();
	uint32_t count = places(workers);

	for (uint32_t i = 0; i < OUTBOUND_GATE_MAX; i++)
		if (atomic_load(&g->inside[i]) == me)
			return true;
	for (uint32_t i = 0; i < count; i++) {
		int32_t nobody = 0;

		if (atomic_compare_exchange_strong(&g->inside[i], &nobody, me))
			return true;
	}
	return false;
}

void
outbound_gate_leave(struct outbound_gate *g)
{
	outbound_gate_forget(g, getpid());
}

void
outbound_gate_forget(struct outbound_gate *g, pid_t pid)
{
	for (uint32_t i = 0; i < OUTBOUND_GATE_MAX; i++) {
		int32_t him = (int32_t)pid;

		if (atomic_load(&g->inside[i]) == him)
			(void)atomic_compare_exchange_strong(&g->inside[i], &him, 0);
	}
}
