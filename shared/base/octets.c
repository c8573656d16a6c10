#include <openssl/crypto.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/octets.h"

#define BUFFER_FIRST 256

struct octets
octets_of(const void *data, size_t len)
{
	return (struct octets){.data = data, .len = len};
}

struct octets
octets_of_string(const char *s)
{
	return octets_of(s, strlen(s));
}

bool
octets_equal(struct octets a, struct octets b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
octets_equal_secret(struct octets a, struct octets b)
{
	return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

void
octets_wipe(void *data, size_t len)
{
	if (len > 0)
		OPENSSL_cleanse(data, len);
}

/*
 * Room for more octets behind those there are.  The old memory is wiped before it is given back, which realloc() would not do:
 * what is in a buffer may be secret.
 */
static bool
reserve(struct buffer *b, size_t more)
{
	size_t cap = b->cap == 0 ? BUFFER_FIRST : b->cap;
	uint8_t *grown;

	if (b->failed)
		return false;
	if (more <= b->cap - b->len)
		return true;
	if (more > SIZE_MAX / 2 - b->len)
		goto fail;
	while (cap < b->len + more)
		cap *= 2;
	if ((grown = malloc(cap)) == NULL)
		goto fail;
	if (b->len > 0)
		memcpy(grown, b->data, b->len);
	octets_wipe(b->data, b->cap);
	free(b->data);
	b->data = grown;
	b->cap = cap;
	return true;

fail:
	b->failed = true;
	return false;
}

void
buffer_append(struct buffer *b, const void *data, size_t len)
{
	if (len == 0 || !reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void
buffer_append_string(struct buffer *b, const char *s)
{
	buffer_append(b, s, strlen(s));
}

void
buffer_append_format(struct buffer *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!reserve(b, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

const char *
buffer_string(struct buffer *b)
{
	if (!reserve(b, 1))
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

struct octets
buffer_octets(const struct buffer *b)
{
	return octets_of(b->data, b->len);
}

void
buffer_free(struct buffer *b)
{
	if (b == NULL)
		return;
	octets_wipe(b->data, b->cap);
	free(b->data);
	*b = (struct buffer){0};
}
