/* profile.h: profiles: a SCEP profile, its RA profile of the same name and its RA certificate as one thing. */
#ifndef MANAGE_PROFILE_H
#define MANAGE_PROFILE_H

#include "fcgi-admin/manage/manage.h"
#include "store/profile_row.h"

#define MANAGE_KEEP (-1)

/* What may be set.  Initialise it with MANAGE_PROFILE_KEEP; what stays so keeps its value. */
struct manage_profile_change {
	const char *description;
	const char *challenge_mode;	/* static, dynamic, enrollmentCode, intune, webhook, none */
	const struct octets *challenge; /* the static one, as UTF-8 */
	int64_t challenge_expiry_s;	/* 60 to 30 days */
	int64_t max_pending;		/* 1 to 1,000,000 */
	uint32_t digests;		/* masks of PKI_…; 0 keeps */
	uint32_t ciphers;
	bool allow_legacy; /* PKI_DIGESTS_LEGACY and PKI_CIPHERS_LEGACY may be among them */
	int64_t validity_days;
	const char *key_usage;
	const char *eku;
	int64_t min_rsa_bits;
	int64_t max_rsa_bits;
	const struct field_row *fields;
	int field_count;  /* MANAGE_KEEP, or how many; 0 clears */
	int refuse_extra; /* MANAGE_KEEP, 0, 1; likewise below */
	int refuse_extensions;
	int require_signer_key;
	int chain_in_get_ca_cert;     /* 0: the RA certificate alone */
	const char *cert_rep;	      /* leaf, issuer, chain: what a CertRep carries */
	int64_t replay_hours;	      /* 0 to 720 */
	const char *approval;	      /* auto, manual */
	int64_t transaction_expiry_s; /* 1 hour to 90 days */
	int64_t max_transactions;     /* 1 to 1,000,000 */
	int certificate_renewal;      /* MANAGE_KEEP, 0, 1; likewise below */
	int same_key_renewal;
	int64_t renewal_threshold_days; /* 0 to 36,500; 0: in the second half of its life */
	int64_t max_successors;		/* 0 to 1,000,000; 0: any number */
	const char *renew_from;		/* names or uuids of profiles, comma-separated; "": none */
	const char *curves;		/* P-256,P-384,P-521; "" or "none": RSA alone */
	int64_t challenge_length;	/* 16 or 32: characters of a one-time challenge */
	const char *seat_field;		/* where a CSR has its seatId: manage_seat_fields */
	const char *intune;		/* name or uuid of a connection; "": none */
	int64_t limit_address;		/* enrolments a minute, 0 to 1,000,000; 0: any number */
	int64_t limit_profile;
	int64_t limit_account;
	int64_t limit_seat;
	int64_t not_after; /* certificates end then; 0: after validity_days */
	int microsoft_sid; /* MANAGE_KEEP, 0, 1; likewise below: extensions of a CSR are copied */
	int microsoft_template;
	const char *duplicates;	   /* allow, refuse, replace */
	int64_t duplicate_grace_s; /* 0 to 365 days */
	int unique_keys;	   /* MANAGE_KEEP, 0, 1 */
};
#define MANAGE_PROFILE_KEEP                                                                        \
	{                                                                                          \
		.challenge_expiry_s = MANAGE_KEEP, .max_pending = MANAGE_KEEP,                     \
		.validity_days = MANAGE_KEEP, .min_rsa_bits = MANAGE_KEEP,                         \
		.max_rsa_bits = MANAGE_KEEP, .field_count = MANAGE_KEEP,                           \
		.refuse_extra = MANAGE_KEEP, .refuse_extensions = MANAGE_KEEP,                     \
		.require_signer_key = MANAGE_KEEP, .chain_in_get_ca_cert = MANAGE_KEEP,            \
		.replay_hours = MANAGE_KEEP, .transaction_expiry_s = MANAGE_KEEP,                  \
		.max_transactions = MANAGE_KEEP, .certificate_renewal = MANAGE_KEEP,               \
		.same_key_renewal = MANAGE_KEEP, .renewal_threshold_days = MANAGE_KEEP,            \
		.max_successors = MANAGE_KEEP, .challenge_length = MANAGE_KEEP,                    \
		.limit_address = MANAGE_KEEP, .limit_profile = MANAGE_KEEP,                        \
		.limit_account = MANAGE_KEEP, .limit_seat = MANAGE_KEEP, .not_after = MANAGE_KEEP, \
		.microsoft_sid = MANAGE_KEEP, .microsoft_template = MANAGE_KEEP,                   \
		.duplicate_grace_s = MANAGE_KEEP, .unique_keys = MANAGE_KEEP,                      \
	}

/* A profile as it is read: both rows and what they refer to. */
struct manage_profile {
	struct scep_profile_row scep;
	struct ra_profile_row ra;
	char authority[65]; /* its CA's name */
	char intune[65];    /* the name of its connection to Intune; "": none */
	int64_t ra_not_after;
	/* What scep.renew_from names; of a profile that is no longer there its uuid. */
	char renew_from[PROFILE_RENEW_FROM_MAX][65];
};

struct manage_profile_order {
	const char *name;
	const char *authority; /* name or uuid of its CA */
	const char *ra_key;    /* rsa:2048, rsa:3072, rsa:4096 */
	bool enabled;
	const struct manage_profile_change *change;
};

/*
 * Make RA profile, RA key and certificate, and SCEP profile.  What fails half-way leaves neither key file nor SCEP profile;
 * an RA profile that was left without one is taken over by the next call.  A challenge without a mode means static.
 */
enum manage_rc manage_profile_create(struct manage *m, const struct manage_actor *by,
    const struct manage_profile_order *o, struct manage_profile *out, struct manage_report *r);

/*
 * A copy of profile name, of the same lineage, with an RA certificate of its own and with c applied to it.  Its anchors go with it, its static
 * challenge does not: that is kept as a MAC salted by the profile.  What fails half-way leaves a disabled copy or none.
 */
struct manage_profile_clone {
	const char *name; /* of the copy */
	const char *ra_key;
	bool enabled;
	const struct manage_profile_change *change;
};
enum manage_rc manage_profile_clone(struct manage *m, const struct manage_actor *by,
    const char *name, const struct manage_profile_clone *o, struct manage_profile *out,
    struct manage_report *r);

/* Change what is set in c.  CONFLICT: someone else changed it meanwhile. */
enum manage_rc manage_profile_set(struct manage *m, const struct manage_actor *by, const char *name,
    const struct manage_profile_change *c, struct manage_profile *out, struct manage_report *r);

/* Enabling wants a challenge mode and what it stands on: a static challenge, a connection to Intune, a webhook that validates.  INVALID otherwise. */
enum manage_rc manage_profile_enable(struct manage *m, const struct manage_actor *by,
    const char *name, bool enabled, struct manage_report *r);

/* CONFLICT while certificates depend on it. */
enum manage_rc manage_profile_delete(
    struct manage *m, const struct manage_actor *by, const char *name, struct manage_report *r);

/* By name or uuid: the row of the endpoint alone. */
enum manage_rc manage_profile_row(
    struct manage *m, const char *name, struct scep_profile_row *out, struct manage_report *r);
/* All of it, likewise. */
enum manage_rc manage_profile_get(
    struct manage *m, const char *name, struct manage_profile *out, struct manage_report *r);

/* Each SCEP profile as it stands; row() must not call back into the store. */
enum manage_rc manage_profile_each(struct manage *m,
    bool (*row)(void *ctx, const struct scep_profile_row *p), void *ctx, struct manage_report *r);

/* The fields of a CSR that may have the seatId; NULL ends them. */
extern const char *const manage_seat_fields[];

/* "san.dns,required,min=1": a field rule as scepctl reads it. */
void manage_field_text(const struct field_row *f, struct buffer *out);

/* "static challenge", for the audit and for people: SHA-256,SHA-384 from a mask. */
void manage_digests_text(uint32_t mask, char out[128]);
void manage_ciphers_text(uint32_t mask, char out[128]);
/* And back; false where a name is not known. */
bool manage_digests_of_text(const char *text, uint32_t *mask);
bool manage_ciphers_of_text(const char *text, uint32_t *mask);

#endif
