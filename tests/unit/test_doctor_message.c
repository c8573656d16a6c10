/* test_doctor_message.c: what scepctl doctor asks by PKIOperation, and what it finds in the replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "base/der.h"
#include "scep/oid.h"
#include "tests/unit/doctor_world.h"
#include "tests/unit/scep_message.h"

static struct doctor d;
static struct doctor_world *const w = &doctor_world;

static int
heal(void **state)
{
	(void)state;
	doctor_healthy(&d);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	doctor_free(&d);
	return 0;
}

/* Nobody reads polls there: every answer to one is this. */
static void
set_polls(int status, const char *type, const char *body)
{
	for (int q = DOCTOR_ASK_POLL; q < DOCTOR_QUESTIONS; q++) {
		d.replies[q] = (struct doctor_reply){0};
		errbuf_set(&d.replies[q].why, "CertRep: not one");
		doctor_set_text(&d, (enum doctor_question)q, status, type, body);
	}
}

static void
junk_is_the_clients_fault(void **state)
{
	(void)state;
	doctor_assert(&d, "bad-message", DOCTOR_OK, "400");
	doctor_set_text(&d, DOCTOR_ASK_JUNK, 200, "application/x-pki-message", "CertRep");
	doctor_assert(&d, "bad-message", DOCTOR_OK, "CertRep");
	doctor_set_text(&d, DOCTOR_ASK_JUNK, 200, "text/html", "<html>");
	doctor_assert(&d, "bad-message", DOCTOR_WARNING, "gets 200,");
	doctor_set_text(&d, DOCTOR_ASK_JUNK, 500, "text/plain", "asn1: oh");
	doctor_assert(&d, "bad-message", DOCTOR_WARNING, "500 (asn1: oh)");
	doctor_set_broken(&d, DOCTOR_ASK_JUNK, HTTP_BROKEN, "closed");
	doctor_assert(&d, "bad-message", DOCTOR_FAILURE, "closed");
}

static void
a_poll_for_nothing_gets_badcertid(void **state)
{
	struct doctor_reply *r = &d.replies[DOCTOR_ASK_POLL];

	(void)state;
	doctor_assert(&d, "poll-unknown", DOCTOR_OK, "badCertId");
	r->fail_info = SCEP_BAD_REQUEST;
	doctor_assert(&d, "poll-unknown", DOCTOR_WARNING, "gets badRequest");
	r->status = SCEP_PENDING;
	doctor_assert(&d, "poll-unknown", DOCTOR_FAILURE, "PENDING");
	r->status = SCEP_SUCCESS;
	doctor_assert(&d, "poll-unknown", DOCTOR_FAILURE, "SUCCESS");
}

static void
a_server_without_polling_is_warned_of_and_one_with_bad_replies_fails(void **state)
{
	(void)state;
	set_polls(500, "text/plain", "not implemented");
	doctor_assert(&d, "poll-unknown", DOCTOR_WARNING, "500 (not implemented)");
	set_polls(200, "application/x-pki-message", "CertRep");
	doctor_assert(&d, "poll-unknown", DOCTOR_FAILURE, "CertRep: not one");
	doctor_assert_clients(&d, "poll-unknown", DOCTOR_EVERYONE);
	doctor_set_broken(&d, DOCTOR_ASK_POLL, HTTP_TIMED_OUT, "late");
	doctor_assert(&d, "poll-unknown", DOCTOR_FAILURE, "late");
}

/* The writings of a GET, and the check for each. */
static const struct {
	enum doctor_question q;
	const char *check;
} writings[] = {
    {DOCTOR_ASK_POLL_GET, "get-operation"},
    {DOCTOR_ASK_POLL_PLUS, "get-with-plus"},
    {DOCTOR_ASK_POLL_BREAKS, "get-with-line-breaks"},
};

static void
every_writing_of_a_message_is_understood(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		doctor_assert(&d, writings[i].check, DOCTOR_OK, "is understood");
		d.replies[writings[i].q].status = SCEP_PENDING;
		doctor_assert(&d, writings[i].check, DOCTOR_FAILURE, "another answer");
		d.replies[writings[i].q] = (struct doctor_reply){0};
		doctor_set_text(&d, writings[i].q, 400, "text/plain", "no base64");
		doctor_assert(&d, writings[i].check, DOCTOR_FAILURE, "400 (no base64)");
		doctor_set_broken(&d, writings[i].q, HTTP_BROKEN, "closed");
		doctor_assert(&d, writings[i].check, DOCTOR_FAILURE, "closed");
	}
}

static void
without_a_reply_writings_are_compared_by_what_they_get(void **state)
{
	(void)state;
	set_polls(500, "text/plain", "not implemented");
	doctor_assert(&d, "get-operation", DOCTOR_SKIPPED, "cannot be told");
	for (int i = 1; i < 3; i++) {
		doctor_assert(&d, writings[i].check, DOCTOR_OK, "500 (not implemented)");
		doctor_set_text(&d, writings[i].q, 500, "text/plain", "illegal base64");
		doctor_assert(&d, writings[i].check, DOCTOR_WARNING, "500 (illegal base64)");
	}
}

/* Where POST is not served GET may be. */
static void
a_reply_by_get_is_as_good(void **state)
{
	(void)state;
	d.replies[DOCTOR_ASK_POLL] = (struct doctor_reply){0};
	doctor_set_text(&d, DOCTOR_ASK_POLL, 405, "text/plain", "no POST");
	doctor_assert(&d, "poll-unknown", DOCTOR_OK, "");
	doctor_assert(&d, "reply-content-type", DOCTOR_OK, "");
	doctor_assert(&d, "get-with-plus", DOCTOR_OK, "");
}

static void
a_reply_has_its_type(void **state)
{
	(void)state;
	doctor_set_text(&d, DOCTOR_ASK_POLL, 200, "application/octet-stream", "CertRep");
	doctor_assert(&d, "reply-content-type", DOCTOR_FAILURE, "application/octet-stream");
	doctor_set_text(&d, DOCTOR_ASK_POLL, 200, "", "CertRep");
	doctor_assert(&d, "reply-content-type", DOCTOR_FAILURE, "of no type");
	doctor_set_text(&d, DOCTOR_ASK_POLL, 200, "application/x-pki-message; x=y", "CertRep");
	doctor_assert(&d, "reply-content-type", DOCTOR_WARNING, "x=y");
	set_polls(500, "text/plain", "no");
	doctor_assert(&d, "reply-content-type", DOCTOR_SKIPPED, "");
}

static void
a_reply_is_signed_as_strict_clients_want_it(void **state)
{
	struct doctor_reply *r = &d.replies[DOCTOR_ASK_POLL];

	(void)state;
	r->rsa_encryption = false;
	doctor_assert(&d, "reply-signature-algorithm", DOCTOR_WARNING, "not rsaEncryption");
	r->digest = PKI_SHA512;
	doctor_assert(&d, "reply-digest", DOCTOR_OK, "SHA-512");
	r->digest = PKI_SHA1;
	doctor_assert(&d, "reply-digest", DOCTOR_WARNING, "SHA-1 though the request had SHA-256");
	r->digest = PKI_DIGEST_NONE;
	doctor_assert(&d, "reply-digest", DOCTOR_WARNING, "unknown digest");
	r->signer = false;
	doctor_assert(&d, "reply-digest", DOCTOR_SKIPPED, "");
	doctor_assert(&d, "reply-signature-algorithm", DOCTOR_SKIPPED, "");
	doctor_assert(&d, "reply-nonces", DOCTOR_SKIPPED, "");
}

static void
a_reply_has_a_fresh_nonce(void **state)
{
	struct doctor_reply *r = &d.replies[DOCTOR_ASK_POLL];

	(void)state;
	r->sender_nonce_len = 8;
	doctor_assert(&d, "reply-nonces", DOCTOR_WARNING, "8 octets");
	r->sender_nonce_len = 0;
	doctor_assert(&d, "reply-nonces", DOCTOR_WARNING, "no senderNonce");
	r->sender_nonce_len = 16;
	r->nonce_is_echo = true;
	doctor_assert(&d, "reply-nonces", DOCTOR_WARNING, "is the request's");
}

static void
a_reply_by_get_is_not_for_caches(void **state)
{
	static const struct {
		const char *header;
		enum doctor_result result;
	} cases[] = {
	    {"", DOCTOR_OK},
	    {"Cache-Control: no-cache, max-age=60\r\n", DOCTOR_OK},
	    {"Cache-Control: private, max-age=0\r\n", DOCTOR_OK},
	    {"Cache-Control: Max-Age=60\r\n", DOCTOR_WARNING},
	    {"cache-control: PUBLIC\r\n", DOCTOR_WARNING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		doctor_set(&d, DOCTOR_ASK_POLL_GET, 200, "application/x-pki-message",
		    cases[i].header, octets_of_string("CertRep"));
		doctor_assert(&d, "reply-caching", cases[i].result, "");
	}
	doctor_set_text(&d, DOCTOR_ASK_POLL_GET, 404, "", "");
	doctor_assert(&d, "reply-caching", DOCTOR_SKIPPED, "");
}

/* ---- the poll itself -------------------------------------------------------------------------------------------------------- */

/* Make d's poll and the RA's CertRep for it: what replies[DOCTOR_ASK_POLL] comes to. */
static struct doctor_reply
answer_poll(const struct doctor_party *signer, enum scep_pki_status status)
{
	const struct doctor_poll *p = &d.poll;
	struct scep_world world = {0};
	struct scep_party party = {.key = signer->key, .certificate = signer->certificate};
	struct scep_spec s;
	struct buffer reply = {0};
	struct octets value = octets_of_string(status == SCEP_FAILURE ? "2" : "3");

	assert_true(doctor_poll_make(&d));
	scep_spec(&s, &world);
	s.signer = &party;
	s.digest = PKI_SHA384;
	s.no_content = true;
	scep_spec_find(&s, scep_oid_message_type)->value = octets_of_string("3");
	scep_spec_find(&s, scep_oid_transaction_id)->value = octets_of_string(p->transaction_id);
	s.attributes[6] =
	    (struct scep_spec_attribute){scep_oid_pki_status, DER_PRINTABLE_STRING, value, 1, 1};
	s.attributes[7] = (struct scep_spec_attribute){scep_oid_recipient_nonce, DER_OCTET_STRING,
	    octets_of(p->message.sender_nonce, 16), 1, 1};
	s.attributes[8] = (struct scep_spec_attribute){
	    scep_oid_fail_info, DER_PRINTABLE_STRING, octets_of_string("4"), 1, 1};
	scep_spec_write(&s, &reply);
	set_polls(404, "text/plain", "");
	d.replies[DOCTOR_ASK_POLL] = (struct doctor_reply){0};
	doctor_set(
	    &d, DOCTOR_ASK_POLL, 200, "application/x-pki-message", "", buffer_octets(&reply));
	doctor_poll_read(&d, DOCTOR_ASK_POLL);
	buffer_free(&reply);
	return d.replies[DOCTOR_ASK_POLL];
}

static void
a_reply_to_the_poll_is_read(void **state)
{
	struct doctor_reply r = answer_poll(&w->ra, SCEP_FAILURE);

	(void)state;
	if (!r.read)
		fail_msg("%s", r.why.line);
	assert_int_equal(r.status, SCEP_FAILURE);
	assert_int_equal(r.fail_info, SCEP_BAD_CERT_ID);
	assert_int_equal(r.digest, PKI_SHA384);
	assert_true(r.signer && r.rsa_encryption && !r.nonce_is_echo);
	assert_int_equal(r.sender_nonce_len, 16);
	doctor_assert(&d, "poll-unknown", DOCTOR_OK, "");
}

static void
a_reply_by_a_stranger_is_told_from_one_by_the_ra(void **state)
{
	struct doctor_reply r = answer_poll(&w->stranger, SCEP_FAILURE);

	(void)state;
	assert_false(r.read);
	assert_true(r.signer);
	doctor_assert(&d, "poll-unknown", DOCTOR_FAILURE, "not signed by the CA or RA");
}

static void
what_is_no_reply_is_none(void **state)
{
	(void)state;
	assert_true(doctor_poll_make(&d));
	for (int i = 0; i < 2; i++) {
		d.replies[DOCTOR_ASK_POLL] = (struct doctor_reply){0};
		doctor_set(&d, DOCTOR_ASK_POLL, 200, "application/x-pki-message", "",
		    i == 0 ? octets_of_string("junk")
			   : buffer_octets(&d.answers[DOCTOR_ASK_CA_CERT].http.body));
		doctor_poll_read(&d, DOCTOR_ASK_POLL);
		assert_false(d.replies[DOCTOR_ASK_POLL].read);
		assert_false(d.replies[DOCTOR_ASK_POLL].signer);
		assert_true(d.replies[DOCTOR_ASK_POLL].why.line[0] != '\0');
	}
}

/* The server's side opens it: it is a CertPoll, and asks for what nobody has. */
static void
the_poll_is_one_to_a_server(void **state)
{
	static const struct scep_capability_set old = {.sha1 = true, .des3 = true};
	struct errbuf why = {0};
	enum scep_fail_info fail;
	struct scep_request *request = NULL;

	(void)state;
	assert_true(doctor_poll_make(&d));
	assert_int_equal(d.poll.message.digest, PKI_SHA256);
	assert_int_equal(d.poll.message.cipher, PKI_AES128);
	assert_int_equal(
	    scep_request_parse(buffer_octets(&d.poll.der), &request, &fail, &why), SCEP_OK);
	assert_int_equal(request->message_type, SCEP_CERT_POLL);
	scep_request_free(request);
	doctor_poll_free(&d.poll);
	d.capabilities = old;
	assert_true(doctor_poll_make(&d));
	assert_int_equal(d.poll.message.digest, PKI_SHA1);
	assert_int_equal(d.poll.message.cipher, PKI_DES3);
}

static void
without_a_certificate_there_is_no_poll(void **state)
{
	(void)state;
	d.recipient = NULL;
	assert_false(doctor_poll_make(&d));
	assert_int_equal(d.poll.der.len, 0);
	for (int q = DOCTOR_ASK_POLL; q < DOCTOR_QUESTIONS; q++) {
		http_response_free(&d.answers[q].http);
		d.answers[q] = (struct doctor_answer){0};
		d.replies[q] = (struct doctor_reply){0};
	}
	d.count = 0;
	doctor_assert(&d, "poll-unknown", DOCTOR_SKIPPED, "no certificate to send it to");
	doctor_assert(&d, "get-operation", DOCTOR_SKIPPED, "no message can be made");
	d.count = 3;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, heal, forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(junk_is_the_clients_fault),
	    CASE(a_poll_for_nothing_gets_badcertid),
	    CASE(a_server_without_polling_is_warned_of_and_one_with_bad_replies_fails),
	    CASE(every_writing_of_a_message_is_understood),
	    CASE(without_a_reply_writings_are_compared_by_what_they_get),
	    CASE(a_reply_by_get_is_as_good),
	    CASE(a_reply_has_its_type),
	    CASE(a_reply_is_signed_as_strict_clients_want_it),
	    CASE(a_reply_has_a_fresh_nonce),
	    CASE(a_reply_by_get_is_not_for_caches),
	    CASE(a_reply_to_the_poll_is_read),
	    CASE(a_reply_by_a_stranger_is_told_from_one_by_the_ra),
	    CASE(what_is_no_reply_is_none),
	    CASE(the_poll_is_one_to_a_server),
	    CASE(without_a_certificate_there_is_no_poll),
	};

	return cmocka_run_group_tests(tests, doctor_world_open, doctor_world_close);
}
