/* test_operation.c: which profile a path names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fcgi-scep/operation.h"

static void
names(const char *path, const char *want)
{
	char name[65] = "untouched";

	if (!operation_profile_name(path, "standard", name))
		fail_msg("%s: names no profile, want %s", path, want);
	assert_string_equal(name, want);
}

static void
names_nothing(const char *path)
{
	char name[65];

	if (operation_profile_name(path, "standard", name))
		fail_msg("%s: names %s, want nothing", path, name);
}

static void
a_path_names_its_profile_with_and_without_a_program(void **state)
{
	(void)state;
	names("/scep/demo", "demo");
	names("/scep/demo/", "demo");
	names("/scep/demo/pkiclient.exe", "demo");
	names("/scep/demo/mscep.dll", "demo");
	names("/scep/De-mo_1.x", "De-mo_1.x");
}

static void
the_default_paths_name_the_default_profile(void **state)
{
	char name[65];

	(void)state;
	names("/scep", "standard");
	names("/scep/", "standard");
	names("/scep/pkiclient.exe", "standard");
	names("/cgi-bin/pkiclient.exe", "standard");
	names("/certsrv/mscep/mscep.dll", "standard");
	names("/CertSrv/mscep/MSCEP.dll", "standard");
	names("/certsrv/mscep", "standard");
	names("/certsrv/mscep/", "standard");
	names("/certsrv/mscep/pkiclient.exe", "standard");
	names_nothing("/certsrv/mscep_admin");
	names_nothing("/certsrv/mscep/other.dll");
	assert_true(operation_profile_name("/scep", "", name));
	assert_string_equal(name, "");
}

static void
a_program_name_appended_to_another_is_passed_over(void **state)
{
	char path[120];

	(void)state;
	names("/certsrv/mscep/mscep.dll/pkiclient.exe", "standard");
	names("/cgi-bin/pkiclient.exe/pkiclient.exe", "standard");
	names("/scep/demo/mscep.dll/pkiclient.exe", "demo");
	names("/scep/demo/mscep.dll/PKIClient.exe", "demo");
	names_nothing("/scep/demo/mscep.dll/pkiclient.exe/");
	names_nothing("/scep/demo/mscep.dll/pkiclient.exe/pkiclient.exe");
	names_nothing("/scep/demo/pkiclient.exe/mscep.dll");
	names_nothing("/scep/demo//pkiclient.exe");
	names_nothing("/pkiclient.exe");
	names_nothing("/cgi-bin/other.exe/pkiclient.exe");
	names_nothing("pkiclient.exe");
	snprintf(path, sizeof(path), "/scep/%064d/mscep.dll/pkiclient.exe", 1);
	names(path, "0000000000000000000000000000000000000000000000000000000000000001");
}

static void
other_paths_name_nothing(void **state)
{
	char path[100];

	(void)state;
	names_nothing("");
	names_nothing("/");
	names_nothing("/sce");
	names_nothing("/scepter");
	names_nothing("/scep//pkiclient.exe");
	names_nothing("/scep/demo/a/b");
	names_nothing("/scep/de mo");
	names_nothing("/scep/de%20mo");
	names_nothing("/scep/d\xc3\xa9mo");
	names_nothing("/scep/../demo");
	names_nothing("/cgi-bin/other.exe");
	snprintf(path, sizeof(path), "/scep/%064d", 1);
	names(path, path + 6);
	snprintf(path, sizeof(path), "/scep/%065d", 1);
	names_nothing(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_path_names_its_profile_with_and_without_a_program),
	    cmocka_unit_test(the_default_paths_name_the_default_profile),
	    cmocka_unit_test(a_program_name_appended_to_another_is_passed_over),
	    cmocka_unit_test(other_paths_name_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
