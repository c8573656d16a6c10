/* test_outbound_answer.c: JSON of others: what is read of it, where the limits are, and that what is written can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "outbound/intune_answer.h"
#include "outbound/intune_body.h"
#include "outbound/json_text.h"

static struct errbuf why;

/* An object with arrays in it, depth levels in all. */
static bool
is_read_at_depth(int depth)
{
	struct buffer text = {0};
	json_t *json;

	buffer_append_string(&text, "{\"a\":");
	for (int i = 1; i < depth; i++)
		buffer_append_string(&text, "[");
	for (int i = 1; i < depth; i++)
		buffer_append_string(&text, "]");
	buffer_append_string(&text, depth > 1 ? "}" : "1}");
	json = json_text_read(buffer_octets(&text), &why);
	json_text_free(json);
	buffer_free(&text);
	return json != NULL;
}

static void
depth_has_a_limit(void **state)
{
	json_t *json;

	(void)state;
	assert_true(is_read_at_depth(1));
	assert_true(is_read_at_depth(JSON_TEXT_DEPTH));
	assert_false(is_read_at_depth(JSON_TEXT_DEPTH + 1));
	assert_false(is_read_at_depth(100000));
	/* brackets in a text are none, behind an escaped quotation mark too */
	json = json_text_read(octets_of_string("{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[\"}"), &why);
	assert_non_null(json);
	json_text_free(json);
}

static void
only_a_whole_object_is_read(void **state)
{
	static const char *const wrongs[] = {"", " ", "null", "1", "\"a\"", "[]", "{", "{}{}",
	    "{}x", "{\"a\":1,\"a\":2}", "{'a':1}", "{\"a\":1,}", "{\"a\":\"\xff\"}",
	    "{\"a\":\"\n\"}", "{\"a\":01}", "\xef\xbb\xbf{}"};
	json_t *json;

	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		why.line[0] = '\0';
		if (json_text_read(octets_of_string(wrongs[i]), &why) != NULL)
			fail_msg("%s", wrongs[i]);
		assert_true(why.line[0] != '\0');
	}
	assert_null(json_text_read(octets_of("{}\0", 3), &why));
	assert_non_null(json = json_text_read(octets_of_string(" {\"a\" : 1}\r\n"), &why));
	json_text_free(json);
	/* what was read is not repeated: it may be a token */
	assert_null(json_text_read(octets_of_string("{\"access_token\":secret}"), &why));
	assert_null(strstr(why.line, "secret"));
}

static void
text_for_a_log_is_cut_between_characters(void **state)
{
	char out[8];

	(void)state;
	json_text_copy("abc", out, sizeof(out));
	assert_string_equal(out, "abc");
	json_text_copy("a\nb\x7f\xc2\x85", out, sizeof(out));
	assert_string_equal(out, "a?b??");
	json_text_copy("1234567", out, sizeof(out));
	assert_string_equal(out, "1234567");
	json_text_copy("12345678", out, sizeof(out));
	assert_string_equal(out, "1234567");
	json_text_copy("123456\xc3\xa4", out, sizeof(out));
	assert_string_equal(out, "123456");
	json_text_copy("12345\xc3\xa4", out, sizeof(out));
	assert_string_equal(out, "12345\xc3\xa4");
	json_text_copy(NULL, out, sizeof(out));
	assert_string_equal(out, "");
}

static bool
is_token(const char *token, const char *type, const char *expires)
{
	struct buffer body = {0}, out = {0};
	int64_t expires_in_s = -1;
	bool good;

	buffer_append_format(&body, "{\"access_token\":%s,\"token_type\":%s,\"expires_in\":%s}",
	    token, type, expires);
	good = intune_answer_token(buffer_octets(&body), &out, &expires_in_s, &why);
	assert_int_equal(good, out.len > 0);
	assert_int_equal(good, expires_in_s > 0);
	assert_true(expires_in_s <= 86400);
	buffer_free(&body);
	buffer_free(&out);
	return good;
}

static void
a_token_is_fit_for_a_header(void **state)
{
	static const char *const wrongs[][3] = {{"\"\"", "\"Bearer\"", "60"},
	    {"null", "\"Bearer\"", "60"}, {"1", "\"Bearer\"", "60"},
	    {"\"a b\"", "\"Bearer\"", "60"}, {"\"a\\r\\nX: b\"", "\"Bearer\"", "60"},
	    {"\"a\\u0000\"", "\"Bearer\"", "60"}, {"\"\xc3\xa4\"", "\"Bearer\"", "60"},
	    {"\"a\"", "\"mac\"", "60"}, {"\"a\"", "null", "60"}, {"\"a\"", "\"Bearer\"", "0"},
	    {"\"a\"", "\"Bearer\"", "-1"}, {"\"a\"", "\"Bearer\"", "\"60\""},
	    {"\"a\"", "\"Bearer\"", "60.5"}, {"\"a\"", "\"Bearer\"", "null"}};

	(void)state;
	assert_true(is_token("\"aZ09-._~+/=\"", "\"Bearer\"", "3599"));
	assert_true(is_token("\"a\"", "\"bearer\"", "9223372036854775807"));
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++)
		if (is_token(wrongs[i][0], wrongs[i][1], wrongs[i][2]))
			fail_msg("%s %s %s", wrongs[i][0], wrongs[i][1], wrongs[i][2]);
}

static int64_t
login_code(const char *body)
{
	struct intune_login_error error;

	return intune_answer_login_error(octets_of_string(body), &error, &why) ? error.code : -1;
}

static void
a_login_errors_number_is_found(void **state)
{
	(void)state;
	assert_int_equal(login_code("{\"error\":\"a\",\"error_codes\":[700016]}"), 700016);
	assert_int_equal(
	    login_code("{\"error\":\"a\",\"error_description\":\"AADSTS90002: Tenant\"}"), 90002);
	assert_int_equal(login_code("{\"error\":\"a\"}"), 0);
	assert_int_equal(login_code("{\"error\":\"a\",\"error_codes\":[-1]}"), 0);
	assert_int_equal(
	    login_code("{\"error\":\"a\",\"error_description\":\"AADSTS12345678901234567890\"}"),
	    0);
	assert_int_equal(login_code("{\"error_codes\":[700016]}"), -1);
	assert_int_equal(login_code("no"), -1);
}

static bool
is_discovered(const char *body, const char *want)
{
	char uri[INTUNE_URI_SIZE];

	return intune_answer_discovery(octets_of_string(body), "Service", uri, &why) &&
	       strcmp(uri, want) == 0;
}

static void
a_service_is_found_by_its_name_alone(void **state)
{
	struct buffer body = {0};

	(void)state;
	assert_true(is_discovered("{\"value\":[]}", ""));
	assert_true(is_discovered(
	    "{\"value\":[1,{\"uri\":\"a\"},{\"providerName\":\"sERVICE\",\"uri\":\"b\"}]}", "b"));
	assert_true(
	    is_discovered("{\"value\":[{\"providerName\":\"Service2\",\"uri\":\"b\"}]}", ""));
	assert_false(is_discovered("{\"value\":[{\"providerName\":\"Service\",\"uri\":1}]}", ""));
	assert_false(
	    is_discovered("{\"value\":[{\"providerName\":\"Service\",\"uri\":\"\"}]}", ""));
	assert_false(is_discovered("{\"value\":null}", ""));
	assert_false(is_discovered("{}", ""));
	buffer_append_format(
	    &body, "{\"value\":[{\"providerName\":\"Service\",\"uri\":\"%01024d\"}]}", 0);
	assert_false(is_discovered(buffer_string(&body), ""));
	buffer_free(&body);
}

/* A list of count requests, each with a context of len characters. */
static int
revocations(int count, int len)
{
	static struct intune_revocation out[INTUNE_REVOCATIONS_MAX];
	struct buffer body = {0};
	int found = -1;
	bool good;

	buffer_append_string(&body, "{\"value\":[");
	for (int i = 0; i < count; i++)
		buffer_append_format(&body,
		    "%s{\"requestContext\":\"%0*d\",\"serialNumber\":\"0A\",\"issuerName\":null}",
		    i > 0 ? "," : "", len, 0);
	buffer_append_string(&body, "]}");
	good = intune_answer_revocations(buffer_octets(&body), out, &found, &why);
	buffer_free(&body);
	return good ? found : -1;
}

static void
revocation_requests_have_limits(void **state)
{
	struct intune_revocation out[INTUNE_REVOCATIONS_MAX];
	int count;

	(void)state;
	assert_int_equal(revocations(0, 1), 0);
	assert_int_equal(revocations(INTUNE_REVOCATIONS_MAX, 1), INTUNE_REVOCATIONS_MAX);
	assert_int_equal(revocations(INTUNE_REVOCATIONS_MAX + 1, 1), -1);
	assert_int_equal(revocations(1, 1024), 1);
	assert_int_equal(revocations(1, 1025), -1);
	assert_true(intune_answer_revocations(
	    octets_of_string("{\"value\":[{\"requestContext\":\"c\",\"serialNumber\":\"0:a\"},"
			     "{\"requestContext\":\"d\"}]}"),
	    out, &count, &why));
	assert_int_equal(count, 2);
	assert_string_equal(out[0].serial, "");
	assert_string_equal(out[1].serial, "");
	assert_false(intune_answer_revocations(
	    octets_of_string("{\"value\":[{\"requestContext\":\"c\"},{\"requestContext\":\"\"}]}"),
	    out, &count, &why));
	assert_int_equal(count, 0);
}

static void
what_is_written_is_read_again(void **state)
{
	static const char *const texts[] = {"", "a\"b\\c/", "\x01\t\r\n\x1f\x7f",
	    "\xc3\xa4\xe2\x80\xa8\xe2\x80\xa9\xf0\x9f\x98\x80"};
	struct buffer out = {0};
	json_t *json;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buffer_append_string(&out, "{");
		json_text_append_member(&out, "t", texts[i]);
		buffer_append_string(&out, "}");
		assert_non_null(json = json_text_read(buffer_octets(&out), &why));
		assert_string_equal(json_text_member(json, "t"), texts[i]);
		json_text_free(json);
		buffer_free(&out);
	}
	json_text_append(&out, octets_of("a\xff\xc3", 3));
	assert_string_equal(buffer_string(&out), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	buffer_free(&out);
}

static void
a_form_leaves_no_character_to_chance(void **state)
{
	struct buffer out = {0};

	(void)state;
	intune_body_token(&out, "id", octets_of("a+b &=%\0~\xc3", 10), "https://x//.default");
	assert_string_equal(buffer_string(&out),
	    "grant_type=client_credentials&client_id=id&client_secret=a%2Bb%20%26%3D%25%00~%C3"
	    "&scope=https%3A%2F%2Fx%2F%2F.default");
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(depth_has_a_limit),
	    cmocka_unit_test(only_a_whole_object_is_read),
	    cmocka_unit_test(text_for_a_log_is_cut_between_characters),
	    cmocka_unit_test(a_token_is_fit_for_a_header),
	    cmocka_unit_test(a_login_errors_number_is_found),
	    cmocka_unit_test(a_service_is_found_by_its_name_alone),
	    cmocka_unit_test(revocation_requests_have_limits),
	    cmocka_unit_test(what_is_written_is_read_again),
	    cmocka_unit_test(a_form_leaves_no_character_to_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
