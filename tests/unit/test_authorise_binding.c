/* test_authorise_binding.c: one-time challenges that are bound to what a device is. */
#include "authorise/binding.h"
#include "tests/unit/authorise_fixture.h"

static void
a_bound_challenge_wants_its_common_name(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, "device-1", value);
	assert_int_equal(decide("CN=device-2", value, 1, &a), AUTHORISE_DENY);
	is_told("bound to CN device-1");
	assert_int_equal(decide("O=device-1", value, 2, &a), AUTHORISE_DENY);
	assert_false(a.one_time);
	/* Neither left it reserved. */
	assert_int_equal(decide("O=x,CN=device-1", value, 3, &a), AUTHORISE_ALLOW);
	assert_true(a.one_time);
}

/* What the certificate is used as is any of its common names, for many readers the last. */
static void
a_bound_challenge_wants_no_common_name_beside_its_own(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, "device-1", value);
	assert_int_equal(decide("CN=device-1,CN=admin", value, 1, &a), AUTHORISE_DENY);
	is_told("bound to CN device-1");
	assert_int_equal(decide("CN=admin,CN=device-1", value, 2, &a), AUTHORISE_DENY);
	assert_int_equal(decide("CN=device-1", value, 3, &a), AUTHORISE_ALLOW);
}

static void
a_wrong_common_name_is_a_try(void **state)
{
	struct authorisation a;
	char value[33];

	(void)state;
	need_one_time_challenges();
	rooms_mint(&rooms, "device-1", value);
	for (int i = 0; i < rooms.settings.challenge_tries; i++)
		assert_int_equal(decide("CN=other", value, (uint8_t)i, &a), AUTHORISE_DENY);
	assert_int_equal(decide("CN=device-1", value, 9, &a), AUTHORISE_DENY);
	is_told("burned");
}

/* Does a CSR with this subject and SAN (NULL: none) fit? */
static bool
fits(const struct challenge_binding *b, EVP_PKEY *key, const char *subject, const char *san)
{
	struct csr csr = rooms_csr_san(key, subject, san, NULL);
	bool it_does;

	rooms.why.line[0] = '\0';
	it_does = binding_fits(b, &csr, &rooms.why);
	assert_int_equal(rooms.why.line[0] == '\0', it_does);
	csr_free(&csr);
	return it_does;
}

static void
what_is_not_bound_fits_all(void **state)
{
	const struct challenge_binding none = {0};

	(void)state;
	assert_true(fits(&none, pki_ec_key(), "", NULL));
	assert_true(fits(&none, pki_rsa_key(), "CN=a,CN=b", "dns:a.example"));
}

static void
a_bound_san_wants_its_names_and_no_others_of_their_type(void **state)
{
	const struct challenge_binding one = {.san = "dns:a.example"},
				       two = {.san = "dns:a.example,ip:192.0.2.1"};
	EVP_PKEY *key = pki_ec_key();

	(void)state;
	assert_true(fits(&one, key, "CN=a", "dns:a.example"));
	assert_true(fits(&one, key, "CN=a", "dns:A.Example"));
	assert_true(fits(&one, key, "CN=a", "dns:a.example,dns:a.example"));
	assert_true(fits(&one, key, "CN=a", "email:a@a.example,dns:a.example"));
	assert_false(fits(&one, key, "CN=a", NULL));
	is_told("the CSR has none");
	assert_false(fits(&one, key, "CN=a", "dns:b.example"));
	is_told("bound to SAN dns:a.example, the CSR has DNS:b.example");
	assert_false(fits(&one, key, "CN=a", "dns:a.example,dns:b.example"));
	assert_false(fits(&one, key, "CN=a", "dns:a.exampl"));
	assert_false(fits(&one, key, "CN=a", "uri:https://a.example"));
	assert_false(fits(&one, key, "CN=a.example", NULL));

	assert_true(fits(&two, key, "CN=a", "ip:192.0.2.1,dns:a.example"));
	assert_false(fits(&two, key, "CN=a", "dns:a.example"));
	assert_false(fits(&two, key, "CN=a", "dns:a.example,ip:192.0.2.1,ip:192.0.2.2"));
}

static void
a_binding_that_cannot_be_read_fits_nothing(void **state)
{
	const struct challenge_binding broken = {.san = "a.example"}, blank = {.san = " "};

	(void)state;
	assert_false(fits(&broken, pki_ec_key(), "CN=a", "dns:a.example"));
	assert_false(fits(&blank, pki_ec_key(), "CN=a", NULL));
}

static void
a_bound_key_type_is_a_kind_or_a_size(void **state)
{
	const struct challenge_binding rsa = {.key_type = "RSA"}, size = {.key_type = "RSA-2048"},
				       other_size = {.key_type = "RSA-3072"},
				       ec = {.key_type = "EC"}, curve = {.key_type = "EC P-256"},
				       other_curve = {.key_type = "EC P-384"};

	(void)state;
	assert_true(fits(&rsa, pki_rsa_key(), "CN=a", NULL));
	assert_true(fits(&size, pki_rsa_key(), "CN=a", NULL));
	assert_false(fits(&other_size, pki_rsa_key(), "CN=a", NULL));
	is_told("bound to a key of type RSA-3072, the CSR has RSA-2048");
	assert_false(fits(&ec, pki_rsa_key(), "CN=a", NULL));
	assert_true(fits(&ec, pki_ec_key(), "CN=a", NULL));
	assert_true(fits(&curve, pki_ec_key(), "CN=a", NULL));
	assert_false(fits(&other_curve, pki_ec_key(), "CN=a", NULL));
	assert_false(fits(&rsa, pki_ec_key(), "CN=a", NULL));
	assert_false(fits(&ec, pki_ed_key(), "CN=a", NULL));
}

static void
a_bound_device_is_named_by_subject_or_san(void **state)
{
	const struct challenge_binding serial = {.device = "C02X1"}, ip = {.device = "192.0.2.1"};
	EVP_PKEY *key = pki_ec_key();

	(void)state;
	assert_true(fits(&serial, key, "CN=C02X1", NULL));
	assert_true(fits(&serial, key, "CN=a,serialNumber=C02X1", NULL));
	assert_true(fits(&serial, key, "CN=a,UID=C02X1", NULL));
	assert_true(fits(&serial, key, "CN=a", "dns:C02X1"));
	assert_true(fits(&serial, key, "CN=a", "upn:C02X1"));
	assert_true(fits(&ip, key, "CN=a", "dns:a.example,ip:192.0.2.1"));
	assert_false(fits(&serial, key, "CN=a", NULL));
	is_told("bound to device C02X1");
	is_told("CN=a");
	assert_false(fits(&serial, key, "O=C02X1,CN=a", NULL));
	assert_false(fits(&serial, key, "CN=C02X10", "dns:C02X1.example"));
	assert_false(fits(&serial, key, "CN=c02x1", NULL));
	assert_false(fits(&ip, key, "CN=a", "dns:a.example,ip:192.0.2.2"));
}

static void
everything_that_is_bound_has_to_fit(void **state)
{
	const struct challenge_binding b = {
	    .cn = "a", .san = "dns:a.example", .key_type = "EC", .device = "S1"};

	(void)state;
	assert_true(fits(&b, pki_ec_key(), "CN=a,serialNumber=S1", "dns:a.example"));
	assert_false(fits(&b, pki_ec_key(), "CN=b,serialNumber=S1", "dns:a.example"));
	assert_false(fits(&b, pki_ec_key(), "CN=a,serialNumber=S1", "dns:b.example"));
	assert_false(fits(&b, pki_rsa_key(), "CN=a,serialNumber=S1", "dns:a.example"));
	assert_false(fits(&b, pki_ec_key(), "CN=a,serialNumber=S2", "dns:a.example"));
}

/* Mint by hand, with a binding. */
static void
mint_bound(const char *value, const struct challenge_binding *b)
{
	const struct profile *p = rooms_profile(&rooms);
	struct challenge_mint m = {.profile_id = p->scep.id,
	    .now_ms = clock_now_ms(),
	    .expires_ms = clock_now_ms() + 3600000,
	    .max_pending = 100,
	    .binding = b};

	assert_true(authorise_challenge_id(
	    rooms.manage.master_key, p->scep.id, octets_of_string(value), m.id));
	assert_int_equal(challenge_mint(rooms.manage.redis, &m, NULL, &rooms.why), REDIS_DONE);
}

static void
another_device_is_refused_and_counted_and_learns_nothing(void **state)
{
	const struct challenge_binding b = {.san = "dns:a.example"};
	struct authorisation a;

	(void)state;
	need_one_time_challenges();
	mint_bound("BOUND", &b);
	for (int i = 0; i < rooms.settings.challenge_tries; i++) {
		assert_int_equal(
		    decide_for(rooms_csr_san(pki_ec_key(), "CN=a", "dns:b.example", "BOUND"),
			(uint8_t)i, &a),
		    AUTHORISE_DENY);
		is_told("bound to SAN dns:a.example");
		assert_string_equal(a.text.line, AUTHORISE_REFUSAL);
		assert_false(a.one_time);
	}
	assert_int_equal(
	    decide_for(rooms_csr_san(pki_ec_key(), "CN=a", "dns:a.example", "BOUND"), 9, &a),
	    AUTHORISE_DENY);
	is_told("burned");

	mint_bound("BOUND2", &b);
	assert_int_equal(
	    decide_for(rooms_csr_san(pki_ec_key(), "CN=a", "dns:a.example", "BOUND2"), 9, &a),
	    AUTHORISE_ALLOW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_bound_challenge_wants_its_common_name),
	    cmocka_unit_test(a_bound_challenge_wants_no_common_name_beside_its_own),
	    cmocka_unit_test(a_wrong_common_name_is_a_try),
	    cmocka_unit_test(what_is_not_bound_fits_all),
	    cmocka_unit_test(a_bound_san_wants_its_names_and_no_others_of_their_type),
	    cmocka_unit_test(a_binding_that_cannot_be_read_fits_nothing),
	    cmocka_unit_test(a_bound_key_type_is_a_kind_or_a_size),
	    cmocka_unit_test(a_bound_device_is_named_by_subject_or_san),
	    cmocka_unit_test(everything_that_is_bound_has_to_fit),
	    cmocka_unit_test(another_device_is_refused_and_counted_and_learns_nothing),
	};

	return cmocka_run_group_tests(tests, open_rooms, close_rooms);
}
