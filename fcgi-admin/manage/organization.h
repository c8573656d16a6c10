/* organization.h: organizations, to which seats and accounts belong, and how many of their seats may be in use at once. */
#ifndef MANAGE_ORGANIZATION_H
#define MANAGE_ORGANIZATION_H

#include "fcgi-admin/manage/manage.h"
#include "store/seat_row.h"

#define MANAGE_LICENSES_MOST 100000000

/* What may be set: NULL and -1 keep. */
struct manage_organization_change {
	const char *name;      /* UTF-8, at most 64 octets, unique */
	int64_t license_count; /* 0: any number */
};

/* license_count -1 means any number. */
enum manage_rc manage_organization_create(struct manage *m, const struct manage_actor *by,
    const struct manage_organization_change *c, struct organization_row *out,
    struct manage_report *r);
/* By name or uuid; likewise below.  Fewer licences than are in use take no seat away, but no other comes into use. */
enum manage_rc manage_organization_set(struct manage *m, const struct manage_actor *by,
    const char *organization, const struct manage_organization_change *c,
    struct organization_row *out, struct manage_report *r);
enum manage_rc manage_organization_get(struct manage *m, const char *organization,
    struct organization_row *out, struct manage_report *r);
/*
 * Name the field "organization" where there is none of this name ("" is none, and well); then, or when an earlier field was wrong, INVALID.  AWAY.
 * The store is open.
 */
enum manage_rc manage_organization_check(
    struct manage *m, const char *name, struct manage_report *r);
/* CONFLICT while it has seats or accounts. */
enum manage_rc manage_organization_delete(struct manage *m, const struct manage_actor *by,
    const char *organization, struct manage_report *r);
/* row() must not call back into the store. */
enum manage_rc manage_organization_each(struct manage *m,
    bool (*row)(void *ctx, const struct organization_row *o), void *ctx, struct manage_report *r);

#endif
