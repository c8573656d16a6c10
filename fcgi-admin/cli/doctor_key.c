/* doctor_key.c: checks of the CA's and the RA's certificates themselves: usage, keys, times, signature algorithms (RFC 8894 2.1.2). */
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/doctor.h"
#include "pki/public_key.h"

#define RSA_BITS_LEAST 2048 /* what clients of today still take */
#define RSA_BITS_MOST  4096 /* what old ones can */

#define BOTH_USAGES    (KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT)

static bool
listed(const struct doctor *d, struct doctor_finding *f)
{
	if (d->count > 0)
		return true;
	doctor_say(f, DOCTOR_SKIPPED, "there are no certificates");
	return false;
}

/*
 * The usages of one certificate that may both sign and be enveloped to, or of one that may sign beside one that may be enveloped to, as NDES has
 * them: among those that candidate() accepts.
 */
static bool
has_usages(
    const struct doctor *d, bool (*candidate)(const struct doctor *, const struct certificate *))
{
	int apart = 0;

	for (int i = 0; i < d->count; i++) {
		const struct certificate *c = &d->certificates[i];

		if (c->key_usage == -1 || !candidate(d, c))
			continue;
		if ((c->key_usage & BOTH_USAGES) == BOTH_USAGES)
			return true;
		apart |= c->key_usage & BOTH_USAGES;
	}
	return apart == BOTH_USAGES;
}

/* Who is there to talk to devices: RAs, where there are any, otherwise the CA. */
static bool
is_responder(const struct doctor *d, const struct certificate *c)
{
	return doctor_is_ra(d->recipient) ? doctor_is_ra(c) : c == d->recipient;
}

static bool
has_issuer(const struct doctor *d, const struct certificate *c)
{
	return doctor_issuer(d, c) != NULL;
}

static void
ra_key_usage(const struct doctor *d, struct doctor_finding *f)
{
	struct buffer usages = {0};
	const char *who;

	if (!listed(d, f))
		return;
	who = doctor_is_ra(d->recipient) ? "RA" : "CA";
	if (has_usages(d, is_responder)) {
		doctor_say(f, DOCTOR_OK, "the %s may sign and be enveloped to", who);
		return;
	}
	key_usage_to_text(d->recipient->key_usage, &usages);
	/* Where there is no RA only Windows is known to look at the CA's. */
	if (!doctor_is_ra(d->recipient))
		f->clients = DOCTOR_WINDOWS;
	if (d->recipient->key_usage == -1)
		doctor_say(f, DOCTOR_WARNING,
		    "the %s's certificate has no keyUsage, want digitalSignature and "
		    "keyEncipherment (RFC 8894 2.1.2); issue it anew",
		    who);
	else
		doctor_say(f, DOCTOR_FAILURE,
		    "the %s's keyUsage is %s, want digitalSignature and keyEncipherment (RFC 8894 "
		    "2.1.2); %s",
		    who, usages.len > 0 ? buffer_string(&usages) : "empty",
		    doctor_is_ra(d->recipient) ? "issue it anew" : "put an RA before the CA");
	buffer_free(&usages);
}

/* Apple takes a list to say that there is an RA, and looks for one that has an issuer there and both usages, or for two that share them. */
static void
apple_ra_candidates(const struct doctor *d, struct doctor_finding *f)
{
	if (!listed(d, f))
		return;
	if (!http_content_type_is(
		&d->answers[DOCTOR_ASK_CA_CERT].http, "application/x-x509-ca-ra-cert"))
		doctor_say(f, DOCTOR_SKIPPED, "no list to look for an RA in");
	else if (has_usages(d, has_issuer))
		doctor_say(f, DOCTOR_OK, "an RA is found in the list");
	else
		doctor_say(f, DOCTOR_FAILURE,
		    "no certificate in the list is both issued by another there and good for "
		    "digitalSignature and keyEncipherment: \"failed to find candidate RA "
		    "certificates\"; add an RA, or give the CA's certificate alone");
}

static void
ra_key_type(const struct doctor *d, struct doctor_finding *f)
{
	struct public_key key;
	struct errbuf why = {0};

	if (!listed(d, f))
		return;
	if (!public_key_parse(d->recipient->spki, &key, &why)) {
		doctor_say(
		    f, DOCTOR_FAILURE, "the key that messages are enveloped to: %s", why.line);
		return;
	}
	if (key.type == PKI_KEY_RSA)
		doctor_say(f, DOCTOR_OK, "%s", key.name);
	else
		doctor_say(f, DOCTOR_FAILURE,
		    "messages are to be enveloped to %s, which cannot decrypt: want RSA; put an "
		    "RA with an RSA key before the CA",
		    key.name);
	public_key_free(&key);
}

/* Bits of an RSA key; 0 for another, or one that cannot be read. */
static int
rsa_bits(const struct certificate *c)
{
	struct public_key key;
	int bits = 0;

	if (public_key_parse(c->spki, &key, NULL)) {
		bits = key.type == PKI_KEY_RSA ? key.bits : 0;
		public_key_free(&key);
	}
	return bits;
}

static void
ra_key_size(const struct doctor *d, struct doctor_finding *f)
{
	int bits;

	if (!listed(d, f))
		return;
	if ((bits = rsa_bits(d->recipient)) == 0)
		doctor_say(f, DOCTOR_SKIPPED, "the key is not RSA");
	else if (bits < RSA_BITS_LEAST)
		doctor_say(f, DOCTOR_FAILURE,
		    "RSA-%d, want at least %d: new clients refuse it, and it can be broken; make a "
		    "new key",
		    bits, RSA_BITS_LEAST);
	else if (bits > RSA_BITS_MOST)
		doctor_say(f, DOCTOR_WARNING,
		    "RSA-%d: many devices cannot use more than %d bits; make a smaller one", bits,
		    RSA_BITS_MOST);
	else
		doctor_say(f, DOCTOR_OK, "RSA-%d", bits);
}

static void
ca_key(const struct doctor *d, struct doctor_finding *f)
{
	struct public_key key;
	struct errbuf why = {0};

	if (d->issuer == NULL) {
		doctor_say(f, DOCTOR_SKIPPED, "the CA's certificate is not listed");
		return;
	}
	if (!public_key_parse(d->issuer->spki, &key, &why)) {
		doctor_say(f, DOCTOR_FAILURE, "the CA's key: %s", why.line);
		return;
	}
	if (key.type == PKI_KEY_RSA && key.bits < RSA_BITS_LEAST)
		doctor_say(f, DOCTOR_FAILURE,
		    "%s, want at least %d bits: new clients trust nothing below it; make a new CA",
		    key.name, RSA_BITS_LEAST);
	else if (key.type == PKI_KEY_RSA)
		doctor_say(f, DOCTOR_OK, "%s", key.name);
	else if (key.type == PKI_KEY_EC)
		doctor_say(
		    f, DOCTOR_OK, "%s, which devices that know RSA alone cannot verify", key.name);
	else
		doctor_say(f, DOCTOR_WARNING,
		    "%s: most clients cannot verify its signatures; make a CA with RSA or P-256",
		    key.name);
	public_key_free(&key);
}

static void
ca_key_usage(const struct doctor *d, struct doctor_finding *f)
{
	if (d->issuer == NULL)
		doctor_say(f, DOCTOR_SKIPPED, "the CA's certificate is not listed");
	else if (!d->issuer->ca)
		doctor_say(f, DOCTOR_FAILURE,
		    "the CA's certificate does not say CA:TRUE: nothing that it issued verifies; "
		    "make it anew");
	else if (d->issuer->key_usage != -1 &&
		 (d->issuer->key_usage & KEY_USAGE_KEY_CERT_SIGN) == 0)
		doctor_say(f, DOCTOR_FAILURE,
		    "the CA's keyUsage lacks keyCertSign: nothing that it issued verifies; make it "
		    "anew");
	else
		doctor_say(f, DOCTOR_OK, "the CA may sign certificates");
}

/* Of the RAs, or of the others: what ends first, and what has not begun. */
static void
say_of_times(const struct doctor *d, bool ra, struct doctor_finding *f)
{
	const struct certificate *first = NULL;
	char until[ENCODING_TIME_SIZE], since[ENCODING_TIME_SIZE];
	int64_t days;

	for (int i = 0; i < d->count; i++) {
		const struct certificate *c = &d->certificates[i];

		if (doctor_is_ra(c) != ra)
			continue;
		if (c->not_before > d->now) {
			encoding_time(c->not_before, since);
			doctor_say(f, DOCTOR_FAILURE,
			    "certificate %d of the list is not valid before %s; see to the clocks",
			    i + 1, since);
			return;
		}
		if (first == NULL || c->not_after < first->not_after)
			first = c;
	}
	if (first == NULL) {
		doctor_say(f, DOCTOR_SKIPPED, ra ? "the CA is its own RA" : "no CA is listed");
		return;
	}
	encoding_time(first->not_after, until);
	days = (first->not_after - d->now) / 86400;
	if (first->not_after < d->now)
		doctor_say(f, DOCTOR_FAILURE, "it has ended %s; %s", until,
		    ra ? "issue a new one" : "devices must get a new CA");
	else if (days < d->warn_days)
		doctor_say(f, DOCTOR_WARNING, "it ends %s, in %lld days; %s", until,
		    (long long)days, ra ? "issue its successor" : "plan the change to the next CA");
	else
		doctor_say(f, DOCTOR_OK, "until %s", until);
}

static void
ca_expiry(const struct doctor *d, struct doctor_finding *f)
{
	if (listed(d, f))
		say_of_times(d, false, f);
}

static void
ra_expiry(const struct doctor *d, struct doctor_finding *f)
{
	if (listed(d, f))
		say_of_times(d, true, f);
}

static void
signature_algorithms(const struct doctor *d, struct doctor_finding *f)
{
	if (!listed(d, f))
		return;
	doctor_say(f, DOCTOR_OK, "all are signed with SHA-2");
	for (int i = 0; i < d->count; i++) {
		const struct certificate *c = &d->certificates[i];

		/* Who trusts a root does not look at its signature. */
		if (certificate_is_self_issued(c))
			continue;
		if (c->digest == PKI_MD5) {
			doctor_say(f, DOCTOR_FAILURE,
			    "certificate %d of the list is signed with MD5: clients refuse it, and "
			    "anybody can make one like it; issue it anew",
			    i + 1);
			return;
		}
		if (c->digest == PKI_SHA1 || c->digest == PKI_DIGEST_NONE)
			doctor_say(f, DOCTOR_WARNING,
			    "certificate %d of the list is signed with %s; issue it anew with "
			    "SHA-256",
			    i + 1,
			    c->digest == PKI_SHA1 ? "SHA-1, which new clients refuse"
						  : "an algorithm that old clients do not know");
	}
}

const struct doctor_check doctor_key_checks[] = {
    {"ra-key-usage", DOCTOR_WINDOWS | DOCTOR_APPLE | DOCTOR_JSCEP, ra_key_usage},
    {"apple-ra-candidates", DOCTOR_APPLE, apple_ra_candidates},
    {"ra-key-type", DOCTOR_EVERYONE, ra_key_type},
    {"ra-key-size", DOCTOR_EVERYONE, ra_key_size},
    {"ra-expiry", DOCTOR_EVERYONE, ra_expiry},
    {"ca-key", DOCTOR_EVERYONE, ca_key},
    {"ca-key-usage", DOCTOR_EVERYONE, ca_key_usage},
    {"ca-expiry", DOCTOR_EVERYONE, ca_expiry},
    {"signature-algorithms", DOCTOR_APPLE | DOCTOR_WINDOWS | DOCTOR_STRONGSWAN,
	signature_algorithms},
    {0},
};
