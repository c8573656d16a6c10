/* seat_import.c: seat import. */
#include <stdlib.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/import.h"

json_t *
import_faults_json(const struct manage_import_fault *faults, int count)
{
	json_t *all = json_array();

	for (int i = 0; i < count && i < MANAGE_IMPORT_FAULTS_MAX; i++)
		json_array_append_new(
		    all, json_pack("{s:I,s:s}", "line", (json_int_t)faults[i].line, "message",
			     faults[i].message));
	return all;
}

static json_t *
import_json(const struct manage_import *o)
{
	return json_pack("{s:b,s:i,s:i,s:i,s:i,s:o}", "dryRun", o->dry_run, "seats", o->seats,
	    "made", o->made, "changed", o->changed, "faultCount", o->fault_count, "faults",
	    import_faults_json(o->faults, o->fault_count));
}

void
import_tell_faults(const char *file, const struct manage_import_fault *faults, int count)
{
	for (int i = 0; i < count && i < MANAGE_IMPORT_FAULTS_MAX; i++)
		cli_error("%s:%lld: %s", file, (long long)faults[i].line, faults[i].message);
	if (count > MANAGE_IMPORT_FAULTS_MAX)
		cli_error("and %d more", count - MANAGE_IMPORT_FAULTS_MAX);
}

static void
tell_counts(const struct manage_import *o)
{
	struct buffer line = {0};

	if (o->dry_run)
		buffer_append_format(&line, "%d seats could be written, %d lines have faults",
		    o->seats, o->fault_count);
	else
		buffer_append_format(&line, "%d seats made, %d changed, %d lines left out", o->made,
		    o->changed, o->fault_count);
	cli_print_line(&line);
}

static int
import_file(struct cli *cli, const struct arguments *a, struct octets csv, struct manage_import *o)
{
	struct manage_report r = {0};
	enum manage_rc rc;
	int status;

	o->dry_run = arguments_has(a, "dry-run");
	o->skip_bad = arguments_has(a, "skip-bad");
	rc = manage_seat_import(&cli->manage, &cli->actor, csv, o, &r);
	import_tell_faults(a->operands[0], o->faults, o->fault_count);
	status = cli_result(rc, &r);
	if (rc == MANAGE_INVALID && r.fault_count == 0)
		cli_error("%s", r.why.line);
	if (cli->json && (rc == MANAGE_OK || rc == MANAGE_INVALID)) {
		int printed = cli_print_json(import_json(o));

		return status != CLI_DONE ? status : printed;
	}
	if (status == CLI_DONE)
		tell_counts(o);
	return status;
}

static int
import(struct cli *cli, const struct arguments *a)
{
	struct manage_import *o = calloc(1, sizeof(*o));
	struct buffer csv = {0};
	struct errbuf why = {0};
	int status = CLI_REFUSED;

	if (o == NULL)
		cli_error("out of memory");
	else if (!cli_read_file(a->operands[0], MANAGE_IMPORT_OCTETS_MAX, &csv, &why))
		cli_error("%s", why.line);
	else
		status = import_file(cli, a, buffer_octets(&csv), o);
	buffer_free(&csv);
	free(o);
	return status;
}

static const struct option_spec import_options[] = {
    {"dry-run", NULL, "check the file, and write nothing", false},
    {"skip-bad", NULL, "write what has no fault; without it nothing is where a line has one",
	false},
    {0},
};

const struct verb cli_seat_import_verbs[] = {
    {"seat", "import", "FILE", "make and change seats by a file of comma-separated values",
	"FILE (- for stdin) is UTF-8 with a header line: seatId,type and, where they are wanted,\n"
	"name,email,organization,department, in any order (RFC 4180).  A seat that is there is\n"
	"changed in the columns that the file has.  Every line is checked first; 500 seats are\n"
	"written at a time.",
	import_options, import},
    {0},
};
