/* outbound_row.h: whom we call: tenants of Microsoft Intune, and webhooks.  What they are called with is sealed by the master key. */
#ifndef STORE_OUTBOUND_ROW_H
#define STORE_OUTBOUND_ROW_H

#include "store/audit_event.h"
#include "store/store.h"

#define OUTBOUND_SEALED_MAX 16384

struct intune_row {
	char id[37];
	char name[65];	  /* unique */
	char tenant[256]; /* GUID or domain name */
	char client_id[64];
	uint8_t sealed_key[1024]; /* the client secret; bound to the row's id */
	size_t sealed_key_len;
	bool revocations;	/* its revocation requests are fetched and carried out */
	int64_t revocations_at; /* when they last were; 0: never */
	int64_t created_at;
};
/* Raises config_version.  CONFLICT: the name is taken; on delete: a profile has it.  NONE: not there. */
enum store_rc store_intune_insert(
    struct store *st, const struct intune_row *i, const struct audit_event *e, struct errbuf *why);
enum store_rc store_intune_update(
    struct store *st, const struct intune_row *i, const struct audit_event *e, struct errbuf *why);
enum store_rc store_intune_delete(
    struct store *st, const char *name_or_id, const struct audit_event *e, struct errbuf *why);
enum store_rc store_intune_get(
    struct store *st, const char *name_or_id, struct intune_row *out, struct errbuf *why);
enum store_rc store_intune_each(struct store *st,
    bool (*row)(void *ctx, const struct intune_row *i), void *ctx, struct errbuf *why);
/* No configuration: raises no version. */
enum store_rc store_intune_revocations_at(
    struct store *st, const char *id, int64_t at, struct errbuf *why);

#define WEBHOOKS_MAX 8 /* of one profile */

struct webhook_row {
	char id[37];
	char profile_id[37];
	char kind[16];			 /* validate, notify */
	char name[65];			 /* unique under the profile */
	char url[1024];			 /* https:// */
	char authentication[16];	 /* none, bearer, basic, mtls */
	struct buffer sealed_secret;	 /* keys the HMAC; bound to the row's id */
	struct buffer sealed_credential; /* empty with none */
	char ca_file[256];		 /* "": the system's CAs */
	bool allow_private;		 /* private and link-local addresses may be called */
	int64_t timeout_ms;
	bool enabled;
	int64_t created_at;
};
void webhook_row_free(struct webhook_row *w);
/* Raises config_version.  CONFLICT: the name is taken.  NONE: not there.  What get() and each() give has buffers: each() frees its own. */
enum store_rc store_webhook_insert(
    struct store *st, const struct webhook_row *w, const struct audit_event *e, struct errbuf *why);
enum store_rc store_webhook_update(
    struct store *st, const struct webhook_row *w, const struct audit_event *e, struct errbuf *why);
enum store_rc store_webhook_delete(
    struct store *st, const char *id, const struct audit_event *e, struct errbuf *why);
enum store_rc store_webhook_get(struct store *st, const char *profile_id, const char *name_or_id,
    struct webhook_row *out, struct errbuf *why);
enum store_rc store_webhook_each(struct store *st, const char *profile_id,
    bool (*row)(void *ctx, const struct webhook_row *w), void *ctx, struct errbuf *why);

#endif
