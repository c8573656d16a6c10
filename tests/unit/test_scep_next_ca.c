/* test_scep_next_ca.c: GetNextCACert's answer (RFC 8894 4.7.1): by us, read by OpenSSL and by our client. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "pki/asn1.h"
#include "pki/private_key.h"
#include "scep/next_ca.h"
#include "tests/unit/scep_message.h"

#define NOW 1795392000 /* 2026-11-23 */

/* A current CA; what comes next is the world's other and device. */
struct ca {
	struct scep_party party;
	struct signer *signer;
};

static struct scep_world world;
static struct ca cas[4];
static const char *const kinds[4] = {"rsa:2048", "ec:P-256", "ec:P-384", "ec:P-521"};
static struct octets next[2];

static void
encode_at(const struct ca *ca, int64_t now, struct buffer *out)
{
	struct errbuf why = {0};

	if (!scep_next_ca_encode(next, 2, &ca->party.certificate, ca->signer, now, out, &why))
		fail_msg("%s", why.line);
	assert_int_equal(ERR_peek_error(), 0);
}

static void
encode(const struct ca *ca, struct buffer *out)
{
	encode_at(ca, NOW, out);
}

/* The DER of what was signed. */
static void
assert_is_degenerate(BIO *content)
{
	struct octets der;
	char *octets;
	const uint8_t *p;
	PKCS7 *p7;
	long len = BIO_get_mem_data(content, &octets);

	der = octets_of(octets, (size_t)len);
	assert_true(asn1_is_der(der, DER_SEQUENCE));
	p = der.data;
	p7 = d2i_PKCS7(NULL, &p, len);
	assert_non_null(p7);
	assert_ptr_equal(p, der.data + der.len);
	assert_int_equal(sk_X509_num(p7->d.sign->cert), 2);
	assert_int_equal(X509_cmp(sk_X509_value(p7->d.sign->cert, 0), world.other.x509), 0);
	assert_int_equal(X509_cmp(sk_X509_value(p7->d.sign->cert, 1), world.device.x509), 0);
	PKCS7_free(p7);
}

static X509_STORE *
store_of(const struct ca *ca)
{
	X509_STORE *store = X509_STORE_new();
	X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();

	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
	X509_VERIFY_PARAM_set_time(param, NOW);
	X509_STORE_set1_param(store, param);
	X509_STORE_add_cert(store, ca->party.x509);
	X509_VERIFY_PARAM_free(param);
	return store;
}

/* What `openssl cms -verify -inform DER -CAfile ca.pem -purpose any` does. */
static void
openssl_verifies_it_under_the_ca(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct buffer body = {0};
		BIO *content = BIO_new(BIO_s_mem());
		X509_STORE *store = store_of(&cas[i]), *foreign = store_of(&cas[(i + 1) % 4]);
		CMS_ContentInfo *cms;
		const uint8_t *p;

		encode(&cas[i], &body);
		assert_true(asn1_is_der(buffer_octets(&body), DER_SEQUENCE));
		p = body.data;
		cms = d2i_CMS_ContentInfo(NULL, &p, (long)body.len);
		assert_non_null(cms);
		assert_int_equal(OBJ_obj2nid(CMS_get0_eContentType(cms)), NID_pkcs7_data);
		assert_int_equal(CMS_verify(cms, NULL, foreign, NULL, NULL, CMS_BINARY), 0);
		ERR_clear_error();
		assert_int_equal(CMS_verify(cms, NULL, store, NULL, content, CMS_BINARY), 1);
		assert_is_degenerate(content);
		CMS_ContentInfo_free(cms);
		X509_STORE_free(store);
		X509_STORE_free(foreign);
		BIO_free(content);
		buffer_free(&body);
	}
}

/* The older interface, of which many clients are made. */
static void
pkcs7_verify_takes_it_too(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct buffer body = {0};
		BIO *content = BIO_new(BIO_s_mem());
		X509_STORE *store = store_of(&cas[i]);
		const uint8_t *p;
		PKCS7 *p7;

		encode(&cas[i], &body);
		p = body.data;
		p7 = d2i_PKCS7(NULL, &p, (long)body.len);
		assert_non_null(p7);
		assert_int_equal(PKCS7_verify(p7, NULL, store, NULL, content, PKCS7_BINARY), 1);
		assert_is_degenerate(content);
		PKCS7_free(p7);
		X509_STORE_free(store);
		BIO_free(content);
		buffer_free(&body);
	}
}

static int
count_of(const CMS_SignerInfo *si, int nid)
{
	return CMS_signed_get_attr_by_NID(si, nid, -1) >= 0;
}

static void
the_attributes_are_contenttype_messagedigest_and_signingtime(void **state)
{
	static const struct {
		int64_t now;
		int tag;
		const char *text;
	} times[] = {{NOW, V_ASN1_UTCTIME, "261123000000Z"},
	    {2524608000, V_ASN1_GENERALIZEDTIME, "20500101000000Z"}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer body = {0};
		const CMS_SignerInfo *si;
		const ASN1_STRING *time;
		CMS_ContentInfo *cms;
		const uint8_t *p;

		encode_at(&cas[0], times[i].now, &body);
		p = body.data;
		cms = d2i_CMS_ContentInfo(NULL, &p, (long)body.len);
		si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
		assert_int_equal(CMS_signed_get_attr_count(si), 3);
		assert_int_equal(count_of(si, NID_pkcs9_contentType), 1);
		assert_int_equal(count_of(si, NID_pkcs9_messageDigest), 1);
		time = CMS_signed_get0_data_by_OBJ(
		    si, OBJ_nid2obj(NID_pkcs9_signingTime), -3, times[i].tag);
		assert_non_null(time);
		assert_string_equal((const char *)ASN1_STRING_get0_data(time), times[i].text);
		CMS_ContentInfo_free(cms);
		buffer_free(&body);
	}
}

static void
an_rsa_signature_is_rsaencryption_an_ec_one_names_its_digest(void **state)
{
	static const int nids[] = {
	    NID_rsaEncryption, NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384, NID_ecdsa_with_SHA512};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct buffer body = {0};
		CMS_ContentInfo *cms;
		X509_ALGOR *algorithm;
		const uint8_t *p;

		encode(&cas[i], &body);
		p = body.data;
		cms = d2i_CMS_ContentInfo(NULL, &p, (long)body.len);
		CMS_SignerInfo_get0_algs(sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0),
		    NULL, NULL, NULL, &algorithm);
		assert_int_equal(OBJ_obj2nid(algorithm->algorithm), nids[i]);
		CMS_ContentInfo_free(cms);
		buffer_free(&body);
	}
}

/* ---- our client ------------------------------------------------------------------------------------------------------------- */

static void
a_client_reads_it_by_the_ca_it_has(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct buffer body = {0}, out[3] = {0};
		struct errbuf why = {0};

		encode(&cas[i], &body);
		assert_int_equal(scep_client_next_ca_certificates(
				     buffer_octets(&body), &cas[i].party.certificate, out, 3, &why),
		    2);
		for (int k = 0; k < 2; k++) {
			assert_true(octets_equal(buffer_octets(&out[k]), next[k]));
			buffer_free(&out[k]);
		}
		buffer_free(&body);
	}
}

static void
assert_unread(struct octets body, const struct certificate *ca, const char *words)
{
	struct buffer out[3] = {0};
	struct errbuf why = {0};

	assert_int_equal(scep_client_next_ca_certificates(body, ca, out, 3, &why), -1);
	if (strstr(why.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", why.line, words);
	assert_int_equal(ERR_peek_error(), 0);
	for (int i = 0; i < 3; i++)
		buffer_free(&out[i]);
}

static void
a_client_trusts_no_other_signer(void **state)
{
	static const uint8_t serial[] = {0x21};
	struct buffer body = {0};
	struct scep_party twin;

	(void)state;
	encode(&cas[0], &body);
	/* The signer's certificate is in the message, and counts for nothing. */
	assert_unread(buffer_octets(&body), &cas[1].party.certificate, "not signed by the CA");
	/* The same issuer and serial with another key. */
	scep_make_party(&twin, world.other.key, octets_of(serial, 1), false);
	assert_true(octets_equal(twin.certificate.issuer, cas[0].party.certificate.issuer));
	assert_true(octets_equal(twin.certificate.serial, cas[0].party.certificate.serial));
	assert_unread(buffer_octets(&body), &twin.certificate, "not signed by the CA");
	scep_free_party(&twin);
	buffer_free(&body);
}

static void
a_client_takes_nothing_that_was_altered(void **state)
{
	struct buffer body = {0};

	(void)state;
	encode(&cas[1], &body);
	for (size_t at = 0; at < body.len; at += 3) {
		struct buffer out[3] = {0};

		body.data[at] ^= 0x01;
		/* The CA's certificate in the message is not signed over, and not looked at. */
		if (scep_client_next_ca_certificates(
			buffer_octets(&body), &cas[1].party.certificate, out, 3, NULL) >= 0)
			for (int k = 0; k < 2; k++)
				assert_true(octets_equal(buffer_octets(&out[k]), next[k]));
		for (int k = 0; k < 3; k++)
			buffer_free(&out[k]);
		body.data[at] ^= 0x01;
	}
	buffer_append(&body, "", 1);
	assert_unread(buffer_octets(&body), &cas[1].party.certificate, "want exactly one");
	buffer_free(&body);
}

static void
a_client_wants_a_signature_and_certificates(void **state)
{
	struct octets body_text = octets_of_string("<html>");
	struct buffer body = {0};
	struct scep_spec s;

	(void)state;
	assert_unread(body_text, &cas[0].party.certificate, "want exactly one");
	assert_true(scep_degenerate_encode(next, 2, octets_of(NULL, 0), &body));
	assert_unread(buffer_octets(&body), &cas[0].party.certificate, "not signed by the CA");
	buffer_free(&body);
	/* Signed by the CA, but over something else. */
	scep_spec(&s, &world);
	s.signer = &cas[0].party;
	s.content = octets_of_string("text");
	scep_spec_write(&s, &body);
	assert_unread(buffer_octets(&body), &cas[0].party.certificate, "its content is no");
	buffer_free(&body);
	s.signers = 2;
	scep_spec_write(&s, &body);
	assert_unread(buffer_octets(&body), &cas[0].party.certificate, "not signed by the CA");
	buffer_free(&body);
}

/* ---- faults ----------------------------------------------------------------------------------------------------------------- */

static void
what_cannot_be_encoded_says_so(void **state)
{
	struct buffer out = {0};
	struct errbuf why = {0};

	(void)state;
	assert_false(scep_next_ca_encode(
	    next, 0, &cas[0].party.certificate, cas[0].signer, NOW, &out, &why));
	assert_non_null(strstr(why.line, "no certificates"));
	assert_false(scep_next_ca_encode(
	    next, 2, &cas[0].party.certificate, cas[1].signer, NOW, &out, &why));
	assert_non_null(strstr(why.line, "not that of the CA's certificate"));
	assert_int_equal(out.len, 0);
}

static int
open_world(void **state)
{
	(void)state;
	scep_world_open(&world);
	for (uint8_t i = 0; i < 4; i++) {
		uint8_t serial = (uint8_t)(0x21 + i);
		EVP_PKEY *key = private_key_generate(kinds[i], NULL);

		if (key == NULL)
			return 1;
		scep_make_party(&cas[i].party, key, octets_of(&serial, 1), false);
		if (!signer_of_key(key, &cas[i].signer, NULL))
			return 1;
	}
	next[0] = world.other.certificate.der;
	next[1] = world.device.certificate.der;
	return 0;
}

static int
close_world(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		signer_free(cas[i].signer);
		EVP_PKEY_free(cas[i].party.key);
		scep_free_party(&cas[i].party);
	}
	scep_world_close(&world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(openssl_verifies_it_under_the_ca),
	    cmocka_unit_test(pkcs7_verify_takes_it_too),
	    cmocka_unit_test(the_attributes_are_contenttype_messagedigest_and_signingtime),
	    cmocka_unit_test(an_rsa_signature_is_rsaencryption_an_ec_one_names_its_digest),
	    cmocka_unit_test(a_client_reads_it_by_the_ca_it_has),
	    cmocka_unit_test(a_client_trusts_no_other_signer),
	    cmocka_unit_test(a_client_takes_nothing_that_was_altered),
	    cmocka_unit_test(a_client_wants_a_signature_and_certificates),
	    cmocka_unit_test(what_cannot_be_encoded_says_so),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
