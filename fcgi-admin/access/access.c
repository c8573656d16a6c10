/* access.c: from an Authorization header to a caller with a role. */
#include "fcgi-admin/access/access.h"

#include <stdio.h>
#include <string.h>

#include "fcgi-admin/access/client_certificate.h"

static enum manage_rc
find_certificate(
    struct manage *m, const char *certificate, struct token_row *out, struct manage_report *r)
{
	struct buffer der = {0};
	enum manage_rc rc = MANAGE_NOT_FOUND;

	if (client_certificate_read(certificate, &der, &r->why))
		rc = manage_token_find_certificate(m, buffer_octets(&der), out, r);
	buffer_free(&der);
	return rc;
}

enum access_rc
access_identify(struct manage *m, const char *header, const char *certificate,
    struct access_caller *out, struct manage_report *r)
{
	struct buffer token = {0};
	enum manage_rc rc = MANAGE_NOT_FOUND;

	memset(out, 0, sizeof(*out));
	snprintf(out->who, sizeof(out->who), "unknown");
	switch (authorization_parse(header, &token, out->user)) {
	case AUTHORIZATION_NONE:
		if (certificate[0] == '\0')
			return ACCESS_ANYONE;
		rc = find_certificate(m, certificate, &out->token, r);
		break;
	case AUTHORIZATION_MALFORMED:
		errbuf_set(&r->why, "an Authorization header that is neither Bearer nor Basic");
		break;
	case AUTHORIZATION_TOKEN:
		authorization_plain_user(out->user);
		rc = manage_token_find(m, buffer_octets(&token), &out->token, r);
		break;
	}
	buffer_free(&token);
	if (rc == MANAGE_NOT_FOUND)
		return ACCESS_REFUSED;
	if (rc != MANAGE_OK)
		return ACCESS_AWAY;
	out->role = manage_role_of_name(out->token.role);
	out->known = true;
	snprintf(out->who, sizeof(out->who), "token:%s", out->token.name);
	return ACCESS_KNOWN;
}
