/*
 * pkimessage.c: a pkiMessage in a file, so that a test can send the very same octets again, and what the answer to it says.
 *
 *	pkimessage make --ca GETCACERT.der --key KEY.pem --subject CN=x [--challenge TEXT] [--type 19] [--digest SHA-1]
 *	    [--cipher DES3] [--san dns:a.example] [--signer-cert CERTIFICATE --signer-key KEY.pem] [--recipient-cert CERTIFICATE]
 *	    [--transaction-id TEXT] [--of CERTIFICATE] [--issuer CN=x] [--serial HEX] [--content FILE] --out MESSAGE.der
 *	pkimessage read --ca GETCACERT.der --key KEY.pem --message MESSAGE.der --reply REPLY.der [--password TEXT]
 *	    [--cert-out CERTIFICATE.der] [--crl-out CRL.der]
 *
 * Types 17 and 19 have a CSR for --key (RSA or EC) inside; 20 names --issuer (the CA's subject) and --subject; 21 and 22 the issuer and
 * serial number of the certificate --of (the signer's), or --issuer and --serial; --content has any octets put there instead.  The
 * signer is self-signed with --key, or --signer-cert.  Certificates are DER or PEM.
 *
 * make writes MESSAGE.der.state and MESSAGE.der.signer too: what read needs to know of it, down to the key and the challenge.  read
 * prints "SUCCESS", "PENDING" or "FAILURE failInfo text" and ends with 0, 1 where the reply is to be trusted but no success, 2 where it
 * is not to be trusted.
 */
#include <getopt.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "pki/algorithm.h"
#include "pki/authority.h"
#include "pki/certificate.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/client.h"

#define FILE_MAX (1 << 20)

static struct options {
	const char *ca, *key, *subject, *challenge, *digest, *cipher, *out, *message, *reply,
	    *cert_out, *san, *signer_cert, *signer_key, *recipient_cert, *transaction_id, *of,
	    *issuer, *serial, *content, *password, *crl_out;
	int type;
} options = {.digest = "SHA-256", .cipher = "AES-256-CBC", .type = SCEP_PKCS_REQ};

/* What both verbs need: the CA's certificates, the client's key, and the signer: its self-signed certificate, or another with its key. */
struct parts {
	struct buffer ca_der[9];
	struct certificate ca[9];
	int ca_count;
	EVP_PKEY *key;
	EVP_PKEY *signer_key;
	struct buffer signer_der;
	struct certificate signer;
};

/* What read has to know of a message, in MESSAGE.der.state: a line each. */
struct state {
	char id[300], nonce[33], key[512], challenge[512];
};

__attribute__((noreturn)) static void
die(const char *what, const struct errbuf *why)
{
	fprintf(stderr, "pkimessage: %s%s%s\n", what, why != NULL ? ": " : "",
	    why != NULL ? why->line : "");
	exit(2);
}

static void
read_file(const char *path, struct buffer *out)
{
	char chunk[4096];
	size_t n;
	FILE *in = NULL;

	if (path == NULL || (in = fopen(path, "rb")) == NULL)
		die("cannot open a file", NULL);
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0 && out->len < FILE_MAX)
		buffer_append(out, chunk, n);
	fclose(in);
}

static void
write_file(const char *path, const char *suffix, struct octets text)
{
	char name[512];
	FILE *out;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	if ((out = fopen(name, "wb")) == NULL || fwrite(text.data, 1, text.len, out) != text.len ||
	    fclose(out) != 0)
		die("cannot write a file", NULL);
}

/* The file PATH.SUFFIX. */
static void
read_beside(const char *path, const char *suffix, struct buffer *out)
{
	char name[512];

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	read_file(name, out);
}

/* The DER of the one certificate in a file. */
static void
read_certificate(const char *path, struct buffer *out)
{
	struct buffer pem = {0};

	if (pem_read_certificates(path, &pem, 1, NULL) == 1)
		*out = pem;
	else
		read_file(path, out);
}

static void
name_of(const char *text, struct buffer *out)
{
	struct errbuf why = {0};

	if (text == NULL || !name_from_text(text, out, &why))
		die("a name", &why);
}

static EVP_PKEY *
read_key(const char *path)
{
	struct errbuf why = {0};
	EVP_PKEY *key = path == NULL ? NULL : private_key_load(path, octets_of(NULL, 0), &why);

	if (key == NULL)
		die(path != NULL ? path : "--key", &why);
	return key;
}

static void
read_ca(struct parts *p)
{
	struct buffer body = {0};
	struct errbuf why = {0};

	read_file(options.ca, &body);
	p->ca_count = scep_client_ca_certificates(buffer_octets(&body), p->ca_der, 9, &why);
	if (p->ca_count < 1)
		die(options.ca, &why);
	for (int i = 0; i < p->ca_count; i++)
		if (!certificate_parse(buffer_octets(&p->ca_der[i]), &p->ca[i], &why))
			die(options.ca, &why);
	buffer_free(&body);
}

static void
read_parts(struct parts *p, const char *signer_key)
{
	struct buffer name = {0};
	struct errbuf why = {0};

	read_ca(p);
	if (options.key != NULL || signer_key == NULL)
		p->key = read_key(options.key);
	p->signer_key = read_key(signer_key != NULL ? signer_key : options.key);
	if (options.message != NULL) {
		read_beside(options.message, ".signer", &p->signer_der);
	} else if (options.signer_cert != NULL) {
		read_certificate(options.signer_cert, &p->signer_der);
	} else {
		name_of(options.subject, &name);
		if (!scep_client_self_signed(
			p->signer_key, buffer_octets(&name), clock_now(), &p->signer_der, &why))
			die("self-signed certificate", &why);
	}
	if (!certificate_parse(buffer_octets(&p->signer_der), &p->signer, &why))
		die("signer's certificate", &why);
	buffer_free(&name);
}

static void
free_parts(struct parts *p)
{
	for (int i = 0; i < p->ca_count; i++) {
		certificate_free(&p->ca[i]);
		buffer_free(&p->ca_der[i]);
	}
	certificate_free(&p->signer);
	buffer_free(&p->signer_der);
	EVP_PKEY_free(p->key);
	EVP_PKEY_free(p->signer_key);
}

static void
make_csr(const struct parts *p, struct buffer *out)
{
	struct buffer name = {0}, san = {0};
	struct errbuf why = {0};

	name_of(options.subject, &name);
	if (p->key == NULL || (options.san != NULL && !san_from_text(options.san, &san, &why)) ||
	    !scep_client_csr(
		p->key, buffer_octets(&name), buffer_octets(&san), options.challenge, out, &why))
		die("CSR", &why);
	buffer_free(&name);
	buffer_free(&san);
}

/* IssuerAndSubject, or IssuerAndSerialNumber of the certificate --of. */
static void
make_names(const struct parts *p, struct buffer *out)
{
	const struct certificate *of = &p->signer, *ca = &p->ca[p->ca_count > 1 ? 1 : 0];
	struct buffer name = {0}, subject = {0}, of_der = {0};
	struct certificate named = {0};
	uint8_t serial[64];
	bool made;

	if (options.of != NULL) {
		read_certificate(options.of, &of_der);
		if (!certificate_parse(buffer_octets(&of_der), &named, NULL))
			die("--of", NULL);
		of = &named;
	}
	if (options.issuer != NULL)
		name_of(options.issuer, &name);
	else if (options.type == SCEP_CERT_POLL)
		buffer_append(&name, ca->subject.data, ca->subject.len);
	else
		buffer_append(&name, of->issuer.data, of->issuer.len);
	if (options.type == SCEP_CERT_POLL) {
		name_of(options.subject, &subject);
		made = scep_client_issuer_and_subject(
		    buffer_octets(&name), buffer_octets(&subject), out);
	} else if (options.serial != NULL) {
		size_t len = strlen(options.serial) / 2;

		made = len <= sizeof(serial) && encoding_unhex(options.serial, serial, len) &&
		       scep_client_issuer_and_serial(
			   buffer_octets(&name), octets_of(serial, len), out);
	} else {
		made = scep_client_issuer_and_serial(buffer_octets(&name), of->serial, out);
	}
	if (!made)
		die("issuer and subject or serial number", NULL);
	certificate_free(&named);
	buffer_free(&name);
	buffer_free(&subject);
	buffer_free(&of_der);
}

static void
make_content(const struct parts *p, struct buffer *out)
{
	if (options.content != NULL)
		read_file(options.content, out);
	else if (options.type == SCEP_CERT_POLL || options.type == SCEP_GET_CERT ||
		 options.type == SCEP_GET_CRL)
		make_names(p, out);
	else
		make_csr(p, out);
}

static void
write_state(const struct scep_client_message *m, const struct parts *p)
{
	const char *key = options.signer_key != NULL ? options.signer_key : options.key;
	char nonce[2 * sizeof(m->sender_nonce) + 1];
	struct buffer state = {0};

	encoding_hex(octets_of(m->sender_nonce, sizeof(m->sender_nonce)), nonce);
	buffer_append_format(&state, "%s\n%s\n%s\n%s\n", m->transaction_id, nonce, key,
	    options.challenge != NULL ? options.challenge : "");
	write_file(options.out, ".state", buffer_octets(&state));
	write_file(options.out, ".signer", buffer_octets(&p->signer_der));
	buffer_free(&state);
}

static int
make(struct parts *p)
{
	struct buffer recipient_der = {0}, content = {0}, der = {0};
	struct certificate recipient = {0};
	struct scep_client_message m = {
	    .message_type = options.type,
	    .signer = &p->signer,
	    .key = p->signer_key,
	    .recipient = &p->ca[0],
	    .digest = pki_digest_of_name(options.digest),
	    .cipher = pki_cipher_of_name(options.cipher),
	};
	struct errbuf why = {0};
	uint8_t random[16];
	char id[33];

	RAND_bytes(random, sizeof(random));
	encoding_hex(octets_of(random, sizeof(random)), id);
	m.transaction_id = options.transaction_id != NULL ? options.transaction_id : id;
	if (options.recipient_cert != NULL) {
		read_certificate(options.recipient_cert, &recipient_der);
		if (!certificate_parse(buffer_octets(&recipient_der), &recipient, &why))
			die("--recipient-cert", &why);
		m.recipient = &recipient;
	}
	make_content(p, &content);
	m.content = buffer_octets(&content);
	if (!scep_client_encode(&m, &der, &why))
		die("pkiMessage", &why);
	write_file(options.out, "", buffer_octets(&der));
	write_state(&m, p);
	certificate_free(&recipient);
	buffer_free(&recipient_der);
	buffer_free(&content);
	buffer_free(&der);
	return 0;
}

static int
tell(const struct scep_client_reply *r)
{
	if (r->status == SCEP_PENDING) {
		puts("PENDING");
		return 1;
	}
	if (r->status != SCEP_SUCCESS) {
		printf("FAILURE %s %s\n", scep_fail_info_name(r->fail_info), r->fail_info_text);
		return 1;
	}
	if (options.cert_out != NULL && r->certificate_count > 0)
		write_file(options.cert_out, "", buffer_octets(&r->certificates[0]));
	if (options.crl_out != NULL) {
		if (r->crl.len == 0)
			die("SUCCESS without a CRL", NULL);
		write_file(options.crl_out, "", buffer_octets(&r->crl));
	} else if (r->certificate_count < 1 && options.type != SCEP_GET_CRL && r->crl.len == 0) {
		die("SUCCESS without a certificate", NULL);
	}
	puts("SUCCESS");
	return 0;
}

/* Up to the end of the line, which may be empty. */
static const char *
read_line(const char *text, char *out, size_t size)
{
	size_t len = text == NULL ? 0 : strcspn(text, "\n");

	if (text == NULL || text[len] != '\n' || len >= size)
		die("--message has no state", NULL);
	memcpy(out, text, len);
	out[len] = '\0';
	return text + len + 1;
}

static void
read_state(struct state *s)
{
	struct buffer text = {0};
	const char *at;

	read_beside(options.message, ".state", &text);
	at = read_line(buffer_string(&text), s->id, sizeof(s->id));
	at = read_line(at, s->nonce, sizeof(s->nonce));
	at = read_line(at, s->key, sizeof(s->key));
	read_line(at, s->challenge, sizeof(s->challenge));
	buffer_free(&text);
}

static int
read_reply(struct parts *p, const struct state *state)
{
	const char *password = options.password != NULL ? options.password : state->challenge;
	struct scep_client_message m = {
	    .message_type = options.type,
	    .transaction_id = state->id,
	    .signer = &p->signer,
	    .key = p->signer_key,
	    .password = octets_of_string(password),
	};
	struct scep_client_reply r = {0};
	struct buffer reply = {0};
	struct errbuf why = {0};
	int status;

	if (!encoding_unhex(state->nonce, m.sender_nonce, sizeof(m.sender_nonce)))
		die("--message has no state", NULL);
	read_file(options.reply, &reply);
	if (!scep_client_read(&m, buffer_octets(&reply), p->ca, p->ca_count, &r, &why))
		die("reply", &why);
	status = tell(&r);
	scep_client_reply_free(&r);
	buffer_free(&reply);
	return status;
}

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {{"ca", 1, NULL, 'a'}, {"key", 1, NULL, 'k'},
	    {"subject", 1, NULL, 's'}, {"challenge", 1, NULL, 'p'}, {"digest", 1, NULL, 'd'},
	    {"cipher", 1, NULL, 'c'}, {"out", 1, NULL, 'o'}, {"message", 1, NULL, 'm'},
	    {"reply", 1, NULL, 'r'}, {"cert-out", 1, NULL, 'x'}, {"type", 1, NULL, 't'},
	    {"san", 1, NULL, 'n'}, {"signer-cert", 1, NULL, 'S'}, {"signer-key", 1, NULL, 'K'},
	    {"recipient-cert", 1, NULL, 'R'}, {"transaction-id", 1, NULL, 'T'},
	    {"of", 1, NULL, 'O'}, {"issuer", 1, NULL, 'i'}, {"serial", 1, NULL, 'N'},
	    {"content", 1, NULL, 'C'}, {"password", 1, NULL, 'P'}, {"crl-out", 1, NULL, 'X'},
	    {NULL, 0, NULL, 0}};
	static const struct {
		int letter;
		const char **at;
	} texts[] = {{'a', &options.ca}, {'k', &options.key}, {'s', &options.subject},
	    {'p', &options.challenge}, {'d', &options.digest}, {'c', &options.cipher},
	    {'o', &options.out}, {'m', &options.message}, {'r', &options.reply},
	    {'x', &options.cert_out}, {'n', &options.san}, {'S', &options.signer_cert},
	    {'K', &options.signer_key}, {'R', &options.recipient_cert},
	    {'T', &options.transaction_id}, {'O', &options.of}, {'i', &options.issuer},
	    {'N', &options.serial}, {'C', &options.content}, {'P', &options.password},
	    {'X', &options.crl_out}};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == '?')
			die("see the first lines of pkimessage.c", NULL);
		if (c == 't')
			options.type = atoi(optarg);
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			if (texts[i].letter == c)
				*texts[i].at = optarg;
	}
}

int
main(int argc, char **argv)
{
	struct parts p = {0};
	struct state state = {0};
	bool makes = argc > 1 && strcmp(argv[1], "make") == 0;
	int status;

	if (!makes && (argc < 2 || strcmp(argv[1], "read") != 0))
		die("make or read?", NULL);
	read_options(argc - 1, argv + 1);
	if (makes ? options.out == NULL : options.message == NULL)
		die("make needs --out, read --message", NULL);
	if (makes) {
		read_parts(&p, options.signer_key);
		status = make(&p);
	} else {
		read_state(&state);
		read_parts(&p, options.signer_key != NULL ? options.signer_key : state.key);
		status = read_reply(&p, &state);
	}
	free_parts(&p);
	return status;
}
