/* doctor_http.c: checks of the transport: how requests may be written, and what surrounds the answers (RFC 8894 4.1). */
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/doctor.h"
#include "pki/public_key.h"

#define SLOW_MS	      2000
#define CLOCK_APART_S 300

static void
reachable(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_answer *caps = &d->answers[DOCTOR_ASK_CAPS];
	const struct doctor_answer *list = &d->answers[DOCTOR_ASK_CA_CERT];
	const struct doctor_answer *first = caps->rc == HTTP_DONE ? caps : list;

	if (!caps->asked || (caps->rc != HTTP_DONE && !(list->asked && list->rc == HTTP_DONE)))
		doctor_say(f, DOCTOR_FAILURE, "%s; see to name, address, firewall and certificate",
		    caps->why.line[0] != '\0' ? caps->why.line : "nothing was asked");
	else if (first->http.status == 429)
		doctor_say(f, DOCTOR_FAILURE,
		    "the server answers 429, too many requests; try later, or raise its limit");
	else
		doctor_say(f, DOCTOR_OK, "the server answers HTTP");
}

static void
redirects(const struct doctor *d, struct doctor_finding *f)
{
	char where[200];

	for (int q = 0; q < DOCTOR_QUESTIONS; q++) {
		const struct http_response *r = &d->answers[q].http;

		if (r->status < 300 || r->status >= 400)
			continue;
		http_response_header(r, "Location", where, sizeof(where));
		doctor_say(f, DOCTOR_FAILURE,
		    "a request is sent on (%d) to %s; give clients the URL that answers itself",
		    r->status, where[0] != '\0' ? where : "nowhere");
		return;
	}
	doctor_say(f, DOCTOR_OK, "no request is sent elsewhere");
}

static void
rate_limit(const struct doctor *d, struct doctor_finding *f)
{
	int asked = 0;

	for (int q = 0; q < DOCTOR_QUESTIONS; q++) {
		if (!d->answers[q].asked)
			continue;
		asked++;
		if (d->answers[q].http.status == 429) {
			doctor_say(f, DOCTOR_WARNING,
			    "request %d in a row gets 429; many devices behind one proxy or NAT "
			    "share an address: raise the limit for it",
			    asked);
			return;
		}
	}
	if (d->stopped != NULL)
		doctor_say(f, DOCTOR_SKIPPED, "not everything was asked: %s", d->stopped);
	else
		doctor_say(f, DOCTOR_OK, "%d requests in a row are served", asked);
}

static void
latency(const struct doctor *d, struct doctor_finding *f)
{
	int64_t slowest = -1;
	bool late = false;

	for (int q = 0; q < DOCTOR_QUESTIONS; q++) {
		const struct doctor_answer *a = &d->answers[q];

		late = late || (a->asked && a->rc == HTTP_TIMED_OUT);
		if (a->asked && a->rc == HTTP_DONE && a->http.took_ms > slowest)
			slowest = a->http.took_ms;
	}
	if (late)
		doctor_say(f, DOCTOR_WARNING,
		    "a request was not answered within %lld ms: clients give up and ask again; "
		    "look "
		    "at the server's load, disk and name resolution",
		    (long long)d->timeout_ms);
	else if (slowest < 0)
		doctor_say(f, DOCTOR_SKIPPED, "there is no answer to measure");
	else if (slowest > SLOW_MS)
		doctor_say(f, DOCTOR_WARNING,
		    "the slowest answer took %lld ms, want at most %d: clients give up and ask "
		    "again; look at the server's load, disk and name resolution",
		    (long long)slowest, SLOW_MS);
	else
		doctor_say(f, DOCTOR_OK, "the slowest answer took %lld ms", (long long)slowest);
}

/* The time of an IMF-fixdate (RFC 7231 7.1.1.1); -1 for anything else. */
static int64_t
read_date(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end != NULL && *end == '\0' ? (int64_t)timegm(&tm) : -1;
}

static void
server_clock(const struct doctor *d, struct doctor_finding *f)
{
	char text[64];
	int64_t date = -1, apart;

	for (int q = 0; q < DOCTOR_QUESTIONS && date == -1; q++)
		if (http_response_header(&d->answers[q].http, "Date", text, sizeof(text)))
			date = read_date(text);
	if (date == -1) {
		doctor_say(f, DOCTOR_SKIPPED, "no answer has a Date to compare");
		return;
	}
	apart = date > d->now ? date - d->now : d->now - date;
	if (apart > CLOCK_APART_S)
		doctor_say(f, DOCTOR_WARNING,
		    "the server's clock and this one are %lld s apart: certificates may begin in "
		    "a device's future; set it by NTP",
		    (long long)apart);
	else
		doctor_say(f, DOCTOR_OK, "the server's clock agrees with this one");
}

/* GetCACaps asked in another way gets what it gets in the plain one; worst is said where it does not. */
static bool
same_capabilities(const struct doctor *d, enum doctor_question q, enum doctor_result worst,
    const char *way, const char *advice, struct doctor_finding *f)
{
	const struct doctor_answer *plain = &d->answers[DOCTOR_ASK_CAPS], *a = &d->answers[q];
	struct scep_capability_set set;
	char words[DOCTOR_WORDS];

	if (!doctor_answered(d, q, f))
		return false;
	if (plain->rc != HTTP_DONE || plain->http.status != 200) {
		doctor_say(f, DOCTOR_SKIPPED, "GetCACaps fails in the plain form already");
		return false;
	}
	scep_capabilities_parse(buffer_octets(&a->http.body), &set);
	if (a->http.status != 200)
		doctor_say(f, worst, "%s gets %s; %s", way, doctor_words(a, words), advice);
	else if (memcmp(&set, &d->capabilities, sizeof(set)) != 0)
		doctor_say(f, worst, "%s gets another answer than GetCACaps; %s", way, advice);
	else
		doctor_say(f, DOCTOR_OK, "%s gets the same answer", way);
	return f->result == DOCTOR_OK;
}

static void
http_1_0(const struct doctor *d, struct doctor_finding *f)
{
	const struct http_response *r = &d->answers[DOCTOR_ASK_HTTP_1_0].http;
	char value[64];

	if (!same_capabilities(d, DOCTOR_ASK_HTTP_1_0, DOCTOR_WARNING,
		"HTTP/1.0 without a Host line",
		"old clients send none: let SCEP be what the address serves by default", f))
		return;
	if (http_response_header(r, "Transfer-Encoding", value, sizeof(value)))
		doctor_say(f, DOCTOR_FAILURE,
		    "HTTP/1.0 is answered with Transfer-Encoding: %s, which it does not know; "
		    "send Content-Length",
		    value);
	else if (!http_response_header(r, "Content-Length", value, sizeof(value)))
		doctor_say(f, DOCTOR_WARNING,
		    "HTTP/1.0 is answered without Content-Length: a reply that is cut off looks "
		    "whole; send it");
}

static void
pkiclient_exe(const struct doctor *d, struct doctor_finding *f)
{
	if (!d->answers[DOCTOR_ASK_PROGRAM].asked && d->stopped == NULL)
		doctor_say(f, DOCTOR_SKIPPED, "the URL ends in /pkiclient.exe already");
	else
		same_capabilities(d, DOCTOR_ASK_PROGRAM, DOCTOR_FAILURE, "URL/pkiclient.exe",
		    "these clients append it: serve that path too (RFC 8894 4.1: a CA should "
		    "ignore the path)",
		    f);
}

static void
operation_case(const struct doctor *d, struct doctor_finding *f)
{
	same_capabilities(d, DOCTOR_ASK_CASE, DOCTOR_WARNING, "operation=getcacaps",
	    "some embedded clients write operations in their own way: compare them without regard "
	    "to case",
	    f);
}

static void
parameter_order(const struct doctor *d, struct doctor_finding *f)
{
	same_capabilities(d, DOCTOR_ASK_ORDER, DOCTOR_FAILURE, "message before operation",
	    "take parameters in any order", f);
}

static void
message_empty(const struct doctor *d, struct doctor_finding *f)
{
	same_capabilities(d, DOCTOR_ASK_EMPTY_MESSAGE, DOCTOR_FAILURE,
	    "GetCACaps with an empty message", "ignore message there", f);
}

static void
unknown_operation(const struct doctor *d, struct doctor_finding *f)
{
	const struct doctor_answer *a = &d->answers[DOCTOR_ASK_UNKNOWN];
	char words[DOCTOR_WORDS];

	if (!doctor_answered(d, DOCTOR_ASK_UNKNOWN, f))
		return;
	if (a->http.status >= 400 && a->http.status < 500)
		doctor_say(f, DOCTOR_OK, "an unknown operation gets %d", a->http.status);
	else
		doctor_say(f, DOCTOR_WARNING,
		    "an unknown operation gets %s, want 400: a client takes it for an answer, or "
		    "for a server that is down",
		    doctor_words(a, words));
}

/* The server's own certificate, the first that it showed. */
static bool
read_tls_certificate(const struct http_response *r, struct certificate *out, struct errbuf *why)
{
	BIO *in = BIO_new_mem_buf(r->certificates.data, (int)r->certificates.len);
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long len = 0;
	bool good = in != NULL && r->certificates.len > 0 &&
		    PEM_read_bio(in, &name, &header, &der, &len) == 1 &&
		    certificate_parse(octets_of(der, (size_t)len), out, why);

	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(in);
	return good;
}

static void
say_of_tls(const struct doctor *d, const struct certificate *c, struct doctor_finding *f)
{
	int64_t days = (c->not_after - d->now) / 86400;
	char until[ENCODING_TIME_SIZE];

	encoding_time(c->not_after, until);
	if (days < d->warn_days) {
		doctor_say(f, DOCTOR_WARNING,
		    "the TLS certificate ends %s, in "
		    "%lld days; replace it",
		    until, (long long)days);
		return;
	}
	for (int i = 0; i < d->count; i++)
		if (octets_equal(d->certificates[i].subject, c->issuer) &&
		    certificate_verify(c, &d->certificates[i], NULL)) {
			doctor_say(f, DOCTOR_WARNING,
			    "the TLS certificate is issued by the CA that is to be fetched here: "
			    "devices that do not have it yet cannot connect; use a public CA, "
			    "deploy this one "
			    "first, or plain http");
			return;
		}
	doctor_say(f, DOCTOR_OK, "trusted, until %s", until);
}

static void
tls_certificate(const struct doctor *d, struct doctor_finding *f)
{
	struct certificate c = {0};
	struct errbuf why = {0};

	if (strncasecmp(d->url, "https:", 6) != 0)
		doctor_say(f, DOCTOR_SKIPPED, "the URL is plain http");
	else if (read_tls_certificate(&d->answers[DOCTOR_ASK_CA_CERT].http, &c, &why))
		say_of_tls(d, &c, f);
	else
		doctor_say(f, DOCTOR_SKIPPED, "the server's certificate cannot be read: %s",
		    why.line[0] != '\0' ? why.line : "none is shown");
	certificate_free(&c);
}

const struct doctor_check doctor_http_checks[] = {
    {"reachable", DOCTOR_EVERYONE, reachable},
    {"redirects", DOCTOR_CISCO_IOS | DOCTOR_SSCEP | DOCTOR_MIKROTIK | DOCTOR_MICROMDM, redirects},
    {"rate-limit", DOCTOR_EVERYONE, rate_limit},
    {"latency", DOCTOR_EVERYONE, latency},
    {"clock", DOCTOR_EVERYONE, server_clock},
    {"tls-certificate", DOCTOR_EVERYONE, tls_certificate},
    {"http-1.0", DOCTOR_CISCO_IOS | DOCTOR_SSCEP, http_1_0},
    {"pkiclient-exe", DOCTOR_WINDOWS | DOCTOR_CISCO_IOS, pkiclient_exe},
    {"operation-case", 0, operation_case},
    {"parameter-order", DOCTOR_MICROMDM, parameter_order},
    {"message-empty", DOCTOR_JSCEP, message_empty},
    {"unknown-operation", 0, unknown_operation},
    {0},
};
