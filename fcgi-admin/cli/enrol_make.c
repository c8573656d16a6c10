/* enrol_make.c: what is sent to enrol, renew and poll: CSR, signer, transactionID, IssuerAndSubject. */
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/enrol.h"

bool
enrol_transaction_id(struct octets spki, struct octets renewed, struct octets next_ca, char out[65])
{
	struct buffer all = {0};
	uint8_t digest[32];
	bool good;

	buffer_append(&all, spki.data, spki.len);
	buffer_append(&all, renewed.data, renewed.len);
	buffer_append(&all, next_ca.data, next_ca.len);
	good = !all.failed && EVP_Digest(all.data, all.len, digest, NULL, EVP_sha256(), NULL) == 1;
	if (good)
		encoding_hex(octets_of(digest, sizeof(digest)), out);
	buffer_free(&all);
	return good;
}

/* The Name of the CA that is to issue: the recipient's issuer, unless that is the CA itself. */
static struct octets
issuer_name(const struct scep_server *s)
{
	if (s->issuer != NULL)
		return s->issuer->subject;
	return s->recipient->ca ? s->recipient->subject : s->recipient->issuer;
}

static int
name_transaction(struct enrol *e)
{
	const struct certificate *anchor = e->server.anchor;
	struct octets none = octets_of(NULL, 0);

	if (e->message.transaction_id != NULL)
		return CLI_DONE;
	if (!enrol_transaction_id(buffer_octets(&e->spki),
		e->renews ? e->signer.certificate.der : none,
		arguments_has(e->a, "next") ? anchor->der : none, e->transaction_id)) {
		cli_error("the transactionID cannot be made");
		return CLI_REFUSED;
	}
	e->message.transaction_id = e->transaction_id;
	return CLI_DONE;
}

int
enrol_make(struct enrol *e)
{
	struct octets subject = buffer_octets(&e->subject);
	const char *challenge = e->challenge.len > 0 ? buffer_string(&e->challenge) : NULL;
	struct errbuf why = {0};

	if (!scep_client_csr(e->key, subject, buffer_octets(&e->san), challenge, &e->csr, &why) ||
	    (!e->renews && !credential_self_sign(&e->signer, e->key, subject, clock_now(), &why))) {
		cli_error("%s", why.line);
		return CLI_REFUSED;
	}
	if (!scep_client_issuer_and_subject(issuer_name(&e->server), subject, &e->poll)) {
		cli_error("CertPoll: cannot be made");
		return CLI_REFUSED;
	}
	e->message.signer = &e->signer.certificate;
	e->message.key = e->signer.key;
	e->message.password = buffer_octets(&e->challenge);
	return name_transaction(e);
}
