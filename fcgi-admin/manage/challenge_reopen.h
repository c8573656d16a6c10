/* challenge_reopen.h: a challenge or enrolment code is usable once more, for a device whose reply never arrived. */
#ifndef MANAGE_CHALLENGE_REOPEN_H
#define MANAGE_CHALLENGE_REOPEN_H

#include "fcgi-admin/manage/manage.h"
#include "store/certificate_row.h"

struct manage_reopen_order {
	const char *id;	    /* of the challenge, 64 hexadecimal digits, as its audit rows have it */
	const char *serial; /* or of its certificate, by serial or uuid; one of the two */
	int64_t expiry_s;   /* the challenge's new life, 60 to 30 days; 0: the profile's */
};

struct manage_reopened {
	char id[65];
	char profile[65];
	struct certificate_row certificate; /* the one that is revoked now */
	bool code; /* it is an enrolment code, which keeps its own expiry */
	int64_t expires_at;
};

/*
 * The certificate of its last use is revoked (superseded), that use given back and the audit row written, in one commit; then the same value, which is
 * kept nowhere but with the device, is good for one use more.  A challenge that Redis no longer has is made anew there, without what it was
 * bound to: a warning says so.  NOT_FOUND: nothing like it was used.  CONFLICT: its certificate was renewed, its profile has another mode by now.
 * AWAY before anything is changed where Redis cannot be reached.
 */
enum manage_rc manage_challenge_reopen(struct manage *m, const struct manage_actor *by,
    const struct manage_reopen_order *o, struct manage_reopened *out, struct manage_report *r);

#endif
