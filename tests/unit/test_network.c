/* test_network.c: whom an address belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/network.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_ipv4_address_stands_for_itself),
	    cmocka_unit_test(an_ipv6_address_stands_for_its_network),
	    cmocka_unit_test(what_is_no_address_stands_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
