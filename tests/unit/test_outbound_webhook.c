/* test_outbound_webhook.c: a webhook's client against a server over TLS: what is sent, who is believed, where it does not go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "outbound/webhook.h"
#include "pki/san.h"
#include "tests/unit/outbound_server.h"

#define SECRET	     "webhook-secret" /* of outbound_server.c, out of its base64 */
#define BEFORE_RETRY 900 /* ms: the whole time is up before there could be a second try */

static struct webhook hook;
static struct webhook_subject subject;
static struct errbuf why;
static struct buffer san;
static char url[128], message[256];

static void
call_path(const struct outbound_server *s, const char *path)
{
	snprintf(url, sizeof(url), "%s/webhook/%s", s->url, path);
}

static void
add_name(struct buffer *names, enum san_kind kind, const char *text)
{
	if (!san_name_from_text(kind, text, names, &why))
		fail_msg("%s", why.line);
}

static int
start(void **state)
{
	struct buffer names = {0};
	struct outbound_server *s;

	if (outbound_server_start(state) != 0)
		return -1;
	s = *state;
	call_path(s, "validate");
	hook = (struct webhook){.id = "hook-1",
	    .url = url,
	    .secret = octets_of_string(SECRET),
	    .ca_file = s->ca_file,
	    .allow_private = true,
	    .timeout_ms = 20000};
	add_name(&names, SAN_DNS, "a.example");
	add_name(&names, SAN_DNS, "b.example");
	add_name(&names, SAN_EMAIL, "c@d.example");
	add_name(&names, SAN_IP, "192.0.2.1");
	add_name(&names, SAN_IP, "2001:db8::1");
	add_name(&names, SAN_URI, "urn:x:\"y\"");
	add_name(&names, SAN_UPN, "u@d.example");
	if (!san_wrap(buffer_octets(&names), &san))
		return -1;
	buffer_free(&names);
	subject = (struct webhook_subject){.provisioner = "phones",
	    .transaction_id = "T-1",
	    .challenge = octets_of_string("webhook-ok-\"\\1"),
	    .csr = octets_of("\0\1\2", 3),
	    .subject = "CN=x,O=\\\"y",
	    .san = buffer_octets(&san),
	    .spki = octets_of_string("spki"),
	    .key_algorithm = "EC",
	    .now = 1801396800};
	return 0;
}

static int
end(void **state)
{
	buffer_free(&san);
	return outbound_server_end(state);
}

static enum webhook_rc
validate(const struct outbound_server *s)
{
	enum webhook_rc rc;

	why.line[0] = '\0';
	rc = webhook_validate(s->http, &hook, &subject, message, &why);
	assert_true(rc == WEBHOOK_ALLOWED || why.line[0] != '\0');
	assert_null(strstr(why.line, SECRET));
	assert_null(strstr(why.line, "webhook-ok"));
	assert_null(strstr(why.line, "webhook-token"));
	assert_null(strstr(why.line, "password"));
	return rc;
}

static void
the_request_is_sent_as_published(void **state)
{
	static const char want[] =
	    "{\"timestamp\":\"2027-01-31T12:00:00Z\",\"provisionerName\":\"phones\","
	    "\"x509CertificateRequest\":{\"subject\":\"CN=x,O=\\\\\\\"y\","
	    "\"dnsNames\":[\"a.example\",\"b.example\"],\"emailAddresses\":[\"c@d.example\"],"
	    "\"ipAddresses\":[\"192.0.2.1\",\"2001:db8::1\"],\"uris\":[\"urn:x:\\\"y\\\"\"],"
	    "\"publicKey\":\"c3BraQ==\",\"publicKeyAlgorithm\":\"EC\",\"raw\":\"AAEC\"},"
	    "\"scepChallenge\":\"webhook-ok-\\\"\\\\1\",\"scepTransactionID\":\"T-1\"}";
	const struct outbound_server *s = *state;
	json_t *last, *body;

	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
	last = outbound_server_last(s, "validate");
	assert_non_null(body = json_loads(want, 0, NULL));
	assert_true(json_equal(json_object_get(last, "body"), body));
	assert_string_equal(json_string_value(json_object_get(last, "authorization")), "");
	json_decref(body);
	json_decref(last);
	/* without names, the lists are there and empty */
	subject.san = octets_of(NULL, 0);
	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
	last = outbound_server_last(s, "validate");
	body = json_object_get(json_object_get(last, "body"), "x509CertificateRequest");
	assert_true(json_is_array(json_object_get(body, "dnsNames")));
	assert_int_equal(json_array_size(json_object_get(body, "dnsNames")), 0);
	json_decref(last);
}

static void
its_no_is_a_no_with_its_message(void **state)
{
	const struct outbound_server *s = *state;

	subject.challenge = octets_of_string("nobody's");
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	assert_string_equal(message, "unknown challenge");
	outbound_server_write(s, "challenges", "nobody's\n");
	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
	assert_string_equal(message, "");
	outbound_server_control(s, "validate deny\n");
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	assert_string_equal(message, "by DIR/control");
	outbound_server_control(
	    s, "validate json {\"allow\":false,\"error\":{\"code\":\"c\\nd\"}}\n");
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	assert_string_equal(message, "c?d");
}

static void
only_allow_true_allows(void **state)
{
	static const char *const wrongs[] = {"json {}", "json {\"allow\":\"true\"}",
	    "json {\"allow\":1}", "json {\"allow\":null}", "json {\"Allow\":true}",
	    "json [{\"allow\":true}]", "json {\"x\":{\"allow\":true}}", "json true",
	    "json {\"allow\":true,\"allow\":true}", "json {\"allow\":true}x", "garbage", "empty",
	    "deep", "large", "wrong-content", "redirect", "201", "204", "400", "401", "403", "404",
	    "429"};
	const struct outbound_server *s = *state;
	char line[96];

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		outbound_server_clear_log(s);
		snprintf(line, sizeof(line), "validate %s\n", wrongs[i]);
		outbound_server_control(s, line);
		if (validate(s) != WEBHOOK_DENIED)
			fail_msg("%s", wrongs[i]);
		assert_int_equal(outbound_server_calls(s, NULL), 1); /* once, and nowhere else */
	}
	outbound_server_control(s, "validate json {\"data\":{},\"allow\":true}\n");
	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
}

static void
a_fault_is_tried_again_once(void **state)
{
	const struct outbound_server *s = *state;

	outbound_server_control(s, "validate 503 once\n");
	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
	assert_int_equal(outbound_server_calls(s, "validate"), 2);
	outbound_server_control(s, "validate cut\n");
	assert_int_equal(validate(s), WEBHOOK_AWAY);
	assert_int_equal(outbound_server_calls(s, "validate"), 4);
	outbound_server_control(s, "validate 500 once\nvalidate deny\n");
	assert_int_equal(validate(s), WEBHOOK_DENIED);
}

static void
a_fault_is_not_tried_again_where_the_time_is_up(void **state)
{
	const struct outbound_server *s = *state;

	hook.timeout_ms = BEFORE_RETRY;
	outbound_server_control(s, "validate 500\n");
	assert_int_equal(validate(s), WEBHOOK_AWAY);
	assert_int_equal(outbound_server_calls(s, "validate"), 1);
	outbound_server_control(s, "validate slow 60000\n");
	assert_int_equal(validate(s), WEBHOOK_AWAY);
}

static void
the_signature_is_of_this_secret_and_body(void **state)
{
	const struct outbound_server *s = *state;

	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
	hook.secret = octets_of_string("webhook-secreT");
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	hook.secret = octets_of(NULL, 0);
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	assert_int_equal(outbound_server_calls(s, "validate"), 2);
	hook.secret = octets_of_string(SECRET);
	hook.id = "hook-2";
	assert_int_equal(validate(s), WEBHOOK_DENIED);
}

static void
bearer_and_basic_show_their_credential(void **state)
{
	static const struct {
		enum webhook_authentication authentication;
		const char *path;
		const char *right;
		const char *wrong;
	} kinds[] = {
	    {WEBHOOK_BEARER, "bearer/validate", "webhook-token", "webhook-tokem"},
	    {WEBHOOK_BASIC, "basic/validate", "webhook:password", "webhook:passwort"},
	};
	const struct outbound_server *s = *state;

	for (int i = 0; i < 2; i++) {
		call_path(s, kinds[i].path);
		hook.authentication = kinds[i].authentication;
		hook.credential = octets_of_string(kinds[i].right);
		assert_int_equal(validate(s), WEBHOOK_ALLOWED);
		hook.credential = octets_of_string(kinds[i].wrong);
		assert_int_equal(validate(s), WEBHOOK_DENIED);
		hook.credential = octets_of(NULL, 0);
		assert_int_equal(validate(s), WEBHOOK_DENIED);
		assert_non_null(strstr(why.line, "no credential"));
		hook.authentication = WEBHOOK_NONE;
		assert_int_equal(validate(s), WEBHOOK_DENIED);
	}
	hook.authentication = WEBHOOK_BEARER;
	hook.credential = octets_of_string("a\r\nX-Other: b");
	outbound_server_clear_log(s);
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	hook.credential = octets_of("a\0b", 3);
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	assert_int_equal(outbound_server_calls(s, NULL), 0);
}

static void
mtls_shows_its_certificate(void **state)
{
	const struct outbound_server *s = *state;
	json_t *last;

	call_path(s, "mtls/validate");
	hook.timeout_ms = BEFORE_RETRY * 10;
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	hook.authentication = WEBHOOK_MTLS;
	hook.credential = buffer_octets(&s->pem);
	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
	last = outbound_server_last(s, "validate");
	assert_string_equal(json_string_value(json_object_get(last, "client")), "/CN=outbound");
	json_decref(last);
	/* the next call, without it, is not taken for the one before */
	hook.authentication = WEBHOOK_NONE;
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	hook.authentication = WEBHOOK_MTLS;
	hook.timeout_ms = BEFORE_RETRY;
	hook.credential = buffer_octets(&s->stranger);
	assert_int_not_equal(validate(s), WEBHOOK_ALLOWED);
	hook.credential = octets_of_string("no PEM");
	assert_int_not_equal(validate(s), WEBHOOK_ALLOWED);
}

static void
private_addresses_are_called_where_allowed_alone(void **state)
{
	const struct outbound_server *s = *state;
	char port[8];

	/* the connection that the first call leaves open is not used by the second */
	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
	hook.allow_private = false;
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	assert_non_null(strstr(why.line, "127.0.0.1 is no public address (--allow-private yes"));
	snprintf(port, sizeof(port), "%s", strrchr(s->url, ':') + 1);
	snprintf(url, sizeof(url), "https://localhost:%s/webhook/validate", port);
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	assert_int_equal(outbound_server_calls(s, NULL), 1);
	hook.allow_private = true;
	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
}

static void
what_cannot_be_sent_is_denied_unsent(void **state)
{
	const struct outbound_server *s = *state;
	const struct webhook_subject good = subject;

	subject.challenge = octets_of("webhook-ok-\xff", 12);
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	subject.challenge = octets_of("webhook-ok-\0x", 13);
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	subject = good;
	subject.san = octets_of_string("no names");
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	subject = good;
	subject.subject = NULL;
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	subject = good;
	snprintf(url, sizeof(url), "http:%s/webhook/validate", strchr(s->url, ':') + 1);
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	snprintf(url, sizeof(url), "https://user:x@%s/webhook/validate", s->url + 8);
	assert_int_equal(validate(s), WEBHOOK_DENIED);
	assert_int_equal(outbound_server_calls(s, NULL), 0);
	call_path(s, "validate");
	hook.timeout_ms = BEFORE_RETRY;
	hook.ca_file = "";
	assert_int_equal(validate(s), WEBHOOK_AWAY);
	assert_int_equal(outbound_server_calls(s, NULL), 0);
	hook.ca_file = s->ca_file;
	hook.timeout_ms = 20000;
	assert_int_equal(validate(s), WEBHOOK_ALLOWED);
}

static void
a_certificate_is_told(void **state)
{
	const struct outbound_server *s = *state;
	json_t *last;

	call_path(s, "notify");
	assert_true(webhook_notify(s->http, &hook, &subject, octets_of_string("cert"), 1801396800,
	    1801396801, NULL, NULL, &why));
	assert_string_equal(
	    outbound_server_sent(s, "notify", "x509Certificate", "raw"), "Y2VydA==");
	assert_string_equal(outbound_server_sent(s, "notify", "x509Certificate", "notBefore"),
	    "2027-01-31T12:00:00Z");
	assert_string_equal(outbound_server_sent(s, "notify", "x509Certificate", "notAfter"),
	    "2027-01-31T12:00:01Z");
	assert_string_equal(outbound_server_sent(s, "notify", NULL, "scepTransactionID"), "T-1");
	last = outbound_server_last(s, "notify");
	assert_null(json_object_get(json_object_get(last, "body"), "scepChallenge"));
	assert_null(json_object_get(json_object_get(last, "body"), "scepErrorCode"));
	json_decref(last);
	outbound_server_control(s, "notify 404\n");
	assert_false(webhook_notify(s->http, &hook, &subject, octets_of_string("cert"), 1801396800,
	    1801396801, NULL, NULL, &why));
	assert_non_null(strstr(why.line, "404"));
	outbound_server_control(s, "notify 204\n");
	assert_true(webhook_notify(s->http, &hook, &subject, octets_of_string("cert"), 1801396800,
	    1801396801, NULL, NULL, &why));
}

static void
a_refusal_is_told_with_its_reason(void **state)
{
	const struct outbound_server *s = *state;
	json_t *last, *body;

	call_path(s, "notify");
	assert_true(webhook_notify(
	    s->http, &hook, &subject, octets_of(NULL, 0), 0, 0, "2", "no \"seat\"", &why));
	last = outbound_server_last(s, "notify");
	body = json_object_get(last, "body");
	assert_int_equal(json_integer_value(json_object_get(body, "scepErrorCode")), 2);
	assert_string_equal(
	    json_string_value(json_object_get(body, "scepErrorDescription")), "no \"seat\"");
	assert_null(json_object_get(body, "x509Certificate"));
	json_decref(last);
	assert_true(webhook_notify(
	    s->http, &hook, &subject, octets_of(NULL, 0), 0, 0, "badRequest", NULL, &why));
	assert_string_equal(outbound_server_sent(s, "notify", NULL, "scepErrorCode"), "badRequest");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(the_request_is_sent_as_published),
	    CASE(its_no_is_a_no_with_its_message),
	    CASE(only_allow_true_allows),
	    CASE(a_fault_is_tried_again_once),
	    CASE(a_fault_is_not_tried_again_where_the_time_is_up),
	    CASE(the_signature_is_of_this_secret_and_body),
	    CASE(bearer_and_basic_show_their_credential),
	    CASE(mtls_shows_its_certificate),
	    CASE(private_addresses_are_called_where_allowed_alone),
	    CASE(what_cannot_be_sent_is_denied_unsent),
	    CASE(a_certificate_is_told),
	    CASE(a_refusal_is_told_with_its_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
