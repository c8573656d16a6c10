/* profile_row.h: SCEP profiles (how devices reach us and prove themselves) and RA profiles (what may be in a certificate). */
#ifndef STORE_PROFILE_ROW_H
#define STORE_PROFILE_ROW_H

#include "store/authority_row.h"
#include "store/store.h"

#define PROFILE_FIELDS_MAX	  64
#define PROFILE_RENEW_FROM_MAX	  16

/* What challenge_length 0, seat_field "" and duplicates "" (with its grace) are stored as. */
#define PROFILE_CHALLENGE_LENGTH  32
#define PROFILE_SEAT_FIELD	  "subject.commonName"
#define PROFILE_DUPLICATES	  "allow"
#define PROFILE_DUPLICATE_GRACE_S 604800

struct field_row {
	char type[32];	 /* subject.commonName, san.dns, … */
	char source[16]; /* fixed, manual, scepRequest */
	bool required;
	bool multiple;
	char value[256];
	char pattern
	    [256]; /* POSIX extended regular expression that a whole value must match; "": any */
	int64_t min_length; /* characters */
	int64_t max_length; /* 0: as many as the type has room for */
};

struct ra_profile_row {
	char id[37];
	char name[65];
	char authority_id[37];
	int64_t validity_days; /* 365 */
	char key_usage[256];   /* comma-separated RFC names: digitalSignature,keyEncipherment */
	char eku[512];	       /* clientAuth */
	bool refuse_extra;
	bool refuse_extensions;
	int64_t min_rsa_bits; /* 2048 */
	int64_t max_rsa_bits; /* 8192 */
	char curves[64];      /* P-256,P-384,P-521; "" none: RSA alone */
	int64_t not_after;    /* certificates end at this time; 0: after validity_days */
	bool microsoft_sid;   /* the SID extension (1.3.6.1.4.1.311.25.2) of a CSR is copied */
	bool
	    microsoft_template; /* the template extensions (1.3.6.1.4.1.311.20.2, .21.7) likewise */
	struct field_row fields[PROFILE_FIELDS_MAX];
	int field_count;
	int64_t created_at;
};

struct scep_profile_row {
	char id[37];
	char name[65];
	char description[256];
	bool enabled;
	char ra_profile_id[37];
	char ra_certificate_id[37];
	char challenge_mode
	    [16]; /* static, dynamic, enrollmentCode, intune, webhook, none; "" none chosen */
	uint8_t challenge_hash[32]; /* HMAC of the static challenge */
	bool challenge_set;
	bool challenge_weak;	    /* short or of low variety: warned of */
	int64_t challenge_expiry_s; /* 3600: of one-time challenges */
	int64_t max_pending;	    /* 100 */
	uint32_t digests;	    /* masks of PKI_… */
	uint32_t ciphers;
	bool require_signer_key; /* true */
	bool
	    include_ca_in_get_ca_cert; /* true: RA and chain; false: the RA certificate alone (single) */
	bool include_ca_certificate; /* false: what a CertRep carries beside the leaf */
	bool include_ca_chain;	     /* false */
	int64_t replay_hours;	     /* 24 */
	char lineage[37]; /* the id of the profile that this is a clone of; "" on insert: its own */
	char approval[16];		/* auto, manual */
	int64_t transaction_expiry_s;	/* 604800: how long a request may wait for approval */
	int64_t max_transactions;	/* 1000 that wait at once */
	bool certificate_renewal;	/* true: a valid certificate renews without a challenge */
	bool same_key_renewal;		/* true: with the key it has */
	int64_t renewal_threshold_days; /* before notAfter; 0: in the second half of its life */
	int64_t max_successors;		/* 5; 0: any number */
	char renew_from[PROFILE_RENEW_FROM_MAX]
		       [37]; /* profiles whose certificates may renew here */
	int renew_from_count;
	int64_t challenge_length; /* 32 or 16: characters of a one-time challenge */
	char seat_field
	    [32]; /* where a CSR has its seatId: subject.commonName .email .serialNumber, san.email .upn .dns */
	char intune_id[37];	   /* "" none */
	char duplicates[16];	   /* allow, refuse, replace */
	int64_t duplicate_grace_s; /* 604800: replaced ones are revoked then at the latest */
	bool unique_keys;	   /* false: a public key may be certified under several subjects */
	int64_t
	    limit_address; /* enrolments a minute from one address; 0: any number; likewise below */
	int64_t limit_profile;
	int64_t limit_account;
	int64_t limit_seat;
	int64_t created_at;
	int64_t version; /* raised by each change of the row */
	int64_t
	    challenge_version; /* raised by each change of challenge_mode or challenge_hash; read only */
};

/* Raise config_version and write the audit event in the same transaction, as every change of configuration does. */
/* CONFLICT: the name is taken; NONE: there is no such authority (or, to update, no such profile). */
enum store_rc store_ra_profile_insert(struct store *st, const struct ra_profile_row *p,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_ra_profile_update(struct store *st, const struct ra_profile_row *p,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_ra_profile_get(
    struct store *st, const char *name_or_id, struct ra_profile_row *out, struct errbuf *why);
enum store_rc store_ra_profile_each(struct store *st,
    bool (*row)(void *ctx, const struct ra_profile_row *p), void *ctx, struct errbuf *why);

/*
 * A SCEP profile comes with its RA certificate; both go in together.  CONFLICT: the name is taken; NONE: there is no such
 * authority or RA profile.  challenge_hash counts where challenge_set is true.
 */
enum store_rc store_scep_profile_insert(struct store *st, const struct scep_profile_row *p,
    const struct ra_certificate_row *ra, const struct audit_event *e, struct errbuf *why);
/* All but id and created_at.  CONFLICT: the stored version is another than p->version, or the name is taken.  NONE: no such profile. */
enum store_rc store_scep_profile_update(struct store *st, const struct scep_profile_row *p,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_scep_profile_get(
    struct store *st, const char *name_or_id, struct scep_profile_row *out, struct errbuf *why);
enum store_rc store_scep_profile_each(struct store *st,
    bool (*row)(void *ctx, const struct scep_profile_row *p), void *ctx, struct errbuf *why);
/*
 * CONFLICT when certificates or anything else depend on it.  Its RA certificate goes too where no other profile has it; the
 * key file is the caller's.  With no certificate of its own the whole table of certificates is looked through, once before and
 * once under the writers' lock: an index would tax every enrolment for this.
 */
enum store_rc store_scep_profile_delete(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why);

/* A CA of others' whose certificates authorise a first enrolment under the profile. */
struct anchor_row {
	char fingerprint[65]; /* SHA-256, hex */
	struct buffer certificate;
	int64_t created_at;
};
/* Each raises config_version.  CONFLICT: it is there already; NONE: no such profile or anchor. */
enum store_rc store_anchor_insert(struct store *st, const char *scep_profile_id,
    const struct anchor_row *a, const struct audit_event *e, struct errbuf *why);
enum store_rc store_anchor_delete(struct store *st, const char *scep_profile_id,
    const char *fingerprint, const struct audit_event *e, struct errbuf *why);
enum store_rc store_anchor_each(struct store *st, const char *scep_profile_id,
    bool (*row)(void *ctx, const struct anchor_row *a), void *ctx, struct errbuf *why);

#endif
