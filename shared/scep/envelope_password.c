#include <limits.h>

#include <openssl/cms.h>
#include <openssl/objects.h>

#include "scep/envelope.h"

#define ITERATIONS 100000
#define FLAGS	   (CMS_BINARY | CMS_PARTIAL)

/*
 * A RecipientInfo for the password.  OpenSSL 3.0 leaves no choice of the pseudo-random function: CMS_add0_recipient_password() passes
 * over its pbe_nid, and makes PBKDF2's parameters with the default of RFC 8018 A.2, HMAC-SHA-1, which every reader knows.  What a guess
 * costs is the iterations; SHA-1's collisions do not matter to HMAC.
 *
 * The password goes in by a second call: the first one owns it, or does not, depending on where it fails, the second one cannot fail.
 * From then on it is CMS_ContentInfo_free()'s, which clears it (OPENSSL_clear_free).
 */
static bool
add_recipient(CMS_ContentInfo *cms, struct octets password)
{
	CMS_RecipientInfo *ri = CMS_add0_recipient_password(
	    cms, ITERATIONS, NID_id_alg_PWRI_KEK, NID_id_pbkdf2, NULL, 0, NULL);
	uint8_t *copy = ri == NULL ? NULL : OPENSSL_memdup(password.data, password.len);

	if (copy == NULL)
		return false;
	if (CMS_RecipientInfo_set0_password(ri, copy, (ossl_ssize_t)password.len) == 1)
		return true;
	OPENSSL_clear_free(copy, password.len);
	return false;
}

bool
scep_envelope_encode_password(struct octets content, enum pki_cipher cipher, struct octets password,
    struct buffer *out, struct errbuf *why)
{
	OSSL_LIB_CTX *libctx = cipher == PKI_DES ? pki_legacy_libctx() : NULL;
	const EVP_CIPHER *evp = pki_cipher_evp(cipher);
	CMS_ContentInfo *cms = NULL;
	uint8_t *der = NULL;
	BIO *in = NULL;
	int len = -1;

	if (evp == NULL || password.len == 0 || password.len > INT_MAX ||
	    content.len > INT_MAX / 2) {
		errbuf_set(why, "envelope: want %s and a password", pki_cipher_name(cipher));
		return false;
	}
	if ((in = BIO_new_mem_buf(content.data, (int)content.len)) != NULL &&
	    (cms = CMS_encrypt_ex(NULL, NULL, evp, FLAGS, libctx, NULL)) != NULL &&
	    add_recipient(cms, password) && CMS_final(cms, in, NULL, FLAGS) == 1)
		len = i2d_CMS_ContentInfo(cms, &der);
	if (len > 0)
		buffer_append(out, der, (size_t)len);
	else
		errbuf_ossl(why, "envelope: cannot encrypt under the password");
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	return len > 0 && !out->failed;
}
