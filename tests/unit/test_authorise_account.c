/* test_authorise_account.c: the secrets of accounts, beside whatever a profile's mode asks for. */
#include "base/encoding.h"
#include "store/account_row.h"
#include "store/seat_row.h"
#include "tests/unit/authorise_fixture.h"

#define SECRET "ABCDEF0123456789ABCDEF0123456789"

static const struct audit_event event = {.action = "test", .outcome = "success", .count = 1};
static struct account_row account;

/* One account, as it is now. */
static void
set_account(bool enabled, int64_t expires_at)
{
	const struct profile *p = rooms_profile(&rooms);
	bool there = account.id[0] != '\0';

	if (!there) {
		account = (struct account_row){.name = "printers", .created_at = 1};
		assert_true(encoding_uuid(account.id));
		snprintf(account.profile_id, sizeof(account.profile_id), "%s", p->scep.id);
		snprintf(account.organization, sizeof(account.organization), "Rooms");
		snprintf(account.department, sizeof(account.department), "Print");
		assert_true(authorise_challenge_id(rooms.manage.master_key, p->scep.id,
		    octets_of_string(SECRET), account.secret_hash));
	}
	account.enabled = enabled;
	account.expires_at = expires_at;
	assert_int_equal(
	    there ? store_account_update(rooms.manage.store, &account, &event, &rooms.why)
		  : store_account_insert(rooms.manage.store, &account, &event, &rooms.why),
	    STORE_OK);
}

static void
remove_account(void)
{
	assert_int_equal(
	    store_account_delete(rooms.manage.store, account.id, &event, &rooms.why), STORE_OK);
	account.id[0] = '\0';
}

static void
its_secret_is_a_challenge_for_any_number(void **state)
{
	struct authorisation a;

	(void)state;
	set_mode("static");
	set_account(true, 0);
	for (uint8_t i = 1; i < 4; i++) {
		assert_int_equal(decide("CN=a", SECRET, i, &a), AUTHORISE_ALLOW);
		assert_string_equal(a.method, "account");
		assert_false(a.one_time);
		assert_int_not_equal(a.account_row, 0);
		assert_int_equal(a.enrollment_row, 0);
		assert_string_equal(a.organization, "Rooms");
		assert_string_equal(a.department, "Print");
	}
	/* The mode's own is none of the account's. */
	assert_int_equal(decide("CN=a", ROOMS_CHALLENGE, 1, &a), AUTHORISE_ALLOW);
	assert_string_equal(a.method, "static");
	assert_int_equal(a.account_row, 0);
	assert_string_equal(a.organization, "");
	remove_account();
}

static void
another_secret_is_none(void **state)
{
	struct authorisation a;

	(void)state;
	set_mode("static");
	set_account(true, 0);
	assert_int_equal(decide("CN=a", SECRET "0", 1, &a), AUTHORISE_DENY);
	is_told("wrong");
	assert_null(strstr(rooms.why.line, "account"));
	assert_int_equal(decide("CN=a", NULL, 1, &a), AUTHORISE_DENY);
	assert_int_equal(decide("CN=a", "", 1, &a), AUTHORISE_DENY);
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	remove_account();
	assert_int_equal(decide("CN=a", SECRET, 1, &a), AUTHORISE_DENY);
	assert_int_equal(a.account_row, 0);
}

static void
one_that_is_disabled_or_expired_is_refused_like_any(void **state)
{
	struct authorisation a;
	int64_t now = clock_now_ms() / 1000;

	(void)state;
	set_mode("static");
	set_account(false, 0);
	assert_int_equal(decide("CN=a", SECRET, 1, &a), AUTHORISE_DENY);
	is_told("account printers: disabled");
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	assert_int_equal(a.account_row, 0);
	set_account(true, now - 1);
	assert_int_equal(decide("CN=a", SECRET, 1, &a), AUTHORISE_DENY);
	is_told("account printers: expired");
	set_account(true, now + 100);
	assert_int_equal(decide("CN=a", SECRET, 1, &a), AUTHORISE_ALLOW);
	remove_account();
}

static void
it_is_good_in_every_mode_but_intune(void **state)
{
	static const char *const modes[] = {"static", "dynamic", "enrollmentCode", "none"};
	struct csr csr = rooms_csr(pki_ec_key(), "CN=a", SECRET);
	const uint8_t repeat_key[32] = {1};
	struct authorisation a;
	struct profile p;

	(void)state;
	set_mode("static");
	set_account(true, 0);
	p = *rooms_profile(&rooms);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(p.scep.challenge_mode, sizeof(p.scep.challenge_mode), "%s", modes[i]);
		assert_int_equal(ask(&p, &csr, repeat_key, clock_now_ms(), &a), AUTHORISE_ALLOW);
		assert_string_equal(a.method, "account");
		assert_false(a.one_time);
	}
	snprintf(p.scep.challenge_mode, sizeof(p.scep.challenge_mode), "intune");
	assert_int_not_equal(ask(&p, &csr, repeat_key, clock_now_ms(), &a), AUTHORISE_ALLOW);
	assert_int_equal(a.account_row, 0);
	snprintf(p.scep.challenge_mode, sizeof(p.scep.challenge_mode), "%s", "");
	assert_int_equal(ask(&p, &csr, repeat_key, clock_now_ms(), &a), AUTHORISE_DENY);
	csr_free(&csr);
	remove_account();
}

static int
open_account_rooms(void **state)
{
	struct organization_row o = {.name = "Rooms"};

	(void)state;
	rooms_open(&rooms, false);
	return encoding_uuid(o.id) && store_organization_insert(
					  rooms.manage.store, &o, &event, &rooms.why) == STORE_OK
		   ? 0
		   : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(its_secret_is_a_challenge_for_any_number),
	    cmocka_unit_test(another_secret_is_none),
	    cmocka_unit_test(one_that_is_disabled_or_expired_is_refused_like_any),
	    cmocka_unit_test(it_is_good_in_every_mode_but_intune),
	};

	return cmocka_run_group_tests(tests, open_account_rooms, close_rooms);
}
