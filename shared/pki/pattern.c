/*
 * pattern.c: expressions run as sets of states (Thompson's construction).
 *
 * A program is a list of steps.  Jumps are relative, so that a part of the program can be moved and copied as it is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "pki/pattern_program.h"

/* Reading: where it is, and what is wrong (NULL: nothing yet). */
struct reader {
	struct pattern *p;
	const char *start, *at, *end;
	const char *wrong;
};

static bool
fail(struct reader *r, const char *wrong)
{
	if (r->wrong == NULL)
		r->wrong = wrong;
	return false;
}

/* Room for count steps at the place at. */
static bool
make_room(struct reader *r, int at, int count)
{
	struct pattern *p = r->p;

	if (count > PATTERN_PROGRAM_MAX - p->step_count)
		return fail(r, "too long with its repetitions written out");
	memmove(p->steps + at + count, p->steps + at,
	    sizeof(p->steps[0]) * (size_t)(p->step_count - at));
	p->step_count += count;
	return true;
}

static bool
add_step(struct reader *r, struct step s)
{
	if (!make_room(r, r->p->step_count, 1))
		return false;
	r->p->steps[r->p->step_count - 1] = s;
	return true;
}

/* ---- brackets --------------------------------------------------------------------------------------------------------------- */

static bool
add_range(struct reader *r, uint32_t first, uint32_t last)
{
	struct pattern *p = r->p;

	if (last < first)
		return fail(r, "a range whose end is before its start");
	if (p->range_count == RANGES_MAX)
		return fail(r, "too many ranges");
	p->ranges[p->range_count++] = (struct range){first, last};
	return true;
}

/* [:name:] of ASCII; r->at is behind "[:". */
static bool
read_class(struct reader *r)
{
	static const struct {
		const char *name;
		struct range ranges[4];
	} classes[] = {
	    {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
	    {"digit", {{'0', '9'}}},
	    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
	    {"upper", {{'A', 'Z'}}},
	    {"lower", {{'a', 'z'}}},
	    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
	    {"space", {{'\t', '\r'}, {' ', ' '}}},
	    {"blank", {{'\t', '\t'}, {' ', ' '}}},
	    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
	    {"print", {{' ', '~'}}},
	    {"graph", {{'!', '~'}}},
	    {"cntrl", {{1, 0x1f}, {0x7f, 0x7f}}},
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		size_t len = strlen(classes[i].name);

		if (strncmp(r->at, classes[i].name, len) != 0 || strncmp(r->at + len, ":]", 2) != 0)
			continue;
		r->at += len + 2;
		for (int k = 0; k < 4 && classes[i].ranges[k].last != 0; k++)
			if (!add_range(r, classes[i].ranges[k].first, classes[i].ranges[k].last))
				return false;
		return true;
	}
	return fail(r, "a class that is not one of [:alpha:] [:digit:] [:alnum:] [:upper:] "
		       "[:lower:] [:xdigit:] [:space:] [:blank:] [:punct:] [:print:] [:graph:] "
		       "[:cntrl:]");
}

/* One character or range, or a class. */
static bool
read_bracket_item(struct reader *r)
{
	uint32_t first, last;

	if (strncmp(r->at, "[:", 2) == 0) {
		r->at += 2;
		return read_class(r);
	}
	if (strncmp(r->at, "[=", 2) == 0 || strncmp(r->at, "[.", 2) == 0)
		return fail(r, "[= =] and [. .] are not known here");
	first = last = pattern_next_character(&r->at, r->end);
	if (r->at[0] == '-' && r->at + 1 < r->end && r->at[1] != ']') {
		r->at++;
		if (r->at[0] == '[' && r->at[1] != '\0' && strchr(":=.", r->at[1]) != NULL)
			return fail(r, "a range that ends in a class");
		last = pattern_next_character(&r->at, r->end);
	}
	return add_range(r, first, last);
}

/* r->at is behind "[". */
static bool
read_bracket(struct reader *r)
{
	int first = r->p->range_count;
	struct step s = {.kind = STEP_SET, .argument = (uint32_t)first};
	const char *start;

	if (r->at < r->end && *r->at == '^') {
		s.kind = STEP_OTHER;
		r->at++;
	}
	for (start = r->at; r->at < r->end && (*r->at != ']' || r->at == start);)
		if (!read_bracket_item(r))
			return false;
	if (r->at == r->end)
		return fail(r, "a [ without its ]");
	r->at++;
	s.count = (uint16_t)(r->p->range_count - first);
	return add_step(r, s);
}

/* ---- repetition ------------------------------------------------------------------------------------------------------------- */

/* Append a copy of len steps at from. */
static bool
copy(struct reader *r, int from, int len)
{
	struct pattern *p = r->p;

	if (!make_room(r, p->step_count, len))
		return false;
	memcpy(p->steps + p->step_count - len, p->steps + from, sizeof(p->steps[0]) * (size_t)len);
	return true;
}

/* What is from the place at to the end: as often as one likes, or, with once, not at all. */
static bool
make_optional(struct reader *r, int at, bool once)
{
	struct pattern *p = r->p;
	int len = p->step_count - at;

	if (!make_room(r, at, 1))
		return false;
	p->steps[at] = (struct step){.kind = STEP_SPLIT, .jump = (int16_t)(len + (once ? 1 : 2))};
	return once || add_step(r, (struct step){.kind = STEP_JUMP, .jump = (int16_t) - (len + 1)});
}

/* What is from the place at to the end, least to most times (most -1: any number). */
static bool
repeat(struct reader *r, int at, int least, int most)
{
	struct pattern *p = r->p;
	int len = p->step_count - at, last = at;

	if (most == 0) {
		p->step_count = at;
		return true;
	}
	for (int i = 1; i < least; i++) {
		last = p->step_count;
		if (!copy(r, at, len))
			return false;
	}
	if (most < 0) {
		if (least == 0)
			return make_optional(r, at, false);
		/* Of the last copy: behind it, back to it or on. */
		return add_step(r, (struct step){.kind = STEP_SPLIT, .jump = 2}) &&
		       add_step(r, (struct step){
				       .kind = STEP_JUMP, .jump = (int16_t)(last - p->step_count)});
	}
	if (least == 0) {
		if (!make_optional(r, at, true))
			return false;
		for (int i = 1; i < most; i++)
			if (!copy(r, at, len + 1))
				return false;
		return true;
	}
	for (int i = least; i < most; i++) {
		last = p->step_count;
		if (!copy(r, at, len) || !make_optional(r, last, true))
			return false;
	}
	return true;
}

/* Digits up to PATTERN_REPEAT_MAX. */
static bool
read_count(struct reader *r, int *out)
{
	if (r->at == r->end || *r->at < '0' || *r->at > '9')
		return fail(r, "a { that is none of {m}, {m,} and {m,n}");
	for (*out = 0; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++)
		if ((*out = *out * 10 + (*r->at - '0')) > PATTERN_REPEAT_MAX)
			return fail(r, "a repetition over 255 times");
	return true;
}

/* r->at is behind "{". */
static bool
read_interval(struct reader *r, int *least, int *most)
{
	if (!read_count(r, least))
		return false;
	*most = *least;
	if (r->at < r->end && *r->at == ',') {
		r->at++;
		*most = -1;
		if (r->at < r->end && *r->at != '}' && !read_count(r, most))
			return false;
	}
	if (r->at == r->end || *r->at != '}')
		return fail(r, "a { that is none of {m}, {m,} and {m,n}");
	r->at++;
	if (*most >= 0 && *most < *least)
		return fail(r, "a repetition whose end is before its start");
	return true;
}

/* The repetition that may follow what is from the place at to the end. */
static bool
read_repetition(struct reader *r, int at)
{
	int least = 1, most = 1;

	if (r->at == r->end || strchr("*+?{", *r->at) == NULL)
		return true;
	switch (*r->at++) {
	case '*':
		least = 0;
		most = -1;
		break;
	case '+':
		most = -1;
		break;
	case '?':
		least = 0;
		break;
	default:
		if (!read_interval(r, &least, &most))
			return false;
		break;
	}
	if (r->at < r->end && strchr("*+?{", *r->at) != NULL)
		return fail(r, "two repetitions in a row");
	return repeat(r, at, least, most);
}

/* ---- expressions ------------------------------------------------------------------------------------------------------------ */

static bool read_alternatives(struct reader *r, int depth);

/* A character by itself, or what has a meaning. */
static bool
read_atom(struct reader *r, int depth)
{
	switch (*r->at) {
	case '(':
		r->at++;
		if (!read_alternatives(r, depth + 1))
			return false;
		if (r->at == r->end)
			return fail(r, "a ( without its )");
		r->at++;
		return true;
	case '[':
		r->at++;
		return read_bracket(r);
	case '.':
		r->at++;
		return add_step(r, (struct step){.kind = STEP_ANY});
	case '\\':
		r->at++;
		if (r->at == r->end || strchr(".[]\\()*+?{}|^$/-", *r->at) == NULL)
			return fail(r, "a backslash before what has no meaning by itself (there "
				       "are no back-references, \\d or \\w here)");
		break;
	case '*':
	case '+':
	case '?':
	case '{':
		return fail(r, "a repetition of nothing");
	case '^':
	case '$':
		return fail(r, "^ other than at the start, or $ other than at the end");
	case ')':
		return fail(r, "a ) without its (");
	default:
		break;
	}
	return add_step(r, (struct step){.kind = STEP_CHARACTER,
			       .argument = pattern_next_character(&r->at, r->end)});
}

/* Up to "|", ")" or the end. */
static bool
read_branch(struct reader *r, int depth)
{
	const char *start = r->at;

	while (r->at < r->end && *r->at != '|' && (*r->at != ')' || depth == 0)) {
		int at = r->p->step_count;

		if (!read_atom(r, depth) || !read_repetition(r, at))
			return false;
	}
	return r->at > start || fail(r, "an empty alternative or group");
}

/* Up to ")" or the end.  How deep it goes is bounded by the text's length. */
static bool
read_alternatives(struct reader *r, int depth)
{
	struct pattern *p = r->p;
	int start = p->step_count, before;

	if (!read_branch(r, depth))
		return false;
	while (r->at < r->end && *r->at == '|') {
		r->at++;
		/* A split before what there is, and behind it a jump over the branch to come. */
		if (!make_room(r, start, 1) || !add_step(r, (struct step){.kind = STEP_JUMP}))
			return false;
		before = p->step_count;
		p->steps[start] =
		    (struct step){.kind = STEP_SPLIT, .jump = (int16_t)(before - start)};
		if (!read_branch(r, depth))
			return false;
		p->steps[before - 1].jump = (int16_t)(p->step_count - before + 1);
	}
	return true;
}

static size_t
pattern_size(int steps)
{
	return sizeof(struct pattern) + sizeof(struct step) * (size_t)steps;
}

/* Without what holds the whole value anyway: "^" at the start, and "$" at the end unless it is behind a backslash. */
static void
drop_anchors(struct reader *r)
{
	const char *p;

	if (*r->at == '^')
		r->at++;
	if (r->end == r->at || r->end[-1] != '$')
		return;
	for (p = r->end - 1; p > r->at && p[-1] == '\\';)
		p--;
	if ((r->end - 1 - p) % 2 == 0)
		r->end--;
}

bool
pattern_compile(const char *text, struct pattern **out, struct errbuf *why)
{
	size_t len = strlen(text);
	struct reader r = {.start = text, .at = text, .end = text + len};
	struct pattern *whole;

	*out = NULL;
	if (len == 0 || len > PATTERN_TEXT_MAX || !encoding_is_utf8(octets_of_string(text))) {
		errbuf_set(why, "want UTF-8 of 1 to %d octets", PATTERN_TEXT_MAX);
		return false;
	}
	if ((r.p = calloc(1, pattern_size(PATTERN_PROGRAM_MAX))) == NULL) {
		errbuf_set(why, "out of memory");
		return false;
	}
	drop_anchors(&r);
	if (!read_alternatives(&r, 0) || !add_step(&r, (struct step){.kind = STEP_END})) {
		errbuf_set(why, "%s, at character %d", r.wrong, (int)(r.at - r.start) + 1);
		free(r.p);
		return false;
	}
	*out = r.p;
	if ((whole = realloc(r.p, pattern_size(r.p->step_count))) != NULL)
		*out = whole;
	return true;
}

void
pattern_free(struct pattern *p)
{
	free(p);
}
