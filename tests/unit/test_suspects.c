#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/suspects.h"

#define NOW	((int64_t)1795000020000) /* the beginning of a minute */
#define MINUTE	((int64_t)60000)
#define NETWORK "192.0.2.1"

static struct suspects suspects;
static int64_t here, before;

static int
start(void **state)
{
	(void)state;
	memset(&suspects, 0, sizeof(suspects));
	return 0;
}

static void
nobody_is_suspect_before_a_wrong_try(void **state)
{
	(void)state;
	assert_false(suspects_find(&suspects, NETWORK, NOW, &here, &before));
	assert_int_equal(here + before, 0);
	suspects_add(&suspects, NETWORK, NOW);
	assert_true(suspects_find(&suspects, NETWORK, NOW, &here, &before));
	assert_int_equal(here, 1);
	assert_false(suspects_find(&suspects, "192.0.2.2", NOW, &here, &before));
	assert_false(suspects_find(&suspects, "", NOW, &here, &before));
}

static void
counts_move_with_the_minutes_and_are_forgotten(void **state)
{
	(void)state;
	for (int i = 0; i < 7; i++)
		suspects_add(&suspects, NETWORK, NOW + 59999);
	assert_true(suspects_find(&suspects, NETWORK, NOW + MINUTE, &here, &before));
	assert_int_equal(here, 0);
	assert_int_equal(before, 7);
	suspects_add(&suspects, NETWORK, NOW + MINUTE);
	assert_true(suspects_find(&suspects, NETWORK, NOW + MINUTE, &here, &before));
	assert_int_equal(here, 1);
	assert_int_equal(before, 7);
	assert_true(suspects_find(&suspects, NETWORK, NOW + 2 * MINUTE, &here, &before));
	assert_int_equal(before, 1);
	assert_false(suspects_find(&suspects, NETWORK, NOW + 3 * MINUTE, &here, &before));
}

static void
a_count_goes_to_its_end_and_no_further(void **state)
{
	(void)state;
	for (int i = 0; i < SUSPECTS_MOST + 10; i++)
		suspects_add(&suspects, NETWORK, NOW);
	assert_true(suspects_find(&suspects, NETWORK, NOW, &here, &before));
	assert_int_equal(here, SUSPECTS_MOST);
	assert_int_equal(before, 0);
}

static void
who_tries_often_stays_beside_many_who_try_once(void **state)
{
	char network[32];
	int known = 0;

	(void)state;
	for (int i = 0; i < 20; i++)
		suspects_add(&suspects, NETWORK, NOW);
	for (int i = 0; i < 50000; i++) {
		snprintf(network, sizeof(network), "2001:db8:0:%x::", i);
		suspects_add(&suspects, network, NOW);
	}
	assert_true(suspects_find(&suspects, NETWORK, NOW, &here, &before));
	assert_int_equal(here, 20);
	for (int i = 0; i < 50000; i++) {
		snprintf(network, sizeof(network), "2001:db8:0:%x::", i);
		known += suspects_find(&suspects, network, NOW, &here, &before);
	}
	assert_in_range(known, SUSPECTS_SLOTS / 2, SUSPECTS_SLOTS);
}

static void
strangers_are_not_taken_for_suspects(void **state)
{
	char network[32];
	int known = 0;

	(void)state;
	for (int i = 0; i < SUSPECTS_SLOTS; i++) {
		snprintf(network, sizeof(network), "198.51.%d.%d", i / 256, i % 256);
		suspects_add(&suspects, network, NOW);
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(network, sizeof(network), "203.0.%d.%d", i / 256, i % 256);
		known += suspects_find(&suspects, network, NOW, &here, &before);
	}
	assert_in_range(known, 0, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(nobody_is_suspect_before_a_wrong_try, start),
	    cmocka_unit_test_setup(counts_move_with_the_minutes_and_are_forgotten, start),
	    cmocka_unit_test_setup(a_count_goes_to_its_end_and_no_further, start),
	    cmocka_unit_test_setup(who_tries_often_stays_beside_many_who_try_once, start),
	    cmocka_unit_test_setup(strangers_are_not_taken_for_suspects, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
