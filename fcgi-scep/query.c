/*
 * query.c: what a device asks about what it has: CertPoll, GetCert, GetCRL.
 *
 * The content of these has no signature of its own, so that whoever may sign could send another's envelope, changed, and learn by the
 * answer whether it opened.  So a poll's content, which says nothing that the transactionID and the key do not (RFC 8894 3.3.3 calls it
 * redundant), is not opened at all; and one that does not open is answered as what matches nothing.
 */
#include "query.h"

#include <string.h>

#include "base/clock.h"
#include "certrep.h"
#include "issue/crl.h"
#include "message.h"
#include "pending.h"
#include "pki/identity.h"
#include "seen.h"
#include "store/certificate_row.h"

/* What was asked for; opened is false where what is in content is a decoy. */
struct query {
	struct scep_query_content content;
	bool opened;
	struct errbuf why; /* it did not open */
};

/* badCertId, whichever it was: what matches nothing, or what did not open. */
static void
refuse(struct transaction *t, const struct query *q, const char *text)
{
	certrep_failure(t, SCEP_BAD_CERT_ID, text, q->opened ? text : q->why.line);
}

/* The signer's own row, where it is a certificate of ours that is still good; 0: it is none.  false with why: the store is away. */
static bool
find_signer(struct transaction *t, int64_t *id, struct errbuf *why)
{
	const struct certificate *signer = &t->message->signer;
	struct renewable r;
	enum store_rc rc = store_renewable(t->worker->store, signer->serial, signer->der, &r, why);

	*id = rc == STORE_OK && !r.revoked && clock_now() <= r.not_after ? r.id : 0;
	return rc != STORE_AWAY;
}

/* Is the certificate of row id the signer's: its key's, or a predecessor of the signer? */
static enum store_rc
check_owner(struct transaction *t, int64_t id, const struct certificate *c, struct errbuf *why)
{
	int64_t signer_id;

	if (octets_equal(c->spki, t->message->signer.spki))
		return STORE_OK;
	if (!find_signer(t, &signer_id, why))
		return STORE_AWAY;
	return signer_id != 0 ? store_certificate_descends(t->worker->store, signer_id, id, why)
			      : STORE_NONE;
}

/*
 * For a client's own certificate (RFC 8894 2.6): the message must be signed by that certificate's key, or by a valid successor.
 * Whatever else there is, nobody is told of it.
 */
static void
get_cert(struct transaction *t, const struct query *q)
{
	const struct profile_authority *ca = &t->profile->authorities[0];
	struct buffer der = {0};
	struct certificate c = {0};
	struct errbuf why = {0};
	int64_t id;
	enum store_rc rc;

	rc = store_certificate_by_serial(
	    t->worker->store, q->content.serial, ca->lineage, &id, &der, &why);
	if (rc == STORE_OK && !certificate_parse(buffer_octets(&der), &c, &why))
		rc = STORE_AWAY;
	if (rc == STORE_OK && !identity_same_subject(q->content.issuer, c.issuer, NULL, &why))
		rc = STORE_NONE;
	if (rc == STORE_OK)
		rc = check_owner(t, id, &c, &why);
	if (rc == STORE_OK && q->opened)
		certrep_found(t, buffer_octets(&der), octets_of(NULL, 0));
	else if (rc != STORE_AWAY)
		refuse(t, q, "no such certificate of the signer's");
	else
		certrep_unavailable(t, why.line);
	certificate_free(&c);
	buffer_free(&der);
}

/*
 * The generation of the CA that issuer and serial name: the one that issued that certificate, or the current one where only the name is
 * of ours.  STORE_NONE: neither.
 */
static enum store_rc
find_authority(
    struct transaction *t, const struct scep_query_content *q, char id[37], struct errbuf *why)
{
	const struct profile_authority *ca = &t->profile->authorities[0];
	struct profile_status_authority *issuer;
	struct certificate_row row;
	int64_t certificate;
	enum store_rc rc;

	memcpy(id, ca->id, sizeof(ca->id));
	rc = store_certificate_by_serial(
	    t->worker->store, q->serial, ca->lineage, &certificate, NULL, why);
	if (rc == STORE_OK)
		rc = store_certificate_get_id(t->worker->store, certificate, &row, NULL, why);
	if (rc == STORE_OK)
		memcpy(id, row.authority_id, sizeof(row.authority_id));
	if (rc == STORE_AWAY)
		return rc;
	rc = profile_authority_get(t->worker->profiles, id, &issuer, why);
	if (rc == STORE_OK &&
	    !identity_same_subject(q->issuer, issuer->authority.chain[0].subject, NULL, why))
		rc = STORE_NONE;
	return rc;
}

/* A CRL is for everybody. */
static void
get_crl(struct transaction *t, const struct query *q)
{
	struct profile_status_authority *ca;
	struct buffer der = {0};
	struct errbuf why = {0};
	int64_t next_update;
	char id[37];
	enum store_rc rc = find_authority(t, &q->content, id, &why);

	if (rc == STORE_NONE || (rc == STORE_OK && !q->opened)) {
		refuse(t, q, "no CA of this profile issues under that name");
		return;
	}
	if (rc == STORE_OK)
		rc = profile_authority_get(t->worker->profiles, id, &ca, &why);
	if (rc == STORE_OK && !profile_authority_open(t->worker->profiles, ca, &why))
		rc = STORE_AWAY;
	if (rc == STORE_OK)
		rc = issue_crl(t->worker->store, &ca->authority,
		    t->worker->settings->crl_validity_hours, clock_now(), &der, &next_update, &why);
	if (rc == STORE_OK)
		certrep_found(t, octets_of(NULL, 0), buffer_octets(&der));
	else
		certrep_unavailable(t, why.line);
	buffer_free(&der);
}

/* An EC key can receive no envelope, and there is no challengePassword here to key one by (RFC 8894 3.1). */
static bool
can_be_answered(struct transaction *t)
{
	const char *url = t->profile->authorities[0].crl_url;
	struct errbuf text = {0};

	if (t->message->signer_key.type != PKI_KEY_EC)
		return true;
	errbuf_set(&text, "%s cannot be answered to an EC key%s%s",
	    scep_message_type_name(t->message->message_type),
	    url[0] != '\0' ? "; the CRL is at " : "", url);
	certrep_failure(t, SCEP_BAD_REQUEST, text.line, text.line);
	return false;
}

static void
open_and_answer(struct transaction *t)
{
	struct scep_recipient recipient = profile_recipient(t->ra);
	struct query q = {.opened = false};
	const char *failed = "";
	enum scep_rc rc =
	    scep_request_open_query(t->message, &recipient, &q.content, &failed, &q.why);

	q.opened = rc == SCEP_OK;
	if (rc == SCEP_FAULT) {
		certrep_unavailable(t, q.why.line);
	} else {
		t->stage = q.opened ? "decrypted" : message_stage_before(failed);
		if (t->message->message_type == SCEP_GET_CERT)
			get_cert(t, &q);
		else
			get_crl(t, &q);
	}
	scep_query_content_free(&q.content);
}

void
query_serve(struct transaction *t)
{
	struct errbuf why = {0};

	if (scep_request_verify(t->message, &why) != SCEP_OK) {
		certrep_failure(t, SCEP_BAD_MESSAGE_CHECK, NULL, why.line);
		return;
	}
	t->stage = "verified";
	seen_signer(t);
	if (t->message->message_type == SCEP_CERT_POLL)
		(void)pending_continue(t, NULL, NULL, clock_now_ms());
	else if (can_be_answered(t))
		open_and_answer(t);
}
