/* message.c: what every pkiMessage goes through before its type matters: form, algorithms, recipient, the signer's key. */
#include "message.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "certrep.h"
#include "enrol.h"
#include "issue/issue.h"
#include "query.h"

#define SIGNING_TIME_SLACK_S 86400

const char *
message_stage_before(const char *failed)
{
	if (strcmp(failed, "verify") == 0)
		return "parsed";
	return strcmp(failed, "decrypt") == 0 ? "verified" : "decrypted";
}

/* Clients without a clock are common: noted, not refused. */
static void
note_signing_time(const struct transaction *t)
{
	const struct scep_request *m = t->message;
	int64_t off;

	if (!m->has_signing_time)
		return;
	off = m->signing_time - clock_now();
	if (off > SIGNING_TIME_SLACK_S || off < -SIGNING_TIME_SLACK_S)
		log_event(LOG_LEVEL_INFO, "signing-time", "the client's clock is off by %lld s",
		    (long long)off);
}

/*
 * The reply is enveloped to the signer's key (RFC 8894 3.1), so that one which cannot receive it ends here: later a certificate would
 * be committed that nobody can be given.  And a larger key than devices may have only costs time to verify by.
 */
static enum scep_rc
check_signer_key(
    const struct transaction *t, enum scep_fail_info *fail, struct errbuf *why, struct errbuf *text)
{
	const struct public_key *key = &t->message->signer_key;
	int64_t most = t->profile->ra.max_rsa_bits;

	if (key->type == PKI_KEY_EC)
		return SCEP_OK;
	if (key->type != PKI_KEY_RSA) {
		*fail = SCEP_BAD_ALG;
		errbuf_set(
		    text, "signer's key type %s is not accepted here, want RSA or EC", key->name);
	} else if (key->bits > most) {
		*fail = SCEP_BAD_REQUEST;
		errbuf_set(text, "signer's key too large: have %s, want at most %lld bits",
		    key->name, (long long)most);
	} else {
		return SCEP_OK;
	}
	errbuf_set(why, "pkiMessage: %s", text->line);
	return SCEP_REFUSED;
}

/* Which RA certificate it is enveloped to; who still uses an old one, or the next one already, is in the audit. */
static void
find_recipient(struct transaction *t)
{
	const struct profile *p = t->profile;

	t->ra = profile_ra_for(p, t->message, clock_now());
	if (t->ra == NULL)
		t->ra = &p->ras[0];
	else if (t->ra->role == PROFILE_RA_PREVIOUS)
		transaction_note(t, "enveloped to the previous RA certificate");
	else if (t->ra->role == PROFILE_RA_NEXT)
		transaction_note(t, "enveloped to the next RA certificate");
}

static void
serve_type(struct transaction *t)
{
	struct errbuf why = {0};

	switch (t->message->message_type) {
	case SCEP_PKCS_REQ:
	case SCEP_RENEWAL_REQ:
		note_signing_time(t);
		enrol_serve(t);
		return;
	case SCEP_CERT_POLL:
	case SCEP_GET_CERT:
	case SCEP_GET_CRL:
		note_signing_time(t);
		query_serve(t);
		return;
	default:
		errbuf_set(&why, "messageType %d (%s) is not supported here",
		    t->message->message_type, scep_message_type_name(t->message->message_type));
		certrep_failure(t, SCEP_BAD_REQUEST, why.line, why.line);
		return;
	}
}

void
message_serve(struct transaction *t, struct octets der)
{
	enum scep_fail_info fail = SCEP_NO_FAIL_INFO;
	struct errbuf why = {0}, text = {0};
	struct scep_request *message = NULL;
	enum scep_rc rc;

	if (!profile_open_keys(t->worker->profiles, t->profile, &why)) {
		certrep_unavailable(t, why.line);
		return;
	}
	t->ra = &t->profile->ras[0];
	rc = scep_request_parse(der, &message, &fail, &why);
	if (message != NULL) {
		transaction_know_message(t, message);
		find_recipient(t);
	}
	if (rc == SCEP_OK)
		rc = scep_request_check_algorithms(message, t->profile->scep.digests,
		    t->profile->scep.ciphers, &fail, &why, &text);
	if (rc == SCEP_OK)
		rc = check_signer_key(t, &fail, &why, &text);
	if (rc == SCEP_REFUSED) {
		certrep_failure(t, fail, text.line, why.line);
	} else if (rc == SCEP_UNANSWERABLE) {
		fcgi_respond_text(
		    t->http, 400, NULL, "This is no pkiMessage that can be answered.");
		transaction_refused(t, "refused", why.line);
	} else if (rc == SCEP_FAULT) {
		certrep_unavailable(t, why.line);
	} else {
		serve_type(t);
	}
}
