/* enrollment_import.h: enrolments for many seats at once from comma-separated values (csv.h), all lines checked before the first is written. */
#ifndef MANAGE_ENROLLMENT_IMPORT_H
#define MANAGE_ENROLLMENT_IMPORT_H

#include "fcgi-admin/manage/enrollment.h"
#include "fcgi-admin/manage/seat_import.h"

#define MANAGE_ENROLLMENT_LINES_MAX 100000

struct manage_enrollment_import {
	/* Asked for. */
	const char *profile; /* name or uuid; its mode is enrollmentCode */
	int64_t expires_at;  /* of all; 0: after MANAGE_ENROLLMENT_EXPIRY_S */
	int64_t max_uses;    /* where the file does not say; 0: 1 */
	bool dry_run;	     /* check, and write nothing */
	/* An enrolment is committed: drawn is its code, to be shown this once, "" where the file had one.  false ends it there. */
	bool (*made)(void *ctx, const struct enrollment_row *n, const char *drawn);
	void *ctx;

	/* What came of it. */
	int lines; /* without a fault */
	int made_count;
	int fault_count;
	struct manage_import_fault faults[MANAGE_IMPORT_FAULTS_MAX];
};

/*
 * csv begins with a header line: the column seatId, and enrollmentCode, email, uses where they are wanted, and fields whose source is manual by
 * their names (subject.organizationalUnit), in any order; an empty value is none.  INVALID: there are faults, in o, and nothing is written.  Each
 * enrolment has a transaction of its own: what fails behind the check (the same code twice, AWAY) leaves those that were written, and counted.
 */
enum manage_rc manage_enrollment_import(struct manage *m, const struct manage_actor *by,
    struct octets csv, struct manage_enrollment_import *o, struct manage_report *r);

#endif
