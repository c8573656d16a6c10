#include "redis/transaction.h"

#include "redis/audit_key.h"
#include "redis/audit_queue.h"
#include "redis/exchange.h"
#include "redis/script.h"
#include "redis/transaction_record.h"

void
pending_free(struct pending *p)
{
	buffer_free(&p->room);
	*p = (struct pending){0};
}

/* ---- keeping one ---- */

static bool
parts_fit(const struct pending *p, struct errbuf *why)
{
	const struct {
		const char *name;
		size_t len, most;
	} parts[] = {
	    {"transactionID", p->transaction_id.len, TRANSACTION_ID_MAX},
	    {"subject", p->subject.len, TRANSACTION_SUBJECT_MAX},
	    {"CSR", p->csr.len, TRANSACTION_DER_MAX},
	    {"signer", p->signer.len, TRANSACTION_DER_MAX},
	    {"predecessor", p->predecessor.len, TRANSACTION_DER_MAX},
	    {"challenge", p->challenge_id.len, TRANSACTION_KEY_OCTETS},
	    {"password", p->sealed_password.len, TRANSACTION_PASSWORD_MAX},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].len <= parts[i].most)
			continue;
		errbuf_set(why, "transaction: its %s: have %zu octets, want <= %zu", parts[i].name,
		    parts[i].len, parts[i].most);
		return false;
	}
	return true;
}

/* In the order of TRANSACTION_FIELDS. */
static void
add_fields(struct command *c, const struct pending *p)
{
	command_text(c, p->id);
	command_text(c, TRANSACTION_WAITS);
	command_number(c, p->created_ms);
	command_number(c, p->expires_ms);
	command_number(c, p->polls);
	command_number(c, p->message_type);
	command_text(c, p->address);
	command_octets(c, p->transaction_id);
	command_text(c, p->method);
	command_octets(c, p->subject);
	command_text(c, p->key_type);
	command_octets(c, p->csr);
	command_octets(c, p->signer);
	command_octets(c, octets_of(p->repeat_key, sizeof(p->repeat_key)));
	command_octets(c, p->challenge_id);
	command_text(c, p->challenge_token);
	command_octets(c, p->predecessor);
	command_octets(c, p->sealed_password);
	command_number(c, p->enrollment_row);
	command_number(c, p->account_row);
}

static enum redis_rc
read_put_reply(struct redis *r, const redisReply *reply, int64_t max_pending, struct errbuf *why)
{
	int64_t outcome;

	if (!exchange_integer(reply, &outcome))
		return exchange_unexpected(r, "transaction put", why);
	if (outcome == 1)
		return REDIS_DONE;
	if (outcome == 0) {
		errbuf_set(why, "transaction: %lld wait already", (long long)max_pending);
		return REDIS_REFUSED;
	}
	errbuf_set(why, "transaction: the audit queue is full");
	return REDIS_AWAY;
}

enum redis_rc
transaction_put(struct redis *r, const struct pending *p, int64_t now_ms, int64_t max_pending,
    const char *audit_json, struct errbuf *why)
{
	int64_t left_ms = p->expires_ms > now_ms ? p->expires_ms - now_ms : 0;
	const char *row = audit_json != NULL ? audit_json : "";
	struct command c, known;
	char name[TRANSACTION_NAME_SIZE];
	redisReply *reply;
	enum redis_rc rc;

	if (!parts_fit(p, why))
		return REDIS_REFUSED;
	transaction_record_name(p->key, name);
	script_start(&c, r, SCRIPT_TRANSACTION_PUT, 3);
	transaction_record_key(&c, p->profile_id, name);
	transaction_record_set_key(&c, p->profile_id);
	audit_key_queue(&c, p->profile_id);
	command_number(&c, now_ms);
	command_number(&c, max_pending);
	command_text(&c, row);
	command_number(&c, AUDIT_QUEUE_MAX);
	command_number(&c, left_ms + TRANSACTION_SWEEP_MS);
	command_number(&c, now_ms - TRANSACTION_SWEEP_MS);
	command_text(&c, name);
	add_fields(&c, p);
	audit_key_announce(&known, p->profile_id);
	rc = script_run(r, SCRIPT_TRANSACTION_PUT, &c, *row != '\0' ? &known : NULL, &reply, why);
	if (rc != REDIS_DONE)
		return rc;
	rc = read_put_reply(r, reply, max_pending, why);
	exchange_free(&reply, 1);
	return rc;
}

/* ---- reading one ---- */

/* A repeat after a lost reply counts a poll twice. */
enum redis_rc
transaction_get(struct redis *r, const char *profile_id, const uint8_t key[TRANSACTION_KEY_OCTETS],
    int64_t now_ms, bool count_poll, bool *there, struct pending *out, struct errbuf *why)
{
	char name[TRANSACTION_NAME_SIZE];
	redisReply *reply;
	struct command c;
	enum redis_rc rc;

	*there = false;
	*out = (struct pending){0};
	transaction_record_name(key, name);
	if (!count_poll)
		return transaction_record_get(r, profile_id, name, now_ms, there, out, why);
	script_start(&c, r, SCRIPT_TRANSACTION_POLL, 1);
	transaction_record_key(&c, profile_id, name);
	if ((rc = script_run(r, SCRIPT_TRANSACTION_POLL, &c, NULL, &reply, why)) != REDIS_DONE)
		return rc;
	rc = transaction_record_read(r, reply, profile_id, name, now_ms, there, out, why);
	exchange_free(&reply, 1);
	return rc;
}

/* ---- its end ---- */

static enum redis_rc
run_end(struct redis *r, enum script script, const char *profile_id,
    const uint8_t key[TRANSACTION_KEY_OCTETS], const char *id, const int64_t *now_ms,
    struct errbuf *why)
{
	char name[TRANSACTION_NAME_SIZE];
	redisReply *reply;
	struct command c;
	enum redis_rc rc;
	int64_t ended;

	transaction_record_name(key, name);
	script_start(&c, r, script, 2);
	transaction_record_key(&c, profile_id, name);
	transaction_record_set_key(&c, profile_id);
	command_text(&c, id);
	command_text(&c, name);
	if (now_ms != NULL)
		command_number(&c, *now_ms);
	if ((rc = script_run(r, script, &c, NULL, &reply, why)) != REDIS_DONE)
		return rc;
	if (!exchange_integer(reply, &ended))
		rc = exchange_unexpected(r, "transaction end", why);
	exchange_free(&reply, 1);
	return rc;
}

enum redis_rc
transaction_remove(struct redis *r, const char *profile_id,
    const uint8_t key[TRANSACTION_KEY_OCTETS], const char *id, struct errbuf *why)
{
	return run_end(r, SCRIPT_TRANSACTION_REMOVE, profile_id, key, id, NULL, why);
}

enum redis_rc
transaction_ended(struct redis *r, const char *profile_id,
    const uint8_t key[TRANSACTION_KEY_OCTETS], const char *id, int64_t now_ms, struct errbuf *why)
{
	return run_end(r, SCRIPT_TRANSACTION_END, profile_id, key, id, &now_ms, why);
}
