#include <limits.h>

#include <openssl/cms.h>
#include <openssl/err.h>

#include "scep/envelope.h"

/* The same octets as OpenSSL's structure; single DES lives in a library context of its own. */
static CMS_ContentInfo *
decode(struct octets der, enum pki_cipher cipher)
{
	CMS_ContentInfo *cms = NULL;
	const uint8_t *p = der.data;

	if (der.len > LONG_MAX)
		return NULL;
	if (cipher == PKI_DES) {
		OSSL_LIB_CTX *libctx = pki_legacy_libctx();

		if (libctx == NULL || (cms = CMS_ContentInfo_new_ex(libctx, NULL)) == NULL)
			return NULL;
	}
	/* On failure the decoder frees what it was given. */
	return d2i_CMS_ContentInfo(cms == NULL ? NULL : &cms, &p, (long)der.len);
}

/* All that the cipher gives, once cms has its key; false when its padding is wrong. */
static bool
read_all(CMS_ContentInfo *cms, struct buffer *out)
{
	BIO *content = CMS_dataInit(cms, NULL);
	uint8_t chunk[2048];
	bool held = false;
	int n;

	if (content != NULL) {
		while ((n = BIO_read(content, chunk, sizeof(chunk))) > 0)
			buffer_append(out, chunk, (size_t)n);
		octets_wipe(chunk, sizeof(chunk));
		held = !out->failed && BIO_get_cipher_status(content) == 1;
	}
	BIO_free_all(content);
	return held;
}

/* What CMS_decrypt_set1_pkey() does with the recipient that it was looking for, done with the first that has an RSA block. */
static bool
set_key_of_first(CMS_ContentInfo *cms, EVP_PKEY *key)
{
	STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);

	for (int i = 0; i < sk_CMS_RecipientInfo_num(recipients); i++) {
		CMS_RecipientInfo *recipient = sk_CMS_RecipientInfo_value(recipients, i);

		if (CMS_RecipientInfo_type(recipient) != CMS_RECIPINFO_TRANS)
			continue;
		if (EVP_PKEY_up_ref(key) != 1)
			return false;
		if (CMS_RecipientInfo_set0_pkey(recipient, key) != 1) {
			EVP_PKEY_free(key);
			return false;
		}
		(void)CMS_RecipientInfo_decrypt(cms, recipient);
		CMS_RecipientInfo_set0_pkey(recipient, NULL);
		ERR_clear_error();
		return true;
	}
	return false;
}

static bool
set_key(CMS_ContentInfo *cms, EVP_PKEY *key, X509 *x509)
{
	return x509 != NULL ? CMS_decrypt_set1_pkey(cms, key, x509) == 1
			    : set_key_of_first(cms, key);
}

bool
scep_envelope_open(
    struct octets der, enum pki_cipher cipher, EVP_PKEY *key, X509 *x509, struct buffer *out)
{
	CMS_ContentInfo *cms = decode(der, cipher);
	bool held = cms != NULL && set_key(cms, key, x509) && read_all(cms, out);

	CMS_ContentInfo_free(cms);
	if (!held)
		buffer_free(out);
	return held;
}

bool
scep_envelope_open_password(
    struct octets der, enum pki_cipher cipher, struct octets password, struct buffer *out)
{
	CMS_ContentInfo *cms = decode(der, cipher);
	bool held = false;

	/* Of the password no copy is made: it is borrowed for the call. */
	if (cms != NULL && password.len <= LONG_MAX &&
	    CMS_decrypt_set1_password(
		cms, (uint8_t *)(uintptr_t)password.data, (ossl_ssize_t)password.len) == 1)
		held = read_all(cms, out);
	CMS_ContentInfo_free(cms);
	if (!held)
		buffer_free(out);
	return held;
}
