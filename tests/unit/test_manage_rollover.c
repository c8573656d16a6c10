/* test_manage_rollover.c: the next generation of a CA: prepared, switched to, taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/manage/generation.h"
#include "fcgi-admin/manage/ra_rotation.h"
#include "fcgi-admin/manage/responder.h"
#include "fcgi-admin/manage/rollover.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "store/revocation.h"
#include "tests/unit/manage_fixture.h"

#define DAY 86400

static int
setup(void **state)
{
	if (manage_fixture_setup(state) != 0)
		return -1;
	manage_fixture_authority(*state);
	manage_fixture_profile(*state, "demo", NULL);
	manage_fixture_profile(*state, "mdm", NULL);
	return 0;
}

static enum manage_rc
prepare(struct manage_fixture *f, const char *ca, struct authority_row *out)
{
	const struct manage_rollover_order o = {.authority = ca};
	int profiles = 0;

	return manage_rollover_prepare(
	    &f->manage, &f->actor, &o, out, &profiles, manage_fixture_report(f));
}

static void
prepared(struct manage_fixture *f)
{
	struct authority_row next;

	assert_int_equal(prepare(f, "test-ca", &next), MANAGE_OK);
	authority_row_free(&next);
}

static enum manage_rc
switch_to(struct manage_fixture *f, const char *ca, int64_t overlap_s)
{
	struct authority_row now;
	enum manage_rc rc = manage_rollover_switch(
	    &f->manage, &f->actor, ca, overlap_s, &now, manage_fixture_report(f));

	if (rc == MANAGE_OK)
		authority_row_free(&now);
	return rc;
}

static struct manage_generation
generation(struct manage_fixture *f, const char *ca, char state[16])
{
	struct authority_row row = {0};
	struct manage_generation g;

	assert_int_equal(
	    manage_authority_get(&f->manage, ca, &row, manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(
	    manage_generation_read(&f->manage, &row, &g, manage_fixture_report(f)), MANAGE_OK);
	memcpy(state, row.state, sizeof(row.state));
	authority_row_free(&row);
	return g;
}

/* How many RA certificates of profile (NULL: of all) have role and are by CA name. */
struct ra_count {
	const char *role;
	const char *authority;
	int count;
};

static bool
count_ra(void *ctx, const struct manage_ra *ra)
{
	struct ra_count *c = ctx;

	assert_string_equal(ra->key, "RSA-2048");
	c->count += strcmp(ra->role, c->role) == 0 && strcmp(ra->authority, c->authority) == 0;
	return true;
}

static int
ras(struct manage_fixture *f, const char *profile, const char *role, const char *authority)
{
	struct ra_count c = {.role = role, .authority = authority};

	assert_int_equal(
	    manage_ra_each(&f->manage, profile, count_ra, &c, manage_fixture_report(f)), MANAGE_OK);
	return c.count;
}

static void
the_next_generation_is_like_the_one_before_and_has_ra_certificates(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row old, next;
	struct certificate a, b;
	struct manage_generation g;
	struct errbuf why = {0};
	char is[16];
	int keys = manage_fixture_keys(f);

	assert_int_equal(manage_authority_set_urls(&f->manage, &f->actor, "test-ca",
			     "http://scep.example/crl/test-ca.crl",
			     "http://scep.example/ocsp/test-ca", manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(prepare(f, "test-ca", &next), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 0);
	assert_string_equal(next.name, "test-ca-g2");
	assert_string_equal(next.crl_url, "http://scep.example/crl/test-ca-g2.crl");
	assert_string_equal(next.ocsp_url, "http://scep.example/ocsp/test-ca-g2");
	assert_string_equal(manage_fixture_event_of(f, "authority.rollover"),
	    "authority.rollover: CA test-ca-g2 is to succeed CA test-ca; next RA certificates: "
	    "demo, mdm");
	assert_int_equal(manage_fixture_keys(f), keys + 3);
	assert_int_equal(
	    manage_authority_get(&f->manage, "test-ca", &old, manage_fixture_report(f)), MANAGE_OK);
	assert_true(certificate_parse(buffer_octets(&old.certificate), &a, &why));
	assert_true(certificate_parse(buffer_octets(&next.certificate), &b, &why));
	assert_true(octets_equal(a.subject, b.subject));
	assert_false(octets_equal(a.spki, b.spki));
	assert_true(b.ca && certificate_verify(&b, &b, &why));
	assert_int_equal(b.not_after - b.not_before, a.not_after - a.not_before);
	assert_string_equal(next.lineage, old.lineage);
	g = generation(f, "test-ca", is);
	assert_string_equal(is, "active");
	assert_string_equal(g.next, "test-ca-g2");
	assert_int_equal(g.number, 1);
	g = generation(f, "test-ca-g2", is);
	assert_string_equal(is, "next");
	assert_string_equal(g.predecessor, "test-ca");
	assert_string_equal(g.current, "test-ca");
	assert_int_equal(g.number, 2);
	assert_true(g.responder_not_after > clock_now() + 80 * DAY);
	assert_int_equal(ras(f, NULL, "next", "test-ca-g2"), 2);
	assert_int_equal(ras(f, NULL, "current", "test-ca"), 2);
	certificate_free(&a);
	certificate_free(&b);
	authority_row_free(&old);
	authority_row_free(&next);
}

static void
one_rollover_at_a_time(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row next;
	int keys;

	prepared(f);
	keys = manage_fixture_keys(f);
	assert_int_equal(prepare(f, "test-ca", &next), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "scepctl ca switch test-ca"));
	assert_int_equal(prepare(f, "test-ca-g2", &next), MANAGE_CONFLICT);
	assert_int_equal(prepare(f, "nobody", &next), MANAGE_NOT_FOUND);
	assert_int_equal(manage_fixture_keys(f), keys);
}

static void
what_cannot_be_prepared_leaves_no_key(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_rollover_order o = {
	    .authority = "test-ca", .subject = "x", .key = "ec:P-256", .name = "b"};
	struct authority_row next;
	int profiles, keys = manage_fixture_keys(f);

	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &next, &profiles, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "subject"));
	o.subject = "CN=Next";
	o.key = "ec:P-1";
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &next, &profiles, manage_fixture_report(f)),
	    MANAGE_INVALID);
	o.key = NULL;
	o.name = "test-ca";
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &next, &profiles, manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	o.name = "a/b";
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &next, &profiles, manage_fixture_report(f)),
	    MANAGE_INVALID);
	assert_int_equal(manage_fixture_keys(f), keys);
	o.name = "other";
	o.key = "rsa:2048";
	o.validity_days = 10;
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &next, &profiles, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(profiles, 2);
	assert_string_equal(next.name, "other");
	assert_true(next.not_after < clock_now() + 11 * DAY);
	authority_row_free(&next);
}

static void
after_the_switch_the_new_one_issues_and_the_old_one_is_retired(void **state)
{
	struct manage_fixture *f = *state;
	struct manage_profile_change c = MANAGE_PROFILE_KEEP;
	struct manage_profile_order o = {.name = "late",
	    .authority = "test-ca",
	    .ra_key = "rsa:2048",
	    .enabled = false,
	    .change = &c};
	struct manage_profile p;
	struct manage_generation g;
	char is[16];

	assert_int_equal(switch_to(f, "test-ca", DAY), MANAGE_CONFLICT);
	prepared(f);
	assert_int_equal(switch_to(f, "test-ca", -1), MANAGE_INVALID);
	assert_int_equal(switch_to(f, "test-ca", 401 * DAY), MANAGE_INVALID);
	assert_int_equal(switch_to(f, "test-ca", DAY), MANAGE_OK);
	g = generation(f, "test-ca", is);
	assert_string_equal(is, "retired");
	assert_string_equal(g.current, "test-ca-g2");
	assert_string_equal(g.next, "");
	generation(f, "test-ca-g2", is);
	assert_string_equal(is, "active");
	assert_int_equal(ras(f, NULL, "current", "test-ca-g2"), 2);
	assert_int_equal(ras(f, NULL, "previous", "test-ca"), 2);
	assert_int_equal(
	    manage_profile_get(&f->manage, "demo", &p, manage_fixture_report(f)), MANAGE_OK);
	assert_string_equal(p.authority, "test-ca-g2");
	/* What is made from now on is made under the new one. */
	assert_int_equal(
	    manage_profile_create(&f->manage, &f->actor, &o, &p, manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "test-ca-g2"));
	o.authority = "test-ca-g2";
	assert_int_equal(
	    manage_profile_create(&f->manage, &f->actor, &o, &p, manage_fixture_report(f)),
	    MANAGE_OK);
}

static void
the_third_generation_has_its_number(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row next;
	struct manage_generation g;
	char is[16];

	prepared(f);
	assert_int_equal(switch_to(f, "test-ca-g2", DAY), MANAGE_OK);
	assert_int_equal(prepare(f, "test-ca-g2", &next), MANAGE_OK);
	assert_string_equal(next.name, "test-ca-g3");
	authority_row_free(&next);
	g = generation(f, "test-ca-g3", is);
	assert_int_equal(g.number, 3);
	assert_string_equal(g.predecessor, "test-ca-g2");
	assert_int_equal(prepare(f, "test-ca", &next), MANAGE_CONFLICT);
	assert_int_equal(switch_to(f, "test-ca", DAY), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "is retired"));
}

static void
a_url_that_does_not_name_the_ca_is_warned_of(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row next;

	assert_int_equal(manage_authority_set_urls(&f->manage, &f->actor, "test-ca",
			     "http://crl.example/list.crl", "http://scep.example/ocsp/test-ca2",
			     manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(prepare(f, "test-ca", &next), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 2);
	assert_string_equal(next.crl_url, "http://crl.example/list.crl");
	assert_string_equal(next.ocsp_url, "http://scep.example/ocsp/test-ca2");
	authority_row_free(&next);
}

static void
a_profile_made_in_between_is_switched_too(void **state)
{
	struct manage_fixture *f = *state;

	prepared(f);
	manage_fixture_profile(f, "late", NULL);
	assert_int_equal(ras(f, "late", "next", "test-ca-g2"), 1);
	assert_int_equal(switch_to(f, "test-ca", DAY), MANAGE_OK);
	assert_int_equal(ras(f, "late", "current", "test-ca-g2"), 1);
}

static void
what_is_taken_back_leaves_nothing_behind(void **state)
{
	struct manage_fixture *f = *state;
	struct authority_row next;
	int keys = manage_fixture_keys(f);

	assert_int_equal(
	    manage_rollover_cancel(&f->manage, &f->actor, "test-ca", manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	prepared(f);
	assert_int_equal(
	    manage_rollover_cancel(&f->manage, &f->actor, "test-ca", manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_equal(manage_fixture_event(f), "authority.rolloverCancel: test-ca-g2");
	assert_int_equal(manage_fixture_keys(f), keys);
	assert_int_equal(ras(f, NULL, "next", "test-ca-g2"), 0);
	assert_int_equal(
	    manage_authority_get(&f->manage, "test-ca-g2", &next, manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
	prepared(f);
	assert_int_equal(switch_to(f, "test-ca-g2", 0), MANAGE_OK);
	assert_int_equal(ras(f, NULL, "previous", "test-ca"), 0);
	assert_int_equal(
	    manage_rollover_cancel(&f->manage, &f->actor, "test-ca-g2", manage_fixture_report(f)),
	    MANAGE_CONFLICT);
}

/* Two generations of CN=Sub: their keys and chains, by one root that is not ours; the caller frees them. */
static void
make_subordinates(EVP_PKEY *keys[2], struct buffer chains[2][2])
{
	struct errbuf why = {0};
	struct buffer root_name = {0};
	EVP_PKEY *root = private_key_generate("ec:P-256", &why);
	struct signer *signer = NULL;
	struct certificate issuer;

	assert_true(signer_of_key(root, &signer, &why));
	assert_true(name_from_text("CN=Root", &root_name, &why));
	for (int i = 0; i < 2; i++) {
		struct buffer spki = {0}, name = {0};
		struct certificate_fields fields = {.not_before = clock_now() - 60,
		    .not_after = clock_now() + 90 * DAY,
		    .ca = true,
		    .path_length = 0,
		    .key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN};

		assert_true(authority_self_sign(signer, buffer_octets(&root_name), clock_now() - 60,
		    clock_now() + 99 * DAY, -1, &chains[i][1], &why));
		keys[i] = private_key_generate("ec:P-256", &why);
		assert_true(certificate_parse(buffer_octets(&chains[i][1]), &issuer, &why));
		assert_true(name_from_text("CN=Sub", &name, &why));
		assert_true(private_key_spki(keys[i], &spki, &why));
		fields.subject = buffer_octets(&name);
		fields.spki = buffer_octets(&spki);
		assert_true(authority_issue(&issuer, signer, &fields, &chains[i][0], &why));
		certificate_free(&issuer);
		buffer_free(&spki);
		buffer_free(&name);
	}
	EVP_PKEY_free(root);
	signer_free(signer);
	buffer_free(&root_name);
}

static void
a_ca_under_a_root_elsewhere_is_succeeded_by_one_that_the_root_signed(void **state)
{
	struct manage_fixture *f = *state;
	struct buffer chains[2][2] = {{{0}, {0}}, {{0}, {0}}};
	struct manage_rollover_order o = {.authority = "sub"};
	struct authority_row row;
	EVP_PKEY *keys[2];
	int profiles;

	make_subordinates(keys, chains);
	assert_int_equal(manage_authority_import(&f->manage, &f->actor, "sub", keys[0], chains[0],
			     2, &row, manage_fixture_report(f)),
	    MANAGE_OK);
	authority_row_free(&row);
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &row, &profiles, manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "--key-file"));
	o.own_key = keys[0]; /* not the key of that certificate */
	o.certificates = chains[1];
	o.count = 2;
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &row, &profiles, manage_fixture_report(f)),
	    MANAGE_INVALID);
	o.own_key = keys[1];
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &row, &profiles, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_equal(row.name, "sub-g2");
	assert_true(row.chain.len > 0);
	authority_row_free(&row);
	assert_int_equal(switch_to(f, "sub", 0), MANAGE_OK);
	for (int i = 0; i < 2; i++) {
		EVP_PKEY_free(keys[i]);
		buffer_free(&chains[i][0]);
		buffer_free(&chains[i][1]);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(the_next_generation_is_like_the_one_before_and_has_ra_certificates),
	    CASE(one_rollover_at_a_time),
	    CASE(what_cannot_be_prepared_leaves_no_key),
	    CASE(after_the_switch_the_new_one_issues_and_the_old_one_is_retired),
	    CASE(the_third_generation_has_its_number),
	    CASE(a_url_that_does_not_name_the_ca_is_warned_of),
	    CASE(a_profile_made_in_between_is_switched_too),
	    CASE(what_is_taken_back_leaves_nothing_behind),
	    CASE(a_ca_under_a_root_elsewhere_is_succeeded_by_one_that_the_root_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
