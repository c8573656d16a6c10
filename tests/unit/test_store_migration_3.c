#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seat_fixture.h"
#include "store/revocation.h"
#include "store/schema.h"
#include "store/transaction_row.h"

/* Rows as the programs of schema 2 wrote them, in all tables that the next file touches. */
static const char rows[] =
    "INSERT INTO authority (uuid, name, state, key_file, crl_url, not_after, created_at, "
    "certificate, lineage) VALUES ('" FIXTURE_AUTHORITY "', 'ca', 'active', 'ca.pem', '', "
    "2000000000, 1, x'3000', '" FIXTURE_AUTHORITY "');"
    "INSERT INTO ra_certificate (uuid, authority_id, key_file, not_after, created_at, certificate) "
    "VALUES ('" FIXTURE_RA_CERTIFICATE "', 1, 'ra.pem', 2000000000, 1, x'3000');"
    "INSERT INTO ra_profile (uuid, name, authority_id, validity_days, key_usage, eku, "
    "refuse_extra, refuse_extensions, min_rsa_bits, max_rsa_bits, created_at) VALUES "
    "('" FIXTURE_RA_PROFILE "', 'devices', 1, 365, 'digitalSignature', 'clientAuth', 0, 0, 2048, "
    "8192, 1);"
    "INSERT INTO ra_profile_field VALUES (1, 0, 'subject.commonName', 'scepRequest', 1, 0, '');"
    "INSERT INTO scep_profile (uuid, name, description, enabled, ra_profile_id, "
    "ra_certificate_id, version, challenge_version, challenge_mode, challenge_weak, "
    "challenge_expiry_s, max_pending, digests, ciphers, require_signer_key, "
    "include_ca_in_get_ca_cert, include_ca_certificate, include_ca_chain, replay_hours, "
    "created_at, lineage) VALUES ('" FIXTURE_SCEP_PROFILE "', 'demo', '', 1, 1, 1, 3, 1, 'static', "
    "0, 3600, 100, 7, 11, 1, 1, 0, 0, 24, 1, '" FIXTURE_SCEP_PROFILE "');"
    "INSERT INTO certificate (id, serial, authority_id, scep_profile_id, ra_profile_id, "
    "successors, purpose, status, not_before, not_after, created_at, subject, san, der) VALUES "
    "(5, x'00000000000000000000000000000005', 1, 1, 1, 2, 'device', 'valid', 10, 2000000000, 11, "
    "'CN=five', 'DNS:five', x'300105');"
    "INSERT INTO challenge_use VALUES (x'aa', 0, 5);"
    "INSERT INTO audit_event (time_ms, count, action, outcome) VALUES (1, 1, 'scep.enrol', "
    "'success');"
    "INSERT INTO scep_transaction (key, uuid, scep_profile_id, status, created_at, expires_at, "
    "decided_at, decided_by, fail_info, transaction_id, message_type, method, subject, key_type, "
    "csr, signer, repeat_key) VALUES (zeroblob(32), 'u', 1, 'approved', 1, 2000000000, 1, 'x', 0, "
    "'t', 19, 'static', 'CN=x', 'RSA-2048', x'30', x'30', x'30');";

/* A database with the first two files of the schema, and rows in it. */
static int
setup_second(void **state)
{
	struct store_schema_file two[] = {
	    store_schema_files[0], store_schema_files[1], {NULL, NULL}};
	struct store_fixture *f = calloc(1, sizeof(*f));
	int from, to;
	struct db *db;

	assert_non_null(f);
	store_fixture_directory(f, "/tmp");
	fclose(fopen(f->settings.database, "we"));
	assert_true(db_open(f->settings.database, &db, &f->why));
	assert_true(
	    schema_migrate(db, f->settings.database, two, SCEP_VERSION, &from, &to, &f->why));
	assert_int_equal(to, 2);
	db_close(db);
	store_fixture_script(f, rows);
	if (store_migrate(&f->settings, &from, &to, &f->why) != STORE_OK ||
	    store_open(&f->settings, &f->store, &f->why) != STORE_OK)
		fail_msg("%s", f->why.line);
	assert_int_equal(from, 2);
	*state = f;
	return 0;
}

static void
profiles_enrol_as_before(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p;
	struct ra_profile_row r;

	assert_int_equal(store_scep_profile_get(f->store, "demo", &p, &f->why), STORE_OK);
	assert_int_equal(p.challenge_length, 32);
	assert_string_equal(p.seat_field, "subject.commonName");
	assert_string_equal(p.intune_id, "");
	assert_string_equal(p.duplicates, "allow");
	assert_int_equal(p.duplicate_grace_s, 604800);
	assert_false(p.unique_keys);
	assert_int_equal(p.limit_address + p.limit_profile + p.limit_account + p.limit_seat, 0);
	assert_int_equal(p.version, 3);
	assert_int_equal(store_ra_profile_get(f->store, "devices", &r, &f->why), STORE_OK);
	assert_int_equal(r.not_after, 0);
	assert_false(r.microsoft_sid || r.microsoft_template);
	assert_int_equal(r.field_count, 1);
	assert_string_equal(r.fields[0].pattern, "");
	assert_int_equal(r.fields[0].min_length + r.fields[0].max_length, 0);
}

static void
certificates_transactions_and_events_are_nobodys(void **state)
{
	struct store_fixture *f = *state;
	struct transaction_row t;
	struct certificate_row c;
	uint8_t key[32] = {0};

	assert_int_equal(store_certificate_get_id(f->store, 5, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.subject, "CN=five");
	assert_int_equal(c.successors, 2);
	assert_string_equal(c.seat_id, "");
	assert_string_equal(c.account, "");
	assert_string_equal(c.organization, "");
	assert_string_equal(c.delivery, "");
	assert_int_equal(store_transaction_get(f->store, key, &t, NULL, &f->why), STORE_OK);
	assert_int_equal(t.enrollment_row + t.account_row, 0);
	transaction_row_free(&t);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM audit_event WHERE "
						  "organization IS NULL AND department IS NULL"),
	    1);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM challenge_use"), 1);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM pragma_integrity_check "
						  "WHERE integrity_check = 'ok'"),
	    1);
}

static void
enrolment_and_revocation_go_on_with_seats_and_without(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;

	fixture_enrolment(&x, 1, true);
	fixture_commit(f, &x, ENROLMENT_NO_CONFLICT);
	fixture_insert_organization(f, 1, "Example", 1);
	fixture_insert_seat(f, 1, "Example");
	fixture_enrol_seat(f, 2, 1, ENROLMENT_NO_CONFLICT);
	assert_int_equal(fixture_in_use(f, "Example"), 1);
	assert_int_equal(store_revoke(f->store, 5, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(store_revoke(f->store, 7, 1, FIXTURE_NOW, NULL, &f->why), STORE_OK);
	assert_int_equal(fixture_in_use(f, "Example"), 0);
}

static void
a_program_of_before_is_too_old_for_it(void **state)
{
	struct store_fixture *f = *state;

	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM schema WHERE number = 3 "
						  "AND oldest_program = '0.3.0'"),
	    1);
}

#define SECOND(name) cmocka_unit_test_setup_teardown(name, setup_second, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SECOND(profiles_enrol_as_before),
	    SECOND(certificates_transactions_and_events_are_nobodys),
	    SECOND(enrolment_and_revocation_go_on_with_seats_and_without),
	    SECOND(a_program_of_before_is_too_old_for_it),
	};

	return cmocka_run_group_tests_name("store_migration_3", tests, NULL, NULL);
}
