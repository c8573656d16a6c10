/* ca.h: what the verbs of CAs share. */
#ifndef CLI_CA_H
#define CLI_CA_H

#include <openssl/evp.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/authority.h"
#include "fcgi-admin/manage/generation.h"

/* SHA-256 in hexadecimal; false: there is no certificate. */
bool ca_fingerprint(struct octets der, char out[65]);
/* The certificate, and with chain those above it, one PEM block each. */
void ca_append_pem(const struct authority_row *ca, bool chain, struct buffer *out);

json_t *ca_json(const struct authority_row *ca);
void ca_print(const struct authority_row *ca);
/* Where it stands among its generations, and its CRL and OCSP responder. */
void ca_json_generation(json_t *j, const struct manage_generation *g);
void ca_print_generation(const struct manage_generation *g);

/* The key of --key-file, under --key-passphrase-file.  NULL with why. */
EVP_PKEY *ca_load_key(const struct arguments *a, struct errbuf *why);

#endif
