/* fuzz_audit_event.c: a line of the audit queue: refused, or exactly what the writer makes of what was read. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct buffer again = {0};
	struct audit_event e;
	char *room;

	/* A line is a C string: what stands behind a NUL is not part of it. */
	if (memchr(octets, '\0', size) != NULL || (room = malloc(size + 1)) == NULL)
		return 0;
	if (size > 0)
		memcpy(room, octets, size);
	room[size] = '\0';
	if (audit_event_of_json(room, &e)) {
		if (!audit_event_to_json(&e, &again) ||
		    !octets_equal(buffer_octets(&again), octets_of(octets, size)))
			abort();
	}
	buffer_free(&again);
	free(room);
	return 0;
}
