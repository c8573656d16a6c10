/* seat_row.h: organizations, their seats, and the enrolment codes that stand against seats. */
#ifndef STORE_SEAT_ROW_H
#define STORE_SEAT_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

struct organization_row {
	char id[37];
	char name[65];
	int64_t license_count; /* seats in use at once; 0: any number */
	int64_t seats_in_use;  /* read only */
	int64_t created_at;
};
/* CONFLICT: the name is taken; on delete: seats or accounts are its own.  NONE: there is no such organization. */
enum store_rc store_organization_insert(struct store *st, const struct organization_row *o,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_organization_update(struct store *st, const struct organization_row *o,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_organization_delete(
    struct store *st, const char *name_or_id, const struct audit_event *e, struct errbuf *why);
enum store_rc store_organization_get(
    struct store *st, const char *name_or_id, struct organization_row *out, struct errbuf *why);
enum store_rc store_organization_each(struct store *st,
    bool (*row)(void *ctx, const struct organization_row *o), void *ctx, struct errbuf *why);

#define SEAT_ID_MAX 256 /* octets of UTF-8 */

struct seat_row {
	int64_t row;
	char id[37];
	char
	    seat_id[SEAT_ID_MAX + 1]; /* unique; what a CSR must have in the profile's seat field */
	char type[16];		      /* user, device, server */
	char name[129];
	char email[255];
	char organization[65]; /* name; "" none */
	char department[65];
	bool in_use; /* read only: it has a valid certificate */
	int64_t created_at;
};
/*
 * CONFLICT: the seatId is taken.  NONE: no such seat (or, to insert and update, organization).  Deleting one frees its organization's count and
 * takes its enrolments with it; its certificates stay.  Moving one that is in use to another organization moves its count: CONFLICT where that has
 * no licence left.
 */
enum store_rc store_seat_insert(
    struct store *st, const struct seat_row *s, const struct audit_event *e, struct errbuf *why);
enum store_rc store_seat_update(
    struct store *st, const struct seat_row *s, const struct audit_event *e, struct errbuf *why);
enum store_rc store_seat_delete(
    struct store *st, const char *seat_id_or_id, const struct audit_event *e, struct errbuf *why);
/* By seatId or uuid. */
enum store_rc store_seat_get(
    struct store *st, const char *seat_id_or_id, struct seat_row *out, struct errbuf *why);
/* In the order of their rows above after_row, at most limit (<= 500); organization NULL: of all. */
enum store_rc store_seat_list(struct store *st, int64_t after_row, int limit,
    const char *organization, bool (*row)(void *ctx, const struct seat_row *s), void *ctx,
    struct errbuf *why);
/*
 * At most 500 at once in one transaction, with one audit event: a seat whose seatId is there is changed (all but its id), another one made.  *made
 * and *changed count them.  NONE with the seatId in why: an organization is not there, and nothing is written; CONFLICT: one has no licence left.
 */
enum store_rc store_seat_import(struct store *st, const struct seat_row *seats, int count,
    const struct audit_event *e, int *made, int *changed, struct errbuf *why);

/*
 * For the background: look at up to 500 seats in use above row *after (0 to begin; 0 again behind the last) and free those whose certificates have
 * all expired or been revoked; *freed of them.  Writes only where there is one.
 */
enum store_rc store_seat_sweep(
    struct store *st, int64_t now, int64_t *after, int *freed, struct errbuf *why);

#define ENROLLMENT_ATTRIBUTES_MAX 32

struct enrollment_attribute {
	char type[32]; /* subject.organization, san.dns, … */
	char value[256];
};

struct enrollment_row {
	int64_t row;
	char id[37];
	char profile_id[37];
	char profile[65]; /* read only: its name */
	char seat_id[SEAT_ID_MAX + 1];
	uint8_t code_hash[32]; /* authorise_challenge_id() of the code under the profile */
	bool code_weak;
	char email[255];
	struct enrollment_attribute attributes[ENROLLMENT_ATTRIBUTES_MAX];
	int attribute_count;
	char status
	    [16]; /* created, pending, redeemed, expired, locked, rejected: with the time taken into account */
	int64_t max_uses; /* 1; at least 1 */
	int64_t uses;
	int64_t bad_attempts; /* all there were */
	int64_t bad_window;   /* when the window of wrong tries began */
	int64_t bad_in_window;
	int64_t locked_until; /* 0: it is not */
	char created_by[129];
	int64_t created_at;
	int64_t expires_at;
	/* Of the seat, read only. */
	int64_t seat_row;
	char organization[65];
	char department[65];
};
/* CONFLICT: the same code is registered already.  NONE: no such seat or profile. */
enum store_rc store_enrollment_insert(struct store *st, const struct enrollment_row *n,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_enrollment_get(
    struct store *st, const char *id, int64_t now, struct enrollment_row *out, struct errbuf *why);
enum store_rc store_enrollment_by_hash(struct store *st, const uint8_t code_hash[32], int64_t now,
    struct enrollment_row *out, struct errbuf *why);
/* Newest first below before_row (0: from the newest), at most limit (<= 500); NULL: any seat, profile. */
enum store_rc store_enrollment_list(struct store *st, int64_t before_row, int limit,
    const char *seat_id, const char *profile_id, int64_t now,
    bool (*row)(void *ctx, const struct enrollment_row *n), void *ctx, struct errbuf *why);
/* A new code, expiry and counts begin anew, the status is created; attributes, uses allowed and seat stay.  NONE: no such enrolment. */
enum store_rc store_enrollment_reissue(struct store *st, const char *id,
    const uint8_t code_hash[32], bool code_weak, int64_t expires_at, const struct audit_event *e,
    struct errbuf *why);
/* status rejected; CONFLICT where it is redeemed. */
enum store_rc store_enrollment_reject(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why);
enum store_rc store_enrollment_delete(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why);
/*
 * created -> pending where a request waits for approval, and back when it ends otherwise than by a certificate (a transaction that is rejected,
 * fails or expires in the store does that itself).  NONE: it is not created (or pending): nothing to do.
 */
enum store_rc store_enrollment_pending(
    struct store *st, int64_t row, bool pending, struct errbuf *why);

/* How wrong tries at codes are counted against the enrolments of a seat under a profile. */
struct enrollment_throttle {
	int64_t window_s; /* 600 */
	int64_t
	    per_window; /* wrong tries that are counted (and written) in one; beyond them the seat is slowed down */
	int64_t lock_after; /* wrong tries in all that lock one of a weak code; 0: none do */
	int64_t lock_s; /* a lock ends by itself, so that a stranger cannot lock a seat for good */
};
/* What stands open for the seat (by its seatId) at the profile. */
struct enrollment_standing {
	bool open;   /* there is one that is created or pending, not expired */
	bool slowed; /* as many wrong tries as a window has */
};
/* OK also for a seat that is not there, which looks the same as one without enrolments.  Reads only. */
enum store_rc store_enrollment_standing(struct store *st, const char *profile_id,
    const char *seat_id, const struct enrollment_throttle *t, int64_t now,
    struct enrollment_standing *out, struct errbuf *why);
/*
 * Count one wrong try against each that is open there, where its window still counts; each lock_after in all lock it if its code is weak, and *locked says
 * that this one did.  Writes nothing otherwise.
 */
enum store_rc store_enrollment_wrong(struct store *st, const char *profile_id, const char *seat_id,
    const struct enrollment_throttle *t, int64_t now, bool *locked, struct errbuf *why);

#endif
