#include <inttypes.h>
#include <string.h>

#include "base/settings.h"
#include "base/settings_table.h"

/* The value of t as a user would write it. */
static void
value_of(const struct settings *s, const struct setting *t, char out[SETTINGS_TEXT])
{
	static const char *const levels[] = {"debug", "info", "warning", "error"};
	const char *at = (const char *)s + t->at;
	int64_t number;

	switch (t->kind) {
	case SETTING_NUMBER:
	case SETTING_OCTAL:
		memcpy(&number, at, sizeof(number));
		snprintf(out, SETTINGS_TEXT, t->kind == SETTING_OCTAL ? "%04" PRIo64 : "%" PRId64,
		    number);
		return;
	case SETTING_LOG_FORMAT:
		snprintf(out, SETTINGS_TEXT, "%s", s->log_json ? "json" : "kv");
		return;
	case SETTING_LOG_LEVEL:
		snprintf(out, SETTINGS_TEXT, "%s", levels[s->log_level]);
		return;
	case SETTING_PATH:
	case SETTING_SOCKET:
	case SETTING_NAME:
	case SETTING_URL:
	case SETTING_RATES:
	case SETTING_HOSTS:
	case SETTING_NETWORKS:
		break;
	}
	snprintf(out, SETTINGS_TEXT, "%s", at);
}

static const char *
or_dash(const char *text)
{
	return *text == '\0' ? "-" : text;
}

static int
widen(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

static void
print_table(const struct settings *s, FILE *out)
{
	char value[SETTINGS_TEXT];
	int name = 4, has = 5, fallback = 7, unit = 4;

	for (const struct setting *t = settings_table; t->name != NULL; t++) {
		value_of(s, t, value);
		name = widen(name, t->name);
		has = widen(has, value);
		fallback = widen(fallback, t->fallback);
		unit = widen(unit, t->unit);
	}
	fprintf(out, "%-*s  %-*s  %-*s  %-*s  MEANING\n", name, "NAME", has, "VALUE", fallback,
	    "DEFAULT", unit, "UNIT");
	for (const struct setting *t = settings_table; t->name != NULL; t++) {
		value_of(s, t, value);
		fprintf(out, "%-*s  %-*s  %-*s  %-*s  %s\n", name, t->name, has, or_dash(value),
		    fallback, or_dash(t->fallback), unit, or_dash(t->unit), t->meaning);
	}
}

/* Quoted where a shell or systemd would read it otherwise. */
static void
print_env(const struct settings *s, FILE *out)
{
	char value[SETTINGS_TEXT];

	for (const struct setting *t = settings_table; t->name != NULL; t++) {
		value_of(s, t, value);
		if (strpbrk(value, " \"'\\$`#;&|<>()*?[]{}~!") == NULL) {
			fprintf(out, "%s=%s\n", t->name, value);
			continue;
		}
		fprintf(out, "%s=\"", t->name);
		for (const char *c = value; *c != '\0'; c++)
			fprintf(out, strchr("\"\\$`", *c) != NULL ? "\\%c" : "%c", *c);
		fprintf(out, "\"\n");
	}
}

/* A text without control characters, as all of these are. */
static void
print_json_member(FILE *out, const char *key, const char *text, const char *after)
{
	fprintf(out, "\"%s\": \"", key);
	for (; *text != '\0'; text++)
		fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	fprintf(out, "\"%s", after);
}

static void
print_json(const struct settings *s, FILE *out)
{
	char value[SETTINGS_TEXT];

	fprintf(out, "[\n");
	for (const struct setting *t = settings_table; t->name != NULL; t++) {
		value_of(s, t, value);
		fprintf(out, "  {");
		print_json_member(out, "name", t->name, ", ");
		print_json_member(out, "value", value, ", ");
		print_json_member(out, "default", t->fallback, ", ");
		print_json_member(out, "unit", t->unit, ", ");
		print_json_member(out, "meaning", t->meaning, t[1].name == NULL ? "}\n" : "},\n");
	}
	fprintf(out, "]\n");
}

static void
print_limits(const struct setting *t, FILE *out)
{
	if (t->kind == SETTING_NUMBER)
		fprintf(out, "%" PRId64 " to %" PRId64, t->least, t->most);
	else if (t->kind == SETTING_OCTAL)
		fprintf(out, "%04" PRIo64 " to %04" PRIo64, t->least, t->most);
}

static void
print_markdown(FILE *out)
{
	fprintf(
	    out, "| name | default | unit | limits | meaning |\n| --- | --- | --- | --- | --- |\n");
	for (const struct setting *t = settings_table; t->name != NULL; t++) {
		fprintf(out, "| `%s` | ", t->name);
		if (t->credential != NULL)
			fprintf(out, "`$CREDENTIALS_DIRECTORY/%s` if there, else ", t->credential);
		if (*t->fallback == '\0')
			fprintf(out, "none");
		else
			fprintf(out, "`%s`", t->fallback);
		fprintf(out, " | %s | ", t->unit);
		print_limits(t, out);
		fprintf(out, " | %s |\n", t->meaning);
	}
}

void
settings_print(const struct settings *s, enum settings_format format, FILE *out)
{
	switch (format) {
	case SETTINGS_TABLE:
		print_table(s, out);
		return;
	case SETTINGS_ENV:
		print_env(s, out);
		return;
	case SETTINGS_JSON:
		print_json(s, out);
		return;
	case SETTINGS_MARKDOWN:
		print_markdown(out);
		return;
	}
}
