#include "base/suspects.h"

#include <stddef.h>

#define WAYS	     4 /* neighbouring slots that a network may be in */

/* A word: 24 bits of tag, 16 of the minute, 12 of each count.  0 is an empty slot: a count of a network in use is at least 1. */
#define TAG(word)    ((word) >> 40)
#define MINUTE(word) (((word) >> 24) & 0xffff)
#define HERE(word)   (((word) >> 12) & 0xfff)
#define BEFORE(word) ((word)&0xfff)

/* FNV-1a, and then mixed so that all bits of the result depend on all of it. */
static uint64_t
hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3;
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
	return h ^ (h >> 33);
}

static uint64_t
minute_of(int64_t now_ms)
{
	return (uint64_t)(now_ms / 60000) & 0xffff;
}

/* The same counts seen from this minute; 0 where they are older than the last. */
static uint64_t
as_of(uint64_t word, uint64_t minute)
{
	uint64_t age = (minute - MINUTE(word)) & 0xffff;

	if (age == 0)
		return word;
	if (age != 1 || HERE(word) == 0)
		return 0;
	return TAG(word) << 40 | minute << 24 | HERE(word);
}

static uint64_t
one_more(uint64_t word)
{
	return HERE(word) < SUSPECTS_MOST ? word + (1 << 12) : word;
}

/* Its own slot, or the one whose loss matters least; *seen is what was in it. */
static _Atomic uint64_t *
slot_for(struct suspects *s, uint64_t h, uint64_t minute, uint64_t *seen)
{
	_Atomic uint64_t *best = NULL;
	uint64_t least = UINT64_MAX;

	for (uint64_t i = 0; i < WAYS; i++) {
		_Atomic uint64_t *slot = &s->slots[(h + i) % SUSPECTS_SLOTS];
		uint64_t word = atomic_load(slot), now = as_of(word, minute);

		if (now != 0 && TAG(now) == h >> 40) {
			*seen = word;
			return slot;
		}
		if (HERE(now) + BEFORE(now) < least) {
			least = HERE(now) + BEFORE(now);
			best = slot;
			*seen = word;
		}
	}
	return best;
}

void
suspects_add(struct suspects *s, const char *network, int64_t now_ms)
{
	uint64_t h = hash(network), minute = minute_of(now_ms), seen, next;
	_Atomic uint64_t *slot;

	do {
		slot = slot_for(s, h, minute, &seen);
		next = as_of(seen, minute);
		if (next == 0 || TAG(next) != h >> 40)
			next = h >> 40 << 40 | minute << 24;
		next = one_more(next);
	} while (!atomic_compare_exchange_weak(slot, &seen, next));
}

bool
suspects_find(const struct suspects *s, const char *network, int64_t now_ms, int64_t *this_minute,
    int64_t *last_minute)
{
	uint64_t h = hash(network), minute = minute_of(now_ms);

	for (uint64_t i = 0; i < WAYS; i++) {
		uint64_t word = as_of(atomic_load(&s->slots[(h + i) % SUSPECTS_SLOTS]), minute);

		if (word == 0 || TAG(word) != h >> 40)
			continue;
		*this_minute = (int64_t)HERE(word);
		*last_minute = (int64_t)BEFORE(word);
		return true;
	}
	*this_minute = *last_minute = 0;
	return false;
}
