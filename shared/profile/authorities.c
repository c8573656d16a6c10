/* authorities.c: the CAs and RA certificates of a profile, from their rows. */
#include <string.h>

#include "profile/internal.h"

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
parse_chain(struct profile_authority *a, const struct authority_row *row, struct errbuf *why)
{
	struct octets rest = buffer_octets(&row->chain);

	if (!certificate_parse(buffer_octets(&row->certificate), &a->chain[0], why)) {
		errbuf_prefix(why, "CA %s: ", row->name);
		return false;
	}
	a->chain_count = 1;
	while (rest.len > 0) {
		size_t len = profile_der_length(rest);

		if (len == 0 || a->chain_count == PROFILE_CHAIN_MAX) {
			errbuf_set(why, "CA %s: its chain is damaged or longer than %d", row->name,
			    PROFILE_CHAIN_MAX);
			return false;
		}
		if (!certificate_parse(octets_of(rest.data, len), &a->chain[a->chain_count], why))
			return false;
		a->chain_count++;
		rest.data += len;
		rest.len -= len;
	}
	return true;
}

bool
profile_authority_read(
    struct profile_authority *a, const struct authority_row *row, struct errbuf *why)
{
	memset(a, 0, sizeof(*a));
	memcpy(a->id, row->id, sizeof(a->id));
	memcpy(a->name, row->name, sizeof(a->name));
	memcpy(a->lineage, row->lineage, sizeof(a->lineage));
	memcpy(a->state, row->state, sizeof(a->state));
	memcpy(a->crl_url, row->crl_url, sizeof(a->crl_url));
	memcpy(a->ocsp_url, row->ocsp_url, sizeof(a->ocsp_url));
	memcpy(a->key_file, row->key_file, sizeof(a->key_file));
	if (parse_chain(a, row, why))
		return true;
	profile_authority_free(a);
	return false;
}

void
profile_authority_free(struct profile_authority *a)
{
	for (int i = 0; i < a->chain_count; i++)
		certificate_free(&a->chain[i]);
	a->chain_count = 0;
}

/* The authority of that id among those of the profile; NULL: it is none of them. */
static const struct profile_authority *
find_authority(const struct profile *p, const char *id)
{
	for (int i = 0; i < p->authority_count; i++)
		if (strcmp(p->authorities[i].id, id) == 0)
			return &p->authorities[i];
	return NULL;
}

/* What comes under a previous RA certificate is issued by the CA that issues now. */
static bool
add_ra(struct profile *p, const struct ra_certificate_row *row, enum profile_ra_role role,
    struct errbuf *why)
{
	struct profile_ra *ra = &p->ras[p->ra_count];

	memset(ra, 0, sizeof(*ra));
	ra->role = role;
	ra->until = row->until;
	ra->authority = &p->authorities[0];
	if (role == PROFILE_RA_NEXT &&
	    (ra->authority = find_authority(p, row->authority_id)) == NULL) {
		errbuf_set(why,
		    "profile %s: its next RA certificate is of a CA that is not prepared",
		    p->scep.name);
		return false;
	}
	memcpy(ra->key_file, row->key_file, sizeof(ra->key_file));
	if (!certificate_parse(buffer_octets(&row->certificate), &ra->certificate, why))
		return false;
	p->ra_count++;
	return true;
}

struct ra_rows {
	struct profile *profile;
	struct errbuf *why;
	bool failed;
};

static bool
add_other_ra(void *ctx, const struct ra_certificate_row *row)
{
	struct ra_rows *rows = ctx;

	if (rows->profile->ra_count == PROFILE_RAS_MAX)
		return false;
	if (!add_ra(rows->profile, row,
		strcmp(row->role, "next") == 0 ? PROFILE_RA_NEXT : PROFILE_RA_PREVIOUS, rows->why))
		rows->failed = true;
	return !rows->failed;
}

static enum store_rc
read_authority(struct profile *p, enum store_rc rc, struct authority_row *row, struct errbuf *why)
{
	if (rc == STORE_OK &&
	    !profile_authority_read(&p->authorities[p->authority_count], row, why))
		rc = STORE_AWAY;
	if (rc == STORE_OK)
		p->authority_count++;
	authority_row_free(row);
	return rc;
}

enum store_rc
profile_read_authorities(struct profile *p, struct store *st, int64_t now, struct errbuf *why)
{
	struct authority_row row = {0};
	struct ra_certificate_row ra = {0};
	struct ra_rows rows = {.profile = p, .why = why};
	enum store_rc rc;

	rc = read_authority(p, store_authority_get(st, p->ra.authority_id, &row, why), &row, why);
	if (rc != STORE_OK)
		return rc;
	memset(&row, 0, sizeof(row));
	rc = read_authority(p, store_authority_next(st, p->ra.authority_id, &row, why), &row, why);
	if (rc != STORE_OK && rc != STORE_NONE)
		return rc;
	rc = store_ra_certificate_get(st, p->scep.ra_certificate_id, &ra, why);
	if (rc == STORE_OK && !add_ra(p, &ra, PROFILE_RA_CURRENT, why))
		rc = STORE_AWAY;
	ra_certificate_row_free(&ra);
	if (rc == STORE_OK)
		rc = store_profile_ra_each(st, p->scep.id, now, add_other_ra, &rows, why);
	return rc == STORE_OK && rows.failed ? STORE_AWAY : rc;
}

void
profile_free_authorities(struct profile *p)
{
	for (int i = 0; i < p->authority_count; i++)
		profile_authority_free(&p->authorities[i]);
	for (int i = 0; i < p->ra_count; i++) {
		certificate_free(&p->ras[i].certificate);
		X509_free(p->ras[i].x509);
	}
}
