/* test_authorise_intune.c: Intune decides about a CSR, and any doubt denies. */
#include <unistd.h>

#include "base/outbound_gate.h"
#include "tests/unit/authorise_fixture.h"
#include "tests/unit/outbound_fake.h"

static struct outbound_gate gate;
static _Atomic uint32_t workers = 4;
static struct intune connection;
static struct profile profile;
static const struct certificate no_signer;

static int
setup(void **state)
{
	(void)state;
	fake = (struct outbound_fake){.validate = INTUNE_DONE};
	memset(&gate, 0, sizeof(gate));
	rooms.authoriser.http = (struct http *)(void *)&connection; /* never looked into */
	rooms.authoriser.gate = &gate;
	rooms.authoriser.workers = &workers;
	rooms.why.line[0] = '\0';
	profile = *rooms_profile(&rooms);
	snprintf(profile.scep.challenge_mode, sizeof(profile.scep.challenge_mode), "intune");
	profile.intune = &connection;
	return 0;
}

/* A PKCSReq of a device that has no certificate yet. */
static enum authorise_rc
enrol(const char *challenge, struct authorisation *out)
{
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", challenge);
	const uint8_t repeat_key[32] = {1};
	const struct authorise_request q = {
	    .profile = &profile,
	    .message_type = SCEP_PKCS_REQ,
	    .signer = &no_signer,
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
what_intune_validates_is_allowed_and_must_be_told_to_it(void **state)
{
	struct authorisation a;

	(void)state;
	assert_int_equal(enrol("a challenge of Intune's", &a), AUTHORISE_ALLOW);
	assert_string_equal(a.method, "intune");
	assert_string_equal(a.delivery, "intune");
	assert_string_equal(fake.transaction_id, "T1");
	assert_int_equal(fake.validated, 1);
	assert_int_equal(a.challenge_version, profile.scep.challenge_version);
	assert_int_equal(gate.inside[0], getpid());
}

static void
what_intune_refuses_is_denied_as_a_wrong_challenge(void **state)
{
	struct authorisation a;

	(void)state;
	fake.validate = INTUNE_REFUSED;
	assert_int_equal(enrol("a wrong one", &a), AUTHORISE_DENY);
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	assert_int_equal(a.fail_info, SCEP_BAD_REQUEST);
	assert_false(a.undecided);
	is_told("the fake says");
}

static void
any_doubt_denies_and_is_nobodys_wrong_try(void **state)
{
	static const enum intune_rc doubts[] = {INTUNE_CREDENTIALS, INTUNE_PERMISSION, INTUNE_AWAY};
	struct authorisation a;

	(void)state;
	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		fake.validate = doubts[i];
		assert_int_equal(enrol("a challenge of Intune's", &a), AUTHORISE_DENY);
		assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
		assert_true(a.undecided);
	}
}

static void
a_profile_without_a_connection_denies(void **state)
{
	struct authorisation a;

	(void)state;
	profile.intune = NULL;
	assert_int_equal(enrol("a challenge of Intune's", &a), AUTHORISE_DENY);
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	assert_int_equal(fake.validated, 0);
}

static void
approval_by_hand_does_not_go_with_it(void **state)
{
	struct authorisation a;

	(void)state;
	snprintf(profile.scep.approval, sizeof(profile.scep.approval), "manual");
	assert_int_equal(enrol("a challenge of Intune's", &a), AUTHORISE_DENY);
	assert_int_equal(fake.validated, 0);
}

static void
a_csr_without_a_challenge_is_denied_unasked(void **state)
{
	struct authorisation a;

	(void)state;
	assert_int_equal(enrol(NULL, &a), AUTHORISE_DENY);
	assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
	assert_int_equal(fake.validated, 0);
}

static void
with_half_of_the_workers_in_calls_it_is_not_decided_now(void **state)
{
	struct authorisation a;

	(void)state;
	gate.inside[0] = 100001;
	gate.inside[1] = 100002;
	assert_int_equal(enrol("a challenge of Intune's", &a), AUTHORISE_AWAY);
	assert_int_equal(fake.validated, 0);
	gate.inside[1] = 0;
	assert_int_equal(enrol("a challenge of Intune's", &a), AUTHORISE_ALLOW);
}

static void
a_process_that_calls_nobody_allows_nothing(void **state)
{
	struct authorisation a;

	(void)state;
	rooms.authoriser.http = NULL;
	assert_int_equal(enrol("a challenge of Intune's", &a), AUTHORISE_AWAY);
	assert_int_equal(fake.validated, 0);
}

/* A request that the certificate der signs, 200 days on. */
static enum authorise_rc
renew(const struct certificate *signer, const char *challenge, struct authorisation *out)
{
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", challenge);
	const uint8_t repeat_key[32] = {2};
	const struct authorise_request q = {
	    .profile = &profile,
	    .message_type = SCEP_RENEWAL_REQ,
	    .signer = signer,
	    .csr = &csr,
	    .repeat_key = repeat_key,
	    .transaction_id = "T2",
	    .now_ms = (clock_now() + (int64_t)200 * 86400) * 1000,
	};
	enum authorise_rc rc = authorise_enrolment(&rooms.authoriser, &q, out, &rooms.why);

	csr_free(&csr);
	return rc;
}

static void
a_certificate_alone_renews_nothing(void **state)
{
	struct csr csr = rooms_csr(pki_rsa_key(), "CN=a", ROOMS_CHALLENGE);
	uint8_t repeat_key[32];
	struct issue_order order = rooms_order(&rooms, &csr, 1, repeat_key, clock_now());
	struct issue_result issued;
	struct certificate signer;
	struct authorisation a;

	(void)state;
	assert_int_equal(
	    issue_certificate(rooms.manage.store, &order, &issued, &rooms.why), ISSUE_DONE);
	csr_free(&csr);
	assert_true(certificate_parse(buffer_octets(&issued.certificate), &signer, &rooms.why));
	profile.scep.certificate_renewal = true;
	assert_int_equal(renew(&signer, NULL, &a), AUTHORISE_DENY);
	assert_int_equal(fake.validated, 0);
	fake.validate = INTUNE_REFUSED;
	assert_int_equal(renew(&signer, "a wrong one", &a), AUTHORISE_DENY);
	assert_int_equal(fake.validated, 1);
	fake.validate = INTUNE_DONE;
	assert_int_equal(renew(&signer, "a challenge of Intune's", &a), AUTHORISE_ALLOW);
	assert_string_equal(a.delivery, "intune");
	assert_true(a.predecessor_id > 0);
	/* The same under a profile that asks nobody. */
	snprintf(profile.scep.challenge_mode, sizeof(profile.scep.challenge_mode), "static");
	assert_int_equal(renew(&signer, NULL, &a), AUTHORISE_ALLOW);
	assert_null(a.delivery);
	certificate_free(&signer);
	issue_result_free(&issued);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(what_intune_validates_is_allowed_and_must_be_told_to_it, setup),
	    cmocka_unit_test_setup(what_intune_refuses_is_denied_as_a_wrong_challenge, setup),
	    cmocka_unit_test_setup(any_doubt_denies_and_is_nobodys_wrong_try, setup),
	    cmocka_unit_test_setup(a_profile_without_a_connection_denies, setup),
	    cmocka_unit_test_setup(approval_by_hand_does_not_go_with_it, setup),
	    cmocka_unit_test_setup(a_csr_without_a_challenge_is_denied_unasked, setup),
	    cmocka_unit_test_setup(with_half_of_the_workers_in_calls_it_is_not_decided_now, setup),
	    cmocka_unit_test_setup(a_process_that_calls_nobody_allows_nothing, setup),
	    cmocka_unit_test_setup(a_certificate_alone_renews_nothing, setup),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
