/* webhook.h: an operator's own services that a profile asks before it issues (validate) or tells afterwards (notify). */
#ifndef MANAGE_WEBHOOK_H
#define MANAGE_WEBHOOK_H

#include "fcgi-admin/manage/manage.h"
#include "store/outbound_row.h"

#define MANAGE_WEBHOOK_SECRET	      32 /* octets that are drawn */
#define MANAGE_WEBHOOK_SECRET_MAX     256
#define MANAGE_WEBHOOK_CREDENTIAL_MAX 12288
#define MANAGE_WEBHOOK_TIMEOUT_MS     5000

/* What may be set; NULL and -1 keep.  On create url is required, authentication is none unless given, it is enabled. */
struct manage_webhook_change {
	const char *url; /* https:// */
	const char *
	    authentication; /* none, bearer, basic, mtls; each but none comes with its credential */
	const struct octets
	    *credential;	     /* the token; "user:password"; PEM of certificate and key */
	const struct octets *secret; /* keys the HMAC, raw: 16 to 256 octets */
	bool new_secret;	     /* draw one: it is shown this once */
	const char *ca_file;	     /* "": the system's CAs */
	int allow_private;	     /* -1, 0, 1: private and link-local addresses may be called */
	int64_t timeout_ms;	     /* 100 to 60,000 */
	int enabled;
};
#define MANAGE_WEBHOOK_KEEP                                                                        \
	{                                                                                          \
		.allow_private = -1, .timeout_ms = -1, .enabled = -1                               \
	}

/*
 * kind: validate, notify.  Without a secret in c one is drawn.  drawn gets what was drawn, in base64, to be shown this once; the caller frees
 * it with buffer_free(), which wipes.  FULL: the profile has WEBHOOKS_MAX.
 */
enum manage_rc manage_webhook_create(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *name, const char *kind, const struct manage_webhook_change *c,
    struct buffer *drawn, struct webhook_row *out, struct manage_report *r);
/* webhook: name or uuid, likewise below.  CONFLICT: an enabled profile of mode webhook would be left without one that validates. */
enum manage_rc manage_webhook_set(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *webhook, const struct manage_webhook_change *c,
    struct buffer *drawn, struct webhook_row *out, struct manage_report *r);
/* What it gives has buffers, also after a failure: webhook_row_free(). */
enum manage_rc manage_webhook_get(struct manage *m, const char *profile, const char *webhook,
    struct webhook_row *out, struct manage_report *r);
enum manage_rc manage_webhook_delete(struct manage *m, const struct manage_actor *by,
    const char *profile, const char *webhook, struct manage_report *r);
/* row() must not call back into the store. */
enum manage_rc manage_webhook_each(struct manage *m, const char *profile,
    bool (*row)(void *ctx, const struct webhook_row *w), void *ctx, struct manage_report *r);

/* How many enabled ones of the kind the profile (its id) has, but for that named except (its id; NULL: none). */
enum manage_rc manage_webhook_count(struct manage *m, const char *profile_id, const char *kind,
    const char *except, int *count, struct manage_report *r);

/*
 * Call it as an enrolment would, with a CSR made for it and the challenge that is given (webhook_test.c).  OK with what an enrolment would have
 * come to; message is why not, or what the service said.  CONFLICT with why: it could not be reached.
 */
struct manage_webhook_answer {
	bool allowed; /* of one that is told: it took the news */
	char message[256];
};
enum manage_rc manage_webhook_test(struct manage *m, const char *profile, const char *webhook,
    struct octets challenge, struct manage_webhook_answer *out, struct manage_report *r);

#endif
