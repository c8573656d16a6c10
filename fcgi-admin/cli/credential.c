/* credential.c: a certificate and its private key. */
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/cli/credential.h"
#include "pki/authority.h"
#include "pki/private_key.h"
#include "scep/client.h"

#define CERTIFICATES_MAX 16 /* in a file: the chain may follow */

bool
credential_key_type(struct octets spki, enum pki_key_type *type, char kind[16], struct errbuf *why)
{
	struct public_key key;
	bool taken;

	if (!public_key_parse(spki, &key, why))
		return false;
	*type = key.type;
	taken = key.type == PKI_KEY_RSA || key.type == PKI_KEY_EC;
	if (!taken)
		errbuf_set(why, "have %s, want RSA, or EC with P-256, P-384 or P-521", key.name);
	else if (key.type == PKI_KEY_RSA)
		snprintf(kind, 16, "rsa:%d", (key.bits + 7) / 8 * 8);
	else
		snprintf(kind, 16, "ec:P-%d", key.bits);
	public_key_free(&key);
	return taken;
}

/* The first certificate in the file. */
bool
credential_load_certificate(struct credential *c, const char *path, struct errbuf *why)
{
	struct buffer der[CERTIFICATES_MAX] = {0};
	int count = pem_read_certificates(path, der, CERTIFICATES_MAX, why);

	c->der = der[0];
	for (int i = 1; i < CERTIFICATES_MAX; i++)
		buffer_free(&der[i]);
	if (count < 1)
		return false;
	if (certificate_parse(buffer_octets(&c->der), &c->certificate, why))
		return true;
	errbuf_prefix(why, "%s", path);
	return false;
}

bool
credential_load(struct credential *c, const char *certificate, const char *key, struct errbuf *why)
{
	struct buffer spki = {0};
	char kind[16];
	bool good = credential_load_certificate(c, certificate, why) &&
		    (c->key = private_key_load(key, octets_of(NULL, 0), why)) != NULL &&
		    private_key_spki(c->key, &spki, why);

	if (good && !octets_equal(c->certificate.spki, buffer_octets(&spki))) {
		errbuf_set(why, "%s is not the key of %s", key, certificate);
		good = false;
	}
	if (good && !(good = credential_key_type(buffer_octets(&spki), &c->type, kind, why)))
		errbuf_prefix(why, "%s", key);
	buffer_free(&spki);
	return good;
}

bool
credential_self_sign(
    struct credential *c, EVP_PKEY *key, struct octets subject, int64_t now, struct errbuf *why)
{
	char kind[16];

	if (EVP_PKEY_up_ref(key) != 1) {
		errbuf_ossl(why, "key");
		return false;
	}
	c->key = key;
	return scep_client_self_signed(key, subject, now, &c->der, why) &&
	       certificate_parse(buffer_octets(&c->der), &c->certificate, why) &&
	       credential_key_type(c->certificate.spki, &c->type, kind, why);
}

void
credential_free(struct credential *c)
{
	certificate_free(&c->certificate);
	buffer_free(&c->der);
	EVP_PKEY_free(c->key);
	*c = (struct credential){0};
}
