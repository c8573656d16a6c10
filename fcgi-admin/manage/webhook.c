/* webhook.c: making, changing and removing the webhooks of a profile. */
#include "fcgi-admin/manage/webhook.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/manage/profile.h"
#include "outbound/http.h"
#include "store/profile_row.h"

#define SECRET_LEAST  16
#define TIMEOUT_LEAST 100
#define TIMEOUT_MOST  60000

/* --- checking --- */

static bool
is_authentication(const char *text)
{
	return strcmp(text, "none") == 0 || strcmp(text, "bearer") == 0 ||
	       strcmp(text, "basic") == 0 || strcmp(text, "mtls") == 0;
}

/* One line of what may stand in a header. */
static bool
is_line(struct octets o)
{
	for (size_t i = 0; i < o.len; i++)
		if (o.data[i] < ' ' || o.data[i] == 0x7f)
			return false;
	return o.len > 0;
}

static bool
has(struct octets o, const char *text)
{
	return memmem(o.data, o.len, text, strlen(text)) != NULL;
}

static void
check_credential(const char *authentication, struct octets credential, struct manage_report *r)
{
	const char *name = "credentialFile";

	if (strcmp(authentication, "none") == 0)
		manage_invalid(r, name, "authentication none has none");
	else if (credential.len > MANAGE_WEBHOOK_CREDENTIAL_MAX)
		manage_invalid(r, name, "want at most %d octets", MANAGE_WEBHOOK_CREDENTIAL_MAX);
	else if (strcmp(authentication, "mtls") == 0 &&
		 (!has(credential, "-----BEGIN CERTIFICATE-----") ||
		     !has(credential, "PRIVATE KEY-----") || has(credential, "ENCRYPTED")))
		manage_invalid(r, name, "want PEM of a certificate and its key, not encrypted");
	else if (strcmp(authentication, "bearer") == 0 &&
		 (!is_line(credential) || has(credential, " ")))
		manage_invalid(r, name, "want the token alone, in one line");
	else if (strcmp(authentication, "basic") == 0 &&
		 (!is_line(credential) || !has(credential, ":")))
		manage_invalid(r, name, "want USER:PASSWORD, in one line");
}

static void
check_url(const char *url, struct manage_report *r)
{
	char host[HTTP_NAME_SIZE];

	if (url == NULL)
		return;
	if (strlen(url) >= sizeof(((struct webhook_row *)0)->url))
		manage_invalid(r, "url", "is too long");
	else if (!http_url_is_https(url, host))
		manage_invalid(r, "url", "want https://HOST/…, without a user in it");
}

/* now: as it stands; its authentication says which credential c has to have. */
static enum manage_rc
check(const struct manage_webhook_change *c, const struct webhook_row *now, struct manage_report *r)
{
	const char *authentication =
	    c->authentication != NULL ? c->authentication : now->authentication;

	check_url(c->url, r);
	if (!is_authentication(authentication))
		manage_invalid(
		    r, "auth", "want none, bearer, basic or mtls, have \"%s\"", authentication);
	else if (c->credential != NULL)
		check_credential(authentication, *c->credential, r);
	else if (strcmp(authentication, "none") != 0 &&
		 strcmp(authentication, now->authentication) != 0)
		manage_invalid(r, "credentialFile", "authentication %s needs one", authentication);
	if (c->secret != NULL &&
	    (c->secret->len < SECRET_LEAST || c->secret->len > MANAGE_WEBHOOK_SECRET_MAX))
		manage_invalid(r, "secretFile", "want base64 of %d to %d octets", SECRET_LEAST,
		    MANAGE_WEBHOOK_SECRET_MAX);
	manage_check_text(r, "caFile", c->ca_file, sizeof(now->ca_file) - 1, false);
	if (c->ca_file != NULL && c->ca_file[0] != '\0' && c->ca_file[0] != '/')
		manage_invalid(r, "caFile", "want an absolute path");
	else if (c->ca_file != NULL && c->ca_file[0] != '\0' && access(c->ca_file, R_OK) != 0)
		manage_warn(r, "%s cannot be read now", c->ca_file);
	if (c->timeout_ms != -1 && (c->timeout_ms < TIMEOUT_LEAST || c->timeout_ms > TIMEOUT_MOST))
		manage_invalid(r, "timeout", "want %d to %d ms", TIMEOUT_LEAST, TIMEOUT_MOST);
	if (c->allow_private == 1)
		manage_warn(r, "private and link-local addresses may be called: whoever rules the "
			       "name in the URL chooses which");
	return manage_validity(r);
}

/* --- applying --- */

static bool
seal(struct manage *m, const char *id, struct octets secret, struct buffer *out, struct errbuf *why)
{
	struct buffer sealed = {0};

	if (!master_key_seal(m->master_key, octets_of_string(id), secret, &sealed, why) ||
	    sealed.failed) {
		buffer_free(&sealed);
		return false;
	}
	buffer_free(out);
	*out = sealed;
	return true;
}

static enum manage_rc
apply_secrets(struct manage *m, const struct manage_webhook_change *c, struct webhook_row *w,
    struct buffer *drawn, struct buffer *changes, struct manage_report *r)
{
	uint8_t fresh[MANAGE_WEBHOOK_SECRET];
	bool draw = c->new_secret || (c->secret == NULL && w->sealed_secret.len == 0), ok = true;
	struct octets secret = c->secret != NULL ? *c->secret : octets_of(fresh, sizeof(fresh));
	enum manage_rc rc;

	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if (draw && RAND_priv_bytes(fresh, sizeof(fresh)) != 1)
		return manage_fail(r, MANAGE_FAULT, "no random octets for a secret");
	if (draw || c->secret != NULL) {
		manage_changed(
		    changes, "secret", w->sealed_secret.len > 0 ? "set" : "", "set anew");
		ok = seal(m, w->id, secret, &w->sealed_secret, &r->why);
	}
	if (draw)
		encoding_base64(octets_of(fresh, sizeof(fresh)), drawn);
	octets_wipe(fresh, sizeof(fresh));
	if (strcmp(w->authentication, "none") == 0)
		buffer_free(&w->sealed_credential);
	if (c->credential != NULL && ok) {
		manage_changed(
		    changes, "credential", w->sealed_credential.len > 0 ? "set" : "", "set anew");
		ok = seal(m, w->id, *c->credential, &w->sealed_credential, &r->why);
	}
	return ok && !drawn->failed ? MANAGE_OK : MANAGE_FAULT;
}

static void
apply_flag(const char *name, int value, bool *target, struct buffer *changes)
{
	if (value == -1 || (value != 0) == *target)
		return;
	manage_changed(changes, name, *target ? "yes" : "no", value != 0 ? "yes" : "no");
	*target = value != 0;
}

static enum manage_rc
apply(struct manage *m, const struct manage_webhook_change *c, struct webhook_row *w,
    struct buffer *drawn, struct buffer *changes, struct manage_report *r)
{
	manage_set_text("url", c->url, w->url, sizeof(w->url), changes);
	manage_set_text("authentication", c->authentication, w->authentication,
	    sizeof(w->authentication), changes);
	manage_set_text("caFile", c->ca_file, w->ca_file, sizeof(w->ca_file), changes);
	apply_flag("allowPrivate", c->allow_private, &w->allow_private, changes);
	apply_flag("enabled", c->enabled, &w->enabled, changes);
	if (c->timeout_ms != -1 && c->timeout_ms != w->timeout_ms) {
		manage_changed_number(changes, "timeout", w->timeout_ms, c->timeout_ms);
		w->timeout_ms = c->timeout_ms;
	}
	return apply_secrets(m, c, w, drawn, changes, r);
}

/* --- reading --- */

static enum manage_rc
get(struct manage *m, const char *profile, const char *webhook, struct scep_profile_row *p,
    struct webhook_row *out, struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_profile_row(m, profile, p, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_webhook_get(m->store, p->id, webhook, out, &r->why), "webhook", webhook, r);
}

enum manage_rc
manage_webhook_get(struct manage *m, const char *profile, const char *webhook,
    struct webhook_row *out, struct manage_report *r)
{
	struct scep_profile_row p = {0};

	return get(m, profile, webhook, &p, out, r);
}

enum manage_rc
manage_webhook_each(struct manage *m, const char *profile,
    bool (*row)(void *ctx, const struct webhook_row *w), void *ctx, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	enum manage_rc rc;

	if ((rc = manage_profile_row(m, profile, &p, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_webhook_each(m->store, p.id, row, ctx, &r->why), "webhook", "", r);
}

struct counted {
	const char *kind; /* NULL: any, enabled or not */
	const char *except;
	int count;
};

static bool
count_row(void *ctx, const struct webhook_row *w)
{
	struct counted *c = ctx;

	c->count += (c->kind == NULL || (w->enabled && strcmp(w->kind, c->kind) == 0)) &&
		    (c->except == NULL || strcmp(w->id, c->except) != 0);
	return true;
}

enum manage_rc
manage_webhook_count(struct manage *m, const char *profile_id, const char *kind, const char *except,
    int *count, struct manage_report *r)
{
	struct counted c = {.kind = kind, .except = except};
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	rc = manage_of_store(
	    store_webhook_each(m->store, profile_id, count_row, &c, &r->why), "webhook", "", r);
	*count = c.count;
	return rc;
}

/* An enabled profile of mode webhook keeps one that validates. */
static enum manage_rc
check_may_go(struct manage *m, const struct scep_profile_row *p, const struct webhook_row *w,
    struct manage_report *r)
{
	enum manage_rc rc;
	int others = 0;

	if (!p->enabled || strcmp(p->challenge_mode, "webhook") != 0 ||
	    strcmp(w->kind, "validate") != 0)
		return MANAGE_OK;
	if ((rc = manage_webhook_count(m, p->id, "validate", w->id, &others, r)) != MANAGE_OK)
		return rc;
	if (others == 0)
		return manage_fail(r, MANAGE_CONFLICT,
		    "profile %s is of mode webhook and asks no other: change its mode (profile set "
		    "--challenge-mode) or disable it (profile disable) first",
		    p->name);
	return MANAGE_OK;
}

/* --- the verbs --- */

static struct audit_event
event_of(const struct manage_actor *by, const char *action, const struct scep_profile_row *p,
    const struct webhook_row *w, const char *reason)
{
	struct audit_event e = manage_event(by, action, "webhook", w->id);

	e.profile = p->name;
	e.reason = reason;
	return e;
}

static enum manage_rc
check_new(struct manage *m, const struct scep_profile_row *p, const char *name, const char *kind,
    const struct manage_webhook_change *c, struct manage_report *r)
{
	enum manage_rc rc;
	int count = 0;

	if (!manage_is_name(name))
		manage_invalid(r, "name", "want 1 to 64 of A-Z a-z 0-9 . _ -, have \"%s\"", name);
	if (strcmp(kind, "validate") != 0 && strcmp(kind, "notify") != 0)
		manage_invalid(r, "kind", "want validate or notify, have \"%s\"", kind);
	if (c->url == NULL)
		manage_invalid(r, "url", "is missing");
	if ((rc = manage_webhook_count(m, p->id, NULL, NULL, &count, r)) != MANAGE_OK)
		return rc;
	if (count >= WEBHOOKS_MAX)
		return manage_fail(
		    r, MANAGE_FULL, "profile %s has %d webhooks already", p->name, WEBHOOKS_MAX);
	return MANAGE_OK;
}

enum manage_rc
manage_webhook_create(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *name, const char *kind, const struct manage_webhook_change *c, struct buffer *drawn,
    struct webhook_row *out, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct buffer changes = {0};
	struct audit_event e;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	snprintf(out->authentication, sizeof(out->authentication), "none");
	if ((rc = manage_profile_row(m, profile, &p, r)) != MANAGE_OK ||
	    (rc = check_new(m, &p, name, kind, c, r)) != MANAGE_OK ||
	    (rc = check(c, out, r)) != MANAGE_OK)
		return rc;
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	memcpy(out->profile_id, p.id, sizeof(out->profile_id));
	snprintf(out->kind, sizeof(out->kind), "%s", kind);
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->timeout_ms = MANAGE_WEBHOOK_TIMEOUT_MS;
	out->enabled = true;
	out->created_at = clock_now();
	buffer_append_format(&changes, "name: %s; kind: %s", name, kind);
	if ((rc = apply(m, c, out, drawn, &changes, r)) == MANAGE_OK) {
		e = event_of(by, "webhook.create", &p, out, buffer_string(&changes));
		rc = manage_of_store(
		    store_webhook_insert(m->store, out, &e, &r->why), "webhook", name, r);
	}
	buffer_free(&changes);
	if (rc != MANAGE_OK)
		buffer_free(drawn);
	return rc;
}

enum manage_rc
manage_webhook_set(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *webhook, const struct manage_webhook_change *c, struct buffer *drawn,
    struct webhook_row *out, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct buffer changes = {0};
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = get(m, profile, webhook, &p, out, r)) != MANAGE_OK ||
	    (rc = check(c, out, r)) != MANAGE_OK ||
	    (c->enabled == 0 && (rc = check_may_go(m, &p, out, r)) != MANAGE_OK))
		return rc;
	if ((rc = apply(m, c, out, drawn, &changes, r)) == MANAGE_OK && changes.len > 0) {
		e = event_of(by, "webhook.update", &p, out, buffer_string(&changes));
		rc = manage_of_store(
		    store_webhook_update(m->store, out, &e, &r->why), "webhook", webhook, r);
	}
	buffer_free(&changes);
	if (rc != MANAGE_OK)
		buffer_free(drawn);
	return rc;
}

enum manage_rc
manage_webhook_delete(struct manage *m, const struct manage_actor *by, const char *profile,
    const char *webhook, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct webhook_row row = {0};
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = get(m, profile, webhook, &p, &row, r)) == MANAGE_OK &&
	    (!row.enabled || (rc = check_may_go(m, &p, &row, r)) == MANAGE_OK)) {
		e = event_of(by, "webhook.delete", &p, &row, row.name);
		rc = manage_of_store(
		    store_webhook_delete(m->store, row.id, &e, &r->why), "webhook", webhook, r);
	}
	webhook_row_free(&row);
	return rc;
}
