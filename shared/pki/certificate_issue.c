#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "pki/asn1.h"
#include "pki/certificate.h"
#include "pki/public_key.h"

#define URL_MAX		1024
#define FIELD_MAX	65536 /* octets of any one field */
#define ROOM_FIXED	1024  /* all that is not a field: headers, OIDs, times, key identifiers */
#define NOT_AFTER_MAX	INT64_C(253402300799) /* 99991231235959Z */
#define KEY_USAGE_BITS	9
#define PATH_LENGTH_MAX 255

/* id-ce: 2.5.29.n */
static const uint8_t id_ski[] = {0x55, 0x1d, 14}, id_key_usage[] = {0x55, 0x1d, 15},
		     id_san[] = {0x55, 0x1d, 17}, id_basic_constraints[] = {0x55, 0x1d, 19},
		     id_crl_points[] = {0x55, 0x1d, 31}, id_aki[] = {0x55, 0x1d, 35},
		     id_eku[] = {0x55, 0x1d, 37};
/* id-pe-authorityInfoAccess 1.3.6.1.5.5.7.1.1, id-ad-ocsp 1.3.6.1.5.5.7.48.1 */
static const uint8_t id_aia[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01},
		     id_ocsp[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01};

#define OCTETS(array) octets_of(array, sizeof(array))

static const uint8_t empty_sequence[] = {0x30, 0x00};

/* SEQUENCE { 1.3.6.1.5.5.7.48.1.5, OCTET STRING { NULL } } */
static const uint8_t ocsp_nocheck[] = {0x30, 0x0f, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
    0x30, 0x01, 0x05, 0x04, 0x02, 0x05, 0x00};

const struct octets certificate_ocsp_nocheck = {ocsp_nocheck, sizeof(ocsp_nocheck)};

/* Close what was written since mark as the extnValue of an extension. */
static void
wrap_extension(struct der *d, size_t mark, struct octets oid, bool critical)
{
	der_wrap(d, DER_OCTET_STRING, mark);
	if (critical)
		der_boolean_true(d);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
write_basic_constraints(struct der *d, const struct certificate_fields *f)
{
	size_t mark = der_mark(d);

	if (f->ca) {
		if (f->path_length >= 0)
			der_integer(d, (uint32_t)f->path_length);
		der_boolean_true(d);
	}
	der_wrap(d, DER_SEQUENCE, mark); /* cA DEFAULT FALSE: so empty says that it is none */
	wrap_extension(d, mark, OCTETS(id_basic_constraints), true);
}

/* A named bit list: trailing zero bits are left out (X.690 11.2.2). */
static void
write_key_usage(struct der *d, int bits)
{
	size_t mark = der_mark(d);
	uint8_t content[3] = {0};
	int last = 0;

	for (int bit = 0; bit < KEY_USAGE_BITS; bit++) {
		if ((bits & 1 << bit) == 0)
			continue;
		content[1 + bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		last = bit;
	}
	content[0] = (uint8_t)(7 - last % 8);
	der_element(d, DER_BIT_STRING, octets_of(content, (size_t)(2 + last / 8)));
	wrap_extension(d, mark, OCTETS(id_key_usage), true);
}

/* One DistributionPoint with fullName, one URI. */
static void
write_crl_point(struct der *d, const char *url)
{
	size_t mark = der_mark(d);

	der_element(d, DER_CONTEXT_PRIM(6), octets_of_string(url));
	der_wrap(d, DER_CONTEXT(0), mark);
	der_wrap(d, DER_CONTEXT(0), mark);
	der_wrap(d, DER_SEQUENCE, mark);
	der_wrap(d, DER_SEQUENCE, mark);
	wrap_extension(d, mark, OCTETS(id_crl_points), false);
}

static void
write_ocsp(struct der *d, const char *url)
{
	size_t mark = der_mark(d);

	der_element(d, DER_CONTEXT_PRIM(6), octets_of_string(url));
	der_oid(d, OCTETS(id_ocsp));
	der_wrap(d, DER_SEQUENCE, mark);
	der_wrap(d, DER_SEQUENCE, mark);
	wrap_extension(d, mark, OCTETS(id_aia), false);
}

static bool
given(const char *url)
{
	return url != NULL && url[0] != '\0';
}

/* The writer goes backwards: the last extension first. */
static void
write_extensions(struct der *d, const struct certificate_fields *f, const uint8_t ski[20])
{
	size_t mark = der_mark(d), inner;

	der_raw(d, f->extra);
	if (given(f->ocsp_url))
		write_ocsp(d, f->ocsp_url);
	if (given(f->crl_url))
		write_crl_point(d, f->crl_url);
	inner = der_mark(d);
	if (f->san.len > 0) {
		der_raw(d, f->san);
		wrap_extension(
		    d, inner, OCTETS(id_san), octets_equal(f->subject, OCTETS(empty_sequence)));
	}
	inner = der_mark(d);
	if (f->issuer_ski.len > 0) {
		der_element(d, DER_CONTEXT_PRIM(0), f->issuer_ski);
		der_wrap(d, DER_SEQUENCE, inner);
		wrap_extension(d, inner, OCTETS(id_aki), false);
	}
	inner = der_mark(d);
	der_element(d, DER_OCTET_STRING, octets_of(ski, 20));
	wrap_extension(d, inner, OCTETS(id_ski), false);
	inner = der_mark(d);
	if (f->eku.len > 0) {
		der_raw(d, f->eku);
		wrap_extension(d, inner, OCTETS(id_eku), false);
	}
	if (f->key_usage != 0)
		write_key_usage(d, f->key_usage);
	write_basic_constraints(d, f);
	der_wrap(d, DER_SEQUENCE, mark);
	der_wrap(d, DER_CONTEXT(3), mark);
}

static void
write_tbs(struct der *d, const struct certificate_fields *f, const uint8_t ski[20],
    struct octets algorithm)
{
	size_t mark;

	write_extensions(d, f, ski);
	der_raw(d, f->spki);
	der_raw(d, f->subject);
	mark = der_mark(d);
	der_time(d, f->not_after);
	der_time(d, f->not_before);
	der_wrap(d, DER_SEQUENCE, mark);
	der_raw(d, f->issuer);
	der_raw(d, algorithm);
	der_unsigned(d, OCTETS(f->serial));
	mark = der_mark(d);
	der_integer(d, 2); /* v3 */
	der_wrap(d, DER_CONTEXT(0), mark);
	der_wrap(d, DER_SEQUENCE, 0);
}

/* Extension after extension, none of a type that is written here already. */
static bool
check_extra(struct octets extra, struct errbuf *why)
{
	static const int ours[] = {NID_subject_key_identifier, NID_key_usage, NID_subject_alt_name,
	    NID_basic_constraints, NID_crl_distribution_points, NID_authority_key_identifier,
	    NID_ext_key_usage, NID_info_access};
	const uint8_t *p = extra.data, *end;

	if (extra.len == 0)
		return true;
	for (end = p + extra.len; p != end;) {
		const uint8_t *start = p;
		X509_EXTENSION *x = d2i_X509_EXTENSION(NULL, &p, (long)(end - p));
		bool ok =
		    x != NULL && asn1_is_der(octets_of(start, (size_t)(p - start)), DER_SEQUENCE);

		for (size_t i = 0; ok && i < sizeof(ours) / sizeof(ours[0]); i++)
			ok = OBJ_obj2nid(X509_EXTENSION_get_object(x)) != ours[i];
		X509_EXTENSION_free(x);
		if (!ok) {
			errbuf_ossl(why, "certificate: further extensions malformed, or of a type "
					 "that has a field of its own");
			return false;
		}
	}
	return true;
}

static bool
check_url(const char *url)
{
	if (!given(url))
		return true;
	if (strlen(url) > URL_MAX)
		return false;
	for (; *url != '\0'; url++)
		if (*url <= ' ' || *url > '~')
			return false;
	return true;
}

static bool
is_sequence(struct octets der, bool may_be_absent)
{
	return (may_be_absent && der.len == 0) ||
	       (der.len <= FIELD_MAX && asn1_is_der(der, DER_SEQUENCE));
}

/* NULL, or what does not fit. */
static const char *
misfit(const struct certificate_fields *f)
{
	static const uint8_t zero[sizeof(f->serial)];

	if (memcmp(f->serial, zero, sizeof(zero)) == 0)
		return "the serial is 0";
	if (!is_sequence(f->issuer, false) || octets_equal(f->issuer, OCTETS(empty_sequence)))
		return "the issuer is not a Name in DER, or empty";
	if (!is_sequence(f->subject, false))
		return "the subject is not a Name in DER";
	if (!is_sequence(f->spki, false))
		return "the key is not a SubjectPublicKeyInfo in DER";
	if (!is_sequence(f->eku, true) || !is_sequence(f->san, true))
		return "extKeyUsage or subjectAltName is not the DER of a SEQUENCE";
	if (octets_equal(f->eku, OCTETS(empty_sequence)) ||
	    octets_equal(f->san, OCTETS(empty_sequence)))
		return "extKeyUsage or subjectAltName is empty";
	if (octets_equal(f->subject, OCTETS(empty_sequence)) && (f->ca || f->san.len == 0))
		return "the subject is empty (RFC 5280 4.1.2.6)";
	if (f->not_before > f->not_after || f->not_before < 0 || f->not_after > NOT_AFTER_MAX)
		return "the validity ends before it begins, or is out of range";
	if (f->key_usage < 0 || f->key_usage >> KEY_USAGE_BITS != 0)
		return "keyUsage has unknown bits";
	if (!f->ca && (f->key_usage & KEY_USAGE_KEY_CERT_SIGN) != 0)
		return "keyCertSign without CA:TRUE (RFC 5280 4.2.1.9)";
	if (f->ca && (f->path_length < -1 || f->path_length > PATH_LENGTH_MAX))
		return "pathLenConstraint is out of range";
	if (!check_url(f->crl_url) || !check_url(f->ocsp_url))
		return "a URL has other than visible ASCII characters, or is too long";
	if (f->issuer_ski.len > EVP_MAX_MD_SIZE || f->extra.len > FIELD_MAX)
		return "the issuer's key identifier or the further extensions are too long";
	return NULL;
}

bool
certificate_issue(
    const struct certificate_fields *f, struct signer *s, struct buffer *out, struct errbuf *why)
{
	const char *wrong = misfit(f);
	uint8_t ski[20], *room;
	struct der d;
	size_t size;
	bool ok;

	if (wrong == NULL && !public_key_identifier(f->spki, ski))
		wrong = "the key is not a SubjectPublicKeyInfo";
	if (wrong != NULL) {
		errbuf_set(why, "certificate: %s", wrong);
		return false;
	}
	if (!check_extra(f->extra, why))
		return false;
	size = ROOM_FIXED + f->issuer.len + f->subject.len + f->spki.len + f->eku.len + f->san.len +
	       f->extra.len + (given(f->crl_url) ? strlen(f->crl_url) : 0) +
	       (given(f->ocsp_url) ? strlen(f->ocsp_url) : 0);
	if ((room = malloc(size)) == NULL) {
		errbuf_set(why, "certificate: out of memory");
		return false;
	}
	der_start(&d, room, size);
	write_tbs(&d, f, ski, signer_algorithm(s));
	if (d.failed) {
		errbuf_set(why, "certificate: does not fit %zu octets", size);
		ok = false;
	} else {
		ok = signer_sign_tbs(s, der_octets(&d), octets_of(NULL, 0), out, why);
	}
	free(room);
	return ok;
}
