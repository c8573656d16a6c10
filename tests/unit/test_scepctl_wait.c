/* test_scepctl_wait.c: scepctl enrol where a request has to wait, and where the key is EC, against a server that does as each test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/cli/cli.h"
#include "pki/authority.h"
#include "tests/unit/scep_fake.h"
#include "tests/unit/scepctl_run.h"

#define STRONG "7F0C92E4B83D5A16C0E9F4713B8D2A65"

static struct scep_fake_parties all;

static int
setup(void **state)
{
	(void)state;
	scepctl_open();
	scep_fake_parties_make(&all);
	scep_fake_party_save(&all.device, scepctl_path("device"));
	scep_fake_party_save(&all.ec_device, scepctl_path("ec-device"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scep_fake_parties_free(&all);
	scepctl_close();
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	scepctl_remove("k");
	scepctl_remove("c");
	return 0;
}

/* A server with ca and ra, set up as the test goes on to say. */
static struct scep_fake
usual(void)
{
	return (struct scep_fake){.ca = &all.ca, .ra = &all.ra, .renewal = true};
}

static struct certificate
certificate_in(const char *name, struct buffer *der)
{
	struct certificate c = {0};
	struct errbuf why = {0};

	if (pem_read_certificates(scepctl_path(name), der, 1, &why) != 1 ||
	    !certificate_parse(buffer_octets(der), &c, &why))
		fail_msg("%s", why.line);
	return c;
}

/* --- waiting --- */

static void
a_pending_request_exits_with_4_and_goes_on_by_the_same_command(void **state)
{
	struct scep_fake f = usual();
	char first[80], again[80], poll[80];

	(void)state;
	f.pending = 2;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c"), CLI_PENDING);
	scepctl_assert_said("waits for approval");
	assert_true(scepctl_is_there("k"));
	assert_int_equal(
	    scepctl_run_json("enrol", f.url, "--subject CN=x --key-file @k --cert-out @c"),
	    CLI_PENDING);
	scepctl_assert_said("\"status\": \"PENDING\"");
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-file @k --cert-out @c --poll"),
	    CLI_DONE);
	scep_fake_transaction_id(&f, 0, first);
	scep_fake_transaction_id(&f, 1, again);
	scep_fake_transaction_id(&f, 2, poll);
	assert_string_equal(first, again);
	assert_string_equal(first, poll);
	scepctl_assert_said("CN=x");
	scep_fake_assert_log(&f, "CertPoll ");
	scep_fake_stop(&f);
}

static void
waiting_polls_until_it_is_approved_though_the_server_is_away_meanwhile(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.pending = 3;
	f.away = 1;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("enrol", f.url,
			     "--subject CN=x --key-out @k --cert-out @c --wait 30 --interval 1"),
	    CLI_DONE);
	scep_fake_assert_log(&f, "PKCSReq ");
	scep_fake_assert_log(&f, "CertPoll ");
	assert_true(scepctl_is_there("c"));
	scep_fake_stop(&f);
}

static void
waiting_ends_with_4_when_the_time_is_over(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.pending = 1000;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--renew @device.pem --renew-key @device.key --same-key --cert-out @c --wait 1"),
	    CLI_PENDING);
	scep_fake_assert_log(&f, "RenewalReq ");
	scep_fake_assert_log(&f, " O=Example,CN=device O=Example,CN=device \nCertPoll ");
	scep_fake_stop(&f);
}

static void
waiting_ends_with_1_when_it_is_rejected_and_the_key_goes(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.pending = 1;
	f.refuse = "rejected";
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c --wait 1"),
	    CLI_REFUSED);
	scepctl_assert_said("badRequest: rejected");
	assert_false(scepctl_is_there("k"));
	scep_fake_stop(&f);
}

static void
a_server_that_stays_away_while_it_is_polled_exits_with_3(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.pending = 1;
	f.away = 1000;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c --wait 1"),
	    CLI_AWAY);
	assert_true(scepctl_is_there("k"));
	scep_fake_stop(&f);
}

/* --- EC --- */

static void
EC_keys_enrol_and_poll_under_the_challenge(void **state)
{
	static const char *const curves[] = {"P-256", "P-384", "P-521"};
	struct scep_fake f;
	char words[256];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		f = usual();
		f.pending = (int)i;
		scep_fake_start(&f);
		snprintf(words, sizeof(words),
		    "--subject CN=x --key ec:%s --key-out @k --cert-out @c --challenge %s --wait 9 "
		    "--interval 1",
		    curves[i], STRONG);
		assert_int_equal(scepctl_run("enrol", f.url, words), CLI_DONE);
		assert_null(strstr(scepctl_said, "can guess"));
		scep_fake_stop(&f);
		clean(NULL);
	}
}

static void
an_EC_key_that_was_there_asks_what_became_of_its_request_before_it_makes_another(void **state)
{
	struct scep_fake f = usual();
	const char *again = "--subject CN=x --key-file @k --cert-out @c --challenge " STRONG;

	(void)state;
	f.pending = 1;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--subject CN=x --key ec:P-256 --key-out @k --cert-out @c --challenge " STRONG),
	    CLI_PENDING);
	assert_int_equal(scepctl_run("enrol", f.url, again), CLI_DONE);
	assert_null(strstr(strstr(scep_fake_log(&f), "PKCSReq") + 1, "PKCSReq"));
	scep_fake_stop(&f);
	/* There was none. */
	scepctl_remove("c");
	f.pending = 0;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("enrol", f.url, again), CLI_DONE);
	assert_int_equal(strncmp(scep_fake_log(&f), "CertPoll ", 9), 0);
	scep_fake_assert_log(&f, "PKCSReq ");
	scepctl_remove("c");
	scep_fake_stop(&f);
	/* Where that alone is asked, nothing else is sent. */
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--subject CN=x --key-file @k --cert-out @c --poll --challenge " STRONG),
	    CLI_REFUSED);
	scepctl_assert_said("badCertId");
	assert_null(strstr(scep_fake_log(&f), "PKCSReq"));
	scep_fake_stop(&f);
}

static void
an_EC_key_without_a_challenge_is_wrong_usage(void **state)
{
	static const char *const wrong[] = {
	    "--subject CN=x --key ec:P-256 --key-out @k --cert-out @c",
	    "--subject CN=x --key-file @ec-device.key --cert-out @c",
	    "--renew @ec-device.pem --renew-key @ec-device.key --same-key --cert-out @c",
	    "--renew @ec-device.pem --renew-key @ec-device.key --key-out @k --cert-out @c",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
		    scepctl_run("enrol", "http://127.0.0.1:1/scep", wrong[i]), CLI_USAGE);
		scepctl_assert_said("encrypted under the challenge");
	}
}

static void
an_EC_certificate_renews_with_a_challenge_and_a_key_of_its_kind(void **state)
{
	struct scep_fake f = usual();
	struct buffer der = {0};
	struct certificate c = {0};

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--renew @ec-device.pem --renew-key @ec-device.key --key-out @k --cert-out @c "
		"--challenge " STRONG),
	    CLI_DONE);
	scep_fake_assert_log(&f, " CN=ec-device CN=ec-device " STRONG "\n");
	c = certificate_in("c", &der);
	assert_int_equal(c.spki.len, all.ec_device.certificate.spki.len);
	certificate_free(&c);
	buffer_free(&der);
	scep_fake_stop(&f);
}

static void
an_EC_key_of_an_RSA_certificate_renews_without_a_challenge(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--renew @device.pem --renew-key @device.key --key ec:P-256 --key-out @k "
		"--cert-out @c"),
	    CLI_DONE);
	scep_fake_stop(&f);
}

static void
a_challenge_that_can_be_guessed_from_the_reply_is_warned_of(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	scep_fake_start(&f);
	scepctl_run("enrol", f.url,
	    "--subject CN=x --key ec:P-256 --key-out @k --cert-out @c --challenge password");
	scepctl_assert_said("warning: whoever records the reply can guess");
	scep_fake_stop(&f);
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_pending_request_exits_with_4_and_goes_on_by_the_same_command),
	    TEST(waiting_polls_until_it_is_approved_though_the_server_is_away_meanwhile),
	    TEST(waiting_ends_with_4_when_the_time_is_over),
	    TEST(waiting_ends_with_1_when_it_is_rejected_and_the_key_goes),
	    TEST(a_server_that_stays_away_while_it_is_polled_exits_with_3),
	    TEST(EC_keys_enrol_and_poll_under_the_challenge),
	    TEST(an_EC_key_that_was_there_asks_what_became_of_its_request_before_it_makes_another),
	    TEST(an_EC_key_without_a_challenge_is_wrong_usage),
	    TEST(an_EC_certificate_renews_with_a_challenge_and_a_key_of_its_kind),
	    TEST(an_EC_key_of_an_RSA_certificate_renews_without_a_challenge),
	    TEST(a_challenge_that_can_be_guessed_from_the_reply_is_warned_of),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
