/* account.c: account create, set, rotate, list, show, delete. */
#include <stdio.h>

#include "base/encoding.h"
#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/account.h"

/* secret NULL: it was shown before. */
static json_t *
account_json(const struct account_row *a, const char *secret)
{
	json_t *j = json_pack("{s:s,s:s,s:b,s:o,s:o,s:o,s:o}", "id", a->id, "name", a->name,
	    "enabled", a->enabled, "organization", cli_json_text(a->organization), "department",
	    cli_json_text(a->department), "createdAt", cli_json_time(a->created_at), "expiresAt",
	    cli_json_time(a->expires_at));

	if (j != NULL && secret != NULL)
		json_object_set_new(j, "secret", json_string(secret));
	return j;
}

static bool
read_change(const struct arguments *a, struct manage_account_change *c, struct errbuf *why)
{
	const char *ttl = arguments_text(a, "ttl");

	*c = (struct manage_account_change){.enabled = -1, .lifetime_s = -1};
	c->organization = arguments_text(a, "organization");
	c->department = arguments_text(a, "department");
	/* 0, without a unit, takes an end away. */
	if (ttl != NULL && ttl[0] == '0' && ttl[1] == '\0')
		c->lifetime_s = 0;
	else if (!arguments_duration(a, "ttl", &c->lifetime_s, why))
		return false;
	if (arguments_has(a, "enable") && arguments_has(a, "disable")) {
		errbuf_set(why, "--enable and --disable: one of them");
		return false;
	}
	if (arguments_has(a, "enable") || arguments_has(a, "disable"))
		c->enabled = arguments_has(a, "enable");
	return true;
}

static int
tell_secret(const struct cli *cli, const struct account_row *row, const char *secret)
{
	if (cli->json)
		return cli_print_json(account_json(row, secret));
	puts(secret);
	return CLI_DONE;
}

static int
create(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	char secret[MANAGE_CODE_SIZE];
	struct manage_account_change c;
	struct manage_report r = {0};
	struct account_row row;
	struct errbuf why = {0};
	int status;

	if (profile == NULL)
		return CLI_USAGE;
	if (!read_change(a, &c, &why))
		return cli_usage(&why);
	status = cli_result(manage_account_create(&cli->manage, &cli->actor, profile,
				a->operands[0], &c, secret, &row, &r),
	    &r);
	if (status == CLI_DONE)
		status = tell_secret(cli, &row, secret);
	octets_wipe(secret, sizeof(secret));
	return status;
}

static int
rotate(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	char secret[MANAGE_CODE_SIZE];
	struct manage_report r = {0};
	struct account_row row;
	int status;

	if (profile == NULL)
		return CLI_USAGE;
	status = cli_result(manage_account_rotate(&cli->manage, &cli->actor, profile,
				a->operands[0], secret, &row, &r),
	    &r);
	if (status == CLI_DONE)
		status = tell_secret(cli, &row, secret);
	octets_wipe(secret, sizeof(secret));
	return status;
}

static int
set(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	struct manage_account_change c;
	struct manage_report r = {0};
	struct account_row row;
	struct errbuf why = {0};
	int status;

	if (profile == NULL)
		return CLI_USAGE;
	if (!read_change(a, &c, &why))
		return cli_usage(&why);
	status = cli_result(
	    manage_account_set(&cli->manage, &cli->actor, profile, a->operands[0], &c, &row, &r),
	    &r);
	return status == CLI_DONE && cli->json ? cli_print_json(account_json(&row, NULL)) : status;
}

static bool
list_row(void *ctx, const struct account_row *a)
{
	char expires[ENCODING_TIME_SIZE] = "never";
	struct buffer line = {0};

	if (ctx != NULL)
		return json_array_append_new(ctx, account_json(a, NULL)) == 0;
	if (a->expires_at != 0)
		encoding_time(a->expires_at, expires);
	buffer_append_format(&line, "%-24s %-8s expires %-20s %s %s", a->name,
	    a->enabled ? "enabled" : "disabled", expires,
	    a->organization[0] != '\0' ? a->organization : "-", a->department);
	cli_print_line(&line);
	return true;
}

static int
show(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	struct manage_report r = {0};
	struct account_row row;
	int status;

	if (profile == NULL)
		return CLI_USAGE;
	status =
	    cli_result(manage_account_get(&cli->manage, profile, a->operands[0], &row, &r), &r);
	if (status != CLI_DONE)
		return status;
	if (cli->json)
		return cli_print_json(account_json(&row, NULL));
	(void)list_row(NULL, &row);
	return status;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status = CLI_USAGE;

	if (profile != NULL)
		status =
		    cli_result(manage_account_each(&cli->manage, profile, list_row, all, &r), &r);
	return cli_listed(cli, status, all);
}

static int delete (struct cli *cli, const struct arguments *a)
{
	const char *profile = cli_profile_of(a);
	struct manage_report r = {0};

	if (profile == NULL)
		return CLI_USAGE;
	return cli_changed(cli,
	    manage_account_delete(&cli->manage, &cli->actor, profile, a->operands[0], &r), &r,
	    a->operands[0]);
}

#define PROFILE_OPTION                                                                             \
	{                                                                                          \
		"profile", "PROFILE", "the profile that it is of", false                           \
	}
#define ACCOUNT_OPTIONS                                                                            \
	PROFILE_OPTION,                                                                            \
	    {"organization", "NAME", "goes onto its certificates; \"\" for none", false},          \
	{                                                                                          \
		"department", "NAME", "likewise", false                                            \
	}

static const struct option_spec create_options[] = {
    ACCOUNT_OPTIONS,
    {"ttl", "TIME", "until it expires: 365d; without it never", false},
    {0},
};
static const struct option_spec set_options[] = {
    ACCOUNT_OPTIONS,
    {"ttl", "TIME", "from now on until it expires: 365d; 0: never", false},
    {"enable", NULL, "take its secret", false},
    {"disable", NULL, "take it no more", false},
    {0},
};
static const struct option_spec profile_options[] = {PROFILE_OPTION, {0}};

const struct verb cli_account_verbs[] = {
    {"account", "create", "NAME", "make an account of a profile, and print its secret, this once",
	"The profile takes the secret as a challenge, any number of times, whatever its mode but\n"
	"intune; organization and department go onto the certificate's record and the audit.",
	create_options, create},
    {"account", "set", "NAME", "change an account; what is not given stays", NULL, set_options,
	set},
    {"account", "rotate", "NAME", "give it a new secret, and print that, this once", NULL,
	profile_options, rotate},
    {"account", "list", "", "list the accounts of a profile", NULL, profile_options, list},
    {"account", "show", "NAME", "show an account", NULL, profile_options, show},
    {"account", "delete", "NAME", "delete an account; its certificates stay", NULL, profile_options,
	delete},
    {0},
};
