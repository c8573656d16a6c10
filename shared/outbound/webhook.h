/*
 * webhook.h: an operator's own HTTPS service, asked before a certificate is issued and told afterwards (the shape of smallstep's webhooks).
 *
 * The address is judged when the connection is made, so that DNS cannot lead inwards later; redirects are refused.
 */
#ifndef OUTBOUND_WEBHOOK_H
#define OUTBOUND_WEBHOOK_H

#include "outbound/http.h"

enum webhook_authentication { WEBHOOK_NONE, WEBHOOK_BEARER, WEBHOOK_BASIC, WEBHOOK_MTLS };

struct webhook {	/* borrowed for a call */
	const char *id; /* X-Smallstep-Webhook-ID */
	const char *url;
	enum webhook_authentication authentication;
	struct octets secret;	  /* HMAC-SHA-256 key, raw octets */
	struct octets credential; /* token; "user:password"; PEM of certificate and key */
	const char *ca_file;
	bool allow_private;
	int64_t timeout_ms; /* of the whole, retry included */
};

/* What it is asked about; slices are borrowed. */
struct webhook_subject {
	const char *provisioner; /* the profile's name */
	const char *transaction_id;
	struct octets challenge;
	struct octets csr;   /* DER */
	const char *subject; /* RFC 4514; NULL, which is denied: it has none */
	struct octets san;   /* GeneralNames, DER; empty: none */
	struct octets spki;
	const char *key_algorithm; /* "RSA", "EC" */
	int64_t now;
};

enum webhook_rc { WEBHOOK_ALLOWED, WEBHOOK_DENIED, WEBHOOK_AWAY };

/* One retry after 1 s on a transport error or 5xx; any other error denies.  message: what the service said, for the audit. */
enum webhook_rc webhook_validate(struct http *h, const struct webhook *w,
    const struct webhook_subject *s, char message[256], struct errbuf *why);

/* certificate empty: it was refused, with error_code and error_description.  false with why, which is for the log alone. */
bool webhook_notify(struct http *h, const struct webhook *w, const struct webhook_subject *s,
    struct octets certificate, int64_t not_before, int64_t not_after, const char *error_code,
    const char *error_description, struct errbuf *why);

#endif
