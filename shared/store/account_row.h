/* account_row.h: generated secrets that a profile accepts as challenges, each of an organization and department. */
#ifndef STORE_ACCOUNT_ROW_H
#define STORE_ACCOUNT_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

struct account_row {
	int64_t row;
	char id[37];
	char profile_id[37];
	char name[65];		 /* unique under the profile */
	uint8_t secret_hash[32]; /* authorise_challenge_id() of the secret under the profile */
	char organization[65];	 /* name; "" none */
	char department[65];
	bool enabled;
	int64_t created_at;
	int64_t expires_at; /* 0: never */
};
/* Each change raises config_version (a profile's snapshot knows whether it has accounts).  CONFLICT: the name is taken; NONE: no such
 * profile, organization or account. */
enum store_rc store_account_insert(
    struct store *st, const struct account_row *a, const struct audit_event *e, struct errbuf *why);
enum store_rc store_account_update(
    struct store *st, const struct account_row *a, const struct audit_event *e, struct errbuf *why);
enum store_rc store_account_delete(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why);
enum store_rc store_account_get(struct store *st, const char *profile_id, const char *name_or_id,
    struct account_row *out, struct errbuf *why);
enum store_rc store_account_get_row(
    struct store *st, int64_t row, struct account_row *out, struct errbuf *why);
enum store_rc store_account_by_hash(
    struct store *st, const uint8_t secret_hash[32], struct account_row *out, struct errbuf *why);
enum store_rc store_account_each(struct store *st, const char *profile_id,
    bool (*row)(void *ctx, const struct account_row *a), void *ctx, struct errbuf *why);
enum store_rc store_account_count(
    struct store *st, const char *profile_id, int *count, struct errbuf *why);

#endif
