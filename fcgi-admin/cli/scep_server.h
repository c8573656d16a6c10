/* scep_server.h: the far side of scepctl's SCEP client: what a server offers, which of its certificates does what, one operation. */
#ifndef CLI_SCEP_SERVER_H
#define CLI_SCEP_SERVER_H

#include "outbound/http.h"
#include "pki/certificate.h"
#include "scep/capabilities.h"

#define SCEP_SERVER_CERTIFICATES 8

struct scep_server {
	/* set by the caller, borrowed */
	const char *url;     /* up to the query */
	const char *ca_file; /* for TLS; NULL: the system's */
	int64_t timeout_ms;
	bool by_get;	     /* never POST */
	size_t response_max; /* octets of an answer; 0: what certificates need */

	struct http *http;
	struct scep_capability_set capabilities;
	struct buffer der[SCEP_SERVER_CERTIFICATES];
	struct certificate certificates[SCEP_SERVER_CERTIFICATES]; /* as GetCACert gave them */
	int count;
	const struct certificate *recipient; /* messages are enveloped to it: RSA */
	const struct certificate *issuer;    /* its CA; NULL: the server did not send it */
	const struct certificate
	    *anchor; /* what the fingerprint named; without one the issuer, or the recipient */
};

/*
 * GetCACaps and GetCACert.  All return CLI_DONE, or say on stderr what is wrong and return the exit status.
 * scep_server_close() is due whatever comes out.
 */
int scep_server_open(struct scep_server *s);
void scep_server_close(struct scep_server *s);

/*
 * GetNextCACert, which the issuer's key must have signed, itself below the anchor: so after scep_server_check_fingerprint().  From
 * then on the certificates are the next CA's and its RA's, and recipient, issuer and anchor are NULL.
 */
int scep_server_next(struct scep_server *s);

/* PKIOperation by POST where it is offered, else by GET. */
int scep_server_operation(struct scep_server *s, struct octets message, struct buffer *reply);

/* --- what the certificates are good for: scep_server_trust.c --- */

/* Take the certificates in what GetCACert or, verified, GetNextCACert answered; nothing is chosen yet. */
int scep_server_take(struct scep_server *s, struct octets body);
int scep_server_take_next(struct scep_server *s, struct octets body);

/*
 * Who takes messages: the first RA with an RSA key that may encipher keys, or else such a CA; those that are valid at now before
 * those that are not yet, of which there is a warning; none that has expired (RFC 8894 2.2).  Its issuer is the CA that signed it, whatever key that has.
 */
int scep_server_choose(struct scep_server *s, int64_t now);
/* The same behind scep_server_next(); the anchor is the issuer, or the recipient. */
int scep_server_choose_next(struct scep_server *s, int64_t now);

/*
 * Is one of the certificates the one with this SHA-256 fingerprint (hexadecimal, colons allowed), and does the recipient
 * hang below it?  It is the anchor from then on.  NULL: nothing is checked, and a warning tells the fingerprint.
 */
int scep_server_check_fingerprint(struct scep_server *s, const char *fingerprint);
/* The SHA-256 fingerprint, in lower case.  false only when OpenSSL fails. */
bool scep_server_fingerprint(const struct certificate *c, char out[65]);

/*
 * Does a chain of signatures lead from c, one of the server's certificates or one that it issued, to the anchor, by CAs none of which has
 * expired?  What else the server sent counts for nothing.
 */
bool scep_server_trusts(const struct scep_server *s, const struct certificate *c);
/* Is c a CA that is trusted, or one above the anchor? */
bool scep_server_is_ca(const struct scep_server *s, const struct certificate *c);

#endif
