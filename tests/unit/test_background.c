/* test_background.c: the background process: audit rows from Redis to the store, retention, the lease. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/log.h"
#include "fcgi-admin/background/background.h"
#include "fcgi-admin/manage/records.h"
#include "redis/audit_queue.h"
#include "store/certificate_row.h"
#include "store/profile_row.h"
#include "store/seat_row.h"
#include "tests/unit/manage_fixture.h"
#include "tests/unit/redis_server.h"

#define WAIT_MS 10000

static struct redis_server server;
static struct redis *redis;
static struct prefork_shared shared;
static volatile bool stop;
static pthread_t thread;
static bool running;

static int
setup(void **state)
{
	struct manage_fixture *f;

	if (manage_fixture_setup(state) != 0)
		return -1;
	f = *state;
	log_open("test", false, LOG_LEVEL_ERROR);
	if (!redis_server_installed())
		return 0;
	if (!redis_server_start(&server, NULL, false))
		return -1;
	snprintf(f->settings.redis, sizeof(f->settings.redis), "unix:%s", server.socket);
	return (redis = redis_server_client(&server, 2000)) != NULL ? 0 : -1;
}

static void *
work(void *settings)
{
	background_run(settings, &shared, &stop);
	return NULL;
}

static void
start(struct manage_fixture *f)
{
	stop = false;
	assert_int_equal(pthread_create(&thread, NULL, work, &f->settings), 0);
	running = true;
}

static void
end(void)
{
	stop = true;
	if (running)
		pthread_join(thread, NULL);
	running = false;
}

static int
teardown(void **state)
{
	end();
	redis_close(redis);
	redis = NULL;
	redis_server_end(&server);
	return manage_fixture_teardown(state);
}

static void
put(const char *action, const char *flood)
{
	struct buffer json = {0};
	struct errbuf why = {0};
	char id[UUID_SIZE];
	struct audit_event e = {.time_ms = clock_now_ms(),
	    .action = action,
	    .actor = "x",
	    .outcome = "refused",
	    .count = 1};

	assert_true(encoding_uuid(id));
	e.event_id = id;
	assert_true(audit_event_to_json(&e, &json));
	assert_int_equal(audit_queue_put(redis, NULL, buffer_string(&json), octets_of_string(flood),
			     1, e.time_ms, &why),
	    REDIS_DONE);
	buffer_free(&json);
}

struct tally {
	const char *action;
	int rows;
	int64_t count;
};

static bool
tally_row(void *ctx, int64_t id, const struct audit_event *e)
{
	struct tally *t = ctx;

	(void)id;
	if (strcmp(e->action, t->action) == 0) {
		t->rows++;
		t->count += e->count;
	}
	return true;
}

static struct tally
tally(struct manage_fixture *f, const char *action)
{
	const struct audit_filter filter = {.limit = MANAGE_RECORDS_MAX};
	struct tally t = {.action = action};

	assert_int_equal(
	    manage_audit_each(&f->manage, &filter, tally_row, &t, manage_fixture_report(f)),
	    MANAGE_OK);
	return t;
}

static void
wait_for_rows(struct manage_fixture *f, const char *action, int rows)
{
	int64_t until = clock_monotonic_ms() + WAIT_MS;

	while (tally(f, action).rows < rows && clock_monotonic_ms() < until)
		usleep(20000);
	assert_int_equal(tally(f, action).rows, rows);
}

#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		if (!redis_server_installed())                                                     \
			skip();                                                                    \
	} while (0)

static void
rows_that_wait_reach_the_store_once(void **state)
{
	struct manage_fixture *f = *state;
	struct errbuf why = {0};
	int64_t length = -1;

	NEEDS_SERVER();
	for (int i = 0; i < 1203; i++)
		put("test.row", "");
	start(f);
	wait_for_rows(f, "test.row", 1203);
	end();
	assert_int_equal(audit_queue_length(redis, &length, &why), REDIS_DONE);
	assert_int_equal(length, 0);
	assert_int_equal(tally(f, "test.row").rows, 1203);
}

static void
what_is_no_audit_row_does_not_stop_the_others(void **state)
{
	struct manage_fixture *f = *state;
	struct errbuf why = {0};

	NEEDS_SERVER();
	put("test.before", "");
	assert_int_equal(audit_queue_put(redis, NULL, "{\"broken\":", octets_of(NULL, 0), 1,
			     clock_now_ms(), &why),
	    REDIS_DONE);
	put("test.after", "");
	start(f);
	wait_for_rows(f, "test.before", 1);
	wait_for_rows(f, "test.after", 1);
}

static void
rows_come_when_redis_is_back(void **state)
{
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	redis_server_kill(&server);
	start(f);
	usleep(700000);
	assert_true(redis_server_again(&server));
	redis_close(redis);
	redis = redis_server_client(&server, 2000);
	assert_non_null(redis);
	put("test.late", "");
	wait_for_rows(f, "test.late", 1);
}

static void
rows_that_were_lost_are_told_by_one_row_with_their_count(void **state)
{
	struct manage_fixture *f = *state;

	NEEDS_SERVER();
	redis_server_kill(&server); /* the store is enough */
	atomic_store(&shared.audit_lost, 7);
	start(f);
	wait_for_rows(f, "audit.lost", 1);
	assert_int_equal(tally(f, "audit.lost").count, 7);
	assert_int_equal(atomic_load(&shared.audit_lost), 0);
}

static void
rows_past_their_retention_are_deleted_and_younger_ones_stay(void **state)
{
	struct manage_fixture *f = *state;
	struct audit_event e = {
	    .action = "test.old", .actor = "x", .outcome = "success", .count = 1};
	struct errbuf why = {0};
	int64_t until = clock_monotonic_ms() + WAIT_MS;

	NEEDS_SERVER();
	e.time_ms = clock_now_ms() - 2 * 86400000LL;
	assert_int_equal(store_audit_write(f->manage.store, &e, 1, &why), STORE_OK);
	e.action = "test.young";
	e.time_ms = clock_now_ms() - 86400000LL + 600000;
	assert_int_equal(store_audit_write(f->manage.store, &e, 1, &why), STORE_OK);
	f->settings.audit_retention_days = 1;
	start(f);
	while (tally(f, "test.old").rows > 0 && clock_monotonic_ms() < until)
		usleep(20000);
	assert_int_equal(tally(f, "test.old").rows, 0);
	assert_int_equal(tally(f, "test.young").rows, 1);
}

static void
another_holder_of_the_lease_keeps_it_idle_and_the_lease_is_given_back_at_the_end(void **state)
{
	struct manage_fixture *f = *state;
	struct errbuf why = {0};

	NEEDS_SERVER();
	assert_int_equal(
	    store_lease(f->manage.store, "background", "other:1", clock_now(), 15, &why), STORE_OK);
	put("test.row", "");
	start(f);
	usleep(1500000);
	assert_int_equal(tally(f, "test.row").rows, 0);
	assert_int_equal(
	    store_lease_release(f->manage.store, "background", "other:1", &why), STORE_OK);
	wait_for_rows(f, "test.row", 1);
	assert_int_equal(
	    store_lease(f->manage.store, "background", "other:1", clock_now(), 15, &why),
	    STORE_CONFLICT);
	end();
	assert_int_equal(
	    store_lease(f->manage.store, "background", "other:1", clock_now(), 15, &why), STORE_OK);
}

static void
a_lease_from_a_clock_that_was_wrong_is_taken(void **state)
{
	struct manage_fixture *f = *state;
	struct errbuf why = {0};

	NEEDS_SERVER();
	assert_int_equal(store_lease(f->manage.store, "background", "other:1",
			     clock_now() + 86400 * 365, 15, &why),
	    STORE_OK);
	put("test.row", "");
	start(f);
	wait_for_rows(f, "test.row", 1);
}

/* A seat in use by a certificate that has expired: such are committed only here. */
static void
expired_seat(struct manage_fixture *f)
{
	struct organization_row o = {.id = "o", .name = "Example", .license_count = 1};
	struct seat_row s = {
	    .id = "s", .seat_id = "s-1", .type = "device", .organization = "Example"};
	const struct audit_event event = {.action = "scep.enrol", .outcome = "success"};
	struct enrolment e = {.serial = octets_of("0123456789abcdef", 16),
	    .certificate = octets_of("der", 3),
	    .subject = "CN=x",
	    .purpose = "device",
	    .not_after = clock_now() - 10,
	    .now = clock_now(),
	    .event = &event};
	struct scep_profile_row p;
	struct ra_profile_row r;
	enum enrolment_conflict what;
	struct errbuf why = {0};

	manage_fixture_authority(f);
	manage_fixture_profile(f, "demo", "a static challenge");
	assert_int_equal(store_organization_insert(f->manage.store, &o, NULL, &why), STORE_OK);
	assert_int_equal(store_seat_insert(f->manage.store, &s, NULL, &why), STORE_OK);
	assert_int_equal(store_seat_get(f->manage.store, "s-1", &s, &why), STORE_OK);
	assert_int_equal(store_scep_profile_get(f->manage.store, "demo", &p, &why), STORE_OK);
	p.enabled = true;
	assert_int_equal(store_scep_profile_update(f->manage.store, &p, NULL, &why), STORE_OK);
	assert_int_equal(
	    store_ra_profile_get(f->manage.store, p.ra_profile_id, &r, &why), STORE_OK);
	e.scep_profile_id = p.id;
	e.ra_profile_id = r.id;
	e.authority_id = r.authority_id;
	e.seat_row = s.row;
	assert_int_equal(store_commit_enrolment(f->manage.store, &e, &what, &why), STORE_OK);
}

static int64_t
seats_in_use(struct manage_fixture *f)
{
	struct organization_row o;
	struct errbuf why = {0};

	assert_int_equal(store_organization_get(f->manage.store, "Example", &o, &why), STORE_OK);
	return o.seats_in_use;
}

static void
a_seat_whose_certificate_has_expired_gives_its_licence_back(void **state)
{
	struct manage_fixture *f = *state;
	int64_t until = clock_monotonic_ms() + WAIT_MS;

	NEEDS_SERVER();
	expired_seat(f);
	assert_int_equal(seats_in_use(f), 1);
	start(f);
	while (seats_in_use(f) > 0 && clock_monotonic_ms() < until)
		usleep(20000);
	assert_int_equal(seats_in_use(f), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(rows_that_wait_reach_the_store_once),
	    CASE(what_is_no_audit_row_does_not_stop_the_others),
	    CASE(rows_come_when_redis_is_back),
	    CASE(rows_that_were_lost_are_told_by_one_row_with_their_count),
	    CASE(rows_past_their_retention_are_deleted_and_younger_ones_stay),
	    CASE(a_seat_whose_certificate_has_expired_gives_its_licence_back),
	    CASE(a_lease_from_a_clock_that_was_wrong_is_taken),
	    CASE(another_holder_of_the_lease_keeps_it_idle_and_the_lease_is_given_back_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
