/* scep_server.h: the far side of scepctl enrol: what a SCEP server offers, which of its certificates does what, one operation. */
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
	bool by_get; /* never POST */

	struct http *http;
	struct scep_capability_set capabilities;
	struct buffer der[SCEP_SERVER_CERTIFICATES];
	struct certificate certificates[SCEP_SERVER_CERTIFICATES]; /* as GetCACert gave them */
	int count;
	const struct certificate *recipient; /* messages are enveloped to it */
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
 * Is one of the certificates the one with this SHA-256 fingerprint (hexadecimal, colons allowed), and does the recipient
 * hang below it?  It is the anchor from then on.  NULL: nothing is checked, and a warning tells the fingerprint.
 */
int scep_server_check_fingerprint(struct scep_server *s, const char *fingerprint);

/* Does a chain of signatures lead from c, one of the server's certificates or one that it issued, to the anchor?  What else it sent counts for nothing. */
bool scep_server_trusts(const struct scep_server *s, const struct certificate *c);
/* Is c a CA that is trusted, or one above the anchor? */
bool scep_server_is_ca(const struct scep_server *s, const struct certificate *c);

/* PKIOperation by POST where it is offered, else by GET. */
int scep_server_operation(struct scep_server *s, struct octets message, struct buffer *reply);

#endif
