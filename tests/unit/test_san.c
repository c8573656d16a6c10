#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/san.h"
#include "tests/unit/pki_request.h"

#define ALL                                                                                        \
	"dns:a.example,ip:192.0.2.1,ip:2001:db8::1,email:a@b.example,uri:tag:x.example\\,2022:y,"  \
	"upn:u@example,directoryName:O=x\\,CN=y,registeredId:1.2.3"

static struct errbuf why;
static struct buffer san;
static struct buffer text;

static int
clear(void **state)
{
	(void)state;
	buffer_free(&san);
	buffer_free(&text);
	return 0;
}

static bool
from_text(const char *in)
{
	bool ok;

	buffer_free(&san);
	ok = san_from_text(in, &san, &why);
	if (!ok) {
		assert_int_equal(san.len, 0);
		assert_true(strlen(why.line) > 0);
	}
	return ok;
}

static const char *
to_text(void)
{
	buffer_free(&text);
	assert_true(san_to_text(buffer_octets(&san), &text));
	return buffer_string(&text);
}

/* GeneralNames with one element: tag and content. */
static void
make_one(int tag, const void *content, size_t len)
{
	struct buffer name = {0};

	buffer_free(&san);
	pki_tlv(&name, (uint8_t)tag, content, len);
	pki_wrap(&san, DER_SEQUENCE, &name);
}

static void
names_in_text_become_what_openssl_reads(void **state)
{
	static const int types[] = {
	    GEN_DNS, GEN_IPADD, GEN_IPADD, GEN_EMAIL, GEN_URI, GEN_OTHERNAME, GEN_DIRNAME, GEN_RID};
	GENERAL_NAMES *names;
	GENERAL_NAME *n;

	(void)state;
	assert_true(from_text(ALL));
	assert_true(asn1_is_der(buffer_octets(&san), DER_SEQUENCE));
	names = asn1_decode(ASN1_ITEM_rptr(GENERAL_NAMES), buffer_octets(&san));
	assert_int_equal(sk_GENERAL_NAME_num(names), 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(sk_GENERAL_NAME_value(names, i)->type, types[i]);
	n = sk_GENERAL_NAME_value(names, 4);
	assert_true(
	    octets_equal(asn1_string_octets(n->d.ia5), octets_of_string("tag:x.example,2022:y")));
	n = sk_GENERAL_NAME_value(names, 5);
	assert_int_equal(OBJ_obj2nid(n->d.otherName->type_id), NID_ms_upn);
	assert_int_equal(n->d.otherName->value->type, V_ASN1_UTF8STRING);
	n = sk_GENERAL_NAME_value(names, 2);
	assert_int_equal(ASN1_STRING_length(n->d.ip), 16);
	GENERAL_NAMES_free(names);
}

static void
names_come_out_in_text(void **state)
{
	(void)state;
	assert_true(from_text(ALL));
	assert_string_equal(to_text(),
	    "DNS:a.example, IP:192.0.2.1, IP:2001:db8::1, email:a@b.example, "
	    "URI:tag:x.example\\2C2022:y, UPN:u@example, DirName:CN=y\\2CO=x, RID:1.2.3");
	assert_true(from_text(""));
	assert_int_equal(san.len, 0);
}

static void
names_in_text_that_are_wrong_are_refused(void **state)
{
	static const char *const bad[] = {"a.example", "dns:", "dns", "dns:a b", "dns:a,", ",dns:a",
	    "ip:1.2.3", "ip:1.2.3.4.5", "ip:x", "ip:", "email:", "email:a b@c", "uri:no-scheme",
	    "uri::x", "uri:1a:x", "uri:", "upn:", "upn:\x01", "upn:\xff",
	    "directoryName:", "rid:1.2", "directoryName:x", "registeredId:x", "registeredId:1",
	    "registeredId:", "x400:a", "other:x", "dns:\xc3\xbc.example"};
	struct buffer huge = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(from_text(bad[i]));
	buffer_append_string(&huge, "dns:");
	for (int i = 0; i < 253; i++)
		buffer_append(&huge, "x", 1);
	assert_true(from_text(buffer_string(&huge)));
	buffer_append(&huge, "x", 1);
	assert_false(from_text(buffer_string(&huge)));
	for (int i = 0; i < 3000; i++)
		buffer_append(&huge, "x", 1);
	assert_false(from_text(buffer_string(&huge)));
	buffer_free(&huge);
}

static void
each_name_has_its_kind_value_and_octets(void **state)
{
	static const enum san_kind kinds[] = {SAN_DNS, SAN_IP, SAN_IP, SAN_EMAIL, SAN_URI, SAN_UPN,
	    SAN_DIRECTORY_NAME, SAN_REGISTERED_ID};
	struct buffer together = {0}, whole = {0};
	struct san_view *v;

	(void)state;
	assert_true(from_text(ALL));
	assert_true(san_parse(buffer_octets(&san), &v, &why));
	assert_int_equal(san_count(v), 8);
	for (int i = 0; i < 8; i++) {
		const struct san_name *n = san_get0(v, i);

		assert_int_equal(n->kind, kinds[i]);
		assert_null(san_check(n->kind, n->value));
		assert_int_equal(san_kind_of_field(san_field(n->kind)), n->kind);
		buffer_append(&together, n->der.data, n->der.len);
	}
	assert_true(octets_equal(san_get0(v, 5)->value, octets_of_string("u@example")));
	assert_null(san_get0(v, 8));
	assert_null(san_get0(v, -1));
	assert_true(san_wrap(buffer_octets(&together), &whole));
	assert_true(octets_equal(buffer_octets(&whole), buffer_octets(&san)));
	san_free(v);
	san_free(NULL);
	buffer_free(&together);
	buffer_free(&whole);
}

static void
other_types_are_unsupported(void **state)
{
	static const struct {
		int tag;
		uint8_t content[24];
		size_t len;
	} other[] = {
	    {DER_CONTEXT(3), {0x30, 0}, 2},		      /* x400Address */
	    {DER_CONTEXT(5), {0xa1, 3, 0x0c, 1, 'p'}, 5},     /* ediPartyName */
	    {DER_CONTEXT(0), {6, 1, 0x2a, 0xa0, 2, 5, 0}, 7}, /* otherName 1.2 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		struct san_view *v;

		make_one(other[i].tag, other[i].content, other[i].len);
		assert_true(san_parse(buffer_octets(&san), &v, &why));
		assert_int_equal(san_get0(v, 0)->kind, SAN_UNSUPPORTED);
		assert_int_equal(san_get0(v, 0)->value.len, 0);
		assert_non_null(san_check(SAN_UNSUPPORTED, san_get0(v, 0)->value));
		san_free(v);
		assert_string_equal(to_text(), "other:?");
	}
	assert_int_equal(san_kind_of_field("san.other"), SAN_UNSUPPORTED);
	assert_int_equal(san_kind_of_field("subject.commonName"), SAN_UNSUPPORTED);
}

static void
a_upn_that_is_no_utf8string_has_no_value(void **state)
{
	static const uint8_t upn[] = {
	    6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3, 0xa0, 3, 0x16, 1, 'x'};
	struct san_view *v;

	(void)state;
	make_one(DER_CONTEXT(0), upn, sizeof(upn));
	assert_true(san_parse(buffer_octets(&san), &v, &why));
	assert_int_equal(san_get0(v, 0)->kind, SAN_UPN);
	assert_non_null(san_check(SAN_UPN, san_get0(v, 0)->value));
	san_free(v);
}

static void
what_are_no_general_names_is_refused(void **state)
{
	static const struct {
		uint8_t der[24];
		size_t len;
	} bad[] = {{{0}, 0}, {{0x30, 0}, 2}, {{0x31, 0}, 2}, {{0x30, 3, 0x82, 1}, 4},
	    {{0x30, 2, 0x82, 0, 0}, 5}, {{0x30, 3, 0x89, 1, 0}, 5}, {{0x30, 3, 2, 1, 0}, 5},
	    {{0x30, 2, 0xa4, 0}, 4}, {{0x30, 4, 0xa4, 2, 5, 0}, 6}, {{0x30, 2, 0xa0, 0}, 4},
	    {{0x30, 3, 0x88, 1, 0x80}, 5}, {{0x30, 2, 0x88, 0}, 4},
	    {{0x30, 5, 0xa0, 3, 6, 1, 0x2a}, 7}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct san_view *v;

		assert_false(san_parse(octets_of(bad[i].der, bad[i].len), &v, &why));
		assert_null(v);
		assert_false(san_to_text(octets_of(bad[i].der, bad[i].len), &text));
		assert_int_equal(text.len, 0);
	}
}

static void
there_are_at_most_128_names(void **state)
{
	(void)state;
	for (int count = 128; count <= 129; count++) {
		struct buffer names = {0};
		struct san_view *v;

		for (int i = 0; i < count; i++)
			pki_tlv(&names, DER_CONTEXT_PRIM(2), "a", 1);
		buffer_free(&san);
		pki_wrap(&san, DER_SEQUENCE, &names);
		assert_int_equal(san_parse(buffer_octets(&san), &v, &why), count == 128);
		san_free(v);
	}
}

static void
addresses_have_4_or_16_octets(void **state)
{
	static const uint8_t octets[17];

	(void)state;
	for (size_t len = 0; len <= 17; len++) {
		const char *wrong = san_check(SAN_IP, octets_of(octets, len));

		assert_int_equal(wrong == NULL, len == 4 || len == 16);
	}
	make_one(DER_CONTEXT_PRIM(7), octets, 5);
	assert_string_equal(to_text(), "IP:?");
}

/* Two names that look like one, or one that looks like two, must not come out alike. */
static void
text_of_strangers_cannot_pass_for_another_name(void **state)
{
	static const char name[] = "a, DNS:b\n\\";

	(void)state;
	make_one(DER_CONTEXT_PRIM(2), name, strlen(name));
	assert_string_equal(to_text(), "DNS:a\\2C DNS:b\\0A\\5C");
	make_one(DER_CONTEXT_PRIM(2), "\xff", 1);
	assert_string_equal(to_text(), "DNS:\\FF");
	make_one(DER_CONTEXT_PRIM(2), "a\0b", 3);
	assert_string_equal(to_text(), "DNS:a\\00b");
	assert_non_null(san_check(SAN_DNS, octets_of("a\0b", 3)));
	assert_non_null(san_check(SAN_EMAIL, octets_of("a b", 3)));
	assert_non_null(san_check(SAN_URI, octets_of("a:\n", 3)));
	assert_non_null(san_check(SAN_URI, octets_of("abc", 3)));
}

#define CLEARED(test) cmocka_unit_test_teardown(test, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CLEARED(names_in_text_become_what_openssl_reads),
	    CLEARED(names_come_out_in_text),
	    CLEARED(names_in_text_that_are_wrong_are_refused),
	    CLEARED(each_name_has_its_kind_value_and_octets),
	    CLEARED(other_types_are_unsupported),
	    CLEARED(a_upn_that_is_no_utf8string_has_no_value),
	    CLEARED(what_are_no_general_names_is_refused),
	    CLEARED(there_are_at_most_128_names),
	    CLEARED(addresses_have_4_or_16_octets),
	    CLEARED(text_of_strangers_cannot_pass_for_another_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
