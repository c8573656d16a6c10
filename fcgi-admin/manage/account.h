/* account.h: accounts: a secret of an organization and department that a profile accepts as a challenge, whatever its mode but intune. */
#ifndef MANAGE_ACCOUNT_H
#define MANAGE_ACCOUNT_H

#include "fcgi-admin/manage/code.h"
#include "fcgi-admin/manage/manage.h"
#include "store/account_row.h"

/* What may be set; NULL and -1 keep.  On create what is kept is "", and it is enabled and does not expire. */
struct manage_account_change {
	const char *organization; /* its name; "": none */
	const char *department;
	int enabled;	    /* -1, 0, 1 */
	int64_t lifetime_s; /* from now on; 0: it does not expire */
};

/* secret gets what is shown this once: wipe it after use. */
enum manage_rc manage_account_create(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *name, const struct manage_account_change *c,
    char secret[MANAGE_CODE_SIZE], struct account_row *out, struct manage_report *r);
/* account: name or uuid, likewise below. */
enum manage_rc manage_account_set(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *account, const struct manage_account_change *c,
    struct account_row *out, struct manage_report *r);
/* A new secret; the one before is worth nothing from now on. */
enum manage_rc manage_account_rotate(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *account, char secret[MANAGE_CODE_SIZE],
    struct account_row *out, struct manage_report *r);
enum manage_rc manage_account_get(struct manage *m, const char *profile, const char *account,
    struct account_row *out, struct manage_report *r);
/* Certificates that it had stay. */
enum manage_rc manage_account_delete(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *account, struct manage_report *r);
/* row() must not call back into the store. */
enum manage_rc manage_account_each(struct manage *m, const char *profile,
    bool (*row)(void *ctx, const struct account_row *a), void *ctx, struct manage_report *r);

#endif
