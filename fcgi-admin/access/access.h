/* access.h: who calls, and what that caller may. */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "fcgi-admin/access/authorization.h"
#include "fcgi-admin/manage/token.h"

struct access_caller {
	bool known; /* a token, or a certificate that stands for one, that is valid now */
	struct token_row token;
	unsigned role;		       /* MANAGE_ROLE_…, one of them */
	char user[AUTHORIZATION_USER]; /* Basic's, plain; "" without */
	char who[80];		       /* "token:NAME", or "unknown": the audit's actor */
};

enum access_rc {
	ACCESS_KNOWN,  /* *out is filled */
	ACCESS_ANYONE, /* no credentials at all */
	ACCESS_REFUSED, /* credentials, but of nobody: r says what is wrong with them, for the log and the audit alone */
	ACCESS_AWAY /* the store, which knows, cannot be read */
};

/*
 * header: the Authorization header's value; certificate: the TLS client certificate as nginx hands it over; "" where absent.  The header counts
 * where there are both.  Always fills out->who.
 */
enum access_rc access_identify(struct manage *m, const char *header, const char *certificate,
    struct access_caller *out, struct manage_report *r);

#endif
