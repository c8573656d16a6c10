/* habit_message.c: the pkiMessage around a habit's envelope. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "pki/name.h"
#include "pki/public_key.h"
#include "scep/oid.h"
#include "tests/support/habit_parts.h"

#define DAY	   86400
#define ATTRIBUTES 6

/* A message in the making. */
struct making {
	const struct habit_order *order;
	struct habit_stream stream;
	uint8_t nonce[64];
	size_t nonce_len;
	struct buffer signer_der;
	struct certificate signer;
	EVP_PKEY *key; /* the signer's */
};

EVP_PKEY *
habit_signer_key(const struct habit *h, const struct habit_keys *k)
{
	if (h->signer == HABIT_OLD_CERTIFICATE)
		return k->old;
	return h->small_key ? k->small : k->device;
}

static void
choose_transaction_id(struct making *m, struct habit_message *out)
{
	const struct habit *h = m->order->habit;
	struct buffer spki = {0};
	uint8_t id[20];

	habit_random(&m->stream, id, sizeof(id));
	if (h->id_of_key) {
		habit_spki(h->small_key ? m->order->keys->small : m->order->keys->device, &spki);
		habit_need(public_key_identifier(buffer_octets(&spki), id), "hash of the key");
		buffer_free(&spki);
	}
	encoding_hex(octets_of(id, sizeof(id)), out->transaction_id);
	if (h->transaction_id != NULL)
		snprintf(out->transaction_id, sizeof(out->transaction_id), "%s", h->transaction_id);
}

/* Self-signed; or one that the recipient's CA seems to have issued, whose signature nobody looks at. */
static void
make_signer(struct making *m, struct octets subject)
{
	const struct habit_order *o = m->order;
	bool old = o->habit->signer != HABIT_SELF_SIGNED;
	uint8_t serial[64] = {0};
	struct buffer name = {0};
	struct habit_certificate c = {
	    .serial = octets_of(serial, o->habit->serial_len > 0 ? o->habit->serial_len : 1),
	    .issuer = old ? o->recipient->issuer : subject,
	    .subject = subject,
	    .not_before = o->now + o->habit->clock_off - (old ? 300 * DAY : DAY),
	    .not_after = o->now + o->habit->clock_off + 65 * DAY,
	    .key = m->key,
	    .issuer_key = m->key,
	    .digest = habit_csr_digest(o->habit),
	    .ski = o->habit->signer_by_ski || old,
	};

	if (old)
		c.serial.len = 16;
	habit_random(&m->stream, serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
	if (o->habit->signer_subject != NULL) {
		habit_need(
		    name_from_text(o->habit->signer_subject, &name, NULL), "signer's subject");
		c.subject = c.issuer = buffer_octets(&name);
	}
	if (o->old != NULL && old)
		buffer_append(&m->signer_der, o->old->der.data, o->old->der.len);
	else
		habit_certificate(&c, &m->signer_der);
	habit_need(certificate_parse(buffer_octets(&m->signer_der), &m->signer, NULL), "signer");
	buffer_free(&name);
}

/* What is enveloped (RFC 8894 3.3.1, 3.3.3, 3.3.4). */
static void
make_content(struct making *m, struct habit_message *out)
{
	const struct habit_order *o = m->order;
	uint8_t room[4096];
	struct der d;

	if (o->habit->content == HABIT_CSR) {
		habit_csr(o, buffer_octets(&out->subject), &out->content);
		return;
	}
	der_start(&d, room, sizeof(room));
	if (o->habit->content == HABIT_ISSUER_AND_SERIAL)
		der_element(&d, DER_INTEGER, m->signer.serial);
	else
		der_raw(&d, buffer_octets(&out->subject));
	der_raw(&d, o->recipient->issuer);
	der_wrap(&d, DER_SEQUENCE, 0);
	habit_append(&d, &out->content);
}

/* ---- SignedData --------------------------------------------------------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	const struct octets *x = a, *y = b;
	int c = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return c != 0 ? c : (x->len > y->len) - (x->len < y->len);
}

struct attributes {
	struct der d;
	struct octets one[ATTRIBUTES];
	int count;
	uint8_t room[2048];
};

/* The Attribute around the value that was written since mark. */
static void
add_written(struct attributes *a, struct octets oid, size_t mark)
{
	der_wrap(&a->d, DER_SET, mark);
	der_oid(&a->d, oid);
	der_wrap(&a->d, DER_SEQUENCE, mark);
	habit_need(!a->d.failed, "attributes");
	a->one[a->count++] = octets_of(a->d.at, der_mark(&a->d) - mark);
}

static void
add(struct attributes *a, struct octets oid, uint8_t tag, struct octets value)
{
	size_t mark = der_mark(&a->d);

	der_element(&a->d, tag, value);
	add_written(a, oid, mark);
}

/* In DER's order (X.690 11.6). */
static void
collect(const struct making *m, const struct habit_message *out, struct octets digest,
    struct attributes *a)
{
	const struct habit *h = m->order->habit;
	uint8_t tag = h->transaction_id_tag != 0 ? h->transaction_id_tag : DER_PRINTABLE_STRING;
	char type[12];
	size_t mark;

	a->count = 0;
	der_start(&a->d, a->room, sizeof(a->room));
	snprintf(type, sizeof(type), "%d", h->message_type != 0 ? h->message_type : 19);
	add(a, scep_oid_content_type, DER_OID, scep_oid_content_data);
	add(a, scep_oid_message_digest, DER_OCTET_STRING, digest);
	add(a, scep_oid_message_type, DER_PRINTABLE_STRING, octets_of_string(type));
	add(a, scep_oid_transaction_id, tag, octets_of_string(out->transaction_id));
	add(a, scep_oid_sender_nonce, DER_OCTET_STRING, octets_of(m->nonce, m->nonce_len));
	if (h->signing_time) {
		mark = der_mark(&a->d);
		der_time(&a->d, m->order->now + h->clock_off);
		add_written(a, scep_oid_signing_time, mark);
	}
	qsort(a->one, (size_t)a->count, sizeof(a->one[0]), compare);
}

static void
write_attributes(const struct attributes *a, uint8_t tag, struct der *d)
{
	size_t mark = der_mark(d);

	for (int i = a->count - 1; i >= 0; i--)
		der_raw(d, a->one[i]);
	der_wrap(d, tag, mark);
}

static void
write_sid(const struct making *m, struct der *d)
{
	size_t mark = der_mark(d);

	if (m->order->habit->signer_by_ski) {
		der_element(d, DER_CONTEXT_PRIM(0), m->signer.ski);
		return;
	}
	der_element(d, DER_INTEGER, m->signer.serial);
	der_raw(d, m->signer.issuer);
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
write_signer(
    const struct making *m, const struct habit_message *out, struct octets content, struct der *d)
{
	enum pki_digest digest = habit_digest(m->order->habit);
	uint8_t hash[EVP_MAX_MD_SIZE], room[2048], signature[1024];
	struct attributes a;
	struct der signed_part;
	size_t len, end = der_mark(d);
	unsigned int hash_len;

	habit_need(EVP_Digest(content.data, content.len, hash, &hash_len, pki_digest_md(digest),
		       NULL) == 1,
	    "messageDigest");
	collect(m, out, octets_of(hash, hash_len), &a);
	der_start(&signed_part, room, sizeof(room));
	write_attributes(&a, DER_SET, &signed_part);
	len = habit_sign(m->key, digest, der_octets(&signed_part), signature);

	der_element(d, DER_OCTET_STRING, octets_of(signature, len));
	if (m->order->habit->named_signature)
		der_raw(d, pki_signature_algorithm(PKI_KEY_RSA, digest));
	else
		habit_algorithm(d, scep_oid_rsa_encryption, true);
	write_attributes(&a, DER_CONTEXT(0), d);
	habit_algorithm(d, pki_digest_oid(digest), true);
	write_sid(m, d);
	der_integer(d, m->order->habit->signer_by_ski ? 3 : 1);
	der_wrap(d, DER_SEQUENCE, end);
}

static void
write_message(
    const struct making *m, const struct habit_message *out, struct octets content, struct der *d)
{
	size_t mark;

	write_signer(m, out, content, d);
	der_wrap(d, DER_SET, 0);
	mark = der_mark(d);
	der_raw(d, m->signer.der);
	der_wrap(d, DER_CONTEXT(0), mark);
	mark = der_mark(d);
	der_element(d, DER_OCTET_STRING, content);
	der_wrap(d, DER_CONTEXT(0), mark);
	der_oid(d, scep_oid_content_data);
	der_wrap(d, DER_SEQUENCE, mark);
	mark = der_mark(d);
	habit_algorithm(d, pki_digest_oid(habit_digest(m->order->habit)), true);
	der_wrap(d, DER_SET, mark);
	der_integer(d, m->order->habit->signer_by_ski ? 3 : 1);
	der_wrap(d, DER_SEQUENCE, 0);
	der_wrap(d, DER_CONTEXT(0), 0);
	der_oid(d, scep_oid_content_signed);
	der_wrap(d, DER_SEQUENCE, 0);
}

/* der goes to the end of out as it is, or in the habit's BER; der is freed. */
static void
finish(const struct habit *h, struct buffer *der, struct buffer *out)
{
	/* Apple's pieces are as long as its buffers, Bouncy Castle's 1,000 octets. */
	if (h->ber == HABIT_DER)
		buffer_append(out, der->data, der->len);
	else
		habit_to_ber(buffer_octets(der), h->ber, h->ber == HABIT_APPLE ? 512 : 1000, out);
	habit_need(!out->failed, "memory");
	buffer_free(der);
}

void
habit_make(const struct habit_order *o, struct habit_message *out)
{
	struct making m = {.order = o, .stream = {o->seed, o->habit->name, 0}};
	struct buffer der = {0};
	uint8_t *room = malloc(HABIT_ROOM);
	struct der d;

	habit_need(room != NULL, "memory");
	memset(out, 0, sizeof(*out));
	m.key = habit_signer_key(o->habit, o->keys);
	m.nonce_len = o->habit->nonce_len > 0 ? o->habit->nonce_len : 16;
	habit_random(&m.stream, m.nonce, m.nonce_len);
	choose_transaction_id(&m, out);
	habit_subject(o->habit, &out->subject);
	make_signer(&m, buffer_octets(&out->subject));
	make_content(&m, out);
	habit_envelope(o, &m.stream, buffer_octets(&out->content), &der);
	finish(o->habit, &der, &out->envelope);

	der_start(&d, room, HABIT_ROOM);
	write_message(&m, out, buffer_octets(&out->envelope), &d);
	habit_append(&d, &der);
	finish(o->habit, &der, &out->der);
	out->nonce_len = m.nonce_len;
	certificate_free(&m.signer);
	buffer_free(&m.signer_der);
	free(room);
}

void
habit_message_free(struct habit_message *m)
{
	buffer_free(&m->der);
	buffer_free(&m->envelope);
	buffer_free(&m->content);
	buffer_free(&m->subject);
	memset(m, 0, sizeof(*m));
}
