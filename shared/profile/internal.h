/* internal.h: what the files of this room share. */
#ifndef PROFILE_INTERNAL_H
#define PROFILE_INTERNAL_H

#include "profile/profile.h"
#include "store/authority_row.h"

/* A new snapshot at now, which the caller frees. */
enum store_rc profile_load(
    struct store *st, const char *name, int64_t now, struct profile **out, struct errbuf *why);
void profile_free(struct profile *p);

/* Certificates and names of an authority's row; keys stay closed.  false with why. */
bool profile_authority_read(
    struct profile_authority *a, const struct authority_row *row, struct errbuf *why);
void profile_authority_free(struct profile_authority *a);

/* CAs and RA certificates of a profile whose rows are read. */
enum store_rc profile_read_authorities(
    struct profile *p, struct store *st, int64_t now, struct errbuf *why);
void profile_free_authorities(struct profile *p);
void profile_free_webhooks(struct profile *p);

/* Octets of the DER object at the start of o, header and all; 0 when it is not whole or not of definite length. */
size_t profile_der_length(struct octets o);

#endif
