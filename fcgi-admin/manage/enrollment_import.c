/* enrollment_import.c: enrolments from comma-separated values: a first pass that checks every line, a second that writes. */
#include "fcgi-admin/manage/enrollment_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fcgi-admin/manage/csv.h"

enum kind { SEAT_ID, CODE, EMAIL, USES, KINDS, ATTRIBUTE = KINDS };

static const char *const names[KINDS] = {"seatId", "enrollmentCode", "email", "uses"};

struct column {
	enum kind kind;
	char type[sizeof(((struct enrollment_attribute *)0)->type)]; /* of an attribute */
};

struct import {
	struct manage *m;
	const struct manage_actor *by;
	struct manage_enrollment_import *o;
	struct column columns[CSV_FIELDS_MAX];
	int count;
	bool writes; /* the second pass */
};

/* An order, and what it borrows beside the record. */
struct line {
	struct manage_enrollment_order order;
	struct octets code;
	struct enrollment_attribute attributes[ENROLLMENT_ATTRIBUTES_MAX];
};

static void
fault(struct import *i, int64_t line, const char *message)
{
	manage_import_fault(i->o->faults, &i->o->fault_count, line, message);
}

/* --- the header --- */

static bool
read_column(struct import *i, const char *name, struct column *out)
{
	bool field = strncmp(name, "subject.", 8) == 0 || strncmp(name, "san.", 4) == 0;
	int kind = 0;

	while (kind < KINDS && strcasecmp(names[kind], name) != 0)
		kind++;
	if (kind == KINDS && (!field || strlen(name) >= sizeof(out->type)))
		return false;
	for (int c = 0; kind < KINDS && c < i->count; c++)
		if ((int)i->columns[c].kind == kind)
			return false;
	out->kind = (enum kind)kind;
	snprintf(out->type, sizeof(out->type), "%.31s", name);
	return true;
}

static bool
read_header(struct import *i, struct csv *csv, struct csv_record *record)
{
	struct errbuf why = {0};
	char message[256];
	bool seat = false;

	i->count = 0;
	if (csv_next(csv, record, &why) != CSV_RECORD) {
		fault(i, record->line, why.line[0] != '\0' ? why.line : "the file is empty");
		return false;
	}
	for (; i->count < record->count; i->count++) {
		if (!read_column(i, record->fields[i->count], &i->columns[i->count])) {
			snprintf(message, sizeof(message),
			    "column \"%.64s\": want seatId, enrollmentCode, email and uses, each "
			    "once, or a field: subject.organizationalUnit",
			    record->fields[i->count]);
			fault(i, record->line, message);
			return false;
		}
		seat = seat || i->columns[i->count].kind == SEAT_ID;
	}
	if (!seat)
		fault(i, record->line, "the header line needs the column seatId");
	return seat;
}

/* --- a line --- */

static void
read_uses(const char *value, int64_t *out, struct manage_report *faults)
{
	char *end;

	*out = strtoll(value, &end, 10);
	if (*end != '\0' || *out < 1)
		manage_invalid(faults, "uses", "want a number from 1, have \"%.32s\"", value);
}

static void
read_attribute(
    const struct column *c, const char *value, struct line *l, struct manage_report *faults)
{
	struct enrollment_attribute *to = &l->attributes[l->order.attribute_count];

	if (strlen(value) >= sizeof(to->value)) {
		manage_invalid(faults, c->type, "want at most %zu octets", sizeof(to->value) - 1);
		return;
	}
	l->order.attribute_count++;
	memcpy(to->type, c->type, sizeof(to->type));
	snprintf(to->value, sizeof(to->value), "%s", value);
}

/* The order of a record, which it borrows from. */
static void
read_line(const struct import *i, const struct csv_record *record, struct line *l,
    struct manage_report *faults)
{
	_Static_assert(CSV_FIELDS_MAX <= ENROLLMENT_ATTRIBUTES_MAX, "each column may be one");

	memset(l, 0, sizeof(*l));
	l->order = (struct manage_enrollment_order){
	    .profile = i->o->profile,
	    .seat = "",
	    .expires_at = i->o->expires_at,
	    .max_uses = i->o->max_uses,
	    .attributes = l->attributes,
	};
	for (int f = 0; f < record->count; f++) {
		const char *value = record->fields[f];

		if (*value == '\0')
			continue;
		switch (i->columns[f].kind) {
		case SEAT_ID:
			l->order.seat = value;
			break;
		case CODE:
			l->code = octets_of_string(value);
			l->order.code = &l->code;
			break;
		case EMAIL:
			l->order.email = value;
			break;
		case USES:
			read_uses(value, &l->order.max_uses, faults);
			break;
		default:
			read_attribute(&i->columns[f], value, l, faults);
		}
	}
}

static enum manage_rc
write_line(struct import *i, const struct line *l, int64_t number, struct manage_report *r)
{
	char drawn[MANAGE_CODE_SIZE];
	struct enrollment_row row;
	enum manage_rc rc;

	rc = manage_enrollment_create(i->m, i->by, &l->order, drawn, &row, r);
	if (rc != MANAGE_OK) {
		/* It was checked, so something changed meanwhile. */
		rc = rc == MANAGE_INVALID ? MANAGE_CONFLICT : rc;
		errbuf_prefix(&r->why, "%d enrolments were written before, line %lld",
		    i->o->made_count, (long long)number);
	} else {
		i->o->made_count++;
		if (!i->o->made(i->o->ctx, &row, drawn))
			rc = manage_fail(r, MANAGE_FAULT,
			    "%d enrolments were written, and what became of the last cannot be "
			    "told",
			    i->o->made_count);
	}
	octets_wipe(drawn, sizeof(drawn));
	return rc;
}

static enum manage_rc
one_line(struct import *i, enum csv_rc read, const struct csv_record *record,
    const struct errbuf *unreadable, struct manage_report *r)
{
	struct manage_report faults = {0};
	char message[256];
	struct line l;
	enum manage_rc rc;

	if (read != CSV_RECORD) {
		fault(i, record->line, unreadable->line);
		return MANAGE_OK;
	}
	if (record->count != i->count) {
		snprintf(message, sizeof(message), "%d fields, where the header has %d",
		    record->count, i->count);
		fault(i, record->line, message);
		return MANAGE_OK;
	}
	read_line(i, record, &l, &faults);
	if (i->writes)
		return write_line(i, &l, record->line, r);
	rc = manage_enrollment_check(i->m, &l.order, &faults);
	if (rc != MANAGE_OK && rc != MANAGE_INVALID)
		return manage_fail(r, rc, "%s", faults.why.line);
	if (faults.fault_count == 0) {
		i->o->lines++;
		return MANAGE_OK;
	}
	manage_faults_text(&faults, message);
	fault(i, record->line, message);
	return MANAGE_OK;
}

/* --- the passes --- */

static enum manage_rc
pass(struct import *i, struct octets text, struct manage_report *r)
{
	struct csv_record record = {.count = 0};
	enum manage_rc rc = MANAGE_OK;
	int64_t lines = 0;
	enum csv_rc read;
	struct csv csv;

	csv_open(&csv, text);
	if (read_header(i, &csv, &record))
		do {
			struct errbuf why = {0};

			if ((read = csv_next(&csv, &record, &why)) == CSV_END)
				break;
			if (++lines > MANAGE_ENROLLMENT_LINES_MAX) {
				fault(i, record.line, "the file has too many lines");
				break;
			}
			rc = one_line(i, read, &record, &why, r);
		} while (rc == MANAGE_OK);
	csv_record_free(&record);
	return rc;
}

enum manage_rc
manage_enrollment_import(struct manage *m, const struct manage_actor *by, struct octets csv,
    struct manage_enrollment_import *o, struct manage_report *r)
{
	struct import i = {.m = m, .by = by, .o = o};
	enum manage_rc rc;

	o->lines = o->made_count = o->fault_count = 0;
	if (csv.len > MANAGE_IMPORT_OCTETS_MAX) {
		manage_invalid(r, "file", "want at most %d octets", MANAGE_IMPORT_OCTETS_MAX);
		return manage_validity(r);
	}
	if ((rc = manage_need_store(m, r)) != MANAGE_OK || (rc = pass(&i, csv, r)) != MANAGE_OK)
		return rc;
	if (o->fault_count > 0)
		return manage_fail(
		    r, MANAGE_INVALID, "%d lines have faults: nothing is written", o->fault_count);
	i.writes = true;
	return o->dry_run ? MANAGE_OK : pass(&i, csv, r);
}
