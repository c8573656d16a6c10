/* scep_server.c: GetCACaps, GetCACert, PKIOperation as a client calls them. */
#include "fcgi-admin/cli/scep_server.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "scep/client.h"

#define RESPONSE_MAX	   (256 * 1024)
#define CONNECT_TIMEOUT_MS 10000

/* What the server said beside its status: the first line of its body, made fit for a terminal. */
static void
first_line(const struct http_response *response, char out[128])
{
	size_t len = 0;

	while (len < response->body.len && len < 127 && response->body.data[len] >= ' ' &&
	       response->body.data[len] < 0x7f) {
		out[len] = (char)response->body.data[len];
		len++;
	}
	out[len] = '\0';
}

static int
call(struct scep_server *s, const char *operation, const char *more, struct octets body,
    struct http_response *response)
{
	struct buffer url = {0};
	struct errbuf why = {0};
	struct http_request request = {
	    .method = body.len > 0 ? "POST" : "GET",
	    .content_type = body.len > 0 ? "application/x-pki-message" : NULL,
	    .body = body,
	    .ca_file = s->ca_file,
	    .environment_proxy = true,
	    .connect_timeout_ms =
		s->timeout_ms < CONNECT_TIMEOUT_MS ? s->timeout_ms : CONNECT_TIMEOUT_MS,
	    .timeout_ms = s->timeout_ms,
	    .response_max = RESPONSE_MAX,
	};
	enum http_rc rc = HTTP_MALFORMED;

	buffer_append_format(&url, "%s?operation=%s%s", s->url, operation, more);
	if ((request.url = buffer_string(&url)) != NULL)
		rc = http_call(s->http, &request, response, &why);
	buffer_free(&url);
	if (rc == HTTP_DONE)
		return CLI_DONE;
	cli_error("%s: %s", operation, why.line);
	return rc == HTTP_MALFORMED ? CLI_USAGE : CLI_AWAY;
}

/* A status other than 200 ends the enrolment. */
static int
check_status(const char *operation, const struct http_response *response)
{
	char line[128];

	if (response->status == 200)
		return CLI_DONE;
	first_line(response, line);
	cli_error("%s: the server answers %d %s", operation, response->status, line);
	if (response->retry_after_s > 0)
		cli_error(
		    "it asks to try again in %lld seconds", (long long)response->retry_after_s);
	return response->status == 429 || response->status >= 500 ? CLI_AWAY : CLI_REFUSED;
}

/* RFC 8894 3.5: a server without GetCACaps offers nothing beyond the oldest. */
static int
get_capabilities(struct scep_server *s)
{
	struct http_response response;
	int status = call(s, "GetCACaps", "", octets_of(NULL, 0), &response);

	if (status != CLI_DONE)
		return status;
	if (response.status == 200)
		scep_capabilities_parse(buffer_octets(&response.body), &s->capabilities);
	http_response_free(&response);
	return CLI_DONE;
}

/* Who takes messages: the RA, or a CA that does it itself; and which certificate signed it. */
static int
choose(struct scep_server *s)
{
	for (int pass = 0; pass < 2 && s->recipient == NULL; pass++)
		for (int i = 0; i < s->count && s->recipient == NULL; i++) {
			const struct certificate *c = &s->certificates[i];

			if (c->ca == (pass == 1) &&
			    (c->key_usage == -1 ||
				(c->key_usage & KEY_USAGE_KEY_ENCIPHERMENT) != 0))
				s->recipient = c;
		}
	if (s->recipient == NULL) {
		cli_error("GetCACert: no certificate there may encipher keys");
		return CLI_REFUSED;
	}
	for (int i = 0; i < s->count && s->issuer == NULL; i++)
		if (s->certificates[i].ca &&
		    (&s->certificates[i] == s->recipient ||
			certificate_verify(s->recipient, &s->certificates[i], NULL)))
			s->issuer = &s->certificates[i];
	return CLI_DONE;
}

static int
get_certificates(struct scep_server *s)
{
	struct http_response response;
	struct errbuf why = {0};
	int status = call(s, "GetCACert", "", octets_of(NULL, 0), &response), count;

	if (status != CLI_DONE)
		return status;
	if ((status = check_status("GetCACert", &response)) == CLI_DONE) {
		count = scep_client_ca_certificates(
		    buffer_octets(&response.body), s->der, SCEP_SERVER_CERTIFICATES, &why);
		for (; s->count < count; s->count++)
			if (!certificate_parse(
				buffer_octets(&s->der[s->count]), &s->certificates[s->count], &why))
				break;
		if (count < 1 || s->count < count) {
			cli_error("GetCACert: %s", why.line);
			status = CLI_REFUSED;
		}
	}
	http_response_free(&response);
	return status == CLI_DONE ? choose(s) : status;
}

int
scep_server_open(struct scep_server *s)
{
	struct errbuf why = {0};
	int status;

	if (!http_open(&s->http, &why)) {
		cli_error("%s", why.line);
		return CLI_REFUSED;
	}
	if ((status = get_capabilities(s)) != CLI_DONE)
		return status;
	return get_certificates(s);
}

void
scep_server_close(struct scep_server *s)
{
	for (int i = 0; i < SCEP_SERVER_CERTIFICATES; i++) {
		certificate_free(&s->certificates[i]);
		buffer_free(&s->der[i]);
	}
	http_close(s->http);
	s->http = NULL;
}

static bool
digest_of(const struct certificate *c, char out[65])
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

/* Does a chain of signatures lead from c up to top, one of the server's certificates? */
static bool
hangs_below(const struct scep_server *s, const struct certificate *c, const struct certificate *top)
{
	for (int depth = 0; depth <= s->count; depth++) {
		const struct certificate *next = NULL;

		if (c == top)
			return true;
		for (int i = 0; i < s->count && next == NULL; i++)
			if (&s->certificates[i] != c && s->certificates[i].ca &&
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
	if (!digest_of(s->anchor, have)) {
		cli_error("the fingerprint of the CA cannot be made");
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

		if (!digest_of(&s->certificates[i], one) || strcmp(one, want) != 0)
			continue;
		s->anchor = &s->certificates[i];
		if (scep_server_trusts(s, s->recipient))
			return CLI_DONE;
		cli_error("GetCACert: the RA's certificate is not signed by that CA");
		return CLI_REFUSED;
	}
	cli_error("the CA is another: its fingerprint is %s", have);
	return CLI_REFUSED;
}

/* Base64 whose '+', '/' and '=' are escaped. */
static void
append_escaped(struct octets message, struct buffer *out)
{
	struct buffer text = {0};

	encoding_base64(message, &text);
	buffer_append_string(out, "&message=");
	for (size_t i = 0; i < text.len; i++) {
		if (isalnum(text.data[i]))
			buffer_append(out, &text.data[i], 1);
		else
			buffer_append_format(out, "%%%02X", text.data[i]);
	}
	if (text.failed)
		out->failed = true;
	buffer_free(&text);
}

int
scep_server_operation(struct scep_server *s, struct octets message, struct buffer *reply)
{
	bool post = (s->capabilities.post || s->capabilities.standard) && !s->by_get;
	struct http_response response;
	struct buffer more = {0};
	int status;

	if (!post)
		append_escaped(message, &more);
	status = call(s, "PKIOperation", post ? "" : buffer_string(&more),
	    post ? message : octets_of(NULL, 0), &response);
	buffer_free(&more);
	if (status != CLI_DONE)
		return status;
	status = check_status("PKIOperation", &response);
	if (status == CLI_DONE && !http_content_type_is(&response, "application/x-pki-message")) {
		cli_error("PKIOperation: the answer is %s, want application/x-pki-message",
		    response.content_type[0] != '\0' ? response.content_type : "of no type");
		status = CLI_REFUSED;
	}
	if (status == CLI_DONE)
		buffer_append(reply, response.body.data, response.body.len);
	http_response_free(&response);
	return status;
}
