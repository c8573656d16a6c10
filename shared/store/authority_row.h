/* authority_row.h: issuing CAs and RA certificates as rows; their keys are files, named by reference. */
#ifndef STORE_AUTHORITY_ROW_H
#define STORE_AUTHORITY_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

/* A CA that issues, or one that waits for its certificate (certificate empty, request filled: "pending"). */
struct authority_row {
	char id[37];
	char name[65];		   /* unique slug [A-Za-z0-9._-]{1,64} */
	char state[16];		   /* active, pending, retired */
	char key_file[256];	   /* relative to the key directory */
	struct buffer certificate; /* DER */
	struct buffer
	    chain; /* DER certificates above it, one after the other, up to the root; may be empty */
	struct buffer request; /* PKCS#10 while pending */
	char crl_url[256];     /* goes into what it issues; "" none */
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
enum store_rc store_authority_set_crl_url(struct store *st, const char *id, const char *url,
    const struct audit_event *e, struct errbuf *why);
enum store_rc store_authority_each(struct store *st,
    bool (*row)(void *ctx, const struct authority_row *a), void *ctx, struct errbuf *why);

struct ra_certificate_row {
	char id[37];
	char authority_id[37];
	char key_file[256];
	struct buffer certificate; /* DER */
	int64_t not_after;
	int64_t created_at;
};
void ra_certificate_row_free(struct ra_certificate_row *r);
enum store_rc store_ra_certificate_get(
    struct store *st, const char *id, struct ra_certificate_row *out, struct errbuf *why);
enum store_rc store_ra_certificate_each(struct store *st,
    bool (*row)(void *ctx, const struct ra_certificate_row *r), void *ctx, struct errbuf *why);

#endif
