#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/challenge.h"
#include "fcgi-admin/manage/installation.h"
#include "tests/unit/pki_request.h"
#include "tests/unit/rooms.h"

static const struct manage_actor tester = {.who = "test"};

static void
done(enum manage_rc rc, const struct manage_report *report)
{
	if (rc != MANAGE_OK)
		fail_msg("manage: %d: %s %s", (int)rc, report->why.line,
		    report->fault_count > 0 ? report->faults[0].message : "");
}

static void
make_settings(struct rooms *r)
{
	struct settings *s = &r->settings;

	snprintf(s->state_dir, sizeof(s->state_dir), "%s/state", r->directory);
	snprintf(s->database, sizeof(s->database), "%s/state/scep.db", r->directory);
	snprintf(s->key_dir, sizeof(s->key_dir), "%s/state/keys", r->directory);
	snprintf(
	    s->master_key_file, sizeof(s->master_key_file), "%s/state/master.key", r->directory);
	snprintf(
	    s->passphrase_file, sizeof(s->passphrase_file), "%s/state/passphrase", r->directory);
	snprintf(s->redis, sizeof(s->redis), "unix:%s",
	    r->server.pid != 0 ? r->server.socket : "/nonexistent/redis.sock");
	s->redis_timeout_ms = 2000;
	s->store_timeout_ms = 5000;
	s->reserve_s = 30;
	s->challenge_tries = 3;
	s->code_window_s = 600;
	s->code_tries_per_window = 10;
	s->code_lock_after = 50;
	s->code_lock_s = 3600;
}

static void
make_profile(struct rooms *r)
{
	const struct octets challenge = octets_of_string(ROOMS_CHALLENGE);
	struct manage_profile_change change = MANAGE_PROFILE_KEEP;
	struct manage_authority_order ca = {.name = ROOMS_CA,
	    .subject = "O=Rooms,CN=Rooms CA",
	    .key = "ec:P-256",
	    .validity_days = 3650,
	    .path_length = 0,
	    .crl_url = "http://crl.example/ca.crl"};
	struct manage_profile_order demo = {.name = ROOMS_PROFILE,
	    .authority = ROOMS_CA,
	    .ra_key = "rsa:2048",
	    .enabled = true,
	    .change = &change};
	struct manage_report report = {0};
	struct manage_profile made;
	struct authority_row row;

	change.challenge = &challenge;
	done(manage_authority_create(&r->manage, &tester, &ca, &row, &report), &report);
	authority_row_free(&row);
	done(manage_profile_create(&r->manage, &tester, &demo, &made, &report), &report);
}

void
rooms_open(struct rooms *r, bool with_redis)
{
	struct manage_installation installation;
	struct manage_report report = {0};

	*r = (struct rooms){.directory = "/tmp/scep-rooms-XXXXXX"};
	assert_non_null(mkdtemp(r->directory));
	if (with_redis && redis_server_installed())
		assert_true(redis_server_start(&r->server, NULL, false));
	make_settings(r);
	manage_open(&r->manage, &r->settings);
	done(manage_installation_init(&r->manage, &tester, &installation, &report), &report);
	make_profile(r);
	done(manage_need_master_key(&r->manage, &report), &report);
	done(manage_need_redis(&r->manage, &report), &report);
	assert_true(profile_cache_open(&r->settings, r->manage.store, &r->profiles, &r->why));
	r->authoriser = (struct authoriser){.settings = &r->settings,
	    .master_key = r->manage.master_key,
	    .redis = r->manage.redis,
	    .store = r->manage.store};
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void
rooms_close(struct rooms *r)
{
	profile_cache_close(r->profiles);
	manage_close(&r->manage);
	if (r->server.pid != 0)
		redis_server_end(&r->server);
	nftw(r->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
rooms_set(struct rooms *r, const struct manage_profile_change *change)
{
	struct manage_report report = {0};
	struct manage_profile out;

	done(
	    manage_profile_set(&r->manage, &tester, ROOMS_PROFILE, change, &out, &report), &report);
}

void
rooms_enable(struct rooms *r, bool enabled)
{
	struct manage_report report = {0};

	done(manage_profile_enable(&r->manage, &tester, ROOMS_PROFILE, enabled, &report), &report);
}

void
rooms_mint(struct rooms *r, const char *bind_cn, char value[33])
{
	struct manage_challenge_order order = {
	    .profile = &rooms_profile(r)->scep, .bind_cn = bind_cn};
	struct manage_report report = {0};
	struct manage_challenge minted;

	done(manage_challenge_mint(&r->manage, &tester, &order, &minted, &report), &report);
	memcpy(value, minted.value, sizeof(minted.value));
}

struct profile *
rooms_profile(struct rooms *r)
{
	struct profile *p = NULL;

	if (profile_get(r->profiles, ROOMS_PROFILE, &p, &r->why) != STORE_OK ||
	    !profile_open_keys(r->profiles, p, &r->why))
		fail_msg("profile: %s", r->why.line);
	return p;
}

struct csr
rooms_csr(EVP_PKEY *key, const char *subject, const char *challenge)
{
	return rooms_csr_san(key, subject, NULL, challenge);
}

/* An extensionRequest with one extension. */
static void
ask_for_san(const char *san, struct buffer *attributes)
{
	struct buffer names = {0}, extension = {0}, list = {0};

	assert_true(san_from_text(san, &names, NULL));
	pki_extension(&extension, PKI_SAN, &names);
	pki_wrap(&list, 0x30, &extension);
	pki_attribute(attributes, PKI_EXTENSION_REQUEST, &list);
}

struct csr
rooms_csr_san(EVP_PKEY *key, const char *subject, const char *san, const char *challenge)
{
	struct buffer attributes = {0}, value = {0}, der = {0};
	struct errbuf why = {0};
	struct csr csr;

	if (san != NULL)
		ask_for_san(san, &attributes);

	if (challenge != NULL) {
		pki_tlv_string(&value, 0x0c, challenge);
		pki_attribute(&attributes, PKI_CHALLENGE, &value);
	}
	pki_csr(&der, key, subject, &attributes);
	if (!csr_parse(der.data, der.len, &csr, &why))
		fail_msg("CSR: %s", why.line);
	buffer_free(&der);
	return csr;
}

struct issue_order
rooms_order(
    struct rooms *r, const struct csr *csr, uint8_t number, uint8_t repeat_key[32], int64_t now)
{
	struct profile *p = rooms_profile(r);

	memset(repeat_key, number, 32);
	return (struct issue_order){
	    .profile = p,
	    .authority = &p->authorities[0],
	    .challenge_version = p->scep.challenge_version,
	    .csr = csr,
	    .repeat_key = octets_of(repeat_key, 32),
	    .now = now,
	    .event = {.time_ms = now * 1000, .actor = "device", .action = "scep.enrol", .count = 1},
	};
}

int64_t
rooms_count(struct rooms *r, const char *table)
{
	char sql[256];
	sqlite3_stmt *s;
	sqlite3 *db;
	int64_t n;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	assert_int_equal(
	    sqlite3_open_v2(r->settings.database, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}
