#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/revocation.h"
#include "store_fixture.h"

#define OTHER_AUTHORITY "0a0a0a0a-0000-4000-8000-00000000000a"

static enum enrolment_conflict what;

/* Certificates 1 to count, which are also their rows. */
static void
enrol(struct store_fixture *f, unsigned count)
{
	struct fixture_enrolment x;

	for (unsigned i = 1; i <= count; i++) {
		fixture_enrolment(&x, i, false);
		assert_int_equal(store_commit_enrolment(f->store, &x.e, &what, &f->why), STORE_OK);
	}
}

static int64_t
events(struct store_fixture *f)
{
	return store_fixture_integer(f, "SELECT count(*) FROM audit_event");
}

static int64_t
wanted(struct store_fixture *f)
{
	int64_t n = -1;

	assert_int_equal(store_crl_wanted(f->store, FIXTURE_AUTHORITY, &n, &f->why), STORE_OK);
	return n;
}

static enum store_rc
revoke_row(struct store_fixture *f, int64_t id, int reason, int64_t now)
{
	return store_revoke(f->store, id, reason, now, &fixture_event, &f->why);
}

static enum store_rc
unhold(struct store_fixture *f, int64_t id)
{
	return store_unhold(f->store, id, &fixture_event, &f->why);
}

static struct certificate_row
row_of(struct store_fixture *f, int64_t id)
{
	struct certificate_row c;

	assert_int_equal(store_certificate_get_id(f->store, id, &c, NULL, &f->why), STORE_OK);
	return c;
}

static void
assert_status(
    struct store_fixture *f, int64_t id, const char *status, int64_t revoked_at, int reason)
{
	struct certificate_row c = row_of(f, id);

	assert_string_equal(c.status, status);
	assert_int_equal(c.revoked_at, revoked_at);
	assert_int_equal(c.revocation_reason, reason);
}

/* ---- revoking ---- */

static void
a_certificate_is_revoked_once(void **state)
{
	struct store_fixture *f = *state;
	int64_t version, after;

	enrol(f, 2);
	assert_int_equal(store_config_version(f->store, &version, &f->why), STORE_OK);
	assert_int_equal(revoke_row(f, 1, 1, FIXTURE_NOW + 5), STORE_OK);
	assert_status(f, 1, "revoked", FIXTURE_NOW + 5, 1);
	assert_status(f, 2, "valid", 0, 0);
	assert_int_equal(wanted(f), 1);
	assert_int_equal(events(f), 3);
	assert_int_equal(revoke_row(f, 1, 4, FIXTURE_NOW + 9), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "revoked already"));
	assert_int_equal(revoke_row(f, 1, REVOCATION_HOLD, FIXTURE_NOW + 9), STORE_CONFLICT);
	assert_status(f, 1, "revoked", FIXTURE_NOW + 5, 1);
	assert_int_equal(revoke_row(f, 3, 1, FIXTURE_NOW), STORE_NONE);
	assert_int_equal(wanted(f), 1);
	assert_int_equal(events(f), 3);
	/* What a profile's cache holds is as it was. */
	assert_int_equal(store_config_version(f->store, &after, &f->why), STORE_OK);
	assert_int_equal(after, version);
	/* unspecified is a reason, too. */
	assert_int_equal(revoke_row(f, 2, 0, FIXTURE_NOW), STORE_OK);
	assert_status(f, 2, "revoked", FIXTURE_NOW, 0);
	assert_int_equal(revoke_row(f, 2, 0, FIXTURE_NOW), STORE_CONFLICT);
}

static void
a_hold_is_taken_back_and_nothing_else_is(void **state)
{
	struct store_fixture *f = *state;

	enrol(f, 2);
	assert_int_equal(revoke_row(f, 1, REVOCATION_HOLD, FIXTURE_NOW), STORE_OK);
	assert_status(f, 1, "revoked", FIXTURE_NOW, REVOCATION_HOLD);
	assert_int_equal(unhold(f, 1), STORE_OK);
	assert_status(f, 1, "valid", 0, 0);
	assert_int_equal(wanted(f), 2);
	assert_int_equal(events(f), 4);
	assert_int_equal(unhold(f, 1), STORE_CONFLICT);
	assert_non_null(strstr(f->why.line, "not on hold"));
	assert_int_equal(revoke_row(f, 2, 1, FIXTURE_NOW), STORE_OK);
	assert_int_equal(unhold(f, 2), STORE_CONFLICT);
	assert_status(f, 2, "revoked", FIXTURE_NOW, 1);
	assert_int_equal(unhold(f, 3), STORE_NONE);
	assert_int_equal(wanted(f), 3);
	/* And it may be held again. */
	assert_int_equal(revoke_row(f, 1, REVOCATION_HOLD, FIXTURE_NOW + 1), STORE_OK);
	assert_status(f, 1, "revoked", FIXTURE_NOW + 1, REVOCATION_HOLD);
}

static void
what_is_on_hold_is_revoked_for_good_since_its_first_date(void **state)
{
	struct store_fixture *f = *state;

	enrol(f, 1);
	assert_int_equal(revoke_row(f, 1, REVOCATION_HOLD, FIXTURE_NOW), STORE_OK);
	assert_int_equal(revoke_row(f, 1, REVOCATION_HOLD, FIXTURE_NOW + 5), STORE_CONFLICT);
	assert_int_equal(revoke_row(f, 1, 1, FIXTURE_NOW + 9), STORE_OK);
	assert_status(f, 1, "revoked", FIXTURE_NOW, 1);
	assert_int_equal(wanted(f), 2);
	assert_int_equal(unhold(f, 1), STORE_CONFLICT);
}

static void
a_revoked_certificate_does_not_answer_for_its_request_nor_renew(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	struct buffer der = {0};
	struct renewable r;
	bool undelivered;

	enrol(f, 1);
	fixture_enrolment(&x, 1, false);
	assert_int_equal(revoke_row(f, 1, 1, FIXTURE_NOW), STORE_OK);
	assert_int_equal(
	    store_repeat(f->store, x.e.repeat_key, 0, FIXTURE_NOW, &der, &undelivered, &f->why),
	    STORE_NONE);
	assert_int_equal(
	    store_renewable(f->store, x.e.serial, x.e.certificate, &r, &f->why), STORE_OK);
	assert_true(r.revoked);
}

/* ---- OCSP ---- */

static void
a_status_is_that_of_the_serial_under_its_authority(void **state)
{
	struct authority_row a = fixture_authority();
	struct store_fixture *f = *state;
	struct certificate_status s;
	struct fixture_enrolment x;
	uint8_t signed_serial[17] = {0};

	strcpy(a.id, OTHER_AUTHORITY);
	strcpy(a.name, "other");
	assert_int_equal(store_authority_insert(f->store, &a, NULL, &f->why), STORE_OK);
	authority_row_free(&a);
	enrol(f, 2);
	fixture_enrolment(&x, 1, false);
	memcpy(signed_serial + 1, x.serial, sizeof(x.serial));
	assert_int_equal(revoke_row(f, 1, 4, FIXTURE_NOW + 5), STORE_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    store_certificate_status(f->store, FIXTURE_AUTHORITY,
			octets_of(signed_serial + i, sizeof(signed_serial) - (size_t)i), &s,
			&f->why),
		    STORE_OK);
		assert_true(s.revoked);
		assert_int_equal(s.revoked_at, FIXTURE_NOW + 5);
		assert_int_equal(s.reason, 4);
	}
	assert_int_equal(
	    store_certificate_status(f->store, OTHER_AUTHORITY, x.e.serial, &s, &f->why),
	    STORE_NONE);
	fixture_enrolment(&x, 2, false);
	assert_int_equal(
	    store_certificate_status(f->store, FIXTURE_AUTHORITY, x.e.serial, &s, &f->why),
	    STORE_OK);
	assert_false(s.revoked);
	fixture_enrolment(&x, 3, false);
	assert_int_equal(
	    store_certificate_status(f->store, FIXTURE_AUTHORITY, x.e.serial, &s, &f->why),
	    STORE_NONE);
	assert_int_equal(
	    store_certificate_status(f->store, FIXTURE_AUTHORITY, octets_of(NULL, 0), &s, &f->why),
	    STORE_NONE);
}

/* ---- the rows of a CRL ---- */

struct listed {
	int count, stop_at;
	int64_t sum; /* of reasons */
	int64_t last_at;
	uint8_t serials[4][20];
	size_t lengths[4];
};

static bool
list(void *ctx, struct octets serial, int64_t revoked_at, int reason)
{
	struct listed *l = ctx;

	assert_in_range(serial.len, 1, 20);
	if (l->count < 4) {
		memcpy(l->serials[l->count], serial.data, serial.len);
		l->lengths[l->count] = serial.len;
	}
	l->last_at = revoked_at;
	l->sum += reason;
	return ++l->count != l->stop_at;
}

static struct listed
revoked_since(struct store_fixture *f, const char *authority_id, int64_t since, int stop_at)
{
	struct listed l = {.stop_at = stop_at};

	if (store_revoked_each(f->store, authority_id, since, list, &l, &f->why) != STORE_OK)
		fail_msg("%s", f->why.line);
	return l;
}

static void
a_crl_lists_what_is_revoked_or_held_and_expires_since_then(void **state)
{
	struct store_fixture *f = *state;
	struct fixture_enrolment x;
	struct listed l;

	assert_int_equal(revoked_since(f, FIXTURE_AUTHORITY, 0, 0).count, 0);
	enrol(f, 4);
	assert_int_equal(revoke_row(f, 1, 1, FIXTURE_NOW + 1), STORE_OK);
	assert_int_equal(revoke_row(f, 3, REVOCATION_HOLD, FIXTURE_NOW + 3), STORE_OK);
	assert_int_equal(revoke_row(f, 4, REVOCATION_HOLD, FIXTURE_NOW + 4), STORE_OK);
	assert_int_equal(unhold(f, 4), STORE_OK);
	l = revoked_since(f, FIXTURE_AUTHORITY, INT64_MIN, 0);
	assert_int_equal(l.count, 2);
	fixture_enrolment(&x, 3, false);
	assert_int_equal(l.lengths[1], 16);
	assert_memory_equal(l.serials[1], x.serial, 16);
	assert_int_equal(l.sum, 7);
	assert_int_equal(l.last_at, FIXTURE_NOW + 3);
	assert_int_equal(revoked_since(f, FIXTURE_AUTHORITY, x.e.not_after, 0).count, 2);
	assert_int_equal(revoked_since(f, FIXTURE_AUTHORITY, x.e.not_after + 1, 0).count, 0);
	assert_int_equal(revoked_since(f, OTHER_AUTHORITY, 0, 0).count, 0);
	assert_int_equal(revoked_since(f, FIXTURE_AUTHORITY, 0, 1).count, 1);
}

/* Rows that sum to count, of which group at a time expire together, and as many valid ones between them. */
static void
insert_many(struct store_fixture *f, const char *count, const char *group)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2 * %s) "
	    "INSERT INTO certificate (serial, authority_id, purpose, status, not_before, "
	    "not_after, created_at, subject, der, revoked_at, revocation_reason) SELECT "
	    "CAST(printf('%%016d', i) AS BLOB), 1, 'device', CASE WHEN i %% 2 THEN 'revoked' ELSE "
	    "'valid' END, 1, 2000000000 + i / 2 / %s, 1, 'CN=x', zeroblob(1000), CASE WHEN i %% 2 "
	    "THEN 1800000000 END, CASE WHEN i %% 2 THEN 1 END FROM n",
	    count, group);
	store_fixture_script(f, sql);
}

static void
each_row_is_given_once_however_pages_fall(void **state)
{
	static const struct {
		const char *count, *group;
	} shapes[] = {{"2000", "1"}, {"2001", "1"}, {"4000", "4000"}, {"4001", "9999"},
	    {"6001", "1999"}, {"6000", "2000"}, {"7003", "2001"}};
	struct store_fixture *f = *state;
	struct listed l;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		insert_many(f, shapes[i].count, shapes[i].group);
		l = revoked_since(f, FIXTURE_AUTHORITY, 0, 0);
		assert_int_equal(l.count, atoi(shapes[i].count));
		/* Each with reason 1: the sum is the count; that none came twice is in their number. */
		assert_int_equal(l.sum, l.count);
		assert_int_equal(revoked_since(f, FIXTURE_AUTHORITY, 0, 2000).count, 2000);
		if (l.count > 2000)
			assert_int_equal(revoked_since(f, FIXTURE_AUTHORITY, 0, 2001).count, 2001);
		store_fixture_script(f, "DELETE FROM certificate");
	}
}

static double
processor_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* The worst of shapes: all expire at the same moment. */
static void
a_hundred_thousand_revoked_rows_are_read_in_well_under_a_second(void **state)
{
	struct store_fixture *f = *state;
	double start;

	insert_many(f, "100000", "1000000");
	start = processor_seconds();
	assert_int_equal(revoked_since(f, FIXTURE_AUTHORITY, 0, 0).count, 100000);
	start = processor_seconds() - start;
	print_message("%.3f s of processor time\n", start);
	assert_true(start < 1.0);
}

/* ---- a revocation and a renewal at the same moment ---- */

#define ROUNDS 200

struct race {
	pthread_barrier_t barrier;
	enum store_rc rc[2][ROUNDS];
	enum enrolment_conflict what[ROUNDS];
};

static struct race *
race_open(void)
{
	struct race *r =
	    mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t a;

	assert_ptr_not_equal(r, MAP_FAILED);
	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	assert_int_equal(pthread_barrier_init(&r->barrier, &a, 2), 0);
	return r;
}

static void
race_run(struct store_fixture *f, struct race *r, int me)
{
	struct fixture_enrolment x;
	struct store *st;

	if (store_open(&f->settings, &st, &f->why) != STORE_OK)
		_exit(2);
	for (unsigned i = 0; i < ROUNDS; i++) {
		fixture_enrolment(&x, ROUNDS + 1 + i, false);
		x.e.predecessor_id = i + 1;
		x.e.max_successors = 5;
		pthread_barrier_wait(&r->barrier);
		/* Revoking has less to do before it has the lock. */
		if (me == 0 && i % 2 == 0)
			usleep(100);
		r->rc[me][i] =
		    me == 0 ? store_revoke(st, i + 1, 1, FIXTURE_NOW, &fixture_event, &f->why)
			    : store_commit_enrolment(st, &x.e, &r->what[i], &f->why);
	}
	store_close(st);
	_exit(0);
}

static void
a_renewal_is_before_its_predecessors_revocation_or_is_none(void **state)
{
	struct store_fixture *f = *state;
	struct race *r = race_open();
	int renewed = 0, status;
	pid_t pids[2];

	enrol(f, ROUNDS);
	store_close(f->store);
	f->store = NULL;
	for (int i = 0; i < 2; i++)
		if ((pids[i] = fork()) == 0)
			race_run(f, r, i);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(r->rc[0][i], STORE_OK);
		if (r->rc[1][i] == STORE_OK) {
			renewed++;
			continue;
		}
		assert_int_equal(r->rc[1][i], STORE_CONFLICT);
		assert_int_equal(r->what[i], ENROLMENT_PREDECESSOR);
	}
	print_message("renewed: %d of %d\n", renewed, ROUNDS);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT count(*) FROM certificate"), ROUNDS + renewed);
	assert_int_equal(
	    store_fixture_integer(f, "SELECT sum(successors) FROM certificate"), renewed);
	assert_int_equal(events(f), 2 * ROUNDS + renewed);
	assert_int_equal(store_fixture_integer(f, "SELECT revocations FROM authority"), ROUNDS);
	munmap(r, sizeof(*r));
}

#define ROWS(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    ROWS(a_certificate_is_revoked_once),
	    ROWS(a_hold_is_taken_back_and_nothing_else_is),
	    ROWS(what_is_on_hold_is_revoked_for_good_since_its_first_date),
	    ROWS(a_revoked_certificate_does_not_answer_for_its_request_nor_renew),
	    ROWS(a_status_is_that_of_the_serial_under_its_authority),
	    ROWS(a_crl_lists_what_is_revoked_or_held_and_expires_since_then),
	    ROWS(each_row_is_given_once_however_pages_fall),
	    ROWS(a_hundred_thousand_revoked_rows_are_read_in_well_under_a_second),
	    ROWS(a_renewal_is_before_its_predecessors_revocation_or_is_none),
	};

	return cmocka_run_group_tests_name("store_revocation", tests, NULL, NULL);
}
