/* test_renewal.c: a certificate that authorises its own renewal, and each reason why one does not. */
#include "tests/unit/renewal_fixture.h"

/* ---- what is allowed */

static void
a_certificate_renews_itself_with_a_new_key_or_its_own(void **state)
{
	EVP_PKEY *const keys[] = {pki_rsa_key(), pki_other_rsa_key()};
	const int types[] = {SCEP_RENEWAL_REQ, SCEP_PKCS_REQ};
	struct renewing r;

	(void)state;
	for (int i = 0; i < 4; i++) {
		start(&r, "CN=a", "CN=a", keys[i / 2], NULL);
		r.q.message_type = types[i % 2];
		is_allowed(&r, "certificate", true);
		end(&r);
	}
}

static void
fixed(struct manage_profile_change *c)
{
	static const struct field_row fields[] = {
	    {.type = "subject.commonName", .source = "scepRequest"},
	    {.type = "subject.organization", .source = "fixed", .value = "Refreshed"},
	};

	c->fields = fields;
	c->field_count = 2;
}

static void
what_the_profile_fixes_may_differ(void **state)
{
	struct renewing r;

	(void)state;
	start(&r, "O=old,CN=a", "CN=a", pki_rsa_key(), NULL);
	is_denied(&r, SCEP_BAD_REQUEST, "subject.organization");
	set(fixed);
	r.q.profile = rooms_profile(&rooms);
	is_allowed(&r, "certificate", true);
	end(&r);
}

/* ---- what is wrong with the certificate */

static void
a_certificate_that_is_not_in_the_store_is_a_bad_one(void **state)
{
	struct renewing r;
	uint8_t der[4096];

	(void)state;
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	assert_true(r.signer.der.len < sizeof(der));
	/* The same serial with another signature. */
	memcpy(der, r.signer.der.data, r.signer.der.len);
	der[r.signer.der.len - 1] ^= 1;
	r.signer.der = octets_of(der, r.signer.der.len);
	is_denied(&r, SCEP_BAD_CERT_ID, "not known");
	end(&r);
}

static void
an_expired_certificate_renews_up_to_its_last_second(void **state)
{
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	r.q.now_ms = r.signer.not_after * 1000;
	is_allowed(&r, "certificate", true);
	r.q.now_ms += 1000;
	is_denied(&r, SCEP_BAD_CERT_ID, "expired");
	r.q.now_ms = (r.signer.not_before - 1) * 1000;
	is_denied(&r, SCEP_BAD_CERT_ID, "not valid yet");
	end(&r);
}

static void
a_revoked_certificate_renews_nothing(void **state)
{
	struct audit_event event = {
	    .actor = "test", .action = "certificate.revoke", .outcome = "success", .count = 1};
	struct authorisation a;
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	assert_int_equal(decide(&r, &a), AUTHORISE_ALLOW);
	assert_int_equal(store_revoke(rooms.manage.store, a.predecessor_id, REVOCATION_HOLD,
			     clock_now(), &event, &rooms.why),
	    STORE_OK);
	is_denied(&r, SCEP_BAD_CERT_ID, "revoked");
	assert_int_equal(
	    store_unhold(rooms.manage.store, a.predecessor_id, &event, &rooms.why), STORE_OK);
	is_allowed(&r, "certificate", true);
	end(&r);
}

static void
a_certificate_of_another_profile_needs_to_be_named_or_of_the_lineage(void **state)
{
	struct renewing r;
	struct profile p;

	(void)state;
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	p = *r.q.profile;
	r.q.profile = &p;
	memset(p.scep.id, 'x', sizeof(p.scep.id) - 1);
	is_allowed(&r, "certificate", true); /* its lineage is still the same */
	memset(p.scep.lineage, 'x', sizeof(p.scep.lineage) - 1);
	is_denied(&r, SCEP_BAD_CERT_ID, "another profile");
	memcpy(p.scep.renew_from[0], rooms_profile(&rooms)->scep.id, sizeof(p.scep.id));
	p.scep.renew_from_count = 1;
	is_allowed(&r, "certificate", true);
	memset(p.authorities[0].lineage, 'x', sizeof(p.authorities[0].lineage) - 1);
	is_denied(&r, SCEP_BAD_CERT_ID, "another CA");
	end(&r);
}

static void
a_self_signed_signer_of_a_renewal_renews_nothing(void **state)
{
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	r.q.signer_self_signed = true;
	is_denied(&r, SCEP_BAD_CERT_ID, "self-signed");
	r.q.message_type = SCEP_PKCS_REQ;
	is_denied(&r, SCEP_BAD_REQUEST, ""); /* a first enrolment without a challenge */
	end(&r);
}

/* ---- what is wrong with the request */

static void
in_days(struct manage_profile_change *c)
{
	c->renewal_threshold_days = 30;
}

static void
a_renewal_may_come_in_the_second_half_or_the_last_days(void **state)
{
	struct renewing r;
	int64_t half;

	(void)state;
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	half = r.signer.not_before + (r.signer.not_after - r.signer.not_before) / 2;
	r.q.now_ms = half * 1000;
	is_allowed(&r, "certificate", true);
	r.q.now_ms -= 1000;
	is_denied(&r, SCEP_BAD_REQUEST, "too early");

	set(in_days);
	r.q.profile = rooms_profile(&rooms);
	r.q.now_ms = (r.signer.not_after - 30 * DAY) * 1000;
	is_allowed(&r, "certificate", true);
	r.q.now_ms -= 1000;
	is_denied(&r, SCEP_BAD_REQUEST, "too early");
	end(&r);
}

static void
another_subject_is_refused_by_name(void **state)
{
	struct renewing r;

	(void)state;
	start(&r, "CN=a", "CN=b", pki_rsa_key(), NULL);
	is_denied(&r, SCEP_BAD_REQUEST, "subject.commonName");
	end(&r);
}

static void
new_key(struct manage_profile_change *c)
{
	c->same_key_renewal = 0;
}

static void
a_profile_may_want_a_new_key(void **state)
{
	struct renewing r;

	(void)state;
	set(new_key);
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	is_denied(&r, SCEP_BAD_REQUEST, "new key");
	end(&r);
	start(&r, "CN=a", "CN=a", pki_other_rsa_key(), NULL);
	is_allowed(&r, "certificate", true);
	end(&r);
}

static void
one_successor(struct manage_profile_change *c)
{
	c->max_successors = 1;
}

/* Renew for real, as an order that authorise allowed. */
static enum issue_rc
issue(struct renewing *r, const struct authorisation *a)
{
	uint8_t repeat_key[32];
	struct issue_order order =
	    rooms_order(&rooms, &r->csr, next_request++, repeat_key, r->q.now_ms / 1000);
	struct issue_result result;
	enum issue_rc rc;

	order.predecessor_id = a->predecessor_id;
	rc = issue_certificate(rooms.manage.store, &order, &result, &rooms.why);
	issue_result_free(&result);
	return rc;
}

static void
a_certificate_has_as_many_successors_as_the_profile_allows(void **state)
{
	struct authorisation a;
	struct renewing r;

	(void)state;
	set(one_successor);
	start(&r, "CN=a", "CN=a", pki_rsa_key(), NULL);
	assert_int_equal(decide(&r, &a), AUTHORISE_ALLOW);
	assert_int_equal(issue(&r, &a), ISSUE_DONE);
	/* Two that were allowed at the same moment: the commit counts again. */
	assert_int_equal(issue(&r, &a), ISSUE_CHANGED);
	is_denied(&r, SCEP_BAD_REQUEST, "renewed 1 times");
	end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_certificate_renews_itself_with_a_new_key_or_its_own),
	    CASE(what_the_profile_fixes_may_differ),
	    CASE(a_certificate_that_is_not_in_the_store_is_a_bad_one),
	    CASE(an_expired_certificate_renews_up_to_its_last_second),
	    CASE(a_revoked_certificate_renews_nothing),
	    CASE(a_certificate_of_another_profile_needs_to_be_named_or_of_the_lineage),
	    CASE(a_self_signed_signer_of_a_renewal_renews_nothing),
	    CASE(a_renewal_may_come_in_the_second_half_or_the_last_days),
	    CASE(another_subject_is_refused_by_name),
	    CASE(a_profile_may_want_a_new_key),
	    CASE(a_certificate_has_as_many_successors_as_the_profile_allows),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
