/* records.h: reading what has been recorded: audit rows and issued certificates. */
#ifndef MANAGE_RECORDS_H
#define MANAGE_RECORDS_H

#include "fcgi-admin/manage/manage.h"
#include "store/certificate_row.h"

#define MANAGE_RECORDS_MAX 50000 /* rows that one listing looks at */

/* Newest first; limit may be more than one page of the store: pages are read one after the other. */
enum manage_rc manage_audit_each(struct manage *m, const struct audit_filter *f,
    bool (*row)(void *ctx, int64_t id, const struct audit_event *e), void *ctx,
    struct manage_report *r);
enum manage_rc manage_certificate_each(struct manage *m, int limit,
    bool (*row)(void *ctx, const struct certificate_row *c), void *ctx, struct manage_report *r);

/*
 * By uuid or serial in hexadecimal (either case, with or without colons and leading zeros); authority (name or uuid) tells whose where several CAs have
 * the serial, NULL: the newest.  der, if not NULL, gets the certificate, and is the caller's.
 */
enum manage_rc manage_certificate_get(struct manage *m, const char *id, const char *authority,
    struct certificate_row *out, struct buffer *der, struct manage_report *r);
/* By row, as predecessor_id names it. */
enum manage_rc manage_certificate_get_row(
    struct manage *m, int64_t row, struct certificate_row *out, struct manage_report *r);

#endif
