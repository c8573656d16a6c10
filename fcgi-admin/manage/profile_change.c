/* profile_change.c: checking and applying what is set on a profile. */
#include "fcgi-admin/manage/profile_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "pki/algorithm.h"
#include "pki/certificate.h"

#define DAY_S 86400

void
profile_check_number(
    const char *name, int64_t value, int64_t least, int64_t most, struct manage_report *r)
{
	if (value != MANAGE_KEEP && (value < least || value > most))
		manage_invalid(r, name, "want %" PRId64 " to %" PRId64, least, most);
}

static void
check_numbers(
    const struct manage_profile_change *c, const struct manage_profile *p, struct manage_report *r)
{
	int64_t least = c->min_rsa_bits != MANAGE_KEEP ? c->min_rsa_bits : p->ra.min_rsa_bits;
	int64_t most = c->max_rsa_bits != MANAGE_KEEP ? c->max_rsa_bits : p->ra.max_rsa_bits;

	profile_check_number("challengeTtl", c->challenge_expiry_s, 60, 30 * DAY_S, r);
	profile_check_number("maxPending", c->max_pending, 1, 1000000, r);
	profile_check_number("validityDays", c->validity_days, 1, 36500, r);
	profile_check_number("minRsaBits", c->min_rsa_bits, 1024, 8192, r);
	profile_check_number("maxRsaBits", c->max_rsa_bits, 1024, 8192, r);
	profile_check_number("replayHours", c->replay_hours, 0, 720, r);
	profile_check_number("transactionTtl", c->transaction_expiry_s, 3600, 90 * DAY_S, r);
	profile_check_number("maxTransactions", c->max_transactions, 1, 1000000, r);
	profile_check_number("renewalThresholdDays", c->renewal_threshold_days, 0, 36500, r);
	profile_check_number("maxSuccessors", c->max_successors, 0, 1000000, r);
	if (least > most)
		manage_invalid(r, "maxRsaBits", "is below minRsaBits (%" PRId64 ")", least);
	if (c->min_rsa_bits != MANAGE_KEEP && c->min_rsa_bits < 2048)
		manage_warn(r, "RSA keys below 2048 bits are no longer safe");
}

static void
check_algorithms(const struct manage_profile_change *c, struct manage_report *r)
{
	char names[128];
	uint32_t digests = c->digests & PKI_DIGESTS_LEGACY;
	uint32_t ciphers = c->ciphers & PKI_CIPHERS_LEGACY;

	if (digests != 0) {
		manage_digests_text(digests, names);
		if (!c->allow_legacy)
			manage_invalid(
			    r, "digests", "%s is broken: it needs allow-legacy too", names);
		else
			manage_warn(
			    r, "%s is broken: only for devices that know nothing else", names);
	}
	if (ciphers != 0) {
		manage_ciphers_text(ciphers, names);
		if (!c->allow_legacy)
			manage_invalid(
			    r, "ciphers", "%s is broken: it needs allow-legacy too", names);
		else
			manage_warn(
			    r, "%s is broken: only for devices that know nothing else", names);
	}
	if (c->digests != 0 && (c->digests & PKI_SHA256) == 0)
		manage_warn(r, "without SHA-256 the profile is not what RFC 8894 section 2.9 "
			       "demands");
	if (c->ciphers != 0 && (c->ciphers & PKI_AES128) == 0)
		manage_warn(r, "without AES-128-CBC the profile is not what RFC 8894 section 2.9 "
			       "demands");
}

/* Whoever has a certificate of a CA with this usage answers OCSP requests in the CA's name (RFC 6960 4.2.2.2). */
static bool
has_ocsp_signing(const struct buffer *eku)
{
	static const uint8_t oid[] = {0x06, 8, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09};

	return eku->len > 0 && memmem(eku->data, eku->len, oid, sizeof(oid)) != NULL;
}

static void
check_usage(const struct manage_profile_change *c, struct manage_report *r)
{
	struct errbuf why = {0};
	struct buffer eku = {0};
	int bits;

	if (c->key_usage != NULL) {
		if (strlen(c->key_usage) >= sizeof(((struct ra_profile_row *)0)->key_usage))
			manage_invalid(r, "keyUsage", "is too long");
		else if (!key_usage_of_text(c->key_usage, &bits, &why))
			manage_invalid(r, "keyUsage", "%s", why.line);
		else if ((bits & (KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN)) != 0)
			manage_invalid(r, "keyUsage", "keyCertSign and cRLSign are for CAs alone");
	}
	if (c->eku != NULL) {
		if (strlen(c->eku) >= sizeof(((struct ra_profile_row *)0)->eku))
			manage_invalid(r, "eku", "is too long");
		else if (!eku_of_text(c->eku, &eku, &why))
			manage_invalid(r, "eku", "%s", why.line);
		else if (has_ocsp_signing(&eku))
			manage_invalid(
			    r, "eku", "OCSPSigning is for the CA's own responders alone");
	}
	buffer_free(&eku);
}

static void
check_renewal(
    const struct manage_profile_change *c, const struct manage_profile *p, struct manage_report *r)
{
	char curves[PROFILE_CURVES];

	if (c->approval != NULL && strcmp(c->approval, "auto") != 0 &&
	    strcmp(c->approval, "manual") != 0)
		manage_invalid(r, "approval", "want auto or manual, have \"%s\"", c->approval);
	if (c->curves != NULL && !profile_curves_of_text(c->curves, curves))
		manage_invalid(
		    r, "curves", "want some of P-256,P-384,P-521, or none, have \"%s\"", c->curves);
	if (c->renewal_threshold_days > 0 &&
	    c->renewal_threshold_days >=
		(c->validity_days > 0 ? c->validity_days : p->ra.validity_days))
		manage_warn(r, "renewalThresholdDays is not below validityDays: a certificate may "
			       "be renewed as soon as it is issued");
}

/* Against a copy: only that each name is one of a profile. */
static enum manage_rc
check_renew_from(struct manage *m, const struct manage_profile_change *c,
    const struct manage_profile *p, struct manage_report *r)
{
	struct manage_profile *copy;
	enum manage_rc rc;

	if (c->renew_from == NULL)
		return MANAGE_OK;
	if ((copy = malloc(sizeof(*copy))) == NULL)
		return manage_fail(r, MANAGE_FAULT, "out of memory");
	*copy = *p;
	rc = profile_renew_from_set(m, c->renew_from, copy, r);
	free(copy);
	return rc == MANAGE_INVALID ? MANAGE_OK : rc;
}

enum manage_rc
profile_change_check(struct manage *m, const struct manage_profile_change *c,
    const struct manage_profile *p, struct manage_report *r)
{
	enum manage_rc rc;

	if (c->description != NULL && (strlen(c->description) >= sizeof(p->scep.description) ||
					  !encoding_is_utf8(octets_of_string(c->description))))
		manage_invalid(r, "description", "want UTF-8 of at most %zu octets",
		    sizeof(p->scep.description) - 1);
	if (c->cert_rep != NULL && strcmp(c->cert_rep, "leaf") != 0 &&
	    strcmp(c->cert_rep, "issuer") != 0 && strcmp(c->cert_rep, "chain") != 0)
		manage_invalid(
		    r, "certRep", "want leaf, issuer or chain, have \"%s\"", c->cert_rep);
	if ((rc = profile_mode_check(m, c, p, r)) != MANAGE_OK)
		return rc;
	check_numbers(c, p, r);
	check_algorithms(c, r);
	check_usage(c, r);
	check_renewal(c, p, r);
	if ((rc = profile_fields_check(m, c, p, r)) != MANAGE_OK)
		return rc;
	if ((rc = check_renew_from(m, c, p, r)) != MANAGE_OK)
		return rc;
	return manage_validity(r);
}

/* --- applying --- */

void
profile_apply_text(
    const char *name, const char *value, char *target, size_t size, struct buffer *changes)
{
	if (value == NULL || strcmp(value, target) == 0)
		return;
	manage_changed(changes, name, target, value);
	snprintf(target, size, "%s", value);
}

void
profile_apply_number(const char *name, int64_t value, int64_t *target, struct buffer *changes)
{
	if (value == MANAGE_KEEP || value == *target)
		return;
	manage_changed_number(changes, name, *target, value);
	*target = value;
}

void
profile_apply_flag(const char *name, int value, bool *target, struct buffer *changes)
{
	if (value == MANAGE_KEEP || (value != 0) == *target)
		return;
	manage_changed(changes, name, *target ? "yes" : "no", value != 0 ? "yes" : "no");
	*target = value != 0;
}

static void
apply_mask(const char *name, uint32_t value, uint32_t *target,
    void (*to_text)(uint32_t mask, char out[128]), struct buffer *changes)
{
	char before[128], after[128];

	if (value == 0 || value == *target)
		return;
	to_text(*target, before);
	to_text(value, after);
	manage_changed(changes, name, before, after);
	*target = value;
}

static void
apply_cert_rep(const char *value, struct scep_profile_row *p, struct buffer *changes)
{
	const char *before = p->include_ca_chain	 ? "chain"
			     : p->include_ca_certificate ? "issuer"
							 : "leaf";

	if (value == NULL || strcmp(value, before) == 0)
		return;
	manage_changed(changes, "certRep", before, value);
	p->include_ca_chain = strcmp(value, "chain") == 0;
	p->include_ca_certificate = strcmp(value, "leaf") != 0;
}

static enum manage_rc
apply_renew_from(struct manage *m, const struct manage_profile_change *c, struct manage_profile *p,
    struct buffer *changes, struct manage_report *r)
{
	char before[PROFILE_RENEW_FROM_TEXT], after[PROFILE_RENEW_FROM_TEXT];
	enum manage_rc rc;

	if (c->renew_from == NULL)
		return MANAGE_OK;
	profile_renew_from_text(p, before);
	if ((rc = profile_renew_from_set(m, c->renew_from, p, r)) != MANAGE_OK)
		return rc == MANAGE_INVALID ? manage_validity(r) : rc;
	profile_renew_from_text(p, after);
	if (strcmp(before, after) != 0)
		manage_changed(changes, "renewFrom", before, after);
	return MANAGE_OK;
}

static void
apply_renewal(const struct manage_profile_change *c, struct manage_profile *p, struct buffer *scep,
    struct buffer *ra)
{
	struct scep_profile_row *s = &p->scep;
	char curves[PROFILE_CURVES];

	profile_apply_text("approval", c->approval, s->approval, sizeof(s->approval), scep);
	profile_apply_number(
	    "transactionTtl", c->transaction_expiry_s, &s->transaction_expiry_s, scep);
	profile_apply_number("maxTransactions", c->max_transactions, &s->max_transactions, scep);
	profile_apply_flag(
	    "certificateRenewal", c->certificate_renewal, &s->certificate_renewal, scep);
	profile_apply_flag("sameKeyRenewal", c->same_key_renewal, &s->same_key_renewal, scep);
	profile_apply_number(
	    "renewalThresholdDays", c->renewal_threshold_days, &s->renewal_threshold_days, scep);
	profile_apply_number("maxSuccessors", c->max_successors, &s->max_successors, scep);
	if (c->curves != NULL && profile_curves_of_text(c->curves, curves))
		profile_apply_text("curves", curves, p->ra.curves, sizeof(p->ra.curves), ra);
}

enum manage_rc
profile_change_apply(struct manage *m, const struct manage_profile_change *c,
    struct manage_profile *p, struct buffer *scep, struct buffer *ra, struct manage_report *r)
{
	struct scep_profile_row *s = &p->scep;
	struct ra_profile_row *a = &p->ra;
	enum manage_rc rc;

	profile_apply_text(
	    "description", c->description, s->description, sizeof(s->description), scep);
	profile_apply_number("challengeTtl", c->challenge_expiry_s, &s->challenge_expiry_s, scep);
	profile_apply_number("maxPending", c->max_pending, &s->max_pending, scep);
	profile_apply_number("replayHours", c->replay_hours, &s->replay_hours, scep);
	apply_mask("digests", c->digests, &s->digests, manage_digests_text, scep);
	apply_mask("ciphers", c->ciphers, &s->ciphers, manage_ciphers_text, scep);
	profile_apply_flag("requireSignerKey", c->require_signer_key, &s->require_signer_key, scep);
	profile_apply_flag(
	    "chainInGetCaCert", c->chain_in_get_ca_cert, &s->include_ca_in_get_ca_cert, scep);
	apply_cert_rep(c->cert_rep, s, scep);
	profile_apply_number("validityDays", c->validity_days, &a->validity_days, ra);
	profile_apply_number("minRsaBits", c->min_rsa_bits, &a->min_rsa_bits, ra);
	profile_apply_number("maxRsaBits", c->max_rsa_bits, &a->max_rsa_bits, ra);
	profile_apply_text("keyUsage", c->key_usage, a->key_usage, sizeof(a->key_usage), ra);
	profile_apply_text("eku", c->eku, a->eku, sizeof(a->eku), ra);
	profile_apply_flag("refuseExtra", c->refuse_extra, &a->refuse_extra, ra);
	profile_apply_flag("refuseExtensions", c->refuse_extensions, &a->refuse_extensions, ra);
	profile_fields_apply(c, p, scep, ra);
	apply_renewal(c, p, scep, ra);
	if ((rc = apply_renew_from(m, c, p, scep, r)) != MANAGE_OK)
		return rc;
	return profile_mode_apply(m, c, p, scep, r);
}
