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
	char transaction_id[2 * SCEP_TRANSACTION_ID_MAX + 8];
	const char *
	    stage; /* received, parsed, verified, decrypted, authorised, issued, answered: the last one reached */
	char key_type[32];     /* of the CSR's key; "" unknown */
	struct buffer subject; /* RFC 4514, as asked for */
	char legacy[128];      /* a warning of MD5 or DES, "" none */

	/* For the log line. */
	const char *outcome; /* success, refused, failed, repeat */
	enum scep_fail_info fail_info;
	char serial[33];
};

void transaction_start(struct transaction *t, struct worker *w, struct fcgi_request *r);
/* The message has been parsed: its transactionID, algorithms and warnings become known. */
void transaction_know_message(struct transaction *t, struct scep_request *message);
void transaction_know_csr(struct transaction *t, const struct csr *csr);
/* A broken algorithm was accepted, where ("of the CSR"): log and audit get a warning. */
void transaction_warn(struct transaction *t, const char *algorithm, const char *where);

/* Everything that is known so far; texts are borrowed from t. */
void transaction_event(const struct transaction *t, struct audit_event *e);

/*
 * Record a refusal: audit (queued, counted when it is a flood) and the request's log line.  outcome: "refused" for their
 * faults, "failed" for ours.
 */
void transaction_refused(struct transaction *t, const char *outcome, const char *reason);

/* A repeat was answered with its first certificate, whose serial (hex) this is: log line and audit row, counted like a refusal. */
void transaction_repeated(struct transaction *t, const char *serial);

/* The log line of what went well; the audit row of an enrolment is in its commit. */
void transaction_done(struct transaction *t);

void transaction_free(struct transaction *t);

#endif
