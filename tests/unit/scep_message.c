#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/der.h"
#include "scep/oid.h"
#include "tests/unit/scep_message.h"

/* ---- BER ---------------------------------------------------------------------------------------------------------------------- */

static size_t
header_of(struct octets der, size_t *len)
{
	size_t n = der.data[1], at = 2;

	if (n >= 0x80) {
		size_t count = n & 0x7f;

		for (n = 0; count > 0; count--)
			n = n << 8 | der.data[at++];
	}
	*len = n;
	return at;
}

static void
element_to_ber(struct octets element, int depth, int keep_tag0_at, struct buffer *out)
{
	static const uint8_t end[2] = {0, 0};
	uint8_t tag = element.data[0], open[2] = {tag, 0x80};
	size_t len, at = header_of(element, &len), split = at + len / 2;
	uint8_t piece[2][4];
	bool implicit_string = tag == DER_CONTEXT_PRIM(0) && len > 256;

	if (tag == DER_CONTEXT(0) && depth == keep_tag0_at) {
		buffer_append(out, element.data, element.len);
	} else if ((tag & 0x20) != 0) {
		buffer_append(out, open, 2);
		while (at < element.len) {
			struct octets rest = octets_of(element.data + at, element.len - at);
			size_t inner, head = header_of(rest, &inner);

			element_to_ber(
			    octets_of(rest.data, head + inner), depth + 1, keep_tag0_at, out);
			at += head + inner;
		}
		buffer_append(out, end, 2);
	} else if ((tag == DER_OCTET_STRING || implicit_string) && len > 256) {
		/* Two pieces, the longer form of the length where a shorter would do. */
		size_t lens[2] = {split - at, element.len - split};

		for (int i = 0; i < 2; i++) {
			piece[i][0] = DER_OCTET_STRING;
			piece[i][1] = 0x82;
			piece[i][2] = (uint8_t)(lens[i] >> 8);
			piece[i][3] = (uint8_t)lens[i];
		}
		open[0] = tag | 0x20;
		buffer_append(out, open, 2);
		buffer_append(out, piece[0], 4);
		buffer_append(out, element.data + at, lens[0]);
		buffer_append(out, piece[1], 4);
		buffer_append(out, element.data + split, lens[1]);
		buffer_append(out, end, 2);
	} else {
		buffer_append(out, element.data, element.len);
	}
}

void
scep_to_ber(struct octets der, int keep_tag0_at, struct buffer *out)
{
	element_to_ber(der, 0, keep_tag0_at, out);
}

/* ---- messages ----------------------------------------------------------------------------------------------------------------- */

static void
set_attribute(struct scep_spec_attribute *a, struct octets oid, uint8_t tag, struct octets value)
{
	*a = (struct scep_spec_attribute){oid, tag, value, 1, 1};
}

void
scep_spec(struct scep_spec *s, struct scep_world *w)
{
	static const uint8_t nonce[16] = "sixteen octets.";

	memset(s, 0, sizeof(*s));
	s->world = w;
	s->signer = &w->device;
	s->recipient = &w->ra;
	s->digest = PKI_SHA256;
	s->cipher = PKI_AES256;
	s->csr = buffer_octets(&w->csr);
	s->type = scep_oid_content_signed;
	s->content_type = scep_oid_content_data;
	s->signers = 1;
	s->certificate_count = -1;
	set_attribute(&s->attributes[0], scep_oid_content_type, DER_OID, scep_oid_content_data);
	set_attribute(&s->attributes[1], scep_oid_message_digest, DER_OCTET_STRING,
	    octets_of(NULL, 0)); /* filled in on writing */
	set_attribute(
	    &s->attributes[2], scep_oid_message_type, DER_PRINTABLE_STRING, octets_of_string("19"));
	set_attribute(&s->attributes[3], scep_oid_transaction_id, DER_PRINTABLE_STRING,
	    octets_of_string("transaction one"));
	set_attribute(&s->attributes[4], scep_oid_sender_nonce, DER_OCTET_STRING,
	    octets_of(nonce, sizeof(nonce)));
	set_attribute(&s->attributes[5], scep_oid_signing_time, DER_UTC_TIME,
	    octets_of_string("261123000000Z"));
}

struct scep_spec_attribute *
scep_spec_find(struct scep_spec *s, struct octets oid)
{
	for (int i = 0; i < SCEP_SPEC_ATTRIBUTES; i++)
		if (octets_equal(s->attributes[i].oid, oid))
			return &s->attributes[i];
	fail_msg("no such attribute");
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	const struct octets *x = a, *y = b;
	int c = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

/* The attributes under tag, in room; sorted, or in the order of the spec. */
static struct octets
write_attributes(const struct scep_spec *s, struct octets digest, uint8_t tag, bool sorted,
    uint8_t *room, size_t size)
{
	uint8_t one_room[16384];
	struct octets one[64];
	struct der d, out;
	int count = 0;

	der_start(&d, one_room, sizeof(one_room));
	for (int i = 0; i < SCEP_SPEC_ATTRIBUTES; i++) {
		const struct scep_spec_attribute *a = &s->attributes[i];

		for (int t = 0; t < a->times; t++) {
			size_t mark = der_mark(&d);

			for (int v = 0; v < a->values; v++)
				der_element(&d, a->tag,
				    octets_equal(a->oid, scep_oid_message_digest) ? digest
										  : a->value);
			der_wrap(&d, DER_SET, mark);
			der_oid(&d, a->oid);
			der_wrap(&d, DER_SEQUENCE, mark);
			one[count++] = octets_of(d.at, der_mark(&d) - mark);
		}
	}
	assert_false(d.failed);
	if (sorted)
		qsort(one, (size_t)count, sizeof(one[0]), compare);
	der_start(&out, room, size);
	for (int i = count - 1; i >= 0; i--)
		der_raw(&out, one[i]);
	der_wrap(&out, tag, 0);
	assert_false(out.failed);
	return der_octets(&out);
}

static size_t
sign(EVP_PKEY *key, const EVP_MD *md, struct octets message, uint8_t *signature, size_t size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = size;

	if (EVP_PKEY_is_a(key, "ED25519"))
		md = NULL;
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, md, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &len, message.data, message.len), 1);
	EVP_MD_CTX_free(ctx);
	return len;
}

static void
write_algorithm(struct der *d, struct octets oid, bool null)
{
	size_t mark = der_mark(d);

	if (null)
		der_null(d);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
write_sid(const struct scep_spec *s, struct der *d)
{
	const struct certificate *c = &s->signer->certificate;
	size_t mark = der_mark(d);

	if (s->by_ski) {
		der_element(d, DER_CONTEXT_PRIM(0), c->ski);
		return;
	}
	der_element(d, DER_INTEGER, s->sid_serial.len > 0 ? s->sid_serial : c->serial);
	der_raw(d, s->sid_issuer.len > 0 ? s->sid_issuer : c->issuer);
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
write_signer(const struct scep_spec *s, struct octets content, struct der *d)
{
	bool ec = EVP_PKEY_is_a(s->signer->key, "EC");
	const EVP_MD *md = pki_digest_md(s->digest);
	uint8_t digest[EVP_MAX_MD_SIZE], room[16384], signature[1024];
	struct octets attributes;
	unsigned int len;
	size_t signature_len, end = der_mark(d);

	EVP_Digest(content.data, content.len, digest, &len, md, NULL);
	if (s->bad_digest)
		digest[0] ^= 1;
	attributes = write_attributes(s, octets_of(digest, len), DER_SET,
	    !s->unsorted_attributes || s->sorted_signature, room, sizeof(room));
	signature_len = sign(s->signer->key, md, attributes, signature, sizeof(signature));
	if (s->bad_signature)
		signature[signature_len / 2] ^= 1;

	der_element(d, DER_OCTET_STRING, octets_of(signature, signature_len));
	if (s->signature_oid.len > 0)
		write_algorithm(d, s->signature_oid, true);
	else if (ec)
		der_raw(d, pki_signature_algorithm(PKI_KEY_EC, s->digest));
	else
		write_algorithm(d, scep_oid_rsa_encryption, true);
	attributes = write_attributes(
	    s, octets_of(digest, len), DER_CONTEXT(0), !s->unsorted_attributes, room, sizeof(room));
	der_raw(d, attributes);
	write_algorithm(d, s->digest_oid.len > 0 ? s->digest_oid : pki_digest_oid(s->digest), true);
	write_sid(s, d);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, end);
}

static void
write_certificates(const struct scep_spec *s, struct der *d)
{
	size_t mark = der_mark(d);

	if (s->certificate_count == 0)
		return;
	if (s->certificate_count < 0)
		der_raw(d, s->signer->certificate.der);
	for (int i = s->certificate_count - 1; i >= 0; i--)
		der_raw(d, s->certificates[i]);
	der_wrap(d, DER_CONTEXT(0), mark);
}

static void
write_message(const struct scep_spec *s, struct octets content, struct der *d)
{
	size_t mark;

	for (int i = 0; i < s->signers; i++)
		write_signer(s, content, d);
	der_wrap(d, DER_SET, 0);
	write_certificates(s, d);
	mark = der_mark(d);
	if (!s->no_content) {
		der_element(d, DER_OCTET_STRING, content);
		der_wrap(d, DER_CONTEXT(0), mark);
	}
	der_oid(d, s->content_type);
	der_wrap(d, DER_SEQUENCE, mark);
	mark = der_mark(d);
	write_algorithm(d, s->digest_oid.len > 0 ? s->digest_oid : pki_digest_oid(s->digest), true);
	der_wrap(d, DER_SET, mark);
	der_integer(d, 1);
	der_wrap(d, DER_SEQUENCE, 0);
	der_wrap(d, DER_CONTEXT(0), 0);
	der_oid(d, s->type);
	der_wrap(d, DER_SEQUENCE, 0);
	assert_false(d->failed);
}

void
scep_spec_write(const struct scep_spec *s, struct buffer *out)
{
	struct buffer made = {0}, inner = {0};
	struct octets content = s->content;
	size_t size;
	uint8_t *room;
	struct der d;

	if (content.data == NULL && !s->no_content) {
		scep_make_envelope(s->recipient->x509, s->cipher, s->csr, false, &made);
		content = buffer_octets(&made);
	}
	if (s->ber && content.len > 0) {
		scep_to_ber(content, -1, &inner);
		content = buffer_octets(&inner);
	}
	size = content.len + 65536;
	room = malloc(size);
	assert_non_null(room);
	der_start(&d, room, size);
	write_message(s, content, &d);
	if (s->ber)
		scep_to_ber(der_octets(&d), 3, out); /* certificates stay DER */
	else
		buffer_append(out, d.at, der_mark(&d));
	buffer_append(out, s->behind.data, s->behind.len);
	assert_false(out->failed);
	free(room);
	buffer_free(&made);
	buffer_free(&inner);
}
