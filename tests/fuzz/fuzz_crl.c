/* fuzz_crl.c: a CRL as scepctl gets it from somebody's server: parsed, verified, searched. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "pki/authority.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/private_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size);

/* What is signed by another still goes through the verification, once the issuer is taken for its own. */
static const struct certificate *
own_ca(void)
{
	static struct certificate c;
	struct buffer subject = {0}, der = {0};
	struct errbuf why = {0};
	struct signer *s;
	EVP_PKEY *key;

	if (c.owned != NULL)
		return &c;
	if ((key = private_key_generate("ec:P-256", &why)) == NULL ||
	    !signer_of_key(key, &s, &why) || !name_from_text("CN=CA", &subject, &why) ||
	    !authority_self_sign(s, buffer_octets(&subject), 0, 1, -1, &der, &why) ||
	    !certificate_parse(buffer_octets(&der), &c, &why))
		abort();
	signer_free(s);
	EVP_PKEY_free(key);
	buffer_free(&subject);
	buffer_free(&der);
	return &c;
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	struct certificate issuer = *own_ca();
	struct errbuf why = {0};
	struct crl crl;
	int64_t revoked_at;
	int reason;

	if (crl_parse(octets_of(octets, size), &crl, &why)) {
		issuer.subject = crl.issuer;
		if (crl_verify(&crl, &issuer, &why) || why.line[0] == '\0')
			abort();
		crl_find(&crl, octets_of("\x01", 1), &revoked_at, &reason);
	} else if (why.line[0] == '\0') {
		abort();
	}
	crl_parsed_free(&crl);
	if (ERR_peek_error() != 0)
		abort();
	return 0;
}
