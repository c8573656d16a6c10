/* doctor_message.c: checks of PKIOperation, by a CertPoll for nothing and by what is no message (RFC 8894 3, 4.1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi-admin/cli/doctor.h"

#define TYPE_MESSAGE "application/x-pki-message"
/* Those that wait for approval. */
#define POLLING	     (DOCTOR_APPLE | DOCTOR_CISCO_IOS | DOCTOR_STRONGSWAN | DOCTOR_JSCEP | DOCTOR_SSCEP)
#define NONCE_SIZE   16 /* RFC 8894 3.2.1.5 */

/* A poll was asked and answered; otherwise SKIPPED is said where there was none to ask with. */
static bool
polled(const struct doctor *d, enum doctor_question q, struct doctor_finding *f)
{
	if (!d->answers[q].asked && d->stopped == NULL) {
		doctor_say(f, DOCTOR_SKIPPED, "no message can be made: %s", d->poll_why.line);
		return false;
	}
	return doctor_answered(d, q, f);
}

/* The poll whose reply can be read, by POST rather than by GET; otherwise that by POST. */
static enum doctor_question
best_poll(const struct doctor *d)
{
	static const enum doctor_question order[] = {
	    DOCTOR_ASK_POLL, DOCTOR_ASK_POLL_GET, DOCTOR_ASK_POLL_PLUS, DOCTOR_ASK_POLL_BREAKS};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (d->replies[order[i]].read)
			return order[i];
	return DOCTOR_ASK_POLL;
}

static void
bad_message(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_answer *a = &d->answers[DOCTOR_ASK_JUNK];
	char words[DOCTOR_WORDS];

	if (!doctor_answered(d, DOCTOR_ASK_JUNK, f))
		return;
	if (a->http.status >= 400 && a->http.status < 500)
		doctor_say(f, DOCTOR_OK, "what is no message gets %d", a->http.status);
	else if (a->http.status == 200 && http_content_type_is(&a->http, TYPE_MESSAGE))
		doctor_say(f, DOCTOR_OK, "what is no message gets a CertRep");
	else
		doctor_say(f, DOCTOR_WARNING,
		    "what is no message gets %s, want 400 or a CertRep: strangers' rubbish rings "
		    "the alarms of the server's own faults",
		    doctor_words(a, words));
}

static void
say_of_reply(const struct doctor_reply *r, struct doctor_finding *f)
{
	if (r->status == SCEP_FAILURE && r->fail_info == SCEP_BAD_CERT_ID)
		doctor_say(f, DOCTOR_OK, "a poll for nothing gets badCertId, signed");
	else if (r->status == SCEP_FAILURE)
		doctor_say(f, DOCTOR_WARNING,
		    "a poll for nothing gets %s, want badCertId (RFC 8894 3.2.1.4): where requests "
		    "wait for approval, see that a poll for one of them gets PENDING",
		    scep_fail_info_name(r->fail_info));
	else if (r->status == SCEP_PENDING)
		doctor_say(f, DOCTOR_FAILURE,
		    "a poll for a request that never was gets PENDING: a client polls for ever, "
		    "want badCertId");
	else
		doctor_say(f, DOCTOR_FAILURE,
		    "a poll for a request that never was gets SUCCESS, want badCertId: whose "
		    "certificate is that?");
}

static void
poll_unknown(const struct doctor *d, struct doctor_finding *f)
{
	enum doctor_question q = best_poll(d);
	const struct doctor_answer *a = &d->answers[q];
	const struct doctor_reply *r = &d->replies[q];
	char words[DOCTOR_WORDS];

	if (!polled(d, q, f))
		return;
	/* What is no reply is none to anybody; how polls end is of interest to those that poll. */
	if (r->read || a->http.status != 200)
		f->clients = POLLING;
	if (r->read)
		say_of_reply(r, f);
	else if (a->http.status != 200)
		doctor_say(f, DOCTOR_WARNING,
		    "a CertPoll gets %s, want a CertRep: where requests wait for approval, clients "
		    "never learn of it (RFC 8894 3.3.3)",
		    doctor_words(a, words));
	else
		doctor_say(f, DOCTOR_FAILURE, "the answer to a message is none to a client: %s",
		    r->why.line);
}

/* Whether the same message in another writing comes to the same. */
static void
same_reply(const struct doctor *d, enum doctor_question q, const char *way, const char *advice,
    struct doctor_finding *f)
{
	enum doctor_question best = best_poll(d);
	const struct doctor_answer *plain =
	    &d->answers[d->replies[best].read ? best : DOCTOR_ASK_POLL_GET];
	const struct doctor_answer *a = &d->answers[q];
	const struct doctor_reply *r = &d->replies[q];
	char words[DOCTOR_WORDS];

	if (!polled(d, q, f))
		return;
	if (d->replies[best].read) {
		if (r->read && r->status == d->replies[best].status)
			doctor_say(f, DOCTOR_OK, "a message %s is understood", way);
		else
			doctor_say(f, DOCTOR_FAILURE, "a message %s gets %s; %s", way,
			    r->signer ? "another answer" : doctor_words(a, words), advice);
		return;
	}
	/* No CertRep to compare: whether it fails at the same place. */
	if (q == DOCTOR_ASK_POLL_GET || plain->rc != HTTP_DONE)
		doctor_say(f, DOCTOR_SKIPPED, "no poll gets a CertRep, so this cannot be told");
	else if (a->http.status == plain->http.status &&
		 octets_equal(buffer_octets(&a->http.body), buffer_octets(&plain->http.body)))
		doctor_say(f, DOCTOR_OK, "a message %s gets what an escaped one gets, %s", way,
		    doctor_words(a, words));
	else
		doctor_say(f, DOCTOR_WARNING,
		    "a message %s gets %s, which an escaped one does not; %s", way,
		    doctor_words(a, words), advice);
}

static void
get_operation(const struct doctor *d, struct doctor_finding *f)
{
	same_reply(
	    d, DOCTOR_ASK_POLL_GET, "by GET", "serve GET beside POST: these send nothing else", f);
}

static void
get_with_plus(const struct doctor *d, struct doctor_finding *f)
{
	same_reply(d, DOCTOR_ASK_POLL_PLUS, "by GET with bare + and /",
	    "read the raw query, and take a space for +", f);
}

static void
get_with_line_breaks(const struct doctor *d, struct doctor_finding *f)
{
	same_reply(d, DOCTOR_ASK_POLL_BREAKS, "by GET with line breaks (%0A) in the base64",
	    "skip white space in it", f);
}

static void
reply_content_type(const struct doctor *d, struct doctor_finding *f)
{
	enum doctor_question q = best_poll(d);
	const struct doctor_answer *a = &d->answers[q];

	if (a->http.status != 200)
		doctor_say(f, DOCTOR_SKIPPED, "there is no CertRep");
	else if (!http_content_type_is(&a->http, TYPE_MESSAGE))
		doctor_say(f, DOCTOR_FAILURE, "it is %s, want " TYPE_MESSAGE " (RFC 8894 4.3)",
		    a->http.content_type[0] != '\0' ? a->http.content_type : "of no type");
	else if (strcmp(a->http.content_type, TYPE_MESSAGE) != 0)
		doctor_say(f, DOCTOR_WARNING,
		    "it is \"%s\": clients compare the whole of it; leave out what is "
		    "not " TYPE_MESSAGE,
		    a->http.content_type);
	else
		doctor_say(f, DOCTOR_OK, TYPE_MESSAGE);
}

/* The reply's one SignerInfo; otherwise SKIPPED is said. */
static const struct doctor_reply *
signer(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_reply *r = &d->replies[best_poll(d)];

	if (r->signer)
		return r;
	doctor_say(f, DOCTOR_SKIPPED, "there is no CertRep");
	return NULL;
}

static void
reply_signature_algorithm(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_reply *r = signer(d, f);

	if (r == NULL)
		return;
	if (r->rsa_encryption)
		doctor_say(f, DOCTOR_OK, "rsaEncryption");
	else
		doctor_say(f, DOCTOR_WARNING,
		    "the CertRep's signatureAlgorithm is not rsaEncryption, which is all that "
		    "5.9.8 takes: name that, and the digest beside it");
}

static void
reply_digest(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_reply *r = signer(d, f);
	enum pki_digest sent = d->poll.message.digest;

	if (r == NULL)
		return;
	if (r->digest == sent)
		doctor_say(f, DOCTOR_OK, "%s, as in the request", pki_digest_name(sent));
	else if (r->digest == PKI_SHA256 || r->digest == PKI_SHA384 || r->digest == PKI_SHA512)
		doctor_say(f, DOCTOR_OK, "%s, the request had %s", pki_digest_name(r->digest),
		    pki_digest_name(sent));
	else
		doctor_say(f, DOCTOR_WARNING,
		    "the CertRep is signed with %s though the request had %s: strict clients "
		    "refuse it; answer with the request's digest",
		    r->digest == PKI_DIGEST_NONE ? "an unknown digest" : pki_digest_name(r->digest),
		    pki_digest_name(sent));
}

static void
reply_nonces(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_reply *r = signer(d, f);

	if (r == NULL)
		return;
	if (r->sender_nonce_len == 0)
		doctor_say(f, DOCTOR_WARNING, "the CertRep has no senderNonce (RFC 8894 3.2.1.5)");
	else if (r->nonce_is_echo)
		doctor_say(f, DOCTOR_WARNING,
		    "the CertRep's senderNonce is the request's, want a fresh one (RFC 8894 "
		    "3.2.1.5)");
	else if (r->sender_nonce_len != NONCE_SIZE)
		doctor_say(f, DOCTOR_WARNING,
		    "the CertRep's senderNonce has %zu octets, want %d (RFC 8894 3.2.1.5)",
		    r->sender_nonce_len, NONCE_SIZE);
	else
		doctor_say(f, DOCTOR_OK, "recipientNonce is ours, senderNonce is fresh");
}

/* Polls by GET all have one URL: whoever caches the first PENDING serves it for ever. */
static void
reply_caching(const struct doctor *d, struct doctor_finding *f)
{
	const struct http_response *r = &d->answers[DOCTOR_ASK_POLL_GET].http;
	char value[200];
	const char *age;

	if (r->status != 200) {
		doctor_say(f, DOCTOR_SKIPPED, "there is no CertRep by GET");
		return;
	}
	http_response_header(r, "Cache-Control", value, sizeof(value));
	age = strcasestr(value, "max-age=");
	if (strcasestr(value, "no-store") != NULL || strcasestr(value, "no-cache") != NULL ||
	    (strcasestr(value, "public") == NULL &&
		(age == NULL || strtol(age + 8, NULL, 10) <= 0)))
		doctor_say(f, DOCTOR_OK, "nothing on the way may keep a reply");
	else
		doctor_say(f, DOCTOR_WARNING,
		    "a PKIOperation by GET is answered with Cache-Control: %s; want no-store, or a "
		    "poll gets an old answer from a proxy",
		    value);
}

const struct doctor_check doctor_message_checks[] = {
    {"bad-message", 0, bad_message},
    {"poll-unknown", DOCTOR_EVERYONE, poll_unknown},
    {"get-operation", DOCTOR_CERTMONGER | DOCTOR_CISCO_IOS | DOCTOR_MICROMDM, get_operation},
    {"get-with-plus", DOCTOR_APPLE, get_with_plus},
    {"get-with-line-breaks", DOCTOR_CISCO_IOS | DOCTOR_SSCEP, get_with_line_breaks},
    {"reply-content-type", DOCTOR_JSCEP | DOCTOR_SSCEP | DOCTOR_CERTMONGER, reply_content_type},
    {"reply-signature-algorithm", DOCTOR_STRONGSWAN, reply_signature_algorithm},
    {"reply-digest", DOCTOR_STRONGSWAN | DOCTOR_CERTMONGER, reply_digest},
    {"reply-nonces", 0, reply_nonces},
    {"reply-caching", DOCTOR_CERTMONGER | DOCTOR_CISCO_IOS, reply_caching},
    {0},
};
