/* health.c: the checks of /api/v1/health and scepctl health. */
#include "fcgi-admin/manage/health.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/transaction.h"
#include "fcgi-admin/manage/webhook.h"
#include "store/authority_row.h"
#include "store/key_check.h"
#include "store/profile_row.h"

#define DAY_S 86400

const char *
manage_health_name(enum manage_health_status s)
{
	return s == MANAGE_HEALTH_OK ? "ok" : s == MANAGE_HEALTH_WARN ? "warn" : "fail";
}

static struct manage_health_check *
add(struct manage_health *h, enum manage_health_status status, const char *detail)
{
	struct manage_health_check *c;

	if (status > h->status)
		h->status = status;
	c = &h->checks[h->count];
	if (h->count < MANAGE_HEALTH_MAX)
		h->count++;
	c->status = status;
	snprintf(c->detail, sizeof(c->detail), "%s", detail);
	return c;
}

static void
add_named(struct manage_health *h, const char *name, bool ok, const struct errbuf *why)
{
	struct manage_health_check *c =
	    add(h, ok ? MANAGE_HEALTH_OK : MANAGE_HEALTH_FAIL, ok ? "" : why->line);

	snprintf(c->name, sizeof(c->name), "%s", name);
}

static void
add_expiry(struct manage_health *h, const char *what, const char *name, int64_t not_after)
{
	int64_t left = not_after - clock_now();
	struct manage_health_check *c;
	enum manage_health_status status = left <= 0 ? MANAGE_HEALTH_FAIL
					   : left < MANAGE_HEALTH_WARN_DAYS * DAY_S
					       ? MANAGE_HEALTH_WARN
					       : MANAGE_HEALTH_OK;
	char time[ENCODING_TIME_SIZE], detail[128];

	encoding_time(not_after, time);
	snprintf(detail, sizeof(detail), "%s %s", left <= 0 ? "expired" : "expires", time);
	c = add(h, status, detail);
	snprintf(c->name, sizeof(c->name), "%s %s", what, name);
}

static void
check_store(struct manage *m, struct manage_health *h)
{
	struct manage_report r = {0};

	add_named(h, "store",
	    manage_need_store(m, &r) == MANAGE_OK && store_health(m->store, &r.why) == STORE_OK,
	    &r.why);
}

static bool
check_redis(struct manage *m, struct manage_health *h)
{
	struct manage_report r = {0};
	bool ok =
	    manage_need_redis(m, &r) == MANAGE_OK && redis_health(m->redis, &r.why) == REDIS_DONE;

	add_named(h, "redis", ok, &r.why);
	return ok;
}

/* The file as it is now, not as it was when this process read it. */
static void
check_master_key(struct manage *m, struct manage_health *h)
{
	struct master_key *k = NULL;
	struct errbuf why = {0};
	bool ok = master_key_load(m->settings->master_key_file, &k, &why);

	if (ok && m->store != NULL)
		ok = store_key_check(m->store, k, false, &why) == STORE_OK;
	master_key_free(k);
	add_named(h, "masterKey", ok, &why);
}

/* --- expiry --- */

struct authorities {
	struct manage_health *health;
	int active;
};

static bool
authority_row(void *ctx, const struct authority_row *a)
{
	struct authorities *all = ctx;

	if (strcmp(a->state, "active") != 0)
		return true;
	all->active++;
	add_expiry(all->health, "authority", a->name, a->not_after);
	return true;
}

/* An enabled profile, with what serves it and what it stands on: collected first, since no read is made inside another. */
struct served {
	char profile[65];
	char profile_id[37];
	char ra_certificate_id[37];
	char mode[16];
	bool has_intune;
};

static bool
profile_row(void *ctx, const struct scep_profile_row *p)
{
	struct buffer *all = ctx;
	struct served s = {.profile = ""};

	if (!p->enabled)
		return true;
	memcpy(s.profile, p->name, sizeof(s.profile));
	memcpy(s.profile_id, p->id, sizeof(s.profile_id));
	memcpy(s.mode, p->challenge_mode, sizeof(s.mode));
	s.has_intune = p->intune_id[0] != '\0';
	memcpy(s.ra_certificate_id, p->ra_certificate_id, sizeof(s.ra_certificate_id));
	buffer_append(all, &s, sizeof(s));
	return !all->failed;
}

/* What a profile's mode stands on may have gone since it was enabled. */
static void
check_mode(struct manage *m, struct manage_health *h, const struct served *s)
{
	const char *lacks = NULL;
	struct manage_report r = {0};
	struct manage_health_check *c;
	int count = 0;

	if (strcmp(s->mode, "intune") == 0 && !s->has_intune)
		lacks = "mode intune without a connection: profile set --intune";
	else if (strcmp(s->mode, "webhook") == 0 &&
		 manage_webhook_count(m, s->profile_id, "validate", NULL, &count, &r) ==
		     MANAGE_OK &&
		 count == 0)
		lacks = "mode webhook without one that validates: webhook create";
	if (lacks == NULL)
		return;
	c = add(h, MANAGE_HEALTH_WARN, lacks);
	snprintf(c->name, sizeof(c->name), "profile %s", s->profile);
}

static void
check_profiles(struct manage *m, struct manage_health *h)
{
	struct buffer all = {0};
	struct errbuf why = {0};

	if (store_scep_profile_each(m->store, profile_row, &all, &why) != STORE_OK || all.failed) {
		add_named(h, "profiles", false, &why);
		buffer_free(&all);
		return;
	}
	for (size_t at = 0; at + sizeof(struct served) <= all.len; at += sizeof(struct served)) {
		struct ra_certificate_row ra = {0};
		struct served s;

		memcpy(&s, all.data + at, sizeof(s));
		if (store_ra_certificate_get(m->store, s.ra_certificate_id, &ra, &why) == STORE_OK)
			add_expiry(h, "raCertificate of", s.profile, ra.not_after);
		else
			add_named(h, "raCertificate", false, &why);
		ra_certificate_row_free(&ra);
		check_mode(m, h, &s);
	}
	buffer_free(&all);
}

void
manage_health_expiry(struct manage *m, struct manage_health *h)
{
	struct authorities all = {.health = h};
	struct errbuf why = {0};

	if (store_authority_each(m->store, authority_row, &all, &why) != STORE_OK) {
		add_named(h, "authorities", false, &why);
	} else if (all.active == 0) {
		struct manage_health_check *c =
		    add(h, MANAGE_HEALTH_WARN, "there is none yet: scepctl ca create");

		snprintf(c->name, sizeof(c->name), "authorities");
	}
	check_profiles(m, h);
}

/* People have to decide, not the service: how many wait is told, and is no fault. */
static void
check_transactions(struct manage *m, struct manage_health *h)
{
	struct manage_report r = {0};
	struct manage_health_check *c;
	int64_t waiting;
	char detail[64];

	if (manage_transaction_count(m, &waiting, &r) != MANAGE_OK || waiting == 0)
		return;
	snprintf(detail, sizeof(detail), "%lld wait for approval", (long long)waiting);
	c = add(h, MANAGE_HEALTH_OK, detail);
	snprintf(c->name, sizeof(c->name), "transactions");
}

void
manage_health_check(struct manage *m, struct manage_health *out)
{
	bool redis;

	memset(out, 0, sizeof(*out));
	check_store(m, out);
	redis = check_redis(m, out);
	check_master_key(m, out);
	if (m->store == NULL)
		return;
	manage_health_expiry(m, out);
	if (redis)
		check_transactions(m, out);
}
