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

/* The generation of the CA that issued the leaf, which may be an older one where this is a repeat; NULL: it is not at hand. */
static const struct profile_authority *
issuer_of(const struct profile *p, struct octets leaf)
{
	const struct profile_authority *found = NULL;
	struct certificate c;

	if (!certificate_parse(leaf, &c, NULL))
		return NULL;
	for (int i = 0; i < p->authority_count && found == NULL; i++) {
		const struct certificate *ca = &p->authorities[i].chain[0];

		if (octets_equal(c.aki, ca->ski) && octets_equal(c.issuer, ca->subject))
			found = &p->authorities[i];
	}
	certificate_free(&c);
	return found;
}

/* The leaf, and behind it what the profile adds for clients that want it there. */
static void
choose_certificates(const struct profile *p, struct octets leaf, struct scep_reply *reply)
{
	const struct profile_authority *ca;
	int count;

	reply->certificates[reply->certificate_count++] = leaf;
	if ((!p->scep.include_ca_chain && !p->scep.include_ca_certificate) ||
	    (ca = issuer_of(p, leaf)) == NULL)
		return;
	count = p->scep.include_ca_chain ? ca->chain_count : 1;
	for (int i = 0; i < count && reply->certificate_count < 8; i++)
		reply->certificates[reply->certificate_count++] = ca->chain[i].der;
}

/* Encode and send; false with why, and nothing sent. */
static bool
send_reply(struct transaction *t, struct scep_reply *reply, struct errbuf *why)
{
	struct scep_responder responder = profile_responder(t->ra);
	struct buffer out = {0};
	bool ok;

	choose_algorithms(t, reply);
	reply->password = t->password;
	ok = scep_reply_encode(t->message, reply, &responder, &out, why);
	if (ok)
		fcgi_respond(t->http, 200, PKI_MESSAGE, NO_STORE, buffer_octets(&out));
	buffer_free(&out);
	return ok;
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
	struct scep_reply reply = {.status = SCEP_SUCCESS, .fail_info = SCEP_NO_FAIL_INFO};
	struct errbuf why = {0};
	char serial[33];

	choose_certificates(t->profile, certificate, &reply);
	if (!send_reply(t, &reply, &why)) {
		/* Committed all the same: the same request will get it. */
		certrep_unavailable(t, why.line);
		return;
	}
	if (!fault_here("replied"))
		t->stage = "answered";
	if (repeat) {
		serial_of(certificate, serial);
		transaction_repeated(t, serial);
	} else {
		transaction_done(t);
	}
}

void
certrep_again(struct transaction *t, struct octets certificate, bool undelivered)
{
	if (undelivered)
		certrep_unavailable(t, "the certificate has not been told to whom it must be");
	else
		certrep_success(t, certificate, true);
}

void
certrep_found(struct transaction *t, struct octets certificate, struct octets crl)
{
	struct scep_reply reply = {
	    .status = SCEP_SUCCESS, .fail_info = SCEP_NO_FAIL_INFO, .crl = crl};
	struct errbuf why = {0};

	if (certificate.len > 0) {
		reply.certificates[reply.certificate_count++] = certificate;
		serial_of(certificate, t->serial);
	}
	if (!send_reply(t, &reply, &why)) {
		certrep_unavailable(t, why.line);
		return;
	}
	t->stage = "answered";
	transaction_recorded(t, "success", crl.len > 0 ? "the CRL" : "a certificate again");
}

void
certrep_pending(struct transaction *t, const char *reason, bool record)
{
	struct scep_reply reply = {.status = SCEP_PENDING, .fail_info = SCEP_NO_FAIL_INFO};
	struct errbuf why = {0};

	if (!send_reply(t, &reply, &why)) {
		certrep_unavailable(t, why.line);
		return;
	}
	t->stage = "answered";
	if (record)
		transaction_recorded(t, "pending", reason);
	else
		transaction_waits(t, reason);
}

void
certrep_failure(
    struct transaction *t, enum scep_fail_info fail_info, const char *text, const char *reason)
{
	struct scep_reply reply = {
	    .status = SCEP_FAILURE, .fail_info = fail_info, .fail_info_text = text};
	struct errbuf why = {0};

	t->fail_info = fail_info;
	if (send_reply(t, &reply, &why))
		transaction_refused(t, "refused", reason);
	else
		certrep_unavailable(t, why.line);
}
