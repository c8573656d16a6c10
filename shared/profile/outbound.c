/* outbound.c: connections to Intune and webhooks of a profile, from their sealed rows. */
#include "profile/outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/master_key.h"
#include "outbound/intune.h"

struct client {
	struct intune_row row; /* its texts are the client's settings */
	struct intune *intune;
	bool used; /* by a snapshot, since the last drop */
	struct client *next;
};

struct profile_outbound {
	const struct settings *settings;
	const struct master_key *master_key;
	struct http *http;
	struct client *clients;
};

struct profile_outbound *
profile_outbound_new(const struct settings *s, const struct master_key *k, struct http *h)
{
	struct profile_outbound *o = calloc(1, sizeof(*o));

	if (o != NULL)
		*o = (struct profile_outbound){.settings = s, .master_key = k, .http = h};
	return o;
}

static void
client_free(struct client *c)
{
	intune_close(c->intune);
	octets_wipe(&c->row, sizeof(c->row));
	free(c);
}

void
profile_outbound_free(struct profile_outbound *o)
{
	struct client *next;

	if (o == NULL)
		return;
	for (struct client *c = o->clients; c != NULL; c = next) {
		next = c->next;
		client_free(c);
	}
	free(o);
}

void
profile_outbound_drop(struct profile_outbound *o)
{
	struct client **at;

	if (o == NULL)
		return;
	for (at = &o->clients; *at != NULL;) {
		struct client *c = *at;

		if (c->used) {
			c->used = false;
			at = &c->next;
		} else {
			*at = c->next;
			client_free(c);
		}
	}
}

bool
profile_intune_open(const struct settings *s, const struct master_key *k, struct http *h,
    const struct intune_row *row, struct intune **out, struct errbuf *why)
{
	struct buffer secret = {0};
	struct intune_settings settings = {
	    .tenant = row->tenant,
	    .client_id = row->client_id,
	    .login_url = s->intune_login_url,
	    .graph_url = s->intune_graph_url,
	    .resource = s->intune_resource,
	    .hosts = s->intune_hosts,
	    .ca_file = s->intune_ca_file,
	    .timeout_ms = s->outbound_timeout_ms,
	    .caller = "fcgi-scep/" SCEP_VERSION,
	};
	bool ok;

	*out = NULL;
	ok = master_key_unseal(k, octets_of_string(row->id),
	    octets_of(row->sealed_key, row->sealed_key_len), &secret, why);
	if (ok) {
		settings.client_secret = buffer_octets(&secret);
		ok = intune_open(&settings, h, out, why);
	}
	if (!ok)
		errbuf_prefix(why, "connection to Intune");
	buffer_free(&secret);
	return ok;
}

/* What the client was made from. */
static bool
same_connection(const struct intune_row *a, const struct intune_row *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->tenant, b->tenant) == 0 &&
	       strcmp(a->client_id, b->client_id) == 0 && a->sealed_key_len == b->sealed_key_len &&
	       memcmp(a->sealed_key, b->sealed_key, a->sealed_key_len) == 0;
}

static enum store_rc
find_client(struct profile_outbound *o, const struct intune_row *row, struct client **out,
    struct errbuf *why)
{
	struct client *c = o->clients;

	while (c != NULL && !same_connection(&c->row, row))
		c = c->next;
	if (c == NULL) {
		if ((c = calloc(1, sizeof(*c))) == NULL) {
			errbuf_set(why, "connection to Intune: out of memory");
			return STORE_AWAY;
		}
		c->row = *row;
		if (!profile_intune_open(
			o->settings, o->master_key, o->http, &c->row, &c->intune, why)) {
			free(c);
			return STORE_AWAY;
		}
		c->next = o->clients;
		o->clients = c;
	}
	c->used = true;
	*out = c;
	return STORE_OK;
}

static enum store_rc
read_connection(struct profile_outbound *o, struct store *st, struct profile *p, struct errbuf *why)
{
	struct intune_row row = {0};
	struct client *c;
	enum store_rc rc;

	if (p->scep.intune_id[0] == '\0')
		return STORE_OK;
	if ((rc = store_intune_get(st, p->scep.intune_id, &row, why)) == STORE_NONE) {
		errbuf_set(why, "profile %s: its connection to Intune is missing", p->scep.name);
		return STORE_AWAY;
	}
	if (rc == STORE_OK && (rc = find_client(o, &row, &c, why)) == STORE_OK) {
		p->intune = c->intune;
		memcpy(p->intune_name, row.name, sizeof(p->intune_name));
	}
	return rc;
}

/* ---- webhooks ------------------------------------------------------------------------------------------------------------------ */

struct webhook_reading {
	const struct master_key *master_key;
	struct profile *profile;
	struct errbuf *why;
	bool failed;
};

static bool
authentication_of(const char *text, enum webhook_authentication *out)
{
	static const struct {
		const char *text;
		enum webhook_authentication is;
	} all[] = {{"none", WEBHOOK_NONE}, {"bearer", WEBHOOK_BEARER}, {"basic", WEBHOOK_BASIC},
	    {"mtls", WEBHOOK_MTLS}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i].text, text) == 0) {
			*out = all[i].is;
			return true;
		}
	}
	return false;
}

static bool
unseal(const struct webhook_reading *r, const struct webhook_row *row, const struct buffer *sealed,
    struct buffer *out)
{
	return sealed->len == 0 || master_key_unseal(r->master_key, octets_of_string(row->id),
				       buffer_octets(sealed), out, r->why);
}

static bool
open_webhook(
    const struct webhook_reading *r, const struct webhook_row *row, struct profile_webhook *w)
{
	memcpy(w->id, row->id, sizeof(w->id));
	memcpy(w->name, row->name, sizeof(w->name));
	memcpy(w->url, row->url, sizeof(w->url));
	memcpy(w->ca_file, row->ca_file, sizeof(w->ca_file));
	w->notify = strcmp(row->kind, "notify") == 0;
	w->call = (struct webhook){
	    .id = w->id,
	    .url = w->url,
	    .ca_file = w->ca_file,
	    .allow_private = row->allow_private,
	    .timeout_ms = row->timeout_ms,
	};
	if (!w->notify && strcmp(row->kind, "validate") != 0) {
		errbuf_set(r->why, "kind \"%s\" is neither validate nor notify", row->kind);
		return false;
	}
	if (!authentication_of(row->authentication, &w->call.authentication)) {
		errbuf_set(r->why, "authentication \"%s\" is not known", row->authentication);
		return false;
	}
	if (!unseal(r, row, &row->sealed_secret, &w->secret) ||
	    !unseal(r, row, &row->sealed_credential, &w->credential))
		return false;
	w->call.secret = buffer_octets(&w->secret);
	w->call.credential = buffer_octets(&w->credential);
	return true;
}

static bool
add_webhook(void *ctx, const struct webhook_row *row)
{
	struct webhook_reading *r = ctx;
	struct profile *p = r->profile;
	struct profile_webhook *w;

	if (!row->enabled)
		return true;
	if (p->webhook_count == WEBHOOKS_MAX) {
		errbuf_set(r->why, "have more than %d", WEBHOOKS_MAX);
		r->failed = true;
		return false;
	}
	w = &p->webhooks[p->webhook_count++];
	if (!open_webhook(r, row, w)) {
		errbuf_prefix(r->why, "%s", w->name);
		r->failed = true;
	}
	return !r->failed;
}

static enum store_rc
read_webhooks(struct profile_outbound *o, struct store *st, struct profile *p, struct errbuf *why)
{
	struct webhook_reading r = {.master_key = o->master_key, .profile = p, .why = why};
	enum store_rc rc;

	if ((p->webhooks = calloc(WEBHOOKS_MAX, sizeof(*p->webhooks))) == NULL) {
		errbuf_set(why, "webhooks: out of memory");
		return STORE_AWAY;
	}
	rc = store_webhook_each(st, p->scep.id, add_webhook, &r, why);
	if (r.failed) {
		errbuf_prefix(why, "webhook");
		rc = STORE_AWAY;
	}
	return rc;
}

enum store_rc
profile_outbound_read(
    struct profile_outbound *o, struct store *st, struct profile *p, struct errbuf *why)
{
	enum store_rc rc = read_connection(o, st, p, why);

	return rc == STORE_OK ? read_webhooks(o, st, p, why) : rc;
}

void
profile_free_webhooks(struct profile *p)
{
	for (int i = 0; i < p->webhook_count; i++) {
		buffer_free(&p->webhooks[i].secret);
		buffer_free(&p->webhooks[i].credential);
	}
	free(p->webhooks);
}
