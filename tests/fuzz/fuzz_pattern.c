/*
 * fuzz_pattern.c: an expression, a newline, and a value: what compiles is matched in bounded time, and a value matches itself where it is written
 * out as literals.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "pki/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

/* Each character with a meaning behind a backslash. */
static void
match_itself(struct octets value)
{
	char text[PATTERN_TEXT_MAX + 1];
	struct pattern *p;
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++) {
		if (n + 2 >= sizeof(text))
			return;
		if (value.data[i] == 0)
			return;
		if (strchr(".[]\\()*+?{}|^$", value.data[i]) != NULL)
			text[n++] = '\\';
		text[n++] = (char)value.data[i];
	}
	text[n] = '\0';
	if (n == 0 || !encoding_is_utf8(value))
		return;
	if (!pattern_compile(text, &p, NULL))
		abort();
	if (!pattern_matches(p, value))
		abort();
	pattern_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(octets, '\n', size) : NULL;
	char text[PATTERN_TEXT_MAX + 2] = "";
	struct errbuf why = {0};
	struct octets value;
	struct pattern *p;
	size_t len;

	if (end == NULL)
		return 0;
	len = (size_t)(end - octets);
	memcpy(text, octets, len < sizeof(text) - 1 ? len : sizeof(text) - 1);
	value = octets_of(end + 1, size - len - 1);
	if (pattern_compile(text, &p, &why))
		(void)pattern_matches(p, value);
	else if (p != NULL || why.line[0] == '\0')
		abort();
	pattern_free(p);
	match_itself(value);
	return 0;
}
