/* cache.c: snapshots by name until the configuration changes; opened keys by file for good. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "profile/internal.h"
#include "profile/keys.h"
#include "profile/outbound.h"
#include "profile/profile.h"
#include "store/revocation.h"

struct profile_entry {
	char asked[65]; /* name or uuid, as it was asked for */
	struct profile *profile;
	struct profile_entry *next;
};

struct authority_entry {
	char asked[65];
	struct profile_status_authority status;
	struct authority_entry *next;
};

struct profile_cache {
	const struct settings *settings;
	struct store *store;
	struct profile_keys *keys;
	struct profile_outbound *outbound; /* NULL: nobody is called */
	int64_t version;
	struct profile_entry *profiles;
	struct authority_entry *authorities;
};

bool
profile_cache_open(
    const struct settings *s, struct store *st, struct profile_cache **out, struct errbuf *why)
{
	struct profile_cache *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL || (c->keys = profile_keys_new(s)) == NULL) {
		free(c);
		errbuf_set(why, "profile cache: out of memory");
		return false;
	}
	c->settings = s;
	c->store = st;
	c->version = -1;
	*out = c;
	return true;
}

static void
drop_snapshots(struct profile_cache *c)
{
	struct profile_entry *p;
	struct authority_entry *a;

	while ((p = c->profiles) != NULL) {
		c->profiles = p->next;
		profile_free(p->profile);
		free(p);
	}
	while ((a = c->authorities) != NULL) {
		c->authorities = a->next;
		profile_authority_free(&a->status.authority);
		X509_free(a->status.ocsp_x509);
		free(a);
	}
	profile_outbound_drop(c->outbound);
}

void
profile_cache_close(struct profile_cache *c)
{
	if (c == NULL)
		return;
	drop_snapshots(c);
	profile_keys_free(c->keys);
	profile_outbound_free(c->outbound);
	free(c);
}

bool
profile_cache_outbound(
    struct profile_cache *c, const struct master_key *k, struct http *h, struct errbuf *why)
{
	drop_snapshots(c);
	profile_outbound_free(c->outbound);
	if ((c->outbound = profile_outbound_new(c->settings, k, h)) == NULL)
		errbuf_set(why, "profile cache: out of memory");
	return c->outbound != NULL;
}

enum store_rc
profile_cache_follow(struct profile_cache *c, struct errbuf *why)
{
	int64_t version;

	if (store_config_version(c->store, &version, why) != STORE_OK)
		return STORE_AWAY;
	if (version != c->version) {
		drop_snapshots(c);
		c->version = version;
	}
	return STORE_OK;
}

static enum store_rc
load_profile(struct profile_cache *c, const char *name, struct profile **out, struct errbuf *why)
{
	enum store_rc rc = profile_load(c->store, name, clock_now(), out, why);

	if (rc == STORE_OK && c->outbound != NULL &&
	    (rc = profile_outbound_read(c->outbound, c->store, *out, why)) != STORE_OK) {
		profile_free(*out);
		*out = NULL;
	}
	return rc;
}

enum store_rc
profile_get(struct profile_cache *c, const char *name, struct profile **out, struct errbuf *why)
{
	struct profile_entry *e;
	enum store_rc rc;

	*out = NULL;
	if ((rc = profile_cache_follow(c, why)) != STORE_OK)
		return rc;
	for (e = c->profiles; e != NULL; e = e->next) {
		if (strcmp(e->asked, name) == 0) {
			*out = e->profile;
			return STORE_OK;
		}
	}
	if (strlen(name) >= sizeof(e->asked))
		return STORE_NONE;
	if ((e = calloc(1, sizeof(*e))) == NULL) {
		errbuf_set(why, "profile cache: out of memory");
		return STORE_AWAY;
	}
	if ((rc = load_profile(c, name, &e->profile, why)) != STORE_OK) {
		free(e);
		return rc;
	}
	snprintf(e->asked, sizeof(e->asked), "%s", name);
	e->next = c->profiles;
	c->profiles = e;
	*out = e->profile;
	return STORE_OK;
}

/* CMS_decrypt wants the RA's certificate as an X509: the one slow decoding, once a snapshot. */
static bool
open_ra(struct profile_cache *c, struct profile *p, struct profile_ra *ra, struct errbuf *why)
{
	const uint8_t *at = ra->certificate.der.data;
	EVP_PKEY *key = profile_keys_private(c->keys, ra->key_file, why);

	if (key == NULL)
		return false;
	if (ra->x509 == NULL)
		ra->x509 = d2i_X509(NULL, &at, (long)ra->certificate.der.len);
	if (ra->x509 == NULL) {
		errbuf_ossl(why, "profile %s: RA certificate", p->scep.name);
		return false;
	}
	if (X509_check_private_key(ra->x509, key) != 1) {
		errbuf_ossl(why, "profile %s: the RA's key file %s does not fit its certificate",
		    p->scep.name, ra->key_file);
		return false;
	}
	ra->key = key;
	return true;
}

static bool
open_authority(struct profile_cache *c, struct profile_authority *a, struct errbuf *why)
{
	struct signer *signer;

	if (a->signer != NULL)
		return true;
	if ((signer = profile_keys_signer(c->keys, a->key_file, why)) == NULL)
		return false;
	if (!octets_equal(signer_spki(signer), a->chain[0].spki)) {
		errbuf_set(why, "CA %s: its key file %s does not fit its certificate", a->name,
		    a->key_file);
		return false;
	}
	a->signer = signer;
	return true;
}

/* Without them the profile goes on as far as it can, and says so. */
static void
open_others(struct profile_cache *c, struct profile *p)
{
	struct errbuf why = {0};

	for (int i = 1; i < p->authority_count; i++)
		if (!open_authority(c, &p->authorities[i], &why))
			log_event(
			    LOG_LEVEL_ERROR, "next-ca", "profile %s: %s", p->scep.name, why.line);
	for (int i = 1; i < p->ra_count; i++) {
		if (p->ras[i].authority->signer == NULL)
			continue;
		if (!open_ra(c, p, &p->ras[i], &why))
			log_event(LOG_LEVEL_ERROR, "ra-certificate", "profile %s: %s", p->scep.name,
			    why.line);
	}
}

bool
profile_open_keys(struct profile_cache *c, struct profile *p, struct errbuf *why)
{
	if (p->ras[0].key != NULL && p->authorities[0].signer != NULL)
		return true;
	if (!open_authority(c, &p->authorities[0], why))
		return false;
	if (!open_ra(c, p, &p->ras[0], why)) {
		p->authorities[0].signer = NULL;
		return false;
	}
	open_others(c, p);
	return true;
}

struct warm_names {
	char names[PROFILE_WARM_MAX][65];
	int count;
};

static bool
collect_name(void *ctx, const struct scep_profile_row *p)
{
	struct warm_names *w = ctx;

	if (p->enabled)
		memcpy(w->names[w->count++], p->name, sizeof(p->name));
	return w->count < PROFILE_WARM_MAX;
}

void
profile_cache_warm(struct profile_cache *c)
{
	struct warm_names w = {.count = 0};
	struct profile *p;

	(void)store_scep_profile_each(c->store, collect_name, &w, NULL);
	for (int i = 0; i < w.count; i++)
		if (profile_get(c, w.names[i], &p, NULL) == STORE_OK)
			(void)profile_open_keys(c, p, NULL);
}

/* ---- authorities by themselves -------------------------------------------------------------------------------------------- */

static enum store_rc
load_authority(struct profile_cache *c, const char *name, struct profile_status_authority *s,
    struct errbuf *why)
{
	struct authority_row row = {0};
	enum store_rc rc = store_authority_get(c->store, name, &row, why);

	if (rc == STORE_OK && row.certificate.len == 0)
		rc = STORE_NONE;
	if (rc == STORE_OK && !profile_authority_read(&s->authority, &row, why))
		rc = STORE_AWAY;
	authority_row_free(&row);
	return rc;
}

enum store_rc
profile_authority_get(struct profile_cache *c, const char *name,
    struct profile_status_authority **out, struct errbuf *why)
{
	struct authority_entry *e;
	enum store_rc rc;

	*out = NULL;
	for (e = c->authorities; e != NULL; e = e->next) {
		if (strcmp(e->asked, name) == 0) {
			*out = &e->status;
			return STORE_OK;
		}
	}
	if (strlen(name) >= sizeof(e->asked))
		return STORE_NONE;
	if ((e = calloc(1, sizeof(*e))) == NULL) {
		errbuf_set(why, "profile cache: out of memory");
		return STORE_AWAY;
	}
	if ((rc = load_authority(c, name, &e->status, why)) != STORE_OK) {
		free(e);
		return rc;
	}
	snprintf(e->asked, sizeof(e->asked), "%s", name);
	e->next = c->authorities;
	c->authorities = e;
	*out = &e->status;
	return STORE_OK;
}

bool
profile_authority_open(
    struct profile_cache *c, struct profile_status_authority *a, struct errbuf *why)
{
	return open_authority(c, &a->authority, why);
}

/* The newest responder of the store, with its key. */
static bool
open_responder(struct profile_cache *c, struct profile_status_authority *a,
    const struct ocsp_responder_row *row, struct errbuf *why)
{
	const uint8_t *at = row->certificate.data;
	EVP_PKEY *key = profile_keys_private(c->keys, row->key_file, why);

	if (key == NULL)
		return false;
	if ((a->ocsp_x509 = d2i_X509(NULL, &at, (long)row->certificate.len)) == NULL ||
	    X509_check_private_key(a->ocsp_x509, key) != 1) {
		errbuf_ossl(why, "CA %s: OCSP responder's certificate or key", a->authority.name);
		X509_free(a->ocsp_x509);
		a->ocsp_x509 = NULL;
		return false;
	}
	a->ocsp_key = key;
	a->ocsp_not_after = row->not_after;
	return true;
}

void
profile_ocsp_close(struct profile_status_authority *a)
{
	X509_free(a->ocsp_x509);
	a->ocsp_x509 = NULL;
	a->ocsp_key = NULL;
	a->ocsp_not_after = 0;
}

bool
profile_ocsp_open(struct profile_cache *c, struct profile_status_authority *a, struct errbuf *why)
{
	struct ocsp_responder_row row = {0};
	enum store_rc rc;
	bool ok = false;

	if (a->ocsp_key != NULL)
		return true;
	rc = store_ocsp_responder_get(c->store, a->authority.id, &row, why);
	if (rc == STORE_OK)
		ok = open_responder(c, a, &row, why);
	else if (rc == STORE_NONE)
		errbuf_set(
		    why, "CA %s: no OCSP responder yet; fcgi-admin makes one", a->authority.name);
	ocsp_responder_row_free(&row);
	return ok;
}
