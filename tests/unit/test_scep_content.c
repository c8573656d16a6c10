/* test_scep_content.c: what CertPoll, GetCert and GetCRL ask for, out of their envelopes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "base/der.h"
#include "scep/client.h"
#include "scep/decoy.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

static struct scep_world world;

static const uint8_t serial_octets[] = {0x00, 0x9a, 0x01, 0x02, 0x03};
static const struct octets serial = {serial_octets, sizeof(serial_octets)};

static struct octets
issuer(void)
{
	return world.ra.certificate.issuer;
}

static struct octets
subject(void)
{
	return world.device.certificate.subject;
}

struct opened {
	enum scep_rc rc;
	const char *stage;
	struct errbuf why;
	struct scep_request *request;
	struct scep_query_content content;
};

static void
open_message(struct octets message, struct opened *o)
{
	enum scep_fail_info fail;

	memset(o, 0, sizeof(*o));
	o->rc = scep_request_parse(message, &o->request, &fail, &o->why);
	assert_int_equal(o->rc, SCEP_OK);
	o->rc =
	    scep_request_open_query(o->request, &world.recipient, &o->content, &o->stage, &o->why);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(o->rc == SCEP_OK, o->why.line[0] == '\0');
	assert_int_equal(o->rc == SCEP_OK, o->stage == NULL);
}

static void
free_opened(struct opened *o)
{
	scep_query_content_free(&o->content);
	assert_null(o->content.issuer.data);
	scep_query_content_free(&o->content);
	scep_request_free(o->request);
}

/* A message of this type with content in its envelope. */
static void
spec(struct scep_spec *s, const char *type, struct octets content)
{
	scep_spec(s, &world);
	scep_spec_find(s, scep_oid_message_type)->value = octets_of_string(type);
	s->csr = content;
}

static void
open_spec(const struct scep_spec *s, struct opened *o)
{
	struct buffer message = {0};

	scep_spec_write(s, &message);
	open_message(buffer_octets(&message), o);
	buffer_free(&message);
}

static void
open_content(const char *type, struct octets content, struct opened *o)
{
	struct scep_spec s;

	spec(&s, type, content);
	open_spec(&s, o);
}

static void
assert_decoy(const struct opened *o)
{
	if (o->request->message_type == SCEP_CERT_POLL)
		assert_true(octets_equal(o->content.issuer, o->content.subject));
	else
		assert_int_equal(o->content.serial.len, 16);
	assert_int_equal(o->content.issuer.len, 42);
	assert_non_null(memmem(o->content.issuer.data, o->content.issuer.len, "decoy.invalid",
	    strlen("decoy.invalid")));
}

static void
assert_refused(const struct scep_spec *s, const char *stage, const char *words)
{
	struct opened o;

	open_spec(s, &o);
	assert_int_equal(o.rc, SCEP_REFUSED);
	assert_string_equal(o.stage, stage);
	if (strstr(o.why.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", o.why.line, words);
	if (strcmp(stage, "verify") == 0)
		assert_null(o.content.issuer.data);
	else
		assert_decoy(&o);
	free_opened(&o);
}

static void
assert_content_refused(const char *type, struct octets content, const char *words)
{
	struct scep_spec s;

	spec(&s, type, content);
	assert_refused(&s, "parse", words);
}

static void
a_poll_has_issuer_and_subject(void **state)
{
	struct buffer content = {0};
	struct opened o;

	(void)state;
	assert_true(scep_client_issuer_and_subject(issuer(), subject(), &content));
	open_content("20", buffer_octets(&content), &o);
	assert_int_equal(o.rc, SCEP_OK);
	assert_int_equal(o.request->message_type, SCEP_CERT_POLL);
	assert_true(octets_equal(o.content.issuer, issuer()));
	assert_true(octets_equal(o.content.subject, subject()));
	assert_int_equal(o.content.serial.len, 0);
	free_opened(&o);
	assert_content_refused("21", buffer_octets(&content), "GetCert: want exactly one");
	assert_content_refused("22", buffer_octets(&content), "GetCRL: want exactly one");
	buffer_free(&content);
}

static void
get_cert_and_get_crl_have_issuer_and_serial(void **state)
{
	static const char *const types[] = {"21", "22"};
	struct buffer content = {0};
	struct opened o;

	(void)state;
	assert_true(scep_client_issuer_and_serial(issuer(), serial, &content));
	for (int i = 0; i < 2; i++) {
		open_content(types[i], buffer_octets(&content), &o);
		assert_int_equal(o.rc, SCEP_OK);
		assert_true(octets_equal(o.content.issuer, issuer()));
		assert_true(octets_equal(o.content.serial, serial));
		assert_int_equal(o.content.subject.len, 0);
		free_opened(&o);
	}
	assert_content_refused("20", buffer_octets(&content), "CertPoll: want exactly one");
	buffer_free(&content);
}

static void
indefinite_lengths_open(void **state)
{
	struct buffer content = {0}, ber = {0};
	struct opened o;

	(void)state;
	assert_true(scep_client_issuer_and_serial(issuer(), serial, &content));
	scep_to_ber(buffer_octets(&content), -1, &ber);
	open_content("21", buffer_octets(&ber), &o);
	assert_int_equal(o.rc, SCEP_OK);
	assert_true(octets_equal(o.content.serial, serial));
	assert_int_equal(o.content.issuer.data[1], 0x80); /* as it came */
	free_opened(&o);
	ber.len -= 2; /* no end */
	assert_content_refused("21", buffer_octets(&ber), "GetCert");
	buffer_free(&content);
	buffer_free(&ber);
}

/* A Name is looked at by who needs it: clients write what they like. */
static void
names_are_not_looked_at(void **state)
{
	static const uint8_t names[] = {0x30, 0x07, 0x30, 0x00, 0x30, 0x03, 0x01, 0x01, 0x00};
	static const uint8_t a_set[] = {0x30, 0x04, 0x31, 0x00, 0x30, 0x00};
	struct opened o;

	(void)state;
	open_content("20", octets_of(names, sizeof(names)), &o);
	assert_int_equal(o.rc, SCEP_OK);
	assert_int_equal(o.content.issuer.len, 2);
	assert_int_equal(o.content.subject.len, 5);
	free_opened(&o);
	assert_content_refused("20", octets_of(a_set, sizeof(a_set)), "CertPoll");
}

static void
a_serial_number_has_1_to_64_octets(void **state)
{
	static const size_t good[] = {1, 20, 32, 64}, bad[] = {0, 65, 200};
	uint8_t octets[200];
	struct buffer content = {0};
	struct opened o;

	(void)state;
	memset(octets, 0xff, sizeof(octets)); /* negative, too */
	for (int i = 0; i < 4; i++) {
		assert_true(
		    scep_client_issuer_and_serial(issuer(), octets_of(octets, good[i]), &content));
		open_content("22", buffer_octets(&content), &o);
		assert_int_equal(o.rc, SCEP_OK);
		assert_int_equal(o.content.serial.len, good[i]);
		free_opened(&o);
		buffer_free(&content);
	}
	for (int i = 0; i < 3; i++) {
		assert_true(
		    scep_client_issuer_and_serial(issuer(), octets_of(octets, bad[i]), &content));
		assert_content_refused("22", buffer_octets(&content), "GetCRL: serialNumber");
		buffer_free(&content);
	}
}

static void
content_that_is_something_else_is_refused(void **state)
{
	static const char *const types[] = {"20", "21", "22"};
	struct buffer content[2] = {0};

	(void)state;
	assert_true(scep_client_issuer_and_subject(issuer(), subject(), &content[0]));
	assert_true(scep_client_issuer_and_serial(issuer(), serial, &content[1]));
	for (int i = 0; i < 3; i++) {
		struct buffer *good = &content[i > 0];

		assert_content_refused(types[i], buffer_octets(&world.csr), "want exactly one");
		assert_content_refused(types[i], octets_of("", 0), "want exactly one");
		assert_content_refused(
		    types[i], octets_of_string("plain text"), "want exactly one");
		assert_content_refused(
		    types[i], octets_of(good->data, good->len - 1), "want exactly one");
		buffer_append(good, "", 1);
		assert_content_refused(types[i], buffer_octets(good), "want exactly one");
		good->len--;
	}
	buffer_free(&content[0]);
	buffer_free(&content[1]);
}

static void
content_has_a_limit(void **state)
{
	uint8_t *name = calloc(1, SCEP_QUERY_CONTENT_MAX);
	size_t frame = 4 + 5, size = SCEP_QUERY_CONTENT_MAX - frame - 4;
	struct buffer content = {0};
	struct opened o;

	(void)state;
	assert_non_null(name);
	name[0] = 0x30;
	name[1] = 0x82;
	for (int over = 0; over < 2; over++, size++) {
		name[2] = (uint8_t)((size) >> 8);
		name[3] = (uint8_t)(size);
		assert_true(scep_client_issuer_and_serial(
		    octets_of(name, size + 4), octets_of(serial.data, 3), &content));
		assert_int_equal(content.len, SCEP_QUERY_CONTENT_MAX + over);
		if (over == 0) {
			open_content("21", buffer_octets(&content), &o);
			assert_int_equal(o.rc, SCEP_OK);
			free_opened(&o);
		} else {
			assert_content_refused("21", buffer_octets(&content), "32769 octets");
		}
		buffer_free(&content);
	}
	free(name);
}

static void
faults_before_the_content_are_told_apart_by_stage_alone(void **state)
{
	struct buffer content = {0};
	struct scep_spec s;

	(void)state;
	assert_true(scep_client_issuer_and_serial(issuer(), serial, &content));
	spec(&s, "21", buffer_octets(&content));
	s.bad_signature = true;
	assert_refused(&s, "verify", "SignerInfo: signature");
	s.bad_signature = false;
	s.bad_digest = true;
	assert_refused(&s, "verify", "messageDigest");
	s.bad_digest = false;
	s.recipient = &world.other;
	assert_refused(&s, "decrypt", "for another recipient");
	buffer_free(&content);
}

static void
a_broken_envelope_opens_as_the_decoy(void **state)
{
	struct buffer content = {0}, envelope = {0};
	struct scep_spec s;

	(void)state;
	assert_true(scep_client_issuer_and_subject(issuer(), subject(), &content));
	spec(&s, "20", buffer_octets(&content));
	scep_make_envelope(world.ra.x509, PKI_AES128, s.csr, false, &envelope);
	s.content = buffer_octets(&envelope);
	for (int bit = 1; bit < 256; bit <<= 1) {
		struct opened o;

		envelope.data[envelope.len - 17] ^= (uint8_t)bit;
		open_spec(&s, &o);
		assert_int_equal(o.rc, SCEP_REFUSED);
		assert_string_not_equal(o.stage, "verify");
		assert_decoy(&o);
		free_opened(&o);
		envelope.data[envelope.len - 17] ^= (uint8_t)bit;
	}
	buffer_free(&content);
	buffer_free(&envelope);
}

static void
the_decoys_are_well_formed(void **state)
{
	struct opened o;

	(void)state;
	open_content("20", scep_decoy_issuer_and_subject, &o);
	assert_int_equal(o.rc, SCEP_OK);
	assert_decoy(&o);
	free_opened(&o);
	open_content("21", scep_decoy_issuer_and_serial, &o);
	assert_int_equal(o.rc, SCEP_OK);
	assert_decoy(&o);
	free_opened(&o);
}

static void
other_messages_have_no_such_content(void **state)
{
	static const char *const types[] = {"19", "17", "3", "99"};
	struct opened o;

	(void)state;
	for (int i = 0; i < 4; i++) {
		open_content(types[i], buffer_octets(&world.csr), &o);
		assert_int_equal(o.rc, SCEP_FAULT);
		assert_null(o.content.issuer.data);
		free_opened(&o);
	}
}

static void
a_signature_is_verified_by_itself(void **state)
{
	for (int bad = 0; bad < 2; bad++) {
		struct buffer message = {0};
		struct scep_request *r;
		enum scep_fail_info fail;
		struct scep_spec s;
		struct errbuf why = {0};

		(void)state;
		spec(&s, "20", octets_of("", 0));
		s.bad_signature = bad == 1;
		scep_spec_write(&s, &message);
		assert_int_equal(
		    scep_request_parse(buffer_octets(&message), &r, &fail, &why), SCEP_OK);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(
			    scep_request_verify(r, &why), bad == 1 ? SCEP_REFUSED : SCEP_OK);
			assert_int_equal(why.line[0] != '\0', bad == 1);
		}
		scep_request_free(r);
		buffer_free(&message);
	}
}

static void
a_query_by_an_ec_key_opens(void **state)
{
	struct buffer content = {0};
	struct scep_spec s;
	struct opened o;

	(void)state;
	assert_true(scep_client_issuer_and_serial(issuer(), serial, &content));
	spec(&s, "21", buffer_octets(&content));
	s.signer = &world.ec;
	open_spec(&s, &o);
	assert_int_equal(o.rc, SCEP_OK);
	free_opened(&o);
	s.bad_signature = true;
	assert_refused(&s, "verify", "SignerInfo: signature");
	buffer_free(&content);
}

/* By scep/client, with a certificate that another issued as signer: as a renewed device asks. */
static void
what_a_client_asks_for_arrives(void **state)
{
	struct buffer content = {0}, message = {0};
	struct scep_client_message m = {
	    .message_type = SCEP_GET_CRL,
	    .transaction_id = "constant",
	    .signer = &world.ra.certificate,
	    .key = world.ra.key,
	    .recipient = &world.ra.certificate,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES128,
	};
	struct errbuf why = {0};
	struct opened o;

	(void)state;
	assert_true(scep_client_issuer_and_serial(issuer(), serial, &content));
	m.content = buffer_octets(&content);
	if (!scep_client_encode(&m, &message, &why))
		fail_msg("%s", why.line);
	open_message(buffer_octets(&message), &o);
	assert_int_equal(o.rc, SCEP_OK);
	assert_int_equal(o.request->message_type, SCEP_GET_CRL);
	assert_false(o.request->signer_self_signed);
	assert_true(octets_equal(o.content.serial, serial));
	free_opened(&o);
	buffer_free(&content);
	buffer_free(&message);
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
	    cmocka_unit_test(a_poll_has_issuer_and_subject),
	    cmocka_unit_test(get_cert_and_get_crl_have_issuer_and_serial),
	    cmocka_unit_test(indefinite_lengths_open),
	    cmocka_unit_test(names_are_not_looked_at),
	    cmocka_unit_test(a_serial_number_has_1_to_64_octets),
	    cmocka_unit_test(content_that_is_something_else_is_refused),
	    cmocka_unit_test(content_has_a_limit),
	    cmocka_unit_test(faults_before_the_content_are_told_apart_by_stage_alone),
	    cmocka_unit_test(a_broken_envelope_opens_as_the_decoy),
	    cmocka_unit_test(the_decoys_are_well_formed),
	    cmocka_unit_test(other_messages_have_no_such_content),
	    cmocka_unit_test(a_signature_is_verified_by_itself),
	    cmocka_unit_test(a_query_by_an_ec_key_opens),
	    cmocka_unit_test(what_a_client_asks_for_arrives),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
