/* test_network.c: whom an address belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/network.h"
#include "fcgi/request_fcgx.h"
#include "pki/name.h"

static void
is_of(const char *address, const char *network)
{
	char out[NETWORK_SIZE];

	network_of(address, out);
	assert_string_equal(out, network);
}

static void
an_ipv4_address_stands_for_itself(void **state)
{
	(void)state;
	is_of("192.0.2.1", "192.0.2.1");
	is_of("192.0.2.2", "192.0.2.2");
	is_of("::ffff:192.0.2.1", "::ffff:192.0.2.1");
	is_of("::ffff:192.0.2.2", "::ffff:192.0.2.2");
}

/* Who has one address of IPv6 has the 2^64 beside it. */
static void
an_ipv6_address_stands_for_its_network(void **state)
{
	(void)state;
	is_of("2001:db8:1:2::1", "2001:db8:1:2::");
	is_of("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::");
	is_of("2001:db8:1:3::1", "2001:db8:1:3::");
	is_of("2001:db8:1:2:3:4:192.0.2.1", "2001:db8:1:2::");
	is_of("::1", "::1");
	is_of("fe80::1", "fe80::");
}

static void
what_is_no_address_stands_for_itself(void **state)
{
	(void)state;
	is_of("", "");
	is_of("unix:", "unix:");
	is_of("0123456789012345678901234567890123456789012345678901234567890123456789",
	    "012345678901234567890123456789012345678901234");
}

/* Of any length: also where it fills the memory that it is in. */
static void
the_audit_gets_the_subject_and_nothing_behind_it(void **state)
{
	static const int lengths[] = {1, 252, 253, 254, 509, 1500};
	struct fcgi_request http = {.status = 0};
	struct scep_request message = {.message_type = SCEP_PKCS_REQ};
	char text[2048], want[2048];
	struct errbuf why = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct transaction t = {
		    .http = &http, .operation = "PKIOperation", .message = &message};
		struct buffer name = {0};
		struct audit_event e;
		struct csr csr = {0};

		snprintf(want, sizeof(want), "CN=%0*d", lengths[i], 7);
		snprintf(text, sizeof(text), "%s", want);
		assert_true(name_from_text(text, &name, &why));
		csr.subject = buffer_octets(&name);
		transaction_know_csr(&t, &csr);
		transaction_event(&t, &e);
		assert_string_equal(e.subject, want);
		buffer_free(&t.subject);
		buffer_free(&name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_ipv4_address_stands_for_itself),
	    cmocka_unit_test(an_ipv6_address_stands_for_its_network),
	    cmocka_unit_test(the_audit_gets_the_subject_and_nothing_behind_it),
	    cmocka_unit_test(what_is_no_address_stands_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
