/* test_csv.c: comma-separated values as spreadsheets write them, and what is refused rather than guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/manage/csv.h"

/* All records of text, as "line:field|field\n", and "line!why\n" for a fault. */
static const char *
records(struct octets text)
{
	static char out[3 * CSV_FIELD_MAX];
	struct csv_record record = {.count = 0};
	struct csv csv;
	enum csv_rc rc;
	size_t len = 0;

	out[0] = '\0';
	csv_open(&csv, text);
	for (int i = 0; i < 100; i++) {
		struct errbuf why = {0};

		if ((rc = csv_next(&csv, &record, &why)) == CSV_END)
			break;
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%d%s", (int)record.line,
		    rc == CSV_RECORD ? ":" : "!");
		for (int f = 0; rc == CSV_RECORD && f < record.count; f++)
			len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%s",
			    f > 0 ? "|" : "", record.fields[f]);
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s\n", why.line);
	}
	csv_record_free(&record);
	return out;
}

static const char *
of(const char *text)
{
	return records(octets_of_string(text));
}

static void
fields_are_split_at_commas_and_records_at_line_ends(void **state)
{
	(void)state;
	assert_string_equal(of("a,b,c\nd,e,f\n"), "1:a|b|c\n2:d|e|f\n");
	assert_string_equal(of("a,b\r\nc,d\r\n"), "1:a|b\n2:c|d\n");
	assert_string_equal(of("a,b"), "1:a|b\n");
	assert_string_equal(of(",\n"), "1:|\n");
	assert_string_equal(of(" a , b \n"), "1: a | b \n");
	/* A lone CR is an octet like any other. */
	assert_string_equal(of("a\rb,c\n"), "1:a\rb|c\n");
}

static void
a_byte_order_mark_and_empty_lines_are_skipped(void **state)
{
	(void)state;
	assert_string_equal(of("\xef\xbb\xbf"
			       "a,b\n"),
	    "1:a|b\n");
	assert_string_equal(of("\n\r\na\n\n\nb\n\n"), "3:a\n6:b\n");
	assert_string_equal(of(""), "");
	assert_string_equal(of("\xef\xbb\xbf"), "");
	/* In the middle it is text. */
	assert_string_equal(of("a,\xef\xbb\xbf"
			       "b\n"),
	    "1:a|\xef\xbb\xbf"
	    "b\n");
}

static void
quoted_fields_hold_commas_quotes_and_line_ends(void **state)
{
	(void)state;
	assert_string_equal(of("\"a,b\",c\n"), "1:a,b|c\n");
	assert_string_equal(of("\"say \"\"hi\"\"\",x\n"), "1:say \"hi\"|x\n");
	assert_string_equal(of("\"\",\"\"\n"), "1:|\n");
	/* And lines are counted on. */
	assert_string_equal(of("\"a\nb\",c\nd,e\n"), "1:a\nb|c\n3:d|e\n");
	assert_string_equal(of("\"a\r\nb\"\r\nc\r\n"), "1:a\r\nb\n3:c\n");
	assert_string_equal(of("a,\"b\""), "1:a|b\n");
}

static void
quotes_out_of_place_are_faults_of_their_line_alone(void **state)
{
	(void)state;
	assert_string_equal(
	    of("a\"b,c\nd,e\n"), "1!a quote inside a field that is not quoted\n2:d|e\n");
	assert_string_equal(of("\"a\"b,c\r\nd,e\n"), "1!text behind a closing quote\n2:d|e\n");
	assert_string_equal(of("\"a\" ,c\nd\n"), "1!text behind a closing quote\n2:d\n");
	assert_string_equal(of("a\nb,\"c\nd,e\n"), "1:a\n2!the quote of line 2 is not closed\n");
	assert_string_equal(of("\""), "1!the quote of line 1 is not closed\n");
}

static void
what_is_no_utf8_or_has_a_nul_is_a_fault(void **state)
{
	(void)state;
	assert_string_equal(of("\xc3\xa4,b\n"), "1:\xc3\xa4|b\n");
	assert_string_equal(of("\xe4,b\nc\n"), "1!a field is not UTF-8\n2:c\n");
	assert_string_equal(records(octets_of("a\0b,c\nd\n", 8)), "1!a field is not UTF-8\n2:d\n");
}

static void
fields_have_a_number_and_a_length(void **state)
{
	char text[CSV_FIELD_MAX + 16];

	(void)state;
	memset(text, ',', CSV_FIELDS_MAX);
	memcpy(text + CSV_FIELDS_MAX - 1, "\nb\n", 4);
	assert_non_null(strstr(of(text), "||\n2:b\n"));
	memset(text, ',', CSV_FIELDS_MAX);
	memcpy(text + CSV_FIELDS_MAX, "\nb\n", 4);
	assert_string_equal(of(text), "1!more than 32 fields\n2:b\n");

	memset(text, 'x', CSV_FIELD_MAX);
	memcpy(text + CSV_FIELD_MAX, "\nb\n", 4);
	assert_non_null(strstr(of(text), "xx\n2:b\n"));
	memset(text, 'x', CSV_FIELD_MAX + 1);
	memcpy(text + CSV_FIELD_MAX + 1, "\nb\n", 4);
	assert_string_equal(of(text), "1!a field has more than 4096 octets\n2:b\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_split_at_commas_and_records_at_line_ends),
	    cmocka_unit_test(a_byte_order_mark_and_empty_lines_are_skipped),
	    cmocka_unit_test(quoted_fields_hold_commas_quotes_and_line_ends),
	    cmocka_unit_test(quotes_out_of_place_are_faults_of_their_line_alone),
	    cmocka_unit_test(what_is_no_utf8_or_has_a_nul_is_a_fault),
	    cmocka_unit_test(fields_have_a_number_and_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
