/* enrol.h: one enrolment, renewal or poll as it goes on; for enrol*.c alone. */
#ifndef CLI_ENROL_H
#define CLI_ENROL_H

#include "fcgi-admin/cli/arguments.h"
#include "fcgi-admin/cli/credential.h"
#include "fcgi-admin/cli/scep_server.h"
#include "scep/client.h"

struct enrol {
	const struct arguments *a;
	bool json;

	/* enrol_read(): what is asked for */
	bool renews;	/* then signer is the certificate that is renewed */
	int64_t wait_s; /* how long a pending request is polled; 0: not at all */
	int64_t interval_s;
	struct buffer challenge;
	struct buffer subject; /* Name, DER */
	struct buffer san;
	EVP_PKEY *key; /* the new certificate's */
	struct buffer spki;

	struct scep_server server;

	/* enrol_make() */
	struct credential signer; /* self-signed, unless it is there already */
	struct buffer csr;
	struct buffer poll; /* IssuerAndSubject */
	char transaction_id[65];
	struct scep_client_message message;

	/* what became of it */
	bool key_written; /* by us: removed again where nothing came of it */
	bool sent;	  /* there may be a certificate for the key */
	bool refused;	  /* says a reply whose signature holds: there is none */
	struct scep_client_reply reply;
	struct certificate issued;
};

/* All return CLI_DONE, or say on stderr what is wrong and return the exit status. */

/* enrol_read.c: the command line, and the certificate and keys that it names; nothing is sent or written. */
int enrol_read(struct enrol *e);

/* enrol_make.c: CSR, signer and the content of polls; e->message lacks messageType and content. */
int enrol_make(struct enrol *e);
/*
 * So that a repeat is known again, the transactionID follows from the key (SHA-256 of the SubjectPublicKeyInfo); and from the certificate that
 * is renewed and the next CA's, where there are such (DER, or empty), as the same key may be in another transaction without them.
 */
bool enrol_transaction_id(
    struct octets spki, struct octets renewed, struct octets next_ca, char out[65]);

/* enrol_result.c: the certificate in a SUCCESS, into e->issued: the one with our key, signed by the CA. */
int enrol_take_certificate(struct enrol *e);
int enrol_write_files(const struct enrol *e);

#endif
