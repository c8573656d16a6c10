/* intune.h: connections to tenants of Microsoft Intune, which profiles of mode intune ask. */
#ifndef MANAGE_INTUNE_H
#define MANAGE_INTUNE_H

#include "fcgi-admin/manage/manage.h"
#include "outbound/intune.h"
#include "store/outbound_row.h"

/* What may be set; NULL and -1 keep.  On create tenant, client_id and secret are required. */
struct manage_intune_change {
	const char *tenant;	     /* a GUID or a domain name */
	const char *client_id;	     /* of the application: a GUID */
	const struct octets *secret; /* the application's client secret; at most 512 octets */
	int revocations; /* -1, 0, 1: its revocation requests are fetched and carried out (1) */
};

/* The secret is sealed by the master key, bound to the connection's id. */
enum manage_rc manage_intune_create(struct manage *m, const struct manage_actor *by,
    const char *name, const struct manage_intune_change *c, struct intune_row *out,
    struct manage_report *r);
/* By name or uuid, likewise below. */
enum manage_rc manage_intune_set(struct manage *m, const struct manage_actor *by, const char *name,
    const struct manage_intune_change *c, struct intune_row *out, struct manage_report *r);
enum manage_rc manage_intune_get(
    struct manage *m, const char *name, struct intune_row *out, struct manage_report *r);
/* CONFLICT while a profile has it. */
enum manage_rc manage_intune_delete(
    struct manage *m, const struct manage_actor *by, const char *name, struct manage_report *r);
/* row() must not call back into the store. */
enum manage_rc manage_intune_each(struct manage *m,
    bool (*row)(void *ctx, const struct intune_row *i), void *ctx, struct manage_report *r);

/*
 * Call Microsoft and find what is wrong with the connection, step by step; nothing is changed there or here.  *ok: nothing is.  OK also where
 * a step has failed: findings tell.
 */
enum manage_rc manage_intune_check(struct manage *m, const char *name,
    struct intune_finding findings[INTUNE_STEPS], bool *ok, struct manage_report *r);

#endif
