#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/asn1.h"
#include "scep/client.h"
#include "scep/cms.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

static void
read_reply(
    const struct scep_client_message *m, const struct buffer *reply, struct scep_client_reply *out)
{
	struct errbuf why = {0};

	if (!scep_client_read(m, buffer_octets(reply), &world.ra.certificate, 1, out, &why))
		fail_msg("%s", why.line);
}

static void
each_digest_with_each_cipher_is_read_by_openssl(void **state)
{
	static const enum pki_digest digests[] = {
	    PKI_MD5, PKI_SHA1, PKI_SHA256, PKI_SHA384, PKI_SHA512};
	static const enum pki_cipher ciphers[] = {PKI_DES, PKI_DES3, PKI_AES128, PKI_AES256};
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);

	(void)state;
	for (size_t d = 0; d < sizeof(digests) / sizeof(digests[0]); d++) {
		for (size_t c = 0; c < sizeof(ciphers) / sizeof(ciphers[0]); c++) {
			struct scep_reply reply = scep_success(&world);
			struct scep_client_reply read;
			struct buffer out = {0};

			reply.digest = digests[d];
			reply.cipher = ciphers[c];
			scep_make_reply(&world, r, &reply, &out);
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
	struct scep_request *r = scep_make_request(&world, &world.device, &m);

	(void)state;
	for (int first = 0; first < 4; first++) {
		struct scep_reply reply = scep_success(&world);
		struct scep_client_reply read;
		struct buffer out = {0};

		reply.certificate_count = 4;
		for (int i = 0; i < 4; i++)
			reply.certificates[i] = certificates[(first + i) % 4];
		scep_make_reply(&world, r, &reply, &out);
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

/* Signed by the RA's key, with so many revoked. */
static void
make_crl(long revoked, struct buffer *out)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *now = ASN1_TIME_set(NULL, 1795392000);
	uint8_t *der = NULL;
	int len;

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(world.ra.x509));
	X509_CRL_set1_lastUpdate(crl, now);
	X509_CRL_set1_nextUpdate(crl, now);
	for (long i = 0; i < revoked; i++) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *serial = ASN1_INTEGER_new();

		ASN1_INTEGER_set(serial, i + 1);
		X509_REVOKED_set_serialNumber(r, serial);
		X509_REVOKED_set_revocationDate(r, now);
		X509_CRL_add0_revoked(crl, r);
		ASN1_INTEGER_free(serial);
	}
	assert_true(X509_CRL_sign(crl, world.ra.key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	assert_true(len > 0);
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	ASN1_TIME_free(now);
	X509_CRL_free(crl);
}

static void
a_crl_travels_without_certificates(void **state)
{
	static const long revoked[] = {0, 3, 100000};
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct scep_reply reply = scep_success(&world);
		struct buffer crl = {0}, out = {0};
		struct scep_client_reply read;
		const uint8_t *p;
		X509_CRL *x;

		make_crl(revoked[i], &crl);
		reply.certificate_count = 0;
		reply.crl = buffer_octets(&crl);
		scep_make_reply(&world, r, &reply, &out);
		read_reply(&m, &out, &read);
		assert_int_equal(read.certificate_count, 0);
		assert_true(octets_equal(buffer_octets(&read.crl), reply.crl));
		p = read.crl.data;
		x = d2i_X509_CRL(NULL, &p, (long)read.crl.len);
		assert_non_null(x);
		assert_int_equal(X509_CRL_verify(x, world.ra.key), 1);
		X509_CRL_free(x);
		scep_client_reply_free(&read);
		buffer_free(&crl);
		buffer_free(&out);
	}
	scep_request_free(r);
}

static void
a_failure_says_why_and_has_no_envelope(void **state)
{
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);

	(void)state;
	for (int f = SCEP_BAD_ALG; f <= SCEP_BAD_CERT_ID; f++) {
		struct scep_reply reply = {.status = SCEP_FAILURE,
		    .fail_info = (enum scep_fail_info)f,
		    .fail_info_text = f == SCEP_BAD_ALG ? "gr\xc3\xbc\xc3\x9f" : NULL,
		    .digest = PKI_SHA256};
		struct scep_client_reply read;
		struct buffer out = {0};
		cms_signed *s;

		scep_make_reply(&world, r, &reply, &out);
		s = cms_signed_parse(buffer_octets(&out));
		assert_non_null(s);
		/* There and empty: certmonger's PKCS7_verify() wants it there. */
		assert_non_null(s->signed_data->encap.content);
		assert_int_equal(s->signed_data->encap.content->length, 0);
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
	struct scep_request *r = scep_make_request(&world, &world.device, &m);
	struct scep_client_reply read;
	struct buffer out = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + 1023, "\xe2\x82\xac", 3); /* one character, three octets */
	text[2047] = '\0';
	scep_make_reply(&world, r, &reply, &out);
	read_reply(&m, &out, &read);
	assert_int_equal(strlen(read.fail_info_text), sizeof(read.fail_info_text) - 1);
	/* The attribute itself: 1023 octets. */
	assert_non_null(memmem(out.data, out.len, "\x0c\x82\x03\xff", 4));
	scep_client_reply_free(&read);
	buffer_free(&out);
	scep_request_free(r);
}

static void
a_pending_has_neither_envelope_nor_fail_info(void **state)
{
	struct scep_reply reply = {
	    .status = SCEP_PENDING, .fail_info_text = "not told", .digest = PKI_SHA512};
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);
	struct scep_client_reply read;
	struct buffer out = {0};

	(void)state;
	scep_make_reply(&world, r, &reply, &out);
	read_reply(&m, &out, &read);
	assert_int_equal(read.status, SCEP_PENDING);
	assert_int_equal(read.fail_info, SCEP_NO_FAIL_INFO);
	assert_string_equal(read.fail_info_text, "");
	assert_null(memmem(out.data, out.len, scep_oid_fail_info.data, scep_oid_fail_info.len));
	scep_client_reply_free(&read);
	buffer_free(&out);
	scep_request_free(r);
}

static void
an_ec_key_gets_a_failure_but_no_success(void **state)
{
	struct scep_reply reply = scep_success(&world);
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.ec, &m);
	struct scep_client_reply read;
	struct buffer out = {0};
	struct errbuf why = {0};

	(void)state;
	assert_false(scep_reply_encode(r, &reply, &world.responder, &out, &why));
	assert_non_null(strstr(why.line, "EC P-256"));
	assert_int_equal(out.len, 0);
	reply = (struct scep_reply){
	    .status = SCEP_FAILURE, .fail_info = SCEP_BAD_REQUEST, .digest = PKI_SHA256};
	scep_make_reply(&world, r, &reply, &out);
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
	struct scep_reply reply = scep_success(&world);
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);
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
	struct scep_reply reply = scep_success(&world);
	struct scep_client_message m;
	struct scep_request *r = scep_make_request(&world, &world.device, &m);
	struct buffer out = {0};

	(void)state;
	buffer_append_string(&out, "before");
	scep_make_reply(&world, r, &reply, &out);
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
	    cmocka_unit_test(a_failure_says_why_and_has_no_envelope),
	    cmocka_unit_test(a_long_text_is_cut_between_characters),
	    cmocka_unit_test(a_pending_has_neither_envelope_nor_fail_info),
	    cmocka_unit_test(an_ec_key_gets_a_failure_but_no_success),
	    cmocka_unit_test(what_cannot_be_signed_or_encrypted_says_so),
	    cmocka_unit_test(a_reply_is_appended),
	    cmocka_unit_test(a_degenerate_signed_data_is_read_by_openssl),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
