/* webhook_test.c: one call of a webhook, with a CSR that is made for it. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "fcgi-admin/manage/profile.h"
#include "fcgi-admin/manage/webhook.h"
#include "outbound/webhook.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/client.h"
#include "store/profile_row.h"

#define SUBJECT "CN=webhook test"

static enum webhook_authentication
authentication_of(const char *text)
{
	return strcmp(text, "bearer") == 0  ? WEBHOOK_BEARER
	       : strcmp(text, "basic") == 0 ? WEBHOOK_BASIC
	       : strcmp(text, "mtls") == 0  ? WEBHOOK_MTLS
					    : WEBHOOK_NONE;
}

/* What it is asked about: a key and a CSR that nobody keeps. */
struct sample {
	struct buffer subject, csr, spki;
};

static void
sample_free(struct sample *s)
{
	buffer_free(&s->subject);
	buffer_free(&s->csr);
	buffer_free(&s->spki);
}

static bool
sample_make(struct sample *s, struct errbuf *why)
{
	EVP_PKEY *key = private_key_generate("ec:P-256", why);
	bool ok = key != NULL && name_from_text(SUBJECT, &s->subject, why) &&
		  scep_client_csr(
		      key, buffer_octets(&s->subject), octets_of(NULL, 0), NULL, &s->csr, why) &&
		  private_key_spki(key, &s->spki, why);

	EVP_PKEY_free(key);
	return ok;
}

static bool
unseal(struct manage *m, const struct webhook_row *row, const struct buffer *sealed,
    struct buffer *out, struct errbuf *why)
{
	return sealed->len == 0 || master_key_unseal(m->master_key, octets_of_string(row->id),
				       buffer_octets(sealed), out, why);
}

static enum manage_rc
call(const struct webhook_row *row, const struct webhook *w, const struct webhook_subject *s,
    struct manage_webhook_answer *out, struct manage_report *r)
{
	struct http *http = NULL;
	enum manage_rc rc = MANAGE_OK;

	if (!http_open(&http, &r->why))
		return MANAGE_FAULT;
	if (strcmp(row->kind, "notify") == 0) {
		out->allowed = webhook_notify(http, w, s, octets_of(NULL, 0), 0, 0, "test",
		    "a test by an operator: nothing was refused", &r->why);
		if (!out->allowed)
			rc = MANAGE_CONFLICT;
	} else {
		switch (webhook_validate(http, w, s, out->message, &r->why)) {
		case WEBHOOK_ALLOWED:
			out->allowed = true;
			break;
		case WEBHOOK_DENIED:
			snprintf(out->message, sizeof(out->message), "%.255s", r->why.line);
			break;
		case WEBHOOK_AWAY:
			rc = MANAGE_CONFLICT;
		}
	}
	http_close(http);
	return rc;
}

static enum manage_rc
test(struct manage *m, const char *profile, const struct webhook_row *row, struct octets challenge,
    struct manage_webhook_answer *out, struct manage_report *r)
{
	struct buffer secret = {0}, credential = {0};
	struct sample sample = {0};
	enum manage_rc rc = MANAGE_FAULT;

	if (sample_make(&sample, &r->why) &&
	    unseal(m, row, &row->sealed_secret, &secret, &r->why) &&
	    unseal(m, row, &row->sealed_credential, &credential, &r->why)) {
		const struct webhook w = {
		    .id = row->id,
		    .url = row->url,
		    .authentication = authentication_of(row->authentication),
		    .secret = buffer_octets(&secret),
		    .credential = buffer_octets(&credential),
		    .ca_file = row->ca_file,
		    .allow_private = row->allow_private,
		    .timeout_ms = row->timeout_ms,
		};
		const struct webhook_subject s = {
		    .provisioner = profile,
		    .transaction_id = "webhook-test",
		    .challenge = challenge,
		    .csr = buffer_octets(&sample.csr),
		    .subject = SUBJECT,
		    .spki = buffer_octets(&sample.spki),
		    .key_algorithm = "EC",
		    .now = clock_now(),
		};

		rc = call(row, &w, &s, out, r);
	}
	buffer_free(&secret);
	buffer_free(&credential);
	sample_free(&sample);
	return rc;
}

enum manage_rc
manage_webhook_test(struct manage *m, const char *profile, const char *webhook,
    struct octets challenge, struct manage_webhook_answer *out, struct manage_report *r)
{
	struct scep_profile_row p = {0};
	struct webhook_row row = {0};
	enum manage_rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = manage_webhook_get(m, profile, webhook, &row, r)) == MANAGE_OK &&
	    (rc = manage_need_master_key(m, r)) == MANAGE_OK &&
	    (rc = manage_profile_row(m, profile, &p, r)) == MANAGE_OK)
		rc = test(m, p.name, &row, challenge, out, r);
	webhook_row_free(&row);
	return rc;
}
