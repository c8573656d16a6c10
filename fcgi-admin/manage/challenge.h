/* challenge.h: minting one-time challenges. */
#ifndef MANAGE_CHALLENGE_H
#define MANAGE_CHALLENGE_H

#include "fcgi-admin/manage/manage.h"
#include "store/profile_row.h"

#define MANAGE_CHALLENGE_SIZE	 33 /* 32 or 16 upper-case hexadecimal digits and a NUL */

#define MANAGE_CHALLENGE_LEAST_S 60
#define MANAGE_CHALLENGE_MOST_S	 (30 * 86400)

struct manage_challenge_order {
	const struct scep_profile_row *profile;
	int64_t expiry_s; /* 60 to 30 days; 0: the profile's */
	/* What a CSR must have (authorise/binding.h says how it is compared); NULL: it may have any. */
	const char *bind_cn;
	const char *bind_san;	 /* "dns:a.example,ip:192.0.2.1" */
	const char *bind_key;	 /* RSA, RSA-2048, EC, "EC P-256" */
	const char *bind_device; /* its serialNumber, UID, CN or a SAN */
	const char *reason;	 /* for the audit: what asked for it; NULL: nothing */
};

/* Wipe it after use: the value is nowhere else. */
struct manage_challenge {
	char value[MANAGE_CHALLENGE_SIZE];
	char id[65]; /* hexadecimal; the name under which Redis keeps it, and no secret */
	int64_t expires_at;
};

/*
 * One round trip to Redis, the audit row included.  CONFLICT: the profile is not dynamic, or disabled.  FULL: as many are
 * pending as the profile allows.
 */
enum manage_rc manage_challenge_mint(struct manage *m, const struct manage_actor *by,
    const struct manage_challenge_order *o, struct manage_challenge *out, struct manage_report *r);

enum manage_rc manage_challenge_count(struct manage *m, const struct scep_profile_row *profile,
    int64_t *pending, struct manage_report *r);

#endif
