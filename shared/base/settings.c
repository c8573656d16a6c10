#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/octets.h"
#include "base/settings.h"
#include "base/settings_table.h"

#define SOCKET_PATH_MAX                                                                            \
	95 /* the kernel takes 107; a new socket is bound under a longer name first */
#define LINE_MAX_OCTETS 1024
#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

/* What was given for each entry of the table; "" where nothing was. */
struct given {
	char value[SETTINGS_COUNT][SETTINGS_TEXT];
};

static char *
text_at(struct settings *s, const struct setting *t)
{
	return (char *)s + t->at;
}

static bool
is_path(const char *value)
{
	return *value != '\0';
}

/* unix:/path or tcp:host:port; an IPv6 address stands in brackets. */
static bool
is_socket(const char *value)
{
	const char *host, *colon;
	char *end;
	long port;

	if (strncmp(value, "unix:", 5) == 0)
		return value[5] != '\0' && strlen(value + 5) <= SOCKET_PATH_MAX;
	if (strncmp(value, "tcp:", 4) != 0)
		return false;
	host = value + 4;
	if ((colon = strrchr(host, ':')) == NULL || colon == host ||
	    !isdigit((unsigned char)colon[1]))
		return false;
	if (*host == '[' ? colon[-1] != ']' : memchr(host, ':', (size_t)(colon - host)) != NULL)
		return false;
	port = strtol(colon + 1, &end, 10);
	return *end == '\0' && port >= 1 && port <= 65535;
}

static bool
is_name(const char *value)
{
	for (; *value != '\0'; value++)
		if (!isalnum((unsigned char)*value) && strchr("-_.", *value) == NULL)
			return false;
	return true;
}

/* A scheme and a host, with neither blanks nor what would end a quoted string where the URL is put. */
static bool
is_url(const char *value)
{
	size_t scheme = strncmp(value, "http://", 7) == 0    ? 7
			: strncmp(value, "https://", 8) == 0 ? 8
							     : 0;

	return scheme > 0 && value[scheme] != '\0' && value[scheme] != '/' &&
	       strpbrk(value, " \"'<>\\`{}") == NULL;
}

/* 1 to 1000000 in decimal digits at text; NULL for anything else, or what stands behind. */
static const char *
skip_rate(const char *text)
{
	size_t len = strspn(text, "0123456789");
	long n = len >= 1 && len <= 7 ? strtol(text, NULL, 10) : 0;

	return n >= 1 && n <= 1000000 ? text + len : NULL;
}

/* Is the name that begins at name also that of an earlier word, in any case?  nginx/render could tell them apart, people cannot. */
static bool
is_named_before(const char *value, const char *name, size_t len)
{
	for (const char *word = value; word < name; word += strcspn(word, " ")) {
		word += strspn(word, " ");
		if (word < name && strncasecmp(word, name, len) == 0 && word[len] == '=')
			return true;
	}
	return false;
}

static bool
is_rates(const char *value)
{
	const char *at = value + strspn(value, " ");

	while (*at != '\0') {
		const char *name = at;
		size_t len = strcspn(at, "= ");

		if (len == 0 || len > 64 || name[len] != '=' || is_named_before(value, name, len))
			return false;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)name[i]) && strchr("-_.", name[i]) == NULL)
				return false;
		if ((at = skip_rate(name + len + 1)) == NULL || *at != ':' ||
		    (at = skip_rate(at + 1)) == NULL || (*at != '\0' && *at != ' '))
			return false;
		at += strspn(at, " ");
	}
	return true;
}

/* Does fits() hold for each of the words that commas separate? */
static bool
each_word_is(const char *value, bool (*fits)(const char *word))
{
	char word[SETTINGS_TEXT];
	size_t len;

	for (;; value += len + 1) {
		len = strcspn(value, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, value);
		if (!fits(word))
			return false;
		if (value[len] == '\0')
			return true;
	}
}

static bool
is_host(const char *word)
{
	return *word != '\0' && *word != '.' && *word != '-' &&
	       strspn(word, HOST_CHARACTERS) == strlen(word);
}

static bool
is_hosts(const char *value)
{
	return each_word_is(value, is_host);
}

/* As nginx's set_real_ip_from takes it. */
static bool
is_network(const char *word)
{
	char address[SETTINGS_TEXT];
	uint8_t octets[16];
	size_t len = strcspn(word, "/"), digits;
	int most;

	snprintf(address, sizeof(address), "%.*s", (int)len, word);
	if (inet_pton(AF_INET, address, octets) == 1)
		most = 32;
	else if (inet_pton(AF_INET6, address, octets) == 1)
		most = 128;
	else
		return false;
	if (word[len] == '\0')
		return true;
	digits = strspn(word + len + 1, "0123456789");
	return digits >= 1 && digits <= 3 && word[len + 1 + digits] == '\0' &&
	       strtol(word + len + 1, NULL, 10) <= most;
}

static bool
is_networks(const char *value)
{
	return each_word_is(value, is_network);
}

static bool
set_text(struct settings *s, const struct setting *t, const char *value, struct errbuf *why)
{
	static const struct {
		bool (*fits)(const char *);
		const char *want;
	} texts[] = {
	    [SETTING_PATH] = {is_path, "a path"},
	    [SETTING_SOCKET] = {is_socket,
		"unix:/path (of at most 95 characters) or tcp:host:port"},
	    [SETTING_NAME] = {is_name, "letters, digits, '-', '_' and '.'"},
	    [SETTING_URL] = {is_url, "http://host or https://host"},
	    [SETTING_RATES] = {is_rates, "PROFILE=RATE:BURST, separated by spaces, each profile "
					 "once, numbers from 1 to 1000000"},
	    [SETTING_HOSTS] = {is_hosts, "names of hosts, comma-separated"},
	    [SETTING_NETWORKS] = {is_networks, "addresses or address/bits, comma-separated"},
	};
	char *text = text_at(s, t);
	size_t len = strlen(value);

	if (*value != '\0' && !texts[t->kind].fits(value)) {
		errbuf_set(why, "%s: have \"%s\", want %s", t->name, value, texts[t->kind].want);
		return false;
	}
	memcpy(text, value, len + 1);
	while (t->kind == SETTING_URL && len > 0 && text[len - 1] == '/')
		text[--len] = '\0';
	return true;
}

static bool
set_number(struct settings *s, const struct setting *t, const char *value, struct errbuf *why)
{
	bool octal = t->kind == SETTING_OCTAL;
	char *end;
	long long n;

	errno = 0;
	n = strtoll(value, &end, octal ? 8 : 10);
	if (!isdigit((unsigned char)*value) || *end != '\0' || errno != 0 || n < t->least ||
	    n > t->most) {
		errbuf_set(why,
		    octal ? "%s: have \"%s\", want %04llo to %04llo"
			  : "%s: have \"%s\", want %lld to %lld",
		    t->name, value, (long long)t->least, (long long)t->most);
		return false;
	}
	*(int64_t *)(void *)text_at(s, t) = n;
	return true;
}

/* The index of value among count words; -1 and why where it is none of them. */
static int
choose(const struct setting *t, const char *value, const char *const *words, int count,
    struct errbuf *why)
{
	for (int i = 0; i < count; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	errbuf_set(why, "%s: have \"%s\", want one of %s", t->name, value, t->unit);
	return -1;
}

static bool
set_value(struct settings *s, const struct setting *t, const char *value, struct errbuf *why)
{
	static const char *const formats[] = {"kv", "json"};
	static const char *const levels[] = {"debug", "info", "warning", "error"};
	int i;

	switch (t->kind) {
	case SETTING_NUMBER:
	case SETTING_OCTAL:
		return set_number(s, t, value, why);
	case SETTING_LOG_FORMAT:
		i = choose(t, value, formats, 2, why);
		s->log_json = i == 1;
		return i >= 0;
	case SETTING_LOG_LEVEL:
		i = choose(t, value, levels, 4, why);
		s->log_level = i < 0 ? LOG_LEVEL_INFO : (enum log_level)i;
		return i >= 0;
	case SETTING_PATH:
	case SETTING_SOCKET:
	case SETTING_NAME:
	case SETTING_URL:
	case SETTING_RATES:
	case SETTING_HOSTS:
	case SETTING_NETWORKS:
		break;
	}
	return set_text(s, t, value, why);
}

/* The default with STATE replaced, or a credential that is there. */
static bool
set_fallback(struct settings *s, const struct setting *t, struct errbuf *why)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	const char *state = strstr(t->fallback, "STATE/");
	char value[2 * SETTINGS_TEXT];
	int n = -1;

	if (t->credential != NULL && dir != NULL && *dir != '\0') {
		n = snprintf(value, sizeof(value), "%s/%s", dir, t->credential);
		if (access(value, F_OK) != 0)
			n = -1;
	}
	if (n < 0 && state != NULL)
		n = snprintf(value, sizeof(value), "%.*s%s/%s", (int)(state - t->fallback),
		    t->fallback, s->state_dir, state + 6);
	else if (n < 0)
		n = snprintf(value, sizeof(value), "%s", t->fallback);
	if (n >= SETTINGS_TEXT) {
		errbuf_set(why, "%s: have a default of %d characters, want <= %d", t->name, n,
		    SETTINGS_TEXT - 1);
		return false;
	}
	return set_value(s, t, value, why);
}

/* Keep value for the entry t.  Control characters would break the lines of what prints it. */
static bool
give(struct given *g, const struct setting *t, const char *value, struct errbuf *why)
{
	size_t len = strlen(value);

	if (len >= SETTINGS_TEXT) {
		errbuf_set(
		    why, "%s: have %zu characters, want <= %d", t->name, len, SETTINGS_TEXT - 1);
		return false;
	}
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f) {
			errbuf_set(why, "%s: have a control character, want none", t->name);
			return false;
		}
	if (!encoding_is_utf8(octets_of_string(value))) {
		errbuf_set(why, "%s: want UTF-8", t->name);
		return false;
	}
	memcpy(g->value[t - settings_table], value, len + 1);
	return true;
}

/* Take off quotes and, within double ones, backslashes; in place. */
static bool
unquote(char *value)
{
	char quote = *value, *from = value, *to = value;

	if (quote != '"' && quote != '\'')
		return true;
	for (from++; *from != '\0' && *from != quote; from++) {
		if (*from == '\\' && quote == '"' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	if (*from != quote || from[1] != '\0')
		return false;
	*to = '\0';
	return true;
}

/* One line of the file.  Names that are not ours are others' business: the file may serve more than one program. */
static bool
give_line(struct given *g, char *line, struct errbuf *why)
{
	const struct setting *t;
	char *name = line + strspn(line, " \t"), *value;
	size_t len = strlen(name);

	while (len > 0 && isspace((unsigned char)name[len - 1]))
		name[--len] = '\0';
	if (*name == '\0' || *name == '#' || *name == ';')
		return true;
	if ((value = strchr(name, '=')) == NULL) {
		errbuf_set(why, "have \"%.40s\", want NAME=value", name);
		return false;
	}
	*value++ = '\0';
	if (strncmp(name, "SCEP_", 5) != 0 || strncmp(name, "SCEP_TEST_", 10) == 0)
		return true;
	if (!unquote(value)) {
		errbuf_set(why, "%s: want a closing quote at the end", name);
		return false;
	}
	for (t = settings_table; t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return give(g, t, value, why);
	errbuf_set(why, "%s: no such setting", name);
	return false;
}

static bool
give_file(struct given *g, const char *file, struct errbuf *why)
{
	char line[LINE_MAX_OCTETS];
	int number = 0;
	FILE *in;
	bool ok = true;

	if ((in = fopen(file, "re")) == NULL) {
		errbuf_errno(why, "settings file %s: cannot open", file);
		return false;
	}
	while (ok && fgets(line, sizeof(line), in) != NULL) {
		number++;
		if (strlen(line) == sizeof(line) - 1) {
			errbuf_set(
			    why, "have a longer line, want <= %d characters", LINE_MAX_OCTETS - 2);
			ok = false;
		} else {
			ok = give_line(g, line, why);
		}
		if (!ok)
			errbuf_prefix(why, "settings file %s line %d", file, number);
	}
	if (ok && ferror(in)) {
		errbuf_errno(why, "settings file %s: cannot read", file);
		ok = false;
	}
	fclose(in);
	return ok;
}

bool
settings_load(struct settings *s, const char *file, struct errbuf *why)
{
	static const struct settings none;
	struct settings fresh = none;
	struct given g = {0};

	if (file != NULL && !give_file(&g, file, why))
		return false;
	for (const struct setting *t = settings_table; t->name != NULL; t++) {
		const char *value = getenv(t->name);

		if (value != NULL && *value != '\0' && !give(&g, t, value, why))
			return false;
		value = g.value[t - settings_table];
		if (*value == '\0' ? !set_fallback(&fresh, t, why)
				   : !set_value(&fresh, t, value, why))
			return false;
	}
	*s = fresh;
	return true;
}
