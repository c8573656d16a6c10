#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/crl.h"
#include "pki/ocsp.h"
#include "pki/public_key.h"

#define DER_ENUMERATED 0x0a
#define ENTRY_ROOM     128 /* of a SingleResponse: all but its CertID */
#define ROOM_FIXED     512 /* of the rest: all but nonce, certificate and signature */
#define DIGESTS	       (PKI_SHA1 | PKI_SHA256 | PKI_SHA384 | PKI_SHA512)

#define OCTETS(array)  octets_of(array, sizeof(array))

/* id-pkix-ocsp 1.3.6.1.5.5.7.48.1: .1 basic, .2 nonce */
static const uint8_t id_basic[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01},
		     id_nonce[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};

typedef struct cert_id {
	X509_ALGOR *algorithm;
	ASN1_OCTET_STRING *name_hash;
	ASN1_OCTET_STRING *key_hash;
	ASN1_INTEGER *serial;
} CERT_ID;

typedef struct single_request {
	CERT_ID *id;
	STACK_OF(X509_EXTENSION) * extensions;
} SINGLE_REQUEST;
DEFINE_STACK_OF(SINGLE_REQUEST)

typedef struct tbs_request {
	ASN1_INTEGER *version;
	ASN1_TYPE *requestor; /* opaque: a GeneralName of any size */
	STACK_OF(SINGLE_REQUEST) * list;
	STACK_OF(X509_EXTENSION) * extensions;
} TBS_REQUEST;

typedef struct whole_request {
	TBS_REQUEST *tbs;
	ASN1_STRING *signature; /* opaque: with certificates in it */
} WHOLE_REQUEST;

/* clang-format off */
ASN1_SEQUENCE(CERT_ID) = {
	ASN1_SIMPLE(CERT_ID, algorithm, X509_ALGOR),
	ASN1_SIMPLE(CERT_ID, name_hash, ASN1_OCTET_STRING),
	ASN1_SIMPLE(CERT_ID, key_hash, ASN1_OCTET_STRING),
	ASN1_SIMPLE(CERT_ID, serial, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(CERT_ID)

ASN1_SEQUENCE(SINGLE_REQUEST) = {
	ASN1_SIMPLE(SINGLE_REQUEST, id, CERT_ID),
	ASN1_EXP_SEQUENCE_OF_OPT(SINGLE_REQUEST, extensions, X509_EXTENSION, 0),
} static_ASN1_SEQUENCE_END(SINGLE_REQUEST)

ASN1_SEQUENCE(TBS_REQUEST) = {
	ASN1_EXP_OPT(TBS_REQUEST, version, ASN1_INTEGER, 0),
	ASN1_EXP_OPT(TBS_REQUEST, requestor, ASN1_ANY, 1),
	ASN1_SEQUENCE_OF(TBS_REQUEST, list, SINGLE_REQUEST),
	ASN1_EXP_SEQUENCE_OF_OPT(TBS_REQUEST, extensions, X509_EXTENSION, 2),
} static_ASN1_SEQUENCE_END(TBS_REQUEST)

ASN1_SEQUENCE(WHOLE_REQUEST) = {
	ASN1_SIMPLE(WHOLE_REQUEST, tbs, TBS_REQUEST),
	ASN1_EXP_OPT(WHOLE_REQUEST, signature, ASN1_SEQUENCE, 0),
} static_ASN1_SEQUENCE_END(WHOLE_REQUEST)
    /* clang-format on */

    struct ocsp_request {
	WHOLE_REQUEST *parsed;
	const CERT_ID *ids[OCSP_CERTS_MAX];
	struct octets serials[OCSP_CERTS_MAX];
	int count;
	struct octets nonce; /* extnValue: the DER of an OCTET STRING */
};

/* ---- the request ----------------------------------------------------------------------------------------------------------- */

/* RFC 8954 2.1: an OCTET STRING in the extnValue. */
static bool
read_nonce(struct ocsp_request *r, struct octets value, struct errbuf *why)
{
	ASN1_OCTET_STRING *nonce = NULL;
	size_t len;

	if (asn1_is_der(value, DER_OCTET_STRING))
		nonce = asn1_decode(ASN1_ITEM_rptr(ASN1_OCTET_STRING), value);
	len = asn1_string_octets(nonce).len;
	ASN1_OCTET_STRING_free(nonce);
	if (len < 1 || len > OCSP_NONCE_MAX || r->nonce.len > 0) {
		errbuf_set(why,
		    "OCSPRequest: nonce: have %zu octets%s, want 1 to %d, once (RFC 8954 2.1)", len,
		    r->nonce.len > 0 ? " again" : "", OCSP_NONCE_MAX);
		return false;
	}
	r->nonce = value;
	return true;
}

/* Of one CertID, or with_nonce of the whole. */
static bool
read_extensions(struct ocsp_request *r, const STACK_OF(X509_EXTENSION) * list, bool with_nonce,
    struct errbuf *why)
{
	int count = list == NULL ? 0 : sk_X509_EXTENSION_num(list);

	for (int i = 0; i < count; i++) {
		X509_EXTENSION *x = sk_X509_EXTENSION_value(list, i);
		struct octets oid = asn1_oid_octets(X509_EXTENSION_get_object(x));
		char text[PKI_OID_TEXT];

		if (with_nonce && octets_equal(oid, OCTETS(id_nonce))) {
			if (!read_nonce(r, asn1_string_octets(X509_EXTENSION_get_data(x)), why))
				return false;
		} else if (X509_EXTENSION_get_critical(x) != 0) {
			errbuf_set(why,
			    "OCSPRequest: critical extension %s is not known (RFC 6960 4.1.2)",
			    pki_oid_text(oid, text, sizeof(text)));
			return false;
		}
	}
	return true;
}

static bool
read_single(struct ocsp_request *r, const SINGLE_REQUEST *single, struct errbuf *why)
{
	struct octets serial = asn1_string_octets(single->id->serial);

	if (serial.len > OCSP_SERIAL_MAX) {
		errbuf_set(why, "OCSPRequest: have a serial of %zu octets, want <= %d", serial.len,
		    OCSP_SERIAL_MAX);
		return false;
	}
	if (single->id->serial->type != V_ASN1_INTEGER)
		serial.len = 0; /* negative: its magnitude is another's number */
	while (serial.len > 0 && serial.data[0] == 0)
		serial = octets_of(serial.data + 1, serial.len - 1);
	r->ids[r->count] = single->id;
	r->serials[r->count] = serial;
	r->count++;
	return read_extensions(r, single->extensions, false, why);
}

static bool
read_request(struct ocsp_request *r, struct errbuf *why)
{
	const TBS_REQUEST *tbs = r->parsed->tbs;
	int count = sk_SINGLE_REQUEST_num(tbs->list);
	int64_t version = 0;

	if (tbs->version != NULL &&
	    (ASN1_INTEGER_get_int64(&version, tbs->version) != 1 || version != 0)) {
		errbuf_set(why, "OCSPRequest: its version is not 1 (RFC 6960 4.1.1)");
		return false;
	}
	if (count < 1 || count > OCSP_CERTS_MAX) {
		errbuf_set(
		    why, "OCSPRequest: have %d CertIDs, want 1 to %d", count, OCSP_CERTS_MAX);
		return false;
	}
	for (int i = 0; i < count; i++)
		if (!read_single(r, sk_SINGLE_REQUEST_value(tbs->list, i), why))
			return false;
	return read_extensions(r, tbs->extensions, true, why);
}

bool
ocsp_request_parse(struct octets der, struct ocsp_request **out, struct errbuf *why)
{
	struct ocsp_request *r;
	bool ok = false;

	*out = NULL;
	if (der.len > OCSP_REQUEST_MAX) {
		errbuf_set(
		    why, "OCSPRequest: have %zu octets, want <= %d", der.len, OCSP_REQUEST_MAX);
		return false;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL) {
		errbuf_set(why, "OCSPRequest: out of memory");
		return false;
	}
	if (asn1_is_der(der, DER_SEQUENCE)) /* as of its CertIDs a response is made */
		r->parsed = asn1_decode(ASN1_ITEM_rptr(WHOLE_REQUEST), der);
	if (r->parsed == NULL)
		errbuf_ossl(why, "OCSPRequest: want the DER of exactly one (RFC 6960 4.1.1, A.1)");
	else
		ok = read_request(r, why);
	ERR_clear_error();
	if (ok)
		*out = r;
	else
		ocsp_request_free(r);
	return ok;
}

void
ocsp_request_free(struct ocsp_request *r)
{
	if (r == NULL)
		return;
	ASN1_item_free((ASN1_VALUE *)r->parsed, ASN1_ITEM_rptr(WHOLE_REQUEST));
	free(r);
}

int
ocsp_request_count(const struct ocsp_request *r)
{
	return r->count;
}

bool
ocsp_request_has_nonce(const struct ocsp_request *r)
{
	return r->nonce.len > 0;
}

struct octets
ocsp_request_serial(const struct ocsp_request *r, int i)
{
	return i >= 0 && i < r->count ? r->serials[i] : octets_of(NULL, 0);
}

bool
ocsp_request_names_ca(const struct ocsp_request *r, int i, const struct certificate *ca)
{
	uint8_t name[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE];
	const ASN1_OBJECT *algorithm;
	enum pki_digest digest;
	unsigned int len;

	if (i < 0 || i >= r->count)
		return false;
	X509_ALGOR_get0(&algorithm, NULL, NULL, r->ids[i]->algorithm);
	digest = pki_digest_of_oid(asn1_oid_octets(algorithm));
	if ((digest & DIGESTS) == 0 ||
	    EVP_Digest(
		ca->subject.data, ca->subject.len, name, &len, pki_digest_md(digest), NULL) != 1 ||
	    !public_key_hash(ca->spki, digest, key)) {
		ERR_clear_error();
		return false;
	}
	return octets_equal(asn1_string_octets(r->ids[i]->name_hash), octets_of(name, len)) &&
	       octets_equal(asn1_string_octets(r->ids[i]->key_hash), octets_of(key, len));
}

/* ---- the response ---------------------------------------------------------------------------------------------------------- */

/* CertStatus: good and unknown are NULLs, revoked a RevokedInfo, under tags of their own. */
static void
write_status(struct der *d, const struct ocsp_answer *a)
{
	uint8_t reason = (uint8_t)a->reason;
	size_t mark = der_mark(d);

	switch (a->status) {
	case OCSP_STATUS_GOOD:
		der_element(d, DER_CONTEXT_PRIM(0), octets_of(NULL, 0));
		break;
	case OCSP_STATUS_REVOKED:
		if (a->reason > 0) {
			der_element(d, DER_ENUMERATED, octets_of(&reason, 1));
			der_wrap(d, DER_CONTEXT(0), mark);
		}
		der_generalized_time(d, a->revoked_at);
		der_wrap(d, DER_CONTEXT(1), mark);
		break;
	default:
		der_element(d, DER_CONTEXT_PRIM(2), octets_of(NULL, 0));
		break;
	}
}

/* The CertID as it was asked for, in DER. */
static bool
write_id(struct der *d, const CERT_ID *id)
{
	uint8_t *der = NULL;
	int len = ASN1_item_i2d((const ASN1_VALUE *)id, &der, ASN1_ITEM_rptr(CERT_ID));

	if (len > 0)
		der_raw(d, octets_of(der, (size_t)len));
	OPENSSL_free(der);
	return len > 0;
}

/* ResponseData (4.2.1), from its end: the nonce, the answers, when, and by whom. */
static bool
write_data(struct der *d, const struct ocsp_request *r, const struct ocsp_answer *answers,
    int64_t this_update, int64_t next_update, const uint8_t key_hash[20])
{
	size_t mark;

	if (r->nonce.len > 0) {
		der_element(d, DER_OCTET_STRING, r->nonce);
		der_oid(d, OCTETS(id_nonce));
		der_wrap(d, DER_SEQUENCE, 0);
		der_wrap(d, DER_SEQUENCE, 0);
		der_wrap(d, DER_CONTEXT(1), 0);
	}
	mark = der_mark(d);
	for (int i = r->count - 1; i >= 0; i--) {
		size_t single = der_mark(d);

		der_generalized_time(d, next_update);
		der_wrap(d, DER_CONTEXT(0), single);
		der_generalized_time(d, this_update);
		write_status(d, &answers[i]);
		if (!write_id(d, r->ids[i]))
			return false;
		der_wrap(d, DER_SEQUENCE, single);
	}
	der_wrap(d, DER_SEQUENCE, mark);
	der_generalized_time(d, this_update);
	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, octets_of(key_hash, 20));
	der_wrap(d, DER_CONTEXT(2), mark);
	der_wrap(d, DER_SEQUENCE, 0);
	return !d->failed;
}

/* NULL, or what does not fit. */
static const char *
misfit(const struct ocsp_request *r, const struct ocsp_answer *answers, int64_t this_update,
    int64_t next_update, const struct ocsp_responder *responder)
{
	if (this_update < 0 || next_update <= this_update)
		return "nextUpdate does not lie behind thisUpdate";
	for (int i = 0; i < r->count; i++) {
		if (answers[i].status != OCSP_STATUS_REVOKED)
			continue;
		if (answers[i].reason > 0 && !crl_reason_can_be_set(answers[i].reason))
			return "a reason that cannot be set";
		if (answers[i].revoked_at < 0)
			return "a time of revocation before 1970";
	}
	if (EVP_PKEY_eq(X509_get0_pubkey(responder->x509), responder->key) != 1)
		return "the responder's certificate has another key";
	return NULL;
}

/* KeyHash: SHA-1 over what the BIT STRING of the responder's certificate holds. */
static bool
hash_key(const X509 *x509, uint8_t out[20])
{
	struct octets key = asn1_string_octets(X509_get0_pubkey_bitstr(x509));

	return EVP_Digest(key.data, key.len, out, NULL, pki_digest_md(PKI_SHA1), NULL) == 1;
}

/* [0] { SEQUENCE { the responder's certificate } } */
static bool
write_certificates(X509 *x509, struct buffer *out)
{
	uint8_t *der = NULL, *room = NULL;
	int len = i2d_X509(x509, &der);
	size_t size = len > 0 ? (size_t)len + 16 : 0;
	struct der d;

	if (len > 0 && (room = malloc(size)) != NULL) {
		der_start(&d, room, size);
		der_raw(&d, octets_of(der, (size_t)len));
		der_wrap(&d, DER_SEQUENCE, 0);
		der_wrap(&d, DER_CONTEXT(0), 0);
		buffer_append(out, der_octets(&d).data, der_octets(&d).len);
	}
	free(room);
	OPENSSL_free(der);
	return out->len > 0;
}

/* OCSPResponse: SEQUENCE { successful, [0] { SEQUENCE { id-pkix-ocsp-basic, OCTET STRING { basic } } } } */
static bool
wrap_response(struct octets basic, struct buffer *out)
{
	static const uint8_t successful[] = {0};
	size_t size = basic.len + ROOM_FIXED;
	uint8_t *room = malloc(size);
	struct der d;

	if (room == NULL)
		return false;
	der_start(&d, room, size);
	der_element(&d, DER_OCTET_STRING, basic);
	der_oid(&d, OCTETS(id_basic));
	der_wrap(&d, DER_SEQUENCE, 0);
	der_wrap(&d, DER_CONTEXT(0), 0);
	der_element(&d, DER_ENUMERATED, OCTETS(successful));
	der_wrap(&d, DER_SEQUENCE, 0);
	if (!d.failed)
		buffer_append(out, der_octets(&d).data, der_octets(&d).len);
	free(room);
	return !d.failed && !out->failed;
}

bool
ocsp_response_encode(const struct ocsp_request *r, const struct ocsp_answer *answers,
    int64_t this_update, int64_t next_update, const struct ocsp_responder *responder,
    struct buffer *out, struct errbuf *why)
{
	const char *wrong = misfit(r, answers, this_update, next_update, responder);
	uint8_t room[OCSP_REQUEST_MAX + OCSP_CERTS_MAX * ENTRY_ROOM + ROOM_FIXED], key_hash[20];
	struct buffer certificates = {0}, basic = {0};
	struct signer *signer = NULL;
	struct der d;
	bool ok = false;

	if (wrong != NULL) {
		errbuf_ossl(why, "OCSPResponse: %s", wrong);
		return false;
	}
	if (!signer_of_key(responder->key, &signer, why))
		goto done;
	der_start(&d, room, sizeof(room));
	if (!hash_key(responder->x509, key_hash) ||
	    !write_data(&d, r, answers, this_update, next_update, key_hash) ||
	    !write_certificates(responder->x509, &certificates))
		errbuf_ossl(why, "OCSPResponse: cannot be written");
	else if (signer_sign_tbs(
		     signer, der_octets(&d), buffer_octets(&certificates), &basic, why) &&
		 !(ok = wrap_response(buffer_octets(&basic), out)))
		errbuf_set(why, "OCSPResponse: out of memory");
done:
	signer_free(signer);
	buffer_free(&certificates);
	buffer_free(&basic);
	return ok;
}

bool
ocsp_error_encode(int status, struct buffer *out)
{
	uint8_t response[] = {DER_SEQUENCE, 3, DER_ENUMERATED, 1, (uint8_t)status};

	switch (status) {
	case OCSP_MALFORMED_REQUEST:
	case OCSP_INTERNAL_ERROR:
	case OCSP_TRY_LATER:
	case OCSP_SIG_REQUIRED:
	case OCSP_UNAUTHORIZED:
		buffer_append(out, response, sizeof(response));
		return !out->failed;
	default:
		return false;
	}
}
