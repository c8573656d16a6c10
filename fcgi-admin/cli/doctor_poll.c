/* doctor_poll.c: a CertPoll for a transaction that never was, and what its CertRep says: a whole exchange that asks for nothing. */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/doctor.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "pki/public_key.h"
#include "scep/oid.h"

#define SUBJECT "CN=scepctl doctor"

/* What the server offers, and what is oldest where it offers nothing (RFC 8894 3.5.2). */
static void
choose_algorithms(const struct scep_capability_set *offered, struct scep_client_message *m)
{
	m->digest = offered->sha256 ? PKI_SHA256 : offered->sha512 ? PKI_SHA512 : PKI_SHA1;
	m->cipher = offered->aes ? PKI_AES128 : PKI_DES3;
}

static bool
make_identity(struct doctor *d, struct octets subject)
{
	struct doctor_poll *p = &d->poll;
	struct buffer spki = {0};
	uint8_t digest[32];
	bool good =
	    (p->key = private_key_generate("rsa:2048", &d->poll_why)) != NULL &&
	    scep_client_self_signed(p->key, subject, d->now, &p->self_signed, &d->poll_why) &&
	    certificate_parse(buffer_octets(&p->self_signed), &p->signer, &d->poll_why) &&
	    private_key_spki(p->key, &spki, &d->poll_why);

	if (good && (good = public_key_digest(buffer_octets(&spki), digest)))
		encoding_hex(octets_of(digest, sizeof(digest)), p->transaction_id);
	buffer_free(&spki);
	return good;
}

static bool
make(struct doctor *d, struct octets subject)
{
	struct doctor_poll *p = &d->poll;
	const struct certificate *issuer = d->issuer != NULL ? d->issuer : d->recipient;

	if (!make_identity(d, subject) ||
	    !scep_client_issuer_and_subject(issuer->subject, subject, &p->content))
		return false;
	p->message = (struct scep_client_message){
	    .message_type = SCEP_CERT_POLL,
	    .transaction_id = p->transaction_id,
	    .content = buffer_octets(&p->content),
	    .signer = &p->signer,
	    .key = p->key,
	    .recipient = d->recipient,
	};
	choose_algorithms(&d->capabilities, &p->message);
	return scep_client_encode(&p->message, &p->der, &d->poll_why);
}

bool
doctor_poll_make(struct doctor *d)
{
	struct buffer subject = {0};
	bool good = false;

	if (d->recipient == NULL)
		errbuf_set(&d->poll_why, "GetCACert gave no certificate to send it to");
	else if (!doctor_is_rsa(d->recipient))
		errbuf_set(&d->poll_why, "no RSA key to envelope it to");
	else
		good = name_from_text(SUBJECT, &subject, &d->poll_why) &&
		       make(d, buffer_octets(&subject));
	buffer_free(&subject);
	if (!good)
		buffer_free(&d->poll.der);
	return good;
}

static struct octets
oid_of(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *o = NULL;

	X509_ALGOR_get0(&o, NULL, NULL, algorithm);
	return octets_of(OBJ_get0_data(o), OBJ_length(o));
}

static void
read_nonce(CMS_SignerInfo *si, const struct doctor_poll *p, struct doctor_reply *r)
{
	struct octets oid = scep_oid_sender_nonce, nonce;
	ASN1_OBJECT *o =
	    ASN1_OBJECT_create(NID_undef, (uint8_t *)(uintptr_t)oid.data, (int)oid.len, NULL, NULL);
	const ASN1_OCTET_STRING *value =
	    o != NULL ? CMS_signed_get0_data_by_OBJ(si, o, -3, V_ASN1_OCTET_STRING) : NULL;

	ASN1_OBJECT_free(o);
	if (value == NULL)
		return;
	nonce = octets_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	r->sender_nonce_len = nonce.len;
	r->nonce_is_echo = octets_equal(
	    nonce, octets_of(p->message.sender_nonce, sizeof(p->message.sender_nonce)));
}

/* The SignerInfo, whoever it is: how the server signs is worth telling also where the rest does not hold. */
static void
read_signer(const struct doctor_poll *p, struct octets body, struct doctor_reply *r)
{
	const uint8_t *at = body.data;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)body.len);
	STACK_OF(CMS_SignerInfo) *signers = cms != NULL ? CMS_get0_SignerInfos(cms) : NULL;

	if (signers != NULL && sk_CMS_SignerInfo_num(signers) == 1) {
		CMS_SignerInfo *si = sk_CMS_SignerInfo_value(signers, 0);
		X509_ALGOR *digest = NULL, *signature = NULL;

		CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, &signature);
		r->signer = true;
		r->digest = pki_digest_of_oid(oid_of(digest));
		r->rsa_encryption = octets_equal(oid_of(signature), scep_oid_rsa_encryption);
		read_nonce(si, p, r);
	}
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
}

void
doctor_poll_read(struct doctor *d, enum doctor_question q)
{
	const struct doctor_answer *a = &d->answers[q];
	struct doctor_reply *r = &d->replies[q];
	struct scep_client_reply reply;

	if (!a->asked || a->rc != HTTP_DONE || a->http.status != 200)
		return;
	read_signer(&d->poll, buffer_octets(&a->http.body), r);
	r->read = scep_client_read(&d->poll.message, buffer_octets(&a->http.body), d->certificates,
	    d->count, &reply, &r->why);
	if (!r->read)
		return;
	r->status = reply.status;
	r->fail_info = reply.fail_info;
	scep_client_reply_free(&reply);
}

void
doctor_poll_free(struct doctor_poll *p)
{
	EVP_PKEY_free(p->key);
	certificate_free(&p->signer);
	buffer_free(&p->self_signed);
	buffer_free(&p->content);
	buffer_free(&p->der);
	*p = (struct doctor_poll){0};
}
