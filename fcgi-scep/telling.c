/* telling.c: remembering what became of an authorised request, and telling it afterwards. */
#include "telling.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "outbound/intune.h"
#include "outbound/webhook.h"
#include "pki/certificate.h"
#include "pki/name.h"

#define E_UNEXPECTED 0x8000ffffu /* what Intune is told of faults of ours */

struct telling {
	const struct profile *profile; /* of the snapshot that the request had */
	bool ours;		       /* a fault of ours: for Intune too */
	char transaction_id[2 * SCEP_TRANSACTION_ID_MAX + 8];
	struct buffer csr;
	struct buffer certificate; /* empty: it was refused */
	char error_code[16];	   /* failInfo; "" none */
	char error[ERRBUF_SIZE];
};

void
telling_free(struct telling *told)
{
	if (told == NULL)
		return;
	buffer_free(&told->csr);
	buffer_free(&told->certificate);
	free(told);
}

static bool
anybody_listens(const struct profile *p, bool ours)
{
	for (int i = 0; i < p->webhook_count; i++)
		if (p->webhooks[i].notify)
			return true;
	return ours && p->intune != NULL;
}

static void
not_told(const char *whom, const char *reason)
{
	log_event(LOG_LEVEL_WARNING, "not-told", "%s: %s", whom, reason);
}

void
telling_about(
    struct transaction *t, const struct csr *csr, enum issue_rc rc, const struct issue_result *r)
{
	bool ours = rc == ISSUE_AWAY || rc == ISSUE_CHANGED;
	struct octets der = {0};
	struct telling *told;

	if (!anybody_listens(t->profile, ours) || rc == ISSUE_REPEAT)
		return;
	if ((told = calloc(1, sizeof(*told))) == NULL) {
		not_told("webhooks", "out of memory");
		return;
	}
	told->profile = t->profile;
	told->ours = ours;
	snprintf(told->transaction_id, sizeof(told->transaction_id), "%s", t->transaction_id);
	buffer_append(&told->csr, csr->der.data, csr->der.len);
	if (rc == ISSUE_DONE)
		der = buffer_octets(&r->certificate);
	if (der.len > 0)
		buffer_append(&told->certificate, der.data, der.len);
	if (rc == ISSUE_REFUSED)
		snprintf(told->error_code, sizeof(told->error_code), "%s",
		    scep_fail_info_name(r->fail_info));
	if (rc != ISSUE_DONE)
		snprintf(told->error, sizeof(told->error), "%s",
		    rc == ISSUE_REFUSED ? r->text.line : "the certificate could not be issued");
	telling_free(t->worker->telling);
	t->worker->telling = told;
}

/* hResult and a line of text; what Intune answers is of no use to anybody. */
static void
tell_intune(const struct telling *told)
{
	struct intune_answer answer;
	struct errbuf why = {0};

	if (intune_failed(told->profile->intune, told->transaction_id, buffer_octets(&told->csr),
		E_UNEXPECTED, told->error, &answer, &why) != INTUNE_DONE)
		not_told("Intune", why.line);
}

static void
tell_webhook(struct worker *w, const struct telling *told, const struct profile_webhook *webhook,
    const struct webhook_subject *subject, int64_t until_ms)
{
	int64_t left_ms = until_ms - clock_monotonic_ms(), not_before = 0, not_after = 0;
	struct webhook call = webhook->call;
	struct certificate c;
	struct errbuf why = {0};

	if (told->certificate.len > 0 &&
	    certificate_parse(buffer_octets(&told->certificate), &c, NULL)) {
		not_before = c.not_before;
		not_after = c.not_after;
		certificate_free(&c);
	}
	if (left_ms < call.timeout_ms)
		call.timeout_ms = left_ms;
	if (left_ms <= 0)
		not_told(webhook->name, "those before it took all the time");
	else if (!webhook_notify(w->http, &call, subject, buffer_octets(&told->certificate),
		     not_before, not_after, told->error_code, told->error, &why))
		not_told(webhook->name, why.line);
}

static void
tell_webhooks(struct worker *w, const struct telling *told, int64_t until_ms)
{
	const struct profile *p = told->profile;
	struct buffer text = {0};
	struct errbuf why = {0};
	struct csr csr;
	struct webhook_subject s;

	if (!csr_parse(told->csr.data, told->csr.len, &csr, &why)) {
		not_told("webhooks", why.line);
		return;
	}
	s = (struct webhook_subject){
	    .provisioner = p->scep.name,
	    .transaction_id = told->transaction_id,
	    .csr = csr.der,
	    .subject = name_to_text(csr.subject, &text) ? buffer_string(&text) : NULL,
	    .san = csr.san,
	    .spki = csr.spki,
	    .key_algorithm = csr.key.type == PKI_KEY_EC ? "EC" : "RSA",
	    .now = clock_now(),
	};
	for (int i = 0; i < p->webhook_count && s.subject != NULL; i++)
		if (p->webhooks[i].notify)
			tell_webhook(w, told, &p->webhooks[i], &s, until_ms);
	buffer_free(&text);
	csr_free(&csr);
}

void
telling_tell(struct worker *w)
{
	int64_t until_ms = clock_monotonic_ms() + w->settings->outbound_timeout_ms;
	struct telling *told = w->telling;
	struct errbuf why = {0};

	if (told == NULL)
		return;
	w->telling = NULL;
	if (told->csr.failed || told->certificate.failed)
		not_told("webhooks", "out of memory");
	else if (!authorise_may_call(&w->authoriser, &why))
		not_told("webhooks", why.line);
	else {
		if (told->ours && told->profile->intune != NULL)
			tell_intune(told);
		tell_webhooks(w, told, until_ms);
	}
	telling_free(told);
}
