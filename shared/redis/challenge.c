#include <sys/random.h>

#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "redis/audit_key.h"
#include "redis/audit_queue.h"
#include "redis/challenge.h"
#include "redis/exchange.h"
#include "redis/script.h"

static void
add_record_key(struct command *c, const char *profile_id, const uint8_t id[CHALLENGE_ID_SIZE])
{
	char hex[2 * CHALLENGE_ID_SIZE + 1];

	encoding_hex(octets_of(id, CHALLENGE_ID_SIZE), hex);
	command_key(c, profile_id, "c:%s", hex);
}

static void
add_pending_key(struct command *c, const char *profile_id)
{
	command_key(c, profile_id, "pending");
}

/* {outcome, pending} */
static enum redis_rc
read_mint_reply(struct redis *r, const redisReply *reply, int64_t *pending, struct errbuf *why)
{
	int64_t outcome, count;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    !exchange_integer(reply->element[0], &outcome) ||
	    !exchange_integer(reply->element[1], &count))
		return exchange_unexpected(r, "mint", why);
	if (pending != NULL)
		*pending = count;
	if (outcome == 1)
		return REDIS_DONE;
	if (outcome == 0) {
		errbuf_set(why, "challenge: %lld are pending already", (long long)count);
		return REDIS_REFUSED;
	}
	errbuf_set(why, "challenge: the audit queue is full");
	return REDIS_AWAY;
}

enum redis_rc
challenge_mint(
    struct redis *r, const struct challenge_mint *m, int64_t *pending, struct errbuf *why)
{
	static const struct challenge_binding unbound;
	const struct challenge_binding *b = m->binding != NULL ? m->binding : &unbound;
	const char *row = m->audit_json != NULL ? m->audit_json : "";
	int64_t left_ms = m->expires_ms > m->now_ms ? m->expires_ms - m->now_ms : 0;
	struct command c, known;
	redisReply *reply;
	enum redis_rc rc;

	script_start(&c, r, SCRIPT_MINT, 3);
	add_record_key(&c, m->profile_id, m->id);
	add_pending_key(&c, m->profile_id);
	audit_key_queue(&c, m->profile_id);
	command_number(&c, m->now_ms);
	command_number(&c, m->expires_ms);
	command_number(&c, m->max_pending);
	command_text(&c, row);
	command_number(&c, AUDIT_QUEUE_MAX);
	command_number(&c, left_ms + CHALLENGE_SWEEP_MS);
	command_octets(&c, octets_of(m->id, CHALLENGE_ID_SIZE));
	command_number(&c, m->now_ms - CHALLENGE_SWEEP_MS);
	command_text(&c, b->cn);
	command_text(&c, b->san);
	command_text(&c, b->key_type);
	command_text(&c, b->device);
	audit_key_announce(&known, m->profile_id);
	rc = script_run(r, SCRIPT_MINT, &c, *row != '\0' ? &known : NULL, &reply, why);
	if (rc != REDIS_DONE)
		return rc;
	rc = read_mint_reply(r, reply, pending, why);
	exchange_free(&reply, 1);
	return rc;
}

static const char *const state_names[] = {
    [CHALLENGE_RESERVED] = "reserved",
    [CHALLENGE_UNKNOWN] = "unknown",
    [CHALLENGE_EXPIRED] = "expired",
    [CHALLENGE_HELD] = "held",
    [CHALLENGE_USED] = "used",
    [CHALLENGE_BURNED] = "burned",
};

const char *
challenge_state_name(enum challenge_state s)
{
	return state_names[s];
}

/* A reply's string, whole, as text; false when it is none or does not fit. */
static bool
copy_text(const redisReply *reply, char *out, size_t size)
{
	if (reply->type != REDIS_REPLY_STRING || reply->len >= size)
		return false;
	memcpy(out, reply->str, reply->len);
	out[reply->len] = '\0';
	return true;
}

static bool
read_state(const redisReply *reply, enum challenge_state *state)
{
	char name[16];

	if (!copy_text(reply, name, sizeof(name)))
		return false;
	for (size_t s = 0; s < sizeof(state_names) / sizeof(state_names[0]); s++)
		if (strcmp(name, state_names[s]) == 0) {
			*state = (enum challenge_state)s;
			return true;
		}
	return false;
}

/* {state} or {"reserved", token, cn, san, key type, device} */
static bool
read_reserve_reply(
    const redisReply *reply, struct challenge_reservation *c, enum challenge_state *state)
{
	struct challenge_binding *b = &c->binding;
	redisReply **e = reply->element;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 1 || !read_state(e[0], state))
		return false;
	return *state != CHALLENGE_RESERVED ||
	       (reply->elements == 6 && copy_text(e[1], c->token, sizeof(c->token)) &&
		   copy_text(e[2], b->cn, sizeof(b->cn)) &&
		   copy_text(e[3], b->san, sizeof(b->san)) &&
		   copy_text(e[4], b->key_type, sizeof(b->key_type)) &&
		   copy_text(e[5], b->device, sizeof(b->device)));
}

enum redis_rc
challenge_reserve(struct redis *r, struct challenge_reservation *c, int64_t now_ms,
    int64_t reserve_ms, enum challenge_state *state, struct errbuf *why)
{
	uint8_t random[16];
	char token[sizeof(c->token)];
	struct command command;
	redisReply *reply;
	enum redis_rc rc;

	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		errbuf_errno(why, "challenge: getrandom");
		return REDIS_AWAY;
	}
	encoding_hex(octets_of(random, sizeof(random)), token);
	script_start(&command, r, SCRIPT_RESERVE, 1);
	add_record_key(&command, c->profile_id, c->id);
	command_number(&command, now_ms);
	command_number(&command, now_ms + reserve_ms);
	command_octets(&command, octets_of(c->repeat_key, sizeof(c->repeat_key)));
	command_text(&command, token);
	command_number(&command, reserve_ms + CHALLENGE_SWEEP_MS);
	if ((rc = script_run(r, SCRIPT_RESERVE, &command, NULL, &reply, why)) != REDIS_DONE)
		return rc;
	if (!read_reserve_reply(reply, c, state))
		rc = exchange_unexpected(r, "reserve", why);
	exchange_free(&reply, 1);
	return rc;
}

/* A script that returns 1 for done and 0 for refused. */
static enum redis_rc
run_yes_or_no(
    struct redis *r, enum script script, struct command *c, const char *refusal, struct errbuf *why)
{
	redisReply *reply;
	enum redis_rc rc;
	int64_t yes;

	if ((rc = script_run(r, script, c, NULL, &reply, why)) != REDIS_DONE)
		return rc;
	if (!exchange_integer(reply, &yes)) {
		rc = exchange_unexpected(r, "challenge", why);
	} else if (yes == 0) {
		errbuf_set(why, "challenge: %s", refusal);
		rc = REDIS_REFUSED;
	}
	exchange_free(&reply, 1);
	return rc;
}

/* A repeat finds its token gone and is REFUSED, which changes nothing. */
enum redis_rc
challenge_release(struct redis *r, const struct challenge_reservation *c, bool failed_try,
    int max_tries, struct errbuf *why)
{
	struct command command;

	script_start(&command, r, SCRIPT_RELEASE, 2);
	add_record_key(&command, c->profile_id, c->id);
	add_pending_key(&command, c->profile_id);
	command_text(&command, c->token);
	command_number(&command, failed_try ? 1 : 0);
	command_number(&command, max_tries);
	command_octets(&command, octets_of(c->id, CHALLENGE_ID_SIZE));
	return run_yes_or_no(r, SCRIPT_RELEASE, &command, "the reservation is no longer ours", why);
}

enum redis_rc
challenge_mark_used(
    struct redis *r, const struct challenge_reservation *c, int64_t now_ms, struct errbuf *why)
{
	struct command command;

	script_start(&command, r, SCRIPT_MARK_USED, 2);
	add_record_key(&command, c->profile_id, c->id);
	add_pending_key(&command, c->profile_id);
	command_octets(&command, octets_of(c->id, CHALLENGE_ID_SIZE));
	command_number(&command, now_ms + CHALLENGE_SWEEP_MS);
	command_number(&command, CHALLENGE_SWEEP_MS);
	return run_yes_or_no(r, SCRIPT_MARK_USED, &command, "not marked", why);
}

enum redis_rc
challenge_reopen(struct redis *r, const char *profile_id, const uint8_t id[CHALLENGE_ID_SIZE],
    int64_t now_ms, int64_t expires_ms, struct errbuf *why)
{
	int64_t left_ms = expires_ms > now_ms ? expires_ms - now_ms : 0;
	struct command command;
	redisReply *reply;
	enum redis_rc rc;
	char name[16];

	script_start(&command, r, SCRIPT_REOPEN, 2);
	add_record_key(&command, profile_id, id);
	add_pending_key(&command, profile_id);
	command_number(&command, expires_ms);
	command_number(&command, left_ms + CHALLENGE_SWEEP_MS);
	command_octets(&command, octets_of(id, CHALLENGE_ID_SIZE));
	if ((rc = script_run(r, SCRIPT_REOPEN, &command, NULL, &reply, why)) != REDIS_DONE)
		return rc;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 ||
	    !copy_text(reply->element[0], name, sizeof(name))) {
		rc = exchange_unexpected(r, "reopen", why);
	} else if (strcmp(name, "used") != 0) {
		errbuf_set(why, "challenge: %s, not used", name);
		rc = REDIS_REFUSED;
	}
	exchange_free(&reply, 1);
	return rc;
}

enum redis_rc
challenge_pending(
    struct redis *r, const char *profile_id, int64_t now_ms, int64_t *count, struct errbuf *why)
{
	struct command command;
	const struct command *one = &command;
	char after[32];
	redisReply *reply;
	enum redis_rc rc;

	snprintf(after, sizeof(after), "(%lld", (long long)now_ms);
	command_start(&command, "ZCOUNT");
	add_pending_key(&command, profile_id);
	command_text(&command, after);
	command_text(&command, "+inf");
	if ((rc = exchange(r, &one, 1, true, &reply, why)) != REDIS_DONE)
		return rc;
	if (!exchange_integer(reply, count))
		rc = exchange_unexpected(r, "ZCOUNT", why);
	exchange_free(&reply, 1);
	return rc;
}
