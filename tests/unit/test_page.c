/* test_page.c: NDES' page, read as scrapers read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <regex.h>
#include <string.h>

#include "fcgi-admin/dialect/page.h"

#define VALUE "0123456789ABCDEF0123456789ABCDEF"

static struct buffer page;

static const char *
write_page(enum page_kind kind, int64_t expiry_s)
{
	const struct page_facts facts = {.challenge = VALUE,
	    .thumbprint = "A656FA66 AB12B433 A2DA5CF7 CC153D9A",
	    .expiry_s = expiry_s};

	buffer_free(&page);
	page_write(kind, &facts, &page);
	assert_non_null(buffer_string(&page));
	return buffer_string(&page);
}

/* What the first group of the first match is; "" where nothing matches. */
static const char *
first(const char *pattern, int flags, const char *text)
{
	static char found[64];
	regmatch_t at[2];
	regex_t compiled;

	found[0] = '\0';
	assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED | flags), 0);
	if (regexec(&compiled, text, 2, at, 0) == 0) {
		size_t len = (size_t)(at[1].rm_eo - at[1].rm_so);

		assert_true(len < sizeof(found));
		memcpy(found, text + at[1].rm_so, len);
		found[len] = '\0';
	}
	regfree(&compiled);
	return found;
}

static void
each_pattern_that_scrapers_use_finds_the_challenge_and_nothing_else(void **state)
{
	static const struct {
		const char *pattern;
		int flags;
	} scrapers[] = {
	    {"The enrollment challenge password is: <B> ([^ ]*)", REG_ICASE},
	    {"challenge password is: <B> ([A-Z0-9]{16,32}) </B>", 0},
	    {"<B> ([a-zA-Z0-9_-]+) </B>", 0},
	};
	const char *text = write_page(PAGE_CHALLENGE, 3600);

	(void)state;
	for (size_t i = 0; i < sizeof(scrapers) / sizeof(scrapers[0]); i++)
		assert_string_equal(first(scrapers[i].pattern, scrapers[i].flags, text), VALUE);
	/* Nor does a longer run of what may be in a challenge stand anywhere else. */
	text = strstr(text, VALUE);
	assert_string_equal(first("([A-Z0-9]{9,})", 0, text + sizeof(VALUE) - 1), "");
}

static void
the_words_are_spaced_as_ndes_spaces_them(void **state)
{
	const char *text = write_page(PAGE_CHALLENGE, 3600);

	(void)state;
	assert_non_null(strstr(text,
	    "The thumbprint (hash value) for the CA certificate is: <B> A656FA66 AB12B433 "
	    "A2DA5CF7 CC153D9A </B> <P> The enrollment challenge password is: <B> " VALUE
	    " </B> <P> This password can be used only once and will expire within 60 minutes."));
	assert_null(strpbrk(text, "\r\n\t"));
	for (size_t i = 0; i < page.len; i++)
		assert_true(page.data[i] >= ' ' && page.data[i] < 0x7f);
}

static void
the_time_is_told_in_minutes_and_never_as_none(void **state)
{
	(void)state;
	assert_non_null(strstr(write_page(PAGE_CHALLENGE, 86400), "within 1440 minutes."));
	assert_non_null(strstr(write_page(PAGE_CHALLENGE, 119), "within 1 minutes."));
	assert_non_null(strstr(write_page(PAGE_CHALLENGE, 1), "within 1 minutes."));
}

static void
a_full_or_a_denied_page_has_its_words_and_no_challenge(void **state)
{
	const char *text = write_page(PAGE_FULL, 0);

	(void)state;
	assert_non_null(strstr(text, "The password cache is full."));
	assert_null(strstr(text, "<B>"));
	text = write_page(PAGE_DENIED, 0);
	assert_non_null(strstr(text,
	    "You do not have sufficient permission to enroll with SCEP.  Please contact your "
	    "system administrator."));
	assert_null(strstr(text, "<B>"));
	assert_null(strstr(text, "cache is full"));
}

static void
utf16_is_little_endian_without_a_mark(void **state)
{
	struct buffer wide = {0};

	(void)state;
	page_utf16(octets_of_string("<B> A"), &wide);
	assert_int_equal(wide.len, 10);
	assert_memory_equal(wide.data, "<\0B\0>\0 \0A\0", 10);
	buffer_free(&wide);
}

static void
a_thumbprint_comes_in_groups_that_are_no_challenge(void **state)
{
	char text[PAGE_THUMBPRINT_SIZE];

	(void)state;
	assert_true(page_thumbprint(octets_of_string("abc"), text));
	assert_string_equal(text, "90015098 3CD24FB0 D6963F7D 28E17F72");
}

static int
tear_down(void **state)
{
	(void)state;
	buffer_free(&page);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_pattern_that_scrapers_use_finds_the_challenge_and_nothing_else),
	    cmocka_unit_test(the_words_are_spaced_as_ndes_spaces_them),
	    cmocka_unit_test(the_time_is_told_in_minutes_and_never_as_none),
	    cmocka_unit_test(a_full_or_a_denied_page_has_its_words_and_no_challenge),
	    cmocka_unit_test(utf16_is_little_endian_without_a_mark),
	    cmocka_unit_test(a_thumbprint_comes_in_groups_that_are_no_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
