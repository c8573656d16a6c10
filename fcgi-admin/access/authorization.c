/* authorization.c: reading Bearer and Basic. */
#include "fcgi-admin/access/authorization.h"

#include <string.h>
#include <strings.h>

#include "base/encoding.h"

/* What follows the scheme and at least one space; NULL where the header has another scheme. */
static const char *
after_scheme(const char *header, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(header, scheme, len) != 0 || header[len] != ' ')
		return NULL;
	header += len;
	return header + strspn(header, " ");
}

static void
keep_user(struct octets name, char user[AUTHORIZATION_USER])
{
	size_t len = 0;

	for (size_t i = 0; i < name.len && len < AUTHORIZATION_USER - 1; i++)
		if (name.data[i] >= ' ' && name.data[i] < 0x7f)
			user[len++] = (char)name.data[i];
	user[len] = '\0';
}

static enum authorization_rc
parse_basic(const char *text, struct buffer *token, char user[AUTHORIZATION_USER])
{
	struct buffer both = {0};
	enum authorization_rc rc = AUTHORIZATION_MALFORMED;
	const uint8_t *colon = NULL;

	if (encoding_unbase64(octets_of_string(text), &both) && both.len > 0)
		colon = memchr(both.data, ':', both.len);
	if (colon != NULL) {
		size_t name = (size_t)(colon - both.data);

		keep_user(octets_of(both.data, name), user);
		buffer_append(token, colon + 1, both.len - name - 1);
		rc = token->failed ? AUTHORIZATION_MALFORMED : AUTHORIZATION_TOKEN;
	}
	buffer_free(&both);
	return rc;
}

enum authorization_rc
authorization_parse(const char *header, struct buffer *token, char user[AUTHORIZATION_USER])
{
	const char *rest;

	user[0] = '\0';
	header += strspn(header, " ");
	if (*header == '\0')
		return AUTHORIZATION_NONE;
	if (strlen(header) > AUTHORIZATION_MAX)
		return AUTHORIZATION_MALFORMED;
	if ((rest = after_scheme(header, "Bearer")) != NULL) {
		size_t len = strcspn(rest, " ");

		if (len == 0 || rest[len + strspn(rest + len, " ")] != '\0')
			return AUTHORIZATION_MALFORMED;
		buffer_append(token, rest, len);
		return token->failed ? AUTHORIZATION_MALFORMED : AUTHORIZATION_TOKEN;
	}
	if ((rest = after_scheme(header, "Basic")) != NULL)
		return parse_basic(rest, token, user);
	return AUTHORIZATION_MALFORMED;
}

void
authorization_plain_user(char user[AUTHORIZATION_USER])
{
	char *backslash = strchr(user, '\\'), *at;

	if (backslash != NULL)
		memmove(user, backslash + 1, strlen(backslash + 1) + 1);
	else if ((at = strrchr(user, '@')) != NULL && at != user)
		*at = '\0';
}
