/* test_manage_revocation.c: revoking certificates, and taking in those of other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/certificate_import.h"
#include "fcgi-admin/manage/keys.h"
#include "fcgi-admin/manage/records.h"
#include "fcgi-admin/manage/revocation.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/crl.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "store/revocation.h"
#include "tests/unit/manage_fixture.h"

static int
setup(void **state)
{
	if (manage_fixture_setup(state) != 0)
		return -1;
	manage_fixture_authority(*state);
	manage_fixture_profile(*state, "demo", NULL);
	return 0;
}

/* A certificate in the store; its serial, in hexadecimal. */
static void
issue(struct manage_fixture *f, char serial[33])
{
	struct manage_server_certificate c;

	assert_int_equal(manage_authority_server_certificate(&f->manage, &f->actor, "test-ca",
			     "scep.example", NULL, 10, &c, manage_fixture_report(f)),
	    MANAGE_OK);
	memcpy(serial, c.serial, sizeof(c.serial));
	manage_server_certificate_free(&c);
}

static enum manage_rc
revoke(struct manage_fixture *f, const char *id, const char *reason, struct certificate_row *out)
{
	return manage_certificate_revoke(
	    &f->manage, &f->actor, id, NULL, reason, out, manage_fixture_report(f));
}

static enum manage_rc
unhold(struct manage_fixture *f, const char *id, struct certificate_row *out)
{
	return manage_certificate_unhold(
	    &f->manage, &f->actor, id, NULL, out, manage_fixture_report(f));
}

static int64_t
revocations(struct manage_fixture *f)
{
	struct authority_row ca = {0};
	int64_t n;

	assert_int_equal(
	    manage_authority_get(&f->manage, "test-ca", &ca, manage_fixture_report(f)), MANAGE_OK);
	n = ca.revocations;
	authority_row_free(&ca);
	return n;
}

/* --- revoking --- */

static void
a_revoked_certificate_stays_revoked(void **state)
{
	struct manage_fixture *f = *state;
	struct certificate_row c;
	char serial[33];

	issue(f, serial);
	assert_int_equal(revocations(f), 0);
	assert_int_equal(revoke(f, serial, "keyCompromise", &c), MANAGE_OK);
	assert_string_equal(c.status, "revoked");
	assert_int_equal(c.revocation_reason, 1);
	assert_true(c.revoked_at >= clock_now() - 5);
	assert_string_equal(manage_fixture_event(f), "certificate.revoke: keyCompromise");
	assert_int_equal(revocations(f), 1);
	assert_int_equal(revoke(f, serial, "superseded", &c), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "is revoked already"));
	assert_int_equal(c.revocation_reason, 1);
	assert_int_equal(unhold(f, serial, &c), MANAGE_CONFLICT);
	assert_int_equal(revocations(f), 1);
}

static void
a_hold_is_taken_back_or_made_good(void **state)
{
	struct manage_fixture *f = *state;
	struct certificate_row c;
	char serial[33];

	issue(f, serial);
	assert_int_equal(unhold(f, serial, &c), MANAGE_CONFLICT);
	assert_int_equal(revoke(f, serial, "certificateHold", &c), MANAGE_OK);
	assert_int_equal(c.revocation_reason, CRL_CERTIFICATE_HOLD);
	assert_int_equal(unhold(f, serial, &c), MANAGE_OK);
	assert_string_equal(c.status, "valid");
	assert_int_equal(c.revoked_at, 0);
	assert_string_equal(manage_fixture_event(f), "certificate.unhold: ");
	assert_int_equal(revocations(f), 2);
	assert_int_equal(revoke(f, serial, "certificateHold", &c), MANAGE_OK);
	assert_int_equal(revoke(f, serial, NULL, &c), MANAGE_OK);
	assert_int_equal(c.revocation_reason, 0);
	assert_int_equal(unhold(f, serial, &c), MANAGE_CONFLICT);
}

static void
what_is_no_reason_or_no_certificate_changes_nothing(void **state)
{
	struct manage_fixture *f = *state;
	struct certificate_row c;
	char serial[33];

	issue(f, serial);
	assert_int_equal(revoke(f, serial, "removeFromCRL", &c), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "reason"));
	assert_int_equal(revoke(f, serial, "because", &c), MANAGE_INVALID);
	assert_int_equal(revoke(f, "00", NULL, &c), MANAGE_NOT_FOUND);
	assert_int_equal(unhold(f, "x", &c), MANAGE_NOT_FOUND);
	assert_int_equal(manage_certificate_revoke(&f->manage, &f->actor, serial, "other-ca", NULL,
			     &c, manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
	assert_int_equal(revocations(f), 0);
	assert_int_equal(manage_certificate_revoke(&f->manage, &f->actor, serial, "test-ca", NULL,
			     &c, manage_fixture_report(f)),
	    MANAGE_OK);
}

/* --- importing --- */

/* A certificate that CA name signs, and nobody writes down. */
static void
foreign(struct manage_fixture *f, const char *name, bool ca, struct buffer *out)
{
	struct authority_row row = {0};
	struct certificate issuer = {0};
	struct signer *signer = NULL;
	struct buffer subject = {0}, san = {0}, spki = {0};
	struct errbuf why = {0};
	EVP_PKEY *key = private_key_generate("ec:P-256", &why);
	struct certificate_fields fields = {.not_before = clock_now() - 60,
	    .not_after = clock_now() + 86400,
	    .ca = ca,
	    .path_length = -1,
	    .key_usage = ca ? KEY_USAGE_KEY_CERT_SIGN : KEY_USAGE_DIGITAL_SIGNATURE};

	assert_int_equal(
	    manage_authority_get(&f->manage, name, &row, manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(
	    manage_signer_open(&f->manage, row.key_file, &signer, &f->report), MANAGE_OK);
	assert_true(certificate_parse(buffer_octets(&row.certificate), &issuer, &why));
	assert_true(name_from_text("CN=elsewhere", &subject, &why));
	assert_true(san_from_text("dns:elsewhere.example", &san, &why));
	assert_true(private_key_spki(key, &spki, &why));
	fields.subject = buffer_octets(&subject);
	fields.san = buffer_octets(&san);
	fields.spki = buffer_octets(&spki);
	assert_true(authority_issue(&issuer, signer, &fields, out, &why));
	EVP_PKEY_free(key);
	signer_free(signer);
	certificate_free(&issuer);
	authority_row_free(&row);
	buffer_free(&subject);
	buffer_free(&san);
	buffer_free(&spki);
}

static struct manage_imported imported;

static enum manage_rc
import(struct manage_fixture *f, const struct manage_import_order *o, const struct buffer *der)
{
	struct manage_import *import_all = NULL;
	enum manage_rc rc =
	    manage_import_open(&f->manage, &f->actor, o, &import_all, manage_fixture_report(f));

	if (rc == MANAGE_OK)
		rc = manage_import_certificate(
		    import_all, buffer_octets(der), &imported, &f->report);
	manage_import_close(import_all);
	return rc;
}

static void
an_imported_certificate_is_there_as_if_it_had_been_issued_here(void **state)
{
	const struct manage_import_order o = {.profile = "demo"};
	struct manage_fixture *f = *state;
	struct buffer der = {0}, stored = {0};
	struct certificate_row c;

	foreign(f, "test-ca", false, &der);
	assert_int_equal(import(f, &o, &der), MANAGE_OK);
	assert_string_equal(imported.authority, "test-ca");
	assert_string_equal(imported.subject, "CN=elsewhere");
	assert_string_equal(manage_fixture_event(f), "certificate.import: issued by CA test-ca");
	assert_int_equal(manage_certificate_get(&f->manage, imported.serial, NULL, &c, &stored,
			     manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_equal(c.profile, "demo");
	assert_string_equal(c.status, "valid");
	assert_string_equal(c.san, "DNS:elsewhere.example");
	assert_true(octets_equal(buffer_octets(&der), buffer_octets(&stored)));
	assert_int_equal(import(f, &o, &der), MANAGE_CONFLICT);
	assert_int_equal(revoke(f, imported.serial, NULL, &c), MANAGE_OK);
	buffer_free(&der);
	buffer_free(&stored);
}

static void
what_is_no_device_certificate_of_the_ca_is_not_imported(void **state)
{
	const struct manage_import_order o = {.profile = "demo"};
	const struct manage_authority_order other = {.name = "other",
	    .subject = "CN=Test CA,O=Exa\\, mple",
	    .key = "ec:P-256",
	    .validity_days = 9};
	struct manage_fixture *f = *state;
	struct buffer ca = {0}, stranger = {0}, broken = {0};
	struct authority_row row;

	assert_int_equal(
	    manage_authority_create(&f->manage, &f->actor, &other, &row, manage_fixture_report(f)),
	    MANAGE_OK);
	authority_row_free(&row);
	foreign(f, "test-ca", true, &ca);
	foreign(f, "other", false, &stranger); /* of the same name, by another key */
	buffer_append_string(&broken, "x");
	assert_int_equal(import(f, &o, &ca), MANAGE_INVALID);
	assert_non_null(strstr(f->report.faults[0].message, "is a CA's"));
	assert_int_equal(import(f, &o, &stranger), MANAGE_INVALID);
	assert_non_null(strstr(f->report.faults[0].message, "signed by none"));
	assert_int_equal(import(f, &o, &broken), MANAGE_INVALID);
	buffer_free(&ca);
	buffer_free(&stranger);
	buffer_free(&broken);
}

static void
a_certificate_of_another_ca_here_is_imported_where_that_is_named(void **state)
{
	struct manage_import_order o = {.profile = "demo", .authority = "other"};
	const struct manage_authority_order other = {
	    .name = "other", .subject = "CN=Other", .key = "ec:P-256", .validity_days = 9};
	struct manage_fixture *f = *state;
	struct buffer stranger = {0}, own = {0};
	struct authority_row row;

	assert_int_equal(import(f, &o, &own), MANAGE_NOT_FOUND);
	assert_int_equal(
	    manage_authority_create(&f->manage, &f->actor, &other, &row, manage_fixture_report(f)),
	    MANAGE_OK);
	authority_row_free(&row);
	foreign(f, "other", false, &stranger);
	foreign(f, "test-ca", false, &own);
	assert_int_equal(import(f, &o, &own), MANAGE_INVALID);
	assert_int_equal(import(f, &o, &stranger), MANAGE_OK);
	assert_int_equal(f->report.warning_count, 1); /* it cannot be renewed */
	o.profile = "nobody";
	assert_int_equal(import(f, &o, &stranger), MANAGE_NOT_FOUND);
	buffer_free(&stranger);
	buffer_free(&own);
}

static void
one_may_come_in_revoked(void **state)
{
	struct manage_import_order o = {
	    .profile = "demo", .revoked_at = clock_now() - 100, .reason = "superseded"};
	struct manage_fixture *f = *state;
	struct certificate_row c;
	struct buffer der = {0};

	foreign(f, "test-ca", false, &der);
	o.revoked_at = clock_now() + 100;
	assert_int_equal(import(f, &o, &der), MANAGE_INVALID);
	o.revoked_at = 0;
	assert_int_equal(import(f, &o, &der), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "reason"));
	o.revoked_at = clock_now() - 100;
	o.reason = "perhaps";
	assert_int_equal(import(f, &o, &der), MANAGE_INVALID);
	o.reason = "superseded";
	assert_int_equal(import(f, &o, &der), MANAGE_OK);
	assert_int_equal(manage_certificate_get(
			     &f->manage, imported.serial, NULL, &c, NULL, manage_fixture_report(f)),
	    MANAGE_OK);
	assert_string_equal(c.status, "revoked");
	assert_int_equal(c.revoked_at, o.revoked_at);
	assert_int_equal(c.revocation_reason, 4);
	buffer_free(&der);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_revoked_certificate_stays_revoked),
	    CASE(a_hold_is_taken_back_or_made_good),
	    CASE(what_is_no_reason_or_no_certificate_changes_nothing),
	    CASE(an_imported_certificate_is_there_as_if_it_had_been_issued_here),
	    CASE(what_is_no_device_certificate_of_the_ca_is_not_imported),
	    CASE(a_certificate_of_another_ca_here_is_imported_where_that_is_named),
	    CASE(one_may_come_in_revoked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
