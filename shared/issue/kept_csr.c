#include "issue/kept_csr.h"

#include <string.h>

#include "pki/csr.h"

#define CONTEXT_SIZE 36

/* Not that of the password, which is sealed under the transaction's key too. */
static struct octets
context_of(const uint8_t transaction_key[32], uint8_t room[CONTEXT_SIZE])
{
	memcpy(room, "csr:", 4);
	memcpy(room + 4, transaction_key, 32);
	return octets_of(room, CONTEXT_SIZE);
}

bool
kept_csr_seal(const struct master_key *k, const uint8_t transaction_key[32], struct octets csr,
    struct buffer *out, struct errbuf *why)
{
	uint8_t room[CONTEXT_SIZE];

	return master_key_seal(k, context_of(transaction_key, room), csr, out, why);
}

static bool
is_csr(struct octets der)
{
	struct csr csr;

	if (!csr_parse(der.data, der.len, &csr, NULL))
		return false;
	csr_free(&csr);
	return true;
}

bool
kept_csr_open(const struct master_key *k, const uint8_t transaction_key[32], struct octets kept,
    struct buffer *out, struct errbuf *why)
{
	uint8_t room[CONTEXT_SIZE];

	if (is_csr(kept)) {
		buffer_append(out, kept.data, kept.len);
		if (out->failed)
			errbuf_set(why, "CSR: out of memory");
		return !out->failed;
	}
	return master_key_unseal(k, context_of(transaction_key, room), kept, out, why);
}
