/* test_pattern.c: which values an expression matches, and which expressions there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "pki/pattern.h"

static bool
matches(const char *expression, const char *value)
{
	struct errbuf why = {0};
	struct pattern *p;
	bool ok;

	if (!pattern_compile(expression, &p, &why))
		fail_msg("%s: %s", expression, why.line);
	ok = pattern_matches(p, octets_of_string(value));
	pattern_free(p);
	return ok;
}

static void
a_whole_value_matches_or_none_of_it_does(void **state)
{
	static const struct {
		const char *expression, *yes[4], *no[5];
	} cases[] = {
	    {"abc", {"abc"}, {"", "ab", "abcd", "xabc", "ABC"}},
	    {"^abc$", {"abc"}, {"xabc", "abcd"}},
	    {"a.c",
		{"abc",
		    "a\xc3\xa4"
		    "c",
		    "a.c"},
		{"ac", "abbc"}},
	    {"a*", {"", "a", "aaaa"}, {"b", "aab"}},
	    {"a+", {"a", "aa"}, {"", "ab"}},
	    {"a?b", {"b", "ab"}, {"aab", "a"}},
	    {"a|bc|d", {"a", "bc", "d"}, {"abc", "ac", "b", ""}},
	    {"(ab|c)+d", {"abd", "ccabd"}, {"d", "abcab", "acd"}},
	    {"x{3}", {"xxx"}, {"xx", "xxxx"}},
	    {"x{2,}", {"xx", "xxxxx"}, {"x", ""}},
	    {"x{2,4}", {"xx", "xxx", "xxxx"}, {"x", "xxxxx"}},
	    {"x{0,2}y", {"y", "xy", "xxy"}, {"xxxy"}},
	    {"x{0}y", {"y"}, {"xy"}},
	    {"(a|b){2}c{1,2}", {"abc", "bbcc"}, {"abbc", "ac", "abccc"}},
	    {"(a*)*b", {"b", "aaab"}, {"a", "ba"}},
	    {"(a?){3}a{3}", {"aaa", "aaaaaa"}, {"aa", "aaaaaaa"}},
	    {"[a-c]x", {"ax", "cx"}, {"dx", "x"}},
	    {"[^a-c]x", {"dx", "\xc3\xa4x"}, {"ax", "x"}},
	    {"[]x-]", {"]", "x", "-"}, {"", "a"}},
	    {"[^]]", {"a"}, {"]"}},
	    {"[[:alpha:]_][[:alnum:]]*", {"a1", "_"}, {"1a", "\xc3\xa4"}},
	    {"[[:upper:][:digit:]-]+", {"A-9"}, {"a", ""}},
	    {"[\xc3\xa4-\xc3\xbc]", {"\xc3\xb6"}, {"o", "\xc3\x9f"}},
	    {"\\.\\*\\$\\\\", {".*$\\"}, {"a*$\\"}},
	    {"a\\$", {"a$"}, {"a"}},
	    {"a\\\\$", {"a\\"}, {"a\\$"}},
	    {"host-[0-9]{1,3}\\.example\\.org", {"host-12.example.org"},
		{"host-1234.example.org", "host-12xexample.org"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int k = 0; k < 4 && cases[i].yes[k] != NULL; k++)
			if (!matches(cases[i].expression, cases[i].yes[k]))
				fail_msg("%s does not match \"%s\"", cases[i].expression,
				    cases[i].yes[k]);
		for (int k = 0; k < 5 && cases[i].no[k] != NULL; k++)
			if (matches(cases[i].expression, cases[i].no[k]))
				fail_msg("%s matches \"%s\"", cases[i].expression, cases[i].no[k]);
	}
}

static void
what_is_no_expression_is_refused(void **state)
{
	static const char *const bad[][2] = {
	    {"", "1 to 255"},
	    {"\xff", "UTF-8"},
	    {"(a", "without its )"},
	    {"a)(", "without its ("},
	    {"[a", "without its ]"},
	    {"[", "without its ]"},
	    {"[b-a]", "before its start"},
	    {"[[:letter:]]", "class"},
	    {"[[=a=]]", "not known"},
	    {"[a-[:digit:]]", "ends in a class"},
	    {"*a", "nothing"},
	    {"a|*b", "nothing"},
	    {"a**", "in a row"},
	    {"a+{2}", "in a row"},
	    {"a|", "empty"},
	    {"|a", "empty"},
	    {"()", "empty"},
	    {"^$", "empty"},
	    {"a^b", "other than at the start"},
	    {"(^a)", "other than at the start"},
	    {"a$b", "$ other than at the end"},
	    {"(a)\\1", "back-references"},
	    {"\\d", "\\d"},
	    {"a\\", "backslash"},
	    {"a{", "{m}"},
	    {"a{x}", "{m}"},
	    {"a{1", "{m}"},
	    {"a{1,2", "{m}"},
	    {"a{256}", "255"},
	    {"a{2,1}", "before its start"},
	    {"((a{100}){100}){100}", "too long"},
	    {"(((((a{2,255}){2,255}){2,255}){2,255}){2,255})", "too long"},
	};
	char longest[PATTERN_TEXT_MAX + 2];
	struct pattern *p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct errbuf why = {0};

		if (pattern_compile(bad[i][0], &p, &why))
			fail_msg("%s is an expression", bad[i][0]);
		assert_null(p);
		if (strstr(why.line, bad[i][1]) == NULL)
			fail_msg("%s: have \"%s\", want something of \"%s\"", bad[i][0], why.line,
			    bad[i][1]);
	}
	memset(longest, 'a', sizeof(longest));
	longest[PATTERN_TEXT_MAX] = '\0';
	assert_true(pattern_compile(longest, &p, NULL));
	pattern_free(p);
	longest[PATTERN_TEXT_MAX] = 'a';
	longest[PATTERN_TEXT_MAX + 1] = '\0';
	assert_false(pattern_compile(longest, &p, NULL));
	memset(longest, '(', 127);
	memset(longest + 128, ')', 127);
	longest[255] = '\0';
	assert_true(pattern_compile(longest, &p, NULL));
	pattern_free(p);
}

static void
a_value_that_is_not_utf8_matches_nothing(void **state)
{
	struct pattern *p;

	(void)state;
	assert_true(pattern_compile(".*", &p, NULL));
	assert_true(pattern_matches(p, octets_of("a", 1)));
	assert_true(pattern_matches(p, octets_of(NULL, 0)));
	assert_false(pattern_matches(p, octets_of("\xff", 1)));
	assert_false(pattern_matches(p, octets_of("a\xc3", 2)));
	pattern_free(p);
}

/* Expressions that keep others busy for longer than anybody waits: were that so here, the test would not end. */
static void
expressions_that_are_slow_elsewhere_end(void **state)
{
	static const char *const slow[] = {"(a*)*b", "(a|aa)+b", "(a|a)*b", "(.*)*(.*)*(.*)*b",
	    "(a|b)*a(a|b){200}", "((a?){30}){30}b", "(([a-z])+.)+[A-Z]([a-z])+"};
	char value[2049];

	(void)state;
	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++)
		assert_int_equal(matches(slow[i], value), strstr(slow[i], "{200}") != NULL);
}

/* Every expression of a few characters, against libc's, on every short value. */
static void
short_expressions_mean_what_they_do_in_libc(void **state)
{
	static const char letters[] = "ab.*+?|()[]^{1,}";
	static const char *const values[] = {
	    "", "a", "b", "aa", "ab", "ba", "bb", "aab", "aba", "bab"};
	char expression[6] = "", anchored[16];
	int compared = 0;

	(void)state;
	for (unsigned n = 0; n < 16 * 16 * 16 * 16; n++) {
		struct pattern *p;
		regex_t libc;

		snprintf(expression, sizeof(expression), "%c%c%c%c", letters[n & 15],
		    letters[n >> 4 & 15], letters[n >> 8 & 15], letters[n >> 12 & 15]);
		if (!pattern_compile(expression, &p, NULL))
			continue;
		snprintf(anchored, sizeof(anchored), "^(%s)$", expression);
		if (regcomp(&libc, anchored, REG_EXTENDED | REG_NOSUB) != 0)
			fail_msg("%s is none in libc", expression);
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			bool here = pattern_matches(p, octets_of_string(values[i]));

			if (here != (regexec(&libc, values[i], 0, NULL, 0) == 0))
				fail_msg("%s %s \"%s\"", expression,
				    here ? "matches" : "does not match", values[i]);
			compared++;
		}
		regfree(&libc);
		pattern_free(p);
	}
	assert_true(compared > 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_value_matches_or_none_of_it_does),
	    cmocka_unit_test(what_is_no_expression_is_refused),
	    cmocka_unit_test(a_value_that_is_not_utf8_matches_nothing),
	    cmocka_unit_test(expressions_that_are_slow_elsewhere_end),
	    cmocka_unit_test(short_expressions_mean_what_they_do_in_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
