/* transaction_pending.h: what the files about transactions share: one that waits in Redis as a row, and every profile by name.  For this room. */
#ifndef MANAGE_TRANSACTION_PENDING_H
#define MANAGE_TRANSACTION_PENDING_H

#include "fcgi-admin/manage/transaction.h"
#include "redis/transaction.h"
#include "store/profile_row.h"

/* A copy of all of it; false: out of memory.  The caller frees *out in either case. */
bool transaction_of_pending(
    const struct pending *p, const char *profile, struct manage_transaction *out);

struct transaction_profile {
	char id[37];
	char name[65];
};
/* The one of this name or uuid, or with NULL all of them, one behind the other in out, which the caller frees. */
enum manage_rc transaction_profiles(
    struct manage *m, const char *name, struct buffer *out, struct manage_report *r);
struct transaction_profile transaction_profile_at(const struct buffer *all, size_t i);

#endif
