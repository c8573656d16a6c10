/*
 * csv.h: records of comma-separated values (RFC 4180) as spreadsheets write them: UTF-8 with or without a byte order mark, LF or CRLF.
 *
 * Strict where a guess could put a value into another column: a quote inside an unquoted field, and text behind a closing one, are
 * faults.  Empty lines are skipped.
 */
#ifndef MANAGE_CSV_H
#define MANAGE_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"

#define CSV_FIELDS_MAX 32
#define CSV_FIELD_MAX  4096 /* octets of one field */

struct csv {
	struct octets text; /* borrowed */
	size_t at;
	int64_t line; /* that at is in, from 1 */
};

struct csv_record {
	int64_t line; /* where it begins */
	int count;
	const char
	    *fields[CSV_FIELDS_MAX]; /* NUL-terminated; they live until the next csv_next() */
	struct buffer text;
};

enum csv_rc {
	CSV_RECORD = 0,
	CSV_END,
	CSV_FAULT /* why tells what is wrong with the record that begins in record->line; the next call goes on behind it */
};

/* text is borrowed for the life of *c.  Zero-initialise *record before the first csv_next(), and csv_record_free() it at the end. */
void csv_open(struct csv *c, struct octets text);
enum csv_rc csv_next(struct csv *c, struct csv_record *record, struct errbuf *why);
void csv_record_free(struct csv_record *record);

#endif
