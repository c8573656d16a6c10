/* ocsp_responder.h: the certificates that OCSP answers of a CA are signed by (RFC 6960 4.2.2.2): delegated, short-lived, made anew in time. */
#ifndef ISSUE_OCSP_RESPONDER_H
#define ISSUE_OCSP_RESPONDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/settings.h"
#include "pki/signer.h"
#include "store/authority_row.h"
#include "store/revocation.h"

#define ISSUE_RESPONDER_DAYS 90

/*
 * Is a new one due at now?  There is none (not_after 0), or less than a third of its life is left and the CA outlives it.  Never for a CA that has
 * ended.
 */
bool issue_responder_due(int64_t not_after, int64_t authority_not_after, int64_t now);

/*
 * A key (RSA-2048 under a CA with an RSA key, P-256 otherwise) in the key directory under the installation's passphrase, and its certificate
 * by the CA, whose signer this is: OCSPSigning, digitalSignature, id-pkix-ocsp-nocheck.  Committed with its audit event, in actor's name; the newest
 * one answers, so that two who make one at a time do no harm.  OK: the caller frees *out.  AWAY with why: nothing is left of it, not
 * even the key file.
 */
enum store_rc issue_responder(struct store *st, const struct settings *s,
    const struct authority_row *ca, struct signer *signer, const char *actor, int64_t now,
    struct ocsp_responder_row *out, struct errbuf *why);

#endif
