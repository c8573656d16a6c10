/* ra_rotation.h: the RA certificates of profiles: which there are, and the next one of a profile under the CA that it has. */
#ifndef MANAGE_RA_ROTATION_H
#define MANAGE_RA_ROTATION_H

#include "fcgi-admin/manage/manage.h"
#include "store/authority_row.h"

struct manage_ra {
	char profile[65];
	char role[16]; /* current, next, previous */
	char id[37];
	char authority[65]; /* the name of the CA that signed it */
	char key[32];	    /* RSA-2048 */
	char serial[64];
	int64_t not_after;
	int64_t until; /* of a previous one: it decrypts until then; else 0 */
};

/* Of one profile, or with NULL of all.  row() may not call back into the store. */
enum manage_rc manage_ra_each(struct manage *m, const char *profile,
    bool (*row)(void *ctx, const struct manage_ra *ra), void *ctx, struct manage_report *r);

/* Make the next one; key NULL: as large as the current one's.  CONFLICT: there is a next one already.  */
enum manage_rc manage_ra_rotate(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *key, struct manage_report *r);
/* The next one becomes current; the old one decrypts for overlap_s more.  CONFLICT: there is none, or it belongs to a rollover of the CA. */
enum manage_rc manage_ra_switch(struct manage *m, const struct manage_actor *by,
    const char *profile, int64_t overlap_s, struct manage_report *r);
/* Take the next one back, key file and all.  CONFLICT likewise. */
enum manage_rc manage_ra_cancel(
    struct manage *m, const struct manage_actor *by, const char *profile, struct manage_report *r);

#endif
