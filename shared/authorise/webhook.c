/* webhook.c: an operator's own service decides, alone or beside another method. */
#include "outbound/webhook.h"

#include <string.h>

#include "authorise/method.h"
#include "base/clock.h"
#include "base/outbound_gate.h"
#include "pki/name.h"

bool
authorise_may_call(const struct authoriser *a, struct errbuf *why)
{
	if (a->http == NULL || a->gate == NULL || a->workers == NULL) {
		errbuf_set(why, "calls: this process makes none");
		return false;
	}
	if (!outbound_gate_enter(a->gate, atomic_load(a->workers))) {
		errbuf_set(why, "calls: half of the workers are in one");
		return false;
	}
	return true;
}

static int
count_asked(const struct profile *p)
{
	int count = 0;

	for (int i = 0; i < p->webhook_count; i++)
		count += !p->webhooks[i].notify;
	return count;
}

static void
fill_subject(const struct authorise_request *q, struct buffer *text, struct webhook_subject *s)
{
	const struct csr *csr = q->csr;

	*s = (struct webhook_subject){
	    .provisioner = q->profile->scep.name,
	    .transaction_id = q->transaction_id,
	    .challenge = csr->challenge,
	    .csr = csr->der,
	    .san = csr->san,
	    .spki = csr->spki,
	    .key_algorithm = csr->key.type == PKI_KEY_EC ? "EC" : "RSA",
	    .now = q->now_ms / 1000,
	};
	s->subject = name_to_text(csr->subject, text) ? buffer_string(text) : NULL;
}

/* One after the other, all within the time of one exchange. */
static enum authorise_rc
ask_each(const struct authoriser *a, const struct authorise_request *q,
    const struct webhook_subject *s, bool *undecided, struct errbuf *why)
{
	int64_t until_ms = clock_monotonic_ms() + a->settings->outbound_timeout_ms;

	for (int i = 0; i < q->profile->webhook_count; i++) {
		const struct profile_webhook *w = &q->profile->webhooks[i];
		int64_t left_ms = until_ms - clock_monotonic_ms();
		struct webhook call = w->call;
		char message[256] = "";
		struct errbuf reason = {0};
		enum webhook_rc rc = WEBHOOK_AWAY;

		if (w->notify)
			continue;
		if (left_ms < call.timeout_ms)
			call.timeout_ms = left_ms;
		if (left_ms > 0)
			rc = webhook_validate(a->http, &call, s, message, &reason);
		else
			errbuf_set(&reason, "those before it took all the time");
		if (rc == WEBHOOK_ALLOWED)
			continue;
		*undecided = rc != WEBHOOK_DENIED;
		errbuf_set(why, "webhook %s %s: %s", w->name,
		    rc == WEBHOOK_DENIED ? "denied" : "cannot be asked",
		    message[0] != '\0' ? message : reason.line);
		return AUTHORISE_DENY;
	}
	return AUTHORISE_ALLOW;
}

enum authorise_rc
authorise_ask_webhooks(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	struct webhook_subject subject;
	struct buffer text = {0};
	enum authorise_rc rc = AUTHORISE_AWAY;

	if (count_asked(q->profile) == 0)
		return AUTHORISE_ALLOW;
	if (!authorise_may_call(a, why))
		return rc;
	fill_subject(q, &text, &subject);
	if (subject.subject == NULL)
		errbuf_set(why, "webhook: the subject cannot be written as text");
	else
		rc = ask_each(a, q, &subject, &out->undecided, why);
	buffer_free(&text);
	if (rc == AUTHORISE_DENY) {
		out->fail_info = SCEP_BAD_REQUEST;
		errbuf_set(&out->text, "%s", AUTHORISE_REFUSAL);
	}
	return rc;
}

static enum authorise_rc
check_webhook(const struct authoriser *a, const struct authorise_request *q,
    struct authorisation *out, struct errbuf *why)
{
	out->method = authorise_webhook.mode;
	if (count_asked(q->profile) == 0) {
		errbuf_set(why, "webhook: the profile has none that may be asked");
		return AUTHORISE_DENY;
	}
	return authorise_ask_webhooks(a, q, out, why);
}

const struct authorise_method authorise_webhook = {.mode = "webhook", .check = check_webhook};
