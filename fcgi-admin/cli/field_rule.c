/* field_rule.c: field rules, and what goes with them, as options and as a profile shows them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/profile.h"

/* ---- one rule --------------------------------------------------------------------------------------------------------------- */

static bool
is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncmp(text, word, len) == 0;
}

/* NAME=N; false: it is something else. */
static bool
take_length(const char *text, size_t len, const char *name, int64_t *out)
{
	size_t name_len = strlen(name);
	char *end;
	long n;

	if (len <= name_len || len > name_len + 9 || strncmp(text, name, name_len) != 0 ||
	    text[name_len] < '0' || text[name_len] > '9')
		return false;
	n = strtol(text + name_len, &end, 10);
	if (end != text + len)
		return false;
	*out = n;
	return true;
}

/* required, multiple, source=, min= or max=. */
static bool
take_word(const char *text, size_t len, struct field_row *f)
{
	if (is_word(text, len, "required"))
		f->required = true;
	else if (is_word(text, len, "multiple"))
		f->multiple = true;
	else if (is_word(text, len, "source=manual"))
		snprintf(f->source, sizeof(f->source), "manual");
	else if (is_word(text, len, "source=scepRequest"))
		snprintf(f->source, sizeof(f->source), "scepRequest");
	else
		return take_length(text, len, "min=", &f->min_length) ||
		       take_length(text, len, "max=", &f->max_length);
	return true;
}

static bool
take_value(const char *name, const char *text, size_t len, char *out, size_t size,
    const struct field_row *f, struct errbuf *why)
{
	if (len == 0 || len >= size) {
		errbuf_set(why, "--field: the %s of %s is empty or too long", name, f->type);
		return false;
	}
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

/* A pattern has commas of its own: it goes on up to the words at its end that are options. */
static bool
take_pattern(const char *text, struct field_row *f, struct errbuf *why)
{
	size_t len = strlen(text);

	for (size_t at = len; at > 0; at--) {
		if (text[at - 1] != ',')
			continue;
		if (!take_word(text + at, len - at, f))
			break;
		len = at - 1;
	}
	return take_value("pattern", text, len, f->pattern, sizeof(f->pattern), f, why);
}

bool
field_rule_read(const char *text, struct field_row *f, struct errbuf *why)
{
	size_t len = strcspn(text, ",");

	memset(f, 0, sizeof(*f));
	snprintf(f->source, sizeof(f->source), "scepRequest");
	if (len == 0 || len >= sizeof(f->type)) {
		errbuf_set(why, "--field: \"%s\" names no field", text);
		return false;
	}
	memcpy(f->type, text, len);
	for (text += len; *text == ','; text += len) {
		text++;
		len = strcspn(text, ",");
		if (strncmp(text, "fixed=", 6) == 0) {
			if (strcmp(f->source, "manual") == 0) {
				errbuf_set(why, "--field: %s: fixed or manual", f->type);
				return false;
			}
			snprintf(f->source, sizeof(f->source), "fixed");
			return take_value("value", text + 6, strlen(text + 6), f->value,
			    sizeof(f->value), f, why);
		}
		if (strncmp(text, "pattern=", 8) == 0)
			return take_pattern(text + 8, f, why);
		if (!take_word(text, len, f)) {
			errbuf_set(why,
			    "--field: have \"%.*s\", want required, multiple, source=manual, "
			    "source=scepRequest, min=N, max=N, pattern=RE or fixed=VALUE",
			    (int)len, text);
			return false;
		}
	}
	return true;
}

/* ---- the options of a profile ----------------------------------------------------------------------------------------------- */

static bool
read_fields(const struct arguments *a, struct profile_wanted *w, struct errbuf *why)
{
	int count = 0;

	if (arguments_has(a, "no-fields") && arguments_has(a, "field")) {
		errbuf_set(why, "--field and --no-fields: one of them");
		return false;
	}
	for (const char *text; (text = arguments_nth(a, "field", count)) != NULL; count++) {
		if (count == PROFILE_FIELDS_MAX) {
			errbuf_set(why, "--field: at most %d", PROFILE_FIELDS_MAX);
			return false;
		}
		if (!field_rule_read(text, &w->fields[count], why))
			return false;
	}
	if (count > 0 || arguments_has(a, "no-fields")) {
		w->change.fields = w->fields;
		w->change.field_count = count;
	}
	return true;
}

/* A date, or none: validity-days again. */
static bool
read_not_after(const struct arguments *a, int64_t *out, struct errbuf *why)
{
	const char *text = arguments_text(a, "not-after");

	if (text == NULL)
		return true;
	if (strcmp(text, "none") == 0) {
		*out = 0;
		return true;
	}
	if (cli_read_time(text, out) && *out > 0)
		return true;
	errbuf_set(
	    why, "--not-after: have \"%s\", want 2027-06-30, 2027-06-30T12:00:00Z or none", text);
	return false;
}

bool
profile_rules_read(const struct arguments *a, struct profile_wanted *w, struct errbuf *why)
{
	struct manage_profile_change *c = &w->change;

	c->duplicates = arguments_text(a, "duplicates");
	return read_fields(a, w, why) && read_not_after(a, &c->not_after, why) &&
	       arguments_yes_no(a, "microsoft-sid", &c->microsoft_sid, why) &&
	       arguments_yes_no(a, "microsoft-template", &c->microsoft_template, why) &&
	       arguments_yes_no(a, "unique-keys", &c->unique_keys, why) &&
	       arguments_duration(a, "duplicate-grace", &c->duplicate_grace_s, why);
}

/* ---- shown ------------------------------------------------------------------------------------------------------------------ */

json_t *
field_rules_json(const struct ra_profile_row *p)
{
	json_t *all = json_array();

	for (int i = 0; i < p->field_count; i++) {
		const struct field_row *f = &p->fields[i];

		json_array_append_new(
		    all, json_pack("{s:i,s:s,s:b,s:b,s:s,s:o,s:o,s:I,s:I}", "number", i + 1, "type",
			     f->type, "required", f->required, "multiple", f->multiple, "source",
			     f->source, "value", cli_json_text(f->value), "pattern",
			     cli_json_text(f->pattern), "minLength", (json_int_t)f->min_length,
			     "maxLength", (json_int_t)f->max_length));
	}
	return all;
}

void
profile_rules_set_json(const struct manage_profile *p, json_t *scep, json_t *ra)
{
	json_object_set_new(scep, "duplicates", json_string(p->scep.duplicates));
	json_object_set_new(scep, "duplicateGrace", json_integer(p->scep.duplicate_grace_s));
	json_object_set_new(scep, "uniqueKeys", json_boolean(p->scep.unique_keys));
	json_object_set_new(ra, "notAfter", cli_json_time(p->ra.not_after));
	json_object_set_new(ra, "microsoftSid", json_boolean(p->ra.microsoft_sid));
	json_object_set_new(ra, "microsoftTemplate", json_boolean(p->ra.microsoft_template));
	json_object_set_new(ra, "fields", field_rules_json(&p->ra));
}

void
profile_rules_print(const struct manage_profile *p)
{
	char time[ENCODING_TIME_SIZE];

	if (p->ra.not_after != 0) {
		encoding_time(p->ra.not_after, time);
		printf("not after         %s\n", time);
	}
	for (int i = 0; i < p->ra.field_count; i++) {
		struct buffer line = {0};

		buffer_append_string(&line, "field             ");
		manage_field_text(&p->ra.fields[i], &line);
		cli_print_line(&line);
	}
	printf("Microsoft SID     %s\n", p->ra.microsoft_sid ? "copied" : "not copied");
	printf("MS templates      %s\n", p->ra.microsoft_template ? "copied" : "not copied");
	printf("duplicates        %s", p->scep.duplicates);
	if (strcmp(p->scep.duplicates, "replace") == 0)
		printf("d: the older is revoked in %" PRId64 " s at the latest",
		    p->scep.duplicate_grace_s);
	printf("\nunique keys       %s\n",
	    p->scep.unique_keys ? "one subject for each public key" : "no");
}
