/* enrol.c: scepctl enrol: a key, a CSR, a PKCSReq and the certificate that comes back. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/scep_server.h"
#include "pki/authority.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "pki/public_key.h"
#include "scep/client.h"

#define CHALLENGE_FILE_MAX 16384

/* One enrolment as it goes on. */
struct enrol {
	const struct arguments *a;
	bool json;
	struct scep_server server;
	EVP_PKEY *key;
	bool key_written; /* by us: removed again where nothing came of it */
	bool sent;	  /* there may be a certificate for the key */
	bool refused;	  /* says a reply whose signature holds: there is none */
	struct buffer spki;
	struct buffer challenge;
	struct buffer subject; /* Name, DER */
	struct buffer san;
	struct buffer csr;
	struct buffer self_signed;
	struct certificate signer;
	char transaction_id[65];
	struct scep_client_message message;
	struct scep_client_reply reply;
	struct certificate issued;
};

static void
enrol_free(struct enrol *e)
{
	scep_server_close(&e->server);
	EVP_PKEY_free(e->key);
	certificate_free(&e->signer);
	certificate_free(&e->issued);
	scep_client_reply_free(&e->reply);
	buffer_free(&e->spki);
	buffer_free(&e->challenge);
	buffer_free(&e->subject);
	buffer_free(&e->san);
	buffer_free(&e->csr);
	buffer_free(&e->self_signed);
}

static int
usage(const char *text)
{
	cli_error("%s", text);
	return CLI_USAGE;
}

static int
fault(const struct errbuf *why)
{
	cli_error("%s", why->line);
	return CLI_REFUSED;
}

static int
check_files(const struct arguments *a)
{
	static const char *const files[] = {"key-out", "cert-out", "ca-out"};

	if (!arguments_has(a, "cert-out"))
		return usage("--cert-out is missing: where the certificate goes");
	if (arguments_has(a, "key-out") == arguments_has(a, "key-file"))
		return usage("--key-out for a fresh key, or --key-file for one that is there");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *path = arguments_text(a, files[i]);

		if (path != NULL && access(path, F_OK) == 0) {
			cli_error("%s is there already: remove it or name another file", path);
			return CLI_REFUSED;
		}
	}
	return CLI_DONE;
}

static int
read_challenge(struct enrol *e)
{
	const char *value = arguments_text(e->a, "challenge");
	const char *file = arguments_text(e->a, "challenge-file");
	struct buffer *c = &e->challenge;
	struct errbuf why = {0};

	if (value != NULL && file != NULL)
		return usage("--challenge and --challenge-file: one of them");
	if (value != NULL)
		buffer_append_string(c, value);
	if (file != NULL && !cli_read_file(file, CHALLENGE_FILE_MAX, c, &why))
		return fault(&why);
	if (file != NULL && c->len > 0 && c->data[c->len - 1] == '\n')
		c->len--;
	return CLI_DONE;
}

static int
read_names(struct enrol *e)
{
	const char *subject = arguments_text(e->a, "subject");
	const char *san = arguments_text(e->a, "san");
	struct errbuf why = {0};

	if (subject == NULL)
		return usage("--subject is missing: --subject 'CN=device-1,O=Example'");
	if (!name_from_text(subject, &e->subject, &why) ||
	    (san != NULL && !san_from_text(san, &e->san, &why)))
		return cli_usage(&why);
	return CLI_DONE;
}

/* Digest and cipher: the best that the server says it can, unless told. */
static int
choose_algorithms(struct enrol *e)
{
	const struct scep_capability_set *c = &e->server.capabilities;
	const char *digest = arguments_text(e->a, "digest"),
		   *cipher = arguments_text(e->a, "cipher");

	e->message.digest = c->sha256 || c->standard ? PKI_SHA256
			    : c->sha512		     ? PKI_SHA512
						     : PKI_SHA1;
	e->message.cipher = c->aes || c->standard ? PKI_AES128 : PKI_DES3;
	if (digest != NULL && (e->message.digest = pki_digest_of_name(digest)) == PKI_DIGEST_NONE)
		return usage("--digest: want SHA-256, SHA-384, SHA-512, SHA-1 or MD5");
	if (cipher != NULL && (e->message.cipher = pki_cipher_of_name(cipher)) == PKI_CIPHER_NONE)
		return usage("--cipher: want AES-128-CBC, AES-256-CBC, DES3 or DES");
	/* Nobody signs GetCACaps: whoever is between us and the server may have shortened it. */
	if (digest == NULL && e->message.digest == PKI_SHA1)
		cli_error("warning: the server offers no SHA-256, so SHA-1 is used; to insist: "
			  "--digest SHA-256");
	if (cipher == NULL && e->message.cipher == PKI_DES3)
		cli_error("warning: the server offers no AES, so triple DES is used; to insist: "
			  "--cipher AES-128-CBC");
	return CLI_DONE;
}

/* A fresh key is on the disk before the request goes out: a certificate without its key is of no use. */
static int
make_key(struct enrol *e)
{
	const char *file = arguments_text(e->a, "key-file"), *out = arguments_text(e->a, "key-out");
	const char *kind = arguments_has(e->a, "key") ? arguments_text(e->a, "key") : "rsa:2048";
	struct octets unencrypted = octets_of(NULL, 0);
	struct errbuf why = {0};

	if (strncmp(kind, "rsa:", 4) != 0)
		return usage("--key: want rsa:2048, rsa:3072, …: a reply is enveloped to the key, "
			     "which EC cannot");
	e->key = file != NULL ? private_key_load(file, unencrypted, &why)
			      : private_key_generate(kind, &why);
	if (e->key == NULL)
		return fault(&why);
	if (EVP_PKEY_get_base_id(e->key) != EVP_PKEY_RSA)
		return usage("--key-file: want an RSA key");
	if (!private_key_spki(e->key, &e->spki, &why) ||
	    (out != NULL && !private_key_save(e->key, out, unencrypted, &why)))
		return fault(&why);
	e->key_written = out != NULL;
	return CLI_DONE;
}

/* CSR, self-signed certificate and, for repeats to be known again, a transactionID that follows from the key. */
static int
make_message(struct enrol *e, struct buffer *out)
{
	uint8_t digest[32];
	struct errbuf why = {0};
	const char *challenge = e->challenge.len > 0 ? buffer_string(&e->challenge) : NULL;

	if (!scep_client_csr(e->key, buffer_octets(&e->subject), buffer_octets(&e->san), challenge,
		&e->csr, &why) ||
	    !scep_client_self_signed(
		e->key, buffer_octets(&e->subject), clock_now(), &e->self_signed, &why) ||
	    !certificate_parse(buffer_octets(&e->self_signed), &e->signer, &why))
		return fault(&why);
	if (!public_key_digest(buffer_octets(&e->spki), digest)) {
		errbuf_ossl(&why, "key");
		return fault(&why);
	}
	encoding_hex(octets_of(digest, sizeof(digest)), e->transaction_id);
	e->message.message_type = SCEP_PKCS_REQ;
	e->message.transaction_id = e->transaction_id;
	e->message.content = buffer_octets(&e->csr);
	e->message.signer = &e->signer;
	e->message.key = e->key;
	e->message.recipient = e->server.recipient;
	if (!scep_client_encode(&e->message, out, &why))
		return fault(&why);
	return CLI_DONE;
}

/* PENDING and FAILURE, on stderr, and with --json on stdout too. */
static int
tell_refusal(const struct enrol *e)
{
	const struct scep_client_reply *r = &e->reply;
	bool pending = r->status == SCEP_PENDING;
	struct buffer line = {0};

	if (e->json)
		cli_print_json(json_pack("{s:s,s:o,s:o,s:s}", "status",
		    scep_pki_status_name(r->status), "failInfo",
		    pending ? json_null() : json_string(scep_fail_info_name(r->fail_info)),
		    "failInfoText", cli_json_text(r->fail_info_text), "transactionId",
		    e->transaction_id));
	if (pending) {
		cli_error("PENDING: the request waits for approval");
		return CLI_REFUSED;
	}
	buffer_append_format(&line, "scepctl: FAILURE: %s%s%s", scep_fail_info_name(r->fail_info),
	    r->fail_info_text[0] != '\0' ? ": " : "", r->fail_info_text);
	cli_error_line(&line);
	return CLI_REFUSED;
}

/* The one with our key, signed by the CA that GetCACert gave. */
static int
check_certificate(struct enrol *e)
{
	const struct scep_server *s = &e->server;
	struct errbuf why = {0};

	for (int i = 0; i < e->reply.certificate_count; i++) {
		certificate_free(&e->issued);
		if (!certificate_parse(buffer_octets(&e->reply.certificates[i]), &e->issued, &why))
			return fault(&why);
		if (octets_equal(e->issued.spki, buffer_octets(&e->spki)))
			break;
		certificate_free(&e->issued);
	}
	if (e->issued.der.len == 0) {
		cli_error("SUCCESS, but no certificate in it has our key");
		return CLI_REFUSED;
	}
	if (s->issuer == NULL) {
		cli_error("warning: the server sent no CA certificate: the new certificate's "
			  "signature is not checked");
		return CLI_DONE;
	}
	if (scep_server_trusts(s, &e->issued))
		return CLI_DONE;
	cli_error("the certificate is not signed by the CA");
	return CLI_REFUSED;
}

/* Read the reply, which one of the certificates that hang below the anchor must have signed. */
static int
read_reply(struct enrol *e, struct octets reply)
{
	struct certificate trusted[SCEP_SERVER_CERTIFICATES]; /* borrowed from the server's */
	struct errbuf why = {0};
	int count = 0;

	for (int i = 0; i < e->server.count; i++)
		if (scep_server_trusts(&e->server, &e->server.certificates[i]))
			trusted[count++] = e->server.certificates[i];
	if (!scep_client_read(&e->message, reply, trusted, count, &e->reply, &why))
		return fault(&why);
	e->refused = e->reply.status == SCEP_FAILURE;
	if (e->reply.status != SCEP_SUCCESS)
		return tell_refusal(e);
	return check_certificate(e);
}

static int
exchange(struct enrol *e)
{
	struct buffer message = {0}, reply = {0};
	int status;

	if ((status = make_message(e, &message)) == CLI_DONE) {
		e->sent = true;
		status = scep_server_operation(&e->server, buffer_octets(&message), &reply);
	}
	if (status == CLI_DONE)
		status = read_reply(e, buffer_octets(&reply));
	buffer_free(&message);
	buffer_free(&reply);
	return status;
}

static int
write_files(const struct enrol *e)
{
	const char *ca_out = arguments_text(e->a, "ca-out");
	struct buffer leaf = {0}, cas = {0};
	struct errbuf why = {0};
	bool ok;

	pem_write("CERTIFICATE", e->issued.der, &leaf);
	for (int i = 0; i < e->server.count; i++)
		if (scep_server_is_ca(&e->server, &e->server.certificates[i]))
			pem_write("CERTIFICATE", e->server.certificates[i].der, &cas);
	ok = cli_write_file(arguments_text(e->a, "cert-out"), buffer_octets(&leaf), 0644, &why) &&
	     (ca_out == NULL || cli_write_file(ca_out, buffer_octets(&cas), 0644, &why));
	buffer_free(&leaf);
	buffer_free(&cas);
	return ok ? CLI_DONE : fault(&why);
}

static int
print_certificate(const struct cli *cli, const struct enrol *e)
{
	struct buffer subject = {0}, line = {0};
	char serial[2 * 64 + 1] = "", until[ENCODING_TIME_SIZE];
	struct octets magnitude = e->issued.serial;
	int status = CLI_DONE;

	/* The sign octet of an INTEGER is no part of the number. */
	if (magnitude.len > 1 && magnitude.data[0] == 0)
		magnitude = octets_of(magnitude.data + 1, magnitude.len - 1);
	if (magnitude.len <= 64)
		encoding_hex(magnitude, serial);
	encoding_time(e->issued.not_after, until);
	name_to_text(e->issued.subject, &subject);
	if (cli->json) {
		status = cli_print_json(json_pack("{s:s,s:o,s:o,s:s,s:s}", "status", "SUCCESS",
		    "subject", cli_json_text(buffer_string(&subject)), "notAfter",
		    cli_json_time(e->issued.not_after), "serialNumber", serial, "certificate",
		    arguments_text(e->a, "cert-out")));
	} else {
		buffer_append_format(&line, "%s: %s, serial %s, until %s",
		    arguments_text(e->a, "cert-out"), buffer_string(&subject), serial, until);
		cli_print_line(&line);
	}
	buffer_free(&subject);
	return status;
}

static int
prepare(struct enrol *e)
{
	int64_t timeout_s = 30;
	struct errbuf why = {0};
	int status;

	if (!arguments_number(e->a, "timeout", 1, 600, &timeout_s, &why))
		return cli_usage(&why);
	e->server.url = e->a->operands[0];
	e->server.ca_file = arguments_text(e->a, "ca-file");
	e->server.timeout_ms = timeout_s * 1000;
	e->server.by_get = arguments_has(e->a, "get");
	if ((status = check_files(e->a)) != CLI_DONE || (status = read_names(e)) != CLI_DONE ||
	    (status = read_challenge(e)) != CLI_DONE ||
	    (status = scep_server_open(&e->server)) != CLI_DONE ||
	    (status = scep_server_check_fingerprint(
		 &e->server, arguments_text(e->a, "fingerprint"))) != CLI_DONE ||
	    (status = choose_algorithms(e)) != CLI_DONE)
		return status;
	return make_key(e);
}

static int
enrol(struct cli *cli, const struct arguments *a)
{
	struct enrol e = {.a = a, .json = cli->json};
	const char *key_out = arguments_text(a, "key-out");
	int status = prepare(&e);

	if (status == CLI_DONE) {
		status = exchange(&e);
		if (status == CLI_DONE && (status = write_files(&e)) == CLI_DONE)
			status = print_certificate(cli, &e);
		else if (e.key_written && (!e.sent || e.refused))
			unlink(key_out);
		else if (e.key_written)
			cli_error(
			    "the key is kept; the same request again: --key-file %s", key_out);
	}
	enrol_free(&e);
	return status;
}

static const struct option_spec enrol_options[] = {
    {"subject", "NAME", "'CN=device-1,O=Example'", false},
    {"san", "LIST", "dns:a.example,ip:1.2.3.4,email:…,uri:…,upn:…", false},
    {"challenge", "VALUE", "the challenge; --challenge-file keeps it out of ps", false},
    {"challenge-file", "FILE", "read it from FILE, or - for stdin", false},
    {"key", "KIND", "rsa:2048 (default), rsa:3072, rsa:4096", false},
    {"key-out", "FILE", "make a key and write it there, mode 0600", false},
    {"key-file", "FILE", "use the key that is there", false},
    {"cert-out", "FILE", "write the certificate there", false},
    {"ca-out", "FILE", "write the CA's certificates there", false},
    {"fingerprint", "HEX", "SHA-256 of the CA's certificate", false},
    {"ca-file", "FILE", "trust these CAs for TLS, not the system's", false},
    {"get", NULL, "send the message by GET, not POST", false},
    {"digest", "NAME", "of our signature; by default what the server offers", false},
    {"cipher", "NAME", "of the envelope; likewise", false},
    {"timeout", "SECONDS", "of each call (30)", false},
    {0},
};

const struct verb cli_enrol_verbs[] = {
    {"enrol", NULL, "URL", "enrol with a SCEP server as a device does",
	"URL is http://host/scep/PROFILE.  Without --fingerprint the CA is taken on trust, with a "
	"warning that tells it.",
	enrol_options, enrol},
    {0},
};
