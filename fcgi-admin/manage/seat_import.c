/* seat_import.c: seats from comma-separated values: a first pass that checks every line, a second that writes. */
#include "fcgi-admin/manage/seat_import.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/csv.h"
#include "fcgi-admin/manage/seat.h"

#define BATCH 500 /* seats in one transaction */

enum { SEAT_ID, TYPE, NAME, EMAIL, ORGANIZATION, DEPARTMENT, COLUMNS };

static const char *const columns[COLUMNS] = {
    "seatId", "type", "name", "email", "organization", "department"};

/* A seatId that was seen, in a tree of tsearch(). */
struct seen {
	int64_t line;
	char seat_id[];
};

struct import {
	struct manage *m;
	const struct manage_actor *by;
	struct manage_import *o;
	int place[COLUMNS]; /* of each column in a line; -1: it is not there */
	int count;	    /* of columns in the header */
	int64_t lines;
	void *seen;
	char organization[65]; /* that was looked up last */
	bool organization_is_there;
	struct seat_row *batch; /* NULL while nothing is written */
	int batch_count;
};

void
manage_import_fault(struct manage_import_fault faults[MANAGE_IMPORT_FAULTS_MAX], int *count,
    int64_t line, const char *message)
{
	if (*count < MANAGE_IMPORT_FAULTS_MAX) {
		faults[*count].line = line;
		snprintf(faults[*count].message, sizeof(faults[*count].message), "%.255s", message);
	}
	++*count;
}

static void
fault(struct import *i, int64_t line, const char *message)
{
	manage_import_fault(i->o->faults, &i->o->fault_count, line, message);
}

/* --- the header --- */

static bool
read_header(struct import *i, struct csv *csv, struct csv_record *record)
{
	struct errbuf why = {0};
	char message[256];

	for (int c = 0; c < COLUMNS; c++)
		i->place[c] = -1;
	if (csv_next(csv, record, &why) != CSV_RECORD) {
		fault(i, record->line, why.line[0] != '\0' ? why.line : "the file is empty");
		return false;
	}
	i->count = record->count;
	for (int f = 0; f < record->count; f++) {
		int c = 0;

		while (c < COLUMNS && strcasecmp(columns[c], record->fields[f]) != 0)
			c++;
		if (c == COLUMNS || i->place[c] != -1) {
			snprintf(message, sizeof(message),
			    "column \"%.64s\": want seatId, type, name, email, organization and "
			    "department, each once",
			    record->fields[f]);
			fault(i, record->line, message);
			return false;
		}
		i->place[c] = f;
	}
	if (i->place[SEAT_ID] == -1 || i->place[TYPE] == -1) {
		fault(i, record->line, "the header line needs the columns seatId and type");
		return false;
	}
	return true;
}

/* --- a line --- */

static const char *
value(const struct import *i, const struct csv_record *record, int column)
{
	return i->place[column] >= 0 ? record->fields[i->place[column]] : NULL;
}

/* false, with AWAY in *rc, where the store does not answer. */
static bool
check_organization(
    struct import *i, const char *name, struct manage_report *line, enum manage_rc *rc)
{
	struct organization_row o;
	struct errbuf why = {0};

	if (name[0] == '\0')
		return true;
	if (strcmp(name, i->organization) != 0) {
		enum store_rc found = store_organization_get(i->m->store, name, &o, &why);

		if (found == STORE_AWAY) {
			*rc = manage_fail(line, MANAGE_AWAY, "%s", why.line);
			return false;
		}
		snprintf(i->organization, sizeof(i->organization), "%s", name);
		i->organization_is_there = found == STORE_OK && strcmp(o.name, name) == 0;
	}
	if (!i->organization_is_there)
		manage_invalid(line, "organization",
		    "there is no organization %s (scepctl organization create)", name);
	return true;
}

static int
compare_seen(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->seat_id, ((const struct seen *)b)->seat_id);
}

/* The first line that had this seatId, or 0, and then it is this one; -1 out of memory. */
static int64_t
first_line_of(struct import *i, const char *seat_id, int64_t line)
{
	size_t size = strlen(seat_id) + 1;
	struct seen *s = malloc(sizeof(*s) + size), **found;
	int64_t first = 0;

	if (s == NULL)
		return -1;
	s->line = line;
	memcpy(s->seat_id, seat_id, size);
	if ((found = tsearch(s, &i->seen, compare_seen)) == NULL)
		first = -1;
	else if (*found != s)
		first = (*found)->line;
	if (first != 0)
		free(s);
	return first;
}

/* The seat of a record; its faults are told to line.  OK, AWAY or FAULT. */
static enum manage_rc
read_seat(struct import *i, const struct csv_record *record, struct seat_row *s,
    struct manage_report *line)
{
	const struct manage_seat_change c = {
	    .type = value(i, record, TYPE),
	    .name = value(i, record, NAME),
	    .email = value(i, record, EMAIL),
	    .organization = value(i, record, ORGANIZATION),
	    .department = value(i, record, DEPARTMENT),
	};
	const char *seat_id = value(i, record, SEAT_ID);
	enum manage_rc rc = MANAGE_OK;
	int64_t first;

	memset(s, 0, sizeof(*s));
	if (strlen(seat_id) > SEAT_ID_MAX) {
		manage_invalid(line, "seatId", "want at most %d octets", SEAT_ID_MAX);
		return MANAGE_OK;
	}
	/* Of a seat that is there, columns that the file does not have stay. */
	if (i->count < COLUMNS) {
		enum store_rc found = store_seat_get(i->m->store, seat_id, s, &line->why);

		if (found == STORE_AWAY)
			return MANAGE_AWAY;
		/* By its uuid another is found. */
		if (found != STORE_OK || strcmp(s->seat_id, seat_id) != 0)
			memset(s, 0, sizeof(*s));
	}
	snprintf(s->seat_id, sizeof(s->seat_id), "%s", seat_id);
	manage_seat_fill(&c, s, line);
	if (line->fault_count > 0)
		return MANAGE_OK;
	manage_seat_check(s, line);
	if (!check_organization(i, s->organization, line, &rc))
		return rc;
	if ((first = first_line_of(i, s->seat_id, record->line)) == -1)
		return manage_fail(line, MANAGE_FAULT, "out of memory");
	if (first != 0)
		manage_invalid(line, "seatId", "is on line %lld already", (long long)first);
	return MANAGE_OK;
}

/* --- writing --- */

static enum manage_rc
write_batch(struct import *i, struct manage_report *r)
{
	struct audit_event e = manage_event(i->by, "seat.import", "seat", NULL);
	int made = 0, changed = 0;
	char reason[64];
	enum store_rc rc;

	if (i->batch_count == 0)
		return MANAGE_OK;
	snprintf(reason, sizeof(reason), "%d seats", i->batch_count);
	e.reason = reason;
	rc = store_seat_import(i->m->store, i->batch, i->batch_count, &e, &made, &changed, &r->why);
	i->batch_count = 0;
	switch (rc) {
	case STORE_OK:
		i->o->made += made;
		i->o->changed += changed;
		return MANAGE_OK;
	case STORE_CONFLICT:
		return MANAGE_CONFLICT;
	case STORE_NONE:
		return MANAGE_NOT_FOUND;
	default:
		return MANAGE_AWAY;
	}
}

/* Keep a seat without a fault for its batch, or count it where nothing is written. */
static enum manage_rc
take_seat(struct import *i, const struct seat_row *s, struct manage_report *r)
{
	struct seat_row *to;

	if (i->batch == NULL) {
		i->o->seats++;
		return MANAGE_OK;
	}
	to = &i->batch[i->batch_count];
	*to = *s;
	if (to->id[0] == '\0' && !encoding_uuid(to->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	to->created_at = clock_now();
	return ++i->batch_count == BATCH ? write_batch(i, r) : MANAGE_OK;
}

/* --- the passes --- */

/* One line; the second pass meets the faults again, and is silent about them. */
static enum manage_rc
one_line(struct import *i, enum csv_rc read, const struct csv_record *record,
    const struct errbuf *unreadable, struct manage_report *r)
{
	struct manage_report line = {0};
	struct seat_row s;
	char message[256];
	enum manage_rc rc;

	if (read == CSV_RECORD && record->count == i->count) {
		if ((rc = read_seat(i, record, &s, &line)) != MANAGE_OK)
			return manage_fail(r, rc, "%s", line.why.line);
		if (line.fault_count == 0)
			return take_seat(i, &s, r);
	}
	if (i->batch != NULL)
		return MANAGE_OK;
	if (read != CSV_RECORD)
		snprintf(message, sizeof(message), "%.255s", unreadable->line);
	else if (record->count != i->count)
		snprintf(message, sizeof(message), "%d fields, where the header has %d",
		    record->count, i->count);
	else
		manage_faults_text(&line, message);
	fault(i, record->line, message);
	return MANAGE_OK;
}

static enum manage_rc
pass(struct import *i, struct octets text, struct manage_report *r)
{
	struct csv_record record = {.count = 0};
	enum manage_rc rc = MANAGE_OK;
	enum csv_rc read;
	struct csv csv;

	i->lines = 0;
	csv_open(&csv, text);
	if (read_header(i, &csv, &record))
		do {
			struct errbuf why = {0};

			if ((read = csv_next(&csv, &record, &why)) == CSV_END)
				break;
			if (++i->lines > MANAGE_IMPORT_LINES_MAX) {
				fault(i, record.line, "the file has too many lines");
				break;
			}
			rc = one_line(i, read, &record, &why, r);
		} while (rc == MANAGE_OK);
	if (rc == MANAGE_OK && i->batch != NULL)
		rc = write_batch(i, r);
	csv_record_free(&record);
	tdestroy(i->seen, free);
	i->seen = NULL;
	return rc;
}

enum manage_rc
manage_seat_import(struct manage *m, const struct manage_actor *by, struct octets csv,
    struct manage_import *o, struct manage_report *r)
{
	struct import i = {.m = m, .by = by, .o = o};
	enum manage_rc rc;

	o->seats = o->made = o->changed = o->fault_count = 0;
	if (csv.len > MANAGE_IMPORT_OCTETS_MAX) {
		manage_invalid(r, "file", "want at most %d octets", MANAGE_IMPORT_OCTETS_MAX);
		return manage_validity(r);
	}
	if ((rc = manage_need_store(m, r)) != MANAGE_OK || (rc = pass(&i, csv, r)) != MANAGE_OK)
		return rc;
	if (o->fault_count > 0 && !(o->skip_bad && o->seats > 0))
		return manage_fail(
		    r, MANAGE_INVALID, "%d lines have faults: nothing is written", o->fault_count);
	if (o->dry_run)
		return MANAGE_OK;
	if ((i.batch = calloc(BATCH, sizeof(*i.batch))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	rc = pass(&i, csv, r);
	free(i.batch);
	if (rc != MANAGE_OK)
		errbuf_prefix(&r->why, "%d seats were written before", o->made + o->changed);
	return rc;
}
