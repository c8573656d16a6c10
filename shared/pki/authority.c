#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

#include "base/der.h"
#include "base/encoding.h"
#include "pki/asn1.h"
#include "pki/authority.h"
#include "pki/public_key.h"

#define SERIAL_OCTETS 16
#define ROOM_FIXED    512 /* of a request: all but subject and key */
#define CA_USAGE      (KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)

bool
authority_serial(uint8_t serial[16], struct errbuf *why)
{
	if (RAND_bytes(serial, SERIAL_OCTETS) == 1)
		return true;
	errbuf_ossl(why, "serial: no randomness");
	return false;
}

bool
authority_self_sign(struct signer *s, struct octets subject, int64_t not_before, int64_t not_after,
    int path_length, struct buffer *out, struct errbuf *why)
{
	uint8_t ski[20];
	struct certificate_fields f = {
	    .issuer = subject,
	    .subject = subject,
	    .not_before = not_before,
	    .not_after = not_after,
	    .spki = signer_spki(s),
	    .issuer_ski = octets_of(ski, sizeof(ski)),
	    .ca = true,
	    .path_length = path_length,
	    .key_usage = CA_USAGE,
	};

	if (!public_key_identifier(f.spki, ski)) {
		errbuf_set(why, "CA certificate: the key has no SubjectPublicKeyInfo");
		return false;
	}
	return authority_serial(f.serial, why) && certificate_issue(&f, s, out, why);
}

bool
authority_issue(const struct certificate *ca, struct signer *s, struct certificate_fields *f,
    struct buffer *out, struct errbuf *why)
{
	if (!octets_equal(ca->spki, signer_spki(s))) {
		errbuf_set(
		    why, "certificate: the CA's certificate has another key than its signer");
		return false;
	}
	f->issuer = ca->subject;
	f->issuer_ski = ca->ski;
	if (f->not_before < ca->not_before)
		f->not_before = ca->not_before;
	if (f->not_after > ca->not_after)
		f->not_after = ca->not_after;
	return authority_serial(f->serial, why) && certificate_issue(f, s, out, why);
}

/* basicConstraints CA:TRUE and keyUsage digitalSignature, keyCertSign, cRLSign, both critical, as the one extensionRequest. */
static const uint8_t ca_attributes[] = {0xa0, 0x32, 0x30, 0x30, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
    0xf7, 0x0d, 0x01, 0x09, 0x0e, 0x31, 0x23, 0x30, 0x21, 0x30, 0x0f, 0x06, 0x03, 0x55, 0x1d, 0x13,
    0x01, 0x01, 0xff, 0x04, 0x05, 0x30, 0x03, 0x01, 0x01, 0xff, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d,
    0x0f, 0x01, 0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x01, 0x86};

bool
authority_request(struct signer *s, struct octets subject, struct buffer *out, struct errbuf *why)
{
	struct octets spki = signer_spki(s);
	size_t size = ROOM_FIXED + subject.len + spki.len;
	uint8_t *room;
	struct der d;
	bool ok;

	if (!asn1_is_der(subject, DER_SEQUENCE)) {
		errbuf_set(why, "CSR: the subject is not a Name in DER");
		return false;
	}
	if ((room = malloc(size)) == NULL) {
		errbuf_set(why, "CSR: out of memory");
		return false;
	}
	der_start(&d, room, size);
	der_raw(&d, octets_of(ca_attributes, sizeof(ca_attributes)));
	der_raw(&d, spki);
	der_raw(&d, subject);
	der_integer(&d, 0);
	der_wrap(&d, DER_SEQUENCE, 0);
	ok = signer_sign_tbs(s, der_octets(&d), octets_of(NULL, 0), out, why);
	free(room);
	return ok;
}

/* One certificate of a chain by itself: a CA in its time. */
static bool
check_ca(const struct certificate *c, int number, int64_t now, struct errbuf *why)
{
	char from[ENCODING_TIME_SIZE], to[ENCODING_TIME_SIZE];

	if (!c->ca) {
		errbuf_set(why, "chain: certificate %d is no CA (RFC 5280 4.2.1.9)", number);
		return false;
	}
	if (c->key_usage != -1 && (c->key_usage & KEY_USAGE_KEY_CERT_SIGN) == 0) {
		errbuf_set(
		    why, "chain: certificate %d may not sign certificates (keyCertSign)", number);
		return false;
	}
	if (now < c->not_before || now > c->not_after) {
		encoding_time(c->not_before, from);
		encoding_time(c->not_after, to);
		errbuf_set(
		    why, "chain: certificate %d is valid from %s to %s, not now", number, from, to);
		return false;
	}
	return true;
}

bool
authority_check_chain(const struct certificate *certs, int count, struct octets spki, int64_t now,
    bool partial, struct errbuf *why)
{
	const struct certificate *last;

	if (count < 1) {
		errbuf_set(why, "chain: have no certificate, want the CA's and those above it");
		return false;
	}
	if (!octets_equal(certs[0].spki, spki)) {
		errbuf_set(why, "chain: certificate 1 has another public key than the CA's");
		return false;
	}
	for (int i = 0; i < count; i++) {
		if (!check_ca(&certs[i], i + 1, now, why))
			return false;
		if (i + 1 < count && !certificate_verify(&certs[i], &certs[i + 1], why)) {
			errbuf_prefix(why, "chain: certificate %d by certificate %d", i + 1, i + 2);
			return false;
		}
	}
	last = &certs[count - 1];
	if (partial && !certificate_is_self_issued(last))
		return true;
	if (!certificate_verify(last, last, why)) {
		errbuf_prefix(why, "chain: the last certificate, %d, is no root", count);
		return false;
	}
	return true;
}
