/* test_scep_server.c: whom scepctl enrol trusts among the certificates that a server sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/scep_server.h"
#include "pki/authority.h"
#include "pki/name.h"
#include "pki/private_key.h"

/* Two CAs of one name and an RA of each. */
struct party {
	struct signer *signer;
	struct buffer subject;
	struct buffer der;
	struct certificate certificate;
};
static struct party ours, theirs, our_ra, their_ra;

/* A key, and a certificate of the issuer's for it; issuer NULL: its own, as a CA. */
static void
make(struct party *p, const char *name, struct party *issuer)
{
	struct errbuf why = {0};
	char path[] = "/tmp/scep-server.XXXXXX";
	EVP_PKEY *key = private_key_generate("ec:P-256", &why);

	assert_non_null(key);
	assert_int_not_equal(close(mkstemp(path)), -1);
	unlink(path);
	assert_true(private_key_save(key, path, octets_of_string("x"), &why));
	assert_true(signer_open(path, octets_of_string("x"), &p->signer, &why));
	unlink(path);
	EVP_PKEY_free(key);
	assert_true(name_from_text(name, &p->subject, &why));
	if (issuer == NULL) {
		assert_true(authority_self_sign(p->signer, buffer_octets(&p->subject),
		    clock_now() - 300, clock_now() + 86400, -1, &p->der, &why));
	} else {
		const struct certificate_fields f = {.serial = {1},
		    .issuer = issuer->certificate.subject,
		    .not_before = clock_now() - 300,
		    .not_after = clock_now() + 86400,
		    .subject = buffer_octets(&p->subject),
		    .spki = signer_spki(p->signer),
		    .issuer_ski = issuer->certificate.ski,
		    .path_length = -1,
		    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT};

		assert_true(certificate_issue(&f, issuer->signer, &p->der, &why));
	}
	assert_true(certificate_parse(buffer_octets(&p->der), &p->certificate, &why));
}

static void
unmake(struct party *p)
{
	certificate_free(&p->certificate);
	signer_free(p->signer);
	buffer_free(&p->subject);
	buffer_free(&p->der);
}

static int
setup(void **state)
{
	(void)state;
	make(&ours, "CN=CA", NULL);
	make(&theirs, "CN=CA", NULL);
	make(&our_ra, "CN=RA", &ours);
	make(&their_ra, "CN=RA", &theirs);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unmake(&ours);
	unmake(&theirs);
	unmake(&our_ra);
	unmake(&their_ra);
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
print_of(const struct party *p, char out[96], bool colons)
{
	uint8_t digest[32];
	unsigned len = sizeof(digest);
	size_t at = 0;

	assert_int_equal(EVP_Digest(p->der.data, p->der.len, digest, &len, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof(digest); i++)
		at += (size_t)snprintf(out + at, 96 - at, colons ? "%s%02X" : "%s%02x",
		    colons && i > 0 ? ":" : "", digest[i]);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_fingerprint_of_the_ra_s_ca_is_accepted_in_both_spellings),
	    cmocka_unit_test(a_fingerprint_that_nobody_has_or_that_is_none_is_refused),
	    cmocka_unit_test(an_ra_of_another_ca_is_refused_though_the_right_ca_was_sent_too),
	    cmocka_unit_test(what_does_not_hang_below_the_anchor_signs_nothing),
	    cmocka_unit_test(without_a_fingerprint_the_ra_s_own_ca_is_the_anchor),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
