#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "pki/asn1.h"
#include "pki/certificate.h"

static struct errbuf why;

static void
names_become_bits_and_bits_become_names(void **state)
{
	struct buffer text = {0};
	int bits;

	(void)state;
	assert_true(key_usage_of_text("digitalSignature,keyEncipherment", &bits, &why));
	assert_int_equal(bits, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT);
	assert_true(key_usage_of_text(" CRLSIGN , keycertsign ", &bits, &why));
	assert_int_equal(bits, KEY_USAGE_CRL_SIGN | KEY_USAGE_KEY_CERT_SIGN);
	assert_true(key_usage_of_text("contentCommitment", &bits, &why));
	assert_int_equal(bits, KEY_USAGE_NON_REPUDIATION);
	assert_true(key_usage_of_text("", &bits, &why));
	assert_int_equal(bits, 0);
	for (int all = 0; all < 1 << 9; all++) {
		text.len = 0;
		key_usage_to_text(all, &text);
		assert_true(key_usage_of_text(buffer_string(&text), &bits, &why));
		assert_int_equal(bits, all);
	}
	text.len = 0;
	key_usage_to_text(-1, &text);
	assert_int_equal(text.len, 0);
	buffer_free(&text);
}

static void
unknown_names_and_empty_ones_are_refused(void **state)
{
	static const char *const bad[] = {"digital", "digitalSignature,", ",digitalSignature",
	    "digitalSignature keyEncipherment", "digitalSignature,,keyEncipherment", ",",
	    "0123456789012345678901234567890123456789012345678901234567890123456789"};
	int bits = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(key_usage_of_text(bad[i], &bits, &why));
		assert_int_equal(bits, 77);
		assert_non_null(strstr(why.line, "keyUsage"));
	}
}

static void
the_bit_string_of_the_extension_becomes_bits(void **state)
{
	int bits;

	(void)state;
	assert_true(key_usage_parse(octets_of("\3\2\5\xa0", 4), &bits));
	assert_int_equal(bits, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT);
	assert_true(key_usage_parse(octets_of("\3\3\7\0\x80", 5), &bits));
	assert_int_equal(bits, 1 << 8);
	assert_true(key_usage_parse(octets_of("\3\1\0", 3), &bits));
	assert_int_equal(bits, 0);
}

static void
what_is_no_bit_string_has_no_bits(void **state)
{
	int bits;

	(void)state;
	assert_false(key_usage_parse(octets_of("", 0), &bits));
	assert_false(key_usage_parse(octets_of("\3\2\5", 3), &bits));
	assert_false(key_usage_parse(octets_of("\3\0", 2), &bits));
	assert_false(key_usage_parse(octets_of("\4\2\5\xa0", 4), &bits));
	assert_false(key_usage_parse(octets_of("\3\2\5\xa0\0", 5), &bits));
	assert_false(key_usage_parse(octets_of("\3\2\xff\xa0", 4), &bits));
}

static void
purposes_become_what_openssl_reads(void **state)
{
	static const int nids[] = {NID_client_auth, NID_server_auth, NID_email_protect,
	    NID_code_sign, NID_ipsecEndSystem, NID_ms_smartcard_login, NID_OCSP_sign,
	    NID_anyExtendedKeyUsage};
	struct buffer der = {0};
	EXTENDED_KEY_USAGE *eku;

	(void)state;
	assert_true(eku_of_text("clientAuth,serverAuth, emailProtection,codeSigning,ipsecEndSystem,"
				"SMARTCARDLOGON ,OCSPSigning,anyEKU,1.2.3.4",
	    &der, &why));
	assert_true(asn1_is_der(buffer_octets(&der), 0x30));
	eku = asn1_decode(ASN1_ITEM_rptr(EXTENDED_KEY_USAGE), buffer_octets(&der));
	assert_int_equal(sk_ASN1_OBJECT_num(eku), 9);
	for (int i = 0; i < 8; i++)
		assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i)), nids[i]);
	assert_int_equal(OBJ_length(sk_ASN1_OBJECT_value(eku, 8)), 3);
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	buffer_free(&der);
	assert_true(eku_of_text("", &der, &why));
	assert_true(eku_of_text("  ", &der, &why));
	assert_int_equal(der.len, 0);
}

static void
unknown_repeated_or_too_many_purposes_are_refused(void **state)
{
	static const char *const bad[] = {"client", "OCSP", "OCSPSigning,1.3.6.1.5.5.7.3.9",
	    "clientAuth,", "clientAuth,clientAuth", "clientAuth,1.3.6.1.5.5.7.3.2", "1", "1.", ".",
	    "3.1", "1.2.3.4.", "CN", "1.2.x", ","};
	struct buffer der = {0}, many = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(eku_of_text(bad[i], &der, &why));
		assert_int_equal(der.len, 0);
		assert_non_null(strstr(why.line, "extKeyUsage"));
	}
	for (int i = 0; i < 33; i++) {
		if (i == 32)
			assert_true(eku_of_text(buffer_string(&many), &der, &why));
		buffer_append_format(&many, "%s1.2.3.%d", i == 0 ? "" : ",", i);
	}
	der.len = 0;
	assert_false(eku_of_text(buffer_string(&many), &der, &why));
	buffer_free(&many);
	buffer_free(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_become_bits_and_bits_become_names),
	    cmocka_unit_test(unknown_names_and_empty_ones_are_refused),
	    cmocka_unit_test(the_bit_string_of_the_extension_becomes_bits),
	    cmocka_unit_test(what_is_no_bit_string_has_no_bits),
	    cmocka_unit_test(purposes_become_what_openssl_reads),
	    cmocka_unit_test(unknown_repeated_or_too_many_purposes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
