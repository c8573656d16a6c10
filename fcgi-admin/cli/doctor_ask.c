/* doctor_ask.c: the questions that scepctl doctor puts to a server: few, small, one after the other, and none that enrols. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/doctor.h"

#define CONNECT_TIMEOUT_MS 10000
#define LINE_LENGTH	   64 /* characters of base64 before a line break */

/* Short, and nothing that any parser takes for ASN.1. */
#define JUNK		   "this is no pkiMessage"

/* What stands behind the URL; polls by GET have their message added. */
static const struct {
	const char *query;
	bool post;
} questions[DOCTOR_QUESTIONS] = {
    [DOCTOR_ASK_CAPS] = {"?operation=GetCACaps", false},
    [DOCTOR_ASK_CA_CERT] = {"?operation=GetCACert", false},
    [DOCTOR_ASK_CA_CERT_DEFAULT] = {"?operation=GetCACert&message=default", false},
    [DOCTOR_ASK_CA_CERT_IDENTIFIER] = {"?operation=GetCACert&message=CAIdentifier", false},
    [DOCTOR_ASK_PROGRAM] = {"/pkiclient.exe?operation=GetCACaps", false},
    [DOCTOR_ASK_HTTP_1_0] = {"?operation=GetCACaps", false},
    [DOCTOR_ASK_CASE] = {"?operation=getcacaps", false},
    [DOCTOR_ASK_ORDER] = {"?message=doctor&operation=GetCACaps", false},
    [DOCTOR_ASK_EMPTY_MESSAGE] = {"?operation=GetCACaps&message=", false},
    [DOCTOR_ASK_UNKNOWN] = {"?operation=GetNothing", false},
    [DOCTOR_ASK_NEXT_CA] = {"?operation=GetNextCACert", false},
    [DOCTOR_ASK_JUNK] = {"?operation=PKIOperation", true},
    [DOCTOR_ASK_POLL] = {"?operation=PKIOperation", true},
    [DOCTOR_ASK_POLL_GET] = {"?operation=PKIOperation&message=", false},
    [DOCTOR_ASK_POLL_PLUS] = {"?operation=PKIOperation&message=", false},
    [DOCTOR_ASK_POLL_BREAKS] = {"?operation=PKIOperation&message=", false},
};

/* The message in base64, as the question's clients write it. */
static void
append_message(enum doctor_question q, struct octets message, struct buffer *out)
{
	struct buffer text = {0};

	encoding_base64(message, &text);
	for (size_t i = 0; i < text.len; i++) {
		bool bare =
		    isalnum(text.data[i]) || (q == DOCTOR_ASK_POLL_PLUS && text.data[i] != '=');

		if (q == DOCTOR_ASK_POLL_BREAKS && i > 0 && i % LINE_LENGTH == 0)
			buffer_append_string(out, "%0A");
		if (bare)
			buffer_append(out, &text.data[i], 1);
		else
			buffer_append_format(out, "%%%02X", text.data[i]);
	}
	if (q == DOCTOR_ASK_POLL_BREAKS)
		buffer_append_string(out, "%0A");
	if (text.failed)
		out->failed = true;
	buffer_free(&text);
}

static void
make_url(const struct doctor *d, enum doctor_question q, struct buffer *url)
{
	size_t len = strlen(d->url);

	if (q == DOCTOR_ASK_PROGRAM && len > 0 && d->url[len - 1] == '/')
		len--;
	buffer_append(url, d->url, len);
	buffer_append_string(url, questions[q].query);
	if (q > DOCTOR_ASK_POLL)
		append_message(q, buffer_octets(&d->poll.der), url);
}

static struct octets
body_of(const struct doctor *d, enum doctor_question q)
{
	if (q == DOCTOR_ASK_JUNK)
		return octets_of_string(JUNK);
	return questions[q].post ? buffer_octets(&d->poll.der) : octets_of(NULL, 0);
}

static void
ask(struct doctor *d, struct http *http, enum doctor_question q)
{
	struct doctor_answer *a = &d->answers[q];
	struct buffer url = {0};
	struct http_request request = {
	    .method = questions[q].post ? "POST" : "GET",
	    .content_type = questions[q].post ? "application/x-pki-message" : NULL,
	    .body = body_of(d, q),
	    .ca_file = d->ca_file,
	    .environment_proxy = true,
	    .http_1_0 = q == DOCTOR_ASK_HTTP_1_0,
	    .keep_headers = true,
	    .keep_certificates = q == DOCTOR_ASK_CA_CERT,
	    .connect_timeout_ms =
		d->timeout_ms < CONNECT_TIMEOUT_MS ? d->timeout_ms : CONNECT_TIMEOUT_MS,
	    .timeout_ms = d->timeout_ms,
	    .response_max = DOCTOR_RESPONSE_MAX,
	};

	a->asked = true;
	a->rc = HTTP_MALFORMED;
	errbuf_set(&a->why, "out of memory");
	make_url(d, q, &url);
	if ((request.url = buffer_string(&url)) != NULL)
		a->rc = http_call(http, &request, &a->http, &a->why);
	buffer_free(&url);
}

/* Is this one left out? */
static bool
is_pointless(const struct doctor *d, enum doctor_question q)
{
	static const char program[] = "/pkiclient.exe";
	size_t len = strlen(d->url), tail = sizeof(program) - 1;

	if (q == DOCTOR_ASK_PROGRAM)
		return len >= tail && strcasecmp(d->url + len - tail, program) == 0;
	return q >= DOCTOR_ASK_POLL && d->poll.der.len == 0;
}

/* Whether to go on after q: nobody is asked again and again who does not answer, or asks not to be. */
static bool
may_go_on(struct doctor *d, enum doctor_question q)
{
	const struct doctor_answer *a = &d->answers[q];
	int time_outs = 0;

	for (int i = 0; i <= (int)q; i++)
		if (d->answers[i].asked && d->answers[i].rc == HTTP_TIMED_OUT)
			time_outs++;
	if (a->rc == HTTP_DONE && a->http.status == 429)
		d->stopped = "the server answers 429: too many requests";
	else if (time_outs >= DOCTOR_TIME_OUTS)
		d->stopped = "the server does not answer in time";
	else if (a->rc == HTTP_UNREACHABLE || (q == DOCTOR_ASK_CAPS && a->rc == HTTP_TIMED_OUT))
		d->stopped = "the server is not reached";
	/* Old NDES closes the connection on GetCACaps (RFC 8894 3.5.2), but not on GetCACert. */
	else if (q == DOCTOR_ASK_CA_CERT && a->rc != HTTP_DONE &&
		 d->answers[DOCTOR_ASK_CAPS].rc != HTTP_DONE)
		d->stopped = "the server does not answer";
	return d->stopped == NULL;
}

static bool
ask_all(struct doctor *d, struct http *http, struct errbuf *why)
{
	for (int q = 0; q < DOCTOR_QUESTIONS; q++) {
		if (is_pointless(d, (enum doctor_question)q))
			continue;
		ask(d, http, (enum doctor_question)q);
		if (d->answers[q].rc == HTTP_MALFORMED) {
			*why = d->answers[q].why;
			return false;
		}
		if (!may_go_on(d, (enum doctor_question)q))
			return true;
		if (q == DOCTOR_ASK_CA_CERT) {
			doctor_read(d);
			doctor_poll_make(d);
		}
		if (q >= DOCTOR_ASK_POLL)
			doctor_poll_read(d, (enum doctor_question)q);
	}
	return true;
}

bool
doctor_ask(struct doctor *d, struct errbuf *why)
{
	struct http *http;
	bool good;

	if (strpbrk(d->url, "?#") != NULL) {
		errbuf_set(why, "the URL has a query: want it up to the question mark");
		return false;
	}
	if (!http_open(&http, why))
		return false;
	good = ask_all(d, http, why);
	http_close(http);
	return good;
}

void
doctor_free(struct doctor *d)
{
	for (int q = 0; q < DOCTOR_QUESTIONS; q++)
		http_response_free(&d->answers[q].http);
	for (int i = 0; i < DOCTOR_CERTIFICATES; i++) {
		certificate_free(&d->certificates[i]);
		buffer_free(&d->der[i]);
	}
	doctor_poll_free(&d->poll);
	*d = (struct doctor){0};
}
