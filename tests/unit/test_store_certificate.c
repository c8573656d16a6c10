#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "store_fixture.h"

struct page {
	struct certificate_row rows[16];
	int count;
	int stop_at;
};

static bool
keep(void *ctx, const struct certificate_row *c)
{
	struct page *p = ctx;

	assert_true(p->count < 16);
	p->rows[p->count++] = *c;
	return p->count != p->stop_at;
}

static void
commit_five(struct store_fixture *f)
{
	struct fixture_enrolment x;
	enum enrolment_conflict what;
	unsigned i;

	for (i = 1; i <= 5; i++) {
		fixture_enrolment(&x, i, false);
		x.e.san = i == 5 ? "DNS:device.example" : NULL;
		if (i == 4)
			x.e.scep_profile_id = x.e.ra_profile_id = NULL;
		assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	}
}

static void
certificates_are_listed_newest_first_and_below_an_id(void **state)
{
	struct store_fixture *f = *state;
	struct page p = {0};

	commit_five(f);
	assert_int_equal(store_certificate_list(f->store, 0, 3, keep, &p, &f->why), STORE_OK);
	assert_int_equal(p.count, 3);
	assert_string_equal(p.rows[0].serial, "05000000111111111111111111111111");
	assert_string_equal(p.rows[0].uuid, "05000000-1111-1111-1111-111111111111");
	assert_string_equal(p.rows[0].authority_id, FIXTURE_AUTHORITY);
	assert_string_equal(p.rows[0].profile, "demo");
	assert_string_equal(p.rows[0].subject, "CN=device,O=Example");
	assert_string_equal(p.rows[0].san, "DNS:device.example");
	assert_string_equal(p.rows[0].status, "valid");
	assert_string_equal(p.rows[0].purpose, "device");
	assert_int_equal(p.rows[0].not_before, FIXTURE_NOW - 300);
	assert_int_equal(p.rows[0].not_after, FIXTURE_NOW + 86400);
	assert_int_equal(p.rows[0].created_at, FIXTURE_NOW);
	assert_string_equal(p.rows[1].profile, "");
	assert_string_equal(p.rows[1].san, "");
	p.count = 0;
	assert_int_equal(
	    store_certificate_list(f->store, p.rows[2].id, 100, keep, &p, &f->why), STORE_OK);
	assert_int_equal(p.count, 2);
	p.count = 0;
	p.stop_at = 1;
	assert_int_equal(store_certificate_list(f->store, 0, 100, keep, &p, &f->why), STORE_OK);
	assert_int_equal(p.count, 1);
}

static void
a_certificate_is_found_by_uuid_and_by_serial(void **state)
{
	static const char *const good[] = {"05000000-1111-1111-1111-111111111111",
	    "05000000111111111111111111111111", "5000000111111111111111111111111",
	    "05:00:00:00:11:11:11:11:11:11:11:11:11:11:11:11"};
	static const char *const bad[] = {"", "-", "05000000-1111-1111-1111-111111111112",
	    "05000000-1111-1111-1111-11111111111g", "0050000001111111111111111111111111",
	    "x5000000111111111111111111111111", "50000001111111111111111111111", "5"};
	struct store_fixture *f = *state;
	struct certificate_row c;
	struct buffer der = {0};
	struct fixture_enrolment x;
	size_t i;

	commit_five(f);
	fixture_enrolment(&x, 5, false);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (store_certificate_get(f->store, good[i], NULL, &c, &der, &f->why) != STORE_OK)
			fail_msg("%s", good[i]);
		assert_true(octets_equal(buffer_octets(&der), x.e.certificate));
		assert_string_equal(c.profile, "demo");
		buffer_free(&der);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (store_certificate_get(f->store, bad[i], NULL, &c, &der, &f->why) != STORE_NONE)
			fail_msg("%s", bad[i]);
	assert_int_equal(der.len, 0);
	assert_int_equal(
	    store_certificate_get(f->store, good[0], NULL, &c, NULL, &f->why), STORE_OK);
}

static void
a_long_subject_is_cut_at_a_character(void **state)
{
	struct store_fixture *f = *state;
	char subject[3000] = "";
	enum enrolment_conflict what;
	struct fixture_enrolment x;
	struct certificate_row c;
	int i;

	for (i = 0; i < 900; i++)
		strcat(subject, "株");
	fixture_enrolment(&x, 5, false);
	x.e.subject = subject;
	assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	assert_int_equal(store_certificate_get(
			     f->store, "05000000111111111111111111111111", NULL, &c, NULL, &f->why),
	    STORE_OK);
	assert_int_equal(strlen(c.subject), 1023);
	assert_memory_equal(c.subject, subject, 1023);
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(certificates_are_listed_newest_first_and_below_an_id),
	    ROWS(a_certificate_is_found_by_uuid_and_by_serial),
	    ROWS(a_long_subject_is_cut_at_a_character),
	};

	return cmocka_run_group_tests_name("store_certificate", tests, NULL, NULL);
}
