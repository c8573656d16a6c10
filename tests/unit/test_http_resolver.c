/* test_http_resolver.c: a name server that does not answer does not hold up a call beyond its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "outbound/http.h"

#define PATIENCE_S 20

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool released, asked, answered;

static void
wait_until(const bool *flag)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	while (!*flag && pthread_cond_timedwait(&changed, &mutex, &until) == 0)
		continue;
}

static void
set_flag(bool *flag)
{
	*flag = true;
	pthread_cond_broadcast(&changed);
}

/* In the place of libc's, for libcurl too: answers when the test says so. */
int
getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	(void)name;
	(void)service;
	(void)hints;
	*out = NULL;
	pthread_mutex_lock(&mutex);
	set_flag(&asked);
	wait_until(&released);
	set_flag(&answered);
	pthread_mutex_unlock(&mutex);
	return EAI_AGAIN;
}

static void
a_call_ends_while_its_name_is_looked_up_still(void **state)
{
	const struct http_request request = {.method = "GET",
	    .url = "https://nobody.example/",
	    .connect_timeout_ms = 200,
	    .timeout_ms = 200,
	    .response_max = 1024};
	struct http_response response;
	struct errbuf why = {0};
	struct http *h;
	enum http_rc rc;
	bool was_answered;

	(void)state;
	assert_true(http_open(&h, &why));
	rc = http_call(h, &request, &response, &why);
	pthread_mutex_lock(&mutex);
	was_answered = answered;
	set_flag(&released);
	if (asked)
		wait_until(&answered);
	pthread_mutex_unlock(&mutex);
	http_close(h);
	assert_true(asked);
	assert_false(was_answered);
	assert_int_equal(rc, HTTP_TIMED_OUT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_call_ends_while_its_name_is_looked_up_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
