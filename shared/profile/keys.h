/* keys.h: the opened keys of one process, by file; for this room alone. */
#ifndef PROFILE_KEYS_H
#define PROFILE_KEYS_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "base/errbuf.h"
#include "base/settings.h"
#include "pki/signer.h"

struct profile_keys;

struct profile_keys *profile_keys_new(const struct settings *s);
void profile_keys_free(struct profile_keys *k);

/* The key in the file of this name below the key directory, opened at its first use and borrowed for good.  NULL with why. */
EVP_PKEY *profile_keys_private(struct profile_keys *k, const char *file, struct errbuf *why);
struct signer *profile_keys_signer(struct profile_keys *k, const char *file, struct errbuf *why);

#endif
