#include "scep/next_ca.h"

#include "scep/oid.h"
#include "scep/reply.h"
#include "scep/signed_data.h"

/* What the signer signs by, going by its AlgorithmIdentifier. */
static enum pki_digest
digest_of(const struct signer *s)
{
	static const enum pki_digest digests[] = {PKI_SHA256, PKI_SHA384, PKI_SHA512};

	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (octets_equal(signer_algorithm(s),
			pki_signature_algorithm(signer_key_type(s), digests[i])))
			return digests[i];
	return PKI_DIGEST_NONE;
}

/* RFC 5652 11.3 */
static void
add_signing_time(struct scep_signed_data *s, int64_t now)
{
	uint8_t room[24];
	struct octets time;
	struct der d;

	der_start(&d, room, sizeof(room));
	der_time(&d, now);
	time = der_octets(&d);
	if (time.len > 2)
		scep_signed_data_add(
		    s, scep_oid_signing_time, time.data[0], octets_of(time.data + 2, time.len - 2));
	else
		s->d.failed = true;
}

static bool
encode_signed(struct octets content, const struct certificate *ca, struct signer *s, int64_t now,
    struct buffer *out, struct errbuf *why)
{
	struct buffer signature = {0};
	struct scep_signed_data sd;
	struct octets message;
	bool held = false;

	if (!scep_signed_data_start(&sd, ca, digest_of(s), content)) {
		errbuf_ossl(why, "GetNextCACert: cannot make a digest");
		return false;
	}
	add_signing_time(&sd, now);
	message = scep_signed_data_message(&sd);
	if (message.len == 0)
		errbuf_set(why, "GetNextCACert: cannot encode");
	else if (!signer_sign(s, message, &signature, why))
		errbuf_prefix(why, "GetNextCACert");
	else if (!(held = scep_signed_data_finish(
		       &sd, signer_key_type(s), buffer_octets(&signature), out)))
		errbuf_set(why, "GetNextCACert: out of memory");
	buffer_free(&signature);
	return held;
}

bool
scep_next_ca_encode(const struct octets *certificates, int count, const struct certificate *ca,
    struct signer *s, int64_t now, struct buffer *out, struct errbuf *why)
{
	struct buffer content = {0};
	bool held = false;

	if (count < 1)
		errbuf_set(why, "GetNextCACert: no certificates");
	else if (!octets_equal(ca->spki, signer_spki(s)))
		errbuf_set(why, "GetNextCACert: the key is not that of the CA's certificate");
	else if (!scep_degenerate_encode(certificates, count, octets_of(NULL, 0), &content))
		errbuf_set(why, "GetNextCACert: out of memory");
	else
		held = encode_signed(buffer_octets(&content), ca, s, now, out, why);
	buffer_free(&content);
	return held;
}
