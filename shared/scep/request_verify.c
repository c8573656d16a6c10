#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "pki/asn1.h"
#include "scep/oid.h"
#include "scep/request_parts.h"

/* Refuse with badAlg: the line for the log and the text for failInfoText are the same. */
static enum scep_rc
refuse_algorithm(enum scep_fail_info *fail, struct errbuf *why, struct errbuf *text,
    const char *what, const char *name, struct octets oid)
{
	char dotted[128];

	pki_oid_text(oid, dotted, sizeof(dotted));
	if (name != NULL)
		errbuf_set(text, "%s %s (%s) is not accepted here", what, name, dotted);
	else
		errbuf_set(text, "%s %s is not accepted here", what, dotted);
	errbuf_set(why, "pkiMessage: %s", text->line);
	*fail = SCEP_BAD_ALG;
	return SCEP_REFUSED;
}

/*
 * rsaEncryption, or an algorithm that names the digest which digestAlgorithm names; and id-ecPublicKey, which some put where
 * ecdsa-with-SHA… belongs.
 */
static bool
signature_algorithm_fits(const struct scep_request *r)
{
	struct octets oid = r->owned->signature_oid;
	enum pki_digest digest;
	enum pki_key_type type;

	if (octets_equal(oid, scep_oid_ec_public_key))
		return r->signer_key.type == PKI_KEY_EC;
	if (!pki_signature_of_oid(oid, &digest, &type) || type != r->signer_key.type)
		return false;
	return digest == PKI_DIGEST_NONE || digest == r->digest;
}

/* The key's encryption that is not RSAES-PKCS1-v1_5; empty: all are. */
static struct octets
foreign_key_encryption(const struct scep_request *r)
{
	const struct scep_request_template *t = r->owned;

	for (int i = 0; i < t->key_trans_count; i++) {
		struct octets oid = asn1_string_octets(&t->key_trans[i]->key_encryption.oid);

		if (!octets_equal(oid, scep_oid_rsa_encryption))
			return oid;
	}
	return octets_of(NULL, 0);
}

enum scep_rc
scep_request_check_algorithms(const struct scep_request *r, uint32_t digests, uint32_t ciphers,
    enum scep_fail_info *fail, struct errbuf *why, struct errbuf *text)
{
	struct octets foreign = foreign_key_encryption(r);
	char type[PUBLIC_KEY_TEXT];
	struct errbuf spare = {0};

	if (text == NULL)
		text = &spare;
	*fail = SCEP_NO_FAIL_INFO;
	if (r->signer_key.type == PKI_KEY_OTHER || r->signer_key.type == PKI_KEY_EDDSA ||
	    r->signer_key.pkey == NULL) {
		errbuf_set(text, "signer's key type %s is not accepted here",
		    public_key_text(&r->signer_key, type));
		errbuf_set(why, "pkiMessage: %s", text->line);
		*fail = SCEP_BAD_ALG;
		return SCEP_REFUSED;
	}
	if (r->digest == PKI_DIGEST_NONE || (r->digest & digests) == 0)
		return refuse_algorithm(fail, why, text, "digest",
		    r->digest == PKI_DIGEST_NONE ? NULL : pki_digest_name(r->digest),
		    r->digest_oid);
	if (!signature_algorithm_fits(r))
		return refuse_algorithm(
		    fail, why, text, "signature algorithm", NULL, r->owned->signature_oid);
	if (foreign.len > 0)
		return refuse_algorithm(fail, why, text, "key encryption", NULL, foreign);
	if (r->cipher == PKI_CIPHER_NONE || (r->cipher & ciphers) == 0)
		return refuse_algorithm(fail, why, text, "cipher",
		    r->cipher == PKI_CIPHER_NONE ? NULL : pki_cipher_name(r->cipher),
		    r->cipher_oid);
	return SCEP_OK;
}

/* Sizes are bounded by what was parsed; so nothing of a message that was refused earlier gets near a key. */
static bool
algorithms_are_known(const struct scep_request *r)
{
	return r->digest != PKI_DIGEST_NONE && r->cipher != PKI_CIPHER_NONE &&
	       r->signer_key.pkey != NULL && r->owned->key_trans_count > 0 &&
	       foreign_key_encryption(r).len == 0 && signature_algorithm_fits(r);
}

/* RFC 5652 5.4: over the DER of signedAttrs, which need not be how they came. */
static bool
verify_reencoded(const struct scep_request *r, struct octets signature)
{
	uint8_t *der;
	int len = cms_attributes_encode(r->owned->attributes, &der);
	bool held = false;

	if (len > 0) {
		struct octets attributes = octets_of(der, (size_t)len);

		held = !octets_equal(attributes, r->owned->signed_attributes) &&
		       public_key_verify(&r->signer_key, r->digest, attributes, signature, NULL);
	}
	OPENSSL_free(der);
	return held;
}

static bool
verify_signature(const struct scep_request *r, struct errbuf *why)
{
	const struct scep_request_template *t = r->owned;
	struct octets signature = asn1_string_octets(&t->signer_info->signature);
	const EVP_MD *md = pki_digest_md(r->digest);
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct errbuf reason = {0};
	unsigned int len = 0;

	if (md == NULL ||
	    EVP_Digest(t->content.data, t->content.len, digest, &len, md, NULL) != 1) {
		errbuf_ossl(why, "pkiMessage: %s", pki_digest_name(r->digest));
		return false;
	}
	if (!octets_equal(octets_of(digest, len), t->message_digest)) {
		errbuf_set(
		    why, "pkiMessage: messageDigest is not that of the content (RFC 5652 11.2)");
		return false;
	}
	if (public_key_verify(
		&r->signer_key, r->digest, t->signed_attributes, signature, &reason) ||
	    verify_reencoded(r, signature))
		return true;
	errbuf_set(why, "pkiMessage: SignerInfo: %s", reason.line);
	return false;
}

enum scep_rc
scep_request_verify(struct scep_request *r, struct errbuf *why)
{
	struct scep_request_template *t = r->owned;

	if (t->verified)
		return SCEP_OK;
	if (!algorithms_are_known(r))
		errbuf_set(why, "pkiMessage: its algorithms were not checked");
	else
		t->verified = verify_signature(r, why);
	ERR_clear_error();
	return t->verified ? SCEP_OK : SCEP_REFUSED;
}
