/* enrol.c: scepctl enrol: a key, a CSR, a PKCSReq or RenewalReq, polls where it has to wait, and the certificate that comes back. */
#include "fcgi-admin/cli/enrol.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/pki_operation.h"
#include "fcgi-admin/cli/query.h"
#include "pki/private_key.h"

static void
enrol_free(struct enrol *e)
{
	scep_server_close(&e->server);
	EVP_PKEY_free(e->key);
	credential_free(&e->signer);
	certificate_free(&e->issued);
	scep_client_reply_free(&e->reply);
	buffer_free(&e->spki);
	buffer_free(&e->challenge);
	buffer_free(&e->subject);
	buffer_free(&e->san);
	buffer_free(&e->csr);
	buffer_free(&e->poll);
}

/* Its certificates, or with --next those that its CA is going to have. */
static int
open_server(struct enrol *e)
{
	struct scep_server *s = &e->server;
	int status = pki_operation_open(s, e->a);

	if (status == CLI_DONE && arguments_has(e->a, "next") &&
	    (status = scep_server_next(s)) == CLI_DONE)
		status = scep_server_choose_next(s, clock_now());
	if (status == CLI_DONE && e->renews && !arguments_has(e->a, "pkcsreq") &&
	    !s->capabilities.renewal)
		cli_error("warning: the server does not offer Renewal; what such servers may take "
			  "is --pkcsreq");
	return status;
}

/* A fresh key is on the disk before the request goes out: a certificate without its key is of no use. */
static int
save_key(struct enrol *e)
{
	const char *path = arguments_text(e->a, "key-out");
	struct errbuf why = {0};

	if (path == NULL)
		return CLI_DONE;
	if (!private_key_save(e->key, path, octets_of(NULL, 0), &why)) {
		cli_error("%s", why.line);
		return CLI_REFUSED;
	}
	e->key_written = true;
	return CLI_DONE;
}

static int
prepare(struct enrol *e)
{
	int status;

	if ((status = enrol_read(e)) != CLI_DONE || (status = open_server(e)) != CLI_DONE ||
	    (status = pki_operation_choose_algorithms(&e->server, e->a, &e->message)) != CLI_DONE ||
	    (status = enrol_make(e)) != CLI_DONE)
		return status;
	return save_key(e);
}

/* Send the request, or poll for it.  CLI_DONE: e->reply says what came of it. */
static int
ask(struct enrol *e, bool poll)
{
	int status;

	e->message.message_type = poll						 ? SCEP_CERT_POLL
				  : e->renews && !arguments_has(e->a, "pkcsreq") ? SCEP_RENEWAL_REQ
										 : SCEP_PKCS_REQ;
	e->message.content = buffer_octets(poll ? &e->poll : &e->csr);
	scep_client_reply_free(&e->reply);
	status = pki_operation(&e->server, &e->message, &e->reply, &e->sent);
	e->refused = status == CLI_DONE && e->reply.status == SCEP_FAILURE;
	return status;
}

static void
sleep_ms(int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&left, &left) != 0)
		;
}

/* Poll until it is decided or the time is over; a server that is away meanwhile may come back. */
static int
wait_for_approval(struct enrol *e)
{
	int64_t until = clock_monotonic_ms() + e->wait_s * 1000, left = e->wait_s * 1000;
	int status = CLI_DONE;

	cli_error("PENDING: the request waits for approval, as transaction %s; asking again every "
		  "%lld s for %lld s",
	    e->message.transaction_id, (long long)e->interval_s, (long long)e->wait_s);
	while (left > 0 &&
	       (status == CLI_AWAY || (status == CLI_DONE && e->reply.status == SCEP_PENDING))) {
		sleep_ms(left < e->interval_s * 1000 ? left : e->interval_s * 1000);
		status = ask(e, true);
		left = until - clock_monotonic_ms();
	}
	return status;
}

/*
 * Is this perhaps not the first time?  The same request again goes on with its transaction, but an EC key signs each CSR differently, so that it
 * cannot be made again: then what became of the first is asked before.
 */
static bool
asks_before(const struct enrol *e)
{
	return arguments_has(e->a, "poll") || (EVP_PKEY_is_a(e->key, "EC") && !e->key_written);
}

static int
exchange(struct enrol *e)
{
	bool before = asks_before(e);
	int status = ask(e, before);

	if (before && status == CLI_DONE && e->refused && e->reply.fail_info == SCEP_BAD_CERT_ID &&
	    !arguments_has(e->a, "poll"))
		status = ask(e, false);
	if (status == CLI_DONE && e->reply.status == SCEP_PENDING && e->wait_s > 0)
		status = wait_for_approval(e);
	if (status != CLI_DONE)
		return status;
	if (e->reply.status != SCEP_SUCCESS)
		return pki_operation_tell(&e->message, &e->reply, e->json);
	return enrol_take_certificate(e);
}

/* A key of ours goes only where no certificate can come for it any more. */
static void
keep_or_remove_key(const struct enrol *e, int status)
{
	const char *key_out = arguments_text(e->a, "key-out");

	if (e->key_written && (!e->sent || e->refused))
		unlink(key_out);
	else if (e->key_written && status == CLI_PENDING)
		cli_error("the key is kept; to ask what became of the request: --poll --key-file "
			  "%s in place of --key-out",
		    key_out);
	else if (e->key_written)
		cli_error("the key is kept; the same request again: --key-file %s", key_out);
	else if (status == CLI_PENDING)
		cli_error("to ask what became of the request: the same with --poll");
}

static int
enrol(struct cli *cli, const struct arguments *a)
{
	struct enrol e = {.a = a, .json = cli->json};
	int status = prepare(&e);

	if (status == CLI_DONE)
		status = exchange(&e);
	if (status == CLI_DONE)
		status = enrol_write_files(&e);
	if (status == CLI_DONE)
		status = pki_operation_print(
		    &e.message, &e.issued, arguments_text(a, "cert-out"), cli->json);
	else
		keep_or_remove_key(&e, status);
	enrol_free(&e);
	return status;
}

static const struct option_spec enrol_options[] = {
    {"subject", "NAME", "'CN=device-1,O=Example'", false},
    {"san", "LIST", "dns:a.example,ip:1.2.3.4,email:…,uri:…,upn:…", false},
    {"challenge", "VALUE", "the challenge; --challenge-file keeps it out of ps", false},
    {"challenge-file", "FILE", "read it from FILE, or - for stdin", false},
    {"key", "KIND", "rsa:2048, rsa:3072, rsa:4096, ec:P-256, ec:P-384, ec:P-521", false},
    {"key-out", "FILE", "make a key and write it there, mode 0600", false},
    {"key-file", "FILE", "use the key that is there", false},
    {"cert-out", "FILE", "write the certificate there", false},
    {"ca-out", "FILE", "write the CA's certificates there", false},
    {"renew", "FILE", "renew this certificate, which signs", false},
    {"renew-key", "FILE", "its key", false},
    {"same-key", NULL, "renew with the key that it has", false},
    {"pkcsreq", NULL, "renew by PKCSReq (19), not RenewalReq (17)", false},
    {"wait", "SECONDS", "poll a request that waits for approval so long", false},
    {"interval", "SECONDS", "between polls (10)", false},
    {"poll", NULL, "the request went out before: only ask what became of it", false},
    {"next", NULL, "enrol under the CA that GetNextCACert tells", false},
    PKI_OPERATION_OPTIONS,
    {0},
};

const struct verb cli_enrol_verbs[] = {
    {"enrol", NULL, "URL", "enrol with a SCEP server as a device does, and renew",
	"URL is http://host/scep/PROFILE.  Without --fingerprint the CA is taken on trust, with a "
	"warning that tells it.\n"
	"A fresh key is rsa:2048, or of the kind of the certificate that is renewed.  With an EC "
	"key the challenge\n"
	"encrypts the reply, so it is needed to renew too.  A renewal asks for the names of the "
	"old "
	"certificate unless told.\n"
	"Exit status 4: the request waits for approval.",
	enrol_options, enrol},
    {"get-cert", NULL, "URL", "fetch one's own certificate, or its predecessor, by GetCert",
	"--cert and --key sign the message; the key opens the reply, so it has to be RSA.",
	query_options, query_get_cert},
    {"get-crl", NULL, "URL", "fetch the CRL by GetCRL",
	"--cert and --key sign the message; the key opens the reply, so it has to be RSA.",
	query_options, query_get_crl},
    {"next-ca", NULL, "URL", "fetch the certificates of the CA that comes next, by GetNextCACert",
	"They are signed by the CA as it is, which --fingerprint checks.", next_ca_options,
	next_ca},
    {0},
};
