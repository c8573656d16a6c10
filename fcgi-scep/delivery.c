/* delivery.c: telling Intune of a certificate, and what comes of it. */
#include "delivery.h"

#include <string.h>

#include "authorise/authorise.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/fault.h"
#include "certrep.h"
#include "outbound/intune.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "store/delivery_row.h"

static const char failed_text[] = "the certificate could not be reported to Intune";

/* The content of the INTEGER without its sign octet. */
static bool
serial_text(const struct certificate *c, char out[65])
{
	struct octets serial = c->serial;

	if (serial.len > 1 && serial.data[0] == 0) {
		serial.data++;
		serial.len--;
	}
	if (serial.len > 32)
		return false;
	encoding_hex(serial, out);
	return true;
}

/* Call Intune.  reason says what came of it, with the id that Microsoft's support asks for. */
static bool
notify(struct transaction *t, const struct delivery_row *row, const struct certificate *c,
    const char *serial, struct errbuf *reason)
{
	struct intune_answer answer = {.code = ""};
	struct buffer issuer = {0};
	struct errbuf why = {0};
	struct intune_issued issued = {
	    .transaction_id = row->transaction_id,
	    .csr = buffer_octets(&row->csr),
	    .certificate = buffer_octets(&row->certificate),
	    .serial = serial,
	    .not_after = c->not_after,
	};
	enum intune_rc rc = INTUNE_AWAY;

	if (t->profile->intune == NULL)
		errbuf_set(&why, "the profile has no connection");
	else if (!name_to_text(c->issuer, &issuer) ||
		 (issued.issuer = buffer_string(&issuer)) == NULL)
		errbuf_set(&why, "the issuer cannot be written as text");
	else
		rc = intune_succeeded(t->profile->intune, &issued, &answer, &why);
	buffer_free(&issuer);
	if (rc == INTUNE_DONE)
		errbuf_set(reason, "intune: told (client-request-id %s)", answer.request_id);
	else
		errbuf_set(reason, "not delivered: %s", why.line);
	return rc == INTUNE_DONE;
}

static void
event_of(const struct transaction *t, const char *serial, const struct errbuf *reason,
    struct audit_event *e)
{
	transaction_event(t, e);
	e->action = "scep.deliver";
	e->serial = serial;
	e->reason = reason->line;
}

/* Another worker was quicker with the same certificate: what it wrote is what counts. */
static bool
answer_as_written(struct transaction *t, const uint8_t repeat_key[32], struct octets certificate)
{
	struct delivery_row row = {0};
	struct errbuf why = {0};
	enum store_rc rc =
	    store_delivery_get(t->worker->store, octets_of(repeat_key, 32), &row, &why);

	delivery_row_free(&row);
	if (rc == STORE_NONE)
		certrep_success(t, certificate, true);
	else if (rc == STORE_OK)
		certrep_failure(t, SCEP_BAD_REQUEST, failed_text, failed_text);
	else
		certrep_unavailable(t, why.line);
	return rc == STORE_NONE;
}

static bool
deliver(struct transaction *t, const uint8_t repeat_key[32], const struct delivery_row *row,
    const struct audit_event *e, bool repeat)
{
	struct octets certificate = buffer_octets(&row->certificate);
	struct errbuf why = {0};
	enum store_rc rc;

	if (fault_here("told")) {
		certrep_unavailable(t, "a fault of the test build");
		return false;
	}
	rc = store_delivery_done(t->worker->store, row->certificate_id, e, &why);
	if (rc == STORE_NONE)
		return answer_as_written(t, repeat_key, certificate);
	if (rc != STORE_OK)
		certrep_unavailable(t, why.line);
	else if (!fault_here("delivered"))
		certrep_success(t, certificate, repeat);
	return rc == STORE_OK;
}

static bool
give_up(struct transaction *t, const uint8_t repeat_key[32], const struct delivery_row *row,
    struct audit_event *e)
{
	struct errbuf why = {0};
	enum store_rc rc;

	e->outcome = "failed";
	e->fail_info = scep_fail_info_name(SCEP_BAD_REQUEST);
	rc = store_delivery_failed(t->worker->store, row->certificate_id, clock_now(), e, &why);
	if (rc == STORE_NONE)
		return answer_as_written(t, repeat_key, buffer_octets(&row->certificate));
	if (rc == STORE_OK) {
		t->recorded = true;
		certrep_failure(t, SCEP_BAD_REQUEST, failed_text, e->reason);
	} else {
		certrep_unavailable(t, why.line);
	}
	return false;
}

/* The row is there, and says "issued". */
static bool
tell(struct transaction *t, const uint8_t repeat_key[32], const struct delivery_row *row,
    bool repeat)
{
	struct certificate c;
	struct errbuf why = {0}, reason = {0};
	struct audit_event e;
	char serial[65] = "";
	bool left;

	if (!authorise_may_call(&t->worker->authoriser, &why) ||
	    !certificate_parse(buffer_octets(&row->certificate), &c, &why)) {
		certrep_unavailable(t, why.line);
		return false;
	}
	if (!serial_text(&c, serial))
		serial[0] = '\0';
	left = notify(t, row, &c, serial, &reason);
	event_of(t, serial, &reason, &e);
	e.outcome = "success";
	left = left ? deliver(t, repeat_key, row, &e, repeat) : give_up(t, repeat_key, row, &e);
	certificate_free(&c);
	return left;
}

static bool
go_on(struct transaction *t, const uint8_t repeat_key[32], struct octets certificate, bool repeat)
{
	struct delivery_row row = {0};
	struct errbuf why = {0};
	bool left = false;

	switch (store_delivery_get(t->worker->store, octets_of(repeat_key, 32), &row, &why)) {
	case STORE_NONE:
		certrep_success(t, certificate, repeat);
		left = true;
		break;
	case STORE_OK:
		if (strcmp(row.state, "issued") == 0)
			left = tell(t, repeat_key, &row, repeat);
		else
			certrep_failure(t, SCEP_BAD_REQUEST, failed_text, failed_text);
		break;
	default:
		certrep_unavailable(t, why.line);
		break;
	}
	delivery_row_free(&row);
	return left;
}

bool
delivery_begin(struct transaction *t, const char *to, const uint8_t repeat_key[32],
    const struct buffer *certificate)
{
	if (to != NULL)
		return go_on(t, repeat_key, buffer_octets(certificate), false);
	certrep_success(t, buffer_octets(certificate), false);
	return true;
}

void
delivery_again(struct transaction *t, const uint8_t repeat_key[32], struct octets certificate,
    bool undelivered)
{
	if (undelivered)
		(void)go_on(t, repeat_key, certificate, true);
	else
		certrep_success(t, certificate, true);
}
