/* test_authorise_approved.c: for whom a renewal is, and what was authorised when a request came that somebody approved since. */
#include <stdio.h>

#include "base/encoding.h"
#include "store/account_row.h"
#include "store/certificate_row.h"
#include "store/seat_row.h"
#include "store/transaction_row.h"
#include "tests/unit/authorise_fixture.h"

#define CODE   "0123456789ABCDEF0123456789ABCDEF"
#define SECRET "ABCDEF0123456789ABCDEF0123456789"

static const struct audit_event event = {.action = "test", .outcome = "success", .count = 1};
static struct enrollment_row enrollment;
static struct account_row account;

static void
hash_of(const char *secret, uint8_t hash[CHALLENGE_ID_SIZE])
{
	assert_true(authorise_challenge_id(rooms.manage.master_key, rooms_profile(&rooms)->scep.id,
	    octets_of_string(secret), hash));
}

static void
make_enrollment(void)
{
	struct seat_row s = {.seat_id = "dev-1", .type = "device", .department = "Attic"};
	char id[37];

	enrollment = (struct enrollment_row){.max_uses = 1,
	    .seat_id = "dev-1",
	    .expires_at = clock_now() + 1000,
	    .attributes = {{"subject.organizationalUnit", "Loft"}},
	    .attribute_count = 1};
	assert_true(encoding_uuid(s.id) && encoding_uuid(id));
	memcpy(enrollment.id, id, sizeof(id));
	snprintf(enrollment.profile_id, sizeof(enrollment.profile_id), "%s",
	    rooms_profile(&rooms)->scep.id);
	hash_of(CODE, enrollment.code_hash);
	assert_int_equal(store_seat_insert(rooms.manage.store, &s, &event, &rooms.why), STORE_OK);
	assert_int_equal(
	    store_enrollment_insert(rooms.manage.store, &enrollment, &event, &rooms.why), STORE_OK);
	assert_int_equal(
	    store_enrollment_get(rooms.manage.store, id, clock_now(), &enrollment, &rooms.why),
	    STORE_OK);
}

static void
make_account(void)
{
	uint8_t hash[CHALLENGE_ID_SIZE];

	account = (struct account_row){
	    .name = "printers", .department = "Ink", .enabled = true, .created_at = 1};
	assert_true(encoding_uuid(account.id));
	snprintf(
	    account.profile_id, sizeof(account.profile_id), "%s", rooms_profile(&rooms)->scep.id);
	hash_of(SECRET, hash);
	memcpy(account.secret_hash, hash, sizeof(hash));
	assert_int_equal(
	    store_account_insert(rooms.manage.store, &account, &event, &rooms.why), STORE_OK);
	assert_int_equal(
	    store_account_by_hash(rooms.manage.store, hash, &account, &rooms.why), STORE_OK);
}

/* An approved request; its buffer is freed with the row. */
static struct transaction_row
approved(const char *method, const uint8_t *challenge_id)
{
	struct transaction_row row = {.repeat_key = {7}};

	snprintf(row.method, sizeof(row.method), "%s", method);
	snprintf(row.profile_id, sizeof(row.profile_id), "%s", rooms_profile(&rooms)->scep.id);
	if (challenge_id != NULL)
		buffer_append(&row.challenge_id, challenge_id, CHALLENGE_ID_SIZE);
	return row;
}

static enum authorise_rc
look(const struct transaction_row *row, struct authorisation *out)
{
	rooms.why.line[0] = '\0';
	return authorise_approved(&rooms.authoriser, row, clock_now(), out, &rooms.why);
}

static void
a_code_is_found_again_with_all_that_it_says(void **state)
{
	struct transaction_row row;
	struct authorisation a;

	(void)state;
	make_enrollment();
	row = approved("enrollmentCode", enrollment.code_hash);
	row.enrollment_row = enrollment.row;
	/* Neither its expiry nor a lock takes away what was approved. */
	assert_int_equal(
	    authorise_approved(&rooms.authoriser, &row, clock_now() + 5000, &a, &rooms.why),
	    AUTHORISE_ALLOW);
	assert_int_equal(look(&row, &a), AUTHORISE_ALLOW);
	assert_false(a.one_time);
	assert_int_equal(a.enrollment_row, enrollment.row);
	assert_int_equal(a.seat_row, enrollment.seat_row);
	assert_string_equal(a.seat_id, "dev-1");
	assert_string_equal(a.department, "Attic");
	assert_int_equal(a.manual_count, 1);
	assert_string_equal(a.manual[0].value, "Loft");
	assert_memory_equal(a.challenge_id, enrollment.code_hash, sizeof(a.challenge_id));
	assert_int_equal(a.challenge_version, 0);
	transaction_row_free(&row);
}

static void
one_that_was_made_anew_rejected_or_deleted_is_not(void **state)
{
	struct transaction_row row = approved("enrollmentCode", enrollment.code_hash);
	uint8_t hash[CHALLENGE_ID_SIZE];
	struct authorisation a;

	(void)state;
	row.enrollment_row = enrollment.row + 1;
	assert_int_equal(look(&row, &a), AUTHORISE_DENY);
	is_told("deleted or made anew");
	/* The row forgets an enrolment that is deleted. */
	row.enrollment_row = 0;
	assert_int_equal(look(&row, &a), AUTHORISE_DENY);
	row.enrollment_row = enrollment.row;
	assert_int_equal(look(&row, &a), AUTHORISE_ALLOW);
	assert_int_equal(
	    store_enrollment_reject(rooms.manage.store, enrollment.id, &event, &rooms.why),
	    STORE_OK);
	assert_int_equal(look(&row, &a), AUTHORISE_DENY);
	is_told("rejected");
	hash_of("another code", hash);
	assert_int_equal(store_enrollment_reissue(rooms.manage.store, enrollment.id, hash, false,
			     clock_now() + 1000, &event, &rooms.why),
	    STORE_OK);
	assert_int_equal(look(&row, &a), AUTHORISE_DENY);
	is_told("deleted or made anew");
	assert_int_equal(a.seat_row, 0);
	transaction_row_free(&row);
}

static void
an_account_is_found_again_and_a_deleted_one_is_not(void **state)
{
	struct transaction_row row = approved("account", NULL);
	struct authorisation a;

	(void)state;
	make_account();
	row.account_row = account.row;
	assert_int_equal(look(&row, &a), AUTHORISE_ALLOW);
	assert_int_equal(a.account_row, account.row);
	assert_string_equal(a.department, "Ink");
	assert_false(a.one_time);
	row.account_row = 0;
	assert_int_equal(look(&row, &a), AUTHORISE_DENY);
	is_told("account: deleted since");
	row.account_row = account.row + 1;
	assert_int_equal(look(&row, &a), AUTHORISE_DENY);
	transaction_row_free(&row);
}

static void
a_one_time_challenge_is_its_own_still(void **state)
{
	const uint8_t id[CHALLENGE_ID_SIZE] = {9};
	struct transaction_row row = approved("dynamic", id), without = approved("static", NULL);
	struct authorisation a;

	(void)state;
	assert_int_equal(look(&row, &a), AUTHORISE_ALLOW);
	assert_true(a.one_time);
	assert_memory_equal(a.reservation.id, id, sizeof(id));
	assert_memory_equal(a.reservation.repeat_key, row.repeat_key, sizeof(row.repeat_key));
	assert_string_equal(a.reservation.profile_id, row.profile_id);
	assert_int_equal(look(&without, &a), AUTHORISE_ALLOW);
	assert_false(a.one_time);
	transaction_row_free(&row);
	transaction_row_free(&without);
}

static void
a_renewal_is_for_whom_its_predecessor_was(void **state)
{
	const struct renewable of_seat = {.id = 3,
				   .seat_row = 4,
				   .seat_id = "dev-1",
				   .account_row = 5,
				   .organization = "Rooms",
				   .department = "Attic"},
			       of_nobody = {.id = 6}, none = {0};
	struct authorisation a = {0}, told = {.seat_row = 8, .seat_id = "dev-8"}, b = {0};

	(void)state;
	authorise_inherit(&of_seat, &a);
	assert_int_equal(a.predecessor_id, 3);
	assert_int_equal(a.seat_row, 4);
	assert_string_equal(a.seat_id, "dev-1");
	assert_int_equal(a.account_row, 5);
	assert_string_equal(a.organization, "Rooms");
	assert_string_equal(a.department, "Attic");
	/* A challenge beside it has told. */
	authorise_inherit(&of_seat, &told);
	assert_int_equal(told.predecessor_id, 3);
	assert_int_equal(told.seat_row, 8);
	assert_string_equal(told.seat_id, "dev-8");
	assert_string_equal(told.organization, "");
	/* A deleted seat is nobody's. */
	authorise_inherit(&of_nobody, &b);
	assert_int_equal(b.predecessor_id, 6);
	assert_int_equal(b.seat_row, 0);
	authorise_inherit(&none, &b);
	assert_int_equal(b.predecessor_id, 0);
}

static int
open_approved_rooms(void **state)
{
	(void)state;
	rooms_open(&rooms, false);
	set_mode("enrollmentCode");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_code_is_found_again_with_all_that_it_says),
	    cmocka_unit_test(one_that_was_made_anew_rejected_or_deleted_is_not),
	    cmocka_unit_test(an_account_is_found_again_and_a_deleted_one_is_not),
	    cmocka_unit_test(a_one_time_challenge_is_its_own_still),
	    cmocka_unit_test(a_renewal_is_for_whom_its_predecessor_was),
	};

	return cmocka_run_group_tests(tests, open_approved_rooms, close_rooms);
}
