#include <openssl/evp.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redis/audit_key.h"
#include "redis/audit_queue.h"
#include "redis/exchange.h"
#include "redis/script.h"

#define MINUTE_MS     60000
#define RATE_SWEEP_MS 120000 /* of one minute's rates, after the newest address in it */
#define FLOOD_KEY     16     /* octets of the digest that stands for a flood key */

/* What one queue gave: rows of it that wait for their removal. */
struct audit_part {
	char profile_id[64];
	int64_t removed; /* rows ever removed from it, when these were read */
	int64_t rows;
};

static bool
digest_flood_key(struct octets flood_key, uint8_t digest[EVP_MAX_MD_SIZE], struct octets *out,
    struct errbuf *why)
{
	unsigned int len;

	*out = octets_of(digest, 0);
	if (flood_key.len == 0)
		return true;
	if (EVP_Digest(flood_key.data, flood_key.len, digest, &len, EVP_sha256(), NULL) != 1) {
		errbuf_ossl(why, "audit queue: SHA-256");
		return false;
	}
	out->len = FLOOD_KEY;
	return true;
}

/*
 * A repeat after a lost reply puts the row a second time, which its event id makes harmless; a flood's count may then be one too high.
 */
enum redis_rc
audit_queue_put(struct redis *r, const char *profile_id, const char *json, struct octets flood_key,
    int64_t per_minute, int64_t now_ms, struct errbuf *why)
{
	const char *id = profile_id != NULL ? profile_id : AUDIT_KEY_NO_PROFILE;
	int64_t minute = now_ms / MINUTE_MS;
	uint8_t digest[EVP_MAX_MD_SIZE] = {0};
	struct command c, announce;
	struct octets flood;
	redisReply *reply;
	enum redis_rc rc;
	int64_t queued;

	if (!digest_flood_key(flood_key, digest, &flood, why))
		return REDIS_AWAY;
	script_start(&c, r, SCRIPT_AUDIT_PUT, 5);
	audit_key_queue(&c, id);
	command_key(&c, id, "audit-rates:%" PRId64, minute);
	command_key(&c, id, "audit-counts");
	command_key(&c, id, "audit-first");
	command_key(&c, id, "audit-lost");
	command_text(&c, json);
	command_octets(&c, flood);
	command_number(&c, per_minute);
	command_number(&c, minute);
	command_number(&c, AUDIT_QUEUE_MAX);
	command_number(&c, AUDIT_QUEUE_COUNTED_MAX);
	command_number(&c, RATE_SWEEP_MS);
	audit_key_announce(&announce, id);
	if ((rc = script_run(r, SCRIPT_AUDIT_PUT, &c, &announce, &reply, why)) != REDIS_DONE)
		return rc;
	if (!exchange_integer(reply, &queued)) {
		rc = exchange_unexpected(r, "audit put", why);
	} else if (queued == 0) {
		errbuf_set(why, "audit queue: full");
		rc = REDIS_REFUSED;
	}
	exchange_free(&reply, 1);
	return rc;
}

/* The profiles that have queues, as a reply of strings, which the caller frees. */
static enum redis_rc
list_queues(struct redis *r, redisReply **profiles, struct errbuf *why)
{
	struct command list;
	const struct command *one = &list;
	enum redis_rc rc;

	audit_key_list(&list);
	if ((rc = exchange(r, &one, 1, true, profiles, why)) != REDIS_DONE)
		return rc;
	if ((*profiles)->type != REDIS_REPLY_ARRAY)
		goto unexpected;
	for (size_t i = 0; i < (*profiles)->elements; i++)
		if ((*profiles)->element[i]->type != REDIS_REPLY_STRING)
			goto unexpected;
	return REDIS_DONE;

unexpected:
	exchange_free(profiles, 1);
	return exchange_unexpected(r, "SMEMBERS", why);
}

/* {removed so far, rows} */
static enum redis_rc
read_queue(struct redis *r, const char *profile_id, int max, int64_t now_ms, redisReply **reply,
    struct errbuf *why)
{
	struct command c;
	redisReply *got;
	enum redis_rc rc;

	script_start(&c, r, SCRIPT_AUDIT_TAKE, 4);
	audit_key_queue(&c, profile_id);
	command_key(&c, profile_id, "audit-counts");
	command_key(&c, profile_id, "audit-first");
	command_key(&c, profile_id, "audit-removed");
	command_number(&c, now_ms / MINUTE_MS);
	command_number(&c, max);
	if ((rc = script_run(r, SCRIPT_AUDIT_TAKE, &c, NULL, &got, why)) != REDIS_DONE)
		return rc;
	if (got->type != REDIS_REPLY_ARRAY || got->elements != 2 ||
	    got->element[0]->type != REDIS_REPLY_STRING ||
	    got->element[1]->type != REDIS_REPLY_ARRAY) {
		exchange_free(&got, 1);
		return exchange_unexpected(r, "audit take", why);
	}
	*reply = got;
	return REDIS_DONE;
}

/* Where a taker is. */
struct round {
	bool (*row)(void *ctx, const char *json, int64_t count);
	void *ctx;
	int left;
	bool ended; /* by row() */
};

/* "COUNT JSON" each; how many row() took. */
static int64_t
give_rows(struct round *round, const redisReply *rows)
{
	int64_t given = 0;
	long long count;
	char *json;

	for (size_t i = 0; i < rows->elements && round->left > 0; i++) {
		if (rows->element[i]->type != REDIS_REPLY_STRING)
			break;
		count = strtoll(rows->element[i]->str, &json, 10);
		if (*json == ' ')
			json++;
		if (!round->row(round->ctx, json, count)) {
			round->ended = true;
			break;
		}
		given++;
		round->left--;
	}
	return given;
}

static enum redis_rc
take_from(struct redis *r, const char *profile_id, int64_t now_ms, struct round *round,
    struct errbuf *why)
{
	struct audit_part *part = &r->parts[r->part_count];
	redisReply *reply;
	enum redis_rc rc;

	if (strlen(profile_id) >= sizeof(part->profile_id))
		return REDIS_DONE;
	if ((rc = read_queue(r, profile_id, round->left, now_ms, &reply, why)) != REDIS_DONE)
		return rc;
	snprintf(part->profile_id, sizeof(part->profile_id), "%s", profile_id);
	part->removed = strtoll(reply->element[0]->str, NULL, 10);
	part->rows = give_rows(round, reply->element[1]);
	if (part->rows > 0)
		r->part_count++;
	exchange_free(&reply, 1);
	return REDIS_DONE;
}

/* Each call begins with another queue, so that a flood of one profile does not hold up the others. */
enum redis_rc
audit_queue_take(struct redis *r, int max, int64_t now_ms,
    bool (*row)(void *ctx, const char *json, int64_t count), void *ctx, int *taken,
    struct errbuf *why)
{
	struct round round = {.row = row, .ctx = ctx, .left = max};
	redisReply *profiles;
	enum redis_rc rc;
	size_t n;

	*taken = 0;
	free(r->parts);
	r->parts = NULL;
	r->part_count = 0;
	if ((rc = list_queues(r, &profiles, why)) != REDIS_DONE)
		return rc;
	n = profiles->elements;
	if (n > 0 && (r->parts = calloc(n, sizeof(*r->parts))) == NULL) {
		errbuf_set(why, "audit queue: out of memory");
		rc = REDIS_AWAY;
	}
	for (size_t i = 0; i < n && rc == REDIS_DONE && round.left > 0 && !round.ended; i++)
		rc = take_from(r, profiles->element[(r->turn + i) % n]->str, now_ms, &round, why);
	r->turn++;
	*taken = max - round.left;
	exchange_free(&profiles, 1);
	return *taken > 0 ? REDIS_DONE : rc;
}

static enum redis_rc
remove_part(struct redis *r, const struct audit_part *part, int64_t rows, struct errbuf *why)
{
	struct command c;
	redisReply *reply;
	enum redis_rc rc;
	int64_t removed;

	script_start(&c, r, SCRIPT_AUDIT_REMOVE, 2);
	audit_key_queue(&c, part->profile_id);
	command_key(&c, part->profile_id, "audit-removed");
	command_number(&c, part->removed);
	command_number(&c, rows);
	command_number(&c, part->removed + rows);
	if ((rc = script_run(r, SCRIPT_AUDIT_REMOVE, &c, NULL, &reply, why)) != REDIS_DONE)
		return rc;
	if (!exchange_integer(reply, &removed)) {
		rc = exchange_unexpected(r, "audit remove", why);
	} else if (removed == 0) {
		errbuf_set(why, "audit queue: another taker removed rows of %s", part->profile_id);
		rc = REDIS_REFUSED;
	}
	exchange_free(&reply, 1);
	return rc;
}

/* When Redis goes away in the middle the parts stay, so that the same call may be made again: what was removed is not removed twice. */
enum redis_rc
audit_queue_remove(struct redis *r, int taken, struct errbuf *why)
{
	enum redis_rc rc = REDIS_DONE, one;
	int64_t left = taken, rows;

	for (size_t i = 0; i < r->part_count && left > 0; i++) {
		rows = r->parts[i].rows < left ? r->parts[i].rows : left;
		if ((one = remove_part(r, &r->parts[i], rows, why)) == REDIS_AWAY)
			return REDIS_AWAY;
		if (one != REDIS_DONE)
			rc = one;
		left -= rows;
	}
	r->part_count = 0;
	return rc;
}

/* The sum over all profiles of what command NAME says of the key ":SUFFIX": an integer, a number as text, or nil for 0. */
static enum redis_rc
sum_over_queues(
    struct redis *r, const char *name, const char *suffix, int64_t *sum, struct errbuf *why)
{
	struct command c;
	const struct command *one = &c;
	redisReply *profiles, *reply;
	enum redis_rc rc;
	int64_t n, total = 0;

	if ((rc = list_queues(r, &profiles, why)) != REDIS_DONE)
		return rc;
	for (size_t i = 0; i < profiles->elements; i++) {
		command_start(&c, name);
		command_key(&c, profiles->element[i]->str, "%s", suffix);
		if ((rc = exchange(r, &one, 1, true, &reply, why)) != REDIS_DONE)
			break;
		if (exchange_integer(reply, &n))
			total += n;
		else if (reply->type == REDIS_REPLY_STRING)
			total += strtoll(reply->str, NULL, 10);
		exchange_free(&reply, 1);
	}
	exchange_free(&profiles, 1);
	if (rc == REDIS_DONE)
		*sum = total;
	return rc;
}

enum redis_rc
audit_queue_length(struct redis *r, int64_t *length, struct errbuf *why)
{
	return sum_over_queues(r, "LLEN", "audit", length, why);
}

enum redis_rc
audit_queue_lost(struct redis *r, int64_t *lost, struct errbuf *why)
{
	return sum_over_queues(r, "GET", "audit-lost", lost, why);
}
