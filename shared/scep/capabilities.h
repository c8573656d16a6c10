/* capabilities.h: the text of GetCACaps (RFC 8894 3.5.2), made from what a profile accepts. */
#ifndef SCEP_CAPABILITIES_H
#define SCEP_CAPABILITIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/octets.h"

/*
 * Append one keyword a line, "\n" behind each, no empty line (strongSwan takes one for every keyword).  digests and ciphers are
 * masks of PKI_….  SHA-384 is listed whenever it is accepted: strongSwan takes the list's indices for bit masks and refuses AES and
 * SHA-256 without it.  AES is AES-128 (RFC 8894 3.5.2).  SCEPStandard takes AES-128 and SHA-256, and neither MD5 nor single DES: it
 * implies 2.9, which forbids them.
 */
void scep_capabilities(
    uint32_t digests, uint32_t ciphers, bool renewal, bool next_ca, struct buffer *out);

/* What a client reads there. */
struct scep_capability_set {
	bool aes, des3, sha1, sha256, sha384, sha512, post, renewal, next_ca, standard;
};
void scep_capabilities_parse(struct octets text, struct scep_capability_set *out);

#endif
