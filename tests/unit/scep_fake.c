#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "pki/authority.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/next_ca.h"
#include "scep/query.h"
#include "scep/reply.h"
#include "tests/unit/http_server.h"
#include "tests/unit/scep_fake.h"

#define REQUEST_MAX 65536
#define DAY	    86400

/* --- parties --- */

void
scep_fake_party_make(struct scep_fake_party *p, const char *kind, const char *name,
    const struct scep_fake_party *issuer)
{
	struct errbuf why = {0};
	const uint8_t *at;
	int64_t from = clock_now() - 300, until = clock_now() + DAY;

	memset(p, 0, sizeof(*p));
	p->key = private_key_generate(kind, &why);
	assert_non_null(p->key);
	assert_true(signer_of_key(p->key, &p->signer, &why));
	assert_true(name_from_text(name, &p->subject, &why));
	if (issuer == NULL) {
		assert_true(authority_self_sign(
		    p->signer, buffer_octets(&p->subject), from, until, -1, &p->der, &why));
	} else {
		struct certificate_fields f = {.issuer = issuer->certificate.subject,
		    .not_before = from,
		    .not_after = until,
		    .subject = buffer_octets(&p->subject),
		    .spki = signer_spki(p->signer),
		    .issuer_ski = issuer->certificate.ski,
		    .path_length = -1,
		    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT};

		assert_true(authority_serial(f.serial, &why));
		assert_true(certificate_issue(&f, issuer->signer, &p->der, &why));
	}
	assert_true(certificate_parse(buffer_octets(&p->der), &p->certificate, &why));
	at = p->der.data;
	p->x509 = d2i_X509(NULL, &at, (long)p->der.len);
	assert_non_null(p->x509);
}

void
scep_fake_party_free(struct scep_fake_party *p)
{
	certificate_free(&p->certificate);
	signer_free(p->signer);
	X509_free(p->x509);
	EVP_PKEY_free(p->key);
	buffer_free(&p->subject);
	buffer_free(&p->der);
	memset(p, 0, sizeof(*p));
}

void
scep_fake_party_save(const struct scep_fake_party *p, const char *path)
{
	char name[256];
	struct buffer pem = {0};
	struct errbuf why = {0};
	FILE *out;

	snprintf(name, sizeof(name), "%s.pem", path);
	assert_true(pem_write("CERTIFICATE", buffer_octets(&p->der), &pem));
	assert_non_null(out = fopen(name, "w"));
	assert_int_equal(fwrite(pem.data, 1, pem.len, out), pem.len);
	fclose(out);
	buffer_free(&pem);
	snprintf(name, sizeof(name), "%s.key", path);
	assert_true(private_key_save(p->key, name, octets_of(NULL, 0), &why));
}

void
scep_fake_parties_make(struct scep_fake_parties *all)
{
	scep_fake_party_make(&all->ca, "rsa:2048", "CN=CA", NULL);
	scep_fake_party_make(&all->ra, "rsa:2048", "CN=RA", &all->ca);
	scep_fake_party_make(&all->other_ca, "ec:P-256", "CN=CA", NULL);
	scep_fake_party_make(&all->next_ca, "ec:P-521", "CN=Next CA", NULL);
	scep_fake_party_make(&all->next_ra, "rsa:2048", "CN=Next RA", &all->next_ca);
	scep_fake_party_make(&all->device, "rsa:2048", "CN=device,O=Example", &all->ca);
	scep_fake_party_make(&all->ec_device, "ec:P-384", "CN=ec-device", &all->ca);
}

void
scep_fake_parties_free(struct scep_fake_parties *all)
{
	scep_fake_party_free(&all->ca);
	scep_fake_party_free(&all->ra);
	scep_fake_party_free(&all->other_ca);
	scep_fake_party_free(&all->next_ca);
	scep_fake_party_free(&all->next_ra);
	scep_fake_party_free(&all->device);
	scep_fake_party_free(&all->ec_device);
}

/* --- the server, in a process of its own: no assertions, what fails is answered 500 --- */

/* What it remembers from one request to the next. */
static struct memory {
	int answers;
	struct buffer csr;
} memory;

static void
say(int fd, const void *text, size_t len)
{
	const char *at = text;
	ssize_t n;

	for (; len > 0 && (n = send(fd, at, len, MSG_NOSIGNAL)) > 0; len -= (size_t)n)
		at += n;
}

static void
respond(int fd, const char *status, const char *type, struct octets body)
{
	char head[256];

	snprintf(head, sizeof(head),
	    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status, type,
	    body.len);
	say(fd, head, strlen(head));
	say(fd, body.data, body.len);
}

static void
respond_text(int fd, const char *status, const char *text)
{
	respond(fd, status, "text/plain", octets_of_string(text));
}

static void
serve_certificates(const struct scep_fake *f, int fd)
{
	struct octets all[] = {f->ra->certificate.der, f->ca->certificate.der};
	struct buffer body = {0};

	if (f->ra == f->ca) {
		respond(fd, "200 OK", "application/x-x509-ca-cert", all[0]);
		return;
	}
	scep_degenerate_encode(all, f->ra_alone ? 1 : 2, octets_of(NULL, 0), &body);
	respond(fd, "200 OK", "application/x-x509-ca-ra-cert", buffer_octets(&body));
	buffer_free(&body);
}

static void
serve_next(const struct scep_fake *f, int fd)
{
	const struct scep_fake_party *signer = f->next_signer != NULL ? f->next_signer : f->ca;
	struct buffer body = {0};
	struct octets all[2];

	if (f->next_ca == NULL) {
		respond_text(fd, "404 Not Found", "no next CA\n");
		return;
	}
	all[0] = f->next_ra->certificate.der;
	all[1] = f->next_ca->certificate.der;
	if (scep_next_ca_encode(
		all, 2, &signer->certificate, signer->signer, clock_now(), &body, NULL))
		respond(fd, "200 OK", "application/x-x509-next-ca-cert", buffer_octets(&body));
	else
		respond_text(fd, "500 Fault", "");
	buffer_free(&body);
}

/* One line of what came. */
static void
note(const struct scep_fake *f, const struct scep_request *r, const char *subject,
    struct octets challenge)
{
	struct buffer signer = {0}, line = {0};
	FILE *log = fopen(f->log, "a");

	if (log == NULL)
		return;
	name_to_text(r->signer.subject, &signer);
	buffer_append_format(&line, "%s %.*s %s %s %.*s", scep_message_type_name(r->message_type),
	    (int)r->transaction_id.len, (const char *)r->transaction_id.data,
	    r->signer_self_signed ? "self" : buffer_string(&signer), subject, (int)challenge.len,
	    (const char *)challenge.data);
	fprintf(log, "%s\n", buffer_string(&line));
	fclose(log);
	buffer_free(&signer);
	buffer_free(&line);
}

static const char *
how_path(const struct scep_fake *f)
{
	static char path[80];

	snprintf(path, sizeof(path), "%s.how", f->log);
	return path;
}

static void
note_how(const struct scep_fake *f, const struct scep_request *r, const char *method)
{
	FILE *log = fopen(how_path(f), "a");

	if (log == NULL)
		return;
	fprintf(log, "%s %s %s\n", method, pki_digest_name(r->digest), pki_cipher_name(r->cipher));
	fclose(log);
}

static bool
issue(const struct scep_fake_party *issuer, const struct csr *csr, struct buffer *out)
{
	struct certificate_fields c = {.issuer = issuer->certificate.subject,
	    .not_before = clock_now() - 300,
	    .not_after = clock_now() + DAY,
	    .subject = csr->subject,
	    .spki = csr->spki,
	    .san = csr->san,
	    .issuer_ski = issuer->certificate.ski,
	    .path_length = -1,
	    .key_usage = KEY_USAGE_DIGITAL_SIGNATURE};

	return authority_serial(c.serial, NULL) && certificate_issue(&c, issuer->signer, out, NULL);
}

/* SUCCESS, or what the test wants. */
static void
answer(const struct scep_fake *f, int fd, const struct scep_fake_party *ra,
    const struct scep_request *r, const struct csr *csr)
{
	const struct scep_fake_party *issuer = f->issuer != NULL ? f->issuer
					       : ra == f->ra	 ? f->ca
								 : f->next_ca;
	const struct scep_responder responder = {&ra->certificate, ra->key};
	struct scep_reply reply = {.status = SCEP_SUCCESS,
	    .fail_info = SCEP_NO_FAIL_INFO,
	    .digest = PKI_SHA256,
	    .cipher = PKI_AES128};
	struct buffer leaf = {0}, body = {0};
	bool good = true;

	if (r->message_type == SCEP_CERT_POLL && csr->der.len == 0) {
		reply.status = SCEP_FAILURE;
		reply.fail_info = SCEP_BAD_CERT_ID;
	} else if (memory.answers <= f->pending) {
		reply.status = SCEP_PENDING;
	} else if (f->refuse != NULL) {
		reply.status = SCEP_FAILURE;
		reply.fail_info = SCEP_BAD_REQUEST;
		reply.fail_info_text = f->refuse;
	} else if (r->message_type == SCEP_GET_CRL) {
		reply.crl = f->crl;
	} else {
		good = f->certificate.len > 0 || issue(issuer, csr, &leaf);
		reply.certificates[reply.certificate_count++] =
		    f->certificate.len > 0 ? f->certificate : buffer_octets(&leaf);
	}
	if (csr != NULL && csr->has_challenge)
		reply.password = csr->challenge;
	if (good && scep_reply_encode(r, &reply, &responder, &body, NULL))
		respond(fd, "200 OK", "application/x-pki-message", buffer_octets(&body));
	else
		respond_text(fd, "500 Fault", "");
	buffer_free(&leaf);
	buffer_free(&body);
}

/* The CSR of a request, or the one remembered with a poll; and what else is asked. */
static bool
open_message(const struct scep_fake *f, struct scep_request *r,
    const struct scep_recipient *recipient, struct csr *csr)
{
	struct scep_query_content query = {0};
	struct buffer subject = {0};
	char serial[2 * SCEP_QUERY_SERIAL_MAX + 1] = "";
	const char *stage;
	bool good;

	if (r->message_type == SCEP_PKCS_REQ || r->message_type == SCEP_RENEWAL_REQ) {
		if (scep_request_open_csr(r, recipient, true, csr, &stage, NULL) != SCEP_OK)
			return false;
		buffer_free(&memory.csr);
		buffer_append(&memory.csr, csr->der.data, csr->der.len);
		name_to_text(csr->subject, &subject);
		note(f, r, buffer_string(&subject), csr->challenge);
		buffer_free(&subject);
		return true;
	}
	good = scep_request_open_query(r, recipient, &query, &stage, NULL) == SCEP_OK;
	if (good && r->message_type == SCEP_CERT_POLL) {
		name_to_text(query.subject, &subject);
		note(f, r, buffer_string(&subject), octets_of(NULL, 0));
		good = memory.csr.len == 0 || csr_parse(memory.csr.data, memory.csr.len, csr, NULL);
	} else if (good) {
		encoding_hex(query.serial, serial);
		note(f, r, serial, octets_of(NULL, 0));
	}
	scep_query_content_free(&query);
	buffer_free(&subject);
	return good;
}

static void
serve_message(const struct scep_fake *f, int fd, struct octets der, const char *method)
{
	const struct scep_fake_party *ra = f->ra;
	struct scep_recipient recipient = {&ra->certificate, ra->x509, ra->key};
	struct scep_request *r = NULL;
	enum scep_fail_info fail;
	struct csr csr = {0};

	memory.answers++;
	if (memory.answers > 1 && memory.answers <= 1 + f->away) {
		respond_text(fd, "503 Away", "");
		return;
	}
	if (scep_request_parse(der, &r, &fail, NULL) != SCEP_OK) {
		respond_text(fd, "400 Bad", "");
		return;
	}
	note_how(f, r, method);
	if (!scep_request_is_for(r, &recipient) && f->next_ra != NULL) {
		ra = f->next_ra;
		recipient = (struct scep_recipient){&ra->certificate, ra->x509, ra->key};
	}
	if (open_message(f, r, &recipient, &csr))
		answer(f, fd, ra, r, &csr);
	else
		respond_text(fd, "500 Fault", "");
	csr_free(&csr);
	scep_request_free(r);
}

/* A message by GET, which is the rest of the request line behind message=. */
static void
serve_get(const struct scep_fake *f, int fd, const char *text)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%";
	struct octets message = octets_of(text, strcspn(text, " "));
	struct buffer der = {0};
	bool too_long;

	if (scep_query_message(message, REQUEST_MAX, &der, &too_long, NULL))
		serve_message(f, fd, buffer_octets(&der),
		    strspn(text, plain) == message.len ? "GET escaped" : "GET bare");
	else
		respond_text(fd, "400 Bad", "");
	buffer_free(&der);
}

static void
serve_capabilities(const struct scep_fake *f, int fd)
{
	const char *type = f->capabilities_type != NULL ? f->capabilities_type : "text/plain";
	const char *text = f->capabilities != NULL ? f->capabilities
			   : f->renewal		   ? "SCEPStandard\nRenewal\nAES\n"
						   : "SCEPStandard\nAES\n";

	if (text[0] == '\0')
		respond_text(fd, "404 Not Found", "");
	else
		respond(fd, "200 OK", type, octets_of_string(text));
}

static void
serve(const struct scep_fake *f, int fd)
{
	static char request[REQUEST_MAX];
	size_t len = 0, want = 0;
	char *body = NULL, *message;
	ssize_t n;

	while (want == 0 || len < want) {
		if ((n = recv(fd, request + len, sizeof(request) - 1 - len, 0)) <= 0)
			return;
		len += (size_t)n;
		request[len] = '\0';
		if (body == NULL && (body = strstr(request, "\r\n\r\n")) != NULL) {
			const char *told = strcasestr(request, "\r\nContent-Length: ");

			body += 4;
			want = (size_t)(body - request) +
			       (told != NULL ? (size_t)strtoul(told + 18, NULL, 10) : 0);
		}
	}
	if (strstr(request, "operation=GetCACaps ") != NULL)
		serve_capabilities(f, fd);
	else if (strstr(request, "operation=GetCACert ") != NULL)
		serve_certificates(f, fd);
	else if (strstr(request, "operation=GetNextCACert ") != NULL)
		serve_next(f, fd);
	else if ((message = strstr(request, "&message=")) != NULL && message < body)
		serve_get(f, fd, message + strlen("&message="));
	else
		serve_message(f, fd, octets_of(body, len - (size_t)(body - request)), "POST");
}

void
scep_fake_start(struct scep_fake *f)
{
	int fd, one, port;

	snprintf(f->log, sizeof(f->log), "/tmp/scep-fake.XXXXXX");
	assert_int_not_equal(one = mkstemp(f->log), -1);
	close(one);
	assert_int_not_equal(fd = http_server_listen(&port), -1);
	snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/scep", port);
	assert_int_not_equal(f->pid = fork(), -1);
	if (f->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while ((one = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) != -1) {
			serve(f, one);
			shutdown(one, SHUT_RDWR);
			close(one);
		}
		_exit(0);
	}
	close(fd);
}

void
scep_fake_stop(struct scep_fake *f)
{
	http_server_stop(&f->pid);
	unlink(f->log);
	unlink(how_path(f));
}

const char *
scep_fake_log(const struct scep_fake *f)
{
	static char text[SCEP_FAKE_LOG_MAX];
	FILE *in = fopen(f->log, "r");
	size_t len;

	assert_non_null(in);
	len = fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	text[len] = '\0';
	return text;
}

void
scep_fake_assert_log(const struct scep_fake *f, const char *text)
{
	if (strstr(scep_fake_log(f), text) == NULL)
		fail_msg("want \"%s\" in: %s", text, scep_fake_log(f));
}

void
scep_fake_assert_how(const struct scep_fake *f, const char *lines)
{
	FILE *in = fopen(how_path(f), "r");
	char text[1024] = "";

	if (in != NULL) {
		text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
		fclose(in);
	}
	assert_string_equal(text, lines);
}

void
scep_fake_transaction_id(const struct scep_fake *f, int n, char out[80])
{
	const char *at = scep_fake_log(f);

	while (n-- > 0) {
		assert_non_null(at = strchr(at, '\n'));
		at++;
	}
	assert_int_equal(sscanf(at, "%*s %79s", out), 1);
}
