/* octets.h: borrowed slices of octets, a growing buffer that owns its octets, and comparison and wiping of secrets. */
#ifndef BASE_OCTETS_H
#define BASE_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed slice: whoever made it says how long it lives.  data may be NULL when len is 0. */
struct octets {
	const uint8_t *data;
	size_t len;
};

struct octets octets_of(const void *data, size_t len);
struct octets octets_of_string(const char *s);	     /* without its NUL */
bool octets_equal(struct octets a, struct octets b); /* variable time: not for secrets */

/* Constant time in the contents (not in the lengths). */
bool octets_equal_secret(struct octets a, struct octets b);

/* Overwrite memory in a way the compiler keeps. */
void octets_wipe(void *data, size_t len);

/*
 * An owned, growing buffer.  Zero-initialise it; every append that cannot be done sets failed and later appends do nothing,
 * so that a caller checks once, at the end.  buffer_free() wipes what was in it and leaves it zeroed; fine on a zeroed one.
 */
struct buffer {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool failed;
};

void buffer_append(struct buffer *b, const void *data, size_t len);
void buffer_append_string(struct buffer *b, const char *s);
void buffer_append_format(struct buffer *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A NUL behind the last octet, not counted in len; the address of the text, or NULL when failed. */
const char *buffer_string(struct buffer *b);
struct octets buffer_octets(const struct buffer *b);
void buffer_free(struct buffer *b);

#endif
