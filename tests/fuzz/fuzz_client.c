/*
 * What any server may answer a client: to GetCACaps, GetCACert, GetNextCACert and PKIOperation.  Nothing is believed of the last two
 * but what the key of the certificate that the client has did sign.
 */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "scep/capabilities.h"
#include "scep/client.h"
#include "tests/vectors/scep_keys.h"

#define CERTIFICATES 4
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

static struct certificate ra;
static EVP_PKEY *key;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const uint8_t *p = scep_key_ra;

	(void)argc;
	(void)argv;
	key = d2i_AutoPrivateKey(NULL, &p, sizeof(scep_key_ra));
	MUST(key != NULL);
	MUST(certificate_parse(
	    octets_of(scep_ra_certificate, sizeof(scep_ra_certificate)), &ra, NULL));
	return 0;
}

static void
check_certificates(int count, struct buffer *out, size_t size, const struct errbuf *why)
{
	MUST(count == -1 || (count > 0 && count <= CERTIFICATES));
	MUST((count == -1) == (why->line[0] != '\0'));
	for (int i = 0; i < CERTIFICATES; i++) {
		MUST(count <= i || (out[i].len > 0 && out[i].len <= size));
		buffer_free(&out[i]);
	}
	MUST(ERR_peek_error() == 0);
}

/* The RA's own certificate stands for the signer's: its key opens the seeds. */
static void
read_reply(struct octets body)
{
	struct scep_client_message m = {.message_type = SCEP_PKCS_REQ,
	    .transaction_id = "id",
	    .sender_nonce = "the client\'s own",
	    .signer = &ra,
	    .key = key};
	struct scep_client_reply r;
	struct errbuf why = {0};

	if (scep_client_read(&m, body, &ra, 1, &r, &why))
		MUST(r.status != SCEP_SUCCESS || r.certificate_count > 0 || r.crl.len > 0);
	else
		MUST(why.line[0] != '\0' && r.certificate_count == 0 && r.crl.len == 0);
	scep_client_reply_free(&r);
	MUST(ERR_peek_error() == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer out[CERTIFICATES] = {{0}};
	struct octets body = octets_of(data, size);
	struct scep_capability_set set;
	struct errbuf why = {0};

	scep_capabilities_parse(body, &set);
	MUST(!set.standard || (set.aes && set.post && set.sha256));
	check_certificates(
	    scep_client_ca_certificates(body, out, CERTIFICATES, &why), out, size, &why);
	why.line[0] = '\0';
	check_certificates(
	    scep_client_next_ca_certificates(body, &ra, out, CERTIFICATES, &why), out, size, &why);
	read_reply(body);
	return 0;
}
