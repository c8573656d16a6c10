/* organization.c: organization create, set, list, show, delete. */
#include <inttypes.h>
#include <stdio.h>

#include "fcgi-admin/cli/cli.h"
#include "fcgi-admin/manage/organization.h"

static json_t *
organization_json(const struct organization_row *o)
{
	return json_pack("{s:s,s:s,s:I,s:I,s:o}", "id", o->id, "name", o->name, "licenseCount",
	    (json_int_t)o->license_count, "seatsInUse", (json_int_t)o->seats_in_use, "createdAt",
	    cli_json_time(o->created_at));
}

static void
print_organization(const struct organization_row *o)
{
	struct buffer line = {0};

	buffer_append_format(&line, "%-32s %" PRId64 " seats in use", o->name, o->seats_in_use);
	if (o->license_count > 0)
		buffer_append_format(&line, " of %" PRId64, o->license_count);
	cli_print_line(&line);
}

static bool
read_change(const struct arguments *a, struct manage_organization_change *c, struct errbuf *why)
{
	*c = (struct manage_organization_change){.license_count = -1};
	return arguments_number(
	    a, "license-count", 0, MANAGE_LICENSES_MOST, &c->license_count, why);
}

static int
tell(const struct cli *cli, int status, const struct organization_row *o)
{
	return status == CLI_DONE && cli->json ? cli_print_json(organization_json(o)) : status;
}

static int
create(struct cli *cli, const struct arguments *a)
{
	struct manage_organization_change c;
	struct organization_row row;
	struct manage_report r = {0};
	struct errbuf why = {0};

	if (!read_change(a, &c, &why))
		return cli_usage(&why);
	c.name = a->operands[0];
	return tell(cli,
	    cli_result(manage_organization_create(&cli->manage, &cli->actor, &c, &row, &r), &r),
	    &row);
}

static int
set(struct cli *cli, const struct arguments *a)
{
	struct manage_organization_change c;
	struct organization_row row;
	struct manage_report r = {0};
	struct errbuf why = {0};

	if (!read_change(a, &c, &why))
		return cli_usage(&why);
	c.name = arguments_text(a, "name");
	return tell(cli,
	    cli_result(
		manage_organization_set(&cli->manage, &cli->actor, a->operands[0], &c, &row, &r),
		&r),
	    &row);
}

static int
show(struct cli *cli, const struct arguments *a)
{
	struct organization_row row;
	struct manage_report r = {0};
	int status =
	    cli_result(manage_organization_get(&cli->manage, a->operands[0], &row, &r), &r);

	if (status == CLI_DONE && !cli->json)
		print_organization(&row);
	return tell(cli, status, &row);
}

static bool
list_row(void *ctx, const struct organization_row *o)
{
	if (ctx != NULL)
		return json_array_append_new(ctx, organization_json(o)) == 0;
	print_organization(o);
	return true;
}

static int
list(struct cli *cli, const struct arguments *a)
{
	json_t *all = cli->json ? json_array() : NULL;
	struct manage_report r = {0};
	int status;

	(void)a;
	status = cli_result(manage_organization_each(&cli->manage, list_row, all, &r), &r);
	return cli_listed(cli, status, all);
}

static int delete (struct cli *cli, const struct arguments *a)
{
	struct manage_report r = {0};

	return cli_changed(cli,
	    manage_organization_delete(&cli->manage, &cli->actor, a->operands[0], &r), &r,
	    a->operands[0]);
}

#define LICENSE_COUNT                                                                              \
	{                                                                                          \
		"license-count", "N", "seats of it that may be in use at once; 0: any number",     \
		    false                                                                          \
	}

static const struct option_spec create_options[] = {LICENSE_COUNT, {0}};
static const struct option_spec set_options[] = {
    LICENSE_COUNT,
    {"name", "NAME", "its new name", false},
    {0},
};

const struct verb cli_organization_verbs[] = {
    {"organization", "create", "NAME", "make an organization, to which seats and accounts belong",
	NULL, create_options, create},
    {"organization", "set", "NAME", "change its name or its licences", NULL, set_options, set},
    {"organization", "list", "", "list organizations", NULL, NULL, list},
    {"organization", "show", "NAME", "show an organization", NULL, NULL, show},
    {"organization", "delete", "NAME", "delete one that has no seats and accounts", NULL, NULL,
	delete},
    {0},
};
