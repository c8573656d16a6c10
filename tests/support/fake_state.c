#include <sys/file.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/octets.h"
#include "tests/support/fake_state.h"

#define LINE_MAX_SIZE 4096

static FILE *
open_file(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return fopen(path, "re");
}

/* The connections' processes take turns with what they change. */
static int
lock(const char *dir)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", dir);
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) != -1)
		flock(fd, LOCK_EX);
	return fd;
}

void
fake_state_each(
    const char *dir, const char *name, bool (*line)(void *ctx, const char *text), void *ctx)
{
	char text[LINE_MAX_SIZE];
	FILE *f = open_file(dir, name);
	bool on = f != NULL;

	while (on && fgets(text, sizeof(text), f) != NULL) {
		text[strcspn(text, "\r\n")] = '\0';
		if (text[0] != '\0' && text[0] != '#')
			on = line(ctx, text);
	}
	if (f != NULL)
		fclose(f);
}

void
fake_state_append(const char *dir, const char *name, const char *text)
{
	struct buffer line = {0};
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	buffer_append_format(&line, "%s\n", text);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) != -1) {
		if (write(fd, line.data, line.len) != (ssize_t)line.len)
			perror(path);
		close(fd);
	}
	buffer_free(&line);
}

struct removal {
	struct buffer kept;
	const char *word;
	const char *line; /* only this line, once; NULL: all that begin with word */
	bool gone;
};

static bool
keep_line(void *ctx, const char *text)
{
	struct removal *r = ctx;
	size_t len = strcspn(text, " ");

	if (r->line != NULL ? !r->gone && strcmp(text, r->line) == 0
			    : strlen(r->word) == len && strncmp(text, r->word, len) == 0)
		r->gone = true;
	else
		buffer_append_format(&r->kept, "%s\n", text);
	return true;
}

/* Under the lock.  The new file takes the place of the old one at once: who reads sees one of them. */
static void
remove_lines(const char *dir, const char *name, const char *word, const char *line)
{
	struct removal r = {.word = word, .line = line};
	char path[512], part[520];
	FILE *f;

	fake_state_each(dir, name, keep_line, &r);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(part, sizeof(part), "%s.part", path);
	if (r.gone && (f = fopen(part, "we")) != NULL) {
		if (r.kept.len > 0)
			fwrite(r.kept.data, 1, r.kept.len, f);
		fclose(f);
		rename(part, path);
	}
	buffer_free(&r.kept);
}

void
fake_state_remove(const char *dir, const char *name, const char *word)
{
	int fd = lock(dir);

	remove_lines(dir, name, word, NULL);
	close(fd);
}

struct choice {
	const char *action;
	struct fake_behaviour *out;
	char line[LINE_MAX_SIZE];
	bool once;
};

static bool
read_control(void *ctx, const char *text)
{
	struct choice *c = ctx;
	char words[4][512] = {"", "", "", ""};
	int n = sscanf(text, "%511s %511s %511s %511s", words[0], words[1], words[2], words[3]);

	if (n < 2 || (strcmp(words[0], c->action) != 0 && strcmp(words[0], "*") != 0))
		return true;
	c->once = strcmp(words[n - 1], "once") == 0 && n > 2;
	snprintf(c->line, sizeof(c->line), "%s", text);
	snprintf(c->out->name, sizeof(c->out->name), "%.31s", words[1]);
	if (n > (c->once ? 3 : 2))
		snprintf(c->out->argument, sizeof(c->out->argument), "%s", words[2]);
	return false;
}

void
fake_state_behaviour(const char *dir, const char *action, struct fake_behaviour *out)
{
	struct choice c = {.action = action, .out = out};
	int fd = lock(dir);

	*out = (struct fake_behaviour){0};
	fake_state_each(dir, "control", read_control, &c);
	if (c.once)
		remove_lines(dir, "control", NULL, c.line);
	close(fd);
}

struct challenge {
	const char *wanted;
	char code[128];
	bool found;
};

static bool
read_challenge(void *ctx, const char *text)
{
	struct challenge *c = ctx;
	size_t len = strcspn(text, " ");

	if (strlen(c->wanted) != len || strncmp(text, c->wanted, len) != 0)
		return true;
	c->found = true;
	text += len;
	text += strspn(text, " ");
	snprintf(c->code, sizeof(c->code), "%.127s", *text != '\0' ? text : "Success");
	return false;
}

bool
fake_state_challenge(const char *dir, const char *challenge, char *code, size_t size)
{
	struct challenge c = {.wanted = challenge};

	fake_state_each(dir, "challenges", read_challenge, &c);
	if (c.found)
		snprintf(code, size, "%s", c.code);
	return c.found;
}
