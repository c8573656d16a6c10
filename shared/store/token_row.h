/* token_row.h: API tokens, kept as a keyed hash. */
#ifndef STORE_TOKEN_ROW_H
#define STORE_TOKEN_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

struct token_row {
	char id[37];
	char name[65];	     /* unique */
	uint8_t hash[32];    /* HMAC under the master key */
	char role[16];	     /* admin, operator, approver, auditor, challenge */
	char profiles[1025]; /* comma-separated names it may mint for; "": all */
	int64_t created_at;
	int64_t expires_at;   /* 0: never */
	int64_t last_used_at; /* kept to the minute; 0: never */
	bool revoked;
};
enum store_rc store_token_insert(
    struct store *st, const struct token_row *t, const struct audit_event *e, struct errbuf *why);
enum store_rc store_token_by_hash(
    struct store *st, const uint8_t hash[32], struct token_row *out, struct errbuf *why);
enum store_rc store_token_each(struct store *st, bool (*row)(void *ctx, const struct token_row *t),
    void *ctx, struct errbuf *why);
enum store_rc store_token_revoke(
    struct store *st, const char *name_or_id, const struct audit_event *e, struct errbuf *why);
/* Writes only when the time kept is more than a minute old. */
enum store_rc store_token_used(struct store *st, const char *id, int64_t now, struct errbuf *why);

#endif
