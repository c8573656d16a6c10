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
#include "base/master_key.h"
#include "base/octets.h"
#include "base/settings.h"
#include "outbound/webhook.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/signer.h"
#include "scep/reply.h"
#include "scep/request.h"
#include "store/outbound_row.h"
#include "store/profile_row.h"
#include "store/store.h"

#define PROFILE_CHAIN_MAX   8 /* CA certificates from the issuing one up to the root */
#define PROFILE_RAS_MAX	    6 /* the current one, the next one, and previous ones */
#define PROFILE_ANCHORS_MAX 16

/* A CA: a generation that issues, is to issue, or did. */
struct profile_authority {
	char id[37];
	char name[65];
	char lineage[37];
	char state[16]; /* active, next, retired */
	char crl_url[256];
	char ocsp_url[256];
	struct certificate chain[PROFILE_CHAIN_MAX]; /* its own certificate first */
	int chain_count;
	char key_file[256];
	struct signer *signer; /* borrowed from the cache; NULL until its key is open */
};

enum profile_ra_role { PROFILE_RA_CURRENT, PROFILE_RA_NEXT, PROFILE_RA_PREVIOUS };

/* An RA certificate that messages may be enveloped to; what comes so is answered under its key. */
struct profile_ra {
	enum profile_ra_role role;
	int64_t until; /* of a previous one */
	struct certificate certificate;
	X509 *x509;    /* NULL until its key is open; likewise below */
	EVP_PKEY *key; /* borrowed from the cache */
	char key_file[256];
	const struct profile_authority
	    *authority; /* issues what is asked for under this one (RFC 8894 figure 9) */
};

/* A webhook, its secrets unsealed; call borrows the rest. */
struct profile_webhook {
	bool notify; /* it is told afterwards; otherwise it is asked before */
	char id[37];
	char name[65];
	char url[1024];
	char ca_file[256];
	struct buffer secret;
	struct buffer credential;
	struct webhook call;
};

struct intune;

struct profile {
	struct scep_profile_row scep;
	struct ra_profile_row ra;

	/* The one that issues now, and the next where a rollover is prepared. */
	struct profile_authority authorities[2];
	int authority_count;
	struct profile_ra ras[PROFILE_RAS_MAX]; /* the current one first */
	int ra_count;
	struct certificate
	    anchors[PROFILE_ANCHORS_MAX]; /* others' CAs that authorise a first enrolment */
	int anchor_count;
	int account_count; /* of its accounts, enabled or not: with none nobody looks for one */

	/* Whom it calls; nobody where the cache cannot call (profile_cache_outbound()). */
	struct intune *intune; /* borrowed from the cache; NULL: no connection */
	char intune_name[65];
	struct profile_webhook *webhooks; /* the enabled ones */
	int webhook_count;

	struct field_rule field_rules[PROFILE_FIELDS_MAX];
	struct pattern *patterns[PROFILE_FIELDS_MAX]; /* of the rules; NULL where one has none */
	struct field_rules rules;		      /* points into this profile */
	int key_usage;
	struct buffer eku;

	/* Constant answers, made once. */
	struct buffer capabilities;
	struct buffer ca_certificates;
	const char *ca_certificates_type;
	struct buffer next_ca; /* empty until profile_next_ca() */
};

/* Profiles and opened keys of one process.  Keys stay open over changes of the configuration; snapshots do not. */
struct profile_cache;

bool profile_cache_open(
    const struct settings *s, struct store *st, struct profile_cache **out, struct errbuf *why);
void profile_cache_close(struct profile_cache *c);
/*
 * From now on snapshots have their connection to Intune and their webhooks, unsealed by k and called by h, both borrowed.  A client of Intune keeps token and
 * discovery for as long as its connection stays the same, whatever else is changed.  false with why: out of memory.
 */
bool profile_cache_outbound(
    struct profile_cache *c, const struct master_key *k, struct http *h, struct errbuf *why);
/* A client of the connection, which the caller closes; s, h and row are borrowed for its life.  false with why, which names no secret. */
bool profile_intune_open(const struct settings *s, const struct master_key *k, struct http *h,
    const struct intune_row *row, struct intune **out, struct errbuf *why);

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

/*
 * Open the keys of RAs and CAs, once per key file and process.  false with why, an answer of 503, where the current ones cannot be
 * opened; a next or previous one that cannot is logged, and stays closed.
 */
bool profile_open_keys(struct profile_cache *c, struct profile *p, struct errbuf *why);

/* The RA that a message is enveloped to: the current one, the next, or a previous one whose overlap is not over at now.  NULL: none. */
const struct profile_ra *profile_ra_for(
    const struct profile *p, const struct scep_request *m, int64_t now);
/* The RA as the one to decrypt and to sign; its key must be open. */
struct scep_recipient profile_recipient(const struct profile_ra *ra);
struct scep_responder profile_responder(const struct profile_ra *ra);

/* Is another CA or RA certificate prepared? */
bool profile_has_next(const struct profile *p);
/*
 * What GetNextCACert answers (RFC 8894 4.7.1), signed by the current CA's key, once a snapshot; keys are open and profile_has_next().
 * false with why.
 */
bool profile_next_ca(struct profile *p, int64_t now, struct octets *out, struct errbuf *why);

/* --- authorities by themselves: for CRLs and OCSP --- */

/* Look whether the configuration has changed, and drop every snapshot if so.  STORE_AWAY with why: the store cannot be read. */
enum store_rc profile_cache_follow(struct profile_cache *c, struct errbuf *why);

struct profile_status_authority {
	struct profile_authority authority;
	/* Its delegated OCSP responder; NULL where it has none. */
	X509 *ocsp_x509;
	EVP_PKEY *ocsp_key; /* borrowed from the cache */
	int64_t ocsp_not_after;
};
/*
 * By name or uuid, whatever its state but pending (STORE_NONE); borrowed until profile_get() or profile_cache_follow(), which this does
 * not call.
 */
enum store_rc profile_authority_get(struct profile_cache *c, const char *name,
    struct profile_status_authority **out, struct errbuf *why);
/* Open the CA's key, to sign a CRL; the responder's key.  false with why. */
bool profile_authority_open(
    struct profile_cache *c, struct profile_status_authority *a, struct errbuf *why);
bool profile_ocsp_open(
    struct profile_cache *c, struct profile_status_authority *a, struct errbuf *why);
/* Forget the responder, so that the next opening takes the newest. */
void profile_ocsp_close(struct profile_status_authority *a);

#endif
