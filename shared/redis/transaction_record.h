/* transaction_record.h: the fields of a transaction's hash, for the scripts that write it and the code that reads it.  For this room alone. */
#ifndef REDIS_TRANSACTION_RECORD_H
#define REDIS_TRANSACTION_RECORD_H

#include "redis/command.h"
#include "redis/transaction.h"

#include <hiredis/hiredis.h>

/* clang-format off */
#define TRANSACTION_FIELDS(F)                                                                      \
	F(ID, "id")                                                                                \
	F(STATE, "state")                                                                          \
	F(CREATED, "created")                                                                      \
	F(EXPIRES, "expires")                                                                      \
	F(POLLS, "polls")                                                                          \
	F(TYPE, "type")                                                                            \
	F(ADDRESS, "address")                                                                      \
	F(TRANSACTION_ID, "transaction-id")                                                        \
	F(METHOD, "method")                                                                        \
	F(SUBJECT, "subject")                                                                      \
	F(KEY_TYPE, "key-type")                                                                    \
	F(CSR, "csr")                                                                              \
	F(SIGNER, "signer")                                                                        \
	F(REPEAT, "repeat")                                                                        \
	F(CHALLENGE, "challenge")                                                                  \
	F(TOKEN, "token")                                                                          \
	F(PREDECESSOR, "predecessor")                                                              \
	F(PASSWORD, "password")                                                                    \
	F(ENROLLMENT, "enrollment")                                                                \
	F(ACCOUNT, "account")
/* clang-format on */

#define TRANSACTION_FIELD_SYMBOL(symbol, name) TRANSACTION_FIELD_##symbol,
enum transaction_field { TRANSACTION_FIELDS(TRANSACTION_FIELD_SYMBOL) TRANSACTION_FIELD_COUNT };

#define TRANSACTION_WAITS	 "waits" /* the state that is not "expired" */
#define TRANSACTION_NAME_SIZE	 (2 * TRANSACTION_KEY_OCTETS + 1)

/* From here on a record that an older program wrote has none: as if empty. */
#define TRANSACTION_FIELDS_FIRST TRANSACTION_FIELD_ENROLLMENT

const char *transaction_record_field(enum transaction_field field);

/* The hexadecimal name of a record; the keys of that record and of its profile's set, each as the next argument. */
void transaction_record_name(
    const uint8_t key[TRANSACTION_KEY_OCTETS], char name[TRANSACTION_NAME_SIZE]);
void transaction_record_key(struct command *c, const char *profile_id, const char *name);
void transaction_record_set_key(struct command *c, const char *profile_id);

/* The whole command that reads all fields of a record, in order. */
void transaction_record_command(struct command *c, const char *profile_id, const char *name);
/* Its reply: DONE with *there, and *out filled where true (the caller frees it); AWAY: the reply is none of a record. */
enum redis_rc transaction_record_read(struct redis *r, const redisReply *reply,
    const char *profile_id, const char *name, int64_t now_ms, bool *there, struct pending *out,
    struct errbuf *why);
/* Command and reply at once. */
enum redis_rc transaction_record_get(struct redis *r, const char *profile_id, const char *name,
    int64_t now_ms, bool *there, struct pending *out, struct errbuf *why);

#endif
