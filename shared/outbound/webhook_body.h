/* webhook_body.h: what a webhook is sent, as JSON appended to a buffer.  The challenge is in it: the buffer wipes. */
#ifndef OUTBOUND_WEBHOOK_BODY_H
#define OUTBOUND_WEBHOOK_BODY_H

#include "outbound/webhook.h"

/* false with why: out of memory; a challenge or names that are no text. */
bool webhook_body_validate(struct buffer *out, const struct webhook_subject *s, struct errbuf *why);

struct webhook_outcome {
	struct octets certificate; /* DER; empty: refused, for this reason */
	int64_t not_before;
	int64_t not_after;
	const char *error_code; /* a JSON number where it is one; NULL: none */
	const char *error_description;
};
/* Without the challenge: it is used up, or was wrong. */
bool webhook_body_notify(struct buffer *out, const struct webhook_subject *s,
    const struct webhook_outcome *outcome, struct errbuf *why);

#endif
