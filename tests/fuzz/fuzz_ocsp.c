/* fuzz_ocsp.c: an OCSPRequest through all that reads it; what is answered to one that passes is an OCSPResponse by OpenSSL's reader. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "pki/authority.h"
#include "pki/name.h"
#include "pki/ocsp.h"
#include "pki/private_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

static struct certificate ca;
static struct ocsp_responder responder;

/* A CA that answers for itself. */
static void
open_ca(void)
{
	struct buffer subject = {0}, der = {0};
	struct errbuf why = {0};
	const uint8_t *p;
	struct signer *s;

	if (responder.x509 != NULL)
		return;
	if ((responder.key = private_key_generate("ec:P-256", &why)) == NULL ||
	    !signer_of_key(responder.key, &s, &why) || !name_from_text("CN=CA", &subject, &why) ||
	    !authority_self_sign(s, buffer_octets(&subject), 0, 1, -1, &der, &why) ||
	    !certificate_parse(buffer_octets(&der), &ca, &why))
		abort();
	p = der.data;
	if ((responder.x509 = d2i_X509(NULL, &p, (long)der.len)) == NULL)
		abort();
	signer_free(s);
	buffer_free(&subject);
	buffer_free(&der);
}

static void
answer(const struct ocsp_request *r)
{
	struct ocsp_answer answers[OCSP_CERTS_MAX] = {{.status = OCSP_STATUS_GOOD},
	    {.status = OCSP_STATUS_REVOKED, .revoked_at = 1, .reason = 1},
	    {.status = OCSP_STATUS_REVOKED}, {.status = OCSP_STATUS_UNKNOWN}};
	int count = ocsp_request_count(r);
	struct buffer out = {0};
	struct errbuf why = {0};
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;
	const uint8_t *p;

	if (!ocsp_response_encode(r, answers, 1, 2, &responder, &out, &why))
		abort();
	p = out.data;
	response = d2i_OCSP_RESPONSE(NULL, &p, (long)out.len);
	if (response == NULL || p != out.data + out.len ||
	    (basic = OCSP_response_get1_basic(response)) == NULL ||
	    OCSP_resp_count(basic) != count ||
	    (OCSP_BASICRESP_get_ext_count(basic) == 1) != ocsp_request_has_nonce(r))
		abort();
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	buffer_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct ocsp_request *r;
	struct errbuf why = {0};

	open_ca();
	if (ocsp_request_parse(octets_of(octets, size), &r, &why)) {
		if (ocsp_request_count(r) < 1 || ocsp_request_count(r) > OCSP_CERTS_MAX)
			abort();
		for (int i = 0; i < ocsp_request_count(r); i++) {
			struct octets serial = ocsp_request_serial(r, i);

			if (serial.len > OCSP_SERIAL_MAX || (serial.len > 0 && serial.data[0] == 0))
				abort();
			ocsp_request_names_ca(r, i, &ca);
		}
		answer(r);
		ocsp_request_free(r);
	} else if (r != NULL || why.line[0] == '\0') {
		abort();
	}
	if (ERR_peek_error() != 0)
		abort();
	return 0;
}
