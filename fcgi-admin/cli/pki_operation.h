/* pki_operation.h: one pkiMessage out and its CertRep in, and the options for it: what enrol, get-cert, get-crl and next-ca have in common. */
#ifndef CLI_PKI_OPERATION_H
#define CLI_PKI_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi-admin/cli/arguments.h"
#include "fcgi-admin/cli/scep_server.h"
#include "scep/client.h"

#include <jansson.h>

/* What every verb with a URL takes; and what those that send a message do. */
#define SCEP_SERVER_OPTIONS                                                                        \
	{"fingerprint", "HEX", "SHA-256 of the CA's certificate", false},                          \
	    {"ca-file", "FILE", "trust these CAs for TLS, not the system's", false},               \
	{                                                                                          \
		"timeout", "SECONDS", "of each call (30)", false                                   \
	}
#define PKI_OPERATION_OPTIONS                                                                      \
	SCEP_SERVER_OPTIONS, {"get", NULL, "send the message by GET, not POST", false},            \
	    {"digest", "NAME", "of our signature; by default what the server offers", false},      \
	    {"cipher", "NAME", "of the envelope; likewise", false},                                \
	{                                                                                          \
		"transaction-id", "TEXT", "the transactionID, 1 to 256 octets", false              \
	}

/* All that return a status return CLI_DONE, or say on stderr what is wrong and return the exit status. */

/* Ask the server that the first operand names for capabilities and certificates, and check its fingerprint; scep_server_close() is due. */
int pki_operation_open(struct scep_server *s, const struct arguments *a);

/* The message's digest and cipher: as the options say, or the best that the server offers. */
int pki_operation_choose_algorithms(
    const struct scep_server *s, const struct arguments *a, struct scep_client_message *m);

/* --transaction-id, borrowed, into *out, which stays as it is without the option. */
int pki_operation_read_transaction_id(const struct arguments *a, const char **out);

/*
 * Encode m, send it and read the CertRep, which one of the server's certificates that hang below the anchor must have signed.  DONE: reply
 * says what the server said, whatever that is; the caller frees it.  *sent tells, also after a failure, whether the message may have arrived.
 */
int pki_operation(struct scep_server *s, struct scep_client_message *m,
    struct scep_client_reply *reply, bool *sent);

/* Tell a FAILURE or PENDING on stderr, and as JSON on stdout; returns the exit status of it. */
int pki_operation_tell(
    const struct scep_client_message *m, const struct scep_client_reply *reply, bool json);

/* Tell of a certificate that came and is in the file path: on stdout, a line or JSON. */
int pki_operation_print(
    const struct scep_client_message *m, const struct certificate *c, const char *path, bool json);

/* A stranger's text: what is no UTF-8 in it becomes '?'; null for "". */
json_t *pki_operation_json_text(const char *text);
/* The number in an INTEGER's content octets, without its sign octet; borrowed. */
struct octets pki_operation_magnitude(struct octets serial);

#endif
