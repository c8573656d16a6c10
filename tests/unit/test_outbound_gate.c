/* How many processes may be in a call of others at once: half of them, and those that died there do not count. */
#include <sys/mman.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/outbound_gate.h"

/* As another process would have it. */
static void
put(struct outbound_gate *g, int place, int32_t pid)
{
	atomic_store(&g->inside[place], pid);
}

static int
taken(const struct outbound_gate *g)
{
	int count = 0;

	for (int i = 0; i < OUTBOUND_GATE_MAX; i++)
		count += atomic_load(&g->inside[i]) != 0;
	return count;
}

static void
half_of_the_workers_may_enter_and_not_one_more(void **state)
{
	struct outbound_gate *g = calloc(1, sizeof(*g));

	(void)state;
	assert_non_null(g);
	put(g, 0, 100001);
	put(g, 1, 100002);
	assert_false(outbound_gate_enter(g, 4));
	assert_false(outbound_gate_enter(g, 5));
	assert_true(outbound_gate_enter(g, 6));
	assert_int_equal(taken(g), 3);
	free(g);
}

static void
one_may_always_enter(void **state)
{
	struct outbound_gate *g = calloc(1, sizeof(*g));

	(void)state;
	assert_non_null(g);
	for (uint32_t workers = 0; workers < 3; workers++) {
		assert_true(outbound_gate_enter(g, workers));
		outbound_gate_leave(g);
		put(g, 0, 100001);
		assert_false(outbound_gate_enter(g, workers));
		put(g, 0, 0);
	}
	free(g);
}

static void
who_is_inside_takes_one_place_however_often_it_enters(void **state)
{
	struct outbound_gate *g = calloc(1, sizeof(*g));

	(void)state;
	assert_non_null(g);
	assert_true(outbound_gate_enter(g, 2));
	assert_true(outbound_gate_enter(g, 2));
	assert_int_equal(taken(g), 1);
	outbound_gate_leave(g);
	assert_int_equal(taken(g), 0);
	outbound_gate_leave(g);
	assert_int_equal(taken(g), 0);
	free(g);
}

static void
leaving_and_forgetting_free_nobody_elses_place(void **state)
{
	struct outbound_gate *g = calloc(1, sizeof(*g));

	(void)state;
	assert_non_null(g);
	put(g, 0, 100001);
	put(g, 1, 100002);
	outbound_gate_leave(g);
	assert_int_equal(taken(g), 2);
	outbound_gate_forget(g, 100001);
	assert_int_equal(taken(g), 1);
	assert_int_equal(atomic_load(&g->inside[1]), 100002);
	free(g);
}

static void
there_are_no_more_places_than_the_table_has(void **state)
{
	struct outbound_gate *g = calloc(1, sizeof(*g));

	(void)state;
	assert_non_null(g);
	for (int i = 0; i < OUTBOUND_GATE_MAX; i++)
		put(g, i, 100001 + i);
	assert_false(outbound_gate_enter(g, UINT32_MAX));
	free(g);
}

/* In a child that tries as often as it can; its status says whether it was ever one too many. */
static int
contend(struct outbound_gate *g, uint32_t workers)
{
	int too_many = 0;

	for (int i = 0; i < 2000; i++) {
		if (outbound_gate_enter(g, workers)) {
			too_many |= taken(g) > (int)(workers / 2);
			outbound_gate_leave(g);
		}
	}
	return too_many;
}

static void
processes_that_come_at_once_are_never_more_than_half(void **state)
{
	enum { PROCESSES = 4 };
	struct outbound_gate *g =
	    mmap(NULL, sizeof(*g), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[PROCESSES];
	int status;

	(void)state;
	assert_ptr_not_equal(g, MAP_FAILED);
	for (int i = 0; i < PROCESSES; i++) {
		if ((pids[i] = fork()) == 0)
			_exit(contend(g, PROCESSES));
		assert_true(pids[i] > 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(taken(g), 0);
	munmap(g, sizeof(*g));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(half_of_the_workers_may_enter_and_not_one_more),
	    cmocka_unit_test(one_may_always_enter),
	    cmocka_unit_test(who_is_inside_takes_one_place_however_often_it_enters),
	    cmocka_unit_test(leaving_and_forgetting_free_nobody_elses_place),
	    cmocka_unit_test(there_are_no_more_places_than_the_table_has),
	    cmocka_unit_test(processes_that_come_at_once_are_never_more_than_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
