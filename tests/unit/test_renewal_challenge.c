/* test_renewal_challenge.c: a challenge beside a certificate: who gets at it, and who does not. */
#include "tests/unit/renewal_fixture.h"

static void
a_challenge_beside_a_certificate_that_authorises_is_not_looked_at(void **state)
{
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=a", pki_rsa_key(), "a wrong challenge");
	is_allowed(&r, "certificate", true);
	end(&r);
}

static void
challenge_too(struct manage_profile_change *c)
{
	c->certificate_renewal = 0;
}

static void
a_profile_may_want_a_challenge_beside_the_certificate(void **state)
{
	struct renewing r;

	(void)state;
	set(challenge_too);
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	is_denied(&r, SCEP_BAD_REQUEST, "");
	end(&r);
	start(&r, "CN=a", "CN=a", pki_rsa_key(), "wrong");
	is_denied(&r, SCEP_BAD_REQUEST, "");
	end(&r);
	start(&r, "CN=a", "CN=a", pki_rsa_key(), ROOMS_CHALLENGE);
	is_allowed(&r, "static", true);
	end(&r);
}

static void
a_valid_challenge_beside_an_expired_certificate_is_a_first_enrolment(void **state)
{
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=a", pki_rsa_key(), ROOMS_CHALLENGE);
	r.q.now_ms = (r.signer.not_after + DAY) * 1000;
	is_allowed(&r, "static", false);
	end(&r);
	start(&r, "CN=a", "CN=a", pki_rsa_key(), "wrong");
	r.q.now_ms = (r.signer.not_after + DAY) * 1000;
	is_denied(&r, SCEP_BAD_CERT_ID, "expired");
	end(&r);
}

static void
no_signer_key(struct manage_profile_change *c)
{
	c->require_signer_key = 0;
}

/* Otherwise whoever sees a message could wrap its envelope anew, and spend the challenge in it. */
static void
a_foreign_signer_with_another_key_does_not_get_at_the_challenge(void **state)
{
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=victim", pki_other_rsa_key(), ROOMS_CHALLENGE);
	r.signer.der.len--; /* no longer one of ours */
	is_denied(&r, SCEP_BAD_CERT_ID, "not known");
	set(no_signer_key);
	r.q.profile = rooms_profile(&rooms);
	is_allowed(&r, "static", false);
	end(&r);
	start(&r, "CN=a", "CN=a", pki_rsa_key(), ROOMS_CHALLENGE);
	r.signer.der.len--;
	is_allowed(&r, "static", false);
	end(&r);
}

/* The same by a device of ours, in time or expired: only for its own names does its certificate speak. */
static void
a_signer_of_ours_does_not_get_at_the_challenge_of_another(void **state)
{
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=victim", pki_other_rsa_key(), ROOMS_CHALLENGE);
	is_denied(&r, SCEP_BAD_REQUEST, "subject.commonName");
	r.q.now_ms = (r.signer.not_after + DAY) * 1000;
	is_denied(&r, SCEP_BAD_CERT_ID, "expired");
	set(no_signer_key);
	r.q.profile = rooms_profile(&rooms);
	is_allowed(&r, "static", false);
	end(&r);
	set(defaults);
	start(&r, "CN=a", "CN=another", pki_rsa_key(), ROOMS_CHALLENGE);
	is_allowed(&r, "static", false);
	end(&r);
	start(&r, "CN=a", "CN=a", pki_other_rsa_key(), ROOMS_CHALLENGE);
	r.q.now_ms = (r.signer.not_after + DAY) * 1000;
	is_allowed(&r, "static", false);
	end(&r);
}

/* Whoever wraps a message anew reads the answer: the CSR in it was for our eyes. */
static void
another_subject_is_told_to_the_audit_alone(void **state)
{
	struct authorisation a;
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=victim", pki_other_rsa_key(), NULL);
	assert_int_equal(decide(&r, &a), AUTHORISE_DENY);
	assert_null(strstr(a.text.line, "victim"));
	assert_non_null(strstr(rooms.why.line, "victim"));
	end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_challenge_beside_a_certificate_that_authorises_is_not_looked_at),
	    CASE(a_profile_may_want_a_challenge_beside_the_certificate),
	    CASE(a_valid_challenge_beside_an_expired_certificate_is_a_first_enrolment),
	    CASE(a_foreign_signer_with_another_key_does_not_get_at_the_challenge),
	    CASE(a_signer_of_ours_does_not_get_at_the_challenge_of_another),
	    CASE(another_subject_is_told_to_the_audit_alone),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
