/* arguments.c: reading a command line by a table. */
#include "fcgi-admin/cli/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec *
find(const struct option_spec *specs, const char *name, size_t len)
{
	for (; specs->name != NULL; specs++)
		if (strlen(specs->name) == len && memcmp(specs->name, name, len) == 0)
			return specs;
	return NULL;
}

/* argv[*at] is an option: take it, and its value where that is the next word. */
static bool
take_option(const struct option_spec *specs, int argc, char *const *argv, int *at,
    struct arguments *out, struct errbuf *why)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct option_spec *spec = find(specs, name, len);

	if (spec == NULL) {
		errbuf_set(why, "--%.*s is not an option here: see --help", (int)len, name);
		return false;
	}
	if (spec->metavar == NULL && value != NULL) {
		errbuf_set(why, "--%s takes no value", spec->name);
		return false;
	}
	if (spec->metavar != NULL && value == NULL) {
		if (*at + 1 >= argc) {
			errbuf_set(why, "--%s wants a value: --%s %s", spec->name, spec->name,
			    spec->metavar);
			return false;
		}
		value = argv[++*at];
	}
	if (!spec->repeatable && spec->metavar != NULL && arguments_has(out, spec->name)) {
		errbuf_set(why, "--%s is given twice", spec->name);
		return false;
	}
	if (out->given_count == ARGUMENTS_GIVEN_MAX) {
		errbuf_set(why, "more than %d options", ARGUMENTS_GIVEN_MAX);
		return false;
	}
	out->given[out->given_count].name = spec->name;
	out->given[out->given_count++].value = value != NULL ? value : "";
	return true;
}

bool
arguments_parse(const struct option_spec *specs, int max_operands, int argc, char *const *argv,
    struct arguments *out, struct errbuf *why)
{
	bool options = true;

	memset(out, 0, sizeof(*out));
	for (int i = 0; i < argc; i++) {
		if (options && strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (options && strncmp(argv[i], "--", 2) == 0) {
			if (!take_option(specs, argc, argv, &i, out, why))
				return false;
		} else if (options && argv[i][0] == '-' && argv[i][1] != '\0') {
			errbuf_set(why, "%s is not an option here: see --help", argv[i]);
			return false;
		} else if (out->operand_count == max_operands ||
			   out->operand_count == ARGUMENTS_OPERANDS_MAX) {
			errbuf_set(why, "\"%s\" is one word too many: see --help", argv[i]);
			return false;
		} else {
			out->operands[out->operand_count++] = argv[i];
		}
	}
	return true;
}

const char *
arguments_nth(const struct arguments *a, const char *name, int n)
{
	for (int i = 0; i < a->given_count; i++)
		if (strcmp(a->given[i].name, name) == 0 && n-- == 0)
			return a->given[i].value;
	return NULL;
}

const char *
arguments_text(const struct arguments *a, const char *name)
{
	return arguments_nth(a, name, 0);
}

bool
arguments_has(const struct arguments *a, const char *name)
{
	return arguments_text(a, name) != NULL;
}

/* A decimal number at *text, which moves behind it. */
static bool
take_number(const char **text, int64_t *out)
{
	char *end;
	long long n;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	n = strtoll(*text, &end, 10);
	if (errno != 0)
		return false;
	*text = end;
	*out = n;
	return true;
}

bool
arguments_number(const struct arguments *a, const char *name, int64_t least, int64_t most,
    int64_t *out, struct errbuf *why)
{
	const char *text = arguments_text(a, name), *at = text;
	int64_t n;

	if (text == NULL)
		return true;
	if (!take_number(&at, &n) || *at != '\0' || n < least || n > most) {
		errbuf_set(why, "--%s: have \"%s\", want %lld to %lld", name, text,
		    (long long)least, (long long)most);
		return false;
	}
	*out = n;
	return true;
}

bool
arguments_duration(const struct arguments *a, const char *name, int64_t *out, struct errbuf *why)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	const char *text = arguments_text(a, name), *at = text;
	int64_t n;

	if (text == NULL)
		return true;
	if (take_number(&at, &n) && at[0] != '\0' && at[1] == '\0' && n <= INT32_MAX)
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (*at == units[i].unit) {
				*out = n * units[i].seconds;
				return true;
			}
	errbuf_set(
	    why, "--%s: have \"%s\", want a number and a unit: 90s, 60m, 12h, 30d", name, text);
	return false;
}

bool
arguments_choice(const struct arguments *a, const char *name, const char *word0, const char *word1,
    int *out, struct errbuf *why)
{
	const char *text = arguments_text(a, name);

	if (text == NULL)
		return true;
	if (strcmp(text, word0) != 0 && strcmp(text, word1) != 0) {
		errbuf_set(why, "--%s: have \"%s\", want %s or %s", name, text, word0, word1);
		return false;
	}
	*out = strcmp(text, word1) == 0;
	return true;
}

bool
arguments_yes_no(const struct arguments *a, const char *name, int *out, struct errbuf *why)
{
	return arguments_choice(a, name, "no", "yes", out, why);
}
