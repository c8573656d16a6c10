/* health.h: can this installation issue, and for how long? */
#ifndef MANAGE_HEALTH_H
#define MANAGE_HEALTH_H

#include "fcgi-admin/manage/manage.h"

enum manage_health_status { MANAGE_HEALTH_OK, MANAGE_HEALTH_WARN, MANAGE_HEALTH_FAIL };
/* "ok", "warn", "fail". */
const char *manage_health_name(enum manage_health_status s);

#define MANAGE_HEALTH_MAX	64
#define MANAGE_HEALTH_WARN_DAYS 30

struct manage_health_check {
	char name[96]; /* store, redis, masterKey, authority NAME, raCertificate of PROFILE */
	enum manage_health_status status;
	char detail[ERRBUF_SIZE];
};

struct manage_health {
	enum manage_health_status status; /* the worst of all */
	struct manage_health_check
	    checks[MANAGE_HEALTH_MAX + 1]; /* the last is scratch: what has no room
								   still decides status */
	int count;
};

/* Look at all of it, store and Redis first; what is away is a failed check, so this always has an answer. */
void manage_health_check(struct manage *m, struct manage_health *out);

/* The part that looks at the ends of CAs and of enabled profiles' RA certificates; m's store is open.  Adds to h. */
void manage_health_expiry(struct manage *m, struct manage_health *h);

#endif
