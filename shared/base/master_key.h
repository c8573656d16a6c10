/*
 * master_key.h: the one key of an installation and all that is derived from it by HKDF-SHA-256 (RFC 5869).
 *
 * The file has one line: "scep-master-key-1 ID KEY", ID 8 and KEY 64 hexadecimal digits.  It is the same on all hosts.
 */
#ifndef BASE_MASTER_KEY_H
#define BASE_MASTER_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"

#define MASTER_KEY_MAC 32 /* octets of HMAC-SHA-256 */

/* What a derived key is for: one label each, so that no key serves two purposes. */
enum master_key_use {
	MASTER_KEY_CHALLENGE,	/* static and one-time challenges; part 1 is the profile's uuid */
	MASTER_KEY_TOKEN,	/* API tokens */
	MASTER_KEY_REPEAT,	/* repeat keys of transactions */
	MASTER_KEY_CHECK,	/* proves that the file belongs to the store */
	MASTER_KEY_AUDIT,	/* row hashes */
	MASTER_KEY_TRANSACTION, /* keys of transactions that wait for approval */
	MASTER_KEY_USES
};

struct master_key; /* opaque; its octets are wiped when freed */

/* Create the file, mode 0600, with fresh random octets.  Never overwrites: false with why when path exists. */
bool master_key_create(const char *path, struct errbuf *why);
/* Load.  Refuses a file that group or others can read.  The caller frees *out; NULL in it and false on failure. */
bool master_key_load(const char *path, struct master_key **out, struct errbuf *why);
void master_key_free(struct master_key *k);
const char *master_key_id(const struct master_key *k);

/*
 * HMAC-SHA-256 under the key derived for use, over the parts, each preceded by its length as 4 octets, so that no two lists
 * of parts give the same input.  About 1 us; k is not for two threads at once.  false only when OpenSSL fails; out is then
 * zeroed.
 */
bool master_key_mac(const struct master_key *k, enum master_key_use use, const struct octets *parts,
    int count, uint8_t out[MASTER_KEY_MAC]);

/*
 * Seal what must be read back: AES-256-GCM under a key derived for that alone, with a fresh nonce; context (authenticated, not
 * kept) says what it belongs to.  Appends nonce, ciphertext and tag: MASTER_KEY_SEAL_OVERHEAD octets more than secret has.
 */
#define MASTER_KEY_SEAL_OVERHEAD 28
bool master_key_seal(const struct master_key *k, struct octets context, struct octets secret,
    struct buffer *out, struct errbuf *why);
/* The opposite; false where key or context is another's or an octet has changed.  The caller wipes out (buffer_free). */
bool master_key_unseal(const struct master_key *k, struct octets context, struct octets sealed,
    struct buffer *out, struct errbuf *why);

#endif
