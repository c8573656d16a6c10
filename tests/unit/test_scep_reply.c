#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>

#include "pki/asn1.h"
#include "scep/client.h"
#include "scep/cms.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

/* A request from signer, sent; what its reply has to answer is in m. */
static struct scep_request *
request(const struct scep_party *signer, struct scep_client_message *m)
{
	struct buffer message = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	struct errbuf why = {0};

	*m = (struct scep_client_message){
	    .message_type = SCEP_PKCS_REQ,
	    .transaction_id = "a/b+c=",
	    .content = buffer_octets(&world.csr),
	    .signer = &signer->certificate,
	    .key = signer->key,
	    .recipient = &world.ra.certificate,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES256,
	};
	if (!scep_client_encode(m, &message, &why))
		fail_msg("%s", why.line);
	assert_int_equal(scep_request_parse(buffer_octets(&message), &r, &fail, &why), SCEP_OK);
	buffer_free(&message);
	return r;
}

static void
encode(const struct scep_request *r, const struct scep_reply *reply, struct buffer *out)
{
	struct errbuf why = {0};

	if (!scep_reply_encode(r, reply, &world.responder, out, &why))
		fail_msg("%s", why.line);
	assert_string_equal(why.line, "");
}

static void
read_reply(
    const struct scep_client_message *m, const struct buffer *reply, struct scep_client_reply *out)
{
	struct errbuf why = {0};

	if (!scep_client_read(m, buffer_octets(reply), &world.ra.certificate, 1, out, &why))
		fail_msg("%s", why.line);
}

static struct scep_reply
success(void)
{
	return (struct scep_reply){
	    .status = SCEP_SUCCESS,
	    .certificates = {world.device.certificate.der},
	    .certificate_count = 1,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES256,
	};
}

static void
each_digest_with_each_cipher_is_read_by_openssl(void **state)
{
	static const enum pki_digest digests[] = {
	    PKI_MD5, PKI_SHA1, PKI_SHA256, PKI_SHA384, PKI_SHA512};
	static const enum pki_cipher ciphers[] = {PKI_DES, PKI_DES3, PKI_AES128, PKI_AES256};
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);

	(void)state;
	for (size_t d = 0; d < sizeof(digests) / sizeof(digests[0]); d++) {
		for (size_t c = 0; c < sizeof(ciphers) / sizeof(ciphers[0]); c++) {
			struct scep_reply reply = success();
			struct scep_client_reply read;
			struct buffer out = {0};

			reply.digest = digests[d];
			reply.cipher = ciphers[c];
			encode(r, &reply, &out);
			read_reply(&m, &out, &read);
			assert_int_equal(read.status, SCEP_SUCCESS);
			assert_int_equal(read.fail_info, SCEP_NO_FAIL_INFO);
			assert_int_equal(read.certificate_count, 1);
			assert_true(octets_equal(
			    buffer_octets(&read.certificates[0]), world.device.certificate.der));
			scep_client_reply_free(&read);
			buffer_free(&out);
		}
	}
	scep_request_free(r);
}

static void
certificates_keep_the_order_given(void **state)
{
	struct octets certificates[] = {world.ra.certificate.der, world.ec.certificate.der,
	    world.other.certificate.der, world.device.certificate.der};
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);

	(void)state;
	for (int first = 0; first < 4; first++) {
		struct scep_reply reply = success();
		struct scep_client_reply read;
		struct buffer out = {0};

		reply.certificate_count = 4;
		for (int i = 0; i < 4; i++)
			reply.certificates[i] = certificates[(first + i) % 4];
		encode(r, &reply, &out);
		read_reply(&m, &out, &read);
		assert_int_equal(read.certificate_count, 4);
		for (int i = 0; i < 4; i++)
			assert_true(octets_equal(
			    buffer_octets(&read.certificates[i]), certificates[(first + i) % 4]));
		scep_client_reply_free(&read);
		buffer_free(&out);
	}
	scep_request_free(r);
}

static void
a_crl_travels_without_certificates(void **state)
{
	static const uint8_t crl[] = {0x30, 0x03, 0x02, 0x01, 0x07};
	struct scep_reply reply = success();
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);
	struct scep_client_reply read;
	struct buffer out = {0};

	(void)state;
	reply.certificate_count = 0;
	reply.crl = octets_of(crl, sizeof(crl));
	encode(r, &reply, &out);
	read_reply(&m, &out, &read);
	assert_int_equal(read.certificate_count, 0);
	assert_true(octets_equal(buffer_octets(&read.crl), reply.crl));
	scep_client_reply_free(&read);
	buffer_free(&out);
	scep_request_free(r);
}

static void
a_failure_says_why_and_has_no_content(void **state)
{
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);

	(void)state;
	for (int f = SCEP_BAD_ALG; f <= SCEP_BAD_CERT_ID; f++) {
		struct scep_reply reply = {.status = SCEP_FAILURE,
		    .fail_info = (enum scep_fail_info)f,
		    .fail_info_text = f == SCEP_BAD_ALG ? "gr\xc3\xbc\xc3\x9f" : NULL,
		    .digest = PKI_SHA256};
		struct scep_client_reply read;
		struct buffer out = {0};
		cms_signed *s;

		encode(r, &reply, &out);
		s = cms_signed_parse(buffer_octets(&out));
		assert_non_null(s);
		assert_null(s->signed_data->encap.content);
		cms_signed_free(s);
		read_reply(&m, &out, &read);
		assert_int_equal(read.status, SCEP_FAILURE);
		assert_int_equal(read.fail_info, f);
		assert_string_equal(
		    read.fail_info_text, f == SCEP_BAD_ALG ? "gr\xc3\xbc\xc3\x9f" : "");
		scep_client_reply_free(&read);
		buffer_free(&out);
	}
	scep_request_free(r);
}

static void
a_long_text_is_cut_between_characters(void **state)
{
	char text[2048];
	struct scep_reply reply = {.status = SCEP_FAILURE,
	    .fail_info = SCEP_BAD_REQUEST,
	    .fail_info_text = text,
	    .digest = PKI_SHA256};
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);
	struct scep_client_reply read;
	struct buffer out = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + 1023, "\xe2\x82\xac", 3); /* one character, three octets */
	text[2047] = '\0';
	encode(r, &reply, &out);
	read_reply(&m, &out, &read);
	assert_int_equal(strlen(read.fail_info_text), sizeof(read.fail_info_text) - 1);
	/* The attribute itself: 1023 octets. */
	assert_non_null(memmem(out.data, out.len, "\x0c\x82\x03\xff", 4));
	scep_client_reply_free(&read);
	buffer_free(&out);
	scep_request_free(r);
}

static void
a_pending_has_neither_content_nor_fail_info(void **state)
{
	struct scep_reply reply = {
	    .status = SCEP_PENDING, .fail_info_text = "not told", .digest = PKI_SHA512};
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);
	struct scep_client_reply read;
	struct buffer out = {0};

	(void)state;
	encode(r, &reply, &out);
	read_reply(&m, &out, &read);
	assert_int_equal(read.status, SCEP_PENDING);
	assert_int_equal(read.fail_info, SCEP_NO_FAIL_INFO);
	assert_string_equal(read.fail_info_text, "");
	assert_null(memmem(out.data, out.len, scep_oid_fail_info.data, scep_oid_fail_info.len));
	scep_client_reply_free(&read);
	buffer_free(&out);
	scep_request_free(r);
}

/* The value of an attribute in a reply's one SignerInfo; NULL: none. */
static const ASN1_TYPE *
attribute(const cms_attributes *attributes, struct octets oid)
{
	for (int i = 0; i < sk_cms_attribute_num(attributes); i++) {
		const cms_attribute *a = sk_cms_attribute_value(attributes, i);

		if (octets_equal(asn1_string_octets(&a->oid), oid))
			return sk_ASN1_TYPE_value(a->values, 0);
	}
	return NULL;
}

/* The reply's attributes, which are DER, to the last of their order. */
static cms_attributes *
attributes_of(const struct buffer *reply)
{
	cms_signed *s = cms_signed_parse(buffer_octets(reply));
	cms_attributes *attributes;
	cms_signer_info *si;
	uint8_t *der;
	int len;

	assert_non_null(s);
	si = sk_cms_signer_info_value(s->signed_data->signers, 0);
	assert_true(octets_equal(
	    asn1_string_octets(&si->signature_algorithm.oid), scep_oid_rsa_encryption));
	si->signed_attributes.data[0] = DER_SET;
	attributes = cms_attributes_parse(asn1_string_octets(&si->signed_attributes));
	assert_non_null(attributes);
	len = cms_attributes_encode(attributes, &der);
	assert_true(
	    octets_equal(octets_of(der, (size_t)len), asn1_string_octets(&si->signed_attributes)));
	OPENSSL_free(der);
	cms_signed_free(s);
	return attributes;
}

static void
a_reply_is_der_and_its_attributes_are_sorted(void **state)
{
	struct scep_reply replies[] = {success(),
	    {.status = SCEP_FAILURE,
		.fail_info = SCEP_BAD_TIME,
		.fail_info_text = "t",
		.digest = PKI_SHA1},
	    {.status = SCEP_PENDING, .digest = PKI_SHA384}};
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct buffer out = {0};

		encode(r, &replies[i], &out);
		assert_true(asn1_is_der(buffer_octets(&out), DER_SEQUENCE));
		cms_attributes_free(attributes_of(&out));
		buffer_free(&out);
	}
	scep_request_free(r);
}

static void
a_reply_echoes_the_transaction_id_in_its_type_and_the_nonce(void **state)
{
	static const uint8_t tags[] = {
	    DER_OCTET_STRING, DER_UTF8_STRING, DER_IA5_STRING, 0x14, 0x1e};
	uint8_t id[256], nonce[64];
	struct buffer message = {0}, out = {0};

	(void)state;
	memset(id, 'i', sizeof(id));
	memset(nonce, 'n', sizeof(nonce));
	for (size_t i = 0; i < sizeof(tags); i++) {
		struct scep_reply reply = {.status = SCEP_FAILURE,
		    .fail_info = SCEP_BAD_REQUEST,
		    .fail_info_text = "the longest of each",
		    .digest = PKI_SHA512};
		cms_attributes *attributes;
		enum scep_fail_info fail;
		const ASN1_TYPE *value;
		struct scep_request *r;
		struct scep_spec s;

		scep_spec(&s, &world);
		scep_spec_find(&s, scep_oid_transaction_id)->tag = tags[i];
		scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of(id, 256);
		scep_spec_find(&s, scep_oid_sender_nonce)->value = octets_of(nonce, 64);
		scep_spec_write(&s, &message);
		assert_int_equal(
		    scep_request_parse(buffer_octets(&message), &r, &fail, NULL), SCEP_OK);
		encode(r, &reply, &out);
		attributes = attributes_of(&out);
		value = attribute(attributes, scep_oid_transaction_id);
		assert_int_equal(value->type, tags[i]);
		assert_true(
		    octets_equal(asn1_string_octets(value->value.asn1_string), octets_of(id, 256)));
		value = attribute(attributes, scep_oid_recipient_nonce);
		assert_true(octets_equal(
		    asn1_string_octets(value->value.asn1_string), octets_of(nonce, 64)));
		cms_attributes_free(attributes);
		scep_request_free(r);
		buffer_free(&message);
		buffer_free(&out);
	}
}

static void
a_sender_nonce_is_fresh_and_no_echo(void **state)
{
	struct scep_reply reply = {.status = SCEP_PENDING, .digest = PKI_SHA256};
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);
	uint8_t seen[2][16];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer out = {0};
		cms_attributes *attributes;
		struct octets nonce;

		encode(r, &reply, &out);
		attributes = attributes_of(&out);
		nonce = asn1_string_octets(
		    attribute(attributes, scep_oid_sender_nonce)->value.asn1_string);
		assert_int_equal(nonce.len, 16);
		assert_false(octets_equal(nonce, r->sender_nonce));
		memcpy(seen[i], nonce.data, 16);
		cms_attributes_free(attributes);
		buffer_free(&out);
	}
	assert_memory_not_equal(seen[0], seen[1], 16);
	scep_request_free(r);
}

static void
a_request_without_a_nonce_gets_none_back(void **state)
{
	struct scep_reply reply = {
	    .status = SCEP_FAILURE, .fail_info = SCEP_BAD_REQUEST, .digest = PKI_SHA256};
	struct buffer message = {0}, out = {0};
	cms_attributes *attributes;
	enum scep_fail_info fail;
	struct scep_request *r;
	struct scep_spec s;

	(void)state;
	scep_spec(&s, &world);
	scep_spec_find(&s, scep_oid_sender_nonce)->times = 0;
	scep_spec_write(&s, &message);
	assert_int_equal(
	    scep_request_parse(buffer_octets(&message), &r, &fail, NULL), SCEP_REFUSED);
	encode(r, &reply, &out);
	attributes = attributes_of(&out);
	assert_null(attribute(attributes, scep_oid_recipient_nonce));
	assert_non_null(attribute(attributes, scep_oid_sender_nonce));
	cms_attributes_free(attributes);
	scep_request_free(r);
	buffer_free(&message);
	buffer_free(&out);
}

static void
an_ec_key_gets_a_failure_but_no_success(void **state)
{
	struct scep_reply reply = success();
	struct scep_client_message m;
	struct scep_request *r = request(&world.ec, &m);
	struct scep_client_reply read;
	struct buffer out = {0};
	struct errbuf why = {0};

	(void)state;
	assert_false(scep_reply_encode(r, &reply, &world.responder, &out, &why));
	assert_non_null(strstr(why.line, "EC P-256"));
	assert_int_equal(out.len, 0);
	reply = (struct scep_reply){
	    .status = SCEP_FAILURE, .fail_info = SCEP_BAD_REQUEST, .digest = PKI_SHA256};
	encode(r, &reply, &out);
	read_reply(&m, &out, &read);
	assert_int_equal(read.fail_info, SCEP_BAD_REQUEST);
	scep_client_reply_free(&read);
	buffer_free(&out);
	scep_request_free(r);
}

static void
what_cannot_be_signed_or_encrypted_says_so(void **state)
{
	struct scep_responder ec = {&world.ec.certificate, world.ec.key};
	struct scep_reply reply = success();
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);
	struct buffer out = {0};
	struct errbuf why = {0};

	(void)state;
	assert_false(scep_reply_encode(r, &reply, &ec, &out, &why));
	assert_non_null(strstr(why.line, "not RSA"));
	reply.digest = PKI_DIGEST_NONE;
	assert_false(scep_reply_encode(r, &reply, &world.responder, &out, &why));
	reply.digest = PKI_SHA256;
	reply.cipher = PKI_CIPHER_NONE;
	assert_false(scep_reply_encode(r, &reply, &world.responder, &out, &why));
	assert_int_equal(out.len, 0);
	scep_request_free(r);
	buffer_free(&out);
}

static void
a_reply_is_appended(void **state)
{
	struct scep_reply reply = success();
	struct scep_client_message m;
	struct scep_request *r = request(&world.device, &m);
	struct buffer out = {0};

	(void)state;
	buffer_append_string(&out, "before");
	encode(r, &reply, &out);
	assert_memory_equal(out.data, "before\x30\x82", 8);
	scep_request_free(r);
	buffer_free(&out);
}

static void
a_degenerate_signed_data_is_read_by_openssl(void **state)
{
	struct octets certificates[3] = {
	    world.ra.certificate.der, world.other.certificate.der, world.device.certificate.der};
	struct buffer out = {0}, read[3] = {0};
	struct errbuf why = {0};
	const uint8_t *p;
	PKCS7 *p7;

	(void)state;
	assert_true(scep_degenerate_encode(certificates, 3, octets_of(NULL, 0), &out));
	assert_true(asn1_is_der(buffer_octets(&out), DER_SEQUENCE));
	p = out.data;
	p7 = d2i_PKCS7(NULL, &p, (long)out.len);
	assert_non_null(p7);
	assert_ptr_equal(p, out.data + out.len);
	assert_int_equal(sk_X509_num(p7->d.sign->cert), 3);
	assert_int_equal(X509_cmp(sk_X509_value(p7->d.sign->cert, 0), world.ra.x509), 0);
	assert_int_equal(X509_cmp(sk_X509_value(p7->d.sign->cert, 2), world.device.x509), 0);
	PKCS7_free(p7);
	assert_int_equal(scep_client_ca_certificates(buffer_octets(&out), read, 3, &why), 3);
	for (int i = 0; i < 3; i++) {
		assert_true(octets_equal(buffer_octets(&read[i]), certificates[i]));
		buffer_free(&read[i]);
	}
	buffer_free(&out);
}

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
	    cmocka_unit_test(each_digest_with_each_cipher_is_read_by_openssl),
	    cmocka_unit_test(certificates_keep_the_order_given),
	    cmocka_unit_test(a_crl_travels_without_certificates),
	    cmocka_unit_test(a_failure_says_why_and_has_no_content),
	    cmocka_unit_test(a_long_text_is_cut_between_characters),
	    cmocka_unit_test(a_pending_has_neither_content_nor_fail_info),
	    cmocka_unit_test(a_reply_is_der_and_its_attributes_are_sorted),
	    cmocka_unit_test(a_reply_echoes_the_transaction_id_in_its_type_and_the_nonce),
	    cmocka_unit_test(a_sender_nonce_is_fresh_and_no_echo),
	    cmocka_unit_test(a_request_without_a_nonce_gets_none_back),
	    cmocka_unit_test(an_ec_key_gets_a_failure_but_no_success),
	    cmocka_unit_test(what_cannot_be_signed_or_encrypted_says_so),
	    cmocka_unit_test(a_reply_is_appended),
	    cmocka_unit_test(a_degenerate_signed_data_is_read_by_openssl),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
