/*
 * manage.h: what every verb of management needs: settings, store, Redis and master key, who acts, and what came of it.
 *
 * The verbs are the functions manage_…_VERB() of this room, the same for scepctl and for the API: they know no HTTP, no JSON
 * and no argv.  What changes something writes its audit event in the same transaction.
 */
#ifndef MANAGE_MANAGE_H
#define MANAGE_MANAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/errbuf.h"
#include "base/master_key.h"
#include "base/settings.h"
#include "redis/redis.h"
#include "store/audit_event.h"
#include "store/store.h"

enum manage_rc {
	MANAGE_OK = 0,
	MANAGE_INVALID,	  /* faults[] names the fields and what is wrong with each */
	MANAGE_NOT_FOUND, /* no such thing */
	MANAGE_CONFLICT,  /* the name is taken, or the state of things does not allow it */
	MANAGE_FORBIDDEN, /* not this caller */
	MANAGE_FULL,	  /* as many as may be are there already */
	MANAGE_AWAY,	  /* store or Redis cannot be reached, or not now */
	MANAGE_FAULT	  /* ours: a file, OpenSSL, memory */
};

/* Who acts, for the audit.  Texts are borrowed; address and request_id may be NULL. */
struct manage_actor {
	const char *who; /* "scepctl:USER", "token:NAME", "system" */
	const char *address;
	const char *request_id;
};

#define MANAGE_FAULTS_MAX   16
#define MANAGE_WARNINGS_MAX 8

struct manage_field_fault {
	char name[64];	   /* in camelCase: validityDays */
	char message[256]; /* what it wants */
};

/* What came of a call.  Zero-initialise it. */
struct manage_report {
	struct errbuf
	    why; /* one line; with all but AWAY and FAULT it is fit for the caller to read */
	struct manage_field_fault faults[MANAGE_FAULTS_MAX]; /* with INVALID */
	int fault_count;
	struct errbuf warnings[MANAGE_WARNINGS_MAX]; /* done, but the caller should know */
	int warning_count;
};

/* One for one process, after fork.  Each part is opened when a verb first needs it, and stays open. */
struct manage {
	const struct settings *settings;
	struct store *store;
	struct redis *redis;
	struct master_key *master_key;
	int64_t token_used_after_ms; /* see manage_token_find(): by clock_monotonic_ms() */
};

/* Borrows settings for its life. */
void manage_open(struct manage *m, const struct settings *s);
void manage_close(struct manage *m);

/* Open what is named unless it is open.  The master key comes with the store and is checked against it. */
enum manage_rc manage_need_store(struct manage *m, struct manage_report *r);
enum manage_rc manage_need_redis(struct manage *m, struct manage_report *r);
enum manage_rc manage_need_master_key(struct manage *m, struct manage_report *r);

/* Say that a field is wrong; returns MANAGE_INVALID. */
enum manage_rc manage_invalid(struct manage_report *r, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* INVALID with a line in why when a field was wrong, else OK. */
enum manage_rc manage_validity(struct manage_report *r);
/* All faults in one line. */
void manage_faults_text(const struct manage_report *r, char out[256]);
void manage_warn(struct manage_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Set why and return rc. */
enum manage_rc manage_fail(struct manage_report *r, enum manage_rc rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What a result of the store is here.  NONE and CONFLICT get "what name" in why: "profile demo is not there". */
enum manage_rc manage_of_store(
    enum store_rc rc, const char *what, const char *name, struct manage_report *r);

/* An audit event of an action that succeeded now, with who did it. */
struct audit_event manage_event(const struct manage_actor *by, const char *action,
    const char *resource_type, const char *resource_id);

/* Append "name: before -> after" to the list of what a change did. */
void manage_changed(
    struct buffer *changes, const char *name, const char *before, const char *after);
void manage_changed_number(struct buffer *changes, const char *name, int64_t before, int64_t after);

/*
 * Give a file that root just made to the owner of its directory, so that the service, which is not root, can read it.  Does nothing for
 * other users.  false with why.
 */
bool manage_adopt(const char *path, struct errbuf *why);

/* The content of a serial number's INTEGER in hexadecimal, as the store gives it: 16 octets or more; "" where it is longer than any may be. */
#define MANAGE_SERIAL 64
void manage_serial_text(struct octets serial, char out[MANAGE_SERIAL]);

/* Name a field that is no UTF-8, has control characters or more than max octets, or is empty though it is required.  NULL has no faults. */
void manage_check_text(
    struct manage_report *r, const char *name, const char *value, size_t max, bool required);

/* NULL for "": how an audit event says that there is none. */
const char *manage_or_null(const char *text);

/* Set a text unless value is NULL, and append "name: before -> after" where it differs. */
void manage_set_text(
    const char *name, const char *value, char *target, size_t size, struct buffer *changes);

/* A name in a URL: [A-Za-z0-9._-]{1,64}, none of the words that mean something there. */
bool manage_is_name(const char *name);

#endif
