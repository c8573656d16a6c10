/* transaction.c: recording what became of a request. */
#include "transaction.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/network.h"
#include "pki/name.h"
#include "redis/audit_queue.h"
#include "store/audit_event.h"

#define DIRECT_PER_SECOND 20 /* refusals a worker commits itself while Redis is away */

static const char *
transport(const struct fcgi_request *r)
{
	bool get = strcmp(fcgi_request_method(r), "POST") != 0;

	if (fcgi_request_is_https(r))
		return get ? "https-get" : "https-post";
	return get ? "http-get" : "http-post";
}

void
transaction_start(struct transaction *t, struct worker *w, struct fcgi_request *r)
{
	memset(t, 0, sizeof(*t));
	t->worker = w;
	t->http = r;
	t->operation = "unknown";
	t->stage = "received";
	t->outcome = "failed";
	t->fail_info = SCEP_NO_FAIL_INFO;
	t->transport = transport(r);
	t->started_us = clock_monotonic_us();
}

/* A transactionID is any octets: printable ones as they are, others as hex:…. */
static void
print_transaction_id(struct transaction *t)
{
	struct octets id = t->message->transaction_id;

	for (size_t i = 0; i < id.len; i++) {
		if (id.data[i] < 0x21 || id.data[i] > 0x7e) {
			memcpy(t->transaction_id, "hex:", 4);
			encoding_hex(id, t->transaction_id + 4);
			return;
		}
	}
	memcpy(t->transaction_id, id.data, id.len);
	t->transaction_id[id.len] = '\0';
}

void
transaction_know_message(struct transaction *t, struct scep_request *message)
{
	t->message = message;
	t->stage = "parsed";
	print_transaction_id(t);
	if ((message->digest & PKI_DIGESTS_LEGACY) != 0 ||
	    (message->cipher & PKI_CIPHERS_LEGACY) != 0)
		transaction_note(t, "warning: broken algorithm in use: %s, %s",
		    pki_digest_name(message->digest), pki_cipher_name(message->cipher));
}

void
transaction_note(struct transaction *t, const char *fmt, ...)
{
	size_t len = strlen(t->note);
	va_list ap;

	if (len > 0 && len + 2 < sizeof(t->note)) {
		memcpy(t->note + len, "; ", 3);
		len += 2;
	}
	va_start(ap, fmt);
	vsnprintf(t->note + len, sizeof(t->note) - len, fmt, ap);
	va_end(ap);
}

void
transaction_know_csr(struct transaction *t, const struct csr *csr)
{
	snprintf(t->key_type, sizeof(t->key_type), "%s", csr->key.name);
	buffer_free(&t->subject);
	/* With the NUL behind it, which the event's text needs. */
	if (!name_to_text(csr->subject, &t->subject) || buffer_string(&t->subject) == NULL)
		buffer_free(&t->subject);
}

/* What a device wants of us, for the audit. */
static const char *
scep_action(const struct transaction *t)
{
	if (strcmp(t->operation, "PKIOperation") != 0)
		return "scep.request";
	if (t->message == NULL)
		return "scep.enrol";
	switch (t->message->message_type) {
	case SCEP_RENEWAL_REQ:
		return "scep.renew";
	case SCEP_CERT_POLL:
		return "scep.poll";
	case SCEP_GET_CERT:
		return "scep.get-cert";
	case SCEP_GET_CRL:
		return "scep.get-crl";
	default:
		return "scep.enrol";
	}
}

void
transaction_event(const struct transaction *t, struct audit_event *e)
{
	const struct scep_request *m = t->message;

	*e = (struct audit_event){
	    .time_ms = clock_now_ms(),
	    .actor = "device",
	    .address = fcgi_request_address(t->http),
	    .action = scep_action(t),
	    .profile = t->profile_name[0] != '\0' ? t->profile_name : NULL,
	    .stage = t->stage,
	    .transport = t->transport,
	    .request_id = fcgi_request_id(t->http),
	    .count = 1,
	};
	if (m == NULL)
		return;
	e->transaction_id = t->transaction_id;
	e->message_type = scep_message_type_name(m->message_type);
	if (m->digest != PKI_DIGEST_NONE)
		e->digest = pki_digest_name(m->digest);
	if (m->cipher != PKI_CIPHER_NONE)
		e->cipher = pki_cipher_name(m->cipher);
	if (t->key_type[0] != '\0')
		e->key_type = t->key_type;
	if (t->subject.len > 0)
		e->subject = (const char *)t->subject.data;
}

/* One line for every request; the reason only where there is one. */
static void
log_request(struct transaction *t, enum log_level level, const char *reason)
{
	struct log_line l;

	log_begin(&l, level, "scep");
	log_text(&l, "operation", t->operation);
	log_text(&l, "profile", t->profile_name);
	log_text(&l, "outcome", t->outcome);
	log_number(&l, "status", fcgi_request_status(t->http));
	if (t->message != NULL) {
		log_text(&l, "messageType", scep_message_type_name(t->message->message_type));
		log_text(&l, "transactionID", t->transaction_id);
	}
	if (t->fail_info != SCEP_NO_FAIL_INFO)
		log_text(&l, "failInfo", scep_fail_info_name(t->fail_info));
	if (t->serial[0] != '\0')
		log_text(&l, "serial", t->serial);
	log_text(&l, "stage", t->stage);
	log_text(&l, "reason", reason);
	log_text(&l, "address", fcgi_request_address(t->http));
	log_text(&l, "transport", t->transport);
	log_number(&l, "us", clock_monotonic_us() - t->started_us);
	log_end(&l);
}

/* While Redis is away: straight into the store, so many a second, and never into the room that issuing needs. */
static bool
write_directly(struct worker *w, const struct audit_event *e, struct errbuf *why)
{
	int64_t second = clock_monotonic_ms() / 1000;

	if (second != w->direct_second) {
		w->direct_second = second;
		w->direct_left = DIRECT_PER_SECOND;
	}
	if (w->direct_left == 0) {
		errbuf_set(why, "Redis is away, and this second's rows are used up");
		return false;
	}
	w->direct_left--;
	if (store_disk_free(w->store) < w->settings->disk_reserve_mb * 1024 * 1024) {
		errbuf_set(why, "the disk is down to its reserve (SCEP_DISK_RESERVE_MB)");
		return false;
	}
	return store_audit_write(w->store, e, 1, why) == STORE_OK;
}

/* To the queue in Redis, or straight into the store.  flood_key empty: never counted into another row. */
static bool
write_event(
    struct transaction *t, struct audit_event *e, struct octets flood_key, struct errbuf *why)
{
	struct worker *w = t->worker;
	struct buffer json = {0};
	char event_id[UUID_SIZE];
	const char *text;
	bool ok = false;

	if (encoding_uuid(event_id))
		e->event_id = event_id;
	if (audit_event_to_json(e, &json) && (text = buffer_string(&json)) != NULL)
		ok = audit_queue_put(w->redis, t->profile != NULL ? t->profile->scep.id : NULL,
			 text, flood_key, t->limited ? 0 : w->settings->refusals_per_minute,
			 clock_now_ms(), why) == REDIS_DONE;
	buffer_free(&json);
	/* What a limit refused is then in the log alone. */
	ok = ok || (!t->limited && write_directly(w, e, why));
	e->event_id = NULL;
	return ok;
}

/* Rows that could be written nowhere but in the log are followed, once something can be written again, by one with their count. */
static void
settle_lost(struct transaction *t)
{
	struct prefork_shared *shared = t->worker->shared;
	struct octets no_flood = {0};
	struct errbuf why = {0};
	struct audit_event e;
	uint64_t lost;

	if (shared == NULL || atomic_load(&shared->audit_lost) == 0 ||
	    (lost = atomic_exchange(&shared->audit_lost, 0)) == 0)
		return;
	e = (struct audit_event){
	    .time_ms = clock_now_ms(),
	    .actor = "system",
	    .action = "audit.lost",
	    .outcome = "failed",
	    .reason = "rows that are in the log alone: see audit-lost there",
	    .count = (int64_t)lost,
	};
	if (!write_event(t, &e, no_flood, &why))
		atomic_fetch_add(&shared->audit_lost, lost);
}

/* A row for the queue.  A flood is: one network, one profile, one stage, one answer. */
static void
record(struct transaction *t, const char *outcome, const char *reason)
{
	char flood[256], network[NETWORK_SIZE];
	struct errbuf why = {0};
	struct audit_event e;

	if (t->recorded)
		return;
	transaction_event(t, &e);
	e.outcome = outcome;
	e.reason = reason;
	if (t->fail_info != SCEP_NO_FAIL_INFO)
		e.fail_info = scep_fail_info_name(t->fail_info);
	if (t->serial[0] != '\0')
		e.serial = t->serial;
	network_of(fcgi_request_address(t->http), network);
	snprintf(flood, sizeof(flood), "%s|%s|%s|%d|%d", network,
	    t->profile != NULL ? t->profile->scep.id : "", t->stage, (int)t->fail_info, t->limited);
	if (write_event(t, &e, octets_of_string(flood), &why)) {
		settle_lost(t);
		return;
	}
	if (t->limited)
		return;
	if (t->worker->shared != NULL)
		atomic_fetch_add(&t->worker->shared->audit_lost, 1);
	log_event(LOG_LEVEL_ERROR, "audit-lost", "the row of this request is only in this log: %s",
	    why.line);
}

void
transaction_refused(struct transaction *t, const char *outcome, const char *reason)
{
	char text[ERRBUF_SIZE + sizeof(t->note) + 4];

	t->outcome = outcome;
	if (t->note[0] != '\0') {
		snprintf(text, sizeof(text), "%s; %s", reason, t->note);
		reason = text;
	}
	log_request(
	    t, strcmp(outcome, "failed") == 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, reason);
	record(t, outcome, reason);
}

void
transaction_limited(struct transaction *t, const char *reason)
{
	t->limited = true;
	transaction_refused(t, "refused", reason);
}

void
transaction_repeated(struct transaction *t, const char *serial)
{
	static const char reason[] = "a repeat: its first certificate again";

	t->outcome = "repeat";
	snprintf(t->serial, sizeof(t->serial), "%s", serial);
	log_request(t, LOG_LEVEL_INFO, reason);
	record(t, "success", reason);
}

void
transaction_done(struct transaction *t)
{
	t->outcome = "success";
	log_request(t, strstr(t->note, "warning:") != NULL ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
	    t->note[0] != '\0' ? t->note : NULL);
	settle_lost(t);
}

void
transaction_waits(struct transaction *t, const char *reason)
{
	t->outcome = "pending";
	log_request(t, LOG_LEVEL_INFO, reason);
	settle_lost(t);
}

void
transaction_recorded(struct transaction *t, const char *outcome, const char *reason)
{
	t->outcome = outcome;
	log_request(t, LOG_LEVEL_INFO, reason);
	record(t, outcome, reason);
}

bool
transaction_event_json(
    const struct transaction *t, const char *outcome, const char *reason, struct buffer *out)
{
	char event_id[UUID_SIZE], text[ERRBUF_SIZE + sizeof(t->note) + 4];
	struct audit_event e;

	transaction_event(t, &e);
	e.outcome = outcome;
	snprintf(text, sizeof(text), "%s%s%s", reason, t->note[0] != '\0' ? "; " : "", t->note);
	e.reason = text;
	if (encoding_uuid(event_id))
		e.event_id = event_id;
	return audit_event_to_json(&e, out);
}

void
transaction_free(struct transaction *t)
{
	scep_request_free(t->message);
	buffer_free(&t->subject);
	log_set_request("");
}
