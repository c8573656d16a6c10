/* test_authorization.c: the token in an Authorization header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/access/authorization.h"

static struct buffer token;
static char user[AUTHORIZATION_USER];

static enum authorization_rc
parse(const char *header)
{
	buffer_free(&token);
	return authorization_parse(header, &token, user);
}

/* Basic with this "user:password". */
static enum authorization_rc
parse_basic(const char *both, size_t len)
{
	struct buffer header = {0};
	enum authorization_rc rc;

	buffer_append_string(&header, "Basic ");
	encoding_base64(octets_of(both, len), &header);
	rc = parse(buffer_string(&header));
	buffer_free(&header);
	return rc;
}

static void
token_is(const char *want)
{
	assert_true(octets_equal(buffer_octets(&token), octets_of_string(want)));
}

static void
bearer_is_the_token_itself(void **state)
{
	(void)state;
	assert_int_equal(parse("Bearer fscep_abc"), AUTHORIZATION_TOKEN);
	token_is("fscep_abc");
	assert_int_equal(parse("bEARER   fscep_abc  "), AUTHORIZATION_TOKEN);
	token_is("fscep_abc");
	assert_string_equal(user, "");
}

static void
bearer_without_a_token_or_with_two_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(parse("Bearer"), AUTHORIZATION_MALFORMED);
	assert_int_equal(parse("Bearer "), AUTHORIZATION_MALFORMED);
	assert_int_equal(parse("Bearer a b"), AUTHORIZATION_MALFORMED);
	assert_int_equal(parse("Bearera"), AUTHORIZATION_MALFORMED);
}

static void
basic_is_the_password_whatever_the_user(void **state)
{
	(void)state;
	assert_int_equal(parse_basic("jamf:tok:en", 11), AUTHORIZATION_TOKEN);
	token_is("tok:en");
	assert_string_equal(user, "jamf");
	assert_int_equal(parse_basic(":token", 6), AUTHORIZATION_TOKEN);
	token_is("token");
	assert_string_equal(user, "");
	assert_int_equal(parse_basic("user:", 5), AUTHORIZATION_TOKEN);
	token_is("");
}

static void
basic_without_a_colon_or_base64_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(parse_basic("token", 5), AUTHORIZATION_MALFORMED);
	assert_int_equal(parse("Basic"), AUTHORIZATION_MALFORMED);
	assert_int_equal(parse("Basic "), AUTHORIZATION_MALFORMED);
	assert_int_equal(parse("Basic !!!"), AUTHORIZATION_MALFORMED);
	assert_int_equal(token.len, 0);
}

static void
no_header_is_nobody_and_another_scheme_is_malformed(void **state)
{
	(void)state;
	assert_int_equal(parse(""), AUTHORIZATION_NONE);
	assert_int_equal(parse("  "), AUTHORIZATION_NONE);
	assert_int_equal(parse("NTLM TlRMTVNTUAABAAAA"), AUTHORIZATION_MALFORMED);
	assert_int_equal(parse("fscep_abc"), AUTHORIZATION_MALFORMED);
}

static void
a_header_over_the_limit_is_malformed(void **state)
{
	char header[AUTHORIZATION_MAX + 2] = "Bearer ";

	(void)state;
	memset(header + 7, 'a', AUTHORIZATION_MAX - 7);
	assert_int_equal(parse(header), AUTHORIZATION_TOKEN);
	header[AUTHORIZATION_MAX] = 'a';
	assert_int_equal(parse(header), AUTHORIZATION_MALFORMED);
}

static void
the_domain_of_a_user_is_taken_off_in_both_spellings(void **state)
{
	(void)state;
	assert_int_equal(parse_basic("CORP\\joe:t", 10), AUTHORIZATION_TOKEN);
	assert_string_equal(user, "CORP\\joe");
	token_is("t");
	authorization_plain_user(user);
	assert_string_equal(user, "joe");
	assert_int_equal(parse_basic("joe@corp.example:t", 18), AUTHORIZATION_TOKEN);
	authorization_plain_user(user);
	assert_string_equal(user, "joe");
	assert_int_equal(parse_basic("joe:t", 5), AUTHORIZATION_TOKEN);
	authorization_plain_user(user);
	assert_string_equal(user, "joe");
}

static void
a_user_is_cut_and_keeps_no_control_characters(void **state)
{
	char both[400];

	(void)state;
	assert_int_equal(parse_basic("a\nb\x1b[1m\0c:t", 11), AUTHORIZATION_TOKEN);
	assert_string_equal(user, "ab[1mc");
	memset(both, 'u', sizeof(both));
	memcpy(both + sizeof(both) - 2, ":t", 2);
	assert_int_equal(parse_basic(both, sizeof(both)), AUTHORIZATION_TOKEN);
	assert_int_equal(strlen(user), AUTHORIZATION_USER - 1);
	token_is("t");
}

static int
end(void **state)
{
	(void)state;
	buffer_free(&token);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bearer_is_the_token_itself),
	    cmocka_unit_test(bearer_without_a_token_or_with_two_is_malformed),
	    cmocka_unit_test(basic_is_the_password_whatever_the_user),
	    cmocka_unit_test(basic_without_a_colon_or_base64_is_malformed),
	    cmocka_unit_test(no_header_is_nobody_and_another_scheme_is_malformed),
	    cmocka_unit_test(a_header_over_the_limit_is_malformed),
	    cmocka_unit_test(the_domain_of_a_user_is_taken_off_in_both_spellings),
	    cmocka_unit_test(a_user_is_cut_and_keeps_no_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
