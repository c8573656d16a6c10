/* audit_event.h: one row of the audit: what happened, to what, by whom, and why not. */
#ifndef STORE_AUDIT_EVENT_H
#define STORE_AUDIT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/octets.h"
#include "store/store.h"

/* Texts are borrowed; NULL is "not known".  All are cut to 1,024 octets and made valid UTF-8 when stored. */
struct audit_event {
	const char *
	    event_id; /* a uuid that makes a queued row land once; NULL for rows written directly */
	int64_t time_ms;	   /* since 1970 */
	const char *actor;	   /* "device", "scepctl:root", "token:NAME", "system" */
	const char *address;	   /* of the client */
	const char *action;	   /* scep.enrol, challenge.mint, profile.create, … */
	const char *resource_type; /* profile, certificate, authority, token, challenge */
	const char *resource_id;
	const char *profile;	    /* its name */
	const char *outcome;	    /* success, pending, refused, failed */
	const char *transaction_id; /* printable as it is, else hex:… */
	const char *message_type;   /* PKCSReq, … */
	const char *fail_info;	    /* badRequest, … */
	const char *reason;	    /* why, for people: no secrets */
	const char *
	    stage; /* parsed, verified, decrypted, authorised, issued, answered: the one that was reached */
	const char *serial;    /* hex */
	const char *subject;   /* RFC 4514 */
	const char *digest;    /* SHA-256 */
	const char *cipher;    /* AES-256-CBC */
	const char *key_type;  /* RSA-2048 */
	const char *transport; /* http-get, http-post, https-get, https-post */
	const char *request_id;
	const char *organization; /* of the account or seat */
	const char *department;
	int64_t count; /* 1; more where a flood was counted into one row */
};

/* The event as one line of JSON (flat, absent members left out), and back: the form in which it waits in Redis. */
bool audit_event_to_json(const struct audit_event *e, struct buffer *out);
/* Fills e with texts that live in room (a copy of the text, changed in place); false when it is not such a line. */
bool audit_event_of_json(char *room, struct audit_event *e);

/* Write rows in one transaction; rows whose event_id is there already are passed over. */
enum store_rc store_audit_write(
    struct store *st, const struct audit_event *events, int count, struct errbuf *why);

/* Newest first below before_id (0: from the newest); called for each row; at most limit rows (<= 500).  failed: refused and failed only. */
struct audit_filter {
	int64_t before_id;
	int64_t after_id; /* rows above it, oldest first, when before_id is 0 and after_id > 0 */
	int limit;
	bool failed;
	const char *profile;
	const char *transaction_id;
};
enum store_rc store_audit_list(struct store *st, const struct audit_filter *f,
    bool (*row)(void *ctx, int64_t id, const struct audit_event *e), void *ctx, struct errbuf *why);

/* Delete up to 500 rows older than time_ms; *deleted says how many. */
enum store_rc store_audit_purge(
    struct store *st, int64_t before_ms, int *deleted, struct errbuf *why);

#endif
