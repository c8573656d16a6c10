/*
 * A stranger's pkiMessage: parsed, checked, opened, and answered.  What is found has to hold for any octets: a result of either
 * kind is whole, slices can be read to their last octet, and nothing opens but a CSR whose self-signature holds, or what a poll or a
 * query asks for.
 *
 * The RA's key is public (tests/vectors/scep_keys.h), so that the seeds open.
 */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "scep/reply.h"
#include "scep/request.h"
#include "tests/vectors/scep_keys.h"

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static struct certificate ra;
static struct scep_recipient recipient;
static struct scep_responder responder;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const uint8_t *p = scep_key_ra, *q = scep_ra_certificate;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, sizeof(scep_key_ra));
	X509 *x509 = d2i_X509(NULL, &q, sizeof(scep_ra_certificate));

	(void)argc;
	(void)argv;
	MUST(key != NULL && x509 != NULL);
	MUST(certificate_parse(
	    octets_of(scep_ra_certificate, sizeof(scep_ra_certificate)), &ra, NULL));
	recipient = (struct scep_recipient){&ra, x509, key};
	responder = (struct scep_responder){&ra, key};
	return 0;
}

static volatile uint8_t sink;

static void
read_to_the_end(struct octets slice)
{
	for (size_t i = 0; i < slice.len; i++)
		sink ^= slice.data[i];
}

static void
answer(const struct scep_request *r, bool opened, enum scep_fail_info fail)
{
	struct octets leaf = ra.der;
	struct scep_reply reply = {
	    .status = opened ? SCEP_SUCCESS : SCEP_FAILURE,
	    .fail_info = fail,
	    .fail_info_text = "text",
	    .certificates = {leaf},
	    .certificate_count = 1,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES256,
	};
	struct buffer out = {0};
	struct errbuf why = {0};

	/* A stranger's key may be too small for the reply's, or no RSA key: no password is given, as each would cost 25 ms. */
	if (!scep_reply_encode(r, &reply, &responder, &out, &why))
		MUST(opened && why.line[0] != '\0');
	else
		read_to_the_end(buffer_octets(&out));
	buffer_free(&out);
}

static enum scep_rc
open_query(struct scep_request *r)
{
	struct scep_query_content content;
	struct errbuf why = {0};
	const char *stage = "";
	enum scep_rc rc = scep_request_open_query(r, &recipient, &content, &stage, &why);

	MUST(rc == SCEP_OK || rc == SCEP_REFUSED);
	MUST((rc == SCEP_OK) == (stage == NULL) && (rc == SCEP_OK) == (why.line[0] == '\0'));
	read_to_the_end(content.issuer);
	read_to_the_end(content.subject);
	read_to_the_end(content.serial);
	scep_query_content_free(&content);
	return rc;
}

static enum scep_rc
open_request(struct scep_request *r, bool require_signer_key)
{
	struct errbuf why = {0};
	const char *stage = NULL;
	struct csr csr;
	enum scep_rc rc =
	    scep_request_open_csr(r, &recipient, require_signer_key, &csr, &stage, &why);

	if (rc == SCEP_OK) {
		MUST(stage == NULL && csr_verify(&csr, NULL));
		MUST(!require_signer_key || !r->signer_self_signed ||
		     octets_equal(csr.spki, r->signer.spki));
		read_to_the_end(csr.challenge);
		csr_free(&csr);
	} else {
		MUST(rc == SCEP_REFUSED && stage != NULL && why.line[0] != '\0');
		MUST(csr.owned == NULL);
	}
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum scep_fail_info fail = SCEP_NO_FAIL_INFO;
	struct errbuf why = {0}, text = {0};
	struct scep_request *r;
	enum scep_rc rc = scep_request_parse(octets_of(data, size), &r, &fail, &why);

	MUST((r != NULL) == (rc == SCEP_OK || rc == SCEP_REFUSED));
	MUST((why.line[0] == '\0') == (rc == SCEP_OK));
	if (r == NULL)
		return 0;
	MUST(r->transaction_id.len >= 1 && r->transaction_id.len <= SCEP_TRANSACTION_ID_MAX);
	MUST(r->sender_nonce.len <= SCEP_NONCE_MAX);
	read_to_the_end(r->transaction_id);
	read_to_the_end(r->sender_nonce);
	read_to_the_end(r->signer.der);
	read_to_the_end(r->digest_oid);
	read_to_the_end(r->cipher_oid);
	read_to_the_end(r->recipient_issuer);
	read_to_the_end(r->recipient_serial);
	read_to_the_end(r->recipient_ski);
	scep_request_is_for(r, &recipient);
	if (rc == SCEP_OK)
		rc = scep_request_check_algorithms(r, 0xff, 0xff, &fail, &why, &text);
	if (r->message_type == SCEP_CERT_POLL || r->message_type == SCEP_GET_CERT ||
	    r->message_type == SCEP_GET_CRL)
		MUST(open_query(r) == SCEP_REFUSED || rc == SCEP_OK);
	/* Refused or not: opening must stand it, and refuse what was refused before. */
	if (rc == SCEP_REFUSED)
		MUST(open_request(r, true) == SCEP_REFUSED);
	else
		rc = open_request(r, (size & 1) == 0);
	answer(r, rc == SCEP_OK, rc == SCEP_OK ? SCEP_NO_FAIL_INFO : SCEP_BAD_MESSAGE_CHECK);
	scep_request_free(r);
	MUST(ERR_peek_error() == 0);
	return 0;
}
