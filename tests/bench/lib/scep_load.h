/*
 * scep_load.h: many pkiMessages of one kind for one SCEP server, made before they are sent and checked after: every reply has to be what
 * it should be, signed, and for its own request.
 */
#ifndef BENCH_SCEP_LOAD_H
#define BENCH_SCEP_LOAD_H

#include <stdio.h>

#include "base/octets.h"
#include "pki/certificate.h"
#include "scep/client.h"
#include "tests/bench/lib/http_load.h"

#define LOAD_KEYS 8 /* devices share them: making a key takes longer than all that is measured */

enum load_kind {
	LOAD_ENROL,	 /* PKCSReq: SUCCESS */
	LOAD_WRONG,	 /* PKCSReq with a challenge that nobody knows: badRequest */
	LOAD_ENROL_WAIT, /* PKCSReq at a profile with approval by hand: PENDING */
	LOAD_RENEW, /* RenewalReq with another key, by certificates that were enrolled: SUCCESS */
	LOAD_RENEW_KEY, /* with the same key */
	LOAD_POLL,	/* CertPoll of what waits: PENDING */
	LOAD_GET_CERT	/* GetCert of the signer's own certificate: SUCCESS, and it */
};

struct load_device {
	EVP_PKEY *key;
	struct buffer signer_der;
	struct certificate signer; /* self-signed */
};

/* One message, what it was made for, and what came of it. */
struct load_slot {
	char transaction_id[40];
	struct buffer subject; /* Name, of what was enrolled or waits */
	struct buffer der;     /* the certificate that was issued last; empty without */
	struct certificate certificate;
	int key; /* of devices: that certificate's, or the one that waits */
	struct scep_client_message message;
	struct buffer request;
};

struct scep_load {
	char host[64], port[8], path[512];
	const char *challenge;
	FILE *
	    challenges; /* in place of challenge: one a line, each used once; behind a tab there may be the CN */
	bool reuse; /* at the end of the file, from its beginning again */
	struct load_device devices[LOAD_KEYS];
	struct buffer ca_der[9];
	struct certificate ca[9];
	int ca_count;
	int count;
	struct load_slot *slots;
	struct http_exchange *exchanges;
};

/* All of this ends the program with a line where it cannot be done: a bench has nothing to go on with. */
void load_die(const char *what, const struct errbuf *why);

/* For count messages to http://127.…; asks GetCACert and makes keys. */
void load_open(struct scep_load *l, const char *url, int count);

/* Make all messages of this kind.  Renewals and GetCert need what was enrolled before, polls what waits: the last checked run. */
void load_prepare(struct scep_load *l, enum load_kind kind);
/* Prepared GET requests of path?query in place of messages. */
void load_prepare_get(struct scep_load *l, const char *query);
/* Send them all; the wall time. */
double load_send(struct scep_load *l, int connections, bool keep);
/* How many replies are not as they should be; the first three are told on standard error. */
int load_check(struct scep_load *l, enum load_kind kind);

#endif
