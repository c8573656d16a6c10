#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scep/client.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

static void
fill(struct scep_client_message *m)
{
	*m = (struct scep_client_message){
	    .message_type = SCEP_PKCS_REQ,
	    .transaction_id = "transaction one",
	    .content = buffer_octets(&world.csr),
	    .signer = &world.device.certificate,
	    .key = world.device.key,
	    .recipient = &world.ra.certificate,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES128,
	};
}

/* ---- replies ---------------------------------------------------------------------------------------------------------------- */

static const uint8_t nonce[16] = "the client's own";

/* A CertRep of SUCCESS by the RA for device, as good as they come; m is what it answers. */
static void
cert_rep(struct scep_spec *s, struct scep_client_message *m, struct buffer *envelope)
{
	struct octets certificate = world.device.certificate.der;
	struct buffer degenerate = {0};

	fill(m);
	memcpy(m->sender_nonce, nonce, sizeof(nonce));
	scep_spec(s, &world);
	s->signer = &world.ra;
	scep_spec_find(s, scep_oid_message_type)->value = octets_of_string("3");
	s->attributes[6] = (struct scep_spec_attribute){
	    scep_oid_pki_status, DER_PRINTABLE_STRING, octets_of_string("0"), 1, 1};
	s->attributes[7] = (struct scep_spec_attribute){
	    scep_oid_recipient_nonce, DER_OCTET_STRING, octets_of(nonce, 16), 1, 1};
	s->attributes[8] = (struct scep_spec_attribute){
	    scep_oid_fail_info, DER_PRINTABLE_STRING, octets_of_string("2"), 1, 0};
	if (envelope->len == 0) {
		assert_true(
		    scep_degenerate_encode(&certificate, 1, octets_of(NULL, 0), &degenerate));
		scep_make_envelope(
		    world.device.x509, PKI_AES256, buffer_octets(&degenerate), false, envelope);
		buffer_free(&degenerate);
	}
	s->content = buffer_octets(envelope);
}

static bool
read_spec(const struct scep_spec *s, const struct scep_client_message *m,
    const struct certificate *trusted, struct scep_client_reply *out, struct errbuf *why)
{
	struct buffer reply = {0};
	bool held;

	why->line[0] = '\0';
	scep_spec_write(s, &reply);
	held = scep_client_read(m, buffer_octets(&reply), trusted, 1, out, why);
	buffer_free(&reply);
	return held;
}

static void
assert_unreadable(const struct scep_spec *s, const struct scep_client_message *m, const char *words)
{
	struct scep_client_reply read;
	struct errbuf why;

	assert_false(read_spec(s, m, &world.ra.certificate, &read, &why));
	assert_int_equal(read.certificate_count, 0);
	assert_null(read.certificates[0].data);
	if (strstr(why.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", why.line, words);
}

static void
a_good_reply_is_read(void **state)
{
	struct buffer envelope = {0};
	struct scep_client_message m;
	struct scep_client_reply read;
	struct scep_spec s;
	struct errbuf why;

	(void)state;
	cert_rep(&s, &m, &envelope);
	for (int ber = 0; ber < 2; ber++) {
		s.ber = ber == 1;
		if (!read_spec(&s, &m, &world.ra.certificate, &read, &why))
			fail_msg("%s", why.line);
		assert_int_equal(read.status, SCEP_SUCCESS);
		assert_int_equal(read.certificate_count, 1);
		assert_true(octets_equal(
		    buffer_octets(&read.certificates[0]), world.device.certificate.der));
		scep_client_reply_free(&read);
	}
	buffer_free(&envelope);
}

static void
a_reply_by_somebody_else_is_refused(void **state)
{
	struct buffer envelope = {0};
	struct scep_client_message m;
	struct scep_client_reply read;
	struct scep_spec s;
	struct errbuf why;

	(void)state;
	cert_rep(&s, &m, &envelope);
	assert_false(read_spec(&s, &m, &world.other.certificate, &read, &why));
	assert_non_null(strstr(why.line, "not signed by the CA or RA"));
	s.signer =
	    &world.other; /* its certificate is in the message, and that counts for nothing */
	assert_unreadable(&s, &m, "not signed by the CA or RA");
	buffer_free(&envelope);
}

static void
an_altered_reply_is_refused(void **state)
{
	struct buffer envelope = {0};
	struct scep_client_message m;
	struct scep_spec s;

	(void)state;
	cert_rep(&s, &m, &envelope);
	s.bad_signature = true;
	assert_unreadable(&s, &m, "not signed");
	cert_rep(&s, &m, &envelope);
	s.bad_digest = true;
	assert_unreadable(&s, &m, "not signed");
	cert_rep(&s, &m, &envelope);
	s.behind = octets_of_string("x");
	assert_unreadable(&s, &m, "exactly one SignedData");
	cert_rep(&s, &m, &envelope);
	s.signers = 2;
	assert_unreadable(&s, &m, "one signer");
	s.signers = 0;
	assert_unreadable(&s, &m, "one signer");
	buffer_free(&envelope);
}

static void
a_reply_to_something_else_is_refused(void **state)
{
	struct buffer envelope = {0};
	struct scep_client_message m;
	struct scep_spec s;

	(void)state;
	cert_rep(&s, &m, &envelope);
	m.transaction_id = "another";
	assert_unreadable(&s, &m, "transactionID is not that of the request");
	cert_rep(&s, &m, &envelope);
	m.sender_nonce[15] ^= 1;
	assert_unreadable(&s, &m, "recipientNonce is not");
	cert_rep(&s, &m, &envelope);
	scep_spec_find(&s, scep_oid_message_type)->value = octets_of_string("19");
	assert_unreadable(&s, &m, "messageType is 19, want 3");
	cert_rep(&s, &m, &envelope);
	s.attributes[6].value = octets_of_string("1");
	assert_unreadable(&s, &m, "pkiStatus is 1");
	buffer_free(&envelope);
}

static void
a_reply_that_lacks_an_attribute_is_refused(void **state)
{
	static const struct {
		int at;
		const char *words;
	} cases[] = {
	    {2, "messageType"}, {3, "transactionID"}, {6, "pkiStatus"}, {7, "recipientNonce"}};
	struct buffer envelope = {0};
	struct scep_client_message m;
	struct scep_spec s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int times = 0; times <= 2; times += 2) {
			cert_rep(&s, &m, &envelope);
			s.attributes[cases[i].at].times = times;
			assert_unreadable(&s, &m, cases[i].words);
		}
		cert_rep(&s, &m, &envelope);
		s.attributes[cases[i].at].tag = DER_IA5_STRING;
		assert_unreadable(&s, &m, cases[i].words);
	}
	buffer_free(&envelope);
}

static void
a_failure_is_read_with_its_fail_info(void **state)
{
	struct buffer envelope = {0};
	struct scep_client_message m;
	struct scep_client_reply read;
	struct scep_spec s;
	struct errbuf why;

	(void)state;
	cert_rep(&s, &m, &envelope);
	s.no_content = true;
	s.content = octets_of(NULL, 0);
	s.attributes[6].value = octets_of_string("2");
	assert_unreadable(&s, &m, "want one failInfo");
	s.attributes[8].times = 1;
	assert_true(read_spec(&s, &m, &world.ra.certificate, &read, &why));
	assert_int_equal(read.status, SCEP_FAILURE);
	assert_int_equal(read.fail_info, SCEP_BAD_REQUEST);
	scep_client_reply_free(&read);
	/* Some servers send content of no octets. */
	s.no_content = false;
	s.content = octets_of("", 0);
	assert_true(read_spec(&s, &m, &world.ra.certificate, &read, &why));
	scep_client_reply_free(&read);
	s.attributes[8].value = octets_of_string("5");
	assert_unreadable(&s, &m, "failInfo is 5");
	buffer_free(&envelope);
}

static void
a_success_for_another_or_without_certificates_is_refused(void **state)
{
	struct buffer envelope = {0}, empty = {0};
	struct scep_client_message m;
	struct scep_spec s;

	(void)state;
	cert_rep(&s, &m, &envelope);
	m.key = world.other.key;
	m.signer = &world.other.certificate;
	assert_unreadable(&s, &m, "cannot be decrypted");
	cert_rep(&s, &m, &envelope);
	s.no_content = true;
	s.content = octets_of(NULL, 0);
	assert_unreadable(&s, &m, "cannot be decrypted");
	cert_rep(&s, &m, &envelope);
	assert_true(scep_degenerate_encode(NULL, 0, octets_of(NULL, 0), &empty));
	envelope.len = 0;
	scep_make_envelope(world.device.x509, PKI_AES256, buffer_octets(&empty), false, &envelope);
	s.content = buffer_octets(&envelope);
	assert_unreadable(&s, &m, "without a certificate");
	buffer_free(&envelope);
	buffer_free(&empty);
}

static void
ca_certificates_come_alone_or_in_a_degenerate_signed_data(void **state)
{
	struct octets certificates[3] = {
	    world.ra.certificate.der, world.other.certificate.der, world.ec.certificate.der};
	struct buffer body = {0}, out[3] = {0};
	struct errbuf why = {0};

	(void)state;
	assert_int_equal(scep_client_ca_certificates(certificates[0], out, 3, &why), 1);
	assert_true(octets_equal(buffer_octets(&out[0]), certificates[0]));
	buffer_free(&out[0]);
	assert_true(scep_degenerate_encode(certificates, 3, octets_of(NULL, 0), &body));
	assert_int_equal(scep_client_ca_certificates(buffer_octets(&body), out, 3, &why), 3);
	for (int i = 0; i < 3; i++) {
		assert_true(octets_equal(buffer_octets(&out[i]), certificates[i]));
		buffer_free(&out[i]);
	}
	assert_int_equal(scep_client_ca_certificates(buffer_octets(&body), out, 2, &why), -1);
	assert_non_null(strstr(why.line, "over 2 certificates"));
	for (int i = 0; i < 3; i++)
		buffer_free(&out[i]);
	buffer_free(&body);
}

static void
ca_certificates_that_are_none_are_refused(void **state)
{
	struct buffer body = {0}, out[2] = {0};
	struct errbuf why = {0};

	(void)state;
	assert_int_equal(scep_client_ca_certificates(octets_of_string("<html>"), out, 2, &why), -1);
	assert_non_null(strstr(why.line, "neither a certificate nor a SignedData"));
	assert_int_equal(scep_client_ca_certificates(octets_of(NULL, 0), out, 2, &why), -1);
	assert_true(scep_degenerate_encode(NULL, 0, octets_of(NULL, 0), &body));
	assert_int_equal(scep_client_ca_certificates(buffer_octets(&body), out, 2, &why), -1);
	assert_non_null(strstr(why.line, "no certificates"));
	buffer_free(&body);
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
	    cmocka_unit_test(a_good_reply_is_read),
	    cmocka_unit_test(a_reply_by_somebody_else_is_refused),
	    cmocka_unit_test(an_altered_reply_is_refused),
	    cmocka_unit_test(a_reply_to_something_else_is_refused),
	    cmocka_unit_test(a_reply_that_lacks_an_attribute_is_refused),
	    cmocka_unit_test(a_failure_is_read_with_its_fail_info),
	    cmocka_unit_test(a_success_for_another_or_without_certificates_is_refused),
	    cmocka_unit_test(ca_certificates_come_alone_or_in_a_degenerate_signed_data),
	    cmocka_unit_test(ca_certificates_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
