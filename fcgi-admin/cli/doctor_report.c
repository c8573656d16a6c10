/* doctor_report.c: telling what the checks found: lines, a summary by client, JSON; and the exit status. */
#include <stdio.h>
#include <string.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/doctor.h"

#define NAME_WIDTH   31
#define CLIENT_WIDTH 20

/* "every client", or names with commas between. */
static void
append_clients(uint32_t clients, struct buffer *out)
{
	bool first = true;

	if (clients == DOCTOR_EVERYONE) {
		buffer_append_string(out, "every client");
		return;
	}
	for (int n = 0; n < DOCTOR_CLIENTS; n++)
		if ((clients & (1u << n)) != 0) {
			buffer_append_format(out, "%s%s", first ? "" : ", ", doctor_client_name(n));
			first = false;
		}
}

static bool
is_bad(const struct doctor_finding *f)
{
	return f->result == DOCTOR_WARNING || f->result == DOCTOR_FAILURE;
}

static void
print_finding(const struct doctor_finding *f)
{
	struct buffer line = {0};

	buffer_append_format(
	    &line, "%-8s %-*s ", doctor_result_name(f->result), NAME_WIDTH, f->name);
	if (is_bad(f) && f->clients != 0) {
		append_clients(f->clients, &line);
		buffer_append_string(&line, ": ");
	}
	buffer_append_string(&line, f->text);
	cli_print_line(&line);
}

/* The names of the findings with this result that concern client n, after intro; nothing where there are none. */
static bool
append_names(const struct doctor_finding *findings, int count, int n, enum doctor_result result,
    const char *intro, struct buffer *out)
{
	bool any = false;

	for (int i = 0; i < count; i++) {
		if (findings[i].result != result || (findings[i].clients & (1u << n)) == 0)
			continue;
		buffer_append_format(out, "%s%s", any ? ", " : intro, findings[i].name);
		any = true;
	}
	return any;
}

static void
print_client(const struct doctor_finding *findings, int count, int n)
{
	struct buffer line = {0};
	bool stops, minds;

	buffer_append_format(&line, "%-*s ", CLIENT_WIDTH, doctor_client_name(n));
	stops = append_names(findings, count, n, DOCTOR_FAILURE, "stumbles on ", &line);
	minds = append_names(
	    findings, count, n, DOCTOR_WARNING, stops ? "; see also " : "may stumble on ", &line);
	if (!stops && !minds)
		buffer_append_string(&line, "nothing in its way");
	cli_print_line(&line);
}

static void
print_summary(const struct doctor_finding *findings, int count)
{
	int counts[4] = {0};

	for (int i = 0; i < count; i++)
		counts[findings[i].result]++;
	printf("%d ok, %d warning%s, %d failure%s, %d skipped\n", counts[DOCTOR_OK],
	    counts[DOCTOR_WARNING], counts[DOCTOR_WARNING] == 1 ? "" : "s", counts[DOCTOR_FAILURE],
	    counts[DOCTOR_FAILURE] == 1 ? "" : "s", counts[DOCTOR_SKIPPED]);
}

static void
print_lines(const struct doctor_finding *findings, int count, bool quiet, bool away)
{
	for (int i = 0; i < count; i++)
		if (is_bad(&findings[i]) || (!quiet && !away))
			print_finding(&findings[i]);
	if (quiet || away)
		return;
	putchar('\n');
	for (int n = 0; n < DOCTOR_CLIENTS; n++)
		print_client(findings, count, n);
	putchar('\n');
	print_summary(findings, count);
}

static int
print_json(const struct doctor_finding *findings, int count, bool quiet)
{
	json_t *array = json_array();

	for (int i = 0; i < count; i++) {
		json_t *clients = json_array();

		for (int n = 0; n < DOCTOR_CLIENTS; n++)
			if ((findings[i].clients & (1u << n)) != 0)
				json_array_append_new(clients, json_string(doctor_client_name(n)));
		if (quiet && !is_bad(&findings[i]))
			json_decref(clients);
		else
			json_array_append_new(
			    array, json_pack("{s:s,s:s,s:o,s:s}", "name", findings[i].name,
				       "result", doctor_result_name(findings[i].result), "clients",
				       clients, "text", findings[i].text));
	}
	return cli_print_json(array);
}

int
doctor_report(const struct cli *cli, const struct doctor_finding *findings, int count, bool quiet,
    bool strict)
{
	bool away = false, refused = false;

	for (int i = 0; i < count; i++) {
		if (findings[i].result == DOCTOR_FAILURE &&
		    strcmp(findings[i].name, "reachable") == 0)
			away = true;
		refused = refused || findings[i].result == DOCTOR_FAILURE ||
			  (strict && findings[i].result == DOCTOR_WARNING);
	}
	if (!cli->json)
		print_lines(findings, count, quiet, away);
	else if (print_json(findings, count, quiet) != CLI_DONE)
		return CLI_REFUSED;
	return away ? CLI_AWAY : refused ? CLI_REFUSED : CLI_DONE;
}
