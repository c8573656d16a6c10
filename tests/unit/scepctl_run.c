#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fcgi-admin/cli/cli.h"
#include "tests/unit/scepctl_run.h"

#define WORDS_MAX 64

char scepctl_directory[64];
char scepctl_said[65536];

void
scepctl_open(void)
{
	static const char *const proxies[] = {"http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"};

	for (size_t i = 0; i < sizeof(proxies) / sizeof(proxies[0]); i++)
		unsetenv(proxies[i]);
	snprintf(scepctl_directory, sizeof(scepctl_directory), "/tmp/scepctl.XXXXXX");
	assert_non_null(mkdtemp(scepctl_directory));
}

void
scepctl_close(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", scepctl_directory);
	assert_int_equal(system(command), 0);
}

const char *
scepctl_path(const char *name)
{
	static char paths[16][256];
	static int at;
	char *path = paths[at++ % 16];

	snprintf(path, sizeof(paths[0]), "%s/%s", scepctl_directory, name);
	return path;
}

bool
scepctl_is_there(const char *name)
{
	return access(scepctl_path(name), F_OK) == 0;
}

void
scepctl_remove(const char *name)
{
	unlink(scepctl_path(name));
}

static const struct verb *
find(const char *name)
{
	for (const struct verb *v = cli_enrol_verbs; v->family != NULL; v++)
		if (strcmp(v->family, name) == 0)
			return v;
	fail_msg("no verb %s", name);
	return NULL;
}

/* Both streams into a file; returns the two as they were. */
static void
redirect(int saved[2])
{
	int fd = open(scepctl_path("said"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	fflush(stdout);
	saved[0] = dup(STDOUT_FILENO);
	saved[1] = dup(STDERR_FILENO);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void
restore(const int saved[2])
{
	FILE *in;
	size_t len;

	fflush(stdout);
	dup2(saved[0], STDOUT_FILENO);
	dup2(saved[1], STDERR_FILENO);
	close(saved[0]);
	close(saved[1]);
	assert_non_null(in = fopen(scepctl_path("said"), "r"));
	len = fread(scepctl_said, 1, sizeof(scepctl_said) - 1, in);
	scepctl_said[len] = '\0';
	fclose(in);
}

static int
run(const char *name, const char *url, const char *words, bool json)
{
	const struct verb *verb = find(name);
	struct cli *cli = calloc(1, sizeof(*cli));
	char *copy = strdup(words), *word, *rest = copy, *argv[WORDS_MAX], room[WORDS_MAX][300];
	struct arguments arguments;
	struct errbuf why = {0};
	int argc = 0, saved[2], status = CLI_USAGE;

	assert_non_null(cli);
	assert_non_null(copy);
	snprintf(room[argc], sizeof(room[0]), "%s", url);
	argc++;
	while ((word = strsep(&rest, " ")) != NULL && argc < WORDS_MAX) {
		if (word[0] == '\0')
			continue;
		snprintf(room[argc], sizeof(room[0]), "%s",
		    word[0] == '@' ? scepctl_path(word + 1) : word);
		argc++;
	}
	for (int i = 0; i < argc; i++)
		argv[i] = room[i];
	cli->json = json;
	redirect(saved);
	if (arguments_parse(verb->options, 1, argc, argv, &arguments, &why))
		status = verb->run(cli, &arguments);
	else
		cli_error("%s", why.line);
	restore(saved);
	free(copy);
	free(cli);
	return status;
}

int
scepctl_run(const char *verb, const char *url, const char *words)
{
	return run(verb, url, words, false);
}

int
scepctl_run_json(const char *verb, const char *url, const char *words)
{
	return run(verb, url, words, true);
}

void
scepctl_assert_said(const char *text)
{
	if (strstr(scepctl_said, text) == NULL)
		fail_msg("want \"%s\" in: %s", text, scepctl_said);
}
