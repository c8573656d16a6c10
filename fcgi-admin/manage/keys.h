/* keys.h: the key files of CAs and RAs, and certificates that a CA signs outside enrolment (RA, TLS server). */
#ifndef MANAGE_KEYS_H
#define MANAGE_KEYS_H

#include <openssl/evp.h>

#include "fcgi-admin/manage/manage.h"
#include "pki/signer.h"
#include "store/authority_row.h"

#define MANAGE_KEY_FILE	  256 /* octets of a key file's name with its NUL */
#define MANAGE_BACKDATE_S 300 /* notBefore lies this far back: devices' clocks are late */

/* Save key under the installation's passphrase as PREFIX-ID.key in the key directory; file gets the name alone. */
enum manage_rc manage_key_save(struct manage *m, EVP_PKEY *key, const char *prefix, const char *id,
    char file[MANAGE_KEY_FILE], struct manage_report *r);
/* Remove a file that manage_key_save() made and nothing refers to; "" is nothing. */
void manage_key_discard(struct manage *m, const char *file);

/* Open the CA's key.  The caller frees *out with signer_free(). */
enum manage_rc manage_signer_open(
    struct manage *m, const char *file, struct signer **out, struct manage_report *r);

/* What a CA is to sign; slices are borrowed for the call. */
struct manage_certificate_order {
	const struct authority_row *authority;
	struct octets subject; /* Name, DER */
	struct octets spki;
	struct octets san; /* GeneralNames, DER; empty: none */
	const char *eku;   /* as eku_of_text() reads it; "": none */
	int key_usage;
	int64_t validity_days; /* cut to the CA's end */
	struct octets extra;   /* further Extension elements, DER; empty: none */
	/* For the service itself (RA, OCSP responder): a CA that is next or retired signs it too, and no URL goes into it. */
	bool own;
};

struct manage_certificate {
	uint8_t serial[16];
	int64_t not_before;
	int64_t not_after;
	struct buffer der; /* the caller's to free */
};

/* Sign, without committing anything. */
enum manage_rc manage_certificate_sign(struct manage *m, const struct manage_certificate_order *o,
    struct manage_certificate *out, struct manage_report *r);

#endif
