#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "outbound/http.h"

void
http_response_free(struct http_response *response)
{
	buffer_free(&response->body);
	buffer_free(&response->headers);
	buffer_free(&response->certificates);
	*response = (struct http_response){0};
}

bool
http_content_type_is(const struct http_response *response, const char *type)
{
	size_t len = strcspn(response->content_type, "; \t");

	return len == strlen(type) && strncasecmp(response->content_type, type, len) == 0;
}

bool
http_response_header(const struct http_response *response, const char *name, char *out, size_t size)
{
	struct octets all = buffer_octets(&response->headers);
	size_t wanted = strlen(name), len;

	out[0] = '\0';
	for (size_t at = 0; at < all.len; at += len) {
		const char *line = (const char *)all.data + at, *value;
		const char *end = memchr(line, '\n', all.len - at);

		len = end != NULL ? (size_t)(end - line) + 1 : all.len - at;
		if (len <= wanted || line[wanted] != ':' || strncasecmp(line, name, wanted) != 0)
			continue;
		end = line + len;
		value = line + wanted + 1;
		while (value < end && strchr(" \t\r\n", *value) != NULL)
			value++;
		while (end > value && strchr(" \t\r\n", end[-1]) != NULL)
			end--;
		snprintf(out, size, "%.*s", (int)(end - value), value);
		return true;
	}
	return false;
}
