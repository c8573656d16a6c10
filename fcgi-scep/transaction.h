/*
 * transaction.h: one request from its first octet to its answer, and what is recorded of it: one log line always, one audit
 * row for every transaction, refused ones too.
 */
#ifndef FCGI_SCEP_TRANSACTION_H
#define FCGI_SCEP_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "fcgi/request.h"
#include "profile/profile.h"
#include "scep/request.h"
#include "worker.h"

struct transaction {
	struct worker *worker;
	struct fcgi_request *http;
	struct profile *profile; /* NULL until found */
	char profile_name[65];	 /* as asked for, printable */
	const char *operation;	 /* GetCACaps, PKIOperation, … */
	const char *transport;	 /* http-get, … */
	int64_t started_us;

	struct scep_request *message; /* NULL until parsed */
	/* What the message is enveloped to; the current one where that is none of ours.  NULL until parsed. */
	const struct profile_ra *ra;
	/* What keys a reply to a signer that cannot decrypt (EC): its challengePassword; borrowed. */
	struct octets password;
	char transaction_id[2 * SCEP_TRANSACTION_ID_MAX + 8];
	const char *
	    stage; /* received, parsed, verified, decrypted, authorised, issued, answered: the last one reached */
	char key_type[32];     /* of the CSR's key; "" unknown */
	struct buffer subject; /* RFC 4514, as asked for */
	char
	    note[512]; /* for the audit: broken algorithms, a previous RA certificate; "" nothing */

	bool
	    recorded; /* its audit row was written with what it changed: none more, only the log line */

	bool limited; /* refused by a limit: counted, without a row of its own */

	/* For the log line. */
	const char *outcome; /* success, refused, failed, repeat */
	enum scep_fail_info fail_info;
	char serial[33];
};

void transaction_start(struct transaction *t, struct worker *w, struct fcgi_request *r);
/* The message has been parsed: its transactionID, algorithms and warnings become known. */
void transaction_know_message(struct transaction *t, struct scep_request *message);
void transaction_know_csr(struct transaction *t, const struct csr *csr);
/* Something that log and audit tell beside the outcome, in so many words. */
void transaction_note(struct transaction *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Everything that is known so far; texts are borrowed from t. */
void transaction_event(const struct transaction *t, struct audit_event *e);

/*
 * Record a refusal: audit (queued, counted when it is a flood) and the request's log line.  outcome: "refused" for their
 * faults, "failed" for ours.
 */
void transaction_refused(struct transaction *t, const char *outcome, const char *reason);

/* Refused by a limit: the log line, and a row a minute with the count. */
void transaction_limited(struct transaction *t, const char *reason);

/* A repeat was answered with its first certificate, whose serial (hex) this is: log line and audit row, counted like a refusal. */
void transaction_repeated(struct transaction *t, const char *serial);

/* The log line of what went well; the audit row of an enrolment is in its commit. */
void transaction_done(struct transaction *t);

/* The log line of a request that waits for approval; its audit row is written with it, or counted. */
void transaction_waits(struct transaction *t, const char *reason);

/* The event as JSON for the queue of the profile, with an event id of its own; the caller frees out.  false: out of memory. */
bool transaction_event_json(
    const struct transaction *t, const char *outcome, const char *reason, struct buffer *out);

/* What went well is recorded too: reads that change nothing (GetCert, GetCRL), and the first poll.  Counted like a refusal. */
void transaction_recorded(struct transaction *t, const char *outcome, const char *reason);

void transaction_free(struct transaction *t);

#endif
