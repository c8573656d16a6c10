/* authorization.h: the token in an Authorization header, whether it came as Bearer or as the password of Basic (RFC 7617, 6750). */
#ifndef ACCESS_AUTHORIZATION_H
#define ACCESS_AUTHORIZATION_H

#include "base/octets.h"

#define AUTHORIZATION_MAX  2048 /* octets of a header that are looked at */
#define AUTHORIZATION_USER 129

enum authorization_rc {
	AUTHORIZATION_NONE,	/* there is no header */
	AUTHORIZATION_TOKEN,	/* token holds something, whatever it is worth */
	AUTHORIZATION_MALFORMED /* another scheme, no base64, no colon, too long */
};

/*
 * header is "" where absent.  Appends to token, which the caller frees (it is wiped).  user gets Basic's user name as it came, "DOMAIN\user" and
 * "user@domain" included, cut and without control characters: for the audit alone, since any name goes with a token.
 */
enum authorization_rc authorization_parse(
    const char *header, struct buffer *token, char user[AUTHORIZATION_USER]);

/* The user in "DOMAIN\user" and "user@domain": shortens user in place. */
void authorization_plain_user(char user[AUTHORIZATION_USER]);

#endif
