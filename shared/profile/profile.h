/*
 * profile.h: one SCEP profile as its requests need it: rules, RA and CA certificates, opened keys; a snapshot that carries the
 * version of the configuration it was made from.
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "base/settings.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/signer.h"
#include "scep/reply.h"
#include "scep/request.h"
#include "store/profile_row.h"
#include "store/store.h"

#define PROFILE_CHAIN_MAX 8 /* CA certificates from the issuing one up to the root */

struct profile {
	struct scep_profile_row scep;
	struct ra_profile_row ra;
	char authority_id[37];
	char crl_url[256];

	struct certificate ra_certificate;
	struct certificate chain[PROFILE_CHAIN_MAX]; /* the issuing CA first */
	int chain_count;

	struct field_rule field_rules[PROFILE_FIELDS_MAX];
	struct field_rules rules; /* points into this profile */
	int key_usage;
	struct buffer eku;

	/* Constant answers, made once. */
	struct buffer capabilities;
	struct buffer ca_certificates;
	const char *ca_certificates_type;

	/* NULL until profile_open_keys(). */
	X509 *ra_x509;
	EVP_PKEY *ra_key;	  /* borrowed from the cache */
	struct signer *ca_signer; /* borrowed from the cache */
};

/* Profiles and opened keys of one process.  Keys stay open over changes of the configuration; snapshots do not. */
struct profile_cache;

bool profile_cache_open(
    const struct settings *s, struct store *st, struct profile_cache **out, struct errbuf *why);
void profile_cache_close(struct profile_cache *c);

/*
 * The profile of this name or uuid, enabled or not, borrowed until the next call.  Costs one read of the configuration's
 * version; a change since the last call drops every snapshot.  STORE_NONE: there is no such profile.  STORE_AWAY with why:
 * the store cannot be read, or what it holds does not make a profile.
 */
enum store_rc profile_get(
    struct profile_cache *c, const char *name, struct profile **out, struct errbuf *why);

/*
 * Load the enabled profiles and open their keys, PROFILE_WARM_MAX at most: opening one costs tens of milliseconds, which a new worker
 * spends before it takes requests.  What cannot be opened is left for the request that needs it to say so.
 */
#define PROFILE_WARM_MAX 32
void profile_cache_warm(struct profile_cache *c);

/* Open the RA's and the CA's key, once per key file and process.  false with why: an answer of 503. */
bool profile_open_keys(struct profile_cache *c, struct profile *p, struct errbuf *why);

/* The RA as the one to decrypt and to sign; keys must be open. */
struct scep_recipient profile_recipient(const struct profile *p);
struct scep_responder profile_responder(const struct profile *p);

#endif
