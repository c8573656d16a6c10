#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "pki/authority.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/reply.h"
#include "tests/unit/doctor_world.h"

#define YEAR (365 * 86400)
#define BOTH (KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT)

struct doctor_world doctor_world;

static const char capabilities[] = "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\n"
				   "SCEPStandard\n";

/* A key, unless it is another's, and a certificate for it; issuer NULL: self-signed. */
static void
make(struct doctor_party *p, const char *name, EVP_PKEY *key, const struct doctor_party *issuer,
    int key_usage)
{
	const struct doctor_party *by = issuer != NULL ? issuer : p;
	struct certificate_fields f = {.serial = {1, 2, 3},
	    .not_before = DOCTOR_NOW - YEAR,
	    .not_after = DOCTOR_NOW + YEAR,
	    .key_usage = key_usage,
	    .path_length = -1};
	struct errbuf why = {0};

	if (key != NULL)
		EVP_PKEY_up_ref(p->key = key);
	else
		assert_non_null(p->key = private_key_generate("rsa:2048", &why));
	assert_true(signer_of_key(p->key, &p->signer, &why));
	assert_true(name_from_text(name, &p->subject, &why));
	f.subject = buffer_octets(&p->subject);
	f.issuer = buffer_octets(&by->subject);
	f.spki = signer_spki(p->signer);
	f.issuer_ski = issuer != NULL ? issuer->certificate.ski : octets_of(NULL, 0);
	f.ca = (key_usage & KEY_USAGE_KEY_CERT_SIGN) != 0;
	assert_true(certificate_issue(&f, by->signer, &p->der, &why));
	assert_true(certificate_parse(buffer_octets(&p->der), &p->certificate, &why));
}

static void
unmake(struct doctor_party *p)
{
	certificate_free(&p->certificate);
	signer_free(p->signer);
	EVP_PKEY_free(p->key);
	buffer_free(&p->subject);
	buffer_free(&p->der);
}

int
doctor_world_open(void **state)
{
	const int ca = KEY_USAGE_KEY_CERT_SIGN | KEY_USAGE_CRL_SIGN | KEY_USAGE_DIGITAL_SIGNATURE;
	struct doctor_world *w = &doctor_world;

	(void)state;
	make(&w->root, "CN=Root", NULL, NULL, ca);
	make(&w->stranger, "CN=Root", NULL, NULL, ca);
	make(&w->ca, "CN=CA", NULL, &w->root, ca);
	make(&w->ra, "CN=RA", NULL, &w->ca, BOTH);
	make(&w->ra_signs, "CN=RA 1", w->ra.key, &w->ca, KEY_USAGE_DIGITAL_SIGNATURE);
	make(&w->ra_deciphers, "CN=RA 2", w->ra.key, &w->ca, KEY_USAGE_KEY_ENCIPHERMENT);
	return 0;
}

int
doctor_world_close(void **state)
{
	struct doctor_world *w = &doctor_world;

	(void)state;
	unmake(&w->root);
	unmake(&w->stranger);
	unmake(&w->ca);
	unmake(&w->ra);
	unmake(&w->ra_signs);
	unmake(&w->ra_deciphers);
	return 0;
}

void
doctor_set(struct doctor *d, enum doctor_question q, int status, const char *type,
    const char *headers, struct octets body)
{
	struct doctor_answer *a = &d->answers[q];

	http_response_free(&a->http);
	*a = (struct doctor_answer){.asked = true, .rc = HTTP_DONE};
	a->http.status = status;
	a->http.took_ms = 5;
	strncpy(a->http.content_type, type, sizeof(a->http.content_type) - 1);
	buffer_append_format(&a->http.headers, "HTTP/1.1 %d X\r\n%s\r\n", status, headers);
	buffer_append(&a->http.body, body.data, body.len);
	assert_false(a->http.body.failed || a->http.headers.failed);
}

void
doctor_set_text(
    struct doctor *d, enum doctor_question q, int status, const char *type, const char *body)
{
	doctor_set(d, q, status, type, "", octets_of_string(body));
}

void
doctor_set_broken(struct doctor *d, enum doctor_question q, enum http_rc rc, const char *why)
{
	http_response_free(&d->answers[q].http);
	d->answers[q] = (struct doctor_answer){.asked = true, .rc = rc};
	errbuf_set(&d->answers[q].why, "%s", why);
}

void
doctor_set_list(struct doctor *d, const struct doctor_party *const *parties, int count)
{
	struct octets der[DOCTOR_CERTIFICATES];
	struct buffer body = {0};

	for (int i = 0; i < count; i++)
		der[i] = buffer_octets(&parties[i]->der);
	if (count == 1)
		buffer_append(&body, der[0].data, der[0].len);
	else
		assert_true(scep_degenerate_encode(der, count, octets_of(NULL, 0), &body));
	for (int i = 0; i < DOCTOR_CERTIFICATES; i++) {
		certificate_free(&d->certificates[i]);
		buffer_free(&d->der[i]);
	}
	d->count = 0;
	d->recipient = d->issuer = NULL;
	for (int q = DOCTOR_ASK_CA_CERT; q <= DOCTOR_ASK_CA_CERT_IDENTIFIER; q++)
		doctor_set(d, (enum doctor_question)q, 200,
		    count == 1 ? "application/x-x509-ca-cert" : "application/x-x509-ca-ra-cert", "",
		    buffer_octets(&body));
	buffer_free(&body);
	doctor_read(d);
	assert_int_equal(d->count, count);
}

/* What every poll of a healthy server says. */
static void
set_replies(struct doctor *d)
{
	for (int q = DOCTOR_ASK_POLL; q < DOCTOR_QUESTIONS; q++) {
		doctor_set(d, (enum doctor_question)q, 200, "application/x-pki-message",
		    "Cache-Control: no-store\r\n", octets_of_string("not looked at"));
		d->replies[q] = (struct doctor_reply){.read = true,
		    .status = SCEP_FAILURE,
		    .fail_info = SCEP_BAD_CERT_ID,
		    .signer = true,
		    .digest = PKI_SHA256,
		    .rsa_encryption = true,
		    .sender_nonce_len = 16};
	}
	d->poll.message.digest = PKI_SHA256;
}

void
doctor_healthy(struct doctor *d)
{
	static const struct doctor_party *const parties[] = {
	    &doctor_world.ra, &doctor_world.ca, &doctor_world.root};

	*d = (struct doctor){.url = "http://host.example/scep/x",
	    .timeout_ms = 10000,
	    .now = DOCTOR_NOW,
	    .warn_days = 30};
	for (int q = 0; q < DOCTOR_QUESTIONS; q++)
		doctor_set(d, (enum doctor_question)q, 200, "text/plain",
		    "Content-Length: 80\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n",
		    octets_of_string(capabilities));
	doctor_set_text(d, DOCTOR_ASK_UNKNOWN, 400, "text/plain", "no such operation");
	doctor_set_text(d, DOCTOR_ASK_NEXT_CA, 404, "text/plain", "no next CA");
	doctor_set_text(d, DOCTOR_ASK_JUNK, 400, "text/plain", "no message");
	set_replies(d);
	doctor_set_list(d, parties, 3);
}

static const struct doctor_finding *
find(const struct doctor *d, const char *name)
{
	static struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	int count = doctor_check(d, findings);

	for (int i = 0; i < count; i++)
		if (strcmp(findings[i].name, name) == 0)
			return &findings[i];
	fail_msg("there is no check %s", name);
	return findings;
}

void
doctor_assert(
    const struct doctor *d, const char *name, enum doctor_result result, const char *words)
{
	const struct doctor_finding *f = find(d, name);

	if (f->result != result || strstr(f->text, words) == NULL)
		fail_msg("%s: have %s \"%s\", want %s with \"%s\" in it", name,
		    doctor_result_name(f->result), f->text, doctor_result_name(result), words);
}

void
doctor_assert_clients(const struct doctor *d, const char *name, uint32_t clients)
{
	const struct doctor_finding *f = find(d, name);

	if (f->clients != clients)
		fail_msg("%s: have clients %x, want %x", name, f->clients, clients);
}
