/* test_authorise_code.c: enrolment codes: whose they are, what slows down who guesses at them, and what it does not. */
#include "base/encoding.h"
#include "base/suspects.h"
#include "store/seat_row.h"
#include "tests/unit/authorise_fixture.h"

#define CODE	   "0123456789ABCDEF0123456789ABCDEF"
#define OTHER_CODE "FEDCBA9876543210FEDCBA9876543210"
#define HERE	   "192.0.2.1"
#define ELSEWHERE  "192.0.2.2"
#define LIFE	   864000

static const struct audit_event event = {.action = "test", .outcome = "success", .count = 1};
static struct suspects suspects;
static int64_t now_ms;

static void
make_seat(const char *seat_id)
{
	struct seat_row s = {.created_at = now_ms / 1000, .type = "device"};

	assert_true(encoding_uuid(s.id));
	snprintf(s.seat_id, sizeof(s.seat_id), "%s", seat_id);
	snprintf(s.organization, sizeof(s.organization), "Rooms");
	snprintf(s.department, sizeof(s.department), "Attic");
	assert_int_equal(store_seat_insert(rooms.manage.store, &s, &event, &rooms.why), STORE_OK);
}

static void
hash_of(const char *code, uint8_t hash[CHALLENGE_ID_SIZE])
{
	assert_true(authorise_challenge_id(
	    rooms.manage.master_key, rooms_profile(&rooms)->scep.id, octets_of_string(code), hash));
}

/* A code for a seat, for so many uses; its id. */
static const char *
register_code(const char *seat_id, const char *code, int64_t uses, bool weak)
{
	static struct enrollment_row n;

	n = (struct enrollment_row){.max_uses = uses,
	    .code_weak = weak,
	    .created_at = now_ms / 1000,
	    .expires_at = now_ms / 1000 + LIFE,
	    .attributes = {{"subject.organizationalUnit", "Loft"}},
	    .attribute_count = 1};
	assert_true(encoding_uuid(n.id));
	snprintf(n.profile_id, sizeof(n.profile_id), "%s", rooms_profile(&rooms)->scep.id);
	snprintf(n.seat_id, sizeof(n.seat_id), "%s", seat_id);
	hash_of(code, n.code_hash);
	assert_int_equal(
	    store_enrollment_insert(rooms.manage.store, &n, &event, &rooms.why), STORE_OK);
	return n.id;
}

static void
read_code(const char *code, struct enrollment_row *n)
{
	uint8_t hash[CHALLENGE_ID_SIZE];

	hash_of(code, hash);
	assert_int_equal(
	    store_enrollment_by_hash(rooms.manage.store, hash, now_ms / 1000, n, &rooms.why),
	    STORE_OK);
}

/* A try as fcgi-scep has it: what is wrong is counted when the answer is sent. */
static enum authorise_rc
try_code_for(struct csr csr, const char *network, struct authorisation *out)
{
	const struct certificate none = {0};
	const uint8_t repeat_key[32] = {1};
	struct authorise_wrong_code wrong;
	struct errbuf ignored = {0};
	struct authorise_request q = {
	    .profile = rooms_profile(&rooms),
	    .message_type = SCEP_PKCS_REQ,
	    .signer = &none,
	    .signer_self_signed = true,
	    .csr = &csr,
	    .repeat_key = repeat_key,
	    .network = network,
	    .now_ms = now_ms,
	};
	enum authorise_rc rc;

	rooms.why.line[0] = '\0';
	rc = authorise_enrolment(&rooms.authoriser, &q, out, &rooms.why);
	if (rc == AUTHORISE_DENY && out->retry_after_s == 0)
		suspects_add(&suspects, network, now_ms);
	if (rc == AUTHORISE_DENY && out->wrong_code) {
		authorise_note_wrong_code(&q, out, &wrong);
		(void)authorise_count_wrong_code(&rooms.authoriser, &wrong, &ignored);
	}
	csr_free(&csr);
	return rc;
}

static enum authorise_rc
try_code(const char *subject, const char *code, const char *network, struct authorisation *out)
{
	return try_code_for(rooms_csr(pki_ec_key(), subject, code), network, out);
}

static void
is_refused_like_any(const struct authorisation *a)
{
	assert_string_equal(a->text.line, AUTHORISE_REFUSAL);
	assert_int_equal(a->fail_info, SCEP_BAD_REQUEST);
	assert_int_equal(a->retry_after_s, 0);
	assert_int_equal(a->enrollment_row, 0);
	assert_int_equal(a->seat_row, 0);
	assert_int_equal(a->manual_count, 0);
	assert_null(strstr(rooms.why.line, CODE));
}

/* ---- whose it is */

static void
the_right_code_of_the_seat_is_allowed(void **state)
{
	struct authorisation a;

	(void)state;
	register_code("dev-1", CODE, 1, false);
	assert_int_equal(try_code("O=x,CN=dev-1", CODE, HERE, &a), AUTHORISE_ALLOW);
	assert_string_equal(a.method, "enrollmentCode");
	assert_false(a.one_time);
	assert_int_not_equal(a.enrollment_row, 0);
	assert_int_not_equal(a.seat_row, 0);
	assert_string_equal(a.seat_id, "dev-1");
	assert_string_equal(a.organization, "Rooms");
	assert_string_equal(a.department, "Attic");
	assert_int_equal(a.manual_count, 1);
	assert_string_equal(a.manual[0].type, "subject.organizationalUnit");
	assert_string_equal(a.manual[0].value, "Loft");
	assert_int_not_equal(a.challenge_version, 0);
}

static void
a_code_is_good_for_its_own_seat_alone(void **state)
{
	static const char *const others[] = {"CN=dev-2", "CN=dev-10", "CN=DEV-1", "O=dev-1",
	    "CN=dev-1,CN=dev-2", "CN=dev-2,CN=dev-1", "CN=nobody", ""};
	struct authorisation a;

	(void)state;
	register_code("dev-1", CODE, 1, false);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(try_code(others[i], CODE, HERE, &a), AUTHORISE_DENY);
		is_told("of seat dev-1");
		is_refused_like_any(&a);
	}
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_ALLOW);
	assert_int_equal(try_code("CN=dev-1,CN=dev-1", CODE, HERE, &a), AUTHORISE_ALLOW);
}

static void
wrong_missing_and_unknown_look_the_same(void **state)
{
	struct authorisation a;

	(void)state;
	register_code("dev-1", CODE, 1, false);
	assert_int_equal(try_code("CN=dev-1", OTHER_CODE, HERE, &a), AUTHORISE_DENY);
	is_told("enrolment code: unknown (for seat dev-1)");
	is_refused_like_any(&a);
	assert_int_equal(try_code("CN=dev-1", NULL, HERE, &a), AUTHORISE_DENY);
	is_told("enrolment code: the CSR has none");
	is_refused_like_any(&a);
	assert_int_equal(try_code("CN=nobody", OTHER_CODE, HERE, &a), AUTHORISE_DENY);
	is_refused_like_any(&a);
	assert_int_equal(try_code("CN=dev-1", "", HERE, &a), AUTHORISE_DENY);
	is_refused_like_any(&a);
	/* What was good under another mode is none. */
	assert_int_equal(try_code("CN=dev-1", ROOMS_CHALLENGE, HERE, &a), AUTHORISE_DENY);
}

/* ---- how long it is one */

static void
an_expired_code_is_denied(void **state)
{
	struct authorisation a;

	(void)state;
	register_code("dev-1", CODE, 1, false);
	now_ms += (int64_t)LIFE * 1000 - 1000;
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_ALLOW);
	now_ms += 1000;
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_DENY);
	is_told("enrolment code: expired (seat dev-1)");
	is_refused_like_any(&a);
	assert_false(a.already_used);
	assert_false(a.wrong_code);
}

static void
a_rejected_or_reissued_code_is_denied(void **state)
{
	uint8_t hash[CHALLENGE_ID_SIZE];
	struct authorisation a;
	const char *id;

	(void)state;
	id = register_code("dev-1", CODE, 1, false);
	assert_int_equal(
	    store_enrollment_reject(rooms.manage.store, id, &event, &rooms.why), STORE_OK);
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_DENY);
	is_told("rejected");
	is_refused_like_any(&a);
	hash_of(OTHER_CODE, hash);
	assert_int_equal(store_enrollment_reissue(rooms.manage.store, id, hash, false,
			     now_ms / 1000 + LIFE, &event, &rooms.why),
	    STORE_OK);
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_DENY);
	is_told("unknown");
	assert_int_equal(try_code("CN=dev-1", OTHER_CODE, HERE, &a), AUTHORISE_ALLOW);
}

/* It is shown as pending; the commit lets one of two that wait have it. */
static void
what_waits_for_approval_does_not_hold_the_code(void **state)
{
	struct authorisation a;
	struct enrollment_row n;

	(void)state;
	register_code("dev-1", CODE, 1, false);
	read_code(CODE, &n);
	assert_int_equal(
	    store_enrollment_pending(rooms.manage.store, n.row, true, &rooms.why), STORE_OK);
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_ALLOW);
	now_ms += (int64_t)LIFE * 1000;
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_DENY);
	is_told("expired");
}

/* ---- who guesses */

static void
guess(const char *subject, const char *network, int times)
{
	struct authorisation a;

	for (int i = 0; i < times; i++)
		assert_int_equal(try_code(subject, "a guess", network, &a), AUTHORISE_DENY);
}

static void
need_redis(void)
{
	if (rooms.server.pid == 0)
		skip();
}

static void
an_address_that_guesses_is_slowed_down_at_the_seat(void **state)
{
	struct authorisation a;

	(void)state;
	need_redis();
	register_code("dev-1", CODE, 1, false);
	register_code("dev-2", OTHER_CODE, 1, false);
	guess("CN=dev-1", HERE, (int)rooms.settings.code_tries_per_window);
	/* Right or wrong: what it is told does not tell. */
	assert_int_equal(try_code("CN=dev-1", "a guess", HERE, &a), AUTHORISE_DENY);
	assert_in_range(a.retry_after_s, 1, 120);
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_DENY);
	assert_in_range(a.retry_after_s, 1, 120);
	is_told("too many wrong ones for seat dev-1 from " HERE);
	/* Another seat is another matter, and so is another address. */
	assert_int_equal(try_code("CN=dev-2", OTHER_CODE, HERE, &a), AUTHORISE_ALLOW);
	assert_int_equal(try_code("CN=dev-1", CODE, ELSEWHERE, &a), AUTHORISE_ALLOW);
	/* It ends by itself. */
	now_ms += 121000;
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_ALLOW);
}

static void
a_seat_that_is_not_there_slows_down_alike(void **state)
{
	struct authorisation a;

	(void)state;
	need_redis();
	guess("CN=nobody", HERE, (int)rooms.settings.code_tries_per_window);
	assert_int_equal(try_code("CN=nobody", "a guess", HERE, &a), AUTHORISE_DENY);
	assert_in_range(a.retry_after_s, 1, 120);
}

static void
strangers_at_many_addresses_do_not_keep_a_clean_one_out(void **state)
{
	struct authorisation a;
	char network[NETWORK_SIZE];

	(void)state;
	need_redis();
	register_code("dev-1", CODE, 1, true);
	guess("CN=dev-1", "198.51.100.200", 1);
	for (int i = 0; i < rooms.settings.code_tries_per_window; i++) {
		snprintf(network, sizeof(network), "198.51.100.%d", i);
		guess("CN=dev-1", network, 1);
	}
	/* Who has guessed once is now slowed down by the others' tries. */
	assert_int_equal(try_code("CN=dev-1", CODE, "198.51.100.200", &a), AUTHORISE_DENY);
	assert_in_range(a.retry_after_s, 1, 120);
	is_told("too many wrong ones for seat dev-1");
	assert_null(strstr(rooms.why.line, " from "));
	assert_int_equal(try_code("CN=dev-1", CODE, ELSEWHERE, &a), AUTHORISE_ALLOW);
}

/* In the store: no more than so many writes a window, whatever comes. */
static void
wrong_tries_are_counted_in_windows(void **state)
{
	struct enrollment_row n;
	int most = (int)rooms.settings.code_tries_per_window;
	char network[NETWORK_SIZE];

	(void)state;
	register_code("dev-1", CODE, 1, false);
	for (int i = 0; i < 3 * most; i++) {
		snprintf(network, sizeof(network), "198.51.100.%d", i);
		guess("CN=dev-1", network, 1);
	}
	read_code(CODE, &n);
	assert_int_equal(n.bad_attempts, most);
	now_ms += rooms.settings.code_window_s * 1000;
	guess("CN=dev-1", HERE, 1);
	read_code(CODE, &n);
	assert_int_equal(n.bad_attempts, most + 1);
	assert_string_equal(n.status, "created");
}

static void
right_ones_that_are_over_are_no_guesses(void **state)
{
	struct authorisation a;
	struct enrollment_row n;

	(void)state;
	register_code("dev-1", CODE, 1, false);
	now_ms += (int64_t)LIFE * 1000;
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_DENY);
	assert_int_equal(try_code("CN=dev-1", NULL, HERE, &a), AUTHORISE_DENY);
	assert_false(a.wrong_code);
	read_code(CODE, &n);
	assert_int_equal(n.bad_attempts, 0);
}

static void
without_redis_a_weak_code_is_taken_from_clean_addresses_only(void **state)
{
	struct authorisation a;
	int most = (int)rooms.settings.code_tries_per_window;

	(void)state;
	need_redis();
	register_code("dev-1", CODE, 1, true);
	register_code("dev-2", OTHER_CODE, 1, false);
	redis_server_kill(&rooms.server);
	guess("CN=dev-1", HERE, most);
	guess("CN=dev-2", HERE, most);
	/* A weak one may be a guess: refused as if it were wrong.  A strong one is none. */
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_DENY);
	is_told("weak");
	is_refused_like_any(&a);
	assert_int_equal(try_code("CN=dev-2", OTHER_CODE, HERE, &a), AUTHORISE_ALLOW);
	assert_int_equal(try_code("CN=dev-1", CODE, ELSEWHERE, &a), AUTHORISE_ALLOW);
	now_ms += rooms.settings.code_window_s * 1000;
	assert_int_equal(try_code("CN=dev-1", CODE, HERE, &a), AUTHORISE_ALLOW);
	assert_true(redis_server_again(&rooms.server));
}

static void
too_many_wrong_ones_lock_it_for_a_time(void **state)
{
	struct authorisation a;
	int64_t most = rooms.settings.code_tries_per_window, windows;

	(void)state;
	register_code("dev-1", CODE, 1, true);
	register_code("dev-1", OTHER_CODE, 1, false);
	windows = rooms.settings.code_lock_after / most;
	for (int64_t w = 0; w < windows; w++) {
		assert_int_equal(try_code("CN=dev-1", CODE, ELSEWHERE, &a), AUTHORISE_ALLOW);
		now_ms += rooms.settings.code_window_s * 1000;
		guess("CN=dev-1", HERE, (int)most);
	}
	assert_int_equal(try_code("CN=dev-1", CODE, ELSEWHERE, &a), AUTHORISE_DENY);
	is_told("enrolment code: locked (seat dev-1)");
	is_refused_like_any(&a);
	assert_int_equal(rooms_count(&rooms, "audit_event WHERE action = 'enrollment.lock'"), 1);
	/* Nobody guesses a strong one: locking it would serve those alone who want to keep the device out. */
	assert_int_equal(try_code("CN=dev-1", OTHER_CODE, "198.51.100.77", &a), AUTHORISE_ALLOW);
	/* For a time: a stranger locks nobody out for good. */
	now_ms += rooms.settings.code_lock_s * 1000;
	assert_int_equal(try_code("CN=dev-1", CODE, ELSEWHERE, &a), AUTHORISE_ALLOW);
}

static int
open_code_rooms(void **state)
{
	struct organization_row o = {.name = "Rooms", .license_count = 0};

	(void)state;
	rooms_open(&rooms, true);
	rooms.authoriser.suspects = &suspects;
	rooms.settings.wrong_per_minute = 30;
	set_mode("enrollmentCode");
	if (!encoding_uuid(o.id) ||
	    store_organization_insert(rooms.manage.store, &o, &event, &rooms.why) != STORE_OK)
		return -1;
	now_ms = clock_now_ms();
	return 0;
}

/* Each case has seats of its own. */
static int
with_seats(void **state)
{
	(void)state;
	memset(&suspects, 0, sizeof(suspects));
	make_seat("dev-1");
	make_seat("dev-2");
	return 0;
}

static int
without_seats(void **state)
{
	(void)state;
	store_seat_delete(rooms.manage.store, "dev-1", &event, NULL);
	store_seat_delete(rooms.manage.store, "dev-2", &event, NULL);
	/* Out of the windows of before. */
	now_ms += 3600000;
	return 0;
}

#define WITH_SEATS(f) cmocka_unit_test_setup_teardown(f, with_seats, without_seats)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH_SEATS(the_right_code_of_the_seat_is_allowed),
	    WITH_SEATS(a_code_is_good_for_its_own_seat_alone),
	    WITH_SEATS(wrong_missing_and_unknown_look_the_same),
	    WITH_SEATS(an_expired_code_is_denied),
	    WITH_SEATS(a_rejected_or_reissued_code_is_denied),
	    WITH_SEATS(what_waits_for_approval_does_not_hold_the_code),
	    WITH_SEATS(an_address_that_guesses_is_slowed_down_at_the_seat),
	    WITH_SEATS(a_seat_that_is_not_there_slows_down_alike),
	    WITH_SEATS(strangers_at_many_addresses_do_not_keep_a_clean_one_out),
	    WITH_SEATS(wrong_tries_are_counted_in_windows),
	    WITH_SEATS(right_ones_that_are_over_are_no_guesses),
	    WITH_SEATS(without_redis_a_weak_code_is_taken_from_clean_addresses_only),
	    WITH_SEATS(too_many_wrong_ones_lock_it_for_a_time),
	};

	return cmocka_run_group_tests(tests, open_code_rooms, close_rooms);
}
