/* test_manage_intune_revocation.c: what a tenant of Intune may have revoked, and what it is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/intune_revocation.h"
#include "fcgi-admin/manage/records.h"
#include "tests/unit/outbound_fake.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

static struct rooms rooms;
static struct intune_row ours, theirs;
static const struct audit_event event = {.action = "test", .outcome = "success", .count = 1};

static void
connection(struct intune_row *row, const char *name, const char *tenant)
{
	struct buffer sealed = {0};

	*row = (struct intune_row){.client_id = "a client", .revocations = true, .created_at = 1};
	snprintf(row->name, sizeof(row->name), "%s", name);
	snprintf(row->tenant, sizeof(row->tenant), "%s", tenant);
	assert_true(encoding_uuid(row->id));
	assert_true(master_key_seal(rooms.manage.master_key, octets_of_string(row->id),
	    octets_of_string("a client secret"), &sealed, &rooms.why));
	memcpy(row->sealed_key, sealed.data, sealed.len);
	row->sealed_key_len = sealed.len;
	buffer_free(&sealed);
	assert_int_equal(
	    store_intune_insert(rooms.manage.store, row, &event, &rooms.why), STORE_OK);
}

static void
give_profile(const struct intune_row *row)
{
	struct scep_profile_row p;

	assert_int_equal(
	    store_scep_profile_get(rooms.manage.store, ROOMS_PROFILE, &p, &rooms.why), STORE_OK);
	snprintf(p.intune_id, sizeof(p.intune_id), "%s", row != NULL ? row->id : "");
	assert_int_equal(
	    store_scep_profile_update(rooms.manage.store, &p, &event, &rooms.why), STORE_OK);
}

static int
setup(void **state)
{
	(void)state;
	fake = (struct outbound_fake){.opened = 0};
	rooms_open(&rooms, false);
	connection(&ours, "ours", "one.example");
	connection(&theirs, "theirs", "two.example");
	give_profile(&ours);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rooms_close(&rooms);
	pki_free_keys();
	return 0;
}

/* Of the profile; its serial. */
static void
issue(uint8_t number, char serial[33])
{
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", ROOMS_CHALLENGE);
	uint8_t repeat_key[32];
	struct issue_order order = rooms_order(&rooms, &csr, number, repeat_key, clock_now());
	struct issue_result issued;

	assert_int_equal(
	    issue_certificate(rooms.manage.store, &order, &issued, &rooms.why), ISSUE_DONE);
	memcpy(serial, issued.serial, sizeof(issued.serial));
	issue_result_free(&issued);
	csr_free(&csr);
}

static void
ask_for(const char *serial, const char *issuer)
{
	snprintf(fake.revocation.context, sizeof(fake.revocation.context), "context");
	snprintf(fake.revocation.serial, sizeof(fake.revocation.serial), "%s", serial);
	snprintf(fake.revocation.issuer, sizeof(fake.revocation.issuer), "%s", issuer);
	fake.revocations = 1;
	fake.result = (struct intune_revocation_result){.error_code = -1};
}

static void
go_round(const struct intune_row *row, int error_code)
{
	struct manage_intune_round round;
	struct manage_report r = {0};

	assert_int_equal(
	    manage_intune_revocations(&rooms.manage, NULL, row, &round, &r), MANAGE_OK);
	assert_int_equal(round.asked, 1);
	assert_int_equal(round.revoked, error_code == 0);
	assert_int_equal(fake.result.error_code, error_code);
	assert_int_equal(fake.result.succeeded, error_code == 0);
}

static bool
is_revoked(const char *serial)
{
	struct manage_report r = {0};
	struct certificate_row c;

	assert_int_equal(
	    manage_certificate_get(&rooms.manage, serial, NULL, &c, NULL, &r), MANAGE_OK);
	return strcmp(c.status, "revoked") == 0;
}

static void
a_tenants_certificate_is_revoked_and_again_is_no_error(void **state)
{
	struct intune_row row;
	char serial[33];

	(void)state;
	issue(1, serial);
	ask_for(serial, "CN=Rooms CA,O=Rooms");
	go_round(&ours, 0);
	assert_true(is_revoked(serial));
	ask_for(serial, "");
	go_round(&ours, 0);
	assert_int_equal(store_intune_get(rooms.manage.store, "ours", &row, &rooms.why), STORE_OK);
	assert_true(row.revocations_at > 0);
}

static void
another_tenants_certificate_is_not_found(void **state)
{
	char serial[33];

	(void)state;
	issue(2, serial);
	ask_for(serial, "");
	go_round(&theirs, 4004);
	assert_false(is_revoked(serial));
}

static void
a_certificate_of_a_profile_without_intune_is_not_found(void **state)
{
	char serial[33];

	(void)state;
	issue(3, serial);
	give_profile(NULL);
	ask_for(serial, "");
	go_round(&ours, 4004);
	assert_false(is_revoked(serial));
}

static void
a_certificate_of_another_issuer_is_not_found(void **state)
{
	char serial[33];

	(void)state;
	issue(4, serial);
	ask_for(serial, "CN=Another CA,O=Rooms");
	go_round(&ours, 4004);
	assert_false(is_revoked(serial));
}

static void
serials_that_are_unknown_or_unreadable_are_told_apart(void **state)
{
	(void)state;
	ask_for("0123456789abcdef", "");
	go_round(&ours, 4004);
	ask_for("no serial", "");
	go_round(&ours, 4004);
	ask_for("", "");
	go_round(&ours, 4002);
}

static void
a_round_that_fails_is_no_round(void **state)
{
	struct manage_intune_round round;
	struct manage_report r = {0};
	struct intune_row row;

	(void)state;
	fake.download = INTUNE_AWAY;
	assert_int_equal(
	    manage_intune_revocations(&rooms.manage, NULL, &ours, &round, &r), MANAGE_AWAY);
	fake.download = INTUNE_DONE;
	fake.upload = INTUNE_AWAY;
	ask_for("0123456789abcdef", "");
	assert_int_equal(
	    manage_intune_revocations(&rooms.manage, NULL, &ours, &round, &r), MANAGE_AWAY);
	assert_int_equal(store_intune_get(rooms.manage.store, "ours", &row, &rooms.why), STORE_OK);
	assert_int_equal(row.revocations_at, 0);
	assert_int_equal(fake.opened, fake.closed);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_tenants_certificate_is_revoked_and_again_is_no_error),
	    TEST(another_tenants_certificate_is_not_found),
	    TEST(a_certificate_of_a_profile_without_intune_is_not_found),
	    TEST(a_certificate_of_another_issuer_is_not_found),
	    TEST(serials_that_are_unknown_or_unreadable_are_told_apart),
	    TEST(a_round_that_fails_is_no_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
