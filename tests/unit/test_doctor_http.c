/* test_doctor_http.c: what scepctl doctor finds in how a server answers HTTP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "pki/authority.h"
#include "tests/unit/doctor_world.h"

static struct doctor d;

static int
heal(void **state)
{
	(void)state;
	doctor_healthy(&d);
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	doctor_free(&d);
	return 0;
}

static void
a_healthy_server_is_found_healthy(void **state)
{
	struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	int count = doctor_check(&d, findings);

	(void)state;
	assert_in_range(count, 40, DOCTOR_FINDINGS_MAX - 1);
	for (int i = 0; i < count; i++) {
		bool tls = strcmp(findings[i].name, "tls-certificate") == 0;

		if (findings[i].result != (tls ? DOCTOR_SKIPPED : DOCTOR_OK))
			fail_msg("%s: %s: %s", findings[i].name,
			    doctor_result_name(findings[i].result), findings[i].text);
		if (findings[i].text[0] == '\0')
			fail_msg("%s says nothing", findings[i].name);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(findings[i].name, findings[j].name);
	}
}

static void
a_server_that_is_away_fails_one_check_and_the_others_are_skipped(void **state)
{
	struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
	int count;

	(void)state;
	doctor_free(&d);
	d = (struct doctor){.url = "http://host.example/", .now = DOCTOR_NOW};
	doctor_set_broken(&d, DOCTOR_ASK_CAPS, HTTP_UNREACHABLE, "no such host");
	d.stopped = "the server is not reached";
	doctor_assert(&d, "reachable", DOCTOR_FAILURE, "no such host");
	count = doctor_check(&d, findings);
	for (int i = 1; i < count; i++)
		assert_int_equal(findings[i].result, DOCTOR_SKIPPED);
}

/* RFC 8894 3.5.2 tells of a server that closes the connection on GetCACaps. */
static void
a_server_that_answers_getcacert_alone_is_reached(void **state)
{
	(void)state;
	doctor_set_broken(&d, DOCTOR_ASK_CAPS, HTTP_BROKEN, "closed");
	doctor_assert(&d, "reachable", DOCTOR_OK, "");
	doctor_assert(&d, "caps-answer", DOCTOR_FAILURE, "closed");
	doctor_assert(&d, "caps-post", DOCTOR_SKIPPED, "");
	doctor_assert(&d, "ra-key-usage", DOCTOR_OK, "");
}

static void
a_limit_of_requests_is_told_and_fails_nothing_else(void **state)
{
	(void)state;
	doctor_set_text(&d, DOCTOR_ASK_ORDER, 429, "text/plain", "slowly");
	for (int q = DOCTOR_ASK_ORDER + 1; q < DOCTOR_QUESTIONS; q++) {
		http_response_free(&d.answers[q].http);
		d.answers[q] = (struct doctor_answer){0};
		d.replies[q] = (struct doctor_reply){0};
	}
	d.stopped = "the server answers 429: too many requests";
	doctor_assert(&d, "rate-limit", DOCTOR_WARNING, "request 8 in a row gets 429");
	doctor_assert(&d, "parameter-order", DOCTOR_SKIPPED, "429");
	doctor_assert(&d, "poll-unknown", DOCTOR_SKIPPED, "429");
	doctor_assert(&d, "get-with-plus", DOCTOR_SKIPPED, "429");
	doctor_assert(&d, "pkiclient-exe", DOCTOR_OK, "");
	doctor_set_text(&d, DOCTOR_ASK_CAPS, 429, "text/plain", "slowly");
	doctor_assert(&d, "reachable", DOCTOR_FAILURE, "429");
}

static void
a_redirect_is_a_failure_wherever_it_is(void **state)
{
	(void)state;
	doctor_set(&d, DOCTOR_ASK_POLL, 301, "text/html", "Location: https://host.example/\r\n",
	    octets_of(NULL, 0));
	doctor_assert(&d, "redirects", DOCTOR_FAILURE, "(301) to https://host.example/");
	doctor_set(&d, DOCTOR_ASK_POLL, 302, "text/html", "", octets_of(NULL, 0));
	doctor_assert(&d, "redirects", DOCTOR_FAILURE, "(302) to nowhere");
}

static void
a_slow_answer_is_warned_of(void **state)
{
	(void)state;
	d.answers[DOCTOR_ASK_JUNK].http.took_ms = 2000;
	doctor_assert(&d, "latency", DOCTOR_OK, "2000 ms");
	d.answers[DOCTOR_ASK_JUNK].http.took_ms = 2001;
	doctor_assert(&d, "latency", DOCTOR_WARNING, "2001 ms");
	d.answers[DOCTOR_ASK_JUNK].http.took_ms = 1;
	doctor_set_broken(&d, DOCTOR_ASK_JUNK, HTTP_TIMED_OUT, "late");
	doctor_assert(&d, "latency", DOCTOR_WARNING, "not answered within 10000 ms");
	doctor_assert(&d, "bad-message", DOCTOR_FAILURE, "late");
}

static void
a_clock_that_is_off_is_warned_of(void **state)
{
	(void)state;
	d.now = DOCTOR_NOW + 300;
	doctor_assert(&d, "clock", DOCTOR_OK, "");
	d.now = DOCTOR_NOW - 301;
	doctor_assert(&d, "clock", DOCTOR_WARNING, "301 s apart");
	for (int q = 0; q < DOCTOR_QUESTIONS; q++)
		buffer_free(&d.answers[q].http.headers);
	doctor_assert(&d, "clock", DOCTOR_SKIPPED, "");
	doctor_set(&d, DOCTOR_ASK_JUNK, 400, "", "Date: yesterday\r\n", octets_of(NULL, 0));
	doctor_assert(&d, "clock", DOCTOR_SKIPPED, "");
}

/* Ways of asking for the same: which question, which check, and how bad another answer is. */
static const struct {
	enum doctor_question question;
	const char *check;
	enum doctor_result bad;
} ways[] = {
    {DOCTOR_ASK_PROGRAM, "pkiclient-exe", DOCTOR_FAILURE},
    {DOCTOR_ASK_HTTP_1_0, "http-1.0", DOCTOR_WARNING},
    {DOCTOR_ASK_CASE, "operation-case", DOCTOR_WARNING},
    {DOCTOR_ASK_ORDER, "parameter-order", DOCTOR_FAILURE},
    {DOCTOR_ASK_EMPTY_MESSAGE, "message-empty", DOCTOR_FAILURE},
};

static void
getcacaps_in_another_way_must_get_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		doctor_assert(&d, ways[i].check, DOCTOR_OK, "same answer");
		doctor_set_text(&d, ways[i].question, 200, "text/plain", "SHA-1\n");
		doctor_assert(&d, ways[i].check, ways[i].bad, "another answer");
		doctor_set_text(&d, ways[i].question, 404, "text/plain", "not\there");
		doctor_assert(&d, ways[i].check, ways[i].bad, "404 (not?here)");
		doctor_set_text(&d, ways[i].question, 500, "text/html", "<html>");
		doctor_assert(&d, ways[i].check, ways[i].bad, "gets 500;");
		doctor_set_broken(&d, ways[i].question, HTTP_BROKEN, "cut off");
		doctor_assert(&d, ways[i].check, DOCTOR_FAILURE, "cut off");
	}
	doctor_set_text(&d, DOCTOR_ASK_CAPS, 404, "text/plain", "");
	doctor_set_text(&d, DOCTOR_ASK_CASE, 404, "text/plain", "");
	doctor_assert(&d, "operation-case", DOCTOR_SKIPPED, "plain form");
}

static void
http_1_0_wants_a_length_and_no_chunks(void **state)
{
	struct octets body = buffer_octets(&d.answers[DOCTOR_ASK_CAPS].http.body);

	(void)state;
	doctor_set(
	    &d, DOCTOR_ASK_HTTP_1_0, 200, "text/plain", "Transfer-Encoding: chunked\r\n", body);
	doctor_assert(&d, "http-1.0", DOCTOR_FAILURE, "Transfer-Encoding: chunked");
	doctor_set(&d, DOCTOR_ASK_HTTP_1_0, 200, "text/plain", "Connection: close\r\n", body);
	doctor_assert(&d, "http-1.0", DOCTOR_WARNING, "without Content-Length");
}

static void
a_url_with_the_program_in_it_is_not_asked_for_twice(void **state)
{
	(void)state;
	http_response_free(&d.answers[DOCTOR_ASK_PROGRAM].http);
	d.answers[DOCTOR_ASK_PROGRAM] = (struct doctor_answer){0};
	doctor_assert(&d, "pkiclient-exe", DOCTOR_SKIPPED, "already");
}

static void
an_unknown_operation_is_the_clients_fault(void **state)
{
	(void)state;
	doctor_set_text(&d, DOCTOR_ASK_UNKNOWN, 404, "text/plain", "none");
	doctor_assert(&d, "unknown-operation", DOCTOR_OK, "404");
	doctor_set_text(&d, DOCTOR_ASK_UNKNOWN, 500, "text/plain", "oh");
	doctor_assert(&d, "unknown-operation", DOCTOR_WARNING, "500 (oh)");
	doctor_set_text(&d, DOCTOR_ASK_UNKNOWN, 200, "text/plain", "hello");
	doctor_assert(&d, "unknown-operation", DOCTOR_WARNING, "200 (hello)");
}

/* What a TLS server showed: the RA's certificate of the world, which is the list's CA's, or the stranger's. */
static void
show(const struct doctor_party *p)
{
	struct http_response *r = &d.answers[DOCTOR_ASK_CA_CERT].http;

	buffer_free(&r->certificates);
	assert_true(pem_write("CERTIFICATE", buffer_octets(&p->der), &r->certificates));
}

static void
tls_certificates_end_and_have_issuers(void **state)
{
	(void)state;
	d.url = "HTTPS://host.example/scep";
	doctor_assert(&d, "tls-certificate", DOCTOR_SKIPPED, "none is shown");
	show(&doctor_world.ra);
	doctor_assert(
	    &d, "tls-certificate", DOCTOR_WARNING, "issued by the CA that is to be fetched");
	show(&doctor_world.stranger);
	doctor_assert(&d, "tls-certificate", DOCTOR_OK, "2028-01-15T08:00:00Z");
	d.now = DOCTOR_NOW + 340L * 86400;
	doctor_assert(&d, "tls-certificate", DOCTOR_WARNING, "25 days");
	buffer_free(&d.answers[DOCTOR_ASK_CA_CERT].http.certificates);
	buffer_append_string(&d.answers[DOCTOR_ASK_CA_CERT].http.certificates,
	    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	doctor_assert(&d, "tls-certificate", DOCTOR_SKIPPED, "cannot be read");
}

static void
what_a_server_says_is_one_line_of_utf_8(void **state)
{
	(void)state;
	doctor_set_text(&d, DOCTOR_ASK_UNKNOWN, 500, "text/plain",
	    "\x1b[31m\xc2\x9b\xff\xc3\xa9\xe2\x82\ttwo\nlines");
	doctor_assert(&d, "unknown-operation", DOCTOR_WARNING, "500 (?[31m???\xc3\xa9???two)");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, heal, forget)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_healthy_server_is_found_healthy),
	    CASE(a_server_that_is_away_fails_one_check_and_the_others_are_skipped),
	    CASE(a_server_that_answers_getcacert_alone_is_reached),
	    CASE(a_limit_of_requests_is_told_and_fails_nothing_else),
	    CASE(a_redirect_is_a_failure_wherever_it_is),
	    CASE(a_slow_answer_is_warned_of),
	    CASE(a_clock_that_is_off_is_warned_of),
	    CASE(getcacaps_in_another_way_must_get_the_same),
	    CASE(http_1_0_wants_a_length_and_no_chunks),
	    CASE(a_url_with_the_program_in_it_is_not_asked_for_twice),
	    CASE(an_unknown_operation_is_the_clients_fault),
	    CASE(tls_certificates_end_and_have_issuers),
	    CASE(what_a_server_says_is_one_line_of_utf_8),
	};

	return cmocka_run_group_tests(tests, doctor_world_open, doctor_world_close);
}
