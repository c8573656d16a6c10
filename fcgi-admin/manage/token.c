/* token.c: making, finding and revoking API tokens. */
#include "fcgi-admin/manage/token.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "pki/certificate.h"
#include "store/profile_row.h"

#define LIFETIME_LEAST_S 60
#define LIFETIME_MOST_S	 (3660LL * 86400)

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const struct {
	const char *name;
	unsigned role;
} roles[] = {
    {"admin", MANAGE_ROLE_ADMIN},
    {"operator", MANAGE_ROLE_OPERATOR},
    {"approver", MANAGE_ROLE_APPROVER},
    {"auditor", MANAGE_ROLE_AUDITOR},
    {"challenge", MANAGE_ROLE_CHALLENGE},
};

unsigned
manage_role_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(roles[i].name, name) == 0)
			return roles[i].role;
	return 0;
}

/* The next name of a comma-separated list; false at its end or at one that is too long to be a name. */
static bool
next_name(const char **list, char name[65])
{
	size_t len = strcspn(*list, ",");

	if (len == 0 || len > 64)
		return false;
	memcpy(name, *list, len);
	name[len] = '\0';
	*list += len;
	if (**list == ',')
		(*list)++;
	return true;
}

static enum manage_rc
check_profiles(struct manage *m, const char *profiles, struct manage_report *r)
{
	struct scep_profile_row row;
	struct errbuf why = {0};
	char name[65];

	while (*profiles != '\0') {
		if (!next_name(&profiles, name))
			return manage_invalid(
			    r, "profiles", "want names of profiles, separated by commas");
		switch (store_scep_profile_get(m->store, name, &row, &why)) {
		case STORE_OK:
			if (strcmp(row.name, name) != 0)
				return manage_invalid(r, "profiles",
				    "give the name of %s, which is %s", name, row.name);
			break;
		case STORE_NONE:
			return manage_invalid(r, "profiles", "there is no profile %s", name);
		default:
			return manage_fail(r, MANAGE_AWAY, "%s", why.line);
		}
	}
	return MANAGE_OK;
}

static enum manage_rc
check_order(struct manage *m, const struct manage_token_order *o, struct manage_report *r)
{
	const char *profiles = o->profiles != NULL ? o->profiles : "";
	unsigned role = manage_role_of_name(o->role);

	if (!manage_is_name(o->name))
		manage_invalid(
		    r, "name", "want 1 to 64 of A-Z a-z 0-9 . _ -, have \"%s\"", o->name);
	if (role == 0)
		manage_invalid(r, "role",
		    "want admin, operator, approver, auditor or challenge, have \"%s\"", o->role);
	if (o->lifetime_s != 0 &&
	    (o->lifetime_s < LIFETIME_LEAST_S || o->lifetime_s > LIFETIME_MOST_S))
		manage_invalid(r, "ttl", "want 1 minute to 3660 days");
	if (role == MANAGE_ROLE_CHALLENGE && profiles[0] == '\0')
		manage_invalid(r, "profiles", "role challenge needs the profiles it may mint for");
	if (strlen(profiles) >= sizeof(((struct token_row *)0)->profiles))
		manage_invalid(r, "profiles", "are too many");
	else if (check_profiles(m, profiles, r) == MANAGE_AWAY)
		return MANAGE_AWAY;
	return manage_validity(r);
}

/* 43 digits, each of the 62 equally likely: 248 is the largest multiple of 62 in an octet. */
static bool
draw(char token[MANAGE_TOKEN_SIZE], struct errbuf *why)
{
	size_t at = sizeof(MANAGE_TOKEN_PREFIX) - 1;
	uint8_t random[64];

	memcpy(token, MANAGE_TOKEN_PREFIX, at);
	while (at < MANAGE_TOKEN_SIZE - 1) {
		if (RAND_priv_bytes(random, sizeof(random)) != 1) {
			errbuf_ossl(why, "token: no random octets");
			return false;
		}
		for (size_t i = 0; i < sizeof(random) && at < MANAGE_TOKEN_SIZE - 1; i++)
			if (random[i] < 248)
				token[at++] = base62[random[i] % 62];
	}
	token[at] = '\0';
	octets_wipe(random, sizeof(random));
	return true;
}

bool
manage_token_is_token(struct octets token)
{
	const size_t prefix = sizeof(MANAGE_TOKEN_PREFIX) - 1;

	if (token.len != MANAGE_TOKEN_SIZE - 1 ||
	    memcmp(token.data, MANAGE_TOKEN_PREFIX, prefix) != 0)
		return false;
	for (size_t i = prefix; i < token.len; i++)
		if (token.data[i] == '\0' || strchr(base62, token.data[i]) == NULL)
			return false;
	return true;
}

static enum manage_rc
hash_of(struct manage *m, struct octets token, uint8_t hash[32], struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if (!master_key_mac(m->master_key, MASTER_KEY_TOKEN, &token, 1, hash)) {
		errbuf_ossl(&r->why, "token: HMAC");
		return MANAGE_FAULT;
	}
	return MANAGE_OK;
}

/* A MAC that no token's can be: it has two parts. */
static enum manage_rc
hash_of_certificate(struct manage *m, struct octets der, uint8_t hash[32], struct manage_report *r)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	struct octets parts[2] = {octets_of_string("client certificate"), octets_of(digest, 32)};
	enum manage_rc rc;

	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if (EVP_Digest(der.data, der.len, digest, NULL, EVP_sha256(), NULL) != 1 ||
	    !master_key_mac(m->master_key, MASTER_KEY_TOKEN, parts, 2, hash)) {
		errbuf_ossl(&r->why, "client certificate: SHA-256");
		return MANAGE_FAULT;
	}
	return MANAGE_OK;
}

/* In time, by its own words? */
static bool
certificate_in_time(struct octets der, int64_t now, struct errbuf *why)
{
	struct certificate c;
	bool ok = false;

	if (!certificate_parse(der, &c, why))
		return false;
	if (now < c.not_before)
		errbuf_set(why, "the client certificate is not valid yet");
	else if (now > c.not_after)
		errbuf_set(why, "the client certificate has expired");
	else
		ok = true;
	certificate_free(&c);
	return ok;
}

/* The secret: text that is drawn, or the certificate. */
static enum manage_rc
make_secret(struct manage *m, const struct manage_token_order *o, char token[MANAGE_TOKEN_SIZE],
    struct token_row *out, struct manage_report *r)
{
	struct token_row other;
	struct errbuf why = {0};
	enum manage_rc rc;

	if (o->certificate.len == 0)
		return draw(token, &r->why) ? hash_of(m, octets_of_string(token), out->hash, r)
					    : MANAGE_FAULT;
	if (!certificate_in_time(o->certificate, clock_now(), &why)) {
		manage_invalid(r, "clientCertificate", "%s", why.line);
		return manage_validity(r);
	}
	if ((rc = hash_of_certificate(m, o->certificate, out->hash, r)) != MANAGE_OK)
		return rc;
	switch (store_token_by_hash(m->store, out->hash, &other, &r->why)) {
	case STORE_NONE:
		return MANAGE_OK;
	case STORE_OK:
		return manage_fail(
		    r, MANAGE_CONFLICT, "the certificate stands for token %s already", other.name);
	default:
		return MANAGE_AWAY;
	}
}

enum manage_rc
manage_token_create(struct manage *m, const struct manage_actor *by,
    const struct manage_token_order *o, char token[MANAGE_TOKEN_SIZE], struct token_row *out,
    struct manage_report *r)
{
	struct buffer reason = {0};
	struct audit_event e;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	memset(token, 0, MANAGE_TOKEN_SIZE);
	if ((rc = manage_need_store(m, r)) != MANAGE_OK || (rc = check_order(m, o, r)) != MANAGE_OK)
		return rc;
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "token: no random octets");
	if ((rc = make_secret(m, o, token, out, r)) != MANAGE_OK)
		return rc;
	snprintf(out->name, sizeof(out->name), "%s", o->name);
	snprintf(out->role, sizeof(out->role), "%s", o->role);
	snprintf(
	    out->profiles, sizeof(out->profiles), "%s", o->profiles != NULL ? o->profiles : "");
	out->created_at = clock_now();
	out->expires_at = o->lifetime_s != 0 ? out->created_at + o->lifetime_s : 0;
	buffer_append_format(&reason, "name: %s; role: %s; profiles: %s", out->name, out->role,
	    out->profiles[0] != '\0' ? out->profiles : "all");
	if (o->certificate.len > 0)
		buffer_append_string(&reason, "; by a client certificate");
	e = manage_event(by, "token.create", "token", out->id);
	e.reason = buffer_string(&reason);
	rc = manage_of_store(store_token_insert(m->store, out, &e, &r->why), "token", o->name, r);
	buffer_free(&reason);
	if (rc != MANAGE_OK)
		octets_wipe(token, MANAGE_TOKEN_SIZE);
	return rc;
}

/*
 * When it was used last is a convenience: a store that cannot write now must not keep callers out, nor each of them waiting for the writers'
 * lock, so it is left alone for a minute.
 */
static void
note_use(struct manage *m, const struct token_row *t)
{
	struct errbuf ignored = {0};

	/* It is kept to the minute, and most callers come again within it. */
	if (clock_now() - t->last_used_at <= 60 || clock_monotonic_ms() < m->token_used_after_ms)
		return;
	if (store_token_used(m->store, t->id, clock_now(), &ignored) == STORE_AWAY)
		m->token_used_after_ms = clock_monotonic_ms() + 60000;
}

static enum manage_rc
find_hash(struct manage *m, const uint8_t hash[32], const char *unknown, struct token_row *out,
    struct manage_report *r)
{
	int64_t now = clock_now();

	switch (store_token_by_hash(m->store, hash, out, &r->why)) {
	case STORE_OK:
		break;
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "%s", unknown);
	default:
		return MANAGE_AWAY;
	}
	if (out->revoked)
		return manage_fail(r, MANAGE_NOT_FOUND, "token %s is revoked", out->name);
	if (out->expires_at != 0 && now >= out->expires_at)
		return manage_fail(r, MANAGE_NOT_FOUND, "token %s has expired", out->name);
	note_use(m, out);
	return MANAGE_OK;
}

enum manage_rc
manage_token_find(
    struct manage *m, struct octets token, struct token_row *out, struct manage_report *r)
{
	uint8_t hash[32];
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if (!manage_token_is_token(token))
		return manage_fail(r, MANAGE_NOT_FOUND, "not a token");
	if ((rc = hash_of(m, token, hash, r)) != MANAGE_OK)
		return rc;
	return find_hash(m, hash, "unknown token", out, r);
}

enum manage_rc
manage_token_find_certificate(
    struct manage *m, struct octets der, struct token_row *out, struct manage_report *r)
{
	uint8_t hash[32];
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if (!certificate_in_time(der, clock_now(), &r->why))
		return MANAGE_NOT_FOUND;
	if ((rc = hash_of_certificate(m, der, hash, r)) != MANAGE_OK)
		return rc;
	return find_hash(m, hash, "unknown client certificate", out, r);
}

bool
manage_token_has_profile(const struct token_row *t, const char *profile)
{
	const char *list = t->profiles;
	char name[65];

	/* All, but for the role that is nothing without its profiles. */
	if (list[0] == '\0')
		return manage_role_of_name(t->role) != MANAGE_ROLE_CHALLENGE;
	while (next_name(&list, name))
		if (strcmp(name, profile) == 0)
			return true;
	return false;
}

enum manage_rc
manage_token_each(struct manage *m, bool (*row)(void *ctx, const struct token_row *t), void *ctx,
    struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(store_token_each(m->store, row, ctx, &r->why), "token", "", r);
}

enum manage_rc
manage_token_revoke(
    struct manage *m, const struct manage_actor *by, const char *name, struct manage_report *r)
{
	struct audit_event e = manage_event(by, "token.revoke", "token", name);
	enum manage_rc rc;

	e.reason = "revoked: no -> yes";
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(store_token_revoke(m->store, name, &e, &r->why), "token", name, r);
}
