/* field_fixture.h: a CSR's names, rules for them, and what comes out: each test program its own. */
#ifndef UNIT_FIELD_FIXTURE_H
#define UNIT_FIELD_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "pki/fields.h"
#include "pki/name.h"

static struct csr csr;
static struct buffer asked_subject, asked_san, subject, san, out;
static struct errbuf why, text;
static struct field_rule rule[8];
static struct field_rules rules = {.rules = rule};
static struct field_value given[8];
static int given_count;
static struct pattern *patterns[8];
static int pattern_count;

static inline int
reset(void **state)
{
	struct buffer *all[] = {&asked_subject, &asked_san, &subject, &san, &out};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		buffer_free(all[i]);
	while (pattern_count > 0)
		pattern_free(patterns[--pattern_count]);
	memset(&csr, 0, sizeof(csr));
	rules = (struct field_rules){.rules = rule};
	given_count = 0;
	return 0;
}

static inline void
ask(const char *name, const char *names)
{
	buffer_free(&asked_subject);
	buffer_free(&asked_san);
	assert_true(name_from_text(name, &asked_subject, &why));
	assert_true(san_from_text(names, &asked_san, &why));
	csr.subject = buffer_octets(&asked_subject);
	csr.san = buffer_octets(&asked_san);
}

static inline void
give(const char *type, const char *value)
{
	snprintf(given[given_count].type, sizeof(given[0].type), "%s", type);
	snprintf(given[given_count++].value, sizeof(given[0].value), "%s", value);
}

static inline struct field_rule *
add(const char *type, enum field_source source)
{
	struct field_rule *r = &rule[rules.count++];

	*r = (struct field_rule){.source = source};
	snprintf(r->type, sizeof(r->type), "%s", type);
	return r;
}

static inline struct pattern *
compile(const char *expression)
{
	assert_true(pattern_compile(expression, &patterns[pattern_count], &why));
	return patterns[pattern_count++];
}

static inline enum field_rc
apply(void)
{
	buffer_free(&subject);
	buffer_free(&san);
	memset(&why, 0, sizeof(why));
	memset(&text, 0, sizeof(text));
	return fields_apply(&rules, &csr, given, given_count, &subject, &san, &why, &text);
}

static inline void
assert_refused(const char *expected)
{
	assert_int_equal(apply(), FIELD_REFUSED);
	assert_string_equal(text.line, expected);
	assert_non_null(strstr(why.line, expected));
	assert_int_equal(subject.len + san.len, 0);
}

static inline void
assert_given(const char *name, const char *names)
{
	if (apply() != FIELD_OK)
		fail_msg("%s", why.line);
	buffer_free(&out);
	assert_true(name_to_text(buffer_octets(&subject), &out));
	assert_string_equal(buffer_string(&out), name);
	buffer_free(&out);
	if (san.len > 0)
		assert_true(san_to_text(buffer_octets(&san), &out));
	assert_string_equal(buffer_string(&out), names);
}

#endif
