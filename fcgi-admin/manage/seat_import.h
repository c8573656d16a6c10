/* seat_import.h: many seats at once from comma-separated values (csv.h), all of them checked before the first is written. */
#ifndef MANAGE_SEAT_IMPORT_H
#define MANAGE_SEAT_IMPORT_H

#include "fcgi-admin/manage/manage.h"

#define MANAGE_IMPORT_OCTETS_MAX (64 * 1024 * 1024)
#define MANAGE_IMPORT_LINES_MAX	 1000000
#define MANAGE_IMPORT_FAULTS_MAX 200 /* that are kept; all are counted */

struct manage_import_fault {
	int64_t line; /* of the file, from 1 */
	char message[256];
};

/* Note the fault of a line; *count goes on where faults is full. */
void manage_import_fault(struct manage_import_fault faults[MANAGE_IMPORT_FAULTS_MAX], int *count,
    int64_t line, const char *message);

struct manage_import {
	/* Asked for. */
	bool dry_run;  /* check, and write nothing */
	bool skip_bad; /* write what has no fault, instead of nothing */

	/* What came of it. */
	int seats; /* lines without a fault */
	int made;
	int changed; /* a seat of this seatId was there */
	int fault_count;
	struct manage_import_fault faults[MANAGE_IMPORT_FAULTS_MAX];
};

/*
 * csv begins with a header line: the columns seatId and type in any order, and name, email, organization, department where they are wanted;
 * of a seat that is there only the columns that the file has are changed.  INVALID: there are faults, in o, and nothing is written (with skip_bad never).
 * Written in batches of 500, each in one transaction with an audit event; AWAY between them leaves those that were written, and counted.
 */
enum manage_rc manage_seat_import(struct manage *m, const struct manage_actor *by,
    struct octets csv, struct manage_import *o, struct manage_report *r);

#endif
