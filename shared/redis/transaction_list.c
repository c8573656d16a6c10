/* transaction_list.c: the transactions of a profile one after the other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis/exchange.h"
#include "redis/transaction_record.h"

#define BATCH 16 /* records that are read in one round trip */

/* The names in the set from min to max (as ZRANGEBYSCORE has them), oldest expiry first; the caller frees the reply. */
static enum redis_rc
list_names(struct redis *r, const char *profile_id, const char *min, const char *max, int64_t limit,
    redisReply **names, struct errbuf *why)
{
	struct command c;
	const struct command *one = &c;
	enum redis_rc rc;

	command_start(&c, "ZRANGEBYSCORE");
	transaction_record_set_key(&c, profile_id);
	command_text(&c, min);
	command_text(&c, max);
	command_text(&c, "LIMIT");
	command_number(&c, 0);
	command_number(&c, limit);
	if ((rc = exchange(r, &one, 1, true, names, why)) != REDIS_DONE)
		return rc;
	if ((*names)->type != REDIS_REPLY_ARRAY)
		goto unexpected;
	for (size_t i = 0; i < (*names)->elements; i++)
		if ((*names)->element[i]->type != REDIS_REPLY_STRING ||
		    (*names)->element[i]->len != TRANSACTION_NAME_SIZE - 1)
			goto unexpected;
	return REDIS_DONE;

unexpected:
	exchange_free(names, 1);
	return exchange_unexpected(r, "ZRANGEBYSCORE", why);
}

struct walk {
	const char *profile_id;
	int64_t now_ms;
	bool sweep; /* names without a record leave the set */
	bool (*row)(void *ctx, const struct pending *p);
	void *ctx;
	bool more;
};

/* Redis has swept the record. */
static enum redis_rc
forget_name(struct redis *r, const char *profile_id, const char *name, struct errbuf *why)
{
	struct command c;
	const struct command *one = &c;
	redisReply *reply;
	enum redis_rc rc;

	command_start(&c, "ZREM");
	transaction_record_set_key(&c, profile_id);
	command_text(&c, name);
	if ((rc = exchange(r, &one, 1, true, &reply, why)) == REDIS_DONE)
		exchange_free(&reply, 1);
	return rc;
}

static enum redis_rc
walk_record(
    struct redis *r, struct walk *w, const char *name, const redisReply *reply, struct errbuf *why)
{
	struct pending p;
	enum redis_rc rc;
	bool there;

	if ((rc = transaction_record_read(
		 r, reply, w->profile_id, name, w->now_ms, &there, &p, why)) != REDIS_DONE)
		return rc;
	if (!there)
		return w->sweep ? forget_name(r, w->profile_id, name, why) : REDIS_DONE;
	/* Decided or put anew since the names were read. */
	if (p.state == (w->sweep ? PENDING_EXPIRED : PENDING_WAITS))
		w->more = w->row(w->ctx, &p);
	pending_free(&p);
	return REDIS_DONE;
}

static enum redis_rc
walk_batch(struct redis *r, struct walk *w, redisReply *const *names, int count, struct errbuf *why)
{
	const struct command *pointers[BATCH] = {0};
	redisReply *replies[BATCH];
	struct command *commands;
	enum redis_rc rc;

	if ((commands = calloc((size_t)count, sizeof(*commands))) == NULL) {
		errbuf_set(why, "transactions: out of memory");
		return REDIS_AWAY;
	}
	for (int i = 0; i < count; i++) {
		transaction_record_command(&commands[i], w->profile_id, names[i]->str);
		pointers[i] = &commands[i];
	}
	rc = exchange(r, pointers, count, true, replies, why);
	free(commands);
	if (rc != REDIS_DONE)
		return rc;
	for (int i = 0; i < count && w->more && rc == REDIS_DONE; i++)
		rc = walk_record(r, w, names[i]->str, replies[i], why);
	exchange_free(replies, count);
	return rc;
}

static enum redis_rc
walk(struct redis *r, struct walk *w, const char *min, const char *max, int limit,
    struct errbuf *why)
{
	redisReply *names;
	enum redis_rc rc;
	size_t n;

	if ((rc = list_names(r, w->profile_id, min, max, limit, &names, why)) != REDIS_DONE)
		return rc;
	for (size_t i = 0; i < names->elements && w->more && rc == REDIS_DONE; i += BATCH) {
		n = names->elements - i < BATCH ? names->elements - i : BATCH;
		rc = walk_batch(r, w, names->element + i, (int)n, why);
	}
	exchange_free(&names, 1);
	return rc;
}

enum redis_rc
transaction_each(struct redis *r, const char *profile_id, int64_t now_ms, int limit,
    bool (*row)(void *ctx, const struct pending *p), void *ctx, struct errbuf *why)
{
	struct walk w = {
	    .profile_id = profile_id, .now_ms = now_ms, .row = row, .ctx = ctx, .more = true};
	char after[32];

	snprintf(after, sizeof(after), "(%lld", (long long)now_ms);
	return walk(r, &w, after, "+inf", limit, why);
}

enum redis_rc
transaction_waiting(
    struct redis *r, const char *profile_id, int64_t now_ms, int64_t *count, struct errbuf *why)
{
	struct command c;
	const struct command *one = &c;
	char after[32];
	redisReply *reply;
	enum redis_rc rc;

	snprintf(after, sizeof(after), "(%lld", (long long)now_ms);
	command_start(&c, "ZCOUNT");
	transaction_record_set_key(&c, profile_id);
	command_text(&c, after);
	command_text(&c, "+inf");
	if ((rc = exchange(r, &one, 1, true, &reply, why)) != REDIS_DONE)
		return rc;
	if (!exchange_integer(reply, count))
		rc = exchange_unexpected(r, "ZCOUNT", why);
	exchange_free(&reply, 1);
	return rc;
}

enum redis_rc
transaction_expired_each(struct redis *r, const char *profile_id, int64_t now_ms, int limit,
    bool (*row)(void *ctx, const struct pending *p), void *ctx, struct errbuf *why)
{
	struct walk w = {.profile_id = profile_id,
	    .now_ms = now_ms,
	    .sweep = true,
	    .row = row,
	    .ctx = ctx,
	    .more = true};
	char until[32];

	snprintf(until, sizeof(until), "%lld", (long long)now_ms);
	return walk(r, &w, "-inf", until, limit, why);
}

/* Which of count names has the record of this id; -1: none. */
static enum redis_rc
find_in_batch(struct redis *r, const char *profile_id, redisReply *const *names, int count,
    const char *id, int *found, struct errbuf *why)
{
	struct command commands[BATCH];
	const struct command *pointers[BATCH] = {0};
	redisReply *replies[BATCH];
	enum redis_rc rc;

	*found = -1;
	for (int i = 0; i < count; i++) {
		command_start(&commands[i], "HGET");
		transaction_record_key(&commands[i], profile_id, names[i]->str);
		command_text(&commands[i], transaction_record_field(TRANSACTION_FIELD_ID));
		pointers[i] = &commands[i];
	}
	if ((rc = exchange(r, pointers, count, true, replies, why)) != REDIS_DONE)
		return rc;
	for (int i = 0; i < count && *found < 0; i++)
		if (replies[i]->type == REDIS_REPLY_STRING && strcmp(replies[i]->str, id) == 0)
			*found = i;
	exchange_free(replies, count);
	return REDIS_DONE;
}

enum redis_rc
transaction_find(struct redis *r, const char *profile_id, const char *id, int64_t now_ms,
    bool *there, struct pending *out, struct errbuf *why)
{
	redisReply *names;
	enum redis_rc rc;
	int found = -1;
	size_t n, i;

	*there = false;
	*out = (struct pending){0};
	if ((rc = list_names(r, profile_id, "-inf", "+inf", -1, &names, why)) != REDIS_DONE)
		return rc;
	for (i = 0; i < names->elements && rc == REDIS_DONE; i += BATCH) {
		n = names->elements - i < BATCH ? names->elements - i : BATCH;
		rc = find_in_batch(r, profile_id, names->element + i, (int)n, id, &found, why);
		if (found >= 0)
			break;
	}
	if (rc == REDIS_DONE && found >= 0)
		rc = transaction_record_get(
		    r, profile_id, names->element[i + (size_t)found]->str, now_ms, there, out, why);
	/* Another may have come in its place. */
	if (rc == REDIS_DONE && *there && strcmp(out->id, id) != 0) {
		pending_free(out);
		*there = false;
	}
	exchange_free(&names, 1);
	return rc;
}
