/* issue.c: the way from a CSR to a committed certificate. */
#include "issue/issue.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "base/fault.h"
#include "issue/draft.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/public_key.h"

#define SECONDS_PER_DAY	 86400
#define SECONDS_PER_HOUR 3600

/* Serial and times: 128 random bits; no certificate outlives its CA. */
static bool
draft_serial_and_times(
    struct draft *d, const struct issue_order *o, struct issue_result *result, struct errbuf *why)
{
	const struct certificate *ca = &o->authority->chain[0];

	if (RAND_bytes(d->serial, sizeof(d->serial)) != 1) {
		errbuf_ossl(why, "serial number");
		return false;
	}
	encoding_hex(octets_of(d->serial, sizeof(d->serial)), result->serial);
	d->not_before = o->now - ISSUE_BACKDATE_S;
	if (d->not_before < ca->not_before)
		d->not_before = ca->not_before;
	d->not_after = o->profile->ra.not_after;
	if (d->not_after == 0)
		d->not_after = o->now + o->profile->ra.validity_days * SECONDS_PER_DAY;
	if (d->not_after > ca->not_after)
		d->not_after = ca->not_after;
	if (o->now < ca->not_before || o->now >= ca->not_after) {
		errbuf_set(why, "CA %s: its certificate is not valid now", o->authority->name);
		return false;
	}
	return true;
}

static bool
sign(const struct issue_order *o, const struct draft *d, struct buffer *out, struct errbuf *why)
{
	const struct profile *p = o->profile;
	const struct profile_authority *ca = o->authority;
	struct certificate_fields f = {
	    .issuer = ca->chain[0].subject,
	    .not_before = d->not_before,
	    .not_after = d->not_after,
	    .subject = buffer_octets(&d->subject),
	    .spki = o->csr->spki,
	    .issuer_ski = ca->chain[0].ski,
	    .path_length = -1,
	    .key_usage = p->key_usage,
	    .eku = buffer_octets(&p->eku),
	    .san = buffer_octets(&d->san),
	    .crl_url = ca->crl_url,
	    .ocsp_url = ca->ocsp_url,
	    .extra = buffer_octets(&d->extra),
	};

	memcpy(f.serial, d->serial, sizeof(f.serial));
	return certificate_issue(&f, ca->signer, out, why);
}

static const char *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* Authorised, but not to be had: the client is told why. */
static enum issue_rc
refuse(struct issue_result *result, const char *text, struct errbuf *why)
{
	result->fail_info = SCEP_BAD_REQUEST;
	errbuf_set(&result->text, "%s", text);
	errbuf_set(why, "%s", text);
	return ISSUE_REFUSED;
}

/* What kept the certificate out of the store. */
static enum issue_rc
conflict(enum enrolment_conflict what, struct issue_result *result, struct errbuf *why)
{
	switch (what) {
	case ENROLMENT_REPEAT:
		return ISSUE_REPEAT;
	case ENROLMENT_CHALLENGE:
		return ISSUE_CHALLENGE_USED;
	case ENROLMENT_ENROLLMENT:
		errbuf_set(why, "enrolment code: redeemed, expired, locked or deleted meanwhile");
		return ISSUE_UNAUTHORISED;
	case ENROLMENT_ACCOUNT:
		errbuf_set(why, "account: disabled, expired or deleted meanwhile");
		return ISSUE_UNAUTHORISED;
	case ENROLMENT_LICENSE:
		result->ours = true;
		return refuse(result, "every licence of the organization is in use", why);
	case ENROLMENT_DUPLICATE:
		return refuse(result, "there is a valid certificate for this already", why);
	case ENROLMENT_KEY:
		return refuse(result, "the key is certified for another subject", why);
	case ENROLMENT_PROFILE:
	case ENROLMENT_PREDECESSOR:
	case ENROLMENT_TRANSACTION:
		return ISSUE_CHANGED;
	default:
		return ISSUE_AWAY;
	}
}

bool
issue_holder(const char *lineage, int64_t seat_row, struct octets subject, uint8_t out[32])
{
	struct buffer text = {0};
	bool ok;

	buffer_append_string(&text, lineage);
	if (seat_row != 0) {
		buffer_append_format(&text, " seat:%lld", (long long)seat_row);
	} else {
		buffer_append_string(&text, " subject:");
		buffer_append(&text, subject.data, subject.len);
	}
	ok = !text.failed && EVP_Digest(text.data, text.len, out, NULL, EVP_sha256(), NULL) == 1;
	buffer_free(&text);
	return ok;
}

/* What the profile's switches want of other certificates; no switch, no cost. */
static bool
ask_duplicates(const struct issue_order *o, const struct draft *d, struct enrolment *e,
    uint8_t holder[32], uint8_t key_digest[32])
{
	const struct scep_profile_row *p = &o->profile->scep;

	if (p->unique_keys) {
		if (!public_key_digest(o->csr->spki, key_digest))
			return false;
		e->key_digest = octets_of(key_digest, 32);
	}
	if (strcmp(p->duplicates, "refuse") == 0)
		e->duplicates = ENROLMENT_DUPLICATES_REFUSE;
	else if (strcmp(p->duplicates, "replace") == 0)
		e->duplicates = ENROLMENT_DUPLICATES_REPLACE;
	else
		return true;
	e->replaced_at = o->now + p->duplicate_grace_s;
	e->holder = octets_of(holder, 32);
	return issue_holder(p->lineage, o->seat_row, buffer_octets(&d->subject), holder);
}

static enum issue_rc
commit(struct store *st, const struct issue_order *o, struct draft *d, struct issue_result *result,
    struct errbuf *why)
{
	const struct profile *p = o->profile;
	struct audit_event event = o->event;
	uint8_t holder[32], key_digest[32];
	enum enrolment_conflict what = ENROLMENT_NO_CONFLICT;
	struct enrolment e = {
	    .serial = octets_of(d->serial, sizeof(d->serial)),
	    .authority_id = o->authority->id,
	    .scep_profile_id = p->scep.id,
	    .ra_profile_id = p->ra.id,
	    .challenge_version = o->challenge_version,
	    .certificate = buffer_octets(&result->certificate),
	    .subject = buffer_string(&result->subject),
	    .san = d->san.len > 0 ? buffer_string(&d->san_text) : NULL,
	    .not_before = d->not_before,
	    .not_after = d->not_after,
	    .purpose = "device",
	    .repeat_key = o->repeat_key,
	    .repeat_since = o->now - p->scep.replay_hours * SECONDS_PER_HOUR,
	    .challenge_id = o->challenge_id,
	    .predecessor_id = o->predecessor_id,
	    .max_successors = p->scep.max_successors,
	    .transaction_key = o->transaction_key,
	    .now = o->now,
	    .seat_row = o->seat_row,
	    .enrollment_row = o->enrollment_row,
	    .account_row = o->account_row,
	    .organization = text_or_null(o->organization),
	    .department = text_or_null(o->department),
	    .event = &event,
	};

	event.outcome = "success";
	event.stage = "issued";
	event.serial = result->serial;
	event.subject = e.subject;
	event.reason = o->note;
	event.organization = e.organization;
	event.department = e.department;
	if (o->delivery != NULL) {
		e.delivery = o->delivery;
		e.csr = o->csr->der;
		e.transaction_id = event.transaction_id;
	}
	if (!ask_duplicates(o, d, &e, holder, key_digest)) {
		errbuf_ossl(why, "SHA-256 of holder or key");
		return ISSUE_AWAY;
	}
	switch (store_commit_enrolment(st, &e, &what, why)) {
	case STORE_OK:
		return ISSUE_DONE;
	case STORE_CONFLICT:
		break;
	default:
		return ISSUE_AWAY;
	}
	return conflict(what, result, why);
}

enum issue_rc
issue_check(const struct issue_order *o, struct issue_result *result, struct errbuf *why)
{
	struct draft d = {0};
	enum issue_rc rc;

	memset(result, 0, sizeof(*result));
	rc = draft_rules(NULL, o, &d, result, why);
	draft_free(&d);
	return rc;
}

enum issue_rc
issue_certificate(
    struct store *st, const struct issue_order *o, struct issue_result *result, struct errbuf *why)
{
	struct draft d = {0};
	enum issue_rc rc;

	memset(result, 0, sizeof(*result));
	if ((rc = draft_rules(st, o, &d, result, why)) != ISSUE_DONE)
		goto done;
	rc = ISSUE_AWAY;
	if (!name_to_text(buffer_octets(&d.subject), &result->subject) ||
	    (d.san.len > 0 && !san_to_text(buffer_octets(&d.san), &d.san_text))) {
		errbuf_set(why, "subject or SAN cannot be written as text");
		goto done;
	}
	if (!draft_serial_and_times(&d, o, result, why) || !sign(o, &d, &result->certificate, why))
		goto done;
	if (fault_here("issued")) {
		errbuf_set(why, "a fault of the test build");
		goto done;
	}
	rc = commit(st, o, &d, result, why);
	if (rc == ISSUE_REPEAT) {
		buffer_free(&result->certificate);
		if (issue_repeat(st, o->profile, o->repeat_key, o->now, &result->certificate,
			&result->undelivered, why) != STORE_OK)
			rc = ISSUE_AWAY;
	}
done:
	draft_free(&d);
	return rc;
}

void
issue_result_free(struct issue_result *r)
{
	buffer_free(&r->certificate);
	buffer_free(&r->subject);
}

enum store_rc
issue_repeat(struct store *st, const struct profile *p, struct octets repeat_key, int64_t now,
    struct buffer *certificate, bool *undelivered, struct errbuf *why)
{
	return store_repeat(st, repeat_key, now - p->scep.replay_hours * SECONDS_PER_HOUR, now,
	    certificate, undelivered, why);
}
