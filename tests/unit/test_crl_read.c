#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/authority.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

#define NOW  INT64_C(1700000000)
#define DAY  86400
#define MANY 100000

static struct errbuf why;
static struct buffer out;
static struct signer *rsa, *ec;
static struct certificate rsa_ca, ec_ca, other_ca;

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
	other_ca = make_ca(rsa, "O=Example,CN=Other");
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
	certificate_free(&other_ca);
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

static void
what_was_signed_is_read_back(void **state)
{
	struct crl_builder *b = crl_start(&why);
	int64_t revoked_at = 0;
	int reason = -1;
	struct crl crl;

	(void)state;
	crl_add(b, octets_of("\x91\x02", 2), NOW - 9, 6);
	crl_add(b, octets_of("\x03", 1), NOW - 8, 0);
	assert_true(sign_by(b, &rsa_ca, rsa));
	assert_true(crl_parse(buffer_octets(&out), &crl, &why));
	assert_int_equal(crl.number, 7);
	assert_int_equal(crl.this_update, NOW);
	assert_int_equal(crl.next_update, NOW + 7 * DAY);
	assert_int_equal(crl.count, 2);
	assert_true(octets_equal(crl.issuer, rsa_ca.subject));
	assert_true(crl_find(&crl, octets_of("\x00\x91\x02", 3), &revoked_at, &reason));
	assert_int_equal(revoked_at, NOW - 9);
	assert_int_equal(reason, 6);
	assert_true(crl_find(&crl, octets_of("\x03", 1), &revoked_at, &reason));
	assert_int_equal(reason, 0);
	assert_false(crl_find(&crl, octets_of("\x04", 1), &revoked_at, &reason));
	assert_false(crl_find(&crl, octets_of(NULL, 0), &revoked_at, &reason));
	crl_parsed_free(&crl);
	crl_parsed_free(&crl); /* twice is fine */
	crl_free(b);
}

static void
octets_cut_off_or_added_are_refused(void **state)
{
	struct crl_builder *b = crl_start(&why);
	struct crl crl;

	(void)state;
	crl_add(b, octets_of("\x03", 1), NOW, 1);
	assert_true(sign_by(b, &rsa_ca, rsa));
	for (size_t len = 0; len < out.len; len++) {
		assert_false(crl_parse(octets_of(out.data, len), &crl, &why));
		assert_null(crl.owned);
	}
	buffer_append(&out, "\0", 1);
	assert_false(crl_parse(buffer_octets(&out), &crl, &why));
	assert_true(crl_parse(octets_of(out.data, out.len - 1), &crl, &why));
	crl_parsed_free(&crl);
	crl_free(b);
}

static void
a_list_verifies_by_its_ca_alone_and_unaltered(void **state)
{
	struct crl_builder *b = crl_start(&why);
	struct certificate ca = rsa_ca;
	struct crl crl;

	(void)state;
	assert_true(sign_by(b, &rsa_ca, rsa));
	assert_true(crl_parse(buffer_octets(&out), &crl, &why));
	assert_true(crl_verify(&crl, &rsa_ca, &why));
	assert_false(crl_verify(&crl, &other_ca, &why)); /* the same key */
	assert_non_null(strstr(why.line, "issuer"));
	ca.spki = ec_ca.spki;
	assert_false(crl_verify(&crl, &ca, &why));
	ca = rsa_ca;
	ca.key_usage = KEY_USAGE_KEY_CERT_SIGN;
	assert_false(crl_verify(&crl, &ca, &why));
	assert_non_null(strstr(why.line, "cRLSign"));
	crl_parsed_free(&crl);
	out.data[out.len - 1] ^= 1;
	assert_true(crl_parse(buffer_octets(&out), &crl, &why));
	assert_false(crl_verify(&crl, &rsa_ca, &why));
	assert_non_null(strstr(why.line, "verify"));
	crl_parsed_free(&crl);
	crl_free(b);
}

static void
a_hundred_thousand_entries_are_all_there(void **state)
{
	struct crl_builder *b = crl_start(&why);
	struct crl crl;
	int64_t revoked_at;
	int reason;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		uint8_t serial[16] = {
		    0x91, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

		crl_add(b, octets_of(serial, sizeof(serial)), NOW - i, i % 7);
	}
	assert_int_equal(crl_count(b), MANY);
	assert_true(sign_by(b, &rsa_ca, rsa));
	crl_free(b);
	assert_true(crl_parse(buffer_octets(&out), &crl, &why));
	assert_int_equal(crl.count, MANY);
	assert_true(crl_verify(&crl, &rsa_ca, &why));
	for (int i = 0; i < MANY; i += 997) {
		uint8_t serial[16] = {
		    0x91, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

		assert_true(
		    crl_find(&crl, octets_of(serial, sizeof(serial)), &revoked_at, &reason));
		assert_int_equal(revoked_at, NOW - i);
		assert_int_equal(reason, i % 7);
	}
	crl_parsed_free(&crl);
}

/* ---- the command */

static void
the_openssl_command_verifies_and_prints_it(void **state)
{
	struct crl_builder *b = crl_start(&why);
	char dir[] = "/tmp/test_crl.XXXXXX", command[512], text[8192];
	size_t len;
	FILE *f;

	(void)state;
	if (system("openssl version >/dev/null 2>&1") != 0) {
		crl_free(b);
		skip();
	}
	assert_non_null(mkdtemp(dir));
	crl_add(b, octets_of("\x91\x02", 2), NOW, 1);
	assert_true(sign_by(b, &rsa_ca, rsa));
	pki_write_file(dir, "ca.pem", "CERTIFICATE", rsa_ca.der);
	pki_write_file(dir, "crl.der", NULL, buffer_octets(&out));
	snprintf(command, sizeof(command),
	    "cd %s && openssl crl -inform DER -in crl.der -CAfile ca.pem -noout -text 2>&1", dir);
	f = popen(command, "r");
	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	assert_int_equal(pclose(f), 0);
	assert_non_null(strstr(text, "verify OK"));
	assert_non_null(strstr(text, "Version 2 (0x1)"));
	assert_non_null(strstr(text, "Serial Number: 9102"));
	assert_non_null(strstr(text, "Key Compromise"));
	assert_non_null(strstr(text, "X509v3 CRL Number"));
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	crl_free(b);
}

/* ---- reasons */

static void
reasons_have_the_names_of_the_rfc_in_any_case(void **state)
{
	static const struct {
		const char *text;
		int reason;
	} names[] = {{"unspecified", 0}, {"keyCompromise", 1}, {"cACompromise", 2},
	    {"affiliationChanged", 3}, {"superseded", 4}, {"cessationOfOperation", 5},
	    {"certificateHold", 6}, {"privilegeWithdrawn", 9}, {"aACompromise", 10}};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(crl_reason_of_text(names[i].text), names[i].reason);
		assert_string_equal(crl_reason_text(names[i].reason), names[i].text);
	}
	assert_int_equal(crl_reason_of_text("KEYCOMPROMISE"), 1);
	assert_int_equal(crl_reason_of_text("removeFromCRL"), -1);
	assert_int_equal(crl_reason_of_text("keyCompromised"), -1);
	assert_int_equal(crl_reason_of_text(""), -1);
	assert_int_equal(crl_reason_of_text("1"), -1);
	assert_string_equal(crl_reason_text(8), "removeFromCRL");
	assert_string_equal(crl_reason_text(7), "?");
	assert_string_equal(crl_reason_text(-1), "?");
	assert_string_equal(crl_reason_text(11), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_hundred_thousand_entries_are_all_there),
	    cmocka_unit_test(what_was_signed_is_read_back),
	    cmocka_unit_test(octets_cut_off_or_added_are_refused),
	    cmocka_unit_test(a_list_verifies_by_its_ca_alone_and_unaltered),
	    cmocka_unit_test(the_openssl_command_verifies_and_prints_it),
	    cmocka_unit_test(reasons_have_the_names_of_the_rfc_in_any_case),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
