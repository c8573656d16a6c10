#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/settings.h"
#include "base/settings_table.h"
#include "scep/request.h"

static char dir[64], file[128];

/* No variable of the caller's environment takes part. */
static int
init(void **state)
{
	(void)state;
	for (const struct setting *t = settings_table; t->name != NULL; t++)
		unsetenv(t->name);
	unsetenv("CREDENTIALS_DIRECTORY");
	snprintf(dir, sizeof(dir), "/tmp/settings-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/env", dir);
	return 0;
}

static int
clear(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir);
}

static const char *
written(const char *text)
{
	FILE *out = fopen(file, "we");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	return file;
}

static void
assert_loads(struct settings *s, const char *text)
{
	struct errbuf why = {0};

	if (!settings_load(s, text == NULL ? NULL : written(text), &why))
		fail_msg("%s", why.line);
}

/* Refused, with a reason that has both texts, and *s stays as it was. */
static void
assert_refused(const char *text, const char *name, const char *reason)
{
	struct settings s, before;
	struct errbuf why = {0};

	memset(&s, 0x5a, sizeof(s));
	before = s;
	assert_false(settings_load(&s, text == NULL ? NULL : written(text), &why));
	if (strstr(why.line, name) == NULL || strstr(why.line, reason) == NULL)
		fail_msg("have \"%s\", want %s and %s", why.line, name, reason);
	assert_memory_equal(&s, &before, sizeof(s));
}

static char *
printed(const struct settings *s, enum settings_format format)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	settings_print(s, format, out);
	fclose(out);
	return text;
}

static void
the_table_is_complete(void **state)
{
	size_t count = 0;

	(void)state;
	while (settings_table[count].name != NULL)
		count++;
	assert_int_equal(count, SETTINGS_COUNT);
	for (size_t i = 0; i < count; i++) {
		assert_memory_equal(settings_table[i].name, "SCEP_", 5);
		assert_true(strlen(settings_table[i].meaning) > 10);
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(settings_table[i].name, settings_table[j].name);
			assert_int_not_equal(settings_table[i].at, settings_table[j].at);
		}
	}
}

static void
defaults_hold_without_any_variable(void **state)
{
	struct settings s;

	(void)state;
	assert_loads(&s, NULL);
	assert_string_equal(s.state_dir, "/var/lib/fcgi-scep");
	assert_string_equal(s.database, "/var/lib/fcgi-scep/scep.db");
	assert_string_equal(s.master_key_file, "/var/lib/fcgi-scep/master.key");
	assert_string_equal(s.passphrase_file, "/var/lib/fcgi-scep/key.passphrase");
	assert_string_equal(s.redis, "unix:/var/lib/fcgi-scep/redis.sock");
	assert_string_equal(s.redis_password_file, "");
	assert_string_equal(s.admin_listen, "unix:/var/lib/fcgi-scep/admin.sock");
	assert_int_equal(s.socket_mode, 0660);
	assert_int_equal(s.backlog, 1024);
	assert_int_equal(s.workers, 0);
	assert_int_equal(s.request_timeout_s, 30);
	assert_int_equal(s.message_max, 65536);
	assert_false(s.log_json);
	assert_int_equal(s.log_level, LOG_LEVEL_INFO);
	assert_string_equal(s.public_url, "http://localhost");
	assert_int_equal(s.nginx_connections, 256);
}

static void
other_defaults_follow_the_state_directory(void **state)
{
	struct settings s;

	(void)state;
	assert_loads(&s, "SCEP_KEY_DIR=/elsewhere\nSCEP_STATE_DIR=/srv/scep\n");
	assert_string_equal(s.database, "/srv/scep/scep.db");
	assert_string_equal(s.listen, "unix:/srv/scep/scep.sock");
	assert_string_equal(s.key_dir, "/elsewhere");
}

static void
credentials_of_systemd_are_preferred_where_they_are(void **state)
{
	struct settings s;
	char credential[128];
	FILE *out;

	(void)state;
	snprintf(credential, sizeof(credential), "%s/master.key", dir);
	out = fopen(credential, "we");
	assert_non_null(out);
	fclose(out);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_loads(&s, NULL);
	unlink(credential);
	assert_string_equal(s.master_key_file, credential);
	assert_string_equal(s.passphrase_file, "/var/lib/fcgi-scep/key.passphrase");
	assert_loads(&s, NULL);
	assert_string_equal(s.master_key_file, "/var/lib/fcgi-scep/master.key");
}

static void
the_environment_wins_over_the_file_unless_it_is_empty(void **state)
{
	struct settings s;

	(void)state;
	setenv("SCEP_WORKERS", "7", 1);
	setenv("SCEP_ADMIN_WORKERS", "", 1);
	assert_loads(&s, "SCEP_WORKERS=3\nSCEP_ADMIN_WORKERS=4\nSCEP_BACKLOG=600\n");
	assert_int_equal(s.workers, 7);
	assert_int_equal(s.admin_workers, 4);
	assert_int_equal(s.backlog, 600);
}

static void
a_file_has_comments_quotes_and_names_of_others(void **state)
{
	struct settings s;

	(void)state;
	assert_loads(&s, "# comment\n; another\n\n  SCEP_WORKERS=3  \r\n"
			 "SCEP_DATABASE=\"/a b/\\\"c\\\\d.db\"\nSCEP_KEY_DIR='/a \\b'\n"
			 "PATH=/bin\nSCEP_TEST_CLOCK=/x\nSCEP_LOG_FORMAT=\nSCEP_BACKLOG=900");
	assert_int_equal(s.workers, 3);
	assert_string_equal(s.database, "/a b/\"c\\d.db");
	assert_string_equal(s.key_dir, "/a \\b");
	assert_false(s.log_json);
	assert_int_equal(s.backlog, 900);
}

static void
a_file_with_anything_else_is_refused_with_its_line(void **state)
{
	char line[2000] = "SCEP_DATABASE=";

	(void)state;
	assert_refused("\nSCEP_WORKER=3\n", "line 2", "SCEP_WORKER: no such setting");
	assert_refused("SCEP_WORKERS\n", "line 1", "want NAME=value");
	assert_refused("SCEP_DATABASE=\"/a\n", "line 1", "closing quote");
	assert_refused("SCEP_DATABASE=\"/a\" b\n", "line 1", "closing quote");
	assert_refused("SCEP_DATABASE=/a\x01\n", "SCEP_DATABASE", "control character");
	assert_refused("SCEP_DATABASE=/a\xff\n", "SCEP_DATABASE", "UTF-8");
	memset(line + 14, 'x', 300);
	assert_refused(line, "SCEP_DATABASE", "want <= 255");
	memset(line + 14, 'x', 1900);
	assert_refused(line, "line 1", "longer line");
}

/* Above it no message is read: a larger limit would only promise it. */
static void
the_largest_message_is_one_that_is_read(void **state)
{
	char line[64];

	(void)state;
	for (const struct setting *t = settings_table; t->name != NULL; t++)
		if (strcmp(t->name, "SCEP_MESSAGE_MAX") == 0)
			assert_int_equal(t->most, SCEP_MESSAGE_MAX);
	snprintf(line, sizeof(line), "SCEP_MESSAGE_MAX=%d\n", SCEP_MESSAGE_MAX + 1);
	assert_refused(line, "SCEP_MESSAGE_MAX", "262144");
}

static void
a_missing_file_is_refused(void **state)
{
	struct settings s;
	struct errbuf why = {0};

	(void)state;
	assert_false(settings_load(&s, "/nowhere/at/all", &why));
	assert_non_null(strstr(why.line, "/nowhere/at/all"));
}

/* Each number at its limits, and one beyond. */
static void
numbers_keep_within_their_limits(void **state)
{
	char text[256], most[32];

	(void)state;
	for (const struct setting *t = settings_table; t->name != NULL; t++) {
		const char *form = t->kind == SETTING_OCTAL ? "%s=%llo\n" : "%s=%lld\n";
		struct settings s;

		if (t->kind != SETTING_NUMBER && t->kind != SETTING_OCTAL)
			continue;
		snprintf(most, sizeof(most), t->kind == SETTING_OCTAL ? "%llo" : "%lld",
		    (long long)t->most);
		snprintf(text, sizeof(text), form, t->name, (long long)t->least);
		assert_loads(&s, text);
		snprintf(text, sizeof(text), form, t->name, (long long)t->most);
		assert_loads(&s, text);
		snprintf(text, sizeof(text), form, t->name, (long long)t->most + 1);
		assert_refused(text, t->name, most);
		if (t->least > 0) {
			snprintf(text, sizeof(text), form, t->name, (long long)t->least - 1);
			assert_refused(text, t->name, most);
		}
	}
}

static void
each_other_value_is_refused_by_name(void **state)
{
	static const char *const bad[][2] = {{"SCEP_WORKERS", "two"}, {"SCEP_WORKERS", "-1"},
	    {"SCEP_WORKERS", "+1"}, {"SCEP_WORKERS", " 1"}, {"SCEP_WORKERS", "1 "},
	    {"SCEP_WORKERS", "0x2"}, {"SCEP_WORKERS", "1.5"},
	    {"SCEP_WORKERS", "99999999999999999999"}, {"SCEP_SOCKET_MODE", "0668"},
	    {"SCEP_SOCKET_MODE", "1777"}, {"SCEP_BACKLOG", "511"}, {"SCEP_LOG_FORMAT", "xml"},
	    {"SCEP_LOG_FORMAT", "JSON"}, {"SCEP_LOG_LEVEL", "warn"}, {"SCEP_LISTEN", "/run/x"},
	    {"SCEP_LISTEN", "unix:"}, {"SCEP_LISTEN", "tcp:9000"}, {"SCEP_LISTEN", "tcp::9000"},
	    {"SCEP_LISTEN", "tcp:h:0"}, {"SCEP_LISTEN", "tcp:h:65536"}, {"SCEP_LISTEN", "tcp:h:-1"},
	    {"SCEP_LISTEN", "tcp:h:9x"}, {"SCEP_LISTEN", "tcp:::1:9000"},
	    {"SCEP_LISTEN", "tcp:[::1:9000"},
	    {"SCEP_LISTEN", "unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	    {"SCEP_REDIS", "redis://x"}, {"SCEP_DEFAULT_PROFILE", "a/b"},
	    {"SCEP_DEFAULT_PROFILE", "a b"}, {"SCEP_PUBLIC_URL", "example.com"},
	    {"SCEP_PUBLIC_URL", "ftp://x"}, {"SCEP_PUBLIC_URL", "http://"},
	    {"SCEP_PUBLIC_URL", "https:///x"}, {"SCEP_PUBLIC_URL", "http://a b"},
	    {"SCEP_PUBLIC_URL", "http://a\"b"}, {"SCEP_NGINX_PROFILE_RATES", "proxy"},
	    {"SCEP_NGINX_PROFILE_RATES", "proxy=5"}, {"SCEP_NGINX_PROFILE_RATES", "proxy=5:"},
	    {"SCEP_NGINX_PROFILE_RATES", "proxy=:5"}, {"SCEP_NGINX_PROFILE_RATES", "=5:5"},
	    {"SCEP_NGINX_PROFILE_RATES", "proxy=0:5"}, {"SCEP_NGINX_PROFILE_RATES", "proxy=5:0"},
	    {"SCEP_NGINX_PROFILE_RATES", "proxy=1000001:5"},
	    {"SCEP_NGINX_PROFILE_RATES", "proxy=5:99999999"},
	    {"SCEP_NGINX_PROFILE_RATES", "proxy=5:5,other=5:5"},
	    {"SCEP_NGINX_PROFILE_RATES", "proxy=5:5:5"}, {"SCEP_NGINX_PROFILE_RATES", "a/b=5:5"},
	    {"SCEP_NGINX_PROFILE_RATES", "a=5:5 b=-1:5"},
	    {"SCEP_NGINX_PROFILE_RATES", "a=5:5 b=6:6 A=7:7"},
	    {"SCEP_NGINX_PROFILE_RATES",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=5:5"}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv(bad[i][0], bad[i][1], 1);
		assert_refused(NULL, bad[i][0], "want ");
		unsetenv(bad[i][0]);
	}
}

static void
each_right_value_is_taken(void **state)
{
	struct settings s;

	(void)state;
	assert_loads(&s,
	    "SCEP_SOCKET_MODE=600\nSCEP_LOG_FORMAT=json\nSCEP_LOG_LEVEL=debug\n"
	    "SCEP_LISTEN=tcp:[::1]:9000\nSCEP_REDIS=tcp:redis:6379\n"
	    "SCEP_DEFAULT_PROFILE=Demo_1.x-y\nSCEP_PUBLIC_URL=https://x.example:8443//\n"
	    "SCEP_NGINX_PROFILE_RATES=\"proxy=500:2000  a=1:1 aa=1000000:1000000\"\n");
	assert_int_equal(s.socket_mode, 0600);
	assert_true(s.log_json);
	assert_int_equal(s.log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(s.listen, "tcp:[::1]:9000");
	assert_string_equal(s.redis, "tcp:redis:6379");
	assert_string_equal(s.default_profile, "Demo_1.x-y");
	assert_string_equal(s.public_url, "https://x.example:8443");
	assert_string_equal(s.nginx_profile_rates, "proxy=500:2000  a=1:1 aa=1000000:1000000");
}

static void
what_is_printed_as_variables_loads_as_the_same(void **state)
{
	struct settings s, again;
	char *text;

	(void)state;
	assert_loads(&s, "SCEP_DATABASE=\"/a b/$c`d\\\"e\\\\f'g.db\"\nSCEP_SOCKET_MODE=0604\n"
			 "SCEP_LOG_FORMAT=json\nSCEP_LOG_LEVEL=error\nSCEP_WORKERS=9\n");
	text = printed(&s, SETTINGS_ENV);
	assert_loads(&again, text);
	assert_memory_equal(&s, &again, sizeof(s));
	free(text);
}

static void
json_is_valid_and_has_every_setting(void **state)
{
	struct settings s;
	json_t *root, *first;
	char *text;

	(void)state;
	assert_loads(&s, "SCEP_STATE_DIR='/a\"b\\c'\n");
	text = printed(&s, SETTINGS_JSON);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(root), SETTINGS_COUNT);
	first = json_array_get(root, 0);
	assert_string_equal(json_string_value(json_object_get(first, "value")), "/a\"b\\c");
	json_decref(root);
	free(text);
}

static void
tables_have_every_setting(void **state)
{
	struct settings s;
	char *table, *markdown;

	(void)state;
	assert_loads(&s, "SCEP_WORKERS=1019\n");
	table = printed(&s, SETTINGS_TABLE);
	markdown = printed(&s, SETTINGS_MARKDOWN);
	for (const struct setting *t = settings_table; t->name != NULL; t++) {
		assert_non_null(strstr(table, t->name));
		assert_non_null(strstr(markdown, t->name));
		assert_non_null(strstr(markdown, t->meaning));
	}
	assert_non_null(strstr(table, "1019"));
	assert_null(strstr(markdown, "1019"));
	free(table);
	free(markdown);
}

static void
what_a_secret_file_holds_is_never_printed(void **state)
{
	struct settings s;
	char secret[128], lines[1024];
	FILE *out;

	(void)state;
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	out = fopen(secret, "we");
	assert_non_null(out);
	fputs("swordfish", out);
	fclose(out);
	snprintf(lines, sizeof(lines),
	    "SCEP_FCGI_SECRET_FILE=%s\nSCEP_REDIS_PASSWORD_FILE=%s\n"
	    "SCEP_MASTER_KEY_FILE=%s\nSCEP_KEY_PASSPHRASE_FILE=%s\n",
	    secret, secret, secret, secret);
	assert_loads(&s, lines);
	unlink(secret);
	for (int format = SETTINGS_TABLE; format <= SETTINGS_MARKDOWN; format++) {
		char *text = printed(&s, (enum settings_format)format);

		assert_null(strstr(text, "swordfish"));
		free(text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, init, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_table_is_complete),
	    TEST(defaults_hold_without_any_variable),
	    TEST(other_defaults_follow_the_state_directory),
	    TEST(credentials_of_systemd_are_preferred_where_they_are),
	    TEST(the_environment_wins_over_the_file_unless_it_is_empty),
	    TEST(a_file_has_comments_quotes_and_names_of_others),
	    TEST(a_file_with_anything_else_is_refused_with_its_line),
	    TEST(the_largest_message_is_one_that_is_read),
	    TEST(a_missing_file_is_refused),
	    TEST(numbers_keep_within_their_limits),
	    TEST(each_other_value_is_refused_by_name),
	    TEST(each_right_value_is_taken),
	    TEST(what_is_printed_as_variables_loads_as_the_same),
	    TEST(json_is_valid_and_has_every_setting),
	    TEST(tables_have_every_setting),
	    TEST(what_a_secret_file_holds_is_never_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
