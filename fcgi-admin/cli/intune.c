/* intune.c: intune create, set, list, show, delete, check. */
#include <stdio.h>
#include <string.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/cli/secret_file.h"
#include "fcgi-admin/manage/intune.h"

static json_t *
intune_json(const struct intune_row *i)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:b,s:o,s:o}", "id", i->id, "name", i->name, "tenant",
	    i->tenant, "clientId", i->client_id, "revocations", i->revocations, "revocationsAt",
	    cli_json_time(i->revocations_at), "createdAt", cli_json_time(i->created_at));
}

static bool
read_change(const struct arguments *a, struct manage_intune_change *c, struct buffer *secret,
    struct octets *octets, struct errbuf *why)
{
	*c = (struct manage_intune_change){.revocations = -1};
	c->tenant = arguments_text(a, "tenant");
	c->client_id = arguments_text(a, "client-id");
	return arguments_yes_no(a, "revocations", &c->revocations, why) &&
	       secret_file_read(a, "secret-file", secret, octets, &c->secret, why);
}

/* create or set */
static int
change(struct cli *cli, const struct arguments *a,
    enum manage_rc (*verb)(struct manage *m, const struct manage_actor *by, const char *name,
	const struct manage_intune_change *c, struct intune_row *out, struct manage_report *r))
{
	struct manage_intune_change c;
	struct manage_report r = {0};
	struct buffer secret = {0};
	struct errbuf why = {0};
	struct intune_row row;
	struct octets octets;
	int status;

	if (!read_change(a, &c, &secret, &octets, &why)) {
		buffer_free(&secret);
		return cli_usage(&why);
	}
	status = cli_result(verb(&cli->manage, &cli->actor, a->operands[0], &c, &row, &r), &r);
	buffer_free(&secret);
	return status == CLI_DONE && cli->json ? cli_print_json(intune_json(&row)) : status;
}

static int
create(struct cli *cli, const struct arguments *a)
{
	return change(cli, a, manage_intune_create);
}

static int
set(struct cli *cli, const struct arguments *a)
{
	return change(cli, a, manage_intune_set);
}

static int
show(struct cli *cli, const struct arguments *a)
{
	char at[ENCODING_TIME_SIZE] = "not yet";
	struct manage_report r = {0};
	struct intune_row row;
	int status = cli_result(manage_intune_get(&cli->manage, a->operands[0], &row, &r), &r);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(intune_json(&row));
	if (row.revocations_at != 0)
		encoding_time(row.revocations_at, at);
	printf("name         %s\nid           %s\ntenant       %s\nclient id    %s\n", row.name,
	    row.id, row.tenant, row.client_id);
	printf("revocations  %s%s\n", row.revocations ? "fetched, last " : "not fetched",
	    row.revocations ? at : "");
	return status;
}

static bool
list_row(void *ctx, const struct intune_row *i)
{
	if (ctx != NULL)
		return json_array_append_new(ctx, intune_json(i)) == 0;
	printf("%-24s %-36s %s\n", i->name, i->tenant, i->client_id);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status;

	(void)a;
	status = cli_result(manage_intune_each(&cli->manage, list_row, all, &r), &r);
	return cli_listed(cli, status, all);
}

static int delete (struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli, manage_intune_delete(&cli->manage, &cli->actor, a->operands[0], &r),
	    &r, a->operands[0]);
}

static const struct {
	const char *name;
	const char *what;
} steps[INTUNE_STEPS] = {
    [INTUNE_STEP_LOGIN] = {"login", "a token for Intune"},
    [INTUNE_STEP_GRAPH] = {"graph", "the directory of services"},
    [INTUNE_STEP_SERVICE] = {"service", "Intune's service for SCEP"},
    [INTUNE_STEP_CALL] = {"call", "a call of it"},
};

static json_t *
check_json(const struct intune_finding findings[INTUNE_STEPS], bool ok)
{
	json_t *all = json_array();

	for (int i = 0; i < INTUNE_STEPS; i++)
		json_array_append_new(
		    all, json_pack("{s:s,s:b,s:o}", "step", steps[i].name, "ok", findings[i].ok,
			     "text", cli_json_text(findings[i].text.line)));
	return json_pack("{s:b,s:o}", "ok", ok, "steps", all);
}

/* Steps behind one that failed are not tried, and say so themselves. */
static void
print_step(int i, const struct intune_finding *f)
{
	struct buffer line = {0};
	bool tried = f->ok || strcmp(f->text.line, "not tried") != 0;

	buffer_append_format(&line, "%-8s %-27s %s%s", steps[i].name, steps[i].what,
	    f->ok   ? "ok: "
	    : tried ? "FAILED: "
		    : "",
	    f->text.line);
	cli_print_line(&line);
}

static int
check(struct cli *cli, const struct arguments *a)
{
	struct intune_finding findings[INTUNE_STEPS];
	struct manage_report r = {0};
	bool ok;
	int status =
	    cli_result(manage_intune_check(&cli->manage, a->operands[0], findings, &ok, &r), &r);

	if (status != CLI_DONE)
		return status;
	if (cli->json)
		status = cli_print_json(check_json(findings, ok));
	else
		for (int i = 0; i < INTUNE_STEPS; i++)
			print_step(i, &findings[i]);
	return status == CLI_DONE && !ok ? CLI_REFUSED : status;
}

static const struct option_spec options[] = {
    {"tenant", "TENANT", "directory (tenant) ID of Microsoft Entra, or a domain of it", false},
    {"client-id", "ID", "application (client) ID of the app registration", false},
    {"secret-file", "FILE", "its client secret; - for stdin", false},
    {"revocations", "yes|no", "carry out the revocations that Intune asks for (yes)", false},
    {0},
};

const struct verb cli_intune_verbs[] = {
    {"intune", "create", "NAME", "make a connection to a tenant of Microsoft Intune",
	"The secret is sealed by the master key.  Then: intune check NAME, and\n"
	"profile set PROFILE --challenge-mode intune --intune NAME.",
	options, create},
    {"intune", "set", "NAME", "change a connection; what is not given stays", NULL, options, set},
    {"intune", "list", "", "list connections to Intune", NULL, NULL, list},
    {"intune", "show", "NAME", "show a connection", NULL, NULL, show},
    {"intune", "check", "NAME", "call Microsoft, and say what is wrong with a connection",
	"Step by step: tenant, application and secret; the directory of services; Intune's "
	"service\n"
	"and the permission to call it.  Exit status 1 where one fails.",
	NULL, check},
    {"intune", "delete", "NAME", "delete a connection that no profile has", NULL, NULL, delete},
    {0},
};
