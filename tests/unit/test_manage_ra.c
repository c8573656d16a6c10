/* test_manage_ra.c: the next RA certificate of a profile, and OCSP responders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "fcgi-admin/manage/ra_rotation.h"
#include "fcgi-admin/manage/responder.h"
#include "fcgi-admin/manage/rollover.h"
#include "issue/ocsp_responder.h"
#include "pki/certificate.h"
#include "pki/public_key.h"
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
	return 0;
}

struct ras {
	struct manage_ra all[8];
	int count;
};

static bool
keep(void *ctx, const struct manage_ra *ra)
{
	struct ras *r = ctx;

	r->all[r->count++] = *ra;
	return true;
}

static struct ras
ras(struct manage_fixture *f)
{
	struct ras r = {.count = 0};

	assert_int_equal(
	    manage_ra_each(&f->manage, "demo", keep, &r, manage_fixture_report(f)), MANAGE_OK);
	return r;
}

static enum manage_rc
rotate(struct manage_fixture *f, const char *key)
{
	return manage_ra_rotate(&f->manage, &f->actor, "demo", key, manage_fixture_report(f));
}

static enum manage_rc
switch_to(struct manage_fixture *f, int64_t overlap_s)
{
	return manage_ra_switch(&f->manage, &f->actor, "demo", overlap_s, manage_fixture_report(f));
}

static enum manage_rc
cancel(struct manage_fixture *f)
{
	return manage_ra_cancel(&f->manage, &f->actor, "demo", manage_fixture_report(f));
}

static void
the_next_ra_certificate_is_prepared_and_then_current(void **state)
{
	struct manage_fixture *f = *state;
	struct ras before = ras(f), r;

	assert_int_equal(before.count, 1);
	assert_string_equal(before.all[0].role, "current");
	assert_string_equal(before.all[0].authority, "test-ca");
	assert_int_equal(rotate(f, "rsa:3072"), MANAGE_OK);
	assert_string_equal(
	    manage_fixture_event(f), "ra.prepare: next RA certificate by CA test-ca");
	r = ras(f);
	assert_int_equal(r.count, 2);
	assert_string_equal(r.all[0].id, before.all[0].id);
	assert_string_equal(r.all[1].role, "next");
	assert_string_equal(r.all[1].key, "RSA-3072");
	assert_int_equal(switch_to(f, DAY), MANAGE_OK);
	assert_non_null(
	    strstr(manage_fixture_event(f), "ra.switch: the old RA certificate decrypts"));
	r = ras(f);
	assert_int_equal(r.count, 2);
	assert_string_equal(r.all[0].key, "RSA-3072");
	assert_string_equal(r.all[1].role, "previous");
	assert_string_equal(r.all[1].id, before.all[0].id);
	assert_in_range((uint64_t)(r.all[1].until - clock_now()), DAY - 5, DAY);
	assert_string_equal(r.all[0].profile, "demo");
}

static void
a_key_is_as_large_as_the_one_before_unless_told(void **state)
{
	struct manage_fixture *f = *state;

	assert_int_equal(rotate(f, "rsa:1024"), MANAGE_INVALID);
	assert_int_equal(rotate(f, "ec:P-256"), MANAGE_INVALID);
	assert_int_equal(rotate(f, NULL), MANAGE_OK);
	assert_string_equal(ras(f).all[1].key, "RSA-2048");
}

static void
there_is_one_next_ra_certificate_at_a_time(void **state)
{
	struct manage_fixture *f = *state;
	int keys = manage_fixture_keys(f);

	assert_int_equal(switch_to(f, DAY), MANAGE_CONFLICT);
	assert_int_equal(cancel(f), MANAGE_CONFLICT);
	assert_int_equal(rotate(f, NULL), MANAGE_OK);
	assert_int_equal(rotate(f, NULL), MANAGE_CONFLICT);
	assert_int_equal(manage_fixture_keys(f), keys + 1);
	assert_int_equal(cancel(f), MANAGE_OK);
	assert_int_equal(manage_fixture_keys(f), keys);
	assert_int_equal(ras(f).count, 1);
	assert_int_equal(rotate(f, NULL), MANAGE_OK);
	assert_int_equal(switch_to(f, -1), MANAGE_INVALID);
	assert_int_equal(switch_to(f, 0), MANAGE_OK);
	assert_int_equal(ras(f).count, 1);
	assert_int_equal(
	    manage_ra_rotate(&f->manage, &f->actor, "nobody", NULL, manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
}

static void
a_rollover_of_the_ca_and_a_rotation_keep_out_of_each_others_way(void **state)
{
	const struct manage_rollover_order o = {.authority = "test-ca"};
	struct manage_fixture *f = *state;
	struct authority_row next;
	int profiles;

	assert_int_equal(rotate(f, NULL), MANAGE_OK);
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &next, &profiles, manage_fixture_report(f)),
	    MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "scepctl ra switch demo"));
	assert_int_equal(cancel(f), MANAGE_OK);
	assert_int_equal(manage_rollover_prepare(
			     &f->manage, &f->actor, &o, &next, &profiles, manage_fixture_report(f)),
	    MANAGE_OK);
	authority_row_free(&next);
	assert_int_equal(rotate(f, NULL), MANAGE_CONFLICT);
	assert_int_equal(switch_to(f, DAY), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "rollover"));
	assert_int_equal(cancel(f), MANAGE_CONFLICT);
}

/* --- OCSP responders --- */

static void
a_responder_is_due_when_a_third_of_its_life_is_left_and_the_ca_outlives_it(void **state)
{
	const int64_t now = 1800000000, year = 365 * DAY;

	(void)state;
	assert_true(issue_responder_due(0, now + year, now));
	assert_true(issue_responder_due(now, now + year, now));
	assert_true(issue_responder_due(now + 30 * DAY - 1, now + year, now));
	assert_false(issue_responder_due(now + 30 * DAY, now + year, now));
	/* One that is cut to its CA's end is not made again and again. */
	assert_false(issue_responder_due(now + DAY, now + DAY, now));
	assert_false(issue_responder_due(0, now, now));
}

static void
a_responder_certificate_is_what_rfc_6960_wants(void **state)
{
	struct manage_fixture *f = *state;
	struct ocsp_responder_row row = {0};
	struct authority_row ca = {0};
	struct certificate c, issuer;
	struct errbuf why = {0};
	const unsigned char *at;
	char path[512];
	struct stat st;
	X509 *x;

	assert_int_equal(
	    manage_authority_get(&f->manage, "test-ca", &ca, manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(store_ocsp_responder_get(f->manage.store, ca.id, &row, &why), STORE_OK);
	assert_true(certificate_parse(buffer_octets(&row.certificate), &c, &why));
	assert_true(certificate_parse(buffer_octets(&ca.certificate), &issuer, &why));
	assert_true(certificate_verify(&c, &issuer, &why));
	assert_int_equal(c.key_usage, KEY_USAGE_DIGITAL_SIGNATURE);
	assert_in_range((uint64_t)(c.not_after - clock_now()), 90 * DAY - 5, 90 * DAY);
	assert_int_equal(row.not_after, c.not_after);
	at = row.certificate.data;
	assert_non_null(x = d2i_X509(NULL, &at, (long)row.certificate.len));
	assert_true((X509_get_extended_key_usage(x) & XKU_OCSP_SIGN) != 0);
	assert_true(X509_get_ext_by_NID(x, NID_id_pkix_OCSP_noCheck, -1) >= 0);
	assert_int_equal(X509_get_ext_by_NID(x, NID_crl_distribution_points, -1), -1);
	X509_free(x);
	snprintf(path, sizeof(path), "%s/%s", f->settings.key_dir, row.key_file);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	certificate_free(&c);
	certificate_free(&issuer);
	ocsp_responder_row_free(&row);
	authority_row_free(&ca);
}

static void
a_responder_has_the_kind_of_key_that_its_ca_has_and_is_made_once(void **state)
{
	const struct manage_authority_order rsa = {
	    .name = "rsa", .subject = "CN=RSA", .key = "rsa:2048", .validity_days = 365};
	struct manage_fixture *f = *state;
	struct ocsp_responder_row row = {0}, again = {0};
	struct authority_row ca = {0};
	struct certificate c;
	struct public_key key = {0};
	struct errbuf why = {0};
	int64_t end = 0;

	assert_int_equal(
	    manage_authority_create(&f->manage, &f->actor, &rsa, &ca, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(store_ocsp_responder_get(f->manage.store, ca.id, &row, &why), STORE_OK);
	assert_true(certificate_parse(buffer_octets(&row.certificate), &c, &why));
	assert_true(public_key_parse(c.spki, &key, &why));
	assert_string_equal(key.name, "RSA-2048");
	assert_int_equal(
	    manage_responder_ensure(&f->manage, &f->actor, &ca, &end, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_int_equal(end, row.not_after);
	assert_int_equal(store_ocsp_responder_get(f->manage.store, ca.id, &again, &why), STORE_OK);
	assert_string_equal(again.id, row.id);
	public_key_free(&key);
	certificate_free(&c);
	ocsp_responder_row_free(&row);
	ocsp_responder_row_free(&again);
	authority_row_free(&ca);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(the_next_ra_certificate_is_prepared_and_then_current),
	    CASE(a_key_is_as_large_as_the_one_before_unless_told),
	    CASE(there_is_one_next_ra_certificate_at_a_time),
	    CASE(a_rollover_of_the_ca_and_a_rotation_keep_out_of_each_others_way),
	    CASE(a_responder_is_due_when_a_third_of_its_life_is_left_and_the_ca_outlives_it),
	    CASE(a_responder_certificate_is_what_rfc_6960_wants),
	    CASE(a_responder_has_the_kind_of_key_that_its_ca_has_and_is_made_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
