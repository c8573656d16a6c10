/* certrep.c: encoding and sending the answer. */
#include "certrep.h"

#include <string.h>

#include "base/encoding.h"
#include "base/fault.h"
#include "pki/certificate.h"
#include "profile/profile.h"
#include "scep/reply.h"

#define PKI_MESSAGE "application/x-pki-message"
#define NO_STORE    "Cache-Control: no-store\r\n"

void
certrep_unavailable(struct transaction *t, const char *reason)
{
	fcgi_respond_text(
	    t->http, 503, "Retry-After: 5\r\n" NO_STORE, "Temporarily unavailable, try again.");
	transaction_refused(t, "failed", reason);
}

/* The request's own digest and cipher where the profile accepts them, else the strongest common ones. */
static void
choose_algorithms(const struct transaction *t, struct scep_reply *reply)
{
	const struct scep_request *m = t->message;
	const struct scep_profile_row *p = &t->profile->scep;

	reply->digest = (m->digest & p->digests) != 0 ? m->digest : PKI_SHA256;
	reply->cipher = (m->cipher & p->ciphers) != 0 ? m->cipher : PKI_AES128;
}

/* The leaf, and behind it what the profile adds for clients that want it there. */
static void
choose_certificates(const struct profile *p, struct octets leaf, struct scep_reply *reply)
{
	int chain = p->scep.include_ca_chain ? p->chain_count : p->scep.include_ca_certificate;

	reply->certificates[reply->certificate_count++] = leaf;
	for (int i = 0; i < chain && reply->certificate_count < 8; i++)
		reply->certificates[reply->certificate_count++] = p->chain[i].der;
}

/* As the store and the audit have it: 16 octets in hex. */
static void
serial_of(struct octets der, char out[33])
{
	struct certificate c;
	struct octets serial;

	out[0] = '\0';
	if (!certificate_parse(der, &c, NULL))
		return;
	serial = c.serial;
	if (serial.len == 17 && serial.data[0] == 0) {
		serial.data++;
		serial.len--;
	}
	if (serial.len <= 16) {
		memset(out, '0', 32);
		encoding_hex(serial, out + 32 - 2 * serial.len);
	}
	certificate_free(&c);
}

void
certrep_success(struct transaction *t, struct octets certificate, bool repeat)
{
	struct scep_responder responder = profile_responder(t->profile);
	struct scep_reply reply = {
	    .status = SCEP_SUCCESS,
	    .fail_info = SCEP_NO_FAIL_INFO,
	};
	struct buffer out = {0};
	struct errbuf why = {0};
	char serial[33];

	choose_algorithms(t, &reply);
	choose_certificates(t->profile, certificate, &reply);
	if (scep_reply_encode(t->message, &reply, &responder, &out, &why)) {
		fcgi_respond(t->http, 200, PKI_MESSAGE, NO_STORE, buffer_octets(&out));
		if (!fault_here("replied"))
			t->stage = "answered";
		if (repeat) {
			serial_of(certificate, serial);
			transaction_repeated(t, serial);
		} else {
			transaction_done(t);
		}
	} else {
		/* Committed all the same: the same request will get it. */
		certrep_unavailable(t, why.line);
	}
	buffer_free(&out);
}

void
certrep_failure(
    struct transaction *t, enum scep_fail_info fail_info, const char *text, const char *reason)
{
	struct scep_responder responder = profile_responder(t->profile);
	struct scep_reply reply = {
	    .status = SCEP_FAILURE,
	    .fail_info = fail_info,
	    .fail_info_text = text,
	};
	struct buffer out = {0};
	struct errbuf why = {0};

	t->fail_info = fail_info;
	choose_algorithms(t, &reply);
	if (scep_reply_encode(t->message, &reply, &responder, &out, &why)) {
		fcgi_respond(t->http, 200, PKI_MESSAGE, NO_STORE, buffer_octets(&out));
		transaction_refused(t, "refused", reason);
	} else {
		certrep_unavailable(t, why.line);
	}
	buffer_free(&out);
}
