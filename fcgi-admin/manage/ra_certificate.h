/* ra_certificate.h: RA keys and the certificates that a CA gives them: at the making of a profile, at a rollover, at a rotation. */
#ifndef MANAGE_RA_CERTIFICATE_H
#define MANAGE_RA_CERTIFICATE_H

#include "fcgi-admin/manage/manage.h"
#include "store/authority_row.h"

/* INVALID raKey unless kind is one of the RSA kinds: what devices encrypt to is RSA, whatever the CA has. */
void manage_ra_check_key(const char *kind, struct manage_report *r);

/*
 * Key, certificate and row of an RA for the profile of this name, by a CA that is active or next; nothing is committed.  OK: the key file is
 * there (manage_key_discard() removes it) and the caller frees *ra with ra_certificate_row_free(), as it does on failure.
 */
enum manage_rc manage_ra_make(struct manage *m, const char *profile, const char *kind,
    const struct authority_row *ca, struct ra_certificate_row *ra, struct manage_report *r);

/* The kind of key that a certificate has, as private_key_generate() reads it: "rsa:3072", "ec:P-256".  false: none that is made here. */
#define MANAGE_KEY_KIND 32
bool manage_key_kind(struct octets certificate, char kind[MANAGE_KEY_KIND]);

/* The next RA certificate of a profile (uuid).  NOT_FOUND: it has none.  The caller frees *out, as on failure. */
enum manage_rc manage_ra_next(struct manage *m, const char *profile_id,
    struct ra_certificate_row *out, struct manage_report *r);

/* Make one and commit it as the profile's next one. */
enum manage_rc manage_ra_prepare(struct manage *m, const struct manage_actor *by,
    const char *profile_id, const char *profile, const char *kind, const struct authority_row *ca,
    struct manage_report *r);

#endif
