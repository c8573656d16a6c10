/* test_scep_conformance.c: clauses of RFC 8894 about messages that no other test shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>

#include "pki/asn1.h"
#include "scep/cms.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

/* ---- messages that come ------------------------------------------------------------------------------------------------------- */

/* RFC 8894 3.2.2: contentType in encryptedContentInfo. */
static void
what_is_encrypted_is_data(void **state)
{
	static const uint8_t id_data[] = {
	    0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
	struct buffer envelope = {0};
	struct scep_spec s;
	uint8_t *at;

	(void)state;
	scep_spec(&s, &world);
	scep_make_envelope(world.ra.x509, PKI_AES128, s.csr, false, &envelope);
	s.content = buffer_octets(&envelope);
	scep_assert_opens(&s);
	at = memmem(envelope.data, envelope.len, id_data, sizeof(id_data));
	assert_non_null(at);
	at[sizeof(id_data) - 1] = 2; /* id-signedData */
	scep_assert_refused(&s, SCEP_BAD_MESSAGE_CHECK, "in encryptedContentInfo is not id-data");
	buffer_free(&envelope);
}

/* RFC 8894 3.2: a set of authenticatedAttributes. */
static void
a_signer_without_signed_attributes_is_unanswerable(void **state)
{
	static const uint8_t content[] = "content";
	static const unsigned int flags[] = {CMS_BINARY, CMS_BINARY | CMS_NOATTR};

	(void)state;
	for (int i = 0; i < 2; i++) {
		BIO *in = BIO_new_mem_buf(content, sizeof(content));
		CMS_ContentInfo *cms =
		    CMS_sign(world.device.x509, world.device.key, NULL, in, flags[i]);
		struct scep_request *r = NULL;
		enum scep_fail_info fail;
		struct errbuf why = {0};
		uint8_t *der = NULL;
		int len = i2d_CMS_ContentInfo(cms, &der);

		assert_true(len > 0);
		assert_int_equal(scep_request_parse(octets_of(der, (size_t)len), &r, &fail, &why),
		    SCEP_UNANSWERABLE);
		assert_null(r);
		/* With those that CMS itself wants, it is the transactionID that is missing. */
		assert_int_equal(strstr(why.line, "no transactionID") != NULL, i == 0);
		OPENSSL_free(der);
		CMS_ContentInfo_free(cms);
		BIO_free(in);
	}
}

/* ---- replies ------------------------------------------------------------------------------------------------------------------ */

/* Table 1 and table 2, as the RFC has them: id-attributes is 2.16.840.1.113733.1.9, id-scep 1.3.6.1.5.5.7.24. */
static const struct table_row {
	uint8_t oid[10];
	size_t oid_len;
	int type;
	bool in[3]; /* SUCCESS, FAILURE, PENDING */
} table[] = {
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 7}, 10, V_ASN1_PRINTABLESTRING,
	{true, true, true}}, /* transactionID */
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 2}, 10, V_ASN1_PRINTABLESTRING,
	{true, true, true}}, /* messageType */
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 3}, 10, V_ASN1_PRINTABLESTRING,
	{true, true, true}}, /* pkiStatus */
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 4}, 10, V_ASN1_PRINTABLESTRING,
	{false, true, false}}, /* failInfo */
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 5}, 10, V_ASN1_OCTET_STRING,
	{true, true, true}}, /* senderNonce */
    {{0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x45, 0x01, 0x09, 6}, 10, V_ASN1_OCTET_STRING,
	{true, true, true}}, /* recipientNonce */
    {{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x18, 1}, 8, V_ASN1_UTF8STRING,
	{false, true, false}}, /* failInfoText */
};
#define TABLE_ROWS (sizeof(table) / sizeof(table[0]))

static struct scep_reply
reply_of(int which)
{
	struct scep_reply reply = scep_success(&world);

	if (which == 0)
		return reply;
	reply.status = which == 1 ? SCEP_FAILURE : SCEP_PENDING;
	reply.certificate_count = 0;
	reply.fail_info = which == 1 ? SCEP_BAD_CERT_ID : SCEP_NO_FAIL_INFO;
	reply.fail_info_text = which == 1 ? "why" : NULL;
	return reply;
}

static cms_attributes *
attributes_of(const cms_signed *s)
{
	cms_signer_info *si = sk_cms_signer_info_value(s->signed_data->signers, 0);

	si->signed_attributes.data[0] = DER_SET;
	return cms_attributes_parse(asn1_string_octets(&si->signed_attributes));
}

/* The value of the one attribute of that row; NULL: there is none. */
static const ASN1_TYPE *
value_of(const cms_attributes *all, const struct table_row *row)
{
	const ASN1_TYPE *found = NULL;

	for (int i = 0; i < sk_cms_attribute_num(all); i++) {
		const cms_attribute *a = sk_cms_attribute_value(all, i);

		if (!octets_equal(asn1_string_octets(&a->oid), octets_of(row->oid, row->oid_len)))
			continue;
		assert_null(found);
		assert_int_equal(sk_ASN1_TYPE_num(a->values), 1);
		found = sk_ASN1_TYPE_value(a->values, 0);
	}
	return found;
}

static void
assert_octets(const ASN1_TYPE *value, struct octets want)
{
	assert_true(octets_equal(asn1_string_octets(value->value.asn1_string), want));
}

/* RFC 8894 3.2.1, 3.2.1.2 to 3.2.1.5 */
static void
a_reply_has_the_attributes_of_its_status_with_the_oids_and_types_of_the_tables(void **state)
{
	static const char *const status[] = {"0", "2", "3"};
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);

	(void)state;
	for (int which = 0; which < 3; which++) {
		struct scep_reply reply = reply_of(which);
		struct buffer out = {0};
		cms_attributes *all;
		cms_signed *s;

		scep_make_reply(&world, r, &reply, &out);
		assert_non_null(s = cms_signed_parse(buffer_octets(&out)));
		assert_non_null(all = attributes_of(s));
		/* And what CMS wants: contentType and messageDigest. */
		assert_int_equal(sk_cms_attribute_num(all), which == 1 ? 9 : 7);
		for (size_t i = 0; i < TABLE_ROWS; i++) {
			const ASN1_TYPE *value = value_of(all, &table[i]);

			assert_int_equal(value != NULL, table[i].in[which]);
			if (value != NULL)
				assert_int_equal(value->type, table[i].type);
		}
		assert_octets(value_of(all, &table[0]), octets_of_string(m.transaction_id));
		assert_octets(value_of(all, &table[1]), octets_of_string("3"));
		assert_octets(value_of(all, &table[2]), octets_of_string(status[which]));
		if (which == 1)
			assert_octets(value_of(all, &table[3]), octets_of_string("4"));
		assert_octets(value_of(all, &table[5]), octets_of(m.sender_nonce, 16));
		cms_attributes_free(all);
		cms_signed_free(s);
		buffer_free(&out);
	}
	scep_request_free(r);
}

/* RFC 8894 3.2, 3.2.2, and 3.3.2.2, 3.3.2.3 for those that have none. */
static void
a_reply_is_data_with_an_envelope_of_data_or_with_none(void **state)
{
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);

	(void)state;
	for (int which = 0; which < 3; which++) {
		struct scep_reply reply = reply_of(which);
		struct buffer out = {0};
		struct octets content;
		cms_enveloped *e;
		cms_signed *s;

		scep_make_reply(&world, r, &reply, &out);
		assert_non_null(s = cms_signed_parse(buffer_octets(&out)));
		assert_true(octets_equal(
		    asn1_string_octets(&s->signed_data->encap.type), scep_oid_content_data));
		content = asn1_string_octets(s->signed_data->encap.content);
		e = cms_enveloped_parse(content);
		assert_int_equal(e != NULL, which == 0);
		assert_int_equal(content.len > 0, which == 0);
		if (e != NULL)
			assert_true(
			    octets_equal(asn1_string_octets(&e->enveloped_data->encrypted.type),
				scep_oid_content_data));
		cms_enveloped_free(e);
		cms_signed_free(s);
		buffer_free(&out);
	}
	scep_request_free(r);
}

/* RFC 8894 3.4 */
static void
a_degenerate_signed_data_has_no_content_and_no_signer(void **state)
{
	static const uint8_t crl[] = {0x30, 0x00};
	struct octets certificate = world.device.certificate.der, none = octets_of(NULL, 0);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer out = {0};
		cms_signed_data *d;
		cms_signed *s;

		assert_true(scep_degenerate_encode(i == 0 ? &certificate : NULL, i == 0,
		    i == 0 ? none : octets_of(crl, sizeof(crl)), &out));
		assert_non_null(s = cms_signed_parse(buffer_octets(&out)));
		d = s->signed_data;
		assert_null(d->encap.content);
		assert_int_equal(sk_cms_signer_info_num(d->signers), 0);
		assert_int_equal(
		    d->certificates != NULL && sk_ASN1_TYPE_num(d->certificates) == 1, i == 0);
		assert_int_equal(d->crls != NULL && sk_ASN1_TYPE_num(d->crls) == 1, i == 1);
		cms_signed_free(s);
		buffer_free(&out);
	}
}

/* ---- */

static int
open_world(void **state)
{
	(void)state;
	scep_world_open(&world);
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	scep_world_close(&world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_encrypted_is_data),
	    cmocka_unit_test(a_signer_without_signed_attributes_is_unanswerable),
	    cmocka_unit_test(
		a_reply_has_the_attributes_of_its_status_with_the_oids_and_types_of_the_tables),
	    cmocka_unit_test(a_reply_is_data_with_an_envelope_of_data_or_with_none),
	    cmocka_unit_test(a_degenerate_signed_data_has_no_content_and_no_signer),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
