/* seat.h: seats: users, devices and servers that enrolment codes stand against. */
#ifndef MANAGE_SEAT_H
#define MANAGE_SEAT_H

#include "fcgi-admin/manage/manage.h"
#include "store/seat_row.h"

/* What may be set; NULL keeps.  On create type is required, and what is NULL is "". */
struct manage_seat_change {
	const char *type; /* user, device, server */
	const char *name;
	const char *email;
	const char *organization; /* its name; "": none */
	const char *department;
};

enum manage_rc manage_seat_create(struct manage *m, const struct manage_actor *by,
    const char *seat_id, const struct manage_seat_change *c, struct seat_row *out,
    struct manage_report *r);
/* By seatId or uuid, likewise below.  FULL: the organization that it moves to has all its licences in use. */
enum manage_rc manage_seat_set(struct manage *m, const struct manage_actor *by, const char *seat,
    const struct manage_seat_change *c, struct seat_row *out, struct manage_report *r);
enum manage_rc manage_seat_get(
    struct manage *m, const char *seat, struct seat_row *out, struct manage_report *r);
/* Its enrolments go with it; its certificates stay valid, which is warned of. */
enum manage_rc manage_seat_delete(
    struct manage *m, const struct manage_actor *by, const char *seat, struct manage_report *r);
/* In the order of their making, behind after_row (0: from the first), at most limit (1 to 500); organization NULL: of all. */
enum manage_rc manage_seat_list(struct manage *m, int64_t after_row, int limit,
    const char *organization, bool (*row)(void *ctx, const struct seat_row *s), void *ctx,
    struct manage_report *r);

/* The faults of a whole seat but for whether its organization is there, each by its name in camelCase. */
void manage_seat_check(const struct seat_row *s, struct manage_report *r);
/* Copies each text into s as far as it has room; what does not fit is named.  NULL keeps. */
void manage_seat_fill(
    const struct manage_seat_change *c, struct seat_row *s, struct manage_report *r);

#endif
