/* test_client_certificate.c: callers that are known by their TLS client certificate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/access/access.h"
#include "fcgi-admin/access/client_certificate.h"
#include "fcgi-admin/manage/token.h"
#include "pki/authority.h"
#include "pki/private_key.h"
#include "scep/client.h"
#include "tests/unit/manage_fixture.h"

#define DAY 86400

static EVP_PKEY *key;
static struct token_row row;

/* A self-signed certificate as of that time; the caller frees it. */
static struct buffer
make(int64_t now)
{
	static const uint8_t subject[] = {0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
	    0x04, 0x03, 0x0c, 0x03, 'm', 'd', 'm'};
	struct buffer der = {0};
	struct errbuf why = {0};

	assert_true(
	    scep_client_self_signed(key, octets_of(subject, sizeof(subject)), now, &der, &why));
	return der;
}

/* As nginx hands it over. */
static const char *
escape(const struct buffer *der)
{
	static char text[16384];
	struct buffer pem = {0};
	size_t len = 0;

	assert_true(pem_write("CERTIFICATE", buffer_octets(der), &pem));
	for (size_t i = 0; i < pem.len; i++)
		if (strchr(" \n+/=", pem.data[i]) != NULL)
			len +=
			    (size_t)snprintf(text + len, sizeof(text) - len, "%%%02X", pem.data[i]);
		else
			text[len++] = (char)pem.data[i];
	text[len] = '\0';
	buffer_free(&pem);
	return text;
}

static enum manage_rc
create(struct manage_fixture *f, const char *name, const struct buffer *der)
{
	const struct manage_token_order o = {
	    .name = name, .role = "operator", .certificate = buffer_octets(der)};
	char token[MANAGE_TOKEN_SIZE];
	enum manage_rc rc =
	    manage_token_create(&f->manage, &f->actor, &o, token, &row, manage_fixture_report(f));

	assert_string_equal(token, "");
	return rc;
}

static enum access_rc
identify(
    struct manage_fixture *f, const char *header, const char *escaped, struct access_caller *caller)
{
	return access_identify(&f->manage, header, escaped, caller, manage_fixture_report(f));
}

static void
a_caller_is_known_by_a_certificate_that_stands_for_a_token(void **state)
{
	struct manage_fixture *f = *state;
	struct access_caller caller;
	struct buffer mine = make(clock_now()), other = make(clock_now());

	assert_int_equal(create(f, "jamf", &mine), MANAGE_OK);
	assert_non_null(strstr(manage_fixture_event(f), "by a client certificate"));
	assert_int_equal(identify(f, "", escape(&mine), &caller), ACCESS_KNOWN);
	assert_string_equal(caller.who, "token:jamf");
	assert_int_equal(caller.role, MANAGE_ROLE_OPERATOR);
	/* Another certificate for the same key is another. */
	assert_int_equal(identify(f, "", escape(&other), &caller), ACCESS_REFUSED);
	assert_string_equal(f->report.why.line, "unknown client certificate");
	buffer_free(&mine);
	buffer_free(&other);
}

static void
a_header_counts_before_a_certificate(void **state)
{
	struct manage_fixture *f = *state;
	struct access_caller caller;
	struct buffer mine = make(clock_now());

	assert_int_equal(create(f, "jamf", &mine), MANAGE_OK);
	assert_int_equal(identify(f, "Bearer x", escape(&mine), &caller), ACCESS_REFUSED);
	assert_int_equal(identify(f, "", "", &caller), ACCESS_ANYONE);
	buffer_free(&mine);
}

static void
a_certificate_that_is_not_in_time_opens_nothing(void **state)
{
	struct manage_fixture *f = *state;
	struct buffer old = make(clock_now() - 4000 * DAY), early = make(clock_now() + 40 * DAY);

	assert_int_equal(create(f, "old", &old), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "clientCertificate"));
	assert_int_equal(manage_token_find_certificate(
			     &f->manage, buffer_octets(&old), &row, manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
	assert_non_null(strstr(f->report.why.line, "expired"));
	assert_int_equal(manage_token_find_certificate(
			     &f->manage, buffer_octets(&early), &row, manage_fixture_report(f)),
	    MANAGE_NOT_FOUND);
	assert_non_null(strstr(f->report.why.line, "not valid yet"));
	buffer_free(&old);
	buffer_free(&early);
}

static void
a_revoked_one_opens_nothing_and_a_certificate_stands_for_one_token(void **state)
{
	struct manage_fixture *f = *state;
	struct access_caller caller;
	struct buffer mine = make(clock_now());

	assert_int_equal(create(f, "one", &mine), MANAGE_OK);
	assert_int_equal(create(f, "two", &mine), MANAGE_CONFLICT);
	assert_non_null(strstr(f->report.why.line, "token one"));
	assert_int_equal(
	    manage_token_revoke(&f->manage, &f->actor, "one", manage_fixture_report(f)), MANAGE_OK);
	assert_int_equal(identify(f, "", escape(&mine), &caller), ACCESS_REFUSED);
	assert_non_null(strstr(f->report.why.line, "revoked"));
	buffer_free(&mine);
}

static void
a_file_that_is_no_certificate_makes_no_token(void **state)
{
	struct manage_fixture *f = *state;
	struct buffer junk = {0};

	buffer_append_string(&junk, "no certificate");
	assert_int_equal(create(f, "one", &junk), MANAGE_INVALID);
	assert_true(manage_fixture_faults(f, "clientCertificate"));
	buffer_free(&junk);
}

static void
what_is_no_escaped_pem_is_no_certificate(void **state)
{
	static const char *const wrong[] = {"", "%", "%4", "%zz", "x",
	    "-----BEGIN%20CERTIFICATE-----", "-----BEGIN CERTIFICATE----------END CERTIFICATE-----",
	    "-----END CERTIFICATE----------BEGIN CERTIFICATE-----AAAA",
	    "-----BEGIN CERTIFICATE-----*-----END CERTIFICATE-----",
	    "-----BEGIN CERTIFICATE-----AAAA%00-----END CERTIFICATE-----"};
	struct buffer der = {0};
	struct errbuf why = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(client_certificate_read(wrong[i], &der, &why));
	assert_true(client_certificate_read(
	    "-----BEGIN%20CERTIFICATE-----%0AMAA%3D%0A-----END%20CERTIFICATE-----%0A", &der, &why));
	assert_int_equal(der.len, 2);
	buffer_free(&der);
}

static int
set_up(void **state)
{
	struct errbuf why = {0};

	(void)state;
	key = private_key_generate("ec:P-256", &why);
	return key == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, manage_fixture_setup, manage_fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_caller_is_known_by_a_certificate_that_stands_for_a_token),
	    CASE(a_header_counts_before_a_certificate),
	    CASE(a_certificate_that_is_not_in_time_opens_nothing),
	    CASE(a_revoked_one_opens_nothing_and_a_certificate_stands_for_one_token),
	    CASE(a_file_that_is_no_certificate_makes_no_token),
	    cmocka_unit_test(what_is_no_escaped_pem_is_no_certificate),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
