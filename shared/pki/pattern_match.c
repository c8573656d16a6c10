/* pattern_match.c: running an expression's program over a value, all its states at once. */
#include <string.h>

#include "base/encoding.h"
#include "pki/pattern_program.h"

uint32_t
pattern_next_character(const char **at, const char *end)
{
	uint32_t c = 0;

	*at += encoding_utf8_sequence(octets_of(*at, (size_t)(end - *at)), &c);
	return c;
}

/* The states of one moment; mark[i] says that i is among them. */
struct states {
	uint16_t list[PATTERN_PROGRAM_MAX];
	uint8_t mark[PATTERN_PROGRAM_MAX];
	int count;
};

static void
add_state(const struct pattern *p, struct states *s, int i)
{
	uint16_t stack[PATTERN_PROGRAM_MAX];
	int depth = 0;

	for (;;) {
		if (!s->mark[i]) {
			s->mark[i] = 1;
			s->list[s->count++] = (uint16_t)i;
			if (p->steps[i].kind == STEP_JUMP) {
				i += p->steps[i].jump;
				continue;
			}
			if (p->steps[i].kind == STEP_SPLIT) {
				/* Each split is met once, so the stack holds them all. */
				stack[depth++] = (uint16_t)(i + p->steps[i].jump);
				i++;
				continue;
			}
		}
		if (depth == 0)
			return;
		i = stack[--depth];
	}
}

static bool
is_in(const struct pattern *p, const struct step *s, uint32_t c)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct range *range = &p->ranges[s->argument + i];

		if (c >= range->first && c <= range->last)
			return true;
	}
	return false;
}

static bool
takes(const struct pattern *p, const struct step *s, uint32_t c)
{
	switch ((enum step_kind)s->kind) {
	case STEP_CHARACTER:
		return s->argument == c;
	case STEP_ANY:
		return true;
	case STEP_SET:
		return is_in(p, s, c);
	case STEP_OTHER:
		return !is_in(p, s, c);
	default:
		return false;
	}
}

bool
pattern_matches(const struct pattern *p, struct octets utf8)
{
	struct states sets[2], *now = &sets[0], *next = &sets[1], *swap;
	const char *at = (const char *)utf8.data, *end = at + utf8.len;

	if (!encoding_is_utf8(utf8))
		return false;
	now->count = 0;
	memset(now->mark, 0, (size_t)p->step_count);
	add_state(p, now, 0);
	while (utf8.len > 0 && at < end && now->count > 0) {
		uint32_t c = pattern_next_character(&at, end);

		next->count = 0;
		memset(next->mark, 0, (size_t)p->step_count);
		for (int i = 0; i < now->count; i++)
			if (takes(p, &p->steps[now->list[i]], c))
				add_state(p, next, now->list[i] + 1);
		swap = now;
		now = next;
		next = swap;
	}
	return now->count > 0 && now->mark[p->step_count - 1];
}
