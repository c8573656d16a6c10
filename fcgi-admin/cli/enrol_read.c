/* enrol_read.c: the command line of scepctl enrol: which options go together, and what they name. */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/enrol.h"
#include "fcgi-admin/cli/pki_operation.h"
#include "pki/fields.h"
#include "pki/name.h"
#include "pki/private_key.h"
#include "scep/password.h"

#define CHALLENGE_FILE_MAX 16384
#define KEY_KIND	   "rsa:2048" /* unless a certificate is renewed */
#define INTERVAL_S	   10
#define INTERVAL_S_MAX	   86400
#define WAIT_S_MAX	   (90 * 86400)

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

/* What goes together. */
static int
check_options(const struct arguments *a)
{
	bool renews = arguments_has(a, "renew"), same = arguments_has(a, "same-key");

	if (!arguments_has(a, "cert-out"))
		return usage("--cert-out is missing: where the certificate goes");
	if (renews != arguments_has(a, "renew-key"))
		return usage("--renew and --renew-key: both, the certificate and its key");
	if (!renews && (same || arguments_has(a, "pkcsreq")))
		return usage("--same-key and --pkcsreq go with --renew");
	if (same && (arguments_has(a, "key-out") || arguments_has(a, "key-file")))
		return usage("--same-key: the key is there, so no --key-out and no --key-file");
	if (!same && arguments_has(a, "key-out") == arguments_has(a, "key-file"))
		return usage("--key-out for a fresh key, or --key-file for one that is there");
	if (arguments_has(a, "key") && !arguments_has(a, "key-out"))
		return usage("--key says of what kind a fresh key is: it goes with --key-out");
	if (arguments_has(a, "poll") && arguments_has(a, "key-out"))
		return usage(
		    "--poll: the request went out before, so its key is there: --key-file");
	if (arguments_has(a, "interval") && !arguments_has(a, "wait"))
		return usage("--interval goes with --wait");
	return CLI_DONE;
}

/* Nothing is overwritten. */
static int
check_files(const struct arguments *a)
{
	static const char *const files[] = {"key-out", "cert-out", "ca-out"};

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
read_wait(struct enrol *e)
{
	struct errbuf why = {0};

	e->interval_s = INTERVAL_S;
	if (!arguments_number(e->a, "wait", 0, WAIT_S_MAX, &e->wait_s, &why) ||
	    !arguments_number(e->a, "interval", 1, INTERVAL_S_MAX, &e->interval_s, &why))
		return cli_usage(&why);
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

/* What is renewed, and who signs. */
static int
read_renewed(struct enrol *e)
{
	const char *certificate = arguments_text(e->a, "renew");
	struct errbuf why = {0};

	if (certificate == NULL)
		return CLI_DONE;
	e->renews = true;
	if (!credential_load(&e->signer, certificate, arguments_text(e->a, "renew-key"), &why))
		return fault(&why);
	if (e->signer.certificate.not_after < clock_now())
		cli_error("warning: %s has ended, which most servers do not renew", certificate);
	return CLI_DONE;
}

/* As given, or those of the certificate that is renewed. */
static int
read_names(struct enrol *e)
{
	const struct certificate *old = &e->signer.certificate;
	const char *subject = arguments_text(e->a, "subject");
	const char *san = arguments_text(e->a, "san");
	struct errbuf why = {0};

	if (subject == NULL && !e->renews)
		return usage("--subject is missing: --subject 'CN=device-1,O=Example'");
	if ((subject != NULL && !name_from_text(subject, &e->subject, &why)) ||
	    (san != NULL && !san_from_text(san, &e->san, &why)))
		return cli_usage(&why);
	if (subject == NULL)
		buffer_append(&e->subject, old->subject.data, old->subject.len);
	if (san == NULL && e->renews)
		buffer_append(&e->san, old->san.data, old->san.len);
	return CLI_DONE;
}

/* A reply is enveloped to the signer's key.  EC cannot decrypt: then the challenge is what opens it (RFC 8894 3.1). */
static int
check_reply_key(const struct enrol *e, enum pki_key_type signer)
{
	if (signer != PKI_KEY_EC)
		return CLI_DONE;
	if (e->challenge.len == 0)
		return usage("the reply to an EC key is encrypted under the challenge: --challenge "
			     "or --challenge-file is needed, for a renewal too");
	if (!scep_password_is_strong(buffer_octets(&e->challenge)))
		cli_error("warning: whoever records the reply can guess at a challenge like this "
			  "one, which encrypts it; want 128 random bits");
	return CLI_DONE;
}

/* Loaded, the signer's, or fresh: of the kind that is asked for, or the one of the certificate that is renewed. */
static EVP_PKEY *
load_key(const struct enrol *e, struct errbuf *why)
{
	const char *file = arguments_text(e->a, "key-file"), *kind = arguments_text(e->a, "key");
	enum pki_key_type type;
	char old[16];

	if (file != NULL)
		return private_key_load(file, octets_of(NULL, 0), why);
	if (arguments_has(e->a, "same-key"))
		return EVP_PKEY_up_ref(e->signer.key) == 1 ? e->signer.key : NULL;
	if (kind != NULL)
		return private_key_generate(kind, why);
	if (!e->renews)
		return private_key_generate(KEY_KIND, why);
	return credential_key_type(e->signer.certificate.spki, &type, old, why)
		   ? private_key_generate(old, why)
		   : NULL;
}

static int
read_key(struct enrol *e)
{
	enum pki_key_type type;
	struct errbuf why = {0};
	char kind[16];

	if ((e->key = load_key(e, &why)) == NULL || !private_key_spki(e->key, &e->spki, &why))
		return fault(&why);
	if (!credential_key_type(buffer_octets(&e->spki), &type, kind, &why)) {
		errbuf_prefix(&why, "key");
		return cli_usage(&why);
	}
	return check_reply_key(e, e->renews ? e->signer.type : type);
}

int
enrol_read(struct enrol *e)
{
	int status;

	if ((status = check_options(e->a)) != CLI_DONE ||
	    (status = check_files(e->a)) != CLI_DONE || (status = read_wait(e)) != CLI_DONE ||
	    (status = read_challenge(e)) != CLI_DONE || (status = read_renewed(e)) != CLI_DONE ||
	    (status = read_names(e)) != CLI_DONE ||
	    (status = pki_operation_read_transaction_id(e->a, &e->message.transaction_id)) !=
		CLI_DONE)
		return status;
	return read_key(e);
}
