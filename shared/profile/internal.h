/* internal.h: what profile.c and cache.c share. */
#ifndef PROFILE_INTERNAL_H
#define PROFILE_INTERNAL_H

#include "profile/profile.h"

/* A new snapshot, which the caller frees; key_files gets the RA's and the CA's. */
enum store_rc profile_load(struct store *st, const char *name, struct profile **out,
    char key_files[2][256], struct errbuf *why);
void profile_free(struct profile *p);

/* Octets of the DER object at the start of o, header and all; 0 when it is not whole or not of definite length. */
size_t profile_der_length(struct octets o);

#endif
