/*
 * fake_state.h: the directory by which a test drives a server that stands in for another's: what it shall do, whom it knows, what it was asked.
 *
 *	DIR/control	lines "ACTION BEHAVIOUR [ARGUMENT] [once]"; the first that fits counts, one with "once" is then taken out
 *	DIR/challenges	lines "CHALLENGE [CODE]"
 *	DIR/revocations	lines "CONTEXT SERIAL [ISSUER]", gone once their result is there
 *	DIR/results	lines "CONTEXT true|false CODE"
 *	DIR/log		a line of JSON for each call
 */
#ifndef TESTS_FAKE_STATE_H
#define TESTS_FAKE_STATE_H

#include <stdbool.h>
#include <stddef.h>

struct fake_behaviour {
	char name[32]; /* "": as usual */
	char argument[512];
};

/* What DIR/control says for this action, or for "*". */
void fake_state_behaviour(const char *dir, const char *action, struct fake_behaviour *out);

/* Whether DIR/challenges lists it, and with which code ("Success" where it says none). */
bool fake_state_challenge(const char *dir, const char *challenge, char *code, size_t size);

/* Append text and a line's end to DIR/name, in one write. */
void fake_state_append(const char *dir, const char *name, const char *text);

/* Each line of DIR/name, without its end, until line says false. */
void fake_state_each(
    const char *dir, const char *name, bool (*line)(void *ctx, const char *text), void *ctx);
/* Takes out those lines of DIR/name whose first word it is. */
void fake_state_remove(const char *dir, const char *name, const char *word);

#endif
