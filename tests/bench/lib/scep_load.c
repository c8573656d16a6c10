/* scep_load.c: the messages, by the client's side of shared/scep. */
#include "scep_load.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "pki/name.h"
#include "pki/private_key.h"

#define TIMEOUT_S 60

void
load_die(const char *what, const struct errbuf *why)
{
	fprintf(
	    stderr, "bench: %s%s%s\n", what, why != NULL ? ": " : "", why != NULL ? why->line : "");
	exit(2);
}

static void
get_ca(struct scep_load *l)
{
	struct http_exchange x = {0};
	struct buffer request = {0};
	struct errbuf why = {0};
	char path[560];
	double seconds;

	snprintf(path, sizeof(path), "%s?operation=GetCACert", l->path);
	http_load_get(&request, l->host, path);
	x.request = buffer_octets(&request);
	if (!http_load_run(l->host, l->port, &x, 1, 1, 10, true, &seconds) || x.status != 200)
		load_die("GetCACert gets no answer", NULL);
	l->ca_count = scep_client_ca_certificates(buffer_octets(&x.body), l->ca_der, 9, &why);
	if (l->ca_count < 1)
		load_die("GetCACert", &why);
	for (int i = 0; i < l->ca_count; i++)
		if (!certificate_parse(buffer_octets(&l->ca_der[i]), &l->ca[i], &why))
			load_die("GetCACert", &why);
	buffer_free(&x.body);
	buffer_free(&request);
}

static void
make_devices(struct scep_load *l)
{
	struct buffer name = {0};
	struct errbuf why = {0};

	if (!name_from_text("CN=bench", &name, &why))
		load_die("device", &why);
	for (int i = 0; i < LOAD_KEYS; i++) {
		struct load_device *d = &l->devices[i];

		if ((d->key = private_key_generate("rsa:2048", &why)) == NULL ||
		    !scep_client_self_signed(
			d->key, buffer_octets(&name), clock_now(), &d->signer_der, &why) ||
		    !certificate_parse(buffer_octets(&d->signer_der), &d->signer, &why))
			load_die("device", &why);
	}
	buffer_free(&name);
}

void
load_open(struct scep_load *l, const char *url, int count)
{
	if (!http_load_url(url, l->host, l->port, l->path))
		load_die("the URL must be http://127.…:PORT/…", NULL);
	l->count = count;
	l->slots = calloc((size_t)count, sizeof(*l->slots));
	l->exchanges = calloc((size_t)count, sizeof(*l->exchanges));
	if (l->slots == NULL || l->exchanges == NULL)
		load_die("out of memory", NULL);
	get_ca(l);
	make_devices(l);
}

static const char *
next_challenge(struct scep_load *l, enum load_kind kind, char room[256])
{
	uint8_t random[16];

	if (kind == LOAD_WRONG) {
		RAND_bytes(random, sizeof(random));
		encoding_hex(octets_of(random, sizeof(random)), room);
		return room;
	}
	if (l->challenges == NULL)
		return l->challenge;
	if (fgets(room, 256, l->challenges) == NULL) {
		rewind(l->challenges);
		if (!l->reuse || fgets(room, 256, l->challenges) == NULL)
			load_die("not enough challenges in the file", NULL);
	}
	room[strcspn(room, "\n")] = '\0';
	return room;
}

/* A CSR by this key for the slot's subject. */
static void
make_csr(struct scep_load *l, const struct load_slot *s, int key, const char *challenge,
    struct buffer *out)
{
	struct errbuf why = {0};

	if (!scep_client_csr(l->devices[key].key, buffer_octets(&s->subject), octets_of(NULL, 0),
		challenge, out, &why))
		load_die("CSR", &why);
}

static void
new_transaction(struct load_slot *s)
{
	uint8_t random[8];

	RAND_bytes(random, sizeof(random));
	encoding_hex(octets_of(random, sizeof(random)), s->transaction_id);
}

static void
new_subject(struct load_slot *s, const char *cn)
{
	struct errbuf why = {0};
	char text[300];

	if (cn != NULL)
		snprintf(text, sizeof(text), "CN=%s,O=Bench", cn);
	else
		snprintf(text, sizeof(text), "CN=bench-%s,O=Bench", s->transaction_id);
	s->subject.len = 0;
	if (!name_from_text(text, &s->subject, &why))
		load_die("subject", &why);
}

/* A CSR with the next challenge, and the CN that comes with it. */
static void
make_first_csr(struct scep_load *l, struct load_slot *s, enum load_kind kind, struct buffer *out)
{
	char room[256], challenge[256], *cn = NULL;
	const char *next = next_challenge(l, kind, room);

	if (next != NULL) {
		snprintf(challenge, sizeof(challenge), "%s", next);
		if ((cn = strchr(challenge, '\t')) != NULL)
			*cn++ = '\0';
		next = challenge;
	}
	new_subject(s, cn);
	make_csr(l, s, s->key, next, out);
}

/* What is in the envelope; the CertPoll keeps its transaction, and every other message gets one of its own. */
static void
make_content(struct scep_load *l, struct load_slot *s, enum load_kind kind, struct buffer *out)
{
	struct octets ca = l->ca[l->ca_count > 1 ? 1 : 0].subject;
	bool made = true;

	if (kind != LOAD_POLL)
		new_transaction(s);
	switch (kind) {
	case LOAD_ENROL:
	case LOAD_WRONG:
	case LOAD_ENROL_WAIT:
		make_first_csr(l, s, kind, out);
		break;
	case LOAD_RENEW:
	case LOAD_RENEW_KEY:
		make_csr(l, s, (s->key + (kind == LOAD_RENEW)) % LOAD_KEYS, NULL, out);
		break;
	case LOAD_POLL:
		made = scep_client_issuer_and_subject(ca, buffer_octets(&s->subject), out);
		break;
	case LOAD_GET_CERT:
		made = scep_client_issuer_and_serial(
		    s->certificate.issuer, s->certificate.serial, out);
		break;
	}
	if (!made)
		load_die("the query cannot be made", NULL);
}

static int
message_type(enum load_kind kind)
{
	switch (kind) {
	case LOAD_RENEW:
	case LOAD_RENEW_KEY:
		return SCEP_RENEWAL_REQ;
	case LOAD_POLL:
		return SCEP_CERT_POLL;
	case LOAD_GET_CERT:
		return SCEP_GET_CERT;
	default:
		return SCEP_PKCS_REQ;
	}
}

static bool
signs_with_issued(enum load_kind kind)
{
	return kind == LOAD_RENEW || kind == LOAD_RENEW_KEY || kind == LOAD_GET_CERT;
}

static void
make_message(struct scep_load *l, int i, enum load_kind kind)
{
	struct load_slot *s = &l->slots[i];
	struct buffer content = {0}, der = {0};
	struct errbuf why = {0};

	if (kind == LOAD_ENROL || kind == LOAD_WRONG || kind == LOAD_ENROL_WAIT)
		s->key = i % LOAD_KEYS;
	else if (signs_with_issued(kind) && s->der.len == 0)
		load_die("nothing was enrolled that could sign", NULL);
	make_content(l, s, kind, &content);
	s->message = (struct scep_client_message){
	    .message_type = message_type(kind),
	    .transaction_id = s->transaction_id,
	    .signer = signs_with_issued(kind) ? &s->certificate : &l->devices[s->key].signer,
	    .key = l->devices[s->key].key,
	    .recipient = &l->ca[0], /* the RA's */
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES256,
	    .content = buffer_octets(&content),
	};
	if (!scep_client_encode(&s->message, &der, &why))
		load_die("pkiMessage", &why);
	s->message.content = octets_of(NULL, 0);
	http_load_post(&s->request, l->host, l->path, buffer_octets(&der));
	l->exchanges[i].request = buffer_octets(&s->request);
	buffer_free(&content);
	buffer_free(&der);
}

static void
clear(struct scep_load *l, int i)
{
	buffer_free(&l->slots[i].request);
	buffer_free(&l->exchanges[i].body);
	l->exchanges[i] = (struct http_exchange){0};
}

void
load_prepare(struct scep_load *l, enum load_kind kind)
{
	for (int i = 0; i < l->count; i++) {
		clear(l, i);
		make_message(l, i, kind);
	}
}

void
load_prepare_get(struct scep_load *l, const char *query)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s?%s", l->path, query);
	for (int i = 0; i < l->count; i++) {
		clear(l, i);
		http_load_get(&l->slots[i].request, l->host, path);
		l->exchanges[i].request = buffer_octets(&l->slots[i].request);
	}
}

double
load_send(struct scep_load *l, int connections, bool keep)
{
	double seconds = 0;

	if (!http_load_run(
		l->host, l->port, l->exchanges, l->count, connections, TIMEOUT_S, keep, &seconds))
		load_die("the server does not answer", NULL);
	return seconds;
}

/* The slot's certificate from now on. */
static bool
take_certificate(struct scep_load *l, struct load_slot *s, enum load_kind kind,
    const struct scep_client_reply *r)
{
	int key = (s->key + (kind == LOAD_RENEW)) % LOAD_KEYS;
	struct certificate c = {0};
	struct buffer der = {0};

	buffer_append(&der, r->certificates[0].data, r->certificates[0].len);
	if (!certificate_parse(buffer_octets(&der), &c, NULL) ||
	    !octets_equal(c.spki, l->devices[key].signer.spki)) {
		certificate_free(&c);
		buffer_free(&der);
		return false;
	}
	certificate_free(&s->certificate);
	buffer_free(&s->der);
	s->der = der;
	s->certificate = c;
	s->key = key;
	return true;
}

static bool
is_right(struct scep_load *l, struct load_slot *s, enum load_kind kind,
    const struct scep_client_reply *r)
{
	switch (kind) {
	case LOAD_WRONG:
		return r->status == SCEP_FAILURE && r->fail_info == SCEP_BAD_REQUEST;
	case LOAD_ENROL_WAIT:
	case LOAD_POLL:
		return r->status == SCEP_PENDING;
	case LOAD_GET_CERT:
		return r->status == SCEP_SUCCESS && r->certificate_count > 0 &&
		       octets_equal(buffer_octets(&r->certificates[0]), buffer_octets(&s->der));
	default:
		return r->status == SCEP_SUCCESS && r->certificate_count > 0 &&
		       take_certificate(l, s, kind, r);
	}
}

static int
compare_serials(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Of all certificates that the slots have now. */
static int
count_doubles(const struct scep_load *l)
{
	char(*serials)[72] = calloc((size_t)l->count, sizeof(*serials));
	int doubles = 0;

	if (serials == NULL)
		load_die("out of memory", NULL);
	for (int i = 0; i < l->count; i++) {
		const struct octets *serial = &l->slots[i].certificate.serial;

		if (serial->len > 0 && serial->len < 36)
			encoding_hex(*serial, serials[i]);
		else
			snprintf(serials[i], sizeof(serials[i]), "none %d", i);
	}
	qsort(serials, (size_t)l->count, sizeof(*serials), compare_serials);
	for (int i = 1; i < l->count; i++)
		doubles += strcmp(serials[i - 1], serials[i]) == 0;
	free(serials);
	if (doubles > 0)
		fprintf(stderr, "bench: %d serial numbers came twice\n", doubles);
	return doubles;
}

int
load_check(struct scep_load *l, enum load_kind kind)
{
	int bad = 0;

	for (int i = 0; i < l->count; i++) {
		struct http_exchange *x = &l->exchanges[i];
		struct scep_client_reply r = {0};
		struct errbuf why = {0};
		bool ok = x->status == 200 &&
			  scep_client_read(&l->slots[i].message, buffer_octets(&x->body), l->ca,
			      l->ca_count, &r, &why) &&
			  is_right(l, &l->slots[i], kind, &r);

		if (!ok && bad++ < 3)
			fprintf(stderr,
			    "bench: reply %d: HTTP %d, pkiStatus %d, failInfo %d, %s%s\n", i,
			    x->status, (int)r.status, (int)r.fail_info, r.fail_info_text, why.line);
		scep_client_reply_free(&r);
	}
	return bad + (kind == LOAD_GET_CERT ? 0 : count_doubles(l));
}
