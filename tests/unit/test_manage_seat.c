/* test_manage_seat.c: organizations and seats: made, changed, imported, removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/manage/organization.h"
#include "fcgi-admin/manage/seat.h"
#include "fcgi-admin/manage/seat_import.h"
#include "tests/unit/manage_fixture.h"

static struct seat_row seat;
static struct manage_import import;

static enum manage_rc
organize(struct manage_fixture *f, const char *name, int64_t licenses)
{
	const struct manage_organization_change c = {.name = name, .license_count = licenses};
	struct organization_row row;

	return manage_organization_create(
	    &f->manage, &f->actor, &c, &row, manage_fixture_report(f));
}

static enum manage_rc
create(struct manage_fixture *f, const char *seat_id, const struct manage_seat_change *c)
{
	return manage_seat_create(
	    &f->manage, &f->actor, seat_id, c, &seat, manage_fixture_report(f));
}

static enum manage_rc
get(struct manage_fixture *f, const char *seat_id)
{
	return manage_seat_get(&f->manage, seat_id, &seat, manage_fixture_report(f));
}

static enum manage_rc
read_file(struct manage_fixture *f, const char *csv)
{
	return manage_seat_import(
	    &f->manage, &f->actor, octets_of_string(csv), &import, manage_fixture_report(f));
}

static void
an_organization_is_made_changed_and_deleted(void **state)
{
	const struct manage_organization_change c = {.name = "Other", .license_count = 3};
	struct manage_fixture *f = *state;
	struct organization_row row;

	assert_int_equal(organize(f, "Example", 2), MANAGE_OK);
	assert_string_equal(manage_fixture_event(f), "organization.create: licenseCount: 2");
	assert_int_equal(organize(f, "Example", 2), MANAGE_CONFLICT);
	assert_int_equal(organize(f, "", 2), MANAGE_INVALID);
	assert_int_equal(organize(f, "E", -2), MANAGE_INVALID);
	assert_int_equal(manage_organization_set(
			     &f->manage, &f->actor, "Example", &c, &row, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_equal(manage_fixture_event(f),
	    "organization.update: name: Example -> Other; licenseCount: 2 -> 3");
	assert_int_equal(manage_organization_get(&f->manage, "Other", &row, &f->report), MANAGE_OK);
	assert_int_equal(row.license_count, 3);
	assert_int_equal(
	    create(
		f, "d1", &(struct manage_seat_change){.type = "device", .organization = "Other"}),
	    MANAGE_OK);
	assert_int_equal(
	    manage_organization_delete(&f->manage, &f->actor, "Other", manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	assert_int_equal(
	    manage_seat_delete(&f->manage, &f->actor, "d1", manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(
	    manage_organization_delete(&f->manage, &f->actor, "Other", manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(
	    manage_organization_delete(&f->manage, &f->actor, "Other", manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
}

static void
all_that_is_wrong_with_a_seat_is_told_at_once(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(create(f, "",
			     &(struct manage_seat_change){.type = "car",
				 .name = "a\x01",
				 .email = "nobody",
				 .organization = "Nope",
				 .department = "\xff"}),
	    MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "seatId") && manage_fixture_faults(f, "type") &&
		    manage_fixture_faults(f, "name") && manage_fixture_faults(f, "email") &&
		    manage_fixture_faults(f, "organization") &&
		    manage_fixture_faults(f, "department"));
}

static void
what_is_set_on_a_seat_is_there_and_the_audit_has_before_and_after(void **state)
{
	struct manage_fixture *f = *state;
	const struct manage_seat_change c = {.name = "Doe", .department = ""};

	assert_int_equal(
	    create(f, "d1", &(struct manage_seat_change){.type = "user", .department = "IT"}),
	    MANAGE_OK);
	assert_int_equal(
	    create(f, "d1", &(struct manage_seat_change){.type = "user"}), MANAGE_CONFLICT);
	assert_int_equal(
	    manage_seat_set(&f->manage, &f->actor, "d1", &c, &seat, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_equal(
	    manage_fixture_event(f), "seat.update: name: none -> Doe; department: IT -> none");
	assert_int_equal(get(f, "d1"), MANAGE_OK);
	assert_string_equal(seat.name, "Doe");
	assert_string_equal(seat.type, "user");
	assert_string_equal(seat.department, "");
	assert_int_equal(get(f, "d2"), MANAGE_NOT_FOUND);
}

static void
a_file_makes_seats_and_changes_those_that_are_there(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(organize(f, "Example", -1), MANAGE_OK);
	assert_int_equal(
	    create(f, "d1", &(struct manage_seat_change){.type = "device", .email = "a@b"}),
	    MANAGE_OK);
	import = (struct manage_import){.dry_run = false};
	assert_int_equal(read_file(f, "\xef\xbb\xbfSEATID,name,Type,organization\r\n"
				      "d1,\"One, first\",server,\r\n"
				      "d2,,user,Example\r\n"),
	    MANAGE_OK);
	assert_int_equal(import.seats, 2);
	assert_int_equal(import.made, 1);
	assert_int_equal(import.changed, 1);
	assert_string_equal(manage_fixture_event(f), "seat.import: 2 seats");
	assert_int_equal(get(f, "d1"), MANAGE_OK);
	assert_string_equal(seat.name, "One, first");
	assert_string_equal(seat.type, "server");
	/* The file has no such column. */
	assert_string_equal(seat.email, "a@b");
	assert_int_equal(get(f, "d2"), MANAGE_OK);
	assert_string_equal(seat.organization, "Example");
}

static void
a_line_with_a_fault_keeps_the_whole_file_out_unless_it_is_skipped(void **state)
{
	static const char csv[] = "seatId,type\nd1,user\nd2,car\nd3\nd1,user\n\"d4,user\n";
	struct manage_fixture *f = *state;

	import = (struct manage_import){.dry_run = false};
	assert_int_equal(read_file(f, csv), MANAGE_INVALID);
	assert_int_equal(import.fault_count, 4);
	assert_int_equal(import.faults[0].line, 3);
	assert_non_null(strstr(import.faults[0].message, "type: want user"));
	assert_string_equal(import.faults[1].message, "1 fields, where the header has 2");
	assert_string_equal(import.faults[2].message, "seatId: is on line 2 already");
	assert_int_equal(import.faults[3].line, 6);
	assert_int_equal(get(f, "d1"), MANAGE_NOT_FOUND);

	import = (struct manage_import){.dry_run = true, .skip_bad = true};
	assert_int_equal(read_file(f, csv), MANAGE_OK);
	assert_int_equal(import.seats, 1);
	assert_int_equal(get(f, "d1"), MANAGE_NOT_FOUND);

	import = (struct manage_import){.skip_bad = true};
	assert_int_equal(read_file(f, csv), MANAGE_OK);
	assert_int_equal(import.made, 1);
	assert_int_equal(get(f, "d1"), MANAGE_OK);
	assert_int_equal(get(f, "d2"), MANAGE_NOT_FOUND);
}

static void
the_header_names_columns_that_are_known_each_once(void **state)
{
	static const char *const bad[] = {"", "d1,user\n", "seatId\nd1\n", "type\nuser\n",
	    "seatId,type,type\n", "seatId,type,\n", "\"seatId\n"};
	struct manage_fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		import = (struct manage_import){.skip_bad = true};
		assert_int_equal(read_file(f, bad[i]), MANAGE_INVALID);
		assert_int_equal(import.fault_count, 1);
		assert_int_equal(import.faults[0].line, 1);
	}
	import = (struct manage_import){.dry_run = false};
	assert_int_equal(read_file(f, "type,seatId\n"), MANAGE_OK);
	assert_int_equal(import.made, 0);
}

static bool
count_row(void *ctx, const struct seat_row *s)
{
	(void)s;
	++*(int *)ctx;
	return true;
}

static void
more_than_a_batch_is_written_and_all_faults_are_counted(void **state)
{
	struct manage_fixture *f = *state;
	struct buffer csv = {0};
	int count = 0;

	buffer_append_string(&csv, "seatId,type\n");
	for (int i = 0; i < 1100; i++)
		buffer_append_format(&csv, "d%d,device\n", i);
	import = (struct manage_import){.dry_run = false};
	assert_int_equal(read_file(f, buffer_string(&csv)), MANAGE_OK);
	assert_int_equal(import.made, 1100);
	assert_int_equal(
	    manage_seat_list(&f->manage, 0, 500, NULL, count_row, &count, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(count, 500);
	for (int i = 0; i < 300; i++)
		buffer_append_string(&csv, "x,car\n");
	import = (struct manage_import){.dry_run = true};
	assert_int_equal(read_file(f, buffer_string(&csv)), MANAGE_INVALID);
	assert_int_equal(import.fault_count, 300);
	buffer_free(&csv);
}

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, manage_fixture_setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_organization_is_made_changed_and_deleted),
	    TEST(all_that_is_wrong_with_a_seat_is_told_at_once),
	    TEST(what_is_set_on_a_seat_is_there_and_the_audit_has_before_and_after),
	    TEST(a_file_makes_seats_and_changes_those_that_are_there),
	    TEST(a_line_with_a_fault_keeps_the_whole_file_out_unless_it_is_skipped),
	    TEST(the_header_names_columns_that_are_known_each_once),
	    TEST(more_than_a_batch_is_written_and_all_faults_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
