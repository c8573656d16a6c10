#include <string.h>

#include <openssl/err.h>

#include "pki/asn1.h"
#include "scep/decoy.h"
#include "scep/request_parts.h"

/*
 * One key object for both where the CSR has the signer's key: what OpenSSL worked out for the first verification serves again.
 * The CSR's own comes back, for the caller to free; NULL where nothing was shared.
 */
static EVP_PKEY *
share_key(const struct scep_request *r, struct csr *csr)
{
	EVP_PKEY *own = csr->key.pkey;

	if (!octets_equal(csr->spki, r->signer.spki) || EVP_PKEY_up_ref(r->signer_key.pkey) != 1)
		return NULL;
	csr->key.pkey = r->signer_key.pkey;
	return own;
}

/*
 * Whatever is refused was verified twice, under a key that is ready since the message's signature and under one that is not: so a
 * key that was shared saves nothing here.  own is the CSR's where it was.  Of this nothing is wanted but the time.
 */
static void
verify_once_more(const struct scep_request *r, struct csr *csr, EVP_PKEY **own)
{
	const struct scep_request_template *t = r->owned;
	EVP_PKEY *shared = csr->key.pkey;

	if (*own == NULL) {
		(void)public_key_verify(&r->signer_key, r->digest, t->signed_attributes,
		    asn1_string_octets(&t->signer_info->signature), NULL);
		return;
	}
	csr->key.pkey = *own;
	*own = shared;
	(void)csr_verify(csr, NULL);
}

/* RFC 8894 2.3: the signer's key, where the signer is self-signed and that is demanded, and the CSR's signature by it. */
static bool
key_is_proven(const struct scep_request *r, const struct csr *csr, bool require_signer_key,
    struct errbuf *why)
{
	if (!csr_verify(csr, why))
		return false;
	if (!require_signer_key || !r->signer_self_signed ||
	    octets_equal(csr->spki, r->signer.spki))
		return true;
	errbuf_set(why, "CSR: its key is not that of the self-signed signer (RFC 8894 2.3)");
	return false;
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
	bool decrypted, parsed, proven;
	EVP_PKEY *own;

	*stage = "decrypt";
	decrypted = scep_request_decrypt(r, recipient, &plaintext, why);
	parsed = decrypted && csr_parse(plaintext.data, plaintext.len, csr, why);
	buffer_free(&plaintext);
	if (decrypted)
		*stage = parsed ? "possession" : "parse";
	if (!parsed && !csr_parse(scep_decoy_csr.data, scep_decoy_csr.len, csr, NULL))
		return false;
	own = share_key(r, csr);
	proven = key_is_proven(r, csr, require_signer_key, parsed ? why : NULL) && parsed;
	if (!proven)
		verify_once_more(r, csr, &own);
	EVP_PKEY_free(own);
	return proven;
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
