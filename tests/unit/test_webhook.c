/* test_webhook.c: what a request for a challenge says about its device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "fcgi-admin/dialect/webhook.h"

static void
says(const char *body, const char *want)
{
	struct buffer out = {0};

	webhook_describe(octets_of_string(body), &out);
	assert_string_equal(out.len > 0 ? buffer_string(&out) : "", want);
	buffer_free(&out);
}

static void
jamfs_body_gives_payload_identifier_and_device(void **state)
{
	(void)state;
	says("{\"webhook\":{\"webhookEvent\":\"SCEPChallenge\",\"id\":1},\"event\":{"
	     "\"payloadIdentifier\":\"com.x.1\",\"payloadTypes\":[\"com.apple.security.scep\"],"
	     "\"device\":{\"uuid\":\"U-1\",\"serialNumber\":\"C02\"}}}",
	    "payloadIdentifier com.x.1; device U-1; serial C02");
	says("{\"event\":{\"payloadIdentifier\":\"p\",\"targetDevice\":\"mac-7\"}}",
	    "payloadIdentifier p; device mac-7");
	says("{\"payloadIdentifier\":\"p\"}", "payloadIdentifier p");
}

static void
jamfs_xml_body_gives_the_same(void **state)
{
	(void)state;
	says("<?xml version=\"1.0\"?><JAMFEvent><webhook><webhookEvent>SCEPChallenge</webhookEvent>"
	     "</webhook><event><payloadIdentifier>com.x.1</payloadIdentifier><device>"
	     "<serialNumber>C02</serialNumber><uuid>U-1</uuid></device></event></JAMFEvent>",
	    "payloadIdentifier com.x.1; device U-1; serial C02");
	says("<event><targetDevice>mac-7</targetDevice></event>", "device mac-7");
}

static void
any_other_body_gives_nothing(void **state)
{
	(void)state;
	says("", "");
	says("<xml/>", "");
	says("<", "");
	says("<payloadIdentifier", "");
	says("<payloadIdentifier>", "");
	says("<payloadIdentifier>x", "");
	says("<payloadIdentifier></payloadIdentifier>", "");
	says("<payloadIdentifiers>x</payloadIdentifiers>", "");
	says("{\"event\":", "");
	says("[1,2]", "");
	says("{\"event\":7}", "");
	says("{\"event\":{\"payloadIdentifier\":7,\"device\":[]}}", "");
	says("{\"event\":{\"payloadIdentifier\":\"\"}}", "");
}

static void
texts_are_cut_and_lose_control_characters(void **state)
{
	char body[600] = "{\"payloadIdentifier\":\"a\\n\\u001b", want[200] = "payloadIdentifier a";

	(void)state;
	memset(body + strlen(body), 'b', 400);
	strcat(body, "\"}");
	memset(want + strlen(want), 'b', 127);
	says(body, want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(jamfs_body_gives_payload_identifier_and_device),
	    cmocka_unit_test(jamfs_xml_body_gives_the_same),
	    cmocka_unit_test(any_other_body_gives_nothing),
	    cmocka_unit_test(texts_are_cut_and_lose_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
