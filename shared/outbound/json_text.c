#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "outbound/json_text.h"

static void
free_wiped(void *p)
{
	if (p != NULL)
		octets_wipe(p, malloc_usable_size(p));
	free(p);
}

/* How deep arrays and objects are in each other, whatever else is wrong: before the parser, which descends as deep as it is led. */
static bool
is_shallow(struct octets text)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']'))
			depth--;
		if (depth > JSON_TEXT_DEPTH)
			return false;
	}
	return true;
}

json_t *
json_text_read(struct octets text, struct errbuf *why)
{
	json_malloc_t malloc_before;
	json_free_t free_before;
	json_error_t e;
	json_t *json;

	if (text.len == 0 || !is_shallow(text)) {
		errbuf_set(why, "JSON: have %s, want an object of at most %d levels",
		    text.len == 0 ? "nothing" : "more levels", JSON_TEXT_DEPTH);
		return NULL;
	}
	json_get_alloc_funcs(&malloc_before, &free_before);
	json_set_alloc_funcs(malloc, free_wiped);
	json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &e);
	if (json != NULL && !json_is_object(json)) {
		json_decref(json);
		json = NULL;
	}
	json_set_alloc_funcs(malloc_before, free_before);
	if (json == NULL) /* not the parser's own text: it quotes what it read */
		errbuf_set(why, "JSON: want an object, well-formed, each member once");
	return json;
}

void
json_text_free(json_t *json)
{
	json_malloc_t malloc_before;
	json_free_t free_before;

	json_get_alloc_funcs(&malloc_before, &free_before);
	json_set_alloc_funcs(malloc, free_wiped);
	json_decref(json);
	json_set_alloc_funcs(malloc_before, free_before);
}

const char *
json_text_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

void
json_text_copy(const char *text, char *out, size_t size)
{
	struct octets rest = octets_of_string(text != NULL ? text : "");
	uint32_t character;
	size_t len = 0, n;

	for (; rest.len > 0; rest.data += n, rest.len -= n) {
		n = encoding_utf8_sequence(rest, &character);
		if (len + (n > 0 ? n : 1) >= size)
			break;
		if (n == 0 || character < 0x20 || (character >= 0x7f && character < 0xa0)) {
			out[len++] = '?';
			n = n > 0 ? n : 1;
			continue;
		}
		memcpy(out + len, rest.data, n);
		len += n;
	}
	out[len] = '\0';
}

void
json_text_append(struct buffer *out, struct octets text)
{
	uint32_t character;
	size_t n;

	buffer_append_string(out, "\"");
	for (; text.len > 0; text.data += n, text.len -= n) {
		n = encoding_utf8_sequence(text, &character);
		if (n == 0) {
			buffer_append_string(out, "\xef\xbf\xbd");
			n = 1;
		} else if (character < 0x20 || character == 0x7f || character == 0x2028 ||
			   character == 0x2029) {
			buffer_append_format(out, "\\u%04x", (unsigned int)character);
		} else {
			if (character == '"' || character == '\\')
				buffer_append_string(out, "\\");
			buffer_append(out, text.data, n);
		}
	}
	buffer_append_string(out, "\"");
}

void
json_text_append_member(struct buffer *out, const char *name, const char *text)
{
	json_text_append(out, octets_of_string(name));
	buffer_append_string(out, ":");
	json_text_append(out, octets_of_string(text));
}

void
json_text_append_base64(struct buffer *out, const char *name, struct octets value)
{
	json_text_append(out, octets_of_string(name));
	buffer_append_string(out, ":\"");
	encoding_base64(value, out);
	buffer_append_string(out, "\"");
}
