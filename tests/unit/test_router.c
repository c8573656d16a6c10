/* test_router.c: from method and path to a route. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "fcgi-admin/router.h"

static void
nothing(struct call *c)
{
	(void)c;
}

static const struct route routes[] = {
    {"GET", "/api/v1/things", 0, 0, nothing},
    {"POST", "/api/v1/things", 0, 0, nothing},
    {"GET PUT", "/api/v1/things/{id}", 0, 0, nothing},
    {"PATCH", "/api/v1/things/{id}/parts/{part}", 0, 0, nothing},
    {"GET", "/certsrv/{one}/Admin", 0, ROUTE_ANY_CASE, nothing},
    {0},
};

static char captures[CALL_CAPTURES][CALL_CAPTURE_SIZE];
static char allow[128];

static const struct route *
find(const char *method, const char *path)
{
	return router_find(routes, method, path, captures, allow);
}

static void
a_path_is_matched_whole(void **state)
{
	(void)state;
	assert_ptr_equal(find("GET", "/api/v1/things"), &routes[0]);
	assert_null(find("GET", "/api/v1/things/"));
	assert_null(find("GET", "/api/v1/thing"));
	assert_null(find("GET", "/api/v1/thingsx"));
	assert_null(find("GET", "/API/v1/things"));
	assert_null(find("GET", ""));
	assert_string_equal(allow, "");
}

static void
the_method_tells_routes_of_one_path_apart(void **state)
{
	(void)state;
	assert_ptr_equal(find("POST", "/api/v1/things"), &routes[1]);
	assert_ptr_equal(find("PUT", "/api/v1/things/7"), &routes[2]);
}

static void
a_method_that_no_route_has_gets_the_list_of_those_that_do(void **state)
{
	(void)state;
	assert_null(find("DELETE", "/api/v1/things"));
	assert_string_equal(allow, "GET, HEAD, POST");
	assert_null(find("GE", "/api/v1/things"));
	assert_null(find("get", "/api/v1/things"));
	assert_null(find("", "/api/v1/things"));
}

static void
head_goes_where_get_goes_and_nowhere_else(void **state)
{
	(void)state;
	assert_ptr_equal(find("HEAD", "/api/v1/things"), &routes[0]);
	assert_null(find("HEAD", "/api/v1/things/1/parts/2"));
	assert_string_equal(allow, "PATCH");
}

static void
a_segment_is_captured_up_to_the_next_slash(void **state)
{
	(void)state;
	assert_ptr_equal(find("GET", "/api/v1/things/a.b-c"), &routes[2]);
	assert_string_equal(captures[0], "a.b-c");
	assert_ptr_equal(find("PATCH", "/api/v1/things/one/parts/two"), &routes[3]);
	assert_string_equal(captures[0], "one");
	assert_string_equal(captures[1], "two");
}

static void
an_empty_or_an_overlong_segment_fits_nothing(void **state)
{
	char path[400] = "/api/v1/things/";
	size_t start = strlen(path);

	(void)state;
	assert_null(find("GET", path));
	assert_null(find("PATCH", "/api/v1/things//parts/x"));
	memset(path + start, 'a', CALL_CAPTURE_SIZE - 1);
	assert_ptr_equal(find("GET", path), &routes[2]);
	path[start + CALL_CAPTURE_SIZE - 1] = 'a';
	assert_null(find("GET", path));
}

static void
a_path_that_is_spelled_in_any_case_keeps_what_is_captured_as_it_is(void **state)
{
	(void)state;
	assert_ptr_equal(find("GET", "/certsrv/De-Mo/admin"), &routes[4]);
	assert_string_equal(captures[0], "De-Mo");
	assert_ptr_equal(find("GET", "/CertSRV/x/ADMIN"), &routes[4]);
	assert_null(find("GET", "/certsrv/x/admin/"));
	assert_null(find("GET", "/certsrv/x/adm!n"));
	assert_null(find("GET", "/API/v1/things"));
}

static void
what_scrapers_ask_for_leads_to_a_challenge_in_any_case_and_with_a_slash_or_none(void **state)
{
	static const char *const paths[] = {"/scep/mdm/challenge", "/scep/mdm/mscep_admin",
	    "/scep/mdm/mscep_admin/", "/scep/mdm/MSCEP_Admin/", "/scep/mdm/challenge.html",
	    "/scep/challenge", "/scep/mscep_admin", "/scep/mscep_admin/", "/scep/challenge.html",
	    "/certsrv/mscep_admin", "/certsrv/mscep_admin/", "/CertSrv/mscep_admin/"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_non_null(router_find(router_routes, "GET", paths[i], captures, allow));
		assert_non_null(router_find(router_routes, "POST", paths[i], captures, allow));
		assert_null(router_find(router_routes, "PUT", paths[i], captures, allow));
	}
	assert_null(router_find(router_routes, "GET", "/certsrv/mscep_admin//", captures, allow));
	assert_null(router_find(router_routes, "GET", "/certsrv/challenge", captures, allow));
}

static void
every_route_of_the_program_that_asks_for_a_role_asks_for_https(void **state)
{
	(void)state;
	for (const struct route *r = router_routes; r->pattern != NULL; r++)
		assert_true(r->roles == 0 || (r->flags & ROUTE_HTTPS) != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_path_is_matched_whole),
	    cmocka_unit_test(the_method_tells_routes_of_one_path_apart),
	    cmocka_unit_test(a_method_that_no_route_has_gets_the_list_of_those_that_do),
	    cmocka_unit_test(head_goes_where_get_goes_and_nowhere_else),
	    cmocka_unit_test(a_segment_is_captured_up_to_the_next_slash),
	    cmocka_unit_test(an_empty_or_an_overlong_segment_fits_nothing),
	    cmocka_unit_test(a_path_that_is_spelled_in_any_case_keeps_what_is_captured_as_it_is),
	    cmocka_unit_test(
		what_scrapers_ask_for_leads_to_a_challenge_in_any_case_and_with_a_slash_or_none),
	    cmocka_unit_test(every_route_of_the_program_that_asks_for_a_role_asks_for_https),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
