/*
 * pkimessage.c: a pkiMessage in a file, so that a test can send the very same octets again, and what the answer to it says.
 *
 *	pkimessage make --ca GETCACERT.der --key KEY.pem --subject CN=x [--challenge TEXT] [--type 19] [--digest SHA-1]
 *	    [--cipher DES3] --out MESSAGE.der
 *	pkimessage read --ca GETCACERT.der --key KEY.pem --message MESSAGE.der --reply REPLY.der [--cert-out CERTIFICATE.der]
 *
 * make writes MESSAGE.der.state and MESSAGE.der.signer too: what read needs to know of it.  read prints "SUCCESS", "PENDING" or "FAILURE failInfo text"
 * and ends with 0, 1 where the reply is to be trusted but no success, 2 where it is not to be trusted.
 */
#include <getopt.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "pki/algorithm.h"
#include "pki/certificate.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/client.h"

#define FILE_MAX (1 << 20)

static struct options {
	const char *ca, *key, *subject, *challenge, *digest, *cipher, *out, *message, *reply,
	    *cert_out;
	int type;
} options = {.digest = "SHA-256", .cipher = "AES-256-CBC", .type = SCEP_PKCS_REQ};

/* What both verbs need: the CA's certificates, the client's key, and its self-signed certificate. */
struct parts {
	struct buffer ca_der[9];
	struct certificate ca[9];
	int ca_count;
	EVP_PKEY *key;
	struct buffer signer_der;
	struct certificate signer;
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

static void
read_parts(struct parts *p)
{
	struct buffer body = {0}, name = {0};
	struct errbuf why = {0};

	read_file(options.ca, &body);
	p->ca_count = scep_client_ca_certificates(buffer_octets(&body), p->ca_der, 9, &why);
	if (p->ca_count < 1)
		die(options.ca, &why);
	for (int i = 0; i < p->ca_count; i++)
		if (!certificate_parse(buffer_octets(&p->ca_der[i]), &p->ca[i], &why))
			die(options.ca, &why);
	if (options.key == NULL ||
	    (p->key = private_key_load(options.key, octets_of(NULL, 0), &why)) == NULL)
		die("--key", &why);
	if (options.message != NULL)
		read_beside(options.message, ".signer", &p->signer_der);
	else if (!name_from_text(options.subject, &name, &why) ||
		 !scep_client_self_signed(
		     p->key, buffer_octets(&name), clock_now(), &p->signer_der, &why))
		die("self-signed certificate", &why);
	if (!certificate_parse(buffer_octets(&p->signer_der), &p->signer, &why))
		die("self-signed certificate", &why);
	buffer_free(&body);
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
}

static int
make(struct parts *p)
{
	struct buffer name = {0}, csr = {0}, der = {0};
	struct scep_client_message m = {
	    .message_type = options.type,
	    .signer = &p->signer,
	    .key = p->key,
	    .recipient = &p->ca[0],
	    .digest = pki_digest_of_name(options.digest),
	    .cipher = pki_cipher_of_name(options.cipher),
	};
	struct errbuf why = {0};
	char id[33], state[80];
	uint8_t random[16];

	RAND_bytes(random, sizeof(random));
	encoding_hex(octets_of(random, sizeof(random)), id);
	m.transaction_id = id;
	if (!name_from_text(options.subject, &name, &why) ||
	    !scep_client_csr(
		p->key, buffer_octets(&name), octets_of(NULL, 0), options.challenge, &csr, &why))
		die("CSR", &why);
	m.content = buffer_octets(&csr);
	if (!scep_client_encode(&m, &der, &why))
		die("pkiMessage", &why);
	write_file(options.out, "", buffer_octets(&der));
	snprintf(state, sizeof(state), "%s ", id);
	encoding_hex(octets_of(m.sender_nonce, sizeof(m.sender_nonce)), state + strlen(state));
	write_file(options.out, ".state", octets_of_string(state));
	write_file(options.out, ".signer", buffer_octets(&p->signer_der));
	buffer_free(&name);
	buffer_free(&csr);
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
	if (r->certificate_count < 1)
		die("SUCCESS without a certificate", NULL);
	if (options.cert_out != NULL)
		write_file(options.cert_out, "", buffer_octets(&r->certificates[0]));
	puts("SUCCESS");
	return 0;
}

static int
read_reply(struct parts *p)
{
	struct scep_client_message m = {
	    .message_type = options.type, .signer = &p->signer, .key = p->key};
	struct scep_client_reply r = {0};
	struct buffer reply = {0}, state = {0};
	char id[65], nonce[33];
	struct errbuf why = {0};
	int status;

	read_beside(options.message, ".state", &state);
	if (sscanf(buffer_string(&state), "%64s %32s", id, nonce) != 2 ||
	    !encoding_unhex(nonce, m.sender_nonce, sizeof(m.sender_nonce)))
		die("--message has no state", NULL);
	m.transaction_id = id;
	read_file(options.reply, &reply);
	if (!scep_client_read(&m, buffer_octets(&reply), p->ca, p->ca_count, &r, &why))
		die("reply", &why);
	status = tell(&r);
	scep_client_reply_free(&r);
	buffer_free(&reply);
	buffer_free(&state);
	return status;
}

static void
read_options(int argc, char **argv)
{
	static const struct option names[] = {{"ca", 1, NULL, 'a'}, {"key", 1, NULL, 'k'},
	    {"subject", 1, NULL, 's'}, {"challenge", 1, NULL, 'p'}, {"digest", 1, NULL, 'd'},
	    {"cipher", 1, NULL, 'c'}, {"out", 1, NULL, 'o'}, {"message", 1, NULL, 'm'},
	    {"reply", 1, NULL, 'r'}, {"cert-out", 1, NULL, 'x'}, {"type", 1, NULL, 't'},
	    {NULL, 0, NULL, 0}};
	static const struct {
		int letter;
		const char **at;
	} texts[] = {{'a', &options.ca}, {'k', &options.key}, {'s', &options.subject},
	    {'p', &options.challenge}, {'d', &options.digest}, {'c', &options.cipher},
	    {'o', &options.out}, {'m', &options.message}, {'r', &options.reply},
	    {'x', &options.cert_out}};
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
	bool makes = argc > 1 && strcmp(argv[1], "make") == 0;
	int status;

	if (!makes && (argc < 2 || strcmp(argv[1], "read") != 0))
		die("make or read?", NULL);
	read_options(argc - 1, argv + 1);
	if (makes ? options.subject == NULL || options.out == NULL : options.message == NULL)
		die("make needs --subject and --out, read --message", NULL);
	read_parts(&p);
	status = makes ? make(&p) : read_reply(&p);
	free_parts(&p);
	return status;
}
