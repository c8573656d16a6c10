/* token.h: API tokens: shown once, kept as a keyed hash, found again by it. */
#ifndef MANAGE_TOKEN_H
#define MANAGE_TOKEN_H

#include "fcgi-admin/manage/manage.h"
#include "store/token_row.h"

#define MANAGE_TOKEN_PREFIX "fscep_"
#define MANAGE_TOKEN_DIGITS 43 /* of base62: 256 bits */
#define MANAGE_TOKEN_SIZE   (sizeof(MANAGE_TOKEN_PREFIX) + MANAGE_TOKEN_DIGITS)

/* One bit each, so that a route's callers are a mask. */
enum manage_role {
	MANAGE_ROLE_ADMIN = 1 << 0,
	MANAGE_ROLE_OPERATOR = 1 << 1,
	MANAGE_ROLE_APPROVER = 1 << 2,
	MANAGE_ROLE_AUDITOR = 1 << 3,
	MANAGE_ROLE_CHALLENGE = 1 << 4
};
/* 0: no such role. */
unsigned manage_role_of_name(const char *name);

struct manage_token_order {
	const char *name; /* [A-Za-z0-9._-]{1,64}, unique */
	const char *role;
	const char *
	    profiles; /* comma-separated: it mints for these alone; NULL or "": for all.  Role challenge needs some */
	int64_t lifetime_s; /* 0: it does not expire */
	struct octets
	    certificate; /* DER of a TLS client certificate that stands in the token's place; empty: none */
};

/*
 * token gets the text that is shown this once: wipe it after use.  With a certificate there is none (""): whoever has its key is the caller, for
 * as long as it is valid.  CONFLICT: the certificate stands for a token already.
 */
enum manage_rc manage_token_create(struct manage *m, const struct manage_actor *by,
    const struct manage_token_order *o, char token[MANAGE_TOKEN_SIZE], struct token_row *out,
    struct manage_report *r);

/* NOT_FOUND: nobody's, expired or revoked; why says which, for the log and the audit. */
enum manage_rc manage_token_find(
    struct manage *m, struct octets token, struct token_row *out, struct manage_report *r);

/* The same by a TLS client certificate, whose key the caller has; it must be in time itself. */
enum manage_rc manage_token_find_certificate(
    struct manage *m, struct octets der, struct token_row *out, struct manage_report *r);

/* May this token mint challenges for the profile? */
bool manage_token_has_profile(const struct token_row *t, const char *profile);

/* The form of a token: nothing else is worth a look in the store. */
bool manage_token_is_token(struct octets token);

enum manage_rc manage_token_each(struct manage *m,
    bool (*row)(void *ctx, const struct token_row *t), void *ctx, struct manage_report *r);
enum manage_rc manage_token_revoke(
    struct manage *m, const struct manage_actor *by, const char *name, struct manage_report *r);

#endif
