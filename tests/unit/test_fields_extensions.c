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

/* ---- Microsoft's extensions ------------------------------------------------------------------------------------------------- */

/* GeneralNames { otherName { oid, [0] { tag: text } } } */
static void
write_sid(struct buffer *out, const char *oid, uint8_t tag, const char *value)
{
	struct buffer octets = {0}, name_of = {0};

	pki_tlv_string(&octets, tag, value);
	pki_oid(&name_of, oid);
	pki_wrap(&name_of, DER_CONTEXT(0), &octets);
	pki_wrap(&octets, DER_CONTEXT(0), &name_of);
	buffer_free(out);
	pki_wrap(out, DER_SEQUENCE, &octets);
}

static enum field_rc
copy(struct buffer *extra)
{
	buffer_free(extra);
	memset(&why, 0, sizeof(why));
	memset(&text, 0, sizeof(text));
	return fields_extensions(&rules, &csr, extra, &why, &text);
}

static void
a_sid_is_copied_as_it_came_or_left_out_or_refused(void **state)
{
	struct buffer extra = {0}, sid = {0};

	(void)state;
	assert_int_equal(copy(&extra), FIELD_OK);
	write_sid(&sid, "1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "S-1-5-21-1-2-3-512");
	csr.microsoft_sid = buffer_octets(&sid);
	assert_int_equal(copy(&extra), FIELD_OK);
	assert_int_equal(extra.len, 0);
	rules.microsoft_sid = true;
	assert_int_equal(copy(&extra), FIELD_OK);
	assert_non_null(memmem(extra.data, extra.len, sid.data, sid.len));
	assert_int_equal(extra.data[0], DER_SEQUENCE);
	rules.refuse_extensions = true;
	assert_int_equal(copy(&extra), FIELD_OK);
	rules.microsoft_sid = false;
	assert_int_equal(copy(&extra), FIELD_REFUSED);
	assert_string_equal(text.line, "microsoftSid: not allowed");
	assert_int_equal(extra.len, 0);
	buffer_free(&extra);
	buffer_free(&sid);
}

static void
a_sid_that_is_none_is_refused(void **state)
{
	static const struct {
		const char *oid;
		uint8_t tag;
		const char *text;
	} bad[] = {
	    {"1.3.6.1.4.1.311.20.2.3", DER_OCTET_STRING, "S-1-5-21-1"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_UTF8_STRING, "S-1-5-21-1"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, ""},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "S-1-5"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "S-1-"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "S-1-5-"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "S-1-5--1"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "S-2-5-21-1"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "s-1-5-21-1"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "S-1-5-21-1 "},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING, "S-1-5-21-12345678901234567"},
	    {"1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING,
		"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16"},
	};
	struct buffer extra = {0}, sid = {0}, two = {0};
	uint8_t longest[600] = {DER_SEQUENCE, 0x82, 0x02, 0x54};

	(void)state;
	rules.microsoft_sid = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_sid(&sid, bad[i].oid, bad[i].tag, bad[i].text);
		csr.microsoft_sid = buffer_octets(&sid);
		if (copy(&extra) != FIELD_REFUSED)
			fail_msg("%s %s is a SID", bad[i].oid, bad[i].text);
		assert_string_equal(text.line, "microsoftSid: malformed");
	}
	write_sid(&sid, "1.3.6.1.4.1.311.25.2.1", DER_OCTET_STRING,
	    "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15");
	csr.microsoft_sid = buffer_octets(&sid);
	assert_int_equal(copy(&extra), FIELD_OK);
	/* Two names, octets behind it, nothing at all, and too much. */
	buffer_append(&two, sid.data + 2, sid.len - 2);
	buffer_append(&two, sid.data + 2, sid.len - 2);
	buffer_free(&sid);
	pki_wrap(&sid, DER_SEQUENCE, &two);
	csr.microsoft_sid = buffer_octets(&sid);
	assert_int_equal(copy(&extra), FIELD_REFUSED);
	csr.microsoft_sid.len--;
	assert_int_equal(copy(&extra), FIELD_REFUSED);
	csr.microsoft_sid = octets_of("", 0);
	assert_int_equal(copy(&extra), FIELD_REFUSED);
	csr.microsoft_sid = octets_of(longest, sizeof(longest));
	assert_int_equal(copy(&extra), FIELD_REFUSED);
	assert_string_equal(text.line, "microsoftSid: too long");
	buffer_free(&extra);
	buffer_free(&sid);
}

static void
template_extensions_are_copied_where_they_are_well_formed(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
		bool good;
	} names[] =
	    {
		{"\x1e\x06\0U\0s\0r", 8, true}, /* BMPString */
		{"\x0c\x02\xc3\xa4", 4, true},	/* UTF8String */
		{"\x1e\x05\0U\0s\0", 7, false}, /* half a character */
		{"\x0c\x02\xff\xfe", 4, false},
		{"\x0c\x02"
		 "a\n",
		    4, false},
		{"\x0c\x00", 2, false},
		{"\x02\x01\x05", 3, false}, /* INTEGER */
		{"\x05\x00", 2, false},
		{"\x30\x00", 2, false},
		{"\x0c\x02"
		 "a",
		    3, false},
		{"", 0, false},
	    },
	  templates[] = {
	      {"\x30\x03\x06\x01\x2a", 5, true},
	      {"\x30\x09\x06\x01\x2a\x02\x01\x64\x02\x01\x03", 11, true},
	      {"\x30\x0a\x06\x01\x2a\x02\x05\x00\xff\xff\xff\xff", 12, true},
	      {"\x30\x0a\x06\x01\x2a\x02\x05\x01\x00\x00\x00\x00", 12, false}, /* over 32 bits */
	      {"\x30\x06\x06\x01\x2a\x02\x01\xff", 8, false},		       /* negative */
	      {"\x30\x03\x02\x01\x01", 5, false},
	      {"\x30\x00", 2, false},
	      {"\x30\x05\x06\x01\x2a\x05\x00", 7, false},
	      {"\x06\x01\x2a", 3, false},
	      {"", 0, false},
	  };
	struct buffer extra = {0};

	(void)state;
	rules.microsoft_template = true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		csr.microsoft_template_name = octets_of(names[i].octets, names[i].len);
		if ((copy(&extra) == FIELD_OK) != names[i].good)
			fail_msg("name %zu: %s", i, text.line);
		assert_int_equal(extra.len > 0, names[i].good);
	}
	csr.microsoft_template_name = octets_of(NULL, 0);
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		csr.microsoft_template = octets_of(templates[i].octets, templates[i].len);
		if ((copy(&extra) == FIELD_OK) != templates[i].good)
			fail_msg("template %zu: %s", i, text.line);
		assert_int_equal(extra.len > 0, templates[i].good);
	}
	rules.microsoft_template = false;
	assert_int_equal(copy(&extra), FIELD_OK); /* not looked at */
	assert_int_equal(extra.len, 0);
	rules.refuse_extensions = true;
	assert_int_equal(copy(&extra), FIELD_REFUSED);
	assert_string_equal(text.line, "microsoftTemplate: not allowed");
	buffer_free(&extra);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FRESH(wishes_to_be_a_ca_are_refused_or_left_out_as_the_profile_says),
	    FRESH(key_usages_outside_those_of_the_profile_are_refused_or_left_out),
	    FRESH(a_sid_is_copied_as_it_came_or_left_out_or_refused),
	    FRESH(a_sid_that_is_none_is_refused),
	    FRESH(template_extensions_are_copied_where_they_are_well_formed),
	    FRESH(purposes_outside_those_of_the_profile_are_refused_or_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
