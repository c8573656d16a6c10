#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "base/der.h"
#include "pki/certificate.h"
#include "tests/unit/pki_request.h"

#define NOT_BEFORE INT64_C(1700000000)
#define NOT_AFTER  INT64_C(2600000000) /* 2052: GeneralizedTime */

static struct errbuf why;
static struct certificate cert;

/* ---- made by OpenSSL ---- */

static void
add_extension(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* A self-signed certificate that its caller completes before finish(). */
static X509 *
begin(EVP_PKEY *key)
{
	X509 *x = X509_new();

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 0x80);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"name", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	ASN1_TIME_set(X509_getm_notBefore(x), NOT_BEFORE);
	ASN1_TIME_set(X509_getm_notAfter(x), NOT_AFTER);
	X509_set_pubkey(x, key);
	return x;
}

static void
finish(X509 *x, EVP_PKEY *key, struct buffer *out)
{
	unsigned char *der = NULL;
	int len;

	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	len = i2d_X509(x, &der);
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	X509_free(x);
}

static void
a_ca_certificate_is_read_as_openssl_wrote_it(void **state)
{
	struct buffer der = {0}, spki = {0};
	unsigned char *name = NULL;
	X509 *x = begin(pki_rsa_key());
	const ASN1_OCTET_STRING *ski;
	int len;

	(void)state;
	add_extension(x, NID_subject_key_identifier, "hash");
	add_extension(x, NID_authority_key_identifier, "keyid:always,issuer:always");
	add_extension(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:1");
	add_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
	add_extension(x, NID_subject_alt_name, "DNS:a");
	X509_up_ref(x);
	finish(x, pki_rsa_key(), &der);
	assert_true(certificate_parse(buffer_octets(&der), &cert, &why));
	assert_true(octets_equal(cert.der, buffer_octets(&der)));
	assert_ptr_not_equal(cert.der.data, der.data);
	assert_true(octets_equal(cert.serial, octets_of("\0\x80", 2)));
	len = i2d_X509_NAME(X509_get_subject_name(x), &name);
	assert_true(octets_equal(cert.subject, octets_of(name, (size_t)len)));
	assert_true(octets_equal(cert.issuer, cert.subject));
	assert_true(certificate_is_self_issued(&cert));
	OPENSSL_free(name);
	pki_spki(&spki, pki_rsa_key());
	assert_true(octets_equal(cert.spki, buffer_octets(&spki)));
	assert_int_equal(cert.not_before, NOT_BEFORE);
	assert_int_equal(cert.not_after, NOT_AFTER);
	ski = X509_get0_subject_key_id(x);
	assert_int_equal(cert.ski.len, 20);
	assert_memory_equal(cert.ski.data, ASN1_STRING_get0_data(ski), 20);
	assert_true(octets_equal(cert.aki, cert.ski));
	assert_true(cert.ca);
	assert_int_equal(cert.key_usage,
	    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN);
	assert_true(octets_equal(cert.san, octets_of("\x30\x03\x82\x01\x61", 5)));
	assert_int_equal(cert.digest, PKI_SHA256);
	assert_true(certificate_verify(&cert, &cert, &why));
	certificate_free(&cert);
	certificate_free(&cert); /* twice is fine */
	X509_free(x);
	buffer_free(&der);
	buffer_free(&spki);
}

static void
a_bare_certificate_has_no_extensions_to_read(void **state)
{
	struct buffer der = {0};
	X509 *x = begin(pki_ec_key());

	(void)state;
	X509_set_version(x, 0);
	finish(x, pki_ec_key(), &der);
	assert_true(certificate_parse(buffer_octets(&der), &cert, &why));
	assert_int_equal(cert.ski.len + cert.aki.len, 0);
	assert_false(cert.ca);
	assert_int_equal(cert.key_usage, -1);
	assert_true(certificate_verify(&cert, &cert, &why));
	certificate_free(&cert);
	buffer_free(&der);
}

static void
octets_cut_off_or_added_are_refused(void **state)
{
	struct buffer der = {0};
	X509 *x = begin(pki_rsa_key());

	(void)state;
	add_extension(x, NID_basic_constraints, "CA:TRUE");
	finish(x, pki_rsa_key(), &der);
	for (size_t len = 0; len < der.len; len++)
		assert_false(certificate_parse(octets_of(der.data, len), &cert, &why));
	assert_null(cert.owned);
	buffer_append(&der, "\0", 1);
	assert_false(certificate_parse(buffer_octets(&der), &cert, &why));
	assert_true(certificate_parse(octets_of(der.data, der.len - 1), &cert, &why));
	certificate_free(&cert);
	buffer_free(&der);
}

static void
more_than_32_kib_is_refused(void **state)
{
	uint8_t *big = calloc(1, CERTIFICATE_MAX + 1);

	(void)state;
	assert_false(certificate_parse(octets_of(big, CERTIFICATE_MAX + 1), &cert, &why));
	assert_non_null(strstr(why.line, "32769"));
	free(big);
}

static void
an_altered_certificate_does_not_verify(void **state)
{
	struct buffer der = {0};
	size_t at;

	(void)state;
	finish(begin(pki_rsa_key()), pki_rsa_key(), &der);
	at = der.len - 300; /* in the key, or near it */
	der.data[at] ^= 1;
	if (certificate_parse(buffer_octets(&der), &cert, &why)) {
		assert_false(certificate_verify(&cert, &cert, &why));
		certificate_free(&cert);
	}
	der.data[at] ^= 1;
	der.data[der.len - 1] ^= 1;
	assert_true(certificate_parse(buffer_octets(&der), &cert, &why));
	assert_false(certificate_verify(&cert, &cert, &why));
	certificate_free(&cert);
	buffer_free(&der);
}

static void
another_issuer_by_name_or_key_does_not_verify(void **state)
{
	struct buffer der = {0}, other_key = {0}, other_name = {0};
	struct certificate a, b, c;
	X509 *x = begin(pki_rsa_key());

	(void)state;
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(x), "O", MBSTRING_ASC, (const unsigned char *)"other", -1, -1, 0);
	finish(x, pki_rsa_key(), &other_name);
	finish(begin(pki_rsa_key()), pki_rsa_key(), &der);
	finish(begin(pki_other_rsa_key()), pki_other_rsa_key(), &other_key);
	assert_true(certificate_parse(buffer_octets(&der), &a, &why));
	assert_true(certificate_parse(buffer_octets(&other_key), &b, &why));
	assert_true(certificate_parse(buffer_octets(&other_name), &c, &why));
	assert_true(certificate_verify(&a, &a, &why));
	assert_false(certificate_verify(&a, &b, &why));
	assert_false(certificate_verify(&a, &c, &why));
	assert_non_null(strstr(why.line, "issuer"));
	assert_false(certificate_is_self_issued(&c));
	certificate_free(&a);
	certificate_free(&b);
	certificate_free(&c);
	buffer_free(&der);
	buffer_free(&other_key);
	buffer_free(&other_name);
}

/* RFC 5280 7.1: the string type and the case of a name do not tell issuers apart. */
static void
an_issuer_name_in_another_string_type_is_the_same_name(void **state)
{
	struct buffer der = {0}, upper = {0};
	struct certificate a, b;
	X509_NAME *name = X509_NAME_new();
	X509 *x = begin(pki_rsa_key());

	(void)state;
	X509_NAME_add_entry_by_txt(
	    name, "CN", V_ASN1_PRINTABLESTRING, (const unsigned char *)"NAME", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_NAME_free(name);
	finish(x, pki_rsa_key(), &upper);
	finish(begin(pki_rsa_key()), pki_rsa_key(), &der);
	assert_true(certificate_parse(buffer_octets(&der), &a, &why));
	assert_true(certificate_parse(buffer_octets(&upper), &b, &why));
	assert_false(octets_equal(b.issuer, a.subject));
	assert_true(certificate_verify(&b, &a, &why));
	certificate_free(&a);
	certificate_free(&b);
	buffer_free(&der);
	buffer_free(&upper);
}

/* ---- made by hand ---- */

struct spec {
	const uint8_t *serial;
	size_t serial_len;
	const char *time; /* of notBefore, as UTCTime */
	const char *inner_algorithm;
	struct buffer extensions; /* Extension elements; freed */
};

static bool
parse_spec(struct spec *s)
{
	struct buffer tbs = {0}, list = {0}, whole = {0}, out = {0};
	bool ok;

	pki_tlv(&list, DER_INTEGER, "\2", 1);
	pki_wrap(&tbs, DER_CONTEXT(0), &list);
	pki_tlv(&tbs, DER_INTEGER, s->serial, s->serial_len);
	pki_oid(&list, s->inner_algorithm);
	pki_wrap(&tbs, DER_SEQUENCE, &list);
	pki_tlv(&tbs, DER_SEQUENCE, "", 0);
	pki_tlv_string(&list, DER_UTC_TIME, s->time);
	pki_tlv_string(&list, DER_UTC_TIME, "301231235959Z");
	pki_wrap(&tbs, DER_SEQUENCE, &list);
	pki_tlv(&tbs, DER_SEQUENCE, "", 0);
	pki_spki(&tbs, pki_ec_key());
	if (s->extensions.len > 0) {
		pki_wrap(&list, DER_SEQUENCE, &s->extensions);
		pki_wrap(&tbs, DER_CONTEXT(3), &list);
	}
	pki_wrap(&whole, DER_SEQUENCE, &tbs);
	pki_csr_sign(&out, pki_ec_key(), "1.2.840.10045.4.3.2", buffer_octets(&whole));
	ok = certificate_parse(buffer_octets(&out), &cert, &why);
	buffer_free(&whole);
	buffer_free(&out);
	return ok;
}

static struct spec
good(void)
{
	return (struct spec){.serial = (const uint8_t *)"\1",
	    .serial_len = 1,
	    .time = "200101000000Z",
	    .inner_algorithm = "1.2.840.10045.4.3.2"};
}

static void
serials_keep_their_octets(void **state)
{
	static const struct {
		uint8_t serial[65];
		size_t len;
	} serials[] = {
	    {{0}, 1}, {{0, 0x80}, 2}, {{0xff}, 1}, {{0x80, 0, 0}, 3}, {{0, 0, 1}, 3}, {{1}, 64}};

	(void)state;
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct spec s = good();

		s.serial = serials[i].serial;
		s.serial_len = serials[i].len;
		assert_true(parse_spec(&s));
		assert_true(
		    octets_equal(cert.serial, octets_of(serials[i].serial, serials[i].len)));
		assert_true(certificate_verify(&cert, &cert, &why));
		certificate_free(&cert);
	}
}

static void
a_serial_of_no_or_over_64_octets_is_refused(void **state)
{
	static const uint8_t zeros[65];
	struct spec none = good(), many = good();

	(void)state;
	none.serial_len = 0;
	many.serial = zeros;
	many.serial_len = sizeof(zeros);
	assert_false(parse_spec(&none));
	assert_false(parse_spec(&many));
}

static void
times_are_read_and_malformed_ones_refused(void **state)
{
	static const char *const bad[] = {"", "2001010000", "20010100000000Z", "201301000000Z",
	    "200132000000Z", "200101250000Z", "abcdefghijklZ", "200101000000"};
	struct spec last = good();

	(void)state;
	last.time = "991231235959Z";
	assert_true(parse_spec(&last));
	assert_int_equal(cert.not_before, 946684799);
	certificate_free(&cert);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct spec s = good();

		s.time = bad[i];
		assert_false(parse_spec(&s));
	}
}

static void
two_signature_algorithms_that_differ_are_refused(void **state)
{
	struct spec s = good();

	(void)state;
	s.inner_algorithm = "1.2.840.10045.4.3.3";
	assert_false(parse_spec(&s));
	assert_non_null(strstr(why.line, "differ"));
}

static void
add_raw(struct buffer *extensions, const char *oid, const void *value, size_t len)
{
	struct buffer content = {0};

	buffer_append(&content, value, len);
	pki_extension(extensions, oid, &content);
}

static void
an_extension_twice_is_refused(void **state)
{
	struct spec s = good();

	(void)state;
	add_raw(&s.extensions, "2.5.29.15", "\3\2\5\xa0", 4);
	assert_true(parse_spec(&s));
	assert_int_equal(cert.key_usage, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT);
	certificate_free(&cert);
	add_raw(&s.extensions, "2.5.29.15", "\3\2\5\xa0", 4);
	add_raw(&s.extensions, "2.5.29.15", "\3\2\5\xa0", 4);
	assert_false(parse_spec(&s));
	assert_non_null(strstr(why.line, "twice"));
}

static void
malformed_extensions_are_refused(void **state)
{
	static const char *const oids[] = {"2.5.29.14", "2.5.29.15", "2.5.29.19", "2.5.29.35"};

	(void)state;
	for (size_t i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
		struct spec s = good();

		add_raw(&s.extensions, oids[i], "", 0);
		assert_false(parse_spec(&s));
		add_raw(&s.extensions, oids[i], "\x2\x1\x1", 3);
		assert_false(parse_spec(&s));
		add_raw(&s.extensions, "1.2.3", "\x2\x1\x1", 3); /* one that is not read */
		assert_true(parse_spec(&s));
		certificate_free(&cert);
	}
}

static void
an_authority_key_identifier_without_key_identifier_is_empty(void **state)
{
	struct spec s = good();

	(void)state;
	add_raw(&s.extensions, "2.5.29.35", "\x30\x03\x82\x01\x05", 5);
	assert_true(parse_spec(&s));
	assert_int_equal(cert.aki.len, 0);
	certificate_free(&cert);
}

static void
there_are_at_most_64_extensions(void **state)
{
	(void)state;
	for (int count = 64; count <= 65; count++) {
		struct spec s = good();
		char oid[32];

		for (int i = 0; i < count; i++) {
			snprintf(oid, sizeof(oid), "1.2.3.%d", i);
			add_raw(&s.extensions, oid, "x", 1);
		}
		assert_int_equal(parse_spec(&s), count == 64);
		if (count == 64)
			certificate_free(&cert);
	}
}

static void
a_certificate_in_indefinite_length_is_read_and_verified(void **state)
{
	struct buffer der = {0}, inner = {0}, ber = {0};

	(void)state;
	finish(begin(pki_rsa_key()), pki_rsa_key(), &der);
	buffer_append(&inner, der.data + 4, der.len - 4);
	pki_wrap_indefinite(&ber, DER_SEQUENCE, &inner);
	assert_true(certificate_parse(buffer_octets(&ber), &cert, &why));
	assert_true(certificate_verify(&cert, &cert, &why));
	certificate_free(&cert);
	assert_false(certificate_parse(octets_of(ber.data, ber.len - 2), &cert, &why));
	buffer_free(&der);
	buffer_free(&ber);
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
	    cmocka_unit_test(a_ca_certificate_is_read_as_openssl_wrote_it),
	    cmocka_unit_test(a_bare_certificate_has_no_extensions_to_read),
	    cmocka_unit_test(octets_cut_off_or_added_are_refused),
	    cmocka_unit_test(more_than_32_kib_is_refused),
	    cmocka_unit_test(an_altered_certificate_does_not_verify),
	    cmocka_unit_test(another_issuer_by_name_or_key_does_not_verify),
	    cmocka_unit_test(an_issuer_name_in_another_string_type_is_the_same_name),
	    cmocka_unit_test(serials_keep_their_octets),
	    cmocka_unit_test(a_serial_of_no_or_over_64_octets_is_refused),
	    cmocka_unit_test(times_are_read_and_malformed_ones_refused),
	    cmocka_unit_test(two_signature_algorithms_that_differ_are_refused),
	    cmocka_unit_test(an_extension_twice_is_refused),
	    cmocka_unit_test(malformed_extensions_are_refused),
	    cmocka_unit_test(an_authority_key_identifier_without_key_identifier_is_empty),
	    cmocka_unit_test(there_are_at_most_64_extensions),
	    cmocka_unit_test(a_certificate_in_indefinite_length_is_read_and_verified),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
