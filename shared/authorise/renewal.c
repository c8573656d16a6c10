/* renewal.c: each condition of a renewal, the certificate's own first. */
#include "authorise/renewal.h"

#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "pki/fields.h"
#include "pki/identity.h"

#define SECONDS_PER_DAY 86400

static enum authorise_rc
deny(struct renewal *r, enum scep_fail_info fail_info, const char *text)
{
	r->fail_info = fail_info;
	errbuf_set(&r->text, "%s", text);
	errbuf_set(&r->why, "renewal: %s", text);
	return AUTHORISE_DENY;
}

/* This profile, one of its lineage, or one that it names. */
static bool
profile_fits(const struct scep_profile_row *p, const struct renewable *c)
{
	if (c->profile_id[0] == '\0')
		return false;
	if (strcmp(c->profile_id, p->id) == 0 || strcmp(c->profile_lineage, p->lineage) == 0)
		return true;
	for (int i = 0; i < p->renew_from_count; i++)
		if (strcmp(c->profile_id, p->renew_from[i]) == 0)
			return true;
	return false;
}

/* What a certificate must be, whatever is asked for with it. */
static enum authorise_rc
check_standing(const struct profile *p, const struct renewable *c, int64_t now, struct renewal *out)
{
	if (strcmp(c->authority_lineage, p->authorities[0].lineage) != 0)
		return deny(out, SCEP_BAD_CERT_ID, "the certificate is of another CA");
	if (now >= c->authority_not_after)
		return deny(out, SCEP_BAD_CERT_ID, "the CA of the certificate has expired");
	if (!profile_fits(&p->scep, c))
		return deny(
		    out, SCEP_BAD_CERT_ID, "the certificate was issued through another profile");
	if (c->revoked)
		return deny(out, SCEP_BAD_CERT_ID, "the certificate is revoked");
	if (now > c->not_after)
		return deny(out, SCEP_BAD_CERT_ID, "the certificate has expired");
	if (now < c->not_before)
		return deny(out, SCEP_BAD_CERT_ID, "the certificate is not valid yet");
	return AUTHORISE_ALLOW;
}

static enum authorise_rc
check_threshold(
    const struct scep_profile_row *p, const struct renewable *c, int64_t now, struct renewal *out)
{
	int64_t from = c->not_before + (c->not_after - c->not_before) / 2;
	char time[ENCODING_TIME_SIZE];
	struct errbuf text = {0};

	if (p->renewal_threshold_days > 0)
		from = c->not_after - p->renewal_threshold_days * SECONDS_PER_DAY;
	if (now >= from)
		return AUTHORISE_ALLOW;
	encoding_time(from, time);
	errbuf_set(&text, "too early to renew: from %s on", time);
	return deny(out, SCEP_BAD_REQUEST, text.line);
}

/* Windows takes the certificate for the account of its SID: a renewal may leave it out, but names no other. */
static bool
same_sid(const struct authorise_request *q, struct errbuf *why)
{
	if (!q->profile->rules.microsoft_sid || q->csr->microsoft_sid.data == NULL ||
	    octets_equal(q->csr->microsoft_sid, q->signer->microsoft_sid))
		return true;
	errbuf_set(why, "microsoftSid: the CSR has another than the certificate");
	return false;
}

static bool
same_identity(
    const struct authorise_request *q, struct octets subject, struct octets san, struct errbuf *why)
{
	const struct field_rules *rules = &q->profile->rules;

	return identity_same_subject(q->signer->subject, subject, rules, why) &&
	       identity_same_san(q->signer->san, san, rules, why);
}

/*
 * As it stands in the CSR, or as the profile's rules would make it: a device may ask for what it once asked for, and be given again
 * what it has.
 */
bool
renewal_same_identity(const struct authorise_request *q, struct errbuf *why)
{
	const struct field_rules *rules = &q->profile->rules;
	struct field_value manual[ENROLLMENT_ATTRIBUTES_MAX];
	struct buffer subject = {0}, san = {0};
	struct errbuf refused = {0}, text = {0};
	int count;
	bool same;

	if (!same_sid(q, why))
		return false;
	if (same_identity(q, q->csr->subject, q->csr->san, why))
		return true;
	count = fields_manual_of(
	    rules, q->signer->subject, q->signer->san, manual, ENROLLMENT_ATTRIBUTES_MAX);
	same = fields_apply(rules, q->csr, manual, count, &subject, &san, &refused, &text) ==
		   FIELD_OK &&
	       same_identity(q, buffer_octets(&subject), buffer_octets(&san), &refused);
	buffer_free(&subject);
	buffer_free(&san);
	return same;
}

/*
 * Values are for the audit alone: whoever has a certificate of ours may wrap another's envelope anew, and is not to read by the answer what is in
 * it.
 */
static enum authorise_rc
check_identity(const struct authorise_request *q, struct renewal *out)
{
	static const char values[] = ": the certificate has ";
	struct errbuf why = {0}, text = {0};
	const char *at;

	if (renewal_same_identity(q, &why))
		return AUTHORISE_ALLOW;
	if ((at = strstr(why.line, values)) != NULL)
		errbuf_set(&text, "%.*s: the CSR has another than the certificate",
		    (int)(at - why.line), why.line);
	else
		text = why;
	(void)deny(out, SCEP_BAD_REQUEST, text.line);
	errbuf_set(&out->why, "renewal: %s", why.line);
	return AUTHORISE_DENY;
}

static enum authorise_rc
check_successors(const struct scep_profile_row *p, const struct renewable *c, struct renewal *out)
{
	struct errbuf text = {0};

	if (p->max_successors == 0 || c->successors < p->max_successors)
		return AUTHORISE_ALLOW;
	errbuf_set(
	    &text, "the certificate was renewed %lld times already", (long long)c->successors);
	return deny(out, SCEP_BAD_REQUEST, text.line);
}

enum authorise_rc
renewal_check(struct store *st, const struct authorise_request *q, struct renewal *out)
{
	const struct profile *p = q->profile;
	int64_t now = q->now_ms / 1000;
	struct renewable c;
	enum authorise_rc rc;

	memset(out, 0, sizeof(*out));
	if (q->signer_self_signed)
		return deny(out, SCEP_BAD_CERT_ID,
		    "signed by a self-signed certificate: it renews nothing");
	switch (store_renewable(st, q->signer->serial, q->signer->der, &c, &out->why)) {
	case STORE_OK:
		break;
	case STORE_NONE:
		return deny(out, SCEP_BAD_CERT_ID, "the certificate that signs is not known here");
	default:
		return AUTHORISE_AWAY;
	}
	out->predecessor_id = c.id;
	if ((rc = check_standing(p, &c, now, out)) != AUTHORISE_ALLOW ||
	    (rc = check_threshold(&p->scep, &c, now, out)) != AUTHORISE_ALLOW ||
	    (rc = check_identity(q, out)) != AUTHORISE_ALLOW ||
	    (rc = check_successors(&p->scep, &c, out)) != AUTHORISE_ALLOW)
		return rc;
	if (!p->scep.same_key_renewal && octets_equal(q->signer->spki, q->csr->spki))
		return deny(out, SCEP_BAD_REQUEST, "renewal needs a new key here");
	out->predecessor = c;
	return AUTHORISE_ALLOW;
}

void
authorise_inherit(const struct renewable *predecessor, struct authorisation *out)
{
	out->predecessor_id = predecessor->id;
	if (out->seat_row != 0 || out->account_row != 0)
		return;
	out->seat_row = predecessor->seat_row;
	out->account_row = predecessor->account_row;
	snprintf(out->seat_id, sizeof(out->seat_id), "%s", predecessor->seat_id);
	snprintf(out->organization, sizeof(out->organization), "%s", predecessor->organization);
	snprintf(out->department, sizeof(out->department), "%s", predecessor->department);
}
