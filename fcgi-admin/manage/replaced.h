/* replaced.h: certificates of one holder: older ones that count, and those that a newer one replaces. */
#ifndef MANAGE_REPLACED_H
#define MANAGE_REPLACED_H

#include "fcgi-admin/manage/manage.h"
#include "store/profile_row.h"

/*
 * Write down by whom the valid certificates of the profile's lineage are held (unless duplicates are allowed) and what keys they have (where
 * keys are unique), in batches: what was issued before the switch counts, too.  Again does no harm.
 */
enum manage_rc manage_held_fill(
    struct manage *m, const struct scep_profile_row *p, struct manage_report *r);

/*
 * Revoke (superseded) at most batch certificates that are replaced and due; *ended says how many rows are done with.  Where the newer one is
 * revoked itself, the older stays.
 */
#define MANAGE_REPLACED_BATCH 100
enum manage_rc manage_replaced_sweep(struct manage *m, int *ended, struct manage_report *r);

#endif
