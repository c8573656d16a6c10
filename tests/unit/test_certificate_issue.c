#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "pki/certificate.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

static struct errbuf why;
static struct buffer issuer, subject, spki, eku, out;
static struct signer *rsa;
static const uint8_t san[] = {0x30, 5, 0x82, 3, 'a', '.', 'b'};
static const uint8_t empty[] = {0x30, 0};
static const uint8_t ca_ski[20] = "CA key identifier..";

static int
open_all(void **state)
{
	(void)state;
	if (!name_from_text("O=Example,CN=CA", &issuer, &why) ||
	    !name_from_text("CN=device", &subject, &why) ||
	    !eku_of_text("clientAuth", &eku, &why) || !signer_of_key(pki_rsa_key(), &rsa, &why))
		return 1;
	pki_spki(&spki, pki_ec_key());
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	buffer_free(&issuer);
	buffer_free(&subject);
	buffer_free(&spki);
	buffer_free(&eku);
	buffer_free(&out);
	signer_free(rsa);
	pki_free_keys();
	return 0;
}

/* A device's certificate with everything in it. */
static struct certificate_fields
device(void)
{
	return (struct certificate_fields){
	    .serial = {0x91, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	    .issuer = buffer_octets(&issuer),
	    .not_before = 1700000000,
	    .not_after = 2600000000,
	    .subject = buffer_octets(&subject),
	    .spki = buffer_octets(&spki),
	    .issuer_ski = octets_of(ca_ski, sizeof(ca_ski)),
	    .path_length = -1,
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT,
	    .eku = buffer_octets(&eku),
	    .san = octets_of(san, sizeof(san)),
	    .crl_url = "http://ca.example/crl",
	    .ocsp_url = "http://ca.example/ocsp",
	};
}

/* Issue and read back by OpenSSL; NULL where it is refused. */
static X509 *
issue_by(const struct certificate_fields *f, struct signer *s)
{
	const unsigned char *p;
	X509 *x;

	buffer_free(&out);
	if (!certificate_issue(f, s, &out, &why)) {
		assert_int_equal(out.len, 0);
		assert_true(strlen(why.line) > 0);
		return NULL;
	}
	p = out.data;
	x = d2i_X509(NULL, &p, (long)out.len);
	assert_non_null(x);
	assert_ptr_equal(p, out.data + out.len);
	return x;
}

static X509 *
issue(const struct certificate_fields *f)
{
	X509 *x = issue_by(f, rsa);

	if (x != NULL)
		assert_int_equal(X509_verify(x, pki_rsa_key()), 1);
	return x;
}

static bool
refused(const struct certificate_fields *f)
{
	X509 *x = issue(f);

	X509_free(x);
	return x == NULL;
}

static int
is_critical(const X509 *x, int nid)
{
	return X509_EXTENSION_get_critical(X509_get_ext(x, X509_get_ext_by_NID(x, nid, -1)));
}

static void
assert_der_of_name(const X509_NAME *name, struct octets expected)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(name, &der);

	assert_int_equal(len, expected.len);
	assert_memory_equal(der, expected.data, expected.len);
	OPENSSL_free(der);
}

static void
openssl_reads_each_field_of_what_was_issued(void **state)
{
	struct certificate_fields f = device();
	X509 *x = issue(&f);
	BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	uint8_t octets[16];
	struct tm tm;

	(void)state;
	assert_int_equal(X509_get_version(x), 2);
	assert_false(BN_is_negative(serial));
	assert_int_equal(BN_bn2binpad(serial, octets, 16), 16);
	assert_memory_equal(octets, f.serial, 16);
	BN_free(serial);
	assert_der_of_name(X509_get_issuer_name(x), f.issuer);
	assert_der_of_name(X509_get_subject_name(x), f.subject);
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(x), &tm), 1);
	assert_int_equal(timegm(&tm), f.not_before);
	assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(x)), V_ASN1_UTCTIME);
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm), 1);
	assert_int_equal(timegm(&tm), f.not_after);
	assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(x)), V_ASN1_GENERALIZEDTIME);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(x), pki_ec_key()), 1);
	assert_int_equal(X509_get_signature_nid(x), NID_sha256WithRSAEncryption);
	assert_int_equal(X509_get_ext_count(x), 8);
	X509_free(x);
}

static void
openssl_reads_each_extension_of_what_was_issued(void **state)
{
	struct certificate_fields f = device();
	X509 *x = issue(&f);
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(x);
	X509_EXTENSION *computed = X509V3_EXT_nconf_nid(
	    NULL, &(X509V3_CTX){.subject_cert = x}, NID_subject_key_identifier, "hash");

	(void)state;
	assert_false((X509_get_extension_flags(x) & (EXFLAG_CA | EXFLAG_INVALID)) != 0);
	assert_int_equal(
	    X509_get_extension_flags(x) & (EXFLAG_BCONS | EXFLAG_KUSAGE | EXFLAG_XKUSAGE),
	    EXFLAG_BCONS | EXFLAG_KUSAGE | EXFLAG_XKUSAGE);
	assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_CLIENT);
	assert_int_equal(X509_check_host(x, "a.b", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "a.c", 0, 0, NULL), 0);
	assert_memory_equal(ASN1_STRING_get0_data(X509_get0_authority_key_id(x)), ca_ski, 20);
	assert_int_equal(ASN1_STRING_length(ski), 20);
	assert_memory_equal(ASN1_STRING_get0_data(ski),
	    ASN1_STRING_get0_data(X509_EXTENSION_get_data(computed)) + 2, 20);
	assert_true(is_critical(x, NID_basic_constraints) && is_critical(x, NID_key_usage));
	assert_false(is_critical(x, NID_ext_key_usage) || is_critical(x, NID_subject_alt_name));
	assert_false(is_critical(x, NID_subject_key_identifier) ||
		     is_critical(x, NID_authority_key_identifier));
	X509_EXTENSION_free(computed);
	X509_free(x);
}

static void
what_was_issued_is_read_back_by_our_own_template(void **state)
{
	struct certificate_fields f = device();
	struct certificate c;
	X509 *x = issue(&f);

	(void)state;
	assert_true(certificate_parse(buffer_octets(&out), &c, &why));
	assert_int_equal(c.serial.len, 17); /* a 00 before 91 */
	assert_memory_equal(c.serial.data + 1, f.serial, 16);
	assert_true(octets_equal(c.spki, f.spki));
	assert_true(octets_equal(c.aki, f.issuer_ski));
	assert_int_equal(c.not_before, f.not_before);
	assert_int_equal(c.not_after, f.not_after);
	assert_int_equal(c.key_usage, f.key_usage);
	assert_false(c.ca);
	certificate_free(&c);
	X509_free(x);
}

static void
what_is_not_given_is_not_in_the_certificate(void **state)
{
	struct certificate_fields f = device();
	X509 *x;

	(void)state;
	f.issuer_ski = f.eku = f.san = octets_of(NULL, 0);
	f.crl_url = NULL;
	f.ocsp_url = "";
	f.key_usage = 0;
	x = issue(&f);
	assert_int_equal(X509_get_ext_count(x), 2); /* basicConstraints and SKI */
	assert_int_equal(X509_get_key_usage(x), UINT32_MAX);
	X509_free(x);
}

static void
a_ca_has_its_path_length_or_none(void **state)
{
	struct certificate_fields f = device();

	(void)state;
	f.ca = true;
	f.key_usage = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN;
	for (int length = -1; length <= 255; length += 128) {
		X509 *x;

		f.path_length = length;
		x = issue(&f);
		assert_int_equal(X509_check_ca(x), 1);
		assert_int_equal(X509_get_pathlen(x), length);
		X509_free(x);
	}
	f.path_length = -2;
	assert_true(refused(&f));
	f.path_length = 256;
	assert_true(refused(&f));
}

static void
every_key_usage_bit_is_written_where_openssl_looks_for_it(void **state)
{
	static const uint32_t expected[] = {KU_DIGITAL_SIGNATURE, KU_NON_REPUDIATION,
	    KU_KEY_ENCIPHERMENT, KU_DATA_ENCIPHERMENT, KU_KEY_AGREEMENT, KU_KEY_CERT_SIGN,
	    KU_CRL_SIGN, KU_ENCIPHER_ONLY, KU_DECIPHER_ONLY};

	(void)state;
	for (int bit = 0; bit < 9; bit++) {
		struct certificate_fields f = device();
		X509 *x;

		f.ca = bit == 5;
		f.key_usage = 1 << bit;
		x = issue(&f);
		assert_int_equal(X509_get_key_usage(x), expected[bit]);
		X509_free(x);
	}
	{
		struct certificate_fields f = device();

		f.key_usage = 1 << 9;
		assert_true(refused(&f));
		f.key_usage = -1;
		assert_true(refused(&f));
		f.key_usage = KEY_USAGE_KEY_CERT_SIGN; /* and no CA */
		assert_true(refused(&f));
	}
}

static void
an_empty_subject_makes_the_san_critical_and_needs_one(void **state)
{
	struct certificate_fields f = device();
	X509 *x;

	(void)state;
	f.subject = octets_of(empty, 2);
	x = issue(&f);
	assert_true(is_critical(x, NID_subject_alt_name));
	X509_free(x);
	f.san = octets_of(NULL, 0);
	assert_true(refused(&f));
	f = device();
	f.issuer = octets_of(empty, 2);
	assert_true(refused(&f));
}

static void
slices_that_are_not_one_sequence_in_der_are_refused(void **state)
{
	static const uint8_t bad[][6] = {
	    {0x30, 1}, {0x30, 0x80, 0, 0}, {0x30, 0, 0}, {0x04, 0}, {0x30, 2, 0x24, 0}, {0}};
	static const size_t lens[] = {2, 4, 3, 2, 4, 0};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct octets slice = octets_of(bad[i], lens[i]);
		struct certificate_fields f;

		f = device(), f.issuer = slice;
		assert_true(refused(&f));
		f = device(), f.subject = slice;
		assert_true(refused(&f));
		f = device(), f.spki = slice;
		assert_true(refused(&f));
		if (lens[i] == 0)
			continue;
		f = device(), f.san = slice;
		assert_true(refused(&f));
		f = device(), f.eku = slice;
		assert_true(refused(&f));
		f = device(), f.extra = slice;
		assert_true(refused(&f));
	}
	{
		struct certificate_fields f;

		f = device(), f.san = octets_of(empty, 2);
		assert_true(refused(&f));
		f = device(), f.eku = octets_of(empty, 2);
		assert_true(refused(&f));
		f = device(), f.spki = octets_of(empty, 2);
		assert_true(refused(&f));
	}
}

static void
a_validity_that_ends_before_it_begins_or_is_out_of_range_is_refused(void **state)
{
	struct certificate_fields f = device();
	X509 *x;

	(void)state;
	f.not_after = f.not_before - 1;
	assert_true(refused(&f));
	f.not_after = INT64_C(253402300800);
	assert_true(refused(&f));
	f.not_before = -1;
	f.not_after = 0;
	assert_true(refused(&f));
	f.not_before = 0;
	f.not_after = INT64_C(253402300799);
	x = issue(&f);
	assert_non_null(x);
	assert_string_equal(
	    (const char *)ASN1_STRING_get0_data(X509_get0_notAfter(x)), "99991231235959Z");
	X509_free(x);
}

static void
a_serial_of_zeros_alone_is_refused(void **state)
{
	struct certificate_fields f = device();
	X509 *x;

	(void)state;
	memset(f.serial, 0, sizeof(f.serial));
	assert_true(refused(&f));
	f.serial[15] = 0x80;
	x = issue(&f);
	assert_int_equal(ASN1_INTEGER_get(X509_get0_serialNumber(x)), 0x80);
	X509_free(x);
}

static void
urls_with_other_than_visible_characters_or_too_long_are_refused(void **state)
{
	struct certificate_fields f = device();
	char url[1026];

	(void)state;
	f.crl_url = "http://a b/";
	assert_true(refused(&f));
	f = device();
	f.ocsp_url = "http://a\n";
	assert_true(refused(&f));
	f.ocsp_url = "http://\xc3\xbc/";
	assert_true(refused(&f));
	memset(url, 'u', sizeof(url));
	url[1025] = '\0';
	f.ocsp_url = url;
	assert_true(refused(&f));
	url[1024] = '\0';
	assert_false(refused(&f));
}

static void
further_extensions_are_copied_unless_they_have_a_field_of_their_own(void **state)
{
	struct certificate_fields f = device();
	struct buffer extra = {0}, value = {0};
	ASN1_OBJECT *o = OBJ_txt2obj("1.2.3.4", 1);
	X509 *x;

	(void)state;
	buffer_append_string(&value, "x");
	pki_extension(&extra, "1.2.3.4", &value);
	f.extra = buffer_octets(&extra);
	x = issue(&f);
	assert_int_equal(X509_get_ext_count(x), 9);
	assert_int_equal(X509_get_ext_by_OBJ(x, o, -1), 8);
	X509_free(x);
	buffer_append(&value, san, sizeof(san));
	pki_extension(&extra, PKI_SAN, &value);
	f.extra = buffer_octets(&extra);
	assert_true(refused(&f));
	f.extra.len--;
	assert_true(refused(&f));
	ASN1_OBJECT_free(o);
	buffer_free(&extra);
}

static void
ec_cas_sign_by_the_digest_of_their_curve(void **state)
{
	static const char *const groups[] = {"P-256", "P-384", "P-521"};
	static const int nids[] = {
	    NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384, NID_ecdsa_with_SHA512};

	(void)state;
	for (int i = 0; i < 3; i++) {
		EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", groups[i]);
		struct certificate_fields f = device();
		struct signer *s;
		X509 *x;

		assert_true(signer_of_key(key, &s, &why));
		x = issue_by(&f, s);
		assert_int_equal(X509_verify(x, key), 1);
		assert_int_equal(X509_verify(x, pki_ec_key()) == 1, 0);
		assert_int_equal(X509_get_signature_nid(x), nids[i]);
		X509_free(x);
		signer_free(s);
		EVP_PKEY_free(key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openssl_reads_each_field_of_what_was_issued),
	    cmocka_unit_test(openssl_reads_each_extension_of_what_was_issued),
	    cmocka_unit_test(what_was_issued_is_read_back_by_our_own_template),
	    cmocka_unit_test(what_is_not_given_is_not_in_the_certificate),
	    cmocka_unit_test(a_ca_has_its_path_length_or_none),
	    cmocka_unit_test(every_key_usage_bit_is_written_where_openssl_looks_for_it),
	    cmocka_unit_test(an_empty_subject_makes_the_san_critical_and_needs_one),
	    cmocka_unit_test(slices_that_are_not_one_sequence_in_der_are_refused),
	    cmocka_unit_test(a_validity_that_ends_before_it_begins_or_is_out_of_range_is_refused),
	    cmocka_unit_test(a_serial_of_zeros_alone_is_refused),
	    cmocka_unit_test(urls_with_other_than_visible_characters_or_too_long_are_refused),
	    cmocka_unit_test(further_extensions_are_copied_unless_they_have_a_field_of_their_own),
	    cmocka_unit_test(ec_cas_sign_by_the_digest_of_their_curve),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
