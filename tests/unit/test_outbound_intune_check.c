/* test_outbound_intune_check.c: how a connection to Intune is set up and checked, and the revocation requests that come over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/outbound_intune.h"

static void
the_login_services_refusals_are_told(void **state)
{
	const struct outbound_server *s = *state;

	settings.tenant = "contoso.example";
	open_again(s);
	assert_int_equal(validate(), INTUNE_CREDENTIALS);
	assert_non_null(strstr(why.line, "AADSTS90002"));
	settings.tenant = OUTBOUND_TENANT;
	settings.client_id = "other";
	open_again(s);
	assert_int_equal(validate(), INTUNE_CREDENTIALS);
	assert_non_null(strstr(why.line, "AADSTS700016"));
	settings.client_id = OUTBOUND_CLIENT;
	settings.client_secret = octets_of_string("wrong");
	open_again(s);
	assert_int_equal(validate(), INTUNE_CREDENTIALS);
	assert_non_null(strstr(why.line, "AADSTS7000215"));
	assert_null(strstr(why.line, "wrong"));
	/* credentials are tried once: more would lock somebody out */
	assert_int_equal(outbound_server_calls(s, "token"), 3);
	assert_int_equal(outbound_server_calls(s, "discovery"), 0);
}

static void
nothing_is_told_to_whom_tls_does_not_know(void **state)
{
	const struct outbound_server *s = *state;

	settings.ca_file = "";
	open_again(s);
	assert_int_equal(validate(), INTUNE_AWAY);
	assert_int_equal(outbound_server_calls(s, NULL), 0);
}

static void
revocation_requests_come_and_their_results_go(void **state)
{
	static struct intune_revocation out[INTUNE_REVOCATIONS_MAX];
	const struct outbound_server *s = *state;
	struct intune_revocation_result results[2];
	int count = -1;

	assert_int_equal(intune_download(intune, NULL, out, &count, &why), INTUNE_DONE);
	assert_int_equal(count, 0);
	outbound_server_write(s, "revocations", "ctx-1 0A1B CN=CA\nctx-2 zz CN=CA\n");
	assert_int_equal(intune_download(intune, NULL, out, &count, &why), INTUNE_DONE);
	assert_int_equal(count, 2);
	assert_string_equal(out[0].context, "ctx-1");
	assert_string_equal(out[0].serial, "0A1B");
	assert_string_equal(out[0].issuer, "CN=CA");
	assert_string_equal(out[1].serial, "");
	results[0] = (struct intune_revocation_result){out[0].context, true, 0, NULL};
	results[1] = (struct intune_revocation_result){out[1].context, false, 4004, "not here"};
	assert_int_equal(intune_upload(intune, results, 2, &why), INTUNE_DONE);
	assert_int_equal(intune_download(intune, NULL, out, &count, &why), INTUNE_DONE);
	assert_int_equal(count, 0);
	outbound_server_control(s, "upload json {\"value\":false}\n");
	assert_int_equal(intune_upload(intune, results, 2, &why), INTUNE_REFUSED);
	outbound_server_control(s, "upload json {\"value\":\"true\"}\n");
	assert_int_equal(intune_upload(intune, results, 2, &why), INTUNE_AWAY);
	outbound_server_control(s, "upload 401 once\n");
	assert_int_equal(intune_upload(intune, results, 2, &why), INTUNE_DONE);
	assert_int_equal(
	    intune_upload(intune, results, INTUNE_REVOCATIONS_MAX + 1, &why), INTUNE_REFUSED);
	outbound_server_control(s, "download json {\"value\":[{\"serialNumber\":\"1\"}]}\n");
	assert_int_equal(intune_download(intune, NULL, out, &count, &why), INTUNE_AWAY);
	assert_int_equal(count, 0);
	outbound_server_control(s, "");
	assert_int_equal(intune_download(intune, "CN=CA", out, &count, &why), INTUNE_DONE);
	assert_string_equal(
	    outbound_server_sent(s, "download", "downloadParameters", "issuerName"), "CN=CA");
}

static void
expect_finding(
    const struct outbound_server *s, const char *control, enum intune_step at, const char *text)
{
	struct intune_finding findings[INTUNE_STEPS];

	open_again(s);
	outbound_server_control(s, control);
	assert_false(intune_check(intune, findings));
	for (int n = 0; n < INTUNE_STEPS; n++) {
		assert_int_equal(findings[n].ok, n < (int)at);
		assert_true(findings[n].text.line[0] != '\0');
		if (n > (int)at)
			assert_string_equal(findings[n].text.line, "not tried");
		why = findings[n].text;
		assert_no_secret();
	}
	if (strstr(findings[at].text.line, text) == NULL)
		fail_msg("%s: have \"%s\", want %s", control, findings[at].text.line, text);
}

static void
a_check_says_what_to_put_right(void **state)
{
	const struct outbound_server *s = *state;
	struct intune_finding findings[INTUNE_STEPS];

	assert_true(intune_check(intune, findings));
	for (int n = 0; n < INTUNE_STEPS; n++)
		assert_true(findings[n].ok);
	expect_finding(s, "token aadsts 7000222\n", INTUNE_STEP_LOGIN, "has expired");
	expect_finding(s, "token aadsts 7000215\n", INTUNE_STEP_LOGIN, "secret is wrong");
	expect_finding(s, "token aadsts 12\n", INTUNE_STEP_LOGIN, "AADSTS12)");
	expect_finding(s, "token 503\n", INTUNE_STEP_LOGIN, "SCEP_INTUNE_LOGIN_URL");
	settings.tenant = "contoso.example";
	expect_finding(s, "", INTUNE_STEP_LOGIN, "tenant contoso.example is not known");
	settings.tenant = OUTBOUND_TENANT;
	settings.client_id = "other";
	expect_finding(s, "", INTUNE_STEP_LOGIN, "no application with the client ID other");
	settings.client_id = OUTBOUND_CLIENT;
	expect_finding(s, "discovery 403\n", INTUNE_STEP_GRAPH, "Application.Read.All");
	expect_finding(s, "discovery 401\n", INTUNE_STEP_GRAPH, "Application.Read.All");
	expect_finding(s, "discovery 500\n", INTUNE_STEP_GRAPH, "SCEP_INTUNE_GRAPH_URL");
	expect_finding(s, "discovery missing\n", INTUNE_STEP_SERVICE, "subscription");
	expect_finding(s, "discovery elsewhere https://evil.example\n", INTUNE_STEP_SERVICE,
	    "SCEP_INTUNE_HOSTS");
	expect_finding(s, "validateRequest 403\n", INTUNE_STEP_CALL, "scep_challenge_provider");
	expect_finding(s, "validateRequest 401\n", INTUNE_STEP_CALL, "scep_challenge_provider");
	expect_finding(s, "validateRequest code Success\n", INTUNE_STEP_CALL, "is not Intune");
	expect_finding(s, "validateRequest garbage\n", INTUNE_STEP_CALL, "not one of Intune's");
	outbound_server_control(s, "validateRequest 400\n");
	assert_true(intune_check(intune, findings));
}

static void
settings_that_make_no_sense_open_nothing(void **state)
{
	static const char *const tenants[] = {"", "contoso", "contoso..example", "-a.example",
	    "a-.example", "a.example/", "a.example.", "../a", "a b.example", "a_b.example",
	    "11111111-2222-4333-8444-55555555555", "11111111-2222-4333-8444-55555555555g"};
	const struct outbound_server *s = *state;
	const struct intune_settings good = settings;

	assert_true(intune_tenant_is_valid("contoso.onmicrosoft.com"));
	assert_true(intune_tenant_is_valid("AAAAAAAA-2222-4333-8444-55555555555f"));
	intune_close(intune);
	for (size_t i = 0; i < sizeof(tenants) / sizeof(tenants[0]); i++) {
		assert_false(intune_tenant_is_valid(tenants[i]));
		settings.tenant = tenants[i];
		assert_false(intune_open(&settings, s->http, &intune, &why));
		assert_null(intune);
	}
	settings = good;
	settings.login_url = "http://127.0.0.1";
	assert_false(intune_open(&settings, s->http, &intune, &why));
	settings = good;
	settings.graph_url = "http://127.0.0.1";
	assert_false(intune_open(&settings, s->http, &intune, &why));
	settings = good;
	settings.client_secret = octets_of(NULL, 0);
	assert_false(intune_open(&settings, s->http, &intune, &why));
	settings = good;
	assert_true(intune_open(&settings, s->http, &intune, &why));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(the_login_services_refusals_are_told),
	    CASE(nothing_is_told_to_whom_tls_does_not_know),
	    CASE(revocation_requests_come_and_their_results_go),
	    CASE(a_check_says_what_to_put_right),
	    CASE(settings_that_make_no_sense_open_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
