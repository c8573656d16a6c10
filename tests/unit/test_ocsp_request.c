#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/der.h"
#include "tests/unit/ocsp_fixture.h"
#include "tests/unit/pki_request.h"

#define NONCE	 "1.3.6.1.5.5.7.48.1.2"
#define CRITICAL "\x01\x01\xff"

static struct ocsp_fixture fixture;
static struct ocsp_request *request;
static struct buffer der;
static struct errbuf why;

static int
open_all(void **state)
{
	(void)state;
	ocsp_fixture_open(&fixture, 1700000000);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	ocsp_fixture_close(&fixture);
	buffer_free(&der);
	return 0;
}

static bool
parse(struct octets octets)
{
	bool ok = ocsp_request_parse(octets, &request, &why);

	if (ok) {
		assert_non_null(request);
	} else {
		assert_null(request);
		assert_true(strlen(why.line) > 0);
	}
	memset(ok ? why.line : why.line + sizeof(why.line) - 1, 0, 1);
	return ok;
}

/* Parse what is freed with it. */
static bool
parses(struct buffer *octets)
{
	bool ok = parse(buffer_octets(octets));

	ocsp_request_free(request);
	buffer_free(octets);
	return ok;
}

/* ---- by OpenSSL */

static void
a_request_is_read_as_openssl_wrote_it(void **state)
{
	struct octets serial = fixture.device.serial;

	(void)state;
	if (serial.data[0] == 0)
		serial = octets_of(serial.data + 1, serial.len - 1);
	ocsp_fixture_request(&fixture, "SHA1", 3, 16, &der);
	assert_true(parse(buffer_octets(&der)));
	assert_int_equal(ocsp_request_count(request), 3);
	assert_true(ocsp_request_has_nonce(request));
	assert_true(octets_equal(ocsp_request_serial(request, 0), serial));
	assert_true(octets_equal(ocsp_request_serial(request, 1), octets_of("\x01", 1)));
	assert_true(octets_equal(ocsp_request_serial(request, 2), octets_of("\x02", 1)));
	assert_int_equal(ocsp_request_serial(request, 3).len, 0);
	assert_int_equal(ocsp_request_serial(request, -1).len, 0);
	ocsp_request_free(request);
	ocsp_request_free(NULL);
}

static void
a_ca_is_known_by_each_of_four_digests_and_another_is_not(void **state)
{
	static const char *const digests[] = {"SHA1", "SHA256", "SHA384", "SHA512"};
	struct certificate other_key = fixture.ca;

	(void)state;
	other_key.spki = fixture.device.spki;
	for (int i = 0; i < 4; i++) {
		ocsp_fixture_request(&fixture, digests[i], 1, 0, &der);
		assert_true(parse(buffer_octets(&der)));
		assert_true(ocsp_request_names_ca(request, 0, &fixture.ca));
		assert_false(ocsp_request_names_ca(request, 0, &fixture.other_ca));
		assert_false(ocsp_request_names_ca(request, 0, &other_key));
		assert_false(ocsp_request_names_ca(request, 1, &fixture.ca));
		assert_false(ocsp_request_names_ca(request, -1, &fixture.ca));
		ocsp_request_free(request);
	}
	ocsp_fixture_request(&fixture, "MD5", 1, 0, &der);
	assert_true(parse(buffer_octets(&der)));
	assert_false(ocsp_request_names_ca(request, 0, &fixture.ca));
	ocsp_request_free(request);
	ocsp_fixture_request(&fixture, "SHA224", 1, 0, &der);
	assert_true(parse(buffer_octets(&der)));
	assert_false(ocsp_request_names_ca(request, 0, &fixture.ca));
	ocsp_request_free(request);
}

static void
from_1_to_16_certificates_may_be_asked_for(void **state)
{
	(void)state;
	ocsp_fixture_request(&fixture, "SHA1", 0, 0, &der);
	assert_false(parse(buffer_octets(&der)));
	ocsp_fixture_request(&fixture, "SHA1", 16, 0, &der);
	assert_true(parse(buffer_octets(&der)));
	assert_int_equal(ocsp_request_count(request), 16);
	ocsp_request_free(request);
	ocsp_fixture_request(&fixture, "SHA1", 17, 0, &der);
	assert_false(parse(buffer_octets(&der)));
	assert_non_null(strstr(why.line, "17"));
}

static void
a_nonce_has_1_to_64_octets(void **state)
{
	static const int good[] = {1, 8, 16, 32, 64};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ocsp_fixture_request(&fixture, "SHA1", 1, good[i], &der);
		assert_true(parse(buffer_octets(&der)));
		assert_true(ocsp_request_has_nonce(request));
		ocsp_request_free(request);
	}
	ocsp_fixture_request(&fixture, "SHA1", 1, 65, &der);
	assert_false(parse(buffer_octets(&der)));
	assert_non_null(strstr(why.line, "nonce"));
	ocsp_fixture_request(&fixture, "SHA1", 1, 0, &der);
	assert_true(parse(buffer_octets(&der)));
	assert_false(ocsp_request_has_nonce(request));
	ocsp_request_free(request);
}

static void
a_signed_request_with_a_name_is_read_like_another(void **state)
{
	OCSP_REQUEST *r = OCSP_REQUEST_new();

	(void)state;
	assert_non_null(OCSP_request_add0_id(r, ocsp_fixture_id(&fixture, "SHA256")));
	assert_int_equal(OCSP_request_set1_name(r, X509_get_subject_name(fixture.device_x509)), 1);
	assert_int_equal(
	    OCSP_request_sign(r, fixture.device_x509, pki_ec_key(), EVP_sha256(), NULL, 0), 1);
	buffer_free(&der);
	ocsp_fixture_encode(r, &der);
	assert_true(parse(buffer_octets(&der)));
	assert_int_equal(ocsp_request_count(request), 1);
	assert_true(ocsp_request_names_ca(request, 0, &fixture.ca));
	ocsp_request_free(request);
}

static void
octets_cut_off_or_added_are_refused(void **state)
{
	(void)state;
	ocsp_fixture_request(&fixture, "SHA1", 2, 16, &der);
	for (size_t len = 0; len < der.len; len++)
		assert_false(parse(octets_of(der.data, len)));
	buffer_append(&der, "\0", 1);
	assert_false(parse(buffer_octets(&der)));
	assert_true(parse(octets_of(der.data, der.len - 1)));
	ocsp_request_free(request);
}

static void
a_request_in_ber_is_refused(void **state)
{
	struct buffer inner = {0}, ber = {0};

	(void)state;
	ocsp_fixture_request(&fixture, "SHA1", 1, 0, &der);
	buffer_append(&inner, der.data + 2, der.len - 2);
	pki_wrap_indefinite(&ber, DER_SEQUENCE, &inner);
	assert_false(parses(&ber));
	assert_true(parses(&der));
}

/* Parameters with the tag of the end of contents: OpenSSL takes them, and does not take again what it makes of them. */
static void
a_cert_id_that_cannot_be_echoed_is_refused(void **state)
{
	static const uint8_t eoc[] = {0x20, 0x00}, null[] = {0x05, 0x00};

	(void)state;
	for (int wrong = 0; wrong <= 1; wrong++) {
		struct buffer algorithm = {0}, id = {0}, single = {0};

		pki_oid(&algorithm, "1.3.14.3.2.26");
		buffer_append(&algorithm, wrong ? eoc : null, 2);
		pki_wrap(&id, DER_SEQUENCE, &algorithm);
		pki_tlv_string(&id, DER_OCTET_STRING, "name");
		pki_tlv_string(&id, DER_OCTET_STRING, "key");
		pki_tlv(&id, DER_INTEGER, "\x01", 1);
		for (int depth = 0; depth < 3; depth++) { /* CertID, Request, requestList */
			pki_wrap(&single, DER_SEQUENCE, &id);
			id = single;
			single = (struct buffer){0};
		}
		pki_wrap(&single, DER_SEQUENCE, &id);
		pki_wrap(&id, DER_SEQUENCE, &single);
		assert_int_equal(parses(&id), wrong == 0);
	}
}

static void
more_than_4_kib_is_refused(void **state)
{
	struct buffer name = {0}, list = {0}, tbs = {0}, whole = {0};
	static uint8_t filler[OCSP_REQUEST_MAX];

	(void)state;
	/* A good request whose requestorName fills it up. */
	ocsp_fixture_request(&fixture, "SHA1", 1, 0, &der);
	buffer_append(&list, der.data + 4, der.len - 4); /* two SEQUENCEs of short lengths off */
	for (int over = 0; over <= 1; over++) {
		size_t len = OCSP_REQUEST_MAX - list.len - 16 + (size_t)over;

		pki_tlv(&name, DER_CONTEXT_PRIM(6), filler, len);
		pki_wrap(&tbs, DER_CONTEXT(1), &name);
		buffer_append(&tbs, list.data, list.len);
		pki_wrap(&whole, DER_SEQUENCE, &tbs);
		pki_wrap(&tbs, DER_SEQUENCE, &whole);
		assert_int_equal(tbs.len, OCSP_REQUEST_MAX + (size_t)over);
		assert_int_equal(parses(&tbs), over == 0);
	}
	assert_non_null(strstr(why.line, "4097"));
	buffer_free(&list);
}

/* ---- by hand */

static void
add_id(struct buffer *out, const void *serial, size_t serial_len, struct buffer *extensions)
{
	struct buffer algorithm = {0}, id = {0}, single = {0};

	pki_oid(&algorithm, "1.3.14.3.2.26");
	pki_wrap(&id, DER_SEQUENCE, &algorithm);
	pki_tlv_string(&id, DER_OCTET_STRING, "name");
	pki_tlv_string(&id, DER_OCTET_STRING, "key");
	pki_tlv(&id, DER_INTEGER, serial, serial_len);
	pki_wrap(&single, DER_SEQUENCE, &id);
	if (extensions != NULL) {
		struct buffer list = {0};

		pki_wrap(&list, DER_SEQUENCE, extensions);
		pki_wrap(&single, DER_CONTEXT(0), &list);
	}
	pki_wrap(out, DER_SEQUENCE, &single);
}

/* A request with one CertID, a version where one is given (-1: none), and Extensions, which are freed. */
static void
make(int version, struct buffer *ids, struct buffer *extensions, struct buffer *out)
{
	struct buffer tbs = {0}, number = {0}, list = {0};
	uint8_t v = (uint8_t)version;

	if (version >= 0) {
		pki_tlv(&number, DER_INTEGER, &v, 1);
		pki_wrap(&tbs, DER_CONTEXT(0), &number);
	}
	pki_wrap(&tbs, DER_SEQUENCE, ids);
	if (extensions != NULL) {
		pki_wrap(&list, DER_SEQUENCE, extensions);
		pki_wrap(&tbs, DER_CONTEXT(2), &list);
	}
	pki_wrap(&list, DER_SEQUENCE, &tbs);
	pki_wrap(out, DER_SEQUENCE, &list);
}

static bool
parses_with_version(int version)
{
	struct buffer ids = {0}, whole = {0};

	add_id(&ids, "\x01", 1, NULL);
	make(version, &ids, NULL, &whole);
	return parses(&whole);
}

static void
version_1_is_read_and_no_other(void **state)
{
	(void)state;
	assert_true(parses_with_version(-1));
	assert_true(parses_with_version(0));
	assert_false(parses_with_version(1));
	assert_non_null(strstr(why.line, "version"));
	assert_false(parses_with_version(0x80));
}

/* The serial that comes out for these content octets. */
static struct octets
serial_of(const void *content, size_t len)
{
	struct buffer ids = {0}, whole = {0};

	add_id(&ids, content, len, NULL);
	make(-1, &ids, NULL, &whole);
	assert_true(parse(buffer_octets(&whole)));
	buffer_free(&whole);
	return ocsp_request_serial(request, 0);
}

static void
a_serial_is_a_magnitude_without_leading_zeros(void **state)
{
	static const struct {
		const char *content;
		size_t len;
		const char *magnitude;
		size_t magnitude_len;
	} cases[] = {
	    {"\x01", 1, "\x01", 1}, {"\x00\x80", 2, "\x80", 1}, {"\x00", 1, "", 0},
	    {"\xff", 1, "", 0},	    /* -1 is not 1 */
	    {"\x80\x01", 2, "", 0}, /* -32767 is not 32767 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(octets_equal(serial_of(cases[i].content, cases[i].len),
		    octets_of(cases[i].magnitude, cases[i].magnitude_len)));
		ocsp_request_free(request);
	}
}

static void
a_serial_of_more_than_64_octets_is_refused(void **state)
{
	struct buffer ids = {0}, whole = {0};
	static uint8_t content[65];

	(void)state;
	memset(content, 0x11, sizeof(content));
	assert_int_equal(serial_of(content, 64).len, 64);
	ocsp_request_free(request);
	add_id(&ids, content, 65, NULL);
	make(-1, &ids, NULL, &whole);
	assert_false(parses(&whole));
	assert_non_null(strstr(why.line, "65"));
}

/* An Extension with octets before its value: "" or CRITICAL. */
static void
extension(struct buffer *out, const char *oid, const char *critical, const void *value, size_t len)
{
	struct buffer content = {0};

	pki_oid(&content, oid);
	buffer_append(&content, critical, strlen(critical));
	pki_tlv(&content, DER_OCTET_STRING, value, len);
	pki_wrap(out, DER_SEQUENCE, &content);
}

static bool
parses_with(struct buffer *of_request, struct buffer *of_id)
{
	struct buffer ids = {0}, whole = {0};

	add_id(&ids, "\x01", 1, of_id);
	make(-1, &ids, of_request, &whole);
	return parses(&whole);
}

static void
unknown_extensions_pass_unless_they_are_critical(void **state)
{
	struct buffer list = {0};

	(void)state;
	extension(&list, "1.2.3.4", "", "x", 1);
	assert_true(parses_with(&list, NULL));
	extension(&list, "1.2.3.4", CRITICAL, "x", 1);
	assert_false(parses_with(&list, NULL));
	assert_non_null(strstr(why.line, "1.2.3.4"));
	extension(&list, "1.2.3.4", "", "x", 1);
	assert_true(parses_with(NULL, &list));
	extension(&list, "1.2.3.4", CRITICAL, "x", 1);
	assert_false(parses_with(NULL, &list));
	extension(&list, NONCE, CRITICAL, "\x04\x01x", 3);
	assert_true(parses_with(&list, NULL));
	extension(&list, NONCE, CRITICAL, "\x04\x01x", 3);
	assert_false(parses_with(NULL, &list)); /* not of a CertID */
}

static void
a_nonce_that_is_no_octet_string_or_comes_twice_is_refused(void **state)
{
	struct buffer list = {0};

	(void)state;
	extension(&list, NONCE, "", "\x04\x02xy", 4);
	assert_true(parses_with(&list, NULL));
	extension(&list, NONCE, "", "xyz", 3);
	assert_false(parses_with(&list, NULL));
	extension(&list, NONCE, "", "\x04\x00", 2);
	assert_false(parses_with(&list, NULL));
	extension(&list, NONCE, "", "\x04\x02xyz", 5);
	assert_false(parses_with(&list, NULL));
	extension(&list, NONCE, "", "\x24\x80\x04\x01x\x00\x00", 7);
	assert_false(parses_with(&list, NULL));
	extension(&list, NONCE, "", NULL, 0);
	assert_false(parses_with(&list, NULL));
	extension(&list, NONCE, "", "\x04\x01x", 3);
	extension(&list, NONCE, "", "\x04\x01x", 3);
	assert_false(parses_with(&list, NULL));
	assert_non_null(strstr(why.line, "again"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_is_read_as_openssl_wrote_it),
	    cmocka_unit_test(a_ca_is_known_by_each_of_four_digests_and_another_is_not),
	    cmocka_unit_test(from_1_to_16_certificates_may_be_asked_for),
	    cmocka_unit_test(a_nonce_has_1_to_64_octets),
	    cmocka_unit_test(a_signed_request_with_a_name_is_read_like_another),
	    cmocka_unit_test(octets_cut_off_or_added_are_refused),
	    cmocka_unit_test(a_request_in_ber_is_refused),
	    cmocka_unit_test(a_cert_id_that_cannot_be_echoed_is_refused),
	    cmocka_unit_test(more_than_4_kib_is_refused),
	    cmocka_unit_test(version_1_is_read_and_no_other),
	    cmocka_unit_test(a_serial_is_a_magnitude_without_leading_zeros),
	    cmocka_unit_test(a_serial_of_more_than_64_octets_is_refused),
	    cmocka_unit_test(unknown_extensions_pass_unless_they_are_critical),
	    cmocka_unit_test(a_nonce_that_is_no_octet_string_or_comes_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
