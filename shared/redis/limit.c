/* limit.c: sliding windows: the keys of a call, and what its answer means. */
#include "redis/limit.h"

#include <openssl/evp.h>

#include <inttypes.h>
#include <string.h>

#include "redis/exchange.h"
#include "redis/script.h"

#define MINUTE_MS 60000
#define SWEEP_MS                                                                                   \
	125000 /* a minute's counts matter until the next one is over; and some clocks are behind */
#define KEY_SIZE 16 /* octets of the digest that stands for what is counted */
#define NO_LIMIT ((int64_t)1 << 50)

int64_t
limit_retry_after_s(int64_t before, int64_t here, int64_t passed_ms, int64_t per_minute)
{
	double left = (double)(MINUTE_MS - passed_ms), limit = (double)per_minute;
	double wait_ms;

	if ((double)before * left / MINUTE_MS + (double)here < limit)
		return 0;
	if (here < per_minute)
		/* Enough of the minute before has to leave the window. */
		wait_ms = left - (limit - (double)here) / (double)before * MINUTE_MS;
	else
		/* And where this one is full by itself, enough of it, when it is the one before. */
		wait_ms = left + (1 - limit / (double)here) * MINUTE_MS;
	return (int64_t)(wait_ms / 1000) + 1;
}

/* KEYS and fields in the order of limits[], where they limit; numbers gets what is asked of each. */
static int
add_limits(struct command *c, const char *profile_id, const struct limit *limits, int count,
    int64_t minute, uint8_t digests[][EVP_MAX_MD_SIZE], struct buffer *numbers, struct errbuf *why)
{
	for (int i = 0; i < count; i++) {
		const struct octets key = octets_of_string(limits[i].key);

		if (limits[i].per_minute <= 0)
			continue;
		if (EVP_Digest(key.data, key.len, digests[i], NULL, EVP_sha256(), NULL) != 1) {
			errbuf_ossl(why, "limit: SHA-256");
			return -1;
		}
		command_key(c, profile_id, "l:%s:%" PRId64, limits[i].scope, minute);
		command_key(c, profile_id, "l:%s:%" PRId64, limits[i].scope, minute - 1);
		buffer_append_format(
		    numbers, "%" PRId64 ":%d ", limits[i].per_minute, limits[i].look_only);
	}
	if (buffer_string(numbers) == NULL) {
		errbuf_set(why, "limit: out of memory");
		return -1;
	}
	return 0;
}

/* {which, of those that limit, from 1; 0: none, this minute's count, the last one's} */
static bool
read_reply(const redisReply *reply, const struct limit *limits, int count, int64_t passed_ms,
    int *exceeded, int64_t *retry_after_s)
{
	int64_t which, here, before;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
	    !exchange_integer(reply->element[0], &which) ||
	    !exchange_integer(reply->element[1], &here) ||
	    !exchange_integer(reply->element[2], &before))
		return false;
	*exceeded = -1;
	*retry_after_s = 0;
	for (int i = 0; i < count && which > 0; i++) {
		if (limits[i].per_minute <= 0 || --which > 0)
			continue;
		*exceeded = i;
		*retry_after_s = limit_retry_after_s(before, here, passed_ms, limits[i].per_minute);
		if (*retry_after_s == 0)
			*retry_after_s = 1;
	}
	return which == 0;
}

/* A repeat after a lost reply counts once more, which a limit can bear. */
static enum redis_rc
run(struct redis *r, struct command *c, const struct limit *limits, int count, int64_t passed_ms,
    int *exceeded, int64_t *retry_after_s, struct errbuf *why)
{
	redisReply *reply;
	enum redis_rc rc;

	if ((rc = script_run(r, SCRIPT_LIMIT_TAKE, c, NULL, &reply, why)) != REDIS_DONE)
		return rc;
	if (!read_reply(reply, limits, count, passed_ms, exceeded, retry_after_s))
		rc = exchange_unexpected(r, "limit", why);
	exchange_free(&reply, 1);
	return rc;
}

static int
count_limiting(const struct limit *limits, int count)
{
	int n = 0;

	for (int i = 0; i < count; i++)
		n += limits[i].per_minute > 0;
	return n;
}

enum redis_rc
limit_take(struct redis *r, const char *profile_id, const struct limit *limits, int count,
    int64_t now_ms, int *exceeded, int64_t *retry_after_s, struct errbuf *why)
{
	int limiting = count_limiting(limits, count);
	uint8_t digests[LIMITS_MAX][EVP_MAX_MD_SIZE];
	struct buffer numbers = {0};
	enum redis_rc rc = REDIS_AWAY;
	struct command c;

	*exceeded = -1;
	*retry_after_s = 0;
	if (limiting == 0)
		return REDIS_DONE;
	if (count > LIMITS_MAX) {
		errbuf_set(why, "limit: have %d at once, want <= %d", count, LIMITS_MAX);
		return REDIS_AWAY;
	}
	script_start(&c, r, SCRIPT_LIMIT_TAKE, 2 * limiting);
	if (add_limits(&c, profile_id, limits, count, now_ms / MINUTE_MS, digests, &numbers, why) ==
	    0) {
		command_number(&c, now_ms % MINUTE_MS);
		command_number(&c, SWEEP_MS);
		command_number(&c, LIMIT_KEYS_MAX);
		command_text(&c, buffer_string(&numbers));
		for (int i = 0; i < count; i++)
			if (limits[i].per_minute > 0)
				command_octets(&c, octets_of(digests[i], KEY_SIZE));
		rc = run(r, &c, limits, count, now_ms % MINUTE_MS, exceeded, retry_after_s, why);
	}
	buffer_free(&numbers);
	return rc;
}

enum redis_rc
limit_add(struct redis *r, const char *profile_id, const struct limit *limit, int64_t now_ms,
    struct errbuf *why)
{
	struct limit endless = *limit;
	int64_t retry_after_s;
	int exceeded;

	endless.per_minute = NO_LIMIT;
	endless.look_only = false;
	return limit_take(r, profile_id, &endless, 1, now_ms, &exceeded, &retry_after_s, why);
}
