/* intune.c: making, changing, removing and checking connections to Intune. */
#include "fcgi-admin/manage/intune.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"

#define SECRET_OCTETS 512

/* --- checking --- */

/* A GUID in lower case; false where it is none. */
static bool
guid_of(const char *text, char out[UUID_SIZE])
{
	size_t len = strlen(text);

	if (len != UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i <= len; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	return encoding_is_uuid(out);
}

static void
check_secret(const struct octets *secret, struct manage_report *r)
{
	if (secret == NULL)
		return;
	if (secret->len == 0 || secret->len > SECRET_OCTETS) {
		manage_invalid(r, "secretFile", "want 1 to %d octets", SECRET_OCTETS);
		return;
	}
	for (size_t i = 0; i < secret->len; i++)
		if (secret->data[i] <= ' ' || secret->data[i] >= 0x7f) {
			manage_invalid(
			    r, "secretFile", "want the secret's value alone, in one line of ASCII");
			return;
		}
}

static enum manage_rc
check(const struct manage_intune_change *c, struct manage_report *r)
{
	char guid[UUID_SIZE];

	if (c->tenant != NULL && !intune_tenant_is_valid(c->tenant))
		manage_invalid(
		    r, "tenant", "want a GUID or a domain name, have \"%.64s\"", c->tenant);
	if (c->client_id != NULL && !guid_of(c->client_id, guid))
		manage_invalid(
		    r, "clientId", "want the application's GUID, have \"%.64s\"", c->client_id);
	check_secret(c->secret, r);
	return manage_validity(r);
}

/* --- writing --- */

static enum manage_rc
seal(struct manage *m, struct octets secret, struct intune_row *row, struct manage_report *r)
{
	struct buffer sealed = {0};
	enum manage_rc rc;
	bool ok;

	if ((rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	ok = master_key_seal(m->master_key, octets_of_string(row->id), secret, &sealed, &r->why) &&
	     !sealed.failed && sealed.len <= sizeof(row->sealed_key);
	if (ok) {
		memcpy(row->sealed_key, sealed.data, sealed.len);
		row->sealed_key_len = sealed.len;
	}
	buffer_free(&sealed);
	return ok ? MANAGE_OK : MANAGE_FAULT;
}

static enum manage_rc
apply(struct manage *m, const struct manage_intune_change *c, struct intune_row *row,
    struct buffer *changes, struct manage_report *r)
{
	char client_id[UUID_SIZE];

	manage_set_text("tenant", c->tenant, row->tenant, sizeof(row->tenant), changes);
	if (c->client_id != NULL && guid_of(c->client_id, client_id))
		manage_set_text(
		    "clientId", client_id, row->client_id, sizeof(row->client_id), changes);
	if (c->revocations != -1 && (c->revocations != 0) != row->revocations) {
		manage_changed(changes, "revocations", row->revocations ? "yes" : "no",
		    c->revocations != 0 ? "yes" : "no");
		row->revocations = c->revocations != 0;
	}
	if (c->secret == NULL)
		return MANAGE_OK;
	manage_changed(changes, "secret", row->sealed_key_len > 0 ? "set" : "", "set anew");
	return seal(m, *c->secret, row, r);
}

enum manage_rc
manage_intune_create(struct manage *m, const struct manage_actor *by, const char *name,
    const struct manage_intune_change *c, struct intune_row *out, struct manage_report *r)
{
	struct buffer changes = {0};
	struct audit_event e;
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if (!manage_is_name(name))
		manage_invalid(r, "name", "want 1 to 64 of A-Z a-z 0-9 . _ -, have \"%s\"", name);
	if (c->tenant == NULL)
		manage_invalid(r, "tenant", "is missing");
	if (c->client_id == NULL)
		manage_invalid(r, "clientId", "is missing");
	if (c->secret == NULL)
		manage_invalid(r, "secretFile", "is missing");
	if ((rc = check(c, r)) != MANAGE_OK || (rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	if (!encoding_uuid(out->id))
		return manage_fail(r, MANAGE_FAULT, "no random octets for an id");
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->revocations = true;
	out->created_at = clock_now();
	buffer_append_format(&changes, "name: %s", name);
	if ((rc = apply(m, c, out, &changes, r)) == MANAGE_OK) {
		e = manage_event(by, "intune.create", "intune", out->id);
		e.reason = buffer_string(&changes);
		rc = manage_of_store(store_intune_insert(m->store, out, &e, &r->why),
		    "connection to Intune", name, r);
	}
	buffer_free(&changes);
	return rc;
}

enum manage_rc
manage_intune_get(
    struct manage *m, const char *name, struct intune_row *out, struct manage_report *r)
{
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_intune_get(m->store, name, out, &r->why), "connection to Intune", name, r);
}

enum manage_rc
manage_intune_set(struct manage *m, const struct manage_actor *by, const char *name,
    const struct manage_intune_change *c, struct intune_row *out, struct manage_report *r)
{
	struct buffer changes = {0};
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = check(c, r)) != MANAGE_OK ||
	    (rc = manage_intune_get(m, name, out, r)) != MANAGE_OK)
		return rc;
	if ((rc = apply(m, c, out, &changes, r)) == MANAGE_OK && changes.len > 0) {
		e = manage_event(by, "intune.update", "intune", out->id);
		e.reason = buffer_string(&changes);
		rc = manage_of_store(store_intune_update(m->store, out, &e, &r->why),
		    "connection to Intune", name, r);
	}
	buffer_free(&changes);
	return rc;
}

enum manage_rc
manage_intune_delete(
    struct manage *m, const struct manage_actor *by, const char *name, struct manage_report *r)
{
	struct intune_row row;
	struct audit_event e;
	enum manage_rc rc;

	if ((rc = manage_intune_get(m, name, &row, r)) != MANAGE_OK)
		return rc;
	e = manage_event(by, "intune.delete", "intune", row.id);
	e.reason = row.name;
	switch (store_intune_delete(m->store, row.id, &e, &r->why)) {
	case STORE_OK:
		return MANAGE_OK;
	case STORE_CONFLICT:
		return manage_fail(r, MANAGE_CONFLICT,
		    "a profile has the connection %s: give it another first (profile set "
		    "--intune)",
		    row.name);
	case STORE_NONE:
		return manage_fail(r, MANAGE_NOT_FOUND, "there is no connection %s", name);
	default:
		return MANAGE_AWAY;
	}
}

enum manage_rc
manage_intune_each(struct manage *m, bool (*row)(void *ctx, const struct intune_row *i), void *ctx,
    struct manage_report *r)
{
	enum manage_rc rc;

	if ((rc = manage_need_store(m, r)) != MANAGE_OK)
		return rc;
	return manage_of_store(
	    store_intune_each(m->store, row, ctx, &r->why), "connection to Intune", "", r);
}

/* --- calling --- */

static bool
check_steps(struct manage *m, const struct intune_row *row, struct octets secret,
    struct intune_finding findings[INTUNE_STEPS], bool *ok, struct errbuf *why)
{
	const struct intune_settings s = {
	    .tenant = row->tenant,
	    .client_id = row->client_id,
	    .client_secret = secret,
	    .login_url = m->settings->intune_login_url,
	    .graph_url = m->settings->intune_graph_url,
	    .resource = m->settings->intune_resource,
	    .hosts = m->settings->intune_hosts,
	    .ca_file = m->settings->intune_ca_file,
	    .timeout_ms = m->settings->outbound_timeout_ms,
	    .caller = "fcgi-scep/" SCEP_VERSION,
	};
	struct intune *client = NULL;
	struct http *http = NULL;
	bool called = http_open(&http, why) && intune_open(&s, http, &client, why);

	if (called)
		*ok = intune_check(client, findings);
	intune_close(client);
	http_close(http);
	return called;
}

enum manage_rc
manage_intune_check(struct manage *m, const char *name,
    struct intune_finding findings[INTUNE_STEPS], bool *ok, struct manage_report *r)
{
	struct buffer secret = {0};
	struct intune_row row;
	enum manage_rc rc;

	*ok = false;
	memset(findings, 0, sizeof(*findings) * INTUNE_STEPS);
	if ((rc = manage_intune_get(m, name, &row, r)) != MANAGE_OK ||
	    (rc = manage_need_master_key(m, r)) != MANAGE_OK)
		return rc;
	if (!master_key_unseal(m->master_key, octets_of_string(row.id),
		octets_of(row.sealed_key, row.sealed_key_len), &secret, &r->why) ||
	    !check_steps(m, &row, buffer_octets(&secret), findings, ok, &r->why))
		rc = MANAGE_FAULT;
	buffer_free(&secret);
	return rc;
}
