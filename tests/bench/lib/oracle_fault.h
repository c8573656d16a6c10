/*
 * oracle_fault.h: the ways in which an envelope, or what is in it, can be wrong up to the CSR's proof of possession, and messages
 * that are wrong so: all have to take the same time (docs/performance.md).
 */
#ifndef BENCH_ORACLE_FAULT_H
#define BENCH_ORACLE_FAULT_H

#include <stdbool.h>

#include "stranger.h"

/* What is enveloped. */
enum oracle_content {
	CONTENT_INTACT,	       /* a captured CSR of another's; or a query that matches nothing */
	CONTENT_OWN_SIGNATURE, /* the sender's own CSR whose self-signature is wrong */
	CONTENT_SIGNATURE,     /* another's, likewise */
	CONTENT_FIRST,	       /* its first octet is wrong */
	CONTENT_LAST,	       /* its last element says that it is longer than the whole */
	CONTENT_CUT,	       /* its last octet is missing */
	CONTENT_TRAILING,      /* one octet behind it */
	CONTENT_GARBAGE	       /* random octets */
};

struct oracle_fault {
	const char *name;
	enum oracle_content content;
	enum stranger_block block;
	enum stranger_padding padding;
	bool
	    other_recipient; /* its name; the block is below the RA's modulus all the same, which everybody can see */
};

/* Those of a PKCSReq, and those of a query: the same but for what only a CSR has. */
#define ORACLE_FAULTS_MAX 32
int oracle_faults(bool query, struct oracle_fault out[ORACLE_FAULTS_MAX]);

/* Who is there: the RA, somebody else, and the stranger who sends. */
struct oracle_world {
	struct stranger ra, other_ra, victim, sender;
	struct buffer victim_csr, sender_csr;
};
bool oracle_world_make(struct oracle_world *w);
void oracle_world_free(struct oracle_world *w);

/* Append a message of messageType 19, 20, 21 or 22 that is wrong so.  false: OpenSSL fails. */
bool oracle_message(const struct oracle_world *w, const struct oracle_fault *f, int message_type,
    struct buffer *out);

#endif
