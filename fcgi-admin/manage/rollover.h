/* rollover.h: the next generation of a CA: prepared with its RA certificates, switched to, or taken back (RFC 8894 section 4.7). */
#ifndef MANAGE_ROLLOVER_H
#define MANAGE_ROLLOVER_H

#include <openssl/evp.h>

#include "fcgi-admin/manage/manage.h"
#include "store/authority_row.h"

#define MANAGE_OVERLAP_S     (14 * 86400)
#define MANAGE_OVERLAP_MAX_S (400 * 86400)

struct manage_rollover_order {
	const char *authority; /* the one that issues: name or uuid */
	/* NULL and 0: as the one before, but for the name, which gets -g2, -g3, … behind it. */
	const char *name;
	const char *subject;
	const char *key;
	int64_t validity_days;
	/* Made elsewhere: its key, its certificate and those above it.  NULL and 0: self-signed here. */
	EVP_PKEY *own_key;
	const struct buffer *certificates;
	int count;
};

/*
 * Make the next generation and its RA certificate for each profile that the CA serves; all of it or nothing.  CRL and OCSP URLs that name the old
 * one name the new one then.  CONFLICT: there is a next one already, or a profile has a next RA certificate of its own; also for a CA under
 * a root elsewhere without own_key.  *out is the caller's to free; *profiles counts.
 */
enum manage_rc manage_rollover_prepare(struct manage *m, const struct manage_actor *by,
    const struct manage_rollover_order *o, struct authority_row *out, int *profiles,
    struct manage_report *r);

/*
 * The next generation of CA name (or the one of that name, if it is next) issues from now on, and its RA certificates are the profiles' current
 * ones; the old ones decrypt for overlap_s more.  Profiles that were made after prepare get theirs now.  *out is the new one, the caller's.
 */
enum manage_rc manage_rollover_switch(struct manage *m, const struct manage_actor *by,
    const char *name, int64_t overlap_s, struct authority_row *out, struct manage_report *r);

/* Take a prepared generation back, key files and all. */
enum manage_rc manage_rollover_cancel(
    struct manage *m, const struct manage_actor *by, const char *name, struct manage_report *r);

/* INVALID (overlap) unless 0 to MANAGE_OVERLAP_MAX_S. */
enum manage_rc manage_overlap_check(int64_t overlap_s, struct manage_report *r);

#endif
