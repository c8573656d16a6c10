/* cache.c: snapshots by name until the configuration changes; opened keys by file for good. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/private_key.h"
#include "profile/internal.h"
#include "profile/profile.h"

/* One key file: opened as an RA's key, as a CA's, or as both. */
struct key_entry {
	char file[256];
	EVP_PKEY *ra;
	struct signer *ca;
	struct key_entry *next;
};

struct profile_entry {
	char asked[65]; /* name or uuid, as it was asked for */
	char key_files[2][256];
	struct profile *profile;
	struct profile_entry *next;
};

struct profile_cache {
	struct store *store;
	char key_dir[SETTINGS_TEXT];
	char passphrase_file[SETTINGS_TEXT];
	int64_t version;
	struct profile_entry *profiles;
	struct key_entry *keys;
};

bool
profile_cache_open(
    const struct settings *s, struct store *st, struct profile_cache **out, struct errbuf *why)
{
	struct profile_cache *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL) {
		errbuf_set(why, "profile cache: out of memory");
		return false;
	}
	c->store = st;
	c->version = -1;
	memcpy(c->key_dir, s->key_dir, sizeof(c->key_dir));
	memcpy(c->passphrase_file, s->passphrase_file, sizeof(c->passphrase_file));
	*out = c;
	return true;
}

static void
drop_profiles(struct profile_cache *c)
{
	struct profile_entry *e, *next;

	for (e = c->profiles; e != NULL; e = next) {
		next = e->next;
		profile_free(e->profile);
		free(e);
	}
	c->profiles = NULL;
}

void
profile_cache_close(struct profile_cache *c)
{
	struct key_entry *k, *next;

	if (c == NULL)
		return;
	drop_profiles(c);
	for (k = c->keys; k != NULL; k = next) {
		next = k->next;
		EVP_PKEY_free(k->ra);
		signer_free(k->ca);
		free(k);
	}
	free(c);
}

enum store_rc
profile_get(struct profile_cache *c, const char *name, struct profile **out, struct errbuf *why)
{
	struct profile_entry *e;
	enum store_rc rc;
	int64_t version;

	*out = NULL;
	if ((rc = store_config_version(c->store, &version, why)) != STORE_OK)
		return STORE_AWAY;
	if (version != c->version) {
		drop_profiles(c);
		c->version = version;
	}
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
	if ((rc = profile_load(c->store, name, &e->profile, e->key_files, why)) != STORE_OK) {
		free(e);
		return rc;
	}
	snprintf(e->asked, sizeof(e->asked), "%s", name);
	e->next = c->profiles;
	c->profiles = e;
	*out = e->profile;
	return STORE_OK;
}

static struct key_entry *
key_entry(struct profile_cache *c, const char *file)
{
	struct key_entry *k;

	for (k = c->keys; k != NULL; k = k->next)
		if (strcmp(k->file, file) == 0)
			return k;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	snprintf(k->file, sizeof(k->file), "%s", file);
	k->next = c->keys;
	c->keys = k;
	return k;
}

static bool
open_key(struct profile_cache *c, struct key_entry *k, bool as_ca, struct errbuf *why)
{
	struct buffer passphrase = {0};
	char path[SETTINGS_TEXT + 260];
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", c->key_dir, k->file);
	if (!passphrase_read(c->passphrase_file, &passphrase, why))
		return false;
	if (as_ca)
		ok = signer_open(path, buffer_octets(&passphrase), &k->ca, why);
	else
		ok = (k->ra = private_key_load(path, buffer_octets(&passphrase), why)) != NULL;
	buffer_free(&passphrase);
	return ok;
}

/* CMS_decrypt wants the RA's certificate as an X509: the one slow decoding, once a snapshot. */
static bool
make_x509(struct profile *p, struct errbuf *why)
{
	const uint8_t *at = p->ra_certificate.der.data;

	if (p->ra_x509 == NULL)
		p->ra_x509 = d2i_X509(NULL, &at, (long)p->ra_certificate.der.len);
	if (p->ra_x509 == NULL) {
		errbuf_ossl(why, "profile %s: RA certificate", p->scep.name);
		return false;
	}
	if (X509_check_private_key(p->ra_x509, p->ra_key) != 1) {
		errbuf_ossl(why, "profile %s: the RA's key file does not fit its certificate",
		    p->scep.name);
		return false;
	}
	return true;
}

bool
profile_open_keys(struct profile_cache *c, struct profile *p, struct errbuf *why)
{
	struct profile_entry *e;
	struct key_entry *ra, *ca;

	if (p->ra_key != NULL && p->ca_signer != NULL)
		return true;
	for (e = c->profiles; e != NULL && e->profile != p; e = e->next)
		;
	if (e == NULL) {
		errbuf_set(why, "profile %s: not of this cache", p->scep.name);
		return false;
	}
	if ((ra = key_entry(c, e->key_files[0])) == NULL ||
	    (ca = key_entry(c, e->key_files[1])) == NULL) {
		errbuf_set(why, "profile cache: out of memory");
		return false;
	}
	if ((ra->ra == NULL && !open_key(c, ra, false, why)) ||
	    (ca->ca == NULL && !open_key(c, ca, true, why)))
		return false;
	if (!octets_equal(signer_spki(ca->ca), p->chain[0].spki)) {
		errbuf_set(why, "profile %s: the CA's key file %s does not fit its certificate",
		    p->scep.name, ca->file);
		return false;
	}
	p->ra_key = ra->ra;
	if (!make_x509(p, why)) {
		p->ra_key = NULL;
		return false;
	}
	p->ca_signer = ca->ca;
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
