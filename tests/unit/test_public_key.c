#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "base/der.h"
#include "pki/public_key.h"
#include "tests/unit/pki_request.h"

#define RSA_OID "1.2.840.113549.1.1.1"
#define EC_OID	"1.2.840.10045.2.1"

static struct errbuf why;

static void
make_spki(struct buffer *out, const char *oid, struct buffer *parameters, struct buffer *key,
    uint8_t unused_bits)
{
	struct buffer algorithm = {0}, bits = {0}, spki = {0};

	pki_oid(&algorithm, oid);
	buffer_append(&algorithm, parameters->data, parameters->len);
	buffer_free(parameters);
	pki_wrap(&spki, DER_SEQUENCE, &algorithm);
	buffer_append(&bits, &unused_bits, 1);
	buffer_append(&bits, key->data, key->len);
	buffer_free(key);
	pki_wrap(&spki, DER_BIT_STRING, &bits);
	pki_wrap(out, DER_SEQUENCE, &spki);
}

/* An RSA key of len octets that start with top, and an exponent given by its content octets. */
static void
make_rsa(struct buffer *out, size_t len, uint8_t top, uint8_t last, const char *e, size_t e_len)
{
	struct buffer key = {0}, inner = {0}, parameters = {0};
	static uint8_t n[2200];

	memset(n, 0x55, sizeof(n));
	n[0] = top;
	n[len - 1] = last;
	pki_tlv(&inner, DER_INTEGER, n, len);
	pki_tlv(&inner, DER_INTEGER, e, e_len);
	pki_wrap(&key, DER_SEQUENCE, &inner);
	pki_tlv(&parameters, DER_NULL, NULL, 0);
	make_spki(out, RSA_OID, &parameters, &key, 0);
}

static bool
parses(struct buffer *spki)
{
	struct public_key k;
	bool ok = public_key_parse(buffer_octets(spki), &k, &why);

	if (!ok)
		assert_null(k.pkey);
	public_key_free(&k);
	buffer_free(spki);
	return ok;
}

static void
an_rsa_key_is_read_as_openssl_reads_it(void **state)
{
	struct buffer spki = {0};
	struct public_key k;

	(void)state;
	pki_spki(&spki, pki_rsa_key());
	assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
	assert_int_equal(k.type, PKI_KEY_RSA);
	assert_int_equal(k.bits, 2048);
	assert_string_equal(k.name, "RSA-2048");
	assert_int_equal(EVP_PKEY_eq(k.pkey, pki_rsa_key()), 1);
	public_key_free(&k);
	assert_null(k.pkey);
	buffer_free(&spki);
}

static void
ec_keys_on_the_three_curves_are_read_as_openssl_reads_them(void **state)
{
	static const char *const groups[] = {"P-256", "P-384", "P-521"};
	static const char *const names[] = {"EC P-256", "EC P-384", "EC P-521"};
	static const int bits[] = {256, 384, 521};

	(void)state;
	for (int i = 0; i < 3; i++) {
		EVP_PKEY *key = EVP_EC_gen(groups[i]);
		struct buffer spki = {0};
		struct public_key k;

		pki_spki(&spki, key);
		assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
		assert_int_equal(k.type, PKI_KEY_EC);
		assert_int_equal(k.bits, bits[i]);
		assert_string_equal(k.name, names[i]);
		assert_int_equal(EVP_PKEY_eq(k.pkey, key), 1);
		public_key_free(&k);
		EVP_PKEY_free(key);
		buffer_free(&spki);
	}
}

static void
keys_of_other_types_have_a_name_and_no_more(void **state)
{
	static const struct {
		const char *curve, *name;
	} other[] = {
	    {"secp256k1", "EC 1.3.132.0.10"}, {"brainpoolP256r1", "EC 1.3.36.3.3.2.8.1.1.7"}};
	struct buffer spki = {0}, none = {0}, key = {0};
	char text[PUBLIC_KEY_TEXT];
	struct public_key k;

	(void)state;
	for (int i = 0; i < 2; i++) {
		EVP_PKEY *ec = EVP_EC_gen(other[i].curve);

		pki_spki(&spki, ec);
		assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
		assert_int_equal(k.type, PKI_KEY_OTHER);
		assert_string_equal(k.name, other[i].name);
		assert_null(k.pkey);
		public_key_free(&k);
		EVP_PKEY_free(ec);
		buffer_free(&spki);
	}
	buffer_append(&key, "key", 3);
	make_spki(&spki, "1.2.3.4", &none, &key, 0);
	assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
	assert_int_equal(k.type, PKI_KEY_OTHER);
	assert_string_equal(k.name, "1.2.3.4");
	assert_string_equal(public_key_text(&k, text), "1.2.3.4");
	public_key_free(&k);
	buffer_free(&spki);
}

static void
eddsa_keys_are_read_as_openssl_reads_them(void **state)
{
	EVP_PKEY *const keys[] = {pki_ed_key(), pki_ed448_key()};
	static const char *const names[] = {"Ed25519", "Ed448"};
	static const char *const texts[] = {"Ed25519 (1.3.101.112)", "Ed448 (1.3.101.113)"};
	static const int bits[] = {255, 448};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer spki = {0};
		char text[PUBLIC_KEY_TEXT];
		struct public_key k;

		pki_spki(&spki, keys[i]);
		assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
		assert_int_equal(k.type, PKI_KEY_EDDSA);
		assert_int_equal(k.bits, bits[i]);
		assert_string_equal(k.name, names[i]);
		assert_string_equal(public_key_text(&k, text), texts[i]);
		assert_int_equal(EVP_PKEY_eq(k.pkey, keys[i]), 1);
		public_key_free(&k);
		buffer_free(&spki);
	}
}

static void
an_eddsa_key_of_another_length_or_with_parameters_is_refused(void **state)
{
	static const uint8_t point[58] = {1};
	static const struct {
		const char *oid;
		size_t len;
	} good[] = {{"1.3.101.112", 32}, {"1.3.101.113", 57}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (int wrong = 0; wrong < 5; wrong++) {
			struct buffer spki = {0}, parameters = {0}, key = {0};
			size_t len = good[i].len;

			if (wrong == 1 || wrong == 2)
				len += wrong == 1 ? 1 : (size_t)-1;
			if (wrong == 3)
				pki_tlv(&parameters, DER_NULL, NULL, 0);
			buffer_append(&key, point, len);
			make_spki(&spki, good[i].oid, &parameters, &key, wrong == 4 ? 1 : 0);
			assert_int_equal(parses(&spki), wrong == 0);
		}
	}
}

static void
explicit_curve_parameters_are_refused_on_every_curve(void **state)
{
	static const char *const groups[] = {"P-256", "P-384", "P-521", "secp256k1"};

	(void)state;
	for (int i = 0; i < 4; i++) {
		EVP_PKEY *key = EVP_EC_gen(groups[i]);
		struct buffer spki = {0};

		pki_spki(&spki, key);
		assert_true(parses(&spki));
		assert_int_equal(
		    EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
		    1);
		pki_spki(&spki, key);
		assert_false(parses(&spki));
		assert_non_null(strstr(why.line, "RFC 5480"));
		EVP_PKEY_free(key);
	}
}

/* The P-256 key's point under other parameters. */
static bool
parses_with_parameters(uint8_t tag, const void *content, size_t len)
{
	struct buffer spki = {0}, parameters = {0}, key = {0}, whole = {0};

	pki_spki(&whole, pki_ec_key());
	buffer_append(&key, whole.data + whole.len - 65, 65);
	buffer_free(&whole);
	if (tag != 0)
		pki_tlv(&parameters, tag, content, len);
	make_spki(&spki, EC_OID, &parameters, &key, 0);
	return parses(&spki);
}

static void
an_ec_key_without_the_name_of_a_curve_is_refused(void **state)
{
	static const uint8_t p256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

	(void)state;
	assert_true(parses_with_parameters(DER_OID, p256, sizeof(p256)));
	assert_false(parses_with_parameters(0, NULL, 0));
	assert_false(parses_with_parameters(DER_NULL, NULL, 0)); /* implicitCurve */
	assert_false(parses_with_parameters(DER_OCTET_STRING, p256, sizeof(p256)));
}

static void
a_compressed_point_is_read(void **state)
{
	EVP_PKEY *key = EVP_PKEY_dup(pki_ec_key());
	struct buffer spki = {0};
	struct public_key k;

	(void)state;
	assert_int_equal(EVP_PKEY_set_utf8_string_param(
			     key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
	    1);
	pki_spki(&spki, key);
	assert_true(public_key_parse(buffer_octets(&spki), &k, &why));
	assert_int_equal(k.type, PKI_KEY_EC);
	assert_int_equal(EVP_PKEY_eq(k.pkey, pki_ec_key()), 1);
	public_key_free(&k);
	buffer_free(&spki);
	EVP_PKEY_free(key);
}

/* The P-256 key with one thing done to the octets of its point. */
static bool
point_parses(size_t len, int octet, uint8_t value)
{
	struct buffer spki = {0}, parameters = {0}, key = {0}, whole = {0};
	uint8_t point[70] = {0};

	pki_spki(&whole, pki_ec_key());
	memcpy(point, whole.data + whole.len - 65, 65);
	buffer_free(&whole);
	if (octet >= 0)
		point[octet] = value;
	pki_oid(&parameters, "1.2.840.10045.3.1.7");
	buffer_append(&key, point, len);
	make_spki(&spki, EC_OID, &parameters, &key, 0);
	return parses(&spki);
}

static void
points_of_a_wrong_form_or_off_the_curve_are_refused(void **state)
{
	(void)state;
	assert_true(point_parses(65, -1, 0));
	assert_false(point_parses(64, -1, 0));
	assert_false(point_parses(66, -1, 0));
	assert_false(point_parses(33, -1, 0));
	assert_false(point_parses(65, 0, 0x06)); /* hybrid */
	assert_false(point_parses(1, 0, 0x00));	 /* infinity */
	assert_true(point_parses(65, 0, 0x04));
	{
		struct buffer whole = {0};
		uint8_t last;

		pki_spki(&whole, pki_ec_key());
		last = whole.data[whole.len - 1];
		buffer_free(&whole);
		assert_false(point_parses(65, 64, (uint8_t)(last ^ 1)));
	}
}

static void
rsa_moduli_from_512_to_8192_bits_are_read_and_no_others(void **state)
{
	struct buffer spki = {0};

	(void)state;
	make_rsa(&spki, 64, 0x80 >> 1, 0x55, "\x01\x00\x01", 3); /* 511 bits */
	assert_false(parses(&spki));
	make_rsa(&spki, 65, 0x00, 0x55, "\x01\x00\x01", 3); /* 0055…: 511 bits, padded */
	assert_false(parses(&spki));
	make_rsa(&spki, 65, 0x01, 0x55, "\x01\x00\x01", 3); /* 513 bits */
	assert_true(parses(&spki));
	make_rsa(&spki, 1024, 0x7f, 0x55, "\x01\x00\x01", 3); /* 8191 bits */
	assert_true(parses(&spki));
	make_rsa(&spki, 1025, 0x01, 0x55, "\x01\x00\x01", 3); /* 8193 bits */
	assert_false(parses(&spki));
}

static void
even_and_negative_moduli_are_refused(void **state)
{
	struct buffer spki = {0};

	(void)state;
	make_rsa(&spki, 128, 0x71, 0x55, "\x03", 1);
	assert_true(parses(&spki));
	make_rsa(&spki, 128, 0x71, 0x54, "\x03", 1);
	assert_false(parses(&spki));
	make_rsa(&spki, 128, 0xf1, 0x55, "\x03", 1);
	assert_false(parses(&spki));
}

static void
exponents_are_odd_from_3_to_2_to_the_64(void **state)
{
	struct buffer spki = {0};

	(void)state;
	make_rsa(&spki, 128, 0x71, 0x55, "\x03", 1);
	assert_true(parses(&spki));
	make_rsa(&spki, 128, 0x71, 0x55, "\x00\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	assert_true(parses(&spki));
	make_rsa(&spki, 128, 0x71, 0x55, "\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9);
	assert_false(parses(&spki));
	make_rsa(&spki, 128, 0x71, 0x55, "\x01", 1);
	assert_false(parses(&spki));
	make_rsa(&spki, 128, 0x71, 0x55, "\x04", 1);
	assert_false(parses(&spki));
	make_rsa(&spki, 128, 0x71, 0x55, "\xfd", 1); /* -3 */
	assert_false(parses(&spki));
	make_rsa(&spki, 128, 0x71, 0x55, "", 0);
	assert_false(parses(&spki));
}

static void
an_rsa_key_with_other_parameters_octets_behind_or_unused_bits_is_refused(void **state)
{
	struct buffer key = {0}, inner = {0}, parameters = {0}, spki = {0};

	(void)state;
	for (int wrong = 0; wrong < 5; wrong++) {
		uint8_t n[128];

		memset(n, 0x55, sizeof(n));
		pki_tlv(&inner, DER_INTEGER, n, sizeof(n));
		pki_tlv(&inner, DER_INTEGER, "\x03", 1);
		if (wrong == 4)
			pki_tlv(&inner, DER_INTEGER, "\x03", 1);
		pki_wrap(&key, DER_SEQUENCE, &inner);
		if (wrong == 1)
			pki_tlv(&parameters, DER_INTEGER, "\x03", 1);
		else
			pki_tlv(&parameters, DER_NULL, NULL, 0);
		if (wrong == 2)
			buffer_append(&key, "\0", 1);
		make_spki(&spki, RSA_OID, &parameters, &key, wrong == 3 ? 1 : 0);
		if (wrong == 0)
			assert_true(parses(&spki));
		else
			assert_false(parses(&spki));
	}
}

static void
an_rsa_key_without_parameters_is_read(void **state)
{
	struct buffer key = {0}, inner = {0}, none = {0}, spki = {0};
	uint8_t n[128];

	(void)state;
	memset(n, 0x55, sizeof(n));
	pki_tlv(&inner, DER_INTEGER, n, sizeof(n));
	pki_tlv(&inner, DER_INTEGER, "\x03", 1);
	pki_wrap(&key, DER_SEQUENCE, &inner);
	make_spki(&spki, RSA_OID, &none, &key, 0);
	assert_true(parses(&spki));
}

static void
what_is_cut_short_or_has_more_behind_it_is_refused(void **state)
{
	struct buffer spki = {0};
	struct public_key k;
	uint8_t identifier[20];

	(void)state;
	pki_spki(&spki, pki_rsa_key());
	for (size_t len = 0; len < spki.len; len++) {
		assert_false(public_key_parse(octets_of(spki.data, len), &k, &why));
		assert_false(public_key_identifier(octets_of(spki.data, len), identifier));
	}
	buffer_append(&spki, "\0", 1);
	assert_false(public_key_parse(buffer_octets(&spki), &k, &why));
	buffer_free(&spki);
}

static void
identifier_and_digest_are_those_of_openssl(void **state)
{
	uint8_t identifier[20], digest[32], expected[32];
	struct buffer spki = {0};
	X509_PUBKEY *x = NULL;

	(void)state;
	pki_spki(&spki, pki_rsa_key());
	assert_int_equal(X509_PUBKEY_set(&x, pki_rsa_key()), 1);
	{
		const unsigned char *at;
		int len;

		X509_PUBKEY_get0_param(NULL, &at, &len, NULL, x);
		SHA1(at, (size_t)len, expected);
	}
	assert_true(public_key_identifier(buffer_octets(&spki), identifier));
	assert_memory_equal(identifier, expected, 20);
	SHA256(spki.data, spki.len, expected);
	assert_true(public_key_digest(buffer_octets(&spki), digest));
	assert_memory_equal(digest, expected, 32);
	X509_PUBKEY_free(x);
	buffer_free(&spki);
}

static int
free_keys(void **state)
{
	(void)state;
	pki_free_keys();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_rsa_key_is_read_as_openssl_reads_it),
	    cmocka_unit_test(ec_keys_on_the_three_curves_are_read_as_openssl_reads_them),
	    cmocka_unit_test(keys_of_other_types_have_a_name_and_no_more),
	    cmocka_unit_test(eddsa_keys_are_read_as_openssl_reads_them),
	    cmocka_unit_test(an_eddsa_key_of_another_length_or_with_parameters_is_refused),
	    cmocka_unit_test(explicit_curve_parameters_are_refused_on_every_curve),
	    cmocka_unit_test(an_ec_key_without_the_name_of_a_curve_is_refused),
	    cmocka_unit_test(a_compressed_point_is_read),
	    cmocka_unit_test(points_of_a_wrong_form_or_off_the_curve_are_refused),
	    cmocka_unit_test(rsa_moduli_from_512_to_8192_bits_are_read_and_no_others),
	    cmocka_unit_test(even_and_negative_moduli_are_refused),
	    cmocka_unit_test(exponents_are_odd_from_3_to_2_to_the_64),
	    cmocka_unit_test(
		an_rsa_key_with_other_parameters_octets_behind_or_unused_bits_is_refused),
	    cmocka_unit_test(an_rsa_key_without_parameters_is_read),
	    cmocka_unit_test(what_is_cut_short_or_has_more_behind_it_is_refused),
	    cmocka_unit_test(identifier_and_digest_are_those_of_openssl),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
