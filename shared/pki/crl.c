#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/der.h"
#include "pki/crl.h"
#include "pki/public_key.h"

#define ENTRY_ROOM    64   /* serial 2 + 21, time 2 + 15, reason 14, header 2 */
#define ROOM_FIXED    1024 /* of the TBSCertList: all but issuer, key identifier and entries */

#define OCTETS(array) octets_of(array, sizeof(array))

/* id-ce: 2.5.29.n */
static const uint8_t id_crl_number[] = {0x55, 0x1d, 20}, id_aki[] = {0x55, 0x1d, 35};

/* By their numbers. */
static const char *const reasons[] = {"unspecified", "keyCompromise", "cACompromise",
    "affiliationChanged", "superseded", "cessationOfOperation", "certificateHold", NULL,
    "removeFromCRL", "privilegeWithdrawn", "aACompromise"};

struct crl_builder {
	struct buffer entries; /* revokedCertificates without its header */
	int64_t count;
	bool failed;
	struct errbuf why; /* of the first fault */
};

int
crl_reason_of_text(const char *text)
{
	for (int i = 0; i <= CRL_REASON_LAST; i++)
		if (reasons[i] != NULL && i != CRL_REMOVE_FROM_CRL &&
		    strcasecmp(reasons[i], text) == 0)
			return i;
	return -1;
}

bool
crl_reason_can_be_set(int reason)
{
	return reason > 0 && reason <= CRL_REASON_LAST && reasons[reason] != NULL &&
	       reason != CRL_REMOVE_FROM_CRL;
}

const char *
crl_reason_text(int reason)
{
	if (reason < 0 || reason > CRL_REASON_LAST || reasons[reason] == NULL)
		return "?";
	return reasons[reason];
}

struct crl_builder *
crl_start(struct errbuf *why)
{
	struct crl_builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		errbuf_set(why, "CRL: out of memory");
	return b;
}

/* NULL, or what keeps it from being an entry. */
static const char *
misfit(struct octets serial, int reason)
{
	size_t zeros = 0;

	if (serial.len == 0)
		return "no serial";
	while (zeros < serial.len && serial.data[zeros] == 0)
		zeros++;
	if (serial.len - zeros > CRL_SERIAL_MAX)
		return "a serial of more than 20 octets";
	if (reason > 0 && !crl_reason_can_be_set(reason))
		return "a reason that cannot be set";
	return NULL;
}

/* RFC 5280 5.1: SEQUENCE { userCertificate, revocationDate, crlEntryExtensions OPTIONAL }. */
static void
write_entry(struct der *d, struct octets serial, int64_t revoked_at, int reason)
{
	/* SEQUENCE of one Extension: reasonCode 2.5.29.21, an ENUMERATED; not critical. */
	uint8_t extension[] = {
	    0x30, 12, 0x30, 10, 0x06, 3, 0x55, 0x1d, 21, 0x04, 3, 0x0a, 1, (uint8_t)reason};

	if (reason > 0)
		der_raw(d, OCTETS(extension));
	der_time(d, revoked_at);
	der_unsigned(d, serial);
	der_wrap(d, DER_SEQUENCE, 0);
}

void
crl_add(struct crl_builder *b, struct octets serial, int64_t revoked_at, int reason)
{
	const char *wrong = misfit(serial, reason);
	uint8_t room[ENTRY_ROOM];
	struct der d;

	if (b->failed)
		return;
	b->count++;
	if (wrong == NULL) {
		der_start(&d, room, sizeof(room));
		write_entry(&d, serial, revoked_at, reason);
		buffer_append(&b->entries, der_octets(&d).data, der_octets(&d).len);
		if (d.failed)
			wrong = "a time that is out of range";
		else if (b->entries.failed)
			wrong = "out of memory";
	}
	if (wrong != NULL) {
		errbuf_set(&b->why, "CRL: entry %lld: %s", (long long)b->count, wrong);
		b->failed = true;
	}
}

int64_t
crl_count(const struct crl_builder *b)
{
	return b->count;
}

/* Close what was written since mark as the extnValue of an extension that is not critical. */
static void
wrap_extension(struct der *d, size_t mark, struct octets oid)
{
	der_wrap(d, DER_OCTET_STRING, mark);
	der_oid(d, oid);
	der_wrap(d, DER_SEQUENCE, mark);
}

static void
write_extensions(struct der *d, struct octets key_identifier, int64_t number)
{
	uint8_t magnitude[8];
	size_t mark = der_mark(d), inner;

	for (int i = 0; i < 8; i++)
		magnitude[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
	der_unsigned(d, OCTETS(magnitude));
	wrap_extension(d, mark, OCTETS(id_crl_number));
	inner = der_mark(d);
	der_element(d, DER_CONTEXT_PRIM(0), key_identifier);
	der_wrap(d, DER_SEQUENCE, inner);
	wrap_extension(d, inner, OCTETS(id_aki));
	der_wrap(d, DER_SEQUENCE, mark);
	der_wrap(d, DER_CONTEXT(0), mark);
}

/* The writer goes backwards. */
static void
write_tbs(struct der *d, const struct crl_builder *b, struct octets issuer,
    struct octets key_identifier, struct octets algorithm, int64_t number, int64_t this_update,
    int64_t next_update)
{
	size_t mark;

	write_extensions(d, key_identifier, number);
	mark = der_mark(d);
	der_raw(d, buffer_octets(&b->entries));
	if (b->count > 0) /* 5.1.2.6: no empty list */
		der_wrap(d, DER_SEQUENCE, mark);
	der_time(d, next_update);
	der_time(d, this_update);
	der_raw(d, issuer);
	der_raw(d, algorithm);
	der_integer(d, 1); /* v2 */
	der_wrap(d, DER_SEQUENCE, 0);
}

/* Whether ca may sign a CRL by s. */
static bool
check_ca(const struct certificate *ca, const struct signer *s, struct errbuf *why)
{
	if (!octets_equal(ca->spki, signer_spki(s))) {
		errbuf_set(why, "CRL: the CA's certificate has another key than its signer");
		return false;
	}
	if (ca->key_usage != -1 && (ca->key_usage & KEY_USAGE_CRL_SIGN) == 0) {
		errbuf_set(why, "CRL: the CA's certificate has no cRLSign (RFC 5280 4.2.1.3)");
		return false;
	}
	return true;
}

bool
crl_sign(struct crl_builder *b, const struct certificate *ca, struct signer *s, int64_t number,
    int64_t this_update, int64_t next_update, struct buffer *out, struct errbuf *why)
{
	size_t size = ROOM_FIXED + ca->subject.len + ca->ski.len + b->entries.len;
	uint8_t computed[20], *room;
	struct octets ski = ca->ski;
	struct der d;
	bool ok;

	if (b->failed) {
		errbuf_set(why, "%s", b->why.line);
		return false;
	}
	if (!check_ca(ca, s, why))
		return false;
	if (ski.len == 0 && public_key_identifier(ca->spki, computed))
		ski = OCTETS(computed);
	if (number < 0 || this_update < 0 || next_update <= this_update || ski.len == 0) {
		errbuf_set(why, "CRL: number %lld, from %lld to %lld: does not fit",
		    (long long)number, (long long)this_update, (long long)next_update);
		return false;
	}
	if ((room = malloc(size)) == NULL) {
		errbuf_set(why, "CRL: out of memory");
		return false;
	}
	der_start(&d, room, size);
	write_tbs(&d, b, ca->subject, ski, signer_algorithm(s), number, this_update, next_update);
	if ((ok = !d.failed))
		ok = signer_sign_tbs(s, der_octets(&d), octets_of(NULL, 0), out, why);
	else
		errbuf_set(why, "CRL: does not fit %zu octets, or a time is out of range", size);
	free(room);
	return ok;
}

void
crl_free(struct crl_builder *b)
{
	if (b == NULL)
		return;
	buffer_free(&b->entries);
	free(b);
}
