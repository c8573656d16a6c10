/* anchor.h: CAs of others, manufacturers', whose certificates authorise a first enrolment under a profile (RFC 8894 section 2.3). */
#ifndef MANAGE_ANCHOR_H
#define MANAGE_ANCHOR_H

#include "fcgi-admin/manage/manage.h"
#include "store/profile_row.h"

/* An anchor as people see it. */
struct manage_anchor {
	char fingerprint[65]; /* SHA-256, hex */
	char subject[1025];   /* RFC 4514 */
	int64_t not_before;
	int64_t not_after;
	int64_t created_at;
	struct octets certificate; /* DER; borrowed */
};

/* certificate: a CA's, in time now, with a key that we can verify by.  INVALID otherwise; CONFLICT: it is there already. */
enum manage_rc manage_anchor_add(struct manage *m, const struct manage_actor *by,
    const char *profile, struct octets certificate, struct manage_anchor *out,
    struct manage_report *r);
/* fingerprint: in either case, with or without colons. */
enum manage_rc manage_anchor_remove(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *fingerprint, struct manage_report *r);
/* row() must not call back into the store; what it gets lives as long as the call. */
enum manage_rc manage_anchor_each(struct manage *m, const char *profile,
    bool (*row)(void *ctx, const struct manage_anchor *a), void *ctx, struct manage_report *r);

#endif
