#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_fixture.h"

const struct audit_event fixture_event = {
    .time_ms = FIXTURE_NOW * INT64_C(1000),
    .actor = "device",
    .address = "192.0.2.1",
    .action = "scep.enrol",
    .resource_type = "certificate",
    .profile = "demo",
    .outcome = "success",
    .transaction_id = "t-1",
    .message_type = "PKCSReq",
    .stage = "issued",
    .digest = "SHA-256",
    .cipher = "AES-128-CBC",
    .key_type = "RSA-2048",
    .transport = "http-post",
    .count = 1,
};

static void
fill(struct buffer *b, const char *text)
{
	buffer_append_string(b, text);
	assert_false(b->failed);
}

void
store_fixture_directory(struct store_fixture *f, const char *parent)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->directory, sizeof(f->directory), "%s/store-XXXXXX", parent);
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->settings.database, sizeof(f->settings.database), "%s/scep.db", f->directory);
	f->settings.store_timeout_ms = 5000;
}

static void
check(enum store_rc rc, const struct errbuf *why)
{
	if (rc != STORE_OK)
		fail_msg("have %d: %s", (int)rc, why->line);
}

void
store_fixture_open(struct store_fixture *f)
{
	struct authority_row a = fixture_authority();
	struct ra_profile_row r = fixture_ra_profile();
	struct ra_certificate_row c = fixture_ra_certificate();
	struct scep_profile_row s = fixture_scep_profile();
	int from, to;

	if (f->directory[0] == '\0')
		store_fixture_directory(f, "/tmp");
	check(store_migrate(&f->settings, &from, &to, &f->why), &f->why);
	check(store_open(&f->settings, &f->store, &f->why), &f->why);
	check(store_authority_insert(f->store, &a, NULL, &f->why), &f->why);
	check(store_ra_profile_insert(f->store, &r, NULL, &f->why), &f->why);
	check(store_scep_profile_insert(f->store, &s, &c, NULL, &f->why), &f->why);
	authority_row_free(&a);
	ra_certificate_row_free(&c);
}

void
store_fixture_close(struct store_fixture *f)
{
	char path[512];
	struct dirent *d;
	DIR *dir;

	store_close(f->store);
	f->store = NULL;
	if ((dir = opendir(f->directory)) != NULL) {
		while ((d = readdir(dir)) != NULL) {
			snprintf(path, sizeof(path), "%s/%s", f->directory, d->d_name);
			unlink(path);
		}
		closedir(dir);
	}
	rmdir(f->directory);
}

int
store_fixture_setup(void **state)
{
	struct store_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	store_fixture_open(f);
	*state = f;
	return 0;
}

int
store_fixture_teardown(void **state)
{
	store_fixture_close(*state);
	free(*state);
	return 0;
}

struct authority_row
fixture_authority(void)
{
	struct authority_row a = {
	    .id = FIXTURE_AUTHORITY,
	    .name = "ca",
	    .state = "active",
	    .lineage = FIXTURE_AUTHORITY,
	    .key_file = "ca.pem",
	    .crl_url = "http://localhost/crl/ca.crl",
	    .ocsp_url = "http://localhost/ocsp/ca",
	    .not_after = FIXTURE_NOW + 86400,
	    .created_at = FIXTURE_NOW,
	};

	fill(&a.certificate, "CA certificate");
	fill(&a.chain, "root certificate");
	return a;
}

struct ra_certificate_row
fixture_ra_certificate(void)
{
	struct ra_certificate_row c = {
	    .id = FIXTURE_RA_CERTIFICATE,
	    .authority_id = FIXTURE_AUTHORITY,
	    .key_file = "ra.pem",
	    .not_after = FIXTURE_NOW + 86400,
	    .created_at = FIXTURE_NOW,
	};

	fill(&c.certificate, "RA certificate");
	return c;
}

struct ra_profile_row
fixture_ra_profile(void)
{
	struct ra_profile_row r = {
	    .id = FIXTURE_RA_PROFILE,
	    .name = "devices",
	    .authority_id = FIXTURE_AUTHORITY,
	    .validity_days = 365,
	    .key_usage = "digitalSignature,keyEncipherment",
	    .eku = "clientAuth",
	    .refuse_extra = true,
	    .min_rsa_bits = 2048,
	    .max_rsa_bits = 8192,
	    .curves = "P-256,P-384,P-521",
	    .fields = {{.type = "subject.commonName", .source = "scepRequest", .required = true},
		{.type = "san.dns", .source = "scepRequest", .multiple = true},
		{.type = "subject.organizationName", .source = "fixed", .value = "Example"}},
	    .field_count = 3,
	    .created_at = FIXTURE_NOW,
	};

	return r;
}

struct scep_profile_row
fixture_scep_profile(void)
{
	struct scep_profile_row s = {
	    .id = FIXTURE_SCEP_PROFILE,
	    .name = "demo",
	    .description = "for tests",
	    .enabled = true,
	    .ra_profile_id = FIXTURE_RA_PROFILE,
	    .ra_certificate_id = FIXTURE_RA_CERTIFICATE,
	    .challenge_mode = "static",
	    .challenge_hash = {1, 2, 3},
	    .challenge_set = true,
	    .challenge_weak = true,
	    .challenge_expiry_s = 3600,
	    .max_pending = 100,
	    .digests = 7,
	    .ciphers = 11,
	    .require_signer_key = true,
	    .include_ca_in_get_ca_cert = true,
	    .include_ca_chain = true,
	    .replay_hours = 24,
	    .lineage = FIXTURE_SCEP_PROFILE,
	    .approval = "auto",
	    .transaction_expiry_s = 604800,
	    .max_transactions = 1000,
	    .certificate_renewal = true,
	    .same_key_renewal = true,
	    .max_successors = 5,
	    .challenge_length = 32,
	    .seat_field = "subject.commonName",
	    .duplicates = "allow",
	    .duplicate_grace_s = 604800,
	    .created_at = FIXTURE_NOW,
	    .version = 1,
	    .challenge_version = 1,
	};

	return s;
}

void
fixture_enrolment(struct fixture_enrolment *out, unsigned number, bool challenge)
{
	memset(out, 0, sizeof(*out));
	memset(out->serial, 0x11, sizeof(out->serial));
	memset(out->repeat_key, 0x22, sizeof(out->repeat_key));
	memset(out->challenge_id, 0x33, sizeof(out->challenge_id));
	memset(out->der, 0x44, sizeof(out->der));
	memcpy(out->serial, &number, sizeof(number));
	memcpy(out->repeat_key, &number, sizeof(number));
	memcpy(out->challenge_id, &number, sizeof(number));
	memcpy(out->der, &number, sizeof(number));
	out->e = (struct enrolment){
	    .serial = octets_of(out->serial, sizeof(out->serial)),
	    .authority_id = FIXTURE_AUTHORITY,
	    .scep_profile_id = FIXTURE_SCEP_PROFILE,
	    .ra_profile_id = FIXTURE_RA_PROFILE,
	    .challenge_version = 1,
	    .certificate = octets_of(out->der, sizeof(out->der)),
	    .subject = "CN=device,O=Example",
	    .not_before = FIXTURE_NOW - 300,
	    .not_after = FIXTURE_NOW + 86400,
	    .purpose = "device",
	    .repeat_key = octets_of(out->repeat_key, sizeof(out->repeat_key)),
	    .repeat_since = FIXTURE_NOW - 3600,
	    .challenge_id = octets_of(out->challenge_id, challenge ? sizeof(out->challenge_id) : 0),
	    .now = FIXTURE_NOW,
	    .event = &fixture_event,
	};
}

static void
assert_same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_true(a == NULL && b == NULL);
	else
		assert_string_equal(a, b);
}

void
fixture_same_event(const struct audit_event *a, const struct audit_event *b)
{
	assert_int_equal(a->time_ms, b->time_ms);
	assert_int_equal(a->count, b->count);
	assert_same_text(a->event_id, b->event_id);
	assert_same_text(a->actor, b->actor);
	assert_same_text(a->address, b->address);
	assert_same_text(a->action, b->action);
	assert_same_text(a->resource_type, b->resource_type);
	assert_same_text(a->resource_id, b->resource_id);
	assert_same_text(a->profile, b->profile);
	assert_same_text(a->outcome, b->outcome);
	assert_same_text(a->transaction_id, b->transaction_id);
	assert_same_text(a->message_type, b->message_type);
	assert_same_text(a->fail_info, b->fail_info);
	assert_same_text(a->reason, b->reason);
	assert_same_text(a->stage, b->stage);
	assert_same_text(a->serial, b->serial);
	assert_same_text(a->subject, b->subject);
	assert_same_text(a->digest, b->digest);
	assert_same_text(a->cipher, b->cipher);
	assert_same_text(a->key_type, b->key_type);
	assert_same_text(a->transport, b->transport);
	assert_same_text(a->request_id, b->request_id);
	assert_same_text(a->organization, b->organization);
	assert_same_text(a->department, b->department);
}

struct audit_event
fixture_full_event(void)
{
	struct audit_event e = {
	    .event_id = "0e0e0e0e-0000-4000-8000-000000000001",
	    .time_ms = INT64_C(1800000000123),
	    .actor = "device",
	    .address = "2001:db8::1",
	    .action = "scep.enrol",
	    .resource_type = "certificate",
	    .resource_id = "",
	    .profile = "demo",
	    .outcome = "refused",
	    .transaction_id = "\"quoted\" \\ back",
	    .message_type = "PKCSReq",
	    .fail_info = "badRequest",
	    .reason = "tab\there, line\nthere, \x01\x1f\x7f",
	    .stage = "authorised",
	    .serial = "00ff",
	    .subject = "CN=Zürich 株式会社 \xf0\x9f\x94\x91",
	    .digest = "SHA-256",
	    .cipher = "AES-256-CBC",
	    .key_type = "RSA-2048",
	    .transport = "https-post",
	    .request_id = "r-1",
	    .organization = "Example",
	    .department = "IT",
	    .count = 1234,
	};

	return e;
}

static sqlite3 *
open_behind(struct store_fixture *f)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->settings.database, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	return db;
}

void
store_fixture_script(struct store_fixture *f, const char *sql)
{
	sqlite3 *db = open_behind(f);

	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

int64_t
store_fixture_integer(struct store_fixture *f, const char *sql)
{
	sqlite3 *db = open_behind(f);
	sqlite3_stmt *s;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	value = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return value;
}
