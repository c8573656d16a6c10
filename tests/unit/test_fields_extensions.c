#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/der.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "tests/unit/pki_request.h"

/* The wishes of a request that never reach a certificate; its subject is CN=x. */
static struct csr csr;
static struct buffer name, usage, eku;
static struct field_rules rules;
static struct errbuf why, text;

static int
set_up(void **state)
{
	(void)state;
	memset(&csr, 0, sizeof(csr));
	memset(&rules, 0, sizeof(rules));
	if (!name_from_text("CN=x", &name, &why))
		return 1;
	csr.subject = buffer_octets(&name);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buffer_free(&name);
	buffer_free(&usage);
	buffer_free(&eku);
	return 0;
}

static enum field_rc
apply(void)
{
	struct buffer subject = {0}, san = {0};
	enum field_rc rc = fields_apply(&rules, &csr, NULL, 0, &subject, &san, &why, &text);

	assert_int_equal(subject.len, rc == FIELD_OK ? csr.subject.len : 0);
	assert_int_equal(san.len, 0);
	buffer_free(&subject);
	buffer_free(&san);
	return rc;
}

static void
assert_refused(const char *expected)
{
	assert_int_equal(apply(), FIELD_REFUSED);
	assert_string_equal(text.line, expected);
	assert_non_null(strstr(why.line, expected));
}

static void
ask_usage(uint8_t unused, uint8_t bits)
{
	uint8_t content[] = {unused, bits};

	buffer_free(&usage);
	pki_tlv(&usage, DER_BIT_STRING, content, 2);
	csr.key_usage = buffer_octets(&usage);
}

static void
wishes_to_be_a_ca_are_refused_or_left_out_as_the_profile_says(void **state)
{
	(void)state;
	csr.wants_ca = true;
	assert_int_equal(apply(), FIELD_OK);
	rules.refuse_extensions = true;
	assert_refused("basicConstraints: CA:TRUE is not allowed");
	ask_usage(2, 0x04);
	assert_refused("keyUsage: keyCertSign or cRLSign is not allowed");
	csr.wants_ca = false;
	ask_usage(7, 0x80);
	assert_int_equal(apply(), FIELD_OK);
}

static void
key_usages_outside_those_of_the_profile_are_refused_or_left_out(void **state)
{
	(void)state;
	ask_usage(4, 0x10); /* dataEncipherment */
	rules.key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT;
	assert_int_equal(apply(), FIELD_OK);
	rules.refuse_extensions = true;
	assert_refused("keyUsage: a usage that is not allowed");
	ask_usage(5, 0xa0);
	assert_int_equal(apply(), FIELD_OK);
	ask_usage(4, 0xb0);
	assert_refused("keyUsage: a usage that is not allowed");
	rules.key_usage = 0; /* the profile says nothing of it */
	assert_int_equal(apply(), FIELD_OK);
}

static void
purposes_outside_those_of_the_profile_are_refused_or_left_out(void **state)
{
	struct buffer allowed = {0};

	(void)state;
	assert_true(eku_of_text("clientAuth", &allowed, &why));
	assert_true(eku_of_text("clientAuth,serverAuth", &eku, &why));
	rules.eku = buffer_octets(&allowed);
	csr.eku = buffer_octets(&eku);
	assert_int_equal(apply(), FIELD_OK);
	rules.refuse_extensions = true;
	assert_refused("extKeyUsage: a purpose that is not allowed");
	csr.eku = rules.eku;
	assert_int_equal(apply(), FIELD_OK);
	csr.eku = buffer_octets(&eku);
	allowed.len = 0;
	assert_true(eku_of_text("anyEKU", &allowed, &why));
	rules.eku = buffer_octets(&allowed);
	assert_int_equal(apply(), FIELD_OK);
	rules.eku = octets_of(NULL, 0);
	assert_refused("extKeyUsage: a purpose that is not allowed");
	csr.eku = octets_of("\x30\1\5", 3);
	assert_refused("extKeyUsage: malformed");
	buffer_free(&allowed);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FRESH(wishes_to_be_a_ca_are_refused_or_left_out_as_the_profile_says),
	    FRESH(key_usages_outside_those_of_the_profile_are_refused_or_left_out),
	    FRESH(purposes_outside_those_of_the_profile_are_refused_or_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
