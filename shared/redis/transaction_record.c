#include "redis/transaction_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "redis/exchange.h"

#define FIELD_NAME(symbol, name) name,
static const char *const field_names[TRANSACTION_FIELD_COUNT] = {TRANSACTION_FIELDS(FIELD_NAME)};

const char *
transaction_record_field(enum transaction_field field)
{
	return field_names[field];
}

void
transaction_record_name(const uint8_t key[TRANSACTION_KEY_OCTETS], char name[TRANSACTION_NAME_SIZE])
{
	encoding_hex(octets_of(key, TRANSACTION_KEY_OCTETS), name);
}

void
transaction_record_key(struct command *c, const char *profile_id, const char *name)
{
	command_key(c, profile_id, "t:%s", name);
}

void
transaction_record_set_key(struct command *c, const char *profile_id)
{
	command_key(c, profile_id, "transactions");
}

/* A reply's string, whole, as text; false when it does not fit. */
static bool
copy_text(const redisReply *reply, char *out, size_t size)
{
	if (reply->len >= size)
		return false;
	memcpy(out, reply->str, reply->len);
	out[reply->len] = '\0';
	return true;
}

/* The octets of the fields that may be long, one behind the other in room, and the slices into it. */
static bool
keep_slices(const redisReply *reply, struct pending *out)
{
	const struct {
		enum transaction_field field;
		struct octets *slice;
	} slices[] = {
	    {TRANSACTION_FIELD_TRANSACTION_ID, &out->transaction_id},
	    {TRANSACTION_FIELD_SUBJECT, &out->subject},
	    {TRANSACTION_FIELD_CSR, &out->csr},
	    {TRANSACTION_FIELD_SIGNER, &out->signer},
	    {TRANSACTION_FIELD_CHALLENGE, &out->challenge_id},
	    {TRANSACTION_FIELD_PREDECESSOR, &out->predecessor},
	    {TRANSACTION_FIELD_PASSWORD, &out->sealed_password},
	};
	const size_t count = sizeof(slices) / sizeof(slices[0]);
	const redisReply *value;
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		value = reply->element[slices[i].field];
		buffer_append(&out->room, value->str, value->len);
	}
	if (out->room.failed)
		return false;
	for (size_t i = 0; i < count; i++) {
		value = reply->element[slices[i].field];
		*slices[i].slice =
		    octets_of(value->len > 0 ? out->room.data + at : NULL, value->len);
		at += value->len;
	}
	return true;
}

/* A number of a field that may not be there. */
static int64_t
later_number(const redisReply *value)
{
	return value->type == REDIS_REPLY_STRING ? strtoll(value->str, NULL, 10) : 0;
}

/* The values of all fields, which are strings, into *out. */
static bool
read_fields(const redisReply *reply, int64_t now_ms, struct pending *out)
{
	redisReply *const *f = reply->element;

	out->created_ms = strtoll(f[TRANSACTION_FIELD_CREATED]->str, NULL, 10);
	out->expires_ms = strtoll(f[TRANSACTION_FIELD_EXPIRES]->str, NULL, 10);
	out->polls = strtoll(f[TRANSACTION_FIELD_POLLS]->str, NULL, 10);
	out->message_type = (int)strtol(f[TRANSACTION_FIELD_TYPE]->str, NULL, 10);
	out->enrollment_row = later_number(f[TRANSACTION_FIELD_ENROLLMENT]);
	out->account_row = later_number(f[TRANSACTION_FIELD_ACCOUNT]);
	out->state = strcmp(f[TRANSACTION_FIELD_STATE]->str, TRANSACTION_WAITS) == 0 &&
			     out->expires_ms > now_ms
			 ? PENDING_WAITS
			 : PENDING_EXPIRED;
	if (f[TRANSACTION_FIELD_REPEAT]->len != sizeof(out->repeat_key))
		return false;
	memcpy(out->repeat_key, f[TRANSACTION_FIELD_REPEAT]->str, sizeof(out->repeat_key));
	return copy_text(f[TRANSACTION_FIELD_ID], out->id, sizeof(out->id)) &&
	       copy_text(f[TRANSACTION_FIELD_ADDRESS], out->address, sizeof(out->address)) &&
	       copy_text(f[TRANSACTION_FIELD_METHOD], out->method, sizeof(out->method)) &&
	       copy_text(f[TRANSACTION_FIELD_KEY_TYPE], out->key_type, sizeof(out->key_type)) &&
	       copy_text(f[TRANSACTION_FIELD_TOKEN], out->challenge_token,
		   sizeof(out->challenge_token)) &&
	       keep_slices(reply, out);
}

enum redis_rc
transaction_record_read(struct redis *r, const redisReply *reply, const char *profile_id,
    const char *name, int64_t now_ms, bool *there, struct pending *out, struct errbuf *why)
{
	*there = false;
	*out = (struct pending){.profile_id = profile_id};
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != TRANSACTION_FIELD_COUNT ||
	    !encoding_unhex(name, out->key, sizeof(out->key)))
		return exchange_unexpected(r, "transaction", why);
	for (size_t i = 0; i < TRANSACTION_FIELDS_FIRST; i++)
		if (reply->element[i]->type == REDIS_REPLY_NIL)
			return REDIS_DONE;
		else if (reply->element[i]->type != REDIS_REPLY_STRING)
			return exchange_unexpected(r, "transaction", why);
	if (!read_fields(reply, now_ms, out)) {
		pending_free(out);
		return exchange_unexpected(r, "transaction", why);
	}
	*there = true;
	return REDIS_DONE;
}

void
transaction_record_command(struct command *c, const char *profile_id, const char *name)
{
	command_start(c, "HMGET");
	transaction_record_key(c, profile_id, name);
	for (int i = 0; i < TRANSACTION_FIELD_COUNT; i++)
		command_text(c, field_names[i]);
}

enum redis_rc
transaction_record_get(struct redis *r, const char *profile_id, const char *name, int64_t now_ms,
    bool *there, struct pending *out, struct errbuf *why)
{
	struct command c;
	const struct command *one = &c;
	redisReply *reply;
	enum redis_rc rc;

	*there = false;
	*out = (struct pending){0};
	transaction_record_command(&c, profile_id, name);
	if ((rc = exchange(r, &one, 1, true, &reply, why)) != REDIS_DONE)
		return rc;
	rc = transaction_record_read(r, reply, profile_id, name, now_ms, there, out, why);
	exchange_free(&reply, 1);
	return rc;
}
