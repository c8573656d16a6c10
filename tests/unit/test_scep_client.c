#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scep/client.h"
#include "tests/unit/scep_message.h"

#define NOW 1795392000

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

static void
what_a_client_encodes_the_server_opens(void **state)
{
	static const enum pki_digest digests[] = {
	    PKI_MD5, PKI_SHA1, PKI_SHA256, PKI_SHA384, PKI_SHA512};
	static const enum pki_cipher ciphers[] = {PKI_DES, PKI_DES3, PKI_AES128, PKI_AES256};

	(void)state;
	for (size_t d = 0; d < sizeof(digests) / sizeof(digests[0]); d++) {
		for (size_t c = 0; c < sizeof(ciphers) / sizeof(ciphers[0]); c++) {
			struct scep_client_message m;
			struct buffer message = {0};
			struct errbuf why = {0};
			struct scep_outcome o;

			fill(&m);
			m.digest = digests[d];
			m.cipher = ciphers[c];
			if (!scep_client_encode(&m, &message, &why))
				fail_msg("%s", why.line);
			scep_run(&world, buffer_octets(&message), &o);
			if (o.rc != SCEP_OK)
				fail_msg("%s", o.why.line);
			assert_int_equal(o.request->message_type, SCEP_PKCS_REQ);
			assert_int_equal(o.request->digest, digests[d]);
			assert_int_equal(o.request->cipher, ciphers[c]);
			assert_true(
			    octets_equal(o.request->sender_nonce, octets_of(m.sender_nonce, 16)));
			assert_true(octets_equal(
			    o.request->transaction_id, octets_of_string("transaction one")));
			assert_true(octets_equal(o.csr.der, buffer_octets(&world.csr)));
			scep_outcome_free(&o);
			buffer_free(&message);
		}
	}
}

static void
each_message_has_its_own_nonce(void **state)
{
	struct scep_client_message m, n;
	struct buffer message = {0};

	(void)state;
	fill(&m);
	fill(&n);
	assert_true(scep_client_encode(&m, &message, NULL));
	assert_true(scep_client_encode(&n, &message, NULL));
	assert_memory_not_equal(m.sender_nonce, n.sender_nonce, 16);
	buffer_free(&message);
}

static void
a_transaction_id_takes_the_string_type_it_fits(void **state)
{
	static const struct {
		const char *id;
		int tag;
	} ids[] = {{"abc+/=", DER_PRINTABLE_STRING}, {"abc_", DER_UTF8_STRING}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scep_client_message m;
		struct buffer message = {0};
		struct scep_outcome o;

		fill(&m);
		m.transaction_id = ids[i].id;
		assert_true(scep_client_encode(&m, &message, NULL));
		scep_run(&world, buffer_octets(&message), &o);
		assert_int_equal(o.rc, SCEP_OK);
		assert_int_equal(o.request->transaction_id_tag, ids[i].tag);
		scep_outcome_free(&o);
		buffer_free(&message);
	}
}

static void
a_message_without_content_is_signed_and_refused_for_it(void **state)
{
	struct scep_client_message m;
	struct buffer message = {0};
	struct scep_outcome o;

	(void)state;
	fill(&m);
	m.content = octets_of(NULL, 0);
	assert_true(scep_client_encode(&m, &message, NULL));
	scep_run(&world, buffer_octets(&message), &o);
	assert_int_equal(o.rc, SCEP_REFUSED);
	assert_int_equal(o.fail, SCEP_BAD_MESSAGE_CHECK);
	scep_outcome_free(&o);
	buffer_free(&message);
}

/* A renewal: the old certificate and its key sign and open, the CSR has a key of its own. */
static void
a_renewal_is_signed_by_another_key_than_the_csrs(void **state)
{
	static const int types[] = {SCEP_RENEWAL_REQ, SCEP_PKCS_REQ};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct scep_reply reply = scep_success(&world);
		struct buffer message = {0}, answer = {0};
		struct scep_client_message m;
		struct scep_client_reply read;
		struct errbuf why = {0};
		struct scep_outcome o;

		fill(&m);
		m.message_type = types[i];
		m.signer = &world.ra.certificate; /* issued by another */
		m.key = world.ra.key;
		if (!scep_client_encode(&m, &message, &why))
			fail_msg("%s", why.line);
		scep_run(&world, buffer_octets(&message), &o);
		if (o.rc != SCEP_OK)
			fail_msg("%s", o.why.line);
		assert_int_equal(o.request->message_type, types[i]);
		assert_false(octets_equal(o.csr.spki, o.request->signer.spki));
		scep_make_reply(&world, o.request, &reply, &answer);
		if (!scep_client_read(
			&m, buffer_octets(&answer), &world.ra.certificate, 1, &read, &why))
			fail_msg("%s", why.line);
		scep_client_reply_free(&read);
		m.key = world.device.key; /* the CSR's opens nothing */
		assert_false(scep_client_read(
		    &m, buffer_octets(&answer), &world.ra.certificate, 1, &read, &why));
		scep_outcome_free(&o);
		buffer_free(&message);
		buffer_free(&answer);
	}
}

static void
names_to_ask_for_are_two_elements_in_a_sequence(void **state)
{
	static const uint8_t name[] = {0x30, 0x00}, number[] = {0x05};
	static const uint8_t subject[] = {0x30, 0x04, 0x30, 0x00, 0x30, 0x00};
	static const uint8_t serial[] = {0x30, 0x05, 0x30, 0x00, 0x02, 0x01, 0x05};
	struct octets empty = octets_of(name, sizeof(name));
	struct buffer out = {0};

	(void)state;
	assert_true(scep_client_issuer_and_subject(empty, empty, &out));
	assert_int_equal(out.len, sizeof(subject));
	assert_memory_equal(out.data, subject, sizeof(subject));
	assert_true(scep_client_issuer_and_serial(empty, octets_of(number, 1), &out));
	assert_int_equal(out.len, sizeof(subject) + sizeof(serial)); /* appended */
	assert_memory_equal(out.data + sizeof(subject), serial, sizeof(serial));
	buffer_free(&out);
}

static void
what_cannot_be_encoded_says_so(void **state)
{
	struct scep_client_message m;
	struct buffer message = {0};
	struct errbuf why = {0};

	(void)state;
	fill(&m);
	m.recipient = &world.ed.certificate;
	assert_false(scep_client_encode(&m, &message, &why));
	assert_non_null(strstr(why.line, "PKCSReq: cannot be made"));
	fill(&m);
	m.digest = PKI_DIGEST_NONE;
	assert_false(scep_client_encode(&m, &message, &why));
	fill(&m);
	m.cipher = PKI_CIPHER_NONE;
	assert_false(scep_client_encode(&m, &message, &why));
	fill(&m);
	m.key = world.other.key; /* not the signer's */
	assert_false(scep_client_encode(&m, &message, &why));
	assert_int_equal(message.len, 0);
}

static void
a_csr_holds_and_has_what_was_asked(void **state)
{
	static const uint8_t san[] = {0x30, 0x05, 0x82, 0x03, 'a', '.', 'b'};
	EVP_PKEY *keys[2] = {world.device.key, world.ec.key};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buffer out = {0};
		struct errbuf why = {0};
		struct csr csr;

		if (!scep_client_csr(keys[i], world.ra.certificate.subject,
			octets_of(san, sizeof(san)), i == 0 ? "gr\xc3\xbc\xc3\x9f" : NULL, &out,
			&why))
			fail_msg("%s", why.line);
		assert_true(csr_parse(out.data, out.len, &csr, &why));
		assert_true(csr_verify(&csr, &why));
		assert_true(octets_equal(csr.subject, world.ra.certificate.subject));
		assert_true(octets_equal(csr.san, octets_of(san, sizeof(san))));
		assert_int_equal(csr.has_challenge, i == 0);
		if (i == 0)
			assert_true(
			    octets_equal(csr.challenge, octets_of_string("gr\xc3\xbc\xc3\x9f")));
		csr_free(&csr);
		buffer_free(&out);
	}
}

static void
a_subject_that_is_no_name_makes_no_csr_and_no_certificate(void **state)
{
	struct octets bad = octets_of_string("CN=x");
	struct buffer out = {0};
	struct errbuf why = {0};

	(void)state;
	assert_false(scep_client_csr(world.device.key, bad, octets_of(NULL, 0), NULL, &out, &why));
	assert_non_null(strstr(why.line, "CSR: cannot be made"));
	assert_false(scep_client_self_signed(world.device.key, bad, NOW, &out, &why));
	assert_non_null(strstr(why.line, "cannot be made"));
	assert_int_equal(out.len, 0);
}

static void
a_self_signed_certificate_holds_for_a_week(void **state)
{
	struct certificate c;
	struct buffer out = {0};
	struct errbuf why = {0};

	(void)state;
	assert_true(scep_client_self_signed(
	    world.device.key, world.ra.certificate.subject, NOW, &out, &why));
	assert_true(certificate_parse(buffer_octets(&out), &c, &why));
	assert_true(certificate_is_self_issued(&c));
	assert_true(certificate_verify(&c, &c, &why));
	assert_int_equal(c.not_before, NOW - 3600);
	assert_int_equal(c.not_after, NOW + 7 * 86400);
	assert_int_equal(c.serial.len, 16);
	certificate_free(&c);
	buffer_free(&out);
}

/* RFC 8894 2.3: its key signs the message, and opens the reply where it can. */
static void
a_self_signed_certificate_says_what_its_key_is_for(void **state)
{
	const struct {
		EVP_PKEY *key;
		int usage;
	} cases[] = {
	    {world.device.key, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT},
	    {world.ec.key, KEY_USAGE_DIGITAL_SIGNATURE},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct certificate c;
		struct buffer out = {0};
		struct errbuf why = {0};

		assert_true(scep_client_self_signed(
		    cases[i].key, world.ra.certificate.subject, NOW, &out, &why));
		assert_true(certificate_parse(buffer_octets(&out), &c, &why));
		assert_int_equal(c.key_usage, cases[i].usage);
		assert_false(c.ca);
		certificate_free(&c);
		buffer_free(&out);
	}
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
	    cmocka_unit_test(what_a_client_encodes_the_server_opens),
	    cmocka_unit_test(each_message_has_its_own_nonce),
	    cmocka_unit_test(a_transaction_id_takes_the_string_type_it_fits),
	    cmocka_unit_test(a_message_without_content_is_signed_and_refused_for_it),
	    cmocka_unit_test(a_renewal_is_signed_by_another_key_than_the_csrs),
	    cmocka_unit_test(names_to_ask_for_are_two_elements_in_a_sequence),
	    cmocka_unit_test(what_cannot_be_encoded_says_so),
	    cmocka_unit_test(a_csr_holds_and_has_what_was_asked),
	    cmocka_unit_test(a_subject_that_is_no_name_makes_no_csr_and_no_certificate),
	    cmocka_unit_test(a_self_signed_certificate_holds_for_a_week),
	    cmocka_unit_test(a_self_signed_certificate_says_what_its_key_is_for),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
