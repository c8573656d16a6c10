#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "pki/authority.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

#define NOW INT64_C(1700000000)
#define DAY 86400

static struct errbuf why;
static struct buffer out;
static struct signer *rsa, *ec;
static struct certificate rsa_ca, ec_ca;

static struct certificate
make_ca(struct signer *s, const char *name)
{
	struct buffer subject = {0}, der = {0};
	struct certificate c;

	assert_true(name_from_text(name, &subject, &why));
	assert_true(authority_self_sign(
	    s, buffer_octets(&subject), NOW - DAY, NOW + 3650 * DAY, -1, &der, &why));
	assert_true(certificate_parse(buffer_octets(&der), &c, &why));
	buffer_free(&subject);
	buffer_free(&der);
	return c;
}

static int
open_all(void **state)
{
	(void)state;
	if (!signer_of_key(pki_rsa_key(), &rsa, &why) || !signer_of_key(pki_ec_key(), &ec, &why))
		return 1;
	rsa_ca = make_ca(rsa, "O=Example,CN=CA");
	ec_ca = make_ca(ec, "O=Example,CN=EC CA");
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	buffer_free(&out);
	signer_free(rsa);
	signer_free(ec);
	certificate_free(&rsa_ca);
	certificate_free(&ec_ca);
	pki_free_keys();
	return 0;
}

static bool
sign_by(struct crl_builder *b, const struct certificate *ca, struct signer *s)
{
	bool ok;

	buffer_free(&out);
	ok = crl_sign(b, ca, s, 7, NOW, NOW + 7 * DAY, &out, &why);
	if (!ok) {
		assert_int_equal(out.len, 0);
		assert_true(strlen(why.line) > 0);
	}
	return ok;
}

static X509_CRL *
by_openssl(void)
{
	const unsigned char *p = out.data;
	X509_CRL *x = d2i_X509_CRL(NULL, &p, (long)out.len);

	assert_non_null(x);
	assert_ptr_equal(p, out.data + out.len);
	return x;
}

/* A list with this one entry by OpenSSL; NULL where it is refused. */
static X509_CRL *
list_of(struct octets serial, int64_t revoked_at, int reason)
{
	struct crl_builder *b = crl_start(&why);
	X509_CRL *x = NULL;

	crl_add(b, serial, revoked_at, reason);
	assert_int_equal(crl_count(b), 1);
	if (sign_by(b, &rsa_ca, rsa)) {
		x = by_openssl();
		assert_int_equal(X509_CRL_verify(x, pki_rsa_key()), 1);
		assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(x)), 1);
	}
	crl_free(b);
	return x;
}

static void
assert_time(const ASN1_TIME *t, int64_t expected, int type)
{
	struct tm tm;

	assert_int_equal(ASN1_STRING_type(t), type);
	assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
	assert_int_equal(timegm(&tm), expected);
}

/* ---- writing */

static void
openssl_reads_each_field_of_what_was_signed(void **state)
{
	struct crl_builder *b = crl_start(&why);
	AUTHORITY_KEYID *aki;
	ASN1_INTEGER *number;
	unsigned char *name = NULL;
	int critical, len;
	X509_CRL *x;

	(void)state;
	crl_add(b, octets_of("\x01\x02", 2), NOW - 5, 1);
	crl_add(b, octets_of("\x03", 1), NOW - 4, 0);
	assert_true(sign_by(b, &rsa_ca, rsa));
	x = by_openssl();
	assert_int_equal(X509_CRL_verify(x, pki_rsa_key()), 1);
	assert_int_equal(X509_CRL_verify(x, pki_other_rsa_key()) == 1, 0);
	assert_int_equal(X509_CRL_get_version(x), X509_CRL_VERSION_2);
	assert_int_equal(X509_CRL_get_signature_nid(x), NID_sha256WithRSAEncryption);
	assert_time(X509_CRL_get0_lastUpdate(x), NOW, V_ASN1_UTCTIME);
	assert_time(X509_CRL_get0_nextUpdate(x), NOW + 7 * DAY, V_ASN1_UTCTIME);
	len = i2d_X509_NAME(X509_CRL_get_issuer(x), &name);
	assert_true(octets_equal(octets_of(name, (size_t)len), rsa_ca.subject));
	assert_int_equal(X509_CRL_get_ext_count(x), 2);
	number = X509_CRL_get_ext_d2i(x, NID_crl_number, &critical, NULL);
	assert_int_equal(ASN1_INTEGER_get(number), 7);
	assert_int_equal(critical, 0);
	aki = X509_CRL_get_ext_d2i(x, NID_authority_key_identifier, &critical, NULL);
	assert_int_equal(critical, 0);
	assert_null(aki->issuer);
	assert_null(aki->serial);
	assert_true(octets_equal(
	    octets_of(ASN1_STRING_get0_data(aki->keyid), (size_t)ASN1_STRING_length(aki->keyid)),
	    rsa_ca.ski));
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(x)), 2);
	ASN1_INTEGER_free(number);
	AUTHORITY_KEYID_free(aki);
	OPENSSL_free(name);
	X509_CRL_free(x);
	crl_free(b);
}

static void
an_entry_has_its_serial_time_and_reason_and_no_critical_extension(void **state)
{
	static const int settable[] = {1, 2, 3, 4, 5, 6, 9, 10};

	(void)state;
	for (size_t i = 0; i < sizeof(settable) / sizeof(settable[0]); i++) {
		X509_CRL *x = list_of(octets_of("\x81\x02", 2), NOW - 5, settable[i]);
		X509_REVOKED *r = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(x), 0);
		ASN1_ENUMERATED *code;
		int critical;

		code = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, &critical, NULL);
		assert_non_null(code);
		assert_int_equal(ASN1_ENUMERATED_get(code), settable[i]);
		assert_int_equal(critical, 0);
		assert_int_equal(ASN1_INTEGER_get(X509_REVOKED_get0_serialNumber(r)), 0x8102);
		assert_time(X509_REVOKED_get0_revocationDate(r), NOW - 5, V_ASN1_UTCTIME);
		assert_int_equal(sk_X509_EXTENSION_num(X509_REVOKED_get0_extensions(r)), 1);
		ASN1_ENUMERATED_free(code);
		X509_CRL_free(x);
	}
}

static void
without_a_reason_an_entry_has_no_extension(void **state)
{
	(void)state;
	for (int reason = -1; reason <= 0; reason++) {
		X509_CRL *x = list_of(octets_of("\x01", 1), NOW, reason);
		X509_REVOKED *r = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(x), 0);

		assert_null(X509_REVOKED_get0_extensions(r));
		X509_CRL_free(x);
	}
}

static void
reasons_that_cannot_be_set_are_refused(void **state)
{
	static const int wrong[] = {7, 8, 11, 256 + 1};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(list_of(octets_of("\x01", 1), NOW, wrong[i]));
		assert_non_null(strstr(why.line, "entry 1: a reason"));
	}
}

static void
without_entries_there_is_no_list_of_them(void **state)
{
	struct crl_builder *b = crl_start(&why);
	X509_CRL *x;

	(void)state;
	assert_int_equal(crl_count(b), 0);
	assert_true(sign_by(b, &rsa_ca, rsa));
	x = by_openssl();
	assert_null(X509_CRL_get_REVOKED(x));
	assert_int_equal(X509_CRL_verify(x, pki_rsa_key()), 1);
	X509_CRL_free(x);
	crl_free(b);
}

static void
serials_are_positive_and_in_the_fewest_octets(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *content;
		size_t content_len;
	} cases[] = {
	    {"\x7f", 1, "\x7f", 1},
	    {"\x80", 1, "\x00\x80", 2},
	    {"\x00\x00\x01", 3, "\x01", 1},
	    {"\x00\x80", 2, "\x00\x80", 2},
	    {"\x00", 1, "\x00", 1},
	    {"\xff\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14", 20,
		"\x00\xff\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"
		"\x14",
		21},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		X509_CRL *x = list_of(octets_of(cases[i].in, cases[i].len), NOW, 0);
		const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(
		    sk_X509_REVOKED_value(X509_CRL_get_REVOKED(x), 0));
		unsigned char *der = NULL;
		int len = i2d_ASN1_INTEGER(serial, &der);

		assert_int_equal(len, cases[i].content_len + 2);
		assert_memory_equal(der + 2, cases[i].content, cases[i].content_len);
		OPENSSL_free(der);
		/* Not only as OpenSSL reads it: these octets are in the list. */
		assert_non_null(memmem(out.data, out.len, cases[i].content, cases[i].content_len));
		X509_CRL_free(x);
	}
}

static void
serials_of_no_octets_or_of_more_than_20_are_refused(void **state)
{
	static const uint8_t long_serial[22] = {0, 1};
	X509_CRL *x;

	(void)state;
	assert_null(list_of(octets_of(NULL, 0), NOW, 0));
	assert_null(list_of(octets_of(long_serial, 22), NOW, 0));
	assert_non_null(strstr(why.line, "20 octets"));
	x = list_of(octets_of(long_serial, 21), NOW, 0);
	assert_non_null(x);
	X509_CRL_free(x);
}

static void
times_are_utc_time_to_2049_and_generalized_time_from_2050(void **state)
{
	const int64_t year_2050 = INT64_C(2524608000);
	struct crl_builder *b = crl_start(&why);
	X509_CRL *x;

	(void)state;
	crl_add(b, octets_of("\x01", 1), year_2050 - 1, 0);
	crl_add(b, octets_of("\x02", 1), year_2050, 0);
	buffer_free(&out);
	assert_true(crl_sign(b, &rsa_ca, rsa, 1, year_2050 - 1, year_2050, &out, &why));
	x = by_openssl();
	assert_time(X509_CRL_get0_lastUpdate(x), year_2050 - 1, V_ASN1_UTCTIME);
	assert_time(X509_CRL_get0_nextUpdate(x), year_2050, V_ASN1_GENERALIZEDTIME);
	for (int i = 0; i < 2; i++)
		assert_time(X509_REVOKED_get0_revocationDate(
				sk_X509_REVOKED_value(X509_CRL_get_REVOKED(x), i)),
		    year_2050 - 1 + i, i == 0 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
	X509_CRL_free(x);
	crl_free(b);
	assert_null(list_of(octets_of("\x01", 1), INT64_C(253402300800), 0));
	assert_non_null(strstr(why.line, "out of range"));
}

static void
a_number_of_63_bits_is_written(void **state)
{
	static const int64_t numbers[] = {0, 1, 127, 128, 255, 256, INT64_MAX};
	struct crl_builder *b = crl_start(&why);

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct crl crl;

		buffer_free(&out);
		assert_true(crl_sign(b, &rsa_ca, rsa, numbers[i], NOW, NOW + 1, &out, &why));
		assert_true(crl_parse(buffer_octets(&out), &crl, &why));
		assert_true(crl.number == numbers[i]);
		crl_parsed_free(&crl);
	}
	crl_free(b);
}

static void
numbers_and_times_that_do_not_fit_are_refused(void **state)
{
	struct crl_builder *b = crl_start(&why);

	(void)state;
	buffer_free(&out);
	assert_true(crl_sign(b, &rsa_ca, rsa, 0, NOW, NOW + 1, &out, &why));
	buffer_free(&out);
	assert_false(crl_sign(b, &rsa_ca, rsa, -1, NOW, NOW + 1, &out, &why));
	assert_false(crl_sign(b, &rsa_ca, rsa, 0, NOW, NOW, &out, &why));
	assert_false(crl_sign(b, &rsa_ca, rsa, 0, -1, NOW, &out, &why));
	assert_false(crl_sign(b, &rsa_ca, rsa, 0, NOW, INT64_C(253402300800), &out, &why));
	assert_int_equal(out.len, 0);
	crl_free(b);
}

static void
a_ca_of_another_key_or_without_crl_sign_is_refused(void **state)
{
	struct crl_builder *b = crl_start(&why);
	struct certificate ca = rsa_ca;

	(void)state;
	assert_false(sign_by(b, &rsa_ca, ec));
	assert_non_null(strstr(why.line, "another key"));
	ca.key_usage = KEY_USAGE_KEY_CERT_SIGN;
	assert_false(sign_by(b, &ca, rsa));
	assert_non_null(strstr(why.line, "cRLSign"));
	ca.key_usage = KEY_USAGE_CRL_SIGN;
	assert_true(sign_by(b, &ca, rsa));
	ca.key_usage = -1;
	assert_true(sign_by(b, &ca, rsa));
	crl_free(b);
}

static void
a_ca_without_a_key_identifier_gets_that_of_its_key(void **state)
{
	struct crl_builder *b = crl_start(&why);
	struct certificate ca = rsa_ca;

	(void)state;
	ca.ski = octets_of(NULL, 0);
	assert_true(sign_by(b, &ca, rsa));
	/* which is how that of rsa_ca was made */
	assert_non_null(memmem(out.data, out.len, rsa_ca.ski.data, rsa_ca.ski.len));
	crl_free(b);
}

static void
an_ec_ca_signs_what_openssl_verifies(void **state)
{
	struct crl_builder *b = crl_start(&why);
	X509_CRL *x;

	(void)state;
	crl_add(b, octets_of("\x05", 1), NOW, 4);
	assert_true(sign_by(b, &ec_ca, ec));
	x = by_openssl();
	assert_int_equal(X509_CRL_verify(x, pki_ec_key()), 1);
	assert_int_equal(X509_CRL_get_signature_nid(x), NID_ecdsa_with_SHA256);
	X509_CRL_free(x);
	crl_free(b);
}

static void
a_builder_keeps_its_entries_and_appends(void **state)
{
	struct crl_builder *b = crl_start(&why);
	size_t first;
	struct crl crl;

	(void)state;
	crl_add(b, octets_of("\x05", 1), NOW, 4);
	assert_true(sign_by(b, &rsa_ca, rsa));
	first = out.len;
	crl_add(b, octets_of("\x06", 1), NOW, 4);
	assert_true(crl_sign(b, &rsa_ca, rsa, 8, NOW, NOW + 1, &out, &why));
	assert_true(crl_parse(octets_of(out.data, first), &crl, &why));
	assert_int_equal(crl.count, 1);
	crl_parsed_free(&crl);
	assert_true(crl_parse(octets_of(out.data + first, out.len - first), &crl, &why));
	assert_int_equal(crl.count, 2);
	crl_parsed_free(&crl);
	crl_free(b);
	crl_free(NULL);
}

static void
the_first_fault_is_told_and_stays(void **state)
{
	struct crl_builder *b = crl_start(&why);

	(void)state;
	crl_add(b, octets_of("\x01", 1), NOW, 0);
	crl_add(b, octets_of("\x02", 1), NOW, 7);
	crl_add(b, octets_of(NULL, 0), NOW, 0);
	assert_false(sign_by(b, &rsa_ca, rsa));
	assert_non_null(strstr(why.line, "entry 2: a reason"));
	crl_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openssl_reads_each_field_of_what_was_signed),
	    cmocka_unit_test(an_entry_has_its_serial_time_and_reason_and_no_critical_extension),
	    cmocka_unit_test(without_a_reason_an_entry_has_no_extension),
	    cmocka_unit_test(reasons_that_cannot_be_set_are_refused),
	    cmocka_unit_test(without_entries_there_is_no_list_of_them),
	    cmocka_unit_test(serials_are_positive_and_in_the_fewest_octets),
	    cmocka_unit_test(serials_of_no_octets_or_of_more_than_20_are_refused),
	    cmocka_unit_test(times_are_utc_time_to_2049_and_generalized_time_from_2050),
	    cmocka_unit_test(a_number_of_63_bits_is_written),
	    cmocka_unit_test(numbers_and_times_that_do_not_fit_are_refused),
	    cmocka_unit_test(a_ca_of_another_key_or_without_crl_sign_is_refused),
	    cmocka_unit_test(a_ca_without_a_key_identifier_gets_that_of_its_key),
	    cmocka_unit_test(an_ec_ca_signs_what_openssl_verifies),
	    cmocka_unit_test(a_builder_keeps_its_entries_and_appends),
	    cmocka_unit_test(the_first_fault_is_told_and_stays),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
