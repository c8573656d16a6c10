#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store_fixture.h"

#define OTHER "0d0d0d0d-0000-4000-8000-000000000002"

static int64_t
version(struct store_fixture *f)
{
	int64_t v = -1;

	assert_int_equal(store_config_version(f->store, &v, &f->why), STORE_OK);
	return v;
}

static int64_t
events(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT count(*) FROM audit_event");
}

/* ---- RA profiles ---- */

static void
assert_same_ra_profile(const struct ra_profile_row *a, const struct ra_profile_row *b)
{
	int i;

	assert_string_equal(a->id, b->id);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->authority_id, b->authority_id);
	assert_int_equal(a->validity_days, b->validity_days);
	assert_string_equal(a->key_usage, b->key_usage);
	assert_string_equal(a->eku, b->eku);
	assert_int_equal(a->refuse_extra, b->refuse_extra);
	assert_int_equal(a->refuse_extensions, b->refuse_extensions);
	assert_int_equal(a->min_rsa_bits, b->min_rsa_bits);
	assert_int_equal(a->max_rsa_bits, b->max_rsa_bits);
	assert_string_equal(a->curves, b->curves);
	assert_int_equal(a->created_at, b->created_at);
	assert_int_equal(a->field_count, b->field_count);
	for (i = 0; i < a->field_count; i++) {
		assert_string_equal(a->fields[i].type, b->fields[i].type);
		assert_string_equal(a->fields[i].source, b->fields[i].source);
		assert_int_equal(a->fields[i].required, b->fields[i].required);
		assert_int_equal(a->fields[i].multiple, b->fields[i].multiple);
		assert_string_equal(a->fields[i].value, b->fields[i].value);
	}
}

static void
an_ra_profile_comes_back_with_its_fields_in_order(void **state)
{
	struct store_fixture *f = *state;
	struct ra_profile_row want = fixture_ra_profile(), have;

	assert_int_equal(store_ra_profile_get(f->store, "devices", &have, &f->why), STORE_OK);
	assert_same_ra_profile(&want, &have);
	assert_int_equal(
	    store_ra_profile_get(f->store, FIXTURE_RA_PROFILE, &have, &f->why), STORE_OK);
	assert_same_ra_profile(&want, &have);
	assert_int_equal(store_ra_profile_get(f->store, "device", &have, &f->why), STORE_NONE);
}

static void
an_ra_profile_is_updated_whole(void **state)
{
	struct store_fixture *f = *state;
	struct ra_profile_row want = fixture_ra_profile(), have;
	int64_t before = version(f);
	int i;

	strcpy(want.name, "renamed");
	want.validity_days = 30;
	want.refuse_extra = false;
	want.refuse_extensions = true;
	strcpy(want.eku, "clientAuth,serverAuth");
	strcpy(want.curves, "");
	for (i = 0; i < PROFILE_FIELDS_MAX; i++)
		want.fields[i] = (struct field_row){
		    .type = "san.uri", .source = "fixed", .multiple = true, .value = "urn:x"};
	want.field_count = PROFILE_FIELDS_MAX;
	assert_int_equal(
	    store_ra_profile_update(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(
	    store_ra_profile_get(f->store, FIXTURE_RA_PROFILE, &have, &f->why), STORE_OK);
	assert_same_ra_profile(&want, &have);
	want.field_count = 0;
	assert_int_equal(
	    store_ra_profile_update(f->store, &want, &fixture_event, &f->why), STORE_OK);
	assert_int_equal(
	    store_ra_profile_get(f->store, FIXTURE_RA_PROFILE, &have, &f->why), STORE_OK);
	assert_int_equal(have.field_count, 0);
	assert_int_equal(version(f), before + 2);
	assert_int_equal(events(f), 2);
}

static void
an_ra_profile_needs_a_free_name_and_an_authority_that_is_there(void **state)
{
	struct store_fixture *f = *state;
	struct ra_profile_row r = fixture_ra_profile();
	int64_t before = version(f);

	strcpy(r.id, "0b0b0b0b-0000-4000-8000-000000000002");
	assert_int_equal(
	    store_ra_profile_insert(f->store, &r, &fixture_event, &f->why), STORE_CONFLICT);
	assert_int_equal(
	    store_ra_profile_update(f->store, &r, &fixture_event, &f->why), STORE_NONE);
	strcpy(r.name, "other");
	strcpy(r.authority_id, FIXTURE_RA_PROFILE);
	assert_int_equal(
	    store_ra_profile_insert(f->store, &r, &fixture_event, &f->why), STORE_NONE);
	assert_int_equal(version(f), before);
	assert_int_equal(events(f), 0);
	strcpy(r.authority_id, FIXTURE_AUTHORITY);
	assert_int_equal(store_ra_profile_insert(f->store, &r, &fixture_event, &f->why), STORE_OK);
	strcpy(r.authority_id, FIXTURE_RA_PROFILE);
	assert_int_equal(
	    store_ra_profile_update(f->store, &r, &fixture_event, &f->why), STORE_NONE);
	strcpy(r.authority_id, FIXTURE_AUTHORITY);
	strcpy(r.name, "devices");
	assert_int_equal(
	    store_ra_profile_update(f->store, &r, &fixture_event, &f->why), STORE_CONFLICT);
}

static void
more_fields_than_a_profile_may_have_are_not_read_in_part(void **state)
{
	struct store_fixture *f = *state;
	struct ra_profile_row have;

	store_fixture_script(f,
	    "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 63) "
	    "INSERT INTO ra_profile_field SELECT 1, i, 'san.dns', 'fixed', 0, 0, '', '', 0, 0 FROM "
	    "n");
	assert_int_equal(store_ra_profile_get(f->store, "devices", &have, &f->why), STORE_OK);
	store_fixture_script(f,
	    "INSERT INTO ra_profile_field VALUES (1, 64, 'san.dns', 'fixed', 0, 0, '', '', 0, 0)");
	assert_int_equal(store_ra_profile_get(f->store, "devices", &have, &f->why), STORE_AWAY);
}

static bool
read_back(void *ctx, const struct ra_profile_row *p)
{
	struct ra_profile_row want = fixture_ra_profile();

	assert_same_ra_profile(&want, p);
	++*(int *)ctx;
	return true;
}

static void
ra_profiles_are_listed_with_their_fields(void **state)
{
	struct store_fixture *f = *state;
	int count = 0;

	assert_int_equal(store_ra_profile_each(f->store, read_back, &count, &f->why), STORE_OK);
	assert_int_equal(count, 1);
}

/* ---- SCEP profiles ---- */

static void
assert_same_scep_profile(const struct scep_profile_row *a, const struct scep_profile_row *b)
{
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->description, b->description);
	assert_int_equal(a->enabled, b->enabled);
	assert_string_equal(a->ra_profile_id, b->ra_profile_id);
	assert_string_equal(a->ra_certificate_id, b->ra_certificate_id);
	assert_string_equal(a->challenge_mode, b->challenge_mode);
	assert_memory_equal(a->challenge_hash, b->challenge_hash, 32);
	assert_int_equal(a->challenge_set, b->challenge_set);
	assert_int_equal(a->challenge_weak, b->challenge_weak);
	assert_int_equal(a->challenge_expiry_s, b->challenge_expiry_s);
	assert_int_equal(a->max_pending, b->max_pending);
	assert_int_equal(a->digests, b->digests);
	assert_int_equal(a->ciphers, b->ciphers);
	assert_int_equal(a->require_signer_key, b->require_signer_key);
	assert_int_equal(a->include_ca_in_get_ca_cert, b->include_ca_in_get_ca_cert);
	assert_int_equal(a->include_ca_certificate, b->include_ca_certificate);
	assert_int_equal(a->include_ca_chain, b->include_ca_chain);
	assert_int_equal(a->replay_hours, b->replay_hours);
	assert_string_equal(a->lineage, b->lineage);
	assert_string_equal(a->approval, b->approval);
	assert_int_equal(a->transaction_expiry_s, b->transaction_expiry_s);
	assert_int_equal(a->max_transactions, b->max_transactions);
	assert_int_equal(a->certificate_renewal, b->certificate_renewal);
	assert_int_equal(a->same_key_renewal, b->same_key_renewal);
	assert_int_equal(a->renewal_threshold_days, b->renewal_threshold_days);
	assert_int_equal(a->max_successors, b->max_successors);
	assert_int_equal(a->renew_from_count, b->renew_from_count);
	for (int i = 0; i < a->renew_from_count; i++)
		assert_string_equal(a->renew_from[i], b->renew_from[i]);
	assert_int_equal(a->created_at, b->created_at);
	assert_int_equal(a->version, b->version);
	assert_int_equal(a->challenge_version, b->challenge_version);
}

static void
a_scep_profile_comes_back_by_name_and_by_uuid(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row want = fixture_scep_profile(), have;

	assert_int_equal(store_scep_profile_get(f->store, "demo", &have, &f->why), STORE_OK);
	assert_same_scep_profile(&want, &have);
	assert_int_equal(
	    store_scep_profile_get(f->store, FIXTURE_SCEP_PROFILE, &have, &f->why), STORE_OK);
	assert_same_scep_profile(&want, &have);
	assert_int_equal(store_scep_profile_get(f->store, "demo2", &have, &f->why), STORE_NONE);
}

/* Every switch the other way, so that none is bound in another's place. */
static void
a_scep_profile_is_updated_whole(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row want = fixture_scep_profile(), have;
	int64_t before = version(f);

	strcpy(want.name, "renamed");
	strcpy(want.description, "another");
	want.enabled = false;
	strcpy(want.challenge_mode, "dynamic");
	memset(want.challenge_hash, 0, 32);
	want.challenge_set = false;
	want.challenge_weak = false;
	want.challenge_expiry_s = 60;
	want.max_pending = 5;
	want.digests = 0xffffffff;
	want.ciphers = 0x80000000;
	want.require_signer_key = false;
	want.include_ca_in_get_ca_cert = false;
	want.include_ca_certificate = true;
	want.include_ca_chain = false;
	want.replay_hours = 0;
	strcpy(want.lineage, OTHER);
	strcpy(want.approval, "manual");
	want.transaction_expiry_s = 61;
	want.max_transactions = 6;
	want.certificate_renewal = false;
	want.same_key_renewal = false;
	want.renewal_threshold_days = 30;
	want.max_successors = 0;
	strcpy(want.renew_from[0], FIXTURE_SCEP_PROFILE);
	strcpy(want.renew_from[1], OTHER);
	want.renew_from_count = 2;
	assert_int_equal(
	    store_scep_profile_update(f->store, &want, &fixture_event, &f->why), STORE_OK);
	want.version = 2;
	want.challenge_version = 2;
	assert_int_equal(store_scep_profile_get(f->store, "renamed", &have, &f->why), STORE_OK);
	assert_same_scep_profile(&want, &have);
	assert_int_equal(version(f), before + 1);
	assert_int_equal(events(f), 1);
}

static void
the_challenge_version_changes_with_the_challenge_alone(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p = fixture_scep_profile(), have;
	static const int want[] = {1, 2, 2, 3, 4, 4};
	int i;

	for (i = 0; i < 6; i++) {
		/* nothing, hash, nothing, mode, cleared, still cleared */
		if (i == 1)
			p.challenge_hash[0] ^= 1;
		if (i == 3)
			strcpy(p.challenge_mode, "");
		if (i == 4)
			p.challenge_set = false;
		p.max_pending++;
		p.version = i + 1;
		assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
		assert_int_equal(
		    store_scep_profile_get(f->store, "demo", &have, &f->why), STORE_OK);
		assert_int_equal(have.version, i + 2);
		assert_int_equal(have.challenge_version, want[i]);
	}
}

static void
an_update_from_an_old_version_is_refused(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p = fixture_scep_profile();
	int64_t before;

	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	before = version(f);
	assert_int_equal(
	    store_scep_profile_update(f->store, &p, &fixture_event, &f->why), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "changed meanwhile"));
	assert_int_equal(version(f), before);
	assert_int_equal(events(f), 0);
	p.version = 2;
	assert_int_equal(
	    store_scep_profile_update(f->store, &p, &fixture_event, &f->why), STORE_OK);
	strcpy(p.id, FIXTURE_AUTHORITY);
	assert_int_equal(
	    store_scep_profile_update(f->store, &p, &fixture_event, &f->why), STORE_NONE);
}

static void
an_update_to_an_ra_profile_that_is_not_there_is_refused(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p = fixture_scep_profile();

	strcpy(p.ra_profile_id, FIXTURE_AUTHORITY);
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_NONE);
	p = fixture_scep_profile();
	strcpy(p.ra_certificate_id, FIXTURE_AUTHORITY);
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_NONE);
	p = fixture_scep_profile();
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
}

/* A second profile with an RA certificate of its own. */
static enum store_rc
insert_second(struct store_fixture *f, const char *name, const char *ra_profile)
{
	struct scep_profile_row p = fixture_scep_profile();
	struct ra_certificate_row c = fixture_ra_certificate();
	enum store_rc rc;

	strcpy(c.id, "0c0c0c0c-0000-4000-8000-000000000002");
	strcpy(p.id, "0d0d0d0d-0000-4000-8000-000000000002");
	strcpy(p.ra_certificate_id, c.id);
	snprintf(p.name, sizeof(p.name), "%s", name);
	snprintf(p.ra_profile_id, sizeof(p.ra_profile_id), "%s", ra_profile);
	rc = store_scep_profile_insert(f->store, &p, &c, &fixture_event, &f->why);
	ra_certificate_row_free(&c);
	return rc;
}

static void
a_profile_that_is_refused_leaves_no_ra_certificate_behind(void **state)
{
	struct store_fixture *f = *state;
	int64_t before = version(f);

	assert_int_equal(insert_second(f, "demo", FIXTURE_RA_PROFILE), STORE_CONFLICT);
	assert_int_equal(insert_second(f, "second", FIXTURE_AUTHORITY), STORE_NONE);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM ra_certificate"), 1);
	assert_int_equal(version(f), before);
	assert_int_equal(events(f), 0);
	assert_int_equal(insert_second(f, "second", FIXTURE_RA_PROFILE), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM ra_certificate"), 2);
	assert_int_equal(version(f), before + 1);
	assert_int_equal(events(f), 1);
}

static bool
count_profile(void *ctx, const struct scep_profile_row *p)
{
	assert_true(p->name[0] != '\0');
	++*(int *)ctx;
	return true;
}

static void
scep_profiles_are_listed(void **state)
{
	struct store_fixture *f = *state;
	int count = 0;

	assert_int_equal(insert_second(f, "second", FIXTURE_RA_PROFILE), STORE_OK);
	assert_int_equal(
	    store_scep_profile_each(f->store, count_profile, &count, &f->why), STORE_OK);
	assert_int_equal(count, 2);
}

static void
deleting_a_profile_takes_its_ra_certificate_along(void **state)
{
	struct store_fixture *f = *state;
	struct ra_certificate_row c;
	int64_t before;

	assert_int_equal(insert_second(f, "second", FIXTURE_RA_PROFILE), STORE_OK);
	before = version(f);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, &fixture_event, &f->why),
	    STORE_OK);
	assert_int_equal(
	    store_ra_certificate_get(f->store, FIXTURE_RA_CERTIFICATE, &c, &f->why), STORE_NONE);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM ra_certificate"), 1);
	assert_int_equal(version(f), before + 1);
	assert_int_equal(events(f), 2);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, &fixture_event, &f->why),
	    STORE_NONE);
}

static void
an_ra_certificate_that_another_profile_has_too_stays(void **state)
{
	struct store_fixture *f = *state;
	struct scep_profile_row p;

	assert_int_equal(insert_second(f, "second", FIXTURE_RA_PROFILE), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->store, "second", &p, &f->why), STORE_OK);
	strcpy(p.ra_certificate_id, FIXTURE_RA_CERTIFICATE);
	assert_int_equal(store_scep_profile_update(f->store, &p, NULL, &f->why), STORE_OK);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, NULL, &f->why), STORE_OK);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM ra_certificate"), 2);
}

static void
a_profile_with_certificates_is_not_deleted(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	enum enrolment_conflict what;
	int64_t before = version(f);

	fixture_enrolment(&x, 1, true);
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	assert_int_equal(
	    store_scep_profile_delete(f->store, FIXTURE_SCEP_PROFILE, &fixture_event, &f->why),
	    STORE_CONFLICT);
	assert_int_equal(version(f), before);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM scep_profile"), 1);
	assert_int_equal(store_fixture_integer(f, "SELECT count(*) FROM ra_certificate"), 1);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(an_ra_profile_comes_back_with_its_fields_in_order),
	    ROWS(an_ra_profile_is_updated_whole),
	    ROWS(an_ra_profile_needs_a_free_name_and_an_authority_that_is_there),
	    ROWS(more_fields_than_a_profile_may_have_are_not_read_in_part),
	    ROWS(ra_profiles_are_listed_with_their_fields),
	    ROWS(a_scep_profile_comes_back_by_name_and_by_uuid),
	    ROWS(a_scep_profile_is_updated_whole),
	    ROWS(the_challenge_version_changes_with_the_challenge_alone),
	    ROWS(an_update_from_an_old_version_is_refused),
	    ROWS(an_update_to_an_ra_profile_that_is_not_there_is_refused),
	    ROWS(a_profile_that_is_refused_leaves_no_ra_certificate_behind),
	    ROWS(scep_profiles_are_listed),
	    ROWS(deleting_a_profile_takes_its_ra_certificate_along),
	    ROWS(an_ra_certificate_that_another_profile_has_too_stays),
	    ROWS(a_profile_with_certificates_is_not_deleted),
	};

	return cmocka_run_group_tests_name("store_profile", tests, NULL, NULL);
}
