/* test_vectors.c: messages as others' clients sent them (tests/vectors) are read, and read rightly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "pki/fields.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/request.h"

#define DIRECTORY "tests/vectors/"

static struct {
	struct buffer der;
	struct certificate certificate;
	struct scep_recipient recipient;
} ra;

static void
read_file(const char *name, struct buffer *out)
{
	char path[256], room[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), DIRECTORY "%s", name);
	if ((f = fopen(path, "rb")) == NULL)
		fail_msg("%s cannot be read: run from the top of the tree", path);
	while ((n = fread(room, 1, sizeof(room), f)) > 0)
		buffer_append(out, room, n);
	fclose(f);
	assert_false(out->failed);
}

struct expected {
	const char *file;
	enum pki_digest digest;
	enum pki_cipher cipher;
	size_t transaction_id_len;
	const char *subject;
	const char *san;
};

static void
opens(const struct expected *want)
{
	struct buffer der = {0}, subject = {0}, san = {0};
	struct errbuf why = {0}, text = {0};
	enum scep_fail_info fail;
	struct scep_request *r;
	const char *stage;
	struct csr csr;

	read_file(want->file, &der);
	assert_int_equal(scep_request_parse(buffer_octets(&der), &r, &fail, &why), SCEP_OK);
	assert_int_equal(r->message_type, SCEP_PKCS_REQ);
	assert_int_equal(r->digest, want->digest);
	assert_int_equal(r->cipher, want->cipher);
	assert_int_equal(r->transaction_id.len, want->transaction_id_len);
	assert_int_equal(r->sender_nonce.len, 16);
	assert_int_equal(scep_request_check_algorithms(
			     r, (uint32_t)want->digest, (uint32_t)want->cipher, &fail, &why, &text),
	    SCEP_OK);
	assert_int_equal(scep_request_check_algorithms(
			     r, PKI_SHA384, (uint32_t)want->cipher, &fail, &why, &text),
	    SCEP_REFUSED);
	if (scep_request_open_csr(r, &ra.recipient, true, &csr, &stage, &why) != SCEP_OK)
		fail_msg("%s: %s: %s", want->file, stage, why.line);
	assert_true(octets_equal(csr.challenge, octets_of_string("vector-challenge-1")));
	assert_true(name_to_text(csr.subject, &subject));
	assert_string_equal(buffer_string(&subject), want->subject);
	if (want->san != NULL) {
		assert_true(san_to_text(csr.san, &san));
		assert_string_equal(buffer_string(&san), want->san);
	}
	csr_free(&csr);
	scep_request_free(r);

	/* The reject twin: the last octet, which is the signature's, changed. */
	der.data[der.len - 1] ^= 1;
	if (scep_request_parse(buffer_octets(&der), &r, &fail, &why) == SCEP_OK)
		assert_int_not_equal(
		    scep_request_open_csr(r, &ra.recipient, true, &csr, &stage, &why), SCEP_OK);
	scep_request_free(r);
	buffer_free(&der);
	buffer_free(&subject);
	buffer_free(&san);
}

static void
what_strongswan_sends_is_read(void **state)
{
	(void)state;
	opens(&(struct expected){"strongswan-5.9.8-pkcsreq.der", PKI_SHA256, PKI_AES128, 40,
	    "CN=strongswan,O=Vectors,C=CH", "DNS:d1.example"});
}

static void
what_scepclient_sends_is_read(void **state)
{
	(void)state;
	opens(&(struct expected){"micromdm-scepclient-2.1.0-pkcsreq.der", PKI_SHA1, PKI_DES, 28,
	    "CN=scepclient,OU=MDM,O=scep-client,C=US", NULL});
}

static void
what_certmonger_sends_is_read(void **state)
{
	(void)state;
	opens(&(struct expected){"certmonger-0.79.17-pkcsreq.der", PKI_SHA256, PKI_AES256, 78,
	    "CN=certmonger", "DNS:cm.example"});
}

static void
what_scepctl_sends_is_read(void **state)
{
	(void)state;
	opens(&(struct expected){
	    "scepctl-0.1.0-pkcsreq.der", PKI_SHA256, PKI_AES128, 64, "CN=scepctl", NULL});
}

static int
load_ra(void **state)
{
	const struct octets no_passphrase = {0};
	char copy[] = "/tmp/scep-vectors.XXXXXX";
	struct buffer pem = {0};
	struct errbuf why = {0};
	const uint8_t *at;
	FILE *f;
	int fd;

	(void)state;
	/* A checkout's file is readable by others, which a private key's must not be. */
	read_file("ra.key.pem", &pem);
	if ((fd = mkstemp(copy)) < 0 || (f = fdopen(fd, "w")) == NULL)
		return -1;
	fwrite(pem.data, 1, pem.len, f);
	fclose(f);
	buffer_free(&pem);
	ra.recipient.key = private_key_load(copy, no_passphrase, &why);
	remove(copy);
	read_file("ra.der", &ra.der);
	if (ra.recipient.key == NULL ||
	    !certificate_parse(buffer_octets(&ra.der), &ra.certificate, &why))
		return -1;
	at = ra.der.data;
	ra.recipient.certificate = &ra.certificate;
	ra.recipient.x509 = d2i_X509(NULL, &at, (long)ra.der.len);
	return ra.recipient.x509 != NULL ? 0 : -1;
}

static int
free_ra(void **state)
{
	(void)state;
	EVP_PKEY_free(ra.recipient.key);
	X509_free(ra.recipient.x509);
	certificate_free(&ra.certificate);
	buffer_free(&ra.der);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_strongswan_sends_is_read),
	    cmocka_unit_test(what_scepclient_sends_is_read),
	    cmocka_unit_test(what_certmonger_sends_is_read),
	    cmocka_unit_test(what_scepctl_sends_is_read),
	};

	return cmocka_run_group_tests(tests, load_ra, free_ra);
}
