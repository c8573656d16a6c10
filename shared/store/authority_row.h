/* authority_row.h: issuing CAs and RA certificates as rows; their keys are files, named by reference. */
#ifndef STORE_AUTHORITY_ROW_H
#define STORE_AUTHORITY_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

/* A CA that issues, or one that waits for its certificate (certificate empty, request filled: "pending"). */
struct authority_row {
	char id[37];
	char name[65];		   /* unique slug [A-Za-z0-9._-]{1,64} */
	char state[16];		   /* active, pending, next, retired */
	char lineage[37];	   /* the id of the first generation; "" on insert: its own */
	char predecessor_id[37];   /* of the generation before; "" for the first */
	char key_file[256];	   /* relative to the key directory */
	struct buffer certificate; /* DER */
	struct buffer
	    chain; /* DER certificates above it, one after the other, up to the root; may be empty */
	struct buffer request; /* PKCS#10 while pending */
	char crl_url[256];     /* goes into what it issues; "" none */
	char ocsp_url[256];    /* likewise, into the AIA */
	int64_t revocations;   /* raised by each revocation and unhold; read only */
	int64_t not_after;
	int64_t created_at;
};
void authority_row_free(struct authority_row *a);

enum store_rc store_authority_insert(struct store *st, const struct authority_row *a,
    const struct audit_event *e, struct errbuf *why);
/* By name or uuid. */
enum store_rc store_authority_get(
    struct store *st, const char *name_or_id, struct authority_row *out, struct errbuf *why);
/* pending → active with certificate and chain. */
enum store_rc store_authority_activate(struct store *st, const struct authority_row *a,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_authority_set_urls(struct store *st, const char *id, const char *crl_url,
    const char *ocsp_url, const struct audit_event *e, struct errbuf *why);
enum store_rc store_authority_each(struct store *st,
    bool (*row)(void *ctx, const struct authority_row *a), void *ctx, struct errbuf *why);

struct ra_certificate_row {
	char id[37];
	char authority_id[37];
	char key_file[256];
	struct buffer certificate; /* DER */
	int64_t not_after;
	int64_t created_at;
	/* With store_profile_ra_each() alone: next, or previous until this time. */
	char role[16];
	int64_t until;
};
void ra_certificate_row_free(struct ra_certificate_row *r);
enum store_rc store_ra_certificate_get(
    struct store *st, const char *id, struct ra_certificate_row *out, struct errbuf *why);
enum store_rc store_ra_certificate_each(struct store *st,
    bool (*row)(void *ctx, const struct ra_certificate_row *r), void *ctx, struct errbuf *why);

/*
 * Rollover.  Prepare: the next generation of predecessor_id, which is active (its state becomes "next" and its lineage the predecessor's, whatever the row
 * says), with one next RA certificate for each profile that the old one serves; all in one transaction.  CONFLICT: there is a next one
 * already, the name is taken, the predecessor is not active, or a profile has a next RA certificate; NONE: no such predecessor or profile.
 */
struct next_ra {
	const char *scep_profile_id;
	const struct ra_certificate_row *ra;
};
enum store_rc store_rollover_prepare(struct store *st, const struct authority_row *next,
    const struct next_ra *ras, int count, const struct audit_event *e, struct errbuf *why);
/*
 * Switch: next becomes active, its predecessor retired; every RA profile of the predecessor issues by next from now on; every SCEP profile
 * of those with a next RA certificate under next takes that one as its current, and the old one is previous until overlap_until.  CONFLICT: it
 * is not "next".
 */
enum store_rc store_rollover_switch(struct store *st, const char *next_id, int64_t overlap_until,
    const struct audit_event *e, struct errbuf *why);
/*
 * Take a prepared generation back: rows go, its RA certificates, OCSP responders and CRL too; the caller removes key files.  CONFLICT: it is not "next",
 * or has issued certificates already.  The whole table of certificates is looked through for that, under the writers' lock.
 */
enum store_rc store_rollover_cancel(
    struct store *st, const char *next_id, const struct audit_event *e, struct errbuf *why);
/* The generation that is prepared to succeed authority id; NONE: none. */
enum store_rc store_authority_next(
    struct store *st, const char *id, struct authority_row *out, struct errbuf *why);

/*
 * The same for the RA certificate of one profile.  CONFLICT: there is a next one already (or none, to switch or to cancel: one under an authority that
 * is "next" itself waits for the switch of that); NONE: no such profile or authority.
 */
enum store_rc store_ra_prepare(struct store *st, const char *scep_profile_id,
    const struct ra_certificate_row *ra, const struct audit_event *e, struct errbuf *why);
enum store_rc store_ra_switch(struct store *st, const char *scep_profile_id, int64_t overlap_until,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_ra_cancel(
    struct store *st, const char *scep_profile_id, const struct audit_event *e, struct errbuf *why);
/* The RA certificates of a profile beside its current one: next, and previous ones whose time is not over at now. */
enum store_rc store_profile_ra_each(struct store *st, const char *scep_profile_id, int64_t now,
    bool (*row)(void *ctx, const struct ra_certificate_row *r), void *ctx, struct errbuf *why);
/* Forget previous ones whose time is over; *forgotten says how many.  The certificates' rows and keys stay. */
enum store_rc store_profile_ra_sweep(
    struct store *st, int64_t now, int *forgotten, struct errbuf *why);

#endif
