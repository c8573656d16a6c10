/* test_manage_profile.c: making, changing and removing profiles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "authorise/authorise.h"
#include "pki/algorithm.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "tests/unit/manage_fixture.h"

static int
setup(void **state)
{
	if (manage_fixture_setup(state) != 0)
		return -1;
	manage_fixture_authority(*state);
	return 0;
}

static enum manage_rc
create(struct manage_fixture *f, const char *name, const char *ca, bool enabled,
    const struct manage_profile_change *c)
{
	const struct manage_profile_order o = {
	    .name = name, .authority = ca, .ra_key = "rsa:2048", .enabled = enabled, .change = c};
	struct manage_profile p;

	return manage_profile_create(&f->manage, &f->actor, &o, &p, manage_fixture_report(f));
}

static enum manage_rc
set(struct manage_fixture *f, const char *name, const struct manage_profile_change *c)
{
	struct manage_profile p;

	return manage_profile_set(&f->manage, &f->actor, name, c, &p, manage_fixture_report(f));
}

static struct manage_profile
get(struct manage_fixture *f, const char *name)
{
	struct manage_profile p;

	assert_int_equal(
	    manage_profile_get(&f->manage, name, &p, manage_fixture_report(f)), MANAGE_OK);
	return p;
}

static void
a_profile_comes_with_an_ra_certificate_of_its_ca(void **state)
{
	struct manage_fixture *f = *state;
	struct ra_certificate_row ra = {0};
	struct authority_row ca = {0};
	struct certificate c, issuer;
	struct buffer subject = {0};
	struct manage_profile p;
	struct errbuf why = {0};

	manage_fixture_profile(f, "demo", "2987577aaeea1613a03e81a5");
	p = get(f, "demo");
	assert_true(p.scep.enabled && p.scep.challenge_set && !p.scep.challenge_weak);
	assert_string_equal(p.scep.challenge_mode, "static");
	assert_int_equal(manage_fixture_keys(f), 2);

	assert_int_equal(
	    store_ra_certificate_get(f->manage.store, p.scep.ra_certificate_id, &ra, &why),
	    STORE_OK);
	assert_int_equal(manage_authority_get(&f->manage, "test-ca", &ca, &f->report), MANAGE_OK);
	assert_true(certificate_parse(buffer_octets(&ra.certificate), &c, &why));
	assert_true(certificate_parse(buffer_octets(&ca.certificate), &issuer, &why));
	assert_true(certificate_verify(&c, &issuer, &why));
	assert_int_equal(c.key_usage, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT);
	assert_false(c.ca);
	assert_true(c.not_after <= issuer.not_after);
	assert_true(name_to_text(c.subject, &subject));
	assert_string_equal(buffer_string(&subject), "CN=demo SCEP RA,O=Exa\\, mple");
	certificate_free(&c);
	certificate_free(&issuer);
	buffer_free(&subject);
	ra_certificate_row_free(&ra);
	authority_row_free(&ca);
}

static void
the_static_challenge_is_kept_as_the_id_that_authorise_makes(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile p;
	uint8_t id[CHALLENGE_ID_SIZE];

	manage_fixture_profile(f, "demo", "2987577aaeea1613a03e81a5");
	p = get(f, "demo");
	assert_true(authorise_challenge_id(
	    f->manage.master_key, p.scep.id, octets_of_string("2987577aaeea1613a03e81a5"), id));
	assert_memory_equal(id, p.scep.challenge_hash, sizeof(id));
	assert_true(authorise_challenge_id(
	    f->manage.master_key, p.scep.id, octets_of_string("2987577aaeea1613a03e81a6"), id));
	assert_memory_not_equal(id, p.scep.challenge_hash, sizeof(id));
}

static void
no_audit_row_tells_a_challenge(void **state)
{
	struct manage_fixture *f = *state;
	struct octets value = octets_of_string("another-long-secret-77");
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	manage_fixture_profile(f, "demo", "2987577aaeea1613a03e81a5");
	assert_null(strstr(manage_fixture_event(f), "2987577"));
	c.challenge = &value;
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
	assert_string_equal(manage_fixture_event(f), "profile.update: challenge: set -> set anew");
}

static void
a_refused_profile_leaves_neither_rows_nor_key_files(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_profile p;
	int keys = manage_fixture_keys(f);

	assert_int_equal(create(f, "demo", "test-ca", true, &c), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "challengeMode"));
	assert_int_equal(create(f, "demo", "other-ca", false, &c), MANAGE_NOT_FOUND);
	assert_int_equal(create(f, "a/b", "test-ca", false, &c), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "name"));
	assert_int_equal(create(f, "demo", "test-ca", false, &c), MANAGE_OK);
	assert_int_equal(manage_fixture_keys(f), keys + 1);
	assert_int_equal(create(f, "demo", "test-ca", false, &c), MANAGE_CONFLICT);
	assert_int_equal(manage_fixture_keys(f), keys + 1);
	assert_int_equal(manage_profile_get(&f->manage, "a/b", &p, &f->report), MANAGE_NOT_FOUND);
}

static void
a_deleted_profile_can_be_made_again_under_its_name(void **state)
{
	struct manage_fixture *f = *state;

	manage_fixture_profile(f, "demo", NULL);
	assert_int_equal(
	    manage_profile_delete(&f->manage, &f->actor, "demo", manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(
	    manage_profile_delete(&f->manage, &f->actor, "demo", manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
	manage_fixture_profile(f, "demo", NULL);
	assert_string_equal(get(f, "demo").scep.challenge_mode, "dynamic");
}

static void
enabling_wants_a_way_to_authorise(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	assert_int_equal(create(f, "demo", "test-ca", false, &c), MANAGE_OK);
	assert_int_equal(
	    manage_profile_enable(&f->manage, &f->actor, "demo", true, manage_fixture_report(f)),
	    MANAGE_INVALID);
	c.challenge_mode = "static";
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
	assert_int_equal(
	    manage_profile_enable(&f->manage, &f->actor, "demo", true, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "challenge"));
	c.challenge_mode = "dynamic";
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
	assert_int_equal(
	    manage_profile_enable(&f->manage, &f->actor, "demo", true, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_true(get(f, "demo").scep.enabled);
	/* And an enabled one cannot lose it. */
	c.challenge_mode = "static";
	assert_int_equal(set(f, "demo", &c), MANAGE_INVALID);
	assert_string_equal(get(f, "demo").scep.challenge_mode, "dynamic");
}

static void
broken_algorithms_need_their_own_word(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	manage_fixture_profile(f, "demo", NULL);
	c.digests = PKI_SHA256 | PKI_MD5;
	c.ciphers = PKI_AES128 | PKI_DES;
	assert_int_equal(set(f, "demo", &c), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "digests") && manage_fixture_faults(f, "ciphers"));
	c.allow_legacy = true;
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 2);
	assert_int_equal(get(f, "demo").scep.digests, PKI_SHA256 | PKI_MD5);
}

static void
no_device_may_sign_ocsp_responses(void **state)
{
	static const char *const bad[] = {"OCSPSigning", "clientAuth,OCSPSigning",
	    "1.3.6.1.5.5.7.3.9", "clientAuth,1.3.6.1.5.5.7.3.9,serverAuth"};
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;

	manage_fixture_profile(f, "demo", "2987577aaeea1613a03e81a5");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c.eku = bad[i];
		assert_int_equal(set(f, "demo", &c), MANAGE_INVALID);
	}
	c.eku = "clientAuth,1.3.6.1.5.5.7.3.99";
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
}

static void
all_that_is_wrong_is_told_at_once_and_nothing_changes(void **state)
{
	const struct field_row field = {.type = "subject.nothing", .source = "scepRequest"};
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct octets shorty = octets_of_string("short");

	manage_fixture_profile(f, "demo", "2987577aaeea1613a03e81a5");
	c.challenge = &shorty;
	c.challenge_expiry_s = 59;
	c.max_pending = 0;
	c.validity_days = 0;
	c.min_rsa_bits = 4096;
	c.max_rsa_bits = 2048;
	c.key_usage = "digitalSignature,keyCertSign";
	c.eku = "1.2.x";
	c.cert_rep = "all";
	c.fields = &field;
	c.field_count = 1;
	c.replay_hours = 721;
	assert_int_equal(set(f, "demo", &c), MANAGE_INVALID);
	assert_int_equal(f->report.fault_count, 10);
	assert_int_equal(get(f, "demo").scep.version, 1);
	assert_int_equal(get(f, "demo").ra.validity_days, 365);
}

static void
what_is_set_is_there_and_the_audit_has_before_and_after(void **state)
{
	const struct field_row fields[2] = {
	    {.type = "subject.commonName", .source = "scepRequest", .required = true},
	    {.type = "subject.organization", .source = "fixed", .value = "Example, Inc"}};
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_profile p;

	manage_fixture_profile(f, "demo", NULL);
	c.max_pending = 7;
	c.cert_rep = "chain";
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
	assert_string_equal(manage_fixture_event(f),
	    "profile.update: maxPending: 100 -> 7; certRep: leaf -> chain");
	c = (struct manage_profile_change)MANAGE_PROFILE_KEEP;
	c.fields = fields;
	c.field_count = 2;
	c.eku = "";
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
	assert_string_equal(manage_fixture_event(f),
	    "raProfile.update: eku: clientAuth -> none; fields: 0 -> 2 "
	    "(+subject.commonName,required; +subject.organization,fixed=Example, Inc)");
	p = get(f, "demo");
	assert_int_equal(p.scep.max_pending, 7);
	assert_true(p.scep.include_ca_chain && p.scep.include_ca_certificate);
	assert_int_equal(p.ra.field_count, 2);
	assert_string_equal(p.ra.fields[1].value, "Example, Inc");
	c = (struct manage_profile_change)MANAGE_PROFILE_KEEP;
	c.field_count = 0;
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
	assert_int_equal(get(f, "demo").ra.field_count, 0);
}

static void
a_change_that_changes_nothing_writes_nothing(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	int64_t version;

	manage_fixture_profile(f, "demo", NULL);
	version = get(f, "demo").scep.version;
	c.max_pending = 100;
	c.require_signer_key = 1;
	c.digests = PKI_DIGESTS_DEFAULT;
	assert_int_equal(set(f, "demo", &c), MANAGE_OK);
	assert_int_equal(get(f, "demo").scep.version, version);
	assert_non_null(strstr(manage_fixture_event(f), "profile.create"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_profile_comes_with_an_ra_certificate_of_its_ca),
	    CASE(the_static_challenge_is_kept_as_the_id_that_authorise_makes),
	    CASE(no_audit_row_tells_a_challenge),
	    CASE(a_refused_profile_leaves_neither_rows_nor_key_files),
	    CASE(a_deleted_profile_can_be_made_again_under_its_name),
	    CASE(enabling_wants_a_way_to_authorise),
	    CASE(broken_algorithms_need_their_own_word),
	    CASE(all_that_is_wrong_is_told_at_once_and_nothing_changes),
	    CASE(what_is_set_is_there_and_the_audit_has_before_and_after),
	    CASE(no_device_may_sign_ocsp_responses),
	    CASE(a_change_that_changes_nothing_writes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
