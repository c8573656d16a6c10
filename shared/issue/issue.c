/* issue.c: the way from a CSR to a committed certificate. */
#include "issue/issue.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "base/fault.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/weak_key.h"

#define SECONDS_PER_DAY	 86400
#define SECONDS_PER_HOUR 3600

/* What one certificate needs between the rules and the commit. */
struct draft {
	struct buffer subject; /* Name, DER */
	struct buffer san;     /* GeneralNames, DER */
	struct buffer san_text;
	uint8_t serial[16];
	int64_t not_before;
	int64_t not_after;
};

static void
draft_free(struct draft *d)
{
	buffer_free(&d->subject);
	buffer_free(&d->san);
	buffer_free(&d->san_text);
}

/* "EC P-256" against "P-256,P-384". */
static bool
curve_is_accepted(const struct profile *p, const struct public_key *key)
{
	static const char prefix[] = "EC ";
	const char *name, *at = p->ra.curves;
	size_t len;

	if (key->type != PKI_KEY_EC || strncmp(key->name, prefix, sizeof(prefix) - 1) != 0)
		return false;
	name = key->name + sizeof(prefix) - 1;
	len = strlen(name);
	while ((at = strstr(at, name)) != NULL) {
		if ((at == p->ra.curves || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
			return true;
		at += len;
	}
	return false;
}

bool
issue_check_key(const struct profile *p, const struct public_key *key,
    enum scep_fail_info *fail_info, struct errbuf *why, struct errbuf *text)
{
	char type[PUBLIC_KEY_TEXT];

	if (key->type != PKI_KEY_RSA && !curve_is_accepted(p, key)) {
		*fail_info = SCEP_BAD_ALG;
		errbuf_set(text, "key type %s is not accepted here, want RSA%s%s",
		    public_key_text(key, type), p->ra.curves[0] != '\0' ? " or EC on " : "",
		    p->ra.curves);
	} else if (key->type == PKI_KEY_EC) {
		return true;
	} else if (key->bits < p->ra.min_rsa_bits) {
		*fail_info = SCEP_BAD_REQUEST;
		errbuf_set(text, "key too small: have %s, want at least %lld bits", key->name,
		    (long long)p->ra.min_rsa_bits);
	} else if (key->bits > p->ra.max_rsa_bits) {
		*fail_info = SCEP_BAD_REQUEST;
		errbuf_set(text, "key too large: have %s, want at most %lld bits", key->name,
		    (long long)p->ra.max_rsa_bits);
	} else {
		return true;
	}
	errbuf_set(why, "%s", text->line);
	return false;
}

/* A key that others can work out proves nothing about who has it. */
static bool
key_is_sound(const struct csr *csr, struct issue_result *result, struct errbuf *why)
{
	const char *weakness = weak_key_reason(csr->spki);

	if (weakness == NULL)
		return true;
	result->fail_info = SCEP_BAD_REQUEST;
	errbuf_set(&result->text, "key is weak: %s", weakness);
	errbuf_set(why, "%s, %s", result->text.line, csr->key.name);
	return false;
}

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

static enum issue_rc
commit(struct store *st, const struct issue_order *o, struct draft *d, struct issue_result *result,
    struct errbuf *why)
{
	const struct profile *p = o->profile;
	struct audit_event event = o->event;
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
	    .challenge_use = o->challenge_use,
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

/* Key policy and field rules; what the certificate will say goes into d. */
static enum issue_rc
apply_rules(const struct profile *p, const struct csr *csr, struct draft *d,
    struct issue_result *result, struct errbuf *why)
{
	if (!issue_check_key(p, &csr->key, &result->fail_info, why, &result->text) ||
	    !key_is_sound(csr, result, why))
		return ISSUE_REFUSED;
	switch (fields_apply(&p->rules, csr, &d->subject, &d->san, why, &result->text)) {
	case FIELD_OK:
		return ISSUE_DONE;
	case FIELD_REFUSED:
		result->fail_info = SCEP_BAD_REQUEST;
		return ISSUE_REFUSED;
	default:
		return ISSUE_AWAY;
	}
}

enum issue_rc
issue_check(const struct issue_order *o, struct issue_result *result, struct errbuf *why)
{
	struct draft d = {0};
	enum issue_rc rc;

	memset(result, 0, sizeof(*result));
	rc = apply_rules(o->profile, o->csr, &d, result, why);
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
	if ((rc = apply_rules(o->profile, o->csr, &d, result, why)) != ISSUE_DONE)
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
			why) != STORE_OK)
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
    struct buffer *certificate, struct errbuf *why)
{
	return store_repeat(
	    st, repeat_key, now - p->scep.replay_hours * SECONDS_PER_HOUR, now, certificate, why);
}
