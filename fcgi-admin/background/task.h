/* task.h: what the tasks of the background process share. */
#ifndef BACKGROUND_TASK_H
#define BACKGROUND_TASK_H

#include <sys/types.h>

#include "fcgi-admin/manage/manage.h"
#include "fcgi/prefork.h"

/* Something that may be away for a while: one line when it begins, one when it ends. */
struct outage {
	const char *what; /* "store" */
	bool now;
};

struct background {
	const struct settings *settings;
	struct prefork_shared *shared;
	const volatile bool *stop;
	struct manage manage;
	struct audit_batch *batch;
	struct outage store_away, redis_away, disk_full, sweep_failed, replaced_failed;
	int64_t
	    next_checkpoint_ms; /* by clock_monotonic_ms(), as all that is due in milliseconds */
	int64_t next_purge_ms;
	int64_t next_sweep_ms;
	int64_t next_forget_ms;
	int64_t next_overlap_ms;
	int64_t next_replaced_ms;
	int64_t next_seats_ms;
	int64_t seats_after; /* the row that the last sweep of seats ended at; 0: at the end */
	int64_t next_delivery_ms;
	int64_t next_intune_ms;
	pid_t intune_pid;      /* fetches revocations; 0: nobody does */
	int64_t next_expiry_s; /* by clock_now(): once a day of the calendar's time */
};

/* Returns ok. */
bool outage_note(struct outage *o, bool ok, const struct errbuf *why);

/* --- tasks: each does what is due, within bounds, and returns --- */

/* Audit rows from Redis to the store, and the count of those that were lost meanwhile. */
bool task_audit_open(struct background *b);
void task_audit_close(struct background *b);
void task_audit(struct background *b);

/* The ends of transactions that nobody decided in time; decided ones that are of no use any more. */
void task_transactions(struct background *b);
/* Previous RA certificates whose time is over decrypt no more. */
void task_overlap(struct background *b);
/* Certificates that a newer one of the same holder replaces are revoked when that is seen in use, or at their time. */
void task_replaced(struct background *b);
/* Seats whose certificates have all expired are in use no more. */
void task_seats(struct background *b);
/* Certificates that Intune was to be told of, and was not, are revoked. */
void task_delivery(struct background *b);
/* Revocations that tenants of Intune ask for, by a process of its own, which ends at the latest with the background's. */
void task_intune(struct background *b);
void task_intune_close(struct background *b);
void task_checkpoint(struct background *b);
void task_purge(struct background *b);
void task_expiry(struct background *b);

#endif
