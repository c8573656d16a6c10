#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "scep/client.h"
#include "tests/unit/scep_message.h"

void
scep_run(struct scep_world *w, struct octets message, struct scep_outcome *o)
{
	memset(o, 0, sizeof(*o));
	o->rc = scep_request_parse(message, &o->request, &o->fail, &o->why);
	if (o->rc == SCEP_OK)
		o->rc = scep_request_check_algorithms(
		    o->request, 0xffff, 0xffff, &o->fail, &o->why, &o->text);
	if (o->rc == SCEP_OK) {
		o->rc = scep_request_open_csr(
		    o->request, &w->recipient, true, &o->csr, &o->stage, &o->why);
		if (o->rc == SCEP_REFUSED)
			o->fail = SCEP_BAD_MESSAGE_CHECK;
	}
	/* Whatever happened, the next one starts with an empty queue. */
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(o->rc == SCEP_OK, o->why.line[0] == '\0');
	assert_int_equal(o->rc == SCEP_OK || o->rc == SCEP_REFUSED, o->request != NULL);
}

void
scep_run_spec(const struct scep_spec *s, struct scep_outcome *o)
{
	struct buffer message = {0};

	scep_spec_write(s, &message);
	scep_run(s->world, buffer_octets(&message), o);
	buffer_free(&message);
}

void
scep_outcome_free(struct scep_outcome *o)
{
	csr_free(&o->csr);
	scep_request_free(o->request);
	memset(o, 0, sizeof(*o));
}

struct scep_request *
scep_parse_spec(
    const struct scep_spec *s, enum scep_rc *rc, enum scep_fail_info *fail, struct errbuf *why)
{
	struct buffer message = {0};
	struct scep_request *r;

	memset(why, 0, sizeof(*why));
	scep_spec_write(s, &message);
	*rc = scep_request_parse(buffer_octets(&message), &r, fail, why);
	buffer_free(&message);
	assert_int_equal(*rc == SCEP_OK || *rc == SCEP_REFUSED, r != NULL);
	assert_int_equal(*rc == SCEP_OK, why->line[0] == '\0');
	return r;
}

void
scep_assert_parses(const struct scep_spec *s)
{
	enum scep_fail_info fail;
	struct errbuf why;
	enum scep_rc rc;

	scep_request_free(scep_parse_spec(s, &rc, &fail, &why));
	if (rc != SCEP_OK)
		fail_msg("%s", why.line);
	assert_int_equal(fail, SCEP_NO_FAIL_INFO);
}

void
scep_assert_unanswerable(const struct scep_spec *s, const char *words)
{
	enum scep_fail_info fail;
	struct errbuf why;
	enum scep_rc rc;

	scep_request_free(scep_parse_spec(s, &rc, &fail, &why));
	assert_int_equal(rc, SCEP_UNANSWERABLE);
	if (strstr(why.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", why.line, words);
}

void
scep_assert_refused(const struct scep_spec *s, enum scep_fail_info want, const char *words)
{
	enum scep_fail_info fail;
	struct errbuf why;
	enum scep_rc rc;
	struct scep_request *r = scep_parse_spec(s, &rc, &fail, &why);

	assert_int_equal(rc, SCEP_REFUSED);
	assert_int_equal(fail, want);
	if (strstr(why.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", why.line, words);
	assert_true(r->transaction_id.len > 0);
	assert_non_null(r->signer_key.pkey);
	scep_request_free(r);
}

void
scep_assert_opens(const struct scep_spec *s)
{
	struct scep_outcome o;

	scep_run_spec(s, &o);
	if (o.rc != SCEP_OK)
		fail_msg("%s", o.why.line);
	assert_null(o.stage);
	assert_true(octets_equal(o.csr.der, s->csr));
	scep_outcome_free(&o);
}

void
scep_assert_fails(const struct scep_spec *s, const char *stage, const char *words)
{
	struct scep_outcome o;

	scep_run_spec(s, &o);
	assert_int_equal(o.rc, SCEP_REFUSED);
	assert_int_equal(o.fail, SCEP_BAD_MESSAGE_CHECK);
	assert_non_null(o.stage);
	assert_string_equal(o.stage, stage);
	if (strstr(o.why.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", o.why.line, words);
	assert_null(o.csr.owned);
	assert_int_equal(o.csr.der.len, 0);
	scep_outcome_free(&o);
}

void
scep_assert_bad_algorithm(const struct scep_spec *s, const char *words)
{
	struct scep_outcome o;

	scep_run_spec(s, &o);
	assert_int_equal(o.rc, SCEP_REFUSED);
	assert_int_equal(o.fail, SCEP_BAD_ALG);
	assert_null(o.stage);
	if (strstr(o.text.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", o.text.line, words);
	assert_non_null(strstr(o.why.line, o.text.line));
	scep_outcome_free(&o);
}

struct scep_request *
scep_make_request(
    const struct scep_world *w, const struct scep_party *signer, struct scep_client_message *m)
{
	struct buffer message = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	struct errbuf why = {0};

	*m = (struct scep_client_message){
	    .message_type = SCEP_PKCS_REQ,
	    .transaction_id = "a/b+c=",
	    .content = buffer_octets(&w->csr),
	    .signer = &signer->certificate,
	    .key = signer->key,
	    .recipient = &w->ra.certificate,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES256,
	};
	if (!scep_client_encode(m, &message, &why))
		fail_msg("%s", why.line);
	assert_int_equal(scep_request_parse(buffer_octets(&message), &r, &fail, &why), SCEP_OK);
	buffer_free(&message);
	return r;
}

struct scep_reply
scep_success(const struct scep_world *w)
{
	return (struct scep_reply){
	    .status = SCEP_SUCCESS,
	    .certificates = {w->device.certificate.der},
	    .certificate_count = 1,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES256,
	};
}

void
scep_make_reply(const struct scep_world *w, const struct scep_request *r,
    const struct scep_reply *reply, struct buffer *out)
{
	struct errbuf why = {0};

	if (!scep_reply_encode(r, reply, &w->responder, out, &why))
		fail_msg("%s", why.line);
	assert_string_equal(why.line, "");
}
