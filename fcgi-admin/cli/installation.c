/* installation.c: init, migrate, settings, health, version. */
#include <stdio.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/health.h"
#include "fcgi-admin/manage/installation.h"

static void
say(const char *what, const char *path, bool made)
{
	printf("%-14s %s: %s\n", what, made ? "made" : "kept", path);
}

static int
print_installation(const struct cli *cli, const struct manage_installation *in)
{
	const struct settings *s = &cli->settings;

	if (cli->json)
		return cli_print_json(json_pack("{s:b,s:b,s:b,s:b,s:s,s:i,s:i}", "madeStateDir",
		    in->made_state_dir, "madeKeyDir", in->made_key_dir, "madeMasterKey",
		    in->made_master_key, "madePassphrase", in->made_passphrase, "masterKeyId",
		    in->master_key_id, "schemaFrom", in->schema_from, "schemaTo", in->schema_to));
	say("state", s->state_dir, in->made_state_dir);
	say("keys", s->key_dir, in->made_key_dir);
	say("master key", s->master_key_file, in->made_master_key);
	say("passphrase", s->passphrase_file, in->made_passphrase);
	printf("%-14s %s: %s (schema %d -> %d)\n", "database",
	    in->schema_from == 0	       ? "made"
	    : in->schema_from != in->schema_to ? "brought up to date"
					       : "kept",
	    s->database, in->schema_from, in->schema_to);
	return CLI_DONE;
}

static int
init(struct cli *cli, const struct arguments *a)
{
	struct manage_installation in = {0};
	struct manage_report r = {0};
	int status = cli_result(manage_installation_init(&cli->manage, &cli->actor, &in, &r), &r);

	(void)a;
	return status == CLI_DONE ? print_installation(cli, &in) : status;
}

static int
migrate(struct cli *cli, const struct arguments *a)
{
	struct manage_installation in = {0};
	struct manage_report r = {0};
	int status =
	    cli_result(manage_installation_migrate(&cli->manage, &cli->actor, &in, &r), &r);

	(void)a;
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(
		    json_pack("{s:i,s:i}", "schemaFrom", in.schema_from, "schemaTo", in.schema_to));
	if (in.schema_from == in.schema_to)
		printf("schema %d: up to date\n", in.schema_to);
	else
		printf("schema %d -> %d\n", in.schema_from, in.schema_to);
	return CLI_DONE;
}

static int
settings(struct cli *cli, const struct arguments *a)
{
	enum settings_format format = SETTINGS_TABLE;

	if (cli->json)
		format = SETTINGS_JSON;
	else if (arguments_has(a, "env"))
		format = SETTINGS_ENV;
	else if (arguments_has(a, "markdown"))
		format = SETTINGS_MARKDOWN;
	settings_print(&cli->settings, format, stdout);
	return CLI_DONE;
}

static json_t *
health_json(const struct manage_health *h)
{
	json_t *checks = json_array();

	for (int i = 0; i < h->count; i++)
		json_array_append_new(checks, json_pack("{s:s,s:s,s:o}", "name", h->checks[i].name,
						  "status", manage_health_name(h->checks[i].status),
						  "detail", cli_json_text(h->checks[i].detail)));
	return json_pack("{s:s,s:o}", "status", manage_health_name(h->status), "checks", checks);
}

static int
health(struct cli *cli, const struct arguments *a)
{
	struct manage_health h;

	(void)a;
	manage_health_check(&cli->manage, &h);
	if (cli->json) {
		if (cli_print_json(health_json(&h)) != CLI_DONE)
			return CLI_REFUSED;
	} else {
		for (int i = 0; i < h.count; i++)
			printf("%-5s %-32s %s\n", manage_health_name(h.checks[i].status),
			    h.checks[i].name, h.checks[i].detail);
		printf("%s\n", manage_health_name(h.status));
	}
	/* The first two are store and Redis. */
	for (int i = 0; i < 2 && i < h.count; i++)
		if (h.checks[i].status == MANAGE_HEALTH_FAIL)
			return CLI_AWAY;
	return h.status == MANAGE_HEALTH_FAIL ? CLI_REFUSED : CLI_DONE;
}

static int
version(struct cli *cli, const struct arguments *a)
{
	(void)a;
	if (cli->json)
		return cli_print_json(
		    json_pack("{s:s,s:s}", "name", "fcgi-scep", "version", SCEP_VERSION));
	puts("scepctl " SCEP_VERSION);
	return CLI_DONE;
}

static const struct option_spec settings_options[] = {
    {"env", NULL, "NAME=value lines, as an EnvironmentFile has them", false},
    {"markdown", NULL, "the table of docs/settings.md", false},
    {0},
};

const struct verb cli_installation_verbs[] = {
    {"init", NULL, "", "make directories, database, master key and key passphrase",
	"What is there already is kept, so that it may be run again.", NULL, init},
    {"migrate", NULL, "", "bring the database's schema up to date", NULL, NULL, migrate},
    {"settings", NULL, "", "print every setting with its value", NULL, settings_options, settings},
    {"health", NULL, "", "check store, Redis, master key and the ends of CA and RA certificates",
	"Exit status 3 when store or Redis is away, 1 when another check fails; a warning is 0.",
	NULL, health},
    {"version", NULL, "", "print the version", NULL, NULL, version},
    {0},
};
