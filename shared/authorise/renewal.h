/* renewal.h: does the certificate that signed a request authorise its own renewal (RFC 8894 2.3, 2.4)? */
#ifndef AUTHORISE_RENEWAL_H
#define AUTHORISE_RENEWAL_H

#include "authorise/authorise.h"
#include "store/certificate_row.h"

struct renewal {
	int64_t predecessor_id;	      /* its row; 0: it is none of ours */
	struct renewable predecessor; /* with ALLOW: whom it is for */
	/* With DENY: badCertId for what is wrong with the certificate, badRequest for what is asked for with it. */
	enum scep_fail_info fail_info;
	struct errbuf text; /* failInfoText; no secret is judged here */
	struct errbuf why;
};

/*
 * The certificate must be in the store, octet for octet; of a generation of the profile's CA that is not expired; issued (or imported)
 * through this profile, its lineage or one in renewFrom; in time and not revoked; with fewer successors than allowed.  The CSR's subject and
 * SAN must be its own, but for what the profile fixes; the time within the threshold; and the key another one where the profile says so.
 *
 * ALLOW with predecessor_id; DENY; AWAY with why.
 */
enum authorise_rc renewal_check(
    struct store *st, const struct authorise_request *q, struct renewal *out);

/* Are the CSR's subject and SAN those of the signer, but for what the profile fixes?  false with why, which tells their values. */
bool renewal_same_identity(const struct authorise_request *q, struct errbuf *why);

#endif
