#include <openssl/evp.h>

#include <string.h>

#include "base/encoding.h"
#include "redis/exchange.h"
#include "redis/script.h"
#include "redis/transaction_record.h"

/*
 * A challenge's record is a hash: state (minted, reserved, used, burned), expires, tries, and what it is bound to: cn, san, key, device; while reserved also until, repeat and
 * token.  Times are the caller's milliseconds.  Redis' TTL only sweeps, and is never made shorter.
 *
 * When its memory is full Redis refuses a script whose first write could need more, and lets it run whole otherwise.  So mint and put begin with
 * such a write; the rest begin by deleting something, since they go on where nothing new may begin, and memory gets free by them.
 */

/*
 * KEYS record, pending, audit queue; ARGV now, expires, max_pending, audit row or "", rows at most, sweep of the record,
 * id, pending before this are forgotten, and the bound cn, san, key type and device.  Returns {1 minted (or there already), 0 too many pending, 2 queue full; pending at now}.
 */
static const char mint[] =
    "local n = redis.call('ZCOUNT', KEYS[2], '(' .. ARGV[1], '+inf')\n"
    "if redis.call('EXISTS', KEYS[1]) == 1 then return {1, n} end\n"
    "if n >= tonumber(ARGV[3]) then return {0, n} end\n"
    "if #ARGV[4] > 0 then\n"
    "  if redis.call('LLEN', KEYS[3]) >= tonumber(ARGV[5]) then return {2, n} end\n"
    "  redis.call('RPUSH', KEYS[3], '1 ' .. ARGV[4])\n"
    "end\n"
    "redis.call('HSET', KEYS[1], 'state', 'minted', 'expires', ARGV[2])\n"
    "for i, name in ipairs({'cn', 'san', 'key', 'device'}) do\n"
    "  if #ARGV[8 + i] > 0 then redis.call('HSET', KEYS[1], name, ARGV[8 + i]) end\n"
    "end\n"
    "redis.call('PEXPIRE', KEYS[1], ARGV[6])\n"
    "redis.call('ZADD', KEYS[2], ARGV[2], ARGV[7])\n"
    "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[8])\n"
    "if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[6]) then redis.call('PEXPIRE', KEYS[2], "
    "ARGV[6]) end\n"
    "return {1, redis.call('ZCOUNT', KEYS[2], '(' .. ARGV[1], '+inf')}\n";

/*
 * KEYS record; ARGV now, end of the reservation, repeat key, token, sweep.  Returns {what came out}, and where that is "reserved" also the
 * token and what it is bound to.  The holder enters again even after the challenge's own expiry.
 */
static const char reserve[] =
    "local h = redis.call('HMGET', KEYS[1], 'state', 'expires', 'until', 'repeat', 'token', 'cn', "
    "'san', 'key', 'device')\n"
    "if not h[1] then return {'unknown'} end\n"
    "if h[1] == 'used' or h[1] == 'burned' then return {h[1]} end\n"
    "local now, over, token = tonumber(ARGV[1]), ARGV[2], ARGV[4]\n"
    "local held = h[1] == 'reserved' and tonumber(h[3]) > now\n"
    "if held and h[4] == ARGV[3] then\n"
    "  token = h[5]\n"
    "  if tonumber(h[3]) > tonumber(over) then over = h[3] end\n"
    "elseif tonumber(h[2]) <= now then return {'expired'}\n"
    "elseif held then return {'held'} end\n"
    "redis.call('HDEL', KEYS[1], 'token')\n"
    "redis.call('HSET', KEYS[1], 'state', 'reserved', 'until', over, 'repeat', ARGV[3], 'token', "
    "token)\n"
    "if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[1], "
    "ARGV[5]) end\n"
    "return {'reserved', token, h[6] or '', h[7] or '', h[8] or '', h[9] or ''}\n";

/*
 * KEYS record, pending; ARGV token, 1 for a failed try, tries that burn (0: never), id.  Returns 1, or 0 when the token is not the holder's.
 */
static const char release[] =
    "local h = redis.call('HMGET', KEYS[1], 'state', 'token', 'tries')\n"
    "if h[1] ~= 'reserved' or h[2] ~= ARGV[1] then return 0 end\n"
    "local state, tries, most = 'minted', tonumber(h[3] or 0) + tonumber(ARGV[2]), "
    "tonumber(ARGV[3])\n"
    "if most > 0 and tries >= most then state = 'burned' end\n"
    "redis.call('HDEL', KEYS[1], 'until', 'repeat', 'token')\n"
    "redis.call('HSET', KEYS[1], 'state', state, 'tries', tries)\n"
    "if state == 'burned' then redis.call('ZREM', KEYS[2], ARGV[4]) end\n"
    "return 1\n";

/* KEYS record, pending; ARGV id, expiry and sweep of a record that has to be made anew.  Returns 1. */
static const char mark_used[] = "local known = redis.call('EXISTS', KEYS[1])\n"
				"redis.call('ZREM', KEYS[2], ARGV[1])\n"
				"redis.call('HDEL', KEYS[1], 'until', 'repeat', 'token')\n"
				"redis.call('HSET', KEYS[1], 'state', 'used')\n"
				"if known == 0 then\n"
				"  redis.call('HSET', KEYS[1], 'expires', ARGV[2])\n"
				"  redis.call('PEXPIRE', KEYS[1], ARGV[3])\n"
				"end\n"
				"return 1\n";

/*
 * KEYS record, pending; ARGV expires, sweep, id.  Returns {"used"}: it was and is minted again, now or by the same call
 * before; otherwise {its state, or "unknown"}, and nothing is changed.
 */
static const char reopen[] =
    "local h = redis.call('HMGET', KEYS[1], 'state', 'expires')\n"
    "if h[1] == 'minted' and h[2] == ARGV[1] then return {'used'} end\n"
    "if h[1] ~= 'used' then return {h[1] or 'unknown'} end\n"
    "redis.call('HDEL', KEYS[1], 'tries')\n"
    "redis.call('HSET', KEYS[1], 'state', 'minted', 'expires', ARGV[1])\n"
    "redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
    "redis.call('ZADD', KEYS[2], ARGV[1], ARGV[3])\n"
    "if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[2], "
    "ARGV[2]) end\n"
    "return {'used'}\n";

/*
 * A queue is a list of "COUNT JSON".  Rows above the rate are counted by minute and flood key: how many in one hash, the first one's JSON in
 * another, until the minute is over and take makes one row of them.  Whoever invents addresses does not fill the memory: flood keys above so many
 * a minute are one, "rest".
 *
 * KEYS queue, rates of this minute, counts, first rows, lost; ARGV row, flood key or "", rows a minute, minute, rows at most,
 * counted rows at most, sweep of the rates.  Returns 1 queued or counted, 0 lost.
 */
static const char audit_put[] =
    "if #ARGV[2] > 0 then\n"
    "  local flood = ARGV[2]\n"
    "  if redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[6]) and\n"
    "    redis.call('HEXISTS', KEYS[2], flood) == 0 then flood = 'rest' end\n"
    "  local n = redis.call('HINCRBY', KEYS[2], flood, 1)\n"
    "  if n == 1 then redis.call('PEXPIRE', KEYS[2], ARGV[7]) end\n"
    "  if n > tonumber(ARGV[3]) then\n"
    "    local field = ARGV[4] .. ':' .. flood\n"
    "    if redis.call('HEXISTS', KEYS[4], field) == 0 then\n"
    "      if redis.call('HLEN', KEYS[4]) >= tonumber(ARGV[6]) then\n"
    "        redis.call('INCR', KEYS[5])\n"
    "        return 0\n"
    "      end\n"
    "      redis.call('HSET', KEYS[4], field, ARGV[1])\n"
    "    end\n"
    "    redis.call('HINCRBY', KEYS[3], field, 1)\n"
    "    return 1\n"
    "  end\n"
    "end\n"
    "if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[5]) then\n"
    "  redis.call('INCR', KEYS[5])\n"
    "  return 0\n"
    "end\n"
    "redis.call('RPUSH', KEYS[1], '1 ' .. ARGV[1])\n"
    "return 1\n";

/*
 * KEYS queue, counts, first rows, removed; ARGV minute at hand, rows at most.  Counted rows of other minutes that are over join the queue, where
 * nothing changes them any more: what is counted late begins a new one.  Returns {how many were ever removed, rows}.
 */
static const char audit_take[] =
    "local counts = redis.call('HGETALL', KEYS[2])\n"
    "for i = 1, #counts, 2 do\n"
    "  local field = counts[i]\n"
    "  if tonumber(string.match(field, '^%d+')) < tonumber(ARGV[1]) then\n"
    "    local first = redis.call('HGET', KEYS[3], field)\n"
    "    redis.call('HDEL', KEYS[2], field)\n"
    "    redis.call('HDEL', KEYS[3], field)\n"
    "    if first then redis.call('RPUSH', KEYS[1], counts[i + 1] .. ' ' .. first) end\n"
    "  end\n"
    "end\n"
    "local rows = redis.call('LRANGE', KEYS[1], 0, tonumber(ARGV[2]) - 1)\n"
    "return {redis.call('GET', KEYS[4]) or '0', rows}\n";

/*
 * KEYS queue, removed; ARGV removed as take said, rows, the sum of both.  Returns 1 removed (now or by the same call before), 0: somebody else
 * removed rows in the meantime, so these were left alone.
 */
static const char audit_remove[] = "local removed = redis.call('GET', KEYS[2]) or '0'\n"
				   "if removed == ARGV[3] then return 1 end\n"
				   "if removed ~= ARGV[1] then return 0 end\n"
				   "redis.call('LTRIM', KEYS[1], ARGV[2], -1)\n"
				   "redis.call('SET', KEYS[2], ARGV[3])\n"
				   "return 1\n";

#define QUOTED_FIELD(symbol, name) "'" name "', "
#define FIELD_NAMES		   TRANSACTION_FIELDS(QUOTED_FIELD)

/*
 * A transaction's record is a hash with all fields of transaction_record.h, empty where there is nothing: state is waits or expired.  The set has the
 * record's hexadecimal name by expiry.
 *
 * KEYS record, transactions, audit queue; ARGV now, transactions at most, audit row or "", rows at most, sweep, transactions before this are
 * forgotten, name, then the values of all fields in order.  Returns 1 kept (now or before), 0 too many wait, 2 queue full.  Every field is
 * written, so that nothing of an older record stays.
 */
static const char put_transaction[] =
    "local names, record, set = {" FIELD_NAMES "}, {}, {}\n"
    "for i = 1, #names do\n"
    "  record[names[i]] = ARGV[7 + i]\n"
    "  set[2 * i - 1], set[2 * i] = names[i], ARGV[7 + i]\n"
    "end\n"
    "local h = redis.call('HMGET', KEYS[1], 'id', 'state', 'expires', 'repeat')\n"
    "local waits = h[2] == 'waits' and tonumber(h[3]) > tonumber(ARGV[1])\n"
    "if waits and (h[1] == record['id'] or h[4] == record['repeat']) then return 1 end\n"
    "local n = redis.call('ZCOUNT', KEYS[2], '(' .. ARGV[1], '+inf')\n"
    "if not waits and n >= tonumber(ARGV[2]) then return 0 end\n"
    "if #ARGV[3] > 0 then\n"
    "  if redis.call('LLEN', KEYS[3]) >= tonumber(ARGV[4]) then return 2 end\n"
    "  redis.call('RPUSH', KEYS[3], '1 ' .. ARGV[3])\n"
    "end\n"
    "redis.call('HSET', KEYS[1], unpack(set))\n"
    "redis.call('PEXPIRE', KEYS[1], ARGV[5])\n"
    "redis.call('ZADD', KEYS[2], record['expires'], ARGV[7])\n"
    "redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])\n"
    "if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[2], "
    "ARGV[5]) end\n"
    "return 1\n";

/* KEYS record.  Counts a poll where there is a record.  Returns the values of all fields in order; nil each where there is none. */
static const char poll_transaction[] =
    "local names = {" FIELD_NAMES "}\n"
    "local polls = redis.call('HGET', KEYS[1], 'polls')\n"
    "if polls then\n"
    "  redis.call('HDEL', KEYS[1], 'polls')\n"
    "  redis.call('HSET', KEYS[1], 'polls', tostring(tonumber(polls) + 1))\n"
    "end\n"
    "return redis.call('HMGET', KEYS[1], unpack(names))\n";

/* KEYS record, transactions; ARGV id, name.  Returns 1, or 0 where another's id is there. */
static const char remove_transaction[] = "local id = redis.call('HGET', KEYS[1], 'id')\n"
					 "if id and id ~= ARGV[1] then return 0 end\n"
					 "redis.call('DEL', KEYS[1])\n"
					 "redis.call('ZREM', KEYS[2], ARGV[2])\n"
					 "return 1\n";

/* KEYS record, transactions; ARGV id, name, now.  Returns 1, or 0 where it is another's or its time is not over. */
static const char end_transaction[] =
    "local h = redis.call('HMGET', KEYS[1], 'id', 'expires')\n"
    "if h[1] and (h[1] ~= ARGV[1] or tonumber(h[2]) > tonumber(ARGV[3])) then return 0 end\n"
    "redis.call('ZREM', KEYS[2], ARGV[2])\n"
    "if h[1] then\n"
    "  redis.call('HDEL', KEYS[1], 'state', 'password', 'token')\n"
    "  redis.call('HSET', KEYS[1], 'state', 'expired', 'password', '', 'token', '')\n"
    "end\n"
    "return 1\n";

/*
 * KEYS this minute's hash and the last one's, of each limit; ARGV milliseconds of this minute that are over, sweep, fields of a hash at most,
 * "LIMIT:LOOK-ONLY " of each, then the field of each.  Returns {number of the first that is exceeded or 0, its counts in this minute and in the last}.
 */
static const char take_limits[] =
    "local left = (60000 - tonumber(ARGV[1])) / 60000\n"
    "local add, i = {}, 0\n"
    "for most, look in string.gmatch(ARGV[4], '(%d+):(%d) ') do\n"
    "  i = i + 1\n"
    "  local field = ARGV[4 + i]\n"
    "  local here = tonumber(redis.call('HGET', KEYS[2 * i - 1], field) or 0)\n"
    "  local before = tonumber(redis.call('HGET', KEYS[2 * i], field) or 0)\n"
    "  if before * left + here >= tonumber(most) then return {i, here, before} end\n"
    "  if look == '0' and (here > 0 or redis.call('HLEN', KEYS[2 * i - 1]) < tonumber(ARGV[3])) "
    "then add[#add + 1] = i end\n"
    "end\n"
    "for _, n in ipairs(add) do\n"
    "  redis.call('HINCRBY', KEYS[2 * n - 1], ARGV[4 + n], 1)\n"
    "  redis.call('PEXPIRE', KEYS[2 * n - 1], ARGV[2])\n"
    "end\n"
    "return {0, 0, 0}\n";

/* All may run twice without harm: see the callers. */
static const char *const text[SCRIPTS] = {
    [SCRIPT_MINT] = mint,
    [SCRIPT_RESERVE] = reserve,
    [SCRIPT_RELEASE] = release,
    [SCRIPT_MARK_USED] = mark_used,
    [SCRIPT_REOPEN] = reopen,
    [SCRIPT_AUDIT_PUT] = audit_put,
    [SCRIPT_AUDIT_TAKE] = audit_take,
    [SCRIPT_AUDIT_REMOVE] = audit_remove,
    [SCRIPT_TRANSACTION_PUT] = put_transaction,
    [SCRIPT_TRANSACTION_POLL] = poll_transaction,
    [SCRIPT_TRANSACTION_REMOVE] = remove_transaction,
    [SCRIPT_TRANSACTION_END] = end_transaction,
    [SCRIPT_LIMIT_TAKE] = take_limits,
};

bool
script_digests(char sha[SCRIPTS][SCRIPT_SHA_SIZE], struct errbuf *why)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len;

	for (int i = 0; i < SCRIPTS; i++) {
		if (EVP_Digest(text[i], strlen(text[i]), digest, &len, EVP_sha1(), NULL) != 1 ||
		    len != 20) {
			errbuf_ossl(why, "redis: SHA-1");
			return false;
		}
		encoding_hex(octets_of(digest, len), sha[i]);
	}
	return true;
}

void
script_start(struct command *c, const struct redis *r, enum script script, int keys)
{
	command_start(c, "EVALSHA");
	command_text(c, r->sha[script]);
	command_number(c, keys);
}

enum redis_rc
script_run(struct redis *r, enum script script, struct command *c, const struct command *before,
    redisReply **reply, struct errbuf *why)
{
	const struct command *commands[2] = {before, c};
	redisReply *replies[2] = {NULL, NULL};
	enum redis_rc rc;

	*reply = NULL;
	if (before != NULL)
		rc = exchange(r, commands, 2, true, replies, why);
	else
		rc = exchange(r, &commands[1], 1, true, &replies[1], why);
	if (rc != REDIS_DONE)
		return rc;
	exchange_free(&replies[0], 1);
	*reply = replies[1];
	if ((*reply)->type != REDIS_REPLY_ERROR)
		return REDIS_DONE;
	exchange_free(reply, 1);
	c->argv[0] = octets_of_string("EVAL");
	c->argv[1] = octets_of_string(text[script]);
	return exchange(r, &commands[1], 1, true, reply, why);
}
