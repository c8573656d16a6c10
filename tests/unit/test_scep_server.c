/* test_scep_server.c: which of the certificates that a server sends scepctl takes for what, and which it trusts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "base/clock.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/scep_server.h"
#include "scep/next_ca.h"
#include "scep/reply.h"
#include "tests/unit/scep_fake.h"

/* Two CAs of one name and an RA of each; keys that are RSA beside. */
static struct scep_fake_party ours, theirs, our_ra, their_ra, rsa_ca, rsa_ra;

static int
setup(void **state)
{
	(void)state;
	scep_fake_party_make(&ours, "ec:P-256", "CN=CA", NULL);
	scep_fake_party_make(&theirs, "ec:P-256", "CN=CA", NULL);
	scep_fake_party_make(&our_ra, "ec:P-256", "CN=RA", &ours);
	scep_fake_party_make(&their_ra, "ec:P-256", "CN=RA", &theirs);
	scep_fake_party_make(&rsa_ca, "rsa:2048", "CN=RSA CA", NULL);
	scep_fake_party_make(&rsa_ra, "rsa:2048", "CN=RSA RA", &ours);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scep_fake_party_free(&ours);
	scep_fake_party_free(&theirs);
	scep_fake_party_free(&our_ra);
	scep_fake_party_free(&their_ra);
	scep_fake_party_free(&rsa_ca);
	scep_fake_party_free(&rsa_ra);
	return 0;
}

/* A server that sent both RAs and both CAs; certificates are borrowed. */
static struct scep_server
server(void)
{
	struct scep_server s = {.count = 4};

	s.certificates[0] = our_ra.certificate;
	s.certificates[1] = their_ra.certificate;
	s.certificates[2] = ours.certificate;
	s.certificates[3] = theirs.certificate;
	return s;
}

static void
print_of(const struct scep_fake_party *p, char out[96], bool colons)
{
	uint8_t digest[32];
	unsigned len = sizeof(digest);
	size_t at = 0;

	assert_int_equal(EVP_Digest(p->der.data, p->der.len, digest, &len, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof(digest); i++)
		at += (size_t)snprintf(out + at, 96 - at, colons ? "%s%02X" : "%s%02x",
		    colons && i > 0 ? ":" : "", digest[i]);
}

static const char *
fingerprint_of(const struct scep_fake_party *p)
{
	static char print[96];

	print_of(p, print, false);
	return print;
}

static void
the_fingerprint_of_the_ra_s_ca_is_accepted_in_both_spellings(void **state)
{
	struct scep_server s = server();
	char print[96];

	(void)state;
	s.recipient = &s.certificates[0];
	s.issuer = &s.certificates[2];
	print_of(&ours, print, false);
	assert_int_equal(scep_server_check_fingerprint(&s, print), CLI_DONE);
	print_of(&ours, print, true);
	assert_int_equal(scep_server_check_fingerprint(&s, print), CLI_DONE);
	assert_ptr_equal(s.anchor, &s.certificates[2]);
}

static void
a_fingerprint_that_nobody_has_or_that_is_none_is_refused(void **state)
{
	struct scep_server s = server();
	char print[96];

	(void)state;
	s.recipient = &s.certificates[0];
	s.issuer = &s.certificates[2];
	print_of(&ours, print, false);
	print[63] = print[63] == '0' ? '1' : '0';
	assert_int_equal(scep_server_check_fingerprint(&s, print), CLI_REFUSED);
	print[63] = '\0';
	assert_int_equal(scep_server_check_fingerprint(&s, print), CLI_USAGE);
	assert_int_equal(scep_server_check_fingerprint(&s, ""), CLI_USAGE);
}

static void
an_ra_of_another_ca_is_refused_though_the_right_ca_was_sent_too(void **state)
{
	struct scep_server s = server();
	char print[96];

	(void)state;
	s.recipient = &s.certificates[1];
	s.issuer = &s.certificates[3];
	print_of(&ours, print, false);
	assert_int_equal(scep_server_check_fingerprint(&s, print), CLI_REFUSED);
}

static void
what_does_not_hang_below_the_anchor_signs_nothing(void **state)
{
	struct scep_server s = server();
	char print[96];

	(void)state;
	s.recipient = &s.certificates[0];
	s.issuer = &s.certificates[2];
	print_of(&ours, print, false);
	assert_int_equal(scep_server_check_fingerprint(&s, print), CLI_DONE);
	assert_true(scep_server_trusts(&s, &s.certificates[0]));
	assert_false(scep_server_trusts(&s, &s.certificates[1]));
	assert_true(scep_server_is_ca(&s, &s.certificates[2]));
	assert_false(scep_server_is_ca(&s, &s.certificates[3]));
	assert_false(scep_server_is_ca(&s, &s.certificates[0]));
}

static void
without_a_fingerprint_the_ra_s_own_ca_is_the_anchor(void **state)
{
	struct scep_server s = server();

	(void)state;
	s.recipient = &s.certificates[0];
	s.issuer = &s.certificates[2];
	assert_int_equal(scep_server_check_fingerprint(&s, NULL), CLI_DONE);
	assert_true(scep_server_trusts(&s, &our_ra.certificate));
	assert_false(scep_server_trusts(&s, &their_ra.certificate));
}

/* A server that sent these two; certificates are borrowed. */
static struct scep_server
server_of(const struct scep_fake_party *a, const struct scep_fake_party *b)
{
	struct scep_server s = {.count = 2};

	s.certificates[0] = a->certificate;
	s.certificates[1] = b->certificate;
	return s;
}

static void
messages_go_to_an_RA_before_a_CA_and_its_issuer_may_have_any_key(void **state)
{
	struct scep_server s = server_of(&ours, &rsa_ra);

	(void)state;
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_DONE);
	assert_ptr_equal(s.recipient, &s.certificates[1]);
	assert_ptr_equal(s.issuer, &s.certificates[0]);
	/* self_sign() gives a CA no keyEncipherment; without any keyUsage it may. */
	s = server_of(&rsa_ca, &rsa_ra);
	s.certificates[0].key_usage = -1;
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_DONE);
	assert_ptr_equal(s.recipient, &s.certificates[1]);
	assert_null(s.issuer);
	s.certificates[1].key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
	s.recipient = NULL;
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_DONE);
	assert_ptr_equal(s.recipient, &s.certificates[0]);
	assert_ptr_equal(s.issuer, &s.certificates[0]);
}

static void
messages_go_to_no_EC_key_and_none_that_may_not_encipher(void **state)
{
	struct scep_server s = server_of(&our_ra, &ours);

	(void)state;
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_REFUSED);
	s = server_of(&rsa_ca, &our_ra);
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_REFUSED);
}

static void
a_certificate_that_is_valid_now_comes_before_one_that_is_not(void **state)
{
	struct scep_server s = server_of(&rsa_ra, &rsa_ra);

	(void)state;
	s.certificates[0].not_after = clock_now() - 1;
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_DONE);
	assert_ptr_equal(s.recipient, &s.certificates[1]);
	/* Not before its time: the clock may be wrong. */
	s.recipient = NULL;
	s.certificates[1].not_before = clock_now() + 60;
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_DONE);
	assert_ptr_equal(s.recipient, &s.certificates[1]);
	s.recipient = NULL;
	s.certificates[0] = rsa_ra.certificate;
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_DONE);
	assert_ptr_equal(s.recipient, &s.certificates[0]);
}

/* RFC 8894 2.2 */
static void
an_expired_certificate_takes_no_message_and_vouches_for_nothing(void **state)
{
	struct scep_server s = server_of(&rsa_ra, &ours);
	int64_t now = clock_now();

	(void)state;
	s.certificates[0].not_after = now;
	assert_int_equal(scep_server_choose(&s, now), CLI_DONE);
	s = server_of(&rsa_ra, &ours);
	s.certificates[0].not_after = now - 1;
	assert_int_equal(scep_server_choose(&s, now), CLI_REFUSED);
	/* Its CA, with and without a fingerprint. */
	s = server_of(&rsa_ra, &ours);
	assert_int_equal(scep_server_choose(&s, now), CLI_DONE);
	assert_int_equal(scep_server_check_fingerprint(&s, NULL), CLI_DONE);
	assert_true(scep_server_trusts(&s, &s.certificates[0]));
	s.certificates[1].not_after = now - 60;
	assert_false(scep_server_trusts(&s, &s.certificates[0]));
	assert_int_equal(scep_server_check_fingerprint(&s, NULL), CLI_REFUSED);
	assert_int_equal(scep_server_check_fingerprint(&s, fingerprint_of(&ours)), CLI_REFUSED);
}

/* What GetCACert answers. */
static void
answer(struct scep_server *s, const struct scep_fake_party *ra, const struct scep_fake_party *ca)
{
	struct octets all[] = {ra->certificate.der, ca->certificate.der};
	struct buffer body = {0};

	assert_true(scep_degenerate_encode(all, 2, octets_of(NULL, 0), &body));
	assert_int_equal(scep_server_take(s, buffer_octets(&body)), CLI_DONE);
	buffer_free(&body);
}

static void
the_next_certificates_take_the_place_of_those_whose_CA_signed_them(void **state)
{
	struct octets next[] = {their_ra.certificate.der, theirs.certificate.der};
	struct scep_server s = {0};
	struct buffer body = {0};
	struct errbuf why = {0};

	(void)state;
	answer(&s, &rsa_ra, &ours);
	assert_int_equal(scep_server_choose(&s, clock_now()), CLI_DONE);
	assert_int_equal(scep_server_check_fingerprint(&s, NULL), CLI_DONE);
	assert_true(scep_next_ca_encode(
	    next, 2, &theirs.certificate, theirs.signer, clock_now(), &body, &why));
	assert_int_equal(scep_server_take_next(&s, buffer_octets(&body)), CLI_REFUSED);
	assert_true(octets_equal(s.issuer->der, ours.certificate.der));
	buffer_free(&body);
	assert_true(
	    scep_next_ca_encode(next, 2, &ours.certificate, ours.signer, clock_now(), &body, &why));
	assert_int_equal(scep_server_take_next(&s, buffer_octets(&body)), CLI_DONE);
	assert_int_equal(s.count, 2);
	assert_null(s.issuer);
	/* Of two that are EC nobody can take a message. */
	assert_int_equal(scep_server_choose_next(&s, clock_now()), CLI_REFUSED);
	buffer_free(&body);
	scep_server_close(&s);
}

static void
what_is_no_list_of_certificates_is_refused(void **state)
{
	struct scep_server s = {0};

	(void)state;
	assert_int_equal(scep_server_take(&s, octets_of_string("no list")), CLI_REFUSED);
	assert_int_equal(scep_server_take(&s, octets_of(NULL, 0)), CLI_REFUSED);
	scep_server_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_fingerprint_of_the_ra_s_ca_is_accepted_in_both_spellings),
	    cmocka_unit_test(a_fingerprint_that_nobody_has_or_that_is_none_is_refused),
	    cmocka_unit_test(an_ra_of_another_ca_is_refused_though_the_right_ca_was_sent_too),
	    cmocka_unit_test(what_does_not_hang_below_the_anchor_signs_nothing),
	    cmocka_unit_test(without_a_fingerprint_the_ra_s_own_ca_is_the_anchor),
	    cmocka_unit_test(messages_go_to_an_RA_before_a_CA_and_its_issuer_may_have_any_key),
	    cmocka_unit_test(messages_go_to_no_EC_key_and_none_that_may_not_encipher),
	    cmocka_unit_test(a_certificate_that_is_valid_now_comes_before_one_that_is_not),
	    cmocka_unit_test(an_expired_certificate_takes_no_message_and_vouches_for_nothing),
	    cmocka_unit_test(the_next_certificates_take_the_place_of_those_whose_CA_signed_them),
	    cmocka_unit_test(what_is_no_list_of_certificates_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
