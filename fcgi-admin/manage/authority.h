/* authority.h: issuing CAs: making one, asking an offline root for one, importing one. */
#ifndef MANAGE_AUTHORITY_H
#define MANAGE_AUTHORITY_H

#include <openssl/evp.h>

#include "fcgi-admin/manage/manage.h"
#include "store/authority_row.h"

#define MANAGE_CHAIN_MAX 8 /* certificates from a CA up to its root */

struct manage_authority_order {
	const char *name;      /* manage_is_name() */
	const char *subject;   /* as name_from_text() reads it */
	const char *key;       /* as private_key_generate() reads it */
	int64_t validity_days; /* of a self-signed one */
	int path_length;       /* likewise; -1: none */
	/* Go into what it issues; "auto": where this service has it (SCEP_PUBLIC_URL); NULL: none. */
	const char *crl_url;
	const char *ocsp_url;
};

/* A self-signed CA, active at once.  out is the caller's to free with authority_row_free(); likewise below. */
enum manage_rc manage_authority_create(struct manage *m, const struct manage_actor *by,
    const struct manage_authority_order *o, struct authority_row *out, struct manage_report *r);

/* A key and a request for a root elsewhere to sign: pending until manage_authority_import(). */
enum manage_rc manage_authority_request(struct manage *m, const struct manage_actor *by,
    const struct manage_authority_order *o, struct authority_row *out, struct manage_report *r);

/*
 * The CA's certificate and those above it, each a DER object.  With key NULL they answer a pending request; otherwise
 * key is the CA's, and it is kept under the installation's passphrase.
 */
enum manage_rc manage_authority_import(struct manage *m, const struct manage_actor *by,
    const char *name, EVP_PKEY *key, const struct buffer *certificates, int count,
    struct authority_row *out, struct manage_report *r);

/*
 * Put the certificate of a CA that has this key, and those above it, into row (with its end), if they hold as for
 * manage_authority_import().
 */
enum manage_rc manage_authority_take_chain(EVP_PKEY *key, const struct buffer *certificates,
    int count, struct authority_row *row, struct manage_report *r);

/* NULL keeps; "" is none; "auto" as above. */
enum manage_rc manage_authority_set_urls(struct manage *m, const struct manage_actor *by,
    const char *name, const char *crl_url, const char *ocsp_url, struct manage_report *r);

/*
 * What a URL given for CA name means, into out; INVALID (crlUrl, ocspUrl) where it is no URL that a certificate may have.  "auto" with a
 * SCEP_PUBLIC_URL that devices hardly reach is warned of.
 */
#define MANAGE_URL 256
void manage_crl_url(struct manage *m, const char *name, const char *url, char out[MANAGE_URL],
    struct manage_report *r);
void manage_ocsp_url(struct manage *m, const char *name, const char *url, char out[MANAGE_URL],
    struct manage_report *r);

/* By name or uuid. */
enum manage_rc manage_authority_get(
    struct manage *m, const char *name, struct authority_row *out, struct manage_report *r);
enum manage_rc manage_authority_each(struct manage *m,
    bool (*row)(void *ctx, const struct authority_row *a), void *ctx, struct manage_report *r);

/* The next DER object of a chain as rows keep it, one behind the other; false at its end. */
bool manage_authority_next(struct octets *rest, struct octets *certificate);

/* A TLS certificate for the server in front, with a fresh P-256 key; committed with its audit event. */
struct manage_server_certificate {
	EVP_PKEY *key;		   /* the caller's to free */
	struct buffer certificate; /* DER; likewise */
	struct buffer chain;	   /* DER of the CA and what is above it, without a root */
	char serial[33];	   /* hex */
	int64_t not_after;
};
void manage_server_certificate_free(struct manage_server_certificate *c);

/* dns and ip: comma-separated, NULL or "" for none, but one of them is there. */
enum manage_rc manage_authority_server_certificate(struct manage *m, const struct manage_actor *by,
    const char *name, const char *dns, const char *ip, int64_t validity_days,
    struct manage_server_certificate *out, struct manage_report *r);

#endif
