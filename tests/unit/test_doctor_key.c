/* test_doctor_key.c: what scepctl doctor finds in the certificates of a CA and its RA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pki/private_key.h"
#include "scep/reply.h"
#include "tests/unit/doctor_world.h"

#define DAY 86400L

static struct doctor d;
static struct doctor_world *const w = &doctor_world;

static int
heal(void **state)
{
	(void)state;
	doctor_healthy(&d);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	doctor_free(&d);
	return 0;
}

static void
set_pair(const struct doctor_party *a, const struct doctor_party *b, const struct doctor_party *c)
{
	const struct doctor_party *const parties[] = {a, b, c};

	doctor_set_list(&d, parties, 3);
}

static void
set_one(const struct doctor_party *p)
{
	doctor_set_list(&d, &p, 1);
}

static void
an_ra_may_sign_and_be_enveloped_to(void **state)
{
	(void)state;
	assert_ptr_equal(d.recipient, &d.certificates[0]);
	d.certificates[0].key_usage = KEY_USAGE_DIGITAL_SIGNATURE;
	doctor_assert(&d, "ra-key-usage", DOCTOR_FAILURE, "the RA's keyUsage is digitalSignature,");
	doctor_assert_clients(&d, "ra-key-usage", DOCTOR_APPLE | DOCTOR_WINDOWS | DOCTOR_JSCEP);
	d.certificates[0].key_usage = KEY_USAGE_KEY_ENCIPHERMENT;
	doctor_assert(&d, "ra-key-usage", DOCTOR_FAILURE, "keyEncipherment,");
	d.certificates[0].key_usage = 0;
	doctor_assert(&d, "ra-key-usage", DOCTOR_FAILURE, "empty");
	d.certificates[0].key_usage = -1;
	doctor_assert(&d, "ra-key-usage", DOCTOR_WARNING, "no keyUsage");
	/* What the CA may does not make up for it. */
	d.certificates[1].key_usage = 0xff;
	doctor_assert(&d, "ra-key-usage", DOCTOR_WARNING, "no keyUsage");
}

static void
two_ras_may_share_the_usages(void **state)
{
	(void)state;
	set_pair(&w->ra_signs, &w->ra_deciphers, &w->ca);
	assert_ptr_equal(d.recipient, &d.certificates[1]);
	doctor_assert(&d, "ra-key-usage", DOCTOR_OK, "");
	doctor_assert(&d, "apple-ra-candidates", DOCTOR_OK, "");
	set_pair(&w->ra_signs, &w->ca, &w->root);
	doctor_assert(&d, "ra-key-usage", DOCTOR_FAILURE, "");
	doctor_assert(&d, "apple-ra-candidates", DOCTOR_FAILURE, "candidate RA");
}

static void
a_ca_without_an_ra_needs_the_usages_itself(void **state)
{
	(void)state;
	set_one(&w->root);
	doctor_assert(&d, "ra-key-usage", DOCTOR_FAILURE, "the CA's keyUsage is");
	doctor_assert_clients(&d, "ra-key-usage", DOCTOR_WINDOWS);
	d.certificates[0].key_usage |= KEY_USAGE_KEY_ENCIPHERMENT;
	doctor_assert(&d, "ra-key-usage", DOCTOR_OK, "the CA may sign and be enveloped to");
	doctor_assert(&d, "apple-ra-candidates", DOCTOR_SKIPPED, "no list");
	doctor_assert(&d, "ra-expiry", DOCTOR_SKIPPED, "its own RA");
	doctor_assert(&d, "ca-expiry", DOCTOR_OK, "");
}

static void
apple_wants_an_ra_in_a_list(void **state)
{
	struct octets one = buffer_octets(&w->root.der);
	struct buffer list = {0};

	(void)state;
	d.certificates[0].key_usage = -1;
	doctor_assert(&d, "apple-ra-candidates", DOCTOR_FAILURE, "candidate RA");
	/* An intermediate CA with both usages is good enough. */
	d.certificates[1].key_usage = 0xff;
	doctor_assert(&d, "apple-ra-candidates", DOCTOR_OK, "");
	/* The root is not: it has no issuer in the list. */
	d.certificates[1].key_usage = -1;
	d.certificates[2].key_usage = 0xff;
	doctor_assert(&d, "apple-ra-candidates", DOCTOR_FAILURE, "");
	assert_true(scep_degenerate_encode(&one, 1, octets_of(NULL, 0), &list));
	set_one(&w->root);
	doctor_set(
	    &d, DOCTOR_ASK_CA_CERT, 200, "application/x-x509-ca-ra-cert", "", buffer_octets(&list));
	doctor_assert(&d, "apple-ra-candidates", DOCTOR_FAILURE, "CA's certificate alone");
	buffer_free(&list);
}

/* Give a certificate of the list another key; spki lives until the test ends. */
static void
set_key(int i, const char *kind, struct buffer *spki)
{
	struct errbuf why = {0};
	EVP_PKEY *key = private_key_generate(kind, &why);

	assert_non_null(key);
	assert_true(private_key_spki(key, spki, &why));
	EVP_PKEY_free(key);
	d.certificates[i].spki = buffer_octets(spki);
}

static void
the_key_that_decrypts_is_rsa_and_of_a_size_that_all_can_use(void **state)
{
	static const uint8_t junk[] = {0x30, 0x00};
	struct buffer small = {0}, ec = {0};

	(void)state;
	doctor_assert(&d, "ra-key-type", DOCTOR_OK, "RSA-2048");
	doctor_assert(&d, "ra-key-size", DOCTOR_OK, "RSA-2048");
	set_key(0, "rsa:1024", &small);
	doctor_assert(&d, "ra-key-size", DOCTOR_FAILURE, "RSA-1024");
	set_key(0, "ec:P-256", &ec);
	doctor_assert(&d, "ra-key-type", DOCTOR_FAILURE, "EC P-256, which cannot decrypt");
	doctor_assert(&d, "ra-key-size", DOCTOR_SKIPPED, "");
	d.certificates[0].spki = octets_of(junk, sizeof(junk));
	doctor_assert(&d, "ra-key-type", DOCTOR_FAILURE, "");
	doctor_assert(&d, "ra-key-size", DOCTOR_SKIPPED, "");
	buffer_free(&small);
	buffer_free(&ec);
}

static void
a_key_that_is_too_large_is_warned_of(void **state)
{
	struct buffer large = {0};

	(void)state;
	set_key(0, "rsa:4104", &large);
	doctor_assert(&d, "ra-key-size", DOCTOR_WARNING, "RSA-4104");
	buffer_free(&large);
}

static void
the_ca_s_key_can_be_verified_with(void **state)
{
	static const uint8_t ed25519[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70,
	    0x03, 0x21, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
	    21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};
	struct buffer small = {0}, ec = {0};

	(void)state;
	assert_ptr_equal(d.issuer, &d.certificates[1]);
	doctor_assert(&d, "ca-key", DOCTOR_OK, "RSA-2048");
	set_key(1, "rsa:1024", &small);
	doctor_assert(&d, "ca-key", DOCTOR_FAILURE, "RSA-1024");
	set_key(1, "ec:P-256", &ec);
	doctor_assert(&d, "ca-key", DOCTOR_OK, "devices that know RSA alone");
	d.certificates[1].spki = octets_of(ed25519, sizeof(ed25519));
	doctor_assert(&d, "ca-key", DOCTOR_WARNING, "most clients cannot verify");
	buffer_free(&small);
	buffer_free(&ec);
}

static void
a_ca_may_sign_certificates(void **state)
{
	(void)state;
	d.certificates[1].key_usage = -1;
	doctor_assert(&d, "ca-key-usage", DOCTOR_OK, "");
	d.certificates[1].key_usage = KEY_USAGE_CRL_SIGN;
	doctor_assert(&d, "ca-key-usage", DOCTOR_FAILURE, "lacks keyCertSign");
	d.certificates[1].ca = false;
	doctor_assert(&d, "ca-key-usage", DOCTOR_FAILURE, "CA:TRUE");
}

static void
certificates_end(void **state)
{
	(void)state;
	d.certificates[0].not_after = DOCTOR_NOW + 30 * DAY;
	d.certificates[2].not_after = DOCTOR_NOW + 31 * DAY;
	doctor_assert(&d, "ra-expiry", DOCTOR_OK, "until 2027-02-14");
	doctor_assert(&d, "ca-expiry", DOCTOR_OK, "until 2027-02-15");
	d.warn_days = 31;
	doctor_assert(&d, "ra-expiry", DOCTOR_WARNING, "in 30 days; issue its successor");
	doctor_assert(&d, "ca-expiry", DOCTOR_OK, "");
	d.warn_days = 32;
	doctor_assert(&d, "ca-expiry", DOCTOR_WARNING, "in 31 days; plan");
	d.certificates[0].not_after = DOCTOR_NOW - 1;
	doctor_assert(&d, "ra-expiry", DOCTOR_FAILURE, "has ended");
	d.certificates[1].not_after = DOCTOR_NOW - 1;
	doctor_assert(&d, "ca-expiry", DOCTOR_FAILURE, "has ended");
}

static void
certificates_begin(void **state)
{
	(void)state;
	d.certificates[0].not_before = d.certificates[1].not_before = DOCTOR_NOW;
	doctor_assert(&d, "ra-expiry", DOCTOR_OK, "");
	doctor_assert(&d, "ca-expiry", DOCTOR_OK, "");
	d.certificates[0].not_before = d.certificates[1].not_before = DOCTOR_NOW + 1;
	doctor_assert(
	    &d, "ra-expiry", DOCTOR_FAILURE, "certificate 1 of the list is not valid before");
	doctor_assert(
	    &d, "ca-expiry", DOCTOR_FAILURE, "certificate 2 of the list is not valid before");
}

static void
old_signatures_are_found_but_not_on_the_root(void **state)
{
	(void)state;
	d.certificates[2].digest = PKI_MD5;
	doctor_assert(&d, "signature-algorithms", DOCTOR_OK, "");
	d.certificates[1].digest = PKI_SHA1;
	doctor_assert(&d, "signature-algorithms", DOCTOR_WARNING,
	    "certificate 2 of the list is signed "
	    "with SHA-1");
	d.certificates[1].digest = PKI_DIGEST_NONE;
	doctor_assert(&d, "signature-algorithms", DOCTOR_WARNING, "do not know");
	d.certificates[0].digest = PKI_MD5;
	doctor_assert(&d, "signature-algorithms", DOCTOR_FAILURE, "certificate 1");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, heal, forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(an_ra_may_sign_and_be_enveloped_to),
	    CASE(two_ras_may_share_the_usages),
	    CASE(a_ca_without_an_ra_needs_the_usages_itself),
	    CASE(apple_wants_an_ra_in_a_list),
	    CASE(the_key_that_decrypts_is_rsa_and_of_a_size_that_all_can_use),
	    CASE(a_key_that_is_too_large_is_warned_of),
	    CASE(the_ca_s_key_can_be_verified_with),
	    CASE(a_ca_may_sign_certificates),
	    CASE(certificates_end),
	    CASE(certificates_begin),
	    CASE(old_signatures_are_found_but_not_on_the_root),
	};

	return cmocka_run_group_tests(tests, doctor_world_open, doctor_world_close);
}
