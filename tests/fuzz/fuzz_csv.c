/*
 * A file of an operator's: comma-separated values.  Records come to an end; lines go up; fields are UTF-8 and bounded; and what was read,
 * written with quotes around each field, reads the same again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/manage/csv.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_record(const struct csv_record *record, struct buffer *out)
{
	for (int i = 0; i < record->count; i++) {
		buffer_append_string(out, i > 0 ? ",\"" : "\"");
		for (const char *c = record->fields[i]; *c != '\0'; c++) {
			if (*c == '"')
				buffer_append(out, c, 1);
			buffer_append(out, c, 1);
		}
		buffer_append_string(out, "\"");
	}
	buffer_append_string(out, "\r\n");
	MUST(!out->failed);
}

static void
read_again(const struct csv_record *record)
{
	struct csv_record again = {.count = 0};
	struct buffer text = {0};
	struct errbuf why = {0};
	struct csv csv;

	write_record(record, &text);
	csv_open(&csv, buffer_octets(&text));
	MUST(csv_next(&csv, &again, &why) == CSV_RECORD);
	MUST(again.count == record->count);
	for (int i = 0; i < again.count; i++)
		MUST(strcmp(again.fields[i], record->fields[i]) == 0);
	MUST(csv_next(&csv, &again, &why) == CSV_END);
	csv_record_free(&again);
	buffer_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct csv_record record = {.count = 0};
	int64_t line = 0;
	struct csv csv;
	enum csv_rc rc;

	csv_open(&csv, octets_of(data, size));
	for (size_t records = 0;; records++) {
		struct errbuf why = {0};

		MUST(records <= size);
		if ((rc = csv_next(&csv, &record, &why)) == CSV_END)
			break;
		MUST(record.line > line && csv.at <= size);
		line = record.line;
		if (rc == CSV_FAULT) {
			MUST(why.line[0] != '\0');
			continue;
		}
		MUST(record.count >= 1 && record.count <= CSV_FIELDS_MAX);
		for (int i = 0; i < record.count; i++)
			MUST(strlen(record.fields[i]) <= CSV_FIELD_MAX &&
			     encoding_is_utf8(octets_of_string(record.fields[i])));
		read_again(&record);
	}
	csv_record_free(&record);
	return 0;
}
