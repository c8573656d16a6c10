/* enrollment.h: enrolments: a code registered against a seat under a profile, which a device gives as its challengePassword. */
#ifndef MANAGE_ENROLLMENT_H
#define MANAGE_ENROLLMENT_H

#include "fcgi-admin/manage/code.h"
#include "fcgi-admin/manage/manage.h"
#include "store/profile_row.h"
#include "store/seat_row.h"

#define MANAGE_ENROLLMENT_CODE_OCTETS 128 /* of a code that is given */
#define MANAGE_ENROLLMENT_EXPIRY_S    (10 * 86400)

struct manage_enrollment_order {
	const char *profile;	   /* name or uuid; its mode is enrollmentCode */
	const char *seat;	   /* seatId or uuid */
	const struct octets *code; /* UTF-8; NULL: one is drawn */
	const char *email;	   /* NULL: the seat's */
	int64_t expires_at;	   /* 0: after MANAGE_ENROLLMENT_EXPIRY_S */
	int64_t max_uses;	   /* 1 to 1,000,000; 0: 1 */
	const struct enrollment_attribute *attributes;
	int attribute_count;
};

/*
 * drawn gets the code where none is given, to be shown this once and wiped; "" otherwise.  INVALID: all faults at once; attributes have to be fields
 * of the RA profile whose source is manual, and those of them that are required have to be given.  CONFLICT: the code is registered already.
 */
enum manage_rc manage_enrollment_create(struct manage *m, const struct manage_actor *by,
    const struct manage_enrollment_order *o, char drawn[MANAGE_CODE_SIZE],
    struct enrollment_row *out, struct manage_report *r);

/* The same without writing anything: OK, INVALID or AWAY. */
enum manage_rc manage_enrollment_check(
    struct manage *m, const struct manage_enrollment_order *o, struct manage_report *r);

/* With the status that it has now: created, pending, redeemed, expired, locked, rejected. */
enum manage_rc manage_enrollment_get(
    struct manage *m, const char *id, struct enrollment_row *out, struct manage_report *r);
/* Newest first below before_row (0: from the newest), at most limit (1 to 500); NULL: any seat, profile.  row() must not call back into the store. */
enum manage_rc manage_enrollment_list(struct manage *m, int64_t before_row, int limit,
    const char *seat, const char *profile, bool (*row)(void *ctx, const struct enrollment_row *n),
    void *ctx, struct manage_report *r);

/* A new code and a new expiry (0: as above); the counts begin anew.  code and drawn as with create. */
enum manage_rc manage_enrollment_reissue(struct manage *m, const struct manage_actor *by,
    const char *id, const struct octets *code, int64_t expires_at, char drawn[MANAGE_CODE_SIZE],
    struct enrollment_row *out, struct manage_report *r);
/* It is worth nothing from now on.  CONFLICT: it is redeemed: revoke the certificate. */
enum manage_rc manage_enrollment_reject(
    struct manage *m, const struct manage_actor *by, const char *id, struct manage_report *r);
enum manage_rc manage_enrollment_delete(
    struct manage *m, const struct manage_actor *by, const char *id, struct manage_report *r);

/* Name the attributes that do not fit the profile's manual fields, and those that are missing (enrollment_attributes.c). */
void manage_enrollment_check_attributes(const struct ra_profile_row *ra,
    const struct enrollment_attribute *attributes, int count, struct manage_report *r);

#endif
