/* test_manage_outbound.c: accounts, connections to Intune and webhooks; and what a profile's mode stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/account.h"
#include "fcgi-admin/manage/intune.h"
#include "fcgi-admin/manage/webhook.h"
#include "tests/unit/manage_fixture.h"

#define TENANT "11111111-2222-4333-8444-555555555555"
#define CLIENT "66666666-7777-4888-8999-AAAAAAAAAAAA"

static int
setup(void **state)
{
	if (manage_fixture_setup(state) != 0)
		return -1;
	manage_fixture_authority(*state);
	manage_fixture_profile(*state, "demo", NULL);
	return 0;
}

static enum manage_rc
set(struct manage_fixture *f, const struct manage_profile_change *c)
{
	struct manage_profile p;

	return manage_profile_set(&f->manage, &f->actor, "demo", c, &p, manage_fixture_report(f));
}

static struct manage_profile
get(struct manage_fixture *f)
{
	struct manage_profile p;

	assert_int_equal(
	    manage_profile_get(&f->manage, "demo", &p, manage_fixture_report(f)), MANAGE_OK);
	return p;
}

/* --- accounts --- */

static void
an_account_has_a_secret_that_can_be_changed_and_taken_away(void **state)
{
	struct manage_account_change c = {.enabled = -1, .lifetime_s = 86400, .department = "IT"};
	char secret[MANAGE_CODE_SIZE], again[MANAGE_CODE_SIZE];
	struct manage_fixture *f = *state;
	uint8_t id[CHALLENGE_ID_SIZE];
	struct account_row a;

	assert_int_equal(manage_account_create(&f->manage, &f->actor, "demo", "acc", &c, secret, &a,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	assert_true(authorise_challenge_id(
	    f->manage.master_key, a.profile_id, octets_of_string(secret), id));
	assert_memory_equal(a.secret_hash, id, sizeof(id));
	assert_true(a.enabled && a.expires_at == a.created_at + 86400);
	assert_null(strstr(manage_fixture_event(f), secret));
	assert_int_equal(manage_account_create(&f->manage, &f->actor, "demo", "acc", &c, again, &a,
			     manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	assert_string_equal(again, "");

	assert_int_equal(manage_account_rotate(&f->manage, &f->actor, "demo", "acc", again, &a,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_not_equal(secret, again);
	c = (struct manage_account_change){.enabled = 0, .lifetime_s = 0};
	assert_int_equal(manage_account_set(&f->manage, &f->actor, "demo", "acc", &c, &a,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(manage_account_get(&f->manage, "demo", "acc", &a, &f->report), MANAGE_OK);
	assert_true(!a.enabled && a.expires_at == 0);
	assert_memory_not_equal(a.secret_hash, id, sizeof(id));
	assert_string_equal(a.department, "IT");
	assert_int_equal(
	    manage_account_delete(&f->manage, &f->actor, "demo", "acc", manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(
	    manage_account_get(&f->manage, "demo", "acc", &a, &f->report), MANAGE_NOT_FOUND);
}

static void
all_that_is_wrong_with_an_account_is_told_at_once(void **state)
{
	const struct manage_account_change c = {
	    .enabled = -1, .lifetime_s = 1, .organization = "Nope", .department = "a\nb"};
	struct manage_fixture *f = *state;
	char secret[MANAGE_CODE_SIZE];
	struct account_row a;

	assert_int_equal(manage_account_create(&f->manage, &f->actor, "demo", "a/b", &c, secret, &a,
			     manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "name") && manage_fixture_faults(f, "ttl") &&
		    manage_fixture_faults(f, "organization") &&
		    manage_fixture_faults(f, "department"));
}

/* --- Intune --- */

static enum manage_rc
connect_to(struct manage_fixture *f, const char *tenant, const char *client, const char *secret)
{
	const struct octets octets = octets_of_string(secret);
	const struct manage_intune_change c = {
	    .tenant = tenant, .client_id = client, .secret = &octets, .revocations = -1};
	struct intune_row row;

	return manage_intune_create(
	    &f->manage, &f->actor, "contoso", &c, &row, manage_fixture_report(f));
}

static void
a_connection_keeps_its_secret_sealed_to_its_id(void **state)
{
	struct manage_fixture *f = *state;
	struct buffer secret = {0};
	struct errbuf why = {0};
	struct intune_row row;

	assert_int_equal(connect_to(f, TENANT, CLIENT, "the~secret"), MANAGE_OK);
	assert_null(strstr(manage_fixture_event(f), "the~secret"));
	assert_int_equal(manage_intune_get(&f->manage, "contoso", &row, &f->report), MANAGE_OK);
	assert_string_equal(row.client_id, "66666666-7777-4888-8999-aaaaaaaaaaaa");
	assert_true(row.revocations);
	assert_true(master_key_unseal(f->manage.master_key, octets_of_string(row.id),
	    octets_of(row.sealed_key, row.sealed_key_len), &secret, &why));
	assert_string_equal(buffer_string(&secret), "the~secret");
	buffer_free(&secret);
	assert_false(master_key_unseal(f->manage.master_key, octets_of_string("another"),
	    octets_of(row.sealed_key, row.sealed_key_len), &secret, &why));
	buffer_free(&secret);
}

static void
what_is_no_tenant_no_application_and_no_secret_is_refused(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(connect_to(f, "a b", "12", ""), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "tenant") && manage_fixture_faults(f, "clientId") &&
		    manage_fixture_faults(f, "secretFile"));
	assert_int_equal(connect_to(f, NULL, NULL, "two\nlines"), MANAGE_INVALID);
	assert_int_equal(f->report.fault_count, 3);
	assert_int_equal(connect_to(f, "contoso.onmicrosoft.com", CLIENT, "s"), MANAGE_OK);
	assert_int_equal(connect_to(f, TENANT, CLIENT, "s"), MANAGE_CONFLICT);
}

static void
mode_intune_wants_a_connection_and_neither_approval_nor_renewal(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_fixture *f = *state;

	c.challenge_mode = "intune";
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "intune"));
	c.intune = "contoso";
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "intune"));
	assert_int_equal(connect_to(f, TENANT, CLIENT, "s"), MANAGE_OK);
	c.approval = "manual";
	c.certificate_renewal = 1;
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	assert_true(
	    manage_fixture_faults(f, "approval") && manage_fixture_faults(f, "certificateRenewal"));

	c.approval = NULL;
	c.certificate_renewal = MANAGE_KEEP;
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_string_equal(manage_fixture_event(f),
	    "profile.update: challengeMode: dynamic -> intune; certificateRenewal: yes -> no; "
	    "intune: none -> contoso");
	assert_false(get(f).scep.certificate_renewal);
	assert_string_equal(get(f).intune, "contoso");

	/* It stays while the profile stands on it. */
	assert_int_equal(
	    manage_intune_delete(&f->manage, &f->actor, "contoso", manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	c = (struct manage_profile_change)MANAGE_PROFILE_KEEP;
	c.intune = "";
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	c.challenge_mode = "dynamic";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_int_equal(
	    manage_intune_delete(&f->manage, &f->actor, "contoso", manage_fixture_report(f)),
	    MANAGE_OK);
}

/* --- webhooks --- */

static enum manage_rc
hook(struct manage_fixture *f, const char *name, const char *kind,
    const struct manage_webhook_change *c, struct buffer *drawn)
{
	struct webhook_row row = {0};
	enum manage_rc rc = manage_webhook_create(
	    &f->manage, &f->actor, "demo", name, kind, c, drawn, &row, manage_fixture_report(f));

	webhook_row_free(&row);
	return rc;
}

static void
a_webhook_has_a_secret_that_is_drawn_or_given(void **state)
{
	struct manage_webhook_change c = MANAGE_WEBHOOK_KEEP;
	const struct octets token = octets_of_string("token");
	struct buffer drawn = {0}, secret = {0}, raw = {0};
	struct manage_fixture *f = *state;
	struct webhook_row row = {0};
	struct errbuf why = {0};

	c.url = "https://hook.example/validate";
	c.authentication = "bearer";
	c.credential = &token;
	assert_int_equal(hook(f, "v", "validate", &c, &drawn), MANAGE_OK);
	assert_int_equal(drawn.len, 44);
	assert_null(strstr(manage_fixture_event(f), buffer_string(&drawn)));
	assert_int_equal(manage_webhook_get(&f->manage, "demo", "v", &row, &f->report), MANAGE_OK);
	assert_true(master_key_unseal(f->manage.master_key, octets_of_string(row.id),
	    buffer_octets(&row.sealed_secret), &secret, &why));
	assert_true(encoding_unbase64(buffer_octets(&drawn), &raw));
	assert_true(octets_equal(buffer_octets(&raw), buffer_octets(&secret)));
	buffer_free(&secret);
	assert_true(master_key_unseal(f->manage.master_key, octets_of_string(row.id),
	    buffer_octets(&row.sealed_credential), &secret, &why));
	assert_true(octets_equal(buffer_octets(&secret), token));
	webhook_row_free(&row);

	/* What is not set stays; without authentication the credential goes. */
	buffer_free(&drawn);
	c = (struct manage_webhook_change)MANAGE_WEBHOOK_KEEP;
	c.authentication = "none";
	assert_int_equal(manage_webhook_set(&f->manage, &f->actor, "demo", "v", &c, &drawn, &row,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(drawn.len, 0);
	assert_int_equal(row.sealed_credential.len, 0);
	assert_string_equal(row.url, "https://hook.example/validate");
	webhook_row_free(&row);
	buffer_free(&raw);
	buffer_free(&secret);
}

static void
all_that_is_wrong_with_a_webhook_is_told_at_once(void **state)
{
	struct manage_webhook_change c = MANAGE_WEBHOOK_KEEP;
	const struct octets few = octets_of_string("short");
	struct manage_fixture *f = *state;
	struct buffer drawn = {0};

	c.url = "http://hook.example/";
	c.authentication = "basic";
	c.credential = &few;
	c.secret = &few;
	c.ca_file = "relative.pem";
	c.timeout_ms = 60001;
	assert_int_equal(hook(f, "v", "validate", &c, &drawn), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "url") && manage_fixture_faults(f, "credentialFile") &&
		    manage_fixture_faults(f, "secretFile") && manage_fixture_faults(f, "caFile") &&
		    manage_fixture_faults(f, "timeout"));
	c = (struct manage_webhook_change)MANAGE_WEBHOOK_KEEP;
	c.authentication = "digest";
	assert_int_equal(hook(f, "a/b", "ask", &c, &drawn), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "name") && manage_fixture_faults(f, "kind") &&
		    manage_fixture_faults(f, "url") && manage_fixture_faults(f, "auth"));
	c.url = "https://hook.example/";
	c.authentication = "mtls";
	assert_int_equal(hook(f, "v", "notify", &c, &drawn), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "credentialFile"));
	assert_int_equal(drawn.len, 0);
}

static void
mode_webhook_keeps_one_that_validates(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_webhook_change w = MANAGE_WEBHOOK_KEEP;
	struct manage_fixture *f = *state;
	struct webhook_row row = {0};
	struct buffer drawn = {0};

	w.url = "https://hook.example/";
	c.challenge_mode = "webhook";
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	assert_int_equal(hook(f, "n", "notify", &w, &drawn), MANAGE_OK);
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	assert_int_equal(hook(f, "v", "validate", &w, &drawn), MANAGE_OK);
	assert_int_equal(set(f, &c), MANAGE_OK);

	assert_int_equal(
	    manage_webhook_delete(&f->manage, &f->actor, "demo", "v", manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	w = (struct manage_webhook_change)MANAGE_WEBHOOK_KEEP;
	w.enabled = 0;
	assert_int_equal(manage_webhook_set(&f->manage, &f->actor, "demo", "v", &w, &drawn, &row,
			     manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	webhook_row_free(&row);
	assert_int_equal(
	    manage_webhook_delete(&f->manage, &f->actor, "demo", "n", manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(
	    manage_profile_enable(&f->manage, &f->actor, "demo", false, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(
	    manage_webhook_delete(&f->manage, &f->actor, "demo", "v", manage_fixture_report(f)),
	    MANAGE_OK);
	buffer_free(&drawn);
}

static void
a_profile_has_so_many_webhooks_and_no_more(void **state)
{
	struct manage_webhook_change w = MANAGE_WEBHOOK_KEEP;
	struct manage_fixture *f = *state;
	struct buffer drawn = {0};
	char name[] = "n0";

	w.url = "https://hook.example/";
	for (; name[1] < '0' + WEBHOOKS_MAX; name[1]++)
		assert_int_equal(hook(f, name, "notify", &w, &drawn), MANAGE_OK);
	assert_int_equal(hook(f, name, "notify", &w, &drawn), MANAGE_FULL);
	buffer_free(&drawn);
}

/* --- modes --- */

static void
what_a_mode_reads_is_checked_and_kept(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_fixture *f = *state;
	struct manage_profile p;

	c.challenge_mode = "guess";
	c.challenge_length = 20;
	c.seat_field = "subject.title";
	c.limit_address = 1000001;
	assert_int_equal(set(f, &c), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "challengeMode") &&
		    manage_fixture_faults(f, "challengeLength") &&
		    manage_fixture_faults(f, "seatField") &&
		    manage_fixture_faults(f, "limitAddress"));
	c.challenge_mode = "enrollmentCode";
	c.challenge_length = 16;
	c.seat_field = "san.dns";
	c.limit_address = 10;
	c.limit_seat = 2;
	assert_int_equal(set(f, &c), MANAGE_OK);
	p = get(f);
	assert_string_equal(p.scep.challenge_mode, "enrollmentCode");
	assert_string_equal(p.scep.seat_field, "san.dns");
	assert_int_equal(p.scep.challenge_length, 16);
	assert_int_equal(p.scep.limit_address, 10);
	assert_int_equal(p.scep.limit_seat, 2);
	assert_int_equal(p.scep.limit_profile, 0);
}

static void
mode_none_without_approval_by_hand_is_warned_of(void **state)
{
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_fixture *f = *state;

	c.challenge_mode = "none";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 1);
	c.approval = "manual";
	assert_int_equal(set(f, &c), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_account_has_a_secret_that_can_be_changed_and_taken_away),
	    TEST(all_that_is_wrong_with_an_account_is_told_at_once),
	    TEST(a_connection_keeps_its_secret_sealed_to_its_id),
	    TEST(what_is_no_tenant_no_application_and_no_secret_is_refused),
	    TEST(mode_intune_wants_a_connection_and_neither_approval_nor_renewal),
	    TEST(a_webhook_has_a_secret_that_is_drawn_or_given),
	    TEST(all_that_is_wrong_with_a_webhook_is_told_at_once),
	    TEST(mode_webhook_keeps_one_that_validates),
	    TEST(a_profile_has_so_many_webhooks_and_no_more),
	    TEST(what_a_mode_reads_is_checked_and_kept),
	    TEST(mode_none_without_approval_by_hand_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
