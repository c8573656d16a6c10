/* private_key.h: making keys, and keeping them as encrypted PKCS#8 files, mode 0600. */
#ifndef PKI_PRIVATE_KEY_H
#define PKI_PRIVATE_KEY_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "base/errbuf.h"
#include "base/octets.h"

/* "rsa:2048", "rsa:3072", "rsa:4096", "ec:P-256", "ec:P-384", "ec:P-521" (and "rsa:1024" to "rsa:8192" in steps of 8 for tests and
 * clients).  The caller frees; NULL with why. */
EVP_PKEY *private_key_generate(const char *kind, struct errbuf *why);

/* Write PKCS#8 PEM under passphrase (PBES2: PBKDF2-HMAC-SHA-256, AES-256-CBC) to a new file of mode 0600, synced; never overwrites.
 * An empty passphrase writes it unencrypted: for clients' own keys only. */
bool private_key_save(
    EVP_PKEY *key, const char *path, struct octets passphrase, struct errbuf *why);

/* Read PEM, encrypted or not; refuses a file that group or others can read.  The caller frees; NULL with why. */
EVP_PKEY *private_key_load(const char *path, struct octets passphrase, struct errbuf *why);

/* Append its SubjectPublicKeyInfo. */
bool private_key_spki(EVP_PKEY *key, struct buffer *out, struct errbuf *why);

/* Read a passphrase file (mode 0600 or stricter than group-readable by root:group; trailing newline dropped) into out. */
bool passphrase_read(const char *path, struct buffer *out, struct errbuf *why);
/* Create one with 256 random bits in hexadecimal, mode 0600; never overwrites. */
bool passphrase_create(const char *path, struct errbuf *why);

#endif
