#include "tests/unit/scep_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/der.h"
#include "scep/client.h"
#include "scep/oid.h"
#include "tests/vectors/scep_keys.h"

#define NOW 1795392000 /* 2026-11-23 */

/* ---- the world -------------------------------------------------------------------------------------------------------------- */

static EVP_PKEY *
key_of(const uint8_t *der, size_t len)
{
	const uint8_t *p = der;
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)len);

	assert_non_null(key);
	return key;
}

static void
read_party(struct scep_party *p, struct octets der)
{
	const uint8_t *at = der.data;
	struct errbuf why = {0};

	if (!certificate_parse(der, &p->certificate, &why))
		fail_msg("%s", why.line);
	p->x509 = d2i_X509(NULL, &at, (long)der.len);
	assert_non_null(p->x509);
}

static void
make_name(struct buffer *out)
{
	X509_NAME *n = X509_NAME_new();
	uint8_t *der = NULL;
	int len;

	X509_NAME_add_entry_by_txt(n, "O", MBSTRING_ASC, (const uint8_t *)"Test", -1, -1, 0);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const uint8_t *)"device", -1, -1, 0);
	len = i2d_X509_NAME(n, &der);
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	X509_NAME_free(n);
}

void
scep_make_csr(EVP_PKEY *key, const char *challenge, struct buffer *out)
{
	struct buffer name = {0};
	struct errbuf why = {0};

	make_name(&name);
	if (!scep_client_csr(key, buffer_octets(&name), octets_of(NULL, 0), challenge, out, &why))
		fail_msg("%s", why.line);
	buffer_free(&name);
}

/* By hand, as OpenSSL's functions would put any serial into the shortest form and cannot sign by Ed25519 with a digest. */
void
scep_make_party(struct scep_party *p, EVP_PKEY *key, struct octets serial, bool ski)
{
	X509 *x = X509_new();
	const uint8_t *at;
	uint8_t integer[128], *der = NULL;
	struct buffer name = {0};
	ASN1_INTEGER *n;
	struct der d;
	int len;

	p->key = key;
	make_name(&name);
	at = name.data;
	X509_set_version(x, X509_VERSION_3);
	{
		X509_NAME *subject = d2i_X509_NAME(NULL, &at, (long)name.len);

		X509_set_subject_name(x, subject);
		X509_set_issuer_name(x, subject);
		X509_NAME_free(subject);
	}
	der_start(&d, integer, sizeof(integer));
	der_element(&d, DER_INTEGER, serial);
	at = der_octets(&d).data;
	n = d2i_ASN1_INTEGER(NULL, &at, (long)der_octets(&d).len);
	assert_non_null(n);
	X509_set_serialNumber(x, n);
	ASN1_INTEGER_free(n);
	ASN1_TIME_set(X509_getm_notBefore(x), NOW - 3600);
	ASN1_TIME_set(X509_getm_notAfter(x), NOW + 86400);
	X509_set_pubkey(x, key);
	if (ski) {
		uint8_t id[20] = {1, 2, 3, 4, 5};
		ASN1_OCTET_STRING *o = ASN1_OCTET_STRING_new();

		ASN1_OCTET_STRING_set(o, id, sizeof(id));
		X509_add1_ext_i2d(x, NID_subject_key_identifier, o, 0, 0);
		ASN1_OCTET_STRING_free(o);
	}
	assert_true(X509_sign(x, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
	len = i2d_X509(x, &der);
	assert_true(len > 0);
	read_party(p, octets_of(der, (size_t)len));
	OPENSSL_free(der);
	X509_free(x);
	buffer_free(&name);
}

void
scep_free_party(struct scep_party *p)
{
	X509_free(p->x509);
	certificate_free(&p->certificate);
	memset(p, 0, sizeof(*p));
}

void
scep_world_open(struct scep_world *w)
{
	static const uint8_t one[] = {1}, two[] = {2}, three[] = {3}, four[] = {4};

	memset(w, 0, sizeof(*w));
	w->ra.key = key_of(scep_key_ra, sizeof(scep_key_ra));
	read_party(&w->ra, octets_of(scep_ra_certificate, sizeof(scep_ra_certificate)));
	scep_make_party(
	    &w->device, key_of(scep_key_device, sizeof(scep_key_device)), octets_of(one, 1), false);
	scep_make_party(
	    &w->other, key_of(scep_key_other, sizeof(scep_key_other)), octets_of(two, 1), true);
	scep_make_party(
	    &w->ec, key_of(scep_key_ec, sizeof(scep_key_ec)), octets_of(three, 1), false);
	scep_make_party(
	    &w->ed, key_of(scep_key_ed, sizeof(scep_key_ed)), octets_of(four, 1), false);
	scep_make_csr(w->device.key, "a challenge", &w->csr);
	w->recipient = (struct scep_recipient){&w->ra.certificate, w->ra.x509, w->ra.key};
	w->responder = (struct scep_responder){&w->ra.certificate, w->ra.key};
}

void
scep_world_close(struct scep_world *w)
{
	struct scep_party *all[] = {&w->ra, &w->device, &w->other, &w->ec, &w->ed};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		EVP_PKEY_free(all[i]->key);
		scep_free_party(all[i]);
	}
	buffer_free(&w->csr);
}

/* ---- envelopes -------------------------------------------------------------------------------------------------------------- */

static void
envelope(X509 *recipient, const EVP_CIPHER *cipher, OSSL_LIB_CTX *libctx, struct octets content,
    bool oaep, struct buffer *out)
{
	BIO *in = BIO_new_mem_buf(content.data, (int)content.len);
	unsigned int flags = CMS_BINARY | CMS_PARTIAL | (oaep ? CMS_KEY_PARAM : 0);
	CMS_ContentInfo *cms = CMS_encrypt_ex(NULL, NULL, cipher, flags, libctx, NULL);
	CMS_RecipientInfo *ri;
	uint8_t *der = NULL;
	int len;

	assert_non_null(cms);
	ri = CMS_add1_recipient_cert(cms, recipient, flags);
	assert_non_null(ri);
	if (oaep)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(
				     CMS_RecipientInfo_get0_pkey_ctx(ri), RSA_PKCS1_OAEP_PADDING),
		    1);
	assert_int_equal(CMS_final(cms, in, NULL, flags), 1);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_true(len > 0);
	buffer_append(out, der, (size_t)len);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
}

void
scep_make_envelope(
    X509 *recipient, enum pki_cipher cipher, struct octets content, bool oaep, struct buffer *out)
{
	envelope(recipient, pki_cipher_evp(cipher), cipher == PKI_DES ? pki_legacy_libctx() : NULL,
	    content, oaep, out);
}

void
scep_make_foreign_envelope(
    X509 *recipient, const char *cipher, struct octets content, struct buffer *out)
{
	envelope(recipient, EVP_get_cipherbyname(cipher), NULL, content, false, out);
}

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

/* ---- outcomes ----------------------------------------------------------------------------------------------------------------- */

void
scep_run(struct scep_world *w, struct octets message, struct scep_outcome *o)
{
	memset(o, 0, sizeof(*o));
	o->rc = scep_request_parse(message, &o->request, &o->fail, &o->why);
	if (o->rc == SCEP_OK)
		o->rc = scep_request_check_algorithms(
		    o->request, 0xffff, 0xffff, &o->fail, &o->why, &o->text);
	if (o->rc == SCEP_OK) {
		o->rc = scep_request_open_csr(
		    o->request, &w->recipient, true, &o->csr, &o->stage, &o->why);
		if (o->rc == SCEP_REFUSED)
			o->fail = SCEP_BAD_MESSAGE_CHECK;
	}
	/* Whatever happened, the next one starts with an empty queue. */
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(o->rc == SCEP_OK, o->why.line[0] == '\0');
	assert_int_equal(o->rc == SCEP_OK || o->rc == SCEP_REFUSED, o->request != NULL);
}

void
scep_run_spec(const struct scep_spec *s, struct scep_outcome *o)
{
	struct buffer message = {0};

	scep_spec_write(s, &message);
	scep_run(s->world, buffer_octets(&message), o);
	buffer_free(&message);
}

void
scep_outcome_free(struct scep_outcome *o)
{
	csr_free(&o->csr);
	scep_request_free(o->request);
	memset(o, 0, sizeof(*o));
}
