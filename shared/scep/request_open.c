#include <string.h>

#include <openssl/err.h>

#include "scep/decoy.h"
#include "scep/request_parts.h"

/*
 * One key object for both where the CSR has the signer's key: what OpenSSL worked out for the first verification serves again.
 * This tells nobody anything: the SignerInfo was verified, so whoever sent it owns that key.
 */
static void
share_key(const struct scep_request *r, struct csr *csr)
{
	EVP_PKEY *key = r->signer_key.pkey;

	if (EVP_PKEY_up_ref(key) != 1)
		return;
	EVP_PKEY_free(csr->key.pkey);
	csr->key.pkey = key;
}

/*
 * From the decryption on.  Where there is no CSR, the decoy goes the rest of the way; what comes of it is thrown away, and
 * only the first fault is told.
 */
static bool
open_envelope(const struct scep_request *r, const struct scep_recipient *recipient,
    bool require_signer_key, struct csr *csr, const char **stage, struct errbuf *why)
{
	struct buffer plaintext = {0};
	bool decrypted, parsed, verified, same;

	*stage = "decrypt";
	decrypted = scep_request_decrypt(r, recipient, &plaintext, why);
	parsed = decrypted && csr_parse(plaintext.data, plaintext.len, csr, why);
	buffer_free(&plaintext);
	if (decrypted && !parsed)
		*stage = "parse";
	if (!parsed && !csr_parse(scep_decoy_csr.data, scep_decoy_csr.len, csr, NULL))
		return false;
	same = octets_equal(csr->spki, r->signer.spki);
	if (same)
		share_key(r, csr);
	verified = csr_verify(csr, parsed ? why : NULL);
	if (!parsed)
		return false;
	*stage = "possession";
	if (!verified || same || !r->signer_self_signed || !require_signer_key)
		return verified;
	errbuf_set(why, "CSR: its key is not that of the self-signed signer (RFC 8894 2.3)");
	return false;
}

enum scep_rc
scep_request_open_csr(struct scep_request *r, const struct scep_recipient *recipient,
    bool require_signer_key, struct csr *csr, const char **stage, struct errbuf *why)
{
	bool held;

	memset(csr, 0, sizeof(*csr));
	*stage = "verify";
	if (scep_request_verify(r, why) != SCEP_OK)
		return SCEP_REFUSED;
	held = open_envelope(r, recipient, require_signer_key, csr, stage, why);
	ERR_clear_error();
	if (!held) {
		csr_free(csr);
		return SCEP_REFUSED;
	}
	*stage = NULL;
	return SCEP_OK;
}
