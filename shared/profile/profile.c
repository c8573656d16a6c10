/* profile.c: making a snapshot of a profile from its rows. */
#include "profile/profile.h"

#include <stdlib.h>
#include <string.h>

#include "profile/internal.h"
#include "scep/capabilities.h"

static bool
parse_chain(struct profile *p, const struct authority_row *a, struct errbuf *why)
{
	struct octets rest = buffer_octets(&a->chain);

	if (!certificate_parse(buffer_octets(&a->certificate), &p->chain[0], why)) {
		errbuf_prefix(why, "CA %s: ", a->name);
		return false;
	}
	p->chain_count = 1;
	while (rest.len > 0) {
		size_t len = profile_der_length(rest);

		if (len == 0 || p->chain_count == PROFILE_CHAIN_MAX) {
			errbuf_set(why, "CA %s: its chain is damaged or longer than %d", a->name,
			    PROFILE_CHAIN_MAX);
			return false;
		}
		if (!certificate_parse(octets_of(rest.data, len), &p->chain[p->chain_count], why))
			return false;
		p->chain_count++;
		rest.data += len;
		rest.len -= len;
	}
	return true;
}

/* How long the definite-length DER object at the start of o is; 0 when it is not one. */
size_t
profile_der_length(struct octets o)
{
	size_t len, header = 2;

	if (o.len < 2)
		return 0;
	len = o.data[1];
	if (len >= 0x80) {
		size_t n = len & 0x7f;

		if (n == 0 || n > 3 || o.len < 2 + n)
			return 0;
		len = 0;
		for (size_t i = 0; i < n; i++)
			len = len << 8 | o.data[2 + i];
		header += n;
	}
	return len <= o.len - header ? header + len : 0;
}

static bool
make_rules(struct profile *p, struct errbuf *why)
{
	if (!key_usage_of_text(p->ra.key_usage, &p->key_usage, why) ||
	    !eku_of_text(p->ra.eku, &p->eku, why))
		return false;
	for (int i = 0; i < p->ra.field_count; i++) {
		const struct field_row *row = &p->ra.fields[i];
		struct field_rule *rule = &p->field_rules[i];

		memcpy(rule->type, row->type, sizeof(rule->type));
		memcpy(rule->value, row->value, sizeof(rule->value));
		rule->source = strcmp(row->source, "fixed") == 0 ? FIELD_FIXED : FIELD_SCEP_REQUEST;
		rule->required = row->required;
		rule->multiple = row->multiple;
	}
	p->rules = (struct field_rules){
	    .rules = p->field_rules,
	    .count = p->ra.field_count,
	    .refuse_extra = p->ra.refuse_extra,
	    .refuse_extensions = p->ra.refuse_extensions,
	    .key_usage = p->key_usage,
	    .eku = buffer_octets(&p->eku),
	};
	return true;
}

/* GetCACaps and GetCACert are the same for every caller: made once a snapshot. */
static bool
make_answers(struct profile *p, struct errbuf *why)
{
	struct octets all[PROFILE_CHAIN_MAX + 1];
	struct octets no_crl = {0};
	int count = 0;

	scep_capabilities(p->scep.digests, p->scep.ciphers, false, false, &p->capabilities);
	if (p->scep.include_ca_in_get_ca_cert) {
		all[count++] = p->ra_certificate.der;
		for (int i = 0; i < p->chain_count; i++)
			all[count++] = p->chain[i].der;
		p->ca_certificates_type = "application/x-x509-ca-ra-cert";
		if (!scep_degenerate_encode(all, count, no_crl, &p->ca_certificates))
			p->ca_certificates.failed = true;
	} else {
		p->ca_certificates_type = "application/x-x509-ca-cert";
		buffer_append(
		    &p->ca_certificates, p->ra_certificate.der.data, p->ra_certificate.der.len);
	}
	if (p->capabilities.failed || p->ca_certificates.failed) {
		errbuf_set(
		    why, "profile %s: GetCACaps or GetCACert cannot be encoded", p->scep.name);
		return false;
	}
	return true;
}

static enum store_rc
read_rows(struct profile *p, struct store *st, const char *name, char key_files[2][256],
    struct errbuf *why)
{
	struct authority_row authority = {0};
	struct ra_certificate_row ra = {0};
	enum store_rc rc;

	if ((rc = store_scep_profile_get(st, name, &p->scep, why)) != STORE_OK)
		return rc;
	rc = store_ra_profile_get(st, p->scep.ra_profile_id, &p->ra, why);
	if (rc == STORE_OK)
		rc = store_authority_get(st, p->ra.authority_id, &authority, why);
	if (rc == STORE_OK)
		rc = store_ra_certificate_get(st, p->scep.ra_certificate_id, &ra, why);
	if (rc == STORE_OK) {
		memcpy(p->authority_id, authority.id, sizeof(p->authority_id));
		memcpy(p->crl_url, authority.crl_url, sizeof(p->crl_url));
		memcpy(key_files[0], ra.key_file, sizeof(ra.key_file));
		memcpy(key_files[1], authority.key_file, sizeof(authority.key_file));
		if (!parse_chain(p, &authority, why) ||
		    !certificate_parse(buffer_octets(&ra.certificate), &p->ra_certificate, why))
			rc = STORE_AWAY;
	} else if (rc == STORE_NONE) {
		errbuf_set(
		    why, "profile %s: its RA profile, CA or RA certificate is missing", name);
		rc = STORE_AWAY;
	}
	authority_row_free(&authority);
	ra_certificate_row_free(&ra);
	return rc;
}

enum store_rc
profile_load(struct store *st, const char *name, struct profile **out, char key_files[2][256],
    struct errbuf *why)
{
	struct profile *p = calloc(1, sizeof(*p));
	enum store_rc rc;

	*out = NULL;
	if (p == NULL) {
		errbuf_set(why, "profile: out of memory");
		return STORE_AWAY;
	}
	rc = read_rows(p, st, name, key_files, why);
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
	certificate_free(&p->ra_certificate);
	for (int i = 0; i < p->chain_count; i++)
		certificate_free(&p->chain[i]);
	buffer_free(&p->eku);
	buffer_free(&p->capabilities);
	buffer_free(&p->ca_certificates);
	X509_free(p->ra_x509);
	octets_wipe(&p->scep, sizeof(p->scep));
	free(p);
}

struct scep_recipient
profile_recipient(const struct profile *p)
{
	return (struct scep_recipient){
	    .certificate = &p->ra_certificate, .x509 = p->ra_x509, .key = p->ra_key};
}

struct scep_responder
profile_responder(const struct profile *p)
{
	return (struct scep_responder){.certificate = &p->ra_certificate, .key = p->ra_key};
}
