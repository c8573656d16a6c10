/* doctor_list.c: checks of what GetCACert and GetNextCACert list, and in which order (RFC 8894 4.2, 4.7). */
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/cli/doctor.h"

#define TYPE_ONE  "application/x-x509-ca-cert"
#define TYPE_LIST "application/x-x509-ca-ra-cert"
#define TYPE_NEXT "application/x-x509-next-ca-cert"

/* There are certificates; otherwise SKIPPED is said, since cacert-answer tells the fault. */
static bool
listed(const struct doctor *d, struct doctor_finding *f)
{
	if (d->count > 0)
		return true;
	doctor_say(f, DOCTOR_SKIPPED, "there are no certificates");
	return false;
}

static void
cacert_answer(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_answer *a = &d->answers[DOCTOR_ASK_CA_CERT];
	char words[DOCTOR_WORDS];

	if (!doctor_answered(d, DOCTOR_ASK_CA_CERT, f))
		return;
	if (a->http.status != 200)
		doctor_say(f, DOCTOR_FAILURE,
		    "GetCACert gets %s, want 200; see to the URL's path, or the CA's name in it",
		    doctor_words(a, words));
	else if (d->count == 0)
		doctor_say(f, DOCTOR_FAILURE, "%s", d->certificates_why.line);
	else
		doctor_say(f, DOCTOR_OK, "GetCACert gives %d certificate%s", d->count,
		    d->count > 1 ? "s" : "");
}

/* A single certificate is bare DER, not a SignedData that holds one. */
static bool
is_bare(const struct doctor *d)
{
	return d->count == 1 && octets_equal(buffer_octets(&d->der[0]),
				    buffer_octets(&d->answers[DOCTOR_ASK_CA_CERT].http.body));
}

static void
cacert_content_type(const struct doctor *d, struct doctor_finding *f)
{
	const struct http_response *r = &d->answers[DOCTOR_ASK_CA_CERT].http;
	const char *want = is_bare(d) ? TYPE_ONE : TYPE_LIST;

	if (!listed(d, f))
		return;
	if (!http_content_type_is(r, want))
		doctor_say(f, DOCTOR_FAILURE, "it is %s, want %s for %s (RFC 8894 4.2.1)",
		    r->content_type[0] != '\0' ? r->content_type : "of no type", want,
		    is_bare(d) ? "one certificate" : "a list");
	else if (strcmp(r->content_type, want) != 0)
		doctor_say(f, DOCTOR_WARNING,
		    "it is \"%s\": clients compare the whole of it; leave out what is not %s",
		    r->content_type, want);
	else
		doctor_say(f, DOCTOR_OK, "%s", want);
}

/* GetCACert with a message gives what it gives without: compared by the first certificate. */
static void
same_list(
    const struct doctor *d, enum doctor_question q, const char *message, struct doctor_finding *f)
{
	const struct doctor_answer *a = &d->answers[q];
	struct buffer der[DOCTOR_CERTIFICATES] = {0};
	struct errbuf why = {0};
	char words[DOCTOR_WORDS];
	int count = 0;

	if (!listed(d, f) || !doctor_answered(d, q, f))
		return;
	if (a->http.status == 200)
		count = scep_client_ca_certificates(
		    buffer_octets(&a->http.body), der, DOCTOR_CERTIFICATES, &why);
	if (a->http.status != 200)
		doctor_say(f, DOCTOR_FAILURE,
		    "GetCACert with message=%s gets %s; ignore message, or know this one", message,
		    doctor_words(a, words));
	else if (count < 1)
		doctor_say(f, DOCTOR_FAILURE, "with message=%s: %s", message, why.line);
	else if (!octets_equal(buffer_octets(&der[0]), buffer_octets(&d->der[0])))
		doctor_say(f, DOCTOR_WARNING,
		    "GetCACert with message=%s gives another certificate than without", message);
	else
		doctor_say(f, DOCTOR_OK, "message=%s makes no difference", message);
	for (int i = 0; i < DOCTOR_CERTIFICATES; i++)
		buffer_free(&der[i]);
}

static void
message_default(const struct doctor *d, struct doctor_finding *f)
{
	same_list(d, DOCTOR_ASK_CA_CERT_DEFAULT, "default", f);
}

static void
message_identifier(const struct doctor *d, struct doctor_finding *f)
{
	same_list(d, DOCTOR_ASK_CA_CERT_IDENTIFIER, "CAIdentifier", f);
}

static int
count_ra(const struct doctor *d)
{
	int count = 0;

	for (int i = 0; i < d->count; i++)
		count += doctor_is_ra(&d->certificates[i]) ? 1 : 0;
	return count;
}

static void
order_ra_first(const struct doctor *d, struct doctor_finding *f)
{
	int ras = count_ra(d), own = 0;

	if (!listed(d, f))
		return;
	for (int i = 0; i < ras; i++)
		own += doctor_is_ra(&d->certificates[i]) ? 1 : 0;
	if (own < ras) {
		doctor_say(f, DOCTOR_WARNING,
		    "a CA's certificate stands before the RA's: clients that take the first "
		    "envelope to the wrong key; put the RA first, then its CA up to the root");
		return;
	}
	for (int i = ras; i + 1 < d->count; i++)
		if (!octets_equal(d->certificates[i].issuer, d->certificates[i + 1].subject)) {
			doctor_say(f, DOCTOR_WARNING,
			    "certificate %d of the list is not issued by the next: put the "
			    "issuing CA first, and the root last",
			    i + 1);
			return;
		}
	if (ras > 0 && ras < d->count &&
	    !octets_equal(d->certificates[ras - 1].issuer, d->certificates[ras].subject))
		doctor_say(f, DOCTOR_WARNING, "the CA behind the RA is not the one that issued it");
	else
		doctor_say(f, DOCTOR_OK, "%s",
		    ras > 0 ? "the RA first, then its CA" : "the CA is its own RA");
}

static void
chain_complete(const struct doctor *d, struct doctor_finding *f)
{
	const struct certificate *at = d->recipient, *next;

	if (!listed(d, f))
		return;
	if (doctor_is_ra(at) && d->issuer == NULL) {
		doctor_say(f, DOCTOR_FAILURE,
		    "the RA's certificate comes without its CA's: clients cannot tell whose it is, "
		    "nor check what they are issued; add the chain");
		return;
	}
	for (int depth = 0; depth < d->count && (next = doctor_issuer(d, at)) != NULL; depth++)
		at = next;
	if (!certificate_is_self_issued(at))
		doctor_say(f, DOCTOR_WARNING,
		    "the chain ends below its root: devices must have the root already; add it");
	else
		doctor_say(f, DOCTOR_OK, "the chain goes up to its root");
}

static void
chain_signatures(const struct doctor *d, struct doctor_finding *f)
{
	struct errbuf why = {0};
	int verified = 0;

	if (!listed(d, f))
		return;
	for (int i = 0; i < d->count; i++) {
		const struct certificate *c = &d->certificates[i];
		const struct certificate *by =
		    certificate_is_self_issued(c) ? c : doctor_issuer(d, c);

		if (by == NULL || c->digest == PKI_DIGEST_NONE)
			continue;
		if (!certificate_verify(c, by, &why)) {
			doctor_say(f, DOCTOR_FAILURE,
			    "certificate %d of the list is not signed by the key of certificate "
			    "%d, "
			    "which has its issuer's name: %s; list the CA that signed it",
			    i + 1, (int)(by - d->certificates) + 1, why.line);
			return;
		}
		verified++;
	}
	if (verified > 0)
		doctor_say(f, DOCTOR_OK, "%d signature%s of the list hold%s", verified,
		    verified > 1 ? "s" : "", verified > 1 ? "" : "s");
	else
		doctor_say(f, DOCTOR_SKIPPED,
		    "no issuer is listed, or algorithms that are not known here");
}

/* c is in the chain of the recipient, or an RA of the same CA. */
static bool
belongs(const struct doctor *d, const struct certificate *c)
{
	const struct certificate *at = d->recipient;

	for (int depth = 0; depth <= d->count && at != NULL; depth++) {
		if (at == c)
			return true;
		at = doctor_issuer(d, at);
	}
	return doctor_is_ra(c) && d->issuer != NULL && doctor_issuer(d, c) == d->issuer;
}

static void
chain_extra(const struct doctor *d, struct doctor_finding *f)
{
	if (!listed(d, f))
		return;
	for (int i = 0; i < d->count; i++) {
		for (int j = 0; j < i; j++)
			if (octets_equal(buffer_octets(&d->der[i]), buffer_octets(&d->der[j]))) {
				doctor_say(f, DOCTOR_WARNING,
				    "certificate %d of the list is there twice", j + 1);
				return;
			}
		if (!belongs(d, &d->certificates[i])) {
			doctor_say(f, DOCTOR_WARNING,
			    "certificate %d of the list is not in the RA's chain: clients want one "
			    "chain, and may take the wrong CA; leave it out",
			    i + 1);
			return;
		}
	}
	doctor_say(f, DOCTOR_OK, "one chain, each certificate once");
}

/* What signed a GetNextCACert answer is the CA of now (RFC 8894 4.7.1). */
static bool
next_is_signed(const struct doctor *d, struct octets body, struct errbuf *why)
{
	struct buffer der[DOCTOR_CERTIFICATES] = {0};
	int count =
	    scep_client_next_ca_certificates(body, d->issuer, der, DOCTOR_CERTIFICATES, why);

	for (int i = 0; i < DOCTOR_CERTIFICATES; i++)
		buffer_free(&der[i]);
	return count > 0;
}

static void
next_ca(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_answer *a = &d->answers[DOCTOR_ASK_NEXT_CA];
	bool offered = d->capabilities.next_ca;
	struct errbuf why = {0};
	char words[DOCTOR_WORDS];

	if (!doctor_answered(d, DOCTOR_ASK_NEXT_CA, f))
		return;
	if (a->http.status != 200 && !offered)
		doctor_say(
		    f, DOCTOR_OK, "GetNextCACert is not offered, and gets %d", a->http.status);
	else if (a->http.status != 200)
		doctor_say(f, DOCTOR_WARNING,
		    "GetNextCACert is offered and gets %s: clients ask again and again; offer it "
		    "while there is a next CA",
		    doctor_words(a, words));
	else if (!http_content_type_is(&a->http, TYPE_NEXT))
		doctor_say(f, DOCTOR_WARNING, "GetNextCACert gets %s, want %s (RFC 8894 4.7.1)",
		    a->http.content_type[0] != '\0' ? a->http.content_type : "no type", TYPE_NEXT);
	else if (d->issuer == NULL)
		doctor_say(
		    f, DOCTOR_SKIPPED, "the CA of now, which has to vouch for it, is not listed");
	else if (!next_is_signed(d, buffer_octets(&a->http.body), &why))
		doctor_say(f, DOCTOR_FAILURE,
		    "%s: clients must not take it, and lose the CA when it changes (RFC 8894 "
		    "4.7.1)",
		    why.line);
	else if (!offered)
		doctor_say(f, DOCTOR_WARNING,
		    "there is a next CA, but GetCACaps does not offer GetNextCACert: nobody asks");
	else
		doctor_say(f, DOCTOR_OK, "the next CA's certificates are signed by the CA of now");
}

const struct doctor_check doctor_list_checks[] = {
    {"cacert-answer", DOCTOR_EVERYONE, cacert_answer},
    {"cacert-content-type", DOCTOR_APPLE | DOCTOR_JSCEP | DOCTOR_CERTMONGER | DOCTOR_SSCEP,
	cacert_content_type},
    {"get-ca-cert-message-default", DOCTOR_WINDOWS, message_default},
    {"get-ca-cert-message-identifier", DOCTOR_SSCEP | DOCTOR_CISCO_IOS, message_identifier},
    {"order-ra-first", DOCTOR_JSCEP, order_ra_first},
    {"chain-complete", DOCTOR_EVERYONE, chain_complete},
    {"chain-signatures", DOCTOR_EVERYONE, chain_signatures},
    {"chain-extra", DOCTOR_APPLE, chain_extra},
    {"next-ca", DOCTOR_MIKROTIK | DOCTOR_CISCO_IOS, next_ca},
    {0},
};
