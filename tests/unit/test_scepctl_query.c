/* test_scepctl_query.c: scepctl get-cert, get-crl and next-ca, and enrol --next, against a server that does as each test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/query.h"
#include "fcgi-admin/cli/scep_server.h"
#include "pki/authority.h"
#include "pki/crl.h"
#include "tests/unit/scep_fake.h"
#include "tests/unit/scepctl_run.h"

#define SIGNED "--cert @device.pem --key @device.key --out @out"

static struct scep_fake_parties all;
static struct scep_fake_party brother; /* of device, by the same CA */

static int
setup(void **state)
{
	(void)state;
	scepctl_open();
	scep_fake_parties_make(&all);
	scep_fake_party_make(&brother, "ec:P-256", "CN=brother", &all.ca);
	scep_fake_party_save(&all.ca, scepctl_path("ca"));
	scep_fake_party_save(&all.next_ca, scepctl_path("next-ca"));
	scep_fake_party_save(&all.device, scepctl_path("device"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scep_fake_parties_free(&all);
	scep_fake_party_free(&brother);
	scepctl_close();
	return 0;
}

static int
clean(void **state)
{
	(void)state;
	scepctl_remove("out");
	scepctl_remove("c");
	scepctl_remove("k");
	return 0;
}

static struct scep_fake
usual(void)
{
	return (struct scep_fake){.ca = &all.ca, .ra = &all.ra};
}

/* A server with a next CA. */
static struct scep_fake
changing(void)
{
	return (struct scep_fake){
	    .ca = &all.ca, .ra = &all.ra, .next_ca = &all.next_ca, .next_ra = &all.next_ra};
}

/* The serial number of p in hexadecimal behind "--serial ". */
static const char *
serial_option(const struct scep_fake_party *p)
{
	static char option[256];
	char hex[130] = "";

	if (p->certificate.serial.len <= 64)
		encoding_hex(p->certificate.serial, hex);
	snprintf(option, sizeof(option), SIGNED " --serial %s", hex);
	return option;
}

/* Append a CRL of the CA with one entry. */
static void
make_crl(const struct scep_fake_party *ca, struct buffer *out)
{
	struct errbuf why = {0};
	struct crl_builder *b = crl_start(&why);

	assert_non_null(b);
	crl_add(b, octets_of("\x01\x02", 2), clock_now(), 1);
	assert_true(crl_sign(
	    b, &ca->certificate, ca->signer, 7, clock_now(), clock_now() + 3600, out, &why));
	crl_free(b);
}

/* --- get-cert --- */

static void
GetCert_asks_for_the_signer_itself_by_default(void **state)
{
	struct scep_fake f = usual();
	char hex[130];

	(void)state;
	f.certificate = all.device.certificate.der;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-cert", f.url, SIGNED), CLI_DONE);
	encoding_hex(all.device.certificate.serial, hex);
	scep_fake_assert_log(&f, "GetCert ");
	scep_fake_assert_log(&f, " O=Example,CN=device ");
	scep_fake_assert_log(&f, hex);
	assert_true(scepctl_is_there("out"));
	clean(NULL);
	assert_int_equal(scepctl_run_json("get-cert", f.url, SIGNED), CLI_DONE);
	scepctl_assert_said("\"status\": \"SUCCESS\"");
	scep_fake_stop(&f);
}

static void
GetCert_asks_for_another_serial_number_of_the_CAs(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.certificate = brother.certificate.der;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-cert", f.url, serial_option(&brother)), CLI_DONE);
	scepctl_assert_said("CN=brother");
	scep_fake_stop(&f);
}

static void
another_certificate_than_the_one_asked_for_is_refused(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.certificate = brother.certificate.der;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-cert", f.url, SIGNED), CLI_REFUSED);
	scepctl_assert_said("asked for is not in it");
	/* The serial number alone does not tell: another CA may have given it, too. */
	clean(NULL);
	assert_int_equal(
	    scepctl_run("get-cert", f.url, "--issuer @next-ca.pem --serial 12 " SIGNED),
	    CLI_REFUSED);
	assert_false(scepctl_is_there("out"));
	scep_fake_stop(&f);
}

static void
a_refused_or_pending_GetCert_writes_nothing_and_exits_with_1(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	f.pending = 1;
	f.refuse = "no such certificate";
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-cert", f.url, SIGNED), CLI_REFUSED);
	scepctl_assert_said("PENDING, which is no answer");
	assert_int_equal(scepctl_run("get-cert", f.url, SIGNED), CLI_REFUSED);
	scepctl_assert_said("FAILURE: badRequest: no such certificate");
	assert_false(scepctl_is_there("out"));
	scep_fake_stop(&f);
}

static void
a_query_without_its_options_is_wrong_usage(void **state)
{
	static const char *const wrong[] = {"", "--cert @device.pem --key @device.key",
	    "--cert @device.pem --out @out", SIGNED " --serial xyz",
	    SIGNED " --serial=", SIGNED " --issuer @ca.pem", SIGNED " --transaction-id="};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (scepctl_run("get-cert", "http://127.0.0.1:1/scep", wrong[i]) != CLI_USAGE)
			fail_msg("%s: %s", wrong[i], scepctl_said);
}

static void
serial_numbers_become_the_octets_of_an_INTEGER(void **state)
{
	static const struct {
		const char *text, *hex;
	} good[] = {{"0", "00"}, {"00", "00"}, {"7f", "7f"}, {"80", "0080"}, {"1", "01"},
	    {"00:00:80:01", "008001"}, {"ABC", "0abc"}, {"0ff", "00ff"}, {"0001", "01"}};
	static const char *const bad[] = {"", ":", "g", "0x12", "-1"};
	struct buffer out = {0}, text = {0};
	char hex[200];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(query_serial_of_text(good[i].text, &out));
		encoding_hex(buffer_octets(&out), hex);
		assert_string_equal(hex, good[i].hex);
		buffer_free(&out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(query_serial_of_text(bad[i], &out));
	for (int i = 0; i < 64; i++)
		buffer_append_string(&text, "7a");
	assert_true(query_serial_of_text(buffer_string(&text), &out));
	assert_int_equal(out.len, 64);
	buffer_append_string(&text, "7");
	assert_false(query_serial_of_text(buffer_string(&text), &out));
	buffer_free(&out);
	buffer_free(&text);
}

/* --- get-crl --- */

static void
GetCRL_writes_the_CRL_of_the_CA(void **state)
{
	struct scep_fake f = usual();
	struct buffer crl = {0};

	(void)state;
	make_crl(&all.ca, &crl);
	f.crl = buffer_octets(&crl);
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-crl", f.url, SIGNED), CLI_DONE);
	scepctl_assert_said("CRL of CN=CA, 1 revoked");
	scep_fake_assert_log(&f, "GetCRL ");
	clean(NULL);
	assert_int_equal(scepctl_run_json("get-crl", f.url, SIGNED), CLI_DONE);
	scepctl_assert_said("\"number\": 7");
	scep_fake_stop(&f);
	buffer_free(&crl);
}

static void
a_CRL_that_the_CA_did_not_sign_or_none_at_all_is_refused(void **state)
{
	struct scep_fake f = usual();
	struct buffer crl = {0}, next = {0};

	(void)state;
	make_crl(&all.other_ca, &crl);
	f.crl = buffer_octets(&crl);
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-crl", f.url, SIGNED), CLI_REFUSED);
	scep_fake_stop(&f);
	make_crl(&all.next_ca, &next);
	f.crl = buffer_octets(&next);
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-crl", f.url, SIGNED), CLI_REFUSED);
	scepctl_assert_said("not of the CA that was asked for");
	scep_fake_stop(&f);
	f.crl = octets_of(NULL, 0);
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-crl", f.url, SIGNED), CLI_REFUSED);
	scep_fake_stop(&f);
	assert_false(scepctl_is_there("out"));
	buffer_free(&crl);
	buffer_free(&next);
}

static void
a_CRL_is_checked_by_the_issuer_that_is_given(void **state)
{
	struct scep_fake f = usual();
	struct buffer crl = {0};

	(void)state;
	f.ra_alone = true;
	make_crl(&all.next_ca, &crl);
	f.crl = buffer_octets(&crl);
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("get-crl", f.url, "--serial 1 --issuer @next-ca.pem " SIGNED), CLI_DONE);
	assert_null(strstr(scepctl_said, "is not checked"));
	scep_fake_stop(&f);
	buffer_free(&crl);
}

static void
a_CRL_whose_CA_was_not_sent_is_warned_of(void **state)
{
	struct scep_fake f = usual();
	struct buffer crl = {0};

	(void)state;
	f.ra_alone = true;
	make_crl(&all.ca, &crl);
	f.crl = buffer_octets(&crl);
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("get-crl", f.url, SIGNED), CLI_DONE);
	scepctl_assert_said("signature is not checked");
	scep_fake_stop(&f);
	buffer_free(&crl);
}

/* --- next-ca --- */

static void
the_next_CA_and_its_RA_are_written_when_the_CA_signed_them(void **state)
{
	struct scep_fake f = changing();
	struct buffer der[2] = {0};
	struct errbuf why = {0};
	char fingerprint[65], words[128];

	(void)state;
	scep_fake_start(&f);
	assert_true(scep_server_fingerprint(&all.ca.certificate, fingerprint));
	snprintf(words, sizeof(words), "--out @out --fingerprint %s", fingerprint);
	assert_int_equal(scepctl_run("next-ca", f.url, words), CLI_DONE);
	scepctl_assert_said("CA CN=Next CA");
	assert_int_equal(pem_read_certificates(scepctl_path("out"), der, 2, &why), 2);
	assert_true(octets_equal(buffer_octets(&der[1]), all.next_ca.certificate.der));
	buffer_free(&der[0]);
	buffer_free(&der[1]);
	clean(NULL);
	assert_int_equal(scepctl_run_json("next-ca", f.url, "--out @out"), CLI_DONE);
	scepctl_assert_said("\"subject\": \"CN=Next RA\"");
	scep_fake_stop(&f);
}

static void
a_next_CA_is_refused_that_another_signed_or_that_is_not_there(void **state)
{
	struct scep_fake f = changing();

	(void)state;
	f.next_signer = &all.other_ca;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("next-ca", f.url, "--out @out"), CLI_REFUSED);
	scepctl_assert_said("not signed by the CA");
	scep_fake_stop(&f);
	f = usual();
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("next-ca", f.url, "--out @out"), CLI_REFUSED);
	scepctl_assert_said("404");
	scep_fake_stop(&f);
	assert_false(scepctl_is_there("out"));
}

static void
a_next_CA_is_refused_where_the_CA_is_not_known_or_not_the_one_of_the_fingerprint(void **state)
{
	struct scep_fake f = changing();
	char fingerprint[65], words[128];

	(void)state;
	f.ra_alone = true;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("next-ca", f.url, "--out @out"), CLI_REFUSED);
	scepctl_assert_said("sent no CA certificate that can be trusted");
	scep_fake_stop(&f);
	f.ra_alone = false;
	scep_fake_start(&f);
	assert_true(scep_server_fingerprint(&all.other_ca.certificate, fingerprint));
	snprintf(words, sizeof(words), "--out @out --fingerprint %s", fingerprint);
	assert_int_equal(scepctl_run("next-ca", f.url, words), CLI_REFUSED);
	/* Of the RA alone: who signed it is not told by that. */
	assert_true(scep_server_fingerprint(&all.ra.certificate, fingerprint));
	snprintf(words, sizeof(words), "--out @out --fingerprint %s", fingerprint);
	assert_int_equal(scepctl_run("next-ca", f.url, words), CLI_REFUSED);
	scep_fake_stop(&f);
	assert_int_equal(scepctl_run("next-ca", f.url, ""), CLI_USAGE);
	assert_false(scepctl_is_there("out"));
}

/* --- enrol --next --- */

static void
the_next_CA_issues_what_is_enveloped_to_its_RA(void **state)
{
	struct scep_fake f = changing();
	struct buffer der = {0};
	struct errbuf why = {0};
	struct certificate c;
	char now[80], next[80];

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(scepctl_run("enrol", f.url,
			     "--subject CN=x --key-file @device.key --cert-out @c --next"),
	    CLI_DONE);
	assert_int_equal(pem_read_certificates(scepctl_path("c"), &der, 1, &why), 1);
	assert_true(certificate_parse(buffer_octets(&der), &c, &why));
	assert_true(certificate_verify(&c, &all.next_ca.certificate, NULL));
	certificate_free(&c);
	buffer_free(&der);
	clean(NULL);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-file @device.key --cert-out @c"),
	    CLI_DONE);
	scep_fake_transaction_id(&f, 0, next);
	scep_fake_transaction_id(&f, 1, now);
	assert_string_not_equal(next, now);
	scep_fake_stop(&f);
}

static void
a_next_CA_is_refused_where_there_is_none_or_another_than_the_CA_signed_it(void **state)
{
	struct scep_fake f = usual();

	(void)state;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c --next"),
	    CLI_REFUSED);
	scepctl_assert_said("GetNextCACert");
	scep_fake_stop(&f);
	f = changing();
	f.next_signer = &all.other_ca;
	scep_fake_start(&f);
	assert_int_equal(
	    scepctl_run("enrol", f.url, "--subject CN=x --key-out @k --cert-out @c --next"),
	    CLI_REFUSED);
	assert_string_equal(scep_fake_log(&f), "");
	assert_false(scepctl_is_there("k"));
	scep_fake_stop(&f);
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(GetCert_asks_for_the_signer_itself_by_default),
	    TEST(GetCert_asks_for_another_serial_number_of_the_CAs),
	    TEST(another_certificate_than_the_one_asked_for_is_refused),
	    TEST(a_refused_or_pending_GetCert_writes_nothing_and_exits_with_1),
	    TEST(a_query_without_its_options_is_wrong_usage),
	    TEST(serial_numbers_become_the_octets_of_an_INTEGER),
	    TEST(GetCRL_writes_the_CRL_of_the_CA),
	    TEST(a_CRL_that_the_CA_did_not_sign_or_none_at_all_is_refused),
	    TEST(a_CRL_is_checked_by_the_issuer_that_is_given),
	    TEST(a_CRL_whose_CA_was_not_sent_is_warned_of),
	    TEST(the_next_CA_and_its_RA_are_written_when_the_CA_signed_them),
	    TEST(a_next_CA_is_refused_that_another_signed_or_that_is_not_there),
	    TEST(a_next_CA_is_refused_where_the_CA_is_not_known_or_not_the_one_of_the_fingerprint),
	    TEST(the_next_CA_issues_what_is_enveloped_to_its_RA),
	    TEST(a_next_CA_is_refused_where_there_is_none_or_another_than_the_CA_signed_it),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
