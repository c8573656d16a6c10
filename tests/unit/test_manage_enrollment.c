/* test_manage_enrollment.c: registering codes against seats, giving them anew, and rejecting them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/clock.h"
#include "fcgi-admin/manage/enrollment_import.h"
#include "fcgi-admin/manage/organization.h"
#include "fcgi-admin/manage/seat.h"
#include "tests/unit/manage_fixture.h"

static struct enrollment_row row;
static char drawn[MANAGE_CODE_SIZE];

static int
setup(void **state)
{
	const struct manage_organization_change example = {.name = "Example", .license_count = -1};
	const struct manage_seat_change s = {.type = "device",
	    .email = "d1@example.com",
	    .organization = "Example",
	    .department = "IT"};
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	const struct manage_profile_order o = {.name = "seats",
	    .authority = "test-ca",
	    .ra_key = "rsa:2048",
	    .enabled = true,
	    .change = &c};
	struct organization_row organization;
	struct manage_fixture *f;
	struct manage_profile p;
	struct seat_row seat;

	if (manage_fixture_setup(state) != 0)
		return -1;
	f = *state;
	manage_fixture_authority(f);
	c.challenge_mode = "enrollmentCode";
	assert_int_equal(
	    manage_profile_create(&f->manage, &f->actor, &o, &p, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(manage_organization_create(&f->manage, &f->actor, &example, &organization,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	return manage_seat_create(
		   &f->manage, &f->actor, "d1", &s, &seat, manage_fixture_report(f)) == MANAGE_OK
		   ? 0
		   : -1;
}

static enum manage_rc
create(struct manage_fixture *f, const struct manage_enrollment_order *o)
{
	return manage_enrollment_create(
	    &f->manage, &f->actor, o, drawn, &row, manage_fixture_report(f));
}

static enum manage_rc
create_with(struct manage_fixture *f, const char *code)
{
	const struct octets octets = octets_of_string(code);

	return create(f,
	    &(struct manage_enrollment_order){.profile = "seats", .seat = "d1", .code = &octets});
}

static void
read_again(struct manage_fixture *f)
{
	char id[sizeof(row.id)];

	memcpy(id, row.id, sizeof(id));
	assert_int_equal(
	    manage_enrollment_get(&f->manage, id, &row, manage_fixture_report(f)), MANAGE_OK);
}

static void
a_code_is_drawn_and_kept_as_the_id_that_authorise_makes(void **state)
{
	struct manage_fixture *f = *state;
	uint8_t id[CHALLENGE_ID_SIZE];

	assert_int_equal(
	    create(f, &(struct manage_enrollment_order){.profile = "seats", .seat = "d1"}),
	    MANAGE_OK);
	assert_int_equal(strlen(drawn), MANAGE_CODE_SIZE - 1);
	assert_true(authorise_challenge_id(
	    f->manage.master_key, row.profile_id, octets_of_string(drawn), id));
	read_again(f);
	assert_memory_equal(id, row.code_hash, sizeof(id));
	assert_string_equal(row.status, "created");
	assert_string_equal(row.seat_id, "d1");
	assert_string_equal(row.email, "d1@example.com");
	assert_string_equal(row.organization, "Example");
	assert_int_equal(row.max_uses, 1);
	assert_false(row.code_weak);
	assert_in_range(row.expires_at, clock_now() + 9 * 86400, clock_now() + 10 * 86400);
	assert_non_null(strstr(manage_fixture_event(f), "enrollment.create: seatId: d1; "));
	assert_null(strstr(manage_fixture_event(f), drawn));
}

static void
a_code_that_is_given_is_checked_and_weak_ones_are_warned_of(void **state)
{
	struct manage_fixture *f = *state;
	char long_code[MANAGE_ENROLLMENT_CODE_OCTETS + 2] = "";

	assert_int_equal(create_with(f, "1234567"), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "code"));
	assert_int_equal(create_with(f, "a\tb-cdefgh"), MANAGE_INVALID);
	memset(long_code, 'x', MANAGE_ENROLLMENT_CODE_OCTETS + 1);
	assert_int_equal(create_with(f, long_code), MANAGE_INVALID);

	assert_int_equal(create_with(f, "12345678"), MANAGE_OK);
	assert_true(row.code_weak && f->report.warning_count == 1);
	assert_string_equal(drawn, "");
	assert_int_equal(create_with(f, "12345678"), MANAGE_CONFLICT);
	assert_null(strstr(f->report.why.line, "12345678"));
	for (size_t i = 0; i < MANAGE_ENROLLMENT_CODE_OCTETS; i++)
		long_code[i] = "0123456789abcdefghijklmnopqrstuv"[i * 7 % 32];
	long_code[MANAGE_ENROLLMENT_CODE_OCTETS] = '\0';
	assert_int_equal(create_with(f, long_code), MANAGE_OK);
	assert_true(!row.code_weak && f->report.warning_count == 0);
}

static void
all_that_is_wrong_is_told_at_once(void **state)
{
	struct manage_fixture *f = *state;
	const struct octets code = octets_of_string("short");
	const struct manage_enrollment_order o = {.profile = "nope",
	    .seat = "d2",
	    .code = &code,
	    .email = "a\nb",
	    .expires_at = clock_now() + 10,
	    .max_uses = -1};

	assert_int_equal(create(f, &o), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "profile") && manage_fixture_faults(f, "seat") &&
		    manage_fixture_faults(f, "code") && manage_fixture_faults(f, "email") &&
		    manage_fixture_faults(f, "expires") && manage_fixture_faults(f, "uses"));
}

static void
codes_are_for_profiles_of_their_mode_alone(void **state)
{
	struct manage_fixture *f = *state;

	manage_fixture_profile(f, "demo", NULL);
	assert_int_equal(
	    create(f, &(struct manage_enrollment_order){.profile = "demo", .seat = "d1"}),
	    MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "profile"));
}

/* A profile of codes with a field that is given by hand. */
static void
manual_profile(struct manage_fixture *f)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct field_row fields[2] = {
	    {.type = "subject.commonName", .source = "scepRequest", .required = true},
	    {.type = "subject.organizationalUnit",
		.source = "manual",
		.required = true,
		.pattern = "[A-Z]+[0-9]*",
		.max_length = 4},
	};
	struct manage_profile p;

	c.fields = fields;
	c.field_count = 2;
	assert_int_equal(manage_profile_clone(&f->manage, &f->actor, "seats",
			     &(struct manage_profile_clone){"manual", "rsa:2048", true, &c}, &p,
			     manage_fixture_report(f)),
	    MANAGE_OK);
}

static enum manage_rc
create_manual(struct manage_fixture *f, int count, const struct enrollment_attribute *attributes)
{
	return create(f, &(struct manage_enrollment_order){.profile = "manual",
			     .seat = "d1",
			     .attributes = attributes,
			     .attribute_count = count});
}

static void
attributes_have_to_fit_the_manual_fields(void **state)
{
	static const struct enrollment_attribute good[] = {{"subject.organizationalUnit", "AB12"}};
	static const struct enrollment_attribute bad[][2] = {
	    {{"subject.organizationalUnit", "ab12"}},	/* its pattern */
	    {{"subject.organizationalUnit", "ABC123"}}, /* its length */
	    {{"subject.organizationalUnit", ""}},
	    {{"subject.commonName", "x"}}, /* asked for, not given */
	    {{"subject.nothing", "x"}},
	    {{"subject.organizationalUnit", "AB"}, {"subject.organizationalUnit", "CD"}},
	};
	struct manage_fixture *f = *state;

	manual_profile(f);
	assert_int_equal(create_manual(f, 0, NULL), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "attribute"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
		    create_manual(f, bad[i][1].type[0] != '\0' ? 2 : 1, bad[i]), MANAGE_INVALID);
		assert_true(manage_fixture_faults(f, "attribute"));
	}
	assert_int_equal(create_manual(f, 1, good), MANAGE_OK);
	read_again(f);
	assert_int_equal(row.attribute_count, 1);
	assert_string_equal(row.attributes[0].value, "AB12");
}

static void
a_reissued_enrolment_has_another_code_and_is_created_again(void **state)
{
	struct manage_fixture *f = *state;
	uint8_t before[32];
	char id[37];

	assert_int_equal(create_with(f, "12345678"), MANAGE_OK);
	memcpy(id, row.id, sizeof(id));
	memcpy(before, row.code_hash, sizeof(before));
	assert_int_equal(
	    manage_enrollment_reject(&f->manage, &f->actor, id, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_equal(
	    manage_fixture_event(f), "enrollment.reject: status: created -> rejected");
	assert_int_equal(
	    manage_enrollment_get(&f->manage, id, &row, manage_fixture_report(f)), MANAGE_OK);
	assert_string_equal(row.status, "rejected");

	assert_int_equal(manage_enrollment_reissue(&f->manage, &f->actor, id, NULL, 0, drawn, &row,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_equal(row.status, "created");
	assert_memory_not_equal(before, row.code_hash, sizeof(before));
	assert_false(row.code_weak);
	assert_int_equal(strlen(drawn), MANAGE_CODE_SIZE - 1);
	assert_non_null(strstr(manage_fixture_event(f), "status: rejected -> created"));
	/* The old code is nobody's now. */
	assert_int_equal(create_with(f, "12345678"), MANAGE_OK);
}

static bool
count_row(void *ctx, const struct enrollment_row *n)
{
	(void)n;
	++*(int *)ctx;
	return true;
}

static void
a_list_is_of_a_seat_or_a_profile_and_a_deleted_one_is_not_in_it(void **state)
{
	struct manage_fixture *f = *state;
	int count = 0;

	assert_int_equal(create_with(f, "12345678"), MANAGE_OK);
	assert_int_equal(create_with(f, "12345679"), MANAGE_OK);
	assert_int_equal(
	    manage_enrollment_delete(&f->manage, &f->actor, row.id, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(
	    manage_enrollment_delete(&f->manage, &f->actor, row.id, manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
	assert_int_equal(manage_enrollment_list(&f->manage, 0, 100, "d1", "seats", count_row,
			     &count, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(count, 1);
	assert_int_equal(manage_enrollment_list(&f->manage, 0, 100, NULL, "manual", count_row,
			     &count, manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
	assert_int_equal(manage_enrollment_list(&f->manage, 0, 100, "d2", NULL, count_row, &count,
			     manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
}

/* ---- from a file */

static struct manage_enrollment_import import;
static char told[512]; /* SEATID=CODE; of those that were made */
static int stop_after;

static bool
tell(void *ctx, const struct enrollment_row *n, const char *code)
{
	size_t len = strlen(told);

	(void)ctx;
	snprintf(told + len, sizeof(told) - len, "%s=%s;", n->seat_id, code);
	row = *n;
	return --stop_after != 0;
}

static enum manage_rc
read_file_for(struct manage_fixture *f, const char *profile, const char *csv, bool dry_run)
{
	import = (struct manage_enrollment_import){
	    .profile = profile, .max_uses = 3, .dry_run = dry_run, .made = tell};
	told[0] = '\0';
	return manage_enrollment_import(
	    &f->manage, &f->actor, octets_of_string(csv), &import, manage_fixture_report(f));
}

static enum manage_rc
read_file(struct manage_fixture *f, const char *csv, bool dry_run)
{
	return read_file_for(f, "seats", csv, dry_run);
}

static int
enrolments(struct manage_fixture *f)
{
	int count = 0;

	assert_int_equal(manage_enrollment_list(&f->manage, 0, 500, NULL, NULL, count_row, &count,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	return count;
}

static void
a_file_registers_a_code_for_each_line(void **state)
{
	static const char csv[] = "\xef\xbb\xbfUSES,seatId,enrollmentCode,email\r\n"
				  ",d1,,\r\n"
				  "7,d1,\"of, my own: 0123456789\",x@example.com\r\n";
	struct manage_fixture *f = *state;

	assert_int_equal(read_file(f, csv, true), MANAGE_OK);
	assert_int_equal(import.lines, 2);
	assert_int_equal(import.made_count, 0);
	assert_int_equal(enrolments(f), 0);
	assert_int_equal(read_file(f, csv, false), MANAGE_OK);
	assert_int_equal(import.made_count, 2);
	assert_int_equal(enrolments(f), 2);
	/* One that is drawn is told; one that was given is not. */
	assert_int_equal(strncmp(told, "d1=", 3), 0);
	assert_int_equal(strlen(told), 3 + MANAGE_CODE_SIZE - 1 + strlen(";d1=;"));
	assert_int_equal(row.max_uses, 7);
	assert_string_equal(row.email, "x@example.com");
	read_again(f);
	assert_string_equal(row.seat_id, "d1");
}

static void
a_column_may_be_a_field_that_is_given_by_hand(void **state)
{
	struct manage_fixture *f = *state;

	manual_profile(f);
	assert_int_equal(
	    read_file_for(f, "manual", "seatId,subject.organizationalUnit\nd1,\n", false),
	    MANAGE_INVALID);
	assert_non_null(strstr(import.faults[0].message, "attribute"));
	assert_int_equal(
	    read_file_for(f, "manual", "seatId,subject.organizationalUnit\nd1,AB12\n", false),
	    MANAGE_OK);
	read_again(f);
	assert_int_equal(row.attribute_count, 1);
	assert_string_equal(row.attributes[0].type, "subject.organizationalUnit");
	assert_string_equal(row.attributes[0].value, "AB12");
	assert_int_equal(row.max_uses, 3);
}

static void
a_line_with_a_fault_keeps_the_whole_file_out(void **state)
{
	static const char csv[] = "seatId,uses,subject.organizationalUnit\nd1,,\nd9,,\nd1,0,\n"
				  "d1,1x,\nd1\nd1,,Sales\n,,\n\"d1,,\n";
	static const int lines[] = {3, 4, 5, 6, 7, 8, 9};
	struct manage_fixture *f = *state;

	assert_int_equal(read_file(f, csv, false), MANAGE_INVALID);
	assert_int_equal(import.fault_count, 7);
	for (int i = 0; i < 7; i++)
		assert_int_equal(import.faults[i].line, lines[i]);
	assert_non_null(strstr(import.faults[0].message, "d9"));
	assert_non_null(strstr(import.faults[1].message, "uses"));
	assert_non_null(strstr(import.faults[4].message, "subject.organizationalUnit"));
	assert_int_equal(import.lines, 1);
	assert_int_equal(import.made_count, 0);
	assert_int_equal(enrolments(f), 0);
}

static void
a_file_without_seats_or_with_unknown_columns_is_refused(void **state)
{
	static const char *const bad[] = {"", "uses\n1\n", "seatId,seatId\n", "seatId,colour\n",
	    "seatId,\n", "seatId,subject.a-name-that-no-field-has-for-it-is-long\n", "\"seatId\n"};
	struct manage_fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_file(f, bad[i], false), MANAGE_INVALID);
		assert_int_equal(import.fault_count, 1);
		assert_int_equal(import.faults[0].line, 1);
	}
	assert_int_equal(read_file(f, "seatId\n", false), MANAGE_OK);
	assert_int_equal(import.made_count, 0);
}

/* What the check cannot see, and whoever is told going away: the rest is left, and how many were written is said. */
static void
what_fails_on_the_way_says_how_many_were_written(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(read_file(f,
			     "seatId,enrollmentCode\nd1,0123456789abcdef\nd1,0123456789abcdef\n"
			     "d1,\n",
			     false),
	    MANAGE_CONFLICT);
	assert_int_equal(import.made_count, 1);
	assert_non_null(strstr(f->report.why.line, "1 enrolments were written before, line 3"));
	assert_int_equal(enrolments(f), 1);
	stop_after = 1;
	assert_int_equal(read_file(f, "seatId\nd1\nd1\n", false), MANAGE_FAULT);
	assert_int_equal(enrolments(f), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_code_is_drawn_and_kept_as_the_id_that_authorise_makes),
	    TEST(a_code_that_is_given_is_checked_and_weak_ones_are_warned_of),
	    TEST(all_that_is_wrong_is_told_at_once),
	    TEST(codes_are_for_profiles_of_their_mode_alone),
	    TEST(attributes_have_to_fit_the_manual_fields),
	    TEST(a_reissued_enrolment_has_another_code_and_is_created_again),
	    TEST(a_list_is_of_a_seat_or_a_profile_and_a_deleted_one_is_not_in_it),
	    TEST(a_file_registers_a_code_for_each_line),
	    TEST(a_column_may_be_a_field_that_is_given_by_hand),
	    TEST(a_line_with_a_fault_keeps_the_whole_file_out),
	    TEST(a_file_without_seats_or_with_unknown_columns_is_refused),
	    TEST(what_fails_on_the_way_says_how_many_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
