/* profile.c: making a snapshot of a profile from its rows. */
#include "profile/profile.h"

#include <stdlib.h>
#include <string.h>

#include "profile/internal.h"
#include "scep/capabilities.h"
#include "scep/next_ca.h"
#include "store/account_row.h"

static enum field_source
source_of(const char *text)
{
	if (strcmp(text, "fixed") == 0)
		return FIELD_FIXED;
	return strcmp(text, "manual") == 0 ? FIELD_MANUAL : FIELD_SCEP_REQUEST;
}

static bool
make_rule(struct profile *p, int i, struct errbuf *why)
{
	const struct field_row *row = &p->ra.fields[i];
	struct field_rule *rule = &p->field_rules[i];

	*rule = (struct field_rule){.source = source_of(row->source),
	    .required = row->required,
	    .multiple = row->multiple,
	    .min_length = row->min_length,
	    .max_length = row->max_length};
	memcpy(rule->type, row->type, sizeof(rule->type));
	memcpy(rule->value, row->value, sizeof(rule->value));
	if (row->pattern[0] != '\0' && !pattern_compile(row->pattern, &p->patterns[i], why)) {
		errbuf_prefix(why, "pattern of %s", row->type);
		return false;
	}
	rule->pattern = p->patterns[i];
	return true;
}

static bool
make_rules(struct profile *p, struct errbuf *why)
{
	if (!key_usage_of_text(p->ra.key_usage, &p->key_usage, why) ||
	    !eku_of_text(p->ra.eku, &p->eku, why))
		return false;
	for (int i = 0; i < p->ra.field_count; i++)
		if (!make_rule(p, i, why))
			return false;
	p->rules = (struct field_rules){
	    .rules = p->field_rules,
	    .count = p->ra.field_count,
	    .refuse_extra = p->ra.refuse_extra,
	    .refuse_extensions = p->ra.refuse_extensions,
	    .key_usage = p->key_usage,
	    .eku = buffer_octets(&p->eku),
	    .microsoft_sid = p->ra.microsoft_sid,
	    .microsoft_template = p->ra.microsoft_template,
	};
	return true;
}

/* Append an RA certificate and the CAs above it, as a CertRep's reader and a GetCACert's client want them: RA first. */
static bool
encode_with_chain(
    const struct profile_ra *ra, const struct profile_authority *a, struct buffer *out)
{
	struct octets all[PROFILE_CHAIN_MAX + 1];
	struct octets no_crl = {0};
	int count = 0;

	all[count++] = ra->certificate.der;
	for (int i = 0; i < a->chain_count; i++)
		if (!octets_equal(a->chain[i].der, ra->certificate.der))
			all[count++] = a->chain[i].der;
	return scep_degenerate_encode(all, count, no_crl, out);
}

/* GetCACaps and GetCACert are the same for every caller: made once a snapshot. */
static bool
make_answers(struct profile *p, struct errbuf *why)
{
	const struct profile_ra *ra = &p->ras[0];

	scep_capabilities(
	    p->scep.digests, p->scep.ciphers, true, profile_has_next(p), &p->capabilities);
	if (p->scep.include_ca_in_get_ca_cert) {
		p->ca_certificates_type = "application/x-x509-ca-ra-cert";
		if (!encode_with_chain(ra, ra->authority, &p->ca_certificates))
			p->ca_certificates.failed = true;
	} else {
		p->ca_certificates_type = "application/x-x509-ca-cert";
		buffer_append(
		    &p->ca_certificates, ra->certificate.der.data, ra->certificate.der.len);
	}
	if (p->capabilities.failed || p->ca_certificates.failed) {
		errbuf_set(
		    why, "profile %s: GetCACaps or GetCACert cannot be encoded", p->scep.name);
		return false;
	}
	return true;
}

static bool
add_anchor(void *ctx, const struct anchor_row *row)
{
	struct profile *p = ctx;

	if (p->anchor_count == PROFILE_ANCHORS_MAX)
		return false;
	if (certificate_parse(buffer_octets(&row->certificate), &p->anchors[p->anchor_count], NULL))
		p->anchor_count++;
	return true;
}

static enum store_rc
read_rows(struct profile *p, struct store *st, const char *name, int64_t now, struct errbuf *why)
{
	enum store_rc rc;

	if ((rc = store_scep_profile_get(st, name, &p->scep, why)) != STORE_OK)
		return rc;
	rc = store_ra_profile_get(st, p->scep.ra_profile_id, &p->ra, why);
	if (rc == STORE_OK)
		rc = profile_read_authorities(p, st, now, why);
	if (rc == STORE_OK)
		rc = store_anchor_each(st, p->scep.id, add_anchor, p, why);
	if (rc == STORE_OK)
		rc = store_account_count(st, p->scep.id, &p->account_count, why);
	if (rc == STORE_NONE) {
		errbuf_set(
		    why, "profile %s: its RA profile, CA or RA certificate is missing", name);
		rc = STORE_AWAY;
	}
	return rc;
}

enum store_rc
profile_load(
    struct store *st, const char *name, int64_t now, struct profile **out, struct errbuf *why)
{
	struct profile *p = calloc(1, sizeof(*p));
	enum store_rc rc;

	*out = NULL;
	if (p == NULL) {
		errbuf_set(why, "profile: out of memory");
		return STORE_AWAY;
	}
	rc = read_rows(p, st, name, now, why);
	if (rc == STORE_OK && (!make_rules(p, why) || !make_answers(p, why)))
		rc = STORE_AWAY;
	if (rc != STORE_OK) {
		profile_free(p);
		return rc;
	}
	*out = p;
	return STORE_OK;
}

void
profile_free(struct profile *p)
{
	if (p == NULL)
		return;
	profile_free_authorities(p);
	for (int i = 0; i < p->anchor_count; i++)
		certificate_free(&p->anchors[i]);
	profile_free_webhooks(p);
	for (int i = 0; i < p->ra.field_count; i++)
		pattern_free(p->patterns[i]);
	buffer_free(&p->eku);
	buffer_free(&p->capabilities);
	buffer_free(&p->ca_certificates);
	buffer_free(&p->next_ca);
	octets_wipe(&p->scep, sizeof(p->scep));
	free(p);
}

const struct profile_ra *
profile_ra_for(const struct profile *p, const struct scep_request *m, int64_t now)
{
	for (int i = 0; i < p->ra_count; i++) {
		const struct profile_ra *ra = &p->ras[i];
		struct scep_recipient recipient = profile_recipient(ra);

		if (ra->key == NULL || (ra->role == PROFILE_RA_PREVIOUS && now >= ra->until))
			continue;
		if (scep_request_is_for(m, &recipient))
			return ra;
	}
	return NULL;
}

struct scep_recipient
profile_recipient(const struct profile_ra *ra)
{
	return (struct scep_recipient){
	    .certificate = &ra->certificate, .x509 = ra->x509, .key = ra->key};
}

struct scep_responder
profile_responder(const struct profile_ra *ra)
{
	return (struct scep_responder){.certificate = &ra->certificate, .key = ra->key};
}

static const struct profile_ra *
next_ra(const struct profile *p)
{
	for (int i = 0; i < p->ra_count; i++)
		if (p->ras[i].role == PROFILE_RA_NEXT)
			return &p->ras[i];
	return NULL;
}

bool
profile_has_next(const struct profile *p)
{
	return next_ra(p) != NULL;
}

bool
profile_next_ca(struct profile *p, int64_t now, struct octets *out, struct errbuf *why)
{
	const struct profile_ra *ra = next_ra(p);
	const struct profile_authority *current = &p->authorities[0];
	struct octets all[PROFILE_CHAIN_MAX + 1];
	int count = 0;

	if (p->next_ca.len == 0) {
		all[count++] = ra->certificate.der;
		for (int i = 0; i < ra->authority->chain_count; i++)
			all[count++] = ra->authority->chain[i].der;
		if (!scep_next_ca_encode(
			all, count, &current->chain[0], current->signer, now, &p->next_ca, why)) {
			buffer_free(&p->next_ca);
			return false;
		}
	}
	*out = buffer_octets(&p->next_ca);
	return true;
}
