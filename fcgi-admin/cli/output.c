/* output.c: telling results: lines for people on stderr, values and JSON on stdout, files. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"

#define LINE_MAX_OCTETS 4096

int
cli_usage(const struct errbuf *why)
{
	cli_error("%s", why->line);
	return CLI_USAGE;
}

/* "validityDays" as the option is written: validity-days. */
static void
option_name(const char *field, char out[128])
{
	size_t len = 0;

	for (; *field != '\0' && len < 125; field++) {
		if (isupper((unsigned char)*field))
			out[len++] = '-';
		out[len++] = (char)tolower((unsigned char)*field);
	}
	out[len] = '\0';
}

int
cli_result(enum manage_rc rc, const struct manage_report *r)
{
	char name[128];

	for (int i = 0; i < r->warning_count; i++)
		cli_error("warning: %s", r->warnings[i].line);
	if (rc == MANAGE_OK)
		return CLI_DONE;
	if (rc == MANAGE_INVALID) {
		for (int i = 0; i < r->fault_count; i++) {
			option_name(r->faults[i].name, name);
			cli_error("%s: %s", name, r->faults[i].message);
		}
		return CLI_REFUSED;
	}
	cli_error("%s", r->why.line[0] != '\0' ? r->why.line : "failed without a reason");
	return rc == MANAGE_AWAY ? CLI_AWAY : CLI_REFUSED;
}

int
cli_changed(
    const struct cli *cli, enum manage_rc rc, const struct manage_report *r, const char *name)
{
	int status = cli_result(rc, r);

	if (status != CLI_DONE || !cli->json)
		return status;
	return cli_print_json(json_pack("{s:s}", "name", name));
}

int
cli_print_json(json_t *j)
{
	bool ok = j != NULL && json_dumpf(j, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) == 0 &&
		  fputc('\n', stdout) != EOF;

	json_decref(j);
	if (!ok)
		cli_error("the result cannot be written as JSON");
	return ok ? CLI_DONE : CLI_REFUSED;
}

int
cli_listed(const struct cli *cli, int status, json_t *all)
{
	if (status == CLI_DONE && cli->json)
		return cli_print_json(all);
	json_decref(all);
	return status;
}

const char *
cli_profile_of(const struct arguments *a)
{
	const char *profile = arguments_text(a, "profile");

	if (profile == NULL)
		cli_error("--profile is missing");
	return profile;
}

/* Terminals obey C0 and, as UTF-8, C1 control characters. */
static void
print_line(FILE *out, struct buffer *line)
{
	uint8_t *text = line->data;

	for (size_t i = 0; i < line->len; i++) {
		if (text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
		if (text[i] == 0xc2 && i + 1 < line->len && text[i + 1] < 0xa0)
			text[i] = text[i + 1] = '?';
	}
	fprintf(out, "%s\n", line->failed ? "" : buffer_string(line));
	buffer_free(line);
}

/* A server's words may be among the arguments. */
void
cli_error(const char *fmt, ...)
{
	struct buffer line = {0};
	char text[LINE_MAX_OCTETS];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buffer_append_format(&line, "scepctl: %s", text);
	print_line(stderr, &line);
}

void
cli_print_line(struct buffer *line)
{
	print_line(stdout, line);
}

void
cli_print_field(const char *name, const char *value)
{
	struct buffer line = {0};

	if (value[0] == '\0')
		return;
	buffer_append_format(&line, "%-14s %s", name, value);
	cli_print_line(&line);
}

void
cli_print_time(const char *name, int64_t seconds)
{
	char time[ENCODING_TIME_SIZE] = "";

	if (seconds != 0)
		encoding_time(seconds, time);
	cli_print_field(name, time);
}

void
cli_error_line(struct buffer *line)
{
	print_line(stderr, line);
}

json_t *
cli_json_time(int64_t seconds)
{
	char text[ENCODING_TIME_SIZE];

	if (seconds == 0)
		return json_null();
	encoding_time(seconds, text);
	return json_string(text);
}

bool
cli_read_time(const char *text, int64_t *seconds)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (end == NULL || *end != '\0') {
		tm = (struct tm){0};
		end = strptime(text, "%Y-%m-%d", &tm);
	}
	if (end == NULL || *end != '\0')
		return false;
	*seconds = timegm(&tm);
	return true;
}

json_t *
cli_json_text(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

bool
cli_read_file(const char *path, size_t max, struct buffer *out, struct errbuf *why)
{
	bool input = strcmp(path, "-") == 0;
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	uint8_t octets[4096];
	ssize_t n = 0;

	if (fd == -1) {
		errbuf_errno(why, "%s: cannot open", path);
		return false;
	}
	while (out->len <= max && (n = read(fd, octets, sizeof(octets))) > 0)
		buffer_append(out, octets, (size_t)n);
	if (n < 0)
		errbuf_errno(why, "%s: cannot read", path);
	else if (out->len > max)
		errbuf_set(why, "%s: want at most %zu octets", path, max);
	else if (out->failed)
		errbuf_set(why, "%s: out of memory", path);
	octets_wipe(octets, sizeof(octets));
	if (!input)
		close(fd);
	return n >= 0 && out->len <= max && !out->failed;
}

bool
cli_write_file(const char *path, struct octets content, unsigned mode, struct errbuf *why)
{
	size_t done = 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);

	if (fd == -1) {
		errbuf_errno(why, "%s: cannot make it", path);
		return false;
	}
	while (done < content.len) {
		ssize_t n = write(fd, content.data + done, content.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done < content.len || fsync(fd) != 0) {
		errbuf_errno(why, "%s: cannot write", path);
		close(fd);
		unlink(path);
		return false;
	}
	close(fd);
	return true;
}
