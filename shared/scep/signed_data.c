#include "scep/signed_data.h"

#include <stdlib.h>
#include <string.h>

#include "scep/degenerate.h"
#include "scep/oid.h"

#define FRAME_ROOM 512 /* of the SignedData: tags, lengths, versions, algorithms */

/* X.690 11.6: as octet strings. */
static bool
precedes(struct octets a, struct octets b)
{
	int c = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return c != 0 ? c < 0 : a.len < b.len;
}

/* Attribute { oid, SET { tag value } }, put in its place. */
void
scep_signed_data_add(
    struct scep_signed_data *s, struct octets oid, uint8_t tag, struct octets value)
{
	size_t mark = der_mark(&s->d);
	struct octets encoded;
	int i;

	der_element(&s->d, tag, value);
	der_wrap(&s->d, DER_SET, mark);
	der_oid(&s->d, oid);
	der_wrap(&s->d, DER_SEQUENCE, mark);
	if (s->count == SCEP_ATTRIBUTES_MAX)
		s->d.failed = true;
	if (s->d.failed)
		return;
	encoded = octets_of(s->d.at, der_mark(&s->d) - mark);
	for (i = s->count++; i > 0 && precedes(encoded, s->one[i - 1]); i--)
		s->one[i] = s->one[i - 1];
	s->one[i] = encoded;
}

bool
scep_signed_data_start(struct scep_signed_data *s, const struct certificate *signer,
    enum pki_digest digest, struct octets content)
{
	const EVP_MD *md = pki_digest_md(digest);
	uint8_t value[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	s->signer = signer;
	s->digest = digest;
	s->content = content;
	s->count = 0;
	der_start(&s->d, s->room, sizeof(s->room));
	if (md == NULL || EVP_Digest(content.data, content.len, value, &len, md, NULL) != 1)
		return false;
	scep_signed_data_add(s, scep_oid_content_type, DER_OID, scep_oid_content_data);
	scep_signed_data_add(s, scep_oid_message_digest, DER_OCTET_STRING, octets_of(value, len));
	return true;
}

/* SignedAttributes under tag: SET OF to sign, [0] to send (RFC 5652 5.4). */
static void
write_attributes(struct der *d, const struct scep_signed_data *s, uint8_t tag)
{
	size_t mark = der_mark(d);

	for (int i = s->count - 1; i >= 0; i--)
		der_raw(d, s->one[i]);
	der_wrap(d, tag, mark);
}

struct octets
scep_signed_data_message(struct scep_signed_data *s)
{
	struct der d;

	der_start(&d, s->message, sizeof(s->message));
	write_attributes(&d, s, DER_SET);
	return s->d.failed ? octets_of(NULL, 0) : der_octets(&d);
}

/* AlgorithmIdentifier { oid, NULL } */
static void
write_algorithm(struct der *d, struct octets oid)
{
	size_t mark = der_mark(d);

	der_null(d);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
write_signer_info(struct der *d, const struct scep_signed_data *s, enum pki_key_type type,
    struct octets signature)
{
	size_t end = der_mark(d), mark;

	der_element(d, DER_OCTET_STRING, signature);
	if (type == PKI_KEY_RSA)
		write_algorithm(d, scep_oid_rsa_encryption);
	else
		der_raw(d, pki_signature_algorithm(type, s->digest));
	write_attributes(d, s, DER_CONTEXT(0));
	write_algorithm(d, pki_digest_oid(s->digest));
	mark = der_mark(d);
	der_element(d, DER_INTEGER, s->signer->serial);
	der_raw(d, s->signer->issuer);
	der_wrap(d, DER_SEQUENCE, mark);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, end);
}

/*
 * What stands in front of the signerInfos that d has already.  An eContent of no octets is there and empty: certmonger verifies by
 * PKCS7_verify(), to which a SignedData with none at all is an error, "no content".
 */
static void
write_signed_data(struct der *d, const struct scep_signed_data *s)
{
	size_t mark;

	der_wrap(d, DER_SET, 0);
	mark = der_mark(d);
	der_raw(d, s->signer->der);
	der_wrap(d, DER_CONTEXT(0), mark);
	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, s->content);
	der_wrap(d, DER_CONTEXT(0), mark);
	der_oid(d, scep_oid_content_data);
	der_wrap(d, DER_SEQUENCE, mark);
	mark = der_mark(d);
	write_algorithm(d, pki_digest_oid(s->digest));
	der_wrap(d, DER_SET, mark);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, 0);
	scep_content_wrap(d, scep_oid_content_signed, 0);
}

bool
scep_signed_data_finish(const struct scep_signed_data *s, enum pki_key_type type,
    struct octets signature, struct buffer *out)
{
	const struct certificate *c = s->signer;
	size_t size = s->content.len + c->der.len + c->issuer.len + c->serial.len + signature.len +
		      sizeof(s->room) + FRAME_ROOM;
	uint8_t *room = malloc(size);
	struct octets der;
	struct der d;

	if (room == NULL)
		return false;
	der_start(&d, room, size);
	write_signer_info(&d, s, type, signature);
	write_signed_data(&d, s);
	der = der_octets(&d);
	if (!s->d.failed && !d.failed)
		buffer_append(out, der.data, der.len);
	free(room);
	return !s->d.failed && !d.failed && !out->failed;
}
