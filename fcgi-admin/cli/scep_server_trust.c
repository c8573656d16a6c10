/* scep_server_trust.c: which of a server's certificates does what, and which of them count. */
#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/scep_server.h"
#include "pki/public_key.h"
#include "scep/client.h"

static void
drop_certificates(struct scep_server *s)
{
	for (int i = 0; i < SCEP_SERVER_CERTIFICATES; i++) {
		certificate_free(&s->certificates[i]);
		buffer_free(&s->der[i]);
	}
	s->count = 0;
	s->recipient = s->issuer = s->anchor = NULL;
}

/* The count certificates in der, which are taken over, are the server's from now on; below 1 there are none, and why says so. */
static int
replace(
    struct scep_server *s, const char *operation, struct buffer *der, int count, struct errbuf *why)
{
	if (count < 1) {
		for (int i = 0; i < SCEP_SERVER_CERTIFICATES; i++)
			buffer_free(&der[i]);
		cli_error("%s", why->line);
		return CLI_REFUSED;
	}
	drop_certificates(s);
	memcpy(s->der, der, sizeof(s->der));
	for (; s->count < count; s->count++)
		if (!certificate_parse(
			buffer_octets(&s->der[s->count]), &s->certificates[s->count], why)) {
			cli_error("%s: %s", operation, why->line);
			return CLI_REFUSED;
		}
	return CLI_DONE;
}

int
scep_server_take(struct scep_server *s, struct octets body)
{
	struct buffer der[SCEP_SERVER_CERTIFICATES] = {0};
	struct errbuf why = {0};
	int count = scep_client_ca_certificates(body, der, SCEP_SERVER_CERTIFICATES, &why);

	return replace(s, "GetCACert", der, count, &why);
}

int
scep_server_take_next(struct scep_server *s, struct octets body)
{
	struct buffer der[SCEP_SERVER_CERTIFICATES] = {0};
	struct errbuf why = {0};
	int count;

	if (s->issuer == NULL || !scep_server_trusts(s, s->issuer)) {
		cli_error("GetNextCACert: it is signed by the CA, and the server sent no CA "
			  "certificate that can be trusted");
		return CLI_REFUSED;
	}
	count =
	    scep_client_next_ca_certificates(body, s->issuer, der, SCEP_SERVER_CERTIFICATES, &why);
	return replace(s, "GetNextCACert", der, count, &why);
}

static bool
may_receive(const struct certificate *c)
{
	struct public_key key;
	bool rsa;

	if (c->key_usage != -1 && (c->key_usage & KEY_USAGE_KEY_ENCIPHERMENT) == 0)
		return false;
	if (!public_key_parse(c->spki, &key, NULL))
		return false;
	rsa = key.type == PKI_KEY_RSA;
	public_key_free(&key);
	return rsa;
}

static bool
has_begun(const struct certificate *c, int64_t now)
{
	return c->not_before <= now;
}

static bool
has_ended(const struct certificate *c, int64_t now)
{
	return now > c->not_after;
}

int
scep_server_choose(struct scep_server *s, int64_t now)
{
	bool ended = false;

	/* RAs in time, CAs in time, then what has not begun: this clock may be wrong.  What has ended is of no use (RFC 8894 2.2). */
	for (int pass = 0; pass < 4 && s->recipient == NULL; pass++)
		for (int i = 0; i < s->count && s->recipient == NULL; i++) {
			const struct certificate *c = &s->certificates[i];

			if (c->ca != (pass % 2 == 1) || has_begun(c, now) != (pass < 2) ||
			    !may_receive(c))
				continue;
			if (has_ended(c, now))
				ended = true;
			else
				s->recipient = c;
		}
	if (s->recipient == NULL) {
		cli_error(
		    ended ? "the certificate that messages are enveloped to has expired"
			  : "no certificate of the server's may encipher keys and has an RSA key");
		return CLI_REFUSED;
	}
	if (!has_begun(s->recipient, now))
		cli_error(
		    "warning: the certificate that messages are enveloped to is not valid yet");
	for (int i = 0; i < s->count && s->issuer == NULL; i++)
		if (s->certificates[i].ca &&
		    (&s->certificates[i] == s->recipient ||
			certificate_verify(s->recipient, &s->certificates[i], NULL)))
			s->issuer = &s->certificates[i];
	return CLI_DONE;
}

int
scep_server_choose_next(struct scep_server *s, int64_t now)
{
	int status = scep_server_choose(s, now);

	s->anchor = s->issuer != NULL ? s->issuer : s->recipient;
	return status;
}

bool
scep_server_fingerprint(const struct certificate *c, char out[65])
{
	uint8_t digest[32];
	unsigned len = sizeof(digest);

	if (EVP_Digest(c->der.data, c->der.len, digest, &len, EVP_sha256(), NULL) != 1)
		return false;
	encoding_hex(octets_of(digest, sizeof(digest)), out);
	return true;
}

/* 64 hexadecimal digits in lower case, without what people put between them. */
static bool
plain_fingerprint(const char *text, char out[65])
{
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (*text == ':' || *text == ' ')
			continue;
		if (len == 64 || !isxdigit((unsigned char)*text))
			return false;
		out[len++] = (char)tolower((unsigned char)*text);
	}
	out[len] = '\0';
	return len == 64;
}

/* Does a chain of signatures lead from c up to top, one of the server's certificates, by CAs that have not expired? */
static bool
hangs_below(const struct scep_server *s, const struct certificate *c, const struct certificate *top)
{
	int64_t now = clock_now();

	for (int depth = 0; depth <= s->count; depth++) {
		const struct certificate *next = NULL;

		if (c == top)
			return true;
		for (int i = 0; i < s->count && next == NULL; i++)
			if (&s->certificates[i] != c && s->certificates[i].ca &&
			    !has_ended(&s->certificates[i], now) &&
			    certificate_verify(c, &s->certificates[i], NULL))
				next = &s->certificates[i];
		if (next == NULL)
			return false;
		c = next;
	}
	return false;
}

bool
scep_server_trusts(const struct scep_server *s, const struct certificate *c)
{
	return hangs_below(s, c, s->anchor);
}

bool
scep_server_is_ca(const struct scep_server *s, const struct certificate *c)
{
	return c->ca && (hangs_below(s, c, s->anchor) || hangs_below(s, s->anchor, c));
}

int
scep_server_check_fingerprint(struct scep_server *s, const char *fingerprint)
{
	char want[65], have[65];

	s->anchor = s->issuer != NULL ? s->issuer : s->recipient;
	if (!scep_server_fingerprint(s->anchor, have)) {
		cli_error("the fingerprint of the CA cannot be made");
		return CLI_REFUSED;
	}
	if (has_ended(s->anchor, clock_now())) {
		cli_error("the CA's certificate has expired");
		return CLI_REFUSED;
	}
	if (fingerprint == NULL) {
		cli_error("warning: the CA is taken on trust; to check it: --fingerprint %s", have);
		return CLI_DONE;
	}
	if (!plain_fingerprint(fingerprint, want)) {
		cli_error("--fingerprint: want 64 hexadecimal digits (SHA-256)");
		return CLI_USAGE;
	}
	for (int i = 0; i < s->count; i++) {
		char one[65];

		if (!scep_server_fingerprint(&s->certificates[i], one) || strcmp(one, want) != 0)
			continue;
		s->anchor = &s->certificates[i];
		if (scep_server_trusts(s, s->recipient))
			return CLI_DONE;
		cli_error("GetCACert: the RA's certificate is not signed by that CA, or one "
			  "between them has expired");
		return CLI_REFUSED;
	}
	cli_error("the CA is another: its fingerprint is %s", have);
	return CLI_REFUSED;
}
