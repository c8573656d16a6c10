/* test_outbound_intune.c: Intune's client against a server that follows its interface, over TLS: what is sent, what is believed, what is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "tests/unit/outbound_intune.h"

static enum intune_rc
succeeded(void)
{
	struct intune_issued issued = {.transaction_id = "T-1",
	    .csr = buffer_octets(&csr),
	    .certificate = octets_of_string("abc"),
	    .serial = "0a1b2c",
	    .not_after = 1801396800,
	    .issuer = "CN=CA,O=\"x\""};
	enum intune_rc rc = intune_succeeded(intune, &issued, &answer, &why);

	assert_no_secret();
	return rc;
}

static void
a_request_is_validated_as_published(void **state)
{
	const struct outbound_server *s = *state;
	struct buffer base64 = {0};
	json_t *last;

	assert_int_equal(validate(), INTUNE_DONE);
	assert_string_equal(answer.code, "Success");
	assert_string_equal(answer.description, "");
	encoding_base64(buffer_octets(&csr), &base64);
	assert_string_equal(
	    outbound_server_sent(s, "validateRequest", "request", "transactionId"), "T-1");
	assert_string_equal(
	    outbound_server_sent(s, "validateRequest", "request", "certificateRequest"),
	    buffer_string(&base64));
	assert_string_equal(
	    outbound_server_sent(s, "validateRequest", "request", "callerInfo"), "fcgi-scep/test");
	last = outbound_server_last(s, "validateRequest");
	assert_string_equal(
	    json_string_value(json_object_get(last, "requestId")), answer.request_id);
	json_decref(last);
	buffer_free(&base64);
}

static void
each_call_has_a_request_id_of_its_own(void **state)
{
	char first[37];

	(void)state;
	assert_int_equal(validate(), INTUNE_DONE);
	snprintf(first, sizeof(first), "%s", answer.request_id);
	assert_int_equal(validate(), INTUNE_DONE);
	assert_true(encoding_is_uuid(first) && encoding_is_uuid(answer.request_id));
	assert_string_not_equal(first, answer.request_id);
}

static void
any_code_but_success_refuses(void **state)
{
	static const char *const codes[] = {"ChallengeExpired", "SubjectNameMismatch", "Unknown",
	    "NobodyHasHeardOfThis", "success", "SuccessButNot"};
	const struct outbound_server *s = *state;
	char challenge[64];

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		snprintf(challenge, sizeof(challenge), "intune-%s", codes[i]);
		make_csr(challenge);
		assert_int_equal(validate(), INTUNE_REFUSED);
		assert_string_equal(answer.code, codes[i]);
		assert_string_equal(answer.description, "as Intune would say");
		assert_non_null(strstr(why.line, codes[i]));
		assert_non_null(strstr(why.line, answer.request_id));
	}
	make_csr("nobody's");
	assert_int_equal(validate(), INTUNE_REFUSED);
	assert_string_equal(answer.code, "ChallengeDecryptionError");
	make_csr(NULL);
	assert_int_equal(validate(), INTUNE_REFUSED);
	assert_string_equal(answer.code, "ChallengePasswordMissing");
	buffer_free(&csr);
	buffer_append_string(&csr, "no request");
	assert_int_equal(validate(), INTUNE_REFUSED);
	assert_string_equal(answer.code, "CertificateRequestDecodingFailed");
	/* a refusal is an answer: nothing is asked twice */
	assert_int_equal(outbound_server_calls(s, "validateRequest"), 9);
	make_csr("intune-ok-2");
	assert_int_equal(validate(), INTUNE_DONE);
}

static void
a_certificate_is_told_as_published(void **state)
{
	static const char *const members[][2] = {{"transactionId", "T-1"},
	    {"certificateThumbprint", "A9993E364706816ABA3E25717850C26C9CD0D89D"},
	    {"certificateSerialNumber", "0A1B2C"},
	    {"certificateExpirationDateUtc", "2027-01-31T12:00:00.000Z"},
	    {"issuingCertificateAuthority", "CN=CA,O=\"x\""}, {"callerInfo", "fcgi-scep/test"},
	    {"caConfiguration", ""}, {"certificateAuthority", ""}};
	const struct outbound_server *s = *state;

	assert_int_equal(succeeded(), INTUNE_DONE);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		assert_string_equal(
		    outbound_server_sent(s, "successNotification", "notification", members[i][0]),
		    members[i][1]);
	outbound_server_control(s, "successNotification code ChallengeExpired\n");
	assert_int_equal(succeeded(), INTUNE_REFUSED);
	assert_string_equal(answer.code, "ChallengeExpired");
}

static void
a_failure_is_told_within_255_characters(void **state)
{
	const struct outbound_server *s = *state;
	char text[300] = "";
	json_t *last;

	memset(text, 'x', 299);
	assert_int_equal(
	    intune_failed(intune, "T-1", buffer_octets(&csr), 2147549183, text, &answer, &why),
	    INTUNE_DONE);
	assert_int_equal(strlen(outbound_server_sent(
			     s, "failureNotification", "notification", "errorDescription")),
	    255);
	last = outbound_server_last(s, "failureNotification");
	assert_int_equal(
	    json_integer_value(json_object_get(
		json_object_get(json_object_get(last, "body"), "notification"), "hResult")),
	    2147549183);
	json_decref(last);
	/* a character is not cut in two */
	memcpy(text + 254, "\xf0\x9f\x98\x80z", 6);
	assert_int_equal(
	    intune_failed(intune, "T-1", buffer_octets(&csr), 1, text, &answer, &why), INTUNE_DONE);
	assert_int_equal(strlen(outbound_server_sent(
			     s, "failureNotification", "notification", "errorDescription")),
	    254);
	assert_int_equal(
	    intune_failed(intune, "T-1", buffer_octets(&csr), 1, "\"\\\n\x01", &answer, &why),
	    INTUNE_DONE);
	assert_string_equal(
	    outbound_server_sent(s, "failureNotification", "notification", "errorDescription"),
	    "\"\\\n\x01");
}

static void
tokens_and_discovery_are_kept(void **state)
{
	const struct outbound_server *s = *state;

	for (int i = 0; i < 3; i++)
		assert_int_equal(validate(), INTUNE_DONE);
	assert_int_equal(succeeded(), INTUNE_DONE);
	assert_int_equal(outbound_server_calls(s, "token"), 2);
	assert_int_equal(outbound_server_calls(s, "discovery"), 1);
	assert_int_equal(outbound_server_calls(s, "validateRequest"), 3);
}

static void
a_token_in_its_last_minute_is_not_used(void **state)
{
	const struct outbound_server *s = *state;

	outbound_server_control(s, "token expires 60\n");
	assert_int_equal(validate(), INTUNE_DONE);
	assert_int_equal(validate(), INTUNE_DONE);
	assert_int_equal(outbound_server_calls(s, "token"), 3); /* Graph is not asked again */
	outbound_server_control(s, "token expires 3600\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(validate(), INTUNE_DONE);
	assert_int_equal(outbound_server_calls(s, "token"), 4);
}

static void
scopes_are_of_graph_and_of_the_resource(void **state)
{
	const struct outbound_server *s = *state;
	char want[96], with_slash[96];

	outbound_server_control(s, "discovery 500\n");
	assert_int_equal(validate(), INTUNE_AWAY);
	snprintf(want, sizeof(want), "%s/.default", s->url);
	assert_string_equal(outbound_server_sent(s, "token", NULL, "scope"), want);
	outbound_server_control(s, "");
	assert_int_equal(validate(), INTUNE_DONE);
	snprintf(want, sizeof(want), "%s//.default", s->url);
	assert_string_equal(outbound_server_sent(s, "token", NULL, "scope"), want);
	snprintf(with_slash, sizeof(with_slash), "%s/", s->url);
	settings.resource = with_slash;
	open_again(s);
	assert_int_equal(validate(), INTUNE_DONE);
	assert_string_equal(outbound_server_sent(s, "token", NULL, "scope"), want);
}

static void
after_401_a_new_token_is_tried_once(void **state)
{
	const struct outbound_server *s = *state;
	char before[128];
	json_t *last;

	assert_int_equal(validate(), INTUNE_DONE);
	last = outbound_server_last(s, "validateRequest");
	snprintf(before, sizeof(before), "%s",
	    json_string_value(json_object_get(last, "authorization")));
	json_decref(last);
	outbound_server_control(s, "validateRequest 401 once\n");
	assert_int_equal(validate(), INTUNE_DONE);
	assert_int_equal(outbound_server_calls(s, "token"), 3);
	assert_int_equal(outbound_server_calls(s, "discovery"), 1);
	assert_int_equal(outbound_server_calls(s, "validateRequest"), 3);
	last = outbound_server_last(s, "validateRequest");
	assert_string_not_equal(json_string_value(json_object_get(last, "authorization")), before);
	json_decref(last);
	outbound_server_control(s, "validateRequest 401\n");
	assert_int_equal(validate(), INTUNE_PERMISSION);
	assert_int_equal(outbound_server_calls(s, "validateRequest"), 5);
	assert_string_equal(answer.code, "");
	/* Graph's likewise */
	open_again(s);
	outbound_server_control(s, "discovery 401 once\n");
	assert_int_equal(validate(), INTUNE_DONE);
	assert_int_equal(outbound_server_calls(s, "discovery"), 3);
}

static void
after_a_fault_a_new_discovery_is_tried_once(void **state)
{
	static const char *const faults[] = {"500", "503", "cut"};
	const struct outbound_server *s = *state;
	char line[64];

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		outbound_server_control(s, "");
		assert_int_equal(validate(), INTUNE_DONE);
		outbound_server_clear_log(s);
		snprintf(line, sizeof(line), "validateRequest %s once\n", faults[i]);
		outbound_server_control(s, line);
		assert_int_equal(validate(), INTUNE_DONE);
		assert_int_equal(outbound_server_calls(s, "validateRequest"), 2);
		assert_int_equal(outbound_server_calls(s, "discovery"), 1);
		assert_int_equal(outbound_server_calls(s, "token"), 0);
		outbound_server_clear_log(s);
		snprintf(line, sizeof(line), "successNotification %s\n", faults[i]);
		outbound_server_control(s, line);
		assert_int_equal(succeeded(), INTUNE_AWAY);
		assert_int_equal(outbound_server_calls(s, "successNotification"), 2);
	}
	/* a connection that was kept and is found closed is opened anew beneath all this */
	outbound_server_control(s, "validateRequest close once\n");
	assert_int_equal(validate(), INTUNE_DONE);
	outbound_server_control(s, "validateRequest close\n");
	assert_int_equal(validate(), INTUNE_AWAY);
}

static void
what_is_no_answer_is_not_believed_nor_asked_again(void **state)
{
	static const char *const wrongs[] = {"garbage", "wrong-content", "empty", "deep", "large",
	    "redirect", "404", "409", "429", "201", "json {}", "json []", "json {\"code\":1}",
	    "json {\"code\":null}", "json {\"code\":\"\"}", "json {\"code\":[\"Success\"]}",
	    "json {\"Code\":\"Success\"}", "json {\"code\":\"Success\",\"code\":\"Success\"}",
	    "json {\"code\":\"Success\"}x", "json {\"code\":\"Success\\u0000\"}"};
	const struct outbound_server *s = *state;
	char line[96];

	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		outbound_server_clear_log(s);
		snprintf(line, sizeof(line), "validateRequest %s\n", wrongs[i]);
		outbound_server_control(s, line);
		if (validate() != INTUNE_AWAY)
			fail_msg("%s", wrongs[i]);
		assert_int_equal(outbound_server_calls(s, "validateRequest"), 1);
		assert_int_equal(outbound_server_calls(s, "unknown"), 0);
	}
	outbound_server_control(s, "validateRequest json {\"code\":\"Success\"}\n");
	assert_int_equal(validate(), INTUNE_DONE);
	outbound_server_control(s, "validateRequest 400\n");
	assert_int_equal(validate(), INTUNE_REFUSED);
	assert_string_equal(answer.code, "Switched");
	outbound_server_control(s, "validateRequest 403\n");
	assert_int_equal(validate(), INTUNE_PERMISSION);
}

static void
faults_before_the_call_stop_it(void **state)
{
	static const char *const lines[] = {"token garbage", "token 500", "token close",
	    "token large", "token json {\"access_token\":\"a\"}",
	    "token json {\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"a\\nb\"}",
	    "token json {\"token_type\":\"mac\",\"expires_in\":3599,\"access_token\":\"a\"}",
	    "token redirect", "discovery garbage", "discovery 404", "discovery 500",
	    "discovery close", "discovery deep", "discovery json {\"value\":{}}",
	    "discovery redirect"};
	const struct outbound_server *s = *state;
	char line[128];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		open_again(s);
		snprintf(line, sizeof(line), "%s\n", lines[i]);
		outbound_server_control(s, line);
		if (validate() != INTUNE_AWAY)
			fail_msg("%s", lines[i]);
		assert_string_equal(answer.request_id, "");
		assert_int_equal(outbound_server_calls(s, "validateRequest"), 0);
	}
	outbound_server_control(s, "token 500 once\ndiscovery slow 1\n");
	open_again(s);
	assert_int_equal(validate(), INTUNE_DONE);
}

static void
a_slow_service_is_given_up(void **state)
{
	static const char *const actions[] = {"token", "discovery", "validateRequest"};
	const struct outbound_server *s = *state;
	char line[64];

	for (int i = 0; i < 3; i++) {
		settings.timeout_ms = 300;
		open_again(s);
		snprintf(line, sizeof(line), "%s slow 60000\n", actions[i]);
		outbound_server_control(s, line);
		assert_int_equal(validate(), INTUNE_AWAY);
	}
	outbound_server_control(s, "validateRequest slow 1\n");
	settings.timeout_ms = 20000;
	open_again(s);
	assert_int_equal(validate(), INTUNE_DONE);
}

static void
the_token_goes_to_listed_hosts_alone(void **state)
{
	static const char *const places[] = {"https://evilmanage.microsoft.com",
	    "https://manage.microsoft.com.evil.example",
	    "https://manage.microsoft.com@evil.example",
	    "https://evil.example/manage.microsoft.com",
	    "https://evil.example?manage.microsoft.com",
	    "https://evil.example#.manage.microsoft.com", "http://127.0.0.1",
	    "https://127.0.0.1?a=", "https://127.0.0.2", "https://1127.0.0.1",
	    "https://microsoft.com", "https:///", "ftp://manage.microsoft.com",
	    "https://evil.example%2f.manage.microsoft.com", "https://localhost"};
	const struct outbound_server *s = *state;
	char line[128];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		open_again(s);
		snprintf(line, sizeof(line), "discovery elsewhere %s\n", places[i]);
		outbound_server_control(s, line);
		if (validate() != INTUNE_PERMISSION)
			fail_msg("%s: %s", places[i], why.line);
	}
	/* whom nobody trusts with a token, nobody asks for one */
	assert_int_equal(outbound_server_calls(s, "token"), sizeof(places) / sizeof(places[0]));
	outbound_server_control(s, "discovery missing\n");
	assert_int_equal(validate(), INTUNE_PERMISSION);
	assert_int_equal(outbound_server_calls(s, "validateRequest"), 0);
	outbound_server_control(s, "");
	assert_int_equal(validate(), INTUNE_DONE);
	settings.hosts = "manage.microsoft.com,localhost";
	open_again(s);
	assert_int_equal(validate(), INTUNE_PERMISSION);
	settings.hosts = "";
	open_again(s);
	assert_int_equal(validate(), INTUNE_PERMISSION);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_request_is_validated_as_published),
	    CASE(each_call_has_a_request_id_of_its_own),
	    CASE(any_code_but_success_refuses),
	    CASE(a_certificate_is_told_as_published),
	    CASE(a_failure_is_told_within_255_characters),
	    CASE(tokens_and_discovery_are_kept),
	    CASE(a_token_in_its_last_minute_is_not_used),
	    CASE(scopes_are_of_graph_and_of_the_resource),
	    CASE(after_401_a_new_token_is_tried_once),
	    CASE(after_a_fault_a_new_discovery_is_tried_once),
	    CASE(what_is_no_answer_is_not_believed_nor_asked_again),
	    CASE(faults_before_the_call_stop_it),
	    CASE(a_slow_service_is_given_up),
	    CASE(the_token_goes_to_listed_hosts_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
