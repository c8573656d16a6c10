/* test_authorise_webhook.c: an operator's service decides, alone or behind another method. */
#include "base/outbound_gate.h"
#include "tests/unit/authorise_fixture.h"
#include "tests/unit/outbound_fake.h"

static struct outbound_gate gate;
static _Atomic uint32_t workers = 4;
static struct intune anything;
static struct profile_webhook webhooks[3];
static struct profile profile;

static int
setup(void **state)
{
	(void)state;
	fake = (struct outbound_fake){.validate = INTUNE_DONE};
	memset(&gate, 0, sizeof(gate));
	rooms.settings.outbound_timeout_ms = 5000;
	rooms.authoriser.http = (struct http *)(void *)&anything; /* never looked into */
	rooms.authoriser.gate = &gate;
	rooms.authoriser.workers = &workers;
	rooms.why.line[0] = '\0';
	memset(webhooks, 0, sizeof(webhooks));
	for (int i = 0; i < 3; i++) {
		snprintf(webhooks[i].name, sizeof(webhooks[i].name), "hook%d", i);
		webhooks[i].call.timeout_ms = 100000;
	}
	webhooks[1].notify = true;
	profile = *rooms_profile(&rooms);
	snprintf(profile.scep.challenge_mode, sizeof(profile.scep.challenge_mode), "webhook");
	profile.webhooks = webhooks;
	profile.webhook_count = 3;
	return 0;
}

static enum authorise_rc
enrol(const char *challenge, struct authorisation *out)
{
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", challenge);
	const struct certificate none = {0};
	const uint8_t repeat_key[32] = {1};
	const struct authorise_request q = {
	    .profile = &profile,
	    .message_type = SCEP_PKCS_REQ,
	    .signer = &none,
	    .signer_self_signed = true,
	    .csr = &csr,
	    .repeat_key = repeat_key,
	    .transaction_id = "T1",
	    .now_ms = clock_now_ms(),
	};
	enum authorise_rc rc = authorise_enrolment(&rooms.authoriser, &q, out, &rooms.why);

	csr_free(&csr);
	return rc;
}

static void
what_all_of_them_allow_is_allowed(void **state)
{
	struct authorisation a;

	(void)state;
	assert_int_equal(enrol("for the webhook", &a), AUTHORISE_ALLOW);
	assert_string_equal(a.method, "webhook");
	assert_int_equal(fake.asked, 2);
	assert_int_equal(fake.notified, 0);
	assert_string_equal(fake.challenge, "for the webhook");
	assert_string_equal(fake.transaction_id, "T1");
	assert_null(a.delivery);
}

static void
what_one_of_them_denies_is_denied(void **state)
{
	struct authorisation a;

	(void)state;
	fake.webhooks[1] = WEBHOOK_DENIED;
	assert_int_equal(enrol("x", &a), AUTHORISE_DENY);
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	assert_false(a.undecided);
	is_told("webhook hook2 denied: not this one");
	fake = (struct outbound_fake){.webhooks = {WEBHOOK_DENIED}};
	assert_int_equal(enrol("x", &a), AUTHORISE_DENY);
	assert_int_equal(fake.asked, 1);
}

static void
one_that_cannot_be_asked_denies_and_is_nobodys_wrong_try(void **state)
{
	struct authorisation a;

	(void)state;
	fake.webhooks[0] = WEBHOOK_AWAY;
	assert_int_equal(enrol("x", &a), AUTHORISE_DENY);
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	assert_true(a.undecided);
	is_told("hook0 cannot be asked: the fake is away");
}

static void
a_profile_of_this_mode_without_one_to_ask_denies(void **state)
{
	struct authorisation a;

	(void)state;
	profile.webhook_count = 0;
	assert_int_equal(enrol("x", &a), AUTHORISE_DENY);
	webhooks[0].notify = webhooks[2].notify = true;
	profile.webhook_count = 3;
	assert_int_equal(enrol("x", &a), AUTHORISE_DENY);
	assert_int_equal(fake.asked, 0);
}

static void
all_of_them_share_the_time_of_one_exchange(void **state)
{
	struct authorisation a;

	(void)state;
	assert_int_equal(enrol("x", &a), AUTHORISE_ALLOW);
	assert_true(fake.timeout_ms > 0 && fake.timeout_ms <= 5000);
	rooms.settings.outbound_timeout_ms = 0;
	assert_int_equal(enrol("x", &a), AUTHORISE_DENY);
	assert_int_equal(fake.asked, 2);
	assert_true(a.undecided);
}

static void
behind_a_challenge_they_are_asked_once_it_is_right(void **state)
{
	struct authorisation a;

	(void)state;
	snprintf(profile.scep.challenge_mode, sizeof(profile.scep.challenge_mode), "static");
	assert_int_equal(enrol("a wrong challenge", &a), AUTHORISE_DENY);
	assert_int_equal(fake.asked, 0);
	assert_int_equal(enrol(ROOMS_CHALLENGE, &a), AUTHORISE_ALLOW);
	assert_string_equal(a.method, "static");
	assert_int_equal(fake.asked, 2);
	fake.webhooks[2] = WEBHOOK_DENIED;
	assert_int_equal(enrol(ROOMS_CHALLENGE, &a), AUTHORISE_DENY);
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
}

static void
a_one_time_challenge_is_good_still_when_they_deny(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	profile = *rooms_profile(&rooms);
	profile.webhooks = webhooks;
	profile.webhook_count = 3;
	rooms_mint(&rooms, NULL, value);
	for (int i = 0; i < 4; i++) { /* more than may be tried in vain */
		fake = (struct outbound_fake){.webhooks = {WEBHOOK_DENIED}};
		assert_int_equal(enrol(value, &a), AUTHORISE_DENY);
		assert_false(a.one_time);
	}
	fake = (struct outbound_fake){.webhooks = {WEBHOOK_ALLOWED}};
	assert_int_equal(enrol(value, &a), AUTHORISE_ALLOW);
	assert_true(a.one_time);
	assert_true(authorise_release(&rooms.authoriser, &a, false, &rooms.why));
}

static void
with_half_of_the_workers_in_calls_they_are_not_asked_now(void **state)
{
	struct authorisation a;

	(void)state;
	gate.inside[0] = 100001;
	gate.inside[1] = 100002;
	assert_int_equal(enrol("x", &a), AUTHORISE_AWAY);
	assert_int_equal(fake.asked, 0);
	profile.webhook_count = 0;
	snprintf(profile.scep.challenge_mode, sizeof(profile.scep.challenge_mode), "static");
	assert_int_equal(enrol(ROOMS_CHALLENGE, &a), AUTHORISE_ALLOW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(what_all_of_them_allow_is_allowed, setup),
	    cmocka_unit_test_setup(what_one_of_them_denies_is_denied, setup),
	    cmocka_unit_test_setup(one_that_cannot_be_asked_denies_and_is_nobodys_wrong_try, setup),
	    cmocka_unit_test_setup(a_profile_of_this_mode_without_one_to_ask_denies, setup),
	    cmocka_unit_test_setup(all_of_them_share_the_time_of_one_exchange, setup),
	    cmocka_unit_test_setup(behind_a_challenge_they_are_asked_once_it_is_right, setup),
	    cmocka_unit_test_setup(a_one_time_challenge_is_good_still_when_they_deny, setup),
	    cmocka_unit_test_setup(with_half_of_the_workers_in_calls_they_are_not_asked_now, setup),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
