/* fetch.h: what all dialects have in common: who asks for which profile, and the challenge that is minted for it. */
#ifndef DIALECT_FETCH_H
#define DIALECT_FETCH_H

#include "fcgi-admin/call.h"
#include "fcgi-admin/manage/challenge.h"

enum fetch_rc {
	FETCH_MINTED,	 /* challenge is there */
	FETCH_NOTHING,	 /* HEAD, by a caller who would get one: nothing is minted */
	FETCH_FORBIDDEN, /* not this caller; report says why */
	FETCH_NONE_HERE, /* the profile is disabled, or has no one-time challenges; report says which */
	FETCH_FULL,	 /* as many are pending as may be */
	FETCH_ANSWERED /* no such profile, a body that cannot be read, store or Redis away: answered already */
};

struct fetch {
	struct profile
	    *profile; /* borrowed until the next profile_get(); NULL where it was not looked for */
	struct manage_challenge challenge; /* wipe it after use */
	int64_t expiry_s;		   /* its life */
	struct manage_report report;
};

/* name "": the default profile, or FETCH_ANSWERED where there is none. */
enum fetch_rc fetch_challenge(struct call *c, const char *name, struct fetch *f);

#endif
