/* test_scepctl_enrol.c: scepctl enrol against a server that does as each test says: enrolling and renewing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/enrol.h"
#include "pki/authority.h"
#include "tests/unit/scep_fake.h"
#include "tests/unit/scepctl_run.h"

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

/* Whether the certificate in c is for this key. */
static bool
has_key_of(const struct scep_fake_party *p)
{
	struct buffer der = {0};
	struct certificate c = certificate_in("c", &der);
	bool same = octets_equal(c.spki, p->certificate.spki);

	certificate_free(&c);
	buffer_free(&der);
	return same;
}

/* --- enrolling --- */

static void
an_enrolment_is_a_PKCSReq_that_its_own_key_signs(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("enrol", f.url,
			     "--subject CN=x --challenge secret --key-out @k --cert-out @c"),
	    CLI_DONE);
	scep_fake_assert_log(&f, "PKCSReq ");
	scep_fake_assert_log(&f, " self CN=x secret\n");
	assert_true(scepctl_is_there("k"));
	scep_fake_stop(&f);
}

static void
a_certificate_of_another_CA_is_refused_and_the_key_kept(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.issuer = &all.other_ca;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c"), CLI_REFUSED);
	scepctl_assert_said("is not signed by the CA");
	assert_false(scepctl_is_there("c"));
	assert_true(scepctl_is_there("k"));
	scep_fake_stop(&f);
}

static void
a_refusal_is_told_without_what_a_terminal_obeys(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.refuse = "no\033[31m\302\233never";
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c"), CLI_REFUSED);
	scepctl_assert_said("FAILURE: badRequest: no?[31m??never");
	assert_false(scepctl_is_there("k"));
	assert_int_equal(
	    scepctl_run_json("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c"),
	    CLI_REFUSED);
	scepctl_assert_said("\"failInfo\": \"badRequest\"");
	assert_null(strchr(scepctl_said, '\033'));
	scep_fake_stop(&f);
}

static void
an_EC_CA_takes_messages_by_its_RSA_RA(void **state)
{
	struct scep_fake f = {.ca = &all.next_ca, .ra = &all.next_ra};

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c"), CLI_DONE);
	scep_fake_stop(&f);
}

static void
a_server_whose_keys_are_all_EC_takes_no_message(void **state)
{
	struct scep_fake f = {.ca = &all.next_ca, .ra = &all.next_ca};

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c"), CLI_REFUSED);
	scepctl_assert_said("RSA key");
	scep_fake_stop(&f);
}

static void
options_that_do_not_go_together_are_wrong_usage(void **state)
{
	static const char *const wrong[] = {
	    "--key-out @k --cert-out @c",
	    "--subject CN=x --cert-out @c",
	    "--subject CN=x --key-out @k",
	    "--subject CN=x --key-out @k --key-file @device.key --cert-out @c",
	    "--subject CN=x --key-file @device.key --key rsa:2048 --cert-out @c",
	    "--subject CN=x --key-out @k --cert-out @c --pkcsreq",
	    "--subject CN=x --cert-out @c --same-key",
	    "--renew @device.pem --key-out @k --cert-out @c",
	    "--renew-key @device.key --subject CN=x --key-out @k --cert-out @c",
	    "--renew @device.pem --renew-key @device.key --same-key --key-out @k --cert-out @c",
	    "--renew @device.pem --renew-key @device.key --same-key --key-file @k --cert-out @c",
	    "--subject CN=x --key-out @k --cert-out @c --poll",
	    "--subject CN=x --key-out @k --cert-out @c --interval 5",
	    "--subject CN=x --key-out @k --cert-out @c --wait 5 --interval 0",
	    "--subject CN=x --key-out @k --cert-out @c --challenge a --challenge-file b",
	    "--subject CN=x --key-out @k --cert-out @c --transaction-id=",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (scepctl_run("enrol", "http://127.0.0.1:1/scep", wrong[i]) != CLI_USAGE)
			fail_msg("%s: %s", wrong[i], scepctl_said);
	assert_false(scepctl_is_there("k"));
}

/* --- renewing --- */

static void
a_renewal_is_a_RenewalReq_that_the_certificate_signs_for_its_own_names(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--renew @device.pem --renew-key @device.key --key-out @k --cert-out @c"),
	    CLI_DONE);
	scep_fake_assert_log(&f, "RenewalReq ");
	scep_fake_assert_log(&f, " O=Example,CN=device O=Example,CN=device \n");
	assert_false(has_key_of(&all.device));
	scep_fake_stop(&f);
}

static void
a_renewal_by_PKCSReq_is_signed_by_the_certificate_too(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.renewal = false;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("enrol", f.url,
			     "--renew @device.pem --renew-key @device.key --key-out @k --cert-out "
			     "@c --pkcsreq --subject CN=another"),
	    CLI_DONE);
	scep_fake_assert_log(&f, "PKCSReq ");
	scep_fake_assert_log(&f, " O=Example,CN=device CN=another \n");
	assert_null(strstr(scepctl_said, "does not offer Renewal"));
	scep_fake_stop(&f);
}

static void
a_RenewalReq_to_a_server_that_does_not_offer_it_is_warned_of(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.renewal = false;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--renew @device.pem --renew-key @device.key --key-out @k --cert-out @c"),
	    CLI_DONE);
	scepctl_assert_said("--pkcsreq");
	scep_fake_stop(&f);
}

static void
a_renewal_with_the_same_key_is_another_transaction_than_the_enrolment(void **state)
{
	struct scep_fake f = usual();
	char enrolled[80], renewed[80];

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("enrol", f.url,
			     "--subject CN=device,O=Example --key-file @device.key --cert-out @c"),
	    CLI_DONE);
	clean(NULL);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--renew @device.pem --renew-key @device.key --same-key --cert-out @c"),
	    CLI_DONE);
	assert_true(has_key_of(&all.device));
	scep_fake_transaction_id(&f, 0, enrolled);
	scep_fake_transaction_id(&f, 1, renewed);
	assert_string_not_equal(enrolled, renewed);
	scep_fake_stop(&f);
}

static void
the_old_certificate_is_no_answer_to_a_renewal_with_the_same_key(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.certificate = all.device.certificate.der;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--renew @device.pem --renew-key @device.key --same-key --cert-out @c"),
	    CLI_REFUSED);
	scepctl_assert_said("no new certificate");
	assert_false(scepctl_is_there("c"));
	scep_fake_stop(&f);
}

static void
a_key_that_is_not_the_certificates_does_not_renew(void **state)
{
	(void)state;
	assert_int_equal(
	    scepctl_run("enrol", "http://127.0.0.1:1/scep",
		"--renew @device.pem --renew-key @ec-device.key --key-out @k --cert-out @c"),
	    CLI_REFUSED);
	scepctl_assert_said("is not the key of");
}

static void
the_transactionID_is_the_one_that_is_given(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url,
		"--subject CN=x --key-out @k --cert-out @c --transaction-id mine/1+2="),
	    CLI_DONE);
	scep_fake_assert_log(&f, "PKCSReq mine/1+2= self");
	scep_fake_stop(&f);
}

static void
transactionIDs_follow_from_key_and_certificate_and_next_CA(void **state)
{
	struct octets none = octets_of(NULL, 0), key = octets_of("key", 3),
		      old = octets_of("old", 3);
	char ids[4][65], again[65];

	(void)state;
	assert_true(enrol_transaction_id(key, none, none, ids[0]));
	assert_true(enrol_transaction_id(key, old, none, ids[1]));
	assert_true(enrol_transaction_id(old, none, none, ids[2]));
	assert_true(enrol_transaction_id(key, old, key, ids[3]));
	assert_true(enrol_transaction_id(key, old, none, again));
	assert_string_equal(ids[1], again);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_enrolment_is_a_PKCSReq_that_its_own_key_signs),
	    TEST(a_certificate_of_another_CA_is_refused_and_the_key_kept),
	    TEST(a_refusal_is_told_without_what_a_terminal_obeys),
	    TEST(an_EC_CA_takes_messages_by_its_RSA_RA),
	    TEST(a_server_whose_keys_are_all_EC_takes_no_message),
	    TEST(options_that_do_not_go_together_are_wrong_usage),
	    TEST(a_renewal_is_a_RenewalReq_that_the_certificate_signs_for_its_own_names),
	    TEST(a_renewal_by_PKCSReq_is_signed_by_the_certificate_too),
	    TEST(a_RenewalReq_to_a_server_that_does_not_offer_it_is_warned_of),
	    TEST(a_renewal_with_the_same_key_is_another_transaction_than_the_enrolment),
	    TEST(the_old_certificate_is_no_answer_to_a_renewal_with_the_same_key),
	    TEST(a_key_that_is_not_the_certificates_does_not_renew),
	    TEST(the_transactionID_is_the_one_that_is_given),
	    TEST(transactionIDs_follow_from_key_and_certificate_and_next_CA),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
