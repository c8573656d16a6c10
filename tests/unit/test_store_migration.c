#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/schema.h"
#include "store_fixture.h"

/* Rows as the programs of schema 1 wrote them, in all tables that the next file touches. */
static const char rows[] =
    "INSERT INTO authority (uuid, name, state, key_file, crl_url, not_after, created_at, "
    "certificate) VALUES ('" FIXTURE_AUTHORITY "', 'ca', 'active', 'ca.pem', '', 2000000000, 1, "
    "x'3000');"
    "INSERT INTO ra_certificate (uuid, authority_id, key_file, not_after, created_at, certificate) "
    "VALUES ('" FIXTURE_RA_CERTIFICATE "', 1, 'ra.pem', 2000000000, 1, x'3000');"
    "INSERT INTO ra_profile (uuid, name, authority_id, validity_days, key_usage, eku, "
    "refuse_extra, refuse_extensions, min_rsa_bits, max_rsa_bits, created_at) VALUES "
    "('" FIXTURE_RA_PROFILE "', 'devices', 1, 365, 'digitalSignature', 'clientAuth', 0, 0, 2048, "
    "8192, 1);"
    "INSERT INTO scep_profile (uuid, name, description, enabled, ra_profile_id, "
    "ra_certificate_id, version, challenge_version, challenge_mode, challenge_weak, "
    "challenge_expiry_s, max_pending, digests, ciphers, require_signer_key, "
    "include_ca_in_get_ca_cert, include_ca_certificate, include_ca_chain, replay_hours, "
    "created_at) VALUES ('" FIXTURE_SCEP_PROFILE "', 'demo', '', 1, 1, 1, 3, 2, 'static', 0, "
    "3600, 100, 7, 11, 1, 1, 0, 0, 24, 1);"
    "INSERT INTO certificate (id, serial, repeat_key, authority_id, scep_profile_id, "
    "ra_profile_id, purpose, status, not_before, not_after, created_at, subject, san, der) VALUES "
    "(5, x'00000000000000000000000000000005', x'0505', 1, 1, 1, 'device', 'valid', 10, 2000000000, "
    "11, 'CN=five', 'DNS:five', x'300105'), "
    "(7, x'ffffffffffffffffffffffffffffffff', NULL, 1, NULL, NULL, 'server', 'valid', 10, "
    "2000000000, 12, 'CN=seven', NULL, x'300107');"
    "INSERT INTO certificate (id, serial, authority_id, predecessor_id, purpose, status, "
    "not_before, not_after, created_at, revoked_at, revocation_reason, subject, der) VALUES "
    "(9, x'00000000000000000000000000000009', 1, 5, 'device', 'revoked', 10, 2000000000, 13, 14, "
    "4, "
    "'CN=nine', x'300109');"
    "INSERT INTO challenge_use VALUES (x'aa', 0, 5), (x'aa', 1, 9);";

/* A database with the first file of the schema alone, and rows in it. */
static int
setup_first(void **state)
{
	struct store_schema_file first[] = {store_schema_files[0], {NULL, NULL}};
	struct store_fixture *f = calloc(1, sizeof(*f));
	int from, to;
	struct db *db;

	assert_non_null(f);
	store_fixture_directory(f, "/tmp");
	fclose(fopen(f->settings.database, "we"));
	assert_true(db_open(f->settings.database, &db, &f->why));
	assert_true(
	    schema_migrate(db, f->settings.database, first, SCEP_VERSION, &from, &to, &f->why));
	assert_int_equal(to, 1);
	db_close(db);
	store_fixture_script(f, rows);
	*state = f;
	return 0;
}

static void
migrate(struct store_fixture *f)
{
	int from, to;

	if (store_migrate(&f->settings, &from, &to, &f->why) != STORE_OK ||
	    store_open(&f->settings, &f->store, &f->why) != STORE_OK)
		fail_msg("%s", f->why.line);
	assert_int_equal(from, 1);
}

static void
certificates_and_uses_of_challenges_are_kept_row_by_row(void **state)
{
	struct store_fixture *f = *state;
	struct buffer der = {0};
	struct certificate_row c;

	migrate(f);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 3);
	assert_int_equal(
	    store_fixture_integer(f,
		"SELECT count(*) FROM certificate WHERE id = 5 AND repeat_key = x'0505' "
		"AND authority_id = 1 AND scep_profile_id = 1 AND ra_profile_id = 1 AND "
		"predecessor_id IS NULL AND revoked_at IS NULL AND successors = 0"),
	    1);
	assert_int_equal(store_certificate_get(f->store, "5", NULL, &c, &der, &f->why), STORE_OK);
	assert_int_equal(c.id, 5);
	assert_string_equal(c.profile, "demo");
	assert_string_equal(c.subject, "CN=five");
	assert_string_equal(c.san, "DNS:five");
	assert_string_equal(c.purpose, "device");
	assert_int_equal(c.not_before, 10);
	assert_int_equal(c.created_at, 11);
	assert_true(octets_equal(buffer_octets(&der), octets_of("\x30\x01\x05", 3)));
	buffer_free(&der);
	assert_int_equal(store_certificate_get_id(f->store, 9, &c, NULL, &f->why), STORE_OK);
	assert_string_equal(c.status, "revoked");
	assert_int_equal(c.revoked_at, 14);
	assert_int_equal(c.revocation_reason, 4);
	assert_int_equal(c.predecessor_id, 5);
	assert_int_equal(
	    store_fixture_integer(f,
		"SELECT count(*) FROM challenge_use WHERE challenge_id = x'aa' AND "
		"((use = 0 AND certificate_id = 5) OR (use = 1 AND certificate_id = 9))"),
	    2);
}

static void
what_refers_to_certificates_still_does_and_nothing_dangles(void **state)
{
	struct store_fixture *f = *state;

	migrate(f);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM pragma_integrity_check "
						  "WHERE integrity_check = 'ok'"),
	    1);
	assert_int_equal(store_fixture_integer(f,
			     "SELECT count(*) FROM pragma_foreign_key_list('challenge_use') "
			     "WHERE \"table\" = 'certificate'"),
	    1);
	assert_int_equal(store_fixture_integer(f,
			     "SELECT count(*) FROM pragma_foreign_key_list('certificate') "
			     "WHERE \"table\" = 'certificate' AND \"from\" = 'predecessor_id'"),
	    1);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM sqlite_schema WHERE sql "
						  "LIKE '%certificate\\_2%' ESCAPE '\\'"),
	    0);
}

static void
new_columns_begin_with_what_was_so_before(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p;
	struct ra_profile_row r;
	struct authority_row a;

	migrate(f);
	assert_int_equal(store_authority_get(f->store, "ca", &a, &f->why), STORE_OK);
	assert_string_equal(a.lineage, FIXTURE_AUTHORITY);
	assert_string_equal(a.predecessor_id, "");
	assert_string_equal(a.ocsp_url, "");
	assert_int_equal(a.revocations, 0);
	authority_row_free(&a);
	assert_int_equal(store_scep_profile_get(f->store, "demo", &p, &f->why), STORE_OK);
	assert_string_equal(p.lineage, FIXTURE_SCEP_PROFILE);
	assert_string_equal(p.approval, "auto");
	assert_int_equal(p.transaction_expiry_s, 604800);
	assert_int_equal(p.max_transactions, 1000);
	assert_true(p.certificate_renewal);
	assert_true(p.same_key_renewal);
	assert_int_equal(p.renewal_threshold_days, 0);
	assert_int_equal(p.max_successors, 5);
	assert_int_equal(p.renew_from_count, 0);
	assert_int_equal(p.version, 3);
	assert_int_equal(store_ra_profile_get(f->store, "devices", &r, &f->why), STORE_OK);
	assert_string_equal(r.curves, "P-256,P-384,P-521");
}

static void
enrolment_goes_on_and_ids_go_on_growing(void **state)
{
	struct store_fixture *f = *state;
	enum enrolment_conflict what;
	struct fixture_enrolment x;
	const uint8_t key[] = {5, 5};

	migrate(f);
	fixture_enrolment(&x, 1, true);
	x.e.challenge_version = 2;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT max(id) FROM certificate"), 10);
	/* What was unique before is so still. */
	fixture_enrolment(&x, 2, true);
	x.e.challenge_version = 2;
	x.e.repeat_key = octets_of(key, sizeof(key));
	x.e.repeat_since = 0;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_CONFLICT);
	assert_int_equal(what, ENROLMENT_REPEAT);
}

/* Seven seconds where each row that goes looks through all others for its successors. */
static void
thousands_of_certificates_are_copied_without_a_look_at_each_from_each(void **state)
{
	struct store_fixture *f = *state;
	struct rusage before, after;

	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 6009) "
	    "INSERT INTO certificate (id, serial, authority_id, predecessor_id, purpose, status, "
	    "not_before, not_after, created_at, subject, der) SELECT i, randomblob(16), 1, "
	    "CASE WHEN i % 3 = 0 THEN i - 1 END, 'device', 'valid', 1, 2, 3, 'CN=x', "
	    "zeroblob(1000) FROM n");
	getrusage(RUSAGE_SELF, &before);
	migrate(f);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec -
			before.ru_stime.tv_sec <
		    4);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM certificate"), 6003);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(predecessor_id) FROM certificate"), 2001);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

#define FIRST(name) cmocka_unit_test_setup_teardown(name, setup_first, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FIRST(certificates_and_uses_of_challenges_are_kept_row_by_row),
	    FIRST(what_refers_to_certificates_still_does_and_nothing_dangles),
	    FIRST(new_columns_begin_with_what_was_so_before),
	    FIRST(enrolment_goes_on_and_ids_go_on_growing),
	    FIRST(thousands_of_certificates_are_copied_without_a_look_at_each_from_each),
	};

	return cmocka_run_group_tests_name("store_migration", tests, NULL, NULL);
}
