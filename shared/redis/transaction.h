/*
 * transaction.h: requests that wait for approval: each a hash with its own expiry; a sorted set of those that wait, by expiry.
 *
 * Keys: "{PROFILE-UUID}:t:HEX" (HEX the transaction's key), "{PROFILE-UUID}:transactions".  The caller's times count (base/clock); Redis' TTL
 * only sweeps, and is TRANSACTION_SWEEP_MS longer than the transaction's life, so that its end can be recorded and told to polls.
 */
#ifndef REDIS_TRANSACTION_H
#define REDIS_TRANSACTION_H

#include "redis/redis.h"

#define TRANSACTION_KEY_OCTETS	 32
#define TRANSACTION_SWEEP_MS	 86400000

/* Octets of one's parts at most. */
#define TRANSACTION_ID_MAX	 520
#define TRANSACTION_SUBJECT_MAX	 4096
#define TRANSACTION_DER_MAX	 65536 /* of the CSR, the signer, the predecessor each */
#define TRANSACTION_PASSWORD_MAX 8192

enum pending_state { PENDING_WAITS, PENDING_EXPIRED };

/* Slices of one that was read live in room; profile_id is the caller's. */
struct pending {
	const char *profile_id;
	uint8_t key[TRANSACTION_KEY_OCTETS];
	char id[37];		  /* uuid: names this very request, for people */
	enum pending_state state; /* EXPIRED also where only the time is over */
	int64_t created_ms;
	int64_t expires_ms;
	int64_t polls; /* so far */
	int message_type;
	char address[64];
	struct octets transaction_id; /* printable, as in the audit */
	char method[16];
	struct octets subject; /* RFC 4514 text */
	char key_type[32];
	struct octets csr;    /* DER */
	struct octets signer; /* DER */
	uint8_t repeat_key[32];
	struct octets challenge_id;    /* 32 octets, or empty */
	char challenge_token[33];      /* of its reservation; "" none */
	struct octets predecessor;     /* DER; or empty */
	struct octets sealed_password; /* or empty */
	int64_t enrollment_row;	       /* in the store: by what it was authorised; 0: by none */
	int64_t account_row;
	struct buffer room;
};
void pending_free(struct pending *p);

/*
 * Keep one, with its audit row in the same script (NULL: none).  One of the same key that waits already and has the same id or the same repeat key stays
 * as it is, DONE, and no row is queued; one of the same key and another request, or one that is expired, is replaced: whoever puts has
 * looked with transaction_get() and records the end of what was there.  REFUSED: max_pending wait already, or a part is larger than may be; AWAY also
 * where the audit queue is full.
 */
enum redis_rc transaction_put(struct redis *r, const struct pending *p, int64_t now_ms,
    int64_t max_pending, const char *audit_json, struct errbuf *why);

/* The one of this key, counting a poll where count_poll.  *there false: none, and nothing to free. */
enum redis_rc transaction_get(struct redis *r, const char *profile_id,
    const uint8_t key[TRANSACTION_KEY_OCTETS], int64_t now_ms, bool count_poll, bool *there,
    struct pending *out, struct errbuf *why);

/* Remove the one of this key and id: it is decided and in the store.  DONE also where it is gone. */
enum redis_rc transaction_remove(struct redis *r, const char *profile_id,
    const uint8_t key[TRANSACTION_KEY_OCTETS], const char *id, struct errbuf *why);

/* Those of one profile that wait at now, oldest expiry first, at most limit. */
enum redis_rc transaction_each(struct redis *r, const char *profile_id, int64_t now_ms, int limit,
    bool (*row)(void *ctx, const struct pending *p), void *ctx, struct errbuf *why);
/* How many wait at now. */
enum redis_rc transaction_waiting(
    struct redis *r, const char *profile_id, int64_t now_ms, int64_t *count, struct errbuf *why);
/* The one with this id (uuid) among them, expired ones too. */
enum redis_rc transaction_find(struct redis *r, const char *profile_id, const char *id,
    int64_t now_ms, bool *there, struct pending *out, struct errbuf *why);

/*
 * Up to limit whose time is over and whose end is not recorded yet: each is given to row(), which may call Redis too.  Then transaction_ended() marks it
 * expired, forgets its password and its reservation's token, and takes it from the set; the record stays for polls.  Marking twice, or one that
 * has been put anew since and waits at now, does no harm.
 */
enum redis_rc transaction_expired_each(struct redis *r, const char *profile_id, int64_t now_ms,
    int limit, bool (*row)(void *ctx, const struct pending *p), void *ctx, struct errbuf *why);
enum redis_rc transaction_ended(struct redis *r, const char *profile_id,
    const uint8_t key[TRANSACTION_KEY_OCTETS], const char *id, int64_t now_ms, struct errbuf *why);

#endif
