/*
 * The inside of a pkiMessage by somebody who can sign: any content, rightly signed by an EC key (cheap) of his own, gets as far
 * as the RA's key.  It must not open as anything but a CSR whose self-signature holds, or as what a poll or a query asks for.
 *
 * A first octet 17, 20, 21 or 22 is the messageType, and not part of the content; without one it is 19.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/der.h"
#include "scep/client.h"
#include "scep/oid.h"
#include "scep/request.h"
#include "tests/vectors/scep_keys.h"

#define CONTENT_MAX 16384
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static struct certificate ra, signer;
static struct scep_recipient recipient;
static EVP_PKEY *signer_key;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const uint8_t *p = scep_key_ra, *q = scep_ra_certificate, *e = scep_key_ec;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, sizeof(scep_key_ra));
	X509 *x509 = d2i_X509(NULL, &q, sizeof(scep_ra_certificate));
	struct buffer der = {0};

	(void)argc;
	(void)argv;
	signer_key = d2i_AutoPrivateKey(NULL, &e, sizeof(scep_key_ec));
	MUST(key != NULL && x509 != NULL && signer_key != NULL);
	MUST(certificate_parse(
	    octets_of(scep_ra_certificate, sizeof(scep_ra_certificate)), &ra, NULL));
	MUST(scep_client_self_signed(signer_key, ra.subject, 1795392000, &der, NULL));
	MUST(certificate_parse(buffer_octets(&der), &signer, NULL));
	buffer_free(&der);
	recipient = (struct scep_recipient){&ra, x509, key};
	return 0;
}

static void
attribute(struct der *d, struct octets oid, uint8_t tag, struct octets value)
{
	size_t mark = der_mark(d);

	der_element(d, tag, value);
	der_wrap(d, DER_SET, mark);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

/* The five attributes under tag, in DER's order. */
static void
attributes(struct der *d, const char *type, struct octets digest, uint8_t tag)
{
	size_t mark = der_mark(d);

	attribute(d, scep_oid_message_digest, DER_OCTET_STRING, digest);
	attribute(d, scep_oid_content_type, DER_OID, scep_oid_content_data);
	attribute(d, scep_oid_sender_nonce, DER_OCTET_STRING, octets_of_string("nonce"));
	attribute(d, scep_oid_transaction_id, DER_PRINTABLE_STRING, octets_of_string("id"));
	attribute(d, scep_oid_message_type, DER_PRINTABLE_STRING, octets_of_string(type));
	der_wrap(d, tag, mark);
}

static void
digest_algorithm(struct der *d)
{
	size_t mark = der_mark(d);

	der_oid(d, pki_digest_oid(PKI_SHA256));
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
signer_info(struct der *d, const char *type, struct octets content)
{
	uint8_t digest[32], room[1024], signature[128];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = sizeof(signature), end = der_mark(d), mark;
	struct der a;

	EVP_Digest(content.data, content.len, digest, NULL, EVP_sha256(), NULL);
	der_start(&a, room, sizeof(room));
	attributes(&a, type, octets_of(digest, sizeof(digest)), DER_SET);
	MUST(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, signer_key) == 1);
	MUST(EVP_DigestSign(ctx, signature, &len, a.at, der_mark(&a)) == 1);
	EVP_MD_CTX_free(ctx);
	der_element(d, DER_OCTET_STRING, octets_of(signature, len));
	der_raw(d, pki_signature_algorithm(PKI_KEY_EC, PKI_SHA256));
	attributes(d, type, octets_of(digest, sizeof(digest)), DER_CONTEXT(0));
	digest_algorithm(d);
	mark = der_mark(d);
	der_element(d, DER_INTEGER, signer.serial);
	der_raw(d, signer.issuer);
	der_wrap(d, DER_SEQUENCE, mark);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, end);
	der_wrap(d, DER_SET, end);
}

static void
message(struct der *d, const char *type, struct octets content)
{
	size_t mark;

	signer_info(d, type, content);
	mark = der_mark(d);
	der_raw(d, signer.der);
	der_wrap(d, DER_CONTEXT(0), mark);
	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, content);
	der_wrap(d, DER_CONTEXT(0), mark);
	der_oid(d, scep_oid_content_data);
	der_wrap(d, DER_SEQUENCE, mark);
	mark = der_mark(d);
	digest_algorithm(d);
	der_wrap(d, DER_SET, mark);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, 0);
	der_wrap(d, DER_CONTEXT(0), 0);
	der_oid(d, scep_oid_content_signed);
	der_wrap(d, DER_SEQUENCE, 0);
	MUST(!d->failed);
}

static enum scep_rc
open_csr(struct scep_request *r)
{
	struct errbuf why = {0};
	const char *stage;
	struct csr csr;
	enum scep_rc rc = scep_request_open_csr(r, &recipient, false, &csr, &stage, &why);

	if (rc == SCEP_OK)
		MUST(csr_verify(&csr, NULL));
	else
		MUST(strcmp(stage, "verify") != 0);
	csr_free(&csr);
	return rc;
}

/* Opened or not, there are names to go on with. */
static enum scep_rc
open_query(struct scep_request *r)
{
	struct scep_query_content c;
	struct errbuf why = {0};
	const char *stage;
	enum scep_rc rc = scep_request_open_query(r, &recipient, &c, &stage, &why);

	MUST(rc == SCEP_OK || strcmp(stage, "verify") != 0);
	MUST(c.issuer.len >= 2 && c.owned.len == c.issuer.len + c.subject.len + c.serial.len);
	if (r->message_type == SCEP_CERT_POLL)
		MUST(c.subject.len >= 2 && c.serial.len == 0);
	else
		MUST(c.serial.len >= 1 && c.serial.len <= SCEP_QUERY_SERIAL_MAX &&
		     c.subject.len == 0);
	scep_query_content_free(&c);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {
	    [17] = "17", [19] = "19", [20] = "20", [21] = "21", [22] = "22"};
	static uint8_t room[CONTENT_MAX + 4096];
	struct errbuf why = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	enum scep_rc rc;
	struct der d;
	int type = 19;

	if (size > 0 && data[0] >= 17 && data[0] <= 22 && types[data[0]] != NULL) {
		type = *data++;
		size--;
	}
	if (size > CONTENT_MAX)
		return 0;
	der_start(&d, room, sizeof(room));
	message(&d, types[type], octets_of(data, size));
	rc = scep_request_parse(der_octets(&d), &r, &fail, &why);
	MUST(rc == SCEP_OK || (rc == SCEP_REFUSED && fail == SCEP_BAD_MESSAGE_CHECK));
	if (rc == SCEP_OK)
		rc = scep_request_check_algorithms(r, 0xff, 0xff, &fail, &why, NULL);
	if (rc == SCEP_OK) {
		MUST(r->message_type == type);
		rc = type >= SCEP_CERT_POLL ? open_query(r) : open_csr(r);
		MUST(rc == SCEP_OK || rc == SCEP_REFUSED);
	}
	scep_request_free(r);
	MUST(ERR_peek_error() == 0);
	return 0;
}
