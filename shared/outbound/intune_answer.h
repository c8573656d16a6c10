/* intune_answer.h: what the login service, Microsoft Graph and Intune answer, read from octets.  No I/O; nothing is believed beyond its form. */
#ifndef OUTBOUND_INTUNE_ANSWER_H
#define OUTBOUND_INTUNE_ANSWER_H

#include "outbound/intune.h"

#define INTUNE_URI_SIZE	 1024
#define INTUNE_TOKEN_MAX 16384 /* octets of a bearer token */

/* All of them: false with why where the octets are not of the form; what is out is then empty. */

/* {"token_type":"Bearer","expires_in":3599,"access_token":"…"}: the token is appended. */
bool intune_answer_token(
    struct octets body, struct buffer *token, int64_t *expires_in_s, struct errbuf *why);

struct intune_login_error {
	char error[64]; /* as "invalid_client" */
	int64_t code;	/* of AADSTS7000215, 7000215; 0: none told */
};
bool intune_answer_login_error(
    struct octets body, struct intune_login_error *out, struct errbuf *why);

/* {"value":[{"providerName","uri"}]}: of that provider, any case.  uri "" with true: it is not among them. */
bool intune_answer_discovery(
    struct octets body, const char *provider, char uri[INTUNE_URI_SIZE], struct errbuf *why);

/* {"code","errorDescription"}: code and description are filled; request_id stays. */
bool intune_answer_result(struct octets body, struct intune_answer *out, struct errbuf *why);
/* {"error":{"code","message"}}, with an HTTP error. */
bool intune_answer_error(struct octets body, struct intune_answer *out, struct errbuf *why);

/* {"value":[{"requestContext","serialNumber","issuerName"}]}.  A serial number that is none is "": its context is still answered. */
bool intune_answer_revocations(
    struct octets body, struct intune_revocation *out, int *count, struct errbuf *why);
/* {"value":true}; taken tells which. */
bool intune_answer_uploaded(struct octets body, bool *taken, struct errbuf *why);

#endif
