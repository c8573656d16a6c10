#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string.h>

#include "pki/asn1.h"
#include "pki/crl.h"
#include "pki/public_key.h"

#define SERIAL_MAX 64

static bool
read_crl(struct crl *crl, struct errbuf *why)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl->owned);
	const unsigned char *name;
	ASN1_INTEGER *number;
	size_t len;
	int critical;

	if (!asn1_time_seconds(X509_CRL_get0_lastUpdate(crl->owned), &crl->this_update) ||
	    (next != NULL && !asn1_time_seconds(next, &crl->next_update)) ||
	    X509_NAME_get0_der(X509_CRL_get_issuer(crl->owned), &name, &len) != 1) {
		errbuf_ossl(why, "CRL: malformed (RFC 5280 5.1.2)");
		return false;
	}
	crl->issuer = octets_of(name, len);
	crl->count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl->owned));
	if (crl->count < 0)
		crl->count = 0;
	number = X509_CRL_get_ext_d2i(crl->owned, NID_crl_number, &critical, NULL);
	if (number == NULL && critical != -1) {
		errbuf_ossl(why, "CRL: cRLNumber malformed, or twice (RFC 5280 5.2.3)");
		return false;
	}
	if (number == NULL || ASN1_INTEGER_get_int64(&crl->number, number) != 1 || crl->number < 0)
		crl->number = -1;
	ASN1_INTEGER_free(number);
	return true;
}

bool
crl_parse(struct octets der, struct crl *out, struct errbuf *why)
{
	const unsigned char *p = der.data;
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (der.len > CRL_MAX) {
		errbuf_set(why, "CRL: have %zu octets, want <= %d", der.len, CRL_MAX);
		return false;
	}
	if (der.len > 0)
		out->owned = d2i_X509_CRL(NULL, &p, (long)der.len);
	if (out->owned == NULL || p != der.data + der.len)
		errbuf_ossl(why, "CRL: want exactly one CertificateList (RFC 5280 5.1)");
	else
		ok = read_crl(out, why);
	ERR_clear_error();
	if (!ok)
		crl_parsed_free(out);
	return ok;
}

void
crl_parsed_free(struct crl *crl)
{
	X509_CRL_free(crl->owned);
	memset(crl, 0, sizeof(*crl));
}

bool
crl_verify(const struct crl *crl, const struct certificate *ca, struct errbuf *why)
{
	struct public_key key;
	bool ok;

	if (!octets_equal(crl->issuer, ca->subject)) {
		errbuf_set(why, "CRL: its issuer is not the subject of the CA's certificate");
		return false;
	}
	if (ca->key_usage != -1 && (ca->key_usage & KEY_USAGE_CRL_SIGN) == 0) {
		errbuf_set(why, "CRL: the CA's certificate has no cRLSign (RFC 5280 4.2.1.3)");
		return false;
	}
	if (!public_key_parse(ca->spki, &key, why))
		return false;
	ok = key.pkey != NULL && X509_CRL_verify(crl->owned, key.pkey) == 1;
	if (!ok)
		errbuf_ossl(why, "CRL: its signature does not verify by the CA's %s key", key.name);
	public_key_free(&key);
	return ok;
}

bool
crl_find(const struct crl *crl, struct octets serial, int64_t *revoked_at, int *reason)
{
	X509_REVOKED *entry = NULL;
	ASN1_INTEGER *integer = NULL;
	BIGNUM *number = NULL;
	bool found;

	if (serial.len <= SERIAL_MAX)
		number = BN_bin2bn(serial.data, (int)serial.len, NULL);
	if (number != NULL)
		integer = BN_to_ASN1_INTEGER(number, NULL);
	found = integer != NULL && X509_CRL_get0_by_serial(crl->owned, &entry, integer) != 0 &&
		asn1_time_seconds(X509_REVOKED_get0_revocationDate(entry), revoked_at);
	*reason = 0;
	if (found) {
		ASN1_ENUMERATED *code = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);

		if (code != NULL)
			*reason = (int)ASN1_ENUMERATED_get(code);
		ASN1_ENUMERATED_free(code);
	}
	ASN1_INTEGER_free(integer);
	BN_free(number);
	ERR_clear_error();
	return found;
}
