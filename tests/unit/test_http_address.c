/* test_http_address.c: which addresses a call may go to, and that it is the address connected to that counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "outbound/address.h"
#include "outbound/http.h"
#include "tests/unit/http_server.h"

static void
public_addresses_may_be_called(void **state)
{
	static const char *const texts[] = {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0",
	    "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
	    "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
	    "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2a00:1450::1",
	    "2001:4860:4860::8888", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
	    "2002:808:808::1"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!address_text_is_public(texts[i]))
			fail_msg("%s", texts[i]);
}

static void
addresses_that_lead_inwards_may_not(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
	    "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
	    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
	    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
	    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::2", "::127.0.0.1",
	    "::8.8.8.8", "fc00::1", "fd12::1", "fe80::1", "febf::1", "fec0::1", "ff02::1",
	    "ff0e::1", "100::1", "2001:db8::1", "2001::1", "3fff::1", "4000::1", "1000::1",
	    "::ffff:0.0.0.0", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
	    "::ffff:100.64.0.1", "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
	    "64:ff9b::192.168.1.1", "64:ff9b:1::8.8.8.8", "2002:7f00:1::1", "2002:a00:1::1",
	    "2002:c0a8:101::1"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (address_text_is_public(texts[i]))
			fail_msg("%s", texts[i]);
}

static void
what_is_no_address_is_not_public(void **state)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	char text[ADDRESS_TEXT];

	(void)state;
	assert_false(address_text_is_public(""));
	assert_false(address_text_is_public("8.8.8"));
	assert_false(address_text_is_public("8.8.8.8.8"));
	assert_false(address_text_is_public("example.com"));
	assert_false(address_is_public((struct sockaddr *)&un, sizeof(un)));
	in4.sin_addr.s_addr = htonl(0x08080808);
	assert_true(address_is_public((struct sockaddr *)&in4, sizeof(in4)));
	assert_false(address_is_public((struct sockaddr *)&in4, sizeof(in4) - 1));
	address_text((struct sockaddr *)&in4, sizeof(in4), text);
	assert_string_equal(text, "8.8.8.8");
	address_text((struct sockaddr *)&un, sizeof(un), text);
	assert_string_equal(text, "?");
}

static struct http *http;
static struct http_response response;
static struct errbuf why;
static pid_t server;
static int port;

static int
start(void **state)
{
	(void)state;
	return (server = http_server_start(&port)) > 0 && http_open(&http, &why) ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	http_response_free(&response);
	http_close(http);
	http_server_stop(&server);
	return 0;
}

static enum http_rc
get(const char *host, bool public_only)
{
	char url[128];
	struct http_request request = {.method = "GET",
	    .url = url,
	    .public_only = public_only,
	    .connect_timeout_ms = 20000,
	    .timeout_ms = 20000,
	    .response_max = 1000};

	snprintf(url, sizeof(url), "http://%s:%d/ok", host, port);
	http_response_free(&response);
	why.line[0] = '\0';
	return http_call(http, &request, &response, &why);
}

static void
a_call_for_public_addresses_reaches_no_other(void **state)
{
	/* The last four are names and writings of 127.0.0.1 that a look at the URL would not see. */
	static const char *const hosts[] = {"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
	    "localhost", "2130706433", "0x7f.1", "127.1"};

	(void)state;
	assert_int_equal(get("127.0.0.1", false), HTTP_DONE);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (get(hosts[i], true) != HTTP_INWARD)
			fail_msg("%s: %s", hosts[i], why.line);
		assert_non_null(strstr(why.line, "is no public address"));
		assert_int_equal(response.status, 0);
	}
	assert_int_equal(get("127.0.0.1", false), HTTP_DONE);
}

static void
each_call_is_judged_by_what_it_asks_for(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(get("127.0.0.1", false), HTTP_DONE);
		assert_int_equal(get("127.0.0.1", true), HTTP_INWARD);
	}
}

static void
whom_a_proxy_calls_is_not_left_to_it(void **state)
{
	struct http_request request = {.method = "GET",
	    .url = "http://127.0.0.1:1/",
	    .public_only = true,
	    .environment_proxy = true,
	    .connect_timeout_ms = 20000,
	    .timeout_ms = 20000,
	    .response_max = 1000};

	(void)state;
	assert_int_equal(http_call(http, &request, &response, &why), HTTP_MALFORMED);
	request.environment_proxy = false;
	assert_int_equal(http_call(http, &request, &response, &why), HTTP_INWARD);
}

static void
a_url_is_https_or_it_is_not(void **state)
{
	static const char *const others[] = {"", "http://a.example/", "https://",
	    "https://user@a.example/", "https://user:p@a.example/", "ftp://a.example/", "a.example",
	    "//a.example", "https:a b", "https://a.example:70000/"};
	char host[HTTP_NAME_SIZE];

	(void)state;
	assert_true(http_url_is_https("https://A.Example:8443/b?c", host));
	assert_string_equal(host, "a.example");
	assert_true(http_url_is_https("HTTPS://[2001:DB8::1]/", host));
	assert_string_equal(host, "2001:db8::1");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (http_url_is_https(others[i], host))
			fail_msg("%s", others[i]);
		assert_string_equal(host, "");
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(public_addresses_may_be_called),
	    cmocka_unit_test(addresses_that_lead_inwards_may_not),
	    cmocka_unit_test(what_is_no_address_is_not_public),
	    cmocka_unit_test(a_url_is_https_or_it_is_not),
	    CASE(a_call_for_public_addresses_reaches_no_other),
	    CASE(each_call_is_judged_by_what_it_asks_for),
	    CASE(whom_a_proxy_calls_is_not_left_to_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
