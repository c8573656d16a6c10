/* certificate_import.h: certificates that another program issued under a CA that is here, so that they can be renewed and revoked here. */
#ifndef MANAGE_CERTIFICATE_IMPORT_H
#define MANAGE_CERTIFICATE_IMPORT_H

#include "fcgi-admin/manage/manage.h"
#include "store/certificate_row.h"

struct manage_import_order {
	const char *profile;   /* through which they may be renewed: name or uuid */
	const char *authority; /* whose they are; NULL: any generation of the profile's CA */
	int64_t revoked_at;    /* 0: they are not revoked */
	const char *reason;    /* of the revocation, as crl_reason_of_text() reads it; NULL: none */
};

/* What came of one. */
struct manage_imported {
	char serial[64]; /* hex; "" where it could not be read */
	char subject[1025];
	char authority[65]; /* that issued it */
};

/* One for any number of certificates.  The caller frees *out with manage_import_close(), which takes NULL; it is NULL unless OK. */
struct manage_import;
enum manage_rc manage_import_open(struct manage *m, const struct manage_actor *by,
    const struct manage_import_order *o, struct manage_import **out, struct manage_report *r);
void manage_import_close(struct manage_import *import);

/*
 * Import one.  INVALID: it is none, it is a CA's, or no CA of the order's signed it; CONFLICT: it is there already.  *out is filled as far as it
 * could be read.
 */
enum manage_rc manage_import_certificate(struct manage_import *import, struct octets der,
    struct manage_imported *out, struct manage_report *r);

#endif
