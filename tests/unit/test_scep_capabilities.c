#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/algorithm.h"
#include "scep/capabilities.h"

static void
assert_text(uint32_t digests, uint32_t ciphers, bool renewal, bool next_ca, const char *want)
{
	struct buffer out = {0};

	scep_capabilities(digests, ciphers, renewal, next_ca, &out);
	assert_string_equal(buffer_string(&out), want);
	buffer_free(&out);
}

static void
the_default_is_one_keyword_a_line_and_no_empty_line(void **state)
{
	(void)state;
	assert_text(PKI_DIGESTS_DEFAULT, PKI_CIPHERS_DEFAULT, true, false,
	    "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n");
}

static void
everything_accepted_is_listed(void **state)
{
	(void)state;
	assert_text(0xff, 0xff, true, true,
	    "AES\nDES3\nGetNextCACert\nPOSTPKIOperation\nRenewal\nSHA-1\nSHA-256\nSHA-384\nSHA-"
	    "512\n");
}

static void
nothing_that_is_not_accepted_is_listed(void **state)
{
	(void)state;
	assert_text(0, 0, false, false, "POSTPKIOperation\n");
	assert_text(PKI_SHA1 | PKI_MD5, PKI_DES3 | PKI_DES, false, false,
	    "DES3\nPOSTPKIOperation\nSHA-1\n");
}

/* It implies AES-128 and SHA-256 (RFC 8894 3.5.2). */
static void
scep_standard_takes_aes_128_and_sha_256(void **state)
{
	(void)state;
	assert_text(
	    PKI_SHA256, PKI_AES128, false, false, "AES\nPOSTPKIOperation\nSHA-256\nSCEPStandard\n");
	assert_text(PKI_SHA512, PKI_AES128, false, false, "AES\nPOSTPKIOperation\nSHA-512\n");
	assert_text(PKI_SHA256, PKI_AES256, false, false, "POSTPKIOperation\nSHA-256\n");
}

/* It implies 2.9 too, which forbids these two; what is accepted beside them is listed all the same. */
static void
scep_standard_is_not_claimed_beside_md5_or_single_des(void **state)
{
	const uint32_t sha1 = PKI_SHA1, des3 = PKI_DES3;

	(void)state;
	assert_text(PKI_SHA256 | sha1, PKI_AES128 | des3, false, false,
	    "AES\nDES3\nPOSTPKIOperation\nSHA-1\nSHA-256\nSCEPStandard\n");
	assert_text(
	    PKI_SHA256 | PKI_MD5, PKI_AES128, false, false, "AES\nPOSTPKIOperation\nSHA-256\n");
	assert_text(
	    PKI_SHA256, PKI_AES128 | PKI_DES, false, false, "AES\nPOSTPKIOperation\nSHA-256\n");
}

static void
the_list_is_read_back(void **state)
{
	struct scep_capability_set s;
	struct buffer out = {0};

	(void)state;
	scep_capabilities(
	    PKI_DIGESTS_DEFAULT | PKI_SHA1, PKI_CIPHERS_DEFAULT | PKI_DES3, true, true, &out);
	scep_capabilities_parse(buffer_octets(&out), &s);
	assert_true(s.aes && s.des3 && s.sha1 && s.sha256 && s.sha384 && s.sha512 && s.post &&
		    s.renewal && s.next_ca && s.standard);
	buffer_free(&out);
	scep_capabilities(PKI_SHA1, PKI_DES3, false, false, &out);
	scep_capabilities_parse(buffer_octets(&out), &s);
	assert_true(s.des3 && s.sha1 && s.post);
	assert_false(
	    s.aes || s.sha256 || s.sha384 || s.sha512 || s.renewal || s.next_ca || s.standard);
	buffer_free(&out);
}

static void
lists_of_others_are_read(void **state)
{
	struct scep_capability_set s;

	(void)state;
	scep_capabilities_parse(octets_of_string("SCEPStandard"), &s);
	assert_true(s.aes && s.post && s.sha256 && s.standard);
	assert_false(s.renewal || s.des3);
	scep_capabilities_parse(
	    octets_of_string("renewal\r\n\r\n Update\r\nsha-256 \r\nSHA-5122\r\nDES"), &s);
	assert_true(s.renewal && s.sha256);
	assert_false(s.sha512 || s.des3 || s.standard || s.post);
	scep_capabilities_parse(octets_of(NULL, 0), &s);
	assert_false(s.aes || s.post || s.renewal);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_default_is_one_keyword_a_line_and_no_empty_line),
	    cmocka_unit_test(everything_accepted_is_listed),
	    cmocka_unit_test(nothing_that_is_not_accepted_is_listed),
	    cmocka_unit_test(scep_standard_takes_aes_128_and_sha_256),
	    cmocka_unit_test(scep_standard_is_not_claimed_beside_md5_or_single_des),
	    cmocka_unit_test(the_list_is_read_back),
	    cmocka_unit_test(lists_of_others_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
