/*
 * outbound_fake.h: for tests of those who call Intune and webhooks: whom they would reach stands here, in the place of shared/outbound, and does as
 * the test says.  Included by one file of a program.
 */
#ifndef UNIT_OUTBOUND_FAKE_H
#define UNIT_OUTBOUND_FAKE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outbound/intune.h"
#include "outbound/webhook.h"

struct intune {
	char tenant[256];
	char secret[64];
};

static struct outbound_fake {
	enum intune_rc validate, succeeded, failed;
	enum webhook_rc webhooks[8];
	bool notify;
	int validated, told_success, told_failure, asked, notified;
	int opened, closed;
	char transaction_id[128];
	char challenge[64];
	int64_t timeout_ms; /* of the last webhook */
	char serial[65];
	char issuer[256];
	char error_code[32];
	char error[256];
	bool with_certificate;
	enum intune_rc download, upload;
	int revocations; /* of revocation: 0, 1 */
	struct intune_revocation revocation;
	struct intune_revocation_result result; /* of the last upload's first; its texts are gone */
} fake;

bool
intune_open(
    const struct intune_settings *s, struct http *h, struct intune **out, struct errbuf *why)
{
	(void)h;
	if ((*out = calloc(1, sizeof(**out))) == NULL) {
		errbuf_set(why, "out of memory");
		return false;
	}
	snprintf((*out)->tenant, sizeof((*out)->tenant), "%s", s->tenant);
	snprintf((*out)->secret, sizeof((*out)->secret), "%.*s", (int)s->client_secret.len,
	    (const char *)s->client_secret.data);
	fake.opened++;
	return true;
}

void
intune_close(struct intune *i)
{
	fake.closed += i != NULL;
	free(i);
}

static inline enum intune_rc
fake_answer(enum intune_rc rc, struct intune_answer *answer, struct errbuf *why)
{
	*answer = (struct intune_answer){.request_id = "00000000-0000-4000-8000-000000000001"};
	snprintf(answer->code, sizeof(answer->code), "%s", rc == INTUNE_DONE ? "Success" : "");
	if (rc != INTUNE_DONE)
		errbuf_set(why, "intune: the fake says %d", (int)rc);
	return rc;
}

enum intune_rc
intune_validate(struct intune *i, const char *transaction_id, struct octets csr,
    struct intune_answer *answer, struct errbuf *why)
{
	(void)i;
	(void)csr;
	fake.validated++;
	snprintf(fake.transaction_id, sizeof(fake.transaction_id), "%s", transaction_id);
	return fake_answer(fake.validate, answer, why);
}

enum intune_rc
intune_succeeded(struct intune *i, const struct intune_issued *c, struct intune_answer *answer,
    struct errbuf *why)
{
	(void)i;
	fake.told_success++;
	snprintf(fake.transaction_id, sizeof(fake.transaction_id), "%s", c->transaction_id);
	snprintf(fake.serial, sizeof(fake.serial), "%s", c->serial);
	snprintf(fake.issuer, sizeof(fake.issuer), "%s", c->issuer);
	return fake_answer(fake.succeeded, answer, why);
}

enum intune_rc
intune_failed(struct intune *i, const char *transaction_id, struct octets csr, uint32_t h_result,
    const char *description, struct intune_answer *answer, struct errbuf *why)
{
	(void)i;
	(void)csr;
	(void)h_result;
	fake.told_failure++;
	snprintf(fake.transaction_id, sizeof(fake.transaction_id), "%s", transaction_id);
	snprintf(fake.error, sizeof(fake.error), "%s", description);
	return fake_answer(fake.failed, answer, why);
}

enum intune_rc
intune_download(struct intune *i, const char *issuer, struct intune_revocation *out, int *count,
    struct errbuf *why)
{
	(void)i;
	(void)issuer;
	*count = fake.revocations;
	if (fake.revocations > 0)
		out[0] = fake.revocation;
	if (fake.download != INTUNE_DONE)
		errbuf_set(why, "the fake is away");
	return fake.download;
}

enum intune_rc
intune_upload(
    struct intune *i, const struct intune_revocation_result *results, int count, struct errbuf *why)
{
	(void)i;
	if (count > 0)
		fake.result = results[0];
	fake.result.context = fake.result.message = NULL;
	if (fake.upload != INTUNE_DONE)
		errbuf_set(why, "the fake is away");
	return fake.upload;
}

bool
intune_check(struct intune *i, struct intune_finding findings[INTUNE_STEPS])
{
	(void)i;
	memset(findings, 0, INTUNE_STEPS * sizeof(findings[0]));
	return false;
}

bool
intune_tenant_is_valid(const char *tenant)
{
	return tenant[0] != '\0';
}

enum webhook_rc
webhook_validate(struct http *h, const struct webhook *w, const struct webhook_subject *s,
    char message[256], struct errbuf *why)
{
	enum webhook_rc rc = fake.webhooks[fake.asked++ % 8];

	(void)h;
	fake.timeout_ms = w->timeout_ms;
	snprintf(fake.transaction_id, sizeof(fake.transaction_id), "%s", s->transaction_id);
	snprintf(fake.challenge, sizeof(fake.challenge), "%.*s", (int)s->challenge.len,
	    s->challenge.len > 0 ? (const char *)s->challenge.data : "");
	snprintf(message, 256, "%s", rc == WEBHOOK_DENIED ? "not this one" : "");
	if (rc == WEBHOOK_AWAY)
		errbuf_set(why, "the fake is away");
	return rc;
}

bool
webhook_notify(struct http *h, const struct webhook *w, const struct webhook_subject *s,
    struct octets certificate, int64_t not_before, int64_t not_after, const char *error_code,
    const char *error_description, struct errbuf *why)
{
	(void)h;
	(void)not_before;
	(void)not_after;
	fake.notified++;
	fake.timeout_ms = w->timeout_ms;
	fake.with_certificate = certificate.len > 0;
	snprintf(fake.transaction_id, sizeof(fake.transaction_id), "%s", s->transaction_id);
	snprintf(fake.challenge, sizeof(fake.challenge), "%.*s", (int)s->challenge.len,
	    s->challenge.len > 0 ? (const char *)s->challenge.data : "");
	snprintf(fake.error_code, sizeof(fake.error_code), "%s", error_code);
	snprintf(fake.error, sizeof(fake.error), "%s", error_description);
	if (!fake.notify)
		errbuf_set(why, "the fake is away");
	return fake.notify;
}

#endif
