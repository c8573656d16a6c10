#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/encoding.h"
#include "scep/query.h"

static void
assert_operation(const char *text, enum scep_operation want)
{
	struct scep_query q;
	struct errbuf why = {0};

	if (!scep_query_parse(text, &q, &why))
		fail_msg("%s: %s", text, why.line);
	if (q.operation != want)
		fail_msg("%s: have %d, want %d", text, q.operation, want);
}

static void
assert_refused(const char *text, const char *words)
{
	struct scep_query q;
	struct errbuf why = {0};

	memset(&q, 0xff, sizeof(q));
	assert_false(scep_query_parse(text, &q, &why));
	if (strstr(why.line, words) == NULL)
		fail_msg("have \"%s\", want \"%s\" in it", why.line, words);
	assert_int_equal(q.operation, SCEP_OP_NONE);
	assert_false(q.has_message);
}

static void
operations_are_matched_without_regard_to_case(void **state)
{
	(void)state;
	assert_operation("operation=GetCACaps", SCEP_OP_GET_CA_CAPS);
	assert_operation("operation=getcacaps", SCEP_OP_GET_CA_CAPS);
	assert_operation("Operation=GETCACERT", SCEP_OP_GET_CA_CERT);
	assert_operation("OPERATION=GetNextCACert", SCEP_OP_GET_NEXT_CA_CERT);
	assert_operation("operation=PKIOperation", SCEP_OP_PKI_OPERATION);
	assert_operation("%6fperation=%50KIOperation", SCEP_OP_PKI_OPERATION);
	assert_operation("operation=GetCACaps%00", SCEP_OP_UNKNOWN);
	assert_operation("operation=GetCACaps+", SCEP_OP_UNKNOWN);
	assert_operation("operation=GetCACap", SCEP_OP_UNKNOWN);
	assert_operation("operation=", SCEP_OP_UNKNOWN);
	assert_operation("operation", SCEP_OP_UNKNOWN);
}

static void
no_operation_is_told_from_an_unknown_one(void **state)
{
	(void)state;
	assert_operation(NULL, SCEP_OP_NONE);
	assert_operation("", SCEP_OP_NONE);
	assert_operation("&", SCEP_OP_NONE);
	assert_operation("&&=&", SCEP_OP_NONE);
	assert_operation("message=x", SCEP_OP_NONE);
	assert_operation("xoperation=GetCACaps", SCEP_OP_NONE);
	assert_operation("operation%00=GetCACaps", SCEP_OP_NONE);
	assert_operation("operation=Get", SCEP_OP_UNKNOWN);
}

static void
an_operation_is_kept_as_printable_text(void **state)
{
	struct scep_query q;
	char longer[300];

	(void)state;
	assert_true(scep_query_parse("operation=a%0D%0Ab%c3%bc", &q, NULL));
	assert_string_equal(q.operation_text, "a??b??");
	strcpy(longer, "operation=");
	memset(longer + 10, 'x', 200);
	longer[210] = '\0';
	assert_true(scep_query_parse(longer, &q, NULL));
	assert_int_equal(strlen(q.operation_text), sizeof(q.operation_text) - 1);
	assert_int_equal(q.operation, SCEP_OP_UNKNOWN);
}

static void
parameters_come_in_any_order_with_unknown_ones_among_them(void **state)
{
	static const char *const queries[] = {"operation=PKIOperation&message=MIIB%2B",
	    "message=MIIB%2B&operation=PKIOperation",
	    "x=1&Message=MIIB%2B&y&=z&operation=PKIOperation&w=%zz",
	    "&message=MIIB%2B&&operation=PKIOperation&"};
	struct errbuf why = {0};
	struct scep_query q;

	(void)state;
	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		if (!scep_query_parse(queries[i], &q, &why))
			fail_msg("%s", why.line);
		assert_int_equal(q.operation, SCEP_OP_PKI_OPERATION);
		assert_true(q.has_message);
		assert_true(octets_equal(q.message, octets_of_string("MIIB%2B")));
	}
}

static void
a_message_may_be_empty_or_missing(void **state)
{
	struct scep_query q;

	(void)state;
	assert_true(scep_query_parse("operation=GetCACaps&message=", &q, NULL));
	assert_true(q.has_message);
	assert_int_equal(q.message.len, 0);
	assert_true(scep_query_parse("message&operation=GetCACaps", &q, NULL));
	assert_true(q.has_message);
	assert_int_equal(q.message.len, 0);
	assert_true(scep_query_parse("operation=GetCACaps", &q, NULL));
	assert_false(q.has_message);
	assert_true(scep_query_parse("message=a=b=&operation=GetCACaps", &q, NULL));
	assert_true(octets_equal(q.message, octets_of_string("a=b=")));
}

static void
a_parameter_twice_is_refused(void **state)
{
	(void)state;
	assert_refused("operation=GetCACaps&operation=GetCACaps", "operation is there twice");
	assert_refused("operation=&operation=GetCACaps", "operation is there twice");
	assert_refused("message=&Message=", "message is there twice");
	assert_refused("message=a&operation=PKIOperation&m%65ssage=b", "message is there twice");
	assert_operation("x=1&x=2&operation=GetCACaps", SCEP_OP_GET_CA_CAPS);
}

static void
a_broken_escape_in_a_name_or_the_operation_is_refused(void **state)
{
	(void)state;
	assert_refused("operation=Get%", "broken %-escape in operation");
	assert_refused("operation=Get%4", "broken %-escape in operation");
	assert_refused("operation=Get%4gx", "broken %-escape in operation");
	assert_refused("opera%tion=x", "broken %-escape in a parameter's name");
	assert_refused("%", "broken %-escape in a parameter's name");
	/* An escape does not reach over the end of its parameter. */
	assert_refused("operation=Get%4&1=x", "broken %-escape in operation");
	assert_operation("operation=GetCACaps&message=%", SCEP_OP_GET_CA_CAPS);
}

/* ---- messages ----------------------------------------------------------------------------------------------------------------- */

static void
assert_decodes(const char *text, const char *want)
{
	struct buffer out = {0};
	struct errbuf why = {0};
	bool too_long = true;

	if (!scep_query_message(octets_of_string(text), 1000, &out, &too_long, &why))
		fail_msg("%s: %s", text, why.line);
	if (!octets_equal(buffer_octets(&out), octets_of_string(want)))
		fail_msg("%s: not \"%s\"", text, want);
	assert_false(too_long);
	buffer_free(&out);
}

static void
assert_no_message(const char *text)
{
	struct buffer out = {0};
	struct errbuf why = {0};
	bool too_long = true;

	buffer_append_string(&out, "before");
	if (scep_query_message(octets_of_string(text), 1000, &out, &too_long, &why))
		fail_msg("%s: decoded", text);
	assert_string_not_equal(why.line, "");
	assert_false(too_long);
	assert_true(octets_equal(buffer_octets(&out), octets_of_string("before")));
	buffer_free(&out);
}

static void
padding_may_be_missing(void **state)
{
	(void)state;
	assert_decodes("QQ==", "A");
	assert_decodes("QQ", "A");
	assert_decodes("QUI=", "AB");
	assert_decodes("QUI", "AB");
	assert_decodes("QUJD", "ABC");
	assert_decodes("QUJDRA%3d%3D", "ABCD");
}

static void
padding_that_does_not_fit_is_refused(void **state)
{
	(void)state;
	assert_no_message("QQ=");
	assert_no_message("QQ===");
	assert_no_message("QUI==");
	assert_no_message("QUJD=");
	assert_no_message("QUJD====");
	assert_no_message("Q");
	assert_no_message("Q===");
	assert_no_message("QUJDQ");
	assert_no_message("QQ==QQ==");
	assert_no_message("=");
	assert_no_message("====");
}

static void
plus_and_slash_come_in_every_guise(void **state)
{
	static const char *const guises[] = {
	    "++//", "%2B%2b%2F%2f", "  //", "%20+//", "--__", "-+/_", "%2d%2D%5f_"};

	(void)state;
	for (size_t i = 0; i < sizeof(guises) / sizeof(guises[0]); i++)
		assert_decodes(guises[i], "\xfb\xef\xff");
}

static void
line_ends_are_skipped(void **state)
{
	(void)state;
	assert_decodes("QU%0AJD%0a", "ABC");
	assert_decodes("QU%0D%0AJD%0D%0A", "ABC");
	assert_decodes("\nQQ=\n=\n", "A");
	assert_no_message("QU%09JD");
	assert_no_message("QU%00JD");
	assert_no_message("%0A");
	assert_no_message("QQ==%20");
}

static void
anything_else_is_refused(void **state)
{
	static const char *const bad[] = {"", "%", "QUJD%", "QUJD%4", "QUJD%4", "QUJD%zz", "QUJD*",
	    "QUJD%25", "QUJ\xff", "<html>", "QUJD.", "QU,D"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_no_message(bad[i]);
}

static void
the_limit_is_in_decoded_octets(void **state)
{
	static const size_t limits[] = {1, 2, 3, 509, 510, 511, 512, 513, 1535, 1536, 5000};
	uint8_t octets[5001];

	(void)state;
	memset(octets, 0xa5, sizeof(octets));
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct buffer text = {0}, out = {0};
		bool too_long = true;

		encoding_base64(octets_of(octets, limits[i]), &text);
		assert_true(
		    scep_query_message(buffer_octets(&text), limits[i], &out, &too_long, NULL));
		assert_false(too_long);
		assert_true(octets_equal(buffer_octets(&out), octets_of(octets, limits[i])));
		buffer_free(&text);
		out.len = 0;
		encoding_base64(octets_of(octets, limits[i] + 1), &text);
		assert_false(
		    scep_query_message(buffer_octets(&text), limits[i], &out, &too_long, NULL));
		assert_true(too_long);
		assert_int_equal(out.len, 0);
		buffer_free(&text);
		buffer_free(&out);
	}
}

static void
a_message_is_appended_and_counted_from_there(void **state)
{
	struct buffer out = {0};
	bool too_long;

	(void)state;
	buffer_append_string(&out, "before");
	assert_true(scep_query_message(octets_of_string("QUJD"), 3, &out, &too_long, NULL));
	assert_true(octets_equal(buffer_octets(&out), octets_of_string("beforeABC")));
	buffer_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(operations_are_matched_without_regard_to_case),
	    cmocka_unit_test(no_operation_is_told_from_an_unknown_one),
	    cmocka_unit_test(an_operation_is_kept_as_printable_text),
	    cmocka_unit_test(parameters_come_in_any_order_with_unknown_ones_among_them),
	    cmocka_unit_test(a_message_may_be_empty_or_missing),
	    cmocka_unit_test(a_parameter_twice_is_refused),
	    cmocka_unit_test(a_broken_escape_in_a_name_or_the_operation_is_refused),
	    cmocka_unit_test(padding_may_be_missing),
	    cmocka_unit_test(padding_that_does_not_fit_is_refused),
	    cmocka_unit_test(plus_and_slash_come_in_every_guise),
	    cmocka_unit_test(line_ends_are_skipped),
	    cmocka_unit_test(anything_else_is_refused),
	    cmocka_unit_test(the_limit_is_in_decoded_octets),
	    cmocka_unit_test(a_message_is_appended_and_counted_from_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
