/* challenge.c: minting one-time challenges. */
#include "fcgi-admin/manage/challenge.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "authorise/authorise.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/challenge_binding.h"
#include "redis/challenge.h"

static enum manage_rc
check_order(
    const struct manage_challenge_order *o, struct challenge_binding *b, struct manage_report *r)
{
	if (o->expiry_s != 0 &&
	    (o->expiry_s < MANAGE_CHALLENGE_LEAST_S || o->expiry_s > MANAGE_CHALLENGE_MOST_S))
		manage_invalid(r, "ttl", "want 1 minute to 30 days");
	challenge_binding_read(o, b, r);
	if (r->fault_count > 0)
		return manage_validity(r);
	if (strcmp(o->profile->challenge_mode, "dynamic") != 0)
		return manage_fail(r, MANAGE_CONFLICT,
		    "profile %s does not use one-time challenges: its mode is %s", o->profile->name,
		    o->profile->challenge_mode[0] != '\0' ? o->profile->challenge_mode : "not set");
	if (!o->profile->enabled)
		return manage_fail(r, MANAGE_CONFLICT, "profile %s is disabled", o->profile->name);
	return MANAGE_OK;
}

/* As many digits as the profile has, 4 random bits each, and the id that stands for them. */
static enum manage_rc
draw(struct manage *m, const struct scep_profile_row *profile, struct manage_challenge *out,
    uint8_t id[CHALLENGE_ID_SIZE], struct manage_report *r)
{
	uint8_t random[(MANAGE_CHALLENGE_SIZE - 1) / 2];
	size_t len = profile->challenge_length == 16 ? 8 : sizeof(random);
	bool ok;

	if (RAND_priv_bytes(random, sizeof(random)) != 1) {
		errbuf_ossl(&r->why, "challenge: no random octets");
		return MANAGE_FAULT;
	}
	encoding_hex_upper(octets_of(random, len), out->value);
	octets_wipe(random, sizeof(random));
	ok = authorise_challenge_id(m->master_key, profile->id, octets_of_string(out->value), id);
	if (!ok) {
		errbuf_ossl(&r->why, "challenge: HMAC");
		return MANAGE_FAULT;
	}
	encoding_hex(octets_of(id, CHALLENGE_ID_SIZE), out->id);
	return MANAGE_OK;
}

/* The audit row, as it waits in Redis. */
static bool
describe(const struct manage_actor *by, const struct manage_challenge_order *o,
    const struct challenge_binding *b, const struct manage_challenge *c, int64_t now_ms,
    struct buffer *json)
{
	struct buffer reason = {0};
	char event_id[UUID_SIZE], expires[ENCODING_TIME_SIZE];
	struct audit_event e = manage_event(by, "challenge.mint", "challenge", c->id);
	bool ok;

	if (!encoding_uuid(event_id))
		return false;
	encoding_time(c->expires_at, expires);
	buffer_append_format(&reason, "expires %s", expires);
	challenge_binding_describe(b, &reason);
	if (o->reason != NULL)
		buffer_append_format(&reason, "; %s", o->reason);
	e.event_id = event_id;
	e.time_ms = now_ms;
	e.profile = o->profile->name;
	e.reason = buffer_string(&reason);
	ok = e.reason != NULL && audit_event_to_json(&e, json) && buffer_string(json) != NULL;
	buffer_free(&reason);
	return ok;
}

enum manage_rc
manage_challenge_mint(struct manage *m, const struct manage_actor *by,
    const struct manage_challenge_order *o, struct manage_challenge *out, struct manage_report *r)
{
	struct buffer json = {0};
	struct challenge_binding binding;
	struct challenge_mint mint = {.profile_id = o->profile->id,
	    .now_ms = clock_now_ms(),
	    .max_pending = o->profile->max_pending,
	    .binding = &binding};
	int64_t expiry_s = o->expiry_s != 0 ? o->expiry_s : o->profile->challenge_expiry_s;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = check_order(o, &binding, r)) != MANAGE_OK ||
	    (rc = manage_need_master_key(m, r)) != MANAGE_OK ||
	    (rc = manage_need_redis(m, r)) != MANAGE_OK ||
	    (rc = draw(m, o->profile, out, mint.id, r)) != MANAGE_OK)
		return rc;
	mint.expires_ms = mint.now_ms + expiry_s * 1000;
	out->expires_at = mint.expires_ms / 1000;
	if (!describe(by, o, &binding, out, mint.now_ms, &json)) {
		rc = manage_fail(r, MANAGE_FAULT, "challenge: out of memory");
	} else {
		mint.audit_json = buffer_string(&json);
		switch (challenge_mint(m->redis, &mint, NULL, &r->why)) {
		case REDIS_DONE:
			rc = MANAGE_OK;
			break;
		case REDIS_REFUSED:
			rc = manage_fail(r, MANAGE_FULL, "The challenge cache is full");
			break;
		default:
			rc = MANAGE_AWAY;
		}
	}
	buffer_free(&json);
	if (rc != MANAGE_OK)
		octets_wipe(out, sizeof(*out));
	return rc;
}

enum manage_rc
manage_challenge_count(struct manage *m, const struct scep_profile_row *profile, int64_t *pending,
    struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_redis(m, r)) != MANAGE_OK)
		return rc;
	if (challenge_pending(m->redis, profile->id, clock_now_ms(), pending, &r->why) !=
	    REDIS_DONE)
		return MANAGE_AWAY;
	return MANAGE_OK;
}
